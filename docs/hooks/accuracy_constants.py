"""The pages of the constants: every one with its error."""

import functools
import html
import math
from collections.abc import Callable, Mapping
from importlib import resources

import markup
from accuracy_cells import number

from nvscale.truth.constants import ANY, FAMILY, Constant, shipped_constants
from nvscale.units import readable


@functools.cache
def constant_kinds() -> tuple[str, ...]:
    """Return the kinds of constants that come with the library, in the order of their files."""
    files = sorted(item.name for item in resources.files("nvscale.truth").joinpath("data").iterdir())
    start, end = "constants-", ".csv"
    return tuple(name[len(start) : -len(end)] for name in files if name.startswith(start) and name.endswith(end))


def all_constants(kind: str) -> list[Constant]:
    """Return every constant of a kind."""
    return [one for inner in shipped_constants(kind).rows.values() for one in inner.values()]


def _sets(kind: str) -> dict[tuple[str, str, str], Mapping[str, Constant]]:
    return dict(shipped_constants(kind).rows)


def counts(kind: str) -> tuple[int, int, int]:
    """Return how many constants and sets a kind has, and the most that one set has of its own."""
    own = [len(inner) for key, inner in _sets(kind).items() if key[0]]
    return len(all_constants(kind)), len(_sets(kind)), max(own, default=0)


def constants_page(kind: str) -> str:
    """Return the page of the constants of a kind: every one with its error, rows, data, scheme and held-out error."""
    by_class: dict[str, list[tuple[tuple[str, str, str], Mapping[str, Constant]]]] = {}
    for key, inner in _sets(kind).items():
        by_class.setdefault(key[0], []).append((key, inner))
    lead = (
        "A constant stands with its standard error where it has one. The error is that of the fit: it holds for the form as it is, and "
        "constants of a set are correlated. `any data centre` is what a chip gets of which neither the family nor a sister family was "
        "measured. Held out is the mean absolute percentage error of rows that took no part in the fit."
    )
    parts = [f"# Constants of {kind}", markup.paragraphs(lead)]
    for class_ in sorted(by_class):
        parts += [f"## {class_ or 'All classes'}", _class_table(by_class[class_])]
    return "\n\n".join(parts)


def _class_table(sets: list[tuple[tuple[str, str, str], Mapping[str, Constant]]]) -> str:
    names = list(dict.fromkeys(name for _, inner in sets for name in inner))
    columns = ("chip", "path", *(name.replace("_", " ") for name in names), "rows", "held out %", "scheme", "data")
    rows = []
    for (_, path, chip), inner in sorted(sets, key=lambda one: (one[0][2].startswith(FAMILY), one[0][2] == ANY, one[0][2], one[0][1])):
        said: list[Callable[[Constant], str]] = [
            lambda one: number(one.rows, "g"),
            lambda one: number(one.held_out_mape, ".1f"),
            lambda one: one.scheme,
            lambda one: one.data_set,
        ]
        where = chip.replace(FAMILY, "family ")
        about = [", ".join(dict.fromkeys(html.escape(say(one)) for one in inner.values())) for say in said]
        rows.append([where, html.escape(path or "any"), *(constant_cell(inner[name]) if name in inner else "" for name in names), *about])
    return markup.table(columns, rows)


def constant_cell(one: Constant) -> str:
    """Return a constant with its unit and standard error."""
    shown = _readable(one.value, one.unit)
    error = f"<br><small>&plusmn; {_readable(one.standard_error, one.unit)}</small>" if math.isfinite(one.standard_error) else ""
    return f'<span class="nv-whole">{shown}{error}</span>'


def _readable(value: float, unit: str) -> str:
    return html.escape(f"{value:.4g}" if unit == "1" else readable(value, unit))
