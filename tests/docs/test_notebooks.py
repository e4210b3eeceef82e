"""Notebooks are committed without outputs and run from start to end in a fresh kernel."""

import json
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SECONDS = 60
by_name = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_six() -> None:
    assert len(NOTEBOOKS) == 8


@by_name
def test_is_committed_without_outputs(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            assert not cell["outputs"]
            assert cell["execution_count"] is None


@by_name
def test_explains_itself_and_ends_with_exercises(path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert prose[0].startswith("# ")
    assert len(prose) >= 6
    last = prose[-1]
    assert last.startswith("## Exercises")
    assert 2 <= sum(line.startswith(("1. ", "2. ", "3. ", "4. ")) for line in last.splitlines()) <= 3


@by_name
@pytest.mark.filterwarnings("ignore")  # those of the kernel's libraries
def test_runs(path: Path, tmp_path: Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    for needed in ("ipykernel", "matplotlib", "pandas"):
        pytest.importorskip(needed)
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/svg+xml" in output.get("data", {}) or "image/png" in output.get("data", {}) for output in shown), "a plot"
    assert any("text/html" in output.get("data", {}) for output in shown), "a table"
    assert any("text/latex" in output.get("data", {}) for output in shown), "a closed form"
    assert not [output for output in shown if output.output_type == "error"], "an error that the display swallowed"
    assert not [output for output in shown if output.output_type == "stream" and output.name == "stderr"]
