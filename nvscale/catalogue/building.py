"""Entries of the data files -> records: Chip, Network, System, Model, with a source for every figure."""

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from nvscale.catalogue.figures import read_figure
from nvscale.composition import Network, Part, System
from nvscale.errors import CatalogueError, MissingFigure, did_you_mean
from nvscale.provenance import Source
from nvscale.record import Record, field_names, units_of
from nvscale.silicon import Chip, Rates
from nvscale.transformers import Model
from nvscale.units import Unit

Titles = Mapping[str, str]
T = TypeVar("T")


class Entry(NamedTuple):
    """One table of a data file."""

    kind: str
    name: str
    table: Mapping[str, Any]
    file: str

    @property
    def where(self) -> str:
        """File and entry, for error messages."""
        return f"{self.file}: [{self.name}]"


_RANGES = {
    "chips": Unit("1", ">=1"),
    "node_chips": Unit("1", ">=1"),
    "rack_chips": Unit("1", ">=1"),
    "scaleup_chips": Unit("1", ">=1"),
    "scaleup_taper": Unit("1", ">=1"),
    "scaleup_dimensions": Unit("1", ">=1"),
    "nics": Unit("1", ">=0"),
    "cpus": Unit("1", ">=0"),
}
SYSTEM_UNITS: Mapping[str, Unit] = {
    **_RANGES,
    "released": Unit("1", "year"),
    "shipped": Unit("1", "year"),
    "scaleup_bandwidth": Unit("byte/s"),
    "scaleout_bandwidth": Unit("byte/s"),
    "host_memory": Unit("byte"),
    "power": Unit("W"),
    "price": Unit("USD"),
}
NETWORK_UNITS: Mapping[str, Unit] = {
    "released": Unit("1", "year"),
    "bandwidth": Unit("byte/s"),
    "link_bandwidth": Unit("byte/s"),
    "links": Unit("1"),
    "latency": Unit("s"),
    "achieved_share": Unit("1", "[0,1]"),
    "energy": Unit("J/byte"),
    "switch_ports": Unit("1"),
    "switch_port_bandwidth": Unit("byte/s"),
    "switch_price": Unit("USD"),
    "dimensions": Unit("1", ">=1"),
}
SHARED = ("source", "at", "date", "kind")
"""What the figures of a model say together: they stand in one document."""
WORDS: Mapping[str, tuple[str, ...]] = {
    "models": ("title", "family", "organisation", "architecture", *SHARED),
    "chips": ("title", "vendor", "kind", "market", "architecture", "status", "memory_type", "unread"),
    "networks": ("title", "vendor", "kind", "topology", "in_network"),
    "systems": (
        "title",
        "vendor",
        "level",
        "chip",
        "status",
        "scaleup_network",
        "scaleout_network",
        "topology",
        "cpu",
        "sides",
        "sides_source",
        "sides_at",
        "bisection",
    ),
}


def chip_units() -> dict[str, Unit]:
    """Return the units of a chip's figures, rates as "peak.fp8"."""
    return units_of(Chip) | {f"peak.{name}": unit for name, unit in units_of(Rates).items()}


def model_units() -> dict[str, Unit]:
    """Return the units of a model's figures."""
    return units_of(Model)


def flat_figures(entry: Entry) -> dict[str, Any]:
    """Return the figures of an entry, nested tables as dotted names; those of a model with what they share."""
    flat: dict[str, Any] = {}
    if entry.kind == "models":
        return {name: _shared(entry, value) for name, value in entry.table.get("figures", {}).items()}
    for name, value in entry.table.get("figures", {}).items():
        if isinstance(value, Mapping) and not {"value", "entry"} & set(value):
            flat |= {f"{name}.{inner}": figure for inner, figure in value.items()}
        else:
            flat[name] = value
    return flat


def _shared(entry: Entry, value: Any) -> Any:
    """A figure of a model: a bare number is a count, and what it does not say itself stands in the entry."""
    if isinstance(value, str):
        return value
    own = value if isinstance(value, Mapping) else {"value": value}
    return {"unit": "1", **{key: entry.table[key] for key in SHARED if key in entry.table}, **own}


def read_figures(entry: Entry, units: Mapping[str, Unit], titles: Titles) -> tuple[dict[str, float], dict[str, Source]]:
    """Return all figures of an entry in SI, and their sources."""
    figures = flat_figures(entry)
    for name in figures:
        if name not in units:
            raise CatalogueError(f"{entry.where} has no figure {name!r}{did_you_mean(name, units)}")
    allowed = (*WORDS[entry.kind], "aliases", "notes", "figures")
    for name in entry.table:
        if name not in allowed:
            raise CatalogueError(f"{entry.where} has no key {name!r}{did_you_mean(name, allowed)}")
    dies = read_figure(figures["dies"], units["dies"], f"{entry.where} dies", titles)[0] if "dies" in figures else None
    read = {name: read_figure(value, units[name], f"{entry.where} {name}", titles, dies) for name, value in figures.items()}
    return {name: value for name, (value, _) in read.items()}, {name: source for name, (_, source) in read.items()}


def words(entry: Entry, record: type[Record]) -> dict[str, Any]:
    """Return the text fields of an entry that the record has."""
    names = (*WORDS[entry.kind], "notes")
    return {name: entry.table[name] for name in names if name in entry.table and name in field_names(record)}


def build_chip(entry: Entry, titles: Titles) -> Chip:
    """Return the chip of an entry."""
    values, sources = read_figures(entry, chip_units(), titles)
    rates = Rates(**{name.removeprefix("peak."): value for name, value in values.items() if name.startswith("peak.")})
    plain: dict[str, Any] = {name: value for name, value in values.items() if not name.startswith("peak.")}
    return _made(entry, lambda: Chip(name=entry.name, peak=rates, sources=sources, **plain, **words(entry, Chip)))


def build_model(entry: Entry, titles: Titles) -> Model:
    """Return the model of an entry."""
    values, sources = read_figures(entry, model_units(), titles)
    plain: dict[str, Any] = dict(values)
    return _made(entry, lambda: Model(name=entry.name, sources=sources, **plain, **words(entry, Model)))


def build_network(entry: Entry, titles: Titles) -> Network:
    """Return the network of an entry, of unlimited span."""
    values, sources = read_figures(entry, NETWORK_UNITS, titles)
    if "bandwidth" not in values:
        raise MissingFigure(f"{entry.where}: no bandwidth is known")
    used: dict[str, Any] = {name: values[name] for name in ("bandwidth", "latency", "dimensions", "achieved_share") if name in values}
    in_network = 1.0 if entry.table.get("in_network") else 0.0
    return _made(entry, lambda: Network(name=entry.name, in_network_reduction=in_network, sources=sources, **used, **words(entry, Network)))


def build_system(entry: Entry, titles: Titles, chip: Chip, network: Callable[[str], Network]) -> System:
    """Return the system of an entry: its chips, its two networks, its housing."""
    values, sources = read_figures(entry, SYSTEM_UNITS, titles)
    if "chips" not in values:
        raise CatalogueError(f"{entry.where}: chips is missing")
    inner: dict[str, Any] = {"span": values.get("scaleup_chips", values["chips"]), "taper": values.get("scaleup_taper", 1.0)}
    inner |= {"dimensions": values["scaleup_dimensions"]} if "scaleup_dimensions" in values else {}
    inner |= {"sides": entry.table["sides"]} if "sides" in entry.table else {}
    inner |= {"taper": None} if entry.table.get("bisection") == "unknown" else {}
    tiers = (("scale-up", "scaleup", inner), ("scale-out", "scaleout", {"span": math.inf}))
    networks = [_tier(entry, kind, key, extra, values, sources, network) for kind, key, extra in tiers]
    dates: dict[str, Any] = {name: values[name] for name in ("released", "shipped") if name in values}
    kept = {name: source for name, source in sources.items() if name in ("chips", "released", "shipped", "power", "price")}
    return _made(
        entry,
        lambda: System(
            **{**words(entry, System), "chip": chip},
            name=entry.name,
            chips=values["chips"],
            networks=tuple(tier for tier in networks if tier is not None),
            parts=_housing(entry, chip, values, sources),
            sources=kept,
            **dates,
        ),
    )


def _tier(
    entry: Entry,
    kind: str,
    key: str,
    extra: dict[str, Any],
    values: Mapping[str, float],
    sources: Mapping[str, Source],
    network: Callable[[str], Network],
) -> Network | None:
    """The scale-up or scale-out network of a system: the link's own figures, the system's span and rate."""
    name = entry.table.get(f"{key}_network", "")
    own = {k: v for k, v in sources.items() if k.startswith(key)}
    rate: dict[str, Any] = {"bandwidth": values[f"{key}_bandwidth"]} if f"{key}_bandwidth" in values else {}
    if not name and not rate:
        return None
    renamed = {k.removeprefix(f"{key}_").replace("chips", "span"): v for k, v in own.items()}
    if name:
        base = network(name)
        shared = kind == "scale-out" and name == entry.table.get("scaleup_network")
        called = {"name": f"{base.name}-scale-out"} if shared else {}
        return base.replace(kind=kind, **called, **rate, **extra, sources={**base.sources, **renamed})
    return Network(name=kind, kind=kind, topology=entry.table.get("topology", ""), sources=renamed, **rate, **extra)


def _housing(entry: Entry, chip: Chip, values: Mapping[str, float], sources: Mapping[str, Source]) -> tuple[Part, ...]:
    """The system's own part, with what its power and price hold beyond the chips; and the rack, where known."""
    level, chips = entry.table.get("level", "node"), values["chips"]
    figures: dict[str, Any] = {}
    origins: dict[str, Source] = {}
    for name, of_chip in (("power", chip.power), ("price", chip.price)):
        if name not in values:
            continue
        is_share = name == "price" and chip.source("price").basis.startswith("share of")
        rest = values[name] - chips * of_chip if of_chip is not None and not is_share else -1.0
        covers = rest < 0.0
        figures[name] = values[name] if covers else rest
        figures[f"covers_chip_{name}"] = 1.0 if covers else 0.0
        origins[name] = sources[name] if covers else _rest(sources[name], chip, name, chips)
    for name in ("cpus", "nics", "host_memory"):
        if name in values:
            figures[name], origins[name] = values[name], sources[name]
    own = Part(name=level, title=f"{level}: all but the chips", per=chips, sources=origins, **figures)
    inner = values.get("node_chips")
    if level != "node" and inner is not None and 1.0 < inner < chips:
        inside = Source(
            printed="0", document="nvscale", title="assumption", kind="estimate", note=f"what a node adds is in the {level}'s figures"
        )
        node = Part(name="node", title="node", per=inner, power=0.0, price=0.0, sources={"power": inside, "price": inside})
        return node, own
    rack = values.get("rack_chips")
    if level == "node" and rack is not None and rack > chips:
        note = Source(printed="0", document="nvscale", title="assumption", kind="estimate", note="a rack adds nothing to its nodes")
        return own, Part(name="rack", title="rack of nodes", per=rack, power=0.0, price=0.0, sources={"power": note, "price": note})
    return (own,)


def _rest(whole: Source, chip: Chip, name: str, chips: float) -> Source:
    """The source of "whole system minus its chips"."""
    inside = chip.source(name).printed
    return Source(
        printed=f"{whole.printed} - {chips:g} x {inside}",
        document=whole.document,
        title=whole.title,
        place=whole.place,
        date=whole.date,
        kind="derived",
        note="whole system minus its chips",
        flags=whole.flags,
    )


def _made(entry: Entry, make: Callable[[], T]) -> T:
    """Make a record; put file and entry in front of what is wrong with it."""
    try:
        return make()
    except CatalogueError:
        raise
    except (ValueError, LookupError) as problem:
        raise CatalogueError(f"{entry.where}: {problem}") from None
