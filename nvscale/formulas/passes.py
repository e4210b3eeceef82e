"""Passes: kernels that read and write every element once or a few times and compute little on the way."""

from nvscale.formulas import memory, overheads
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = ["pass_time", "pass_traffic", "row_reread_factor"]


def pass_traffic(elements: Count, read_size: Bytes, write_size: Bytes) -> Bytes:
    r"""Traffic of a pass over arrays of equal length.

    $$Q = N\,(r + w)$$

    Parameters
    ----------
    elements : 1, broadcast
        Elements N.
    read_size : byte, broadcast
        Bytes read per element, of all inputs together.
    write_size : byte, broadcast
        Bytes written per element.

    Returns
    -------
    byte, broadcast
        Bytes moved.

    Assumptions
    -----------
    Nothing is found in a cache; writes do not read their line first.

    References
    ----------
    McCalpin, "STREAM", 1995: copy counts 16 bytes an element in double precision, triad 24.

    Examples
    --------
    The triad a = b + s c over 2^25 doubles.

    >>> pass_traffic(2.0**25, 16.0, 8.0)
    805306368.0
    """
    return elements * (read_size + write_size)


def row_reread_factor(row_length: Count, doubling_length: Count) -> Ratio:
    r"""How many times the traffic grows because long rows leave the chip between two passes over them.

    $$1 + \frac{L}{L_2}$$

    Parameters
    ----------
    row_length : 1, broadcast
        Elements L of a row that is reduced (softmax, normalisation).
    doubling_length : 1, broadcast
        Length at which the traffic has doubled; infinite where rows of any length stay on the chip.

    Returns
    -------
    1, broadcast
        Factor on the traffic, at least 1.

    Assumptions
    -----------
    Linear in the length: the share of a row that is read again grows with it.

    References
    ----------
    Derivation: an interpolation between one reading (short rows) and two (rows of the doubling length).

    Examples
    --------
    >>> row_reread_factor(4096.0, 16384.0)
    1.25
    """
    return 1.0 + row_length / doubling_length


def pass_time(traffic: Bytes, bandwidth: BytesPerSecond, efficiency: Ratio, launch: Seconds, sharpness: Count = 1.0) -> Seconds:
    r"""Time of a pass: a launch and the streaming of its data, one after the other or partly at once.

    $$t = \left(t_0^p + \left(\frac{Q}{\eta B}\right)^p\right)^{1/p}$$

    Parameters
    ----------
    traffic : byte, broadcast
        Bytes moved.
    bandwidth : byte/s, broadcast
        Peak bandwidth of the memory.
    efficiency : 1, broadcast
        Share of the bandwidth that a long pass reaches.
    launch : s, broadcast
        Time of the shortest pass.
    sharpness : 1, broadcast
        Exponent p: 1 adds the two; more where the host's launch runs beside the kernel before.

    Returns
    -------
    s, broadcast
        Time of the pass.

    Assumptions
    -----------
    Arithmetic is hidden behind memory.

    References
    ----------
    Derivation: Hockney's linear time t0 + Q/B at p = 1 (Hockney, Jesshope, "Parallel Computers", 1981, section 1.3), p-norm otherwise.

    Examples
    --------
    >>> round(pass_time(1e9, 2e12, 0.8, 5e-6) * 1e6, 6)
    630.0
    """
    return overheads.smooth_maximum([launch, memory.transfer_time(traffic, bandwidth, efficiency)], sharpness)
