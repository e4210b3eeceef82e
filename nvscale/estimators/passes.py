"""The time of an element-wise or row-wise operator on one chip, as a tree: launch and memory."""

from nvscale.efficiencies import PassEfficiency
from nvscale.estimate import Estimate, Timing, derived, figure, term
from nvscale.formulas import matrix_multiply, memory, overheads, passes
from nvscale.silicon import Chip
from nvscale.workloads import Pass

LAUNCH, MEMORY = "launch", "memory"


def operator_time(work: Pass, chip: Chip, efficiency: PassEfficiency) -> Timing:
    """Return the time of a pass: the p-norm of launch and streaming."""
    bandwidth = chip.figure("memory_bandwidth")
    launch = figure(efficiency, "launch", LAUNCH)
    factor = passes.row_reread_factor(work.reduced_length, efficiency.row_double)
    traffic = derived("traffic", work.traffic * factor, "byte", "each element once, long rows again")
    cache = 0.0 if chip.l2_cache is None else chip.l2_cache
    cached = matrix_multiply.cached_share(work.traffic, 0.0, cache)
    time = matrix_multiply.memory_time(traffic.value, bandwidth, efficiency.share_of_bandwidth, cached, efficiency.cache_gain)
    moved = derived(
        MEMORY,
        time,
        "s",
        "traffic / (share x bandwidth)",
        traffic,
        figure(efficiency, "share_of_bandwidth", "share of bandwidth"),
        figure(chip, "memory_bandwidth"),
        term("share from the cache", cached, "1"),
    )
    value = overheads.smooth_maximum([launch.value, moved.value], efficiency.sharpness)
    tree = Estimate("time", value, "s", how="smooth maximum of", terms={LAUNCH: launch, MEMORY: moved})
    return Timing(
        f"{work.operator} on {chip.name}",
        tree,
        contenders=(LAUNCH, MEMORY),
        roofline=memory.transfer_time(work.traffic, bandwidth),
        factors=efficiency.factors({"overhead": launch.value > moved.value, "memory": launch.value <= moved.value}),
        assumptions=(*efficiency.assumptions, f"efficiency {efficiency.origin}"),
    )
