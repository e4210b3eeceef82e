"""What commands print: tables for people, JSON for programs."""

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from nvscale.errors import InvalidInput
from nvscale.report.tables import Table

NARROW = 9
"""Least width that headings are broken to."""
FOLDED = 36
"""Longest text of a column that is never folded, where the terminal has room for three such."""
GAP = 2
PIPE_WIDTH = 220
"""Columns where the output is no terminal, so that nothing is cut."""


def console() -> Console:
    """Return a console that uses the terminal's width, or a wide page in a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_table(table: Table) -> None:
    """Print a table with its notes; one too wide for the terminal goes on below, the columns that name a row repeated."""
    out = console()
    folded = longest_unfolded(out.width)
    widths = _widths(table, folded)
    for number, columns in enumerate(_that_fit(widths, out.width, _naming(table))):
        title = table.heading() if not number else f"{table.heading()}, continued"
        out.print(_drawn(table, columns, widths, folded, title))
    for note in table.notes:
        out.print(Text(f"  {note}"), style="dim")
    out.print()


def longest_unfolded(width: int) -> int:
    """The longest text that keeps to one line in a terminal of this width: three columns of it fit."""
    return min(FOLDED, width // 3 - GAP)


def _heading(name: str, width: int) -> list[str]:
    """A heading in lines, broken between words."""
    return textwrap.wrap(name, max(width, NARROW), break_long_words=False) or [""]


def _widths(table: Table, folded: int) -> list[int]:
    """The least width of every column: its longest cell or line of its heading; long text may be folded."""
    rows = table.text()
    found = []
    for i, name in enumerate(table.headings()):
        longest = min(max((len(row[i]) for row in rows), default=0), folded)
        found.append(max(longest, *(len(line) for line in _heading(name, longest))))
    return found


def _naming(table: Table) -> int:
    """How many leading columns of text tell the rows apart; one where numbers would be needed for it."""
    rows, numeric = table.text(), table.numeric()
    for count in range(1, len(table.headings())):
        if count - 1 in numeric:
            break
        if len({tuple(row[:count]) for row in rows}) == len(rows):
            return count
    return 1


def _that_fit(widths: Sequence[int], width: int, naming: int) -> list[list[int]]:
    """Columns packed into tables that fit the width; the naming columns stand in each."""
    names = list(range(naming))
    packed = [names]
    for i in range(naming, len(widths)):
        if len(packed[-1]) > naming and sum(widths[j] + GAP for j in [*packed[-1], i]) - GAP > width:
            packed.append(names)
        packed[-1] = [*packed[-1], i]
    return packed


def _drawn(table: Table, columns: Sequence[int], widths: Sequence[int], folded: int, title: str) -> RichTable:
    """The chosen columns of a table as rich draws them, no cell cut."""
    drawn = RichTable(title=title, title_justify="left", title_style="bold", header_style="bold cyan", box=None, pad_edge=False)
    numeric, headings = table.numeric(), table.headings()
    for i in columns:
        header = "\n".join(_heading(headings[i], widths[i]))
        side = "right" if i in numeric else "left"
        drawn.add_column(header, justify=cast("Any", side), overflow="fold", min_width=widths[i], no_wrap=widths[i] < folded)
    for row in table.text():
        drawn.add_row(*(Text(row[i]) for i in columns))
    return drawn


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def print_text(text: str) -> None:
    """Print text as it is."""
    console().print(Text(text), soft_wrap=True)


def print_pairs(title: str, pairs: Mapping[str, Any]) -> None:
    """Print names and values, one a line."""
    rows = [[name, value] for name, value in pairs.items()]
    print_table(Table("", title, ["", ""], rows))


def new_file(path: Path, suffixes: Sequence[str], *, overwrite: bool) -> Path:
    """Return the path if it may be written: right ending, folder there, nothing lost without being asked."""
    if path.suffix.lower() not in suffixes:
        raise InvalidInput(f"{path}: the ending must be one of {', '.join(suffixes)}")
    if not path.parent.is_dir():
        raise InvalidInput(f"{path}: there is no folder {path.parent}")
    if path.exists() and not overwrite:
        raise InvalidInput(f"{path} is there already; add --force to replace it, or choose another name")
    return path
