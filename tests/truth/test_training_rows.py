"""Rows of training steps: what a blank cell stands for, what words say of networks and software, and why a row has no prediction."""

import numpy as np
import pytest

import nvscale as nv
from nvscale.truth.kinds import training_rows
from nvscale.truth.kinds.base import Group
from nvscale.truth.kinds.training import NUMBERS, WORDS
from nvscale.truth.scoring import predict
from nvscale.truth.tables import Table
from nvscale.truth.training_fits.rows import class_of

FULL = {
    "model": "GPT-175B", "layers": "96", "hidden": "12288", "heads": "96", "seq_len": "2048", "global_batch_sequences": "64",
    "micro_batch": "1", "gpu": "A100-SXM-80GB", "n_gpus": "64", "tp": "8", "pp": "8", "dp": "1", "vpp": "3", "recompute": "full",
    "precision": "FP16", "seconds_per_iteration": "18.13", "task": "pretrain", "source": "Korthikanti et al.",
}  # fmt: skip


def group(**cells: str) -> Group:
    """A group of one row; cells that are not given are blank."""
    row = FULL | cells
    words = {name: row.get(name, "") for name in WORDS}
    return Group(words, {name: np.array([float(row.get(name) or "nan")]) for name in ("n_gpus", *NUMBERS)})


def plan(**cells: str) -> nv.Parallelism:
    one = group(**cells)
    said = training_rows.framework(one.words["source"], one.words["note"])
    return training_rows.plan_of(one, training_rows.job_of(one, training_rows.model_of(one)), said)


def predicted(**cells: str) -> tuple[float, str]:
    row = FULL | cells
    made = predict("training", Table("mine.csv", tuple(row), [list(row.values())]))
    return float(made.value["seconds_per_iteration"][0]), made.reasons[0]


BLANK = {"tp": "", "pp": "", "dp": "", "vpp": "", "micro_batch": ""}


def test_a_row_that_says_everything_is_taken_as_it_is() -> None:
    one = plan()
    assert (one.tp[0], one.pp[0], one.vpp[0], one.micro_batch[0], one.recompute) == (8.0, 8.0, 3.0, 1.0, "full")


def test_no_layout_means_fully_sharded_in_one_micro_batch() -> None:
    one = plan(**BLANK, source="acme fsdp", global_batch_sequences="256")
    assert (one.tp[0], one.pp[0], one.cp[0], one.zero, one.micro_batch[0]) == (1.0, 1.0, 1.0, 3.0, 4.0)


def test_no_layout_and_fewer_sequences_than_chips_means_split_sequences() -> None:
    one = plan(**BLANK, source="acme fsdp", global_batch_sequences="16")
    assert (one.cp[0], one.micro_batch[0]) == (4.0, 1.0)


@pytest.mark.parametrize(("batch", "fits"), [("256", 4.0), ("128", 2.0), ("192", 1.0)])
def test_a_layout_without_micro_batch_takes_the_largest_that_fits(batch: str, fits: float) -> None:
    one = plan(pp="1", vpp="", tp="1", dp="64", micro_batch="", global_batch_sequences=batch)
    assert one.micro_batch[0] == fits


def test_a_pipeline_without_micro_batch_has_one_sequence() -> None:
    assert plan(micro_batch="", global_batch_sequences="256").micro_batch[0] == 1.0


def test_recompute_is_none_where_it_is_not_said() -> None:
    assert plan(recompute="").recompute == "none"
    assert plan(recompute="see source").recompute == "none"
    assert plan(recompute="Selective").recompute == "selective"


@pytest.mark.parametrize(
    ("source", "stage", "zero", "within"),
    [
        ("Korthikanti", "", 0.0, float("inf")),
        ("Megatron-Bridge summary", "", 1.0, float("inf")),
        ("Megatron-Bridge summary", "FSDP", 3.0, float("inf")),
        ("InternEvo", "1 within 8", 1.0, 8.0),
        ("llm-foundry", "3", 3.0, float("inf")),
    ],
)
def test_the_sharding_stage_follows_the_software(source: str, stage: str, zero: float, within: float) -> None:
    one = plan(source=source, zero_stage=stage)
    assert (one.zero, one.shard_group) == (zero, within)


def test_sequence_parallelism_follows_the_software() -> None:
    assert plan(source="Korthikanti").sequence_parallel == 0.0
    assert plan(source="Korthikanti", sp="true").sequence_parallel == 1.0
    assert plan(source="Megatron-Bridge summary").sequence_parallel == 1.0
    assert plan(source="Megatron-Bridge summary", sp="false").sequence_parallel == 0.0


def test_interleaving_that_a_table_leaves_out() -> None:
    """The largest divisor up to 12 of the layers of a stage, where the software is run so; else none."""
    assert plan(vpp="", source="mlcommons/training_results_v4.0").vpp[0] == 12.0
    assert plan(vpp="", source="mlcommons/training_results_v4.0", pp="1").vpp[0] == 1.0
    assert plan(vpp="", source="Korthikanti").vpp[0] == 1.0


def test_a_shape_that_is_not_stated_follows_from_the_width_or_the_parameters() -> None:
    model = training_rows.model_of(group(model="mine", layers="", hidden="", heads="", params_total="6.4e9"))
    assert model.hidden == 4096.0 and model.layers == 32.0 and model.heads == 32.0
    assert model.ffn == 4.0 * model.hidden and model.kv_heads == model.heads
    wide = training_rows.model_of(group(model="mine", heads=""))
    assert wide.heads == 96.0 and wide.ffn_matrices == 2.0


def test_a_known_model_is_that_of_the_catalogue_unless_its_shape_differs() -> None:
    known = training_rows.model_of(group(model="llama-3.1-8b", layers="", hidden="", heads=""))
    assert known.name == "llama-3.1-8b" and known.ffn == 14336.0
    other = training_rows.model_of(group(model="llama-3.1-8b", layers="16", hidden="4096", heads=""))
    assert other.layers == 16.0 and other.ffn == 16384.0


def test_the_vocabulary_of_a_software_where_the_row_has_none() -> None:
    assert training_rows.model_of(group(source="bigscience")).vocabulary == 250880.0
    assert training_rows.model_of(group()).vocabulary == 51200.0
    assert training_rows.model_of(group(vocab="50304")).vocabulary == 50304.0


def test_a_batch_may_be_said_in_tokens() -> None:
    one = group(global_batch_sequences="", note="tokens per step 4194304; example")
    assert training_rows.job_of(one, training_rows.model_of(one)).global_batch[0] == 2048.0


def test_adapters_freeze_the_model() -> None:
    one = group(task="LoRA")
    assert training_rows.job_of(one, training_rows.model_of(one)).frozen == 1.0
    assert training_rows.job_of(group(), training_rows.model_of(group())).frozen == 0.0


@pytest.mark.parametrize(
    ("text", "family", "rate"),
    [
        ("table with 1600 Gbps node-node interconnect", "", 200e9),
        ("4x100 Gb/s RoCE per node", "", 50e9),
        ("8 x 400 Gb/s", "", 400e9),
        ("800 Gb/s (A100), 1600 Gb/s (H100)", "h100", 200e9),
        ("nothing said", "", 0.0),
    ],
)
def test_the_rate_of_a_network_in_words(text: str, family: str, rate: float) -> None:
    assert training_rows.network_rate(text, family) == rate


def test_the_network_and_the_memory_that_a_row_states_replace_the_usual_ones() -> None:
    usual = training_rows.system_of("a100-sxm-80gb", "acme", "")
    slow = training_rows.system_of("a100-sxm-80gb", "acme", "400 Gb/s per node")
    assert slow.networks[-1].bandwidth == 400e9 / 8.0 / 8.0 < usual.networks[-1].bandwidth
    assert training_rows.system_of("h100-sxm", "acme", "HBM at 2.4 TB/s").chip.memory_bandwidth == 2.4e12


@pytest.mark.parametrize(
    ("source", "note", "stack", "year"),
    [
        ("Korthikanti et al. 2022", "", "unfused", 2022.4),
        ("NVIDIA/Megatron-LM README 2021-01", "", "unfused", 2021.3),
        ("bigscience-workshop/bigscience", "", "unfused-eager", 2022.2),
        ("mosaicml/llm-foundry", "", "eager", 2023.8),
        ("mlcommons/training_results_v4.1 x", "", "vendor-fused", 2024.85),
        ("NVIDIA Megatron-Bridge", "container 25.09", "vendor-fused", 2025.0 + 8.5 / 12.0),
        ("pytorch/torchtitan", "", "compiled", 2024.3),
        ("my own runs", "", "compiled", training_rows.LATEST),
    ],
)
def test_software_and_its_date_by_words(source: str, note: str, stack: str, year: float) -> None:
    said = training_rows.framework(source, note)
    assert (said.stack, said.year) == (stack, pytest.approx(year))


@pytest.mark.parametrize(
    ("said", "class_"), [("BF16", "step bf16"), ("MXFP8", "step fp8"), ("NVFP4", "step fp4"), ("not read", "step fp8")]
)
def test_the_class_of_a_precision(said: str, class_: str) -> None:
    assert class_of(training_rows.number_format(said)) == class_


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        ({"gpu": "H1000"}, "H1000"),
        ({"gpu": "L4"}, "no system with l4"),
        ({"model": "mine", "layers": "", "hidden": ""}, "neither shape nor parameters"),
        ({"params_total": "20e9"}, "the row says 20e9"),
        ({"precision": "FP8"}, "has no fp8 rate"),
    ],
)
def test_a_row_without_a_prediction_says_why(cells: dict[str, str], reason: str) -> None:
    value, said = predicted(**cells)
    assert np.isnan(value) and reason in said


def test_a_row_without_a_batch_has_one_micro_batch_for_every_replica_and_stage() -> None:
    plain, stated = predicted(global_batch_sequences=""), predicted(global_batch_sequences="8")
    assert plain[0] == pytest.approx(stated[0]) and not plain[1]


def test_a_row_with_a_prediction_has_no_reason() -> None:
    value, said = predicted()
    assert value == pytest.approx(18.13, rel=0.05) and said == ""
