"""Cells that the accuracy pages share: figures of a score, and numbers that may be unknown."""

import math

from nvscale.truth.scoring import Score

COLUMNS = ("group", "rows", "no prediction", "MAPE %", "median %", "p90 %", "bias %", "inside the interval %", "interval factor")
UNKNOWN = "-"


def figures(row: Score) -> list[str]:
    """Return the cells of a score beside its name."""
    shares = (row.mape, row.median, row.p90, row.bias, row.coverage)
    return [str(row.rows), str(row.without_prediction), *(number(share, ".1f") for share in shares), number(row.interval, ".2f")]


def number(value: float, form: str) -> str:
    """Return a number as text; a dash where it is not known."""
    return format(value, form) if math.isfinite(value) else UNKNOWN
