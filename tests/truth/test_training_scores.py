"""Steps of training: errors on held-out rows against the limits, the fit found again, rows of one's own."""

from pathlib import Path

import numpy as np
import pytest

import nvscale as nv
from nvscale.truth.constants import shipped_constants
from nvscale.truth.folds import chips_of, without_chip, without_fold
from nvscale.truth.kinds.training import held_out_with
from nvscale.truth.scoring import FOLDS, SHIPPED, UNSEEN, Predicted
from nvscale.truth.tables import Table, bundled
from nvscale.truth.training_fits.fitting import fit_all
from nvscale.truth.training_fits.own import OwnRows, shipped_values
from nvscale.truth.training_fits.recipe import DENSE, EXPERTS, recipe
from nvscale.truth.training_fits.rows import SECONDS, Row, Steps, collect


@pytest.fixture(scope="module")
def made() -> dict[str, Predicted]:
    """Predictions of the bundled rows by each scheme."""
    return {scheme: nv.validate("training", scheme=scheme).predictions["training"] for scheme in (FOLDS, UNSEEN, SHIPPED)}


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """Rows with a stated layout, on chips of a generation that is fitted."""
    return collect(bundled("training"), recipe())[0]


def errors(found: Predicted) -> np.ndarray:
    return 100.0 * (found.value[SECONDS] / found.table.figures(SECONDS) - 1.0)


def of_group(found: Predicted, rows: list[Row], group: str, by: str = "fold") -> tuple[np.ndarray, dict[str, float]]:
    """Errors of a group of rows, and the mean absolute error of each fold or chip among them."""
    chosen = [row for row in rows if row.group == group]
    error = errors(found)[[row.place for row in chosen]]
    words = np.array([getattr(row, by) for row in chosen])
    return error, {str(word): float(np.abs(error[words == word]).mean()) for word in np.unique(words)}


def test_dense_steps_of_a_source_never_seen(made: dict[str, Predicted], rows: list[Row]) -> None:
    error, sources = of_group(made[FOLDS], rows, DENSE)
    assert len(error) == 522 and len(sources) == 11
    assert np.abs(error).mean() == pytest.approx(10.4, abs=0.3) and np.abs(error).mean() < 12.0
    assert np.quantile(np.abs(error), 0.9) < 25.0
    assert np.mean(list(sources.values())) == pytest.approx(9.1, abs=0.3) and np.mean(list(sources.values())) < 9.5
    assert sources["source VIA-Research/vTrain"] < 14.7


def test_dense_steps_of_a_chip_never_seen(made: dict[str, Predicted], rows: list[Row]) -> None:
    """Ten percent over all rows; B200 and GB200 are a little above, and of H200 there is one row."""
    error, chips = of_group(made[UNSEEN], rows, DENSE, "chip")
    assert np.abs(error).mean() < 10.0
    assert {chip for chip, mean in chips.items() if mean > 10.0} <= {"b200", "gb200", "h200-sxm"}
    assert max(mean for chip, mean in chips.items() if chip != "h200-sxm") < 11.0


def test_steps_with_experts_of_a_model_never_seen(made: dict[str, Predicted], rows: list[Row]) -> None:
    error, models = of_group(made[FOLDS], rows, EXPERTS)
    assert len(error) == 164 and len(models) == 8
    assert np.abs(error).mean() == pytest.approx(18.3, abs=0.5) and np.abs(error).mean() < 20.0


# Mean absolute percentage errors as recorded when the folds were fitted: by what is left out, and of dense rows by chip left out.
RECORDED = {
    "model DeepSeekV3": 15.9,
    "model GPT OSS 120B": 17.8,
    "model Kimi_K2": 7.3,
    "model Nemotron_3_Nano": 4.6,
    "model Nemotron_3_Super": 26.0,
    "model Nemotron_3_Ultra": 12.9,
    "model Qwen3_235B_a22B": 19.8,
    "model Qwen3_30B_a3B": 17.8,
    "source BLOOM": 12.6,
    "source InternLM/InternEvo": 9.5,
    "source Korthikanti 2022": 2.7,
    "source MLPerf": 13.9,
    "source Megatron-Bridge": 7.1,
    "source Megatron-Core 2024": 11.7,
    "source Megatron-LM 2021": 6.2,
    "source NVIDIA/JAX-Toolbox": 9.6,
    "source VIA-Research/vTrain": 13.0,
    "source foundation-model-stack/fms-fsdp": 3.9,
    "source mosaicml/llm-foundry": 9.7,
}
RECORDED_CHIPS = {"a100-sxm-40gb": 6.2, "a100-sxm-80gb": 9.9, "b200": 10.6, "gb200": 10.6, "gb300": 5.7, "h100-sxm": 9.6, "h200-sxm": 17.2}
DRIFT = 0.5


def test_errors_of_every_source_model_and_chip_are_those_recorded(made: dict[str, Predicted], rows: list[Row]) -> None:
    """A change of the form moves them: fit again, look at the table, and record what came out."""
    by_fold = of_group(made[FOLDS], rows, DENSE)[1] | of_group(made[FOLDS], rows, EXPERTS)[1]
    assert by_fold == pytest.approx(RECORDED, abs=DRIFT)
    assert of_group(made[UNSEEN], rows, DENSE, "chip")[1] == pytest.approx(RECORDED_CHIPS, abs=DRIFT)


def test_the_eight_megatron_cases_by_the_constants_of_everything_else(made: dict[str, Predicted], rows: list[Row]) -> None:
    for scheme in (FOLDS, SHIPPED):
        chosen = [row.place for row in rows if row.fold == "source Korthikanti 2022"]
        error = np.abs(errors(made[scheme])[chosen])
        assert len(error) == 8 and error.mean() < 3.0 and error.max() < 8.0


def test_intervals_hold_nine_rows_of_ten(made: dict[str, Predicted]) -> None:
    found = made[FOLDS]
    measured = found.table.figures(SECONDS)
    inside = (found.low[SECONDS] <= measured) & (measured <= found.high[SECONDS])
    known = np.isfinite(found.value[SECONDS])
    assert 0.85 < inside[known].mean() < 0.95
    chips = chips_of(found.kind, found.table)
    for chip in ("a100-sxm-40gb", "a100-sxm-80gb", "h100-sxm", "h200-sxm", "b200", "b300", "gb200", "gb300"):
        of_chip = known & (chips == chip)
        assert 0.82 < inside[of_chip].mean() <= 1.0, chip


def test_chips_whose_generation_was_never_fitted_say_so_by_their_interval(made: dict[str, Predicted]) -> None:
    found = made[SHIPPED]
    chips = chips_of(found.kind, found.table)
    wide = found.high[SECONDS] / found.low[SECONDS]
    for chip in ("mi300x", "tpu-v5p"):
        assert (wide[chips == chip] > 1.5).all()


def test_eight_bits_and_four_bits_are_faster_by_what_is_measured() -> None:
    """Public figures of one model on the same chips: 405B 1.52 (GB200, H100), then 1.38 (GB200) and 1.35 (GB300); 70B 1.39."""
    layouts = {
        ("llama-3.1-405b", "gb200-nvl72", 128.0): (64.0, nv.Parallelism(tp=4, pp=8, vpp=4, sequence_parallel=1, zero=1)),
        ("llama-3.1-405b", "dgx-h100", 512.0): (256.0, nv.Parallelism(tp=8, pp=8, cp=2, vpp=4, sequence_parallel=1, zero=1)),
        ("llama-3.1-405b", "gb200-nvl72", 256.0): (1536.0, nv.Parallelism(tp=4, pp=16, vpp=4, sequence_parallel=1, zero=1)),
        ("llama-3.1-405b", "gb300-nvl72", 256.0): (1536.0, nv.Parallelism(tp=4, pp=8, vpp=4, sequence_parallel=1, zero=1)),
        ("llama-3.1-70b", "gb300-nvl72", 64.0): (256.0, nv.Parallelism(pp=4, vpp=5, zero=1)),
    }

    def seconds(case: tuple[str, str, float], precision: str) -> float:
        model, system, chips = case
        batch, plan = layouts[case]
        job = nv.Training(model=nv.model(model), sequence=8192, global_batch=batch, precision=precision)
        return float(nv.training(job, nv.system(system).scale(chips), plan).value)

    measured = [("bf16", "fp8", 1.52), ("bf16", "fp8", 1.52), ("fp8", "fp4", 1.38), ("fp8", "fp4", 1.35), ("fp8", "fp4", 1.39)]
    for case, (slower, faster, ratio) in zip(layouts, measured, strict=True):
        assert seconds(case, slower) / seconds(case, faster) == pytest.approx(ratio, rel=0.10), case


# ---------------------------------------------------------------------- the fit


def test_the_fit_to_all_rows_gives_the_constants_that_ship(rows: list[Row]) -> None:
    used = recipe()
    found, shipped = fit_all(Steps(rows, used), used), shipped_values(used)
    for name, value in found.values.items():
        assert value == pytest.approx(shipped[name], rel=2e-3), name


def test_a_source_that_is_left_out_has_no_say(rows: list[Row]) -> None:
    """Constants without a source stay as they are when its measurements double, and are those of the file."""
    used, fold = recipe(), "source Korthikanti 2022"
    dense = [row for row in rows if row.group == DENSE and row.fold != fold]
    found = used.constants(fit_all(Steps(dense, used), used).values).rows
    kept = without_fold("training", fold)["training"].rows
    for key in (("step bf16", "", "family:Ampere"), ("stack", "unfused", "any data centre")):
        for name, one in kept[key].items():
            if name in ("sustained", "half_length", "element_wise", "softmax_size", "attention_share"):
                assert found[key][name].value == pytest.approx(one.value, rel=2e-3), name


def test_rows_of_a_source_are_held_out_together() -> None:
    table = bundled("training")
    folds = held_out_with(table)
    assert {fold for fold in folds if fold.startswith("model ")} >= {"model DeepSeekV3", "model Kimi_K2"}
    of_bloom = {fold for fold, source in zip(folds, table.column("source"), strict=True) if "bigscience" in source}
    assert of_bloom == {"source BLOOM"}


def test_an_unseen_chip_gets_constants_of_its_family() -> None:
    for chip in ("h100-sxm", "gb300", "mi300x"):
        places = {key[2] for key in without_chip("training", chip)["training"].rows}
        assert chip not in places and places


def test_rows_in_blocks_and_rows_one_by_one_agree(made: dict[str, Predicted], rows: list[Row]) -> None:
    """The arrays of the fit and the predictions of `validate` are the same steps."""
    used = recipe()
    together = Steps(rows, used).predict(shipped_values(used))
    alone = made[SHIPPED].value[SECONDS][[row.place for row in rows]]
    assert together == pytest.approx(alone, rel=2e-5)


def test_no_more_constants_than_said() -> None:
    used = recipe()
    assert len(used.names(DENSE)) == 29 and len(used.names(EXPERTS)) == 9
    text = " ".join(used.free)
    for word in ("llama", "gpt", "deepseek", "bloom", "mlperf", "korthikanti"):
        assert word not in text.lower()
    for one in used.free.values():
        assert one.low < one.start < one.high


def test_every_fitted_constant_has_an_error_and_a_held_out_score() -> None:
    for inner in shipped_constants("training").rows.values():
        for one in inner.values():
            if "training steps" in one.data_set:
                assert one.standard_error > 0.0 and 5.0 < one.held_out_mape < 20.0 and one.rows > 100.0, one


# ---------------------------------------------------------------------- one node, and rows of one's own


def test_steps_of_one_node_that_were_never_fitted() -> None:
    score = nv.validate("training_single_node")["all"]
    assert score.rows == 900 and score.without_prediction == 0
    assert score.mape == pytest.approx(10.8, abs=0.3) and score.mape < 15.0
    assert score.coverage > 85.0


def test_steps_of_one_node_with_few_constants_and_a_hidden_size_left_out() -> None:
    table = bundled("training_single_node")
    own = OwnRows(table, labels=table.column("hidden"))
    free, _ = own.chosen()
    assert 3 <= len(free) <= 8
    error = 100.0 * np.abs(own.held_out(free, own.labels) / own.steps.seconds - 1.0)
    assert error.mean() == pytest.approx(7.6, abs=0.4) and error.mean() < 8.4


@pytest.fixture
def of_2021() -> Table:
    """Nine runs of one site: the table of Narayanan et al. 2021 and the example of the readme."""
    table = bundled("training")
    chosen = [row for row, fold in zip(table.rows, held_out_with(table), strict=True) if fold == "source Megatron-LM 2021"]
    return Table("site.csv", table.columns, chosen)


def test_nine_rows_of_a_site_fix_three_constants(of_2021: Table, tmp_path: Path) -> None:
    found = nv.calibrate("training", of_2021)
    made = found.classes[0]
    assert made.rows == 9 and len(made.fitted) == 3 and made.after < made.before
    path = found.write(tmp_path / "site.toml")
    assert nv.validate("training", of_2021, calibration=path)["all"].mape < nv.validate("training", of_2021)["all"].mape
    job = nv.Training(model=nv.model("llama-2-7b"), sequence=2048, global_batch=64)
    plan = nv.Parallelism(tp=4)
    usual, here = (nv.training(job, nv.system("dgx-a100-80gb"), plan, stack="unfused", calibration=one).value for one in (None, path))
    assert here != usual


def test_rows_of_ones_own_are_scored_by_folds_of_models() -> None:
    table = bundled("training_single_node")
    score = nv.validate("training_single_node", table, scheme=FOLDS)["all"]
    assert score.without_prediction == 0 and score.mape < nv.validate("training_single_node", table)["all"].mape


def test_too_few_rows_are_refused(of_2021: Table) -> None:
    few = Table("few.csv", of_2021.columns, of_2021.rows[:5])
    with pytest.raises(nv.InvalidInput, match="5 rows with a layout are too few"):
        nv.calibrate("training", few)
    same = Table("same.csv", of_2021.columns, [of_2021.rows[0]] * 9)
    with pytest.raises(nv.InvalidInput, match="1 different models are too few"):
        nv.calibrate("training", same)
