"""What is not needed is not loaded: heavy libraries stay out until a value of theirs or a view that needs them comes."""

import subprocess
import sys

import pytest

HEAVY = ("sympy", "pint", "scipy", "pydantic", "typer", "rich", "pandas", "matplotlib", "xarray", "jax", "jinja2", "dask")
SITUATIONS = {
    "import": "import nvscale",
    "formulas": "from nvscale import formulas; formulas.roofline.attainable(100.0, 989.4e12, 3.35e12)",
    "ridge point": "import nvscale as nv; nv.chip('H100').ridge_point('bf16')",
    "roll-up": "import nvscale as nv; s = nv.system('dgx-h100'); s.peak('fp8'); s.power; s.price; s.scale(1024).levels()",
    "estimate": "import nvscale as nv; print(nv.rooflines('dgx-h100', 'fp8')['node']['cost per flop'].explain())",
    "text to SI": "import nvscale as nv; nv.prices(energy_price='0.06 USD/kWh')",
    "every entry": "import nvscale as nv; nv.chips(); nv.networks(); nv.systems()",
    "growth between two": "import nvscale as nv; nv.curves(['dgx-a100', 'dgx-h100']).growth('performance')",
    "law": "import nvscale as nv; nv.laws.load('chinchilla/besiroglu-2024').optimum(1e21)",
    "dir": "import nvscale; dir(nvscale)",
}


def modules_after(code: str) -> set[str]:
    """The roots of all modules that a fresh interpreter holds after running some code."""
    report = "import sys; sys.stderr.write(' '.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


@pytest.mark.parametrize("situation", SITUATIONS)
def test_no_heavy_library_is_loaded(situation: str) -> None:
    assert modules_after(SITUATIONS[situation]) & set(HEAVY) == set()


def test_numpy_is_not_loaded_for_plain_numbers() -> None:
    assert "numpy" not in modules_after(SITUATIONS["roll-up"])


def test_the_library_of_a_value_is_loaded_when_it_is_asked_for() -> None:
    """The check above can fail: pint comes with a quantity, and nothing else does."""
    loaded = modules_after("import nvscale as nv; nv.rooflines('dgx-h100', 'fp8')['node']['power'].quantity")
    assert loaded & {"pint", "pydantic", "typer", "rich", "matplotlib", "sympy"} == {"pint"}
