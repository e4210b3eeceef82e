"""Exchanges between the ranks of a training step: what a ring moves, over two tiers, and what stays exposed."""

from nvscale.ops import maximum, minimum
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = ["exposed_time", "hiding_micro_batches", "ring_size", "two_tier_exchange_time"]


def ring_size(size: Bytes, ranks: Count) -> Bytes:
    r"""Bytes that each rank of a ring sends in one all-gather or reduce-scatter.

    $$Q = S\,\frac{r - 1}{r}$$

    Parameters
    ----------
    size : byte, broadcast
        Full buffer S: what every rank has after the all-gather.
    ranks : 1, broadcast
        Ranks r of the ring.

    Returns
    -------
    byte, broadcast
        Bytes sent, and as many received; 0 for one rank.

    Assumptions
    -----------
    Equal shards; an all-reduce is a reduce-scatter and an all-gather, so twice as much.

    References
    ----------
    Patarasuk, Yuan, "Bandwidth optimal all-reduce algorithms for clusters of workstations", Journal of Parallel and Distributed
    Computing 69(2), 2009: 2 (r - 1)/r of the buffer is the least that an all-reduce can send, and a ring reaches it.

    Examples
    --------
    >>> ring_size(8e9, 8.0)
    7000000000.0
    """
    return size * (ranks - 1.0) / ranks


def two_tier_exchange_time(
    size: Bytes, inside: Count, outside: Count, inside_rate: BytesPerSecond, outside_rate: BytesPerSecond, buckets: Ratio, hop: Seconds
) -> Seconds:
    r"""Time of one all-gather or reduce-scatter of a group that has several ranks in each of several domains.

    $$t = \max\left(\frac{S}{i\,B_o}\,\frac{o - 1}{o} + k\,(o - 1)\,\alpha,\; \frac{S}{B_i}\,\frac{i - 1}{i}\right)$$

    Parameters
    ----------
    size : byte, broadcast
        Full buffer S of the group.
    inside : 1, broadcast
        Ranks i of the group in one domain; they send through one network interface each.
    outside : 1, broadcast
        Domains o over which the group spreads.
    inside_rate : byte/s, broadcast
        Rate B_i of one rank inside its domain, one way.
    outside_rate : byte/s, broadcast
        Rate B_o of one rank between domains, one way.
    buckets : 1, broadcast
        Pieces k into which the buffer is cut, each an exchange of its own.
    hop : s, broadcast
        Latency α of one step of a ring between domains.

    Returns
    -------
    s, broadcast
        Time; 0 for a group of one rank.

    Assumptions
    -----------
    Pieces follow one another, so that the two tiers work at the same time; latency inside the domain is small.

    References
    ----------
    Derivation: of the hierarchical exchange (`collectives.hierarchical_all_gather_time`) the i ranks of a domain carry S/i each between
    domains, so that they share the network interfaces of their domain; in a pipeline of pieces the slower tier sets the pace.

    Examples
    --------
    10 GB over 16 domains with 50 GB/s a rank: 188 ms with one rank in each, 23 ms with eight.

    >>> [round(two_tier_exchange_time(10e9, i, 16.0, 450e9, 50e9, 1.0, 0.0) * 1e3, 1) for i in (1.0, 8.0)]
    [187.5, 23.4]
    """
    between = ring_size(size, outside) / (inside * outside_rate) + buckets * (outside - 1.0) * hop
    return maximum(between, ring_size(size, inside) / inside_rate)


def exposed_time(time: Seconds, hiding: Seconds) -> Seconds:
    r"""Part of an exchange that is not hidden behind the work beside it.

    $$t_e = \max(t - h, 0)$$

    Parameters
    ----------
    time : s, broadcast
        Time t of the exchange alone.
    hiding : s, broadcast
        Time h of the work that can hide it.

    Returns
    -------
    s, broadcast
        Time by which the exchange outlasts the work.

    Assumptions
    -----------
    Neither slows the other down; a slower work belongs into `hiding` as a smaller share of it.

    References
    ----------
    Derivation: two activities that start together end with the longer one; what remains after the work is the difference.

    Examples
    --------
    >>> exposed_time(10.0, 7.0), exposed_time(10.0, 12.0)
    (3.0, 0.0)
    """
    return maximum(time - hiding, 0.0)


def hiding_micro_batches(micro_batches: Count, stages: Count, chunks: Count) -> Ratio:
    r"""Micro-batches behind which the gradients of a pipeline stage can be exchanged.

    $$n = 1 + \left(\min(m, p) - 1\right) \frac{v - 1}{v}$$

    Parameters
    ----------
    micro_batches : 1, broadcast
        Micro-batches m of a step.
    stages : 1, broadcast
        Pipeline ranks p.
    chunks : 1, broadcast
        Chunks v of layers that a rank holds (interleaving); 1 for none.

    Returns
    -------
    1, broadcast
        Micro-batches, from 1 without interleaving to p.

    Assumptions
    -----------
    A chunk is exchanged as soon as its last micro-batch is through; interleaving takes p micro-batches through one chunk after the other.

    References
    ----------
    Derivation: without interleaving all layers get their gradients in the last micro-batch. With it the last min(m, p) micro-batches
    go through the v chunks one chunk at a time; all but the last chunk are then done early, by (v - 1)/v of these micro-batches.

    Examples
    --------
    >>> hiding_micro_batches(64.0, 8.0, 1.0), hiding_micro_batches(64.0, 8.0, 2.0)
    (1.0, 4.5)
    """
    return 1.0 + (minimum(micro_batches, stages) - 1.0) * (chunks - 1.0) / chunks
