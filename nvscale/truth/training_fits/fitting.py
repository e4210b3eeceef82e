"""Least squares for the constants of training steps, held near their physical start values."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nvscale.truth.training_fits.recipe import DENSE, EXPERTS, Recipe
from nvscale.truth.training_fits.rows import Steps

ROBUST = 0.1
"""Error from which a row counts by its size, no longer by its square."""
LEAST_NOISE = 1e-6
BELIEF = 0.5
"""How far a start value may be off, as a standard deviation on the logit scale: the error of a constant that no row decides."""


class Solution(NamedTuple):
    """Values of all constants, and standard errors of the fitted ones."""

    values: dict[str, float]
    errors: dict[str, float]


def fit(steps: Steps, names: Sequence[str], base: Mapping[str, float], prior: float) -> Solution:
    """Return the named constants fitted to rows, the others as in `base`; every source weighs alike.

    The prior is a penalty on the distance from the start value, on the logit scale of the constant's range. The
    errors say how well the rows decide a constant, not how well the prior holds it.
    """
    import numpy as np
    from scipy.optimize import least_squares

    free = [steps.recipe.free[name] for name in names]
    low, high, start = (np.array([getattr(one, part) for one in free]) for part in ("low", "high", "start"))
    centre = np.log((start - low) / (high - start))
    weights = weights_of(steps)

    def values(point: Any) -> dict[str, float]:
        return dict(base) | dict(zip(names, (low + (high - low) / (1.0 + np.exp(-point))).tolist(), strict=True))

    def residuals(point: Any) -> Any:
        error = np.log(steps.predict(values(point)) / steps.seconds)
        soft = np.sign(error) * np.sqrt(2.0 * ROBUST**2 * (np.sqrt(1.0 + (error / ROBUST) ** 2) - 1.0))
        return np.concatenate([soft * weights, prior * (point - centre)])

    done = least_squares(residuals, centre, max_nfev=40)
    slope = (high - low) * np.exp(-done.x) / (1.0 + np.exp(-done.x)) ** 2
    noise = max(float((done.fun[: len(weights)] ** 2).mean()), LEAST_NOISE)
    slopes = done.jac[: len(weights)]
    spread = np.sqrt(np.diag(np.linalg.inv(slopes.T @ slopes / noise + np.eye(len(names)) / BELIEF**2)))
    return Solution(values(done.x), dict(zip(names, (slope * spread).tolist(), strict=True)))


def weights_of(steps: Steps) -> Any:
    """Return weights of rows by which every fold weighs as the root of its rows."""
    import numpy as np

    folds = steps.words("fold")
    names, counts = np.unique(folds, return_counts=True)
    by_fold = dict(zip(names.tolist(), counts.tolist(), strict=True))
    weights = np.array([1.0 / np.sqrt(by_fold[fold]) for fold in folds.tolist()])
    return weights * np.sqrt(len(weights) / (weights**2).sum())


def fit_all(steps: Steps, recipe: Recipe, kept: Mapping[str, float] | None = None) -> Solution:
    """Return the constants of dense steps fitted to dense rows, then those of experts to rows with experts.

    Constants of dense steps are not fitted where `kept` brings them.
    """
    import numpy as np

    groups = np.array([row.group for row in steps.rows])
    values: dict[str, float] = dict(recipe.start()) | dict(kept or {})
    errors: dict[str, float] = {}
    for group in (DENSE, EXPERTS) if kept is None else (EXPERTS,):
        if (groups == group).any():
            found = fit(steps.where(groups == group), recipe.names(group), values, recipe.prior[group])
            values, errors = found.values, errors | found.errors
    return Solution(values, errors)
