"""Shapley values on all mixtures of two states, exact or sampled, in log or linear scale."""

import math
from collections.abc import Callable, Sequence
from typing import Any

EXACT_UP_TO = 12
"""Most factors for which all 2^m mixtures are evaluated one by one."""
EXACT_AS_ARRAYS = 16
"""Most factors for which all 2^m mixtures are evaluated where the estimator takes arrays."""
SAMPLES = 200
"""Orders that are drawn beyond that, each with its reverse."""


def exact_shapley(values: Any) -> list[float]:
    r"""Return the Shapley value of every factor from the values of all mixtures.

    $$\phi_i = \sum_{S \not\ni i} \frac{|S|!\,(m - |S| - 1)!}{m!} \left( v(S \cup i) - v(S) \right)$$

    Parameters
    ----------
    values : array of shape (2,) * m
        v at every mixture; index 1 along an axis where that factor is after. Logarithms for the log scale.

    Returns
    -------
    list of float
        Their sum is v(all) - v(none).

    Source: Shapley, A value for n-person games, 1953.

    Examples
    --------
    >>> import numpy as np
    >>> exact_shapley(np.array([[0.0, 1.0], [2.0, 4.0]]))
    [2.5, 1.5]
    """
    import numpy as np

    table = np.asarray(values, dtype=float)
    m = table.ndim
    sizes = np.indices(table.shape).sum(axis=0) if m else np.zeros(())
    weights = [math.factorial(size) * math.factorial(m - size - 1) / math.factorial(m) for size in range(m)]
    found = []
    for axis in range(m):
        without, with_ = (np.take(table, side, axis=axis) for side in (0, 1))
        share = np.array(weights)[np.take(sizes, 0, axis=axis)]
        found.append(math.fsum((share * (with_ - without)).ravel()))
    return found


def sampled_shapley(
    value: Callable[[Sequence[int]], float], m: int, samples: int = SAMPLES, seed: int = 0
) -> tuple[list[float], list[float]]:
    """Return Shapley values from drawn orders and their reverses, and the standard error of each.

    Parameters
    ----------
    value : callable
        v of a mixture, given as one 0 or 1 a factor.
    m : int
        Factors.
    samples : int
        Pairs of orders.
    seed : int
        Of the random orders.

    Returns
    -------
    (list of float, list of float)
        Values, whose sum is v(all) - v(none) whatever the orders, and standard errors.

    Source: Castro, Gómez, Tejada, Polynomial calculation of the Shapley value based on sampling, 2009.
    """
    import numpy as np

    random = np.random.default_rng(seed)
    known: dict[tuple[int, ...], float] = {}

    def at(bits: tuple[int, ...]) -> float:
        if bits not in known:
            known[bits] = value(bits)
        return known[bits]

    drawn = np.zeros((samples, m))
    for number in range(samples):
        order = random.permutation(m)
        for way in (order, order[::-1]):
            bits = [0] * m
            before = at(tuple(bits))
            for factor in way:
                bits[factor] = 1
                after = at(tuple(bits))
                drawn[number, factor] += 0.5 * (after - before)
                before = after
    errors = drawn.std(axis=0, ddof=1) / math.sqrt(samples) if samples > 1 else np.full(m, math.nan)
    return [math.fsum(drawn[:, i]) / samples for i in range(m)], errors.tolist()
