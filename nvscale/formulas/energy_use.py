"""Energy per result: tasks, tokens, operations, transfers, links, and the emissions that follow."""

from nvscale.unit_types import (
    Bytes,
    BytesPerSecond,
    FlopPerJoule,
    FlopPerSecond,
    Grams,
    GramsPerJoule,
    Joules,
    JoulesPerByte,
    JoulesPerToken,
    Seconds,
    TokensPerSecond,
    Watts,
)

__all__ = [
    "average_power_energy",
    "emissions",
    "energy_per_token",
    "flop_per_joule",
    "link_power",
    "tokens_per_second_at_power",
    "transfer_energy",
]


def average_power_energy(average_power: Watts, time: Seconds) -> Joules:
    r"""Energy of a task that draws an average power.

    $$E = \bar{P}\,t$$

    Parameters
    ----------
    average_power : W, broadcast
        Power averaged over the task, at the boundary that is accounted for (chip, server or facility).
    time : s, broadcast
        Duration.

    Returns
    -------
    J, broadcast
        Energy.

    Assumptions
    -----------
    The average is over the same time span.

    References
    ----------
    Definition.

    Examples
    --------
    A chip at 700 W for one hour uses 0.7 kWh.

    >>> average_power_energy(700.0, 3600.0) / 3.6e6
    0.7
    """
    return average_power * time


def energy_per_token(average_power: Watts, throughput: TokensPerSecond) -> JoulesPerToken:
    r"""Energy per token of a system that serves at a steady rate.

    $$e = \frac{\bar{P}}{Y}$$

    Parameters
    ----------
    average_power : W, broadcast
        Power of everything that the throughput needs.
    throughput : token/s, broadcast
        Tokens per second of the same system.

    Returns
    -------
    J/token, broadcast
        Energy per token.

    Assumptions
    -----------
    Steady state; power and throughput have the same boundary.

    References
    ----------
    Definition: power over rate.

    Examples
    --------
    54,000 tokens/s from one megawatt are 18.5 J per token.

    >>> round(energy_per_token(1e6, 54e3), 1)
    18.5
    """
    return average_power / throughput


def tokens_per_second_at_power(available_power: Watts, joules_per_token: JoulesPerToken) -> TokensPerSecond:
    r"""Tokens per second that a power budget sustains.

    $$Y = \frac{P}{e}$$

    Parameters
    ----------
    available_power : W, broadcast
        Power at the boundary at which the energy per token was taken.
    joules_per_token : J/token, broadcast
        Energy per token.

    Returns
    -------
    token/s, broadcast
        Throughput.

    Assumptions
    -----------
    Power is the only limit.

    References
    ----------
    Derivation: inverse of `energy_per_token`.

    Examples
    --------
    >>> tokens_per_second_at_power(1e6, 0.5)
    2000000.0
    """
    return available_power / joules_per_token


def flop_per_joule(rate: FlopPerSecond, average_power: Watts) -> FlopPerJoule:
    r"""Operations per joule of a system running at a steady rate.

    $$\eta = \frac{R}{\bar{P}}$$

    Parameters
    ----------
    rate : flop/s, broadcast
        Rate, peak or reached.
    average_power : W, broadcast
        Power of the same system.

    Returns
    -------
    flop/J, broadcast
        Energy efficiency; flop per joule is flop/s per watt.

    Assumptions
    -----------
    Rate and power have the same boundary.

    References
    ----------
    Definition.

    Examples
    --------
    989.4 TFLOP/s at 700 W.

    >>> round(flop_per_joule(989.4e12, 700.0) / 1e12, 3)
    1.413
    """
    return rate / average_power


def transfer_energy(data: Bytes, energy_per_byte: JoulesPerByte) -> Joules:
    r"""Energy of moving data over a wire, a link or a memory interface.

    $$E = Q\,e$$

    Parameters
    ----------
    data : byte, broadcast
        Bytes moved.
    energy_per_byte : J/byte, broadcast
        Energy per byte (eight times the usual figure per bit), summed over both ends and all hops.

    Returns
    -------
    J, broadcast
        Energy.

    Assumptions
    -----------
    The energy is proportional to the data; links that stay on draw `link_power` whether used or not.

    References
    ----------
    Definition of energy per bit.

    Examples
    --------
    One gigabyte over a link of 5 pJ per bit, 40 pJ per byte.

    >>> transfer_energy(1e9, 40e-12)
    0.04
    """
    return data * energy_per_byte


def link_power(bandwidth: BytesPerSecond, energy_per_byte: JoulesPerByte) -> Watts:
    r"""Power of a link that is driven at its bandwidth.

    $$P = B\,e$$

    Parameters
    ----------
    bandwidth : byte/s, broadcast
        Data rate, sum of both directions if both are driven.
    energy_per_byte : J/byte, broadcast
        Energy per byte.

    Returns
    -------
    W, broadcast
        Power.

    Assumptions
    -----------
    Serial links are clocked even without payload, so this is drawn at any load.

    References
    ----------
    Derivation: `transfer_energy` per second.

    Examples
    --------
    1.8 TB/s at 5 pJ per bit.

    >>> round(link_power(1.8e12, 40e-12), 6)
    72.0
    """
    return bandwidth * energy_per_byte


def emissions(energy_used: Joules, emission_intensity: GramsPerJoule) -> Grams:
    r"""Greenhouse gas emitted for the energy used.

    $$m = E\,k$$

    Parameters
    ----------
    energy_used : J, broadcast
        Energy drawn from the grid (facility energy, so with the overhead of cooling).
    emission_intensity : g/J, broadcast
        CO2-equivalent per energy of the supply.

    Returns
    -------
    g, broadcast
        Mass of CO2-equivalent of operation, without manufacture.

    Assumptions
    -----------
    One average intensity for the whole use.

    References
    ----------
    Definition.

    Examples
    --------
    1 MWh at 423 g/kWh is 423 kg.

    >>> round(emissions(3.6e9, 423 / 3.6e6) / 1e3, 6)
    423.0
    """
    return energy_used * emission_intensity
