"""`validate` with a file of one's own: what is written, what is refused, exit codes."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nvscale.cli import main
from nvscale.cli.application import application

RUNNER = CliRunner()
MINE = """gpu,precision,m,n,k,framework,seconds
h100_sxm,bf16,1,8192,8192,vllm,4.6e-05
h100_sxm,bf16,4096,8192,8192,vllm,7.6e-04
h100_sxm,fp4,4096,8192,8192,vllm,7.6e-04
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """Three measured rows, one of which no H100 can run."""
    path = tmp_path / "mine.csv"
    path.write_text(MINE)
    return path


def test_rows_are_written_with_predictions(mine: Path) -> None:
    out = mine.with_name("scored.csv")
    result = RUNNER.invoke(application, ["validate", "--kind", "gemm", "--data", str(mine), "--out", str(out)], catch_exceptions=False)
    assert result.exit_code == 0 and "scored.csv" in result.output and "no fp4 rate" in result.output
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [bool(row["predicted_seconds"]) for row in rows] == [True, True, False]
    assert "no fp4 rate" in rows[2]["reason"]


def test_json_of_scores(mine: Path) -> None:
    result = RUNNER.invoke(application, ["validate", "--kind", "gemm", "--data", str(mine), "--json"], catch_exceptions=False)
    scores = json.loads(result.output)["scores"]
    assert scores[-1]["group"] == "all" and scores[-1]["rows"] == 3 and scores[-1]["without_prediction"] == 1


@pytest.mark.parametrize(
    ("change", "arguments", "says"),
    [
        (("precision", "precison"), [], "precision; did you mean 'precison'?"),
        (("seconds", "time"), [], "seconds"),
        (("gpu,", "gpu,gpu2,"), [], "row 2 has 7 cells under 8"),
        (("", ""), ["--out", "scored.txt"], "the ending must be one of .csv"),
        (("", ""), ["--out", "mine.csv"], "is there already"),
        (("", ""), ["--calibration", "none.toml"], "none.toml: cannot be read"),
        (("", ""), ["--kind", "gem"], "gemm"),
    ],
)
def test_bad_input_ends_with_one_line_and_code_2(
    mine: Path,
    change: tuple[str, str],
    arguments: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(mine.parent)
    mine.write_text(MINE.replace(*change) if change[0] else MINE)
    with pytest.raises(SystemExit) as end:
        main(["validate", "--kind", "gemm", "--data", "mine.csv", *arguments])
    error = capsys.readouterr().err
    assert end.value.code == 2
    assert says in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "title", "note"),
    [
        ([], "by constants fitted without the shape of each row", "Held out: no row of a shape took part"),
        (["--unseen-chip"], "by what the library says of a chip that was never measured", "Held out: no row of a chip took part"),
        (["--in-sample"], "with the constants in use", "the errors flatter"),
    ],
)
def test_bundled_rows_say_what_was_held_out(options: list[str], title: str, note: str) -> None:
    asked = ["validate", "--kind", "collectives_multinode", *options]
    shown = " ".join(RUNNER.invoke(application, asked, catch_exceptions=False).output.split())
    assert title in shown and note in shown


def test_rows_of_ones_own_are_scored_with_the_constants_in_use(mine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = " ".join(RUNNER.invoke(application, ["validate", "--kind", "gemm", "--data", str(mine)], catch_exceptions=False).output.split())
    assert "with the constants in use" in shown and "Held out" not in shown
    for options, says in ((["--unseen-chip"], "is for the bundled rows"), (["--in-sample", "--unseen-chip"], "exclude each other")):
        with pytest.raises(SystemExit) as end:
            main(["validate", "--kind", "gemm", "--data", str(mine), *options])
        assert end.value.code == 2
        assert says in capsys.readouterr().err
