"""Collectives of a library among cards that are joined through their host."""

from nvscale.formulas.protocols.pipelines import bus_bytes, pipelined_time
from nvscale.ops import minimum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds, Share

__all__ = [
    "host_all_to_all_time",
    "host_path_bandwidth",
    "host_ring_time",
]


def host_path_bandwidth(
    participants: Count,
    pair_bandwidth: BytesPerSecond,
    bandwidth_of_four: BytesPerSecond,
    contention: Ratio,
) -> BytesPerSecond:
    r"""Bus bandwidth of cards that are joined through their host.

    $$B(n) = \begin{cases} B_2 & n < 3 \\ H (4/n)^c & n \ge 3 \end{cases}$$

    Parameters
    ----------
    participants : 1, broadcast
        Participants n of the group.
    pair_bandwidth : byte/s, broadcast
        Bus bandwidth of two cards.
    bandwidth_of_four : byte/s, broadcast
        Bus bandwidth H of four cards that share the host's bridges.
    contention : 1, broadcast
        Exponent c with which the bus bandwidth falls beyond four.

    Returns
    -------
    byte/s, broadcast
        Bus bandwidth that n cards see, one way.

    Assumptions
    -----------
    A pair has a path of its own; larger groups share the bridges of the host.

    References
    ----------
    Derivation: a power law through the measured groups of four and eight.

    Examples
    --------
    Eight cards, 20 GB/s for four, contention 1/2.

    >>> round(host_path_bandwidth(8.0, 40e9, 20e9, 0.5) / 1e9, 2)
    14.14
    """
    return where(participants < 3.0, pair_bandwidth, bandwidth_of_four * (4.0 / participants) ** contention)


def host_ring_time(
    message_size: Bytes,
    participants: Count,
    phases: Count,
    launch: Seconds,
    hop: Seconds,
    fill: Seconds,
    pair_bandwidth: BytesPerSecond,
    bandwidth_of_four: BytesPerSecond,
    contention: Ratio,
    switch: Bytes,
    sharpness: Ratio,
    flag_share: Share = 0.5,
) -> Seconds:
    r"""Time of an all-reduce, all-gather or reduce-scatter of a collectives library over the host's bus.

    $$t = \begin{cases} t_0 + t_h\,p\,(n-1) + \frac{X}{\varphi B(n)} & S < s \\
    t_0 + \left[(f n/2)^q + (X/B(n))^q\right]^{1/q} & S \ge s \end{cases}$$

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
    fill : s, broadcast
        Fill f of the pipeline of two participants.
    pair_bandwidth : byte/s, broadcast
        Bus bandwidth of two cards.
    bandwidth_of_four : byte/s, broadcast
        Bus bandwidth H of four cards that share the host's bridges.
    contention : 1, broadcast
        Exponent c with which the bus bandwidth falls beyond four.
    switch : byte, broadcast
        Message from which the library takes its bulk protocol.
    sharpness : 1, broadcast
        Exponent q that joins fill and stream, above 0; see `pipelined_time`.
    flag_share : 1, broadcast
        Share of payload in what the low-latency protocol sends; 1/2 where every word carries a flag as long as itself.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    The low-latency protocol carries a flag with every word, so only the share φ of its bytes is payload. B(n) by `host_path_bandwidth`.

    References
    ----------
    NVIDIA NCCL documentation, environment variables, NCCL_PROTO (protocols LL, LL128 and Simple);
    derivation: as `nvlink_ring_time`, with a bandwidth that the group shares.

    Examples
    --------
    All-reduce of 16 MiB among 4 cards with round constants.

    >>> constants = dict(launch=8e-6, hop=2e-6, fill=15e-6, pair_bandwidth=40e9, bandwidth_of_four=25e9, contention=0.5)
    >>> round(host_ring_time(2.0**24, 4.0, 2.0, **constants, switch=2.0**18, sharpness=1.5) * 1e6)
    1018
    """
    rate = host_path_bandwidth(participants, pair_bandwidth, bandwidth_of_four, contention)
    stream = bus_bytes(message_size, participants, phases) / rate
    short = launch + hop * phases * (participants - 1.0) + stream / flag_share
    long = launch + pipelined_time(fill * participants / 2.0, stream, sharpness)
    return where(participants > 1.0, where(message_size < switch, short, long), 0.0)


def host_all_to_all_time(
    message_size: Bytes,
    participants: Count,
    launch: Seconds,
    hop: Seconds,
    fill: Seconds,
    pair_bandwidth: BytesPerSecond,
    bandwidth_of_four: BytesPerSecond,
    contention: Ratio,
    sharpness: Ratio,
    flag_share: Share = 0.5,
) -> Seconds:
    r"""Time of an all-to-all of a collectives library over the host's bus.

    $$t = t_0 + t_h (n-1) + \min\left(\frac{X}{\varphi B(n)}, \left[f^q + (X/B(n))^q\right]^{1/q}\right)$$

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
    fill : s, broadcast
        Fill f of the pipeline of two participants.
    pair_bandwidth : byte/s, broadcast
        Bus bandwidth of two cards.
    bandwidth_of_four : byte/s, broadcast
        Bus bandwidth H of four cards that share the host's bridges.
    contention : 1, broadcast
        Exponent c with which the bus bandwidth falls beyond four.
    sharpness : 1, broadcast
        Exponent q that joins fill and stream, above 0; see `pipelined_time`.
    flag_share : 1, broadcast
        Share of payload in what the low-latency protocol sends; 1/2 where every word carries a flag as long as itself.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    As `nvlink_all_to_all_time`, with one bandwidth that all messages share.

    References
    ----------
    NVIDIA NCCL documentation, environment variables, NCCL_PROTO (protocols LL, LL128 and Simple);
    derivation: the faster of two protocols.

    Examples
    --------
    16 MiB sent by each of 4 cards with round constants.

    >>> constants = dict(launch=8e-6, hop=2e-6, fill=15e-6, pair_bandwidth=40e9, bandwidth_of_four=25e9, contention=0.5)
    >>> round(host_all_to_all_time(2.0**24, 4.0, **constants, sharpness=0.5) * 1e6)
    706
    """
    stream = bus_bytes(message_size, participants, 1.0) / host_path_bandwidth(participants, pair_bandwidth, bandwidth_of_four, contention)
    moved = minimum(stream / flag_share, pipelined_time(fill, stream, sharpness))
    return where(participants > 1.0, launch + hop * (participants - 1.0) + moved, 0.0)
