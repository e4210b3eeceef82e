"""What the protocols share: bytes through a port, latency of a ring, transfers in chunks."""

from nvscale.formulas.overheads import smooth_maximum
from nvscale.ops import minimum
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = [
    "bus_bytes",
    "pipelined_time",
    "port_stream_time",
    "ring_latency",
]


def pipelined_time(
    fill: Seconds,
    stream: Seconds,
    sharpness: Ratio,
) -> Seconds:
    r"""Time of a transfer in chunks through a pipeline: its fill and its stream joined by a norm.

    $$t = \left(f^q + s^q\right)^{1/q}$$

    Parameters
    ----------
    fill : s, broadcast
        Fill f: until the first chunk has passed all stages.
    stream : s, broadcast
        Stream s: all bytes at the full rate.
    sharpness : 1, broadcast
        Exponent q that joins fill and stream, above 0; see `pipelined_time`.

    Returns
    -------
    s, broadcast
        Time of the whole transfer.

    Assumptions
    -----------
    q = 1/2: the chunks have the best size for each message. q = 1: chunks of one size, the fill comes on top.
    q > 1: fill and stream overlap.
    As an exponent between these q is fitted; it is a figure of the library, not of the wires.

    References
    ----------
    Derivation: d stages, c chunks, latency α per chunk and stage: the time (d + c)(α + s/c)
    at the best c = sqrt(d s/α), is (sqrt(dα) + sqrt(s))², the norm of f = dα and s with q = 1/2.

    Examples
    --------
    10 µs of fill and 40 µs of stream, in chunks of the best size.

    >>> round(pipelined_time(10e-6, 40e-6, 0.5) * 1e6, 6)
    90.0
    """
    return smooth_maximum([fill, stream], sharpness)


def bus_bytes(
    message_size: Bytes,
    participants: Count,
    phases: Count,
) -> Bytes:
    r"""Bytes that pass each participant's port in a ring collective.

    $$X = p\,S\,\frac{n-1}{n}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Message as in nccl-tests: all-reduce the buffer, all-gather the result, reduce-scatter the input, all-to-all all that one sends.
    participants : 1, broadcast
        Participants n of the group.
    phases : 1, broadcast
        Passes p around the ring: 2 for all-reduce, 1 for all-gather and reduce-scatter.

    Returns
    -------
    byte, broadcast
        Bytes through each port, one way.

    Assumptions
    -----------
    A ring, or any algorithm that moves no byte twice.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md, bus bandwidth (2(n-1)/n for all-reduce, (n-1)/n for the others).

    Examples
    --------
    An all-reduce of 800 MB among 8.

    >>> bus_bytes(800e6, 8.0, 2.0) / 1e6
    1400.0
    """
    return phases * message_size * (participants - 1.0) / participants


def port_stream_time(
    message_size: Bytes,
    participants: Count,
    phases: Count,
    bandwidth: BytesPerSecond,
    self_share: Ratio,
) -> Seconds:
    r"""Time that the bytes of a ring collective stream through a port, the own shard counted in part.

    $$\frac{X}{B(n)} = \frac{p\,S\,(n - 1 + e)}{n\,B}, \qquad B(n) = \frac{B}{1 + e/(n-1)}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Message as in nccl-tests: all-reduce the buffer, all-gather the result, reduce-scatter the input, all-to-all all that one sends.
    participants : 1, broadcast
        Participants n of the group.
    phases : 1, broadcast
        Passes p around the ring: 2 for all-reduce, 1 for all-gather and reduce-scatter.
    bandwidth : byte/s, broadcast
        Bus bandwidth B of a large group, one way.
    self_share : 1, broadcast
        Work e on the own shard (copy, reduction), as a share of one exchanged shard.

    Returns
    -------
    s, broadcast
        Time at the full rate, without any latency.

    Assumptions
    -----------
    Each participant handles its own shard too (a copy out of place, a reduction).
    With e = 1 the time depends on S alone, with e = 0 on the bus bytes.

    References
    ----------
    Derivation: e of one shard S/n is added to the n - 1 shards that are exchanged.

    Examples
    --------
    1 GiB gathered among 8 at 370 GB/s; the own shard costs half an exchanged one.

    >>> round(port_stream_time(2.0**30, 8.0, 1.0, 370e9, 0.5) * 1e3, 3)
    2.721
    """
    return phases * message_size * (participants - 1.0 + self_share) / (participants * bandwidth)


def ring_latency(
    message_size: Bytes,
    participants: Count,
    phases: Count,
    launch: Seconds,
    hop: Seconds,
    latency_ratio: Ratio,
    ramp_per_rank: Bytes,
) -> Seconds:
    r"""Latency of a ring kernel whose steps take longer once the protocol sends long lines.

    $$\alpha = \left(t_0 + t_h\,p\,(n-1)\right)\left(1 + (\rho - 1)\min\left(1, \frac{S}{n\,r}\right)\right)$$

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
    latency_ratio : 1, broadcast
        How much longer a step takes with long lines than with single words.
    ramp_per_rank : byte, broadcast
        Bytes r of one participant at which the step has its full latency.

    Returns
    -------
    s, broadcast
        Latency of the call.

    Assumptions
    -----------
    One hop a step, all steps one after the other; between the smallest messages and r bytes a participant the latency rises evenly.

    References
    ----------
    NVIDIA NCCL documentation, environment variables, NCCL_PROTO (protocols LL, LL128 and Simple);
    derivation: p (n - 1) steps of a ring, after one launch.

    Examples
    --------
    8 participants, 1 MiB.

    >>> round(ring_latency(2.0**20, 8.0, 2.0, 4.2e-6, 0.8e-6, 1.2, 4096.0) * 1e6, 3)
    18.48
    """
    ramp = minimum(1.0, message_size / (participants * ramp_per_rank))
    return (launch + hop * phases * (participants - 1.0)) * (1.0 + (latency_ratio - 1.0) * ramp)
