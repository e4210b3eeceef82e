"""`Catalogue`: chips, networks, systems, models, sources and prices, found by name, with close matches and filters."""

import functools
import itertools
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from nvscale.catalogue.building import Entry, build_chip, build_model, build_network, build_system, flat_figures
from nvscale.catalogue.figures import DATE, calendar_year, read_figure
from nvscale.composition import Network, System
from nvscale.errors import CatalogueError, InvalidInput, MissingFigure, MissingPrecision, did_you_mean, unknown
from nvscale.formats import plain_name
from nvscale.provenance import Source
from nvscale.record import units_of
from nvscale.silicon import Chip
from nvscale.transformers import Model
from nvscale.units import Unit

KINDS = ("chips", "networks", "systems", "models", "sources", "prices", "energy", "trends", "assumptions", "fleets", "emissions")
_SINGULAR = ("chip", "network", "system", "model", "source", "price", "energy", "trend", "assumption", "fleet", "emission")
_ONE_OF = dict(zip(KINDS, _SINGULAR, strict=True))
ENTRY_POINTS = "nvscale.catalogues"


class DataFile(NamedTuple):
    """One data file: its name, the kinds of entries in it, and how to read them, done on first use."""

    name: str
    kinds: tuple[str, ...]
    read: Callable[[], Mapping[str, Mapping[str, Any]]]


class Catalogue:
    """Everything the data files hold; immutable: `with_file` returns a larger one.

    Parameters
    ----------
    files : sequence of DataFile
        A later entry replaces an earlier one of the same name. A file is read when an entry of one
        of its kinds is first asked for.
    """

    def __init__(self, files: tuple[DataFile, ...]) -> None:
        self._files = files
        self._read: dict[str, dict[str, Entry]] = {}
        self._spellings: dict[str, dict[str, str]] = {}
        self._made: dict[tuple[str, str], Any] = {}

    def _entries(self, kind: str) -> dict[str, Entry]:
        """Entries of a kind by name."""
        if kind not in KINDS:
            raise unknown("kind of entry", kind, KINDS)
        if kind not in self._read:
            tables = ((file.name, file.read().get(kind, {})) for file in self._files if kind in file.kinds)
            self._read[kind] = {name: Entry(kind, name, table, file) for file, entries in tables for name, table in entries.items()}
        return self._read[kind]

    def _names(self, kind: str) -> dict[str, str]:
        """Names and aliases of a kind in plain spelling -> names."""
        if kind not in self._spellings:
            entries = self._entries(kind)
            aliases = ((alias, name) for name, entry in entries.items() for alias in entry.table.get("aliases", ()))
            self._spellings[kind] = {plain_name(alias): name for alias, name in aliases} | {plain_name(name): name for name in entries}
        return self._spellings[kind]

    @functools.cached_property
    def _titles(self) -> dict[str, str]:
        """Titles of documents by identifier."""
        rows = self._entries("sources").items()
        return {name: ", ".join(str(e.table[k]) for k in ("publisher", "title") if e.table.get(k)) for name, e in rows}

    def entry(self, kind: str, name: str) -> Entry:
        """Return an entry by name or alias; an unknown name is answered with the nearest ones."""
        found = self._names(kind).get(plain_name(str(name)))
        if found is None:
            raise unknown(_ONE_OF[kind], name, dict.fromkeys([*self._entries(kind), *self._names(kind)]))
        return self._entries(kind)[found]

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of all entries of a kind."""
        return tuple(self._entries(kind))

    def _get(self, kind: str, name: str, build: Callable[[Entry], Any]) -> Any:
        entry = self.entry(kind, name)
        key = (kind, entry.name)
        if key not in self._made:
            self._made[key] = build(entry)
        return self._made[key]

    def chip(self, name: "str | Chip") -> Chip:
        """Return a chip by name or alias."""
        if isinstance(name, Chip):
            return name
        made: Chip = self._get("chips", name, lambda entry: build_chip(entry, self._titles))
        return made

    def network(self, name: "str | Network") -> Network:
        """Return a network by name or alias."""
        if isinstance(name, Network):
            return name
        made: Network = self._get("networks", name, lambda entry: build_network(entry, self._titles))
        return made

    def system(self, name: "str | System | Chip") -> System:
        """Return a system by name or alias; a chip, or the name of one, gives a system of one chip to build on."""
        if isinstance(name, System):
            return name
        if isinstance(name, Chip):
            return System(name=name.name, title=name.title, vendor=name.vendor, level="chip", chip=name)
        if plain_name(str(name)) not in self._names("systems") and plain_name(str(name)) in self._names("chips"):
            return self.system(self.chip(name))
        made: System = self._get("systems", name, self._build_system)
        return made

    def _build_system(self, entry: Entry) -> System:
        if "chip" not in entry.table:
            raise CatalogueError(f"{entry.where}: chip is missing")
        return build_system(entry, self._titles, self.chip(entry.table["chip"]), self.network)

    def model(self, name: "str | Model") -> Model:
        """Return a transformer model by name or alias."""
        if isinstance(name, Model):
            return name
        made: Model = self._get("models", name, lambda entry: build_model(entry, self._titles))
        return made

    def models(self, **wanted: Any) -> tuple[Model, ...]:
        """Return the models that fit all filters (family, organisation, architecture, and figures as least values), by name.

        `parameters` and `active_parameters` are computed and may be asked for too.
        """
        return _filtered((self.model(name) for name in self.names("models")), wanted)

    def chips(self, **wanted: Any) -> tuple[Chip, ...]:
        """Return the chips that fit all filters, oldest first.

        Filters: vendor, kind, market, architecture, status, precision, since, until (dates), and any
        figure as a least value: memory="80 GB".
        """
        return _filtered((self.chip(name) for name in self.names("chips")), wanted)

    def networks(self, **wanted: Any) -> tuple[Network, ...]:
        """Return the networks that fit all filters (kind, and figures as least values)."""
        return _filtered((self.network(name) for name in self._with("networks", "bandwidth")), wanted)

    def systems(self, **wanted: Any) -> tuple[System, ...]:
        """Return the systems that fit all filters (vendor, level, status, precision, since, until ...), oldest first."""
        return _filtered((self.system(name) for name in self.names("systems")), wanted)

    def _with(self, kind: str, figure: str) -> Iterator[str]:
        return (name for name, entry in self._entries(kind).items() if figure in entry.table.get("figures", {}))

    def document(self, name: str) -> dict[str, Any]:
        """Return what is known of a document that figures cite."""
        return {"name": self.entry("sources", name).name, **self.entry("sources", name).table}

    def number(self, kind: str, name: str, figure: str, unit: str) -> tuple[float, Source]:
        """Return one figure of an entry of any kind (prices, energy, trends, assumptions) in `unit`, and its source."""
        entry = self.entry(kind, name)
        table = flat_figures(entry)
        if figure not in table:
            raise MissingFigure(f"{entry.where} has no figure {figure!r}{did_you_mean(figure, table)}")
        if "entry" in table[figure]:
            return self.number("prices", table[figure]["entry"], "amount", unit)
        return read_figure(table[figure], Unit(unit, "any"), f"{entry.where} {figure}", self._titles)

    def figures(self, kind: str, name: str) -> tuple[str, ...]:
        """Return the names of the figures of an entry, nested ones dotted."""
        return tuple(flat_figures(self.entry(kind, name)))

    def origin(self, kind: str, name: str, figure: str) -> Source:
        """Return where a figure of an entry of any kind comes from; low and high are in the printed unit's base."""
        entry = self.entry(kind, name)
        table = flat_figures(entry)
        if figure not in table:
            raise unknown(f"figure of {entry.name}", figure, table)
        printed = table[figure]
        if "entry" in printed:
            return self.origin("prices", printed["entry"], "amount")
        unit = Unit("1", "year") if printed["unit"] == DATE else Unit(printed["unit"], "any")
        return read_figure(printed, unit, f"{entry.where} {figure}", self._titles)[1]

    def with_file(self, path: "str | Path") -> "Catalogue":
        """Return a catalogue that also holds a user's file, strictly validated."""
        from nvscale.catalogue.schema import validate_file  # pydantic is imported only here

        file = Path(path)
        tables = validate_file(file, self.entry)
        larger = Catalogue((*self._files, DataFile(file.name, tuple(tables), lambda: tables)))
        larger._build_all(file.name, tables)
        return larger

    def _build_all(self, file: str, tables: Mapping[str, Mapping[str, Any]]) -> None:
        """Build every record of a user's file, so that what is wrong with it is said when it is loaded."""
        problems = []
        for kind, find in (("chips", self.chip), ("networks", self.network), ("systems", self.system), ("models", self.model)):
            for name in tables.get(kind, {}):
                try:
                    find(name)
                except (CatalogueError, MissingFigure) as problem:
                    problems.append(str(problem))
        if problems:
            raise CatalogueError("; ".join(text if text.startswith(file) else f"{file}: {text}" for text in problems))


_EXACT = ("vendor", "kind", "market", "level", "status", "family", "organisation")
_COMPUTED = ("parameters", "active_parameters")
_INSIDE = ("architecture", "topology", "title")


def _filtered(things: Iterator[Any], wanted: Mapping[str, Any]) -> tuple[Any, ...]:
    """Things for which every filter holds, by year then name."""
    found = tuple(things)
    for key, value in wanted.items():
        there = {getattr(thing, key).lower() for thing in found if key in _EXACT and hasattr(thing, key)}
        if there and str(value).lower() not in there:
            raise unknown(key, str(value), sorted(there))
    kept = [thing for thing in found if all(_fits(thing, key, value) for key, value in wanted.items())]
    return tuple(
        sorted(kept, key=lambda thing: (getattr(thing, "shipped", None) or getattr(thing, "released", None) or 9999.0, thing.name))
    )


def _fits(thing: Any, key: str, value: Any) -> bool:
    if key in ("since", "until") and hasattr(thing, "released"):
        year = thing.released if getattr(thing, "shipped", None) is None else thing.shipped
        limit = calendar_year(value, key)
        return year is not None and (year >= limit if key == "since" else year <= limit)
    if key == "precision" and isinstance(thing, Chip | System):
        try:
            (thing if isinstance(thing, Chip) else thing.chip).rate(value)
        except MissingPrecision:
            return False
        return True
    if key in _EXACT and hasattr(thing, key):
        return bool(getattr(thing, key).lower() == str(value).lower())
    if key in _INSIDE and hasattr(thing, key):
        return str(value).lower() in getattr(thing, key).lower()
    try:
        unit = "1" if key in _COMPUTED and isinstance(thing, Model) else thing.unit_of(key)
    except LookupError:
        known = ("since", "until", "precision", *_EXACT, *_INSIDE, *(_COMPUTED if isinstance(thing, Model) else ()), *units_of(type(thing)))
        raise InvalidInput(f"no filter {key!r}{did_you_mean(key, known)}") from None
    figure = getattr(thing, key)
    return figure is not None and bool(figure >= Unit(unit, "any").si(value, key))


@functools.cache
def shipped_catalogue() -> Catalogue:
    """Return the catalogue that comes with nvscale."""
    folder = resources.files("nvscale.catalogue").joinpath("data")
    files = []
    for path in sorted(folder.iterdir(), key=lambda item: item.name):
        kind = path.name.removesuffix(".toml").partition("-")[0]
        if path.name.endswith(".toml") and kind in KINDS:
            files.append(DataFile(path.name, (kind,), functools.partial(_read_shipped, path, kind)))
    return Catalogue(tuple(files))


def _read_shipped(path: Traversable, kind: str) -> dict[str, Any]:
    """Read a shipped file, whose entries are all of one kind."""
    return {kind: tomllib.loads(path.read_text(encoding="utf-8"))}


@functools.cache
def full_catalogue() -> Catalogue:
    """Return the shipped catalogue with the files that installed packages offer as `nvscale.catalogues`."""
    from importlib import metadata  # slow to import, and only an unknown name needs it

    catalogue = shipped_catalogue()
    for point in metadata.entry_points(group=ENTRY_POINTS):
        offered = point.load()
        paths = offered() if callable(offered) else offered
        for path in itertools.chain([paths] if isinstance(paths, str | Path) else paths):
            catalogue = catalogue.with_file(path)
    return catalogue
