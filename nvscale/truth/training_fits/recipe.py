"""Which constants of training steps are fitted, where each of them is used, and what it starts from."""

import functools
import math
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.truth.constants import ANY, FAMILY, Constant, Constants, shipped_constants

KIND = "training"
CLASSES = {"step bf16": "bf16", "step fp8": "fp8", "step fp4": "fp4"}
"""Classes of steps, and the ceiling of a place that each needs."""
STACKS = ("vendor-fused", "compiled", "eager", "eager-broadcast", "unfused", "unfused-eager")
REFERENCE = "gb200"
"""The chip whose power relative to its rate the sustained rates of other Blackwell chips are compared with."""
MULTIPLIES = (
    "bundled matrix multiplies of 512 rows and more, best kernel of a shape; 8 bits: public tables of reached rates (ml-engineering)"
)
PUBLIC = "public table of reached rates (ml-engineering)"
BUS = "bundled all-gathers (Ampere: all-reduces) of 128 MiB on 8 chips of the domain"
RUNS = "published training steps (data/measured-training.csv.gz)"
FIXED = "not fitted: a physical count or a start value"
DENSE, EXPERTS = "dense", "experts"
OTHER = "other"
"""The generation of chips whose training steps are not fitted."""


class Free(NamedTuple):
    """A fitted constant: its start, its range, the rows that it is fitted to, and whether it differs between sites."""

    name: str
    start: float
    low: float
    high: float
    group: str
    site: bool


class Cell(NamedTuple):
    """One figure of one class, software stack and place: a fixed value, or that of a fitted constant x ratio ** another."""

    class_: str
    path: str
    place: str
    field: str
    unit: str
    value: float
    error: float
    data_set: str
    scheme: str
    name: str = ""
    ratio: float = 1.0
    exponent: str = ""

    def value_at(self, values: Mapping[str, float]) -> float:
        """Return the figure for values of the fitted constants."""
        if not self.name:
            return self.value
        return float(values[self.name] * (self.ratio ** values[self.exponent] if self.exponent else 1.0))


class Recipe(NamedTuple):
    """The fitted constants, all figures, the weight of the prior by group of rows, and the families of chips that are fitted."""

    free: Mapping[str, Free]
    cells: tuple[Cell, ...]
    prior: Mapping[str, float]
    families: frozenset[str]

    def start(self) -> dict[str, float]:
        """Return the physical start values."""
        return {name: one.start for name, one in self.free.items()}

    def names(self, group: str) -> tuple[str, ...]:
        """Return the constants that are fitted to a group of rows."""
        return tuple(name for name, one in self.free.items() if one.group == group)

    def constants(self, values: Mapping[str, float]) -> Constants:
        """Return all figures as constants of the library."""
        rows: dict[tuple[str, str, str], dict[str, Constant]] = {}
        for cell in self.cells:
            figures = (cell.value_at(values), math.nan, cell.unit, math.nan, cell.data_set, cell.scheme, math.nan)
            one = Constant(KIND, cell.class_, cell.path, cell.place, cell.field, *figures)
            rows.setdefault((cell.class_, cell.path, cell.place), {})[cell.field] = one
        return Constants(KIND, rows, shipped_constants(KIND).intervals)


@functools.cache
def recipe() -> Recipe:
    """Return the recipe of data/recipes-training.toml."""
    text = resources.files("nvscale.truth").joinpath("data/recipes-training.toml").read_text(encoding="utf-8")
    said = tomllib.loads(text)
    free = {entry["name"]: _free(entry) for entry in said["constant"]}
    places = list(_places(said))
    cells = [*_ceilings(places)]
    for entry in (entry for entry in said["constant"] if entry.get("field")):
        figures = {"value": math.nan, "data_set": RUNS, "name": entry["name"], "exponent": entry.get("exponent", "")}
        cells += _cells(entry, places, figures)
    for entry in said["fixed"]:
        cells += _cells(entry, places, {"value": entry["value"], "data_set": entry.get("data_set", FIXED)})
    families = (place["name"].removeprefix(FAMILY) for place in places if place["generation"] != OTHER)
    return Recipe(free, tuple(cells), said["prior"], frozenset(families))


def _free(entry: Mapping[str, Any]) -> Free:
    low, high = entry["range"]
    return Free(entry["name"], entry["start"], low, high, entry.get("group", DENSE), entry.get("site", False))


def _places(said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Places with their ceilings; chips that share those of their family one by one."""
    for entry in said["place"]:
        yield entry
        for chip in entry.get("chips", ()):
            yield entry | {"name": chip}


def _ceilings(places: list[dict[str, Any]]) -> Iterator[Cell]:
    for place in places:
        data = PUBLIC if place.get("public") else MULTIPLIES
        for class_, ceiling in CLASSES.items():
            if ceiling in place:
                where = (class_, "", place["name"])
                yield Cell(*where, "share_of_peak", "1", place[ceiling], 0.03, data, "half-length form")
                yield Cell(*where, "share_of_peak_16", "1", place["bf16"], 0.03, data, "half-length form")
                yield Cell(*where, "scaleup_share", "1", place["bus"], 0.03, BUS, "one point")


def _cells(entry: Mapping[str, Any], places: list[dict[str, Any]], said: Mapping[str, Any]) -> Iterator[Cell]:
    """The cells of one entry: everywhere, of generations and classes of steps, or of software stacks."""
    more: dict[str, Any] = {"unit": entry.get("unit", "1"), "error": math.nan, "scheme": ""} | dict(said)
    if entry.get("everywhere"):
        yield Cell("", "", ANY, entry["field"], **more)
    elif "of" in entry:
        for place in (place for place in places if place["generation"] in entry["of"]):
            ratio = _power_ratio(place["name"]) if entry.get("exponent") and place.get("rated_power") else 1.0
            for class_ in (one for one in entry.get("classes", CLASSES) if CLASSES[one] in place):
                for name in filter(None, (entry["field"], entry.get("also", {}).get(class_))):
                    yield Cell(class_, "", place["name"], name, **more | {"ratio": ratio})
    else:
        for stack in entry.get("stacks", STACKS):
            for where in _stack_places(stack, entry.get("family")):
                yield Cell("stack", stack, where, entry["field"], **more)


def _stack_places(stack: str, family: str | None) -> tuple[str, ...]:
    """Where the figures of a stack stand: eager attention differs by generation, so eager stacks have a place of their own for Ampere."""
    if family:
        return (family,)
    return (FAMILY + "Ampere", ANY) if stack.startswith("eager") else (ANY,)


@functools.cache
def _power_ratio(place: str) -> float:
    """Rated power for each operation of the 16-bit peak, relative to the reference."""
    chip, usual = catalogue.chip(place), catalogue.chip(REFERENCE)
    return float(chip.figure("power") / chip.rate("bf16") / (usual.figure("power") / usual.rate("bf16")))
