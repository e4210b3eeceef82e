"""The command line: bad input ends with exit code 2 and one line on stderr that says what to type; nothing is overwritten."""

import json
from pathlib import Path

import pytest

from nvscale.cli import main

TRAIN = ("train", "llama-3.1-8b", "--on", "dgx-h100")
# Arguments, and what the line must name.
REFUSED: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "chip": (["chips", "h10"], ("no chip 'h10'", "'h100'")),
    "system": (["system", "dgx-h1000"], ("no system 'dgx-h1000'", "'dgx-h100'")),
    "network": (["networks", "nvlink-55"], ("no network 'nvlink-55'", "'nvlink-5'")),
    "document": (["sources", "nvidia-h100-whitepapr"], ("no source", "nvidia-h100-whitepaper")),
    "chip of a roofline": (["roofline", "h100", "b20"], ("no chip 'b20'", "'b200'")),
    "system of a report": (["report", "dgx-h1"], ("no system 'dgx-h1'", "'dgx-h100'")),
    "precision": (["roofline", "h100", "--precision", "fp5"], ("no precision 'fp5'", "'fp8'")),
    "precision of nobody": (["roofline", "h100", "a100", "--precision", "fp4"], ("h100-sxm", "fp4")),
    "precision of a filter": (["chips", "--precision", "fp5"], ("no precision 'fp5'",)),
    "precision of a curve": (["curves", "dgx-1-p100", "dgx-h100", "--precision", "fp8"], ("p100-sxm2 has no fp8 rate",)),
    "precision of a system": (["system", "dgx-h100", "--precision", "fp4"], ("h100-sxm has no fp4 rate",)),
    "level": (["curves", "--level", "rack"], ("no level 'rack'", "datacenter")),
    "power": (["report", "--power", "ten"], ("power", "'ten'")),
    "power in dollars": (["system", "dgx-h100", "--power", "5 USD"], ("power", "'USD'", "'W'")),
    "power for not one": (["system", "dgx-h100", "--power", "5 kW"], ("power", "holds not one dgx-h100")),
    "pue": (["report", "--pue", "0.5"], ("pue", "0.5", "one or above")),
    "energy price": (["curves", "--energy-price", "0.06"], ("energy_price", "'0.06' has no unit")),
    "serving weights": (["serve", "llama-3.1-70b", "--on", "dgx-h100", "--tp", "1"], ("do not fit",)),
    "serving users and rate": (
        ["serve", "llama-3.1-70b", "--on", "dgx-h100", "--rate", "1", "--concurrency", "2"],
        ("either concurrency",),
    ),
    "serving rate": (["serve", "llama-3.1-8b", "--on", "h100", "--rate", "1000"], ("more than the",)),
    "serving limit": (["serve", "llama-3.1-8b", "--on", "h100", "--slo-tpot", "2 W"], ("--slo-tpot",)),
    "serving limits": (
        ["serve", "llama-3.1-8b", "--on", "h100", "--slo-tpot", "2 ms", "--tokens-per-second-per-user", "9"],
        ("give one of them",),
    ),
    "serving search": (["serve", "llama-3.1-8b", "--on", "h100", "--search", "--slo-tpot", "1 us"], ("TPOT is",)),
    "serving engine": (["serve", "llama-3.1-8b", "--on", "h100", "--engine", "vlm"], ("vllm",)),
    "sizing order": (["size", "llama-3.1-8b", "--on", "h100", "--users", "10", "--by", "price"], ("order of deployments",)),
    "sizing goal": (
        ["size", "llama-3.1-8b", "--on", "h100", "--users", "10", "--tokens-per-second-per-user", "9999"],
        ("one user alone gets",),
    ),
    "frontier count": (["frontier", "llama-3.1-8b", "--on", "h100", "--per", "watt"], ("megawatt",)),
    "frontier format": (["frontier", "llama-3.1-8b", "--on", "h100", "--precision", "fp4"], ("no fp4 rate",)),
    "frontier file": (["frontier", "llama-3.1-8b", "--on", "h100", "--plot", "x.txt"], ("ending",)),
    "life": (["report", "--life", "5"], ("life", "'5' has no unit")),
    "discount rate": (["curves", "--discount-rate", "8"], ("discount_rate", "8.0", "from 0 to 1")),
    "model of a training run": (["train", "llama-3.1-405", "--on", "dgx-h100"], ("no model 'llama-3.1-405'", "'llama-3.1-405b'")),
    "system of a training run": (["train", "llama-3.1-8b", "--on", "dgxh-100"], ("no system 'dgxh-100'", "'dgx-h100'")),
    "tensor parallel ranks and chips": ([*TRAIN, "--gpus", "12", "--tp", "8"], ("tp 8", "does not divide 12 chips")),
    "tensor parallel ranks and heads": ([*TRAIN, "--gpus", "96", "--tp", "3"], ("tp = 3", "32 heads")),
    "stages": ([*TRAIN, "--gpus", "64", "--pp", "64"], ("pp 64", "32 layers")),
    "experts of a dense model": ([*TRAIN, "--ep", "8"], ("ep = 8", "no experts")),
    "replicas": ([*TRAIN, "--dp", "4"], ("--dp 4", "8 replicas")),
    "batch": ([*TRAIN, "--gpus", "64", "--global-batch", "100"], ("global_batch 100", "64 replicas")),
    "tokens": ([*TRAIN, "--tokens", "lots"], ("--tokens", "'lots'", "15.6e12")),
    "tokens in bytes": ([*TRAIN, "--tokens", "5 GB"], ("tokens", "'GB'", "'token'")),
    "goodput of no run": ([*TRAIN, "--goodput", "0.9"], ("--goodput", "--tokens")),
    "goodput above 1": ([*TRAIN, "--tokens", "1e12", "--goodput", "1.5"], ("goodput", "1.5")),
    "recompute": ([*TRAIN, "--recompute", "some"], ("no recompute 'some'", "selective")),
    "software": ([*TRAIN, "--stack", "vendorfused"], ("no training stack", "vendor-fused")),
    "precision of a training run": ([*TRAIN, "--precision", "fp4"], ("h100-sxm has no fp4 rate", "fp8")),
    "a model that fits no layout": (["train", "llama-3.1-405b", "--on", "dgx-h100", "--search"], ("8 chips", "fits", "chips are enough")),
    "no such configuration": (["train", "none/config.json", "--on", "dgx-h100"], ("none/config.json", "no such file")),
    "law": (["laws", "chinchilla/besiroglu-2023"], ("no law", "'chinchilla/besiroglu-2024'")),
    "family of laws": (["laws", "chinchila"], ("no family of laws", "'chinchilla'")),
    "family that allocates nothing": (["laws", "precision", "--compute", "1e21"], ("--compute", "'precision'")),
    "compute in dollars": (["laws", "--compute", "5 USD"], ("compute", "'USD'", "'flop'")),
    "form of a fit": (["fit", "--data", "chinchilla-figure-4", "--form", "chinchila"], ("no form to fit", "'chinchilla'")),
    "runs of a fit": (["fit", "--data", "none.csv"], ("none.csv", "cannot be read")),
    "approach of a fit": (["fit", "--data", "chinchilla-figure-4", "--approach", "4"], ("approach", "1, 2, 3")),
    "no such file": (["chips", "--catalogue", "none.toml"], ("none.toml", "no such file")),
}


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    with pytest.raises(SystemExit) as left:
        raise SystemExit(main(arguments))
    code = left.value.code
    captured = capsys.readouterr()
    return int(code or 0), captured.out, captured.err


@pytest.mark.parametrize("name", REFUSED)
def test_bad_input_ends_with_one_line_and_exit_code_2(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, says = REFUSED[name]
    code, out, err = run(arguments, capsys)
    assert code == 2
    assert out == ""
    assert err.startswith("nvscale: ")
    assert len(err.splitlines()) == 1
    assert [text for text in says if text not in err] == [], err
    assert err.rstrip()[-1] not in ";:,", err


@pytest.mark.parametrize(
    "arguments",
    [["chips", "--bogus"], ["chipps"], ["system"], ["roofline"], ["curves", "--pue", "high"], ["report", "--life"]],
    ids=" ".join,
)
def test_a_mistyped_command_line_ends_with_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(arguments, capsys)
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "Error" in err


@pytest.mark.parametrize(
    ("command", "name"),
    [(["report", "--html"], "page.html"), (["roofline", "h100", "--plot"], "roofs.svg")],
    ids=["report", "roofline"],
)
def test_a_file_that_is_there_is_kept(command: list[str], name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = tmp_path / name
    there.write_text("mine")
    code, out, err = run([*command, str(there)], capsys)
    assert (code, out) == (2, "")
    assert "--force" in err and name in err
    assert there.read_text() == "mine"


@pytest.mark.parametrize("command", [["report", "--html"], ["roofline", "h100", "--plot"]], ids=["report", "roofline"])
def test_a_wrong_ending_and_a_missing_folder_are_refused_before_work_is_done(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run([*command, str(tmp_path / "page.txt")], capsys)
    assert (code, out) == (2, "")
    assert "page.txt" in err and "ending" in err
    ending = {"report": "html", "roofline": "svg"}[command[0]]
    code, out, err = run([*command, str(tmp_path / "missing" / f"page.{ending}")], capsys)
    assert (code, out) == (2, "")
    assert "no folder" in err
    assert list(tmp_path.iterdir()) == []


def test_a_broken_catalogue_file_is_named_with_entry_and_field(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "mine.toml"
    broken.write_text("[chips.slate.figures]\nmemory = '80 W'\n")
    code, out, err = run(["chips", "--catalogue", str(broken)], capsys)
    assert (code, out) == (2, "")
    assert err.startswith("nvscale: mine.toml: [slate] memory")


def test_a_format_that_one_chip_lacks_is_a_gap_in_the_table_and_in_the_json(capsys: pytest.CaptureFixture[str]) -> None:
    """With and without --json the same request must not succeed once and fail once."""
    code, _, _ = run(["roofline", "h100", "b200", "--precision", "fp4"], capsys)
    assert code == 0
    code, out, _ = run(["roofline", "h100", "b200", "--precision", "fp4", "--json"], capsys)
    assert code == 0
    assert {chip["name"]: "fp4" in chip["precisions"] for chip in json.loads(out)} == {"h100-sxm": False, "b200": True}


def test_pue_is_never_silently_dropped(capsys: pytest.CaptureFixture[str]) -> None:
    """`--pue` without `--power`: either it counts, or it is refused."""
    _, plain, _ = run(["system", "dgx-h100", "--json"], capsys)
    code, with_pue, _ = run(["system", "dgx-h100", "--pue", "1.4", "--json"], capsys)
    assert code == 2 or json.loads(plain) != json.loads(with_pue)
