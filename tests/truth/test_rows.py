"""`validate` with rows of one's own: columns, blanks, spellings, reasons, output, size."""

import csv
import random
from pathlib import Path

import pytest

import nvscale as nv
from nvscale.truth.kinds import kinds
from nvscale.truth.scoring import predict
from nvscale.truth.tables import Table, bundled, has_bundled

HEADER = ("gpu", "precision", "m", "n", "k", "framework", "seconds", "remark")
ROWS = [
    ["h100_sxm", "bf16", "1", "8192", "8192", "vllm", "4.6e-05", "own, chip"],
    ["H200", "bf16", "4096", "8192", "8192", "", "7.0e-04", ""],
    ["gb300", "NVFP4", "64", "8192", "8192", "TensorRT-LLM", "", "not measured"],
    ["h100", "bf16", "128", "4096", "4096", "my engine", "1.2e-05", "unknown framework"],
    ["x9000", "bf16", "1", "8192", "8192", "vllm", "4e-05", "unknown chip"],
    ["h100", "fp4", "1", "8192", "8192", "vllm", "4e-05", "no such rate"],
    ["h100", "bf61", "1", "8192", "8192", "vllm", "4e-05", "no such format"],
    ["h100", "bf16", "", "8192", "8192", "vllm", "4e-05", "blank"],
    ["h100", "bf16", "-4", "8192", "8192", "vllm", "4e-05", "negative"],
    ["h100", "bf16", "many", "8192", "8192", "vllm", "4e-05", "a word"],
]
REASONS = ["", "", "", "", "no chip 'x9000'", "no fp4 rate", "'bf61'", "m is not given", "m '-4' is no number", "m 'many' is no number"]


def written(path: Path, header: tuple[str, ...], rows: list[list[str]]) -> Path:
    """A CSV file of rows."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def test_no_row_is_lost_and_each_has_a_prediction_or_a_reason(tmp_path: Path) -> None:
    scores = nv.validate("gemm", written(tmp_path / "mine.csv", HEADER, ROWS))
    scores.predictions["gemm"].write(tmp_path / "scored.csv")
    with (tmp_path / "scored.csv").open(newline="") as file:
        found = list(csv.DictReader(file))
    assert [[row[name] for name in HEADER] for row in found] == ROWS
    assert list(found[0]) == [*HEADER, "predicted_seconds", "low_seconds", "high_seconds", "reason"]
    for row, expected in zip(found, REASONS, strict=True):
        assert expected in row["reason"] and bool(row["reason"]) == bool(expected)
        assert bool(row["predicted_seconds"]) != bool(row["reason"])
        if row["predicted_seconds"]:
            assert 0.0 < float(row["low_seconds"]) < float(row["predicted_seconds"]) < float(row["high_seconds"])
    whole = scores["all"]
    assert (whole.rows, whole.without_prediction) == (9, 6)


def test_a_scored_file_can_be_scored_again(tmp_path: Path) -> None:
    first = nv.validate("gemm", written(tmp_path / "mine.csv", HEADER, ROWS))
    first.predictions["gemm"].write(tmp_path / "scored.csv")
    again = nv.validate("gemm", tmp_path / "scored.csv")
    again.predictions["gemm"].write(tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_text() == (tmp_path / "scored.csv").read_text()


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_a_missing_column_is_named(kind: str) -> None:
    declared = kinds()[kind]
    columns = (*declared.words, *declared.numbers, *declared.optional_numbers, *declared.measured)
    for missing in declared.required:
        table = Table("mine.csv", tuple(name for name in columns if name != missing), [])
        with pytest.raises(nv.InvalidInput, match=rf"mine\.csv: .*\b{missing}\b"):
            nv.validate(kind, table)


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_without_a_measured_column_there_is_nothing_to_score(kind: str) -> None:
    declared = kinds()[kind]
    with pytest.raises(nv.InvalidInput, match=declared.measured[0]):
        nv.validate(kind, Table("mine.csv", (*declared.words, *declared.numbers, *declared.optional_numbers), []))


@pytest.mark.parametrize("kind", sorted(name for name in kinds() if has_bundled(name)))
def test_a_table_without_rows_has_no_scores(kind: str) -> None:
    assert nv.validate(kind, Table("mine.csv", bundled(kind).columns, [])).rows == ()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"gpu,gpu,m\n", "twice"),
        (b"gpu,precision,m,n,k,seconds\nh100,bf16,1\n", "row 2 has 3 cells"),
        (b"\xff\xfe\x00", "UTF-8"),
    ],
)
def test_a_broken_file_is_answered(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "mine.csv").write_bytes(content)
    with pytest.raises(nv.InvalidInput, match=says):
        nv.validate("gemm", tmp_path / "mine.csv")


def test_a_file_that_is_not_there_is_answered(tmp_path: Path) -> None:
    with pytest.raises(nv.InvalidInput, match=r"none\.csv: cannot be read"):
        nv.validate("gemm", tmp_path / "none.csv")


def test_a_kind_or_scheme_that_does_not_exist_is_answered(tmp_path: Path) -> None:
    with pytest.raises(nv.UnknownName, match="gemm"):
        nv.validate("gem")
    with pytest.raises(nv.UnknownName, match="shipped"):
        nv.validate("gemm", scheme="shiped")
    with pytest.raises(nv.InvalidInput, match="which kind"):
        nv.validate(data=written(tmp_path / "mine.csv", HEADER, ROWS))


def test_columns_that_may_be_missing_are_unknown() -> None:
    table = Table("mine", ("gpu", "precision", "m", "n", "k", "seconds"), [["h100", "bf16", "1", "8192", "8192", "4.6e-05"]])
    assert nv.validate("gemm", table)["all"].mape < 15.0


def test_many_rows_are_predicted_as_arrays() -> None:
    chance = random.Random(0)
    rows = [
        [
            chance.choice(("h100_sxm", "b200", "h200")),
            chance.choice(("bf16", "fp8")),
            str(chance.randrange(1, 9999)),
            "8192",
            "4096",
            "vllm",
        ]
        for _ in range(20_000)
    ]
    made = predict("gemm", Table("many", ("gpu", "precision", "m", "n", "k", "framework"), rows))
    assert not any(made.reasons)
    assert (made.value["seconds"] > 0.0).all()
    place = 1234
    gpu, precision, m, n, k, framework = rows[place]
    work = nv.Gemm(m=float(m), n=float(n), k=float(k), precision=precision, framework=framework)
    assert made.value["seconds"][place] == pytest.approx(nv.kernel(work, gpu).value, rel=1e-12)


def test_shipped_rows_name_source_and_licence() -> None:
    for kind in ("gemm", "operators", "elementwise", "hpc_kernels"):
        table = bundled(kind)
        assert all(table.column("source")), kind
        assert set(table.column("licence")) <= {"Apache-2.0", "BSD-3-Clause", "MIT"}


def test_scores_are_plain_data_and_a_readable_table() -> None:
    rows = bundled("operators")
    strange = ["x9000" if name == "gpu" else cell for name, cell in zip(rows.columns, rows.rows[0], strict=True)]
    scores = nv.validate("operators", Table("mine.csv", rows.columns, [*rows.rows, strange]))
    data = scores.to_dict()
    assert data["scheme"] == "shipped" and data["scores"][0]["kind"] == "operators"
    assert any(row["mape"] is None for row in data["scores"])
    assert "matmul a100_sxm" in str(scores)
    with pytest.raises(nv.UnknownName, match="matmul a100_sxm"):
        scores["matmul a100"]
