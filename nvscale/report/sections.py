"""The sections of the report, each a table made from the curves; nothing here is typed in."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nvscale import views
from nvscale.analysis.roadmap import Change, Curves
from nvscale.analysis.trends import Growth, fit_growth
from nvscale.catalogue import chips as find_chips
from nvscale.catalogue import system as find_system
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, MissingPrecision
from nvscale.estimators.fleets import METRICS
from nvscale.precisions import LADDER
from nvscale.report.tables import Cell, Table, times
from nvscale.settings import Prices
from nvscale.silicon import Chip

FLOATS = tuple(name for name in LADDER if not name.startswith("int"))
CHIP_TRACKS = ("lowest", "16-bit", "fp32-vector", "fp64-vector")
"""Number formats followed at chip level: the narrowest, the best 16-bit rate, and the vector rates."""


@dataclass(frozen=True)
class Report:
    """Everything `nvscale report` shows.

    Parameters
    ----------
    systems : Curves
        The lineage as sold, each at its narrowest format.
    chips : dict of str to Curves
        The lineage's chips, by number format.
    datacenter : Curves or None
        The lineage at one facility power; None where no system's power is known.
    tables : tuple of Table
        What is printed, in order.
    """

    systems: Curves
    chips: dict[str, Curves]
    datacenter: Curves | None
    tables: tuple[Table, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain data for JSON: SI numbers, None where a figure is missing."""
        return {
            "curves": {
                "system": {self.systems.precision: self.systems.to_dict()},
                "chip": {name: track.to_dict() for name, track in self.chips.items()},
                "datacenter": {} if self.datacenter is None else {self.datacenter.precision: self.datacenter.to_dict()},
            },
            "tables": {table.key: {"title": table.title, "rows": table.records(), "notes": list(table.notes)} for table in self.tables},
            "assumptions": assumptions(self.systems.prices),
        }


def build_report(
    systems: Sequence[str | System] | None = None, *, prices: Prices | None = None, power: Any = "100 MW", pue: Any = None
) -> Report:
    """Build the report for some systems; the NVIDIA lineage by default."""
    found = [find_system(one) for one in (views.lineage() if systems is None else systems)]
    paid = prices or views.prices()
    whole = views.curves(found, prices=paid)
    powered = [point.system for point in whole.points if "power" in point.metrics]
    site = views.curves(powered, level="datacenter", power=power, pue=pue, prices=paid) if powered else None
    chips = {name: track for name in CHIP_TRACKS if (track := _track(found, name, paid)) is not None}
    distinct = list(dict.fromkeys(point.system.chip for point in whole.points))
    tables = [
        ladder(distinct),
        ridge_points(distinct),
        chip_value(chips["lowest"]),
        systems_table(whole),
        levels_table([point.system for point in (site or whole).points]),
        *([] if site is None else [cost_curve(site)]),
        growth_table(whole, chips, site),
        growth_by_format(found, paid),
        whole_catalogue_growth(),
        *([baselines_table(whole)] if "performance" in whole.changes() else []),
        decomposition_table(whole),
    ]
    return Report(whole, chips, site, tuple(table for table in tables if table.rows))


def _track(systems: Sequence[System], number_format: str, prices: Prices) -> Curves | None:
    """Chip-level curves at a format, over the systems whose chip has it; None below two."""
    fitting = [s for s in systems if number_format == "lowest" or _has(s.chip, number_format)]
    return views.curves(fitting, number_format, level="chip", prices=prices) if fitting else None


def _has(chip: Chip, number_format: str) -> bool:
    try:
        return bool(chip.rate(number_format))
    except MissingPrecision:
        return False


def _rate(chip: Chip, number_format: str) -> float | None:
    return chip.rate(number_format) if _has(chip, number_format) else None


def ladder(chips: Sequence[Chip]) -> Table:
    """Peak dense rate by number format."""
    rows = [[chip.name, *(Cell(_rate(chip, name), "flop/s") for name in LADDER)] for chip in chips]
    vector = [f"fp16 of {c.name} is a vector rate" for c in chips if _has(c, "fp16") and c.rate_name("fp16") == "fp16_vector"]
    notes = ("dense, per package; the ladder is not x2 from format to format", *vector)
    return Table("number_formats", "Peak rate by number format", ["chip", *LADDER], rows, notes)


def ridge_points(chips: Sequence[Chip]) -> Table:
    """Ridge points by number format."""
    rows = [
        [
            chip.name,
            Cell(chip.memory_bandwidth, "byte/s"),
            *(Cell(chip.ridge_point(name) if _has(chip, name) else None, "flop/byte", 3) for name in LADDER),
        ]
        for chip in chips
    ]
    note = "operational intensity from which compute binds and not memory"
    return Table("ridge_points", "Ridge points", ["chip", "memory bandwidth", *LADDER], rows, (note,))


def chip_value(track: Curves) -> Table:
    """Per watt and per dollar at chip level."""
    rows = []
    for point in track.points:
        chip = point.system.chip
        power, price = chip.power, chip.price
        per_watt = [
            Cell(None if (r := _rate(chip, f)) is None or power is None else r / power, "flop/J")
            for f in ("fp64-vector", "16-bit", "fp8", "fp4")
        ]
        lowest = point.metrics["performance"].value
        per_dollar = Cell(None if price is None else lowest / price, "flop/s/USD")
        basis = _basis(chip)
        rows.append([chip.name, f"{point.year:.1f}", Cell(power, "W"), Cell(price, "USD"), basis, *per_watt, per_dollar])
    columns = [
        "chip",
        "shipped",
        "power",
        "price",
        "price basis",
        "fp64 vector per W",
        "16 bit per W",
        "fp8 per W",
        "fp4 per W",
        "lowest per USD",
    ]
    return Table("chip_value", "Chips per watt and per dollar", columns, rows, ("a price basis is part of every figure per dollar",))


def _basis(chip: Chip) -> str:
    source = chip.source("price")
    return f"{source.basis or source.kind} {source.date}".strip() if chip.price is not None else "-"


_SYSTEM_COLUMNS = (
    ("performance", "peak"),
    ("power", "power"),
    ("performance per watt", "per watt"),
    ("price", "price"),
    ("performance per dollar", "per USD"),
    ("memory bandwidth", "memory bandwidth"),
    ("scale-up bandwidth", "scale-up, one way"),
)


def systems_table(curves: Curves) -> Table:
    """The lineage as sold."""
    rows = [
        [
            point.name,
            f"{point.year:.1f}",
            Cell(point.system.chips),
            point.rate,
            *(Cell(point.value(metric), METRICS[metric].unit) for metric, _ in _SYSTEM_COLUMNS),
            point.price_basis or "-",
        ]
        for point in curves.points
    ]
    columns = ["system", "shipped", "chips", "rate", *(title for _, title in _SYSTEM_COLUMNS), "price basis"]
    return Table("systems", "Systems at the lowest dense precision", columns, rows)


def levels_table(sites: Sequence[System]) -> Table:
    """Every level from one chip to the datacenter."""
    metrics = ("performance", "memory bandwidth", "bisection bandwidth", "power", "facility power", "price", "cost rate")
    rows = []
    for site in sites:
        for level, known in views.rooflines(site).items():
            chips = known["performance"]["chips"].value
            cells = [Cell(known[m].value if m in known else None, METRICS[m].unit) for m in metrics[:-1]]
            hourly = Cell(known["cost rate"].value if "cost rate" in known else None, "USD/s")
            rows.append([site.name if level == "datacenter" else site.chip.name, level, Cell(chips), *cells, hourly])
    columns = ["what", "level", "chips", *metrics[:-1], "cost an hour"]
    return Table("levels", "Chip, node, rack, datacenter", columns, rows, ("power and price without scale-out switches and optics",))


def cost_curve(site: Curves) -> Table:
    """Energy and cost of one exaflop at the peak, over the years."""
    rows = []
    for point in site.points:
        joules, dollars = point.value("energy per flop"), point.value("cost per flop")
        rows.append(
            [
                point.system.chip.name,
                f"{point.year:.1f}",
                point.precision,
                Cell(point.value("performance"), "flop/s"),
                Cell(joules, "J/flop"),
                Cell(dollars, "USD/flop"),
                point.price_basis or "-",
            ]
        )
    columns = ["chip", "shipped", "precision", "peak of the site", "energy per flop", "cost of work", "price basis"]
    return Table("cost_curve", f"Energy and cost of work at the peak, {site.points[0].name.partition(' of ')[0]}", columns, rows)


_GROWTH_SHOWN = {
    ("chip", "one format"): ("performance",),
    ("datacenter", "lowest"): ("performance", "memory bandwidth", "price", "energy per flop", "cost per flop"),
}
"""Metrics shown by level and kind of track; all of them elsewhere."""


def growth_table(systems: Curves, chips: dict[str, Curves], site: Curves | None) -> Table:
    """Growth from first to last, and fitted, with what must be said about it."""
    rows: list[list[Any]] = []
    for curves in (systems, *chips.values(), *([] if site is None else [site])):
        track = "lowest" if curves.precision == "lowest" else "one format"
        shown = _GROWTH_SHOWN.get((curves.level, track), tuple(METRICS))
        for metric, change in curves.changes().items():
            if metric in shown:
                rows.append([f"{curves.level}, {curves.precision}", metric, *_change_cells(change)])
    columns = ["level, precision", "metric", "from", "to", "factor", "a year", "fitted a year", "interval", "n", "remarks"]
    return Table("growth", "Growth, first to last and fitted in log space", columns, rows, (f"intervals at {systems.confidence:.0%}",))


def _change_cells(change: Change) -> list[Any]:
    return [change.first, change.last, times(change.factor), times(change.per_year), *_fit_cells(change.fitted), "; ".join(change.remarks)]


def _fit_cells(fit: Growth) -> list[Any]:
    interval = "-" if fit.low is None else f"{times(fit.low, 3)} to {times(fit.high, 3)}"
    return [times(fit.per_year), interval, str(fit.points)]


def growth_by_format(systems: Sequence[System], prices: Prices) -> Table:
    """Growth per year of every number format, at chip and system level."""
    metrics = ("performance", "performance per watt", "performance per dollar")
    rows = []
    for name in FLOATS:
        fitting = [system for system in systems if _has(system.chip, name)]
        for level in ("chip", "system"):
            cells = [_yearly(fitting, name, level, metric, prices) for metric in metrics]
            years = sorted(system.shipped for system in fitting if system.shipped is not None)
            span = f"{years[0]:.1f} to {years[-1]:.1f}" if len(years) > 1 else "-"
            rows.append([name, level, str(len(fitting)), span, *cells])
    columns = ["precision", "level", "systems", "years", *(f"{metric} a year" for metric in metrics)]
    return Table(
        "growth_by_format",
        "Growth a year by number format, first to last",
        columns,
        rows,
        ("where two systems of different years have it",),
    )


def _yearly(systems: Sequence[System], number_format: str, level: str, metric: str, prices: Prices) -> str:
    try:
        return times(views.curves(systems, number_format, level=level, prices=prices).growth(metric).per_year)
    except (MissingFigure, InvalidInput):
        return "-"


def whole_catalogue_growth() -> Table:
    """Growth fitted over all data-centre chips of all vendors."""
    chips = [chip for chip in find_chips(market="data center") if chip.kind != "cpu" and chip.status != "cancelled"]
    rows = []
    for name in (*FLOATS, "16-bit"):
        for what, unit in (("performance", "flop/s"), ("performance per watt", "flop/J")):
            points = [
                (c.released, r if unit == "flop/s" else r / c.power)
                for c in chips
                if (r := _rate(c, name)) and c.released and (unit == "flop/s" or c.power)
            ]
            rows.append(_fit_row(f"{what}, {name}", points))
    for field, what in (("memory_bandwidth", "memory bandwidth"), ("memory", "memory"), ("power", "power"), ("transistors", "transistors")):
        rows.append(_fit_row(what, [(c.released, v) for c in chips if (v := getattr(c, field)) and c.released]))
    columns = ["what, of a chip", "factor a year", "interval", "n", "scatter"]
    note = "all vendors, by announcement; scatter is the standard deviation of the residuals as a factor"
    return Table(
        "catalogue_growth", "Growth over all data-centre accelerators of the catalogue", columns, [row for row in rows if row], (note,)
    )


def _fit_row(what: str, points: Sequence[tuple[float, float]]) -> list[Any]:
    if len({year for year, _ in points}) < 3:
        return []
    fit = fit_growth([year for year, _ in points], [value for _, value in points])
    return [what, *_fit_cells(fit), times(math.exp(fit.residual))]


def baselines_table(curves: Curves) -> Table:
    """What published growth rates would have given over the same years."""
    measured = curves.growth("performance")
    rows: list[list[Any]] = [
        [baseline.title, times(baseline.per_year), times(baseline.over(measured.years)), baseline.source.date, baseline.source.title]
        for baseline in views.baselines()
    ]
    own = [f"this lineage, {name}" for name in ("performance", "performance per watt", "performance per dollar")]
    for title, name in zip(own, ("performance", "performance per watt", "performance per dollar"), strict=True):
        try:
            change = curves.growth(name)
        except MissingFigure:
            continue
        rows.append([title, times(change.per_year), times(change.factor), "", "; ".join(change.remarks)])
    columns = ["growth", "a year", f"over {measured.years:.1f} years", "edition", "source"]
    return Table("baselines", "Against published growth rates", columns, rows)


def decomposition_table(curves: Curves) -> Table:
    """The exact decomposition of the gain from first to last."""
    rows = [
        [target, name, times(factor), f"{part.shares.get(name, math.nan):.1%}"]
        for target, part in curves.decomposition().items()
        for name, factor in (*part.factors.items(), ("total", part.total))
        if name != "total" or part.total
    ]
    for row in rows:
        if row[1] == "total":
            row[3] = "100.0%"
    first, last = curves.points[0].name, curves.points[-1].name
    columns = ["gain", "factor", "multiplier", "log share"]
    return Table("decomposition", f"What the gain is made of, {first} to {last}", columns, rows, ("factors multiply exactly to the total",))


def assumptions(prices: Prices) -> list[str]:
    """What the dollars and watts rest on, with sources."""
    lines = [f"{name.replace('_', ' ')}: {prices.source(name)}" for name in ("energy_price", "life", "discount_rate")]
    pue, source = views.default_pue()
    return [*lines, f"PUE of a datacenter {pue:g}: {source}", "peak dense rates at the roof, utilisation 1: not what a workload reaches"]
