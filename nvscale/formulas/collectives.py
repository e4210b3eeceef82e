"""Collectives: times by algorithm, and the bandwidths that benchmarks report.

Sizes are those of nccl-tests: all-reduce and reduce the buffer on each participant; broadcast the bytes of
the root; all-gather and reduce-scatter the full buffer; all-to-all all that one participant sends, its own
share included. Bandwidths are one way and per participant. One participant needs no time.
"""

from collections.abc import Sequence

from nvscale.ops import log, maximum, sqrt, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds, SecondsPerByte

__all__ = [
    "algorithm_bandwidth",
    "all_gather_bus_bandwidth",
    "all_reduce_bus_bandwidth",
    "binomial_tree_broadcast_time",
    "binomial_tree_gather_time",
    "binomial_tree_reduce_time",
    "bruck_all_to_all_time",
    "direct_all_gather_time",
    "direct_all_reduce_time",
    "direct_all_to_all_time",
    "direct_reduce_scatter_time",
    "double_tree_all_reduce_time",
    "double_tree_broadcast_time",
    "double_tree_chunks",
    "halving_doubling_all_reduce_time",
    "hierarchical_all_gather_time",
    "hierarchical_all_reduce_time",
    "hierarchical_all_to_all_time",
    "in_network_all_reduce_time",
    "one_shot_all_reduce_time",
    "pairwise_all_to_all_time",
    "pipelined_tree_all_reduce_time",
    "recursive_doubling_all_gather_time",
    "recursive_doubling_all_reduce_time",
    "recursive_halving_reduce_scatter_time",
    "ring_all_gather_time",
    "ring_all_reduce_time",
    "ring_broadcast_time",
    "ring_reduce_scatter_time",
    "scatter_all_gather_broadcast_time",
    "tiered_all_reduce_time",
    "torus_all_gather_time",
    "torus_all_reduce_time",
    "torus_all_to_all_time",
]


def _log2(participants: Count) -> Ratio:
    """Steps of a doubling algorithm."""
    return log(participants) / log(2.0)


def _moved(message_size: Bytes, participants: Count) -> Bytes:
    """Bytes that leave each participant in one all-gather or reduce-scatter: all but its own shard."""
    return message_size * (participants - 1.0) / participants


def _torus_hops(participants: Count, dimensions: Count) -> Ratio:
    """Hops to the farthest chip of a torus of equal even sides: half a side in each dimension."""
    return dimensions * participants ** (1.0 / dimensions) / 2.0


def ring_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce by a ring: reduce-scatter, then all-gather.

    $$t = 2(n-1)\alpha + \frac{n-1}{n} S \left(\frac{2}{B} + \gamma\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on allreduce (ring, long messages);
    Patarasuk, Yuan, JPDC 69(2), 2009 (bandwidth optimal); NVIDIA nccl-tests, doc/PERFORMANCE.md, AllReduce (bandwidth term).

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(ring_all_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    669.375
    """
    return 2.0 * (participants - 1.0) * latency + _moved(message_size, participants) * (2.0 / bandwidth + reduction_time_per_byte)


def recursive_doubling_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce by recursive doubling: whole buffers in log2 n exchanges.

    $$t = \log_2 n \left(\alpha + \frac{S}{B} + \gamma S\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on allreduce (short messages);
    same cost in the source of MPICH, src/mpi/coll/allreduce.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(recursive_doubling_all_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    150.0
    """
    return _log2(participants) * (latency + message_size * (1.0 / bandwidth + reduction_time_per_byte))


def halving_doubling_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce by recursive halving, then doubling (Rabenseifner's algorithm).

    $$t = 2\log_2 n\,\alpha + \frac{n-1}{n} S \left(\frac{2}{B} + \gamma\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on allreduce (Rabenseifner's algorithm);
    same cost in the source of MPICH, src/mpi/coll/allreduce.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(halving_doubling_all_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    99.375
    """
    return 2.0 * _log2(participants) * latency + _moved(message_size, participants) * (2.0 / bandwidth + reduction_time_per_byte)


def double_tree_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    chunks: Count,
) -> Seconds:
    r"""Time of an all-reduce over two complementary binary trees, the buffer cut into chunks: reduce, then broadcast.

    $$t = 2\left(2\log_2 n + c\right)\left(\alpha + \frac{S}{c\,B}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    chunks : 1, broadcast
        Chunks c that the buffer is cut into.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.
    Each chunk pays the latency and holds the port; c of `double_tree_chunks` is best; the time tends to 2 S/B for large buffers.

    References
    ----------
    Sanders, Speck, Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel Computing 35, 2009, section 2
    (broadcast in 2 log n + c steps, the reduction is its mirror); derivation: one after the other.

    Examples
    --------
    A buffer of 100 MB over 64 participants, in 200 chunks.

    >>> round(double_tree_all_reduce_time(1e8, 64.0, 50e9, 5e-6, 200.0) * 1e6)
    6360
    """
    steps = 2.0 * (2.0 * _log2(participants) + chunks)
    return where(participants > 1.0, steps * (latency + message_size / (chunks * bandwidth)), 0.0)


def pipelined_tree_all_reduce_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-reduce over complementary trees with chunks so small that only the depth and the bandwidth count.

    $$t = 2\log_2 n\,\alpha + \frac{2S}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.
    Asymptotic: the latency of a hop does not hold the port, so the chunks cost
    nothing (they do in `double_tree_all_reduce_time`).

    References
    ----------
    Derivation: a chunk climbs log2 n hops and comes down as many; over both trees each participant sends S upward and S downward.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(pipelined_tree_all_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    100.0
    """
    return where(participants > 1.0, 2.0 * _log2(participants) * latency + 2.0 * message_size / bandwidth, 0.0)


def one_shot_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce in which each participant sends its whole buffer to every other one.

    $$t = \alpha + (n-1)\,S \left(\frac{1}{B} + \gamma\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    A full mesh or a switch; all messages start at once, so the latency is paid once.

    References
    ----------
    Derivation: n - 1 buffers leave and enter each participant, and all are added there.

    Examples
    --------
    64 kB over 8 participants of 450 GB/s and 2 µs.

    >>> round(one_shot_all_reduce_time(65536.0, 8.0, 450e9, 2e-6) * 1e6, 3)
    3.019
    """
    moved = (participants - 1.0) * message_size
    return where(participants > 1.0, latency + moved * (1.0 / bandwidth + reduction_time_per_byte), 0.0)


def direct_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce in two direct exchanges: every participant reduces one shard and sends it to all (two-shot).

    $$t = 2\alpha + \frac{n-1}{n} S \left(\frac{2}{B} + \gamma\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    A full mesh or a switch without contention; all messages of an exchange start at once.

    References
    ----------
    Derivation: direct reduce-scatter plus direct all-gather.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(direct_all_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    49.375
    """
    moved = _moved(message_size, participants)
    return where(participants > 1.0, 2.0 * latency + moved * (2.0 / bandwidth + reduction_time_per_byte), 0.0)


def in_network_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    levels: Count = 1.0,
) -> Seconds:
    r"""Time of an all-reduce that the switches compute: each participant sends its buffer once and receives the sum once.

    $$t = 2\ell\,\alpha + \frac{S}{B} \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one level of switches, one way.
    levels : 1, broadcast
        Levels of switches up to the one that has the whole sum.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    The sum streams down while data still stream up; switches reduce and multicast at full rate.
    At zero latency it is 2(n-1)/n times as fast as the bound of all other algorithms; a reduce-scatter or all-gather alone gains nothing.

    References
    ----------
    Derivation: S bytes cross each link once in each direction. Graham et al., "SHArP", COM-HPC 2016 (reduction trees in switches).

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(in_network_all_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    30.0
    """
    return where(participants > 1.0, 2.0 * levels * latency + message_size / bandwidth, 0.0)


def hierarchical_all_reduce_time(
    message_size: Bytes,
    *,
    inner_participants: Count,
    outer_participants: Count,
    inner_bandwidth: BytesPerSecond,
    outer_bandwidth: BytesPerSecond,
    inner_latency: Seconds,
    outer_latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce over two tiers: reduce-scatter inside, all-reduce across, all-gather inside.

    $$t = t_{RS}(S, g) + t_{AR}\!\left(\frac{S}{g}, G\right) + t_{AG}(S, g)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    inner_participants : 1, broadcast
        Participants g of one inner group.
    outer_participants : 1, broadcast
        Groups G.
    inner_bandwidth : byte/s, broadcast
        Bandwidth of each participant inside its group, one way.
    outer_bandwidth : byte/s, broadcast
        Bandwidth of each participant across groups, one way.
    inner_latency : s, broadcast
        Latency of one step inside a group.
    outer_latency : s, broadcast
        Latency of one step across groups.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Rings in both tiers, one tier after the other; every participant has its own path across groups and moves one shard of S/g over it.

    References
    ----------
    Derivation: the three ring formulas of this module; with g = 1 or G = 1 one ring remains.

    Examples
    --------
    128 groups of 8; 450 GB/s inside, 50 GB/s across for each participant.

    >>> tiers = dict(inner_participants=8.0, outer_participants=128.0, inner_bandwidth=450e9, outer_bandwidth=50e9)
    >>> tiers |= dict(inner_latency=2e-6, outer_latency=5e-6)
    >>> round(hierarchical_all_reduce_time(1e9, **tiers) * 1e3, 3)
    10.148
    """
    inner = ring_all_reduce_time(message_size, inner_participants, inner_bandwidth, inner_latency, reduction_time_per_byte)
    shard = message_size / inner_participants
    return inner + ring_all_reduce_time(shard, outer_participants, outer_bandwidth, outer_latency, reduction_time_per_byte)


def tiered_all_reduce_time(
    message_size: Bytes,
    participants: Sequence[Count],
    bandwidths: Sequence[BytesPerSecond],
    latencies: Sequence[Seconds],
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce over any number of tiers, from the inmost outward and back.

    $$t = \sum_i t_{ring}\!\left(\frac{S}{\prod_{j<i} n_j}, n_i, B_i, \alpha_i\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : sequence of 1, broadcast
        Participants of each tier, from inside out; 1 for a tier that joins nothing.
    bandwidths : sequence of byte/s, broadcast
        Bandwidth of each participant in each tier, one way.
    latencies : sequence of s, broadcast
        Latency of one step in each tier.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    As `hierarchical_all_reduce_time`: reduce-scatters going out and all-gathers coming back,
    so each tier costs one ring all-reduce of what is left.

    References
    ----------
    Derivation: `hierarchical_all_reduce_time` applied to itself.

    Examples
    --------
    128 groups of 8, as in `hierarchical_all_reduce_time`.

    >>> round(tiered_all_reduce_time(1e9, [8.0, 128.0], [450e9, 50e9], [2e-6, 5e-6]) * 1e3, 3)
    10.148
    """
    total, shard = 0.0, message_size
    for members, bandwidth, latency in zip(participants, bandwidths, latencies, strict=True):
        total = total + ring_all_reduce_time(shard, members, bandwidth, latency, reduction_time_per_byte)
        shard = shard / members
    return total


def torus_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    dimensions: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    *,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of an all-reduce on a torus, over the rings of all dimensions in both directions.

    $$t = \alpha\,d\,n^{1/d} + \frac{n-1}{n} S \left(\frac{2}{B} + \gamma\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    dimensions : 1, broadcast
        Dimensions d of the torus; 1 is a ring with links in both directions.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.
    latency : s, broadcast
        Latency of one hop.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Equal even sides k = n^(1/d) (odd ones take half a hop less) with wrap-around links. The data are cut into d parts, each of which
    starts in another dimension, so all links work. Unequal sides change the hops to half the sum of the sides, hardly the bandwidth term.

    References
    ----------
    Derivation: twice `torus_all_gather_time` (reduce-scatter is its mirror), plus γ;
    Austin et al., "How To Scale Your Model", 2025, chapter 3.

    Examples
    --------
    A cube of 16 x 16 x 16 chips with 6 links of 45 GB/s each.

    >>> round(torus_all_reduce_time(1e9, 4096.0, 3.0, 270e9, 1e-6) * 1e3, 3)
    7.454
    """
    moved = _moved(message_size, participants) * (2.0 / bandwidth + reduction_time_per_byte)
    return where(participants > 1.0, 2.0 * _torus_hops(participants, dimensions) * latency + moved, 0.0)


def ring_all_gather_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-gather by a ring.

    $$t = (n-1)\alpha + \frac{n-1}{n}\frac{S}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time. Also a line without wrap-around, at the bandwidth of one direction.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on allgather (ring);
    same cost in the source of MPICH, src/mpi/coll/allgather.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(ring_all_gather_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    334.688
    """
    return (participants - 1.0) * latency + _moved(message_size, participants) / bandwidth


def recursive_doubling_all_gather_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-gather by recursive doubling, or by Bruck's algorithm.

    $$t = \log_2 n\,\alpha + \frac{n-1}{n}\frac{S}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.
    Bruck's algorithm rounds the steps up.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on allgather (recursive doubling and Bruck);
    same cost in the source of MPICH, src/mpi/coll/allgather.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(recursive_doubling_all_gather_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    49.688
    """
    return _log2(participants) * latency + _moved(message_size, participants) / bandwidth


def direct_all_gather_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-gather in one direct exchange: every participant sends its shard to all others at once.

    $$t = \alpha + \frac{n-1}{n}\frac{S}{B} \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    A full mesh or a switch without contention; all messages start at once.
    Multicast in the switch frees the sender, but the receiver limits.

    References
    ----------
    Derivation: n - 1 shards of S/n enter each participant.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(direct_all_gather_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    24.688
    """
    return where(participants > 1.0, latency + _moved(message_size, participants) / bandwidth, 0.0)


def hierarchical_all_gather_time(
    message_size: Bytes,
    *,
    inner_participants: Count,
    outer_participants: Count,
    inner_bandwidth: BytesPerSecond,
    outer_bandwidth: BytesPerSecond,
    inner_latency: Seconds,
    outer_latency: Seconds,
) -> Seconds:
    r"""Time of an all-gather over two tiers: across groups first, then inside.

    $$t = t_{AG}\!\left(\frac{S}{g}, G\right) + t_{AG}(S, g)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    inner_participants : 1, broadcast
        Participants g of one inner group.
    outer_participants : 1, broadcast
        Groups G.
    inner_bandwidth : byte/s, broadcast
        Bandwidth of each participant inside its group, one way.
    outer_bandwidth : byte/s, broadcast
        Bandwidth of each participant across groups, one way.
    inner_latency : s, broadcast
        Latency of one step inside a group.
    outer_latency : s, broadcast
        Latency of one step across groups.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Rings in both tiers, one after the other; every participant has its own path across groups.
    A reduce-scatter is the mirror and takes as long.

    References
    ----------
    Derivation: each participant gathers S/g across the G groups, then all S inside its group.

    Examples
    --------
    128 groups of 8; 450 GB/s inside, 50 GB/s across for each participant.

    >>> tiers = dict(inner_participants=8.0, outer_participants=128.0, inner_bandwidth=450e9, outer_bandwidth=50e9)
    >>> tiers |= dict(inner_latency=2e-6, outer_latency=5e-6)
    >>> round(hierarchical_all_gather_time(1e9, **tiers) * 1e3, 3)
    5.074
    """
    outer = ring_all_gather_time(message_size / inner_participants, outer_participants, outer_bandwidth, outer_latency)
    return outer + ring_all_gather_time(message_size, inner_participants, inner_bandwidth, inner_latency)


def torus_all_gather_time(
    message_size: Bytes,
    participants: Count,
    dimensions: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
) -> Seconds:
    r"""Time of an all-gather on a torus, over the rings of all dimensions in both directions; a reduce-scatter is its mirror.

    $$t = \alpha\,\frac{d\,n^{1/d}}{2} + \frac{n-1}{n}\frac{S}{B} \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    dimensions : 1, broadcast
        Dimensions d of the torus; 1 is a ring with links in both directions.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.
    latency : s, broadcast
        Latency of one hop.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Equal even sides k = n^(1/d) (odd ones take half a hop less) with wrap-around links. The data are cut into d parts, each of which
    starts in another dimension, so all links work. Unequal sides change the hops to half the sum of the sides, hardly the bandwidth term.

    References
    ----------
    Austin et al., "How To Scale Your Model", 2025, chapter 3, section "Case 2" (several axes), which drops (n-1)/n.
    Derivation: in dimension i the part of S/d grows from S/(d k..) by (k-1)/k over two links of B/(2d); the sum telescopes to (n-1)/n S/B.

    Examples
    --------
    A ring of four chips with two links of 45 GB/s: two hops.

    >>> round(torus_all_gather_time(256.0, 4.0, 1.0, 90e9, 1e-6) * 1e6, 2)
    2.0
    """
    hops = _torus_hops(participants, dimensions)
    return where(participants > 1.0, hops * latency + _moved(message_size, participants) / bandwidth, 0.0)


def ring_reduce_scatter_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of a reduce-scatter by a ring.

    $$t = (n-1)\alpha + \frac{n-1}{n} S \left(\frac{1}{B} + \gamma\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on reduce-scatter (pairwise exchange, same cost); NVIDIA nccl-tests, doc/PERFORMANCE.md, ReduceScatter (bandwidth term).

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(ring_reduce_scatter_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    334.688
    """
    return (participants - 1.0) * latency + _moved(message_size, participants) * (1.0 / bandwidth + reduction_time_per_byte)


def recursive_halving_reduce_scatter_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of a reduce-scatter by recursive halving.

    $$t = \log_2 n\,\alpha + \frac{n-1}{n} S \left(\frac{1}{B} + \gamma\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on reduce-scatter (recursive halving);
    same cost in the source of MPICH, src/mpi/coll/reduce_scatter.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(recursive_halving_reduce_scatter_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    49.688
    """
    return _log2(participants) * latency + _moved(message_size, participants) * (1.0 / bandwidth + reduction_time_per_byte)


def direct_reduce_scatter_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of a reduce-scatter in one direct exchange: every participant sends each other one its shard at once.

    $$t = \alpha + \frac{n-1}{n} S \left(\frac{1}{B} + \gamma\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full (gathered) buffer, n times the shard of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    A full mesh or a switch without contention; all messages start at once.

    References
    ----------
    Derivation: n - 1 shards of S/n leave and enter each participant, and all are added there.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(direct_reduce_scatter_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    24.688
    """
    moved = _moved(message_size, participants)
    return where(participants > 1.0, latency + moved * (1.0 / bandwidth + reduction_time_per_byte), 0.0)


def binomial_tree_broadcast_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of a broadcast over a binomial tree, the whole buffer at each step.

    $$t = \log_2 n \left(\alpha + \frac{S}{B}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that the root sends to each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms round the steps up.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on broadcast (short messages);
    same cost in the source of MPICH, src/mpi/coll/bcast.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(binomial_tree_broadcast_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    150.0
    """
    return _log2(participants) * (latency + message_size / bandwidth)


def scatter_all_gather_broadcast_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of a broadcast as a binomial scatter and a ring all-gather (van de Geijn's algorithm).

    $$t = (\log_2 n + n - 1)\,\alpha + 2\,\frac{n-1}{n}\frac{S}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that the root sends to each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on broadcast (long messages);
    same cost in the source of MPICH, src/mpi/coll/bcast.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(scatter_all_gather_broadcast_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    384.375
    """
    steps = _log2(participants) + participants - 1.0
    return steps * latency + 2.0 * _moved(message_size, participants) / bandwidth


def ring_broadcast_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds, chunks: Count) -> Seconds:
    r"""Time of a broadcast along a ring or chain, the buffer cut into chunks.

    $$t = (n - 2 + c)\left(\alpha + \frac{S}{c\,B}\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that the root sends to each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    chunks : 1, broadcast
        Chunks c that the buffer is cut into.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    Each chunk pays the latency at each hop; without latency the time tends to S/B for many chunks. A reduce is the mirror.

    References
    ----------
    Derivation: the last chunk leaves after c steps and passes n - 2 more participants.

    Examples
    --------
    >>> round(ring_broadcast_time(1e8, 8.0, 50e9, 5e-6, 50.0) * 1e3, 3)
    2.52
    """
    steps = participants - 2.0 + chunks
    return where(participants > 1.0, steps * (latency + message_size / (chunks * bandwidth)), 0.0)


def double_tree_broadcast_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    chunks: Count,
) -> Seconds:
    r"""Time of a broadcast over two complementary binary trees, the buffer cut into chunks.

    $$t = \left(2\log_2 n + c\right)\left(\alpha + \frac{S}{c\,B}\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that the root sends to each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    chunks : 1, broadcast
        Chunks c that the buffer is cut into.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms take up to two steps more.
    Each tree carries half of the chunks; c of `double_tree_chunks` is best; the time tends to S/B. A reduce is the mirror.

    References
    ----------
    Sanders, Speck, Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel Computing 35, 2009, section 2
    (at most 2 log n + 2k steps for k chunks in each tree, c = 2k).

    Examples
    --------
    >>> round(double_tree_broadcast_time(1e8, 64.0, 50e9, 5e-6, 70.0) * 1e3, 3)
    2.753
    """
    steps = 2.0 * _log2(participants) + chunks
    return where(participants > 1.0, steps * (latency + message_size / (chunks * bandwidth)), 0.0)


def double_tree_chunks(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Ratio:
    r"""Number of chunks that makes the double-tree broadcast and all-reduce fastest, as a real number.

    $$c = \sqrt{\frac{2\log_2 n\,S}{\alpha B}}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that the root sends, or of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step, above 0.

    Returns
    -------
    1, broadcast
        Chunks in both trees together.

    Assumptions
    -----------
    As `double_tree_broadcast_time`; round it, and use 1 where it is below 1. Infinite for zero latency.

    References
    ----------
    Sanders, Speck, Träff, "Two-tree algorithms for full bandwidth broadcast, reduction and scan", Parallel Computing 35, 2009, section 2;
    derivation: zero of the derivative by c. The broadcast then takes (√(S/B) + √(2 log2 n α))², the all-reduce twice that.

    Examples
    --------
    >>> round(double_tree_chunks(1e8, 64.0, 50e9, 5e-6), 1)
    69.3
    """
    return sqrt(2.0 * _log2(participants) * message_size / (latency * bandwidth))


def binomial_tree_reduce_time(
    message_size: Bytes,
    participants: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    reduction_time_per_byte: SecondsPerByte = 0.0,
) -> Seconds:
    r"""Time of a reduce to one root over a binomial tree, the whole buffer at each step.

    $$t = \log_2 n \left(\alpha + \frac{S}{B} + \gamma S\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.
    reduction_time_per_byte : s/byte, broadcast
        Time γ to reduce one byte; 0 where it hides behind the transfer.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms round the steps up.
    For long buffers Rabenseifner's reduce costs as much as `halving_doubling_all_reduce_time`.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on reduce (short messages);
    same cost in the source of MPICH, src/mpi/coll/reduce.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(binomial_tree_reduce_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    150.0
    """
    return _log2(participants) * (latency + message_size * (1.0 / bandwidth + reduction_time_per_byte))


def binomial_tree_gather_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of a gather to one root over a binomial tree; a scatter from the root is its mirror.

    $$t = \log_2 n\,\alpha + \frac{n-1}{n}\frac{S}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the full buffer at the root, n times the share of one participant.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms round the steps up.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on gather (costs as much as recursive doubling);
    same cost in the source of MPICH, src/mpi/coll/gather.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(binomial_tree_gather_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    49.688
    """
    return _log2(participants) * latency + _moved(message_size, participants) / bandwidth


def direct_all_to_all_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-to-all in one direct exchange, all messages at once.

    $$t = \alpha + \frac{n-1}{n}\frac{S}{B} \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that each participant sends in total, its own share included.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    A full mesh or a switch of full bisection; equal shares; all messages start at once, so the latency is paid once.

    References
    ----------
    Derivation: n - 1 shares of S/n leave and enter each participant.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(direct_all_to_all_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    24.688
    """
    return where(participants > 1.0, latency + _moved(message_size, participants) / bandwidth, 0.0)


def pairwise_all_to_all_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-to-all by pairwise exchange, one partner after the other.

    $$t = (n-1)\alpha + \frac{n-1}{n}\frac{S}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that each participant sends in total, its own share included.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time. A switch of full bisection; equal shares.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on all-to-all (long messages);
    same cost in the source of MPICH, src/mpi/coll/alltoall.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(pairwise_all_to_all_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    334.688
    """
    return (participants - 1.0) * latency + _moved(message_size, participants) / bandwidth


def bruck_all_to_all_time(message_size: Bytes, participants: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of an all-to-all by Bruck's algorithm: few steps, each with half of the buffer.

    $$t = \log_2 n \left(\alpha + \frac{S}{2B}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that each participant sends in total, its own share included.
    participants : 1, broadcast
        Participants n.
    bandwidth : byte/s, broadcast
        Bandwidth of each participant, one way.
    latency : s, broadcast
        Latency of one step.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Full duplex: each participant sends and receives at the same time.
    A power of two of participants; between the powers the form interpolates, the algorithms round the steps up.

    References
    ----------
    Thakur, Rabenseifner, Gropp, "Optimization of Collective Communication Operations in MPICH", IJHPCA 19(1), 2005,
    on all-to-all (short messages);
    same cost in the source of MPICH, src/mpi/coll/alltoall; Bruck et al., IEEE TPDS 8(11), 1997.

    Examples
    --------
    64 participants, 1 MB, 50 GB/s, 5 µs.

    >>> round(bruck_all_to_all_time(1e6, 64.0, 50e9, 5e-6) * 1e6, 3)
    90.0
    """
    return _log2(participants) * (latency + message_size / (2.0 * bandwidth))


def torus_all_to_all_time(
    message_size: Bytes,
    participants: Count,
    dimensions: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
) -> Seconds:
    r"""Time of an all-to-all on a torus, limited by the hops that each byte makes.

    $$t = \frac{d\,n^{1/d}}{2} \left(\alpha + \frac{S}{2B}\right) \quad (n > 1)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that each participant sends in total, its own share included.
    participants : 1, broadcast
        Participants n.
    dimensions : 1, broadcast
        Dimensions d of the torus; 1 is a ring with links in both directions.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.
    latency : s, broadcast
        Latency of one hop.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Equal shares; shortest paths, split evenly where two are equal; equal even sides k = n^(1/d) with wrap-around links.
    Unequal sides: use `topology.uniform_traffic_bandwidth`.

    References
    ----------
    Derivation: a byte makes k/4 hops on average along each ring of k, over 2 links of B/(2d) per chip.
    Austin et al., "How To Scale Your Model", 2025, chapter 3, section "AllToAll": a quarter of the all-gather on one even ring.

    Examples
    --------
    On a ring of 16, a quarter of the gather of all 16 MB.

    >>> round(torus_all_to_all_time(1e6, 16.0, 1.0, 90e9, 0.0) * 1e6, 3)
    44.444
    """
    hops = _torus_hops(participants, dimensions)
    return where(participants > 1.0, hops * (latency + message_size / (2.0 * bandwidth)), 0.0)


def hierarchical_all_to_all_time(
    message_size: Bytes,
    *,
    inner_participants: Count,
    outer_participants: Count,
    inner_bandwidth: BytesPerSecond,
    outer_bandwidth: BytesPerSecond,
    inner_latency: Seconds,
    outer_latency: Seconds,
) -> Seconds:
    r"""Time of an all-to-all over two tiers that work at the same time.

    $$t = \max\left((g-1)\,\alpha_i + \frac{g-1}{g}\frac{S}{B_i},\; (G-1)\,\alpha_o + \frac{G-1}{G}\frac{S}{B_o}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes that each participant sends in total, its own share included.
    inner_participants : 1, broadcast
        Participants g of one inner group.
    outer_participants : 1, broadcast
        Groups G.
    inner_bandwidth : byte/s, broadcast
        Bandwidth of each participant inside its group, one way.
    outer_bandwidth : byte/s, broadcast
        Bandwidth of each participant across groups, one way.
    inner_latency : s, broadcast
        Latency of one step inside a group.
    outer_latency : s, broadcast
        Latency of one step across groups.

    Returns
    -------
    s, broadcast
        Time until every participant is done.

    Assumptions
    -----------
    Rail-aligned: data for another group first move inside to the member with the rank of the receiver, then across;
    both stages are pipelined, so the slower tier sets the time (in sequence it is the sum). Equal shares.

    References
    ----------
    Derivation: of S, (g-1)/g changes the rank inside the group and (G-1)/G changes the group.

    Examples
    --------
    128 groups of 8; 450 GB/s inside, 50 GB/s across for each participant.

    >>> tiers = dict(inner_participants=8.0, outer_participants=128.0, inner_bandwidth=450e9, outer_bandwidth=50e9)
    >>> tiers |= dict(inner_latency=2e-6, outer_latency=5e-6)
    >>> round(hierarchical_all_to_all_time(1e9, **tiers) * 1e3, 3)
    20.479
    """
    inner = pairwise_all_to_all_time(message_size, inner_participants, inner_bandwidth, inner_latency)
    return maximum(inner, pairwise_all_to_all_time(message_size, outer_participants, outer_bandwidth, outer_latency))


def algorithm_bandwidth(message_size: Bytes, time: Seconds) -> BytesPerSecond:
    r"""Algorithm bandwidth of a collective: its size over its time; for broadcast and reduce also the bus bandwidth.

    $$B_{alg} = \frac{S}{t}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Size of the operation, as in the time formulas of this module.
    time : s, broadcast
        Time of the operation, above 0.

    Returns
    -------
    byte/s, broadcast
        Compare it only at the same number of participants.

    Assumptions
    -----------
    None.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md (2026), section Algorithm bandwidth.

    Examples
    --------
    >>> algorithm_bandwidth(1e9, 4e-3)
    250000000000.0
    """
    return message_size / time


def all_reduce_bus_bandwidth(message_size: Bytes, time: Seconds, participants: Count) -> BytesPerSecond:
    r"""Bus bandwidth of an all-reduce: the rate per participant that an algorithm without in-network reduction needs.

    $$B_{bus} = \frac{S}{t}\cdot\frac{2(n-1)}{n}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    time : s, broadcast
        Time of the operation, above 0.
    participants : 1, broadcast
        Participants n.

    Returns
    -------
    byte/s, broadcast
        Comparable with the bandwidth of the hardware.

    Assumptions
    -----------
    With in-network reduction it may exceed the bandwidth of the links, at most by 2(n-1)/n.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md (2026), section AllReduce.

    Examples
    --------
    275 GB/s of algorithm bandwidth on 8 participants.

    >>> round(all_reduce_bus_bandwidth(275e9, 1.0, 8.0) / 1e9, 2)
    481.25
    """
    return 2.0 * _moved(message_size, participants) / time


def all_gather_bus_bandwidth(message_size: Bytes, time: Seconds, participants: Count) -> BytesPerSecond:
    r"""Bus bandwidth of an all-gather, reduce-scatter or all-to-all.

    $$B_{bus} = \frac{S}{t}\cdot\frac{n-1}{n}$$

    Parameters
    ----------
    message_size : byte, broadcast
        All-gather, reduce-scatter: bytes of the full buffer; all-to-all: bytes each participant sends in total.
    time : s, broadcast
        Time of the operation, above 0.
    participants : 1, broadcast
        Participants n.

    Returns
    -------
    byte/s, broadcast
        Comparable with the bandwidth of the hardware.

    Assumptions
    -----------
    None.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md (2026), section Summary.

    Examples
    --------
    >>> all_gather_bus_bandwidth(8e9, 0.02, 8.0) / 1e9
    350.0
    """
    return _moved(message_size, participants) / time
