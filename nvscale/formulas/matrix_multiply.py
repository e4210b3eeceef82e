"""Matrix multiplies: work, traffic, and the time of a kernel with its launch, waves, serial chain and pipeline."""

from nvscale.ops import ceil, maximum, minimum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Flop, Ratio, Seconds, Share

__all__ = [
    "cached_share",
    "filling_time",
    "memory_time",
    "multiply_traffic",
    "multiply_work",
    "quantisation_traffic",
    "serial_chain_time",
    "wave_loss",
]


def multiply_work(m: Count, n: Count, k: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Operations of a matrix multiply.

    $$F = 2\,m\,n\,k$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    k : 1, broadcast
        Inner length.
    multiply_add : flop, broadcast
        Operations of one multiply with its addition: 2.

    Returns
    -------
    flop, broadcast
        Operations.

    Assumptions
    -----------
    The classic algorithm, nothing skipped.

    References
    ----------
    Golub, Van Loan, "Matrix Computations", 4th edition, 2013, section 1.1.11 (2mnk flops).

    Examples
    --------
    >>> multiply_work(4096.0, 4096.0, 4096.0)
    137438953472.0
    """
    return multiply_add * (m * n * k)


def multiply_traffic(m: Count, n: Count, k: Count, weight_size: Bytes, activation_size: Bytes, product_size: Bytes) -> Bytes:
    r"""Least traffic of a matrix multiply whose three matrices are stored differently.

    $$Q = n k\,w + m k\,a + m n\,o$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the activations and of the product.
    n : 1, broadcast
        Columns of the weights and of the product.
    k : 1, broadcast
        Inner length.
    weight_size : byte, broadcast
        Bytes per weight, block scales shared out.
    activation_size : byte, broadcast
        Bytes per activation.
    product_size : byte, broadcast
        Bytes per element of the product.

    Returns
    -------
    byte, broadcast
        Traffic with every operand read or written once.

    Assumptions
    -----------
    Perfect reuse on the chip; the product is not read.

    References
    ----------
    Derivation: each matrix crosses the memory once (compulsory traffic).

    Examples
    --------
    Four-bit weights with a scale byte for 16 of them: 0.5625 byte each.

    >>> multiply_traffic(1.0, 4096.0, 4096.0, 0.5625, 2.0, 2.0)
    9453568.0
    """
    return n * k * weight_size + m * k * activation_size + m * n * product_size


def quantisation_traffic(m: Count, k: Count, moved_per_element: Bytes) -> Bytes:
    r"""Traffic of the kernels that quantise the activations before a multiply.

    $$Q_q = m\,k\,q$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the activations.
    k : 1, broadcast
        Columns of the activations.
    moved_per_element : byte, broadcast
        Bytes read and written per element: with one scale per tensor twice the wide format and once the narrow one.

    Returns
    -------
    byte, broadcast
        Traffic of the quantisation.

    Assumptions
    -----------
    Kernels of their own that nothing hides and nothing is fused with.

    References
    ----------
    Derivation: a scale per tensor needs the largest value first (one read), then a read and a write.

    Examples
    --------
    From bf16 to fp8 with one scale: 2 + 2 + 1 bytes.

    >>> quantisation_traffic(1024.0, 4096.0, 5.0)
    20971520.0
    """
    return m * k * moved_per_element


def cached_share(weights: Bytes, others: Bytes, cache: Bytes, copies: Count = 1.0) -> Share:
    r"""Whether a kernel that is run again and again finds its operands in the last-level cache: 1 or 0.

    $$h = \left[\min\left(c, \max\left(1, \left\lceil Z/W \right\rceil\right)\right) W + A \le Z\right]$$

    Parameters
    ----------
    weights : byte, broadcast
        Bytes W of one copy of the weights, above 0.
    others : byte, broadcast
        Bytes A of activations and product.
    cache : byte, broadcast
        Size Z of the cache.
    copies : 1, broadcast
        Copies c of the weights that the benchmark cycles through, to keep them out of the cache.

    Returns
    -------
    1, broadcast
        1 if everything stays in the cache, else 0.

    Assumptions
    -----------
    Least recently used replacement of a cyclic sweep: all or nothing stays. Inside a model the weights are cold: cache 0.

    References
    ----------
    Derivation: a cyclic sweep over more than the cache holds evicts each line before it is used again.

    Examples
    --------
    Three copies of 10 MB and 2 MB more fit 50 MB, five do not.

    >>> cached_share(10e6, 2e6, 50e6, 3.0), cached_share(10e6, 2e6, 50e6, 5.0)
    (1.0, 0.0)
    """
    held = minimum(copies, maximum(1.0, ceil(cache / weights))) * weights + others
    return where(held <= cache, 1.0, 0.0)


def memory_time(
    traffic: Bytes, bandwidth: BytesPerSecond, efficiency: Ratio = 1.0, cached: Share = 0.0, cache_gain: Ratio = 1.0
) -> Seconds:
    r"""Time to move data of which a share comes from a cache that is a few times faster than memory.

    $$t_m = \frac{Q}{\eta B}\left(1 - h + \frac{h}{g}\right)$$

    Parameters
    ----------
    traffic : byte, broadcast
        Bytes moved.
    bandwidth : byte/s, broadcast
        Peak bandwidth of the memory.
    efficiency : 1, broadcast
        Share of the peak that is reached.
    cached : 1, broadcast
        Share h of the bytes that the cache delivers.
    cache_gain : 1, broadcast
        How many times faster the cache is.

    Returns
    -------
    s, broadcast
        Time, without latency.

    Assumptions
    -----------
    Cache and memory deliver one after the other.

    References
    ----------
    Derivation: the two parts of the bytes at their own rates, added.

    Examples
    --------
    >>> memory_time(3.35e9, 3.35e12, 0.8, 1.0, 4.0)
    0.0003125
    """
    return traffic / (efficiency * bandwidth) * (1.0 - cached + cached / cache_gain)


def wave_loss(m: Count, n: Count, compute_units: Count, exposure: Ratio, tile_m: Count, tile_n: Count) -> Ratio:
    r"""Factor on compute time for a last wave of tiles that leaves compute units idle.

    $$\left(\frac{\lceil x \rceil}{x}\right)^s, \qquad x = \frac{\lceil m/m_t \rceil \lceil n/n_t \rceil}{U}$$

    Parameters
    ----------
    m : 1, broadcast
        Rows of the product.
    n : 1, broadcast
        Columns of the product.
    compute_units : 1, broadcast
        Tiles that are computed at once.
    exposure : 1, broadcast
        Exponent s: 1 for whole waves, 0 for none (persistent kernels, split inner loop).
    tile_m : 1, broadcast
        Rows of a tile.
    tile_n : 1, broadcast
        Columns of a tile.

    Returns
    -------
    1, broadcast
        Factor, at least 1.

    Assumptions
    -----------
    One tile size for all shapes; libraries choose smaller tiles for small products, which is what s < 1 says.

    References
    ----------
    NVIDIA, "Matrix Multiplication Background User's Guide", 2023, section "Wave Quantization"; the exponent is an interpolation.

    Examples
    --------
    Tiles for 1.25 waves take two waves: a factor of 1.6, of which the square root is felt.

    >>> round(wave_loss(1280.0, 2560.0, 80.0, 1.0, 128.0, 256.0), 4), round(wave_loss(1280.0, 2560.0, 80.0, 0.5, 128.0, 256.0), 4)
    (1.6, 1.2649)
    """
    waves = ceil(m / tile_m) * ceil(n / tile_n) / compute_units
    return (ceil(waves) / waves) ** exposure


def serial_chain_time(k: Count, step: Seconds) -> Seconds:
    r"""Time of the inner loop of one output tile, which nothing can shorten but splitting it.

    $$t_k = k\,\lambda$$

    Parameters
    ----------
    k : 1, broadcast
        Inner length.
    step : s, broadcast
        Time of the loop per element of the inner length.

    Returns
    -------
    s, broadcast
        Time of the chain.

    Assumptions
    -----------
    The inner loop of a tile is run by one compute unit, load and multiply in a fixed rhythm.

    References
    ----------
    Derivation: the critical path of a sum of k terms kept in one place.

    Examples
    --------
    >>> round(serial_chain_time(8192.0, 1e-9) * 1e6, 3)
    8.192
    """
    return k * step


def filling_time(busy: Seconds, limit: Seconds) -> Seconds:
    r"""Time that filling and draining a pipeline add: grows with the work while it is short, up to a limit.

    $$t_f = \frac{T\,\Delta}{T + \Delta}$$

    Parameters
    ----------
    busy : s, broadcast
        Time T of the pipeline in steady state, above 0.
    limit : s, broadcast
        Most that filling and draining can take.

    Returns
    -------
    s, broadcast
        Time on top of T, below both T and the limit.

    Assumptions
    -----------
    A kernel shorter than the pipeline fills only a part of it.

    References
    ----------
    Derivation: half the harmonic mean of T and the limit, the smooth minimum of the two.

    Examples
    --------
    >>> round(filling_time(20e-6, 2e-6) * 1e6, 3)
    1.818
    """
    return busy * limit / (busy + limit)
