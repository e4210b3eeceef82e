"""Money over time: present value, depreciation, total cost of ownership, economic life.

Interest is per period and periods are a pure number: yearly rates with years, monthly rates with months.
"""

from nvscale.formulas.cost import capital_recovery_factor
from nvscale.ops import log, minimum
from nvscale.unit_types import USD, Exponent, Ratio, Share, USDPerSecond

__all__ = [
    "declining_earnings",
    "declining_value",
    "discounted_value",
    "economic_life",
    "interest_per_part_period",
    "present_value_of_payments",
    "straight_line_depreciation",
    "straight_line_value",
    "total_cost_of_ownership",
]


def present_value_of_payments(payment: USD, interest_rate: Ratio, periods: Ratio) -> USD:
    r"""Present value of equal payments at the end of each period.

    $$V = \frac{A}{\mathrm{CRF}(r, n)}$$

    Parameters
    ----------
    payment : USD, broadcast
        Payment A per period.
    interest_rate : 1, broadcast
        Discount rate per period.
    periods : 1, broadcast
        Number of payments.

    Returns
    -------
    USD, broadcast
        Value today.

    Assumptions
    -----------
    Constant rate and payment; the first payment falls due after one period.

    References
    ----------
    Derivation: inverse of `cost.capital_recovery_factor`.

    Examples
    --------
    >>> round(present_value_of_payments(163.0, 0.10, 10.0))
    1002
    """
    return payment / capital_recovery_factor(interest_rate, periods)


def discounted_value(amount: USD, interest_rate: Ratio, periods: Ratio) -> USD:
    r"""Present value of one amount due after a number of periods.

    $$V = A (1 + r)^{-n}$$

    Parameters
    ----------
    amount : USD, broadcast
        Amount due later.
    interest_rate : 1, broadcast
        Discount rate per period.
    periods : 1, broadcast
        Periods until then.

    Returns
    -------
    USD, broadcast
        Value today.

    Assumptions
    -----------
    Constant rate.

    References
    ----------
    Definition of compound interest.

    Examples
    --------
    >>> discounted_value(121.0, 0.10, 2.0)
    100.0
    """
    return amount * (1.0 + interest_rate) ** -periods


def interest_per_part_period(interest_rate: Ratio, parts: Ratio) -> Ratio:
    r"""Interest per part of a period that compounds to a given interest per period.

    $$r_m = (1 + r)^{1/m} - 1$$

    Parameters
    ----------
    interest_rate : 1, broadcast
        Effective interest per period, for instance a year.
    parts : 1, broadcast
        Parts m of a period, for instance 12 months.

    Returns
    -------
    1, broadcast
        Interest per part.

    Assumptions
    -----------
    Effective, not nominal, interest.

    References
    ----------
    Derivation: (1 + r_m)^m = 1 + r.

    Examples
    --------
    10 % a year are 0.797 % a month.

    >>> round(100 * interest_per_part_period(0.10, 12.0), 3)
    0.797
    """
    return (1.0 + interest_rate) ** (1.0 / parts) - 1.0


def straight_line_depreciation(price: USD, periods: Ratio, residual_share: Share = 0.0) -> USD:
    r"""Depreciation per period when a value falls along a straight line.

    $$d = \frac{C (1 - \sigma)}{n}$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price.
    periods : 1, broadcast
        Life in periods.
    residual_share : 1, broadcast
        Share of the price left at the end of life.

    Returns
    -------
    USD, broadcast
        Depreciation per period.

    Assumptions
    -----------
    Equal use in all periods; no interest.

    References
    ----------
    Definition of straight-line depreciation.

    Examples
    --------
    >>> straight_line_depreciation(10500.0, 5.0, 500 / 10500)
    2000.0
    """
    return price * (1.0 - residual_share) / periods


def straight_line_value(price: USD, age: Ratio, periods: Ratio, residual_share: Share = 0.0) -> USD:
    r"""Book value at an age under straight-line depreciation.

    $$V(a) = C \left(1 - (1 - \sigma) \min\left(\frac{a}{n}, 1\right)\right)$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price.
    age : 1, broadcast
        Age in periods.
    periods : 1, broadcast
        Life in periods.
    residual_share : 1, broadcast
        Share of the price left at the end of life.

    Returns
    -------
    USD, broadcast
        Book value; the residual value from the end of life on.

    Assumptions
    -----------
    No interest, no change of life on the way.

    References
    ----------
    Definition of straight-line depreciation.

    Examples
    --------
    >>> straight_line_value(10500.0, 2.0, 5.0, 500 / 10500)
    6500.0
    """
    return price * (1.0 - (1.0 - residual_share) * minimum(age / periods, 1.0))


def declining_earnings(earnings: USD, earnings_decline: Share, start: Ratio, end: Ratio) -> USD:
    r"""Earnings between two ages of a machine whose output loses value at a constant rate.

    $$V = e \int_{s}^{t} (1 - d)^x \,dx = e\,\frac{(1 - d)^s - (1 - d)^t}{-\ln (1 - d)}$$

    Parameters
    ----------
    earnings : USD, broadcast
        Earnings e per period of a new machine that is always busy.
    earnings_decline : 1, broadcast
        Share d by which the price of the output falls in each period, above 0 and below 1.
    start : 1, broadcast
        Age s at the start, in periods.
    end : 1, broadcast
        Age t at the end, in periods.

    Returns
    -------
    USD, broadcast
        Earnings.

    Assumptions
    -----------
    Newer machines set the price of the output; the output itself stays. Not discounted.

    References
    ----------
    Derivation: the integral of (1 - d)^x.

    Examples
    --------
    Of an endless life at a decline of 27 % a year, the first two years earn about half.

    >>> round(declining_earnings(1.0, 0.27, 0.0, 2.0) / declining_earnings(1.0, 0.27, 0.0, 100.0), 2)
    0.47
    """
    kept = 1.0 - earnings_decline
    return earnings * (kept**start - kept**end) / -log(kept)


def declining_value(price: USD, decline: Share, periods: Ratio) -> USD:
    r"""Value after a constant relative loss in each period.

    $$V(n) = C (1 - d)^{n}$$

    Parameters
    ----------
    price : USD, broadcast
        Value at the start.
    decline : 1, broadcast
        Share of the value lost in each period.
    periods : 1, broadcast
        Number of periods.

    Returns
    -------
    USD, broadcast
        Value at the end.

    Assumptions
    -----------
    Declining-balance method without a switch to a straight line.

    References
    ----------
    Definition of declining-balance depreciation.

    Examples
    --------
    Two thirds of the price of a chip are gone after two years of 42.3 % each.

    >>> round(declining_value(30e3, 0.423, 2.0))
    9988
    """
    return price * (1.0 - decline) ** periods


def total_cost_of_ownership(price: USD, operating_cost: USD, interest_rate: Ratio, periods: Ratio, residual_share: Share = 0.0) -> USD:
    r"""Present value of buying, running and selling a machine.

    $$\mathrm{TCO} = C + \frac{O}{\mathrm{CRF}(r, n)} - \sigma C (1 + r)^{-n}$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price, with installation.
    operating_cost : USD, broadcast
        Energy, space, staff and repair per period, due at its end.
    interest_rate : 1, broadcast
        Discount rate per period.
    periods : 1, broadcast
        Life in periods.
    residual_share : 1, broadcast
        Share of the price recovered at the end of life.

    Returns
    -------
    USD, broadcast
        Cost of the whole life, in money of today.

    Assumptions
    -----------
    Constant operating cost; no taxes.

    References
    ----------
    NREL/TP-462-5173, 1995 (total life-cycle cost). Derivation: sum of the discounted payments.

    Examples
    --------
    Without interest: 30,000 to buy and four years of 5,000, less a tenth of the price.

    >>> total_cost_of_ownership(30e3, 5e3, 0.0, 4.0, 0.1)
    47000.0
    """
    residual = price * residual_share * (1.0 + interest_rate) ** -periods
    return price + operating_cost / capital_recovery_factor(interest_rate, periods) - residual


def economic_life(earnings: USDPerSecond, operating_cost: USDPerSecond, earnings_decline: Share) -> Exponent:
    r"""Periods until the falling earnings of a machine no longer cover its operation.

    $$n = \frac{\ln (e / o)}{-\ln (1 - d)}$$

    Parameters
    ----------
    earnings : USD/s, broadcast
        Market value of its output per time when new.
    operating_cost : USD/s, broadcast
        Energy, space and staff per time, without capital.
    earnings_decline : 1, broadcast
        Share by which the price of the output falls in each period, above 0 and below 1.

    Returns
    -------
    1, broadcast
        Life in periods; negative if the machine never covered its operation.

    Assumptions
    -----------
    Newer machines set the price of the output; operating cost and output stay.

    References
    ----------
    Derivation: e (1 - d)^n = o.

    Examples
    --------
    Output worth four times its operation, losing half of its price a year, pays for two years.

    >>> economic_life(4.0, 1.0, 0.5)
    2.0
    """
    return log(earnings / operating_cost) / -log(1.0 - earnings_decline)
