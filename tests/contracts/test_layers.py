"""Imports go downwards only, and each library has one home: the layers of the house, checked on the source."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from tests.contracts.imports import Import, imports, modules

# From the ground up. A module may import from its own layer and from those before it.
LAYERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("base", ("nvscale._version", "nvscale.errors", "nvscale.ops", "nvscale.units", "nvscale.unit_types", "nvscale.provenance")),
    ("formulas", ("nvscale.formulas",)),
    (
        "records",
        (
            "nvscale.record",
            "nvscale.formats",
            "nvscale.silicon",
            "nvscale.composition",
            "nvscale.settings",
            "nvscale.transformers",
            "nvscale.parallelism",
        ),
    ),
    ("work and efficiency", ("nvscale.workloads", "nvscale.efficiencies", "nvscale.model_configs")),
    ("estimates", ("nvscale.estimate", "nvscale.estimators")),
    ("analysis", ("nvscale.analysis",)),
    ("catalogue, laws and quantities", ("nvscale.catalogue", "nvscale.laws", "nvscale.quantities")),
    ("constants", ("nvscale.truth.constants", "nvscale.truth.calibrations")),
    (
        "kernels",
        (
            "nvscale.estimators.training",
            "nvscale.estimators.generation",
            "nvscale.estimators.kernels",
            "nvscale.estimators.collectives",
            "nvscale.estimators.system_benchmarks",
            "nvscale.estimators.power",
        ),
    ),
    (
        "views",
        (
            "nvscale.views",
            "nvscale.inputs",
            "nvscale.closed_forms",
            "nvscale.inverse",
            "nvscale.sensitivities",
            "nvscale.budgets",
            "nvscale.compute_paths",
            "nvscale.grids",
            "nvscale.layouts",
            "nvscale.planning",
            "nvscale.plan_results",
            "nvscale.estimators.interruptions",
            "nvscale.estimators.system_power",
            "nvscale.estimators.runs",
            "nvscale.estimators.schedules",
            "nvscale.estimators.rents",
            "nvscale.estimators.run_costs",
            "nvscale.estimators.site_terms",
            "nvscale.estimators.site_choices",
            "nvscale.estimators.sites",
            "nvscale.estimators.site_tokens",
            "nvscale.estimators.serving",
            "nvscale.estimators.serving_delays",
            "nvscale.estimators.serving_use",
            "nvscale.serving_layouts",
            "nvscale.serving_search",
            "nvscale.frontiers",
            "nvscale.deployments",
            "nvscale.disaggregation",
            "nvscale.sizing",
        ),
    ),
    ("measured truth", ("nvscale.truth",)),
    ("evidence", ("nvscale.evidence",)),
    ("report and plots", ("nvscale.report", "nvscale.plots")),
    ("package and command line", ("nvscale", "nvscale.cli", "nvscale.__main__")),
)
# Imports against the layers: (importer, imported, function it stands in), with the reason.
DOORWAYS: dict[tuple[str, str, str], str] = {
    ("nvscale.estimate", "nvscale.quantities", "quantity"): "the pint value of an estimate, loaded only when asked for",
    ("nvscale.frontiers", "nvscale.plots", "plot"): "the figure of a frontier; matplotlib is loaded only when asked for",
    ("nvscale.record", "nvscale.quantities", "quantity"): "the pint value of a figure, loaded only when asked for",
}
# Imports inside one layer that would close a circle at module level: lazily only.
LAZY: dict[tuple[str, str, str], str] = {
    ("nvscale.catalogue.lookup", "nvscale.catalogue.schema", "with_file"): "pydantic is loaded only to validate a user's file",
    ("nvscale.cli", "nvscale.cli.application", "main"): "typer is loaded only when the command line runs",
    ("nvscale.cli.catalogue_commands", "nvscale.catalogue.schema", "schema"): "pydantic is loaded only for the JSON Schema",
    ("nvscale.cli.curve_commands", "nvscale.report.page", "report"): "jinja2 and matplotlib are loaded only for the page",
    ("nvscale.cli.curve_commands", "nvscale.plots", "roofline"): "matplotlib is loaded only for a plot",
    ("nvscale.cli.plan_command", "nvscale.plots", "power_command"): "matplotlib is loaded only for a plot",
    ("nvscale.cli.measure_command", "nvscale.plots", "measure"): "matplotlib is loaded only for a plot",
}
SOLVERS = tuple(f"nvscale.analysis.law_fitting.{name}" for name in ("solver", "quality", "projection"))
# Who may import a library at module level, and who only inside a function; `*` at the end means every module below.
AT_TOP: dict[str, tuple[str, ...]] = {
    "pint": ("nvscale.quantities",),
    "pydantic": ("nvscale.catalogue.schema",),
    "typer": ("nvscale.cli.*",),
    "rich": ("nvscale.cli.*",),
    "matplotlib": ("nvscale.plots*",),
    "jinja2": ("nvscale.report.*",),
    "numpy": ("nvscale.plots*", "nvscale.report.page", *SOLVERS),
    "sympy": ("nvscale.closed_forms",),
}
IN_FUNCTIONS: dict[str, tuple[str, ...]] = {
    "numpy": (
        "nvscale.estimators.sites",
        "nvscale.budgets",
        "nvscale.compute_paths",
        "nvscale.inverse",
        "nvscale.sensitivities",
        "nvscale.closed_forms",
        "nvscale.grids",
        "nvscale.layouts",
        "nvscale.planning",
        "nvscale.serving_layouts",
        "nvscale.serving_search",
        "nvscale.frontiers",
        "nvscale.sizing",
        "nvscale.truth.*",
        "nvscale.ops",
        "nvscale.units",
        "nvscale.record",
        "nvscale.estimate",
        "nvscale.composition",
        "nvscale.analysis.*",
        "nvscale.laws.*",
        "nvscale.evidence.*",
    ),
    "sympy": ("nvscale.ops", "nvscale.closed_forms", "nvscale.laws.*"),
    "jax": ("nvscale.ops",),
    "pydantic": ("nvscale.units",),
    "pydantic_core": ("nvscale.units",),
    "scipy": (
        "nvscale.budgets",
        "nvscale.inverse",
        "nvscale.sensitivities",
        "nvscale.closed_forms",
        "nvscale.truth.*",
        "nvscale.analysis.*",
        "nvscale.estimators.*",
        "nvscale.laws.*",
        "nvscale.evidence.*",
    ),
    "pandas": (
        "nvscale.analysis.*",
        "nvscale.views",
        "nvscale.grids",
        "nvscale.plan_results",
        "nvscale.laws.*",
        "nvscale.frontiers",
        "nvscale.deployments",
    ),
    "xarray": ("nvscale.grids",),
    "rich": ("nvscale.planning",),
    "matplotlib": ("nvscale.report.*", "nvscale.cli.*"),
    "jinja2": ("nvscale.report.*",),
}
STANDARD_OF_FORMULAS = {"collections.abc.Sequence", "collections.abc.Mapping", "collections.abc.Callable", "typing.Any"}


def layer_of(module: str) -> int:
    """The layer with the longest matching name; every module must be in one."""
    matching = [
        (len(name), rank)
        for rank, (_, names) in enumerate(LAYERS)
        for name in names
        if module == name or (name != "nvscale" and module.startswith(f"{name}."))
    ]
    assert matching, f"{module} is in no layer: say in LAYERS where it belongs"
    return max(matching)[1]


def _inner() -> list[Import]:
    """Imports of the package's own modules that happen when the program runs."""
    return [one for one in imports() if one.root == "nvscale" and not one.for_types]


def _matches(module: str, patterns: tuple[str, ...]) -> bool:
    return any(module.startswith(p[:-1]) if p.endswith("*") else module == p for p in patterns)


def test_every_module_has_a_layer_and_every_layer_a_module() -> None:
    found = {layer_of(module) for module in modules()}
    assert found == set(range(len(LAYERS)))


def test_imports_go_downwards_but_for_the_named_doorways() -> None:
    upward = [one for one in _inner() if layer_of(one.imported) > layer_of(one.importer)]
    wrong = [str(one) for one in upward if (one.importer, one.imported, one.function) not in DOORWAYS]
    assert not wrong


@pytest.mark.parametrize("doorway", [*DOORWAYS, *(lazy for lazy in LAZY if lazy[1] in modules())], ids="->".join)
def test_doorways_are_in_use_and_open_only_inside_their_function(doorway: tuple[str, str, str]) -> None:
    importer, imported, function = doorway
    used = [one for one in _inner() if one.importer == importer and one.imported == imported]
    assert {one.function for one in used} == {function}


def test_modules_import_no_circle() -> None:
    """At module level the imports have an order; a module whose packages' `__init__` runs first counts too."""
    below = {module: {one.imported for one in _inner() if one.importer == module and not one.function} - {module} for module in modules()}
    placed: set[str] = set()
    while ready := [module for module in below if module not in placed and below[module] <= placed]:
        placed |= set(ready)
    assert sorted(set(below) - placed) == []


def test_formulas_import_only_ops_unit_types_and_formulas() -> None:
    foreign = [
        str(one)
        for one in imports()
        if one.importer.startswith("nvscale.formulas")
        and one.imported not in {"nvscale.ops", "nvscale.unit_types"} | STANDARD_OF_FORMULAS
        and not one.imported.startswith("nvscale.formulas.")
    ]
    assert not foreign


def test_formulas_import_nothing_inside_functions() -> None:
    assert not [str(one) for one in imports() if one.importer.startswith("nvscale.formulas") and one.function]


def test_only_the_command_line_imports_the_whole_package() -> None:
    """`import nvscale` inside the library would go round its own lazy names."""
    assert {one.importer for one in _inner() if one.imported == "nvscale"} <= {"nvscale.cli.application"}


def test_each_library_is_imported_only_where_it_is_at_home() -> None:
    wrong = []
    for one in imports():
        if one.root in sys.stdlib_module_names or one.root == "nvscale":
            continue
        homes = AT_TOP.get(one.root, ()) + (IN_FUNCTIONS.get(one.root, ()) if one.function or one.for_types else ())
        if not _matches(one.importer, homes):
            wrong.append(str(one))
    assert not wrong


def test_libraries_that_are_imported_are_declared() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lists = [project["dependencies"], *project["optional-dependencies"].values()]
    declared = {re.split(r"[\[<>=~! ]", line)[0].lower() for lines in lists for line in lines}
    used = {one.root for one in imports()} - set(sys.stdlib_module_names) - {"nvscale", "pydantic_core"}
    assert used <= declared
