"""`site_cost_per_token`: what a served token costs at a site, with everything that the site costs."""

from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.estimate import Estimate, derived, term
from nvscale.estimators.fleets import YEAR
from nvscale.estimators.serving import Served, serving
from nvscale.estimators.sites import Site, site
from nvscale.formulas import cost
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.silicon import Chip
from nvscale.units import Unit
from nvscale.workloads.serving import Serving

MILLION = 1e6
EACH = "every system of the site serves the given users or rate"


class TokenCost(Estimate):
    """USD per million output tokens at a site, with `["tokens per second"]`, `site` and `served`; `by` is the site's.

    Parameters
    ----------
    tree : Estimate
        How the cost is made.
    where : Site
        The site.
    served : Served
        One system of it under load.
    """

    __slots__ = ("served", "site")

    def __init__(self, tree: Estimate, where: Site, served: Served) -> None:
        super().__init__(tree.name, tree.value, tree.unit, how=tree.how, terms=tree.terms, assumptions=tree.assumptions)
        self.site, self.served = where, served

    @property
    def by(self) -> Any:
        """What limits the site."""
        return self.site.by

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        rate = self["tokens per second"].value
        return f"{self.name}: {self.value:.3g} USD per million output tokens, {rate:,.0f} tokens/s; {self.by} binds"


def site_cost_per_token(
    work: Serving,
    system: "System | Chip | str",
    power: Any = None,
    energy_price: Any = None,
    life: Any = None,
    *,
    budget: Any = None,
    chips: Any = None,
    plan: Parallelism | None = None,
    engine: Any = "generic",
    utilisation: Any = 1.0,
    served: Served | None = None,
    **terms: Any,
) -> TokenCost:
    """Return what an output token costs at a site that serves one load on each of its systems.

    Parameters
    ----------
    work : Serving
        Model, lengths, users or rate of one system.
    system : System, Chip or str
        What the site is made of.
    power : W, optional
        Facility power of the site; `budget` and `chips` limit it too.
    energy_price : USD/J, optional
        Price of energy, e.g. "0.06 USD/kWh".
    life : s, optional
        Useful life of systems and network, e.g. "5 year".
    budget : USD, optional
        Capital of the site.
    chips : 1, optional
        Chips that can be had.
    plan : Parallelism, optional
        Layout of one instance, as for `serving`.
    engine : ServingEngine or str
        Software, as for `serving`.
    utilisation : 1
        Average load over the year, above 0.
    served : Served, optional
        The load on one system, where it is known already.
    terms : any
        As for `site`.

    Returns
    -------
    TokenCost
        USD per million output tokens; `["tokens per second"]`, `["yearly cost"]`, `site`, `served`.

    Raises
    ------
    InvalidInput, MissingFigure
        As for `site` and `serving`.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=64, precision="fp8")
    >>> dear = site_cost_per_token(work, "dgx-h200", "10 MW", "0.12 USD/kWh")
    >>> cheap = site_cost_per_token(work, "dgx-h200", "10 MW", "0.06 USD/kWh")
    >>> 0.0 < cheap.value < dear.value < 100.0
    True
    """
    placed = catalogue.system(system)
    where = site(placed, power=power, budget=budget, chips=chips, energy_price=energy_price, life=life, **terms)
    found = serving(work, placed, plan, engine=engine, prices=where.used.prices) if served is None else served
    busy = term("utilisation", Unit("1", "(0,1]").si(utilisation, "site_cost_per_token: utilisation"), "1")
    one = found["tokens per second"]
    rate = where.terms["systems"].value * one.value
    made = derived(
        "tokens per second", rate, "token/s", "systems x tokens per second of a system", where.terms["systems"], one, assumptions=(EACH,)
    )
    paid = where["yearly cost"]
    value = cost.cost_per_token(paid.value / YEAR, rate, busy.value)
    name = f"usd per million tokens of {work.model.name or 'a model'} at a {where.name}"
    tree = derived(name, MILLION * value, "USD", "yearly cost / (tokens per second x utilisation x year) x 1e6", paid, made, busy)
    return TokenCost(tree, where, found)
