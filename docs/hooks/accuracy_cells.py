"""Cells that the accuracy pages share: figures of a score, and numbers that may be unknown."""

import math

from nvscale.truth.scoring import Score, Scores

COLUMNS = ("group", "rows", "no prediction", "MAPE %", "median %", "p90 %", "bias %", "inside the interval %", "interval factor")
BESIDE = ("unseen chip %", "in sample %")
UNKNOWN = "-"


def figures(row: Score) -> list[str]:
    """Return the cells of a score beside its name."""
    shares = (row.mape, row.median, row.p90, row.bias, row.coverage)
    return [str(row.rows), str(row.without_prediction), *(number(share, ".1f") for share in shares), number(row.interval, ".2f")]


def beside(row: Score, chips: Scores, shipped: Scores) -> list[str]:
    """Return the mean errors of the same group with every chip held out, and in sample."""
    return [number(one.mape, ".1f") for scores in (chips, shipped) for one in scores.rows if (one.kind, one.group) == (row.kind, row.group)]


def number(value: float, form: str) -> str:
    """Return a number as text; a dash where it is not known."""
    return format(value, form) if math.isfinite(value) else UNKNOWN
