"""Data that a kernel finds in cache because it was there a moment ago: replayed working sets."""

from nvscale.ops import minimum
from nvscale.unit_types import Bytes, BytesPerSecond, Ratio, Share

__all__ = [
    "cache_hit_share",
    "replayed_traffic",
]


def cache_hit_share(working_set: Bytes, capacity: Bytes, sharpness: Ratio) -> Share:
    r"""Share of a working set, used over and over, that still lies in cache when its turn comes again.

    $$h = \frac{1}{1 + (Q/C)^p}$$

    Parameters
    ----------
    working_set : byte, broadcast
        Bytes that one round touches.
    capacity : byte, broadcast
        Capacity of the cache, above 0.
    sharpness : 1, broadcast
        Exponent p of the step; 8 is close to a least-recently-used cache.

    Returns
    -------
    1, broadcast
        Share of hits, 1/2 where the working set is as large as the cache.

    Assumptions
    -----------
    Every round touches the same bytes in the same order, so that a least-recently-used cache keeps all or nothing.

    References
    ----------
    Derivation: a smooth step of height 1 at Q = C.

    Examples
    --------
    A working set of half the cache hits nearly always.

    >>> round(cache_hit_share(25e6, 50e6, 8.0), 3)
    0.996
    """
    return 1.0 / (1.0 + (working_set / capacity) ** sharpness)


def replayed_traffic(working_set: Bytes, hit_share: Share, bandwidth: BytesPerSecond, cache_bandwidth: BytesPerSecond) -> Bytes:
    r"""Bytes of memory that would take as long as a working set of which a part comes out of the cache.

    $$Q' = Q\left(1 - h + h \min\left(1, \frac{B}{B_c}\right)\right)$$

    Parameters
    ----------
    working_set : byte, broadcast
        Bytes that one round touches.
    hit_share : 1, broadcast
        Share of them that the cache holds.
    bandwidth : byte/s, broadcast
        Bandwidth of the memory.
    cache_bandwidth : byte/s, broadcast
        Bandwidth of the cache.

    Returns
    -------
    byte, broadcast
        Equivalent memory traffic, at most the working set.

    Assumptions
    -----------
    Hits and misses follow one another; a cache slower than the memory is passed by.

    References
    ----------
    Derivation: time of the hits at the cache bandwidth plus time of the misses at the memory bandwidth, times the memory bandwidth.

    Examples
    --------
    All of it in a cache three times as fast counts as a third.

    >>> replayed_traffic(30e6, 1.0, 3e12, 9e12)
    10000000.0
    """
    return working_set * (1.0 - hit_share + hit_share * minimum(1.0, bandwidth / cache_bandwidth))
