"""Laws of training memory: what splits or recomputes more never holds more, parts sum up, every carrier agrees."""

from itertools import pairwise

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.estimators.memory_of_training import fits, fits_mask, memory_per_chip, training_memory, why_not
from nvscale.estimators.stage_memory import holdings
from nvscale.formulas import training_memory as formulas
from nvscale.parallelism import Parallelism
from nvscale.workloads import Training
from nvscale.workloads.memory_use import memory_use

DENSE = nv.Model(name="dense", layers=64, hidden=8192, heads=64, kv_heads=64, ffn=28672, vocabulary=128256, extra_parameters=1e6)
TIED = DENSE.replace(tied_embeddings=1.0, kv_heads=8.0, ffn_matrices=2.0)
EXPERTS = DENSE.replace(name="experts", experts=64.0, experts_per_token=4.0, expert_ffn=2048.0, shared_ffn=2048.0, dense_layers=4.0)
LATENT = EXPERTS.replace(query_rank=1536.0, latent_rank=512.0, rotary_dim=64.0, head_dim=192.0, value_head_dim=128.0, predicted_tokens=1.0)
HYBRID = DENSE.replace(attention_free_layers=48.0, state_layers=48.0, state_parameters=2e8, ffn_free_layers=16.0)
MODELS = (DENSE, TIED, EXPERTS, LATENT, HYBRID)
CHIPS = 1024.0

powers = st.sampled_from([1.0, 2.0, 4.0, 8.0])
plans = st.builds(
    Parallelism,
    tp=powers,
    pp=st.sampled_from([1.0, 2.0, 4.0, 8.0, 16.0]),
    cp=st.sampled_from([1.0, 2.0]),
    vpp=st.sampled_from([1.0, 2.0, 4.0]),
    ep=powers,
    micro_batch=powers,
    sequence_parallel=st.sampled_from([0.0, 1.0]),
    zero=st.sampled_from([0.0, 1.0, 2.0, 3.0]),
    schedule=st.sampled_from(["1f1b", "gpipe", "zero-bubble"]),
    recompute=st.sampled_from(["none", "selective", "full"]),
    recompute_layers=st.sampled_from([0.0, 0.25, 1.0]),
    shard_group=st.sampled_from([float("inf"), 4.0]),
)
jobs = st.builds(
    Training,
    model=st.sampled_from(MODELS),
    sequence=st.sampled_from([2048.0, 8192.0]),
    global_batch=st.sampled_from([1024.0, 4096.0]),
    loss_is_fused=st.sampled_from([0.0, 1.0]),
    frozen=st.sampled_from([0.0, 0.5]),
)
NEAR = 1.0 + 1e-12


def total(job: Training, plan: Parallelism) -> float:
    return float(memory_per_chip(job, plan, CHIPS))


@given(jobs, plans)
def test_the_tree_sums_to_the_plain_total_and_its_parts_to_the_whole(job: Training, plan: Parallelism) -> None:
    tree = training_memory(job, plan, CHIPS)
    assert tree.value == pytest.approx(total(job, plan), rel=1e-12)
    for stage in tree.terms.values():
        assert sum(part.value for part in stage.terms.values()) == pytest.approx(stage.value, rel=1e-12)
        assert all(node.value >= 0.0 for _, node in stage.nodes())
    assert tree.low < tree.value < tree.high


@given(jobs, plans)
def test_recompute_never_holds_more(job: Training, plan: Parallelism) -> None:
    for word in ("selective", "full"):
        assert total(job, plan.replace(recompute=word)) <= total(job, plan.replace(recompute="none")) * NEAR


@given(jobs, plans)
def test_more_recomputed_layers_never_hold_more(job: Training, plan: Parallelism) -> None:
    held = [total(job, plan.replace(recompute="full", recompute_layers=share)) for share in (0.0, 0.25, 0.5, 1.0)]
    assert all(after <= before * NEAR for before, after in pairwise(held))


@given(jobs, plans)
def test_a_higher_zero_stage_never_holds_more(job: Training, plan: Parallelism) -> None:
    held = [total(job, plan.replace(zero=stage)) for stage in (0.0, 1.0, 2.0, 3.0)]
    assert all(after <= before * NEAR for before, after in pairwise(held))


@given(jobs, plans)
def test_more_tensor_parallel_ranks_never_hold_more_activations(job: Training, plan: Parallelism) -> None:
    held = []
    for tp in (1.0, 2.0, 4.0, 8.0):
        tree = training_memory(job, plan.replace(tp=tp, pp=1.0, etp=1.0), CHIPS)
        held.append(tree["first stage"]["activations"].value)
    assert all(after <= before * NEAR for before, after in pairwise(held))


@given(jobs, plans, powers)
def test_larger_micro_batches_and_offloading(job: Training, plan: Parallelism, factor: float) -> None:
    alone = plan.replace(pp=1.0)
    assert total(job, alone.replace(micro_batch=plan.micro_batch * factor)) >= total(job, alone) / NEAR
    assert total(job, plan.replace(offload=1.0)) < total(job, plan)


@given(st.integers(1, 64).map(float), st.integers(1, 8).map(float), st.integers(1, 512).map(float))
def test_micro_batches_in_flight(stages: float, chunks: float, batches: float) -> None:
    first, last = (count(stages, chunks, batches) for count in (formulas.in_flight_of_first_stage, formulas.in_flight_of_last_stage))
    assert min(batches, 1.0) <= last <= first * NEAR or last == pytest.approx(first)
    assert first <= min(batches, stages + (stages - 1.0) / chunks) * NEAR
    assert formulas.in_flight_of_first_stage(1.0, chunks, batches) == 1.0


@pytest.mark.parametrize(
    "model", MODELS, ids=lambda model: f"{model.name} {model.ffn_matrices:g} {model.latent_rank:g} {model.state_layers:g}"
)
@pytest.mark.parametrize("recompute", ["none", "selective", "full"])
def test_a_grid_agrees_with_its_points(model: nv.Model, recompute: str) -> None:
    job = Training(model=model, sequence=4096, global_batch=2048)
    axes = {
        "tp": [1.0, 2.0, 8.0], "pp": [1.0, 2.0, 8.0], "cp": [1.0, 4.0], "vpp": [1.0, 2.0], "ep": [1.0, 8.0], "micro_batch": [1.0, 2.0],
        "zero": [0.0, 1.0, 2.0, 3.0], "sequence_parallel": [0.0, 1.0],
    }  # fmt: skip
    grid = dict(zip(axes, numpy.meshgrid(*axes.values(), indexing="ij", sparse=True), strict=True))
    held = memory_per_chip(job, Parallelism(**grid, recompute=recompute), CHIPS)
    tree = training_memory(job, Parallelism(**grid, recompute=recompute), CHIPS)
    assert held == pytest.approx(numpy.broadcast_to(tree.value, held.shape), rel=1e-12)
    mask = fits_mask(job, Parallelism(**grid, recompute=recompute), nv.chip("H100"), CHIPS)
    for place in numpy.ndindex(held.shape):
        if sum(place) % 7:
            continue
        plan = Parallelism(**{name: values[i] for (name, values), i in zip(axes.items(), place, strict=True)}, recompute=recompute)
        assert held[place] == pytest.approx(total(job, plan), rel=1e-12)
        assert mask[place] == fits(job, plan, nv.chip("H100"), CHIPS).value


def test_symbols_stand_for_sizes() -> None:
    sympy = pytest.importorskip("sympy")
    tp, micro_batch = sympy.symbols("tp b", positive=True)
    job = Training(model=EXPERTS, sequence=4096, global_batch=2048)
    made = memory_per_chip(job, Parallelism(tp=tp, micro_batch=micro_batch, pp=4.0), CHIPS)
    assert float(made.subs({tp: 4, micro_batch: 2})) == pytest.approx(total(job, Parallelism(tp=4.0, micro_batch=2.0, pp=4.0)), rel=1e-9)


def test_model_sizes_may_be_arrays() -> None:
    layers = numpy.array([32.0, 64.0])
    made = memory_per_chip(Training(model=DENSE.replace(layers=layers), sequence=4096, global_batch=2048), Parallelism(tp=8.0), CHIPS)
    for value, count in zip(made, layers, strict=True):
        job = Training(model=DENSE.replace(layers=float(count)), sequence=4096, global_batch=2048)
        assert value == pytest.approx(total(job, Parallelism(tp=8.0)), rel=1e-12)


def test_what_does_not_fit_says_why() -> None:
    job = Training(model=DENSE, sequence=8192, global_batch=512)
    said = why_not(job, Parallelism(tp=8.0), nv.chip("H100"), 8.0)
    assert "optimizer states" in said and "first stage" in said
    assert why_not(job, Parallelism(tp=8.0, pp=8.0), nv.chip("B200"), 512.0) == ""
    with pytest.raises(nv.InvalidInput, match="chips"):
        fits(job, Parallelism(), nv.chip("H100"))
    with pytest.raises(nv.MissingFigure, match="memory"):
        fits(job, Parallelism(), nv.Chip(name="bare"), 8.0)
    assert fits(job, Parallelism(tp=8.0), nv.system("dgx-h100")).value == fits(job, Parallelism(tp=8.0), nv.chip("H100"), 8.0).value


def test_every_size_of_the_program_has_a_source() -> None:
    for field in ("element_size", "statistics_size", "workspace", "expert_workspace", "routed_copies", "fragmentation", "context", "low"):
        assert memory_use().source(field).title


@pytest.mark.parametrize("name", list(nv.models()))
def test_one_chip_holds_every_parameter_of_a_model(name: str) -> None:
    """All stages together hold what the model counts, and the layers of its extra predicted tokens."""
    model = nv.model(name)
    stage = holdings(Training(model=model, sequence=1.0, global_batch=1.0), Parallelism(), 1.0, memory_use()).stages[0]
    held = stage.parameters + stage.expert_parameters
    near = 1e-9 if model.predicted_tokens == 0.0 or model.attention_free_layers == 0.0 else 0.01  # an average layer predicts
    assert held == pytest.approx(model.parameters + model.prediction_parameters, rel=near)
