"""Reduce-scatter times by algorithm."""

from nvscale.formulas.collectives.shared import log2, moved_bytes
from nvscale.ops import where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Seconds, SecondsPerByte

__all__ = [
    "direct_reduce_scatter_time",
    "recursive_halving_reduce_scatter_time",
    "ring_reduce_scatter_time",
]


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
    return (participants - 1.0) * latency + moved_bytes(message_size, participants) * (1.0 / bandwidth + reduction_time_per_byte)


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
    return log2(participants) * latency + moved_bytes(message_size, participants) * (1.0 / bandwidth + reduction_time_per_byte)


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
    moved = moved_bytes(message_size, participants)
    return where(participants > 1.0, latency + moved * (1.0 / bandwidth + reduction_time_per_byte), 0.0)
