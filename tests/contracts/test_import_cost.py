"""What an import costs, counted in modules: seconds differ between machines, modules do not."""

import subprocess
import sys

import pytest

# Measured with CPython 3.11: 30 for the package, 123 for the formulas, 166 for a chip; the rest is slack.
BOUNDS = {
    "import nvscale": 40,
    "from nvscale import formulas": 140,
    "import nvscale as nv; nv.chip('H100')": 200,
}


def loaded(code: str) -> int:
    """How many modules a fresh interpreter holds after running some code."""
    counting = f"{code}\nimport sys; print(len(sys.modules))"
    return int(subprocess.run([sys.executable, "-c", counting], capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("code", BOUNDS)
def test_few_modules_are_loaded(code: str) -> None:
    assert loaded(code) - loaded("") <= BOUNDS[code]
