"""The best model for a budget: costs add up, the optimum is one, and bad input is answered."""

import json
import math

import pytest
from typer.testing import CliRunner

import nvscale as nv
from nvscale.budgets import FLAT, family
from nvscale.cli.application import application

LAW = "chinchilla/besiroglu-2024"


@pytest.fixture(scope="module")
def plain() -> nv.BudgetOptimum:
    """A million dollars, nothing served."""
    return nv.optimum("1 MUSD", "dgx-h100", LAW, extrapolate="allow")


@pytest.fixture(scope="module")
def served() -> nv.BudgetOptimum:
    """The same budget for a model that serves."""
    return nv.optimum("1 MUSD", "dgx-h100", LAW, lifetime_tokens=1e13, extrapolate="allow")


def test_the_budget_is_spent_and_no_more(plain: nv.BudgetOptimum, served: nv.BudgetOptimum) -> None:
    assert sum(plain.spent.values()) == pytest.approx(1e6, rel=1e-9)
    assert sum(served.spent.values()) == pytest.approx(1e6, rel=1e-9)
    assert set(served.spent) == {"training", "serving"}


def test_serving_makes_the_best_model_smaller_and_its_loss_larger(plain: nv.BudgetOptimum, served: nv.BudgetOptimum) -> None:
    assert served.parameters < plain.parameters
    assert served.loss > plain.loss


def test_the_loss_is_that_of_the_law(plain: nv.BudgetOptimum) -> None:
    law = nv.laws.load(LAW)
    assert plain.loss == pytest.approx(law.loss(parameters=plain.parameters, tokens=plain.tokens, extrapolate="allow"))


def test_without_serving_the_optimum_is_near_that_of_the_law_at_equal_compute(plain: nv.BudgetOptimum) -> None:
    """Utilisation changes slowly with size, so the law's own allocation is close, and can be no better."""
    law = nv.laws.load(LAW)
    compute = 6.0 * plain.parameters * plain.tokens
    best = law.optimum(compute=compute, extrapolate="allow")
    least = best.loss.value
    assert least <= plain.loss + 1e-9
    assert plain.loss - least < 0.01


def test_more_money_never_makes_the_loss_larger() -> None:
    losses = [nv.optimum(budget, "dgx-h100", LAW, extrapolate="allow").loss for budget in ("100 kUSD", "1 MUSD", "10 MUSD")]
    assert losses == sorted(losses, reverse=True)


def test_sizes_that_count_as_flat_surround_the_optimum(served: nv.BudgetOptimum) -> None:
    assert served.flat[0] < served.parameters < served.flat[1]
    assert math.isfinite(served.loss + FLAT)


def test_energy_and_chip_time_are_budgets_too() -> None:
    by_energy = nv.optimum("500 MWh", "dgx-h100", LAW, extrapolate="allow")
    by_time = nv.optimum("100000 h", "dgx-h100", LAW, extrapolate="allow")
    assert by_energy.unit == "J" and by_energy.spent["training"] == pytest.approx(500e6 * 3600.0)
    assert by_time.chips * by_time.days * 24.0 == pytest.approx(100000.0)


def test_the_family_grows_with_its_width() -> None:
    sizes = [float(family(width).parameters) for width in (1024.0, 2048.0, 4096.0, 8192.0)]
    assert sizes == sorted(sizes)
    assert 50e9 < sizes[-1] < 75e9


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"budget": "5 TB"}, "neither dollars"),
        ({"budget": "1 MUSD", "law": "chinchilla/besiroglu"}, "besiroglu-2024"),
        ({"budget": "1 MUSD", "law": "allocation/llama-3"}, "no loss of parameters and tokens"),
        ({"budget": "1 kUSD", "lifetime_tokens": 1e15}, "does not serve"),
    ],
)
def test_bad_input_is_answered(asked: dict[str, object], said: str) -> None:
    with pytest.raises((nv.NvscaleError, LookupError), match=said):
        nv.optimum(**{"system": "dgx-h100", "extrapolate": "allow", **asked})


def test_the_command_prints_the_answer_and_json() -> None:
    told = CliRunner().invoke(application, ["optimum", "--budget", "100 kUSD", "--on", "dgx-h100", "--explain"])
    assert told.exit_code == 0 and "billion parameters" in told.output and "models that were tried" in told.output
    data = json.loads(CliRunner().invoke(application, ["optimum", "--budget", "100 kUSD", "--on", "dgx-h100", "--json"]).output)
    assert data["spent"]["training"] == pytest.approx(1e5)
