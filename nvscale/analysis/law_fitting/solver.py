r"""Newton's method for the Huber loss of log residuals, for many starts, or many resamples of the points, at once.

With terms $e^{u_k}$, $u_k = \phi_k \cdot \theta$, the model is $p = \ln \sum_k e^{u_k}$, and with the shares
$s_k = e^{u_k - p}$ gradient and Hessian of the objective are exact and cheap. The coordinates are whitened first, which
takes away the near-collinearity of coefficients and exponents.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

LONGEST_STEP = 4.0
"""Of the whitened coordinates: root mean square change of the logarithm of a term."""
EASING = (30.0, 10.0, 3.0)
"""From far away the Huber loss is made wide first, then narrow: fewer starts end in a wrong valley."""
ROUGH, FINE = 1e-9, 1e-13
"""Relative gain below which a descent ends: while the loss is wide, and at the end."""
MOST = 300
BLOCK = 250_000
"""Multiplications of one block of starts: small enough for the cache, and for one thread."""


@dataclass(frozen=True)
class Problem:
    """Points, form and loss of a fit.

    Parameters
    ----------
    slopes : array
        Terms x points x coordinates.
    target : array
        Logarithm of the measured loss.
    delta : float
        Residual up to which the Huber loss is quadratic; infinite for least squares.
    """

    slopes: Any
    target: Any
    delta: float

    @cached_property
    def whitening(self) -> Any:
        """Matrix from whitened coordinates to the coordinates of the form."""
        stacked = self.slopes.reshape(-1, self.slopes.shape[-1])
        triangle = np.linalg.qr(stacked, mode="r")
        return np.linalg.inv(triangle) * np.sqrt(len(stacked))

    @cached_property
    def white(self) -> Any:
        """Slopes in whitened coordinates."""
        return self.slopes @ self.whitening

    @cached_property
    def products(self) -> Any:
        """For every pair of terms, the outer products of their slopes: pairs x points x coordinates squared."""
        terms, points, size = self.white.shape
        pairs = [(k, m) for k in range(terms) for m in range(k, terms)]
        outer = [np.einsum("ni,nj->nij", self.white[k], self.white[m]) for k, m in pairs]
        both = [one + one.transpose(0, 2, 1) if k != m else one for one, (k, m) in zip(outer, pairs, strict=True)]
        return pairs, [one.reshape(points, size * size) for one in both]

    def whitened(self, places: Any) -> Any:
        """Return places of the form in whitened coordinates."""
        return np.linalg.solve(self.whitening, np.atleast_2d(np.asarray(places, dtype=float)).T).T

    def shares(self, white: Any) -> tuple[Any, list[Any]]:
        """Return residuals, and the share of each term in the loss, at whitened places."""
        logs = [white @ slope.T for slope in self.white]
        highest = np.maximum.reduce(logs)
        parts = [np.exp(one - highest) for one in logs]
        total = sum(parts[1:], parts[0])
        return highest + np.log(total) - self.target, [part / total for part in parts]

    def objective(self, white: Any, weights: Any, delta: float) -> Any:
        """Return the weighted Huber loss."""
        residual, _ = self.shares(white)
        bent = np.clip(residual, -delta, delta)
        return (weights * bent * (residual - 0.5 * bent)).sum(axis=-1)

    def derivatives(self, white: Any, weights: Any, delta: float) -> tuple[Any, Any, Any]:
        """Return objective, gradient and Hessian in whitened coordinates, one per place."""
        residual, shares = self.shares(white)
        bent = np.clip(residual, -delta, delta)
        pull = weights * bent
        stiff = weights * (np.abs(residual) <= delta) - pull
        pulls = [pull * share for share in shares]
        gradient = sum((one @ slope for one, slope in zip(pulls, self.white, strict=True)), 0.0)
        pairs, outer = self.products
        curved = 0.0
        for (k, m), product in zip(pairs, outer, strict=True):
            weight = stiff * shares[k] * shares[m]
            curved = curved + (weight + pulls[k] if k == m else weight) @ product
        size = white.shape[-1]
        return (pull * (residual - 0.5 * bent)).sum(axis=-1), gradient, np.reshape(curved, (-1, size, size))


@dataclass(frozen=True)
class Minima:
    """Where many minimisations ended.

    Parameters
    ----------
    places : array
        Coordinates of the form, one row each.
    objectives : array
        Value of the objective.
    steps : array
        Newton steps taken, refused ones too.
    """

    places: Any
    objectives: Any
    steps: Any

    @property
    def best(self) -> int:
        """The one with the lowest objective."""
        return int(np.argmin(self.objectives))


def minimise(problem: Problem, starts: Any, weights: Any = None, *, eased: bool = False, workers: int = 1) -> Minima:
    """Return the minimum that each start runs into.

    Parameters
    ----------
    problem : Problem
        What to minimise.
    starts : array
        One place a row.
    weights : array, optional
        Weights of the points: one row for all, or one a start.
    eased : bool
        Widen the Huber loss first; for starts from far away.
    workers : int
        Threads that share the starts.
    """
    white = problem.whitened(starts)
    weights = np.ones((1, len(problem.target))) if weights is None else np.atleast_2d(weights)
    block = max(8, BLOCK // (problem.white.shape[1] * problem.white.shape[2] ** 2))
    cuts = [slice(i, i + block) for i in range(0, len(white), block)]
    pieces = [(problem, white[cut], weights[cut] if len(weights) > 1 else weights, eased) for cut in cuts]
    if workers > 1 and len(pieces) > 1:
        problem.products  # noqa: B018 - made once, before the threads share it
        with ThreadPoolExecutor(workers) as pool:
            done = list(pool.map(_eased_descent, *zip(*pieces, strict=True)))
    else:
        done = [_eased_descent(*piece) for piece in pieces]
    places, values, steps = (np.concatenate(part) for part in zip(*done, strict=True))
    return Minima(places @ problem.whitening.T, values, steps)


def _eased_descent(problem: Problem, white: Any, weights: Any, eased: bool) -> tuple[Any, Any, Any]:
    """Descend with the Huber loss made wide first, if asked."""
    steps = np.zeros(len(white), dtype=int)
    if eased and np.isfinite(problem.delta):
        for width in EASING:
            white, _, taken = _descend(problem, white, weights, width * problem.delta, ROUGH)
            steps += taken
    white, values, taken = _descend(problem, white, weights, problem.delta, FINE)
    return white, values, steps + taken


def _descend(problem: Problem, white: Any, weights: Any, delta: float, precision: float) -> tuple[Any, Any, Any]:
    """Damped Newton steps: the curvature is made positive, and the damping grows until the objective falls."""
    white = white.copy()
    value, gradient, curvature = problem.derivatives(white, weights, delta)
    found, taken = value.copy(), np.zeros(len(white), dtype=int)
    damping, active = np.full(len(white), 1e-3), np.arange(len(white))
    for _ in range(MOST):
        step, gain = _step(gradient, curvature, damping)
        trial = white[active] + step
        new = problem.derivatives(trial, weights[active] if len(weights) > 1 else weights, delta)
        better = new[0] < value
        white[active[better]] = trial[better]
        taken[active] += 1
        damping = np.where(better, 0.2 * damping, 6.0 * np.maximum(damping, 1e-8))
        value = np.where(better, new[0], value)
        gradient = np.where(better[:, None], new[1], gradient)
        curvature = np.where(better[:, None, None], new[2], curvature)
        found[active] = value
        left = (gain > precision * np.abs(value)) & (damping < 1e8)
        active, damping, value = active[left], damping[left], value[left]
        gradient, curvature = gradient[left], curvature[left]
        if not active.size:
            break
    return white, found, taken


def _step(gradient: Any, curvature: Any, damping: Any) -> tuple[Any, Any]:
    """A damped Newton step of bounded length, and the fall of the objective that its slope promises."""
    bends, axes = np.linalg.eigh(curvature)
    steepest = np.abs(bends).max(axis=-1, keepdims=True) + 1e-300
    bends = np.maximum(np.abs(bends), 1e-9 * steepest) + damping[:, None] * steepest
    along = np.einsum("kij,ki->kj", axes, gradient)
    step = -np.einsum("kij,kj->ki", axes, along / bends)
    length = np.sqrt((step**2).mean(axis=-1, keepdims=True))
    step = step * np.minimum(1.0, LONGEST_STEP / np.maximum(length, 1e-300))
    return step, -(gradient * step).sum(axis=-1)
