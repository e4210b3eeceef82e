"""Tables of growth: first to last and fitted, by number format, over the whole catalogue, against baselines, by factor."""

import math
from collections.abc import Sequence
from typing import Any

from nvscale import views
from nvscale.analysis.roadmap import Change, Curves
from nvscale.analysis.trends import Growth, fit_growth
from nvscale.catalogue import chips as find_chips
from nvscale.composition import System
from nvscale.estimators.fleets import METRICS
from nvscale.formats import LADDER
from nvscale.report.chip_tables import has_rate, rate_or_none
from nvscale.report.system_tables import price_notes
from nvscale.report.tables import Cell, Factor, Interval, Percent, Remarks, Table
from nvscale.settings import Prices

FLOATS = tuple(name for name in LADDER if not name.startswith("int"))

_SITE_METRICS = ("performance", "memory bandwidth", "price", "energy per flop", "cost per flop")
"""Metrics that change at a fixed facility power."""
_COLUMNS = ("factor", "a year", "fitted a year", "interval", "n", "remarks")


def growth_table(curves: Curves) -> Table:
    """Growth of every metric from first to last, and fitted, with what must be said about it."""
    shown = _SITE_METRICS if curves.level == "datacenter" else tuple(METRICS)
    changes = {metric: change for metric, change in curves.changes().items() if metric in shown}
    remarks = _Remarks()
    rows = [[metric, *_change_cells(change, remarks)] for metric, change in changes.items()]
    first, last = curves.points[0], curves.points[-1]
    title = f"Growth, {curves.level} level: {first.name} to {last.name}, {last.year - first.year:.1f} years"
    notes = (f"fitted in log space over n systems, interval at {curves.confidence:.0%}; ÷ is a fall", *remarks.notes())
    return Table(f"growth_{curves.level}", title, ["metric", *_COLUMNS], rows, notes)


def chip_growth_table(tracks: dict[str, Curves]) -> Table:
    """Growth at chip level: every metric at the narrowest format, performance at the others."""
    remarks = _Remarks()
    rows = [
        [f"{metric}, {name}" if metric == "performance" else metric, *_change_cells(change, remarks)]
        for name, curves in tracks.items()
        for metric, change in curves.changes().items()
        if name == "lowest" or metric == "performance"
    ]
    track = tracks["lowest"]
    first, last = track.points[0], track.points[-1]
    title = f"Growth, chip level: {first.name} to {last.name}, {last.year - first.year:.1f} years"
    return Table("growth_chip", title, ["metric", *_COLUMNS], rows, remarks.notes())


class _Remarks:
    """Remarks collected under a table, each once, with a number that stands in the rows."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def cell(self, remarks: Sequence[str]) -> Remarks:
        numbers = (self._numbers.setdefault(remark, len(self._numbers) + 1) for remark in remarks)
        return Remarks(list(remarks), tuple(numbers))

    def notes(self) -> tuple[str, ...]:
        return tuple(f"[{number}] {remark}" for remark, number in self._numbers.items())


def _change_cells(change: Change, remarks: _Remarks) -> list[Any]:
    return [Factor(change.factor), Factor(change.per_year), *_fit_cells(change.fitted), remarks.cell(change.remarks)]


def _fit_cells(fit: Growth) -> list[Any]:
    return [Factor(fit.per_year), Interval(fit.low, fit.high), Cell(float(fit.points))]


SHORTEST = 1.0
"""Years between first and last below which a rate a year says nothing."""
_COMPARED = ("performance", "performance per watt", "performance per dollar")


def growth_by_format(systems: Sequence[System], prices: Prices) -> Table:
    """Growth per year of every number format, at chip and system level."""
    remarks = _Remarks()
    rows: list[list[Any]] = []
    for name in FLOATS:
        fitting = [system for system in systems if has_rate(system.chip, name)] if len(systems) > 1 else []
        for level in ("chip", "system") if fitting else ():
            curves = views.curves(fitting, name, level=level, prices=prices)
            rows.append([name, level, *_yearly(curves, remarks)])
    columns = ["precision", "level", "systems", "years", *(f"{metric} a year" for metric in _COMPARED), "remarks"]
    notes = (f"where systems at least {SHORTEST:g} year apart have it", *remarks.notes())
    return Table("growth_by_format", "Growth a year by number format, first to last", columns, rows, notes)


def _yearly(curves: Curves, remarks: _Remarks) -> list[Any]:
    """Systems, their years, the yearly factors, and which prices the one per dollar rests on."""
    years = [point.year for point in curves.points]
    changes = {metric: change for metric, change in curves.changes().items() if metric in _COMPARED and change.years >= SHORTEST}
    said = [remark for change in changes.values() for remark in change.remarks if "against" in remark]
    cells = [Factor(changes[metric].per_year if metric in changes else None) for metric in _COMPARED]
    return [Cell(float(len(years))), f"{years[0]:.1f} to {years[-1]:.1f}", *cells, remarks.cell(list(dict.fromkeys(said)))]


def whole_catalogue_growth() -> Table:
    """Growth fitted over all data-centre chips of all vendors."""
    chips = [chip for chip in find_chips(market="data center", status="shipped") if chip.kind != "cpu" and not chip.unread]
    rows = []
    for name in (*FLOATS, "16-bit"):
        for what, unit in (("performance", "flop/s"), ("performance per watt", "flop/J")):
            points = [
                (c.released, r if unit == "flop/s" else r / c.power)
                for c in chips
                if (r := rate_or_none(c, name)) and c.released and (unit == "flop/s" or c.power)
            ]
            rows.append(_fit_row(f"{what}, {name}", points))
    for field, what in (("memory_bandwidth", "memory bandwidth"), ("memory", "memory"), ("power", "power"), ("transistors", "transistors")):
        rows.append(_fit_row(what, [(c.released, v) for c in chips if (v := getattr(c, field)) and c.released]))
    columns = ["what, of a chip", "factor a year", "interval", "n", "scatter"]
    note = "shipped parts of all vendors, by announcement; scatter is the standard deviation of the residuals as a factor"
    return Table(
        "catalogue_growth", "Growth over all data-centre accelerators of the catalogue", columns, [row for row in rows if row], (note,)
    )


def _fit_row(what: str, points: Sequence[tuple[float, float]]) -> list[Any]:
    if len({year for year, _ in points}) < 3:
        return []
    fit = fit_growth([year for year, _ in points], [value for _, value in points])
    return [what, *_fit_cells(fit), Factor(math.exp(fit.residual))]


def baselines_table(curves: Curves) -> Table:
    """What published growth rates would have given over the same years, metric by metric."""
    remarks = _Remarks()
    rows: list[list[Any]] = []
    changes = curves.changes()
    for metric in _COMPARED:
        if metric not in changes:
            continue
        change = changes[metric]
        rows.append([metric, "these systems", Factor(change.per_year), Factor(change.factor), "", remarks.cell(change.remarks)])
        rows += [
            [metric, line.title, Factor(line.per_year), Factor(line.over(change.years)), line.source.date, line.source.title]
            for line in views.baselines(metric=metric)
        ]
    columns = ["metric", "growth", "a year", "over the same years", "edition", "source"]
    return Table("baselines", "Against published growth rates", columns, rows, remarks.notes())


def decomposition_table(curves: Curves) -> Table:
    """The exact decomposition of the gain from first to last."""
    rows: list[list[Any]] = []
    for target, part in curves.decomposition().items():
        rows += [[target, name, Factor(factor), Percent(part.shares.get(name, 0.0))] for name, factor in part.factors.items()]
        rows.append([target, "total", Factor(part.total), Percent(1.0)])
    first, last = curves.points[0], curves.points[-1]
    columns = ["gain", "factor", "multiplier", "log share"]
    notes = ("factors multiply exactly to the total; power and price per chip with its share of the system", *price_notes(curves))
    return Table("decomposition", f"What the gain is made of, {first.name} to {last.name}", columns, rows, notes)
