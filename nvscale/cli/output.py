"""What commands print: tables for people, JSON for programs."""

import json
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from nvscale.errors import InvalidInput
from nvscale.report.tables import SHORT, Table

NARROW = 9
"""Least width of a column, so that headings break between words."""
PIPE_WIDTH = 220
"""Columns where the output is no terminal, so that nothing is cut."""


def console() -> Console:
    """Return a console that uses the terminal's width, or a wide page in a pipe."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_table(table: Table) -> None:
    """Print a table with its notes."""
    drawn = RichTable(title=table.heading(), title_justify="left", title_style="bold", header_style="bold cyan", box=None, pad_edge=False)
    numeric, rows = table.numeric(), table.text()
    for i, name in enumerate(table.headings()):
        longest = max((len(row[i]) for row in rows), default=0)
        header = textwrap.fill(name, max(longest, NARROW), break_long_words=False)
        drawn.add_column(header, justify="right" if i in numeric else "left", overflow="fold", no_wrap=longest < SHORT)
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    out = console()
    out.print(drawn)
    for note in table.notes:
        out.print(Text(f"  {note}"), style="dim")
    out.print()


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
