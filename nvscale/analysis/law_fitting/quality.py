"""What a fit is worth: covariance, conditioning, resamples."""

from typing import Any

import numpy as np

from nvscale.analysis.law_fitting.solver import Problem, minimise
from nvscale.analysis.law_fitting.sums import SumForm


def jacobian(problem: Problem, place: Any) -> tuple[Any, Any]:
    """Return the residuals and their derivatives by the coordinates: points x coordinates."""
    residual, shares = problem.shares(problem.whitened(place))
    rows = sum((share[0][:, None] * slope for share, slope in zip(shares, problem.slopes, strict=True)), 0.0)
    return residual[0], rows


def covariance(problem: Problem, place: Any, *, absolute: bool = False) -> Any:
    r"""Return the asymptotic covariance of the coordinates of a Huber fit.

    $$\Sigma = \frac{n}{n - p} \, \frac{\overline{\psi^2}}{\overline{\psi'}^2} \, (J^T J)^{-1}$$

    with the bounded residuals psi; P. J. Huber, Annals of Mathematical Statistics 35(1), 1964. For least squares it is the usual one;
    `absolute` counts the errors of the loss, not of its logarithm.
    """
    residual, rows = jacobian(problem, place)
    if absolute:
        loss = np.exp(problem.target)
        rows, residual = rows * (loss * np.exp(residual))[:, None], loss * np.expm1(residual)
    points, size = rows.shape
    if points <= size:
        return np.full((size, size), np.nan)
    bent = np.clip(residual, -problem.delta, problem.delta)
    inside = max(float((np.abs(residual) <= problem.delta).mean()), 1.0 / points)
    spread = points / (points - size) * float((bent**2).mean()) / inside**2
    return spread * np.linalg.pinv(rows.T @ rows, rcond=1e-15)


def conditioning(form: SumForm, problem: Problem, place: Any) -> dict[str, float]:
    """Return condition numbers of the fit: of all coordinates, of the exponents alone, and after whitening.

    The first is what a solver without care meets; the second is what is left when the coefficients are eliminated, as variable
    projection does; a direction of the data is missing where the second is large.
    """
    _, rows = jacobian(problem, place)
    square = rows.T @ rows
    linear = form.linear()
    free = [i for i in range(len(square)) if i not in linear]
    rest = (
        square[np.ix_(free, free)]
        - square[np.ix_(free, linear)] @ np.linalg.pinv(square[np.ix_(linear, linear)]) @ square[np.ix_(linear, free)]
    )
    white = rows @ problem.whitening
    return {
        "all coordinates": float(np.linalg.cond(square)),
        "exponents alone": float(np.linalg.cond(rest)),
        "whitened": float(np.linalg.cond(white.T @ white)),
    }


def resample(problem: Problem, place: Any, resamples: int, seed: int, workers: int) -> Any:
    """Return the place that each resample of the points leads to.

    The stream of random numbers is the legacy one of NumPy, which is promised never to change, so that published resamples can be
    repeated: `RandomState(seed).choice(points, size)` once per resample.
    """
    points = len(problem.target)
    drawn = np.random.RandomState(seed).randint(0, points, size=(resamples, points))
    weights = np.zeros((resamples, points))
    np.add.at(weights, (np.arange(resamples)[:, None], drawn), 1.0)
    return minimise(problem, np.repeat(np.atleast_2d(place), resamples, axis=0), weights, workers=workers).places
