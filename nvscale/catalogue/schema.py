"""Strict validation of data files, all errors at once, and their JSON Schema. Alone imports pydantic.

The models are made from the unit tables of the records, so there is one declaration of the fields.
"""

import functools
import tomllib
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic

from nvscale.catalogue.building import NETWORK_UNITS, SYSTEM_UNITS, Entry, chip_units, flat_figures, model_units
from nvscale.catalogue.figures import DATE, read_figure
from nvscale.errors import CatalogueError, InvalidInput, did_you_mean
from nvscale.units import Unit, split_text

_STRICT = pydantic.ConfigDict(extra="forbid", frozen=True)
_DOTTED = "peak"


Basis = Literal[
    "list", "street", "build cost", "rent", "estimate", "share of list", "share of street", "share of build cost", "share of estimate"
]


class Figure(pydantic.BaseModel):
    """A figure as printed, and where."""

    model_config = _STRICT

    value: float | int | str = pydantic.Field(description="the number as printed; for dates text such as '2022-10'")
    unit: str = pydantic.Field(description="unit text, e.g. 'TB/s'; 'date' for dates, '1' for pure numbers")
    source: str = pydantic.Field(default="given in the file", description="identifier of the document in the list of sources, or free text")
    at: str = pydantic.Field(default="", description="table, page, row or column in the document")
    date: str = pydantic.Field(default="", description="date of the statement")
    kind: Literal["vendor", "restated", "measured", "derived", "estimate", "given"] = "given"
    low: float | int | str | None = pydantic.Field(default=None, description="least value, same unit, where sources disagree")
    high: float | int | str | None = pydantic.Field(default=None, description="greatest value, same unit")
    note: str = pydantic.Field(default="", description="conflict, caveat or arithmetic, in own words")
    sparsity: Literal["dense", "sparse"] = pydantic.Field(default="dense", description="what the printed rate counts")
    sparsity_factor: float | None = pydantic.Field(default=None, description="how many times the dense rate a sparse one is")
    direction: Literal["one way", "both ways"] = pydantic.Field(default="one way", description="what the printed bandwidth counts")
    per: Literal["package", "die"] = pydantic.Field(default="package", description="what the printed figure is per")
    basis: Basis | None = pydantic.Field(default=None, description="which price it is; 'share of' one: a system's price over its chips")


class Shape(Figure):
    """A figure of a model: a count, unless it says a unit."""

    unit: str = pydantic.Field(default="1", description="'1' for counts, 'date' for dates")


class Document(pydantic.BaseModel):
    """A document that figures cite."""

    model_config = _STRICT

    title: str
    publisher: str = ""
    year: int | str = ""
    url: str = ""
    read: str = pydantic.Field(default="", description="day it was read")
    via: str = pydantic.Field(default="", description="the secondary document through which it was read")
    licence: str = ""
    restates: bool = pydantic.Field(default=False, description="whether it restates figures of vendors")


class Free(pydantic.BaseModel):
    """A dated number outside the records: a price, an energy, a trend, an assumption."""

    model_config = _STRICT

    title: str = ""
    category: str = ""
    item: str = ""
    scope: str = ""
    quantity: str = ""
    edition: str = ""
    precision: str = ""
    process_node_nm: float | int | None = None
    aliases: list[str] = []
    notes: list[str] = []
    figures: dict[str, Any]


def _figures_model(name: str, units: Mapping[str, Unit]) -> type[pydantic.BaseModel]:
    """A model with an optional figure per field, rates nested under `peak`."""
    if name.startswith("Model"):
        counts: dict[str, Any] = {
            field: (Shape | int | float | str | None, pydantic.Field(default=None, description="a count")) for field in units
        }
        return pydantic.create_model(name, __config__=_STRICT, **counts)
    fields: dict[str, Any] = {}
    rates: dict[str, Any] = {}
    for field, unit in units.items():
        described = pydantic.Field(default=None, description=f"in any multiple of {unit.text}")
        head, _, rest = field.partition(".")
        (rates if rest else fields)[rest or head] = (Figure | str | None, described)
    if rates:
        inner = pydantic.create_model(f"{name}Rates", __config__=_STRICT, **rates)
        fields[_DOTTED] = (inner | None, pydantic.Field(default=None, description="peak dense rates by number format"))
    return pydantic.create_model(name, __config__=_STRICT, **fields)


class _Named(pydantic.BaseModel):
    model_config = _STRICT

    title: str = ""
    aliases: list[str] = []
    vendor: str = ""
    notes: list[str] = []
    topology: str = ""


@functools.cache
def models() -> dict[str, type[pydantic.BaseModel]]:
    """Return the model of an entry for every kind of data file."""

    def entry(name: str, units: Mapping[str, Unit], **fields: Any) -> type[pydantic.BaseModel]:
        figures = _figures_model(f"{name}Figures", units)
        return pydantic.create_model(name, __base__=_Named, figures=(figures, ...), **fields)

    text = (str, "")
    return {
        "chips": entry("ChipEntry", chip_units(), kind=(Literal["gpu", "tpu", "accelerator", "cpu"], "gpu"), market=text,
                       architecture=text, status=text, memory_type=text, unread=(list[str], [])),
        "networks": entry("NetworkEntry", NETWORK_UNITS, kind=text, in_network=text),
        "systems": entry("SystemEntry", SYSTEM_UNITS, level=text, chip=(str, ...), status=text, scaleup_network=text,
                         scaleout_network=text, cpu=text, sides=(list[int | float], []), sides_source=text, sides_at=text,
                         bisection=text),
        "models": entry("ModelEntry", model_units(), family=text, organisation=text, architecture=text, source=text, at=text, date=text,
                        kind=(Literal["vendor", "restated", "measured", "derived", "estimate", "given"], "given")),
        "sources": Document,
        **dict.fromkeys(("prices", "energy", "trends", "assumptions", "fleets", "emissions"), Free),
    }  # fmt: skip


@functools.cache
def _file_model() -> type[pydantic.BaseModel]:
    fields: dict[str, Any] = {kind: (types.GenericAlias(dict, (str, model)), {}) for kind, model in models().items()}
    return pydantic.create_model("CatalogueFile", __config__=_STRICT, **fields)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a user's catalogue file.

    >>> sorted(json_schema()["properties"])[:3]
    ['assumptions', 'chips', 'emissions']
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_file_model().model_json_schema()}


def check_tables(file: str, tables: Mapping[str, Any]) -> None:
    """Raise one CatalogueError that lists everything wrong with the structure of a file."""
    try:
        _file_model().model_validate(tables)
    except pydantic.ValidationError as problems:
        raise CatalogueError(f"{file}: " + "; ".join(_said(problem) for problem in problems.errors()[:20])) from None


def _said(problem: Any) -> str:
    """One problem found by pydantic, with the path in the file and the nearest key."""
    path = [str(step) for step in problem["loc"] if str(step) not in ("Figure", "Shape", "str", "int", "float")]
    place = ".".join(path)
    if problem["type"] == "extra_forbidden":
        return f"{place}: no such key{did_you_mean(path[-1], _known_keys(path))}"
    if problem["type"] == "missing":
        return f"{place} is missing"
    said = "input should be a table of figures" if "dictionary" in problem["msg"] else problem["msg"].lower()
    return f"{place}: {said}, given {problem['input']!r}"


def _known_keys(path: list[str]) -> list[str]:
    """The keys that would have been allowed where an unknown one was found."""
    if len(path) == 1:
        return list(models())
    if path[2:4] == ["figures", _DOTTED] and len(path) == 5:
        return [name.removeprefix(f"{_DOTTED}.") for name in chip_units() if name.startswith(f"{_DOTTED}.")]
    if len(path) > 4:
        return list(Figure.model_fields)
    model = models().get(path[0], Free)
    if len(path) == 3:
        return list(model.model_fields)
    figures = model.model_fields["figures"].annotation
    return list(getattr(figures, "model_fields", {}))


def validate_file(path: Path, find: Callable[[str, str], Entry]) -> dict[str, dict[str, Any]]:
    """Read and validate a user's file; return its tables by kind and name.

    `find` looks up an entry that the file may refer to, by kind and name.

    Raises CatalogueError naming file, entry and field, for all problems at once.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CatalogueError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise CatalogueError(f"{path}: this is a directory; name a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise CatalogueError(f"{path.name}: not a TOML file: {problem}") from None
    if not tables:
        raise CatalogueError(f"{path.name}: the file is empty; write e.g. [chips.my-chip] with figures")
    check_tables(path.name, tables)
    problems = [
        problem
        for kind, entries in tables.items()
        for name, table in entries.items()
        for problem in _wrong_figures(Entry(kind, name, table, path.name))
    ]
    problems += _dangling(path.name, tables, find)
    if problems:
        raise CatalogueError("; ".join(problems))
    return tables


def _wrong_figures(entry: Entry) -> list[str]:
    """Figures in a wrong unit or out of range."""
    units: Mapping[str, Unit] = {"chips": chip_units(), "networks": NETWORK_UNITS, "systems": SYSTEM_UNITS, "models": model_units()}.get(
        entry.kind, {}
    )
    problems = []
    figures = flat_figures(entry)
    dies = 1.0 if "dies" in figures else None
    for name, figure in figures.items():
        try:
            read_figure(figure, units[name] if name in units else _own_unit(figure), f"{entry.where} {name}", {}, dies)
        except InvalidInput as problem:
            problems.append(str(problem))
    return problems


def _own_unit(figure: Any) -> Unit:
    """The unit that a figure outside the records gives itself."""
    text = figure.get("unit", "1") if isinstance(figure, Mapping) else split_text(str(figure))[1] or "1"
    return Unit("1", "year") if text == DATE else Unit(text, "any")


def _dangling(file: str, tables: Mapping[str, Any], find: Callable[[str, str], Entry]) -> list[str]:
    """Chips and networks that a system names and nobody defines."""
    problems = []
    for name, table in tables.get("systems", {}).items():
        for key, kind in (("chip", "chips"), ("scaleup_network", "networks"), ("scaleout_network", "networks")):
            wanted = table.get(key)
            if wanted and wanted not in tables.get(kind, {}):
                try:
                    find(kind, wanted)
                except LookupError as problem:
                    problems.append(f"{file}: [{name}] {key}: {problem}")
    return problems
