"""Published counts of matrix multiplies and of STREAM."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import matrix_multiply, passes


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


def intensity(m: float, n: float, k: float) -> float:
    """Flop per byte in 16 bit."""
    return matrix_multiply.multiply_work(m, n, k) / matrix_multiply.multiply_traffic(m, n, k, 2.0, 2.0, 2.0)


GUIDE = "NVIDIA, Matrix Multiplication Background User's Guide, 2023, section 2 (Math and Memory Bounds)"
TILING = "He, What Shapes Do Matrix Multiplications Like?, 2024"
STREAM = "McCalpin, STREAM, 1995, table of the four kernels: bytes per iteration in double precision"
TILE = {"exposure": 1.0, "tile_m": 256.0, "tile_n": 128.0, "compute_units": 108.0}

ROWS = [
    Row("8192 x 128 x 8192", intensity, {"m": 8192.0, "n": 128.0, "k": 8192.0}, 124.1, 1e-3, GUIDE),
    Row("8192 cubed", intensity, {"m": 8192.0, "n": 8192.0, "k": 8192.0}, 2730.0, 1e-3, GUIDE),
    Row("98 tiles on 108 units: one wave", matrix_multiply.wave_loss, {"m": 1792.0, "n": 1792.0, **TILE}, 108 / 98, 1e-12, TILING),
    Row("120 tiles on 108 units: two waves", matrix_multiply.wave_loss, {"m": 1793.0, "n": 1793.0, **TILE}, 216 / 120, 1e-12, TILING),
    Row("copy", passes.pass_traffic, {"elements": 1.0, "read_size": 8.0, "write_size": 8.0}, 16.0, 0.0, STREAM),
    Row("triad", passes.pass_traffic, {"elements": 1.0, "read_size": 16.0, "write_size": 8.0}, 24.0, 0.0, STREAM),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.document
