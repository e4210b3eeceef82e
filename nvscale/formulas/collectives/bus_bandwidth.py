"""Algorithm and bus bandwidth of a measured collective, after nccl-tests."""

from nvscale.formulas.collectives.shared import moved_bytes
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Seconds

__all__ = [
    "algorithm_bandwidth",
    "all_gather_bus_bandwidth",
    "all_reduce_bus_bandwidth",
]


def algorithm_bandwidth(message_size: Bytes, time: Seconds) -> BytesPerSecond:
    r"""Algorithm bandwidth of a collective: its size over its time; for broadcast and reduce also the bus bandwidth.

    $$B_{alg} = \frac{S}{t}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Size of the operation, as in the time formulas of this module.
    time : s, broadcast
        Time of the operation, above 0.

    Returns
    -------
    byte/s, broadcast
        Compare it only at the same number of participants.

    Assumptions
    -----------
    None.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md (2026), section Algorithm bandwidth.

    Examples
    --------
    >>> algorithm_bandwidth(1e9, 4e-3)
    250000000000.0
    """
    return message_size / time


def all_reduce_bus_bandwidth(message_size: Bytes, time: Seconds, participants: Count) -> BytesPerSecond:
    r"""Bus bandwidth of an all-reduce: the rate per participant that an algorithm without in-network reduction needs.

    $$B_{bus} = \frac{S}{t}\cdot\frac{2(n-1)}{n}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of the buffer on each participant.
    time : s, broadcast
        Time of the operation, above 0.
    participants : 1, broadcast
        Participants n.

    Returns
    -------
    byte/s, broadcast
        Comparable with the bandwidth of the hardware.

    Assumptions
    -----------
    With in-network reduction it may exceed the bandwidth of the links, at most by 2(n-1)/n.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md (2026), section AllReduce.

    Examples
    --------
    275 GB/s of algorithm bandwidth on 8 participants.

    >>> round(all_reduce_bus_bandwidth(275e9, 1.0, 8.0) / 1e9, 2)
    481.25
    """
    return 2.0 * moved_bytes(message_size, participants) / time


def all_gather_bus_bandwidth(message_size: Bytes, time: Seconds, participants: Count) -> BytesPerSecond:
    r"""Bus bandwidth of an all-gather, reduce-scatter or all-to-all.

    $$B_{bus} = \frac{S}{t}\cdot\frac{n-1}{n}$$

    Parameters
    ----------
    message_size : byte, broadcast
        All-gather, reduce-scatter: bytes of the full buffer; all-to-all: bytes each participant sends in total.
    time : s, broadcast
        Time of the operation, above 0.
    participants : 1, broadcast
        Participants n.

    Returns
    -------
    byte/s, broadcast
        Comparable with the bandwidth of the hardware.

    Assumptions
    -----------
    None.

    References
    ----------
    NVIDIA nccl-tests, doc/PERFORMANCE.md (2026), section Summary.

    Examples
    --------
    >>> all_gather_bus_bandwidth(8e9, 0.02, 8.0) / 1e9
    350.0
    """
    return moved_bytes(message_size, participants) / time
