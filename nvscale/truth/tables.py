"""Tables of measured rows: read from a file or from the package, kept as text, written with predictions added."""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput, UnknownName, did_you_mean
from nvscale.truth.kinds.base import Kind


@dataclass(frozen=True)
class Table:
    """Rows of text under column names.

    Parameters
    ----------
    name : str
        File, or where the rows come from; for messages.
    columns : tuple of str
        As in the header.
    rows : list of list of str
        One cell per column.
    """

    name: str
    columns: tuple[str, ...]
    rows: list[list[str]]

    def column(self, name: str) -> list[str]:
        """Return the cells of a column; empty ones where the table lacks it."""
        if name not in self.columns:
            return [""] * len(self.rows)
        place = self.columns.index(name)
        return [row[place].strip() for row in self.rows]

    def figures(self, name: str) -> Any:
        """Return a column as an array; nan where a cell is blank or is no number."""
        import numpy as np

        cells = self.column(name)
        try:
            return np.array([cell or "nan" for cell in cells], dtype=float)
        except ValueError:
            return np.array([_figure(cell) for cell in cells])

    def check(self, kind: Kind) -> "Table":
        """Return the table if it has the columns of a kind; the error names those that are missing."""
        missing = [name for name in kind.required if name not in self.columns]
        if missing:
            close = did_you_mean(missing[0], self.columns)
            raise InvalidInput(f"{self.name}: rows of kind {kind.name} need the column {', '.join(missing)}{close}")
        return self


def _figure(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return float("nan")


def read_table(path: "str | Path") -> Table:
    """Return a CSV file as a table; every row must have as many cells as the header."""
    file = Path(path)
    try:
        content = file.read_bytes()
    except OSError as problem:
        raise InvalidInput(f"{file}: cannot be read: {problem.strerror}") from None
    try:
        text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8-sig")
    except (UnicodeDecodeError, gzip.BadGzipFile):
        raise InvalidInput(f"{file}: is no CSV file in UTF-8") from None
    return _parsed(str(file), text)


def _parsed(name: str, text: str) -> Table:
    lines = list(csv.reader(io.StringIO(text, newline="")))
    lines = [line for line in lines if line]
    if not lines:
        raise InvalidInput(f"{name}: is empty; wanted a line of column names and rows")
    header = tuple(cell.strip() for cell in lines[0])
    doubled = [cell for cell in header if cell and header.count(cell) > 1]
    if doubled:
        raise InvalidInput(f"{name}: the column {doubled[0]!r} is there twice")
    for number, row in enumerate(lines[1:], start=2):
        if len(row) != len(header):
            raise InvalidInput(f"{name}: row {number} has {len(row)} cells under {len(header)} column names")
    return Table(name, header, lines[1:])


def bundled(kind: str) -> Table:
    """Return the measured rows of a kind that come with nvscale."""
    path = resources.files("nvscale.truth").joinpath(f"data/measured-{kind}.csv.gz")
    if not path.is_file():
        raise UnknownName(f"no measured rows of kind {kind} come with nvscale; give a file of your own")
    return _parsed(f"measured rows of {kind}", gzip.decompress(path.read_bytes()).decode())


def has_bundled(kind: str) -> bool:
    """Whether measured rows of a kind come with nvscale."""
    return resources.files("nvscale.truth").joinpath(f"data/measured-{kind}.csv.gz").is_file()


def write_table(path: "str | Path", columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a CSV file."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def best_rows(kind: Kind, table: Table, column: str, measured: Any) -> Any:
    """Return which rows are the best of those that share the columns of `best_of`; all where the kind has none."""
    import numpy as np

    if not kind.best_of:
        return np.ones(len(measured), dtype=bool)
    sign = -1.0 if column == "seconds" else 1.0
    best: dict[tuple[str, ...], int] = {}
    keys = zip(*(table.column(name) for name in kind.best_of), strict=True)
    for place, (key, value) in enumerate(zip(keys, (sign * measured).tolist(), strict=True)):
        if value == value and (key not in best or value > sign * measured[best[key]]):
            best[key] = place
    chosen = np.zeros(len(measured), dtype=bool)
    chosen[list(best.values())] = True
    return chosen
