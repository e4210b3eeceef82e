"""The time of a training step: micro-batches through the pipeline, what replicas exchange, optimizer, stragglers."""

from typing import Any, NamedTuple

from nvscale.efficiencies.training import TrainingStack
from nvscale.estimators.training_shards import HALF, Machine, Shard, Work, elements, has
from nvscale.formulas import training_steps as formulas
from nvscale.ops import maximum, minimum, where
from nvscale.parallelism import Parallelism
from nvscale.workloads.training import Training

BUBBLE = {"1f1b": 1.0, "interleaved": 1.0, "gpipe": 1.0, "zero-bubble": formulas.zero_bubble_ratio(1.0, 1.0, 1.0)}
"""Bubble of a schedule relative to 1F1B, with forward, backward and weight gradient of equal length."""


class Step(NamedTuple):
    """A step in its parts, in seconds."""

    work: Work
    head: Any
    host: Any
    stage: Any
    micro_batches: Any
    bubble: Any
    transfers: Any
    replica_exchange: Any
    optimizer: Any
    stragglers: Any
    maturing: Any
    value: Any


class Held(NamedTuple):
    """Parameters of one rank before they are split over replicas: shared by all, and of experts."""

    common: Any
    experts: Any


def held_parameters(shard: Shard) -> Held:
    """Return the parameters of one rank of a mean pipeline stage."""
    model, plan = shard.model, shard.plan
    per_layer = shard.attending * elements(shard.projections) + shard.dense * elements(shard.feed_forward)
    per_layer = per_layer + shard.with_experts * elements(shard.shared) + model.state_layers * model.state_parameters / plan.tp
    embeddings = 2.0 * model.vocabulary * model.hidden / plan.tp
    weights = model.ffn_matrices * model.expert_hidden * model.expert_ffn
    experts = shard.with_experts * model.experts * weights / (plan.ep * plan.etp * plan.pp) if has(model.experts) else 0.0
    return Held((per_layer + embeddings) / plan.pp, experts)


def head_time(shard: Shard) -> Any:
    """Return the time of the output head, forward and backward, at 16 bits, with the passes over its logits."""
    at, columns, tokens = shard.at, shard.model.vocabulary / shard.plan.tp, 1.0 + shard.model.predicted_tokens
    shape = (shard.rows, shard.model.hidden, columns, at.rate_16, at.half_length_16, at.tile_area, at.bandwidth / HALF)
    products = formulas.forward_product_time(*shape) + formulas.backward_product_time(*shape, shard.job.frozen)
    return tokens * (products + formulas.loss_traffic(shard.rows, columns) / at.bandwidth)


def _one_exchange(size: Any, ranks: Any, room: Any, at: Machine, buckets: Any) -> Any:
    """Time of one all-gather or reduce-scatter of a group, of which `room` ranks fit one domain."""
    inside = minimum(ranks, room)
    outside = maximum(ranks / inside, 1.0)
    return formulas.two_tier_exchange_time(size, inside, outside, at.inside, at.outside, buckets, at.hop)


def replica_exchange(shard: Shard, held: Held, replicas: Any, slowest: Any, micro_batches: Any) -> Any:
    """Return the exposed time of reducing gradients and gathering weights over replicas."""
    plan, at, stack = shard.plan, shard.at, shard.stack
    group, buckets = replicas * plan.cp, shard.model.layers / plan.pp
    split = minimum(plan.shard_group, group) if has(plan.zero) else group
    gather = where(plan.zero >= 3.0, split, group)
    once = _one_exchange(HALF * held.common, gather, maximum(at.domain / plan.tp, 1.0), at, buckets)
    if has(shard.model.experts):
        per_expert = plan.ep * plan.etp
        expert_group = maximum(group * plan.tp / per_expert, 1.0)
        once = once + _one_exchange(HALF * held.experts, expert_group, maximum(at.domain / per_expert, 1.0), at, buckets)
    behind = formulas.hiding_micro_batches(micro_batches, plan.pp, plan.vpp)
    reduced = formulas.exposed_time(2.0 * once, stack.dp_overlap * slowest * behind)
    every = formulas.exposed_time((micro_batches + 1.0) * once, stack.dp_overlap * slowest * micro_batches)
    reduced = where(plan.zero >= 2.0, every, reduced)
    sharded = micro_batches * formulas.exposed_time(3.0 * once, stack.fsdp_overlap * slowest)
    between = formulas.exposed_time(2.0 * formulas.ring_size(HALF * held.common / split, group / split) / at.outside, slowest)
    exposed = where(plan.zero >= 3.0, sharded + between, reduced)
    broadcast = where((plan.zero >= 1.0) & (plan.zero < 3.0) & (plan.shard_group >= group), stack.broadcast * group, 0.0)
    return (1.0 - shard.job.frozen) * exposed + broadcast


def optimizer_time(shard: Shard, held: Held, replicas: Any) -> Any:
    """Return the time of the optimizer: states of what a rank holds, weights and gradients of all it computes with."""
    plan = shard.plan
    group = minimum(plan.shard_group, replicas * plan.cp)
    expert_group = maximum(replicas * plan.cp * plan.tp / (plan.ep * plan.etp), 1.0)
    kept = held.common / where(plan.zero >= 1.0, group, 1.0) + held.experts / where(plan.zero >= 1.0, expert_group, 1.0)
    moved = formulas.optimizer_traffic(kept, held.common + held.experts)
    return (1.0 - shard.job.frozen) * moved / shard.at.bandwidth


def step(job: Training, plan: Parallelism, chips: Any, at: Machine, stack: TrainingStack) -> Step:
    """Return a training step in its parts.

    Parameters
    ----------
    job, plan : Training, Parallelism
        What is trained, and how it is spread; every figure may be an array.
    chips : 1
        Chips of the run.
    at : Machine
        Sustained rates of a chip and its links.
    stack : TrainingStack
        Software.
    """
    shard, model = Shard(job, plan, at, stack), job.model
    work, head = shard.work(), head_time(shard)
    depth = 1.0 + model.predicted_tokens / model.layers
    through = depth * sum(work)
    replicas = chips / (plan.tp * plan.pp * plan.cp)
    micro_batches = maximum(job.global_batch / (replicas * plan.micro_batch), 1.0)
    stage = formulas.slots_of_a_stage(model.layers, plan.pp, plan.vpp) / model.layers
    on_last = where((stack.head_on_last_stage > 0.0) & (plan.pp > 1.0), 1.0, 1.0 / plan.pp)
    slowest = stage * through + on_last * head + stack.micro_batch_launch
    mean = (through + head) / plan.pp + stack.micro_batch_launch
    bubble = formulas.bubble_time(plan.pp, plan.vpp, mean, BUBBLE[plan.schedule])
    crossing = 2.0 * HALF * shard.rows * model.hidden * plan.vpp / plan.tp / at.outside
    transfers = where(plan.pp > 1.0, micro_batches * crossing * (1.0 - stack.pp_overlap), 0.0)
    held = held_parameters(shard)
    exchange = replica_exchange(shard, held, replicas, slowest, micro_batches)
    optimizer = optimizer_time(shard, held, replicas)
    stragglers = formulas.straggler_factor(replicas, stack.straggler_growth)
    maturing = formulas.maturing_factor(stack.age, stack.handicap, stack.maturing)
    if has(model.experts):
        fresh = where(model.experts > 0.0, stack.expert_handicap, 0.0)
        maturing = maturing * formulas.maturing_factor(stack.expert_age, fresh, stack.expert_maturing)
    value = (micro_batches * slowest + bubble + transfers + exchange + optimizer) * (stragglers * maturing)
    return Step(
        work, on_last * head, stack.micro_batch_launch, depth * stage, micro_batches, bubble, transfers, exchange, optimizer, stragglers,
        maturing, value,
    )  # fmt: skip
