"""The time of attention, latent attention and fused expert layers on one chip, as trees of terms."""

from typing import Any

from nvscale.efficiencies import AttentionEfficiency, Efficiency, ExpertEfficiency, LatentAttentionEfficiency
from nvscale.errors import MissingPrecision
from nvscale.estimate import Estimate, Timing, derived, figure, term, total
from nvscale.formulas import attention, cache_reuse, latent_attention, memory, mixture_of_experts, overheads, roofline
from nvscale.ops import FLOAT, carrier, maximum
from nvscale.silicon import Chip
from nvscale.workloads import Attention, LatentAttention, MixtureOfExperts

ACTIVATIONS, COMPUTE, LAUNCH, MEMORY, ROUTING = "activations", "compute", "launch", "memory", "routing"
LONGEST, REDUCTION, TAIL, WEIGHTS = "longest stream", "split reduction", "uneven end", "weights"
PROJECTIONS, PROJECTION_WEIGHTS, QUANTISATION, SMALL = "projections", "projection weights", "quantisation", "module launches"
REPLAYED = "replayed as in a benchmark: what fits the last-level cache is read from there"
ONE_ROUTER = "layers with different routers are swept: the same kernel is taken to serve them all"
WIDER = {"fp4": "fp8", "fp8": "bf16", "fp6": "fp8"}
"""The rate that serves a number format which a chip lacks."""


def attention_time(work: Attention, chip: Chip, efficiency: AttentionEfficiency) -> Timing:
    """Return the time of prefill or decode attention."""
    peak, bandwidth = served_rate(chip, work.storage.rate), figure(chip, "memory_bandwidth")
    if work.phase == "prefill":
        width = attention.softmax_bound_width(work.head_dim, efficiency.softmax_dim, efficiency.softmax_sharpness)
        tile = attention.longest_tile_flop(efficiency.query_tile, work.seq, width)
        shared = (efficiency, peak, bandwidth)
        tree = _prefill(chip, work.seq, work.flop * (width / work.head_dim), tile, work.traffic, *shared)
        contenders: tuple[str, ...] = (LAUNCH, COMPUTE, TAIL, MEMORY)
    else:
        tree = _decode(work, chip, efficiency, peak, bandwidth)
        contenders = (LAUNCH, REDUCTION, MEMORY, LONGEST, COMPUTE)
    title = _title("attention", work.phase, work.batch, work.seq, work, chip)
    return _timing(title, tree, contenders, efficiency, roofline.roofline_time(work.flop, peak.value, work.traffic, bandwidth.value))


def _prefill(
    chip: Chip, seq: Any, work: Any, tile: Any, traffic: Any, efficiency: AttentionEfficiency, peak: Estimate, bandwidth: Estimate
) -> Estimate:
    """Launch, and compute with its uneven end beside the memory."""
    rate = efficiency.share_of_peak * peak.value
    units = 1.0 if chip.compute_units is None else chip.compute_units
    share, half = figure(efficiency, "share_of_peak", "share of peak"), figure(efficiency, "half_sequence", "half sequence")
    flop = term("work with exponentials", work, "flop")
    smooth = attention.causal_attention_compute_time(work, tile, seq, units, rate, efficiency.half_sequence, 0.0)
    late = attention.causal_attention_compute_time(0.0 * work, tile, seq, units, rate, efficiency.half_sequence, efficiency.tail_units)
    compute = derived(COMPUTE, smooth, "s", "work (1 + half / sequence) / (share x peak)", flop, share, peak, half)
    tail = derived(
        TAIL, late, "s", "longest units of work", figure(efficiency, "tail_units", "units late"), term("longest unit", tile, "flop")
    )
    moved = _transfer(MEMORY, traffic, efficiency, bandwidth)
    return total(
        "time", figure(efficiency, "launch", LAUNCH), _overlapped("kernel", total("matrix work", compute, tail), moved, efficiency)
    )


def _decode(work: Attention, chip: Chip, efficiency: AttentionEfficiency, peak: Estimate, bandwidth: Estimate) -> Estimate:
    """Launch, reduction of the split cache, and the stream of all caches beside the longest one."""
    cold = _replayed(work.cache, chip, efficiency, bandwidth.value)
    rate = efficiency.share_of_bandwidth * bandwidth.value
    stream = derived(
        MEMORY,
        attention.decode_memory_time(cold.value, work.queries, work.seq, efficiency.half_sequence, rate),
        "s",
        "(cache (1 + half / sequence) + queries) / (share x bandwidth)",
        cold,
        term("queries and outputs", work.queries, "byte"),
        figure(efficiency, "half_sequence", "half sequence"),
        figure(efficiency, "share_of_bandwidth", "share of bandwidth"),
        bandwidth,
    )
    one = attention.key_value_cache_size(work.seq, 1.0, 1.0, work.head_dim, work.storage.cache)
    longest = _longest(one, efficiency, bandwidth)
    return _streams(work.seq, (stream, longest), _at_peak(work.flop, efficiency, peak), efficiency)


def _streams(seq: Any, overlapping: tuple[Estimate, ...], compute: Estimate | None, efficiency: AttentionEfficiency) -> Estimate:
    value = overheads.smooth_maximum([one.value for one in overlapping], efficiency.stream_sharpness)
    kernel = Estimate("kernel", value, "s", how="smooth maximum of", terms={one.name: one for one in overlapping})
    if compute is not None:
        kernel = Estimate("kernel", maximum(value, compute.value), "s", how="no less than", terms={**kernel.terms, COMPUTE: compute})
    split = attention.split_reduction_time(seq, efficiency.split_tokens, efficiency.split_time)
    reduction = derived(REDUCTION, split, "s", "split time x ln(1 + sequence / share)", figure(efficiency, "split_time", "split time"))
    return total("time", figure(efficiency, "launch", LAUNCH), reduction, kernel)


def latent_attention_time(work: LatentAttention, chip: Chip, efficiency: LatentAttentionEfficiency) -> Timing:
    """Return the time of latent attention, alone or with its projections."""
    bandwidth = figure(chip, "memory_bandwidth")
    peak = served_rate(chip, work.storage.decode_rate if work.is_decode else _prefill_rate(work))
    if not work.form and not work.is_decode:
        work = work.replace(form="expanded" if efficiency.expanded > 0.5 else "absorbed")
    if work.is_decode:
        tree = _latent_decode(work, chip, efficiency, peak, bandwidth)
        contenders: tuple[str, ...] = (LAUNCH, REDUCTION, MEMORY, COMPUTE, LONGEST)
    else:
        tile = latent_attention.latent_attention_flop(1.0, 1.0, efficiency.query_tile, work.seq, work.score_width)
        tree = _prefill(chip, work.seq, work.attention_flop, tile, work.attention_traffic, efficiency, peak, bandwidth)
        contenders = (LAUNCH, COMPUTE, TAIL, MEMORY)
    if work.is_module:
        tree = _module(work, chip, efficiency, tree, bandwidth)
        contenders += (PROJECTIONS, PROJECTION_WEIGHTS, ACTIVATIONS, QUANTISATION, SMALL)
    title = _title("latent attention", work.phase, work.batch, work.seq, work, chip)
    roof = roofline.roofline_time(work.attention_flop, peak.value, work.attention_traffic, bandwidth.value)
    if work.is_module:
        projecting = served_rate(chip, work.projection_storage.rate).value
        roof = roof + roofline.roofline_time(work.projection_flop, projecting, work.weight_traffic, bandwidth.value)
    return _timing(title, tree, contenders, efficiency, roof)


def _prefill_rate(work: LatentAttention) -> str:
    """Modules compute prefill attention in 16 bits over an 8-bit cache."""
    return "bf16" if work.is_module else work.storage.rate


def _latent_decode(
    work: LatentAttention, chip: Chip, efficiency: LatentAttentionEfficiency, peak: Estimate, bandwidth: Estimate
) -> Estimate:
    """Launch, reduction, and latent stream, compute and longest stream side by side."""
    cold = _replayed(work.cache, chip, efficiency, bandwidth.value)
    passes = latent_attention.latent_passes(work.heads, efficiency.head_tile, efficiency.wide_heads)
    again = 1.0 + efficiency.reread_share * (passes - 1.0)
    queries = work.batch * work.heads * work.head_elements * efficiency.query_size
    stream = derived(
        MEMORY,
        memory.transfer_time(cold.value * again + queries, bandwidth.value, efficiency.share_of_bandwidth),
        "s",
        "(cache x passes + queries) / (share x bandwidth)",
        cold,
        term("passes over the cache", again, "1"),
        term("queries and partial outputs", queries, "byte"),
        figure(efficiency, "share_of_bandwidth", "share of bandwidth"),
        bandwidth,
    )
    one = work.cache / work.batch
    overlapping = (stream, _at_peak(work.attention_flop, efficiency, peak), _longest(one, efficiency, bandwidth))
    return _streams(work.seq, overlapping, None, efficiency)


def _module(work: LatentAttention, chip: Chip, efficiency: LatentAttentionEfficiency, inner: Estimate, bandwidth: Estimate) -> Estimate:
    """Attention, then its projections: launches, quantisation, compute, weights and activations."""
    peak = served_rate(chip, work.projection_storage.rate)
    slower = {"fp8_block": efficiency.fp8_block_rate, "nvfp4": efficiency.nvfp4_rate}.get(work.projections, 1.0)
    kernel = derived("attention", efficiency.attention_scale * inner.value, "s", "scale x kernel", inner)
    launch = figure(efficiency, "projection_launch", SMALL)
    share = figure(efficiency, "projection_share_of_peak", "share of peak of the projections")
    time = roofline.compute_time(work.projection_flop, peak.value, efficiency.projection_share_of_peak * slower)
    compute = derived(
        PROJECTIONS, time, "s", "work / (share x peak)", term("work of the projections", work.projection_flop, "flop"), share, peak
    )
    read = memory.transfer_time(work.weight_traffic, bandwidth.value, efficiency.projection_share_of_bandwidth)
    weights = derived(PROJECTION_WEIGHTS, read, "s", "weights / (share x bandwidth)", term("weights", work.weight_traffic, "byte"))
    moved = memory.transfer_time(efficiency.activation_passes * work.activation_traffic, bandwidth.value)
    between = derived(ACTIVATIONS, moved, "s", "passes x activations / bandwidth", figure(efficiency, "activation_passes", "passes"))
    narrow = work.projection_storage.weight < 2.0
    quantised = figure(efficiency, "quantisation_time", QUANTISATION) if narrow else term(QUANTISATION, 0.0, "s")
    return total("time", kernel, launch, quantised, _overlapped("projection kernels", compute, weights, efficiency), between)


def expert_time(work: MixtureOfExperts, chip: Chip, efficiency: ExpertEfficiency) -> Timing:
    """Return the time of a fused expert layer on its busiest rank: launch, routing, compute, weights and activations."""
    peak, bandwidth = served_rate(chip, work.storage.rate), figure(chip, "memory_bandwidth")
    flop = term("work", work.flop, "flop")
    time = roofline.compute_time(work.flop, peak.value, efficiency.share_of_peak)
    compute = derived(COMPUTE, time, "s", "work / (share x peak)", flop, figure(efficiency, "share_of_peak", "share of peak"), peak)
    cold = _replayed(work.weights, chip, efficiency, bandwidth.value)
    weights = derived(
        WEIGHTS,
        memory.transfer_time(cold.value, bandwidth.value, efficiency.share_of_bandwidth),
        "s",
        "weights of the experts in use / (share x bandwidth)",
        cold,
        term("experts in use", work.distinct, "1"),
        figure(efficiency, "share_of_bandwidth", "share of bandwidth"),
        bandwidth,
    )
    moved = memory.transfer_time(efficiency.activation_passes * work.activations, bandwidth.value, efficiency.share_of_bandwidth)
    passes = figure(efficiency, "activation_passes", "passes")
    between = derived(
        ACTIVATIONS, moved, "s", "passes x activations / (share x bandwidth)", term("bytes", work.activations, "byte"), passes
    )
    sorting = mixture_of_experts.routing_time(work.tokens, efficiency.routing_time, work.local_experts, efficiency.expert_time)
    growth, each = figure(efficiency, "routing_time", "growth with tokens"), figure(efficiency, "expert_time", "time per expert held")
    routing = derived(ROUTING, sorting, "s", "growth x ln(1 + tokens) + time x experts held", growth, each)
    kernel = _overlapped("kernel", compute, total(MEMORY, weights, between), efficiency)
    tree = total("time", figure(efficiency, "launch", LAUNCH), routing, kernel)
    skew: tuple[str, ...] = (f"loads of the experts: {work.distribution}; the busiest of {_shown(work.moe_ep)} ranks",)
    if work.sweeps_routers():
        skew += (ONE_ROUTER,)
    title = f"expert layer of {_shown(work.tokens)} tokens, {_shown(work.experts)} experts {work.precision} on {chip.name}"
    roof = roofline.roofline_time(work.flop, peak.value, work.traffic, bandwidth.value)
    return _timing(title, tree, (LAUNCH, ROUTING, COMPUTE, WEIGHTS, ACTIVATIONS), efficiency, roof, skew)


# ---------------------------------------------------------------- shared


def served_rate(chip: Chip, number_format: str) -> Estimate:
    """Return the peak rate that serves a number format, of the next wider format where the chip lacks it."""
    wanted = number_format
    while True:
        try:
            name = chip.rate_name(wanted)
        except MissingPrecision:
            if wanted not in WIDER:
                raise
            wanted = WIDER[wanted]
            continue
        lacking = () if wanted == number_format else (f"{chip.name} has no {number_format} rate: computed in {wanted}",)
        return term(f"{name} rate of {chip.name}", chip.rate(wanted), "flop/s", source=chip.source(f"peak.{name}"), assumptions=lacking)


def _transfer(name: str, traffic: Any, efficiency: AttentionEfficiency, bandwidth: Estimate) -> Estimate:
    time = memory.transfer_time(traffic, bandwidth.value, efficiency.share_of_bandwidth)
    share = figure(efficiency, "share_of_bandwidth", "share of bandwidth")
    return derived(name, time, "s", "traffic / (share x bandwidth)", term("traffic", traffic, "byte"), share, bandwidth)


def _at_peak(work: Any, efficiency: AttentionEfficiency, peak: Estimate) -> Estimate:
    share = figure(efficiency, "share_of_peak", "share of peak")
    time = roofline.compute_time(work, peak.value, efficiency.share_of_peak)
    return derived(COMPUTE, time, "s", "work / (share x peak)", term("work", work, "flop"), share, peak)


def _longest(one: Any, efficiency: AttentionEfficiency, bandwidth: Estimate) -> Estimate:
    """The cache of one sequence and head, which cannot be drawn at the whole bandwidth."""
    time = memory.transfer_time(one, bandwidth.value, efficiency.stream_share)
    share = figure(efficiency, "stream_share", "share of bandwidth of one stream")
    return derived(LONGEST, time, "s", "one cache / (share x bandwidth)", term("one cache", one, "byte"), share)


def _overlapped(name: str, compute: Estimate, moved: Estimate, efficiency: Any) -> Estimate:
    value = overheads.partial_overlap_time([compute.value, moved.value], efficiency.overlap)
    how = "sum of" if carrier(efficiency.overlap) == FLOAT and efficiency.overlap == 0.0 else "overlap of"
    return Estimate(name, value, "s", how=how, terms={compute.name: compute, moved.name: moved})


def _replayed(data: Any, chip: Chip, efficiency: Any, bandwidth: Any) -> Estimate:
    """Memory traffic that takes as long as data of which the last-level cache holds a part."""
    cache = 0.0 if chip.l2_cache is None or chip.compute_units is None else chip.l2_cache
    kept = efficiency.cache_share * cache
    if carrier(kept) == FLOAT and kept == 0.0:
        return term("bytes from memory", data, "byte")
    hit = cache_reuse.cache_hit_share(data, kept, efficiency.cache_sharpness)
    cold = cache_reuse.replayed_traffic(data, hit, bandwidth, efficiency.cache_rate * chip.compute_units)
    share = term("share from the cache", hit, "1", assumptions=(REPLAYED,))
    return derived("bytes from memory", cold, "byte", "data, less what the cache gives faster", term("data", data, "byte"), share)


def _timing(  # the same end for every kernel: interval, roofline, what was assumed
    title: str, tree: Estimate, contenders: tuple[str, ...], efficiency: Efficiency, roof: Any, more: tuple[str, ...] = ()
) -> Timing:
    half, launch = 0.5 * tree.value, tree[LAUNCH].value
    return Timing(
        title,
        tree,
        contenders=contenders,
        roofline=roof,
        factors=efficiency.factors({"overhead": launch > half, "body": launch <= half}),
        assumptions=(*efficiency.assumptions, f"efficiency {efficiency.origin}", *more),
    )


def _title(what: str, phase: str, batch: Any, seq: Any, work: Any, chip: Chip) -> str:
    return f"{what} {phase.replace('_', ' ')} {_shown(batch)} x {_shown(seq)}, {_shown(work.heads)} heads {work.precision} on {chip.name}"


def _shown(size: Any) -> str:
    return f"{size:g}" if carrier(size) == FLOAT else "(swept)"
