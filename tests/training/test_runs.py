"""A whole run follows from its step: every figure is the stated product."""

import json
from typing import Any

import pytest

import nvscale as nv
from nvscale.errors import InvalidInput, MissingFigure, UnknownName, WrongUnit
from nvscale.estimators.fleets import cost_rate, facility_power

JOB = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=1024)
SYSTEM = nv.system("dgx-h100").scale(1024)
TOKENS = 15e12


def whole(**others: Any) -> nv.TrainingRun:
    return nv.training_run(JOB, SYSTEM, nv.Parallelism(tp=2), **({"tokens": TOKENS, "goodput": 0.9, "pue": 1.25} | others))


def test_the_time_is_steps_times_step_over_goodput_with_its_interval() -> None:
    run = whole()
    step = nv.training(JOB, SYSTEM, nv.Parallelism(tp=2))
    steps = TOKENS / (1024 * 8192)
    assert run["steps"].value == pytest.approx(steps)
    assert run.value == pytest.approx(steps * step.value / 0.9)
    assert (run.low, run.high) == pytest.approx((steps * step.low / 0.9, steps * step.high / 0.9))
    assert run["step"].value == step.value
    assert run["step.mfu"].value == step.mfu
    assert run["days"].value * 86400.0 == pytest.approx(run.value)
    assert run["chip hours"].value * 3600.0 == pytest.approx(1024 * run.value)


def test_at_nameplate_power_energy_is_facility_power_times_time_and_cost_its_rate_times_time() -> None:
    run = whole(draw="nameplate")
    site = SYSTEM.replace(pue=1.25)
    assert run["energy"].value == pytest.approx(facility_power(site, "bf16", nv.prices()).value * run.value)
    assert run["energy"].value == pytest.approx(1.25 * SYSTEM.power * run.value)
    assert run["cost"].value == pytest.approx(cost_rate(site, "bf16", nv.prices()).value * run.value)
    assert run["energy"].quantity.to("GWh").magnitude == pytest.approx(run["energy"].value / 3.6e12)


def test_under_load_the_chips_draw_what_their_operations_say_and_the_rest_its_nameplate() -> None:
    run = whole()
    of_a_chip = run["energy"]["power of h100-sxm"].value
    assert 300.0 < of_a_chip < 700.0
    assert run["energy"].value == pytest.approx(1.25 * (SYSTEM.power + 1024 * (of_a_chip - 700.0)) * run.value)
    assert run["cost"]["energy of the run"].value == pytest.approx(run["energy"].value * nv.prices().energy_price)
    assert run["carbon"].value == pytest.approx(run["energy"].value * run["carbon"]["grid intensity"].value)
    assert whole(grid="400 g/kWh")["carbon"].value == pytest.approx(run["energy"].value * 400.0 / 3.6e6)
    with pytest.raises(UnknownName, match="draw"):
        whole(draw="laod")


def test_failures_give_the_goodput_instead() -> None:
    run = nv.training_run(JOB, SYSTEM, nv.Parallelism(tp=2), tokens=TOKENS, failures="rsc-1")
    assert run["goodput"].value == nv.goodput(1024, "rsc-1").value
    assert run["mfu"].value == pytest.approx(run["step"]["mfu"].value * run["goodput"].value)
    with pytest.raises(InvalidInput, match="not both"):
        whole(failures="rsc-1")


def test_what_is_in_proportion_to_the_step_has_its_interval() -> None:
    run = whole()
    for name in ("days", "chip hours", "energy", "cost"):
        ends = run[name].low / run[name].value, run[name].high / run[name].value
        assert ends == pytest.approx((run.low / run.value, run.high / run.value))


def test_a_system_without_a_price_has_days_and_energy_all_the_same() -> None:
    bare = SYSTEM.replace(**{"chip.price": None}, parts=tuple(part.replace(price=None) for part in SYSTEM.parts))
    run = nv.training_run(JOB, bare, nv.Parallelism(tp=2), tokens=TOKENS)
    assert run["days"].value > 0.0 and run["energy"].value > 0.0
    with pytest.raises(MissingFigure, match=r"cost of the run: .*price"):
        run["cost"]
    assert "no cost: " in str(run) and "chips under load" in str(run)
    assert "price" in run.to_dict()["missing"]["cost"] and "cost" not in run.to_dict()["results"]


def test_halves_and_doubles() -> None:
    run = whole()
    assert whole(goodput=0.45).value == pytest.approx(2.0 * run.value)
    for name in ("days", "chip hours", "energy", "cost"):
        assert whole(tokens=2.0 * TOKENS)[name].value == pytest.approx(2.0 * run[name].value)
    assert whole(pue=2.5)["energy"].value == pytest.approx(2.0 * run["energy"].value)
    assert whole(pue=2.5)["days"].value == run["days"].value


def test_without_a_word_goodput_and_pue_are_assumptions_with_a_source() -> None:
    run = nv.training_run(JOB, SYSTEM, nv.Parallelism(tp=2), tokens=TOKENS)
    assert 0.6 <= run["goodput"].value <= 0.97
    assert run["goodput"].source is not None and run["energy"]["PUE"].source is not None
    assert run["energy"]["PUE"].value > 1.0
    assumed = "; ".join(run.all_assumptions())
    assert "goodput 0.9: " in assumed and "PUE 1." in assumed
    assert "goodput" not in "; ".join(whole().all_assumptions())


def test_texts_prices_and_software_count() -> None:
    run = whole()
    assert whole(tokens="15 Ttoken").value == pytest.approx(run.value)
    assert whole(stack="ideal").value < run.value
    dear = nv.prices().replace(energy_price="1 USD/kWh")
    assert whole(prices=dear)["cost"].value > run["cost"].value
    assert whole(efficiency=nv.IDEAL, stack="ideal").low is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [({"tokens": 0}, "tokens"), ({"goodput": 0.0}, "goodput"), ({"goodput": 1.5}, "goodput"), ({"tokens": "5 GB"}, "token")],
    ids=["no tokens", "no goodput", "goodput above 1", "tokens in bytes"],
)
def test_bad_input_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises((InvalidInput, WrongUnit), match=says):
        whole(**changes)


def test_printed_and_as_json_it_says_what_it_rests_on() -> None:
    run = whole()
    lines = str(run).splitlines()
    assert len(lines) == 3 and max(map(len, lines)) <= 100
    assert "90 %" in lines[1] and "goodput 0.9" in lines[1] and "Wh, " in lines[2] and "chips under load" in lines[2]
    assert len(repr(run).splitlines()) == 1
    small = str(whole(tokens=1e11))
    assert "MWh" in small and "hours (90 %" in small and "million" not in small and " 0.0 " not in small
    text = run.explain()
    assert "assumed: " in text and "energy = " in text and "cost = " in text
    plain = json.loads(json.dumps(run.to_dict(), allow_nan=False))
    assert plain["results"]["energy"]["value"] == run["energy"].value
    assert plain["results"]["step"]["mfu"] == run["step"].mfu


def test_arrays_of_goodput_give_arrays() -> None:
    np = pytest.importorskip("numpy")
    shares = np.array([0.6, 0.9])
    run = whole(goodput=shares)
    assert list(run["days"].value) == pytest.approx([whole(goodput=share)["days"].value for share in shares])
