"""`site`: what a power, a budget or a number of chips holds of a system, what it costs a year, and what limits it."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, derived, figure, show, term, total
from nvscale.estimators.fleets import YEAR
from nvscale.estimators.runs import grid_intensity
from nvscale.estimators.site_terms import SiteTerms, site_terms
from nvscale.estimators.system_power import chip_load, system_power, with_pue
from nvscale.formulas import cost, energy_use, facilities, investment
from nvscale.ops import ARRAY, FLOAT, carrier, floor, minimum
from nvscale.silicon import Chip
from nvscale.units import Unit

MONTH = YEAR / 12.0
HOUR = 3600.0
FLAT_OUT = "the site runs at this load all year"


class Site(Estimate):
    """What a site holds, as a number of chips, and what follows from it by name.

    `["systems"]`, `["chips"]`, `["power"]`, `["capex"]`, `["yearly cost"]`, `["usd per chip hour"]`, `["energy a year"]`,
    `["carbon a year"]`, `["training flop per month"]`, `["peak bf16"]` and other formats; `by` says what limits it,
    `shares()` how the yearly cost divides.

    Parameters
    ----------
    system : System
        One system of those that the site is made of.
    terms : SiteTerms
        Prices and terms.
    limits : dict of str to Estimate
        How many systems each limit allows.
    """

    __slots__ = ("_made", "_makers", "limits", "load", "system", "used")

    def __init__(self, system: System, used: SiteTerms, limits: Mapping[str, Estimate], load: Estimate | None) -> None:
        self.system, self.used, self.limits, self.load = system, used, dict(limits), load
        fewest = floor(functools.reduce(minimum, [one.value for one in limits.values()]))
        if carrier(fewest) == FLOAT and fewest < 1.0:
            raise InvalidInput(f"site: {self.by} holds not one {system.name}: {_needs(system, used)}")
        systems = Estimate("systems", fewest, "1", how="least of, rounded down", terms=self.limits)
        each = term("chips of a system", system.chips, "1", source=system.sources.get("chips"))
        name = f"site of {system.name}"
        super().__init__(name, fewest * system.chips, "1", how="systems x chips", terms={"systems": systems, each.name: each})
        self._made: dict[str, Estimate] = {}
        self._makers: dict[str, Callable[[], Estimate]] = {
            "chips": lambda: derived("chips", self.value, "1", "systems x chips", systems, each),
            "IT power": lambda: self["power"]["IT power"],
            "power": self._power,
            "memory": lambda: derived("memory", self.value * self.system.chip.figure("memory"), "byte", "chips x memory", self["chips"]),
            "capex": self._capex,
            "yearly cost": self._yearly_cost,
            "usd per chip hour": self._per_chip_hour,
            "energy a year": self._energy,
            "carbon a year": self._carbon,
            "training flop per month": lambda: self.training("1 month"),
        }

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a term by name or dotted path; "peak fp8" for the peak at a format."""
        head, dot, rest = path.partition(".")
        if head.startswith("peak "):
            return self.peak(head.removeprefix("peak "))
        if head not in self._makers:
            return super().__getitem__(path)
        if head not in self._made:
            self._made[head] = self._makers[head]()
        return self._made[head][rest] if dot else self._made[head]

    @property
    def by(self) -> Any:
        """What limits the site: "power", "budget", "chips" or "network"; for arrays an index array and the names."""
        names = tuple(self.limits)
        values = [limit.value for limit in self.limits.values()]
        if any(carrier(value) == ARRAY for value in values):
            import numpy as np

            return np.argmin(np.stack(np.broadcast_arrays(*values)), axis=0).astype(np.int8), names
        return names[values.index(min(values))]

    def peak(self, precision: str) -> Estimate:
        """Return the peak dense rate of all chips at a number format, in flop/s."""
        chip = self.system.chip
        rate = term(f"rate of {chip.name}", chip.rate(precision), "flop/s", source=chip.source(f"peak.{chip.rate_name(precision)}"))
        return derived(f"peak {precision}", self.value * rate.value, "flop/s", "chips x rate", self["chips"], rate)

    def peaks(self) -> dict[str, Estimate]:
        """Return the peak at every number format that the chip has."""
        return {name: self.peak(name) for name in self.system.chip.precisions()}

    def training(self, time: Any = "1 month", *, mfu: Any = None, goodput: Any = None, precision: str | None = None) -> Estimate:
        """Return the useful operations of training in a time, in flop: chips x peak x utilisation x goodput x time."""
        used = self.used.utilisation if mfu is None else term("mfu", Unit("1", "[0,1]").si(mfu, "training: mfu"), "1")
        share = self.used.goodput if goodput is None else term("goodput", Unit("1", "[0,1]").si(goodput, "training: goodput"), "1")
        length = term("time", Unit("s").si(time, "training: time"), "s")
        rate = self.system.chip.rate(precision or self.used.precision)
        work = facilities.site_work(self.value, rate, used.value * share.value, length.value)
        peak = self.peak(precision or self.used.precision)
        return derived("training flop", work, "flop", "peak x mfu x goodput x time", peak, used, share, length)

    def shares(self) -> dict[str, Any]:
        """Return the share of each part in the yearly cost; they sum to 1."""
        whole = self["yearly cost"]
        return {name: part.value / whole.value for name, part in whole.terms.items()}

    # ------------------------------------------------------------------ how they are made

    @property
    def _systems(self) -> Any:
        return self.terms["systems"].value

    def _power(self) -> Estimate:
        if self.used.power_per_chip is not None:
            each = self.used.power_per_chip
            drawn = derived("power", self.value * each.value, "W", "chips x power of a chip, all in", self["chips"], each)
            drawn.terms["IT power"] = term("IT power", drawn.value / self.system.pue, "W")
            return drawn
        one = system_power(self.system, self.load)
        made = derived("power", self._systems * one.value, "W", "systems x facility power", self.terms["systems"], one)
        made.terms["IT power"] = term("IT power", self._systems * one["IT power"].value, "W")
        return made

    def _capex(self) -> Estimate:
        per_system = capex_of_a_system(self.system, self.used)
        parts = [
            derived(name, self._systems * part.value, "USD", "systems x each", part, assumptions=part.assumptions)
            for name, part in per_system.terms.items()
        ]
        made = total("capex", *parts)
        made.assumptions = per_system.assumptions
        return made

    def _yearly_cost(self) -> Estimate:
        bought, used = self["capex"], self.used
        lives = {"systems": used.life, "network": used.life, "facility": used.facility_life}
        parts = [_recovered(name, part, lives[name], used) for name, part in bought.terms.items()]
        energy = self["energy a year"]
        paid = cost.energy_cost(energy.value, used.prices.energy_price)
        parts.append(derived("energy", paid, "USD", "energy a year x price", energy, figure(used.prices, "energy_price")))
        inside = self._systems * it_nameplate(self.system, used)
        parts.append(derived("operation", inside * used.operation.value * YEAR, "USD", "IT nameplate power x rate x year", used.operation))
        for name, part in used.extra.items():
            parts.append(derived(name, part.value * YEAR, "USD", "rate x year", part))
        return total("yearly cost", *parts)

    def _energy(self) -> Estimate:
        drawn = self["power"]
        return derived(
            "energy a year", energy_use.average_power_energy(drawn.value, YEAR), "J", "power x year", drawn, assumptions=(FLAT_OUT,)
        )

    def _carbon(self) -> Estimate:
        energy, grid = self["energy a year"], grid_intensity(self.used.grid)
        return derived("carbon a year", energy_use.emissions(energy.value, grid.value), "g", "energy x grid intensity", energy, grid)

    def _per_chip_hour(self) -> Estimate:
        paid = self["yearly cost"]
        return derived("usd per chip hour", paid.value / self.value * HOUR / YEAR, "USD", "yearly cost / chips / hours of a year", paid)

    # ------------------------------------------------------------------ how they are shown

    def all_assumptions(self) -> list[str]:
        """Return every assumption of the site and of its results, each once."""
        found = [text for name in self._makers for text in _quietly(self, name, Estimate.all_assumptions, [])]
        return list(dict.fromkeys([*super().all_assumptions(), *self.used.notes, *found]))

    def explain(self, depth: int = 99) -> str:
        """Return the site and its results as trees of text, and below them what was assumed."""
        shown = ("power", "capex", "yearly cost", "training flop per month")
        trees = [text for name in shown if (text := _quietly(self, name, lambda tree: tree.explain(depth), ""))]
        return "\n".join([super().explain(depth), *trees, *(f"assumed: {text}" for text in self.all_assumptions())])

    def to_dict(self) -> dict[str, Any]:
        """Return the site as plain data for JSON, in SI base units."""
        results = {name: found for name in self._makers if (found := _quietly(self, name, lambda tree: tree.to_dict(), None))}
        peaks = {name: peak.value for name, peak in self.peaks().items()}
        plain = super().to_dict() | {"by": self.by, "peak_flop_per_s": peaks, "results": results, "assumptions": self.all_assumptions()}
        return plain | ({"shares": self.shares()} if "yearly cost" in results else {})

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        lines = [f"{self.name}: {self.value:,.0f} chips in {self._systems:,.0f} systems, {show(self['power'].value, 'W')}; {self.by} binds"]
        lines.append("  peak: " + ", ".join(f"{name} {show(peak.value, 'flop/s')}" for name, peak in self.peaks().items()))
        month = self["training flop per month"]
        use = f"{100.0 * month['mfu'].value:.1f} % MFU, goodput {month['goodput'].value:.3g}"
        lines.append(f"  training: {month.value:.3g} flop a month in {self.used.precision} at {use}")
        try:
            capex, yearly = self["capex"], self["yearly cost"]
        except MissingFigure as problem:
            return "\n".join([*lines, f"  cost: {problem}"])
        lines.append(f"  capex: {_money(capex.value)} = {_parts(capex)} ({self.system.price_basis})")
        shares = ", ".join(f"{name} {100.0 * share:.1f} %" for name, share in self.shares().items() if share)
        lines.append(f"  a year: {_money(yearly.value)} ({shares}); {self['usd per chip hour'].value:.3g} USD per chip-hour")
        others = ", ".join(f"{name} {math.floor(limit.value):,}" for name, limit in self.limits.items())
        return "\n".join([*lines, f"  systems that each limit holds: {others}"])


def site(
    system: "System | Chip | str",
    *,
    power: Any = None,
    budget: Any = None,
    chips: Any = None,
    network_chips: Any = None,
    pue: Any = None,
    power_per_chip: Any = None,
    load: Any = "nameplate",
    precision: str = "bf16",
    oversubscription: Any = 1.0,
    **terms: Any,
) -> Site:
    """Return what a site holds of a system under a power, a budget or a number of chips, and what it costs.

    Parameters
    ----------
    system : System, Chip or str
        What it is made of, in whole systems.
    power : W, optional
        Facility power, cooling included.
    budget : USD, optional
        Capital for systems, network and facility together.
    chips : 1, optional
        Chips that can be had.
    network_chips : 1, optional
        Chips that one scale-out network joins: k^3 / 4 in a three-layer fat tree of switches with k ports.
    pue : 1, optional
        Power usage effectiveness; the system's own where it has one above 1, else the default assumption.
    power_per_chip : W, optional
        Facility power of a chip with everything around it, in place of the power of the system x PUE.
    load : str, Estimate or W
        Average load, for the energy, as for `power`: "nameplate", "training", "decode" ...
    precision : str
        Number format of training.
    oversubscription : 1
        How much more nameplate power is connected than the feed carries.
    terms : any
        Prices and terms: `prices`, `energy_price`, `life`, `discount_rate`, `facility_capex` (USD/W of IT power), `facility_life`,
        `network_share` (of all capital), `operation` (USD/W/year of IT power), `staff`, `maintenance` (USD/year), `method`
        ("annuity" or "straight line"), `mfu`, `goodput`, `grid`. What is not given is a default with its source.

    Returns
    -------
    Site
        Its value is the number of chips; results by name.

    Raises
    ------
    InvalidInput
        No limit, or one that holds not one system.
    MissingFigure
        A power or price that is not known, when it is asked for.

    Examples
    --------
    One gigawatt of H100 at 1,700 W each, all in.

    >>> found = site("h100-sxm", power="1 GW", power_per_chip="1700 W")
    >>> found.value, f"{found.training('90 day', mfu=0.4, goodput=1).value:.2e}"
    (588235.0, '1.81e+27')
    """
    placed = with_pue(catalogue.system(system), 1.0 if power_per_chip is not None and pue is None else pue)
    used = site_terms(placed, power_per_chip=power_per_chip, precision=precision, oversubscription=oversubscription, **terms)
    limits: dict[str, Estimate] = {}
    if power is not None:
        feed = term("power of the site", Unit("W").si(power, "site: power"), "W")
        each = derived("power of a system", provisioned(placed, used), "W", "nameplate x PUE / oversubscription")
        limits["power"] = derived("power", feed.value / each.value, "1", "power / power of a system", feed, each)
    if budget is not None:
        money = term("budget", Unit("USD").si(budget, "site: budget"), "USD")
        each = capex_of_a_system(placed, used)
        limits["budget"] = derived("budget", money.value / each.value, "1", "budget / capex of a system", money, each)
    if chips is not None:
        supply = term("chips to be had", Unit("1", ">=1").si(chips, "site: chips"), "1")
        limits["chips"] = derived("chips", supply.value / placed.chips, "1", "chips / chips of a system", supply)
    if network_chips is not None:
        joined = term("chips of one network", Unit("1", ">=1").si(network_chips, "site: network_chips"), "1")
        limits["network"] = derived("network", joined.value / placed.chips, "1", "chips of one network / chips of a system", joined)
    if not limits:
        raise InvalidInput("site: say what limits it: power='100 MW', budget='1 BUSD' or chips=10_000")
    return Site(placed, used, limits, chip_load(placed.chip, load, precision))


def provisioned(system: System, used: SiteTerms) -> Any:
    """Return the facility power that one system needs."""
    if used.power_per_chip is not None:
        return system.chips * used.power_per_chip.value
    return facilities.facility_power(system.power, system.pue) / used.oversubscription.value


def it_nameplate(system: System, used: SiteTerms) -> Any:
    """Return the IT power of one system that the facility is built for."""
    return provisioned(system, used) / system.pue


def capex_of_a_system(system: System, used: SiteTerms) -> Estimate:
    """Return the capital of one system with its share of network and facility."""
    leaves = [term(f"price of {name}", value, "USD") for name, value in system.price_terms().items()]
    paid = total("systems", *leaves)
    paid.assumptions = (f"price basis: {system.price_basis}",)
    watts = term("IT power of a system", it_nameplate(system, used), "W")
    built = derived("facility", used.facility_capex.value * watts.value, "USD", "facility capex x IT power", used.facility_capex, watts)
    share = used.network_share
    wires = (paid.value + built.value) * share.value / (1.0 - share.value)
    net = derived("network", wires, "USD", "share of all capital", share, assumptions=share.assumptions)
    return total("capex of a system", paid, net, built)


def _recovered(name: str, capital: Estimate, life: Estimate, used: SiteTerms) -> Estimate:
    """What a part of the capital costs a year."""
    years = life.value / YEAR
    if used.method == "straight line":
        return derived(name, investment.straight_line_depreciation(capital.value, years), "USD", "capex / life", capital, life)
    rate = figure(used.prices, "discount_rate")
    paid = cost.capital_cost_per_period(capital.value, rate.value, years)
    return derived(name, paid, "USD", "capex x capital recovery factor", capital, life, rate)


def _needs(system: System, used: SiteTerms) -> str:
    needed = f"one draws {show(provisioned(system, used), 'W')}"
    try:
        return f"{needed} and costs {show(capex_of_a_system(system, used).value, 'USD')} with its facility"
    except MissingFigure:
        return needed


def _quietly(site: Site, name: str, take: Callable[[Estimate], Any], otherwise: Any) -> Any:
    """A result, where its figures are known."""
    try:
        return take(site[name])
    except MissingFigure:
        return otherwise


def _money(value: Any) -> str:
    return f"{value / 1e9:,.3g} billion USD" if value >= 1e9 else f"{value / 1e6:,.3g} million USD"


def _parts(tree: Estimate) -> str:
    return " + ".join(f"{name} {_money(part.value)}" for name, part in tree.terms.items() if part.value)
