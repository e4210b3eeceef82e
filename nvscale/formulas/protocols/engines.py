"""All-reduce kernels that serving engines bring along."""

from nvscale.formulas.protocols.pipelines import bus_bytes
from nvscale.ops import maximum, minimum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = [
    "custom_all_reduce_time",
    "eager_time",
]


def custom_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    fallback_time: Seconds,
    launch: Seconds,
    hop: Seconds,
    one_shot_bandwidth: BytesPerSecond,
    second_phase: Seconds,
    two_shot_bandwidth: BytesPerSecond,
    handover: Bytes,
    largest_group: Count,
) -> Seconds:
    r"""Time of the all-reduce kernel of a serving engine: one-shot, two-shot, or the collectives library beyond its buffer.

    $$t = t_0 + t_h (n-1) + \min\left(\frac{(n-1) S}{B_1}, t_2 + \frac{2 (n-1) S}{n B_2}\right) \quad (S \le S_h,\ n \le n_h), \qquad
    t = t_f \text{ else}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Message as in nccl-tests: all-reduce the buffer, all-gather the result, reduce-scatter the input, all-to-all all that one sends.
    participants : 1, broadcast
        Participants n of the group.
    fallback_time : s, broadcast
        Time t_f of the collectives library for the same message.
    launch : s, broadcast
        Launch t0 inside a graph.
    hop : s, broadcast
        Time t_h of one step to a neighbour: a flag written and seen.
    one_shot_bandwidth : byte/s, broadcast
        Rate B_1 at which all other buffers are read.
    second_phase : s, broadcast
        Second barrier t_2 of the two-shot kernel.
    two_shot_bandwidth : byte/s, broadcast
        Bus bandwidth B_2 of the two-shot kernel.
    handover : byte, broadcast
        Largest message S_h that the kernel takes.
    largest_group : 1, broadcast
        Largest group n_h that the kernel serves.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    Launched from a graph. One-shot: every participant reads all buffers; two-shot: a second barrier, but only the bus bytes.

    References
    ----------
    Derivation: `collectives.one_shot_all_reduce_time` and `collectives.direct_all_reduce_time` with rates and barriers of their own.

    Examples
    --------
    128 KiB among 8 with round constants: one-shot.

    >>> constants = dict(launch=2.6e-6, hop=0.1e-6, one_shot_bandwidth=300e9, second_phase=4e-6, two_shot_bandwidth=350e9)
    >>> round(custom_all_reduce_time(2.0**17, 8.0, 25e-6, **constants, handover=2.0**23, largest_group=8.0) * 1e6, 2)
    6.36
    """
    one = (participants - 1.0) * message_size / one_shot_bandwidth
    two = second_phase + bus_bytes(message_size, participants, 2.0) / two_shot_bandwidth
    own = launch + hop * (participants - 1.0) + minimum(one, two)
    served = where(message_size <= handover, where(participants <= largest_group, own, fallback_time), fallback_time)
    return where(participants > 1.0, served, 0.0)


def eager_time(
    graph_time: Seconds,
    host_floor: Seconds,
    extra: Seconds,
    slowdown: Ratio,
) -> Seconds:
    r"""Time of a kernel launched eagerly, from its time inside a graph.

    $$t = \max\left(t_h, t_x + \kappa\,t_{graph}\right)$$

    Parameters
    ----------
    graph_time : s, broadcast
        Time of the kernel inside a graph.
    host_floor : s, broadcast
        Time t_h of one call on the host.
    extra : s, broadcast
        Copy t_x before the kernel.
    slowdown : 1, broadcast
        Factor κ on the time inside a graph.

    Returns
    -------
    s, broadcast
        Time of the eager call.

    Assumptions
    -----------
    The host needs t_h for a call; the copy into the registered buffer adds to the kernel and slows it.

    References
    ----------
    Derivation: the slower of the host, which launches, and the device, which copies and then runs.

    Examples
    --------
    A kernel of 10 µs behind a host that needs 25 µs a call.

    >>> eager_time(10e-6, 25e-6, 5e-6, 1.1) * 1e6
    25.0
    """
    return maximum(host_floor, extra + slowdown * graph_time)
