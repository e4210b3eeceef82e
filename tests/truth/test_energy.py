"""Power and energy under load: errors and intervals of the bundled rows, chips left out, kernels, rows of one's own."""

import math
from dataclasses import replace
from importlib import resources

import pytest

import nvscale as nv
from nvscale.efficiencies import PowerEfficiency
from nvscale.estimators.power import LOADS, power_efficiency
from nvscale.truth.constants import shipped_constants
from nvscale.truth.kinds.served_models import served_model
from nvscale.truth.power_fits import fitted
from nvscale.truth.scoring import predict
from nvscale.truth.tables import Table, bundled

# Largest MAPE in percent, with the shipped constants: what is reached, and a little more.
LIMITS = {
    "inference_gpqa b200_sxm watts": 20.0,
    "inference_gpqa h100_sxm watts": 8.0,
    "inference_image-chat b200_sxm watts": 14.0,
    "inference_image-chat h100_sxm watts": 8.7,
    "inference_lm-arena-chat b200_sxm watts": 10.3,
    "inference_lm-arena-chat h100_sxm watts": 9.1,
    "inference_sourcegraph-fim b200_sxm watts": 22.5,
    "inference_sourcegraph-fim h100_sxm watts": 11.0,
    "inference_video-chat b200_sxm watts": 11.3,
    "inference_video-chat h100_sxm watts": 8.9,
    "kernel_attention_decode b200_sxm watts": 37.0,
    "kernel_attention_prefill b200_sxm watts": 15.2,
    "kernel_moe b200_sxm watts": 23.5,
    "all watts": 16.0,
    "inference_gpqa b200_sxm joules_per_output_token": 32.0,
    "inference_gpqa h100_sxm joules_per_output_token": 15.3,
    "inference_image-chat b200_sxm joules_per_output_token": 20.0,
    "inference_image-chat h100_sxm joules_per_output_token": 14.0,
    "inference_lm-arena-chat b200_sxm joules_per_output_token": 20.3,
    "inference_lm-arena-chat h100_sxm joules_per_output_token": 17.2,
    "inference_sourcegraph-fim b200_sxm joules_per_output_token": 52.0,
    "inference_sourcegraph-fim h100_sxm joules_per_output_token": 18.3,
    "inference_video-chat b200_sxm joules_per_output_token": 28.0,
    "inference_video-chat h100_sxm joules_per_output_token": 32.5,
    "all joules_per_output_token": 22.3,
}
# Held-out MAPE in percent by folds of whole models, and what assuming the rated power costs.
HELD_OUT = {
    ("serving dense", "h100-sxm"): (7.5, 31.0),
    ("serving dense", "b200"): (8.0, 73.0),
    ("serving experts", "h100-sxm"): (11.0, 55.0),
    ("serving experts", "b200"): (21.0, 50.0),
    ("kernels", "b200"): (25.5, 61.0),
}
# Over all rows: by constants fitted without the model of a row, and without the chip of a row (no kernels then).
SCHEMES = {
    "grouped folds": {"all watts": 17.0, "all joules_per_output_token": 27.0},
    "unseen chip": {"all watts": 20.0, "all joules_per_output_token": 35.5},
}
COLUMNS = ("kind", "gpu", "precision", "model", "n_gpus", "mean_batch", "mean_output_tokens", "output_tok_per_s", "watts")


@pytest.fixture(scope="module")
def scores() -> nv.Scores:
    return nv.validate("energy", scheme="shipped")


def test_every_group_has_a_limit(scores: nv.Scores) -> None:
    assert {row.group for row in scores.rows} == set(LIMITS)


@pytest.mark.parametrize("group", LIMITS)
def test_errors_stay_below_what_was_reached(scores: nv.Scores, group: str) -> None:
    assert scores[group].mape <= LIMITS[group]
    assert scores[group].without_prediction == 0


def test_intervals_hold_what_they_say(scores: nv.Scores) -> None:
    assert 85.0 <= scores["all watts"].coverage <= 95.0
    assert 85.0 <= scores["all joules_per_output_token"].coverage <= 97.0


@pytest.mark.parametrize(("load", "chip"), HELD_OUT)
def test_held_out_errors_beat_the_rated_power(load: str, chip: str) -> None:
    constants = shipped_constants("energy").rows[load, "", chip]
    error, rated = HELD_OUT[load, chip]
    assert all(one.held_out_mape <= error < rated for one in constants.values())
    assert len(constants) <= 6


@pytest.mark.parametrize("scheme", SCHEMES)
def test_held_out_scores(scheme: str) -> None:
    found = nv.validate("energy", scheme=scheme)
    for group, limit in SCHEMES[scheme].items():
        assert found[group].mape <= limit
        assert 85.0 <= found[group].coverage <= 95.0


def test_shipped_constants_are_those_of_the_fit() -> None:
    """The tables in the package come from the bundled rows, and from nothing else."""
    made, _ = fitted(bundled("energy"))
    values = {(row[1], row[3], row[4]): float(row[5]) for row in made}
    shipped = shipped_constants("energy").rows
    assert len(values) == sum(len(rows) for rows in shipped.values())
    for (class_, chip, name), value in values.items():
        assert shipped[class_, "", chip][name].value == pytest.approx(value, rel=0.02, abs=1e-13)


def test_rows_of_ones_own_are_fitted_and_held_out() -> None:
    rows = bundled("energy")
    mine = Table("mine.csv", rows.columns, [row for row in rows.rows if "h100_sxm" in row and "bf16" in row][:120])
    score = nv.validate("energy", mine, scheme="grouped folds")["all watts"]
    assert score.rows == 120 and score.without_prediction == 0 and score.mape < 15.0


def test_a_chip_that_was_left_out_is_still_better_than_its_rated_power(scores: nv.Scores) -> None:
    shipped = shipped_constants("energy")
    for chip, gpu, limit in (("h100-sxm", "h100_sxm", 20.5), ("b200", "b200_sxm", 20.5)):
        kept = {key: rows for key, rows in shipped.rows.items() if key[2] != chip or key[0] == "kernels"}
        found = nv.validate("energy", calibration={"energy": replace(shipped, rows=kept)})
        assert found[f"inference_lm-arena-chat {gpu} watts"].mape < limit


def test_a_chip_that_was_never_measured_says_so_and_is_scaled() -> None:
    h200, h100 = (power_efficiency("serving dense", nv.chip(name)) for name in ("h200", "h100"))
    assert h200.static == pytest.approx(h100.static)
    assert h200.energy_per_byte < h100.energy_per_byte
    assert h200.energy_per_operation == pytest.approx(h100.energy_per_operation)
    assert "never measured" in h200.assumptions[0] and not h100.assumptions
    assert h200.spreads[0].high / h200.spreads[0].low > h100.spreads[0].high / h100.spreads[0].low
    assert "power of mi300x was never measured" in " ".join(nv.load_power("MI300X", 5e14, 3e12).all_assumptions())


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize("chip", ["h100-sxm", "b200", "a100-sxm-80gb", "gb300", "mi300x", "l40s"])
def test_power_lies_between_static_and_limit(load: str, chip: str) -> None:
    known = power_efficiency(load, nv.chip(chip))
    low, high = nv.load_power(chip, load=load).value, nv.load_power(chip, 1e17, 1e14, load=load).value
    assert 0.0 < low <= known.static
    assert 0.9 * known.power_limit < high <= known.power_limit <= 1.11 * nv.chip(chip).power


def test_the_energy_of_a_kernel_is_its_power_times_its_time() -> None:
    work = nv.Gemm(m=4096, n=8192, k=8192, precision="fp8")
    drawn, spent, time = nv.kernel_power(work, "H100"), nv.kernel_energy(work, "H100"), nv.kernel(work, "H100")
    assert spent.value == pytest.approx(drawn.value * time.value)
    assert spent.low < spent.value < spent.high
    assert "energy per operation" in drawn.explain() and "aiconfigurator" in drawn.explain()
    assert spent.unit == "J" and drawn.unit == "W"


def test_constants_of_ones_own_and_a_time_of_ones_own() -> None:
    work = nv.Gemm(m=8192, n=8192, k=8192)
    own = PowerEfficiency(static=100.0, energy_per_byte=0.0, energy_per_operation=1e-12)
    time = nv.kernel(work, "H100")
    assert nv.kernel_power(work, "H100", time, efficiency=own).value == pytest.approx(100.0 + work.flop * 1e-12 / time.value)


def test_narrow_formats_need_less_energy_for_an_operation() -> None:
    own = PowerEfficiency(energy_per_operation=1e-12)
    wide, narrow = (nv.load_power("H100", 1e14, precision=name, efficiency=own).value for name in ("bf16", "fp8"))
    assert wide == pytest.approx(100.0)
    assert narrow == pytest.approx(50.0, rel=0.01)


@pytest.mark.parametrize(
    ("cells", "says"),
    [
        (["inference_text-to-image", "h100_sxm", "bf16", "some model", "1", "", "", "", "500"], "diffusion"),
        (["hpl_fp64_system", "h100", "fp64", "some system", "100", "", "", "", "90000"], "whole system"),
        (["inference_gpqa", "h100_sxm", "bf16", "a model without a size", "1", "8", "100", "100", "500"], "says no size"),
        (["inference_gpqa", "x9000", "bf16", "new-8B", "1", "8", "100", "100", "500"], "no chip"),
        (["inference_gpqa", "h100_sxm", "bf16", "new-8B", "1", "", "100", "100", "500"], "mean_batch"),
        (["kernel_moe", "b200_sxm", "fp8", "num_tokens=8", "1", "", "", "", "500"], "needs"),
    ],
)
def test_a_row_without_prediction_says_why(cells: list[str], says: str) -> None:
    made = predict("energy", Table("mine", COLUMNS, [cells]))
    assert math.isnan(made.value["watts"][0])
    assert says in made.reasons[0]


def test_energy_of_a_token_needs_no_throughput() -> None:
    """Llama 3.1 70B on four H100 at full batch: 0.37 J per token were measured (ML.ENERGY leaderboard, v3)."""
    cells = ["inference_lm-arena-chat", "h100_sxm", "bf16", "meta-llama/Llama-3.1-70B-Instruct", "4", "898", "351", "", ""]
    made = predict("energy", Table("mine", COLUMNS, [cells]))
    assert made.value["joules_per_output_token"][0] == pytest.approx(0.37, rel=0.25)
    assert math.isnan(made.value["watts"][0])


def test_models_are_found_by_the_longest_name_or_by_the_size_in_the_name() -> None:
    assert served_model("Qwen/Qwen3-VL-32B-Instruct").layers == 64.0
    assert served_model("someone/new-70B-A7B-chat").active == 7e9
    assert served_model("someone/new-1.5b").parameters == 1.5e9
    with pytest.raises(nv.InvalidInput, match="says no size"):
        served_model("someone/new")


def test_every_model_of_the_table_has_a_source() -> None:
    text = resources.files("nvscale.truth").joinpath("data/served-models.csv").read_text(encoding="utf-8")
    assert all(line.split(",")[-1] for line in text.splitlines())
