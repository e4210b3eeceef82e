"""Histories that come with the package: tables of figures by date, each with its origin and terms."""

import csv
import functools
import math
import tomllib
from dataclasses import dataclass
from importlib import resources

from nvscale.errors import InvalidInput, unknown

_FOLDER = "data"
MONTHS, DAYS = 12.0, 365.25
MIDDLE_OF_MONTH, MIDDLE_OF_YEAR = 0.5, 0.5


@dataclass(frozen=True)
class History:
    """A table of figures by date.

    Parameters
    ----------
    name, title : str
        What it is called, and what it holds.
    origin, date, licence, kind : str
        Where it comes from, in which state, under which terms, and what sort of figures it holds.
    rows : tuple of dict
        Cells as text, by column; units stand in the names of the columns.
    notes : tuple of str
        What a reader must know.
    """

    name: str
    title: str
    origin: str
    date: str
    licence: str
    kind: str
    rows: tuple[dict[str, str], ...]
    notes: tuple[str, ...] = ()

    def where(self, **cells: str) -> tuple[dict[str, str], ...]:
        """Return the rows whose cells are as said."""
        for column in cells:
            self._known(column)
        return tuple(row for row in self.rows if all(row[column] == wanted for column, wanted in cells.items()))

    def one(self, **cells: str) -> dict[str, str]:
        """Return the only row whose cells are as said."""
        found = self.where(**cells)
        if len(found) != 1:
            raise InvalidInput(f"{self.name}: {len(found)} rows have {cells}; wanted one")
        return found[0]

    def series(self, column: str, date: str) -> list[tuple[float, float]]:
        """Return (decimal year, value) of every row that has both, by year."""
        self._known(column)
        self._known(date)
        known = [row for row in self.rows if row[column] and row[date]]
        return sorted((decimal_year(row[date]), float(row[column])) for row in known)

    def _known(self, column: str) -> None:
        if self.rows and column not in self.rows[0]:
            raise unknown(f"column of {self.name}", column, self.rows[0])


def figure(row: dict[str, str], column: str) -> float:
    """Return a cell as a number; nan where it is blank."""
    return float(row[column]) if row[column] else math.nan


def decimal_year(date: str) -> float:
    """Return a date as a decimal year; the middle of the month or year where no day is given.

    >>> decimal_year("2023"), round(decimal_year("2023-07"), 3)
    (2023.5, 2023.542)
    """
    year, *rest = (int(part) for part in date.split("-"))
    if not rest:
        return year + MIDDLE_OF_YEAR
    if len(rest) == 1:
        return year + (rest[0] - 1 + MIDDLE_OF_MONTH) / MONTHS
    import datetime

    return year + (datetime.date(year, *rest) - datetime.date(year, 1, 1)).days / DAYS


def years_between(before: str, after: str) -> float:
    """Return the years from one date to another; dates without a day stand in the middle of their month.

    >>> round(years_between("2023-03-14", "2024-07-18") * 365.25)
    492
    """
    if before.count("-") == after.count("-") == 2:
        import datetime

        return (datetime.date.fromisoformat(after) - datetime.date.fromisoformat(before)).days / DAYS
    return decimal_year(after) - decimal_year(before)


@functools.cache
def _index() -> dict[str, dict[str, object]]:
    return tomllib.loads(resources.files("nvscale.evidence").joinpath(_FOLDER, "tables.toml").read_text(encoding="utf-8"))


def histories() -> tuple[str, ...]:
    """Return the names of the tables that come with the package.

    >>> "token-prices" in histories()
    True
    """
    return tuple(_index())


@functools.cache
def history(name: str) -> History:
    """Return a table by name.

    >>> history("nvidia-data-centre").rows[-1]["architecture"]
    'Blackwell'
    """
    if name not in _index():
        raise unknown("table of evidence", name, _index())
    entry = dict(_index()[name])
    notes = entry.pop("notes", ())
    text = resources.files("nvscale.evidence").joinpath(_FOLDER, f"{name}.csv").read_text(encoding="utf-8")
    rows = tuple(csv.DictReader(text.splitlines()))
    words = {key: str(value) for key, value in entry.items()}
    return History(name=name, rows=rows, notes=tuple(str(note) for note in notes) if isinstance(notes, list) else (), **words)
