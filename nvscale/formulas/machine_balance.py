"""Machine balance: least traffic of matrix multiplies, memory for balance, and the execution-cache-memory (ECM) model."""

from collections.abc import Sequence

from nvscale.ops import ceil, maximum, minimum, sqrt
from nvscale.unit_types import Bytes, Count, Flop, FlopPerSecond, Ratio, Seconds

__all__ = [
    "ecm_multicore_rate",
    "ecm_saturation_cores",
    "ecm_time",
    "kung_memory_for_balance",
    "matmul_traffic_lower_bound",
]


def matmul_traffic_lower_bound(m: Count, n: Count, k: Count, fast_memory: Bytes, element_size: Bytes) -> Bytes:
    r"""Traffic that no order of an ordinary matrix multiply can avoid.

    $$Q \ge \left(\frac{2mnk}{\sqrt{Z}} - 2Z\right) w, \qquad Z = \frac{M}{w}$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    k : 1, broadcast
        Inner length.
    fast_memory : byte, broadcast
        Size M of the fast memory, which holds Z elements.
    element_size : byte, broadcast
        Bytes w per element.

    Returns
    -------
    byte, broadcast
        Lower bound, at least 0; where all fits it is weaker than `memory.compulsory_matmul_traffic`.

    Assumptions
    -----------
    All m n k multiply-adds are done (no Strassen), in two levels of memory.

    References
    ----------
    Smith, Lowery, Langou, van de Geijn, "A Tight I/O Lower Bound for Matrix Multiplication", arXiv 1702.02017, 2019, abstract;
    order of growth: Hong, Kung, STOC 1981; Irony, Toledo, Tiskin, JPDC 64(9), 2004.

    Examples
    --------
    Fast memory of 16,384 elements: 128-fold reuse, less what it holds already.

    >>> matmul_traffic_lower_bound(4096.0, 4096.0, 4096.0, 16384.0, 1.0) == 2 * 4096.0**3 / 128 - 2 * 16384
    True
    """
    held = fast_memory / element_size
    return maximum(0.0, (2.0 * m * n * k / sqrt(held) - 2.0 * held) * element_size)


def kung_memory_for_balance(fast_memory: Bytes, balance_growth: Ratio) -> Bytes:
    r"""Fast memory that keeps matrix multiplies compute bound when compute outgrows bandwidth.

    $$M' = \alpha^2 M$$

    Parameters
    ----------
    fast_memory : byte, broadcast
        Fast memory with which the machine was balanced.
    balance_growth : 1, broadcast
        Factor by which the ratio of compute rate to bandwidth grows.

    Returns
    -------
    byte, broadcast
        Fast memory needed afterwards.

    Assumptions
    -----------
    Blocked matrix multiply (or another kernel whose intensity grows with the square root of the fast memory).

    References
    ----------
    Kung, "Memory requirements for balanced computer architectures", ISCA 1986, matrix computations;
    derivation: by `matmul_traffic_lower_bound` intensity grows with the square root of the memory.

    Examples
    --------
    Twice the compute at the same bandwidth needs four times the memory.

    >>> kung_memory_for_balance(50e6, 2.0) / 1e6
    200.0
    """
    return fast_memory * balance_growth**2


def ecm_time(overlapping_time: Seconds, non_overlapping_time: Seconds, transfer_times: Sequence[Seconds]) -> Seconds:
    r"""Time of one core for a unit of work in the execution-cache-memory model.

    $$T = \max\left(T_{OL},\; T_{nOL} + \sum_l T_l\right)$$

    Parameters
    ----------
    overlapping_time : s, broadcast
        In-core time that overlaps with transfers (arithmetic).
    non_overlapping_time : s, broadcast
        In-core time that does not (loads into registers).
    transfer_times : sequence of s, broadcast
        Transfer time between neighbouring levels, down to where the data lies.

    Returns
    -------
    s, broadcast
        Time for the unit of work; all times may be in cycles as well.

    Assumptions
    -----------
    No overlap between transfers at different levels (the older Intel cores); throughput limited, latency hidden.

    References
    ----------
    Erlangen National High Performance Computing Center, "ECM Performance Model", web page; Stengel, Treibig, Hager, Wellein, ICS 2015.

    Examples
    --------
    In-core 4 cycles of arithmetic and 2 of loads; transfers of 3, 5 and 9 cycles.

    >>> ecm_time(4.0, 2.0, [3.0, 5.0, 9.0])
    19.0
    """
    return maximum(overlapping_time, non_overlapping_time + sum(transfer_times))


def ecm_saturation_cores(single_core_time: Seconds, memory_time: Seconds) -> Count:
    r"""Number of cores that saturate the memory bandwidth in the execution-cache-memory model.

    $$n_s = \left\lceil \frac{T}{T_{mem}} \right\rceil$$

    Parameters
    ----------
    single_core_time : s, broadcast
        Time of one core for a unit of work (`ecm_time`).
    memory_time : s, broadcast
        Part of it that the memory transfer takes, above 0.

    Returns
    -------
    1, broadcast
        Cores at which the shared memory becomes the limit.

    Assumptions
    -----------
    Memory bandwidth is the only shared resource.

    References
    ----------
    Erlangen National High Performance Computing Center, "ECM Performance Model", web page; Stengel, Treibig, Hager, Wellein, ICS 2015.

    Examples
    --------
    >>> ecm_saturation_cores(19.0, 9.0)
    3.0
    """
    return ceil(single_core_time / memory_time)


def ecm_multicore_rate(cores: Count, work: Flop, single_core_time: Seconds, memory_time: Seconds) -> FlopPerSecond:
    r"""Rate of several cores: linear up to the roof of the shared memory.

    $$P(n) = \min\left(n \frac{W}{T}, \frac{W}{T_{mem}}\right)$$

    Parameters
    ----------
    cores : 1, broadcast
        Cores at work.
    work : flop, broadcast
        Operations in the unit of work.
    single_core_time : s, broadcast
        Time of one core for the unit of work (`ecm_time`).
    memory_time : s, broadcast
        Memory transfer time of the unit of work, above 0.

    Returns
    -------
    flop/s, broadcast
        Rate of all cores.

    Assumptions
    -----------
    Perfect scaling until the memory saturates.

    References
    ----------
    Erlangen National High Performance Computing Center, "ECM Performance Model", web page; Stengel, Treibig, Hager, Wellein, ICS 2015.

    Examples
    --------
    >>> ecm_multicore_rate(2.0, 16.0, 20e-9, 8e-9) / 1e9
    1.6
    """
    return minimum(cores * work / single_core_time, work / memory_time)
