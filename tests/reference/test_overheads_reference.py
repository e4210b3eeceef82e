"""Published tile and wave counts, bounds of overlap."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import overheads


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


GUIDE = "NVIDIA, Matrix Multiplication Background User's Guide, 2023, chapter 3"
TILING = "He, What Shapes Do Matrix Multiplications Like?, 2024"
SCALING_BOOK = "Austin et al., How to Scale Your Model, 2025, chapter All About Rooflines"
A100_TILE = {"tile_m": 256.0, "tile_n": 128.0}

ROWS = [
    Row("1792 squared in tiles of 256 x 128", overheads.output_tiles, {"m": 1792.0, "n": 1792.0, **A100_TILE}, 98.0, 0.0, TILING),
    Row("1793 squared in tiles of 256 x 128", overheads.output_tiles, {"m": 1793.0, "n": 1793.0, **A100_TILE}, 120.0, 0.0, TILING),
    Row("98 tiles fit one wave of an A100", overheads.wave_utilisation, {"tiles": 98.0, "processors": 108.0}, 98 / 108, 1e-12, TILING),
    Row("120 tiles need two waves", overheads.wave_utilisation, {"tiles": 120.0, "processors": 108.0}, 120 / 216, 1e-12, TILING),
    Row(
        "one row more than two tiles launches six, not four",
        overheads.output_tiles,
        {"m": 257.0, "n": 256.0, "tile_m": 128.0, "tile_n": 128.0},
        6.0,
        0.0,
        GUIDE,
    ),
    Row("upper bound is twice the lower", overheads.partial_overlap_time, {"times": [1.0, 1.0], "overlap": 0.0}, 2.0, 0.0, SCALING_BOOK),
    Row("lower bound is the maximum", overheads.partial_overlap_time, {"times": [1.0, 1.0], "overlap": 1.0}, 1.0, 0.0, SCALING_BOOK),
    Row("p-norm of 3 and 4", overheads.smooth_maximum, {"times": [3.0, 4.0], "sharpness": 2.0}, 5.0, 1e-15, "Euclid, Elements I.47"),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.document
