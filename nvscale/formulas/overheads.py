"""Overheads: what a kernel loses to a roofline by partial overlap, launches and whole tiles and waves."""

from collections.abc import Sequence

from nvscale.ops import ceil, maximum, where
from nvscale.unit_types import Count, Ratio, Seconds, Share

__all__ = [
    "output_tiles",
    "partial_overlap_time",
    "smooth_maximum",
    "tile_utilisation",
    "time_with_launches",
    "wave_utilisation",
]

_INFINITE = float("inf")


def partial_overlap_time(times: Sequence[Seconds], overlap: Share = 1.0) -> Seconds:
    r"""Time of activities that overlap in part, between their sum and their maximum.

    $$t = w \max_i t_i + (1 - w) \sum_i t_i$$

    Parameters
    ----------
    times : sequence of s, broadcast
        Time of each activity alone (compute, memory, network ...), at least one.
    overlap : 1, broadcast
        Share w of the shorter activities that is hidden: 0 gives the sum, 1 the maximum.

    Returns
    -------
    s, broadcast
        Time of all together.

    Assumptions
    -----------
    The same share of every shorter activity is hidden behind the longest.

    References
    ----------
    Derivation: linear between the two bounds; the bounds in Austin et al., "How to Scale Your Model", 2025, chapter "All About Rooflines".

    Examples
    --------
    Half of 4 ms of communication hides behind 10 ms of compute.

    >>> partial_overlap_time([10e-3, 4e-3], 0.5) * 1e3
    12.0
    """
    return overlap * maximum(0.0, *times) + (1.0 - overlap) * sum(times)


def smooth_maximum(times: Sequence[Seconds], sharpness: Count) -> Seconds:
    r"""Maximum with a rounded corner: the p-norm of the times, from the sum (p = 1) to the maximum (p infinite).

    $$t = \left(\sum_i t_i^p\right)^{1/p} = M \left(\sum_i (t_i/M)^p\right)^{1/p}, \qquad M = \max_i t_i$$

    Parameters
    ----------
    times : sequence of s, broadcast
        Times of activities that overlap, at least one; any other unit does as well.
    sharpness : 1, broadcast
        Exponent p, from 1 on; with two equal times the result is 2^(1/p) times the maximum.

    Returns
    -------
    s, broadcast
        Smoothed maximum, 0 if all times are 0.

    Assumptions
    -----------
    Near the ridge point neither resource is perfectly used; away from it the longest time alone counts.

    References
    ----------
    Derivation: the p-norm, with the maximum factored out so that no power overflows or vanishes.

    Examples
    --------
    >>> smooth_maximum([3.0, 4.0], 2.0)
    5.0
    """
    largest = maximum(0.0, *times)
    scale = where(largest > 0.0, largest, _INFINITE)
    return largest * sum((time / scale) ** sharpness for time in times) ** (1.0 / sharpness)


def time_with_launches(launches: Ratio, launch_time: Seconds, compute_time: Seconds, memory_time: Seconds) -> Seconds:
    r"""Time of a series of kernels: launches, then the longer of compute and memory.

    $$t = n\,t_l + \max(t_c, t_m)$$

    Parameters
    ----------
    launches : 1, broadcast
        Number of kernels n.
    launch_time : s, broadcast
        Overhead of one launch that nothing hides.
    compute_time : s, broadcast
        Compute time of all kernels together.
    memory_time : s, broadcast
        Memory time of all kernels together.

    Returns
    -------
    s, broadcast
        Run time.

    Assumptions
    -----------
    Launches are not hidden behind earlier kernels; all kernels are bound by the same resource.

    References
    ----------
    Wang et al., "Time-Based Roofline for Deep Learning Performance Analysis", arXiv 2009.04598, 2020 (launch overhead as a time floor).

    Examples
    --------
    300 launches of 4 us add 1.2 ms to 5 ms of memory traffic.

    >>> time_with_launches(300.0, 4e-6, 2e-3, 5e-3) * 1e3
    6.2
    """
    return launches * launch_time + maximum(compute_time, memory_time)


def output_tiles(m: Count, n: Count, tile_m: Count, tile_n: Count) -> Count:
    r"""Number of tiles that cover the product of a matrix multiply.

    $$T = \left\lceil \frac{m}{a} \right\rceil \left\lceil \frac{n}{b} \right\rceil$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    tile_m : 1, broadcast
        Rows a of a tile.
    tile_n : 1, broadcast
        Columns b of a tile.

    Returns
    -------
    1, broadcast
        Number of tiles.

    Assumptions
    -----------
    One tile shape for the whole product; the inner length is not split.

    References
    ----------
    NVIDIA, "Matrix Multiplication Background User's Guide", DU-09799-001, 2023, section 3.1.

    Examples
    --------
    >>> output_tiles(1792.0, 1792.0, 256.0, 128.0)
    98.0
    """
    return ceil(m / tile_m) * ceil(n / tile_n)


def tile_utilisation(m: Count, n: Count, tile_m: Count, tile_n: Count) -> Share:
    r"""Share of useful work when a product is computed in whole tiles.

    $$u = \frac{m\,n}{\lceil m/a \rceil a\;\lceil n/b \rceil b}$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    tile_m : 1, broadcast
        Rows a of a tile.
    tile_n : 1, broadcast
        Columns b of a tile.

    Returns
    -------
    1, broadcast
        Useful share of the tiles, at most 1.

    Assumptions
    -----------
    A tile that sticks out costs as much as a full one.

    References
    ----------
    NVIDIA, "Matrix Multiplication Background User's Guide", DU-09799-001, 2023, section 3.1 (tile quantization).

    Examples
    --------
    One column more than two tiles: nearly a third of the work is lost.

    >>> round(tile_utilisation(256.0, 257.0, 128.0, 128.0), 4)
    0.6693
    """
    return m * n / (ceil(m / tile_m) * tile_m * ceil(n / tile_n) * tile_n)


def wave_utilisation(tiles: Count, processors: Count) -> Share:
    r"""Share of busy processors when tiles are computed in whole waves.

    $$u = \frac{T/P}{\lceil T/P \rceil}$$

    Parameters
    ----------
    tiles : 1, broadcast
        Tiles to compute.
    processors : 1, broadcast
        Tiles that run at once (multiprocessors times tiles per multiprocessor).

    Returns
    -------
    1, broadcast
        Busy share, at most 1.

    Assumptions
    -----------
    All tiles take the same time; no work is split to fill the last wave.

    References
    ----------
    NVIDIA, "Matrix Multiplication Background User's Guide", DU-09799-001, 2023, section 3.2 (wave quantization).

    Examples
    --------
    120 tiles on the 108 multiprocessors of an A100 need two waves.

    >>> round(wave_utilisation(120.0, 108.0), 4)
    0.5556
    """
    return tiles / processors / ceil(tiles / processors)
