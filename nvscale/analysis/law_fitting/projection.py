r"""Variable projection: given the exponents the loss is linear in the coefficients, so only the exponents are searched.

Least squares on the loss itself. What remains is a search in one or two dimensions, which is well conditioned where the
full problem is not; it is a start for the robust fit, and a fit of its own.
"""

from typing import Any

import numpy as np

from nvscale.analysis.law_fitting.sums import SumForm

GRID = 7
"""Exponents per dimension that are tried first."""


def project(form: SumForm, slopes: Any, loss: Any) -> tuple[Any, float]:
    """Return the place of least squared errors of the loss, and their root mean square.

    Parameters
    ----------
    form : SumForm
        Every term has one coefficient of its own.
    slopes : array
        Terms x points x coordinates.
    loss : array
        Measured loss.
    """
    from scipy import optimize

    linear = form.linear()
    free = [i for i in range(slopes.shape[2]) if i not in linear]

    def inner(exponents: Any) -> tuple[float, Any]:
        basis = np.exp(np.clip(np.einsum("knj,j->nk", slopes[:, :, free], exponents), -600.0, 600.0))
        size = np.maximum(np.abs(basis).max(axis=0), 1e-300)
        found, _ = optimize.nnls(basis / size, loss)
        return float(((basis / size) @ found - loss) @ ((basis / size) @ found - loss)), found / size

    lows, highs = np.array([form.ranges[i] for i in free]).T
    steps = (np.arange(GRID) + 0.5) / GRID
    grid = np.stack(np.meshgrid(*[low + (high - low) * steps**2 for low, high in zip(lows, highs, strict=True)]), axis=-1)
    start = min(grid.reshape(-1, len(free)), key=lambda exponents: inner(exponents)[0])
    exact = {"xatol": 1e-10, "fatol": 1e-16, "maxiter": 2000, "maxfev": 4000}
    best = optimize.minimize(lambda exponents: inner(exponents)[0], start, method="Nelder-Mead", options=exact)
    squares, coefficients = inner(best.x)
    place = np.empty(slopes.shape[2])
    place[free] = best.x
    place[_order(form, slopes)] = np.log(np.maximum(coefficients, 1e-300))
    return place, float(np.sqrt(squares / len(loss)))


def _order(form: SumForm, slopes: Any) -> list[int]:
    """The coordinate that is the coefficient of each term."""
    linear = form.linear()
    return [next(i for i in linear if (term[:, i] == 1.0).all()) for term in slopes]
