"""Least squares for the constants of serving engines, held near their physical start values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nvscale.truth.serving_fits.recipe import EXPERTS, FIRST, FIRST_EXPERTS, STEP, Recipe
from nvscale.truth.serving_fits.rows import Lines, lines_of
from nvscale.truth.tables import Table

ROBUST = 0.1
"""Error from which a row counts by its size, no longer by its square."""
PRIOR = 0.15
"""Weight of a prior of one width, as the error of one row."""
DRAWS = 40
"""Draws of configurations for standard errors."""


class Solution(NamedTuple):
    """Values of all constants, and standard errors of the fitted ones."""

    values: dict[str, float]
    errors: dict[str, float]


def solve(lines: Lines, recipe: Recipe, names: Sequence[str], base: Mapping[str, float], weights: Any = None) -> dict[str, float]:
    """Return the named constants fitted to rows, the others as in `base`."""
    import numpy as np
    from scipy.optimize import least_squares

    start, width = (np.array([getattr(recipe.free[name], part) for name in names]) for part in ("start", "width"))
    measured, heavy = np.log(lines.seconds), 1.0 if weights is None else np.sqrt(weights)

    def values(point: Any) -> dict[str, float]:
        return dict(base) | dict(zip(names, (start * np.exp(point)).tolist(), strict=True))

    def residuals(point: Any) -> Any:
        error = np.log(lines.predict(recipe, values(point))) - measured
        soft = np.sign(error) * np.sqrt(2.0 * ROBUST**2 * (np.sqrt(1.0 + (error / ROBUST) ** 2) - 1.0))
        return np.concatenate([heavy * soft, PRIOR * point / width])

    return values(least_squares(residuals, np.zeros(len(names)), max_nfev=60).x)


def errors_of(lines: Lines, recipe: Recipe, names: Sequence[str], base: Mapping[str, float]) -> dict[str, float]:
    """Return the standard errors of constants: their spread over draws of configurations."""
    import numpy as np

    random = np.random.default_rng(0)
    found, index = np.unique(lines.words["configuration"].astype(str), return_inverse=True)
    draws = []
    for _ in range(DRAWS):
        counts = np.bincount(random.integers(0, len(found), len(found)), minlength=len(found)).astype(float)
        made = solve(lines, recipe, names, base, counts[index])
        draws.append([made[name] for name in names])
    return dict(zip(names, np.std(np.array(draws), axis=0).tolist(), strict=True))


def fit_all(table: Table, recipe: Recipe, without: tuple[str, str] | None = None, *, errors: bool = False) -> Solution:
    """Return all constants: those of steps fitted to dense rows, then those of experts, then those of first tokens likewise.

    `without` leaves out the rows of one fold, model, chip or engine: ("fold", "3").
    """
    values: dict[str, float] = recipe.start()
    spread: dict[str, float] = {}
    for group in (STEP, EXPERTS, FIRST, FIRST_EXPERTS):
        lines, names = lines_of(table, recipe, group, values), recipe.names(group)
        if without is not None:
            lines = lines.where(lines.words[without[0]] != without[1])
        if len(lines.seconds):
            values = solve(lines, recipe, names, values)
            spread |= errors_of(lines, recipe, names, values) if errors else {}
    return Solution(values, spread)
