"""What one stage of a pipeline holds on each chip in training: parameters, activations, peaks of the backward pass, buffers.

Everything is worked out per token and per parameter on the small axes of a grid first; only the last
sums reach its full size.
"""

from typing import Any, NamedTuple

from nvscale.formulas import training_memory as formulas
from nvscale.ops import FLOAT, carrier, ceil, floor, maximum, minimum, where
from nvscale.parallelism import Parallelism
from nvscale.transformers import Model
from nvscale.workloads import Training
from nvscale.workloads.memory_use import MemoryUse

LOGIT_IN_32_BITS = 4.0
"""Bytes of a logit that an unfused loss keeps, besides its gradient in the format of the activations."""


class Layer(NamedTuple):
    """One layer on one chip: parameters by part; bytes that a token leaves for the backward pass, and at its peak."""

    attention: Any
    dense: Any
    shared: Any
    routed: Any
    one_expert: Any
    dense_kept: Any
    expert_kept: Any
    input_kept: Any
    attention_kept: Any
    dense_peak: Any
    expert_peak: Any


class Stage(NamedTuple):
    """One pipeline stage: parameters on one chip, and bytes of what is not a state."""

    parameters: Any
    expert_parameters: Any
    activations: Any
    layer_peak: Any
    logits: Any
    head_peak: Any
    embedding_peak: Any
    buffers: Any


class Sizes(NamedTuple):
    """Bytes per parameter that a chip keeps."""

    weights: Any
    gradients: Any
    optimizer: Any


class Holdings(NamedTuple):
    """Sizes of the states of common and of expert parameters, and what the first and the last stage hold (or the only one)."""

    common: Sizes
    experts: Sizes
    stages: tuple[Stage, ...]


def stage_total(stage: Stage, held: Holdings) -> Any:
    """Return all that a stage holds, in the order that keeps arrays small as long as possible."""
    states = stage.parameters * sum(held.common)
    if is_there(stage.expert_parameters):
        states = states + stage.expert_parameters * sum(held.experts)
    return (states + stage.buffers) + (stage.activations + working_set(stage))


def working_set(stage: Stage) -> Any:
    """Return the largest of what the backward pass holds on top: in a layer, at the head, at the embedding."""
    return maximum(stage.layer_peak, stage.logits + stage.head_peak, stage.embedding_peak)


def holdings(job: Training, plan: Parallelism, chips: Any, use: MemoryUse) -> Holdings:
    """Return what the stages hold; one stage alone where there is only one for sure."""
    layer = _layer(job.model, plan, use)
    common, experts = _state_sizes(job, plan, chips / (plan.tp * plan.pp)), _state_sizes(job, plan, chips / (plan.pp * plan.ep * plan.etp))
    alone = carrier(plan.pp) == FLOAT and plan.pp == 1.0
    ends = (True,) if alone else (True, False)
    return Holdings(common, experts, tuple(_stage(job, plan, chips, layer, use, is_first=end) for end in ends))


def _state_sizes(job: Training, plan: Parallelism, replicas: Any) -> Sizes:
    """Bytes per parameter by kind of state, after ZeRO over so many replicas."""
    over = maximum(minimum(plan.shard_group, replicas), 1.0)
    trained = 1.0 - job.frozen
    return Sizes(
        job.weight_size * formulas.sharded_share(plan.zero, 3.0, over),
        job.gradient_size * trained * formulas.sharded_share(plan.zero, 2.0, over),
        job.optimizer_size * trained * (1.0 - plan.offload) * formulas.sharded_share(plan.zero, 1.0, over),
    )


def _stage(job: Training, plan: Parallelism, chips: Any, layer: Layer, use: MemoryUse, *, is_first: bool) -> Stage:
    """One end of the pipeline, layers spread evenly; the last has the head, and so has the first where it is alone."""
    model, pp, tp = job.model, plan.pp, plan.tp
    alone = where(pp > 1.0, 0.0, 1.0)
    with_input, with_head = (1.0, alone) if is_first else (alone, 1.0)
    tokens = job.sequence * plan.micro_batch / plan.cp
    share = formulas.unsplit_share(tp, plan.sequence_parallel)
    embedding = model.vocabulary * model.hidden / tp
    own = ceil(model.layers / pp) if is_first else floor(model.layers / pp)
    dense, experts = _feed_forward_layers(model, own, with_head, is_first=is_first)
    extra_layers = model.predicted_tokens * with_head
    layers = own + extra_layers
    tables = embedding * (1.0 + alone * (1.0 - model.tied_embeddings)) + model.positions * model.hidden * with_input
    joints = extra_layers * 2.0 * model.hidden * model.hidden / tp
    parameters = layers * layer.attention + dense * layer.dense + experts * layer.shared + tables + joints + model.extra_parameters / pp
    kept, again = _kept(plan, layers, dense, experts, layer)
    width = model.hidden * use.element_size
    activations = tokens * kept
    peak = maximum(layer.dense_peak * _some(dense), layer.expert_peak * _some(experts))
    gathered = plan.sequence_parallel * where(tp > 1.0, 1.0 + 1.0 / tp, 0.0)
    logit = use.element_size + (1.0 - job.loss_is_fused) * LOGIT_IN_32_BITS
    return Stage(
        parameters,
        experts * layer.routed,
        activations * _in_flight(job, plan, chips, is_first=is_first) + tokens * 2.0 * width * share * with_head,
        tokens * (peak + width * share + again),
        formulas.logits_memory(tokens, model.vocabulary, tp, logit) * (1.0 + model.predicted_tokens) * with_head,
        tokens * width * (1.0 + gathered) * with_head,
        maximum(embedding * job.weight_size * (1.0 - job.frozen) * with_input - activations, 0.0),
        _buffers(job, plan, chips, layer, (layers, dense, experts, embedding * with_head), use),
    )


def _feed_forward_layers(model: Model, own: Any, with_head: Any, *, is_first: bool) -> tuple[Any, Any]:
    """Dense and expert layers of the stage at one end; dense ones come first, extra predicted tokens last."""
    everywhere = model.layers - model.ffn_free_layers
    held, extra = own * (everywhere / model.layers), model.predicted_tokens * with_head
    if not is_there(model.experts):
        return held + extra, 0.0
    of_all = model.dense_ffn_layers
    dense = minimum(of_all, held) if is_first else maximum(of_all - (everywhere - held), 0.0)
    return dense, held - dense + extra


def _layer(model: Model, plan: Parallelism, use: MemoryUse) -> Layer:
    """One layer on one chip: what it weighs and what a token leaves in it."""
    tp, hidden, matrices = plan.tp, model.hidden, model.ffn_matrices
    share = formulas.unsplit_share(tp, plan.sequence_parallel)
    attention, attention_kept = _attention(model, plan, share, use)
    element = use.element_size
    dense_kept = formulas.feed_forward_activation_memory(1.0, hidden, model.ffn, matrices, tp, share, element)
    shared = routed = one_expert = expert_kept = expert_peak = 0.0
    if is_there(model.experts):
        seen = model.expert_hidden
        one_expert = (matrices * seen * model.expert_ffn + model.expert_biases) / plan.etp
        routed = one_expert * model.experts / plan.ep
        squeezed = where(seen < hidden, 2.0 * hidden * seen, 0.0)
        shared = matrices * hidden * model.shared_ffn / tp + model.experts * hidden + squeezed
        sizes = (model.experts_per_token, model.experts, plan.etp, share, element, use.statistics_size)
        expert_kept = formulas.feed_forward_activation_memory(1.0, hidden, model.shared_ffn, matrices, tp, share, element)
        expert_kept = expert_kept + formulas.expert_activation_memory(1.0, seen, model.expert_ffn, matrices, *sizes)
        expert_peak = use.routed_copies * model.experts_per_token * seen * plan.etp * share * element
    dense_peak = (matrices - 1.0) * model.ffn / tp * element
    return Layer(
        attention,
        matrices * hidden * model.ffn / tp,
        shared,
        routed,
        one_expert,
        dense_kept,
        expert_kept,
        formulas.recomputed_layer_memory(1.0, hidden, share, element),
        attention_kept,
        dense_peak,
        expert_peak,
    )


def _attention(model: Model, plan: Parallelism, share: Any, use: MemoryUse) -> tuple[Any, Any]:
    """Parameters and bytes a token of the attention of an average layer; state-space layers keep what their matrices are given."""
    tp, hidden, heads, width = plan.tp, model.hidden, model.heads, model.head_dim
    selective = plan.recompute_layers if plan.recompute == "selective" else 0.0
    copies = 1.0 + where(plan.cp > 1.0, 1.0, 0.0) * (1.0 - selective) + 2.0 * model.output_gate
    ends = (tp, share, use.element_size, use.statistics_size * (1.0 - selective), copies)
    values = model.value_head_dim
    if is_there(model.latent_rank):
        rank, rotary, queries = model.latent_rank, model.rotary_dim, model.query_rank
        into_queries = where(queries > 0.0, hidden * queries + queries * heads * width / tp, hidden * heads * width / tp)
        parameters = into_queries + hidden * (rank + rotary) + heads * (rank * (width - rotary + values) + values * hidden) / tp
        kept = formulas.latent_attention_activation_memory(1.0, hidden, heads, width, values, queries, rank, rotary, *ends)
    else:
        parameters = model.attention_parameters / tp
        kept = formulas.attention_activation_memory(1.0, hidden, heads, model.kv_heads, width, values, *ends)
    if not is_there(model.attention_free_layers):
        return parameters, kept
    state = model.state_layers / model.layers
    state_kept = (2.0 * hidden * share + model.state_parameters / hidden / tp) * use.element_size
    some = model.attention_layers / model.layers
    return some * parameters + state * model.state_parameters / tp, some * kept + state * state_kept


def _kept(plan: Parallelism, layers: Any, dense: Any, experts: Any, layer: Layer) -> tuple[Any, Any]:
    """Bytes that a token leaves in a stage, and those that come back while one recomputed layer is at work."""
    whole = layers * layer.attention_kept + dense * layer.dense_kept + experts * layer.expert_kept
    if plan.recompute != "full":
        return whole, 0.0
    redone = plan.recompute_layers
    largest = layer.attention_kept + maximum(layer.dense_kept * _some(dense), layer.expert_kept * _some(experts))
    inputs = layers * layer.input_kept
    again = minimum(largest - layer.input_kept, redone * (whole - inputs))
    return redone * inputs + (1.0 - redone) * whole, again


def _in_flight(job: Training, plan: Parallelism, chips: Any, *, is_first: bool) -> Any:
    """Micro-batches whose activations a stage holds."""
    batches = maximum(job.global_batch / (plan.replicas(chips) * plan.micro_batch), 1.0)
    if plan.schedule == "gpipe":
        return where(plan.pp > 1.0, batches, 1.0)
    count = formulas.in_flight_of_first_stage if is_first else formulas.in_flight_of_last_stage
    return count(plan.pp, plan.vpp, batches)


def _buffers(job: Training, plan: Parallelism, chips: Any, layer: Layer, held: tuple[Any, Any, Any, Any], use: MemoryUse) -> Any:
    """Gradients of one layer before they are added up, gathered weights of stage 3, workspaces."""
    layers, dense, experts, head = held
    common = layer.attention + maximum(layer.dense * _some(dense), 0.0) + layer.shared * _some(experts)
    gradients = (common + layer.one_expert * _some(experts) + head) * job.weight_size * (1.0 - job.frozen)
    workspace = use.workspace + (use.expert_workspace if is_there(job.model.experts) else 0.0)
    if carrier(plan.zero) == FLOAT and plan.zero < 3.0:
        return gradients + workspace
    once = minimum(use.gathered_layers, layers)
    missing = 1.0 - formulas.sharded_share(plan.zero, 3.0, maximum(minimum(plan.shard_group, chips / (plan.tp * plan.pp)), 1.0))
    whole = (layer.attention + layer.dense * _some(dense) + layer.shared * _some(experts)) * once + head
    gathered = whole * missing
    if is_there(job.model.experts):
        replicas = maximum(minimum(plan.shard_group, chips / (plan.pp * plan.ep * plan.etp)), 1.0)
        gathered = gathered + layer.routed * minimum(once, experts) * (1.0 - formulas.sharded_share(plan.zero, 3.0, replicas))
    return gradients + gathered * job.weight_size + workspace


def _some(layers: Any) -> Any:
    """1 where there are such layers, else 0."""
    return where(layers > 0.0, 1.0, 0.0)


def is_there(value: Any) -> bool:
    """Return whether a number may be other than 0."""
    return carrier(value) != FLOAT or value != 0.0
