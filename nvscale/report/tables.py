"""`Table`: titled rows of text and numbers, drawn by the terminal, the page and JSON alike."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from nvscale.units import readable, scaled

MISSING = "-"
SHORT = 24
MANY = 4
LONG = 34


@dataclass(frozen=True, slots=True)
class Cell:
    """A number with its unit, shown with a prefix and exported in SI."""

    value: float | None
    unit: str = "1"
    digits: int = 4

    def __str__(self) -> str:
        return MISSING if self.value is None else readable(self.value, self.unit, self.digits)

    def short(self) -> str:
        """Return the number and its prefix; the unit then stands in the heading."""
        if self.value is None:
            return MISSING
        number, prefix, _ = scaled(self.value, self.unit, self.digits)
        return f"{number} {prefix}".rstrip()


@dataclass(frozen=True, slots=True)
class Factor:
    """A ratio, written with x or ÷ and exported as a number."""

    value: float | None
    digits: int = 4

    def __str__(self) -> str:
        return times(self.value, self.digits)


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of ratios, exported as a list of two numbers."""

    low: float | None
    high: float | None

    @property
    def value(self) -> list[float] | None:
        """Both ends, or None."""
        return None if self.low is None or self.high is None else [self.low, self.high]

    def __str__(self) -> str:
        return MISSING if self.value is None else f"{times(self.low, 3)} to {times(self.high, 3)}"


@dataclass(frozen=True, slots=True)
class Percent:
    """A share, written in percent and exported as a number."""

    value: float

    def __str__(self) -> str:
        return f"{self.value:.1%}"


@dataclass(frozen=True, slots=True)
class Remarks:
    """Remarks of a row: numbers that point below the table, exported as text."""

    value: list[str]
    numbers: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(f"[{number}]" for number in self.numbers)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the report.

    Parameters
    ----------
    key : str
        Name in the JSON.
    title : str
        Heading.
    columns : sequence of str
        Column headings; the first names the row.
    rows : sequence of sequence
        Text or Cells.
    notes : sequence of str
        What a reader must know.
    """

    key: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str] = field(default=())

    def units(self) -> list[str]:
        """Return for every column the unit that all its cells share; empty where there is none."""
        found = []
        for i in range(len(self.columns)):
            cells = [row[i] for row in self.rows]
            alike = {cell.unit if isinstance(cell, Cell) else "" for cell in cells}
            found.append(alike.pop() if len(alike) == 1 else "")
        return found

    def common_unit(self) -> str:
        """Return the unit that several columns share, which then stands in the title; empty where there is none."""
        counted = Counter(unit for unit in self.units() if unit and unit != "1")
        unit, times_found = counted.most_common(1)[0] if counted else ("", 0)
        return unit if times_found >= MANY and counted.total() - times_found <= 1 else ""

    def heading(self) -> str:
        """Return the title, with the unit that most columns share."""
        common = self.common_unit()
        return f"{self.title} ({scaled(0.0, common)[2]})" if common else self.title

    def headings(self) -> list[str]:
        """Return the headings, with the unit where all cells of a column share one that the title does not name."""
        common = self.common_unit()
        bases = [scaled(0.0, unit)[2] if unit and unit != common else "" for unit in self.units()]
        return [f"{name} ({base})" if base else name for name, base in zip(self.columns, bases, strict=True)]

    def text(self) -> list[list[str]]:
        """Return the rows as text; the unit is left to the heading where a column shares one."""
        shared = self.units()
        return [[_text(cell, shared[i]) for i, cell in enumerate(row)] for row in self.rows]

    def numeric(self) -> set[int]:
        """Return the columns that hold short numbers, read best with their ends aligned; never the first."""
        rows = self.text()
        return {i for i in range(1, len(self.columns)) if all(_short_number(row[i]) for row in rows)}

    def wide(self) -> set[int]:
        """Return the columns that hold sentences, which are set smaller and folded."""
        rows = self.text()
        return {i for i in range(1, len(self.columns)) if any(len(row[i]) > LONG for row in rows)}

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as plain data: numbers in SI, with the unit in the name."""
        return [
            {
                (f"{name} ({cell.unit})" if isinstance(cell, Cell) and cell.unit != "1" else name): plain(cell)
                for name, cell in zip(self.columns, row, strict=True)
            }
            for row in self.rows
        ]


def _text(cell: Any, shared_unit: str) -> str:
    if cell is None:
        return MISSING
    return cell.short() if isinstance(cell, Cell) and shared_unit else str(cell)


def _short_number(cell: str) -> bool:
    return cell == MISSING or (cell[:1] in "x÷0123456789+-." and len(cell) < SHORT)


def plain(cell: Any) -> Any:
    """Return a cell as plain data: numbers in SI, the missing ones as None."""
    return cell.value if isinstance(cell, Cell | Factor | Interval | Percent | Remarks) else None if cell == MISSING else cell


def times(factor: float | None, digits: int = 4) -> str:
    """Return a ratio as people write it: x for growth, ÷ for a fall.

    >>> times(14858.49), times(2.5149), times(0.25), times(None)
    ('x14,858', 'x2.515', '÷4', '-')
    """
    if factor is None:
        return MISSING
    sign, size = ("÷", 1.0 / factor) if 0.0 < factor < 1.0 else ("x", factor)
    return f"{sign}{size:,.0f}" if size >= 1000.0 else f"{sign}{size:.{digits}g}"
