"""Multi-head latent attention (DeepSeek): cache, work and traffic, absorbed or expanded, and its projections."""

from nvscale.ops import ceil, where
from nvscale.unit_types import Bytes, Count, Flop, Ratio

__all__ = [
    "absorbed_score_width",
    "expanded_score_width",
    "latent_attention_flop",
    "latent_cache_size",
    "latent_passes",
    "latent_prefill_traffic",
    "latent_projection_activations",
    "latent_projection_parameters",
]


def latent_cache_size(tokens: Count, layers: Count, latent_dim: Count, rotary_dim: Count, element_size: Bytes) -> Bytes:
    r"""Size of the latent cache of so many tokens; it does not grow with the number of heads.

    $$Q = T\,L\,(d_c + d_R)\,w$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens cached, over all sequences.
    layers : 1, broadcast
        Layers with attention.
    latent_dim : 1, broadcast
        Elements of the compressed key-value vector; 512 in DeepSeek-V3.
    rotary_dim : 1, broadcast
        Elements of the shared rotary key; 64 in DeepSeek-V3.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Bytes of latent vectors and rotary keys.

    Assumptions
    -----------
    One format for both parts; no padding of pages, no scales.

    References
    ----------
    DeepSeek-AI, "DeepSeek-V2", 2024, table 1: (d_c + d_R) l elements per token.

    Examples
    --------
    DeepSeek-V3: 576 bytes per token and layer in 8 bits, 70 kB a token in bf16 and 61 layers.

    >>> latent_cache_size(1.0, 1.0, 512.0, 64.0, 1.0), latent_cache_size(1.0, 61.0, 512.0, 64.0, 2.0)
    (576.0, 70272.0)
    """
    return tokens * layers * (latent_dim + rotary_dim) * element_size


def absorbed_score_width(latent_dim: Count, rotary_dim: Count) -> Count:
    r"""Multiply-adds per pair of query and key when the up-projections are absorbed into queries and outputs.

    $$f = (d_c + d_R) + d_c$$

    Parameters
    ----------
    latent_dim : 1, broadcast
        Elements of the compressed key-value vector; 512 in DeepSeek-V3.
    rotary_dim : 1, broadcast
        Elements of the shared rotary key; 64 in DeepSeek-V3.

    Returns
    -------
    1, broadcast
        Multiply-adds per pair and head.

    Assumptions
    -----------
    Scores over latent vector and rotary key, weighted sum over latent vectors.

    References
    ----------
    DeepSeek-AI, "DeepSeek-V2", 2024, section 2.1.2 (absorption of the up-projections).

    Examples
    --------
    >>> absorbed_score_width(512.0, 64.0)
    1088.0
    """
    return 2.0 * latent_dim + rotary_dim


def expanded_score_width(key_dim: Count, rotary_dim: Count, value_dim: Count) -> Count:
    r"""Multiply-adds per pair of query and key when keys and values are expanded to all heads.

    $$f = (d_k + d_R) + d_v$$

    Parameters
    ----------
    key_dim : 1, broadcast
        Elements of a key without rotary part; 128 in DeepSeek-V3.
    rotary_dim : 1, broadcast
        Elements of the rotary part; 64 in DeepSeek-V3.
    value_dim : 1, broadcast
        Elements of a value; 128 in DeepSeek-V3.

    Returns
    -------
    1, broadcast
        Multiply-adds per pair and head.

    Assumptions
    -----------
    Expansion is done before, by the projections.

    References
    ----------
    DeepSeek-AI, "DeepSeek-V3", 2024, section 4.2 (per-head dimension 128, decoupled rotary dimension 64).

    Examples
    --------
    >>> expanded_score_width(128.0, 64.0, 128.0)
    320.0
    """
    return key_dim + rotary_dim + value_dim


def latent_attention_flop(batch: Count, heads: Count, queries: Count, keys: Ratio, score_width: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work of latent attention without its projections.

    $$W = m\,B\,H\,S_q S_k f$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    heads : 1, broadcast
        Query heads H.
    queries : 1, broadcast
        Query tokens per sequence; 1 in decode.
    keys : 1, broadcast
        Key tokens each of them attends to on average; half of the sequence when causal.
    score_width : 1, broadcast
        Multiply-adds per pair of query and key and head.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of both matrix products.

    Assumptions
    -----------
    The softmax is not counted.

    References
    ----------
    Derivation: one pair of query and key takes f multiply-adds in every head.

    Examples
    --------
    Decode of 128 heads over 8192 cached tokens: 1088 multiply-adds per token and head, 242 flop per byte of a bf16 cache.

    >>> latent_attention_flop(1.0, 128.0, 1.0, 8192.0, 1088.0) / latent_cache_size(8192.0, 1.0, 512.0, 64.0, 2.0)
    241.8
    """
    return multiply_add * batch * heads * queries * keys * score_width


def latent_prefill_traffic(
    batch: Count,
    sequence: Count,
    heads: Count,
    head_elements: Count,
    cache_row: Count,
    element_size: Bytes,
    kv_element_size: Bytes,
) -> Bytes:
    r"""Traffic of latent prefill attention: what every head reads and writes, and the latent rows of the cache.

    $$Q = B\,S\,(e\,H\,w + (d_c + d_R)\,w_{KV})$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    sequence : 1, broadcast
        Tokens S of a sequence.
    heads : 1, broadcast
        Query heads H.
    head_elements : 1, broadcast
        Elements read and written per head and token.
    cache_row : 1, broadcast
        Elements of the latent cache per token.
    element_size : byte, broadcast
        Bytes per element.
    kv_element_size : byte, broadcast
        Bytes per element of the cache.

    Returns
    -------
    byte, broadcast
        Bytes that cross the memory.

    Assumptions
    -----------
    The scores stay on chip; each tensor crosses the memory once.

    References
    ----------
    Derivation: 640 elements per head and token when expanded (query and key 192, value and output 128),
    1088 when absorbed (query 576, output 512).

    Examples
    --------
    >>> latent_prefill_traffic(1.0, 1024.0, 128.0, 640.0, 576.0, 2.0, 2.0)
    168951808.0
    """
    return batch * sequence * (head_elements * heads * element_size + cache_row * kv_element_size)


def latent_passes(heads: Count, head_tile: Count, wide_heads: Count) -> Ratio:
    r"""Times that latent decode attention reads the cache, because a tile serves only some of the heads.

    $$p = \lceil H / H_t \rceil \text{ below } H_w \text{ heads, else } 1$$

    Parameters
    ----------
    heads : 1, broadcast
        Query heads H.
    head_tile : 1, broadcast
        Query heads that one tile of latent rows serves.
    wide_heads : 1, broadcast
        Query heads from which one tile serves them all.

    Returns
    -------
    1, broadcast
        Passes, at least 1.

    Assumptions
    -----------
    Kernels for many heads work on pairs of tiles that share what they read.

    References
    ----------
    Derivation: whole tiles of heads; that later passes come cheaper is left to the time.

    Examples
    --------
    >>> latent_passes(32.0, 16.0, 64.0), latent_passes(128.0, 16.0, 64.0)
    (2.0, 1.0)
    """
    return where(heads < wide_heads, ceil(heads / head_tile), 1.0)


def latent_projection_parameters(
    hidden: Count,
    heads: Count,
    query_rank: Count,
    latent_dim: Count,
    rotary_dim: Count,
    key_dim: Count,
    value_dim: Count,
) -> Count:
    r"""Weights of the projections around latent attention, with so many heads on the chip.

    $$N = h (r_q + d_c + d_R) + H \left(r_q (d_k + d_R) + d_c (d_k + d_v) + d_v h\right)$$

    Parameters
    ----------
    hidden : 1, broadcast
        Elements of a token; 7168 in DeepSeek-V3.
    heads : 1, broadcast
        Query heads H.
    query_rank : 1, broadcast
        Elements of the compressed query; 1536 in DeepSeek-V3.
    latent_dim : 1, broadcast
        Elements of the compressed key-value vector; 512.
    rotary_dim : 1, broadcast
        Elements of the rotary part; 64.
    key_dim : 1, broadcast
        Elements of a key without rotary part; 128.
    value_dim : 1, broadcast
        Elements of a value; 128.

    Returns
    -------
    1, broadcast
        Number of weights.

    Assumptions
    -----------
    Down-projections are held by every chip, up-projections and output by heads; norms are left out.

    References
    ----------
    DeepSeek-AI, "DeepSeek-V2", 2024, equations (37)-(47) in appendix C.

    Examples
    --------
    A layer of DeepSeek-V3 with all 128 heads.

    >>> latent_projection_parameters(7168.0, 128.0, 1536.0, 512.0, 64.0, 128.0, 128.0) / 1e6
    187.1
    """
    by_head = query_rank * (key_dim + rotary_dim) + latent_dim * (key_dim + value_dim) + value_dim * hidden
    return hidden * (query_rank + latent_dim + rotary_dim) + heads * by_head


def latent_projection_activations(
    tokens: Count,
    hidden: Count,
    heads: Count,
    query_rank: Count,
    latent_dim: Count,
    rotary_dim: Count,
    key_dim: Count,
    value_dim: Count,
    element_size: Bytes,
) -> Bytes:
    r"""Bytes of the activations between the projections around latent attention, each written and read once.

    $$A = 2\,T\,w \left(h + r_q + d_c + d_R + H (d_k + d_R + d_k + d_v + d_v)\right)$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T.
    hidden : 1, broadcast
        Elements of a token; 7168 in DeepSeek-V3.
    heads : 1, broadcast
        Query heads H.
    query_rank : 1, broadcast
        Elements of the compressed query; 1536 in DeepSeek-V3.
    latent_dim : 1, broadcast
        Elements of the compressed key-value vector; 512.
    rotary_dim : 1, broadcast
        Elements of the rotary part; 64.
    key_dim : 1, broadcast
        Elements of a key without rotary part; 128.
    value_dim : 1, broadcast
        Elements of a value; 128.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Traffic of the activations.

    Assumptions
    -----------
    Nothing is fused; one format.

    References
    ----------
    Derivation: input and output, compressed vectors, and queries, keys, values and outputs of every head.

    Examples
    --------
    >>> latent_projection_activations(1.0, 7168.0, 128.0, 1536.0, 512.0, 64.0, 128.0, 128.0, 2.0)
    332032.0
    """
    by_head = key_dim + rotary_dim + key_dim + value_dim + value_dim
    return 2.0 * tokens * element_size * (hidden + query_rank + latent_dim + rotary_dim + heads * by_head)
