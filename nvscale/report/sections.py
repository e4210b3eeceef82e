"""The sections of the report, each a table made from the curves; nothing here is typed in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nvscale import views
from nvscale.analysis.roadmap import Curves
from nvscale.catalogue import system as find_system
from nvscale.composition import System
from nvscale.ops import FLOAT, carrier
from nvscale.report.chip_tables import chip_value, has_rate, ladder, ridge_points
from nvscale.report.growth_tables import (
    baselines_table,
    chip_growth_table,
    decomposition_table,
    growth_by_format,
    growth_table,
    whole_catalogue_growth,
)
from nvscale.report.system_tables import cost_curve, levels_table, systems_table
from nvscale.report.tables import Table
from nvscale.settings import Prices
from nvscale.units import convert

CHIP_TRACKS = ("lowest", "16-bit", "fp32-vector", "fp64-vector")
"""Number formats followed at chip level: the narrowest, the best 16-bit rate, and the vector rates."""

_TERMS = {"energy_price": ("USD/kWh", "USD/J"), "life": ("year", "s"), "discount_rate": ("1", "1")}
"""Terms of the prices, with the units that people use and those inside."""


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
            "assumptions": assumptions(self.systems),
        }


def build_report(
    systems: Sequence[str | System] | None = None, *, prices: Prices | None = None, power: Any = "100 MW", pue: Any = None
) -> Report:
    """Build the report for some systems; the NVIDIA lineage by default."""
    found = [find_system(one) for one in (views.lineage() if systems is None else systems)]
    paid = prices or views.prices()
    whole = views.curves(found, prices=paid)
    powered = [system for system in found if "power" in whole[system.name].metrics]
    site = views.curves(powered, level="datacenter", power=power, pue=pue, prices=paid) if powered else None
    chips = {name: track for name in CHIP_TRACKS if (track := _track(found, name, paid)) is not None}
    distinct = list(dict.fromkeys(point.system.chip for point in whole.points))
    tables = [
        ladder(distinct),
        ridge_points(distinct),
        chip_value(chips["lowest"]),
        systems_table(whole),
        levels_table(site or whole),
        *([] if site is None else [cost_curve(site)]),
        growth_table(whole),
        chip_growth_table(chips),
        *([] if site is None else [growth_table(site)]),
        growth_by_format(found, paid),
        whole_catalogue_growth(),
        *([baselines_table(whole)] if "performance" in whole.changes() else []),
        decomposition_table(whole),
    ]
    return Report(whole, chips, site, tuple(table for table in tables if table.rows))


def _track(systems: Sequence[System], number_format: str, prices: Prices) -> Curves | None:
    """Chip-level curves at a format, over the systems whose chip has it; None below two."""
    fitting = [s for s in systems if number_format == "lowest" or has_rate(s.chip, number_format)]
    return views.curves(fitting, number_format, level="chip", prices=prices) if fitting else None


def terms(prices: Prices) -> list[str]:
    """Energy price, life and cost of capital, each with its source or, if given, its value."""
    lines = []
    for name, (unit, si) in _TERMS.items():
        value, source = getattr(prices, name), prices.source(name)
        given = f"{value / convert(1, unit, si):.6g} {unit}".removesuffix(" 1") if carrier(value) == FLOAT else f"{value} {si}"
        lines.append(f"{name.replace('_', ' ')}: {source if source.printed else f'{given}, {source}'}")
    return lines


def assumptions(curves: Curves) -> list[str]:
    """What the dollars and watts rest on, with sources."""
    system = curves.points[0].system
    return [
        *terms(curves.prices),
        f"PUE {system.pue:g}: {system.source('pue')}",
        "performance per watt counts the power of the equipment; energy and cost of work count the power of the facility, with PUE",
        "peak dense rates at the roof, utilisation 1: not what a workload reaches",
    ]
