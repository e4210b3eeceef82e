"""Performance, energy and cost-reduction curves over systems and years, with growth and its factors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.analysis.decomposition import Decomposition, decompose
from nvscale.analysis.forecasts import Trend, fit_trend
from nvscale.analysis.trends import Growth, fit_growth
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate
from nvscale.estimators.fleets import METRICS, measure_all
from nvscale.formats import Precision, precision
from nvscale.formulas import growth
from nvscale.ops import FLOAT, carrier
from nvscale.provenance import Source
from nvscale.record import walk
from nvscale.settings import Prices
from nvscale.units import readable

LOWEST = "lowest"
LEVELS = ("chip", "system", "datacenter")


@dataclass(frozen=True, slots=True)
class Point:
    """One system of a curve: when (and whether shipped or announced then), at which format, every metric, why some are missing."""

    system: System
    year: float
    dated: str
    precision: str
    rate: str
    metrics: Mapping[str, Estimate]
    missing: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name of the system, or of the chip at chip level."""
        return self.system.name

    @property
    def price_basis(self) -> str:
        """Which price the dollars are; empty where none is known."""
        return self.system.price_basis if "price" in self.metrics else ""

    def value(self, metric: str) -> float | None:
        """The metric in SI, or None where a figure is missing."""
        return self.metrics[metric].value if metric in self.metrics else None


@dataclass(frozen=True, slots=True)
class Change:
    """How a metric changed from the first to the last system that has it, and the fit through all."""

    metric: str
    first: str
    last: str
    years: float
    factor: float
    per_year: float
    fitted: Growth
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        remarks = f"  [{'; '.join(self.remarks)}]" if self.remarks else ""
        return f"{self.metric}: x{readable(self.factor, '1')} = {self.per_year:.2f}x a year; fitted {self.fitted}{remarks}"


@dataclass(frozen=True)
class Curves:
    """Curves of one level and number format over systems.

    Parameters
    ----------
    level : str
        chip, system or datacenter.
    precision : str
        Number format, or "lowest": each at the narrowest floating-point format it has.
    points : tuple of Point
        By year.
    prices : Prices
        What dollars rest on.
    confidence : float
        Level of the intervals of fitted growth rates.
    skipped : tuple of str
        Systems left out because they lack the number format.
    """

    level: str
    precision: str
    points: tuple[Point, ...]
    prices: Prices
    confidence: float = 0.90
    skipped: tuple[str, ...] = ()

    def growth(self, metric: str = "performance") -> Change:
        """Return the change of a metric from the first to the last system that has it."""
        if metric not in METRICS:
            raise unknown("metric", metric, METRICS)
        known = [(point, value) for point in self.points if (value := point.value(metric)) is not None]
        if len({point.year for point, _ in known}) < 2:
            reasons = {why for point in self.points for name, why in point.missing.items() if name == metric}
            raise MissingFigure("; ".join([f"growth of {metric} needs two systems of different years that have it", *sorted(reasons)]))
        (first, v0), (last, v1) = known[0], known[-1]
        years = last.year - first.year
        fit = fit_growth([point.year for point, _ in known], [value for _, value in known], self.confidence)
        change = growth.growth_factor(v0, v1, years)
        return Change(metric, first.name, last.name, years, v1 / v0, change, fit, _remarks(metric, first, last))

    def trend(self, metric: str = "performance", *, shape: str = "exponential", points: str = "all") -> Trend:
        """Return a trend of a metric with forecast and intervals, through all systems that have it.

        >>> import nvscale
        >>> print(nvscale.curves(level="chip").trend("memory bandwidth"))
        memory bandwidth of a chip, exponential, 9 points 2016.3 to 2026.7: 1.357x a year (1.30 to 1.42 at 90%)
        """
        self.growth(metric)  # refuses what is not there
        known = [(point.year, value) for point in self.points if (value := point.value(metric)) is not None]
        years, values = zip(*known, strict=True)
        name = f"{metric} of a {self.level}"
        return fit_trend(
            years, values, shape=shape, points=points, confidence=self.confidence, name=name, unit=METRICS[metric].unit
        )  # fmt: skip

    def changes(self) -> dict[str, Change]:
        """Return the change of every metric that at least two systems have."""
        found = {}
        for metric in METRICS:
            try:
                found[metric] = self.growth(metric)
            except MissingFigure:
                continue
        return found

    def decomposition(self) -> dict[str, Decomposition]:
        """Return the exact log-space decomposition of the change between the first and the last system; empty for one."""
        if len(self.points) < 2:
            return {}
        return decompose(self.points[0].system, self.points[-1].system, self.points[0].precision, self.points[-1].precision)

    def __getitem__(self, name: str) -> Point:
        """Return the point of a system by name."""
        found = {point.name: point for point in self.points}
        if name not in found:
            raise unknown("system", name, found)
        return found[name]

    def records(self) -> list[dict[str, Any]]:
        """Return a plain row per system: SI numbers under names with units, None where unknown."""
        return [
            {
                "name": point.name,
                "year": round(point.year, 3),
                "dated": point.dated,
                "chips": point.system.chips,
                "precision": point.precision,
                "rate": point.rate,
                **{f"{metric} ({METRICS[metric].unit})": point.value(metric) for metric in METRICS},
                "price basis": point.price_basis,
            }
            for point in self.points
        ]

    def to_pandas(self) -> Any:
        """Return the rows as a pandas DataFrame (needs the `sweep` extra)."""
        from nvscale.errors import MissingDependency

        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas is not installed; run: pip install 'nvscale[sweep]'") from None
        return pd.DataFrame(self.records())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        return {
            "level": self.level,
            "precision": self.precision,
            "skipped": list(self.skipped),
            "systems": self.records(),
            "missing": {point.name: dict(point.missing) for point in self.points if point.missing},
            "growth": {metric: _change_dict(change) for metric, change in self.changes().items()},
            "decomposition": {name: part.to_dict() for name, part in self.decomposition().items()},
        }

    def __str__(self) -> str:
        head = f"{self.level} level, {self.precision} precision, {len(self.points)} systems"
        rows = [
            f"{point.year:.1f}  {point.name:24} {point.precision:6} "
            + "  ".join(f"{metric} {point.metrics[metric].__str__().partition(': ')[2]}" for metric in _SHOWN if metric in point.metrics)
            for point in self.points
        ]
        return "\n".join([head, *rows, *(str(change) for name, change in self.changes().items() if name in _SHOWN)])


_SHOWN = ("performance", "performance per watt", "performance per dollar", "memory bandwidth", "scale-up bandwidth")


def _remarks(metric: str, first: Point, last: Point) -> tuple[str, ...]:
    """What a reader must know before believing the ratio."""
    remarks = []
    if METRICS[metric].unit.partition("/")[0] == "USD" or "dollar" in metric:
        mixed = "" if first.price_basis == last.price_basis else "mixes price bases: "
        remarks.append(f"{mixed}{first.price_basis} against {last.price_basis}")
    if metric.startswith(("performance", "energy per", "cost per", "ridge")):
        unnamed = [p for p in (first, last) if p.rate.endswith("_vector") and not p.precision.endswith("-vector")]
        remarks += [f"{p.precision} is a vector rate on {p.system.chip.name}" for p in unnamed]
    remarks += [f"{point.name} is dated by its announcement" for point in (first, last) if point.dated != "shipped"]
    return (*remarks, *_uncertain(metric, first), *_uncertain(metric, last))


def _uncertain(metric: str, point: Point) -> list[str]:
    """Figures of the metric that are estimates, with their range."""
    found = []
    for _, node in point.metrics[metric].nodes():
        source = node.source
        if source is None or source.kind != "estimate" or source.low is None or source.high is None or node.name.endswith("of Prices"):
            continue
        span = f"{readable(source.low, node.unit)} to {readable(source.high, node.unit)}"
        found.append(f"{node.name}, {point.name}, is an estimate: {source.printed}, range {span}")
    return list(dict.fromkeys(found))


def _change_dict(change: Change) -> dict[str, Any]:
    fit = change.fitted
    fitted = {"per_year": fit.per_year, "low": fit.low, "high": fit.high, "points": fit.points, "confidence": fit.confidence}
    return {
        "from": change.first,
        "to": change.last,
        "years": change.years,
        "factor": change.factor,
        "per_year": change.per_year,
        "fitted": fitted,
        "remarks": list(change.remarks),
    }


def build_curves(
    systems: Sequence[System],
    prices: Prices,
    *,
    number_format: str = LOWEST,
    level: str = "system",
    power: Any = "100 MW",
    pue: Any = 1.0,
    pue_source: Source | None = None,
    confidence: float = 0.90,
    skipped: tuple[str, ...] = (),
) -> Curves:
    """Return the curves of systems at a level; a system without the number format is refused by name."""
    if level not in LEVELS:
        raise unknown("level", level, LEVELS)
    for system in systems:
        _refuse_spread(system)
    if not systems:
        raise InvalidInput("curves: the list of systems is empty; write e.g. ['dgx-a100', 'dgx-h100']")
    levelled = [_at_level(system, level, power, pue, pue_source) for system in systems]
    points = [_point(system, number_format, prices) for system in levelled]
    return Curves(level, number_format, tuple(sorted(points, key=lambda point: point.year)), prices, confidence, skipped)


def _refuse_spread(system: System) -> None:
    """A curve has one number a year: arrays and symbols belong into rooflines() or a sweep."""
    for leaf in walk(system):
        if carrier(leaf.value) != FLOAT:
            raise InvalidInput(f"curves: {leaf.path} of {system.name} is no single number; give a float, or use rooflines()")


def _at_level(system: System, level: str, power: Any, pue: Any, pue_source: Source | None) -> System:
    """The system at a level, in a facility of a PUE; a default PUE gives way to the system's own."""
    housed = with_pue(system, pue, pue_source)
    if level == "chip":
        return housed.alone(1).replace(name=system.chip.name, sources={"pue": housed.source("pue")})
    return housed.within(power=power) if level == "datacenter" else housed


def with_pue(system: System, pue: Any, source: Source | None) -> System:
    """Return the system with a PUE; one with a source is a default and gives way to the system's own."""
    if source is None:
        return system.replace(pue=pue)
    return system if system.pue != 1.0 else system.replace(pue=pue, sources={**system.sources, "pue": source})


def _point(system: System, number_format: str, prices: Prices) -> Point:
    wanted: Precision = system.chip.lowest_precision() if number_format == LOWEST else precision(number_format)
    known, missing = measure_all(system, wanted, prices)
    year = system.shipped if system.shipped is not None else system.released
    if year is None:
        raise MissingFigure(f"{system.name}: neither a shipment nor an announcement date is known; give one with replace(shipped=2025.5)")
    return Point(
        system, year, "shipped" if system.shipped is not None else "announced", wanted.name, system.chip.rate_name(wanted), known, missing
    )
