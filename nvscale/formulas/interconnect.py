"""Interconnect: one message and several in flight (Hockney, LogGP), routing over hops, links."""

from nvscale.ops import maximum, minimum
from nvscale.unit_types import Bytes, BytesPerSecond, Count, PerSecond, Ratio, Seconds, Share

__all__ = [
    "concurrent_bandwidth",
    "cut_through_time",
    "half_bandwidth_message_size",
    "link_bandwidth",
    "loggp_messages_time",
    "loggp_time",
    "message_rate",
    "message_size_for_share",
    "messages_in_flight_to_fill",
    "packet_efficiency",
    "point_to_point_bandwidth",
    "point_to_point_time",
    "store_and_forward_time",
]


def point_to_point_time(message_size: Bytes, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of one message between two participants: start-up plus transfer (Hockney's alpha-beta model).

    $$t = \alpha + \frac{m}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.

    Returns
    -------
    s, broadcast
        Time until the last byte has arrived.

    Assumptions
    -----------
    An idle path; the latency does not depend on the size (protocol switches need one pair of constants per range of sizes).

    References
    ----------
    Hockney, "The communication challenge for MPP", Parallel Computing 20(3), 1994, section 2 (t = (m + m_half)/B).

    Examples
    --------
    A message of 1 MB over 50 GB/s with 5 µs of latency: as much as 20 µs of transfer and 5 µs of start-up.

    >>> round(point_to_point_time(1e6, 50e9, 5e-6) * 1e6, 6)
    25.0
    """
    return latency + message_size / bandwidth


def point_to_point_bandwidth(message_size: Bytes, bandwidth: BytesPerSecond, latency: Seconds) -> BytesPerSecond:
    r"""Bandwidth that one message at a time reaches.

    $$B_{eff} = \frac{m}{\alpha + m/B} = B\,\frac{m}{m + \alpha B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.

    Returns
    -------
    byte/s, broadcast
        Message size over time.

    Assumptions
    -----------
    As `point_to_point_time`; the next message starts when the last one has arrived.

    References
    ----------
    Hockney, "The communication challenge for MPP", Parallel Computing 20(3), 1994, section 2 (t = (m + m_half)/B).

    Examples
    --------
    At the half-bandwidth message size, half of the bandwidth is left.

    >>> point_to_point_bandwidth(250e3, 50e9, 5e-6)
    25000000000.0
    """
    return bandwidth * message_size / (message_size + latency * bandwidth)


def half_bandwidth_message_size(bandwidth: BytesPerSecond, latency: Seconds) -> Bytes:
    r"""Message size at which half of the bandwidth is reached (Hockney's half-performance length).

    $$m_{1/2} = \alpha\,B$$

    Parameters
    ----------
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.

    Returns
    -------
    byte, broadcast
        Below it latency costs more than transfer, above it less.

    Assumptions
    -----------
    As `point_to_point_time`.

    References
    ----------
    Hockney, "The communication challenge for MPP", Parallel Computing 20(3), 1994, section 2 (t = (m + m_half)/B).

    Examples
    --------
    A neighbour link of 45 GB/s and 1 µs is latency-bound below 45 kB.

    >>> half_bandwidth_message_size(4.5e10, 1e-6)
    45000.0
    """
    return latency * bandwidth


def message_size_for_share(share: Share, bandwidth: BytesPerSecond, latency: Seconds) -> Bytes:
    r"""Message size that reaches a given share of the bandwidth.

    $$m = \alpha B\,\frac{\eta}{1 - \eta}$$

    Parameters
    ----------
    share : 1, broadcast
        Share of the bandwidth to reach, below 1.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.

    Returns
    -------
    byte, broadcast
        Message size.

    Assumptions
    -----------
    As `point_to_point_time`.

    References
    ----------
    Derivation: solve B_eff = η B of `point_to_point_bandwidth` for m.

    Examples
    --------
    Nine tenths of the bandwidth take nine times the half-bandwidth size.

    >>> round(message_size_for_share(0.9, 4.5e10, 1e-6))
    405000
    """
    return latency * bandwidth * share / (1.0 - share)


def concurrent_bandwidth(message_size: Bytes, messages_in_flight: Count, bandwidth: BytesPerSecond, latency: Seconds) -> BytesPerSecond:
    r"""Bandwidth of several messages in flight at once, at most that of the path.

    $$B_{eff} = \min\left(B, \frac{k\,m}{\alpha + m/B}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    messages_in_flight : 1, broadcast
        Messages outstanding at any moment.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.

    Returns
    -------
    byte/s, broadcast
        Sum over the messages in flight.

    Assumptions
    -----------
    Latencies overlap fully; messages share the path without loss until it is full.

    References
    ----------
    Derivation: Little's law (Little, Operations Research 9(3), 1961) with k messages outstanding, capped by the path.

    Examples
    --------
    Four messages of 4 KiB in flight on a path of 45 GB/s and 1 µs.

    >>> round(concurrent_bandwidth(4096.0, 4.0, 4.5e10, 1e-6) / 1e9, 2)
    15.02
    """
    return minimum(bandwidth, messages_in_flight * message_size / (latency + message_size / bandwidth))


def message_rate(
    message_size: Bytes,
    messages_in_flight: Count,
    bandwidth: BytesPerSecond,
    latency: Seconds,
    gap: Seconds = 0.0,
) -> PerSecond:
    r"""Messages per second with several in flight, limited by latency, by the gap between messages or by bandwidth.

    $$r = \min\left(\frac{k}{\alpha + m/B}, \frac{1}{\max(g, m/B)}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    messages_in_flight : 1, broadcast
        Messages outstanding at any moment.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.
    gap : s, broadcast
        Least time between two messages of one sender; 0 where only the bandwidth limits.

    Returns
    -------
    1/s, broadcast
        Messages that arrive per second.

    Assumptions
    -----------
    Latencies overlap fully; one sender; messages above 0 bytes.

    References
    ----------
    Derivation: Little's law as in `concurrent_bandwidth`, and the gap g of LogP (Culler et al., PPoPP 1993, section 3).

    Examples
    --------
    One message of 8 bytes at a time: the rate is the inverse of the latency.

    >>> round(message_rate(8.0, 1.0, 50e9, 2e-6))
    499960
    """
    return minimum(messages_in_flight / (latency + message_size / bandwidth), 1.0 / maximum(message_size / bandwidth, gap))


def messages_in_flight_to_fill(message_size: Bytes, bandwidth: BytesPerSecond, latency: Seconds) -> Ratio:
    r"""Messages in flight that fill the path, as a real number.

    $$k = 1 + \frac{\alpha B}{m}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Start-up time of one message, from call to first byte.

    Returns
    -------
    1, broadcast
        Concurrency; round up to use.

    Assumptions
    -----------
    As `concurrent_bandwidth`.

    References
    ----------
    Derivation: k m/(α + m/B) = B solved for k.

    Examples
    --------
    >>> messages_in_flight_to_fill(4500.0, 4.5e10, 1e-6)
    11.0
    """
    return 1.0 + latency * bandwidth / message_size


def loggp_time(message_size: Bytes, bandwidth: BytesPerSecond, latency: Seconds, overhead: Seconds) -> Seconds:
    r"""Time of one message in the LogGP model: overhead of sending, transfer, latency, overhead of receiving.

    $$t = o + \frac{m}{B} + L + o$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Latency L of the network alone.
    overhead : s, broadcast
        Time o for which the processor is busy, once at each end.

    Returns
    -------
    s, broadcast
        Time until the receiver has the message.

    Assumptions
    -----------
    Long messages; a byte more or less does not count.

    References
    ----------
    Culler et al., "LogP", PPoPP 1993, section 3; Alexandrov, Ionescu, Schauser, Scheiman, "LogGP", SPAA 1995, section 2,
    with 1/G written as the bandwidth and the gap of a message counted for all its m bytes instead of m - 1.

    Examples
    --------
    >>> round(loggp_time(1e6, 50e9, 2e-6, 1.5e-6) * 1e6, 6)
    25.0
    """
    return 2.0 * overhead + latency + message_size / bandwidth


def loggp_messages_time(
    messages: Count,
    message_size: Bytes,
    bandwidth: BytesPerSecond,
    *,
    latency: Seconds,
    overhead: Seconds,
    gap: Seconds,
) -> Seconds:
    r"""Time of several equal messages sent back to back in the LogGP model.

    $$t = 2o + L + k\,\frac{m}{B} + (k - 1)\max(g, o)$$

    Parameters
    ----------
    messages : 1, broadcast
        Number of messages k.
    message_size : byte, broadcast
        Bytes of one message.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Latency L of the network alone.
    overhead : s, broadcast
        Time o for which the processor is busy, once at each end.
    gap : s, broadcast
        Least time g between two messages of one sender.

    Returns
    -------
    s, broadcast
        Time until the receiver has all of them.

    Assumptions
    -----------
    One sender and one receiver; the receiver keeps up.

    References
    ----------
    Culler et al., "LogP", PPoPP 1993, section 3; Alexandrov, Ionescu, Schauser, Scheiman, "LogGP", SPAA 1995, section 2,
    with 1/G written as the bandwidth and the gap of a message counted for all its m bytes instead of m - 1.

    Examples
    --------
    Ten messages pay latency once and the gap nine times.

    >>> round(loggp_messages_time(10.0, 1e5, 50e9, latency=2e-6, overhead=1.5e-6, gap=1e-6) * 1e6, 6)
    38.5
    """
    return 2.0 * overhead + latency + messages * message_size / bandwidth + (messages - 1.0) * maximum(gap, overhead)


def cut_through_time(message_size: Bytes, hops: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of a message over several links when each switch passes bytes on as they come.

    $$t = h\,\alpha + \frac{m}{B}$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    hops : 1, broadcast
        Links between sender and receiver.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Latency per hop.

    Returns
    -------
    s, broadcast
        Time until the last byte has arrived.

    Assumptions
    -----------
    No contention; links of one bandwidth.

    References
    ----------
    Grama, Gupta, Karypis, Kumar, "Introduction to Parallel Computing", 2nd ed. 2003, section 2.5 (cut-through routing).

    Examples
    --------
    Opposite corners of a 4 x 4 mesh: six hops, two ports of 45 GB/s in use.

    >>> round(cut_through_time(2.0 * 8 * 128 * 8192, 6.0, 9e10, 1e-6) * 1e6, 1)
    192.4
    """
    return hops * latency + message_size / bandwidth


def store_and_forward_time(message_size: Bytes, hops: Count, bandwidth: BytesPerSecond, latency: Seconds) -> Seconds:
    r"""Time of a message over several links when each stop stores all of it before it sends on.

    $$t = h\left(\alpha + \frac{m}{B}\right)$$

    Parameters
    ----------
    message_size : byte, broadcast
        Bytes of one message.
    hops : 1, broadcast
        Links between sender and receiver.
    bandwidth : byte/s, broadcast
        Bandwidth of the path, one way.
    latency : s, broadcast
        Latency per hop.

    Returns
    -------
    s, broadcast
        Time until the last byte has arrived.

    Assumptions
    -----------
    No contention; links of one bandwidth; no cutting into packets.

    References
    ----------
    Grama, Gupta, Karypis, Kumar, "Introduction to Parallel Computing", 2nd ed. 2003, section 2.5 (store-and-forward routing).

    Examples
    --------
    >>> round(store_and_forward_time(1e6, 3.0, 50e9, 1e-6) * 1e6, 6)
    63.0
    """
    return hops * (latency + message_size / bandwidth)


def link_bandwidth(lanes: Count, lane_bandwidth: BytesPerSecond, coding_efficiency: Ratio = 1.0) -> BytesPerSecond:
    r"""Bandwidth of a link from its lanes, one way.

    $$B = \ell\,b\,\eta$$

    Parameters
    ----------
    lanes : 1, broadcast
        Lanes of the link, or of all links together.
    lane_bandwidth : byte/s, broadcast
        Raw bandwidth of a lane, one way.
    coding_efficiency : 1, broadcast
        Share that the line code and error correction leave.

    Returns
    -------
    byte/s, broadcast
        Bandwidth before packet headers.

    Assumptions
    -----------
    All lanes run at one rate.

    References
    ----------
    Definition; PCI Express Base Specification 3.0 and later: 128 of 130 bits carry data.

    Examples
    --------
    PCI Express 5.0 with 16 lanes of 32 Gb/s.

    >>> round(link_bandwidth(16.0, 4e9, 128 / 130) / 1e9, 2)
    63.02
    """
    return lanes * lane_bandwidth * coding_efficiency


def packet_efficiency(payload: Bytes, header: Bytes) -> Ratio:
    r"""Share of the bandwidth that carries payload when each packet has a header.

    $$\eta = \frac{P}{P + H}$$

    Parameters
    ----------
    payload : byte, broadcast
        Bytes of payload in a packet, above 0.
    header : byte, broadcast
        Bytes of header, check sum and framing per packet.

    Returns
    -------
    1, broadcast
        Multiply the bandwidth by it.

    Assumptions
    -----------
    Full packets.

    References
    ----------
    Definition.

    Examples
    --------
    >>> packet_efficiency(256.0, 64.0)
    0.8
    """
    return payload / (payload + header)
