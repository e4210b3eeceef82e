"""Efficiency constants as data: read, and found for a class of kernels, a software path and a chip.

A chip that was not measured gets the constants of its family, then of a sister family, then of any
data-centre chip; a software path that was not measured, or not given, gets the generic one (the
empty word). What was taken from elsewhere is said, and its interval is wider.
"""

import csv
import functools
import math
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, NamedTuple

from nvscale.efficiencies import Spread
from nvscale.errors import CatalogueError
from nvscale.provenance import Source
from nvscale.silicon import Chip
from nvscale.units import readable

COLUMNS = ("kind", "class", "path", "chip", "constant", "value", "standard_error", "unit", "rows", "data_set", "scheme", "held_out_mape")
INTERVAL_COLUMNS = ("kind", "constants", "part", "class", "regime", "rows", "low", "high")
ANY = "any data centre"
FAMILY = "family:"
OWN, GENERIC, FOREIGN, STRANGE = "own", "framework blank", "chip not fitted", "generation not fitted"
"""Which interval: constants of this chip and path, of this chip with any path, of its family or a sister, of any other chip."""


class Constant(NamedTuple):
    """One fitted constant of one class of kernels, software path and chip."""

    kind: str
    class_: str
    path: str
    chip: str
    name: str
    value: float
    standard_error: float
    unit: str
    rows: float
    data_set: str
    scheme: str
    held_out_mape: float

    def source(self) -> Source:
        """Return where the constant comes from, with two standard errors as range."""
        error = 2.0 * self.standard_error if self.standard_error == self.standard_error else 0.0
        where = f"{self.class_ or 'all classes'}, {self.path or 'any framework'}, {self.chip}"
        held_out = f"; held-out MAPE {self.held_out_mape:.1f} %" if self.held_out_mape == self.held_out_mape else ""
        return Source(
            printed=f"{readable(self.value, self.unit)} +- {readable(self.standard_error, self.unit)}" if error else f"{self.value:g}",
            document=f"constants-{self.kind}",
            title=self.data_set,
            place=where,
            kind="derived",
            low=self.value - error,
            high=self.value + error,
            note=f"{self.scheme}{held_out}",
        )


class Family(NamedTuple):
    """Chips that share constants."""

    name: str
    sisters: tuple[str, ...]
    part: str


class Found(NamedTuple):
    """Constants that were found for a chip, and how."""

    constants: Mapping[str, Constant]
    interval: str
    origin: str
    assumptions: tuple[str, ...]


@dataclass(frozen=True)
class Constants:
    """The constants and intervals of one kind of work.

    Parameters
    ----------
    kind : str
        "gemm", "attention" ...
    rows : mapping
        (class, path, chip) -> constants by name.
    intervals : mapping
        (constants, part, class, regime) -> factors low and high.
    """

    kind: str
    rows: Mapping[tuple[str, str, str], Mapping[str, Constant]] = field(repr=False)
    intervals: Mapping[tuple[str, str, str, str], tuple[float, float]] = field(repr=False)

    def with_rows(self, more: Iterable[Constant]) -> "Constants":
        """Return the constants with more of them; they replace those of the same class, path and chip, one by one."""
        merged = {key: dict(inner) for key, inner in self.rows.items()}
        for one in more:
            merged.setdefault((one.class_, one.path, one.chip), {})[one.name] = one
        return Constants(self.kind, merged, self.intervals)

    def classes(self) -> tuple[str, ...]:
        """Return the classes of kernels that have constants."""
        return tuple(dict.fromkeys(class_ for class_, _, _ in self.rows if class_))

    def find(self, class_: str, path: str, chip: Chip, *, near: bool = False) -> Found | None:
        """Return the constants of a class of kernels for a path and a chip; None where no chip has any.

        `near` looks no further than the chip, its family and its sisters.
        """
        family = family_of(chip)
        places = [chip.name, FAMILY + family.name, *(FAMILY + sister for sister in family.sisters), ANY]
        for place in places[:-1] if near else places:
            for way in dict.fromkeys((path, "")):
                if (class_, way, place) in self.rows:
                    constants = {**self._shared(places), **self.rows[class_, way, place]}
                    return Found(constants, *_origin(chip, place, path, way, constants))
        return None

    def _shared(self, places: Sequence[str]) -> dict[str, Constant]:
        """Constants that hold for every class and path; those of the nearest place win."""
        found: dict[str, Constant] = {}
        for place in reversed(places):
            found |= self.rows.get(("", "", place), {})
        return found

    def spreads(self, interval: str, chip: Chip, class_: str, path: str = "") -> tuple[Spread, ...]:
        """Return the 90 % intervals of a class by regime; the widest of all classes where it has none.

        A row of class "fp8/vllm" is for one path alone and comes before those of the whole class.
        """
        part = family_of(chip).part
        for which in dict.fromkeys((interval, FOREIGN)):
            parts = (chip.name, part) if which == STRANGE else (chip.name, part, "other", "data centre")
            for of_part in dict.fromkeys(parts):
                for name in (f"{class_}/{path}", class_):
                    found = {key[3]: pair for key, pair in self.intervals.items() if key[:3] == (which, of_part, name)}
                    if found:
                        return tuple(Spread(regime=regime, low=low, high=high) for regime, (low, high) in found.items())
        others = [pair for key, pair in self.intervals.items() if key[0] == FOREIGN]
        if not others:
            return ()
        return (Spread(low=min(low for low, _ in others), high=max(high for _, high in others)),)


def _origin(chip: Chip, place: str, path: str, way: str, constants: Mapping[str, Constant]) -> tuple[str, str, tuple[str, ...]]:
    """Which interval holds, where the constants come from in words, and what was assumed."""
    own = next(one for one in constants.values() if one.chip == place)
    software = f"with {way}" if way else "median over frameworks"
    assumptions: tuple[str, ...] = ()
    if not path:
        assumptions += ("framework not given: constants of a generic path",)
    elif not way:
        assumptions += (f"{path} was not measured here: constants of a generic path",)
    if place == chip.name:
        counted = f", {own.rows:g} rows" if own.rows == own.rows else ""
        return OWN if way else GENERIC, f"fitted on {chip.name}, {software}{counted}", assumptions
    origin = f"of the family {place.removeprefix(FAMILY)}" if place.startswith(FAMILY) else f"of {ANY} chip"
    assumptions += (f"{chip.name} was never measured in this class: constants {origin}, {software}",)
    return (STRANGE if place == ANY else FOREIGN), f"{origin}, {software}", assumptions


@functools.cache
def _families() -> tuple[dict[str, Any], ...]:
    text = resources.files("nvscale.truth").joinpath("data/families.toml").read_text(encoding="utf-8")
    return tuple(tomllib.loads(text)["family"])


def family_of(chip: Chip) -> Family:
    """Return the family of a chip, by the table in data/families.toml.

    >>> from nvscale.catalogue import chip
    >>> [family_of(chip(name)).name for name in ("h200", "gb300", "rtx_5090", "l4", "mi300x", "tpu-v5p")]
    ['Hopper', 'Blackwell Ultra', 'Blackwell workstation', 'Ada', 'CDNA 3', 'TPU v5p']
    """
    for entry in _families():
        by_name = chip.name in entry.get("chips", ())
        by_architecture = any(chip.architecture.startswith(start) for start in entry.get("architectures", ()))
        if by_name or (by_architecture and chip.market in entry.get("markets", (chip.market,))):
            return Family(entry["name"], tuple(entry.get("sisters", ())), entry["part"])
    return Family(chip.architecture or chip.name, (), "other")


@functools.cache
def shipped_constants(kind: str) -> Constants:
    """Return the constants of a kind of work that come with nvscale."""
    rows: dict[tuple[str, str, str], dict[str, Constant]] = {}
    for row in _table(f"constants-{kind}.csv", COLUMNS):
        one = Constant(*(_number(row[name]) if name in _NUMBERS else row[name] for name in COLUMNS))  # type: ignore[arg-type]
        rows.setdefault((one.class_, one.path, one.chip), {})[one.name] = one
    intervals = {
        (row["constants"], row["part"], row["class"], row["regime"]): (float(row["low"]), float(row["high"]))
        for row in _table(f"intervals-{kind}.csv", INTERVAL_COLUMNS)
    }
    return Constants(kind, rows, intervals)


_NUMBERS = ("value", "standard_error", "rows", "held_out_mape")


def _number(text: str) -> float:
    return float(text) if text else math.nan


def _table(file: str, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a shipped table, as text by column."""
    text = resources.files("nvscale.truth").joinpath(f"data/{file}").read_text(encoding="utf-8")
    reader = csv.DictReader(text.splitlines())
    if tuple(reader.fieldnames or ()) != tuple(columns):
        raise CatalogueError(f"{file}: has the columns {reader.fieldnames}; wanted {', '.join(columns)}")
    return list(reader)
