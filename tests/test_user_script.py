"""The lines that a student writes first, as they stand: the precision ladder, a source, a matrix multiply, a sweep, a formula."""

import contextlib
import io
import math
import re
from pathlib import Path
from typing import Any

import pytest

SCRIPT = """
import numpy as np
import nvscale as nv

h100, b200 = nv.chip("H100"), nv.chip("B200")
for chip in (h100, b200):
    for precision in ("fp64", "fp32", "tf32", "bf16", "fp8", "fp6", "fp4"):
        try:
            print(f"{chip.name:10} {precision:5} ridge point {chip.ridge_point(precision):8.1f} flop/byte")
        except nv.MissingPrecision as problem:
            print(problem)                                   # names what the chip has
print(h100.source("memory_bandwidth"))                       # document, place, date

gemm = nv.Gemm(m=16, n=8192, k=8192, precision="bf16")
estimate = nv.kernel(gemm, h100)
print(estimate)                                              # time with unit and interval, what binds, headroom
print(estimate.by, estimate.value, estimate.low, estimate.high)
print(estimate.explain())                                    # the tree, down to the sources
print(estimate.quantity.to("us"))                            # pint

sizes = nv.sweep(nv.kernel, {"m": 2 ** np.arange(0, 15), "chip": [h100, b200], "precision": ["bf16", "fp8"]}, work=gemm, system=h100)
print(sizes.to_pandas().tail())

from nvscale import formulas as f                            # the bare formulas: floats, arrays, symbols
print(f.roofline.attainable(operational_intensity=100.0, peak=989.4e12, bandwidth=3.35e12))
"""


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What the script prints, run from an empty folder."""
    pytest.importorskip("pandas")
    names: dict[str, Any] = {"__name__": "__main__"}
    printed = io.StringIO()
    with contextlib.chdir(tmp_path_factory.mktemp("empty")), contextlib.redirect_stdout(printed):
        exec(compile(SCRIPT, "rooflines.py", "exec"), names)
        assert list(Path.cwd().iterdir()) == []
    return printed.getvalue().splitlines()


def test_the_script_prints_a_line_for_every_chip_and_format(lines: list[str]) -> None:
    assert len([line for line in lines if "ridge point" in line or "has no" in line]) == 2 * 7


def test_the_time_of_the_multiply(lines: list[str]) -> None:
    start = lines.index(next(line for line in lines if line.startswith("gemm 16 x 8192 x 8192 bf16 on h100-sxm: ")))
    assert "us (90 %: " in lines[start] and "memory binds" in lines[start] and "bare roofline" in lines[start]
    by, value, low, high = lines[start + 1].split()
    assert by == "memory" and 35e-6 < float(low) < float(value) < float(high) < 70e-6
    assert any("<- NVIDIA" in line for line in lines[start + 2 :])
    assert any(re.fullmatch(r"[\d.]+ (us|µs|microsecond)", line) for line in lines)


def test_the_end_of_the_sweep(lines: list[str]) -> None:
    rows = [line.split() for line in lines if re.match(r"\d+ +[\d.]+ ", line)]
    assert [row[2:4] for row in rows][-4:] == [["h100-sxm", "bf16"], ["h100-sxm", "fp8"], ["b200", "bf16"], ["b200", "fp8"]]
    assert {row[-1] for row in rows} == {"compute"}


def test_ridge_points_of_the_ladder(lines: list[str]) -> None:
    expected = {
        ("h100-sxm", "fp64"): 66.9e12 / 3.352e12,
        ("h100-sxm", "fp32"): 66.9e12 / 3.352e12,
        ("h100-sxm", "tf32"): 494.7e12 / 3.352e12,
        ("h100-sxm", "bf16"): 989.4e12 / 3.352e12,
        ("h100-sxm", "fp8"): 1978.9e12 / 3.352e12,
        ("b200", "fp64"): 37e12 / 7.7e12,
        ("b200", "fp32"): 75e12 / 7.7e12,
        ("b200", "tf32"): 1125e12 / 7.7e12,
        ("b200", "bf16"): 2250e12 / 7.7e12,
        ("b200", "fp8"): 4500e12 / 7.7e12,
        ("b200", "fp6"): 4500e12 / 7.7e12,
        ("b200", "fp4"): 9000e12 / 7.7e12,
    }
    matches = [match for line in lines if (match := re.fullmatch(r"(\S+) +(\S+) +ridge point +([\d.]+) flop/byte", line))]
    found = {(match[1], match[2]): float(match[3]) for match in matches}
    assert found == pytest.approx(expected, abs=0.051)


def test_formats_that_a_chip_lacks_are_named_with_those_it_has(lines: list[str]) -> None:
    missing = [line for line in lines if "has no" in line]
    assert [line.partition(";")[0] for line in missing] == ["h100-sxm has no fp6 rate", "h100-sxm has no fp4 rate"]
    assert all("it has fp64, fp32, tf32, bf16, fp16, fp8" in line for line in missing)


def test_the_source_names_document_place_and_date(lines: list[str]) -> None:
    line = next(line for line in lines if "<-" in line)
    assert line.startswith("3352 GB/s <- NVIDIA")
    assert "Table 3" in line and "[2022; vendor]" in line


def test_the_bare_formula(lines: list[str]) -> None:
    assert math.isclose(float(lines[-1]), 335e12, rel_tol=1e-12)
