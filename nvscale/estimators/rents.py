"""`rents`: what renting a chip has cost over time, as published."""

from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.catalogue.figures import calendar_year
from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, term
from nvscale.provenance import GIVEN, Source
from nvscale.silicon import Chip
from nvscale.units import Unit

HOUR = 3600.0


class Rent(NamedTuple):
    """One published rent of a chip: entry, scope, year, USD per chip-hour with its range, and source."""

    entry: str
    scope: str
    year: float
    usd_per_hour: float
    low: float | None
    high: float | None
    source: Source


def rents(chip: "Chip | str") -> tuple[Rent, ...]:
    """Return the published rents of a chip, oldest first; they rise as well as fall.

    Parameters
    ----------
    chip : Chip or str
        Which chip.

    Returns
    -------
    tuple of Rent
        Empty where none was published.

    Examples
    --------
    >>> found = rents("h100-sxm")
    >>> found[0].usd_per_hour, len(found) > 8
    (10.0, True)
    """
    name, known = catalogue.chip(chip).name, catalogue.default()
    rows = []
    for entry in known.names("prices"):
        table = known.entry("prices", entry).table
        if table.get("category") == "rent" and table.get("item") == name:
            value, source = known.number("prices", entry, "amount", "USD/s")
            low, high = (None if end is None else end * HOUR for end in (source.low, source.high))
            rows.append(Rent(entry, str(table.get("scope", "")), calendar_year(source.date), value * HOUR, low, high, source))
    return tuple(sorted(rows, key=lambda row: row.year))


def rent_of(chip: "Chip | str", rent: Any = None) -> Estimate:
    """Return the rent of a chip in USD/s: as given, an entry of the price list by name, or the newest published one."""
    found = catalogue.chip(chip)
    if rent is not None and not (isinstance(rent, str) and not rent.strip()[:1].isdigit()):
        return term("rent", Unit("USD/s", ">=0").si(rent, "rent"), "USD/s", source=GIVEN)
    if rent is not None:
        value, source = catalogue.default().number("prices", rent, "amount", "USD/s")
        return term("rent", value, "USD/s", source=source)
    rows = rents(found)
    if not rows:
        raise MissingFigure(f"no rent of {found.name} is known; give rent, e.g. '2.5 USD/h'")
    newest = rows[-1]
    leaf = term("rent", newest.usd_per_hour / HOUR, "USD/s", source=newest.source)
    ends = [row.usd_per_hour / HOUR for row in rows if row.year > newest.year - 1.0]
    leaf.low, leaf.high = min(ends), max(ends)
    if leaf.value <= 0.0:
        raise InvalidInput(f"rent of {found.name} must be above 0")
    return leaf
