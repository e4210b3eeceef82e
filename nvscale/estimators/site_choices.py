"""Choices about sites: which system, which mix under two limits, how long to keep it, and what to use it for."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate, derived, term
from nvscale.estimators.fleets import YEAR
from nvscale.estimators.rents import rent_of
from nvscale.estimators.sites import HOUR, Site, capex_of_a_system, provisioned, site
from nvscale.estimators.system_power import with_pue
from nvscale.formulas import investment
from nvscale.ops import minimum
from nvscale.units import Unit

GOALS = ("training flop per month", "usd per training flop", "yearly cost", "capex", "chips")
SMALLER = ("usd per training flop", "yearly cost", "capex")
NEWER_SET_THE_PRICE = "newer chips set the price of the output: it falls as their performance per price grows"


def compare_sites(systems: "Sequence[System | str]", *, by: str = "training flop per month", **limits: Any) -> list[tuple[Site, float]]:
    """Return a site of each system under the same limits with its score, best first; systems without the figures are left out.

    Parameters
    ----------
    systems : sequence of System or str
        What to choose from.
    by : str
        "training flop per month", "usd per training flop", "yearly cost", "capex" or "chips".
    limits : any
        `power`, `budget` and terms, as for `site`.

    Examples
    --------
    For a fixed power the newer system trains more.

    >>> [found.system.name for found, score in compare_sites(["dgx-a100", "dgx-h100", "gb200-nvl72"], power="100 MW")]
    ['gb200-nvl72', 'dgx-h100', 'dgx-a100']
    """
    if by not in GOALS:
        raise unknown("goal", by, GOALS)
    found = []
    for system in systems:
        try:
            made = site(system, **limits)
            found.append((made, score(made, by)))
        except MissingFigure:
            continue
    return sorted(found, key=lambda row: row[1] if by in SMALLER else -row[1])


def score(where: Site, by: str) -> float:
    """Return the figure of a site that a goal names."""
    if by == "usd per training flop":
        return float(where["yearly cost"].value / (12.0 * where["training flop per month"].value))
    return float(where[by].value)


class Mix(dict[str, Site]):
    """Sites of several systems that share a power and a budget, by system; `["..."]` is one of them.

    Parameters
    ----------
    sites : dict of str to Site
        What each part holds.
    """

    def total(self, result: str) -> float:
        """Return a result summed over the parts: "chips", "capex", "yearly cost", "power", "training flop per month"."""
        return float(sum(one[result].value for one in self.values()))

    def __str__(self) -> str:
        parts = ", ".join(f"{one.value:,.0f} chips of {name}" for name, one in self.items())
        return f"{parts}: {self.total('power') / 1e6:,.1f} MW, {self.total('capex') / 1e9:,.3g} billion USD"


def mixed_site(shares: "dict[str, Any]", *, power: Any = None, budget: Any = None, **terms: Any) -> Mix:
    """Return a site of several systems, each with its share of the power and of the budget.

    Parameters
    ----------
    shares : dict of str to 1
        Share of the limits by name of system; at most 1 in all.
    power : W, optional
        Facility power of the whole.
    budget : USD, optional
        Capital of the whole.
    terms : any
        As for `site`.

    Examples
    --------
    >>> print(mixed_site({"dgx-h100": 0.5, "gb200-nvl72": 0.5}, power="100 MW", pue=1.2))
    32,672 chips of dgx-h100, 24,984 chips of gb200-nvl72: 100.0 MW, 3.7 billion USD
    """
    if not 0.0 < sum(shares.values()) <= 1.0 + 1e-12:
        raise InvalidInput(f"mixed_site: the shares sum to {sum(shares.values()):g}; wanted more than 0 and at most 1")
    watts = None if power is None else Unit("W").si(power, "mixed_site: power")
    money = None if budget is None else Unit("USD").si(budget, "mixed_site: budget")
    return Mix(
        {
            name: site(name, power=None if watts is None else watts * share, budget=None if money is None else money * share, **terms)
            for name, share in shares.items()
            if share > 0.0
        }
    )


def best_mix(systems: Sequence[str], *, power: Any, budget: Any, **terms: Any) -> Mix:
    """Return the mix of systems that trains most under a power and a budget together.

    Parameters
    ----------
    systems : sequence of str
        What to choose from.
    power : W
        Facility power.
    budget : USD
        Capital.
    terms : any
        As for `site`.

    Returns
    -------
    Mix
        One system where one limit binds alone; at most two where both do.

    Examples
    --------
    Little power and much money: the system with most performance per watt; much power and little money: per USD.

    >>> list(best_mix(["dgx-h100", "gb200-nvl72"], power="10 MW", budget="10 BUSD"))
    ['gb200-nvl72']
    """
    watts, money = Unit("W").si(power, "best_mix: power"), Unit("USD").si(budget, "best_mix: budget")
    rows = {}
    for name in systems:
        one = site(name, power=watts, **terms)
        work = one["training flop per month"].value / one.terms["systems"].value
        rows[name] = (provisioned(one.system, one.used), capex_of_a_system(one.system, one.used).value, work)
    corners = [({name: min(watts / p, money / c)}, min(watts / p, money / c) * work) for name, (p, c, work) in rows.items()]
    for (a, (p, c, work)), (b, (q, d, other)) in combinations(rows.items(), 2):
        determinant = p * d - q * c
        if determinant == 0.0:
            continue
        first, second = (watts * d - money * q) / determinant, (money * p - watts * c) / determinant
        if first > 1.0 and second > 1.0:
            corners.append(({a: first, b: second}, first * work + second * other))
    counts, _ = max(corners, key=lambda corner: corner[1])
    sizes = {name: with_pue(catalogue.system(name), terms.get("pue")).chips * int(count + 1e-9) for name, count in counts.items()}
    return Mix({name: site(name, chips=size, **terms) for name, size in sizes.items()})


def earnings_decline(decline: Any = None) -> Estimate:
    """Return by what share the price of a chip's output falls a year: as given, or from performance per price."""
    if decline is not None:
        return term("decline a year", Unit("1", "[0,1]").si(decline, "decline"), "1")
    growth, source = catalogue.default().number("trends", "epoch-price-performance-2026", "growth", "1")
    grown = term("growth of performance per price", growth, "1", source=source)
    return derived("decline a year", 1.0 - 1.0 / growth, "1", "1 - 1 / growth", grown, assumptions=(NEWER_SET_THE_PRICE,))


def retirement_age(where: Site, *, rent: Any = None, decline: Any = None) -> Estimate:
    r"""Return the age at which the earnings of a site no longer cover energy and operation.

    $$t = \frac{\ln (e / o)}{-\ln (1 - d)}$$

    Parameters
    ----------
    where : Site
        The site.
    rent : USD/s or str, optional
        What a new chip-hour earns; the newest published rent otherwise.
    decline : 1, optional
        Share by which that falls a year; from the growth of performance per price otherwise.

    Returns
    -------
    Estimate
        Age in seconds; `["earnings"]` and `["operating cost"]` in USD per chip and second.

    Examples
    --------
    >>> found = retirement_age(site("dgx-h100", power="100 MW"), rent="2.5 USD/h", decline=0.3)
    >>> 5 < found.value / YEAR < 10
    True
    """
    earned, falls = rent_of(where.system.chip, rent), earnings_decline(decline)
    running = operating_cost(where)
    earnings = derived("earnings", earned.value, "USD/s", "rent of a new chip", earned)
    years = investment.economic_life(earned.value, running.value, falls.value)
    return derived("retirement age", years * YEAR, "s", "ln(earnings / operating cost) / -ln(1 - decline)", earnings, running, falls)


def operating_cost(where: Site) -> Estimate:
    """Return what a chip of a site costs to run, without capital, in USD/s."""
    yearly = where["yearly cost"]
    parts = [part for name, part in yearly.terms.items() if name not in ("systems", "network", "facility")]
    paid = sum(part.value for part in parts) / (where.value * YEAR)
    return derived("operating cost", paid, "USD/s", "energy, operation, maintenance and staff / chips / year", *parts)


def life_cycle(
    where: Site, *, training: Any = "2 year", serving: float = 0.6, rent: Any = None, decline: Any = None
) -> dict[str, Estimate]:
    """Return what a site earns that first trains and then serves, until its retirement.

    Parameters
    ----------
    where : Site
        The site.
    training : s
        How long it trains, always busy.
    serving : 1
        Utilisation afterwards.
    rent : USD/s or str, optional
        What a new chip-hour earns; the newest published rent otherwise.
    decline : 1, optional
        Share by which that falls a year.

    Returns
    -------
    dict of str to Estimate
        "training", "serving" and "operation" in USD over the life, "capex", "surplus", and "retirement age" in s.

    Examples
    --------
    >>> found = life_cycle(site("dgx-h100", power="100 MW"), rent="2.5 USD/h")
    >>> found["training"].value > found["serving"].value > 0.0
    True
    """
    first = Unit("s").si(training, "life_cycle: training") / YEAR
    busy = term("utilisation of serving", Unit("1", "(0,1]").si(serving, "life_cycle: serving"), "1")
    falls = earnings_decline(decline)
    earned = rent_of(where.system.chip, rent)
    age = retirement_age(where, rent=earned.value * busy.value, decline=falls.value)
    end = age.value / YEAR if age.value / YEAR > first else first
    first = minimum(first, end)
    new = where.value * earned.value * YEAR
    trained = derived(
        "training", investment.declining_earnings(new, falls.value, 0.0, first), "USD", "earnings while it trains", earned, falls
    )
    served_value = busy.value * investment.declining_earnings(new, falls.value, first, end)
    served = derived("serving", served_value, "USD", "earnings while it serves", earned, falls, busy)
    ran = derived("operation", operating_cost(where).value * where.value * YEAR * end, "USD", "operating cost x life", age)
    bought = where["capex"]
    surplus = trained.value + served.value - ran.value - bought.value
    rest = derived("surplus", surplus, "USD", "training + serving - operation - capex, not discounted", trained, served, ran, bought)
    return {"training": trained, "serving": served, "operation": ran, "capex": bought, "surplus": rest, "retirement age": age}


def market_comparison(where: Site, rent: Any = None) -> Estimate:
    """Return what a chip-hour of a site costs over what it rents for.

    Parameters
    ----------
    where : Site
        The site.
    rent : USD/s or str, optional
        Market rent; the newest published one otherwise.

    Examples
    --------
    >>> 0.2 < market_comparison(site("dgx-h100", power="100 MW")).value < 1.0
    True
    """
    own, market = where["usd per chip hour"], rent_of(where.system.chip, rent)
    return derived("cost over rent", own.value / (market.value * HOUR), "1", "usd per chip hour / rent", own, market)
