"""Scores of served requests as recorded when the constants were fitted, their limits, and the fit found again."""

import numpy as np
import pytest

import nvscale as nv
from nvscale.truth.constants import shipped_constants
from nvscale.truth.scoring import validate
from nvscale.truth.serving_fits.fitting import fit_all
from nvscale.truth.serving_fits.kernels import expert_work, kernels
from nvscale.truth.serving_fits.recipe import recipe
from nvscale.truth.serving_fits.shipped import constants_of
from nvscale.truth.tables import Table, bundled

# Mean absolute percentage errors of held-out rows as recorded when the constants were fitted: configurations, chips.
RECORDED = {
    "dense, settings known tpot_s": (9.3, 9.6),
    "dense, all rows tpot_s": (9.7, 10.0),
    "experts, settings known tpot_s": (12.3, 13.1),
    "experts, all rows tpot_s": (17.1, 17.7),
    "disaggregated, decode pool described tpot_s": (18.0, 18.2),
    "dense, settings known ttft_s": (17.6, 17.5),
    "experts, settings known ttft_s": (25.7, 25.6),
}
LIMITS = {
    "dense, settings known tpot_s": 10.0,
    "dense, all rows tpot_s": 12.0,
    "experts, settings known tpot_s": 14.0,
    "experts, all rows tpot_s": 18.0,
    "dense, settings known ttft_s": 18.0,
}
UNSEEN_CHIP = {"dense, settings known tpot_s": 13.0, "experts, settings known tpot_s": 17.0}
WIDEST = {"dense, settings known tpot_s": 1.3, "experts, settings known tpot_s": 1.5, "dense, settings known ttft_s": 2.0}


@pytest.fixture(scope="module")
def folds() -> nv.Scores:
    return validate("serving")


@pytest.fixture(scope="module")
def chips() -> nv.Scores:
    return validate("serving", scheme="unseen chip")


def test_errors_are_those_recorded(folds: nv.Scores, chips: nv.Scores) -> None:
    for name, (of_folds, of_chips) in RECORDED.items():
        assert folds[name].mape == pytest.approx(of_folds, abs=0.15), name
        assert chips[name].mape == pytest.approx(of_chips, abs=0.15), name


def test_limits_are_kept(folds: nv.Scores, chips: nv.Scores) -> None:
    assert {name: limit for name, limit in LIMITS.items() if folds[name].mape > limit} == {}
    assert {name: limit for name, limit in UNSEEN_CHIP.items() if chips[name].mape > limit} == {}
    assert folds["disaggregated, decode pool described tpot_s"].mape < 18.1


def test_intervals_hold_nine_of_ten_and_are_narrow(folds: nv.Scores) -> None:
    for name in ("dense, settings known tpot_s", "experts, settings known tpot_s", "dense, settings known ttft_s"):
        assert 85.0 <= folds[name].coverage <= 95.0, name
        assert folds[name].interval <= WIDEST[name], name
        assert abs(folds[name].bias) < 5.0, name


def test_nearly_every_row_has_a_prediction(folds: nv.Scores) -> None:
    for made in (folds.predictions["serving"], validate("serving_throughput").predictions["serving_throughput"]):
        for values in made.value.values():
            assert np.isfinite(values).mean() > 0.95


def test_offline_throughput_that_was_never_fitted() -> None:
    scores = validate("serving_throughput")
    assert scores["dense, layout stated"].mape == pytest.approx(8.8, abs=0.2)
    assert scores["experts, layout stated"].mape == pytest.approx(22.0, abs=0.3)
    made = scores.predictions["serving_throughput"]
    measured = made.table.figures("output_tok_per_s_per_gpu")
    chips = np.isin(made.table.column("gpu"), ("h100_sxm", "h200_sxm", "b200_sxm", "gb200"))
    llama = np.array([name.startswith("Llama-3") for name in made.table.column("model")])
    error = np.abs(made.value["output_tok_per_s_per_gpu"] / measured - 1.0)[chips & llama]
    assert len(error) == 140 and error.mean() < 0.08


@pytest.mark.parametrize("model", ["Llama-3.1-8B-Instruct", "MiniMax-M2.5", "gpt-oss-120b"])
def test_a_model_never_seen(model: str) -> None:
    table, used = bundled("serving"), recipe()
    rest = constants_of(used, fit_all(table, used, ("model", model)))
    mine = Table(model, table.columns, [row for row, name in zip(table.rows, table.column("model"), strict=True) if name.endswith(model)])
    known = validate("serving", mine, calibration={"serving": rest})["all tpot_s"]
    assert known.mape < (13.0 if "Llama" in model else 20.0)


def test_the_fit_to_all_rows_gives_the_constants_that_ship() -> None:
    used, shipped = recipe(), shipped_constants("serving").rows
    made = fit_all(bundled("serving"), used)
    for engine in used.engines:
        for field, value in used.figures(engine, made.values).items():
            assert value == pytest.approx(shipped["engine", engine, "any data centre"][field].value, rel=1e-3), (engine, field)


def test_kernels_found_again_are_those_that_ship() -> None:
    shipped = shipped_constants("serving").rows
    for (class_, place), figures in kernels().items():
        for name, one in figures.items():
            assert one.value == pytest.approx(shipped[class_, "", place][name].value, rel=1e-3, abs=1e-12), (class_, place, name)


def test_kernels_of_experts_agree_with_served_requests() -> None:
    fitted = shipped_constants("serving").rows["engine", "vllm", "any data centre"]["expert_work"]
    measured = expert_work(("fp8_block", "nvfp4", "w4a16_mxfp4"))
    assert abs(fitted.value - measured.value) < 2.0 * fitted.standard_error


def test_constants_are_few() -> None:
    assert len(recipe().free) == 17


def test_three_rows_of_a_site_tell_its_expert_layers() -> None:
    table = bundled("serving")
    mine = [row for row, name in zip(table.rows, table.column("id"), strict=True) if "gpt_oss_120b_b200_sxm_vllm" in name]
    made = nv.calibrate("serving", Table("site.csv", table.columns, mine[::8][:3]))
    assert made.classes[0].fitted == ("expert_layer_narrow",)
    before = validate("serving", Table("all", table.columns, mine), scheme="shipped")["all tpot_s"].mape
    after = validate("serving", Table("all", table.columns, mine), calibration=made.calibration())["all tpot_s"].mape
    assert after < 0.6 * before
    with pytest.raises(nv.InvalidInput, match="too few"):
        nv.calibrate("serving", Table("site.csv", table.columns, mine[:2]))


def test_intervals_of_regimes_differ() -> None:
    model, node, plan = nv.model("llama-3.1-70b"), nv.system("dgx-h100"), nv.Parallelism(tp=8)

    def wide(engine: str, users: float, name: str = "tpot") -> float:
        found = nv.serving(nv.Serving(model=model, isl=1024, osl=1024, concurrency=users, precision="fp8"), node, plan, engine=engine)[name]
        return float(found.high / found.low)

    assert wide("vllm", 16) < wide("vllm", 128)
    assert wide("vllm", 16) < wide("generic", 16)
    assert wide("vllm", 16) < wide("vllm", 16, "ttft")
