"""Decomposition of a gain into factors: shares of the logarithm, and the logarithmic mean Divisia index (LMDI-I)."""

from nvscale.ops import log, minimum, where
from nvscale.unit_types import Exponent, Ratio

__all__ = [
    "lmdi_contribution",
    "lmdi_factor",
    "lmdi_weight",
    "log_mean",
    "log_share",
]


def log_share(factor: Ratio, total: Ratio) -> Exponent:
    r"""Share of one factor in a product, on the logarithmic scale.

    $$\sigma_i = \frac{\ln f_i}{\ln \prod_j f_j}$$

    Parameters
    ----------
    factor : 1, broadcast
        One factor, above 0.
    total : 1, broadcast
        Product of all factors, not 1.

    Returns
    -------
    1, broadcast
        Share; all shares sum to 1, a factor that works against the total has a negative one.

    Assumptions
    -----------
    The total is a pure product; for anything with a maximum or an overlap use the Shapley value of its logarithm.

    References
    ----------
    Derivation: LMDI-I of a single product, equal to its Shapley value on the logarithmic scale.

    Examples
    --------
    A factor of 16 in a gain of 1000.

    >>> round(log_share(16.0, 1000.0), 6)
    0.401373
    """
    return log(factor) / log(total)


def log_mean(a: Ratio, b: Ratio) -> Ratio:
    r"""Logarithmic mean of two values.

    $$L(a, b) = \frac{a - b}{\ln a - \ln b}, \qquad L(a, a) = a, \qquad L(a, 0) = 0$$

    Parameters
    ----------
    a : 1, broadcast
        One value, in any unit.
    b : 1, broadcast
        The other value, in the same unit.

    Returns
    -------
    1, broadcast
        Mean, between the geometric and the arithmetic mean.

    Assumptions
    -----------
    Values are not negative. Where they differ by less than 1 in 1000 a series stands in, since the quotient loses digits.

    References
    ----------
    B. W. Ang, "The LMDI approach to decomposition analysis: a practical guide", Energy Policy 33(7), 2005 (weight function);
    limit at zero: Wood, Lenzen, Energy Policy 34(12), 2006.
    Derivation of the series: with d = (a - b)/(a + b), ln(a/b) = 2 (d + d³/3 + d⁵/5 + ...).

    Examples
    --------
    >>> log_mean(3.0, 3.0), round(log_mean(1.0, 2.718281828459045), 9), log_mean(5.0, 0.0)
    (3.0, 1.718281828, 0.0)
    """
    positive = minimum(a, b) > 0.0
    ratio = where(positive, a / where(positive, b, 1.0), 1.0)
    skew = (ratio - 1.0) / (ratio + 1.0)
    near = skew**2 < 2.5e-7
    series = (ratio + 1.0) / (2.0 * (1.0 + skew**2 / 3.0 + skew**4 / 5.0))
    apart = where(near, 2.0, ratio)
    return where(positive, b * where(near, series, (apart - 1.0) / log(apart)), 0.0)


def lmdi_weight(segment_before: Ratio, segment_after: Ratio, total_before: Ratio, total_after: Ratio) -> Ratio:
    r"""Weight of one segment in the decomposition of a total made of segments.

    $$w_j = \frac{L(R_j^1, R_j^0)}{L(R^1, R^0)}$$

    Parameters
    ----------
    segment_before : 1, broadcast
        Value of the segment before, in any unit.
    segment_after : 1, broadcast
        Value of the segment after; zero before or after gives weight zero.
    total_before : 1, broadcast
        Sum of all segments before, above 0.
    total_after : 1, broadcast
        Sum of all segments after, above 0.

    Returns
    -------
    1, broadcast
        Weight; one segment alone has weight 1, several sum to at most 1.

    Assumptions
    -----------
    Each segment is a product of the same factors.

    References
    ----------
    B. W. Ang, Energy Policy 33(7), 2005 (LMDI-I, multiplicative).

    Examples
    --------
    >>> lmdi_weight(2.0, 8.0, 2.0, 8.0)
    1.0
    """
    return log_mean(segment_after, segment_before) / log_mean(total_after, total_before)


def lmdi_factor(before: Ratio, after: Ratio, weight: Ratio) -> Ratio:
    r"""Factor by which one cause in one segment changed the total.

    $$D_{ij} = \exp\left(w_j \ln \frac{x_{ij}^1}{x_{ij}^0}\right)$$

    Parameters
    ----------
    before : 1, broadcast
        Value of the cause before, in any unit, above 0.
    after : 1, broadcast
        Value of the cause after, in the same unit.
    weight : 1, broadcast
        Weight of the segment (`lmdi_weight`); 1 for a single product.

    Returns
    -------
    1, broadcast
        Factor; over all causes and segments they multiply to the ratio of the totals.

    Assumptions
    -----------
    Each segment is a product of its causes.

    References
    ----------
    B. W. Ang, Energy Policy 33(7), 2005 (LMDI-I, multiplicative).

    Examples
    --------
    A cause that quadrupled in a segment of weight one half doubled the total.

    >>> lmdi_factor(1.0, 4.0, 0.5)
    2.0
    """
    return (after / before) ** weight


def lmdi_contribution(before: Ratio, after: Ratio, segment_before: Ratio, segment_after: Ratio) -> Exponent:
    r"""Amount by which one cause in one segment changed the total.

    $$\Delta_{ij} = L(R_j^1, R_j^0) \ln \frac{x_{ij}^1}{x_{ij}^0}$$

    Parameters
    ----------
    before : 1, broadcast
        Value of the cause before, in any unit, above 0.
    after : 1, broadcast
        Value of the cause after, in the same unit.
    segment_before : 1, broadcast
        Value of the segment before, in any unit.
    segment_after : 1, broadcast
        Value of the segment after.

    Returns
    -------
    1, broadcast
        Amount in the unit of the segment; over all causes and segments they sum to the change of the total.

    Assumptions
    -----------
    Each segment is a product of its causes.

    References
    ----------
    B. W. Ang, Energy Policy 33(7), 2005 (LMDI-I, additive).

    Examples
    --------
    When one cause changes alone it explains the whole change.

    >>> round(lmdi_contribution(1.0, 4.0, 2.0, 8.0), 9)
    6.0
    """
    return log_mean(segment_after, segment_before) * log(after / before)
