"""Memory: traffic of matrix multiplies, capacity, latency and concurrency (Little's law)."""

from nvscale.ops import minimum, sqrt
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = [
    "bandwidth_from_concurrency",
    "blocked_matmul_traffic",
    "bytes_in_flight",
    "compulsory_matmul_traffic",
    "square_tile_side",
    "transfer_time",
    "units_to_hold",
]


def transfer_time(data: Bytes, bandwidth: BytesPerSecond, efficiency: Ratio = 1.0) -> Seconds:
    r"""Time to move data through one level of memory at a share of its bandwidth.

    $$t = \frac{Q}{\eta B}$$

    Parameters
    ----------
    data : byte, broadcast
        Bytes that cross the level, reads plus writes.
    bandwidth : byte/s, broadcast
        Peak bandwidth of the level.
    efficiency : 1, broadcast
        Share of the peak that is reached, above 0.

    Returns
    -------
    s, broadcast
        Time, without latency.

    Assumptions
    -----------
    Steady streaming; no start-up latency (see `interconnect.point_to_point_time`).

    References
    ----------
    Williams, Waterman, Patterson, "Roofline", Communications of the ACM 52(4), 2009, section 3 (bandwidth roof).

    Examples
    --------
    Reading the 80 GB of an H100 once at 3.35 TB/s takes 23.9 ms.

    >>> round(transfer_time(80e9, 3.35e12) * 1e3, 1)
    23.9
    """
    return data / (bandwidth * efficiency)


def bytes_in_flight(bandwidth: BytesPerSecond, latency: Seconds) -> Bytes:
    r"""Bytes that must be in flight to keep a memory of given latency at its full bandwidth.

    $$N = B\,L$$

    Parameters
    ----------
    bandwidth : byte/s, broadcast
        Bandwidth to sustain.
    latency : s, broadcast
        Time from request to answer, under load.

    Returns
    -------
    byte, broadcast
        Concurrency, in bytes.

    Assumptions
    -----------
    A stationary system: what enters leaves (Little's law).

    References
    ----------
    J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations Research 9(3), 1961, theorem 1, with λ = bandwidth.

    Examples
    --------
    >>> bytes_in_flight(3.35e12, 600e-9)
    2010000.0
    """
    return bandwidth * latency


def bandwidth_from_concurrency(bytes_outstanding: Bytes, latency: Seconds, bandwidth: BytesPerSecond) -> BytesPerSecond:
    r"""Bandwidth that a given concurrency sustains, at most the peak.

    $$B_{att} = \min\left(B, \frac{N}{L}\right)$$

    Parameters
    ----------
    bytes_outstanding : byte, broadcast
        Bytes in flight at any moment.
    latency : s, broadcast
        Time from request to answer.
    bandwidth : byte/s, broadcast
        Peak bandwidth.

    Returns
    -------
    byte/s, broadcast
        Attainable bandwidth.

    Assumptions
    -----------
    Latency does not grow with load until the peak is reached.

    References
    ----------
    J. D. C. Little, Operations Research 9(3), 1961, theorem 1, solved for the rate and capped by the peak.

    Examples
    --------
    Half of the bytes in flight that full bandwidth needs give half of the bandwidth.

    >>> bandwidth_from_concurrency(1_005_000.0, 600e-9, 3.35e12) / 3.35e12
    0.5
    """
    return minimum(bandwidth, bytes_outstanding / latency)


def compulsory_matmul_traffic(m: Count, n: Count, k: Count, element_size: Bytes) -> Bytes:
    r"""Least traffic of a matrix multiply: read both factors once, write the product once.

    $$Q = (mk + kn + mn)\,w$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    k : 1, broadcast
        Inner length.
    element_size : byte, broadcast
        Bytes per element, the same for all three matrices.

    Returns
    -------
    byte, broadcast
        Traffic when everything is reused perfectly.

    Assumptions
    -----------
    Cold caches; the product is not read; one number format.

    References
    ----------
    Derivation: each of the three matrices crosses the memory once (Hill and Smith's compulsory misses).

    Examples
    --------
    >>> compulsory_matmul_traffic(8192.0, 8192.0, 8192.0, 2.0)
    402653184.0
    """
    return (m * k + k * n + m * n) * element_size


def blocked_matmul_traffic(m: Count, n: Count, k: Count, tile: Count, element_size: Bytes) -> Bytes:
    r"""Traffic of a matrix multiply computed in square output tiles.

    $$Q = \left(\frac{2mnk}{b} + mn\right) w$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    k : 1, broadcast
        Inner length.
    tile : 1, broadcast
        Side b of the square output tile that stays in fast memory.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Traffic between slow and fast memory.

    Assumptions
    -----------
    The tile divides m and n; each tile reads a strip of both factors; no reuse between tiles.

    References
    ----------
    Derivation: mn/b² tiles read 2bk elements each, and the product is written once; Lam, Rothberg, Wolf, ASPLOS 1991, section 2.

    Examples
    --------
    One tile as large as the matrix gives the compulsory traffic.

    >>> blocked_matmul_traffic(128.0, 128.0, 128.0, 128.0, 2.0) == compulsory_matmul_traffic(128.0, 128.0, 128.0, 2.0)
    True
    """
    return (2.0 * m * n * k / tile + m * n) * element_size


def square_tile_side(fast_memory: Bytes, element_size: Bytes) -> Ratio:
    r"""Side of the largest square tile of which three fit into fast memory.

    $$b = \sqrt{\frac{Z}{3w}}$$

    Parameters
    ----------
    fast_memory : byte, broadcast
        Size Z of the fast memory.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    1, broadcast
        Side b, not rounded.

    Assumptions
    -----------
    Three tiles (two factors, one product) live at once.

    References
    ----------
    Derivation: 3 b² w = Z.

    Examples
    --------
    >>> square_tile_side(3 * 64.0**2 * 2, 2.0)
    64.0
    """
    return sqrt(fast_memory / (3.0 * element_size))


def units_to_hold(data: Bytes, capacity: Bytes, usable: Ratio = 1.0) -> Ratio:
    r"""Memories of one size needed to hold the data, as a real number (round up to buy).

    $$x = \frac{M}{u\,C}$$

    Parameters
    ----------
    data : byte, broadcast
        Bytes to hold.
    capacity : byte, broadcast
        Capacity of one memory.
    usable : 1, broadcast
        Share of the capacity left after the driver and fragmentation.

    Returns
    -------
    1, broadcast
        Number of memories.

    Assumptions
    -----------
    The data can be split evenly.

    References
    ----------
    Definition.

    Examples
    --------
    810 GB of weights need 11.25 chips of 80 GB of which 90 % can be used.

    >>> round(units_to_hold(810e9, 80e9, 0.9), 6)
    11.25
    """
    return data / (capacity * usable)
