"""What one chip does for one micro-batch: work, passes and exchanges of its shard of all layers.

Every time is a pure function of records whose fields may be arrays; each is computed at the smallest
shape that it depends on, so that a grid of layouts costs little more than its last sums. What a model
lacks altogether (experts, state-space layers) is left out, not multiplied by nothing.
"""

from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import MissingFigure
from nvscale.formats import precision
from nvscale.formulas import training_steps as formulas
from nvscale.ops import FLOAT, carrier, maximum, minimum, where
from nvscale.parallelism import Parallelism
from nvscale.silicon import Chip
from nvscale.transformers import Model
from nvscale.workloads.training import Training

HALF = 2.0
"""Bytes of a 16-bit element: activations between layers, gradients and weights on the wire."""
Shapes = list[tuple[Any, Any]]
"""Inner length and columns of matrix multiplies."""


class Hardware(NamedTuple):
    """What the data sheets say of one chip and of its links; `units` are compute units, `domain` chips of a scale-up domain."""

    rate: Any
    rate_16: Any
    bandwidth: Any
    units: Any
    domain: Any
    inside: Any
    outside: Any


class Machine(NamedTuple):
    """What a shard meets: sustained rates of one chip, and of its links."""

    rate: Any
    rate_16: Any
    bandwidth: Any
    tile_area: Any
    half_length: Any
    half_length_16: Any
    domain: Any
    inside: Any
    outside: Any
    hop: Any
    hop_inside: Any = 0.0


class Work(NamedTuple):
    """Times of one micro-batch through all layers of the model, on one chip of each stage."""

    products: Any
    attention: Any
    element_wise: Any
    casts: Any
    experts: Any
    launches: Any
    recompute: Any
    tensor_exchange: Any
    context_exchange: Any
    expert_exchange: Any


def machine_of(system: System, number_format: str, efficiency: TrainingEfficiency, stack: TrainingStack) -> Machine:
    """Return the sustained rates of a chip of the system and of its links."""
    return sustained_rates(hardware_of(system, number_format), efficiency, stack)


def hardware_of(system: System, number_format: str) -> Hardware:
    """Return what the data sheets of a system say of one chip and its links."""
    chip = system.chip
    units = 0.0 if chip.compute_units is None else chip.compute_units
    return Hardware(chip.rate(number_format), half_rate(chip), chip.figure("memory_bandwidth"), units, *links(system))


def sustained_rates(data_sheet: Hardware, efficiency: TrainingEfficiency, stack: TrainingStack) -> Machine:
    """Return what training reaches of the rates of a chip and its links."""
    sustained = efficiency.sustained * stack.site_share
    return Machine(
        rate=data_sheet.rate * (efficiency.share_of_peak * sustained),
        rate_16=data_sheet.rate_16 * (efficiency.share_of_peak_16 * sustained),
        bandwidth=data_sheet.bandwidth * efficiency.share_of_bandwidth,
        tile_area=efficiency.wave_exposure * efficiency.tile * data_sheet.units,
        half_length=efficiency.half_length,
        half_length_16=efficiency.half_length_16,
        domain=data_sheet.domain,
        inside=data_sheet.inside * efficiency.scaleup_share,
        outside=data_sheet.outside * efficiency.scaleout_share,
        hop=efficiency.hop,
        hop_inside=efficiency.hop_inside,
    )


def links(system: System) -> tuple[Any, Any, Any]:
    """Return the chips of a scale-up domain, and what a chip can send inside it and beyond it, one way."""
    if system.networks:
        inner, outer = system.networks[0], system.networks[-1]
        return minimum(inner.span, system.chips), inner.bandwidth, outer.bandwidth
    if carrier(system.chips) == FLOAT and system.chips == 1.0:
        return 1.0, 1.0, 1.0
    raise MissingFigure(f"{system.name} has no network; add one with add(..., network=...)")


def has(count: Any) -> bool:
    """Return whether something is there: all but the number 0."""
    return carrier(count) != FLOAT or bool(count)


def attention_shapes(model: Model, tp: Any) -> Shapes:
    """Return the projections of attention on one of `tp` ranks."""
    a, h, value = model.heads, model.hidden, model.value_head_dim
    out = (a * value / tp, h)
    if not has(model.latent_rank):
        return [(h, (a * model.head_dim + model.kv_heads * (model.head_dim + value)) / tp), out]
    expanded = a * (model.head_dim - model.rotary_dim + value)
    keys = [(h, model.latent_rank + model.rotary_dim), (model.latent_rank, expanded / tp)]
    if not has(model.query_rank):
        return [(h, a * model.head_dim / tp), *keys, out]
    return [(h, model.query_rank), (model.query_rank, a * model.head_dim / tp), *keys, out]


def ffn_shapes(hidden: Any, inner: Any, matrices: Any, tp: Any) -> Shapes:
    """Return the matrices of a feed-forward layer on one of `tp` ranks."""
    return [(hidden, (matrices - 1.0) * inner / tp), (inner / tp, hidden)]


def elements(shapes: Shapes) -> Any:
    """Return the elements of matrices."""
    return sum(inner * columns for inner, columns in shapes)


class Shard:
    """One chip's part of a job, for one micro-batch.

    Parameters
    ----------
    job, plan : Training, Parallelism
        What is trained, and how it is spread.
    at : Machine
        Sustained rates.
    stack : TrainingStack
        Software.
    """

    def __init__(self, job: Training, plan: Parallelism, at: Machine, stack: TrainingStack) -> None:
        self.job, self.plan, self.at, self.stack, self.model = job, plan, at, stack, job.model
        self.rows = plan.micro_batch * job.sequence / plan.cp
        self.narrow = precision(job.precision).bits < 16.0
        self.attending = self.model.attention_layers
        self.mixing = self.attending + self.model.state_layers
        self.with_experts, self.dense = self.model.expert_layers, self.model.dense_ffn_layers
        self.projections = attention_shapes(self.model, plan.tp)
        self.feed_forward = (
            ffn_shapes(self.model.hidden, self.model.ffn, self.model.ffn_matrices, plan.tp)
            if has(self.dense) and has(self.model.ffn)
            else []
        )
        shared = self.model.shared_ffn if has(self.model.experts) else 0.0
        self.shared = ffn_shapes(self.model.hidden, shared, self.model.ffn_matrices, plan.tp) if has(shared) else []

    # ------------------------------------------------------------------ work

    def _pair(self, shapes: Shapes) -> tuple[Any, Any]:
        """Times of forward and backward products."""
        at, forward, backward = self.at, 0.0, 0.0
        for inner, columns in shapes:
            shape = (self.rows, inner, columns, at.rate, at.half_length, at.tile_area, at.bandwidth / HALF)
            forward = forward + formulas.forward_product_time(*shape)
            backward = backward + formulas.backward_product_time(*shape, self.job.frozen)
        return forward, backward

    def products(self) -> tuple[Any, Any]:
        """Return the times of the matrix multiplies of all layers, experts aside."""
        forward, backward = _times(self.attending, self._pair(self.projections))
        for count, shapes in ((self.dense, self.feed_forward), (self.with_experts, self.shared)):
            if shapes:
                more = _times(count, self._pair(shapes))
                forward, backward = forward + more[0], backward + more[1]
        if has(self.model.experts) and has(self.model.hidden - self.model.expert_hidden):
            narrower = where(self.model.expert_hidden < self.model.hidden, self.model.expert_hidden, 0.0)
            work = 4.0 * self.rows * self.with_experts * self.model.hidden * narrower / (self.plan.tp * self.at.rate)
            forward, backward = forward + work, backward + (2.0 - self.job.frozen) * work
        if has(self.model.state_layers):
            work = 2.0 * self.rows * self.model.state_layers * self.model.state_parameters / (self.plan.tp * self.at.rate)
            scans = 6.0 * self.rows * self.model.state_layers * self.model.state_elements
            scan = scans / (self.plan.tp * self.at.rate_16 * self.stack.scan_share)
            forward, backward = forward + work + scan, backward + (2.0 - self.job.frozen) * work + 2.5 * scan
        return forward, backward

    def attention(self) -> tuple[Any, Any]:
        """Return the times of the scores of all layers: causal, windowed where the model is."""
        model, stack, job = self.model, self.stack, self.job
        every = formulas.scored_pairs(job.sequence, job.sequence)
        pairs = self.attending * every
        if has(model.windowed_layers):
            skipped = every - formulas.scored_pairs(job.sequence, model.window)
            pairs = pairs - stack.window_skipping * model.windowed_layers * skipped
        share = self.plan.micro_batch * model.heads / (self.plan.tp * self.plan.cp)
        work = 2.0 * share * pairs * (model.head_dim + model.value_head_dim) / self.at.rate_16
        if not has(stack.unfused):
            return work / stack.attention_share, 2.5 * work / stack.attention_share
        stored = share * 2.0 * pairs * stack.softmax_size / self.at.bandwidth
        return (
            2.0 * work / stack.attention_share + stored,
            4.0 * work / stack.attention_share + stored * formulas.stored_scores_backward_ratio(),
        )

    def passes(self) -> Any:
        """Return the time of the element-wise passes of all layers forward, experts aside; backward takes twice that."""
        model, plan = self.model, self.plan
        split = where(plan.sequence_parallel > 0.0, plan.tp, 1.0)
        around = self.mixing * formulas.residual_pass_size(model.hidden) / split
        inside = (self.dense + self.with_experts) * formulas.attention_pass_size(model.hidden) / plan.tp
        inner = self.dense * model.ffn + self.with_experts * model.shared_ffn
        size = around + inside + formulas.activation_pass_size(inner, model.ffn_matrices) / plan.tp
        return self.stack.element_wise * self.rows * size / self.at.bandwidth

    def casts(self) -> tuple[Any, Any]:
        """Return the times of casting operands to narrow formats."""
        if not self.narrow:
            return 0.0, 0.0
        inner = columns = 0.0
        for count, shapes in ((self.attending, self.projections), (self.dense, self.feed_forward), (self.with_experts, self.shared)):
            inner = inner + count * sum(shape[0] for shape in shapes)
            columns = columns + count * sum(shape[1] for shape in shapes)
        if has(self.model.experts):
            routed = self.with_experts * self.model.experts_per_token / self.plan.tp
            inner = inner + routed * (self.model.expert_hidden + self.model.expert_ffn)
            columns = columns + routed * ((self.model.ffn_matrices - 1.0) * self.model.expert_ffn + self.model.expert_hidden)
        per_element = self.stack.cast_size * self.rows / self.at.bandwidth
        return per_element * inner, per_element * (inner + 2.0 * columns)

    def experts(self) -> tuple[Any, Any]:
        """Return the times of the routed experts of all layers: grouped products and the passes around them."""
        model, plan, at, stack = self.model, self.plan, self.at, self.stack
        if not has(model.experts):
            return 0.0, 0.0
        routed = self.rows * model.experts_per_token / plan.tp
        weights = model.ffn_matrices * model.expert_hidden * model.expert_ffn
        tokens = routed * plan.ep * plan.etp / where(model.experts > 0.0, model.experts, 1.0)
        work = 2.0 * routed * weights / at.rate * (1.0 + stack.expert_half_tokens / maximum(tokens, 1e-9))
        read = HALF * model.experts / (plan.ep * plan.etp) * weights / at.bandwidth
        forward = formulas.fourth_power_sum(work, read)
        inner = formulas.activation_pass_size(model.expert_ffn, model.ffn_matrices) * stack.element_wise
        passes = routed * (formulas.permutation_pass_size(model.expert_hidden) * stack.permutation + inner) / at.bandwidth
        return self.with_experts * (forward + passes), self.with_experts * ((2.0 - self.job.frozen) * forward + 2.0 * passes)

    # ------------------------------------------------------------------ exchanges

    def tensor_exchange(self) -> Any:
        """Return the exposed time of the exchanges of tensor parallel ranks, in one direction."""
        tp, at = self.plan.tp, self.at
        rate = where(tp > at.domain, at.outside, at.inside)
        exchanges = self.mixing + self.dense
        latency = where(tp > 1.0, exchanges * at.hop_inside * tp, 0.0)
        size = 2.0 * HALF * self.rows * self.model.hidden * exchanges
        return (formulas.ring_size(size, tp) / rate + latency) * (1.0 - self.stack.tp_overlap)

    def context_exchange(self) -> Any:
        """Return the exposed time of passing keys and values around, in one direction."""
        plan, model, at = self.plan, self.model, self.at
        rate = where(plan.tp * plan.cp > at.domain, at.outside, at.inside)
        width = model.kv_heads * (model.head_dim + model.value_head_dim) / plan.tp
        size = HALF * self.rows * width * (plan.cp - 1.0) * self.attending
        return size / rate * (1.0 - self.stack.tp_overlap)

    def expert_exchange(self) -> Any:
        """Return the exposed time of dispatch and combine, in one direction."""
        model, plan, at, stack = self.model, self.plan, self.at, self.stack
        if not has(model.experts):
            return 0.0
        room = maximum(at.domain / plan.tp, 1.0)
        inside, domains = minimum(plan.ep, room), maximum(plan.ep / room, 1.0)
        rows = 2.0 * HALF * self.rows * model.expert_hidden * self.with_experts / plan.tp
        near = formulas.ring_size(rows * model.experts_per_token, inside) / at.inside * (1.0 - stack.ep_overlap)
        copies = minimum(model.experts_per_token, domains)
        far = formulas.ring_size(rows * copies, domains) / at.outside * (1.0 - stack.ep_overlap_outside)
        return near + far

    # ------------------------------------------------------------------ together

    def kernels(self) -> Any:
        """Return the kernels of all layers, forward."""
        stack = self.stack
        count = stack.attention_kernels * self.mixing + stack.ffn_kernels * (self.dense + self.with_experts)
        if self.narrow:
            count = 1.5 * count
        return count + stack.expert_kernels * self.with_experts if has(self.model.experts) else count

    def work(self) -> Work:
        """Return the times of one micro-batch through all layers."""
        products, attention, casts, experts = self.products(), self.attention(), self.casts(), self.experts()
        passes, issue = self.passes(), self.kernels() * self.stack.launch
        forward = products[0] + attention[0] + passes + casts[0] + experts[0]
        backward = products[1] + attention[1] + 2.0 * passes + casts[1] + experts[1]
        forward_time = formulas.fourth_power_sum(forward, issue)
        backward_time = formulas.fourth_power_sum(backward, 2.0 * issue)
        tensor, context, exchange = self.tensor_exchange(), self.context_exchange(), self.expert_exchange()
        again = {"none": 0.0, "selective": attention[0], "full": forward_time + tensor + context + exchange}[self.plan.recompute]
        return Work(
            products=products[0] + products[1],
            attention=attention[0] + attention[1],
            element_wise=3.0 * passes,
            casts=casts[0] + casts[1],
            experts=experts[0] + experts[1],
            launches=(forward_time - forward) + (backward_time - backward),
            recompute=self.plan.recompute_layers * again,
            tensor_exchange=2.0 * tensor,
            context_exchange=2.0 * context,
            expert_exchange=2.0 * exchange,
        )


def _times(count: Any, pair: tuple[Any, Any]) -> tuple[Any, Any]:
    return count * pair[0], count * pair[1]


def half_rate(chip: Chip) -> Any:
    """Return the rate at 16 bits: bfloat16, or half precision on chips that lack it."""
    return chip.rate("bf16" if "bf16" in chip.precisions() else "fp16")
