"""Collectives of a library inside a switched scale-up domain."""

from nvscale.formulas.protocols.pipelines import pipelined_time, port_stream_time, ring_latency
from nvscale.ops import minimum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = [
    "nvlink_all_to_all_time",
    "nvlink_ring_time",
]


def nvlink_ring_time(
    message_size: Bytes,
    participants: Count,
    phases: Count,
    launch: Seconds,
    hop: Seconds,
    low_latency_bandwidth: BytesPerSecond,
    fill: Seconds,
    bandwidth: BytesPerSecond,
    self_share: Ratio,
    switch_per_rank: Bytes,
    sharpness: Ratio,
    fill_growth: Ratio,
    latency_ratio: Ratio,
    ramp_per_rank: Bytes,
) -> Seconds:
    r"""Time of an all-reduce, all-gather or reduce-scatter of a collectives library inside one switched scale-up domain.

    $$t = \begin{cases} \alpha(n, S) + S/b_l & S < n\,s \\ t_0 + \left[(f (n/2)^g)^q + (X/B(n))^q\right]^{1/q} & S \ge n\,s \end{cases}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Message as in nccl-tests: all-reduce the buffer, all-gather the result, reduce-scatter the input, all-to-all all that one sends.
    participants : 1, broadcast
        Participants n of the group.
    phases : 1, broadcast
        Passes p around the ring: 2 for all-reduce, 1 for all-gather and reduce-scatter.
    launch : s, broadcast
        Launch t0: what the smallest call of the kernel takes beyond its hops.
    hop : s, broadcast
        Time t_h of one step to a neighbour: a flag written and seen.
    low_latency_bandwidth : byte/s, broadcast
        Stream rate b_l of the low-latency protocol.
    fill : s, broadcast
        Fill f of the pipeline of two participants.
    bandwidth : byte/s, broadcast
        Bus bandwidth B of a large group, one way.
    self_share : 1, broadcast
        Work e on the own shard (copy, reduction), as a share of one exchanged shard.
    switch_per_rank : byte, broadcast
        Bytes s of one participant from which the library takes its bulk protocol.
    sharpness : 1, broadcast
        Exponent q that joins fill and stream, above 0; see `pipelined_time`.
    fill_growth : 1, broadcast
        Exponent g with which the fill grows with n.
    latency_ratio : 1, broadcast
        How much longer a step takes with long lines than with single words.
    ramp_per_rank : byte, broadcast
        Bytes r of one participant at which the step has its full latency.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    Two protocols: flags inside the data for short messages, chunks through a pipeline for long ones.
    The library changes over at s bytes a participant.
    One group has the domain to itself. Where the switch reduces, B is above the rate of the link. Validated for n = 2, 4 and 8.

    References
    ----------
    NVIDIA NCCL documentation, environment variables, NCCL_PROTO (protocols LL, LL128 and Simple);
    derivation: `ring_latency`, `port_stream_time` and `pipelined_time`.

    Examples
    --------
    All-reduce of 16 MiB among 8 with round constants.

    >>> constants = dict(launch=4.2e-6, hop=0.8e-6, low_latency_bandwidth=136e9, fill=10e-6, bandwidth=450e9, self_share=0.35)
    >>> protocol = dict(switch_per_rank=0.7 * 2.0**20, sharpness=0.65, fill_growth=1 / 3, latency_ratio=1.2, ramp_per_rank=4096.0)
    >>> round(nvlink_ring_time(2.0**24, 8.0, 2.0, **constants, **protocol) * 1e6, 1)
    117.5
    """
    latency = ring_latency(message_size, participants, phases, launch, hop, latency_ratio, ramp_per_rank)
    short = latency + message_size / low_latency_bandwidth
    stream = port_stream_time(message_size, participants, phases, bandwidth, self_share)
    long = launch + pipelined_time(fill * (participants / 2.0) ** fill_growth, stream, sharpness)
    return where(participants > 1.0, where(message_size < switch_per_rank * participants, short, long), 0.0)


def nvlink_all_to_all_time(
    message_size: Bytes,
    participants: Count,
    launch: Seconds,
    hop: Seconds,
    peer_bandwidth: BytesPerSecond,
    fill: Seconds,
    bandwidth: BytesPerSecond,
    self_share: Ratio,
    sharpness: Ratio,
) -> Seconds:
    r"""Time of an all-to-all of a collectives library inside one switched scale-up domain.

    $$t = t_0 + t_h (n-1) + \min\left(\frac{S/n}{b_p}, \left[f^q + (X/B(n))^q\right]^{1/q}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Message as in nccl-tests: all-reduce the buffer, all-gather the result, reduce-scatter the input, all-to-all all that one sends.
    participants : 1, broadcast
        Participants n of the group.
    launch : s, broadcast
        Launch t0: what the smallest call of the kernel takes beyond its hops.
    hop : s, broadcast
        Time t_h of one step to a neighbour: a flag written and seen.
    peer_bandwidth : byte/s, broadcast
        Rate b_p of one channel to one peer with the low-latency protocol.
    fill : s, broadcast
        Fill f of the pipeline of two participants.
    bandwidth : byte/s, broadcast
        Bus bandwidth B of a large group, one way.
    self_share : 1, broadcast
        Work e on the own shard (copy, reduction), as a share of one exchanged shard.
    sharpness : 1, broadcast
        Exponent q that joins fill and stream, above 0; see `pipelined_time`.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    Grouped sends and receives. Short parts go to all peers at once, each at the rate of one channel;
    long ones fill a pipeline and then the port.

    References
    ----------
    NVIDIA NCCL documentation, environment variables, NCCL_PROTO (protocols LL, LL128 and Simple);
    derivation: the faster of two protocols; `port_stream_time` and `pipelined_time`.

    Examples
    --------
    32 MiB sent by each of 8 with round constants.

    >>> constants = dict(launch=4.6e-6, hop=0.3e-6, peer_bandwidth=6e9, fill=2e-6, bandwidth=320e9, self_share=0.4, sharpness=0.6)
    >>> round(nvlink_all_to_all_time(2.0**25, 8.0, **constants) * 1e6, 1)
    119.9
    """
    stream = port_stream_time(message_size, participants, 1.0, bandwidth, self_share)
    moved = minimum(message_size / (participants * peer_bandwidth), pipelined_time(fill, stream, sharpness))
    return where(participants > 1.0, launch + hop * (participants - 1.0) + moved, 0.0)
