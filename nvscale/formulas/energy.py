"""Energy roofline: energy, flop per joule and power of work that computes and moves bytes.

Time overlaps, energy adds: the time roofline has a corner, its energy twin is a smooth arch.
"""

from collections.abc import Sequence

from nvscale.ops import minimum
from nvscale.unit_types import (
    Bytes,
    BytesPerSecond,
    Flop,
    FlopPerByte,
    FlopPerJoule,
    FlopPerSecond,
    Joules,
    JoulesPerByte,
    JoulesPerFlop,
    Ratio,
    Seconds,
    Watts,
)

__all__ = [
    "arch_line_flop_per_joule",
    "balance_gap",
    "dynamic_energy",
    "energy_balance_point",
    "peak_power",
    "power_line",
    "total_energy",
]


def total_energy(
    work: Flop,
    traffic: Bytes,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
    time: Seconds,
) -> Joules:
    r"""Energy of work that computes, moves bytes and keeps the machine on.

    $$E = W e_f + Q e_m + P_0 t$$

    Parameters
    ----------
    work : flop, broadcast
        Operations.
    traffic : byte, broadcast
        Bytes moved through the memory level that is accounted for.
    energy_per_flop : J/flop, broadcast
        Energy of one operation beyond constant power.
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte beyond constant power.
    constant_power : W, broadcast
        Power drawn whatever runs (leakage, clocks, fans).
    time : s, broadcast
        Duration.

    Returns
    -------
    J, broadcast
        Energy.

    Assumptions
    -----------
    Energies add even where times overlap; the cost per operation and per byte does not depend on the rate.

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, "A roofline model of energy", IPDPS 2013, section II; report GT-CSE-2012-01, section 2.2.

    Examples
    --------
    1 PFLOP at 0.4 pJ, 3 TB at 30 pJ/byte and one second at 110 W: 400 + 90 + 110 J.

    >>> total_energy(1e15, 3e12, 0.4e-12, 30e-12, 110.0, 1.0)
    600.0
    """
    return work * energy_per_flop + traffic * energy_per_byte + constant_power * time


def dynamic_energy(
    work: Flop,
    energy_per_flop: JoulesPerFlop,
    traffic: Sequence[Bytes],
    energy_per_byte: Sequence[JoulesPerByte],
) -> Joules:
    r"""Energy of operations and of traffic over several levels of memory or network, without constant power.

    $$E_{dyn} = W e_f + \sum_l Q_l e_l$$

    Parameters
    ----------
    work : flop, broadcast
        Operations.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.
    traffic : sequence of byte, broadcast
        Bytes moved through each level.
    energy_per_byte : sequence of J/byte, broadcast
        Energy per byte of each level, in the same order.

    Returns
    -------
    J, broadcast
        Energy that scales with the work.

    Assumptions
    -----------
    The energy of a level counts only what that level adds (a byte from far away passes the near levels too).

    References
    ----------
    Derivation: the sum of section II of Choi, Bedard, Fowler, Vuduc, IPDPS 2013, with one term for each level.

    Examples
    --------
    1 TFLOP at 0.5 pJ, 10 GB of a level at 30 pJ/byte and 100 GB of one at 2 pJ/byte: 0.5 + 0.3 + 0.2 J.

    >>> round(dynamic_energy(1e12, 0.5e-12, [10e9, 100e9], [30e-12, 2e-12]), 9)
    1.0
    """
    joules = work * energy_per_flop
    for level_traffic, level_energy in zip(traffic, energy_per_byte, strict=True):
        joules = joules + level_traffic * level_energy
    return joules


def energy_balance_point(energy_per_byte: JoulesPerByte, energy_per_flop: JoulesPerFlop) -> FlopPerByte:
    r"""Operational intensity at which operations and traffic use the same energy.

    $$I_E = \frac{e_m}{e_f}$$

    Parameters
    ----------
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.

    Returns
    -------
    flop/byte, broadcast
        Balance point of energy; half of the best flop per joule is reached there when constant power is zero.

    Assumptions
    -----------
    Constant power is left out.

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, IPDPS 2013, section II (energy-balance); report GT-CSE-2012-01, section 2.3.

    Examples
    --------
    A byte at 30 pJ costs as much as 75 operations at 0.4 pJ.

    >>> energy_balance_point(30e-12, 0.4e-12)
    75.0
    """
    return energy_per_byte / energy_per_flop


def balance_gap(
    energy_per_byte: JoulesPerByte,
    energy_per_flop: JoulesPerFlop,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
) -> Ratio:
    r"""How far the energy balance point lies above the time ridge point.

    $$\gamma = \frac{I_E}{I^*} = \frac{e_m B}{e_f P}$$

    Parameters
    ----------
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Memory bandwidth.

    Returns
    -------
    1, broadcast
        Gap; at most 1 means that work fast enough to be compute-bound already spends most energy on operations.

    Assumptions
    -----------
    Constant power is left out; it favours finishing early and so narrows the gap.

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, IPDPS 2013, section II; report GT-CSE-2012-01, section 2.4 (balance gap).

    Examples
    --------
    At the ridge memory draws 90 W and arithmetic 400 W.

    >>> round(balance_gap(30e-12, 0.4e-12, 1e15, 3e12), 6)
    0.225
    """
    return energy_per_byte * bandwidth / (energy_per_flop * peak)


def arch_line_flop_per_joule(
    operational_intensity: FlopPerByte,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
) -> FlopPerJoule:
    r"""Best operations per joule at an operational intensity: the arch line.

    $$\frac{W}{E} = \frac{1}{e_f + e_m / I + P_0 / \min(P, I B)}$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte moved.
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Memory bandwidth.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte.
    constant_power : W, broadcast
        Power drawn whatever runs.

    Returns
    -------
    flop/J, broadcast
        Energy efficiency.

    Assumptions
    -----------
    Computing and moving overlap fully in time and reach their roofs.

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, IPDPS 2013, section II; report GT-CSE-2012-01, section 2.3.
    Derivation: divide the energy of W operations and W/I bytes by W, with t = W / min(P, I B).

    Examples
    --------
    With all traffic avoided 0.4 pJ and 110 W / 1 PFLOP/s = 0.11 pJ remain: 1.96 TFLOP per joule.

    >>> round(arch_line_flop_per_joule(1e30, 1e15, 3e12, 0.4e-12, 30e-12, 110.0) / 1e12, 2)
    1.96
    """
    attainable = minimum(peak, operational_intensity * bandwidth)
    return 1.0 / (energy_per_flop + energy_per_byte / operational_intensity + constant_power / attainable)


def power_line(
    operational_intensity: FlopPerByte,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
) -> Watts:
    r"""Average power of work at an operational intensity, running as fast as its roofs allow.

    $$\bar{P} = \min(P, I B) \left(e_f + \frac{e_m}{I}\right) + P_0$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte moved.
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Memory bandwidth.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte.
    constant_power : W, broadcast
        Power drawn whatever runs.

    Returns
    -------
    W, broadcast
        Energy over time; largest at the ridge point, where both units are busy.

    Assumptions
    -----------
    No power cap; full overlap.

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, IPDPS 2013; report GT-CSE-2012-01, section 3. Derivation: E / t of `total_energy`.

    Examples
    --------
    Above the ridge the memory idles part of the time: 400 W of arithmetic, 30 W of traffic, 110 W constant.

    >>> round(power_line(1000.0, 1e15, 3e12, 0.4e-12, 30e-12, 110.0), 6)
    540.0
    """
    attainable = minimum(peak, operational_intensity * bandwidth)
    return attainable * (energy_per_flop + energy_per_byte / operational_intensity) + constant_power


def peak_power(
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
) -> Watts:
    r"""Power with arithmetic and memory both at their peak: the top of the power line.

    $$P_{max} = P e_f + B e_m + P_0$$

    Parameters
    ----------
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Memory bandwidth.
    energy_per_flop : J/flop, broadcast
        Energy of one operation.
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte.
    constant_power : W, broadcast
        Power drawn whatever runs.

    Returns
    -------
    W, broadcast
        Power at the ridge point; a cap below it slows some work down.

    Assumptions
    -----------
    Both units can be fully busy at once.

    References
    ----------
    Derivation: `power_line` at the ridge point P/B. Choi, Bedard, Fowler, Vuduc, report GT-CSE-2012-01, section 3.

    Examples
    --------
    >>> round(peak_power(1e15, 3e12, 0.4e-12, 30e-12, 110.0), 6)
    600.0
    """
    return peak * energy_per_flop + bandwidth * energy_per_byte + constant_power
