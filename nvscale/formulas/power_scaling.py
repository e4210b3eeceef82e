"""Power of switching logic: dynamic and leakage power, voltage and frequency scaling, the frequency of least energy."""

from nvscale.ops import maximum
from nvscale.unit_types import Exponent, Farads, Hertz, Ratio, Share, Volts, Watts, WattsPerVolt

__all__ = [
    "dynamic_power",
    "energy_optimal_frequency",
    "frequency_at_power",
    "power_at_frequency",
    "relative_energy_at_frequency",
    "static_power",
]


def dynamic_power(activity: Share, capacitance: Farads, voltage: Volts, frequency: Hertz) -> Watts:
    r"""Switching power of CMOS logic.

    $$P_{dyn} = a\,C\,V^2 f$$

    Parameters
    ----------
    activity : 1, broadcast
        Share of the capacitance that is charged in a cycle.
    capacitance : F, broadcast
        Switched capacitance.
    voltage : V, broadcast
        Supply voltage.
    frequency : Hz, broadcast
        Clock frequency.

    Returns
    -------
    W, broadcast
        Dynamic power.

    Assumptions
    -----------
    Full swing to the supply voltage; short-circuit currents are left out.

    References
    ----------
    Derivation: each cycle draws the charge aCV from a supply at V, hence the energy aCV².

    Examples
    --------
    A tenth of 2 uF at 0.8 V and 1.5 GHz.

    >>> round(dynamic_power(0.1, 2e-6, 0.8, 1.5e9), 6)
    192.0
    """
    return activity * capacitance * voltage**2 * frequency


def static_power(voltage: Volts, leakage_current: WattsPerVolt) -> Watts:
    r"""Leakage power of a chip that is powered but idle.

    $$P_{stat} = V I_{leak}$$

    Parameters
    ----------
    voltage : V, broadcast
        Supply voltage.
    leakage_current : W/V, broadcast
        Leakage current; an ampere is a watt per volt.

    Returns
    -------
    W, broadcast
        Static power.

    Assumptions
    -----------
    Current at the given voltage and temperature; it grows steeply with both.

    References
    ----------
    Definition of electric power.

    Examples
    --------
    >>> static_power(0.8, 100.0)
    80.0
    """
    return voltage * leakage_current


def power_at_frequency(
    frequency: Hertz, reference_frequency: Hertz, constant_power: Watts, reference_dynamic_power: Watts, exponent: Exponent
) -> Watts:
    r"""Power of a chip whose clock moves away from a reference point.

    $$P(f) = P_0 + P_r \left(\frac{f}{f_r}\right)^{\alpha}$$

    Parameters
    ----------
    frequency : Hz, broadcast
        Clock frequency.
    reference_frequency : Hz, broadcast
        Frequency at which the dynamic power is known.
    constant_power : W, broadcast
        Power that does not depend on the clock.
    reference_dynamic_power : W, broadcast
        Dynamic power at the reference frequency.
    exponent : 1, broadcast
        1 at fixed voltage; 3 when the voltage follows the frequency; real chips lie between.

    Returns
    -------
    W, broadcast
        Power.

    Assumptions
    -----------
    One exponent over the range; static power does not fall with the voltage.

    References
    ----------
    Derivation: a C V² f with V proportional to f^((α-1)/2).

    Examples
    --------
    Half of the clock with the voltage following leaves an eighth of the dynamic power.

    >>> power_at_frequency(0.9e9, 1.8e9, 100.0, 600.0, 3.0)
    175.0
    """
    return constant_power + reference_dynamic_power * (frequency / reference_frequency) ** exponent


def frequency_at_power(
    power_budget: Watts, reference_frequency: Hertz, constant_power: Watts, reference_dynamic_power: Watts, exponent: Exponent
) -> Hertz:
    r"""Highest clock frequency within a power budget.

    $$f = f_r \left(\frac{P - P_0}{P_r}\right)^{1/\alpha}$$

    Parameters
    ----------
    power_budget : W, broadcast
        Power that may be drawn, above the static power.
    reference_frequency : Hz, broadcast
        Frequency at which the dynamic power is known.
    constant_power : W, broadcast
        Power that does not depend on the clock.
    reference_dynamic_power : W, broadcast
        Dynamic power at the reference frequency.
    exponent : 1, broadcast
        1 at fixed voltage; 3 when the voltage follows the frequency.

    Returns
    -------
    Hz, broadcast
        Clock frequency, not limited by the highest clock of the chip.

    Assumptions
    -----------
    As `power_at_frequency`.

    References
    ----------
    Derivation: inverse of `power_at_frequency`.

    Examples
    --------
    Half of the dynamic power still allows 79 % of the clock under the cubic law.

    >>> round(frequency_at_power(400.0, 1.8e9, 100.0, 600.0, 3.0) / 1.8e9, 4)
    0.7937
    """
    return reference_frequency * (maximum(power_budget - constant_power, 0.0) / reference_dynamic_power) ** (1.0 / exponent)


def energy_optimal_frequency(
    reference_frequency: Hertz, constant_power: Watts, reference_dynamic_power: Watts, exponent: Exponent
) -> Hertz:
    r"""Clock frequency at which a fixed amount of compute-bound work needs the least energy.

    $$f^* = f_r \left(\frac{P_0}{(\alpha - 1) P_r}\right)^{1/\alpha}$$

    Parameters
    ----------
    reference_frequency : Hz, broadcast
        Frequency at which the dynamic power is known.
    constant_power : W, broadcast
        Power that does not depend on the clock, including that of the machine around the chip.
    reference_dynamic_power : W, broadcast
        Dynamic power at the reference frequency.
    exponent : 1, broadcast
        Exponent of dynamic power in frequency, above 1; 3 gives (P_0 / 2c)^(1/3) with c = P_r / f_r³.

    Returns
    -------
    Hz, broadcast
        Frequency of least energy, not limited to the range of the chip.

    Assumptions
    -----------
    Time is inversely proportional to the frequency (compute-bound); memory-bound work has its optimum lower.

    References
    ----------
    Derivation: the derivative of P(f) / f is zero where (α - 1) P_r (f/f_r)^α = P_0.

    Examples
    --------
    With 150 W static and 600 W dynamic at 2 GHz the optimum is half of the clock.

    >>> energy_optimal_frequency(2e9, 150.0, 600.0, 3.0) / 2e9
    0.5
    """
    return reference_frequency * (constant_power / ((exponent - 1.0) * reference_dynamic_power)) ** (1.0 / exponent)


def relative_energy_at_frequency(
    frequency: Hertz, reference_frequency: Hertz, constant_power: Watts, reference_dynamic_power: Watts, exponent: Exponent
) -> Ratio:
    r"""Energy of compute-bound work at a frequency, relative to that at the reference frequency.

    $$\frac{E(f)}{E(f_r)} = \frac{f_r}{f}\,\frac{P(f)}{P_0 + P_r}$$

    Parameters
    ----------
    frequency : Hz, broadcast
        Clock frequency.
    reference_frequency : Hz, broadcast
        Frequency at which the dynamic power is known.
    constant_power : W, broadcast
        Power that does not depend on the clock.
    reference_dynamic_power : W, broadcast
        Dynamic power at the reference frequency.
    exponent : 1, broadcast
        1 at fixed voltage; 3 when the voltage follows the frequency.

    Returns
    -------
    1, broadcast
        Relative energy.

    Assumptions
    -----------
    Time is inversely proportional to the frequency.

    References
    ----------
    Derivation: energy is power times time, and time is proportional to 1/f.

    Examples
    --------
    Half of the clock doubles the time at (150 + 75) / 750 of the power.

    >>> round(relative_energy_at_frequency(1e9, 2e9, 150.0, 600.0, 3.0), 9)
    0.6
    """
    ratio = frequency / reference_frequency
    return (constant_power + reference_dynamic_power * ratio**exponent) / (ratio * (constant_power + reference_dynamic_power))
