"""Public names: complete lists, lazily loaded from one table, none shared by a function and a module, all documented."""

import ast
import importlib
import inspect
import types
from collections.abc import Iterator
from typing import Any

import pytest

import nvscale
from nvscale import formulas
from tests.contracts.imports import modules, tree


def test_all_is_sorted_and_is_what_dir_shows() -> None:
    assert list(nvscale.__all__) == sorted(set(nvscale.__all__))
    assert dir(nvscale) == sorted(nvscale.__all__)


@pytest.mark.parametrize("name", nvscale.__all__)
def test_every_name_resolves(name: str) -> None:
    assert getattr(nvscale, name) is not None


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="chipp"):
        getattr(nvscale, "chip" + "p")


def test_the_lazy_table_is_what_type_checkers_see() -> None:
    """`_HOMES` and `_PACKAGES` say at run time what the imports under TYPE_CHECKING say to tools."""
    body = tree("nvscale").body
    typed = next(node for node in body if isinstance(node, ast.If))
    seen = {alias.name: str(node.module) for node in typed.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    table = {name: home for home, names in nvscale._HOMES.items() for name in names.split()}
    assert seen == table | dict.fromkeys(nvscale._PACKAGES, "nvscale")
    assert {*table, *nvscale._PACKAGES, "__version__"} == set(nvscale.__all__)


def test_every_lazy_name_comes_from_the_module_that_the_table_names() -> None:
    for home, names in nvscale._HOMES.items():
        assert all(hasattr(importlib.import_module(home), name) for name in names.split())


def test_no_public_function_shares_the_name_of_a_module_beside_it() -> None:
    """Importing the module would put it in the place of the function of that name."""
    shared = []
    for module in modules():
        package, _, name = module.rpartition(".")
        public = getattr(importlib.import_module(package), "__all__", ()) if package else ()
        if name in public and not isinstance(inspect.getattr_static(importlib.import_module(package), name, None), types.ModuleType):
            shared.append(module)
        if package == "nvscale" and name in nvscale._HOME_OF:
            shared.append(f"{module} and the public name {name}")
    assert not shared


def test_public_functions_stay_callable_after_all_modules_are_loaded() -> None:
    for module in modules():
        if module not in ("nvscale.__main__", "nvscale.plots", "nvscale.report.page"):
            importlib.import_module(module)
    wrong = [name for name in nvscale._HOME_OF if isinstance(getattr(nvscale, name), types.ModuleType)]
    assert not wrong


def test_topics_are_listed() -> None:
    found = {name.split(".")[2] for name in modules() if name.startswith("nvscale.formulas.")}
    assert list(formulas.__all__) == sorted(formulas.__all__)
    assert set(formulas.__all__) == found


@pytest.mark.parametrize("topic", formulas.__all__)
def test_a_topic_lists_all_its_functions_and_nothing_else(topic: str) -> None:
    """A topic is a module, or a package whose modules list what is public; a module without a list holds helpers."""
    module = getattr(formulas, topic)
    parts = [importlib.import_module(name) for name in modules() if name.startswith(f"{module.__name__}.")]
    listed = {name for part in parts for name in getattr(part, "__all__", ())}
    public = listed if parts else _defined_in(module)
    assert list(module.__all__) == sorted(module.__all__)
    assert set(module.__all__) == public
    assert all(_defined_in(part) == set(part.__all__) for part in parts if hasattr(part, "__all__"))


def _defined_in(module: types.ModuleType) -> set[str]:
    functions = {name for name, value in vars(module).items() if inspect.isfunction(value) and value.__module__ == module.__name__}
    return {name for name in functions if not name.startswith("_")}


@pytest.mark.parametrize("package", ["nvscale.catalogue", "nvscale.report", "nvscale.quantities"])
def test_lists_of_packages_are_sorted_and_resolve(package: str) -> None:
    module = importlib.import_module(package)
    assert list(module.__all__) == sorted(module.__all__, key=lambda name: (not name[0].isupper(), name))
    assert all(hasattr(module, name) for name in module.__all__)


def public_callables() -> Iterator[tuple[str, str | None]]:
    """Yield every public module, class, function, method and property of the package with its docstring."""
    for module in modules():
        yield module, ast.get_docstring(tree(module))
        yield from _documented(tree(module).body, module)


def _documented(body: list[Any], where: str) -> Iterator[tuple[str, str | None]]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield f"{where}.{node.name}", ast.get_docstring(node)
            if isinstance(node, ast.ClassDef):
                yield from _documented(node.body, f"{where}.{node.name}")


def test_everything_public_has_a_docstring() -> None:
    exempt = {"nvscale._version"}
    missing = [name for name, text in public_callables() if not (text or "").strip() and name not in exempt]
    assert not missing


def test_docstrings_begin_with_a_sentence() -> None:
    wrong = []
    for name, text in public_callables():
        first = (text or "").strip().split("\n\n")[0].replace("\n", " ")
        if first and not first.endswith((".", ":")):
            wrong.append(f"{name}: {first}")
    assert not wrong


@pytest.mark.parametrize("name", [n for n in nvscale.__all__ if n.islower() and n not in nvscale._PACKAGES and n != "__version__"])
def test_parameters_of_public_functions_are_annotated(name: str) -> None:
    function = getattr(importlib.import_module(nvscale._HOME_OF[name]), name)
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values())
    undocumented = [p for p in signature.parameters if len(signature.parameters) > 3 and f"{p} :" not in (inspect.getdoc(function) or "")]
    assert not undocumented
