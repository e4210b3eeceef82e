"""Laws of the estimate of a training step: faster parts never slow it, its parts sum to it, and every carrier gives the same."""

import math

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.estimators.training import STACKS, efficiency_of, stack_of
from nvscale.estimators.training_shards import Machine, Shard, machine_of
from nvscale.estimators.training_steps import step
from nvscale.parallelism import Parallelism
from nvscale.workloads.training import Training

MODELS = ("llama-3.1-8b", "llama-3.1-70b", "deepseek-v3", "gpt-oss-120b")
SYSTEMS = ("dgx-a100-80gb", "dgx-h100", "gb200-nvl72")
FASTER = ("rate", "rate_16", "bandwidth", "inside", "outside")
CHIPS = 64.0
models = st.sampled_from(MODELS)
systems = st.sampled_from(SYSTEMS)
stacks = st.sampled_from([name for name in STACKS if name != "ideal"])
factors = st.floats(1.0, 20.0)
sizes = st.sampled_from([1.0, 2.0, 4.0, 8.0])


@st.composite
def plans(draw: st.DrawFn) -> Parallelism:
    """Layouts of 64 chips."""
    tp, pp = draw(sizes), draw(sizes)
    return Parallelism(
        tp=tp,
        pp=pp,
        vpp=draw(st.sampled_from([1.0, 2.0])) if pp > 1.0 else 1.0,
        sequence_parallel=draw(st.sampled_from([0.0, 1.0])),
        zero=draw(st.sampled_from([0.0, 1.0, 2.0, 3.0])),
        recompute=draw(st.sampled_from(["none", "selective", "full"])),
        micro_batch=draw(st.sampled_from([1.0, 2.0])),
    )


@st.composite
def jobs(draw: st.DrawFn) -> Training:
    """Jobs of a few models."""
    return Training(
        model=nv.model(draw(models)), sequence=draw(st.sampled_from([2048.0, 8192.0])), global_batch=draw(st.sampled_from([128.0, 1024.0]))
    )


def met(job: Training, system: str, stack: str) -> tuple[Machine, nv.TrainingStack]:
    """Sustained rates and software."""
    placed = nv.system(system).scale(CHIPS)
    software = stack_of(stack, placed.chip)
    return machine_of(placed, job.precision, efficiency_of(placed.chip, job.precision), software), software


@settings(max_examples=60, deadline=None)
@given(jobs(), plans(), systems, stacks, st.sampled_from(FASTER), factors)
def test_more_of_anything_never_slows_a_step(job, plan, system, stack, what, factor):
    at, software = met(job, system, stack)
    faster = at._replace(**{what: getattr(at, what) * factor})
    before, after = (step(job, plan, CHIPS, one, software).value for one in (at, faster))
    assert after <= before * (1.0 + 1e-12)


@settings(max_examples=30, deadline=None)
@given(jobs(), plans(), systems, factors)
def test_memory_does_not_slow_a_step(job, plan, system, factor):
    placed = nv.system(system).scale(CHIPS)
    more = placed.replace(**{"chip.memory": placed.chip.memory * factor, "chip.memory_bandwidth": placed.chip.memory_bandwidth * factor})
    assert nv.training(job, more, plan).value <= nv.training(job, placed, plan).value * (1.0 + 1e-12)


@settings(max_examples=40, deadline=None)
@given(jobs(), plans(), systems, stacks)
def test_less_recompute_never_costs_time(job, plan, system, stack):
    at, software = met(job, system, stack)
    none, selective, full = (
        step(job, plan.replace(recompute=name), CHIPS, at, software).work.recompute for name in ("none", "selective", "full")
    )
    assert 0.0 == none <= selective <= full


@settings(max_examples=40, deadline=None)
@given(jobs(), plans(), systems, stacks)
def test_one_rank_exchanges_nothing(job, plan, system, stack):
    at, software = met(job, system, stack)
    found = step(job, plan.replace(tp=1.0), CHIPS, at, software)
    assert found.work.tensor_exchange == 0.0 and found.work.context_exchange == 0.0
    assert (found.transfers == 0.0 and found.bubble == 0.0) or plan.pp > 1.0
    assert Shard(job, plan.replace(tp=1.0), at, software).tensor_exchange() == 0.0


@settings(max_examples=40, deadline=None)
@given(jobs(), plans(), systems, stacks)
def test_the_parts_sum_to_the_whole(job, plan, system, stack):
    found = nv.training(job, nv.system(system).scale(CHIPS), plan, stack=stack)
    assert math.fsum(one.value for one in found.terms.values()) == pytest.approx(found.value, rel=1e-9)
    assert found.low < found.value < found.high or found.low <= found.value <= found.high
    assert found.mfu < 1.0


@settings(max_examples=15, deadline=None)
@given(jobs(), systems, st.sampled_from(["none", "selective", "full"]), stacks)
def test_a_grid_agrees_with_its_points(job, system, recompute, stack):
    at, software = met(job, system, stack)
    tp, pp = (one.ravel() for one in np.meshgrid([1.0, 2.0, 8.0], [1.0, 2.0, 4.0]))
    together = step(job, Parallelism(tp=tp, pp=pp, recompute=recompute), CHIPS, at, software).value
    for place, (rows, stages) in enumerate(zip(tp.tolist(), pp.tolist(), strict=True)):
        alone = step(job, Parallelism(tp=rows, pp=stages, recompute=recompute), CHIPS, at, software).value
        assert together[place] == pytest.approx(alone, rel=1e-12)


def test_a_symbol_stands_for_a_batch():
    batch = sympy.Symbol("B", positive=True)
    job = Training(model=nv.model("llama-3.1-8b"), sequence=8192.0, global_batch=batch)
    placed, plan = nv.system("dgx-h100").scale(CHIPS), Parallelism(tp=2.0)
    closed = nv.training(job, placed, plan).value
    for value in (64.0, 1024.0):
        assert float(closed.subs(batch, value)) == pytest.approx(nv.training(job.replace(global_batch=value), placed, plan).value, rel=1e-9)
