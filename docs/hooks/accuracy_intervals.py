"""How many groups of rows have intervals as they are meant."""

import html
from collections.abc import Callable

from nvscale.truth.scoring import Score, Scores

INTERVAL_COLUMNS = (
    "kind of rows",
    "predicted %",
    "groups",
    "as meant",
    "too few inside",
    "more inside than needed",
    "wider than the limit",
)
COVERED, WIDEST, PREDICTED, FEWEST = (85.0, 95.0), 1.5, 95.0, 20
"""What intervals should hold, the widest factor, the share of rows with a prediction, and the rows of a group that is counted."""


def interval_row(kind: str, found: Scores) -> list[str]:
    """Return how many groups of a kind have intervals as they are meant, and which do not."""
    whole = [row for row in found.rows if row.kind == kind and row.group.split(" ", 1)[0] == "all"]
    rows, without = sum(row.rows for row in whole), sum(row.without_prediction for row in whole)
    groups = [row for row in found.rows if row.kind == kind and row not in whole and row.rows - row.without_prediction >= FEWEST]
    low = [row for row in groups if row.coverage < COVERED[0]]
    high = [row for row in groups if row.coverage > COVERED[1]]
    wide = [row for row in groups if row.interval > WIDEST]
    predicted = 100.0 * (rows - without) / rows
    return [
        kind,
        f"{predicted:.1f}" if predicted >= PREDICTED else f"<b>{predicted:.1f}</b>",
        str(len(groups)),
        str(len(groups) - len(low) - len(high)),
        _named(low, lambda row: f"{row.coverage:.0f} %"),
        str(len(high)),
        _named(wide, lambda row: f"{row.interval:.2f}"),
    ]


def _named(rows: list[Score], say: Callable[[Score], str]) -> str:
    """Groups by name, each with a figure."""
    return "<br>".join(f"{html.escape(row.group)}: {say(row)}" for row in rows) or "none"
