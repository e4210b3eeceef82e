"""Sweeps: numeric and categorical axes, text with units, boxes, missing formats, labelled outputs, answers to bad names."""

import math
from typing import Any

import numpy as np
import pytest

import nvscale as nv
from nvscale import grids
from nvscale.efficiencies import IDEAL

GEMM = nv.Gemm(m=16, n=8192, k=8192)
H100, B200 = nv.chip("H100"), nv.chip("B200")
ROWS = 2 ** np.arange(0, 15)


def bare(work: nv.Gemm, system: nv.Chip) -> nv.Estimate:
    """The bare roofline: only + - * / and the maximum, so that arrays and floats agree to the last bit."""
    return nv.kernel(work, system, efficiency=IDEAL)


def test_the_main_example() -> None:
    found = nv.sweep(nv.kernel, {"m": ROWS, "chip": [H100, B200], "precision": ["bf16", "fp8"]}, work=GEMM, system=H100)
    assert found.shape == (15, 2, 2)
    assert found["value"][4, 0, 0] == pytest.approx(nv.kernel(GEMM, H100).value, rel=1e-12)
    assert found["by"][4, 0, 0] == "memory"
    assert [axis.name for axis in found.axes] == ["m", "chip", "precision"]
    assert found["m"].tolist() == ROWS.tolist()
    assert not found.reasons
    assert "m 15 x chip 2 x precision 2" in repr(found)


@pytest.mark.parametrize("box", [1, 3, 7, 65_536])
def test_boxes_equal_single_calls_to_the_last_bit(monkeypatch: pytest.MonkeyPatch, box: int) -> None:
    monkeypatch.setattr(grids, "BOX", box)
    axes = {"m": [1.0, 3.0, 700.0, 5000.0], "n": [512.0, 4096.0, 10000.0], "system": [H100, B200], "k": [128.0, 8192.0]}
    found = nv.sweep(bare, axes, work=GEMM, system=H100)
    for i, m in enumerate(axes["m"]):
        for j, n in enumerate(axes["n"]):
            for s, system in enumerate(axes["system"]):
                for d, k in enumerate(axes["k"]):
                    assert found["value"][i, j, s, d] == bare(GEMM.replace(m=m, n=n, k=k), system).value


def test_text_with_units_moves_a_figure() -> None:
    found = nv.sweep(bare, {"system.memory_bandwidth": ["2 TB/s", "4 TB/s", 8e12]}, work=GEMM, system=H100)
    assert found["system.memory_bandwidth"].tolist() == [2e12, 4e12, 8e12]
    assert found["value"][0] == pytest.approx(2.0 * found["value"][1])


def test_a_short_name_goes_deep() -> None:
    found = nv.sweep(bare, {"memory_bandwidth": ["2 TB/s", "4 TB/s"]}, work=GEMM, system=H100)
    assert found.axes[0].path == "system.memory_bandwidth"


def test_a_format_that_a_chip_lacks_is_nan_with_a_reason() -> None:
    found = nv.sweep(nv.kernel, {"precision": ["bf16", "nvfp4"], "system": [H100, B200], "m": [1, 16]}, work=GEMM, system=H100)
    assert math.isnan(found["value"][1, 0, 0]) and math.isfinite(found["value"][1, 1, 0])
    assert found["by"][1, 0, 0] is None
    assert list(found.reasons) == [("nvfp4", "h100-sxm")]
    assert "no fp4 rate" in found.reasons["nvfp4", "h100-sxm"]


def test_the_best_point_is_named_and_nan_never_wins() -> None:
    found = nv.sweep(nv.kernel, {"precision": ["bf16", "fp8", "nvfp4"], "system": [H100, B200]}, work=GEMM, system=H100)
    best = found.best()
    assert (best["precision"], best["system"]) == ("nvfp4", "b200")
    assert best["value"] == np.nanmin(found["value"])
    assert found.best(largest=True)["system"] == "h100-sxm"


def test_only_points_that_a_mask_allows_can_win() -> None:
    outputs = {"value": lambda timing: timing.value, "allowed": lambda timing: timing["memory"].value > timing["compute"].value}
    found = nv.sweep(nv.kernel, {"m": [1.0, 8192.0]}, outputs=outputs, work=GEMM, system=H100)
    assert found.best(mask="allowed")["m"] == 1.0
    assert found.best(largest=True, mask="allowed")["m"] == 1.0


def test_an_estimator_may_return_plain_numbers_and_the_boxes_may_be_run_by_anybody() -> None:
    seen: list[Any] = []

    def run(function: Any, jobs: Any) -> Any:
        seen.extend(jobs)
        return [function(job) for job in jobs]

    found = nv.sweep(lambda work: work.flop, {"work.m": [1.0, 2.0]}, run=run, work=GEMM)
    assert found["value"].tolist() == [GEMM.flop / 16, GEMM.flop / 8]
    assert len(seen) == 1


def test_rows_pandas_and_xarray_agree() -> None:
    found = nv.sweep(nv.kernel, {"m": [1, 16, 64], "chip": [H100, B200]}, work=GEMM, system=H100)
    rows = list(found.records())
    assert len(rows) == 6 and set(rows[0]) == {"m", "chip", "value", "by"}
    frame = pytest.importorskip("pandas") and found.to_pandas()
    assert frame["value"].tolist() == [row["value"] for row in rows]
    assert frame["chip"].tolist() == [row["chip"] for row in rows]
    data = pytest.importorskip("xarray") and found.to_xarray()
    assert data["value"].dims == ("m", "chip")
    assert float(data["value"].sel(m=16, chip="b200")) == found["value"][1, 1]


@pytest.mark.parametrize(
    ("axes", "inputs", "error", "says"),
    [
        ({"mm": [1]}, {"work": GEMM}, nv.UnknownName, "mm"),
        ({"memory_bandwith": [1]}, {"work": GEMM, "system": H100}, nv.UnknownName, "memory_bandwidth"),
        ({"m": [1]}, {"work": GEMM, "other": GEMM}, nv.UnknownName, r"fits work\.m, other\.m"),
        ({"m": []}, {"work": GEMM}, nv.InvalidInput, "'m' is empty"),
        ({}, {"work": GEMM}, nv.InvalidInput, "no axes"),
        ({"m": ["3 TB/s"]}, {"work": GEMM}, nv.WrongUnit, "m"),
        ({"m": [-1.0]}, {"work": GEMM}, nv.InvalidInput, "m"),
        ({"precision": ["bf61"]}, {"work": GEMM}, nv.UnknownName, "bf16"),
    ],
)
def test_bad_axes_are_answered(axes: dict[str, Any], inputs: dict[str, Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        nv.sweep(lambda **given: given["work"].flop, axes, **inputs)


def test_an_output_that_is_not_there_is_answered() -> None:
    found = nv.sweep(nv.kernel, {"m": [1, 16]}, work=GEMM, system=H100)
    with pytest.raises(nv.UnknownName, match="value"):
        found["valu"]
    with pytest.raises(nv.InvalidInput, match="no point"):
        nv.sweep(nv.kernel, {"precision": ["nvfp4"]}, work=GEMM, system=H100).best()
