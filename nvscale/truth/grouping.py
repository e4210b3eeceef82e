"""Rows that are estimated together: those that share all words."""

from collections.abc import Iterator, Sequence
from typing import Any

from nvscale.truth.kinds.base import Group, Kind
from nvscale.truth.tables import Table


def grouped(kind: Kind, table: Table, usable: Any, apart: Sequence[str] = ()) -> Iterator[tuple[Group, Any]]:
    """Yield the usable rows that share all words, with their places in the table.

    `apart` names columns of numbers by which rows are kept apart as well; rows that lack the number are together.
    """
    import numpy as np

    words = [table.column(name) for name in kind.words]
    numbers = {name: table.figures(name) for name in (*kind.numbers, *kind.optional_numbers)}
    cells = [["nan" if value != value else repr(value) for value in numbers[name].tolist()] for name in apart if name in numbers]
    places: dict[tuple[str, ...], list[int]] = {}
    for place, key in enumerate(zip(*words, *cells, strict=True)):
        if usable[place]:
            places.setdefault(key, []).append(place)
    for key, found in places.items():
        chosen = np.array(found)
        given = dict(zip(kind.words, key[: len(kind.words)], strict=True))
        yield Group(given, {name: values[chosen] for name, values in numbers.items()}), chosen


def with_numbers(kind: Kind, table: Table) -> Any:
    """Return which rows have every number that they need, above 0."""
    import numpy as np

    usable = np.ones(len(table.rows), dtype=bool)
    for name in kind.numbers:
        usable &= table.figures(name) > 0.0
    return usable
