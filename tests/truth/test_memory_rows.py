"""Measured memory per GPU: what the estimate reaches, which rows count, and what blank columns mean."""

import math

import numpy
import pytest

import nvscale as nv
from nvscale.truth.kinds.memory import is_counted
from nvscale.truth.scoring import predict
from nvscale.truth.tables import Table, bundled

# Mean and largest error in percent: what was reached, rounded up, and what was asked for.
REACHED = [
    ("measured", "b200_sxm", 0.05, 0.15, 3.0, 10.0),
    ("derived from published errors", "a100_pcie_80gb", 1.5, 6.0, None, None),
]


@pytest.fixture(scope="module")
def scored() -> "nv.Scores":
    return nv.validate("memory", scheme="shipped")


def errors(scored: "nv.Scores", gpu: str) -> numpy.ndarray:
    made = scored.predictions["memory"]
    chosen = numpy.array([name == gpu for name in made.table.column("gpu")])
    return numpy.abs(made.value["memory_bytes"] / made.table.figures("memory_bytes") - 1.0)[chosen] * 100.0


@pytest.mark.parametrize(("what", "gpu", "mean", "worst", "mean_limit", "worst_limit"), REACHED, ids=str)
def test_errors(
    scored: "nv.Scores", what: str, gpu: str, mean: float, worst: float, mean_limit: float | None, worst_limit: float | None
) -> None:
    found = errors(scored, gpu)
    assert found.mean() < mean and found.max() < worst, what
    assert mean_limit is None or worst_limit is None or (mean < mean_limit and worst < worst_limit)


def test_only_rows_of_the_allocators_peak_count_and_the_others_are_reported(scored: "nv.Scores") -> None:
    table = bundled("memory")
    assert scored["all"].rows == int(is_counted(table).sum()) == 33
    assert scored["all"].mape < 0.05 and scored["all"].coverage == 100.0
    assert sum(row.rows for row in scored.rows if row.group != "all") == len(table.rows) == 89
    assert scored["a800_80gb full -"].mape > 30.0  # that program's figure counts more than the allocator hands out
    assert scored["a100_sxm_40gb - -"].without_prediction == 24  # low-rank adapters on sequences of unknown length


def test_the_other_end_of_the_pipeline_is_right_too() -> None:
    """SimuMax v1.2, per-rank peaks of the runs with two stages: the smaller of the two, in bytes."""
    from nvscale.estimators.memory_of_training import training_memory
    from nvscale.truth.kinds import memory as rows

    smaller = {"llama3_70b_l12_tp1_pp2": 67610659840, "deepseekv2_tp1_ep4_pp2": 33913335296, "deepseekv3_l4_tp1_ep4_pp2": 76491633152}
    table, kind, seen = bundled("memory"), rows.KINDS[0], set()
    for cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        name = next((name for name in smaller if row["id"].startswith(f"simumax_b200_{name}")), None)
        if name is None:
            continue
        seen.add(name)
        numbers = {column: float(row.get(column) or math.nan) for column in (*kind.numbers, *kind.optional_numbers)}
        made = training_memory(*rows._run({word: row.get(word, "") for word in kind.words}, numbers))
        assert min(stage.value for stage in made.terms.values()) == pytest.approx(smaller[name], rel=0.004)
    assert seen == set(smaller)


def test_blank_columns_have_defaults_and_what_cannot_be_said_has_a_reason() -> None:
    columns = ("layers", "hidden", "heads", "vocab", "seq_len", "n_gpus", "memory_bytes", "model", "experts", "active_experts", "tp")
    rows = [
        ["32", "4096", "32", "32000", "4096", "8", "4e10", "", "", "", ""],
        ["32", "4096", "32", "32000", "", "8", "4e10", "", "", "", ""],
        ["32", "4096", "32", "32000", "4096", "8", "4e10", "", "4", "8", ""],
        ["32", "4096", "32", "32000", "4096", "8", "4e10", "a (lora fine-tune)", "", "", ""],
    ]
    made = predict("memory", Table("mine", columns, rows))
    assert made.value["memory_bytes"][0] > 0.0
    assert [bool(reason) for reason in made.reasons] == [False, True, True, True]
    assert "seq_len" in made.reasons[1] and "experts_per_token" in made.reasons[2] and "adapters" in made.reasons[3]
