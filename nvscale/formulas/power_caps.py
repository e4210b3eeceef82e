"""Power caps: the power roof beside the roofs of compute and bandwidth."""

from nvscale.formulas.overheads import smooth_maximum
from nvscale.ops import INFINITY, maximum, minimum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Flop, FlopPerByte, FlopPerSecond, JoulesPerByte, JoulesPerFlop, Seconds, Watts

__all__ = [
    "power_capped_attainable",
    "power_capped_time",
    "power_under_load",
]


def power_capped_attainable(
    operational_intensity: FlopPerByte,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
    power_cap: Watts,
) -> FlopPerSecond:
    r"""Attainable performance under compute, bandwidth and power roofs.

    $$P_{att} = \min\left(P,\ I B,\ \frac{P_{cap} - P_0}{e_f + e_m / I}\right)$$

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
    power_cap : W, broadcast
        Limit of the average power; infinite for none.

    Returns
    -------
    flop/s, broadcast
        Attainable performance; zero when the cap does not even cover the constant power.

    Assumptions
    -----------
    Throttling slows arithmetic and memory alike; energy per operation and per byte stay (no voltage scaling).

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, report GT-CSE-2012-01, section 5.2 (power caps). Derivation: `energy.power_line` at most the cap.

    Examples
    --------
    450 W leave 340 W for work that needs 0.49 pJ per operation: 0.69 of the 1 PFLOP/s.

    >>> round(power_capped_attainable(1e15 / 3e12, 1e15, 3e12, 0.4e-12, 30e-12, 110.0, 450.0) / 1e15, 3)
    0.694
    """
    usable = maximum(power_cap - constant_power, 0.0)
    return minimum(peak, operational_intensity * bandwidth, usable / (energy_per_flop + energy_per_byte / operational_intensity))


def power_capped_time(
    work: Flop,
    traffic: Bytes,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
    power_cap: Watts,
) -> Seconds:
    r"""Time of work under compute, bandwidth and power roofs.

    $$t = \max\left(\frac{W}{P},\ \frac{Q}{B},\ \frac{W e_f + Q e_m}{P_{cap} - P_0}\right)$$

    Parameters
    ----------
    work : flop, broadcast
        Operations.
    traffic : byte, broadcast
        Bytes moved.
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
    power_cap : W, broadcast
        Limit of the average power; infinite for none.

    Returns
    -------
    s, broadcast
        Time; infinite where the cap leaves nothing above the constant power.

    Assumptions
    -----------
    Full overlap; the cap acts on the average over the work.

    References
    ----------
    Derivation: (W e_f + Q e_m) / t + P_0 must not exceed the cap. Choi, Bedard, Fowler, Vuduc, report GT-CSE-2012-01, section 5.2.

    Examples
    --------
    400 J of operations and 90 J of traffic through the 340 W that a cap of 450 W leaves.

    >>> round(power_capped_time(1e15, 3e12, 1e15, 3e12, 0.4e-12, 30e-12, 110.0, 450.0), 3)
    1.441
    """
    joules = work * energy_per_flop + traffic * energy_per_byte
    is_running = power_cap > constant_power
    usable = where(is_running, power_cap - constant_power, power_cap)
    return where(is_running, maximum(work / peak, traffic / bandwidth, joules / usable), INFINITY)


def power_under_load(
    work_rate: FlopPerSecond,
    traffic_rate: BytesPerSecond,
    energy_per_flop: JoulesPerFlop,
    energy_per_byte: JoulesPerByte,
    constant_power: Watts,
    power_cap: Watts,
    sharpness: Count,
) -> Watts:
    r"""Power of a chip from the rates that it reaches, held below the power at which its clock is lowered.

    $$\bar{P} = \left(P_{lin}^{-p} + P_{cap}^{-p}\right)^{-1/p}, \qquad P_{lin} = P_0 + F e_f + G e_m$$

    Parameters
    ----------
    work_rate : flop/s, broadcast
        Operations per second that are reached, F.
    traffic_rate : byte/s, broadcast
        Bytes per second that are moved, G.
    energy_per_flop : J/flop, broadcast
        Energy of one operation beyond constant power.
    energy_per_byte : J/byte, broadcast
        Energy of moving one byte beyond constant power.
    constant_power : W, broadcast
        Power drawn while anything runs; more than idle power.
    power_cap : W, broadcast
        Power that is not exceeded; infinite for none.
    sharpness : 1, broadcast
        Exponent p of the corner, from 1 on; infinite for a plain minimum of both.

    Returns
    -------
    W, broadcast
        Average power, below the cap.

    Assumptions
    -----------
    The rates are those under the cap: it lowers them, not the energy of an operation.
    Near the cap the clock is lowered now and then, so the corner is round.

    References
    ----------
    Choi, Bedard, Fowler, Vuduc, report GT-CSE-2012-01, section 5.2 (power caps).
    Derivation: `energy.total_energy` over the time, in the p-norm of the inverse powers.

    Examples
    --------
    110 W, 200 W of operations and 60 W of traffic under a cap of 450 W with a plain minimum.

    >>> round(power_under_load(0.5e15, 2e12, 0.4e-12, 30e-12, 110.0, 450.0, float("inf")), 6)
    370.0
    """
    linear = constant_power + work_rate * energy_per_flop + traffic_rate * energy_per_byte
    drawn = where(linear > 0.0, linear, 1.0)
    return where(linear > 0.0, 1.0 / smooth_maximum([1.0 / drawn, 1.0 / power_cap], sharpness), linear)
