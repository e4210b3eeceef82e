"""The views of the catalogue that people ask for by name: prices, curves, rooflines, baselines."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.analysis.roadmap import LOWEST, Curves, build_curves, with_pue
from nvscale.catalogue import default
from nvscale.catalogue import system as find_system
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingPrecision, unknown
from nvscale.estimate import Estimate
from nvscale.estimators import fleets
from nvscale.formats import LADDER
from nvscale.formulas import growth
from nvscale.provenance import Source
from nvscale.settings import Failures, Prices
from nvscale.silicon import Chip

_DEFAULTS = "default-prices"


def prices(**changes: Any) -> Prices:
    """Return energy price, cost of capital and useful life, with sources; keywords change them.

    >>> round(prices(energy_price="0.06 USD/kWh").energy_price * 3.6e6, 4)
    0.06
    """
    units = {"energy_price": "USD/J", "life": "s", "discount_rate": "1"}
    found = {name: default().number("assumptions", _DEFAULTS, name, unit) for name, unit in units.items()}
    plain = Prices(**{name: value for name, (value, _) in found.items()}, sources={name: source for name, (_, source) in found.items()})
    return plain.replace(**changes) if changes else plain


_find_prices = prices  # callers have a parameter of that name


def failures(name: str = "llama-3.1-405b", **changes: Any) -> Failures:
    """Return how often the nodes of a published run or fleet failed, and what an interruption costs; keywords change it.

    Parameters
    ----------
    name : str
        An entry of the fleets of the catalogue.
    changes : any
        Fields of `Failures`.

    Returns
    -------
    Failures
        Planned stops counted; checkpoint and restart times by default where the run did not publish its own.

    Examples
    --------
    >>> round(failures("llama-3.1-405b").failure_rate * 1000 * 86400, 2)
    4.21
    """
    catalogue = default()
    known = catalogue.figures("fleets", name)
    rate, source = catalogue.number("fleets", name, "failure_rate", "1/s")
    if "planned_rate" in known:
        rate = rate + catalogue.number("fleets", name, "planned_rate", "1/s")[0]
    values: dict[str, Any] = {"failure_rate": rate}
    sources: dict[str, Source] = {"failure_rate": source}
    for field in ("checkpoint_time", "restart_time", "checkpoint_interval"):
        if field in known:
            values[field], sources[field] = catalogue.number("fleets", name, field, "s")
        elif field != "checkpoint_interval":
            values[field], sources[field] = catalogue.number("assumptions", "training-run", field, "s")
    found = Failures(name=catalogue.entry("fleets", name).name, sources=sources, **values)
    return found.replace(**changes) if changes else found


def default_pue() -> tuple[float, Source]:
    """Return the PUE assumed when none is given, and its source."""
    return default().number("assumptions", _DEFAULTS, "pue", "1")


def lineage() -> tuple[str, ...]:
    """Return the names of the systems that the report follows by default, oldest first."""
    return tuple(default().entry("assumptions", "lineage").table["systems"])


def curves(
    systems: "Sequence[str | System] | None" = None,
    precision: str = LOWEST,
    *,
    level: str = "system",
    prices: Prices | None = None,
    power: Any = "100 MW",
    pue: Any = None,
    confidence: float = 0.90,
) -> Curves:
    """Return performance, energy and cost-reduction curves over systems and years.

    Parameters
    ----------
    systems : sequence of str or System, optional
        Names or records; the NVIDIA lineage of the report by default.
    precision : str
        A number format, or "lowest": each system at the narrowest floating-point format it has.
    level : str
        "chip", "system" (as sold) or "datacenter" (as many as a facility power holds).
    prices : Prices, optional
        Energy price, cost of capital, life; `nvscale.prices()` by default.
    power : W
        Facility power of the datacenter level.
    pue : 1, optional
        Power usage effectiveness of the datacenter level; the default assumption otherwise.
    confidence : float
        Level of the intervals of the fitted growth rates.

    Returns
    -------
    Curves
        `growth(metric)`, `decomposition()`, `to_pandas()`, `to_dict()`; print it to read it.

    Raises
    ------
    UnknownName, MissingPrecision, MissingFigure, InvalidInput
        A name, format, date or level that does not exist.

    Examples
    --------
    >>> growth = curves(["dgx-1-p100", "vera-rubin-nvl72"]).growth("performance")
    >>> round(growth.factor), round(growth.per_year, 2)
    (14858, 2.52)
    """
    found = [find_system(one) for one in (lineage() if systems is None else _listed(systems))]
    reasons = {} if precision == LOWEST else {system.name: why for system in found if (why := _unserved(system.chip, precision))}
    if reasons and systems is not None:
        raise MissingPrecision(f"{next(iter(reasons.values()))}; leave out {', '.join(reasons)}, or take precision='lowest'")
    effectiveness, origin = default_pue() if pue is None else (pue, None)
    return build_curves(
        [system for system in found if system.name not in reasons],
        prices or _find_prices(),
        number_format=precision,
        level=level,
        power=power,
        pue=effectiveness,
        pue_source=origin,
        confidence=confidence,
        skipped=tuple(reasons),
    )


def _unserved(chip: Chip, number_format: str) -> str:
    """Why a chip cannot serve a number format; empty where it can."""
    try:
        chip.rate(number_format)
    except MissingPrecision as problem:
        return str(problem)
    return ""


def _listed(systems: "Sequence[str | System]") -> "Sequence[str | System]":
    if isinstance(systems, str | System):
        return [systems]
    if not isinstance(systems, Iterable):
        raise InvalidInput(f"curves: {systems!r} is no list of systems; write e.g. ['dgx-a100', 'dgx-h100']")
    return list(systems)


def rooflines(system: "str | System | Chip", precision: str = LOWEST, *, prices: Prices | None = None) -> dict[str, dict[str, Estimate]]:
    """Return every known metric at every level of a system, from one chip outward.

    A system without a PUE of its own is taken to stand in a facility of the default PUE.

    >>> list(rooflines("gb200-nvl72", "fp4"))
    ['chip', 'node', 'rack']
    """
    found = with_pue(find_system(system), *default_pue())
    wanted = _lowest(found.chip) if precision == LOWEST else precision
    return fleets.rooflines(found, wanted, prices or _find_prices())


def _lowest(chip: Chip) -> str:
    """The narrowest format of a chip; of one without a rate any, so that the rest of it is shown."""
    has = any(not name.startswith("int") for name in chip.precisions())
    return str(chip.lowest_precision().name) if has else LADDER[0]


@dataclass(frozen=True, slots=True)
class Baseline:
    """A published growth rate, with its edition."""

    name: str
    title: str
    per_year: float
    source: Source

    def over(self, years: float) -> float:
        """The factor over so many years."""
        return float(growth.compounded_value(1.0, self.per_year, years))


def baselines(names: Iterable[str] | None = None, *, metric: str | None = None) -> tuple[Baseline, ...]:
    """Return published growth rates: Moore, Huang's law, Epoch's trends, the talk's 2x and 3x.

    Without names those that a metric of the curves is compared with; without a metric those of all.

    >>> round(baselines(["huangs-law-2023"])[0].over(10.0))
    999
    """
    catalogue = default()
    by_metric: dict[str, list[str]] = catalogue.entry("assumptions", "baselines").table["metrics"]
    if metric is not None and metric not in by_metric:
        raise unknown("baseline for the metric", metric, by_metric)
    chosen = [name for key, listed in by_metric.items() if metric in (None, key) for name in listed]
    wanted = dict.fromkeys(chosen) if names is None else names
    found = []
    for name in wanted:
        value, source = catalogue.number("trends", name, "growth", "1")
        found.append(Baseline(name, catalogue.entry("trends", name).table.get("title", name), value, source))
    return tuple(found)
