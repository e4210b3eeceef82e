"""Rows of served requests: what labels mean, how layouts are read, which rows count."""

import numpy as np
import pytest

import nvscale as nv
from nvscale.errors import UnknownName
from nvscale.truth.kinds import kind_of_rows
from nvscale.truth.kinds.serving import NUMBERS, first_of_each, held_out_with, parts_of
from nvscale.truth.kinds.serving_rows import LAYOUT, chip_system, formats, holding, labels, layout, model_of
from nvscale.truth.scoring import predict
from nvscale.truth.tables import Table, bundled
from nvscale.workloads.serving import Serving

ROWS = bundled("serving")


def numbers(**given: float) -> dict[str, np.ndarray]:
    return {name: np.array([given.get(name, np.nan)]) for name in NUMBERS}


@pytest.mark.parametrize(
    ("engine", "given", "chips", "ranks"),
    [
        ("trtllm", {"tp": 8, "attention_dp": 1, "moe_tp": 8, "moe_ep": 1}, 8, 1),
        ("trtllm", {"tp": 1, "attention_dp": 16, "moe_tp": 4, "moe_ep": 4}, 4, 4),
        ("trtllm", {"tp": 1, "attention_dp": 64, "moe_tp": 8, "moe_ep": 8}, 8, 8),
        ("trtllm", {"tp": 1, "attention_dp": 4, "moe_tp": 2, "moe_ep": 2}, 4, 4),
        ("vllm", {"tp": 2, "attention_dp": 2, "moe_tp": 1, "moe_ep": 4}, 2, 1),
        ("vllm", {"tp": 4, "attention_dp": 4, "moe_tp": 1, "moe_ep": 16}, 4, 1),
        ("sglang", {"tp": 8, "attention_dp": 1, "moe_tp": 1, "moe_ep": 8}, 8, 1),
    ],
)
def test_layouts_are_decoded(engine: str, given: dict[str, float], chips: float, ranks: float) -> None:
    plan = layout(numbers(**given), LAYOUT, engine, nv.model("deepseek-v3"), aggregated=True)
    assert float((plan.ep * plan.etp)[0]) == chips
    assert float((plan.ep * plan.etp / plan.tp)[0]) == ranks


def test_experts_spread_until_weights_fit() -> None:
    model = nv.model("deepseek-v3")
    work = Serving(model=model, isl=1024, osl=1024, concurrency=8, precision="fp8")
    plan = holding(nv.Parallelism(tp=1, ep=np.array([1.0, 8.0]), etp=1.0), work, 192e9)
    assert plan.ep.tolist() == [8.0, 8.0]
    assert holding(nv.Parallelism(tp=1), work.replace(model=nv.model("llama-3.1-8b")), 1e9).ep == 1.0


def test_formats_of_words() -> None:
    assert formats("openai/gpt-oss-120b", "fp4").dense_precision == "bf16"
    assert formats("deepseek-ai/DeepSeek-R1", "fp4")[:2] == ("nvfp4", "bf16")
    assert formats("Qwen/Qwen3-235B-A22B-FP8", "fp8").precision == "fp8_block"
    assert formats("meta-llama/Llama-3.1-70B", "fp8").precision == "fp8"
    assert formats("meta-llama/Llama-3.1-8B-Instruct", "").precision == "bf16"


def test_models_by_their_names() -> None:
    assert {model_of(name).name for name in ("DeepSeek-R1-0528", "deepseek-ai/DeepSeek-R1")} == {"deepseek-r1"}
    assert model_of("Llama-4-Scout-17B-16E").experts == 16.0
    assert model_of("llama3_1-405b").name == "llama-3.1-405b"
    with pytest.raises(UnknownName, match="no model"):
        model_of("nobody/knows-this")


def test_cards_without_a_system_are_on_a_bus() -> None:
    assert chip_system("rtx_pro_6000_server").networks[0].name == "pcie-5"
    assert chip_system("gb300").name == "gb300-nvl72"


def test_labels_decide_never_the_measurement() -> None:
    halved = [[*row] for row in ROWS.rows]
    place = ROWS.columns.index("tpot_s")
    for row in halved:
        row[place] = str(float(row[place]) * 0.5)
    before, after = (parts_of(Table("rows", ROWS.columns, rows))["tpot_s"] for rows in (ROWS.rows, halved))
    for name, chosen in before.items():
        assert (chosen == after[name]).all(), name


def test_known_settings_are_most_rows() -> None:
    parts = parts_of(ROWS)["tpot_s"]
    counts = {name: int(chosen.sum()) for name, chosen in parts.items()}
    assert counts["dense, all rows"] == 418 and counts["dense, settings known"] == 404
    assert counts["experts, all rows"] == 923 and counts["experts, settings known"] > 800
    assert counts["disaggregated, decode pool described"] > 190
    assert int((~first_of_each(ROWS)).sum()) < 40


def test_speculation_is_read_from_the_version() -> None:
    words = {"model": "deepseek-ai/DeepSeek-R1", "gpu": "b200_sxm", "engine": "trtllm", "engine_version": "1.2.0rc6.post3", "mode": "agg"}
    assert labels(words, {"tp": 8.0}).accepted == 1.6
    assert labels(words | {"engine_version": "1.2.0rc6.post2"}, {"tp": 8.0}).known


def test_folds_hold_configurations_together() -> None:
    folds = held_out_with(ROWS)
    models = [name.rpartition("/")[2].replace("DeepSeek-R1", "DeepSeek-V3") for name in ROWS.column("model")]
    keys = list(zip(models, *(ROWS.column(name) for name in ("gpu", "precision", "n_gpus", "isl", "osl")), strict=True))
    assert len(set(folds)) == 5
    assert len({(key, fold) for key, fold in zip(keys, folds, strict=True)}) == len(set(keys))


def test_rows_of_few_columns_are_predicted() -> None:
    columns = ("model", "gpu", "engine", "isl", "osl", "concurrency", "tp")
    rows = [["meta-llama/Llama-3.1-70B", "h200", "vllm", "1024", "1024", "32", "8"], ["nobody/knows", "h200", "vllm", "1", "1", "1", "1"]]
    made = predict("serving", Table("mine", columns, rows))
    assert 0.005 < made.value["tpot_s"][0] < 0.03
    assert made.low["tpot_s"][0] < made.value["tpot_s"][0] < made.high["tpot_s"][0]
    assert "no model" in made.reasons[1]
    assert kind_of_rows("serving").required == ("model", "gpu", "engine", "isl", "osl")
