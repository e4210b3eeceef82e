"""Folds of the bundled rows, and the constants that were fitted without each fold or each chip.

The fold of a row is a function of its shape alone, so that all rows of one shape, on whatever chip, are
held out together. `nvscale.truth.refitting` writes the constants; nothing is fitted here.
"""

import csv
import functools
import gzip
import math
import zlib
from collections.abc import Mapping
from importlib import resources
from typing import Any

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth.constants import Constant, Constants, shipped_constants
from nvscale.truth.kinds.base import Kind
from nvscale.truth.tables import Table

FOLDS_BY: Mapping[str, tuple[str, ...]] = {
    "gemm": ("n", "k"),
    "attention": ("batch", "seq", "heads", "kv_heads"),
    "mla": ("batch", "seq", "heads"),
    "moe": ("hidden", "moe_intermediate", "topk", "experts"),
    "collectives": ("message_bytes",),
    "collectives_multinode": ("message_bytes",),
    "all_to_all_multinode": ("tokens",),
    "operators": ("m", "n", "k", "elements", "row_length"),
    "elementwise": ("cols",),
    "hpc_kernels": ("chip",),
    "energy": ("model",),
}
"""Columns that make a shape: rows that share them are held out together."""
FOLDS: Mapping[str, int] = {"attention": 10, "mla": 10, "collectives": 10}
"""Folds of a kind with many shapes."""
FINE = 31
"""Folds of a kind with few: so many that most shapes are alone in one, and most folds are empty."""
HELD_OUT = "fitted without the rows that it is scored by"
COLUMNS = ("kind", "class", "path", "chip", "constant", "without", "value")
"""Columns of the files of constants; `without` is the fold, or the chip, that took no part in the fit."""


def fold_count(kind: str) -> int:
    """Return how many folds the rows of a kind are cut into."""
    return FOLDS.get(kind, FINE)


def folds_are_chips(kind: str) -> bool:
    """Return whether whole chips are held out because a chip has no shapes."""
    return FOLDS_BY.get(kind) == ("chip",)


def fold_of(shape: str, count: int) -> int:
    """Return the fold of a shape: a checksum of its name, so it never changes with what else is measured.

    >>> fold_of("n=4096,k=4096", 10)
    8
    """
    return zlib.crc32(shape.encode()) % count


def folds_of(kind: Kind, table: Table) -> Any:
    """Return the fold of every row of a table: a number, or in words what a kind holds out together."""
    import numpy as np

    if kind.folds is not None:
        return np.array(kind.folds(table), dtype=object)
    count = fold_count(kind.name)
    return np.array([fold_of(shape, count) for shape in shapes_of(kind, table)])


def shapes_of(kind: Kind, table: Table) -> list[str]:
    """Return the name of the shape of every row, such as "n=4096,k=4096"."""
    names = FOLDS_BY.get(kind.name) or kind.numbers
    cells = []
    for name in names:
        if name in kind.words:
            cells.append([f"{name}={_chip_name(word)}" for word in table.column(name)])
        else:
            cells.append([f"{name}={value:.10g}" for value in table.figures(name).tolist()])
    return [",".join(parts) for parts in zip(*cells, strict=True)]


def chips_of(kind: Kind, table: Table) -> Any:
    """Return the chip of every row by its name in the catalogue, or as the row says it."""
    import numpy as np

    column = next(name for name in ("gpu", "chip") if name in kind.words)
    return np.array([_chip_name(word) for word in table.column(column)], dtype=object)


@functools.cache
def _chip_name(said: str) -> str:
    try:
        return str(catalogue.chip(said).name)
    except UnknownName:
        return said


def without_fold(kind: str, fold: "int | str") -> dict[str, Constants]:
    """Return the shipped constants with those fitted without a fold in place of all that saw it, by kind of work."""
    tables: dict[str, list[Constant]] = {}
    for row in _held_out("folds", kind).get(str(fold), ()):
        tables.setdefault(row["kind"], []).append(_constant(row, row["chip"]))
    return {work: shipped_constants(work).with_rows(rows) for work, rows in tables.items()}


def without_chip(kind: str, chip: str) -> dict[str, Constants]:
    """Return what the library would give the rows of a chip, had none of them been measured, by kind of work.

    Work that is not fitted to rows of this kind keeps its shipped constants.
    """
    tables: dict[str, list[Constant]] = {work: [] for work in _works("chips", kind)}
    for row in _held_out("chips", kind).get(chip, ()):
        tables[row["kind"]].append(_constant(row, row["chip"]))
    empty = {work: Constants(work, {}, shipped_constants(work).intervals) for work in tables}
    return {work: empty[work].with_rows(rows) for work, rows in tables.items()}


def _constant(row: Mapping[str, str], place: str) -> Constant:
    """A constant of a file as one of the package: unit and data set are those of the shipped one."""
    known = _like(row["kind"], row["class"], row["constant"])
    placed = known._replace(class_=row["class"], path=row["path"], chip=place)
    return placed._replace(value=float(row["value"]), standard_error=math.nan, rows=math.nan, scheme=HELD_OUT, held_out_mape=math.nan)


@functools.cache
def _like(kind: str, class_: str, name: str) -> Constant:
    rows = shipped_constants(kind).rows
    return next(inner[name] for wanted in (class_, "") for key, inner in rows.items() if key[0] == wanted and name in inner)


@functools.cache
def _works(what: str, kind: str) -> frozenset[str]:
    return frozenset(row["kind"] for rows in _held_out(what, kind).values() for row in rows)


def has_folds(kind: str) -> bool:
    """Return whether constants without each fold, or each chip, come with the library."""
    return bool(_file("chips", kind).is_file())


@functools.cache
def _held_out(what: str, kind: str) -> dict[str, list[dict[str, str]]]:
    """Rows of a file of constants, by what took no part in the fit."""
    by: dict[str, list[dict[str, str]]] = {}
    for row in csv.DictReader(gzip.decompress(_file(what, kind).read_bytes()).decode().splitlines()):
        by.setdefault(row["without"], []).append(row)
    return by


def _file(what: str, kind: str) -> Any:
    return resources.files("nvscale.truth").joinpath(f"data/{what}-{kind}.csv.gz")
