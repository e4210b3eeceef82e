"""`calibrate` for training steps: a few named constants fitted to rows of one's own, the shipped ones as prior."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from nvscale.truth.classes import Key
from nvscale.truth.constants import Constant, shipped_constants
from nvscale.truth.own_fits import FEWEST_ROWS, MOST_FOLDS, NOISE, OUTLIER, FittedClass
from nvscale.truth.tables import Table
from nvscale.truth.training_fits.recipe import KIND, Cell, Recipe, recipe
from nvscale.truth.training_fits.rows import Steps, collect

KINDS = (KIND, "training_single_node")
"""Kinds of rows that constants of training steps are fitted to."""
MOST_CONSTANTS = 8
ROWS_A_CONSTANT = 3
"""Rows that each fitted constant needs."""
FEWEST_MODELS = 3
"""Different models below which nothing can be held out."""
TOLD = 0.95
"""A constant that the rows do not narrow to this part of the prior stays as it ships; the prior holds the others together."""
PRIOR = 1.0
"""How far a constant may be off before anything is measured, on the logit scale of its range."""
BETTER = "others are determined better, and no more can be fitted to so many rows"
EDGE = 1e-3
"""Nearest to an end of its range that a fit starts, as a part of the range."""


class Solved(NamedTuple):
    """Values of the constants, the covariance of the fitted ones on the logit scale, and how far each was narrowed."""

    values: dict[str, float]
    covariance: Any
    told: dict[str, float]


def shipped_values(used: Recipe) -> dict[str, float]:
    """Return the fitted constants as they ship, by name."""
    rows = shipped_constants(KIND).rows
    values: dict[str, float] = {}
    for cell in sorted((cell for cell in used.cells if cell.name), key=lambda cell: cell.ratio != 1.0):
        figure = rows[cell.class_, cell.path, cell.place][cell.field].value
        values.setdefault(cell.name, figure)
        if cell.exponent and cell.ratio != 1.0:
            values.setdefault(cell.exponent, math.log(figure / values[cell.name]) / math.log(cell.ratio))
    return values


class OwnRows:
    """Rows of one's own, and which constants they depend on.

    Parameters
    ----------
    table : Table
        Rows with the columns of training steps; those without a layout are left out.
    labels : sequence of str, optional
        What is held out together, one for every row of the table; the model without.
    """

    def __init__(self, table: Table, labels: Sequence[str] | None = None) -> None:
        import numpy as np

        self.recipe = recipe()
        rows, self.refused = collect(table, self.recipe, every_chip=True)
        self.steps = Steps(rows, self.recipe)
        self.places = np.array([row.place for row in rows], dtype=int)
        self.labels = np.array([(labels or table.column("model"))[row.place] for row in rows])
        self.shipped = shipped_values(self.recipe)

    def cells(self, free: Sequence[str] | None = None) -> list[Cell]:
        """Return the figures that the rows depend on and that fitted constants set, all of them or some."""
        keys = {key for row in self.steps.rows for key in (*row.efficiency_keys.values(), *row.stack_keys.values())}
        return [cell for cell in self.recipe.cells if cell.name and _key(cell) in keys and (free is None or cell.name in free)]

    def candidates(self) -> list[str]:
        """Return the constants that differ between sites and that the rows depend on."""
        return [name for name in dict.fromkeys(cell.name for cell in self.cells()) if self.recipe.free[name].site]

    def chosen(self) -> tuple[list[str], dict[str, str]]:
        """Return the constants that the rows determine best, and why others stay as they ship."""
        free, kept = self.candidates(), {}
        most = min(MOST_CONSTANTS, len(self.steps.rows) // ROWS_A_CONSTANT)
        while free:
            told = self.solve(free).told
            worst = max(free, key=lambda name: told[name])
            if told[worst] <= TOLD and len(free) <= most:
                break
            kept[worst] = f"the rows leave it to {told[worst]:.0%} of its prior range" if told[worst] > TOLD else BETTER
            free = [name for name in free if name != worst]
        return free, kept

    def solve(self, free: Sequence[str], steps: Steps | None = None) -> Solved:
        """Return constants fitted to the rows, or to some of them."""
        import numpy as np
        from scipy.optimize import least_squares

        rows = self.steps if steps is None else steps
        ranges = [self.recipe.free[name] for name in free]
        low, span = (np.array(column) for column in ([one.low for one in ranges], [one.high - one.low for one in ranges]))
        share = np.clip((np.array([self.shipped[name] for name in free]) - low) / span, EDGE, 1.0 - EDGE)
        start = np.log(share / (1.0 - share))

        def values(point: Any) -> dict[str, float]:
            return self.shipped | dict(zip(free, (low + span / (1.0 + np.exp(-point))).tolist(), strict=True))

        def residuals(point: Any) -> Any:
            return np.concatenate([np.log(rows.predict(values(point)) / rows.seconds) / NOISE, (point - start) / PRIOR])

        best = least_squares(residuals, start, loss="soft_l1", f_scale=OUTLIER, max_nfev=20)
        scatter = max(1.0, float(np.median(np.abs(residuals(best.x)[: len(rows.rows)]))) / 0.6745)  # 0.6745: median of |N(0, 1)|
        slopes = best.jac[: len(rows.rows)] / scatter
        covariance = np.linalg.pinv(slopes.T @ slopes + np.eye(len(free)) / PRIOR**2)
        told = dict(zip(free, (np.sqrt(np.diag(covariance)) / PRIOR).tolist(), strict=True))
        return Solved(values(best.x), covariance, told)

    def held_out(self, free: Sequence[str], folds: Any) -> Any:
        """Return the times of all rows by constants fitted without the fold of each."""
        import numpy as np

        out = np.empty(len(self.steps.rows))
        for fold in np.unique(folds):
            held = folds == fold
            out[held] = self.steps.where(held).predict(self.solve(free, self.steps.where(~held)).values)
        return out

    def folds(self) -> Any:
        """Return the fold of every row: rows of one label are together."""
        import numpy as np

        _, which = np.unique(self.labels, return_inverse=True)
        return which % min(MOST_FOLDS, int(which.max()) + 1)


def fit_own(table: Table, data_set: str) -> tuple[FittedClass, dict[str, int]]:
    """Return constants fitted to rows of one's own, scored on models that the fit has not seen, and rows left out with the reason."""
    import numpy as np

    rows = OwnRows(table)
    unusable = {reason: list(rows.refused.values()).count(reason) for reason in rows.refused.values()}
    count, models = len(rows.steps.rows), len(set(rows.labels.tolist()))
    key = Key(KIND, "steps", "", " ".join(sorted({row.chip for row in rows.steps.rows})))
    refused = FittedClass(key, count, models)
    if count < FEWEST_ROWS:
        return _refused(refused, f"{count} rows with a layout are too few; wanted at least {FEWEST_ROWS}"), unusable
    if models < FEWEST_MODELS:
        return _refused(refused, f"{models} different models are too few to hold any out; wanted at least {FEWEST_MODELS}"), unusable
    free, kept = rows.chosen()
    if not free:
        return _refused(refused, "no constant is determined by the rows", kept), unusable
    errors = [np.abs(times / rows.steps.seconds - 1.0) for times in (rows.steps.predict(rows.shipped), rows.held_out(free, rows.folds()))]
    before, after = (float(np.mean(error) * 100.0) for error in errors)
    made = replace(refused, before=before, after=after, folds=int(rows.folds().max()) + 1, kept=kept)
    if not after < before:
        why = f"on held-out models the fitted constants do no better ({after:.1f} % against {before:.1f} % with the shipped ones)"
        return replace(made, refused=why), unusable
    solved = rows.solve(free)
    cells = rows.cells(free)
    places = [free.index(cell.name) for cell in cells]
    covariance = tuple(map(tuple, solved.covariance[np.ix_(places, places)].tolist()))
    constants = tuple(_constants(rows, solved, free, data_set, after))
    return replace(made, constants=constants, fitted=tuple(cell.field for cell in cells), covariance=covariance), unusable


def held_out_ratios(table: Table) -> Any:
    """Return for every row the time by constants fitted without its model, over that by the shipped ones; nan where it has no layout."""
    import numpy as np

    rows, ratios = OwnRows(table), np.full(len(table.rows), math.nan)
    if len(rows.steps.rows) < FEWEST_ROWS or len(set(rows.labels.tolist())) < FEWEST_MODELS:
        return ratios
    free, _ = rows.chosen()
    ratios[rows.places] = rows.held_out(free, rows.folds()) / rows.steps.predict(rows.shipped)
    return ratios


def _constants(rows: OwnRows, solved: Solved, free: Sequence[str], data_set: str, after: float) -> Iterator[Constant]:
    """The figures that the fitted constants set, as constants of the library."""
    import numpy as np

    errors = dict(zip(free, np.sqrt(np.diag(solved.covariance)).tolist(), strict=True))
    for cell in rows.cells(free):
        value, one = cell.value_at(solved.values), rows.recipe.free[cell.name]
        slope = (solved.values[cell.name] - one.low) * (one.high - solved.values[cell.name]) / (one.high - one.low)
        error = errors[cell.name] * slope * value / solved.values[cell.name]
        about = (float(len(rows.steps.rows)), data_set, f"{cell.name}: fitted to rows of one's own, folds of models", after)
        yield Constant(KIND, cell.class_, cell.path, cell.place, cell.field, value, error, cell.unit, *about)


def _key(cell: Cell) -> tuple[str, str, str, str]:
    return (cell.class_, cell.path, cell.place, cell.field)


def _refused(made: FittedClass, why: str, kept: Mapping[str, str] | None = None) -> FittedClass:
    return replace(made, kept=dict(kept or {}), refused=why)
