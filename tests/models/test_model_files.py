"""Models of users: records, TOML files, configuration files on disk; what is wrong is said with field, key and file."""

import json
from pathlib import Path
from typing import Any

import pytest

import nvscale as nv
from nvscale.cli import main
from tests.models.configs import PUBLISHED, usual

LLAMA = usual("LlamaForCausalLM", 32, 4096, 32, 8, 14336, 128256)
MIXTRAL = PUBLISHED["Mixtral-8x22B"].config
HYBRID = PUBLISHED["Nemotron-3-Nano"].config
DEEPSEEK = PUBLISHED["DeepSeek-V3"].config


def changed(config: dict[str, Any], **keys: Any) -> dict[str, Any]:
    return {key: value for key, value in {**config, **keys}.items() if value is not ...}


BAD: list[tuple[str, Any, type[nv.NvscaleError], tuple[str, ...]]] = [
    ("missing", changed(LLAMA, hidden_size=...), nv.InvalidInput, ("hidden_size", "is missing")),
    ("null", changed(LLAMA, vocab_size=None), nv.InvalidInput, ("vocab_size", "is missing")),
    ("text", changed(LLAMA, num_hidden_layers="many"), nv.InvalidInput, ("num_hidden_layers", "'many'", "whole number")),
    ("fraction", changed(LLAMA, hidden_size=4096.5), nv.InvalidInput, ("hidden_size", "4096.5")),
    ("zero", changed(LLAMA, num_attention_heads=0), nv.InvalidInput, ("num_attention_heads", "at least 1")),
    ("flag", changed(LLAMA, tie_word_embeddings="yes"), nv.InvalidInput, ("tie_word_embeddings", "true or false")),
    ("uneven heads", changed(LLAMA, num_key_value_heads=5), nv.InvalidInput, ("num_attention_heads = 32", "num_key_value_heads = 5")),
    ("no head width", changed(LLAMA, hidden_size=4097), nv.InvalidInput, ("hidden_size = 4097", "head_dim")),
    ("unknown", changed(LLAMA, architectures=["LlamaForCausalML"]), nv.UnknownName, ("LlamaForCausalML", "LlamaForCausalLM")),
    ("no architecture", changed(LLAMA, architectures=...), nv.InvalidInput, ("architectures", "is missing")),
    ("architecture is no name", changed(LLAMA, architectures=[1]), nv.InvalidInput, ("architectures", "[1]")),
    ("too many experts", changed(MIXTRAL, num_experts_per_tok=9), nv.InvalidInput, ("num_experts_per_tok = 9", "num_local_experts = 8")),
    ("letters", changed(HYBRID, hybrid_override_pattern="MX"), nv.InvalidInput, ("hybrid_override_pattern", "X", "M, *, - and E")),
    ("length", changed(HYBRID, num_hidden_layers=51), nv.InvalidInput, ("hybrid_override_pattern", "52 letters", "51")),
    ("dense", changed(DEEPSEEK, first_k_dense_replace=62), nv.InvalidInput, ("first_k_dense_replace = 62", "61")),
    ("interval", changed(DEEPSEEK, moe_layer_freq=2), nv.InvalidInput, ("moe_layer_freq", "2")),
    ("types", changed(PUBLISHED["gpt-oss-120b"].config, layer_types=["full_attention"]), nv.InvalidInput, ("layer_types", "1 items", "36")),
    ("table", changed(PUBLISHED["gemma-3-27b-text"].config, text_config=7), nv.InvalidInput, ("num_hidden_layers",)),
    ("projection", {**PUBLISHED["opt-125m"].config, "word_embed_proj_dim": 512}, nv.InvalidInput, ("word_embed_proj_dim", "768")),
]


@pytest.mark.parametrize(("config", "error", "says"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_configuration_is_answered_with_key_and_file(config: Any, error: Any, says: tuple[str, ...], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(error) as caught:
        nv.from_config(path)
    assert all(text in str(caught.value) for text in says), caught.value
    if error is nv.InvalidInput:
        assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[1]", "7", "\x00"])
def test_a_file_that_is_no_configuration_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(nv.InvalidInput, match=r"config\.json"):
        nv.from_config(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(nv.InvalidInput, match="no such file"):
        nv.from_config(tmp_path / "none.json")


def test_a_folder_and_a_file_give_the_same_model(tmp_path: Path) -> None:
    folder = tmp_path / "my-model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    from_folder, from_file = nv.from_config(folder), nv.from_config(str(folder / "config.json"))
    assert from_folder == from_file
    assert from_folder.name == "my-model"
    assert from_folder.architecture == "LlamaForCausalLM"
    assert "config.json" in from_folder.source("layers").title


def test_reading_a_configuration_leaves_it_as_it_was() -> None:
    before = json.dumps(PUBLISHED["gemma-3-27b-text"].config)
    nv.from_config(PUBLISHED["gemma-3-27b-text"].config)
    assert json.dumps(PUBLISHED["gemma-3-27b-text"].config) == before


def test_windows_of_layers_are_read() -> None:
    gemma = nv.from_config(PUBLISHED["gemma-3-27b-text"].config)
    assert (gemma.window, gemma.windowed_layers) == (1024.0, 52.0)
    assert nv.from_config(PUBLISHED["Mistral-7B-v0.1"].config).windowed_layers == 32.0
    assert nv.model("llama-4-scout").windowed_layers == 36.0


MINE = """
[models.mine]
title = "A model of mine"
aliases = ["the small one"]
source = "our design document"

[models.mine.figures]
layers = 24
hidden = "2048"
heads = 16
ffn = { value = 8192, note = "four times" }
vocabulary = 64000
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_a_user_may_hold_models(tmp_path: Path) -> None:
    catalogue = nv.load(written(tmp_path, MINE))
    model = catalogue.model("The_small_one")
    assert (model.layers, model.hidden, model.ffn) == (24.0, 2048.0, 8192.0)
    assert model.source("layers").document == "our design document"
    assert model.source("ffn").note == "four times"
    assert model.source("layers").kind == "given"
    assert model in catalogue.models()


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("layers = 24", "layer = 24", ("layer", "did you mean", "layers")),
        ("heads = 16", "", ("heads",)),
        ("heads = 16", "heads = 16\nkv_heads = 32", ("kv_heads", "more than heads")),
        ("vocabulary = 64000", "vocabulary = true", ("vocabulary",)),
        ("vocabulary = 64000", 'vocabulary = "2 GB"', ("vocabulary",)),
        ("title =", "titel =", ("titel", "title")),
    ],
)
def test_a_wrong_entry_is_named(before: str, after: str, says: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(nv.CatalogueError) as caught:
        nv.load(written(tmp_path, MINE.replace(before, after)))
    assert all(text in str(caught.value) for text in ("mine", *says)), caught.value


def test_unknown_models_filters_and_conventions_are_answered_with_the_nearest() -> None:
    with pytest.raises(nv.UnknownName, match=r"llama-3\.1-70b"):
        nv.model("llama-3.1-71b")
    with pytest.raises(nv.UnknownName, match="mixtral"):
        nv.models(family="Mixtrall")
    with pytest.raises(nv.InvalidInput, match="layers"):
        nv.models(layer=3)
    with pytest.raises(nv.UnknownName, match="megatron-bridge"):
        nv.model("llama-3-8b").flop_per_token(8192.0, "megatron-brige")
    with pytest.raises(nv.UnknownName, match="write hidden"):
        nv.Model(hidden_size=4096)
    with pytest.raises(nv.InvalidInput, match="experts_per_token"):
        nv.Model(layers=1, hidden=8, heads=1, ffn=8, vocabulary=8, experts=2, experts_per_token=3, expert_ffn=8)


def test_filters_take_computed_sizes() -> None:
    names = {model.name for model in nv.models(parameters=600e9)}
    assert {"deepseek-v3", "kimi-k2", "megatron-gpt-1008b"} <= names
    assert "llama-3.1-405b" not in names
    assert {m.name for m in nv.models(experts=100, organisation="OpenAI")} == {"gpt-oss-120b"}


# The column `model` of published training runs, and spellings that people use.
SPELLINGS = {
    "LLAMA2_7B": "llama-2-7b",
    "LLAMA2_13B": "llama-2-13b",
    "LLAMA2_70B": "llama-2-70b",
    "LLAMA3_8B": "llama-3-8b",
    "LLAMA3_70B": "llama-3-70b",
    "LLAMA3.1_405B": "llama-3.1-405b",
    "llama3.1 405b": "llama-3.1-405b",
    "Llama-3.1-70B": "llama-3.1-70b",
    "meta-llama/Meta-Llama-3.1-70B": "llama-3.1-70b",
    "Llama4-Maverick-17B-128E": "llama-4-maverick",
    "MIXTRAL_8X7B": "mixtral-8x7b",
    "Mistral-7B": "mistral-7b",
    "Qwen3_30B_a3B": "qwen3-30b-a3b",
    "Qwen3_235B_a22B": "qwen3-235b-a22b",
    "GPT OSS 120B": "gpt-oss-120b",
    "GPT3_175B": "gpt-3-175b",
    "DeepSeekV3": "deepseek-v3",
    "Kimi_K2": "kimi-k2",
    "Nemotron_3_Nano": "nemotron-3-nano",
    "Nemotron_3_Super": "nemotron-3-super",
    "Nemotron_3_Ultra": "nemotron-3-ultra",
    "Gemma3-12B": "gemma-3-12b",
    "InternLM-7B": "internlm-7b",
    "PaLM-540B": "palm-540b",
    "OPT-175B": "opt-175b",
    "MPT-7b": "mpt-7b",
    "GPT-39.1B": "megatron-gpt-39.1b",
    "GPT-145B": "megatron-gpt-145.6b",
    "GPT-530B": "megatron-gpt-529.6b",
    "GPT-1T": "megatron-gpt-1008b",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_spelling_that_people_use_is_found(spelling: str) -> None:
    assert nv.model(spelling).name == SPELLINGS[spelling]


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out = capsys.readouterr()
    return int(ended.value.code or 0), out.out, out.err


def test_the_command_prints_json_of_all_and_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(["models", "--json"], capsys)
    assert code == 0
    assert len(json.loads(out)) == len(nv.models())
    _, out, _ = run(["models", "llama-3-8b", "--sequence", "8192", "--json"], capsys)
    one = json.loads(out)
    assert one["parameters"] == 8030261248.0
    assert one["flop_per_token"]["causal"] == nv.model("llama-3-8b").flop_per_token(8192.0)
    assert "litgpt" in one["figures"]["layers"]["source"].lower()


def test_the_command_reads_a_configuration(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps(LLAMA), encoding="utf-8")
    code, out, _ = run(["models", "--config", str(path)], capsys)
    assert code == 0
    assert "8,030,261,248" in out
    code, _, err = run(["models", "llama-3-8b", "--config", str(path)], capsys)
    assert code == 2
    assert "two models" in err
