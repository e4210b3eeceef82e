"""Facilities: power usage effectiveness, cooling, how many chips a site can power and what work they do."""

from nvscale.unit_types import Count, Flop, FlopPerSecond, Ratio, Seconds, Share, Watts

__all__ = [
    "chips_at_site",
    "cooling_power",
    "facility_power",
    "information_technology_power",
    "power_usage_effectiveness",
    "power_usage_effectiveness_at_load",
    "power_usage_effectiveness_from_cooling",
    "site_work",
]


def power_usage_effectiveness(information_technology: Watts, cooling: Watts, distribution_loss: Watts, other: Watts) -> Ratio:
    r"""Power usage effectiveness (PUE) from the parts of a facility's power.

    $$\mathrm{PUE} = \frac{P_{IT} + P_{cool} + P_{loss} + P_{other}}{P_{IT}}$$

    Parameters
    ----------
    information_technology : W, broadcast
        Power delivered to computing, storage and network equipment.
    cooling : W, broadcast
        Power of chillers, pumps and fans of the building.
    distribution_loss : W, broadcast
        Losses of transformers, converters and backup supplies.
    other : W, broadcast
        Lights, offices and the rest.

    Returns
    -------
    1, broadcast
        PUE, at least 1.

    Assumptions
    -----------
    Averages over the same period, best a year; fans inside servers count as equipment.

    References
    ----------
    The Green Grid, white paper 49, "PUE: a comprehensive examination of the metric", 2012 (definition).

    Examples
    --------
    >>> round(power_usage_effectiveness(10e6, 1.2e6, 0.6e6, 0.2e6), 6)
    1.2
    """
    return 1.0 + (cooling + distribution_loss + other) / information_technology


def power_usage_effectiveness_from_cooling(coefficient_of_performance: Ratio, overhead: Ratio) -> Ratio:
    r"""Power usage effectiveness of a facility whose heat is removed at a coefficient of performance.

    $$\mathrm{PUE} = 1 + \frac{1 + o}{\mathrm{COP}} + o$$

    Parameters
    ----------
    coefficient_of_performance : 1, broadcast
        Heat removed per energy that the cooling uses, above 0.
    overhead : 1, broadcast
        All other overhead (losses, lights) per equipment power; it becomes heat that is cooled too.

    Returns
    -------
    1, broadcast
        PUE.

    Assumptions
    -----------
    All equipment power and overhead become heat in the cooled space; cooling power is rejected outside.

    References
    ----------
    Derivation: heat P_IT (1 + o) divided by the coefficient of performance is the cooling power; insert into the definition of PUE.
    With o = 0 it is 1 + 1/COP.

    Examples
    --------
    >>> round(power_usage_effectiveness_from_cooling(10.5, 0.05), 6)
    1.15
    """
    return 1.0 + overhead + (1.0 + overhead) / coefficient_of_performance


def power_usage_effectiveness_at_load(load: Share, fixed_overhead: Ratio, proportional_overhead: Ratio) -> Ratio:
    r"""Power usage effectiveness of a facility of which part of the overhead runs at any load.

    $$\mathrm{PUE}(l) = 1 + b + \frac{a}{l}$$

    Parameters
    ----------
    load : 1, broadcast
        Power of the equipment over that which the facility was built for, above 0.
    fixed_overhead : 1, broadcast
        Overhead a that does not fall with the load, as a share of the equipment at full load.
    proportional_overhead : 1, broadcast
        Overhead b in proportion to the load.

    Returns
    -------
    1, broadcast
        Power usage effectiveness at this load.

    Assumptions
    -----------
    One climate; fans and pumps of variable speed fall with more than the first power of the load and are in neither term.

    References
    ----------
    Derivation: overhead = a + b l in units of the equipment at full load, over l.

    Examples
    --------
    1.15 at full load, two thirds of it fixed: 1.25 at half load.

    >>> round(power_usage_effectiveness_at_load(0.5, 0.10, 0.05), 3)
    1.25
    """
    return 1.0 + proportional_overhead + fixed_overhead / load


def cooling_power(heat: Watts, coefficient_of_performance: Ratio) -> Watts:
    r"""Power that cooling draws to remove heat.

    $$P_{cool} = \frac{\dot{Q}}{\mathrm{COP}}$$

    Parameters
    ----------
    heat : W, broadcast
        Heat to remove, equal to the electric power of the equipment.
    coefficient_of_performance : 1, broadcast
        Heat removed per energy that the cooling uses.

    Returns
    -------
    W, broadcast
        Power of the cooling.

    Assumptions
    -----------
    Steady state; the coefficient holds at the given temperatures.

    References
    ----------
    Definition of the coefficient of performance.

    Examples
    --------
    >>> cooling_power(10e6, 8.0)
    1250000.0
    """
    return heat / coefficient_of_performance


def facility_power(information_technology: Watts, usage_effectiveness: Ratio) -> Watts:
    r"""Power that a facility draws from the grid for its equipment.

    $$P_{site} = \mathrm{PUE} \cdot P_{IT}$$

    Parameters
    ----------
    information_technology : W, broadcast
        Power of the computing equipment.
    usage_effectiveness : 1, broadcast
        Power usage effectiveness (PUE), at least 1.

    Returns
    -------
    W, broadcast
        Power of the facility.

    Assumptions
    -----------
    PUE is constant over load; in truth part of the overhead is fixed and PUE rises at low load.

    References
    ----------
    The Green Grid, white paper 49, 2012, definition of PUE solved for the facility.

    Examples
    --------
    >>> round(facility_power(80e6, 1.25) / 1e6, 6)
    100.0
    """
    return information_technology * usage_effectiveness


def information_technology_power(site_power: Watts, usage_effectiveness: Ratio) -> Watts:
    r"""Power left for computing equipment out of a facility's power.

    $$P_{IT} = \frac{P_{site}}{\mathrm{PUE}}$$

    Parameters
    ----------
    site_power : W, broadcast
        Power of the facility.
    usage_effectiveness : 1, broadcast
        Power usage effectiveness (PUE), at least 1.

    Returns
    -------
    W, broadcast
        Power of the equipment.

    Assumptions
    -----------
    PUE is constant over load.

    References
    ----------
    The Green Grid, white paper 49, 2012, definition of PUE solved for the equipment.

    Examples
    --------
    >>> information_technology_power(100e6, 1.25) / 1e6
    80.0
    """
    return site_power / usage_effectiveness


def chips_at_site(site_power: Watts, usage_effectiveness: Ratio, power_per_chip: Watts) -> Ratio:
    r"""Chips that a site can power, as a real number (round down to build).

    $$n = \frac{P_{site}}{\mathrm{PUE}\,p}$$

    Parameters
    ----------
    site_power : W, broadcast
        Power of the facility.
    usage_effectiveness : 1, broadcast
        Power usage effectiveness; 1 if the power per chip already contains the overhead of the facility.
    power_per_chip : W, broadcast
        Power per chip with its share of server, network and storage.

    Returns
    -------
    1, broadcast
        Number of chips.

    Assumptions
    -----------
    Every chip may draw its full power at once (no oversubscription).

    References
    ----------
    Derivation: power of the equipment over the power per chip.

    Examples
    --------
    One gigawatt at 1,700 W per chip, all included.

    >>> round(chips_at_site(1e9, 1.0, 1700.0))
    588235
    """
    return site_power / (usage_effectiveness * power_per_chip)


def site_work(chips: Count, peak: FlopPerSecond, utilisation: Share, time: Seconds) -> Flop:
    r"""Operations that a number of chips performs in a time.

    $$W = n\,P\,u\,t$$

    Parameters
    ----------
    chips : 1, broadcast
        Number of chips.
    peak : flop/s, broadcast
        Peak rate of one chip.
    utilisation : 1, broadcast
        Share of the peak that is reached over the whole time (model FLOP utilisation times goodput).
    time : s, broadcast
        Duration.

    Returns
    -------
    flop, broadcast
        Operations.

    Assumptions
    -----------
    All chips work on the same task at the same utilisation.

    References
    ----------
    Derivation: rate times time.

    Examples
    --------
    588,235 chips of 989 TFLOP/s at 40 % for 90 days.

    >>> round(site_work(588235.0, 989e12, 0.4, 90 * 86400.0) / 1e27, 4)
    1.8095
    """
    return chips * peak * utilisation * time
