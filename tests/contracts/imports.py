"""The imports of the package, read from its source with `ast`: who imports what, where, and whether only for types."""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import nvscale

PACKAGE = Path(nvscale.__file__).parent


class Import(NamedTuple):
    """One import statement, one name of it."""

    importer: str
    imported: str
    line: int
    function: str  # the function it stands in; empty at module level
    for_types: bool  # under `if TYPE_CHECKING:`

    @property
    def root(self) -> str:
        return self.imported.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}" + (f" inside {self.function}()" if self.function else "")


@functools.cache
def modules() -> dict[str, Path]:
    """Return every module of the package by dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ["nvscale", *path.relative_to(PACKAGE).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@functools.cache
def tree(module: str) -> ast.Module:
    """Return the syntax tree of a module."""
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


@functools.cache
def imports() -> tuple[Import, ...]:
    """Return every import of the package, those inside functions too."""
    return tuple(found for module in modules() for found in _imports_below(tree(module), module, "", for_types=False))


def _imports_below(node: ast.AST, module: str, function: str, *, for_types: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        inside, typed = function, for_types
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = function or child.name
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            typed = True
        if isinstance(child, ast.Import):
            yield from (Import(module, alias.name, child.lineno, inside, typed) for alias in child.names)
        if isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"{module}:{child.lineno}: relative import"
            yield from (Import(module, _target(str(child.module), alias.name), child.lineno, inside, typed) for alias in child.names)
        yield from _imports_below(child, module, inside, for_types=typed)


def _target(module: str, name: str) -> str:
    """The module that `from module import name` loads: a submodule of that name, or the module itself."""
    inner = f"{module}.{name}"
    is_module = inner in modules() or module.partition(".")[0] != "nvscale"
    return inner if is_module else module
