"""`chips`, `systems`, `networks`, `sources`, `system` and `schema`."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale import views
from nvscale.catalogue import default, load
from nvscale.catalogue.lookup import Catalogue
from nvscale.cli.output import print_json, print_pairs, print_table, print_text
from nvscale.composition import System
from nvscale.errors import InvalidInput
from nvscale.estimate import Estimate, show
from nvscale.estimators.fleets import METRICS
from nvscale.provenance import Source
from nvscale.record import Record, walk
from nvscale.report.sections import terms
from nvscale.report.tables import MISSING, Cell, Table
from nvscale.settings import Prices
from nvscale.silicon import Chip

Json = Annotated[bool, typer.Option("--json", help="Print JSON in SI base units.")]
Explain = Annotated[bool, typer.Option("--explain", help="Show how each number came about, down to the sources.")]
Catalog = Annotated[list[Path] | None, typer.Option("--catalogue", help="Add a catalogue file of your own (TOML); may be repeated.")]
EnergyPrice = Annotated[str | None, typer.Option(help='Energy price, e.g. "0.06 USD/kWh".')]
DiscountRate = Annotated[float | None, typer.Option(help="Cost of capital per year, e.g. 0.08.")]
Life = Annotated[str | None, typer.Option(help='Useful life, e.g. "5 year".')]
Name = Annotated[str | None, typer.Argument(help="One entry, by name or alias; all without.")]


def catalogue_with(files: list[Path] | None) -> Catalogue:
    """Return the shipped catalogue with the user's files added."""
    found = default()
    for path in files or []:
        found = load(path, found)
    return found


def chips(
    name: Name = None,
    vendor: Annotated[str | None, typer.Option(help="Only this vendor.")] = None,
    precision: Annotated[str | None, typer.Option(help="Only chips with a rate for this number format.")] = None,
    json: Json = False,
    explain: Explain = False,
    catalogue: Catalog = None,
) -> None:
    """List the chips, or show one with the source of every figure."""
    known = catalogue_with(catalogue)
    if name is not None:
        _show(known.chip(name), json=json)
        return
    found = known.chips(**_given(vendor=vendor, precision=precision))
    if json:
        print_json([_record(chip) for chip in found])
        return
    rows = [_chip_row(chip) for chip in found]
    columns = ["chip", "vendor", "status", "year", "power", "memory", "bandwidth", "lowest format", "peak there", "16 bit", "fp64"]
    print_table(Table("chips", f"{len(rows)} chips", columns, rows))
    if explain:
        for chip in found:
            print_text(_sources_of(chip))


def _chip_row(chip: Chip) -> list[Any]:
    has = chip.precisions()
    lowest = chip.lowest_precision().name if any(not name.startswith("int") for name in has) else "-"
    rates = [
        Cell(chip.rate(name) if name in (*has, "16-bit") and _can(chip, name) else None, "flop/s") for name in (lowest, "16-bit", "fp64")
    ]
    year = "-" if chip.year is None else f"{chip.year:.1f}"
    figures = [Cell(chip.power, "W"), Cell(chip.memory, "byte"), Cell(chip.memory_bandwidth, "byte/s")]
    return [chip.name, chip.vendor, chip.status, year, *figures, lowest, *rates]


def _can(chip: Chip, name: str) -> bool:
    try:
        return bool(chip.rate(name))
    except LookupError:
        return False


def _given(**filters: Any) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


def networks(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List the networks and links, or show one with the source of every figure."""
    known = catalogue_with(catalogue)
    if name is not None:
        _show(known.network(name), json=json)
        return
    found = known.networks()
    if json:
        print_json([_record(network) for network in found])
        return
    rows = [[n.name, n.kind, n.topology, Cell(n.bandwidth, "byte/s"), Cell(n.latency, "s"), Cell(n.achieved_share)] for n in found]
    columns = ["network", "kind", "topology", "bandwidth of a device, one way", "latency", "achieved share"]
    print_table(Table("networks", f"{len(rows)} networks and links", columns, rows))


def systems(
    name: Name = None,
    vendor: Annotated[str | None, typer.Option(help="Only this vendor.")] = None,
    level: Annotated[str | None, typer.Option(help="Only node, rack or pod.")] = None,
    json: Json = False,
    explain: Explain = False,
    catalogue: Catalog = None,
) -> None:
    """List the nodes, racks and pods, or show one."""
    if name is not None:
        system(name, json=json, explain=explain, catalogue=catalogue)
        return
    found = catalogue_with(catalogue).systems(**_given(vendor=vendor, level=level))
    if json:
        print_json([_record(one) for one in found])
        return
    rows = [_system_row(one) for one in found]
    columns = ["system", "level", "status", "year", "chip", "chips", "scale-up domain", "peak, lowest format", "power", "price"]
    print_table(Table("systems", f"{len(rows)} systems", columns, rows))


def _system_row(one: System) -> list[Any]:
    year = one.shipped if one.shipped is not None else one.released
    domain = Cell(one.scaleup_chips if one.networks else None)
    known = views.rooflines(one)[list(one.levels())[-1]]
    figures = [Cell(known[m].value if m in known else None, METRICS[m].unit) for m in ("performance", "power", "price")]
    return [one.name, one.level, one.status, "-" if year is None else f"{year:.1f}", one.chip.name, Cell(one.chips), domain, *figures]


def system(
    name: Annotated[str, typer.Argument(help="A system, by name or alias.")],
    precision: Annotated[str, typer.Option(help="Number format, or lowest.")] = "lowest",
    json: Json = False,
    explain: Explain = False,
    catalogue: Catalog = None,
    power: Annotated[str | None, typer.Option(help='Scale it to a datacenter of this facility power, e.g. "100 MW".')] = None,
    pue: Annotated[float | None, typer.Option(help="Power usage effectiveness; the default assumption without.")] = None,
    changes: Annotated[
        list[str] | None, typer.Option("--set", help='Change a figure, e.g. --set chip.power="331 W"; may be repeated.')
    ] = None,
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
) -> None:
    """Show one system at every level: chip, node, rack, datacenter."""
    one = _changed(catalogue_with(catalogue).system(name), changes or []).replace(**({} if pue is None else {"pue": pue}))
    whole = f"{one.chips:,.0f} chip{'' if one.chips == 1.0 else 's'}, {one.topology}".rstrip(", ")
    if power is not None:
        one = one.within(power=power, pue=views.default_pue()[0] if pue is None else pue)
        whole = f"{one.chips:,.0f} chips in systems of {whole}"
    paid = views.prices(**_given(energy_price=energy_price, discount_rate=discount_rate, life=life))
    levels = views.rooflines(one, precision, prices=paid)
    if json:
        print_json({"name": one.name, "chips": one.chips, "levels": {k: {m: e.to_dict() for m, e in v.items()} for k, v in levels.items()}})
        return
    names = dict.fromkeys([*METRICS, *(name for known in levels.values() for name in known)])
    rows = [
        [name, *(show(known[name].value, known[name].unit) if name in known else MISSING for known in levels.values())] for name in names
    ]
    notes = (*one.notes, *_price_lines(levels), *_terms(levels, paid, given=pue is not None or power is None))
    print_table(Table("levels", f"{one.title or one.name}: {whole}", ["", *levels], rows, notes))
    if explain:
        for metric, tree in levels[list(levels)[-1]].items():
            print_text(f"{metric}\n{tree.explain()}\n")


def _changed(one: System, changes: list[str]) -> System:
    """Apply PATH=VALUE changes; values are text with units."""
    for change in changes:
        path, is_there, value = change.partition("=")
        if not is_there:
            raise InvalidInput(f"--set {change}: write PATH=VALUE, e.g. chip.power='331 W'")
        one = one.replace(**{path.strip(): value.strip()})
    return one


def _terms(levels: Mapping[str, Mapping[str, Estimate]], paid: Prices, *, given: bool) -> list[str]:
    """PUE, prices and terms that the rows rest on."""
    found = next((known["facility power"]["PUE"] for known in levels.values() if "facility power" in known), None)
    if found is None:
        return terms(paid)
    source = found.source if given else views.default_pue()[1]
    return [f"PUE {found.value:g}: {source}; performance per watt is without it, energy and cost per flop with it", *terms(paid)]


def _price_lines(levels: Mapping[str, Mapping[str, Estimate]]) -> list[str]:
    """Which price each level's dollars are."""
    said = {level: known["price"].assumptions[0] for level, known in levels.items() if "price" in known and known["price"].assumptions}
    return [f"{level}: {basis}" for level, basis in said.items()]


def sources(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List the documents that figures come from, or show one."""
    known = catalogue_with(catalogue)
    if name is not None:
        document = known.document(name)
        print_json(document) if json else print_pairs(document["name"], {k: v for k, v in document.items() if k != "name"})
        return
    found = [known.document(one) for one in known.names("sources")]
    if json:
        print_json(found)
        return
    rows = [[d["name"], d.get("publisher", ""), d.get("title", ""), str(d.get("year", ""))] for d in found]
    print_table(Table("sources", f"{len(rows)} documents", ["source", "publisher", "title", "year"], rows))


def prices(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List dated prices of hardware, rent, electricity and buildings, or show one."""
    _free("prices", name, json=json, catalogue=catalogue)


def energy(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List the energy of operations, memories and links, or show one."""
    _free("energy", name, json=json, catalogue=catalogue)


def trends(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List published growth rates by edition, or show one."""
    _free("trends", name, json=json, catalogue=catalogue)


def fleets(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List how often published runs and fleets were interrupted, or show one."""
    _free("fleets", name, json=json, catalogue=catalogue)


def emissions(name: Name = None, json: Json = False, catalogue: Catalog = None) -> None:
    """List the emissions of electricity by grid, or show one."""
    _free("emissions", name, json=json, catalogue=catalogue)


def _free(kind: str, name: str | None, *, json: bool, catalogue: list[Path] | None) -> None:
    """Show the dated numbers outside the records: a row per figure."""
    known = catalogue_with(catalogue)
    names = known.names(kind) if name is None else (known.entry(kind, name).name,)
    rows = [
        [one, known.entry(kind, one).table.get("title", ""), figure, known.origin(kind, one, figure)]
        for one in names
        for figure in known.figures(kind, one)
    ]
    if json:
        print_json([_printed(row) for row in rows])
        return
    shown = [[one, title, figure, _span(source), source.date, source.kind, source.title] for one, title, figure, source in rows]
    columns = ["name", "what", "figure", "value as printed", "date", "kind", "source"]
    print_table(Table(kind, f"{len(shown)} figures of {kind}", columns, shown))


def _span(source: Source) -> str:
    """Value as printed, with its price basis."""
    return f"{source.printed} ({source.basis})" if source.basis else source.printed


def _printed(row: list[Any]) -> dict[str, Any]:
    one, title, figure, source = row
    return {"name": one, "title": title, "figure": figure, **dataclasses.asdict(source)}


def schema() -> None:
    """Print the JSON Schema of catalogue files, for editors and checks."""
    from nvscale.catalogue.schema import json_schema

    print_json(json_schema())


def _show(thing: Record, *, json: bool) -> None:
    if json:
        print_json(_record(thing))
        return
    title = getattr(thing, "title", "") or getattr(thing, "name", "")
    rows = [[leaf.path, leaf.unit.show(leaf.value), str(leaf.source)] for leaf in walk(thing) if leaf.path in getattr(thing, "sources", {})]
    print_table(Table("figures", title, ["figure", "value", "source"], rows, getattr(thing, "notes", ())))


def _sources_of(thing: Record) -> str:
    lines = [f"{leaf.path} = {leaf.unit.show(leaf.value)}  <- {leaf.source}" for leaf in walk(thing) if leaf.value]
    return "\n".join([f"\n{getattr(thing, 'name', '')}", *lines])


def _record(thing: Record) -> Mapping[str, Any]:
    """A record as plain data: words, and each figure with unit, value in SI and source."""
    words = {name: getattr(thing, name) for name in ("name", "title", "vendor", "kind", "level", "status", "notes") if hasattr(thing, name)}
    own = getattr(thing, "sources", {})
    figures = {
        leaf.path: {"value": leaf.value, "unit": leaf.unit.text, "source": str(leaf.source)}
        for leaf in walk(thing)
        if leaf.path in own and leaf.value - leaf.value == 0
    }
    return {**words, "figures": figures}
