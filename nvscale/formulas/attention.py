"""Attention kernels: work, cache and traffic of prefill and decode, and their time with few constants."""

from nvscale.formulas.overheads import smooth_maximum
from nvscale.ops import log, minimum
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Flop, FlopPerSecond, Ratio, Seconds

__all__ = [
    "causal_attention_compute_time",
    "causal_attention_flop",
    "decode_memory_time",
    "full_attention_flop",
    "key_value_cache_size",
    "longest_tile_flop",
    "prefill_attention_traffic",
    "softmax_bound_width",
    "split_reduction_time",
    "windowed_attention_flop",
]


def key_value_cache_size(tokens: Count, layers: Count, kv_heads: Count, head_dim: Count, element_size: Bytes) -> Bytes:
    r"""Size of the key-value cache of so many tokens.

    $$Q_{KV} = 2\,T\,L\,K\,D\,w$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens cached, over all sequences.
    layers : 1, broadcast
        Layers with attention.
    kv_heads : 1, broadcast
        Key-value heads K; fewer than the query heads in grouped-query attention.
    head_dim : 1, broadcast
        Elements D of a head.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Bytes of keys and values.

    Assumptions
    -----------
    Keys and values of one size and format; no padding of pages, no scales.

    References
    ----------
    Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023, section 2 (key-value cache), with K heads as in
    Ainslie et al., "GQA", EMNLP 2023, section 2.2.

    Examples
    --------
    Llama 3 70B in 8 bits: 80 layers, 8 key-value heads of 128 elements, 164 kB a token.

    >>> key_value_cache_size(1.0, 80.0, 8.0, 128.0, 1.0)
    163840.0
    """
    return 2.0 * tokens * layers * kv_heads * head_dim * element_size


def full_attention_flop(batch: Count, heads: Count, queries: Count, keys: Count, head_dim: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work of attention in which every query meets every key: scores and weighted sum of values.

    $$W = 2\,m\,B\,H\,S_q S_k D, \qquad m = 2$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    heads : 1, broadcast
        Query heads H.
    queries : 1, broadcast
        Query tokens per sequence; 1 in decode.
    keys : 1, broadcast
        Key tokens each of them attends to.
    head_dim : 1, broadcast
        Elements D of a head.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of both matrix products; the softmax is not counted.

    Assumptions
    -----------
    Queries, keys and values have D elements each.

    References
    ----------
    Dao et al., "FlashAttention", NeurIPS 2022, section 2.2 (two products of N x N x d).

    Examples
    --------
    One new token of 32 heads of 128 over 8192 cached tokens.

    >>> full_attention_flop(1.0, 32.0, 1.0, 8192.0, 128.0)
    134217728.0
    """
    return 2.0 * multiply_add * batch * heads * queries * keys * head_dim


def causal_attention_flop(batch: Count, heads: Count, sequence: Count, head_dim: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work of causal attention over whole sequences: half of what full attention does.

    $$W = m\,B\,H\,S^2 D = 2\,B\,H\,S^2 D$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    heads : 1, broadcast
        Query heads H.
    sequence : 1, broadcast
        Tokens S of a sequence.
    head_dim : 1, broadcast
        Elements D of a head.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of both matrix products; the softmax is not counted.

    Assumptions
    -----------
    The diagonal counts half; the exact number of pairs is S (S + 1) / 2.

    References
    ----------
    Dao, "FlashAttention-2", ICLR 2024, section 4.1: 4 x sequence² x head dimension x heads, divided by 2 for a causal mask.

    Examples
    --------
    A sequence of 16384 tokens, 32 heads of 128.

    >>> causal_attention_flop(1.0, 32.0, 16384.0, 128.0) / 1e12
    2.199
    """
    return multiply_add * batch * heads * sequence * sequence * head_dim


def windowed_attention_flop(batch: Count, heads: Count, sequence: Count, head_dim: Count, window: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work of causal attention with a sliding window.

    $$W = 2\,m\,B\,H\,D \left(S w - \frac{w^2}{2}\right), \qquad w = \min(W, S)$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    heads : 1, broadcast
        Query heads H.
    sequence : 1, broadcast
        Tokens S of a sequence.
    head_dim : 1, broadcast
        Elements D of a head.
    window : 1, broadcast
        Keys W that a query sees at most, itself among them.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of both matrix products; causal attention from W = S on.

    Assumptions
    -----------
    Kernels skip what lies outside of the window; the diagonal counts half.

    References
    ----------
    Derivation: the first w queries see a triangle of w²/2 pairs, each later one w keys (Beltagy et al., "Longformer", 2020, section 3.1).

    Examples
    --------
    A window of a quarter of the sequence leaves 7/16 of the work.

    >>> windowed_attention_flop(1.0, 1.0, 4096.0, 128.0, 1024.0) / causal_attention_flop(1.0, 1.0, 4096.0, 128.0)
    0.4375
    """
    seen = minimum(window, sequence)
    return 2.0 * multiply_add * batch * heads * head_dim * (sequence * seen - seen * seen / 2.0)


def prefill_attention_traffic(batch: Count, sequence: Count, heads: Count, kv_heads: Count, head_dim: Count, element_size: Bytes) -> Bytes:
    r"""Least traffic of prefill attention: queries, keys and values are read and outputs written once.

    $$Q = 2\,B\,S\,D\,(H + K)\,w$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    sequence : 1, broadcast
        Tokens S of a sequence.
    heads : 1, broadcast
        Query heads H.
    kv_heads : 1, broadcast
        Key-value heads K; fewer than the query heads in grouped-query attention.
    head_dim : 1, broadcast
        Elements D of a head.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Bytes that cross the memory.

    Assumptions
    -----------
    The scores stay on chip (FlashAttention); keys and values are read from memory once.

    References
    ----------
    Derivation: H heads of queries and of outputs, K heads of keys and of values, each B S D elements.

    Examples
    --------
    >>> prefill_attention_traffic(1.0, 8192.0, 32.0, 8.0, 128.0, 2.0)
    167772160.0
    """
    return 2.0 * batch * sequence * head_dim * (heads + kv_heads) * element_size


def softmax_bound_width(head_dim: Count, softmax_dim: Ratio, sharpness: Ratio) -> Ratio:
    r"""Head dimension that counts once the exponentials of the softmax take their time beside the matrix work.

    $$d = \left(D^p + d_s^p\right)^{1/p}$$

    Parameters
    ----------
    head_dim : 1, broadcast
        Elements D of a head.
    softmax_dim : 1, broadcast
        Head dimension whose matrix work takes as long as the exponential of one score.
    sharpness : 1, broadcast
        Exponent with which both overlap; large: the longer one alone counts.

    Returns
    -------
    1, broadcast
        Equivalent head dimension, at least the larger of both.

    Assumptions
    -----------
    One exponential per score, in a unit of its own that works beside the matrix unit.

    References
    ----------
    Derivation: smooth maximum of the two times per score. Shah et al., "FlashAttention-3", 2024, section 3: 989 TFLOP/s of matrix
    work against 3.9 TFLOP/s of special functions on an H100, so d_s = 989 / 3.9 / 4 = 63.

    Examples
    --------
    Exponentials that take as long as the matrix work cost 19 % at a sharpness of 4.

    >>> round(softmax_bound_width(128.0, 128.0, 4.0) / 128.0, 3)
    1.189
    """
    return smooth_maximum([head_dim, softmax_dim], sharpness)


def longest_tile_flop(query_tile: Count, sequence: Count, head_dim: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work of the longest unit of work of causal attention: the last tile of queries, which sees all keys.

    $$W_1 = 2\,m\,q\,S\,D$$

    Parameters
    ----------
    query_tile : 1, broadcast
        Queries of one unit of work.
    sequence : 1, broadcast
        Tokens S of a sequence.
    head_dim : 1, broadcast
        Elements D of a head.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of one tile of one head.

    Assumptions
    -----------
    One tile of queries of one head is worked on by one compute unit to the end.

    References
    ----------
    Dao, "FlashAttention-2", ICLR 2024, section 3.2 (parallelism over blocks of rows).

    Examples
    --------
    >>> longest_tile_flop(128.0, 8192.0, 128.0)
    536870912.0
    """
    return 2.0 * multiply_add * query_tile * sequence * head_dim


def causal_attention_compute_time(
    work: Flop,
    tile_work: Flop,
    sequence: Count,
    compute_units: Count,
    rate: FlopPerSecond,
    half_sequence: Ratio,
    tail_units: Ratio,
) -> Seconds:
    r"""Compute time of causal prefill attention, with short sequences and an uneven end.

    $$\frac{(W + g\,u\,W_1)(1 + s_h/S)}{R}$$

    Parameters
    ----------
    work : flop, broadcast
        Work of the kernel, with the head dimension that counts.
    tile_work : flop, broadcast
        Work of the longest unit of work.
    sequence : 1, broadcast
        Tokens S of a sequence.
    compute_units : 1, broadcast
        Compute units that share the work.
    rate : flop/s, broadcast
        Rate that the chip reaches in this kernel.
    half_sequence : 1, broadcast
        Tokens of a sequence at which half of the rate is reached.
    tail_units : 1, broadcast
        Longest units of work that the last compute unit is late.

    Returns
    -------
    s, broadcast
        Time of the matrix work.

    Assumptions
    -----------
    Diagonal tiles, prologue and epilogue of a unit of work cost a constant number of keys; units are handed out as they become free.

    References
    ----------
    R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM J. Applied Mathematics 17(2), 1969, theorem 2: list scheduling ends
    at most one longest job after the even split.

    Examples
    --------
    Without tail and with long sequences it is work over rate.

    >>> causal_attention_compute_time(2.2e12, 1e9, 16384.0, 132.0, 550e12, 0.0, 0.0) * 1e3
    4.0
    """
    return (work + tail_units * compute_units * tile_work) * (1.0 + half_sequence / sequence) / rate


def split_reduction_time(sequence: Count, split_tokens: Count, split_time: Seconds) -> Seconds:
    r"""Time to put together the results of a key-value cache that was split among compute units.

    $$t = t_s \ln\left(1 + \frac{S}{S_0}\right)$$

    Parameters
    ----------
    sequence : 1, broadcast
        Tokens S of a sequence.
    split_tokens : 1, broadcast
        Cached tokens of the smallest share of a split cache.
    split_time : s, broadcast
        Time of one round of the reduction, per factor e in the number of shares.

    Returns
    -------
    s, broadcast
        Time of the reduction.

    Assumptions
    -----------
    Longer caches are split further, and rounds of the reduction follow one another.

    References
    ----------
    Derivation: a tree over S/S0 shares has a depth of the logarithm (Dao et al., "Flash-Decoding for long-context inference", 2023).

    Examples
    --------
    >>> split_reduction_time(0.0, 256.0, 1e-6)
    0.0
    """
    return split_time * log(1.0 + sequence / split_tokens)


def decode_memory_time(cache_traffic: Bytes, other_traffic: Bytes, sequence: Count, half_sequence: Ratio, rate: BytesPerSecond) -> Seconds:
    r"""Time of decode attention to read its cache, with the prologue of each unit of work.

    $$t = \frac{Q_{KV}(1 + s_h/S) + Q_q}{R}$$

    Parameters
    ----------
    cache_traffic : byte, broadcast
        Bytes of the cache that are read, all sequences.
    other_traffic : byte, broadcast
        Bytes of queries and outputs.
    sequence : 1, broadcast
        Tokens S of a sequence.
    half_sequence : 1, broadcast
        Cached tokens that the prologue of a unit of work costs.
    rate : byte/s, broadcast
        Bandwidth that the kernel reaches.

    Returns
    -------
    s, broadcast
        Time of the traffic.

    Assumptions
    -----------
    Every sequence reads its own cache once; prologues grow with the number of sequences and heads, as the cache does.

    References
    ----------
    Derivation: a prologue of s_h tokens per sequence and head.

    Examples
    --------
    1 GB of cache in sequences of 64 tokens costs twice its time if a prologue takes 64 tokens.

    >>> decode_memory_time(1e9, 0.0, 64.0, 64.0, 2e12) * 1e3
    1.0
    """
    return (cache_traffic * (1.0 + half_sequence / sequence) + other_traffic) / rate
