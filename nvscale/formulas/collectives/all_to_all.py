"""All-to-all times by algorithm."""

from nvscale.formulas.collectives.shared import log2, moved_bytes, torus_hops
from nvscale.ops import maximum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Seconds

__all__ = [
    "bruck_all_to_all_time",
    "direct_all_to_all_time",
    "hierarchical_all_to_all_time",
    "pairwise_all_to_all_time",
    "torus_all_to_all_time",
]


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
    return where(participants > 1.0, latency + moved_bytes(message_size, participants) / bandwidth, 0.0)


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
    return (participants - 1.0) * latency + moved_bytes(message_size, participants) / bandwidth


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
    return log2(participants) * (latency + message_size / (2.0 * bandwidth))


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
    hops = torus_hops(participants, dimensions)
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
