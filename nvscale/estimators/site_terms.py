"""Prices and terms of a site: what was given, and defaults with their sources."""

from dataclasses import dataclass
from typing import Any

from nvscale.catalogue import default
from nvscale.composition import System
from nvscale.errors import InvalidInput, unknown
from nvscale.estimate import Estimate, term
from nvscale.provenance import GIVEN
from nvscale.settings import Prices
from nvscale.units import Unit

METHODS = ("annuity", "straight line")
HELD = "the price of the systems holds the scale-out network"
NOT_HELD = "the scale-out network is a share of all capital, beside the price of the systems"


@dataclass(frozen=True, slots=True)
class SiteTerms:
    """Prices and terms of a site, each an estimate with its source."""

    prices: Prices
    life: Estimate
    facility_life: Estimate
    facility_capex: Estimate
    network_share: Estimate
    operation: Estimate
    utilisation: Estimate
    goodput: Estimate
    oversubscription: Estimate
    power_per_chip: Estimate | None
    precision: str
    method: str
    grid: Any
    extra: dict[str, Estimate]
    notes: tuple[str, ...]


def site_terms(
    system: System,
    *,
    power_per_chip: Any = None,
    precision: str = "bf16",
    oversubscription: Any = 1.0,
    prices: Prices | None = None,
    energy_price: Any = None,
    life: Any = None,
    discount_rate: Any = None,
    facility_capex: Any = None,
    facility_life: Any = None,
    network_share: Any = None,
    operation: Any = None,
    maintenance: Any = None,
    staff: Any = None,
    method: str = "annuity",
    mfu: Any = None,
    goodput: Any = None,
    grid: Any = None,
) -> SiteTerms:
    """Return prices and terms with the defaults filled in."""
    from nvscale import views

    if method not in METHODS:
        raise unknown("method", method, METHODS)
    changes = {"energy_price": energy_price, "life": life, "discount_rate": discount_rate}
    paid = (prices or views.prices()).replace(**{name: value for name, value in changes.items() if value is not None})
    extra = {
        name: term(name, Unit("USD/s", ">=0").si(value, f"site: {name}"), "USD/s", source=GIVEN)
        for name, value in (("maintenance", maintenance), ("staff", staff))
        if value is not None
    }
    share = _network(system, network_share)
    if carrier_is_one(share.value):
        raise InvalidInput("site: network_share = 1 leaves nothing for the systems")
    return SiteTerms(
        prices=paid,
        life=term("life", paid.life, "s", source=paid.source("life")),
        facility_life=_given("facility_life", facility_life, "s"),
        facility_capex=_given("facility_capex", facility_capex, "USD/W"),
        network_share=share,
        operation=_given("operation", operation, "USD/W/s"),
        utilisation=_given("mfu", mfu, "1"),
        goodput=_given("goodput", goodput, "1", "training-run"),
        oversubscription=term("oversubscription", Unit("1", ">=1").si(oversubscription, "site: oversubscription"), "1"),
        power_per_chip=None if power_per_chip is None else _given("power_per_chip", power_per_chip, "W"),
        precision=precision,
        method=method,
        grid=grid,
        extra=extra,
        notes=(),
    )


def carrier_is_one(value: Any) -> bool:
    """Whether a plain number is 1."""
    return type(value) is float and value >= 1.0


def _given(name: str, value: Any, unit: str, entry: str = "site") -> Estimate:
    shown = name.replace("_", " ")
    if value is not None:
        return term(shown, Unit(unit, ">=0").si(value, f"site: {name}"), unit, source=GIVEN)
    number, source = default().number("assumptions", entry, name, unit)
    leaf = term(shown, number, unit, source=source)
    leaf.low, leaf.high = source.low, source.high
    return leaf


def _network(system: System, given: Any) -> Estimate:
    """The share of the scale-out network in all capital: 0 where the price of the systems holds it."""
    if given is not None:
        return _given("network_share", given, "1")
    holding = default().entry("assumptions", "prices-with-network").table["documents"]
    if any(part.source("price").document in holding for part in system.parts if part.price):
        return term("network share", 0.0, "1", assumptions=(HELD,))
    leaf = _given("network_share", None, "1")
    leaf.assumptions = (NOT_HELD,)
    return leaf
