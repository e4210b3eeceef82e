"""Served requests as straight lines: every time is a sum of constants times what one of each would cost."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nvscale.efficiencies.serving import ServingEngine
from nvscale.truth.constants import shipped_constants
from nvscale.truth.grouping import grouped
from nvscale.truth.kinds import kind_of_rows
from nvscale.truth.kinds.base import Calibration, Group
from nvscale.truth.kinds.serving import PROBLEMS, held_out_with, parts_of, times
from nvscale.truth.serving_fits.recipe import EXPERTS, FIRST, FIRST_EXPERTS, GENERIC, KIND, STEP, Free, Recipe
from nvscale.truth.tables import Table

MEASURED: Mapping[str, str] = {STEP: "tpot_s", EXPERTS: "tpot_s", FIRST: "ttft_s", FIRST_EXPERTS: "ttft_s"}
PART: Mapping[str, tuple[str, ...]] = {
    STEP: ("dense, settings known",),
    EXPERTS: ("experts, settings known",),
    FIRST: ("dense, settings known",),
    FIRST_EXPERTS: ("experts, settings known",),
}
"""Rows that the constants of a group are fitted to."""


class Lines(NamedTuple):
    """Rows of one group of constants: measured seconds, time without the constants, and time per constant."""

    places: Any
    seconds: Any
    fixed: Any
    slopes: Mapping[str, Any]
    words: Mapping[str, Any]

    def predict(self, recipe: Recipe, values: Mapping[str, float]) -> Any:
        """Return the times of all rows for values of the constants."""
        total = self.fixed
        for name, slope in self.slopes.items():
            factor = recipe.free[name].factor
            total = total + values[name] * (values[factor] if factor else 1.0) * slope
        return total

    def where(self, kept: Any) -> "Lines":
        """Return some of the rows."""
        slopes = {name: slope[kept] for name, slope in self.slopes.items()}
        words = {name: word[kept] for name, word in self.words.items()}
        return Lines(self.places[kept], self.seconds[kept], self.fixed[kept], slopes, words)


def lines_of(table: Table, recipe: Recipe, group: str, values: Mapping[str, float], calibration: Calibration | None = None) -> Lines:
    """Return the rows of a table that decide a group of constants; constants of other groups are as in `values`."""
    import numpy as np

    kind, column = kind_of_rows(KIND), MEASURED[group]
    parts = parts_of(table)[column]
    usable = np.logical_or.reduce([parts[name] for name in PART[group]]) & (table.figures(column) > 0.0)
    names = recipe.names(group)
    fixed = np.full(len(table.rows), np.nan)
    slopes = {name: np.zeros(len(table.rows)) for name in names}
    for rows, places in grouped(kind, table, usable):
        try:
            base, each = _one(rows, recipe, group, values, calibration or {KIND: shipped_constants(KIND)})
        except PROBLEMS:
            continue
        fixed[places] = base
        for name, slope in each.items():
            slopes[name][places] = slope
    kept = np.isfinite(fixed).nonzero()[0]
    words = {name: np.array(table.column(name), dtype=object)[kept] for name in ("gpu", "engine", "model")}
    words["fold"] = np.array(held_out_with(table), dtype=object)[kept]
    words["model"] = np.array([name.rpartition("/")[2].replace("DeepSeek-R1", "DeepSeek-V3") for name in words["model"]], dtype=object)
    cells = zip(*(table.column(name) for name in ("gpu", "precision", "n_gpus", "isl", "osl")), strict=True)
    shapes = np.array(["|".join(row) for row in cells], dtype=object)[kept]
    words["configuration"] = words["model"] + "|" + shapes
    return Lines(kept, table.figures(column)[kept], fixed[kept], {name: slope[kept] for name, slope in slopes.items()}, words)


def _one(rows: Group, recipe: Recipe, group: str, values: Mapping[str, float], calibration: Calibration) -> tuple[Any, dict[str, Any]]:
    """The times of rows that share words without the constants of a group, and for one of each of them."""
    said = rows.words["engine"].lower()
    name = said if said in recipe.engines else GENERIC
    names = recipe.names(group)
    others = {one: value for one, value in values.items() if one not in names}
    zero = others | dict.fromkeys(names, 0.0)

    def seconds(more: Mapping[str, float]) -> Any:
        engine: ServingEngine = recipe.engine(name, zero | dict(more))
        found = times(rows, engine, calibration)
        return found.ttft if group in (FIRST, FIRST_EXPERTS) else found.tpot

    base = seconds({})
    return base, {one: _slope(recipe.free[one], seconds, base) for one in names if name in recipe.free[one].engines or name == GENERIC}


def _slope(one: Free, seconds: Any, base: Any) -> Any:
    """Time per unit of a constant; of one that multiplies another, per unit of both."""
    if not one.factor:
        return (seconds({one.name: one.start}) - base) / one.start
    return (seconds({one.factor: 1.0, one.name: 1.0}) - seconds({one.factor: 1.0})) / 1.0
