"""All-gather times by algorithm."""

from nvscale.formulas.collectives.shared import log2, moved_bytes, torus_hops
from nvscale.ops import where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Seconds

__all__ = [
    "direct_all_gather_time",
    "hierarchical_all_gather_time",
    "recursive_doubling_all_gather_time",
    "ring_all_gather_time",
    "torus_all_gather_time",
]


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
    return (participants - 1.0) * latency + moved_bytes(message_size, participants) / bandwidth


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
    return log2(participants) * latency + moved_bytes(message_size, participants) / bandwidth


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
    return where(participants > 1.0, latency + moved_bytes(message_size, participants) / bandwidth, 0.0)


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
    hops = torus_hops(participants, dimensions)
    return where(participants > 1.0, hops * latency + moved_bytes(message_size, participants) / bandwidth, 0.0)
