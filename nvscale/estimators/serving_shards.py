"""What the chips of one instance do in a decode step and in a prefill: pure functions of records.

As in training, every time is computed at the smallest shape it depends on, and what a model lacks is left out.
An instance is the smallest set of chips that holds the model: tp x pp ranks, or more where experts are spread
wider; then attention runs in several data-parallel ranks.
"""

from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.efficiencies.serving import ServingEfficiency, ServingEngine
from nvscale.estimators.training_shards import Shapes, ffn_shapes, half_rate, has, links
from nvscale.formulas import serving as formulas
from nvscale.formulas import training_steps
from nvscale.formulas.mixture_of_experts import distinct_experts
from nvscale.ops import INFINITY, maximum, minimum, sqrt, where
from nvscale.parallelism import Parallelism
from nvscale.transformers import Model
from nvscale.workloads.serving import Inference

HALF = 2.0
"""Bytes of a 16-bit element: activations."""
PLAIN = ("bf16", "fp16", "fp8")
"""Storages without scales in blocks."""
NARROW = "fp4"
"""Rate at which weights of 4 bits are multiplied without being widened first."""


class Machine(NamedTuple):
    """What an instance meets: rates that kernels reach, and links."""

    dense: ServingEfficiency
    wide: ServingEfficiency
    dense_rate: Any
    wide_rate: Any
    expert_rate: Any
    bandwidth: Any
    domain: Any
    inside: Any
    outside: Any
    narrow: bool
    plain: bool


class Step(NamedTuple):
    """Times of one decode step of an instance."""

    products: Any
    launches: Any
    attention: Any
    passes: Any
    exchange: Any
    expert_bytes: Any
    expert_work: Any
    expert_layers: Any
    expert_exchange: Any
    host: Any
    transfers: Any

    @property
    def kernels(self) -> Any:
        """Everything but the host."""
        return sum(self) - self.host


class First(NamedTuple):
    """Times of computing one prompt: inside a decode step, its experts there, and in a step of its own."""

    mixed: Any
    experts: Any
    alone: Any


def machine(system: System, work: Inference, dense: ServingEfficiency, wide: ServingEfficiency) -> Machine:
    """Return the rates of a chip of the system at the formats of the work, and its links."""
    chip = system.chip
    domain, inside, outside = links(system)
    narrow = half_rate(chip)
    rates = chip.precisions()
    return Machine(
        dense=dense,
        wide=wide,
        dense_rate=chip.rate(work.dense_storage.rate) if work.dense_storage.rate in rates else narrow,
        wide_rate=narrow,
        expert_rate=chip.rate(work.storage.rate) if work.storage.rate in rates else narrow,
        bandwidth=chip.figure("memory_bandwidth"),
        domain=domain,
        inside=inside,
        outside=outside,
        narrow=work.storage.rate in rates and work.storage.rate == NARROW,
        plain=work.storage.name in PLAIN,
    )


def instance_chips(plan: Parallelism) -> Any:
    """Return the chips of one instance: tp x pp, or as many as experts are spread over."""
    return plan.pp * maximum(plan.tp, plan.ep * plan.etp)


class Instance:
    """One instance of a model: how its parts are spread, and how long they take.

    Parameters
    ----------
    work : Inference
        Model and formats.
    plan : Parallelism
        tp, pp, ep and etp; attention runs in (chips / (tp x pp)) data-parallel ranks.
    at : Machine
        Rates.
    engine : ServingEngine
        Software.
    """

    def __init__(self, work: Inference, plan: Parallelism, at: Machine, engine: ServingEngine) -> None:
        self.work, self.plan, self.at, self.engine, self.model = work, plan, at, engine, work.model
        self.chips = instance_chips(plan)
        self.ranks = self.chips / (plan.tp * plan.pp)
        self.spread = self.chips / plan.pp
        model, tp = self.model, plan.tp
        self.projections = projections(model, tp)
        self.dense = model.dense_ffn_layers
        self.expert_layers = model.expert_layers if has(model.experts) else 0.0
        self.layer_shapes: list[tuple[Any, Shapes]] = [(model.attention_layers, self.projections)]
        if has(self.dense) and has(model.ffn):
            self.layer_shapes.append((self.dense, ffn_shapes(model.hidden, model.ffn, model.ffn_matrices, tp)))
        if has(self.expert_layers) and has(model.shared_ffn):
            self.layer_shapes.append((self.expert_layers, ffn_shapes(model.hidden, model.shared_ffn, model.ffn_matrices, tp)))
        if has(model.state_layers):
            self.layer_shapes.append((model.state_layers, [(model.hidden, model.state_parameters / model.hidden / tp)]))
        self.curves = self._curves()

    def weights(self) -> tuple[Any, Any]:
        """Return the bytes of weights on one chip: of experts, spread over all, and of the rest, a copy in each attention rank."""
        work, model = self.work, self.model
        experts = 0.0
        if has(self.expert_layers):
            experts = self.expert_layers * model.experts * model.expert_parameters * work.storage.weight
        return experts / self.chips, (work.weight_size - experts) / (self.plan.tp * self.plan.pp)

    # ------------------------------------------------------------------ kernels

    def products(self, rows: Any) -> Any:
        """Return the time of all matrix multiplies of so many tokens of one rank, launches aside."""
        return sum(sqrt(constant + rows * (slope + rows * square)) for constant, slope, square in self.curves)

    def _curves(self) -> list[tuple[Any, Any, Any]]:
        """The squared times of all matrix multiplies as polynomials of the tokens: `product_time` without, of one, of many of them."""
        at, dense, wide = self.at, self.at.dense, self.at.wide
        weight, head = self.work.dense_storage.weight, (self.model.hidden, self.model.vocabulary / self.plan.tp)
        rates = (at.dense_rate * dense.share_of_peak, at.bandwidth * dense.share_of_bandwidth)
        last = (at.wide_rate * wide.share_of_peak, at.bandwidth * wide.share_of_bandwidth)
        every = [(count, shape, *rates, weight) for count, shapes in self.layer_shapes for shape in shapes]
        found = []
        for count, (k, n), rate, bandwidth, element in [*every, (1.0, head, *last, HALF)]:
            weights = count * formulas.product_time(0.0, k, n, rate, bandwidth, element, HALF)
            traffic = count * formulas.product_time(1.0, k, n, INFINITY, bandwidth, 0.0, HALF)
            token = count * formulas.product_time(1.0, k, n, rate, bandwidth, 0.0, HALF)
            found.append((weights * weights, 2.0 * weights * traffic, token * token))
        return found

    def launches(self) -> Any:
        """Return the launches of a step: of the matrix multiplies, and of attention and what is around it."""
        products = 1.0
        for count, shapes in self.layer_shapes:
            products = products + count * len(shapes)
        return products * self.at.dense.launch + self.at.dense.attention_launch * self.model.layers

    def cached(self, context: Any) -> Any:
        """Return the bytes of cache of one sequence on one rank: heads are split over tp, a latent cache is not."""
        model = self.model
        full = model.attention_layers - model.windowed_layers
        tokens = full * context
        if has(model.windowed_layers):
            tokens = tokens + model.windowed_layers * minimum(context, model.window)
        return self.work.cache_element * tokens * self._cache_width()

    def _cache_width(self) -> Any:
        """Elements that one layer keeps of a token on one rank."""
        model = self.model
        heads = maximum(model.kv_heads / self.plan.tp, 1.0) * (model.head_dim + model.value_head_dim)
        return where(model.latent_rank > 0.0, model.latent_rank + model.rotary_dim, heads)

    def attention(self, batch: Any, context: Any) -> Any:
        """Return the time of decode attention of a batch of one rank: reading the cache, or the latent products."""
        model, at = self.model, self.at
        read = batch * self.cached(context) / (at.bandwidth * at.dense.attention_bandwidth)
        if not has(model.latent_rank):
            return read
        work = 2.0 * batch * context * model.attention_layers * model.heads / self.plan.tp * (2.0 * model.latent_rank + model.rotary_dim)
        return maximum(read, where(model.latent_rank > 0.0, work / (at.wide_rate * at.dense.attention_peak), 0.0))

    def passes(self, rows: Any) -> Any:
        """Return the time of the element-wise passes over the activations."""
        size = formulas.decode_pass_size(rows, self.model.hidden, self.model.layers)
        return size / (self.at.bandwidth * self.at.dense.pass_bandwidth)

    def exchange(self, rows: Any, *, latency: bool = True) -> Any:
        """Return the time of the all-reduces of tensor parallel ranks, two a layer."""
        tp, at = self.plan.tp, self.at
        bandwidth = where(tp > at.domain, at.outside, at.inside) * at.dense.exchange_share
        start, doubling = (at.dense.exchange_latency, at.dense.exchange_doubling) if latency else (0.0, 0.0)
        one = formulas.all_reduce_time(HALF * rows * self.model.hidden, tp, start, doubling, bandwidth)
        return where(tp > 1.0, 2.0 * self.model.layers * one, 0.0)

    # ------------------------------------------------------------------ experts

    def expert_bytes(self, tokens: Any) -> Any:
        """Return the time of reading the experts that so many tokens of the instance touch."""
        model = self.model
        if not has(self.expert_layers):
            return 0.0
        touched = distinct_experts(tokens, maximum(model.experts, 1.0), maximum(model.experts_per_token, 1.0))
        size = touched * model.ffn_matrices * model.expert_hidden * model.expert_ffn * self.work.storage.weight
        width = model.expert_ffn / (self.spread / self.plan.ep)
        slow = self.engine.expert_bytes * (1.0 + self.engine.expert_half_width / maximum(width, 1.0))
        return self.expert_layers * size / (self.spread * self.at.bandwidth) * slow

    def expert_starts(self) -> Any:
        """Return the time that the expert layers take whatever they compute."""
        if not has(self.expert_layers):
            return 0.0
        return self.expert_layers * (self.engine.expert_layer_narrow if self.at.narrow else self.engine.expert_layer)

    def expert_work(self, tokens: Any) -> Any:
        """Return the time of the work of the experts of so many tokens of the instance."""
        model = self.model
        if not has(self.expert_layers):
            return 0.0
        work = 2.0 * tokens * model.experts_per_token * model.ffn_matrices * model.expert_hidden * model.expert_ffn
        slow = self.engine.expert_work_plain if self.at.plain else self.engine.expert_work
        return self.expert_layers * work / (self.spread * self.at.expert_rate) * slow

    def expert_exchange(self, rows: Any, *, latency: bool = True) -> Any:
        """Return the time of bringing tokens of data parallel ranks to the experts and back, as an all-reduce of what they send."""
        if not has(self.expert_layers):
            return 0.0
        at, copies = self.at, minimum(self.ranks, maximum(self.model.experts_per_token, 1.0))
        bandwidth = where(self.spread > at.domain, at.outside, at.inside) * at.dense.exchange_share
        start, doubling = (at.dense.exchange_latency, at.dense.exchange_doubling) if latency else (0.0, 0.0)
        one = formulas.all_reduce_time(HALF * rows * copies * self.model.expert_hidden, self.spread, start, doubling, bandwidth)
        return where(self.ranks > 1.0, self.expert_layers * one, 0.0)

    # ------------------------------------------------------------------ steps

    def step(self, batch: Any, context: Any) -> Step:
        """Return a decode step of so many sequences on each rank."""
        tokens = batch * self.ranks
        crossing = (self.plan.pp - 1.0) * HALF * batch * self.model.hidden / self.at.outside
        return Step(
            products=self.products(batch),
            launches=self.launches(),
            attention=self.attention(batch, context),
            passes=self.passes(batch),
            exchange=self.exchange(batch),
            expert_bytes=self.expert_bytes(tokens),
            expert_work=self.expert_work(tokens),
            expert_layers=self.expert_starts(),
            expert_exchange=self.expert_exchange(batch),
            host=self.engine.step + self.engine.sequence * batch,
            transfers=crossing,
        )

    def first(self, tokens: Any, before: Any, batch: Any) -> First:
        """Return the times of computing a prompt of so many tokens after so many cached ones, beside a batch that decodes."""
        model, at = self.model, self.at
        seen = training_steps.scored_pairs(tokens, tokens) + tokens * before
        pairs = model.attention_layers * seen
        if has(model.windowed_layers):
            inside = training_steps.scored_pairs(tokens + before, model.window) * tokens / (tokens + before)
            pairs = pairs - model.windowed_layers * (seen - inside)
        work = 2.0 * pairs * model.heads / self.plan.tp * (model.head_dim + model.value_head_dim)
        common = work / (at.wide_rate * at.dense.attention_peak) + self.passes(tokens) + self.exchange(tokens, latency=False)
        common = common + self.expert_exchange(tokens, latency=False)
        whole = self.products(tokens)
        alone = whole + self.launches() + common + self.exchange(0.0) + self.expert_exchange(0.0)
        mixed = where(self.engine.prefill_alone > 0.0, alone, self.products(batch + tokens) - self.products(batch) + common)
        experts, expert = 0.0, 0.0
        if has(self.expert_layers):
            every = tokens * self.ranks  # the other ranks compute prompts too, and experts get the tokens of all of them
            expert = self.expert_work(tokens) + self.expert_bytes(tokens) + self.expert_starts()
            experts = self.expert_work(every) + maximum(self.expert_bytes(every) - self.expert_bytes(batch * self.ranks), 0.0)
        return First(mixed, experts, alone + expert)


def projections(model: Model, tp: Any) -> Shapes:
    """Return the projections of attention on one of `tp` ranks; latent attention absorbs its expansion into queries and outputs."""
    a, h, value = model.heads, model.hidden, model.value_head_dim
    out = (a * value / tp, h)
    if not has(model.latent_rank):
        return [(h, (a * model.head_dim + model.kv_heads * (model.head_dim + value)) / tp), out]
    shapes = [(model.latent_rank, a * (model.head_dim - model.rotary_dim) / tp), (model.latent_rank, a * value / tp), out]
    if not has(model.query_rank):
        return [(h, a * model.head_dim / tp + model.latent_rank + model.rotary_dim), *shapes]
    return [(h, model.query_rank + model.latent_rank + model.rotary_dim), (model.query_rank, a * model.head_dim / tp), *shapes]
