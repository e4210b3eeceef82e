"""Collectives of a library over nodes joined by a network."""

from nvscale.formulas.protocols.pipelines import bus_bytes, pipelined_time
from nvscale.ops import maximum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = [
    "two_tier_all_reduce_time",
]


def two_tier_all_reduce_time(
    message_size: Bytes,
    participants: Count,
    nodes: Count,
    latency: Seconds,
    node_bandwidth: BytesPerSecond,
    network_bandwidth: BytesPerSecond,
    sharpness: Ratio,
) -> Seconds:
    r"""Time of an all-reduce over nodes joined by a network, both tiers streaming at once.

    $$t = \left[\alpha^q + \max\left(\frac{X_n}{B_v}, \frac{X_N}{B_N}\right)^q\right]^{1/q}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Message as in nccl-tests: all-reduce the buffer, all-gather the result, reduce-scatter the input, all-to-all all that one sends.
    participants : 1, broadcast
        Participants n of the group.
    nodes : 1, broadcast
        Nodes N of the group.
    latency : s, broadcast
        Latency α of the smallest call.
    node_bandwidth : byte/s, broadcast
        Bus bandwidth B_v inside a node, one way.
    network_bandwidth : byte/s, broadcast
        Rate B_N of a whole node into the network, one way.
    sharpness : 1, broadcast
        Exponent q that joins latency and stream, above 0.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    The latency is a pipeline fill. Two constants of one cluster do not carry over to another: factors of 1.1 to 2 either way were seen.

    References
    ----------
    Derivation: the slower of two rings that work on different chunks at the same time, `bus_bytes` of n participants and of N nodes.

    Examples
    --------
    1 GiB over 16 participants in 2 nodes with round constants.

    >>> tiers = dict(latency=160e-6, node_bandwidth=230e9, network_bandwidth=50e9, sharpness=1.0)
    >>> round(two_tier_all_reduce_time(2.0**30, 16.0, 2.0, **tiers) * 1e3, 2)
    21.63
    """
    inner = bus_bytes(message_size, participants, 2.0) / node_bandwidth
    outer = bus_bytes(message_size, nodes, 2.0) / network_bandwidth
    return where(participants > 1.0, pipelined_time(latency, maximum(inner, outer), sharpness), 0.0)
