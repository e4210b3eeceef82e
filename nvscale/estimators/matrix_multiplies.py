"""The time of a matrix multiply on one chip, as a tree: launch, quantisation, kernel, filling."""

import math

from nvscale.efficiencies import GemmEfficiency
from nvscale.estimate import Estimate, Timing, derived, figure, term, total
from nvscale.formulas import matrix_multiply, memory, overheads, roofline
from nvscale.ops import FLOAT, carrier, maximum
from nvscale.silicon import Chip
from nvscale.workloads import Gemm

CHAIN, COMPUTE, LAUNCH, MEMORY, QUANTISATION = "serial chain", "compute", "launch", "memory", "quantisation"
REPLAYED = "replayed as in a benchmark: operands that fit the last-level cache stay there (replayed=0 inside a model)"
ONE_CHIP = "runs on one chip of the system"


def gemm_time(work: Gemm, chip: Chip, efficiency: GemmEfficiency) -> Timing:
    """Return the time of a matrix multiply: launch + quantisation + smooth maximum of compute, memory and chain + filling."""
    peak, bandwidth = _peak(work, chip), figure(chip, "memory_bandwidth")
    chip.figure("memory_bandwidth")
    compute, moved = _compute(work, chip, efficiency, peak), _memory(work, chip, efficiency, bandwidth)
    step = figure(efficiency, "chain", "chain step")
    chain = derived(CHAIN, matrix_multiply.serial_chain_time(work.k, efficiency.chain), "s", "inner length x chain step", step)
    overlapping = (compute, moved, chain)
    value = overheads.smooth_maximum([one.value for one in overlapping], efficiency.sharpness)
    kernel = Estimate("kernel", value, "s", how="smooth maximum of", terms={one.name: one for one in overlapping})
    filling = derived(
        "filling", matrix_multiply.filling_time(value, efficiency.fill), "s", "T D / (T + D)", figure(efficiency, "fill", "fill limit")
    )
    launch = figure(efficiency, "launch", LAUNCH)
    tree = total("time", launch, *_quantisation(work, efficiency, bandwidth), kernel, filling)
    regimes = {
        "overhead": kernel.value < 0.5 * tree.value,
        "compute": compute.value >= maximum(moved.value, chain.value),
        "memory": compute.value < maximum(moved.value, chain.value),
    }
    return Timing(
        _title(work, chip),
        tree,
        contenders=tuple(name for name in (LAUNCH, QUANTISATION, COMPUTE, MEMORY, CHAIN) if name in {n.name for _, n in tree.nodes()}),
        roofline=roofline.roofline_time(work.flop, peak.value, work.traffic, bandwidth.value),
        factors=efficiency.factors(regimes),
        assumptions=(*efficiency.assumptions, f"efficiency {efficiency.origin}", *_cache_assumption(moved)),
    )


def _peak(work: Gemm, chip: Chip) -> Estimate:
    rate = work.storage.rate
    name = chip.rate_name(rate)
    return term(f"{name} rate of {chip.name}", chip.rate(rate), "flop/s", source=chip.source(f"peak.{name}"))


def _compute(work: Gemm, chip: Chip, efficiency: GemmEfficiency, peak: Estimate) -> Estimate:
    """Work over the reached rate, times the loss of the last wave of tiles."""
    share = figure(efficiency, "share_of_peak", "share of peak")
    flop = derived("work", work.flop, "flop", "2 m n k")
    time = roofline.compute_time(work.flop, peak.value, efficiency.share_of_peak)
    if chip.compute_units is None:
        return derived(COMPUTE, time, "s", "work / (share x peak)", flop, share, peak)
    tiles_of = (efficiency.wave_exposure, efficiency.tile_m, efficiency.tile_n)
    loss = matrix_multiply.wave_loss(work.batch * work.m, work.n, chip.compute_units, *tiles_of)
    waves = derived("wave loss", loss, "1", "(ceil(x) / x)^s", figure(efficiency, "wave_exposure", "wave exposure"))
    return derived(COMPUTE, time * loss, "s", "work / (share x peak) x wave loss", flop, share, peak, waves)


def _memory(work: Gemm, chip: Chip, efficiency: GemmEfficiency, bandwidth: Estimate) -> Estimate:
    """Traffic over the reached bandwidth, faster where the operands stay in the cache."""
    cache = 0.0 if chip.l2_cache is None else chip.l2_cache
    others = work.traffic - work.weights
    cached = work.replayed * matrix_multiply.cached_share(work.weights, others, cache, efficiency.cache_copies)
    time = matrix_multiply.memory_time(work.traffic, bandwidth.value, efficiency.share_of_bandwidth, cached, efficiency.cache_gain)
    share = figure(efficiency, "share_of_bandwidth", "share of bandwidth")
    return derived(
        MEMORY,
        time,
        "s",
        "traffic / (share x bandwidth)",
        derived("traffic", work.traffic, "byte", "each operand once"),
        share,
        bandwidth,
        term("share from the cache", cached, "1"),
    )


def _quantisation(work: Gemm, efficiency: GemmEfficiency, bandwidth: Estimate) -> tuple[Estimate, ...]:
    """Quantisation of the activations, a kernel of its own; nothing where none happens."""
    if not work.storage.quantised:
        return ()
    time = memory.transfer_time(work.quantisation_traffic, bandwidth.value, efficiency.quantisation_share)
    moved = derived("quantisation traffic", work.quantisation_traffic, "byte", "m k x bytes moved per element")
    share = figure(efficiency, "quantisation_share", "share of bandwidth of the quantisation")
    return (derived(QUANTISATION, time, "s", "traffic / (share x bandwidth)", moved, share, bandwidth),)


def _cache_assumption(moved: Estimate) -> tuple[str, ...]:
    cached = moved["share from the cache"].value
    return () if carrier(cached) == FLOAT and cached == 0.0 else (REPLAYED,)


def _title(work: Gemm, chip: Chip) -> str:
    sizes = [f"{size:g}" if carrier(size) == FLOAT else "(swept)" for size in (work.m, work.n, work.k)]
    many = "" if carrier(work.batch) == FLOAT and math.isclose(work.batch, 1.0) else f"batch {work.batch} of "
    return f"gemm {many}{' x '.join(sizes)} {work.precision} on {chip.name}"
