"""Published memory times and traffic."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import memory


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


KIPPLY = "kipply, Transformer Inference Arithmetic, 2022"
GUIDE = "NVIDIA, Matrix Multiplication Background User's Guide, 2023, chapter 2"
WEIGHTS_52B = 12 * 64 * 8192.0**2 * 2

ROWS = [
    Row("weights of 52B on one A100", memory.transfer_time, {"data": WEIGHTS_52B, "bandwidth": 1.5e12}, 68.72e-3, 1e-3, KIPPLY),
    Row("weights of 52B on four A100", memory.transfer_time, {"data": WEIGHTS_52B, "bandwidth": 4 * 1.5e12}, 17.18e-3, 1e-3, KIPPLY),
    Row("weights of 260B on 16 A100", memory.transfer_time, {"data": 2 * 260e9, "bandwidth": 16 * 1.5e12}, 21.667e-3, 1e-4, KIPPLY),
    Row(
        "activations of 260B, batch 512, over 300 GB/s",
        memory.transfer_time,
        {"data": 512 * 8 * 80 * 16384.0, "bandwidth": 300e9},
        17.896e-3,
        1e-4,
        KIPPLY,
    ),
    Row(
        "traffic of 8192 x 128 x 8192 in fp16, over its work of 124.1 flop/byte",
        memory.compulsory_matmul_traffic,
        {"m": 8192.0, "n": 128.0, "k": 8192.0, "element_size": 2.0},
        2 * 8192.0 * 128 * 8192 / 124.1,
        1e-3,
        GUIDE,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative), row.document
