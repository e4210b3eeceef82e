"""All-reduce times by algorithm."""

from collections.abc import Sequence

from nvscale.formulas.collectives.shared import log2, moved_bytes, torus_hops
from nvscale.ops import where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Seconds, SecondsPerByte

__all__ = [
    "direct_all_reduce_time",
    "double_tree_all_reduce_time",
    "halving_doubling_all_reduce_time",
    "hierarchical_all_reduce_time",
    "in_network_all_reduce_time",
    "one_shot_all_reduce_time",
    "pipelined_tree_all_reduce_time",
    "recursive_doubling_all_reduce_time",
    "ring_all_reduce_time",
    "tiered_all_reduce_time",
    "torus_all_reduce_time",
]


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
    return 2.0 * (participants - 1.0) * latency + moved_bytes(message_size, participants) * (2.0 / bandwidth + reduction_time_per_byte)


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
    return log2(participants) * (latency + message_size * (1.0 / bandwidth + reduction_time_per_byte))


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
    return 2.0 * log2(participants) * latency + moved_bytes(message_size, participants) * (2.0 / bandwidth + reduction_time_per_byte)


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
    steps = 2.0 * (2.0 * log2(participants) + chunks)
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
    return where(participants > 1.0, 2.0 * log2(participants) * latency + 2.0 * message_size / bandwidth, 0.0)


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
    moved = moved_bytes(message_size, participants)
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
    moved = moved_bytes(message_size, participants) * (2.0 / bandwidth + reduction_time_per_byte)
    return where(participants > 1.0, 2.0 * torus_hops(participants, dimensions) * latency + moved, 0.0)
