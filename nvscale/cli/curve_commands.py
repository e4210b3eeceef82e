"""`report`, `curves` and `roofline`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale import views
from nvscale.analysis.roadmap import Curves
from nvscale.cli.catalogue_commands import Catalog, DiscountRate, EnergyPrice, Explain, Json, Life, catalogue_with
from nvscale.cli.output import new_file, print_json, print_table, print_text
from nvscale.errors import MissingPrecision
from nvscale.formats import LADDER
from nvscale.report import Report, build_report
from nvscale.report.chip_tables import ladder, ridge_points
from nvscale.report.growth_tables import growth_table
from nvscale.report.system_tables import systems_table
from nvscale.settings import Prices

Systems = Annotated[list[str] | None, typer.Argument(help="Systems, by name; the NVIDIA lineage without.")]
Power = Annotated[str, typer.Option(help="Facility power of the datacenter level.")]
Pue = Annotated[float | None, typer.Option(help="Power usage effectiveness of the datacenter level.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")]


def _prices(energy_price: str | None, discount_rate: float | None, life: str | None) -> Prices:
    changes = {"energy_price": energy_price, "discount_rate": discount_rate, "life": life}
    return views.prices(**{name: value for name, value in changes.items() if value is not None})


def report(
    systems: Systems = None,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page with plots to this file.")] = None,
    power: Power = "100 MW",
    pue: Pue = None,
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
    json: Json = False,
    explain: Explain = False,
    force: Force = False,
    catalogue: Catalog = None,
) -> None:
    """Turn the catalogue into performance, energy and cost-reduction curves, from chip to datacenter."""
    page = None if html is None else new_file(html, (".html", ".htm"), overwrite=force)
    known = catalogue_with(catalogue)
    found = None if not systems else [known.system(name) for name in systems]
    made = build_report(found, prices=_prices(energy_price, discount_rate, life), power=power, pue=pue)
    if page is not None:
        from nvscale.report.page import write_page  # jinja2 and matplotlib, of the plot extra

        write_page(made, page)
    if json:
        print_json(made.to_dict())
        return
    for table in made.tables:
        print_table(table)
    print_text("Assumptions\n  " + "\n  ".join(made.to_dict()["assumptions"]))
    if explain:
        _explain(made.systems)
    if page is not None:
        print_text(f"\nwrote {page}")


def _explain(curves: Curves) -> None:
    """Print the trees of every system, down to the sources."""
    for point in curves.points:
        print_text(f"\n{point.name}")
        for tree in point.metrics.values():
            print_text(tree.explain())
        for metric, why in point.missing.items():
            print_text(f"{metric}: {why}")


def curves(
    systems: Systems = None,
    precision: Annotated[str, typer.Option(help="Number format, or lowest.")] = "lowest",
    level: Annotated[str | None, typer.Option(help="chip, system or datacenter; all without.")] = None,
    power: Power = "100 MW",
    pue: Pue = None,
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
    json: Json = False,
    explain: Explain = False,
    catalogue: Catalog = None,
) -> None:
    """Performance, energy and cost over systems and years, with growth a year and its factors."""
    known = catalogue_with(catalogue)
    found = None if not systems else [known.system(name) for name in systems]
    paid = _prices(energy_price, discount_rate, life)
    if level is None and precision == "lowest":
        made = build_report(found, prices=paid, power=power, pue=pue)
        if json:
            print_json(made.to_dict()["curves"])
            return
        _print_all(made)
        if explain:
            _explain(made.systems)
        return
    one = views.curves(found, precision, level=level or "system", prices=paid, power=power, pue=pue)
    if json:
        print_json({one.level: {one.precision: one.to_dict()}})
        return
    print_table(systems_table(one))
    if one.changes():
        print_table(growth_table(one))
    if one.skipped:
        print_text(f"without a {precision} rate, left out: {', '.join(one.skipped)}")
    if explain:
        _explain(one)


def _print_all(made: Report) -> None:
    shown = ("systems", "growth_system", "growth_chip", "growth_datacenter", "growth_by_format", "baselines", "decomposition")
    for table in made.tables:
        if table.key in shown:
            print_table(table)


def roofline(
    chips: Annotated[list[str], typer.Argument(help="Chips, by name or alias.")],
    plot: Annotated[Path | None, typer.Option(help="Draw the rooflines to this file (.svg, .png or .pdf).")] = None,
    precision: Annotated[list[str] | None, typer.Option(help="Number formats to show and draw; all without. May be repeated.")] = None,
    json: Json = False,
    explain: Explain = False,
    force: Force = False,
    catalogue: Catalog = None,
) -> None:
    """Peak rates and ridge points of chips by number format."""
    known = catalogue_with(catalogue)
    found = [known.chip(name) for name in chips]
    formats = list(precision or LADDER)
    for name in precision or ():
        if not any(name in chip.precisions() or _serves(chip, name) for chip in found):
            raise MissingPrecision(f"none of {', '.join(c.name for c in found)} has a {name} rate")
    target = None if plot is None else new_file(plot, (".svg", ".png", ".pdf"), overwrite=force)
    if json:
        print_json([_roofline_record(chip, formats) for chip in found])
    else:
        print_table(ladder(found, formats))
        print_table(ridge_points(found, formats))
    if explain and not json:
        for chip in found:
            print_text(
                "\n".join(
                    f"{chip.name} {name}: {source}"
                    for name, source in chip.sources.items()
                    if name.startswith("peak") or name == "memory_bandwidth"
                )
            )
    if target is not None:
        from nvscale.plots import draw_rooflines  # matplotlib, of the plot extra

        draw_rooflines(found, formats).savefig(target)
        if not json:
            print_text(f"wrote {target}")


def _serves(chip: Any, name: str) -> bool:
    try:
        return bool(chip.rate(name))
    except MissingPrecision:
        return False


def _roofline_record(chip: Any, formats: list[str]) -> dict[str, Any]:
    rows = {}
    for name in formats:
        if _serves(chip, name):
            source = str(chip.source(f"peak.{chip.rate_name(name)}"))
            rows[name] = {
                "peak_flop_per_s": chip.rate(name),
                "rate": chip.rate_name(name),
                "ridge_point_flop_per_byte": chip.ridge_point(name),
                "source": source,
            }
    return {"name": chip.name, "memory_bandwidth_byte_per_s": chip.memory_bandwidth, "precisions": rows}
