"""Benchmarks of whole systems: what one device contributes."""

from nvscale.unit_types import BytesPerSecond, FlopPerByte, FlopPerSecond, Share

__all__ = [
    "conjugate_gradient_rate",
    "linpack_rate",
]


def linpack_rate(
    fp64_rate: FlopPerSecond,
    share: Share,
) -> FlopPerSecond:
    r"""Rate of High-Performance Linpack per device of a large system.

    $$P = \eta\,P_{64}$$

    Parameters
    ----------
    fp64_rate : flop/s, broadcast
        Peak FP64 rate of the device: the matrix rate where it has one and the code uses it.
    share : 1, broadcast
        Share η of the peak that the benchmark reaches on a whole system.

    Returns
    -------
    flop/s, broadcast
        Rate of High-Performance Linpack per device.

    Assumptions
    -----------
    A problem that fills the memory: the multiply of large matrices dominates. η holds what panels, exchange and load cost on whole systems.

    References
    ----------
    Dongarra, Luszczek, Petitet, "The LINPACK Benchmark: past, present and future", 2003 (HPL);
    η: ratio of Rmax to the FP64 rate of the devices in TOP500 lists.

    Examples
    --------
    A device of 67 TFLOP/s at 62 %.

    >>> round(linpack_rate(67e12, 0.62) / 1e12, 2)
    41.54
    """
    return share * fp64_rate


def conjugate_gradient_rate(
    memory_bandwidth: BytesPerSecond,
    intensity: FlopPerByte,
) -> FlopPerSecond:
    r"""Rate of the High-Performance Conjugate Gradient benchmark per device of a large system.

    $$P = I\,W$$

    Parameters
    ----------
    memory_bandwidth : byte/s, broadcast
        Peak memory bandwidth of the device.
    intensity : flop/byte, broadcast
        Operations I done per byte that the memory could have moved.

    Returns
    -------
    flop/s, broadcast
        Rate of HPCG per device.

    Assumptions
    -----------
    Sparse matrix times vector is bound by memory everywhere: about seven bytes of peak bandwidth for each operation.

    References
    ----------
    Dongarra, Heroux, Luszczek, "High-performance conjugate-gradient benchmark", IJHPCA 30(1), 2016 (bound by memory);
    I: ratio of HPCG results in TOP500 lists to the bandwidth of the devices.

    Examples
    --------
    3.35 TB/s at 0.145 flop/byte.

    >>> round(conjugate_gradient_rate(3.35e12, 0.145) / 1e12, 3)
    0.486
    """
    return intensity * memory_bandwidth
