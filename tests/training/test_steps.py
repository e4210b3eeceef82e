"""A training step as people and programs see it: results that agree with each other, text, JSON, sweeps, symbols, gradients, units."""

import copy
import json
import math
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.efficiencies.training import TrainingEfficiency
from nvscale.errors import InvalidInput, UnknownName
from nvscale.estimators.training_results import CONTENDERS

DENSE = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=256)
EXPERTS = nv.Training(model=nv.model("mixtral-8x7b"), sequence=4096, global_batch=256)
NODES = nv.system("dgx-h100").scale(64)
PLANS = (
    nv.Parallelism(),
    nv.Parallelism(tp=8, pp=2),
    nv.Parallelism(tp=2, pp=4, vpp=2, cp=2, recompute="full"),
    nv.Parallelism(zero=3, recompute="selective"),
    nv.Parallelism(pp=4, schedule="zero-bubble", micro_batch=2),
)
plans = pytest.mark.parametrize("plan", PLANS, ids=repr)
jobs = pytest.mark.parametrize("job", [DENSE, EXPERTS], ids=["dense", "experts"])


@pytest.fixture(scope="module")
def step() -> nv.TrainingStep:
    return nv.training(DENSE, NODES, nv.Parallelism(tp=2, pp=2))


# ---------------------------------------------------------------------- results


@jobs
@plans
def test_parts_sum_to_the_step_and_none_is_negative(job: nv.Training, plan: nv.Parallelism) -> None:
    found = nv.training(job, NODES, plan)
    assert all(part.value >= 0.0 for part in found.terms.values())
    assert sum(part.value for part in found.terms.values()) == pytest.approx(found.value, rel=1e-12)
    assert sum(found.shares().values()) == pytest.approx(1.0)
    assert found.low < found.value < found.high


@jobs
@plans
def test_mfu_times_peak_times_time_is_the_work_of_a_step(job: nv.Training, plan: nv.Parallelism) -> None:
    found = nv.training(job, NODES, plan)
    work = job.tokens * job.model.flop_per_token(job.sequence, "megatron-bridge")
    assert found["mfu"].value * NODES.peak("bf16") * found.value == pytest.approx(work)
    assert found.mfu == found["mfu"].value == pytest.approx(1.0 / found.headroom)


def test_tokens_per_second_are_those_of_the_step(step: nv.TrainingStep) -> None:
    assert step["tokens per second"].value * step.value == pytest.approx(DENSE.tokens)
    assert step["tokens per second per chip"].value * NODES.chips == pytest.approx(step["tokens per second"].value)
    assert step["tokens per second per GPU"] is step["tokens per second per chip"]


def test_what_binds_is_the_largest_of_what_is_done(step: nv.TrainingStep) -> None:
    assert step.by == max(CONTENDERS, key=lambda name: step[name].value) == "matrix multiplies"
    assert next(iter(step.shares())) == step.by


def test_memory_and_whether_it_fits_are_those_of_the_memory_estimate(step: nv.TrainingStep) -> None:
    assert step["memory"].value == nv.training_memory(DENSE, step.plan, NODES.chips).value
    assert step["fits"].value is nv.fits(DENSE, step.plan, NODES).value is True
    assert step["fits.needed"].value < step["fits.available"].value
    assert nv.training(DENSE, "dgx-h100")["fits"].value is False


def test_an_unknown_part_is_named_with_the_nearest(step: nv.TrainingStep) -> None:
    with pytest.raises(UnknownName, match="pipeline bubble"):
        step["pipeline bubbel"]
    with pytest.raises(AttributeError, match="no attribute 'speed'"):
        _ = step.speed


@given(st.floats(0.3, 1.0))
def test_a_chip_that_sustains_a_share_of_everything_takes_longer_by_that_share(share: float) -> None:
    """With memory and links at the same share, every part of an ideal step scales alike."""
    own = dict.fromkeys(("share_of_peak", "share_of_peak_16", "share_of_bandwidth", "scaleup_share", "scaleout_share"), share)
    slower = nv.training(DENSE, NODES, PLANS[1], stack="ideal", efficiency=TrainingEfficiency(**own))
    assert slower.value == pytest.approx(nv.training(DENSE, NODES, PLANS[1], stack="ideal", efficiency=nv.IDEAL).value / share)


def test_the_ideal_has_no_interval_and_is_never_faster_than_the_bare_roofline() -> None:
    ideal = nv.training(DENSE, NODES, nv.Parallelism(zero=3), stack="ideal", efficiency=nv.IDEAL)
    assert ideal.low is None and ideal.high is None
    assert ideal.value >= ideal.roofline


# ---------------------------------------------------------------------- what people see


def test_printed_it_is_a_few_short_lines(step: nv.TrainingStep) -> None:
    lines = str(step).splitlines()
    assert len(lines) == 5
    assert max(map(len, lines)) <= 100
    assert "90 %" in lines[1] and "MFU" in lines[2] and "causal" in lines[2] and "tokens/s per chip" in lines[2]
    assert "matrix multiplies take" in lines[3] and lines[4].endswith("fits")
    assert "DOES NOT FIT" in str(nv.training(DENSE, "dgx-h100"))
    assert len(repr(step).splitlines()) == 1


def test_a_chip_of_unknown_memory_has_a_step_all_the_same() -> None:
    bare = nv.training(DENSE, NODES.replace(**{"chip.memory": None, "chip.memory_reported": None}))
    assert "memory is not known" in str(bare)
    assert bare.to_dict()["fits"] is None


def test_explain_html_and_json_hold_the_whole_tree(step: nv.TrainingStep) -> None:
    text = step.explain()
    assert all(f"  {name} = " in text for name in step.terms)
    assert all(f"assumed: {note}" in text for note in step.assumptions)
    html = step._repr_html_()
    assert html.startswith("<details>") and "pipeline bubble = " in html
    plain = json.loads(json.dumps(step.to_dict(), allow_nan=False))
    assert plain["value"] == plain["seconds_per_step"] == step.value
    assert (plain["mfu"], plain["by"], plain["fits"]) == (step.mfu, step.by, True)
    assert {name: part["value"] for name, part in plain["terms"].items()} == {name: part.value for name, part in step.terms.items()}


def test_copies_and_pickles_are_the_same_step(step: nv.TrainingStep) -> None:
    for other in (copy.copy(step), pickle.loads(pickle.dumps(step))):
        assert (other.value, other.mfu, other.by, str(other)) == (step.value, step.mfu, step.by, str(step))


def test_it_has_a_unit(step: nv.TrainingStep) -> None:
    assert step.quantity.to("ms").magnitude == pytest.approx(1e3 * step.value)
    assert step["tokens per second"].quantity.to("Mtoken/s").magnitude == pytest.approx(step["tokens per second"].value / 1e6)
    assert step["memory"].quantity.to("GB").magnitude == pytest.approx(step["memory"].value / 1e9)


# ---------------------------------------------------------------------- refused


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "chips": ({"plan": nv.Parallelism(tp=6)}, "does not divide 64 chips"),
    "heads": ({"plan": nv.Parallelism(tp=64)}, "64 does not divide the 32 heads"),
    "stages": ({"plan": nv.Parallelism(pp=64)}, "pp 64 x vpp 1 leave stages"),
    "chunks": ({"plan": nv.Parallelism(pp=8, vpp=5)}, "pp 8 x vpp 5 leave stages"),
    "batch": ({"job": DENSE.replace(global_batch=100)}, "no multiple of 64 replicas"),
    "no experts": ({"plan": nv.Parallelism(ep=2)}, "has no experts"),
    "experts": ({"job": EXPERTS, "plan": nv.Parallelism(ep=16)}, "does not divide the 8 experts"),
    "expert ranks": ({"job": EXPERTS, "plan": nv.Parallelism(ep=8, etp=16)}, "does not divide the 64 chips of a stage"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_layout_that_cannot_be_is_refused_with_its_reason(name: str) -> None:
    arguments, says = REFUSED[name]
    with pytest.raises(InvalidInput, match=says):
        nv.training(**({"job": DENSE, "system": NODES} | arguments))


def test_126_layers_on_16_stages_of_8_chunks_are_allowed() -> None:
    """Llama 3 405B was trained so: some chunks hold no layer of the 128 places."""
    job = nv.Training(model=nv.model("llama-3.1-405b"), sequence=8192, global_batch=2048)
    assert nv.training(job, nv.system("dgx-h100").scale(16_384), nv.Parallelism(tp=8, pp=16, vpp=8)).value > 0.0


# ---------------------------------------------------------------------- arrays, symbols, gradients


def test_a_sweep_over_systems_and_ranks_gives_what_single_calls_give() -> None:
    np = pytest.importorskip("numpy")
    names, ranks = ["dgx-h100", "dgx-b200", "gb200-nvl72"], [1, 2, 4, 8]
    outputs = {"time": lambda t: t.value, "mfu": lambda t: t.mfu, "memory": lambda t: t["memory"].value}
    systems = [nv.system(name).scale(64) for name in names]
    grid = nv.sweep(nv.training, {"system": systems, "tp": ranks}, outputs=outputs, job=DENSE, system=systems[0], plan=nv.Parallelism(pp=2))
    assert grid.shape == (3, 4)
    for i, system in enumerate(systems):
        for j, tp in enumerate(ranks):
            one = nv.training(DENSE, system, nv.Parallelism(tp=tp, pp=2))
            assert [grid[name][i, j] for name in outputs] == pytest.approx([one.value, one.mfu, one["memory"].value], rel=1e-12)
    assert np.all(np.diff(grid["memory"], axis=1) < 0.0)


def test_arrays_have_shares_bindings_and_json() -> None:
    np = pytest.importorskip("numpy")
    many = nv.training(DENSE.replace(global_batch=np.array([64.0, 256.0])), NODES, nv.Parallelism(tp=2, pp=2))
    assert sum(many.shares().values()) == pytest.approx(np.ones(2))
    plain = json.loads(json.dumps(many.to_dict(), allow_nan=False))
    assert plain["by"] == ["matrix multiplies"] * 2
    assert plain["fits"] == [True, True] and len(plain["mfu"]) == 2
    assert str(many).startswith("step of llama-3.1-8b bf16") and "array(2,)" in repr(many)


def test_a_sweep_names_the_chip_that_lacks_a_format() -> None:
    pytest.importorskip("numpy")
    systems = [nv.system("dgx-a100").scale(64), NODES]
    grid = nv.sweep(nv.training, {"system": systems, "global_batch": [256, 512]}, job=DENSE.replace(precision="fp8"), system=NODES)
    assert math.isnan(grid["value"][0, 0]) and grid["value"][1, 1] > grid["value"][1, 0]
    assert ["fp8" in reason for reason in grid.reasons.values()] == [True]


def test_a_step_of_symbols_becomes_the_number_when_they_do() -> None:
    sympy = pytest.importorskip("sympy")
    batch, peak = sympy.symbols("B P", positive=True)
    plan = nv.Parallelism(tp=2, pp=2)
    of_batch = nv.training(DENSE.replace(global_batch=batch), NODES, plan)
    assert of_batch.value.free_symbols == {batch}
    for given_batch in (64, 256, 1024):
        expected = nv.training(DENSE.replace(global_batch=given_batch), NODES, plan)
        assert float(of_batch.value.subs(batch, given_batch)) == pytest.approx(expected.value, rel=1e-9)
        assert float(of_batch.mfu.subs(batch, given_batch)) == pytest.approx(expected.mfu, rel=1e-9)
    of_peak = nv.training(DENSE, NODES.replace(**{"chip.peak.bf16": peak}), plan)
    assert float(of_peak.value.subs(peak, NODES.chip.rate("bf16"))) == pytest.approx(nv.training(DENSE, NODES, plan).value, rel=1e-9)
    assert str(of_batch).startswith("step of llama-3.1-8b bf16")


def test_the_gradient_of_the_peak_rate_is_its_finite_difference() -> None:
    jax = pytest.importorskip("jax")

    def seconds(peak: Any) -> Any:
        return nv.training(DENSE, NODES.replace(**{"chip.peak.bf16": peak}), PLANS[1]).value

    peak, apart = NODES.chip.rate("bf16"), 1e9
    by_hand = (seconds(peak + apart) - seconds(peak - apart)) / (2.0 * apart)
    with jax.experimental.enable_x64() if hasattr(jax.experimental, "enable_x64") else jax.enable_x64(True):
        assert float(jax.grad(seconds)(peak)) == pytest.approx(by_hand, rel=1e-4)
    assert by_hand < 0.0
