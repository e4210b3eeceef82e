"""`divisia`: the exact decomposition of a total that is a sum of products, by the logarithmic mean Divisia index."""

import math
from collections.abc import Mapping

from nvscale.errors import InvalidInput
from nvscale.formulas.decomposition import lmdi_factor, lmdi_weight

Segments = Mapping[str, Mapping[str, float]]


def divisia(before: Segments, after: Segments) -> dict[str, float]:
    r"""Take the change of a total of segments, each a product of the same causes, apart into factors that multiply to it.

    $$D_i = \exp \sum_j w_j \ln \frac{x_{ij}^1}{x_{ij}^0}, \qquad w_j = \frac{L(R_j^1, R_j^0)}{L(R^1, R^0)}$$

    Parameters
    ----------
    before : mapping of str to mapping of str to float
        Segment -> cause -> value; a segment is the product of its causes, the total the sum of segments.
    after : mapping of str to mapping of str to float
        The same afterwards.

    Returns
    -------
    dict of str to float
        Factor of every cause; their product is the total after over the total before.

    Raises
    ------
    InvalidInput
        Other segments or causes on one side, or a value that is not above 0.

    Assumptions: values above 0; a segment that appears or vanishes stands as a small positive value on the other side.
    Source: Ang, The LMDI approach to decomposition analysis: a practical guide, Energy Policy 33(7), 2005.

    Examples
    --------
    >>> chips = {"hopper": {"count": 100.0, "rate": 1.0}, "blackwell": {"count": 10.0, "rate": 2.5}}
    >>> more = {"hopper": {"count": 80.0, "rate": 1.2}, "blackwell": {"count": 90.0, "rate": 3.0}}
    >>> factors = divisia(chips, more)
    >>> round(factors["count"] * factors["rate"], 9), round((80 * 1.2 + 90 * 3) / 125, 9)
    (2.928, 2.928)
    """
    causes = _checked(before, after)
    sizes = [{name: math.prod(segment.values()) for name, segment in side.items()} for side in (before, after)]
    totals = [math.fsum(side.values()) for side in sizes]
    found = {}
    for cause in causes:
        parts = [
            math.log(lmdi_factor(before[name][cause], after[name][cause], lmdi_weight(sizes[0][name], sizes[1][name], *totals)))
            for name in before
        ]
        found[cause] = math.exp(math.fsum(parts))
    return found


def _checked(before: Segments, after: Segments) -> list[str]:
    if not before or set(before) != set(after):
        raise InvalidInput(f"divisia: both sides need the same segments; given {', '.join(before)} and {', '.join(after)}")
    causes = list(next(iter(before.values())))
    for side in (before, after):
        for name, segment in side.items():
            if set(segment) != set(causes):
                raise InvalidInput(f"divisia: {name} has the causes {', '.join(segment)}; wanted {', '.join(causes)}")
            low = [cause for cause, value in segment.items() if not (value > 0.0 and math.isfinite(value))]
            if low:
                raise InvalidInput(f"divisia: {low[0]} of {name} is {segment[low[0]]!r}; wanted above 0")
    return causes
