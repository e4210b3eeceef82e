"""An optional library that is not installed: an error that says what to install, and nothing else breaks."""

import subprocess
import sys

import pytest

CASES = {
    "pandas": ("nv.curves(['dgx-a100', 'dgx-h100']).to_pandas()", "nvscale[sweep]"),
    "matplotlib": ("from nvscale.plots import draw_rooflines; draw_rooflines([nv.chip('h100')])", "nvscale[plot]"),
    "jinja2": ("from nvscale.report import build_report; from nvscale.report.page import render; render(build_report())", "nvscale[plot]"),
}


@pytest.mark.parametrize("library", CASES)
def test_a_missing_library_is_a_typed_error_that_says_what_to_install(library: str) -> None:
    if library == "jinja2":
        pytest.importorskip("matplotlib", reason="of the same extra, and asked for first")
    code, extra = CASES[library]
    script = f"""
import sys
sys.modules[{library!r}] = None  # as if it were not installed
import nvscale as nv
try:
    {code.replace("; ", chr(10) + "    ")}
except nv.MissingDependency as problem:
    print(problem)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert library in done.stdout and extra in done.stdout


def test_curves_need_no_optional_library() -> None:
    script = """
import sys
for library in ("pandas", "matplotlib", "jinja2", "xarray"):
    sys.modules[library] = None
import nvscale as nv
assert nv.curves().growth().factor > 1.0
from nvscale.cli import main
main(["chips", "h100"])
"""
    subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
