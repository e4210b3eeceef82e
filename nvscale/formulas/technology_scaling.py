"""Scaling of transistors: Dennard's rules and what is left of them when the voltage no longer falls.

The dimension scale s says how much smaller lines become (s = 1.41 halves the area); the voltage scale v
says how much lower the voltage becomes. Dennard scaling is v = s, the time after it v = 1.
"""

from nvscale.ops import minimum
from nvscale.unit_types import Ratio

__all__ = [
    "active_share",
    "density_scaling",
    "fixed_power_speed_up",
    "frequency_scaling",
    "power_density_scaling",
    "switching_energy_scaling",
]


def density_scaling(dimension_scale: Ratio) -> Ratio:
    r"""Growth of the number of transistors per area.

    $$s^2$$

    Parameters
    ----------
    dimension_scale : 1, broadcast
        Old over new dimension, at least 1.

    Returns
    -------
    1, broadcast
        Factor of density.

    Assumptions
    -----------
    All lateral dimensions shrink alike.

    References
    ----------
    Dennard et al., "Design of ion-implanted MOSFETs with very small physical dimensions", IEEE JSSC 9(5), 1974 (scaling rules).

    Examples
    --------
    >>> density_scaling(2.0)
    4.0
    """
    return dimension_scale**2


def frequency_scaling(dimension_scale: Ratio) -> Ratio:
    r"""Growth of the clock frequency at constant field.

    $$s$$

    Parameters
    ----------
    dimension_scale : 1, broadcast
        Old over new dimension, at least 1.

    Returns
    -------
    1, broadcast
        Factor of frequency.

    Assumptions
    -----------
    Gate delay falls with the dimension. At fixed voltage the ideal long-channel delay falls even faster (s²), but velocity
    saturation leaves about s, which is used here for both cases.

    References
    ----------
    Dennard et al., IEEE JSSC 9(5), 1974 (delay 1/s); M. B. Taylor, "Is dark silicon useful?", DAC 2012 (s after Dennard).

    Examples
    --------
    >>> frequency_scaling(1.4)
    1.4
    """
    return 1.0 * dimension_scale


def switching_energy_scaling(dimension_scale: Ratio, voltage_scale: Ratio) -> Ratio:
    r"""Change of the energy of one transistor switching.

    $$\frac{1}{s v^2}$$

    Parameters
    ----------
    dimension_scale : 1, broadcast
        Old over new dimension, at least 1.
    voltage_scale : 1, broadcast
        Old over new voltage: s for Dennard scaling, 1 for fixed voltage.

    Returns
    -------
    1, broadcast
        Factor of energy.

    Assumptions
    -----------
    The energy is C V² with a capacitance proportional to the dimension; no leakage.

    References
    ----------
    Derivation from C V²; Dennard et al., IEEE JSSC 9(5), 1974 gives 1/s³ for v = s.

    Examples
    --------
    >>> switching_energy_scaling(2.0, 2.0)
    0.125
    """
    return 1.0 / (dimension_scale * voltage_scale**2)


def power_density_scaling(dimension_scale: Ratio, voltage_scale: Ratio) -> Ratio:
    r"""Change of the power per area when every transistor switches at the new frequency.

    $$\frac{s^2}{v^2}$$

    Parameters
    ----------
    dimension_scale : 1, broadcast
        Old over new dimension, at least 1.
    voltage_scale : 1, broadcast
        Old over new voltage: s for Dennard scaling, 1 for fixed voltage.

    Returns
    -------
    1, broadcast
        Factor of power density: 1 under Dennard scaling, s² at fixed voltage.

    Assumptions
    -----------
    Density s², frequency s, energy 1/(s v²); no leakage.

    References
    ----------
    Derivation: product of the three factors. Dennard et al., IEEE JSSC 9(5), 1974 (1); Taylor, DAC 2012 (s²).

    Examples
    --------
    >>> power_density_scaling(1.4, 1.4)
    1.0
    >>> round(power_density_scaling(1.4, 1.0), 6)
    1.96
    """
    return (dimension_scale / voltage_scale) ** 2


def active_share(dimension_scale: Ratio, voltage_scale: Ratio) -> Ratio:
    r"""Share of a chip of the same area that can switch at full frequency within the same power.

    $$\min\left(1, \frac{v^2}{s^2}\right)$$

    Parameters
    ----------
    dimension_scale : 1, broadcast
        Old over new dimension, at least 1.
    voltage_scale : 1, broadcast
        Old over new voltage: s for Dennard scaling, 1 for fixed voltage.

    Returns
    -------
    1, broadcast
        Active share; the rest is dark silicon.

    Assumptions
    -----------
    The old chip was fully active at its power limit.

    References
    ----------
    Derivation: inverse of `power_density_scaling`, at most 1. Taylor, DAC 2012 (1/s² at fixed voltage).

    Examples
    --------
    Two generations of 1.4 at fixed voltage leave a quarter of the chip active.

    >>> round(active_share(1.4**2, 1.0), 2)
    0.26
    """
    return minimum(1.0, (voltage_scale / dimension_scale) ** 2)


def fixed_power_speed_up(dimension_scale: Ratio, voltage_scale: Ratio) -> Ratio:
    r"""Growth of the throughput of a chip of the same area and power.

    $$s^3 \min\left(1, \frac{v^2}{s^2}\right)$$

    Parameters
    ----------
    dimension_scale : 1, broadcast
        Old over new dimension, at least 1.
    voltage_scale : 1, broadcast
        Old over new voltage: s for Dennard scaling, 1 for fixed voltage.

    Returns
    -------
    1, broadcast
        Factor of throughput: s³ under Dennard scaling, s at fixed voltage.

    Assumptions
    -----------
    Throughput is active transistors times frequency; architecture and number formats stay.

    References
    ----------
    Derivation: density s² times frequency s times `active_share`.

    Examples
    --------
    >>> fixed_power_speed_up(2.0, 2.0), fixed_power_speed_up(2.0, 1.0)
    (8.0, 2.0)
    """
    return dimension_scale**3 * minimum(1.0, (voltage_scale / dimension_scale) ** 2)
