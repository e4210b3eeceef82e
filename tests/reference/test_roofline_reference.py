"""Published rooflines: ridge points, kernels on them, start-up, in the units of the documents."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import roofline


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


KIPPLY = "kipply, Transformer Inference Arithmetic, 2022"
SCALING_BOOK = "Austin et al., How to Scale Your Model, 2025, chapter All About Rooflines"
ROOFLINE_PAPER = "Williams, Waterman, Patterson, Communications of the ACM 52(4), 2009, figure 1a"
INSTRUCTION_PAPER = "Ding, Williams, PMBS 2019, roofs of the V100"
PARKBENCH = "Hockney, Berry, PARKBENCH Report 1, 1994, RINF1"
MATMUL_GUIDE = "NVIDIA, Matrix Multiplication Background User's Guide, 2023, chapter 2"
V100 = {"peak": 489.6e9}
GEMM = 2 * 8192.0 * 8192.0

ROWS = [
    Row("ridge A100 40GB bf16", roofline.ridge_point, {"peak": 312e12, "bandwidth": 1.5e12}, 208.0, 1e-3, KIPPLY),
    Row("ridge A100 80GB bf16", roofline.ridge_point, {"peak": 312e12, "bandwidth": 2.039e12}, 153.02, 1e-3, "data sheet values"),
    Row("ridge H100 SXM fp8", roofline.ridge_point, {"peak": 1979e12, "bandwidth": 3.35e12}, 590.72, 1e-3, "data sheet values"),
    Row("ridge B200 fp4", roofline.ridge_point, {"peak": 9e15, "bandwidth": 8e12}, 1125.0, 1e-3, "data sheet values"),
    Row("ridge TPU v5e bf16", roofline.ridge_point, {"peak": 197e12, "bandwidth": 810e9}, 243.21, 1e-3, SCALING_BOOK),
    Row("ridge TPU v5e bf16, printed 240", roofline.ridge_point, {"peak": 1.97e14, "bandwidth": 8.2e11}, 240.0, 2e-3, SCALING_BOOK),
    Row("ridge Opteron X2", roofline.ridge_point, {"peak": 17.6e9, "bandwidth": 15e9}, 1.17, 5e-3, ROOFLINE_PAPER),
    Row("ridge V100 fp16", roofline.ridge_point, {"peak": 125e12, "bandwidth": 900e9}, 138.9, 1e-3, MATMUL_GUIDE),
    Row(
        "Opteron X2 at 0.5 flop/byte",
        roofline.attainable,
        {"operational_intensity": 0.5, "peak": 17.6e9, "bandwidth": 15e9},
        7.5e9,
        1e-12,
        ROOFLINE_PAPER,
    ),
    Row("dot product", roofline.operational_intensity, {"work": 2.0, "traffic": 4.0}, 0.5, 1e-12, SCALING_BOOK),
    Row(
        "matrix multiply 8192 x 128 x 8192",
        roofline.operational_intensity,
        {"work": GEMM * 128, "traffic": 2 * (2 * 8192.0 * 128 + 8192.0**2)},
        124.1,
        1e-3,
        MATMUL_GUIDE,
    ),
    Row(
        "matrix multiply 8192 x 8192 x 8192",
        roofline.operational_intensity,
        {"work": GEMM * 8192, "traffic": 2 * 3 * 8192.0**2},
        2730.0,
        1e-3,
        MATMUL_GUIDE,
    ),
    Row("1e12 operations on an H100", roofline.compute_time, {"work": 1e12, "peak": 9.89e14}, 1.01e-3, 2e-3, SCALING_BOOK),
    Row(
        "compute time, 260B parameters, batch 512, 16 A100",
        roofline.compute_time,
        {"work": 2 * 260e9 * 512, "peak": 16 * 312e12},
        53.333e-3,
        1e-4,
        KIPPLY,
    ),
    Row(
        "memory roof of that batch is lower",
        roofline.roofline_time,
        {"work": 2 * 260e9 * 512, "peak": 16 * 312e12, "traffic": 2 * 260e9, "bandwidth": 16 * 1.5e12},
        53.333e-3,
        1e-4,
        KIPPLY,
    ),
    Row(
        "V100 instruction roof",
        roofline.instruction_attainable,
        {"instruction_intensity": 100.0, "bandwidth": 25.9e9, **V100},
        80 * 4 * 1.53e9,
        1e-12,
        INSTRUCTION_PAPER,
    ),
    Row(
        "V100 memory roof, 32-byte transactions at 828 GB/s",
        roofline.instruction_attainable,
        {"instruction_intensity": 1.0, "bandwidth": 828e9 / 32, **V100},
        25.9e9,
        2e-3,
        INSTRUCTION_PAPER,
    ),
    Row("80 % at four half sizes", roofline.hockney_rate, {"work": 4.0, "peak": 1.0, "half_size": 1.0}, 0.8, 1e-12, PARKBENCH),
    Row("half at the half size", roofline.hockney_rate, {"work": 50.0, "peak": 1.0, "half_size": 50.0}, 0.5, 1e-12, PARKBENCH),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative), row.document
