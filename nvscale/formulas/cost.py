"""Cost of computing: capital and energy per second, cost per task, operation and token.

Interest is per period and periods are a pure number (yearly rates with years); every other rate is per
second, and a rate times a time, plus energy times its price, is the cost of work.
"""

from nvscale.ops import where
from nvscale.unit_types import (
    USD,
    FlopPerSecond,
    Joules,
    Ratio,
    Seconds,
    Share,
    TokensPerSecond,
    USDPerFlop,
    USDPerJoule,
    USDPerSecond,
    USDPerToken,
    Watts,
)

__all__ = [
    "affordable_cost_rate",
    "capital_cost_per_period",
    "capital_cost_rate",
    "capital_recovery_factor",
    "cost_per_flop",
    "cost_per_token",
    "energy_cost",
    "energy_cost_rate",
    "owning_cost_rate",
    "task_cost",
]


def capital_recovery_factor(interest_rate: Ratio, periods: Ratio) -> Ratio:
    r"""Level payment per period that repays one unit of capital with interest.

    $$\mathrm{CRF} = \frac{r}{1 - (1 + r)^{-n}}, \qquad \mathrm{CRF}(0, n) = \frac{1}{n}$$

    Parameters
    ----------
    interest_rate : 1, broadcast
        Interest or weighted cost of capital per period.
    periods : 1, broadcast
        Number of periods.

    Returns
    -------
    1, broadcast
        Share of the capital to pay at the end of each period.

    Assumptions
    -----------
    Constant rate. Below r n = 0.001 the Taylor series (1 + r (n + 1) / 2 · (1 + r (n - 1) / 6)) / n stands in,
    so that value and slope are right at zero interest too.

    References
    ----------
    Short, Packey, Holt, "A Manual for the Economic Evaluation of Energy Efficiency and Renewable Energy Technologies",
    NREL/TP-462-5173, 1995 (uniform capital recovery factor).
    Derivation: payments of 1, discounted, sum to (1 - (1 + r)^-n) / r.

    Examples
    --------
    A loan of 1000 at 10 % is repaid by ten payments of 163.

    >>> round(1000 * capital_recovery_factor(0.10, 10.0))
    163
    >>> capital_recovery_factor(0.0, 5.0)
    0.2
    """
    small = interest_rate * periods < 1e-3
    rate = where(small, 1.0, interest_rate)
    series = (1.0 + interest_rate * (periods + 1.0) / 2.0 * (1.0 + interest_rate * (periods - 1.0) / 6.0)) / periods
    return where(small, series, rate / (1.0 - (1.0 + rate) ** -periods))


def capital_cost_per_period(price: USD, interest_rate: Ratio, periods: Ratio, residual_share: Share = 0.0) -> USD:
    r"""Level cost per period of owning capital that keeps a residual value.

    $$A = C \left(1 - \sigma (1 + r)^{-n}\right) \mathrm{CRF}(r, n)$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price C.
    interest_rate : 1, broadcast
        Interest per period.
    periods : 1, broadcast
        Life in periods.
    residual_share : 1, broadcast
        Share σ of the price that is recovered at the end of life.

    Returns
    -------
    USD, broadcast
        Cost per period, due at its end.

    Assumptions
    -----------
    One purchase at the start; no taxes.

    References
    ----------
    Derivation: the present value of the annuity equals price minus discounted salvage. NREL/TP-462-5173, 1995.

    Examples
    --------
    Without interest a machine of 30,000 that keeps a fifth costs 6,000 in each of four years.

    >>> capital_cost_per_period(30e3, 0.0, 4.0, 0.2)
    6000.0
    """
    return price * (1.0 - residual_share * (1.0 + interest_rate) ** -periods) * capital_recovery_factor(interest_rate, periods)


def capital_cost_rate(price: USD, recovery_factor: Ratio, period: Seconds) -> USDPerSecond:
    r"""Cost of capital per time.

    $$k_C = \frac{C \cdot \mathrm{CRF}}{T}$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price, with its share of network, building and installation.
    recovery_factor : 1, broadcast
        Capital recovery factor per period (`capital_recovery_factor`).
    period : s, broadcast
        Length of the period that the factor counts in.

    Returns
    -------
    USD/s, broadcast
        Cost per second, whether used or not.

    Assumptions
    -----------
    Payments are spread evenly inside a period.

    References
    ----------
    Derivation: level payment per period over its length.

    Examples
    --------
    40,000 USD over five years without interest are 0.91 USD an hour.

    >>> round(capital_cost_rate(40e3, 0.2, 365.25 * 86400) * 3600, 2)
    0.91
    """
    return price * recovery_factor / period


def energy_cost(energy_used: Joules, energy_price: USDPerJoule) -> USD:
    r"""Cost of energy.

    $$K = E\,\pi$$

    Parameters
    ----------
    energy_used : J, broadcast
        Energy bought, so with the overhead of the facility.
    energy_price : USD/J, broadcast
        Price of energy.

    Returns
    -------
    USD, broadcast
        Cost.

    Assumptions
    -----------
    One price, no charge for peak power.

    References
    ----------
    Definition.

    Examples
    --------
    10 MWh at 0.08 USD/kWh.

    >>> round(energy_cost(3.6e10, 0.08 / 3.6e6), 6)
    800.0
    """
    return energy_used * energy_price


def energy_cost_rate(information_technology: Watts, usage_effectiveness: Ratio, energy_price: USDPerJoule) -> USDPerSecond:
    r"""Cost of electricity per time for equipment in a facility.

    $$k_E = \mathrm{PUE} \cdot P\,\pi$$

    Parameters
    ----------
    information_technology : W, broadcast
        Average power of the equipment.
    usage_effectiveness : 1, broadcast
        Power usage effectiveness of the facility, at least 1.
    energy_price : USD/J, broadcast
        Price of energy.

    Returns
    -------
    USD/s, broadcast
        Cost per second.

    Assumptions
    -----------
    Constant power, price and effectiveness.

    References
    ----------
    Derivation: price times the power of the facility.

    Examples
    --------
    A chip with 1.3 kW around it, PUE 1.2, at 0.08 USD/kWh costs 0.125 USD an hour.

    >>> round(energy_cost_rate(1300.0, 1.2, 0.08 / 3.6e6) * 3600, 3)
    0.125
    """
    return information_technology * usage_effectiveness * energy_price


def owning_cost_rate(
    capital: USDPerSecond, operating: USDPerSecond, facility_power: Watts, energy_price: USDPerJoule, availability: Share = 1.0
) -> USDPerSecond:
    r"""Cost per available second of owning a machine: capital, operation and electricity.

    $$k = \frac{k_C + k_O}{a} + P_{site}\,\pi$$

    Parameters
    ----------
    capital : USD/s, broadcast
        Cost of capital per second.
    operating : USD/s, broadcast
        Staff, space, repair and software per second.
    facility_power : W, broadcast
        Power with the overhead of the facility, while available.
    energy_price : USD/J, broadcast
        Price of energy.
    availability : 1, broadcast
        Share of the time the machine is up, above 0.

    Returns
    -------
    USD/s, broadcast
        Cost per second of available time.

    Assumptions
    -----------
    No power is drawn while the machine is down.

    References
    ----------
    Derivation: costs of a long time over its available seconds.

    Examples
    --------
    0.90 for capital, 0.30 for operation and 1.5 kW at 0.08 USD/kWh make 1.32 USD an hour.

    >>> round(owning_cost_rate(0.9 / 3600, 0.3 / 3600, 1500.0, 0.08 / 3.6e6) * 3600, 2)
    1.32
    """
    return (capital + operating) / availability + facility_power * energy_price


def task_cost(time: Seconds, cost_rate: USDPerSecond, energy_used: Joules, energy_price: USDPerJoule) -> USD:
    r"""Cost of a task that holds a machine for a time and uses energy.

    $$K = k\,t + \pi E$$

    Parameters
    ----------
    time : s, broadcast
        Machine time, summed over all machines held.
    cost_rate : USD/s, broadcast
        Cost per machine and second, without energy.
    energy_used : J, broadcast
        Energy; zero if the rate includes it.
    energy_price : USD/J, broadcast
        Price of energy.

    Returns
    -------
    USD, broadcast
        Cost.

    Assumptions
    -----------
    Idle time between tasks is charged elsewhere.

    References
    ----------
    Derivation: rent plus energy.

    Examples
    --------
    1,000 chip-hours at 2 USD and 1 MWh at 0.08 USD/kWh.

    >>> round(task_cost(3.6e6, 2 / 3600, 3.6e9, 0.08 / 3.6e6), 6)
    2080.0
    """
    return time * cost_rate + energy_used * energy_price


def cost_per_flop(cost_rate: USDPerSecond, peak: FlopPerSecond, utilisation: Share = 1.0) -> USDPerFlop:
    r"""Cost per operation of a machine paid by time.

    $$\kappa = \frac{k}{P\,u}$$

    Parameters
    ----------
    cost_rate : USD/s, broadcast
        Cost per second, energy included.
    peak : flop/s, broadcast
        Peak rate of the same machine.
    utilisation : 1, broadcast
        Share of the peak reached over the paid time, above 0.

    Returns
    -------
    USD/flop, broadcast
        Cost per operation.

    Assumptions
    -----------
    Steady use.

    References
    ----------
    Derivation: cost per second over operations per second.

    Examples
    --------
    2 USD an hour at 40 % of 989.4 TFLOP/s: 1.4 USD per 1e18 operations.

    >>> round(cost_per_flop(2 / 3600, 989.4e12, 0.4) * 1e18, 3)
    1.404
    """
    return cost_rate / (peak * utilisation)


def cost_per_token(
    cost_rate: USDPerSecond, throughput: TokensPerSecond, utilisation: Share = 1.0, goodput_share: Share = 1.0
) -> USDPerToken:
    r"""Cost per token of a machine paid by time.

    $$\kappa = \frac{k}{Y\,u\,g}$$

    Parameters
    ----------
    cost_rate : USD/s, broadcast
        Cost per second, energy included.
    throughput : token/s, broadcast
        Tokens per second of the same machine at full load.
    utilisation : 1, broadcast
        Average load over the paid time, above 0.
    goodput_share : 1, broadcast
        Share of the tokens that count: within their latency target, not lost to failures.

    Returns
    -------
    USD/token, broadcast
        Cost per useful token.

    Assumptions
    -----------
    The cost does not fall with the load.

    References
    ----------
    Derivation: cost per second over useful tokens per second.

    Examples
    --------
    2.65 USD an hour at 6,000 tokens per second: 0.12 USD per million tokens.

    >>> round(cost_per_token(2.65 / 3600, 6000.0) * 1e6, 4)
    0.1227
    """
    return cost_rate / (throughput * utilisation * goodput_share)


def affordable_cost_rate(
    token_price: USDPerToken, throughput: TokensPerSecond, utilisation: Share = 1.0, goodput_share: Share = 1.0
) -> USDPerSecond:
    r"""Cost per second that a price per token covers.

    $$k = \kappa\,Y\,u\,g$$

    Parameters
    ----------
    token_price : USD/token, broadcast
        Price or cost per token.
    throughput : token/s, broadcast
        Tokens per second at full load.
    utilisation : 1, broadcast
        Average load over the paid time.
    goodput_share : 1, broadcast
        Share of the tokens that are paid for.

    Returns
    -------
    USD/s, broadcast
        Earnings per second.

    Assumptions
    -----------
    All useful tokens are sold at one price.

    References
    ----------
    Derivation: inverse of `cost_per_token`.

    Examples
    --------
    0.20 USD per million tokens at 22,300 tokens per second pays for 16 USD an hour.

    >>> round(affordable_cost_rate(0.2e-6, 22.3e3) * 3600, 3)
    16.056
    """
    return token_price * throughput * utilisation * goodput_share
