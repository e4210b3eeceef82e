"""Comparing costs: the cost roofline and its ridge, rent or own, levelised cost."""

from nvscale.ops import minimum
from nvscale.unit_types import (
    USD,
    BytesPerSecond,
    FlopPerByte,
    FlopPerSecond,
    JoulesPerByte,
    JoulesPerFlop,
    Ratio,
    Seconds,
    Share,
    Tokens,
    USDPerFlop,
    USDPerJoule,
    USDPerSecond,
    USDPerToken,
    USDPerWatt,
    Watts,
)

__all__ = [
    "break_even_time",
    "break_even_utilisation",
    "cost_ridge_energy_price",
    "levelised_cost_per_token",
    "levelised_energy_price",
    "roofline_cost_per_flop",
]


def roofline_cost_per_flop(
    operational_intensity: FlopPerByte,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    cost_rate: USDPerSecond,
    energy_price: USDPerJoule,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
) -> USDPerFlop:
    r"""Least cost per operation at an operational intensity: the cost roofline.

    $$\kappa(I) = \frac{k + \pi P_0}{\min(P, I B)} + \pi \left(e_f + \frac{e_m}{I}\right)$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte moved.
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Memory bandwidth.
    cost_rate : USD/s, broadcast
        Cost of the machine per second, without energy.
    energy_price : USD/J, broadcast
        Price of energy, with the overhead of the facility.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte.
    constant_power : W, broadcast
        Power drawn whatever runs.

    Returns
    -------
    USD/flop, broadcast
        Cost per operation.

    Assumptions
    -----------
    Full overlap; the machine is paid only while it works.

    References
    ----------
    Derivation: rent times time plus price times energy, per operation; time and energy as in the energy roofline of
    Choi, Bedard, Fowler, Vuduc, IPDPS 2013, section II.

    Examples
    --------
    At 2 USD an hour and 0.08 USD/kWh the energy (0.0133 of 0.5689 USD per 1e18 operations) hardly matters.

    >>> round(roofline_cost_per_flop(1e15 / 3e12, 1e15, 3e12, 2 / 3600, 0.08 / 3.6e6, 0.4e-12, 30e-12, 110.0) * 1e18, 4)
    0.5689
    """
    attainable = minimum(peak, operational_intensity * bandwidth)
    per_second = cost_rate + energy_price * constant_power
    return per_second / attainable + energy_price * (energy_per_flop + energy_per_byte / operational_intensity)


def cost_ridge_energy_price(cost_rate: USDPerSecond, average_power: Watts) -> USDPerJoule:
    r"""Energy price at which a second of the machine and the energy it uses cost the same: the cost ridge.

    $$\pi^* = \frac{k}{\bar{P}}$$

    Parameters
    ----------
    cost_rate : USD/s, broadcast
        Cost of the machine per second, without energy.
    average_power : W, broadcast
        Power with the overhead of the facility, for instance `energy.power_line` at the intensity of the work.

    Returns
    -------
    USD/J, broadcast
        Below this price it pays to finish fast, above it to save energy.

    Assumptions
    -----------
    One machine, one kind of work.

    References
    ----------
    Derivation: k t = π P t.

    Examples
    --------
    At 2 USD an hour and 700 W the two are equal only at 2.86 USD/kWh.

    >>> round(cost_ridge_energy_price(2 / 3600, 700.0) * 3.6e6, 2)
    2.86
    """
    return cost_rate / average_power


def break_even_utilisation(owning: USDPerSecond, renting: USDPerSecond) -> Ratio:
    r"""Share of time a machine must be used for owning to be as cheap as renting.

    $$u^* = \frac{k_{own}}{k_{rent}}$$

    Parameters
    ----------
    owning : USD/s, broadcast
        Cost of owning per second, used or not.
    renting : USD/s, broadcast
        Price of renting per second, paid only while used.

    Returns
    -------
    1, broadcast
        Break-even utilisation; above 1 renting is always cheaper.

    Assumptions
    -----------
    Rent can be stopped at any time; the same machine in both cases.

    References
    ----------
    Derivation: k_own = u k_rent.

    Examples
    --------
    Owning at 1.20 against renting at 3.00 USD an hour pays from 40 % use.

    >>> round(break_even_utilisation(1.2 / 3600, 3.0 / 3600), 9)
    0.4
    """
    return owning / renting


def break_even_time(price: USD, renting: USDPerSecond, operating: USDPerSecond, utilisation: Share = 1.0) -> Seconds:
    r"""Time after which buying has cost no more than renting.

    $$t^* = \frac{C}{u\,k_{rent} - k_O}$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price.
    renting : USD/s, broadcast
        Price of renting per second of use.
    operating : USD/s, broadcast
        Cost per second of operating the own machine, energy included; below the rent.
    utilisation : 1, broadcast
        Share of the time the machine is used.

    Returns
    -------
    s, broadcast
        Simple break-even time; negative if it never comes.

    Assumptions
    -----------
    No interest, no residual value, constant prices.

    References
    ----------
    Derivation: C + k_O t = u k_rent t.

    Examples
    --------
    35,064 USD, 3 USD an hour to rent, 1 USD an hour to operate: two years of full use.

    >>> round(break_even_time(35064.0, 3 / 3600, 1 / 3600) / (365.25 * 86400), 9)
    2.0
    """
    return price / (utilisation * renting - operating)


def levelised_cost_per_token(price: USD, recovery_factor: Ratio, operating_cost: USD, tokens: Tokens) -> USDPerToken:
    r"""Levelised cost of tokens: annuity and operation of a period over its output.

    $$\kappa = \frac{C \cdot \mathrm{CRF} + O}{D}$$

    Parameters
    ----------
    price : USD, broadcast
        Purchase price.
    recovery_factor : 1, broadcast
        Capital recovery factor per period.
    operating_cost : USD, broadcast
        Energy, space and staff per period.
    tokens : token, broadcast
        Useful tokens per period.

    Returns
    -------
    USD/token, broadcast
        Price per token that just pays for everything.

    Assumptions
    -----------
    The same output and operating cost in every period.

    References
    ----------
    Derivation: discounted cost over discounted output, both level. Short, Packey, Holt, NREL/TP-462-5173, 1995 (levelised cost).

    Examples
    --------
    1 MUSD at a factor of 0.25 and 50,000 USD a year for 1e12 tokens a year: 0.30 USD per million.

    >>> round(levelised_cost_per_token(1e6, 0.25, 50e3, 1e12) * 1e6, 9)
    0.3
    """
    return (price * recovery_factor + operating_cost) / tokens


def levelised_energy_price(
    price_per_watt: USDPerWatt, recovery_factor: Ratio, period: Seconds, capacity_factor: Share, variable_cost: USDPerJoule
) -> USDPerJoule:
    r"""Levelised cost of energy from an own power plant.

    $$\pi = \frac{c_W \cdot \mathrm{CRF}}{T\,f} + \pi_v$$

    Parameters
    ----------
    price_per_watt : USD/W, broadcast
        Price of the plant per rated power.
    recovery_factor : 1, broadcast
        Capital recovery factor per period, plus fixed yearly cost as a share of the price.
    period : s, broadcast
        Length of the period of the factor.
    capacity_factor : 1, broadcast
        Average over rated power, above 0.
    variable_cost : USD/J, broadcast
        Fuel and upkeep per energy delivered.

    Returns
    -------
    USD/J, broadcast
        Price of energy that just pays for the plant.

    Assumptions
    -----------
    Constant output and cost; no taxes.

    References
    ----------
    NREL, simple levelised cost of energy calculator (Annual Technology Baseline 2022); Short, Packey, Holt, NREL/TP-462-5173, 1995.

    Examples
    --------
    1.50 USD per watt, 22 % of the time, a factor of 0.149 and 0.04 USD/kWh on top: 0.156 USD/kWh.

    >>> round(levelised_energy_price(1.5, 0.14903, 8760 * 3600.0, 0.22, 0.04 / 3.6e6) * 3.6e6, 3)
    0.156
    """
    return price_per_watt * recovery_factor / (period * capacity_factor) + variable_cost
