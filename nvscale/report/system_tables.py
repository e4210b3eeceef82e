"""Tables of systems: as sold, at every level, and as energy and cost of work."""

from nvscale import views
from nvscale.analysis.roadmap import Curves, Point
from nvscale.estimators.fleets import METRICS
from nvscale.report.tables import Cell, Table

_SYSTEM_COLUMNS = (
    ("performance", "peak"),
    ("power", "power"),
    ("performance per watt", "per watt"),
    ("price", "price"),
    ("performance per dollar", "per dollar"),
    ("memory bandwidth", "memory bandwidth"),
    ("scale-up bandwidth", "scale-up, one way"),
)


def systems_table(curves: Curves) -> Table:
    """The lineage as sold."""
    rows = [
        [
            point.name,
            _when(point),
            Cell(point.system.chips),
            point.rate.replace("_", " "),
            *(Cell(point.value(metric), METRICS[metric].unit) for metric, _ in _SYSTEM_COLUMNS),
        ]
        for point in curves.points
    ]
    columns = ["system", "year", "chips", "rate", *(title for _, title in _SYSTEM_COLUMNS)]
    return Table("systems", _title(curves), columns, rows, price_notes(curves))


def _title(curves: Curves) -> str:
    what = "the lowest dense precision" if curves.precision == "lowest" else curves.precision
    return f"Systems at {what}"


def price_notes(curves: Curves) -> tuple[str, ...]:
    """Which price each system's dollars are, systems of one basis together."""
    bases: dict[str, list[str]] = {}
    for point in curves.points:
        bases.setdefault(point.price_basis or "not known", []).append(point.system.name.rpartition(" of ")[2])
    return ("prices: " + "; ".join(f"{', '.join(names)} {basis}" for basis, names in bases.items()),)


def _when(point: Point) -> str:
    """Year of first shipment; marked where only the announcement is dated."""
    return f"{point.year:.1f}" + ("" if point.dated == "shipped" else " announced")


def levels_table(curves: Curves) -> Table:
    """Every level from one chip to the datacenter."""
    sites = [point.system for point in curves.points]
    metrics = ("performance", "memory bandwidth", "bisection bandwidth", "power", "facility power", "price", "cost rate")
    rows = []
    for site in sites:
        for level, known in views.rooflines(site).items():
            chips = known["performance"]["chips"].value
            cells = [Cell(known[m].value if m in known else None, METRICS[m].unit) for m in metrics[:-1]]
            hourly = Cell(known["cost rate"].value if "cost rate" in known else None, "USD/s")
            rows.append([site.name.rpartition(" of ")[2], level, Cell(chips), *cells, hourly])
    columns = ["system", "level", "chips", *metrics[:-1], "cost an hour"]
    notes = ("power and price without scale-out switches and optics", *price_notes(curves))
    size = next((f" of {site.name.partition(' of ')[0]}" for site in sites if site.level == "datacenter"), "")
    return Table("levels", f"Chip, node, rack, datacenter{size}", columns, rows, notes)


def cost_curve(site: Curves) -> Table:
    """Energy and cost of one exaflop at the peak, over the years."""
    rows = []
    for point in site.points:
        joules, dollars = point.value("energy per flop"), point.value("cost per flop")
        rows.append(
            [
                point.system.name.rpartition(" of ")[2],
                _when(point),
                point.precision,
                Cell(point.value("performance"), "flop/s"),
                Cell(joules, "J/flop"),
                Cell(dollars, "USD/flop"),
            ]
        )
    columns = ["system", "year", "precision", "peak of the site", "energy of work", "cost of work"]
    size = site.points[0].name.partition(" of ")[0]
    return Table("cost_curve", f"Energy and cost of work at the peak of {size}", columns, rows, price_notes(site))
