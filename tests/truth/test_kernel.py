"""`kernel`: dimensions of the whole tree, arrays, symbols, chips and software that were never measured, calibrations."""

import functools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import nvscale as nv
from nvscale.efficiencies import Efficiency, GemmEfficiency, PassEfficiency
from nvscale.estimators import kernels
from nvscale.formulas import matrix_multiply
from nvscale.record import Record, units_of
from nvscale.truth.calibrations import read_calibration, write_calibration
from nvscale.truth.constants import Constant, shipped_constants
from nvscale.units import dimension_of
from nvscale.workloads import Pass, words

WORK = nv.Gemm(m=48, n=8192, k=5120, precision="fp8", framework="vllm")
NEVER_FITTED = {"h200": "Hopper", "gb300": "Blackwell Ultra", "h100_pcie": "Hopper", "rtx_5090": "Blackwell workstation", "l4": "Ada"}
FOREIGN = ("mi300x", "tpu-v5p", "trainium2", "gaudi3")


# ------------------------------------------------------------------ dimensions

SCALES = {"byte": 3.0, "s": 0.5, "flop": 7.0}


def scale(unit: str) -> float:
    """How a figure changes when bytes, seconds and operations are counted in other units."""
    return math.prod(SCALES.get(base, 1.0) ** float(power) for base, power in dimension_of(unit).items())


def rescaled(record: Any) -> Any:
    """The same thing in other units."""
    changes: dict[str, Any] = {}
    for name, unit in units_of(type(record)).items():
        value = getattr(record, name)
        if value is not None and scale(unit.text) != 1.0:
            changes[name] = value * scale(unit.text)
    for name in ("peak",):
        if isinstance(getattr(record, name, None), Record):
            changes[name] = rescaled(getattr(record, name))
    return record.replace(**changes)


@pytest.mark.parametrize("work", [WORK, WORK.replace(precision="bf16"), WORK.replace(m=4096), WORK.replace(n=64, k=64)], ids=repr)
def test_every_node_of_a_multiply_follows_its_unit(monkeypatch: pytest.MonkeyPatch, work: nv.Gemm) -> None:
    chip = nv.chip("h100")
    efficiency = kernels.efficiency_of(work, chip)
    before = nv.kernel(work, chip, efficiency)
    stored = work.storage
    monkeypatch.setattr("nvscale.workloads.gemm.operand_storage", lambda _: rescaled(stored))
    work_of = functools.partial(matrix_multiply.multiply_work, multiply_add=2.0 * SCALES["flop"])
    monkeypatch.setattr(matrix_multiply, "multiply_work", work_of)
    _follows(before, nv.kernel(work, rescaled(chip), rescaled(efficiency)))


@pytest.mark.parametrize("operator", ["softmax", "gelu", "static_quantise_fp8"])
def test_every_node_of_a_pass_follows_its_unit(monkeypatch: pytest.MonkeyPatch, operator: str) -> None:
    work, chip = Pass(operator=operator, rows=512, columns=4096, precision="bf16"), nv.chip("a100")
    efficiency = kernels.efficiency_of(work, chip)
    before = nv.kernel(work, chip, efficiency)
    stored = nv.precision("bf16")
    monkeypatch.setattr("nvscale.workloads.passes.precision", lambda _: rescaled(stored))
    _follows(before, nv.kernel(work, rescaled(chip), rescaled(efficiency)))


def _follows(before: nv.Estimate, after: nv.Estimate) -> None:
    for (_, old), (_, new) in zip(before.nodes(), after.nodes(), strict=True):
        assert new.value == pytest.approx(old.value * scale(old.unit), rel=1e-9), old.name
    assert after.low == pytest.approx(before.low * scale("s")) and after.high == pytest.approx(before.high * scale("s"))


# ------------------------------------------------------------------ carriers


def test_arrays_give_what_single_numbers_give() -> None:
    sizes = np.array([1.0, 16.0, 100.0, 1024.0, 20000.0])
    for precision in ("bf16", "fp8", "fp8_block", "nvfp4"):
        swept = nv.kernel(nv.Gemm(m=sizes, n=8192, k=8192, precision=precision), "b200")
        for i, m in enumerate(sizes.tolist()):
            one = nv.kernel(nv.Gemm(m=m, n=8192, k=8192, precision=precision), "b200")
            for part in ("value", "low", "high", "headroom"):
                assert getattr(swept, part)[i] == pytest.approx(getattr(one, part), rel=1e-12)
            assert swept.by[1][swept.by[0][i]] == one.by
        assert len(swept.to_dict()["by"]) == len(sizes)


def test_symbols_give_a_closed_form() -> None:
    sympy = pytest.importorskip("sympy")
    m = sympy.Symbol("m", positive=True)
    closed = nv.kernel(nv.Gemm(m=m, n=8192, k=8192, replayed=0), "h100")
    number = nv.kernel(nv.Gemm(m=512, n=8192, k=8192, replayed=0), "h100")
    assert float(closed.value.subs({m: 512.0})) == pytest.approx(number.value, rel=1e-9)
    assert "m" in str(closed)


def test_a_timing_says_unit_interval_what_binds_and_headroom() -> None:
    timing = nv.kernel(nv.Gemm(m=16, n=8192, k=8192), nv.chip("H100"))
    assert timing.by == "memory"
    assert timing.low < timing.value < timing.high
    assert timing.headroom > 1.0
    assert [part in str(timing) for part in ("us", "90 %", "memory binds", "bare roofline")] == [True] * 4
    assert timing.quantity.to("us").magnitude == pytest.approx(timing.value * 1e6)
    assert timing["compute"].value < timing["memory"].value
    assert any("H100" in str(source) for source in timing.sources())


@pytest.mark.parametrize(("sizes", "by"), [((1, 64, 64), "launch"), ((16, 8192, 8192), "memory"), ((8192, 8192, 8192), "compute")])
def test_what_binds_changes_with_the_size(sizes: tuple[int, int, int], by: str) -> None:
    m, n, k = sizes
    assert nv.kernel(nv.Gemm(m=m, n=n, k=k), "h100").by == by


def test_the_ideal_is_the_bare_roofline() -> None:
    for m in (1, 64, 4096):
        timing = nv.kernel(nv.Gemm(m=m, n=8192, k=8192, replayed=0), "h100", efficiency=nv.IDEAL)
        assert timing.value == pytest.approx(timing.roofline)
        assert timing.headroom == pytest.approx(1.0)
        assert timing.low is None


def test_a_layer_of_a_model_is_colder_than_a_benchmark() -> None:
    work = nv.Gemm(m=8, n=1024, k=1024)
    replayed, cold = nv.kernel(work, "h100"), nv.kernel(work.replace(replayed=0), "h100")
    assert replayed.value < cold.value
    assert any("replayed" in line for line in replayed.assumptions)
    assert not any("replayed" in line for line in cold.assumptions)


@pytest.mark.parametrize("rows", [[16, 16, 16, 16], [1, 3, 0, 60], [64], [0, 0, 32, 32]])
def test_a_grouped_multiply_has_the_work_of_all_rows_and_the_weights_of_the_groups_with_any(rows: list[float]) -> None:
    grouped = nv.Gemm.grouped(rows, n=4096, k=2048, precision="fp8", framework="vllm")
    alone = [nv.Gemm(m=m, n=4096, k=2048, precision="fp8", framework="vllm") for m in rows if m]
    for figure in ("flop", "weights", "traffic", "quantisation_traffic"):
        assert getattr(grouped, figure) == pytest.approx(sum(getattr(each, figure) for each in alone))
    one_by_one = sum(nv.kernel(each, "B200").value for each in alone)
    assert nv.kernel(alone[0], "B200").value * (1 - 1e-9) <= nv.kernel(grouped, "B200").value <= one_by_one * (1 + 1e-9)


@pytest.mark.parametrize("rows", [[], [0, 0], [-1, 4], [0.5, 4], [math.nan], ["many"]])
def test_a_grouped_multiply_without_rows_is_answered(rows: list[Any]) -> None:
    with pytest.raises(nv.InvalidInput, match=r"Gemm\.grouped: rows"):
        nv.Gemm.grouped(rows, n=4096, k=2048)


@pytest.mark.parametrize(("operator", "stand_in"), [("embedding", "gelu"), ("top_k_routing", "softmax")])
def test_a_pass_that_was_never_measured_says_whose_constants_it_has(operator: str, stand_in: str) -> None:
    work = Pass(operator=operator, rows=4096, columns=256)
    timing = nv.kernel(work, "A100")
    assert any(f"{operator} was never measured" in said and stand_in in said for said in timing.assumptions)
    assert timing.value > timing.headroom**-1 * timing.value > 0.0
    assert timing.high / timing.value >= 1.2


def test_a_batch_moves_and_computes_so_many_times() -> None:
    one, many = nv.Gemm(m=128, n=1024, k=1024), nv.Gemm(m=128, n=1024, k=1024, batch=96)
    assert (many.flop, many.traffic) == (96 * one.flop, 96 * one.traffic)
    assert nv.kernel(many, "h100").value < 96 * nv.kernel(one, "h100").value


# ------------------------------------------------------------------ what was never measured


@pytest.mark.parametrize(("name", "family"), NEVER_FITTED.items())
def test_a_chip_that_was_never_measured_gets_its_family_and_a_wider_interval(name: str, family: str) -> None:
    timing = nv.kernel(nv.Gemm(m=512, n=8192, k=8192, framework="vllm"), name)
    assert any("never measured" in line and family in line for line in timing.all_assumptions())
    own = nv.kernel(nv.Gemm(m=512, n=8192, k=8192, framework="vllm"), "h100")
    assert timing.high / timing.low > own.high / own.low
    assert "was never measured" in timing.explain() and "was never measured" in str(timing.to_dict())


@pytest.mark.parametrize("name", FOREIGN)
def test_chips_of_other_vendors_get_a_prediction_with_a_wide_interval(name: str) -> None:
    timing = nv.kernel(nv.Gemm(m=512, n=8192, k=8192), name)
    assert any("any data centre" in line or "family" in line for line in timing.all_assumptions())
    assert timing.high / timing.low > 1.5


def test_a_framework_that_is_not_given_is_said() -> None:
    blank = nv.kernel(nv.Gemm(m=512, n=8192, k=8192, precision="fp8"), "h100")
    given = nv.kernel(nv.Gemm(m=512, n=8192, k=8192, precision="fp8", framework="TensorRT-LLM"), "h100")
    assert any("framework not given" in line for line in blank.assumptions)
    assert not any("framework" in line for line in given.assumptions)


@pytest.mark.parametrize(("precision", "stand_in"), [("mxfp4", "nvfp4"), ("mxfp8", "fp8_block"), ("fp16", "bf16"), ("fp64", "bf16")])
def test_a_format_that_was_never_measured_is_said(precision: str, stand_in: str) -> None:
    timing = nv.kernel(nv.Gemm(m=512, n=8192, k=8192, precision=precision), "b200")
    assert any(f"constants of {stand_in}" in line for line in timing.assumptions)


def test_weight_only_formats_run_on_any_chip_at_the_rate_of_the_activations() -> None:
    four, sixteen = (nv.kernel(nv.Gemm(m=1, n=8192, k=8192, precision=p), "h100") for p in ("int4_weight_only", "bf16"))
    assert four.value < sixteen.value / 2.0


def test_a_chip_without_the_rate_says_what_it_has() -> None:
    with pytest.raises(nv.MissingPrecision, match=r"no fp4 rate; it has .*fp8"):
        nv.kernel(nv.Gemm(m=1, n=8192, k=8192, precision="nvfp4"), "h100")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda: nv.Gemm(m=1, n=2, k=3, precision="bf61"), nv.UnknownName, "bf16"),
        (lambda: nv.Gemm(m=1, n=2, k=3, framework="vlm"), nv.UnknownName, "vllm"),
        (lambda: nv.Gemm(m=-8, n=2, k=3), nv.InvalidInput, "m"),
        (lambda: nv.Gemm(m=8, n=2), nv.InvalidInput, "k must be given"),
        (lambda: nv.kernel(WORK, "h10"), nv.UnknownName, "h100"),
        (lambda: nv.kernel(WORK, 7), nv.InvalidInput, "system"),
        (lambda: nv.kernel("gemm", "h100"), nv.InvalidInput, "Gemm"),
        (lambda: nv.kernel(WORK, "h100", efficiency=PassEfficiency()), nv.InvalidInput, "GemmEfficiency"),
        (lambda: Pass(operator="sofmax", columns=8), nv.UnknownName, "softmax"),
    ],
)
def test_bad_input_is_answered(call: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        call()


def test_a_system_counts_as_one_of_its_chips() -> None:
    timing = nv.kernel(WORK, "dgx-h100")
    assert timing.value == nv.kernel(WORK, "h100").value
    assert any("one chip" in line for line in timing.assumptions)


def test_a_system_of_one_chip_needs_no_word() -> None:
    assert not any("one chip" in line for line in nv.kernel(WORK, nv.system("h100")).assumptions)


# ------------------------------------------------------------------ constants


@pytest.mark.parametrize("kind", ["gemm", "passes"])
def test_constants_are_figures_of_their_record(kind: str) -> None:
    records: dict[str, type[Efficiency]] = {"gemm": GemmEfficiency, "passes": PassEfficiency}
    units = units_of(records[kind])
    for (class_, _, _), constants in shipped_constants(kind).rows.items():
        for name, one in constants.items():
            assert units[name].text == one.unit, (class_, name)
            assert units[name].si(one.value, name) >= 0.0


def test_at_most_six_constants_for_a_class_a_path_and_a_chip() -> None:
    for kind in ("gemm", "passes"):
        assert max(len(found) for (class_, _, _), found in shipped_constants(kind).rows.items() if class_) <= 6


def test_a_constant_of_a_fitted_chip_has_error_rows_and_held_out_error() -> None:
    for (class_, path, chip), constants in shipped_constants("gemm").rows.items():
        if class_ and path and ":" not in chip and chip != "any data centre":
            for one in constants.values():
                assert one.standard_error >= 0.0 and one.rows > 10 and one.held_out_mape > 0.0 and one.scheme and one.data_set


def test_a_calibration_file_takes_the_place_of_the_shipped_constants(tmp_path: Path) -> None:
    mine = [Constant("gemm", "bf16", "vllm", "h100-sxm", "launch", 5e-4, 1e-5, "s", 12, 'my "lab"', "own", 3.0)]
    write_calibration(tmp_path / "site.toml", mine, ["fitted today"])
    work = nv.Gemm(m=1, n=512, k=512, framework="vllm")
    assert nv.kernel(work, "h100", calibration=tmp_path / "site.toml")["launch"].value == 5e-4
    assert nv.kernel(work, "h100")["launch"].value < 1e-5
    (read,) = [one for one in read_calibration(tmp_path / "site.toml")["gemm"].rows["bf16", "vllm", "h100-sxm"].values() if one.rows == 12]
    assert read == mine[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no \\[\\[constant\\]\\]"),
        ("[[constant]]\nkind = 'gemm'", "class"),
        ("[[constant]]\nkinds = 'gemm'", "did you mean 'kind'"),
        ("constant = [", "TOML"),
        ("[[constant]]\nkind='x'\nclass='a'\nchip='b'\nconstant='c'\nvalue=1\nunit='s'", "kind 'x'"),
        ("[[constant]]\nkind='gemm'\nclass='a'\nchip='b'\nconstant='c'\nvalue='much'\nunit='s'", "value"),
    ],
)
def test_a_broken_calibration_file_is_answered(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(nv.InvalidInput, match=says):
        read_calibration(tmp_path / "site.toml")


def test_a_calibration_file_that_is_not_there_is_answered(tmp_path: Path) -> None:
    with pytest.raises(nv.InvalidInput, match=r"site\.toml: cannot be read"):
        nv.validate("gemm", calibration=tmp_path / "site.toml")


def test_words_of_the_data_have_the_shape_of_records() -> None:
    for name in ("bf16", "fp8", "nvfp4", "int4_weight_only"):
        stored = words.operand_storage(name)
        assert words.operand_storage(stored.measured_as).measured_as == stored.measured_as
