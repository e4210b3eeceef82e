"""`nvscale train`: the step, the search, the whole run; for people and for programs."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import nvscale as nv
from nvscale.cli.application import application

STEP = ("train", "llama-3.1-8b", "--on", "dgx-h100", "--gpus", "64", "--global-batch", "512", "--tp", "2")
BUSY = ("1024", ("--micro-batch", "2"))  # 1,024 replicas of two sequences
ROWS = ("time per step", "MFU (6 N + causal attention)", "tokens per second per chip", "largest part", "memory", "where the step goes")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(application, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def data(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture(scope="module")
def step() -> nv.TrainingStep:
    job = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=512)
    return nv.training(job, nv.system("dgx-h100").scale(64), nv.Parallelism(tp=2))


@pytest.mark.parametrize("columns", ["80", "200"])
def test_people_read_time_use_memory_and_parts_without_a_line_being_cut(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    text = run(*STEP)
    assert [name for name in ROWS if name not in text] == []
    assert "matrix multiplies" in text and "assumed: " in text
    assert "…" not in text


def test_programs_read_the_same_numbers_as_from_python(step: nv.TrainingStep) -> None:
    read = data(*STEP)
    assert read["seconds_per_step"] == read["value"] == step.value
    assert read["low"] < read["value"] < read["high"]
    assert read["mfu"] == step.mfu
    assert read["tokens_per_second_per_gpu"] == step["tokens per second per chip"].value
    assert read["memory_bytes"] == step["memory"].value
    assert read["fits"] is step["fits"].value is True
    assert read["by"] == step.by
    assert sum(part["value"] for part in read["terms"].values()) == pytest.approx(read["value"], rel=1e-12)


def test_options_reach_the_estimate() -> None:
    plain = data(*STEP)
    assert data(*STEP, "--precision", "fp8")["value"] < plain["value"]
    assert data(*STEP, "--recompute", "full")["value"] > plain["value"]
    assert data(*STEP, "--recompute", "full")["memory_bytes"] < plain["memory_bytes"]
    assert data(*STEP, "--zero", "3")["memory_bytes"] < plain["memory_bytes"]
    assert data(*STEP, "--stack", "ideal")["value"] < plain["value"]
    assert data(*STEP, "--micro-batch", "2")["memory_bytes"] > plain["memory_bytes"]
    assert (
        data(*STEP, "--pp", "2")["terms"]["pipeline bubble"]["value"]
        > data(*STEP, "--pp", "2", "--vpp", "4")["terms"]["pipeline bubble"]["value"]
    )


def test_explain_shows_the_trees_of_time_and_memory() -> None:
    text = run(*STEP, "--explain")
    assert "element-wise passes = " in text and "memory per chip = " in text and "optimizer states" in text


def test_search_finds_what_best_plan_finds_and_estimates_the_best() -> None:
    found = data(*STEP[:-2], "--search", "--top", "3")
    job = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=512)
    best = nv.best_plan(job, nv.system("dgx-h100").scale(64), top=3)
    assert [one["seconds_per_step"] for one in found["search"]["best"]] == [one.seconds for one in best]
    assert found["seconds_per_step"] == pytest.approx(best[0].seconds, rel=1e-12)
    text = run(*STEP[:-2], "--search", "--top", "3")
    assert "layouts can be and fit" in text and "where the step goes" in text


def test_what_is_given_of_the_layout_stays_in_a_search() -> None:
    found = data(*STEP, "--search", "--zero", "3", "--recompute", "full")
    for one in found["search"]["best"]:
        assert (one["tp"], one["zero"], one["recompute"]) == (2, 3, "full")


def test_tokens_give_the_whole_run() -> None:
    run_of = data(*STEP, "--tokens", "15e12", "--goodput", "0.8")
    steps = 15e12 / (512 * 8192)
    assert run_of["run"]["value"] == pytest.approx(steps * run_of["value"] / 0.8, rel=1e-12)
    assert run_of["run"]["results"]["days"]["value"] == pytest.approx(run_of["run"]["value"] / 86400.0)
    with_unit = data(*STEP, "--tokens", "15 Ttoken", "--goodput", "0.8")
    assert with_unit["run"]["value"] == run_of["run"]["value"]
    text = run(*STEP, "--tokens", "15e12")
    assert "days" in text and "Wh, " in text and "USD" in text and "chips under load" in text


def test_a_local_configuration_is_a_model(tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    sizes = {"num_hidden_layers": 32, "hidden_size": 4096, "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336}
    file.write_text(json.dumps({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 128256, **sizes}))
    theirs = data("train", str(file), *STEP[2:])
    assert theirs["value"] == pytest.approx(data(*STEP)["value"], rel=1e-9)


@pytest.mark.parametrize("layout", [(), ("--tp", "4", "--pp", "4"), ("--micro-batch", "2"), ("--search", "--top", "1")], ids=" ".join)
@pytest.mark.parametrize("chips", ["64", "1024"])
def test_without_a_batch_a_step_has_about_four_million_tokens(chips: str, layout: tuple[str, ...]) -> None:
    read = data("train", "llama-3.1-8b", "--on", "dgx-h100", "--gpus", chips, "--sequence", "4096", *layout)
    assert read["tokens_per_second_per_gpu"] * int(chips) * read["value"] == pytest.approx(
        4_194_304 if (chips, layout) != BUSY else 2 * 4_194_304
    )


def test_a_model_and_a_system_of_the_users_catalogue_are_found(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        "[systems.slate]\nchip = 'h100-sxm'\nscaleup_network = 'nvlink-4'\nscaleout_network = 'infiniband-ndr'\n"
        "[systems.slate.figures]\nchips = '8'\n"
    )
    theirs = data("train", "llama-3.1-8b", "--on", "slate", *STEP[4:], "--catalogue", str(mine))
    assert theirs["value"] == pytest.approx(data(*STEP)["value"], rel=0.2)
