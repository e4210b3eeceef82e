"""What a system can do, draws and costs, at every level from one chip to a datacenter.

All rates are peaks, dense, at the roof: nothing here says what a workload reaches. `METRICS` lists
the estimators by name; each takes a system, a number format and prices, and gives a tree.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from nvscale.composition import Network, System
from nvscale.errors import MissingFigure
from nvscale.estimate import Estimate, derived, figure, term, total
from nvscale.formats import Precision, precision
from nvscale.formulas import cost, facilities, roofline
from nvscale.settings import Prices

YEAR = 365.25 * 86400.0
"""Seconds in a year, as in the unit table."""
IS_A_ROOF = "peak dense rate, not what a workload reaches"
NO_FABRIC = "scale-out switches and optics are not in the figures of the parts"


def chip_count(system: System) -> Estimate:
    """Return the number of chips."""
    return term("chips", system.chips, "1", source=system.sources.get("chips"))


def performance(system: System, number_format: str | Precision, prices: Prices) -> Estimate:  # noqa: ARG001
    """Return the peak dense performance of all chips at a number format."""
    name = system.chip.rate_name(number_format)
    rate = term(f"{name} rate of {system.chip.name}", system.chip.rate(number_format), "flop/s", source=system.chip.source(f"peak.{name}"))
    wanted = precision(number_format).name
    assumptions = (IS_A_ROOF, *((f"{wanted} runs at the vector rate",) if name.endswith("vector") and wanted != name else ()))
    return derived("performance", system.peak(number_format), "flop/s", "chips x rate", chip_count(system), rate, assumptions=assumptions)


def _per_chip(name: str, field: str) -> Callable[[System, str | Precision, Prices], Estimate]:
    """An estimator of chips times one figure of the chip."""

    def estimate(system: System, number_format: str | Precision, prices: Prices) -> Estimate:  # noqa: ARG001
        value = system.chips * system.chip.figure(field)
        return derived(name, value, system.chip.unit_of(field), "chips x figure", chip_count(system), figure(system.chip, field))

    estimate.__doc__ = f"Return the {name} of all chips."
    return estimate


memory = _per_chip("memory", "memory")
memory_bandwidth = _per_chip("memory bandwidth", "memory_bandwidth")


def scaleup_bandwidth(system: System, number_format: str | Precision, prices: Prices) -> Estimate:  # noqa: ARG001
    """Return what all chips together can send into their scale-up domains, one way."""
    if not system.networks:
        alone = figure(system.chip, "scaleup_bandwidth")
        return derived("scale-up bandwidth", system.chips * system.chip.figure("scaleup_bandwidth"), "byte/s", "chips x bandwidth", alone)
    rate = figure(system.scaleup, "bandwidth", f"{system.scaleup.name} bandwidth of a chip, one way")
    return derived("scale-up bandwidth", system.scaleup_bandwidth, "byte/s", "chips x bandwidth", chip_count(system), rate)


def bisection_bandwidth(system: System, number_format: str | Precision, prices: Prices) -> Estimate:  # noqa: ARG001
    """Return what can cross the middle of the system, one way."""
    return derived(
        "bisection bandwidth", system.bisection_bandwidth, "byte/s", "bisection of the network that joins all", chip_count(system)
    )


def power(system: System, number_format: str | Precision, prices: Prices) -> Estimate:  # noqa: ARG001
    """Return the IT power: chips and parts."""
    return _rolled_up("power", "W", system.power_terms(), system)


def facility_power(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return the power drawn from the grid: IT power times PUE."""
    drawn = power(system, number_format, prices)
    value = facilities.facility_power(drawn.value, system.pue)
    return derived("facility power", value, "W", "power x PUE", drawn, figure(system, "pue", "PUE"))


def price(system: System, number_format: str | Precision, prices: Prices) -> Estimate:  # noqa: ARG001
    """Return the price of chips and parts; the basis is named among the assumptions."""
    tree = _rolled_up("price", "USD", system.price_terms(), system)
    tree.assumptions = (f"price basis: {system.price_basis}", NO_FABRIC)
    return tree


def _rolled_up(name: str, unit: str, terms: dict[str, Any], system: System) -> Estimate:
    """A roll-up as a tree: chips, and every part as often as it is there."""
    parts = {part.name: part.source(name) for part in system.parts}
    leaves = [
        term(f"{name} of {part}", value, unit, source=parts.get(part) or system.chip.source(name))
        for part, value in terms.items()
        if not (type(value) is float and value == 0.0 and part != "chips")
    ]
    return total(name, *leaves) if leaves else term(name, 0.0, unit)


def performance_per_watt(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return peak performance over IT power, in flop per joule."""
    top, bottom = performance(system, number_format, prices), power(system, number_format, prices)
    return derived("performance per watt", top.value / bottom.value, "flop/J", "performance / power", top, bottom)


def performance_per_dollar(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return peak performance over price, in flop/s per USD."""
    top, bottom = performance(system, number_format, prices), price(system, number_format, prices)
    return derived("performance per dollar", top.value / bottom.value, "flop/s/USD", "performance / price", top, bottom)


def energy_per_flop(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return the grid energy of one operation at the peak, in J/flop."""
    drawn, rate = facility_power(system, number_format, prices), performance(system, number_format, prices)
    return derived("energy per flop", drawn.value / rate.value, "J/flop", "facility power / performance", drawn, rate)


def cost_rate(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return what the system costs while it runs: capital recovery plus energy, in USD/s."""
    drawn = facility_power(system, number_format, prices)
    tariff = figure(prices, "energy_price")
    electricity = cost.energy_cost_rate(system.power, system.pue, prices.energy_price)
    burnt = derived("energy", electricity, "USD/s", "facility power x energy price", drawn, tariff)
    return total("cost rate", capital_rate(system, number_format, prices), burnt)


def capital_rate(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return what the price of a system costs over its life, in USD/s."""
    paid = price(system, number_format, prices)
    recovery = cost.capital_recovery_factor(prices.discount_rate, prices.life / YEAR)
    terms = [figure(prices, name) for name in ("discount_rate", "life")]
    factor = derived("capital recovery factor a year", recovery, "1", "r / (1 - (1 + r)^-n)", *terms)
    value = cost.capital_cost_rate(paid.value, recovery, YEAR)
    return derived("capital", value, "USD/s", "price x recovery factor / year", paid, factor)


def cost_per_flop(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return the cost of one operation at the peak and the utilisation of the prices, in USD/flop."""
    spent, rate = cost_rate(system, number_format, prices), performance(system, number_format, prices)
    used = figure(prices, "utilisation")
    value = cost.cost_per_flop(spent.value, rate.value, prices.utilisation)
    return derived("cost per flop", value, "USD/flop", "cost rate / (performance x utilisation)", spent, rate, used)


def ridge_point(system: System, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return the operational intensity from which compute binds and not memory."""
    rate, width = performance(system, number_format, prices), memory_bandwidth(system, number_format, prices)
    return derived("ridge point", roofline.ridge_point(rate.value, width.value), "flop/byte", "performance / memory bandwidth", rate, width)


class Metric(NamedTuple):
    """One way to look at a system."""

    name: str
    unit: str
    estimator: Callable[[System, str | Precision, Prices], Estimate]
    better: str  # "more" or "less"


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("performance", "flop/s", performance, "more"),
        Metric("memory bandwidth", "byte/s", memory_bandwidth, "more"),
        Metric("memory", "byte", memory, "more"),
        Metric("scale-up bandwidth", "byte/s", scaleup_bandwidth, "more"),
        Metric("bisection bandwidth", "byte/s", bisection_bandwidth, "more"),
        Metric("power", "W", power, "less"),
        Metric("facility power", "W", facility_power, "less"),
        Metric("price", "USD", price, "less"),
        Metric("performance per watt", "flop/J", performance_per_watt, "more"),
        Metric("performance per dollar", "flop/s/USD", performance_per_dollar, "more"),
        Metric("energy per flop", "J/flop", energy_per_flop, "less"),
        Metric("cost rate", "USD/s", cost_rate, "less"),
        Metric("cost per flop", "USD/flop", cost_per_flop, "less"),
        Metric("ridge point", "flop/byte", ridge_point, "more"),
    )
}


def measure_all(system: System, number_format: str | Precision, prices: Prices) -> tuple[dict[str, Estimate], dict[str, str]]:
    """Return every metric of a system that its known figures allow, and why each other one is missing."""
    known: dict[str, Estimate] = {}
    missing: dict[str, str] = {}
    for name, metric in METRICS.items():
        try:
            known[name] = metric.estimator(system, number_format, prices)
        except MissingFigure as problem:
            missing[name] = str(problem)
    return known, missing


def rooflines(system: System, number_format: str | Precision, prices: Prices) -> dict[str, dict[str, Estimate]]:
    """Return every known metric at every level of a system: chip, node, rack, ... datacenter.

    At each level below the last stands also the network ridge point: the flop a byte that leaves the
    level must bring so that the network outside does not bind.
    """
    levels: dict[str, dict[str, Estimate]] = {}
    for level, inner in system.levels().items():
        known, _ = measure_all(inner, number_format, prices)
        outside = next((network for network in system.networks if network.span > inner.chips < system.chips), None)
        levels[level] = (
            known if outside is None else known | {"network ridge point": network_ridge_point(inner, outside, number_format, prices)}
        )
    return levels


def network_ridge_point(system: System, outside: Network, number_format: str | Precision, prices: Prices) -> Estimate:
    """Return the flop per byte sent out from which compute binds and not the network outside."""
    rate = performance(system, number_format, prices)
    sent = derived("bandwidth out", system.chips * outside.bandwidth, "byte/s", "chips x bandwidth", figure(outside, "bandwidth"))
    ridge = roofline.ridge_point(rate.value, sent.value)
    return derived("network ridge point", ridge, "flop/byte", f"performance / bandwidth into {outside.name}", rate, sent)
