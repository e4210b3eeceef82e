"""Learning curves: Wright's law of cost against cumulative output, and its equality with Moore's law."""

from nvscale.ops import log
from nvscale.unit_types import USD, Exponent, Ratio, Share

__all__ = [
    "cost_change_from_output_growth",
    "cumulative_output_for_cost_factor",
    "doublings_for_cost_factor",
    "learning_exponent",
    "learning_exponent_from_growth",
    "learning_rate",
    "unit_cost",
]


def unit_cost(first_cost: USD, cumulative_output: Ratio, exponent: Exponent) -> USD:
    r"""Cost of the next unit after a cumulative output (Wright's law).

    $$c(x) = c_1\,x^{-b}$$

    Parameters
    ----------
    first_cost : USD, broadcast
        Cost per unit at output 1.
    cumulative_output : 1, broadcast
        Cumulative output over the output at which the first cost held.
    exponent : 1, broadcast
        Learning exponent b.

    Returns
    -------
    USD, broadcast
        Cost per unit.

    Assumptions
    -----------
    One exponent over the whole range; inflation is taken out.

    References
    ----------
    T. P. Wright, "Factors affecting the cost of airplanes", Journal of the Aeronautical Sciences 3(4), 1936;
    form as in Nagy, Farmer, Bui, Trancik, PLoS ONE 8(2) e52669, 2013.

    Examples
    --------
    With b = 1 ten times the output costs a tenth per unit.

    >>> unit_cost(100.0, 10.0, 1.0)
    10.0
    """
    return first_cost * cumulative_output**-exponent


def learning_rate(exponent: Exponent) -> Ratio:
    r"""Share of cost saved by each doubling of cumulative output.

    $$\lambda = 1 - 2^{-b}$$

    Parameters
    ----------
    exponent : 1, broadcast
        Learning exponent b.

    Returns
    -------
    1, broadcast
        Learning rate; 1 minus the progress ratio.

    Assumptions
    -----------
    Wright's law.

    References
    ----------
    Definition, from Wright's law at x and 2x.

    Examples
    --------
    >>> learning_rate(1.0)
    0.5
    """
    return 1.0 - 2.0**-exponent


def learning_exponent(saving: Share) -> Ratio:
    r"""Learning exponent of a learning rate.

    $$b = -\frac{\ln (1 - \lambda)}{\ln 2}$$

    Parameters
    ----------
    saving : 1, broadcast
        Learning rate λ: share of cost saved by each doubling, below 1.

    Returns
    -------
    1, broadcast
        Exponent b.

    Assumptions
    -----------
    Wright's law.

    References
    ----------
    Derivation: inverse of `learning_rate`.

    Examples
    --------
    An "80 percent curve" saves 20 % with each doubling.

    >>> round(learning_exponent(0.2), 6)
    0.321928
    """
    return -log(1.0 - saving) / log(2.0)


def doublings_for_cost_factor(cost_factor: Ratio, saving: Share) -> Ratio:
    r"""Doublings of cumulative output until cost has fallen by a factor.

    $$n = \frac{\ln f}{-\ln (1 - \lambda)}$$

    Parameters
    ----------
    cost_factor : 1, broadcast
        Old cost over new cost, at least 1.
    saving : 1, broadcast
        Learning rate λ: share of cost saved by each doubling, above 0 and below 1.

    Returns
    -------
    1, broadcast
        Doublings.

    Assumptions
    -----------
    Wright's law.

    References
    ----------
    Derivation: (1 - λ)^-n = f.

    Examples
    --------
    240 times cheaper at 20 % a doubling takes 24.6 doublings: output times 25 million.

    >>> round(doublings_for_cost_factor(240.0, 0.2), 2)
    24.56
    """
    return log(cost_factor) / -log(1.0 - saving)


def cumulative_output_for_cost_factor(cost_factor: Ratio, exponent: Exponent) -> Ratio:
    r"""Factor of cumulative output after which cost has fallen by a factor.

    $$x = f^{1/b}$$

    Parameters
    ----------
    cost_factor : 1, broadcast
        Old cost over new cost, at least 1.
    exponent : 1, broadcast
        Learning exponent b, above 0.

    Returns
    -------
    1, broadcast
        New over old cumulative output.

    Assumptions
    -----------
    Wright's law.

    References
    ----------
    Derivation: x^-b = 1/f.

    Examples
    --------
    >>> cumulative_output_for_cost_factor(10.0, 0.5)
    100.0
    """
    return cost_factor ** (1.0 / exponent)


def cost_change_from_output_growth(output_growth: Ratio, exponent: Exponent) -> Ratio:
    r"""Factor of cost per period when cumulative output grows by a factor per period.

    $$g_c = g_x^{-b}$$

    Parameters
    ----------
    output_growth : 1, broadcast
        Growth factor of cumulative output per period.
    exponent : 1, broadcast
        Learning exponent b.

    Returns
    -------
    1, broadcast
        Factor of cost per period: Wright's law turned into Moore's.

    Assumptions
    -----------
    Cumulative output grows exponentially.

    References
    ----------
    D. Sahal, "A theory of progress functions", AIIE Transactions 11(1), 1979; Nagy, Farmer, Bui, Trancik, PLoS ONE 8(2) e52669, 2013.
    Derivation: insert x = g_x^n into Wright's law.

    Examples
    --------
    Output that quadruples each year halves cost each year at b = 0.5.

    >>> cost_change_from_output_growth(4.0, 0.5)
    0.5
    """
    return output_growth**-exponent


def learning_exponent_from_growth(cost_change: Ratio, output_growth: Ratio) -> Exponent:
    r"""Learning exponent that explains a change of cost by a growth of cumulative output.

    $$b = -\frac{\ln g_c}{\ln g_x}$$

    Parameters
    ----------
    cost_change : 1, broadcast
        Factor of cost per period, above 0.
    output_growth : 1, broadcast
        Growth factor of cumulative output per period, not 1.

    Returns
    -------
    1, broadcast
        Exponent b.

    Assumptions
    -----------
    Both change exponentially; nothing but experience changes the cost.

    References
    ----------
    Derivation: inverse of `cost_change_from_output_growth`.

    Examples
    --------
    >>> learning_exponent_from_growth(0.5, 4.0)
    0.5
    """
    return -log(cost_change) / log(output_growth)
