"""One-dimensional searches over amounts that span many powers of ten."""

import math
from collections.abc import Callable

GRID = 120
HALVINGS = 120
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def lowest(cost: Callable[[float], float], low: float, high: float) -> float:
    """Return the amount of lowest cost: a grid over the logarithm, then golden sections around the best of it.

    >>> round(lowest(lambda x: x + 4.0 / x, 1e-6, 1e6), 6)
    2.0
    """
    places = [math.log(low) + (math.log(high) - math.log(low)) * i / (GRID - 1) for i in range(GRID)]
    best = min(range(GRID), key=lambda i: cost(math.exp(places[i])))
    left, right = places[max(best - 1, 0)], places[min(best + 1, GRID - 1)]
    for _ in range(HALVINGS):
        inner, outer = right - GOLDEN * (right - left), left + GOLDEN * (right - left)
        if cost(math.exp(inner)) <= cost(math.exp(outer)):
            right = outer
        else:
            left = inner
    return math.exp(0.5 * (left + right))


def least_amount(loss: Callable[[float], float], wanted: float, low: float, high: float) -> float:
    """Return the least amount with which a falling loss comes down to the wanted one; infinite where none does.

    >>> round(least_amount(lambda x: 1.0 / x, 0.25, 1e-3, 1e3), 6)
    4.0
    """
    if loss(high) > wanted:
        return math.inf
    left, right = math.log(low), math.log(high)
    for _ in range(HALVINGS):
        middle = 0.5 * (left + right)
        left, right = (middle, right) if loss(math.exp(middle)) > wanted else (left, middle)
    return math.exp(right)
