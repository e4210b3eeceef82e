"""Catalogue pages, made from the data files: every figure as printed, in SI, with document, place, date, kind, range and note."""

import functools
import html
import itertools
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import markup

from nvscale import unit_types
from nvscale.catalogue import default
from nvscale.catalogue.building import NETWORK_UNITS, SHARED, SYSTEM_UNITS, Entry, chip_units, flat_figures, model_units, read_figures
from nvscale.catalogue.figures import read_figure
from nvscale.formats import Precision, precisions
from nvscale.provenance import Source
from nvscale.units import Unit, parse_unit, readable

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

SECTION = "Catalogue"
COLUMNS = ("figure", "in SI", "as printed", "range", "kind", "date", "document, place, note")
_UNITS: Mapping[str, Mapping[str, Unit]] = {
    "chips": chip_units(),
    "networks": NETWORK_UNITS,
    "systems": SYSTEM_UNITS,
    "models": model_units(),
}
_LINKED = {"chip": "chips", "scaleup_network": "networks", "scaleout_network": "networks"}
_FREE = {
    "prices": (
        "Prices",
        "category",
        "Prices of chips, systems and switches, rents, electricity, lives, utilisation, shares of cost. A basis stands with every price.",
    ),
    "energy": ("Energy", "category", "Energy of operations, memory accesses and transfers, from published works."),
    "trends": ("Trends", "quantity", "Published growth rates and doubling times, each with its edition: what curves are compared with."),
    "fleets": ("Failures", "category", "How often large jobs were interrupted, per node of eight chips, by published run or fleet."),
    "emissions": ("Emissions", "category", "Greenhouse gas of electricity by grid, and of making chips."),
}


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Put the pages into the navigation."""
    markup.fill_navigation(config, SECTION, pages())
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages of the catalogue."""
    return markup.add_pages(config, files, pages())


@functools.cache
def pages() -> markup.Pages:
    """Return all catalogue pages by path."""
    vendors = sorted({_word(entry, "vendor") for entry in _entries("chips")})
    chips = {f"catalogue/{_chip_page(v)}.md": (f"Chips: {v}", things_page("chips", f"Chips of {v}", v)) for v in vendors}
    free = {f"catalogue/{kind}.md": (title, free_page(kind, title, group, lead)) for kind, (title, group, lead) in _FREE.items()}
    return {
        "catalogue/index.md": ("What is in it", index_page(vendors)),
        **chips,
        "catalogue/networks.md": ("Networks", things_page("networks", "Networks and links")),
        "catalogue/systems.md": ("Systems", things_page("systems", "Systems")),
        "catalogue/models.md": ("Models", models_page()),
        "catalogue/number-formats.md": ("Number formats", formats_page()),
        **free,
        "catalogue/sources.md": ("Sources and licences", sources_page()),
    }


def _entries(kind: str) -> list[Entry]:
    catalogue = default()
    return [catalogue.entry(kind, name) for name in catalogue.names(kind)]


def _word(entry: Entry, key: str) -> str:
    return str(entry.table.get(key, ""))


def _chip_page(vendor: str) -> str:
    """The page of a vendor's chips, without ending."""
    return f"chips-{vendor.lower().replace('/', '-')}"


def index_page(vendors: list[str]) -> str:
    """Return the overview: how much there is of what."""
    kinds = ("networks", "systems", "models", *_FREE, "sources")
    counted = [[f'<a href="{kind}.html">{kind}</a>', str(len(_entries(kind)))] for kind in kinds]
    by_vendor = {vendor: [e for e in _entries("chips") if _word(e, "vendor") == vendor] for vendor in vendors}
    chips = [
        [
            f'<a href="{_chip_page(vendor)}.html">{html.escape(vendor)}</a>',
            str(len(found)),
            ", ".join(_linked("chips", e.name) for e in found),
        ]
        for vendor, found in by_vendor.items()
    ]
    figures = sum(len(flat_figures(entry)) for kind in ("chips", *kinds[:-1]) for entry in _entries(kind))
    lead = (
        f"These pages are made from the data files while the site is built: {len(_entries('chips'))} chips and {figures:,} figures in all. "
        "A figure keeps what its document prints; the number in SI is what the library computes with. Sparse rates, sums of both "
        "directions and figures per die are brought to dense, one way and per package when they are loaded. "
        "`estimate` marks what nobody published, `derived` what follows from other figures by the arithmetic in the note. "
        "How to read a figure, and how to add your own: [the guide to the catalogue](../guide/catalogue.md)."
    )
    return "\n\n".join(
        ["# What is in the catalogue", lead, markup.table(["vendor", "chips", "names"], chips), markup.table(["kind", "entries"], counted)]
    )


def things_page(kind: str, title: str, vendor: str = "") -> str:
    """Return the page of all chips of a vendor, of all networks, or of all systems."""
    found = [entry for entry in _entries(kind) if not vendor or _word(entry, "vendor") == vendor]
    return "\n\n".join([f"# {title}", *(thing_part(entry) for entry in found)])


def thing_part(entry: Entry) -> str:
    """Return one chip, network or system: words, notes, and a row for every figure."""
    units = _UNITS[entry.kind]
    values, sources = read_figures(entry, units, _titles())
    rows = [_row(name.removeprefix("peak."), values[name], units[name].text, sources[name]) for name in values]
    return "\n\n".join([f"## {entry.name}", _words(entry), markup.table(COLUMNS, rows)])


def models_page() -> str:
    """Return the page of all transformer models: counts that share a document in one row, the others in rows of their own."""
    found = sorted(_entries("models"), key=lambda entry: (_word(entry, "organisation"), entry.name))
    parts = ["# Transformer models", "Parameters are computed from the shape; what the makers publish stands beside them."]
    for organisation, group in itertools.groupby(found, key=lambda entry: _word(entry, "organisation")):
        parts += [f"## {organisation}", *(_model_part(entry) for entry in group)]
    return "\n\n".join(parts)


def _model_part(entry: Entry) -> str:
    """One model: words, its size, and its figures with their documents."""
    made = default().model(entry.name)
    shared = {key: entry.table.get(key) for key in ("source", "at", "date", "kind")}
    figures = flat_figures(entry)
    together = [name for name, figure in figures.items() if all(figure.get(key) == value for key, value in shared.items())]
    shape = ", ".join(f"{name.replace('_', ' ')} {made.source(name).printed}" for name in together)
    origin = made.source(together[0])
    rows = [["shape", html.escape(shape), origin.kind, html.escape(origin.date), _place(origin)]]
    for name in figures:
        if name not in together:
            source = made.source(name)
            note = f"<br><small>{html.escape(source.note)}</small>" if source.note else ""
            rows.append([name.replace("_", " "), html.escape(source.printed), source.kind, html.escape(source.date), _place(source) + note])
    size = f"{made.parameters:,.0f} parameters" + (f", {made.active_parameters:,.0f} in use by a token" if made.experts else "")
    table = markup.table(("figure", "as printed", "kind", "date", "document, place, note"), rows)
    return "\n\n".join([f"### {entry.name}", _words(entry), size, table])


def _words(entry: Entry) -> str:
    """The text fields of an entry, its aliases and notes."""
    table = entry.table
    shown = [f"<b>{html.escape(_word(entry, 'title'))}</b>"]
    for key, value in table.items():
        if isinstance(value, str) and value and key not in ("title", *(SHARED if entry.kind == "models" else ())):
            text = _linked(_LINKED[key], value) if key in _LINKED else html.escape(value)
            shown.append(f"<span><i>{key.replace('_', ' ')}</i> {text}</span>")
    if table.get("aliases"):
        shown.append("<span><i>also</i> " + ", ".join(map(html.escape, table["aliases"])) + "</span>")
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in table.get("notes", ()))
    return f'<div class="nv-words">{" ".join(shown)}' + (f"<ul>{notes}</ul>" if notes else "") + "</div>"


def _linked(kind: str, name: str) -> str:
    """A link to a chip or network of the catalogue."""
    entry = default().entry(kind, name)
    page = _chip_page(_word(entry, "vendor")) if kind == "chips" else kind
    return f'<a href="{page}.html#{entry.name}">{html.escape(name)}</a>'


def _row(name: str, value: float, unit: str, source: Source) -> list[str]:
    """One figure with everything that is known about it."""
    flags = f" <small>({html.escape(', '.join(source.flags))})</small>" if source.flags else ""
    note = f"<br><small>{html.escape(source.note)}</small>" if source.note else ""
    return [
        f'<span class="nv-whole"><code>{html.escape(name)}</code></span>',
        _si(value, unit, source),
        html.escape(source.printed) + flags,
        _range(source, unit),
        source.kind,
        f'<span class="nv-whole">{html.escape(source.date)}</span>',
        _place(source) + note,
    ]


def _place(source: Source) -> str:
    """The document, linked to the list of sources, and the place in it."""
    document = f'<a href="sources.html#{source.document}">{html.escape(source.document)}</a>'
    return document + (f", {html.escape(source.place)}" if source.place else "")


def _si(value: float, unit: str, source: Source) -> str:
    """A figure in SI with the unit, and readable where that is another text."""
    number = f"{value:.6g}" + ("" if unit == "1" else f" {unit}")
    shown = readable(value, unit)
    same = unit == "1" or shown.replace("FLOP", "flop").replace("B", "byte") == number or source.printed == number
    return f'<span class="nv-whole">{html.escape(number)}' + ("" if same else f"<br><small>{html.escape(shown)}</small>") + "</span>"


def _range(source: Source, unit: str) -> str:
    ends = ["" if end is None else (f"{end:.6g}" if unit == "1" else readable(end, unit)) for end in (source.low, source.high)]
    return html.escape(" to ".join(ends)) if any(ends) else ""


@functools.cache
def _titles() -> Mapping[str, str]:
    return {name: str(default().document(name)["title"]) for name in default().names("sources")}


def free_page(kind: str, title: str, group: str, lead: str) -> str:
    """Return the page of dated numbers outside the records, in groups."""
    entries = sorted(_entries(kind), key=lambda entry: _word(entry, group))
    several = len({name for entry in entries for name in flat_figures(entry)}) > 1
    columns = ["what", *COLUMNS[0 if several else 1 :]]
    parts = [f"# {title}", lead]
    for name, found in itertools.groupby(entries, key=lambda entry: _word(entry, group)):
        rows = [[what, *row[0 if several else 1 :]] for entry in found for what, *row in _free_rows(entry)]
        parts += [f"## {name[:1].upper()}{name[1:]}", markup.table(columns, rows)]
    return "\n\n".join(parts)


def _free_rows(entry: Entry) -> Iterator[list[str]]:
    about = [_word(entry, key) for key in ("scope", "item", "precision", "edition", "process_node_nm")]
    about[-1] += " nm" if about[-1] else ""
    notes = "".join(f"<br><small>{html.escape(note)}</small>" for note in entry.table.get("notes", ()))
    title, rest = html.escape(_word(entry, "title")), html.escape(", ".join(filter(None, about)))
    what = f"<code>{html.escape(entry.name)}</code><br>{title}<br><small>{rest}</small>"
    for name, figure in flat_figures(entry).items():
        unit = base_unit(figure["unit"])
        value, source = read_figure(figure, Unit(unit, "any"), f"{entry.where} {name}", _titles())
        *row, document = _row(name, value, unit, source)
        yield [what, *row, document + notes]


def base_unit(text: str) -> str:
    """Return the library's own unit for figures of the dimension of unit text."""
    dimension = parse_unit(text)[1]
    for alias in vars(unit_types).values():
        for unit in getattr(alias, "__metadata__", ()):
            if parse_unit(unit.text) == (Decimal(1), dimension):
                return str(unit.text)
    return "*".join(base if power == 1 else f"{base}^{power}" for base, power in dimension)


def formats_page() -> str:
    """Return the page of number formats."""
    sizes = ("bits", "exponent", "mantissa", "scale", "bits with scale", "unit roundoff")
    columns = ["format", "kind", *sizes, "served by the rates", "document, place"]
    lead = (
        "The narrower of two formats is not twice as fast by rule: a chip has a rate for a format or it has none. The list of rates "
        "says which of its figures can serve the format, best first. Block formats share a scale among the elements of a block; bits "
        "with scale is what an element takes in memory."
    )
    return "\n\n".join(["# Number formats", lead, markup.table(columns, [_format_row(p) for p in precisions()])])


def _format_row(p: Precision) -> list[str]:
    scale = f"{p.scale_bits:g} bit for {p.block_size:g}" if p.scale_bits else ""
    roundoff = f"{p.unit_roundoff:.3g}" if p.kind == "float" else ""
    bits = [f"{p.bits:g}", *(f"{b:g}" if p.kind == "float" else "" for b in (p.exponent_bits, p.mantissa_bits))]
    name = f"<code>{p.name}</code><br>{html.escape(p.title)}"
    return [name, p.kind, *bits, scale, f"{p.stored_bits:g}", roundoff, ", ".join(p.rates), _place(p.source("bits"))]


def sources_page() -> str:
    """Return the page of all documents, those with a licence first."""
    documents = [default().document(name) for name in default().names("sources")]
    licences = sorted({str(d["licence"]) for d in documents if d.get("licence")})
    parts = [
        "# Sources and licences",
        f"{len(documents)} documents are cited. The catalogue holds facts (numbers, names and dates) and says where each was read; "
        "no text was taken over. "
        "`via` names the document through which a figure was read when the original itself was not at hand. "
        "`unverified-recollection` stands for values that were recalled and could not be confirmed; they carry a range.",
        "## Documents under an open licence",
    ]
    for licence in licences:
        titles = [
            f'<a href="#{d["name"]}">{html.escape(str(d["title"]))}</a>, {html.escape(str(d.get("publisher", "")))}'
            for d in documents
            if d.get("licence") == licence
        ]
        parts.append(f"<p><b>{html.escape(licence)}</b></p><ul>" + "".join(f"<li>{title}</li>" for title in titles) + "</ul>")
    rows = [_document_row(d) for d in documents]
    columns = ["source", "document", "year", "read on"]
    return "\n\n".join([*parts, "## All documents", markup.table(columns, rows)])


def _document_row(document: Mapping[str, Any]) -> list[str]:
    said = {key: html.escape(str(value)) for key, value in document.items()}
    linked = f'<a href="{said["url"]}">{said["title"]}</a>' if said.get("url") else said["title"]
    under = "".join(f"<br><small>{key}: {said[key]}</small>" for key in ("via", "licence") if said.get(key))
    read = f'<span class="nv-whole">{said.get("read", "")}</span>'
    return [f'<code id="{said["name"]}">{said["name"]}</code>', f"{said.get('publisher', '')}, {linked}{under}", said.get("year", ""), read]
