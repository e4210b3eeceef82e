"""Rooflines: the rate and the time that compute, memory levels and network tiers allow."""

from collections.abc import Sequence

from nvscale.ops import maximum, minimum
from nvscale.unit_types import Bytes, BytesPerSecond, Flop, FlopPerByte, FlopPerSecond, PerSecond, Ratio, Seconds, Share

__all__ = [
    "attainable",
    "attainable_under_ceilings",
    "attained_share",
    "cache_aware_attainable",
    "compute_time",
    "hierarchical_attainable",
    "hierarchical_time",
    "hockney_half_size",
    "hockney_rate",
    "instruction_attainable",
    "mixed_precision_rate",
    "networked_attainable",
    "operational_intensity",
    "ridge_point",
    "roofline_time",
]


def attainable(operational_intensity: FlopPerByte, peak: FlopPerSecond, bandwidth: BytesPerSecond) -> FlopPerSecond:
    r"""Rate that a kernel can reach: the lower of the compute roof and the memory roof.

    $$P = \min(P_{peak}, I\,B)$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte of memory traffic.
    peak : flop/s, broadcast
        Peak rate in the number format used.
    bandwidth : byte/s, broadcast
        Peak memory bandwidth.

    Returns
    -------
    flop/s, broadcast
        Attainable rate.

    Assumptions
    -----------
    Compute and traffic overlap fully, and both run at their peaks: an upper bound.

    References
    ----------
    Williams, Waterman, Patterson, "Roofline", Communications of the ACM 52(4), 2009, formula of "The Roofline Model".

    Examples
    --------
    100 flop/byte on an H100 (989.4 TFLOP/s, 3.35 TB/s) are memory bound.

    >>> attainable(100.0, 989.4e12, 3.35e12) / 1e12
    335.0
    """
    return minimum(peak, operational_intensity * bandwidth)


def operational_intensity(work: Flop, traffic: Bytes) -> FlopPerByte:
    r"""Operations done per byte that crosses a memory level.

    $$I = \frac{W}{Q}$$

    Parameters
    ----------
    work : flop, broadcast
        Operations of the kernel.
    traffic : byte, broadcast
        Bytes through the level, reads plus writes, above 0.

    Returns
    -------
    flop/byte, broadcast
        Operational intensity with respect to that level.

    Assumptions
    -----------
    None: a definition. Each level of a hierarchy has its own.

    References
    ----------
    Williams, Waterman, Patterson, Communications of the ACM 52(4), 2009, definition of operational intensity.

    Examples
    --------
    The dot product of two long bf16 vectors does 2 operations for every 4 bytes.

    >>> operational_intensity(2.0, 4.0)
    0.5
    """
    return work / traffic


def ridge_point(peak: FlopPerSecond, bandwidth: BytesPerSecond) -> FlopPerByte:
    r"""Operational intensity from which on a machine can reach its peak.

    $$I^* = \frac{P_{peak}}{B}$$

    Parameters
    ----------
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Bandwidth of the level.

    Returns
    -------
    flop/byte, broadcast
        Ridge point, also called machine balance.

    Assumptions
    -----------
    Those of `attainable`.

    References
    ----------
    Williams, Waterman, Patterson, Communications of the ACM 52(4), 2009, "ridge point".

    Examples
    --------
    An A100 of 40 GB: 312 TFLOP/s over 1.5 TB/s.

    >>> ridge_point(312e12, 1.5e12)
    208.0
    """
    return peak / bandwidth


def attained_share(operational_intensity: FlopPerByte, peak: FlopPerSecond, bandwidth: BytesPerSecond) -> Share:
    r"""Share of the peak rate that the roofline leaves to a kernel.

    $$\frac{P}{P_{peak}} = \min\left(1, \frac{I}{I^*}\right)$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte of memory traffic.
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Peak memory bandwidth.

    Returns
    -------
    1, broadcast
        Share of the peak, from 0 to 1.

    Assumptions
    -----------
    Those of `attainable`.

    References
    ----------
    Derivation: `attainable` divided by the peak, with the ridge point I*.

    Examples
    --------
    >>> attained_share(52.0, 312e12, 1.5e12)
    0.25
    """
    return minimum(1.0, operational_intensity * bandwidth / peak)


def compute_time(work: Flop, peak: FlopPerSecond, efficiency: Ratio = 1.0) -> Seconds:
    r"""Time that the operations alone take at a share of the peak rate.

    $$t_c = \frac{W}{\eta P_{peak}}$$

    Parameters
    ----------
    work : flop, broadcast
        Operations.
    peak : flop/s, broadcast
        Peak rate in the number format used.
    efficiency : 1, broadcast
        Share of the peak that is reached, above 0.

    Returns
    -------
    s, broadcast
        Compute time.

    Assumptions
    -----------
    Data is always there in time.

    References
    ----------
    Williams, Waterman, Patterson, Communications of the ACM 52(4), 2009 (compute roof, as a time).

    Examples
    --------
    1e12 operations on an H100 (bf16) take 1.01 ms.

    >>> round(compute_time(1e12, 9.89e14) * 1e3, 2)
    1.01
    """
    return work / (peak * efficiency)


def roofline_time(work: Flop, peak: FlopPerSecond, traffic: Bytes, bandwidth: BytesPerSecond) -> Seconds:
    r"""Shortest time of a kernel: the longer of its compute time and its memory time.

    $$t = \max\left(\frac{W}{P_{peak}}, \frac{Q}{B}\right)$$

    Parameters
    ----------
    work : flop, broadcast
        Operations.
    peak : flop/s, broadcast
        Peak rate.
    traffic : byte, broadcast
        Memory traffic.
    bandwidth : byte/s, broadcast
        Peak memory bandwidth.

    Returns
    -------
    s, broadcast
        Lower bound of the run time.

    Assumptions
    -----------
    Full overlap; without overlap the time is the sum, at most twice as long (see `overheads.partial_overlap_time`).

    References
    ----------
    Derivation: work divided by `attainable`; as bounds in Austin et al., "How to Scale Your Model", 2025, chapter "All About Rooflines".

    Examples
    --------
    >>> roofline_time(1e12, 1e14, 1e10, 2e12)
    0.01
    """
    return maximum(work / peak, traffic / bandwidth)


def attainable_under_ceilings(
    operational_intensity: FlopPerByte,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    compute_ceilings: Sequence[Share],
    bandwidth_ceilings: Sequence[Share],
) -> FlopPerSecond:
    r"""Rate that a kernel can reach when some optimisations are missing.

    $$P = \min\left(P_{peak} \min_j c_j,\; I\,B \min_k d_k\right)$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte of memory traffic.
    peak : flop/s, broadcast
        Peak rate.
    bandwidth : byte/s, broadcast
        Peak memory bandwidth.
    compute_ceilings : sequence of 1, broadcast
        Share of the peak rate under each compute ceiling met (no fused multiply-add, no vector unit ...).
    bandwidth_ceilings : sequence of 1, broadcast
        Share of the bandwidth under each bandwidth ceiling met (no prefetch, one memory node ...).

    Returns
    -------
    flop/s, broadcast
        Attainable rate; without ceilings that of `attainable`.

    Assumptions
    -----------
    Ceilings are nested: the lowest counts, they do not multiply. Give a product where two losses are independent.

    References
    ----------
    Williams, Waterman, Patterson, Communications of the ACM 52(4), 2009, "Adding Ceilings to the Model".

    Examples
    --------
    Without fused multiply-add a compute-bound kernel reaches half of the peak.

    >>> attainable_under_ceilings(1000.0, 100e12, 1e12, [0.5], []) / 1e12
    50.0
    """
    compute_roofs = [peak * share for share in compute_ceilings]
    memory_roofs = [operational_intensity * bandwidth * share for share in bandwidth_ceilings]
    return minimum(peak, operational_intensity * bandwidth, *compute_roofs, *memory_roofs)


def hierarchical_time(work: Flop, peak: FlopPerSecond, traffic: Sequence[Bytes], bandwidths: Sequence[BytesPerSecond]) -> Seconds:
    r"""Shortest time of a kernel over all levels of the memory hierarchy.

    $$t = \max\left(\frac{W}{P_{peak}}, \max_l \frac{Q_l}{B_l}\right)$$

    Parameters
    ----------
    work : flop, broadcast
        Operations.
    peak : flop/s, broadcast
        Peak rate.
    traffic : sequence of byte, broadcast
        Bytes through each level (level-1 cache, level-2 cache, memory, host ...), at least one level.
    bandwidths : sequence of byte/s, broadcast
        Bandwidth of each level, in the same order.

    Returns
    -------
    s, broadcast
        Lower bound of the run time.

    Assumptions
    -----------
    All levels work at once.

    References
    ----------
    Yang, Kurth, Williams, "Hierarchical Roofline analysis for GPUs", Concurrency and Computation 32(20), 2020; as a time by derivation.

    Examples
    --------
    The level-2 cache binds here: 20 GB at 5 TB/s.

    >>> hierarchical_time(1e12, 1e15, [20e9, 5e9], [5e12, 2e12])
    0.004
    """
    return maximum(work / peak, *[data / bandwidth for data, bandwidth in zip(traffic, bandwidths, strict=True)])


def hierarchical_attainable(
    operational_intensities: Sequence[FlopPerByte], peak: FlopPerSecond, bandwidths: Sequence[BytesPerSecond]
) -> FlopPerSecond:
    r"""Rate that a kernel can reach under the roofs of all memory levels.

    $$P = \min\left(P_{peak}, \min_l I_l\,B_l\right), \qquad I_l = \frac{W}{Q_l}$$

    Parameters
    ----------
    operational_intensities : sequence of flop/byte, broadcast
        Operations per byte through each level, at least one level.
    peak : flop/s, broadcast
        Peak rate.
    bandwidths : sequence of byte/s, broadcast
        Bandwidth of each level, in the same order.

    Returns
    -------
    flop/s, broadcast
        Attainable rate.

    Assumptions
    -----------
    All levels work at once.

    References
    ----------
    Yang, Kurth, Williams, "Hierarchical Roofline analysis for GPUs", Concurrency and Computation 32(20), 2020, equation 1, for each level.

    Examples
    --------
    >>> hierarchical_attainable([50.0, 200.0], 1e15, [5e12, 2e12]) / 1e12
    250.0
    """
    roofs = [intensity * bandwidth for intensity, bandwidth in zip(operational_intensities, bandwidths, strict=True)]
    return minimum(peak, *roofs)


def cache_aware_attainable(
    operational_intensity: FlopPerByte, peak: FlopPerSecond, bandwidths: Sequence[BytesPerSecond], served_shares: Sequence[Share]
) -> FlopPerSecond:
    r"""Rate that a kernel can reach when its bytes, counted at the core, come from several levels.

    $$P = \min\left(P_{peak}, \frac{I}{\sum_l x_l/B_l}\right)$$

    Parameters
    ----------
    operational_intensity : flop/byte, broadcast
        Operations per byte that the core loads and stores, whatever level serves it.
    peak : flop/s, broadcast
        Peak rate.
    bandwidths : sequence of byte/s, broadcast
        Bandwidth from each level to the core.
    served_shares : sequence of 1, broadcast
        Share of the bytes that each level serves; they add up to 1.

    Returns
    -------
    flop/s, broadcast
        Attainable rate; with the whole share at one level it is the roof of that level.

    Assumptions
    -----------
    The core receives from one level at a time.

    References
    ----------
    Ilic, Pratas, Sousa, "Cache-aware Roofline model: Upgrading the loft", IEEE Computer Architecture Letters 13(1), 2014, for one level;
    derivation for the mix: the bytes of each level pass the core's port one after another.

    Examples
    --------
    Half of the bytes from a cache at 4 TB/s, half from memory at 1 TB/s: 1.6 TB/s on the whole.

    >>> cache_aware_attainable(2.0, 100e12, [4e12, 1e12], [0.5, 0.5]) / 1e12
    3.2
    """
    time_per_byte = sum(share / bandwidth for share, bandwidth in zip(served_shares, bandwidths, strict=True))
    return minimum(peak, operational_intensity / time_per_byte)


def networked_attainable(
    memory_intensity: FlopPerByte,
    peak: FlopPerSecond,
    memory_bandwidth: BytesPerSecond,
    network_intensities: Sequence[FlopPerByte],
    network_bandwidths: Sequence[BytesPerSecond],
) -> FlopPerSecond:
    r"""Rate of one chip under its compute roof, its memory roof and the roofs of all network tiers.

    $$P = \min\left(P_{peak}, I_m B_m, \min_k I_k B_k\right)$$

    Parameters
    ----------
    memory_intensity : flop/byte, broadcast
        Operations per byte of memory traffic.
    peak : flop/s, broadcast
        Peak rate of the chip.
    memory_bandwidth : byte/s, broadcast
        Memory bandwidth of the chip.
    network_intensities : sequence of flop/byte, broadcast
        Operations per byte that the chip sends through each tier.
    network_bandwidths : sequence of byte/s, broadcast
        Bandwidth of the chip into each tier, one way.

    Returns
    -------
    flop/s, broadcast
        Attainable rate of the chip; without tiers that of `attainable`.

    Assumptions
    -----------
    Communication overlaps with compute; messages are long enough for the latency not to count.

    References
    ----------
    Derivation: a tier is one more level of `hierarchical_attainable`; Austin et al., "How to Scale Your Model", 2025,
    chapter "All About Rooflines", network communication rooflines.

    Examples
    --------
    >>> networked_attainable(500.0, 989e12, 3.35e12, [1500.0, 9000.0], [450e9, 50e9]) / 1e12
    450.0
    """
    tiers = [intensity * bandwidth for intensity, bandwidth in zip(network_intensities, network_bandwidths, strict=True)]
    return minimum(peak, memory_intensity * memory_bandwidth, *tiers)


def instruction_attainable(instruction_intensity: Ratio, peak: PerSecond, bandwidth: PerSecond) -> PerSecond:
    r"""Instruction rate that a kernel can reach, for kernels that do little floating-point work.

    $$R = \min(R_{peak}, I_{instr}\,B_{tr})$$

    Parameters
    ----------
    instruction_intensity : 1, broadcast
        Warp instructions per memory transaction.
    peak : 1/s, broadcast
        Peak rate of warp instructions: multiprocessors times schedulers times clock.
    bandwidth : 1/s, broadcast
        Memory transactions per second: bandwidth over the bytes of one transaction.

    Returns
    -------
    1/s, broadcast
        Attainable rate of warp instructions.

    Assumptions
    -----------
    One instruction per scheduler and cycle; issue and transactions overlap.

    References
    ----------
    Ding, Williams, "An Instruction Roofline Model for GPUs", PMBS 2019 (roofs of the V100: 489.6e9 instructions/s, 25.9e9 transactions/s).

    Examples
    --------
    One instruction per transaction on a V100 is memory bound.

    >>> instruction_attainable(1.0, 80 * 4 * 1.53e9, 25.9e9) / 1e9
    25.9
    """
    return minimum(peak, instruction_intensity * bandwidth)


def mixed_precision_rate(work_shares: Sequence[Share], rates: Sequence[FlopPerSecond]) -> FlopPerSecond:
    r"""Overall rate of work done in several number formats one after another: the weighted harmonic mean.

    $$P = \frac{1}{\sum_j x_j/P_j}$$

    Parameters
    ----------
    work_shares : sequence of 1, broadcast
        Share of the operations done in each format; they add up to 1.
    rates : sequence of flop/s, broadcast
        Rate in each format, above 0.

    Returns
    -------
    flop/s, broadcast
        Operations over time.

    Assumptions
    -----------
    The formats share the execution units, so their times add.

    References
    ----------
    Derivation: the time of one operation is the sum of x_j/P_j.

    Examples
    --------
    Nine tenths of the work at 4 PFLOP/s and one tenth at 1 PFLOP/s.

    >>> round(mixed_precision_rate([0.9, 0.1], [4e15, 1e15]) / 1e15, 3)
    3.077
    """
    return 1.0 / sum(share / rate for share, rate in zip(work_shares, rates, strict=True))


def hockney_rate(work: Flop, peak: FlopPerSecond, half_size: Flop) -> FlopPerSecond:
    r"""Rate on a finite amount of work, given the amount that reaches half of the peak.

    $$r = r_\infty \frac{n}{n + n_{1/2}}$$

    Parameters
    ----------
    work : flop, broadcast
        Amount of work n; bytes with rates in byte/s do as well.
    peak : flop/s, broadcast
        Rate on unlimited work.
    half_size : flop, broadcast
        Amount of work at which half of that rate is reached.

    Returns
    -------
    flop/s, broadcast
        Rate, start-up included.

    Assumptions
    -----------
    Start-up does not overlap with the work and does not depend on its amount.

    References
    ----------
    Hockney, Jesshope, "Parallel Computers 2", 1988; Hockney, Berry (eds.), "PARKBENCH Report 1", 1994, RINF1, equation 2.

    Examples
    --------
    Four times the half-performance size gives 80 % of the peak.

    >>> hockney_rate(4e9, 100e12, 1e9) / 1e12
    80.0
    """
    return peak * (work / (work + half_size))


def hockney_half_size(peak: FlopPerSecond, startup_time: Seconds) -> Flop:
    r"""Amount of work at which half of the peak rate is reached, from the start-up time.

    $$n_{1/2} = r_\infty\,t_0$$

    Parameters
    ----------
    peak : flop/s, broadcast
        Rate on unlimited work; a bandwidth in byte/s does as well.
    startup_time : s, broadcast
        Time before the first result.

    Returns
    -------
    flop, broadcast
        Half-performance size.

    Assumptions
    -----------
    Those of `hockney_rate`.

    References
    ----------
    Hockney, Berry (eds.), "PARKBENCH Report 1", 1994, low-level communication benchmarks: start-up time = half size / peak.

    Examples
    --------
    A launch of 5 us on a chip of 1 PFLOP/s costs as much as 5 GFLOP.

    >>> hockney_half_size(1e15, 5e-6) / 1e9
    5.0
    """
    return peak * startup_time
