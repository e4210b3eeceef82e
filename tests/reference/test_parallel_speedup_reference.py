"""Published speed-ups: Gustafson's hypercube, Hill and Marty's chips, fits of the universal scalability law."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import parallel_speedup as laws


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


USL = "Gunther, Guerrilla Capacity Planning, 2007, form; value computed"
SPARC = "R package usl 3.0.4, README, SPEC SDM91 fit (peak printed as 96.5)"
HILL_MARTY = "Hill, Marty, IEEE Computer 41(7), 2008"
HILL_SLIDES = "Hill, Marty, slides of August 2008, executive summary"
GUSTAFSON = "Gustafson, Communications of the ACM 31(5), 1988"
DEFINITION = "definition; value computed"
GUNTHER = {"contention": 0.02, "coherency": 0.0005}

ROWS = [
    Row("universal scalability, best size", laws.usl_best_size, GUNTHER, 44.2719, 1e-5, USL),
    Row("universal scalability at its best size", laws.usl_capacity, {"processors": 44.2719, **GUNTHER}, 15.6809, 1e-5, USL),
    Row("universal scalability of 32", laws.usl_capacity, {"processors": 32.0, **GUNTHER}, 15.1229, 1e-5, USL),
    Row("SPARCcenter 2000", laws.usl_best_size, {"contention": 0.0277285, "coherency": 0.0001044}, 96.5, 1e-3, SPARC),
    Row("72 processors, fixed work", laws.amdahl_speedup, {"serial_share": 0.05, "processors": 72.0}, 15.8242, 1e-5, DEFINITION),
    Row("72 processors, scaled work", laws.gustafson_speedup, {"serial_share": 0.05, "processors": 72.0}, 68.45, 1e-5, DEFINITION),
    Row(
        "256 cores, 99 % parallel",
        laws.hill_marty_symmetric_speedup,
        {"serial_share": 0.01, "chip_resources": 256.0, "core_resources": 1.0},
        72.0,
        5e-3,
        HILL_SLIDES,
    ),
    Row(
        "symmetric, 97.5 % parallel",
        laws.hill_marty_symmetric_speedup,
        {"serial_share": 0.025, "chip_resources": 256.0, "core_resources": 7.1},
        51.2,
        1e-3,
        HILL_MARTY,
    ),
    Row(
        "asymmetric, 97.5 % parallel",
        laws.hill_marty_asymmetric_speedup,
        {"serial_share": 0.025, "chip_resources": 256.0, "core_resources": 65.0},
        125.0,
        1e-3,
        HILL_MARTY,
    ),
    Row(
        "dynamic, 99 % parallel",
        laws.hill_marty_dynamic_speedup,
        {"serial_share": 0.01, "chip_resources": 256.0, "core_resources": 256.0},
        223.0,
        3e-3,
        HILL_MARTY,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative), row.document


@pytest.mark.parametrize("measured", [1021.0, 1020.0, 1016.0])
def test_the_sandia_hypercube_is_far_above_amdahl_and_near_the_scaled_law(measured: float) -> None:
    """1,024 processors, serial share 0.4 to 0.8 %: measured 1,016 to 1,021; Amdahl allows some 200 at most (Gustafson 1988)."""
    assert laws.amdahl_speedup(0.004, 1024.0) == pytest.approx(201.0, rel=2e-3), GUSTAFSON
    assert laws.gustafson_speedup(0.004, 1024.0) == pytest.approx(measured, rel=5e-3), GUSTAFSON
    assert laws.gustafson_speedup(0.008, 1024.0) == pytest.approx(measured, rel=6e-3), GUSTAFSON
