"""Growth: factors per period, doubling and halving, compounding, saturation, and demand when prices fall."""

from nvscale.ops import exp, log, minimum
from nvscale.unit_types import Exponent, PerSecond, Ratio, Seconds

__all__ = [
    "compounded_value",
    "demand_elasticity",
    "demand_ratio",
    "doubling_growth",
    "doubling_time",
    "doublings",
    "growth_factor",
    "halving_time",
    "logistic_value",
    "spend_ratio",
    "time_to_factor",
]


def growth_factor(before: Ratio, after: Ratio, periods: Ratio) -> Ratio:
    r"""Factor per period that turns one value into another.

    $$g = \left(\frac{x_1}{x_0}\right)^{1/n}$$

    Parameters
    ----------
    before : 1, broadcast
        Value at the start, in any unit.
    after : 1, broadcast
        Value at the end, in the same unit.
    periods : 1, broadcast
        Number of periods between them, for instance years.

    Returns
    -------
    1, broadcast
        Growth factor per period; below 1 for a decline.

    Assumptions
    -----------
    Only the end points count; the path between them does not.

    References
    ----------
    Definition of the compound growth rate (plus 1).

    Examples
    --------
    A thousandfold in ten years is twofold each year.

    >>> round(growth_factor(1.0, 1000.0, 10.0), 3)
    1.995
    """
    return (after / before) ** (1.0 / periods)


def compounded_value(start: Ratio, factor: Ratio, periods: Ratio) -> Ratio:
    r"""Value after growing by a factor in each period.

    $$x(n) = x_0\,g^n$$

    Parameters
    ----------
    start : 1, broadcast
        Value at the start, in any unit.
    factor : 1, broadcast
        Growth factor per period.
    periods : 1, broadcast
        Number of periods.

    Returns
    -------
    1, broadcast
        Value at the end, in the unit of the start.

    Assumptions
    -----------
    Constant factor.

    References
    ----------
    Definition of compound growth.

    Examples
    --------
    >>> compounded_value(1.0, 3.0, 10.0)
    59049.0
    """
    return start * factor**periods


def doublings(factor: Ratio) -> Exponent:
    r"""Number of doublings in a factor.

    $$n = \log_2 f$$

    Parameters
    ----------
    factor : 1, broadcast
        Factor, above 0.

    Returns
    -------
    1, broadcast
        Doublings; negative for a factor below 1.

    Assumptions
    -----------
    None.

    References
    ----------
    Definition.

    Examples
    --------
    >>> doublings(1024.0)
    10.0
    """
    return log(factor) / log(2.0)


def doubling_time(factor: Ratio, period: Seconds) -> Seconds:
    r"""Time in which a growing value doubles.

    $$\tau = T\,\frac{\ln 2}{\ln g}$$

    Parameters
    ----------
    factor : 1, broadcast
        Growth factor per period, above 1.
    period : s, broadcast
        Length of the period.

    Returns
    -------
    s, broadcast
        Doubling time.

    Assumptions
    -----------
    Constant factor.

    References
    ----------
    Derivation: g^(τ/T) = 2.

    Examples
    --------
    >>> doubling_time(4.0, 365.25 * 86400.0) / 86400.0
    182.625
    """
    return period * (log(2.0) / log(factor))


def halving_time(factor: Ratio, period: Seconds) -> Seconds:
    r"""Time in which a falling value halves.

    $$\tau = -T\,\frac{\ln 2}{\ln g}$$

    Parameters
    ----------
    factor : 1, broadcast
        Factor per period, above 0 and below 1.
    period : s, broadcast
        Length of the period.

    Returns
    -------
    s, broadcast
        Halving time.

    Assumptions
    -----------
    Constant factor.

    References
    ----------
    Derivation: g^(τ/T) = 1/2.

    Examples
    --------
    A price that falls tenfold a year halves every 110 days.

    >>> round(halving_time(0.1, 365.25 * 86400.0) / 86400.0)
    110
    """
    return -period * (log(2.0) / log(factor))


def time_to_factor(target: Ratio, factor: Ratio, period: Seconds) -> Seconds:
    r"""Time to reach a total factor at a growth factor per period.

    $$t = T\,\frac{\ln f}{\ln g}$$

    Parameters
    ----------
    target : 1, broadcast
        Total factor to reach.
    factor : 1, broadcast
        Growth factor per period, not 1.
    period : s, broadcast
        Length of the period.

    Returns
    -------
    s, broadcast
        Time; negative if the growth leads away from the target.

    Assumptions
    -----------
    Constant factor.

    References
    ----------
    Derivation: g^(t/T) = f.

    Examples
    --------
    At fourfold a year a factor of 1024 takes five years.

    >>> time_to_factor(1024.0, 4.0, 1.0)
    5.0
    """
    return period * (log(target) / log(factor))


def doubling_growth(time: Seconds, doubling: Seconds) -> Ratio:
    r"""Growth over a time at a given doubling time: Moore's law, Koomey's law.

    $$g(t) = 2^{t/\tau}$$

    Parameters
    ----------
    time : s, broadcast
        Time passed.
    doubling : s, broadcast
        Doubling time; two years for Moore's law of 1975.

    Returns
    -------
    1, broadcast
        Factor over the time.

    Assumptions
    -----------
    Constant doubling time; published values change with the edition of the data.

    References
    ----------
    G. E. Moore, "Progress in digital integrated electronics", IEDM 1975 (transistors on a chip);
    Koomey, Berard, Sanchez, Wong, IEEE Annals of the History of Computing 33(3), 2011 (computations per energy, 1.57 years).

    Examples
    --------
    Doubling every two years makes 32 in ten.

    >>> doubling_growth(10.0, 2.0)
    32.0
    """
    return 2.0 ** (time / doubling)


def logistic_value(time: Seconds, ceiling: Ratio, growth_rate: PerSecond, midpoint: Seconds) -> Ratio:
    r"""Value on an S-curve: exponential growth that saturates.

    $$x(t) = \frac{K}{1 + e^{-k (t - t_0)}}$$

    Parameters
    ----------
    time : s, broadcast
        Time.
    ceiling : 1, broadcast
        Value K that is approached, in any unit.
    growth_rate : 1/s, broadcast
        Continuous growth rate k of the early stage.
    midpoint : s, broadcast
        Time at which half of the ceiling is reached.

    Returns
    -------
    1, broadcast
        Value, in the unit of the ceiling.

    Assumptions
    -----------
    Growth is proportional to what has been reached and to what remains. More than 700 time constants before the
    midpoint the value stays at e^-700 of the ceiling.

    References
    ----------
    P.-F. Verhulst, 1838. Derivation: solution of x' = k x (1 - x/K).

    Examples
    --------
    >>> logistic_value(5.0, 100.0, 1.0, 5.0)
    50.0
    """
    return ceiling / (1.0 + exp(minimum(growth_rate * (midpoint - time), 700.0)))


def demand_ratio(price_ratio: Ratio, elasticity: Exponent) -> Ratio:
    r"""How demand changes with price at constant elasticity.

    $$\frac{q_1}{q_0} = \left(\frac{p_1}{p_0}\right)^{-\varepsilon}$$

    Parameters
    ----------
    price_ratio : 1, broadcast
        New price over old price, above 0.
    elasticity : 1, broadcast
        Price elasticity of demand, counted positive.

    Returns
    -------
    1, broadcast
        New demand over old demand.

    Assumptions
    -----------
    The elasticity is constant over the whole change; income and quality stay.

    References
    ----------
    Definition of constant elasticity.

    Examples
    --------
    At elasticity 1.5 a price cut to a quarter raises demand eightfold.

    >>> demand_ratio(0.25, 1.5)
    8.0
    """
    return price_ratio**-elasticity


def spend_ratio(price_ratio: Ratio, elasticity: Exponent) -> Ratio:
    r"""How total spending changes with price at constant elasticity.

    $$\frac{p_1 q_1}{p_0 q_0} = \left(\frac{p_1}{p_0}\right)^{1 - \varepsilon}$$

    Parameters
    ----------
    price_ratio : 1, broadcast
        New price over old price, above 0.
    elasticity : 1, broadcast
        Price elasticity of demand, counted positive.

    Returns
    -------
    1, broadcast
        New spending over old spending; above 1 after a price cut when the elasticity exceeds 1 (Jevons).

    Assumptions
    -----------
    The elasticity is constant over the whole change.

    References
    ----------
    Derivation: price ratio times `demand_ratio`. W. S. Jevons, The Coal Question, 1865, chapter VII (the case above 1).

    Examples
    --------
    At elasticity 1.5 a price cut to a quarter doubles the bill.

    >>> spend_ratio(0.25, 1.5)
    2.0
    """
    return price_ratio ** (1.0 - elasticity)


def demand_elasticity(price_ratio: Ratio, spending_ratio: Ratio) -> Exponent:
    r"""Elasticity of demand that explains a change of price and of spending.

    $$\varepsilon = 1 - \frac{\ln s}{\ln p}$$

    Parameters
    ----------
    price_ratio : 1, broadcast
        New price over old price, above 0 and not 1.
    spending_ratio : 1, broadcast
        New spending over old spending, above 0.

    Returns
    -------
    1, broadcast
        Price elasticity of demand, counted positive.

    Assumptions
    -----------
    Nothing but the price changed.

    References
    ----------
    Derivation: inverse of `spend_ratio`.

    Examples
    --------
    A price of a thousandth with spending of 4.2 times.

    >>> round(demand_elasticity(0.001, 4.2), 5)
    1.20775
    """
    return 1.0 - log(spending_ratio) / log(price_ratio)
