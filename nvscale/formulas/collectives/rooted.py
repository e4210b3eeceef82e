"""Collectives with a root: broadcast, reduce, gather."""

from nvscale.formulas.collectives.shared import log2, moved_bytes
from nvscale.ops import sqrt, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds, SecondsPerByte

__all__ = [
    "binomial_tree_broadcast_time",
    "binomial_tree_gather_time",
    "binomial_tree_reduce_time",
    "double_tree_broadcast_time",
    "double_tree_chunks",
    "ring_broadcast_time",
    "scatter_all_gather_broadcast_time",
]


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
    return log2(participants) * (latency + message_size / bandwidth)


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
    steps = log2(participants) + participants - 1.0
    return steps * latency + 2.0 * moved_bytes(message_size, participants) / bandwidth


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
    steps = 2.0 * log2(participants) + chunks
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
    return sqrt(2.0 * log2(participants) * message_size / (latency * bandwidth))


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
    return log2(participants) * (latency + message_size * (1.0 / bandwidth + reduction_time_per_byte))


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
    return log2(participants) * latency + moved_bytes(message_size, participants) / bandwidth
