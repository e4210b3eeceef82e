"""Transformer models: parameters of their parts, and the keys and values that they cache."""

from nvscale.ops import minimum
from nvscale.unit_types import Bytes, Count, Ratio, Share

__all__ = [
    "attention_parameters",
    "embedding_parameters",
    "feed_forward_parameters",
    "generative_transformer_parameters",
    "hybrid_cache_size",
    "routed_expert_parameters",
    "state_space_parameters",
]

Whole = Ratio


def attention_parameters(
    hidden: Count, heads: Count, kv_heads: Count, head_dim: Count, value_head_dim: Count, output_gate: Share = 0.0
) -> Count:
    r"""Parameters of the four projections of one attention layer.

    $$N = h \left(H D (1 + g) + K (D + D_v) + H D_v\right)$$

    Parameters
    ----------
    hidden : 1, broadcast
        Elements h of a token.
    heads : 1, broadcast
        Query heads H.
    kv_heads : 1, broadcast
        Key-value heads K; fewer than the query heads in grouped-query attention.
    head_dim : 1, broadcast
        Elements D of a query or key head.
    value_head_dim : 1, broadcast
        Elements D_v of a value head.
    output_gate : 1, broadcast
        1 where a gate as wide as the queries multiplies the output of the heads, else 0.

    Returns
    -------
    1, broadcast
        Weights of the projections of queries, keys, values and outputs.

    Assumptions
    -----------
    No biases; the gate is as wide as the queries.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017, section 3.2.2; Ainslie et al., "GQA", EMNLP 2023, section 2.2, for K < H.

    Examples
    --------
    A layer of Llama 3 70B: 64 query heads and 8 key-value heads of 128.

    >>> attention_parameters(8192.0, 64.0, 8.0, 128.0, 128.0)
    150994944.0
    """
    queries = heads * head_dim * (1.0 + output_gate)
    return hidden * (queries + kv_heads * (head_dim + value_head_dim) + heads * value_head_dim)


def feed_forward_parameters(hidden: Count, width: Whole, matrices: Count) -> Ratio:
    r"""Parameters of one dense feed-forward layer, gated or plain.

    $$N = n\,h\,f$$

    Parameters
    ----------
    hidden : 1, broadcast
        Elements h of a token.
    width : 1, broadcast
        Inner width f.
    matrices : 1, broadcast
        Matrices n: 3 where the layer is gated, 2 where it is plain.

    Returns
    -------
    1, broadcast
        Weights of the matrices.

    Assumptions
    -----------
    No biases.

    References
    ----------
    Shazeer, "GLU Variants Improve Transformer", 2020, equations (1) and (6).

    Examples
    --------
    >>> feed_forward_parameters(8192.0, 28672.0, 3.0)
    704643072.0
    """
    return matrices * hidden * width


def routed_expert_parameters(experts: Whole, hidden: Count, width: Whole, matrices: Count, biases: Whole = 0.0) -> Ratio:
    r"""Parameters of so many routed experts of one layer.

    $$N = E \left(n\,h\,f + b\right)$$

    Parameters
    ----------
    experts : 1, broadcast
        Experts E that count: all for the size of the model, those of a token for its work.
    hidden : 1, broadcast
        Elements h that an expert sees of a token.
    width : 1, broadcast
        Inner width f of one expert.
    matrices : 1, broadcast
        Matrices n of an expert: 3 where it is gated, 2 where it is plain.
    biases : 1, broadcast
        Biases b of one expert.

    Returns
    -------
    1, broadcast
        Weights and biases of these experts.

    Assumptions
    -----------
    All routed experts have one width.

    References
    ----------
    Jiang et al., "Mixtral of Experts", 2024, section 2.1.

    Examples
    --------
    The eight experts of a layer of Mixtral 8x7B, and the two that a token takes.

    >>> routed_expert_parameters(8.0, 4096.0, 14336.0, 3.0), routed_expert_parameters(2.0, 4096.0, 14336.0, 3.0)
    (1409286144.0, 352321536.0)
    """
    return experts * (matrices * hidden * width + biases)


def embedding_parameters(vocabulary: Count, hidden: Count, positions: Whole = 0.0) -> Count:
    r"""Parameters of the embedding of tokens, and of positions where they are learned.

    $$N = (V + P)\,h$$

    Parameters
    ----------
    vocabulary : 1, broadcast
        Rows V of the table, with its padding.
    hidden : 1, broadcast
        Elements h of a token.
    positions : 1, broadcast
        Learned positions P; 0 with rotary or relative ones.

    Returns
    -------
    1, broadcast
        Elements of the tables.

    Assumptions
    -----------
    The tables are as wide as the residual stream.

    References
    ----------
    Vaswani et al., "Attention Is All You Need", 2017, sections 3.4 and 3.5.

    Examples
    --------
    GPT-2: 50257 tokens and 1024 positions of 768 elements.

    >>> embedding_parameters(50257.0, 768.0, 1024.0)
    39383808.0
    """
    return (vocabulary + positions) * hidden


def generative_transformer_parameters(layers: Count, hidden: Count, vocabulary: Count, sequence: Count) -> Count:
    r"""Parameters of a GPT: plain feed-forward part of four widths, all biases, learned positions, one shared embedding.

    $$N = 12\,l\,h^2 \left(1 + \frac{13}{12\,h} + \frac{V + s}{12\,l\,h}\right)$$

    Parameters
    ----------
    layers : 1, broadcast
        Depth l.
    hidden : 1, broadcast
        Width h of the residual stream.
    vocabulary : 1, broadcast
        Rows V of the embedding.
    sequence : 1, broadcast
        Learned positions s.

    Returns
    -------
    1, broadcast
        Parameters of the model.

    Assumptions
    -----------
    Multi-head attention as wide as the residual stream; the output head is the embedding; without the last norm (2 h).

    References
    ----------
    Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM", SC 2021, equation (2).

    Examples
    --------
    >>> generative_transformer_parameters(96.0, 12288.0, 51200.0, 2048.0) / 1e9
    174.6
    """
    return 12.0 * layers * hidden * hidden * (1.0 + 13.0 / (12.0 * hidden) + (vocabulary + sequence) / (12.0 * layers * hidden))


def state_space_parameters(hidden: Count, heads: Count, head_dim: Count, groups: Count, state: Count, convolution: Count) -> Count:
    r"""Parameters of one Mamba-2 layer: projections in and out, short convolution, decays, steps, skips and its gated norm.

    $$N = h (2 d + 2 G S + H) + (k + 1)(d + 2 G S) + 3 H + d + d\,h, \qquad d = H P$$

    Parameters
    ----------
    hidden : 1, broadcast
        Elements h of a token.
    heads : 1, broadcast
        Heads H of the state.
    head_dim : 1, broadcast
        Elements P of one head.
    groups : 1, broadcast
        Groups G that share input and output maps of the state.
    state : 1, broadcast
        Elements S of state per element of a head.
    convolution : 1, broadcast
        Taps k of the convolution, which has a bias.

    Returns
    -------
    1, broadcast
        Parameters of the layer, without the norm in front of it.

    Assumptions
    -----------
    The projections have no biases.

    References
    ----------
    Dao and Gu, "Transformers are SSMs", ICML 2024, section 7.1 and figure 6 (parallel block), whose tensors are counted here.

    Examples
    --------
    >>> state_space_parameters(2688.0, 64.0, 64.0, 8.0, 128.0, 4.0)
    38742208.0
    """
    inner = heads * head_dim
    convolved = inner + 2.0 * groups * state
    return hidden * (inner + convolved + heads) + (convolution + 1.0) * convolved + 3.0 * heads + inner + inner * hidden


def hybrid_cache_size(
    tokens: Count, full_layers: Whole, windowed_layers: Whole, window: Count, elements: Count, element_size: Bytes, state: Whole = 0.0
) -> Bytes:
    r"""Size of the cache of one sequence in a model in which some layers see a window only and some keep a state.

    $$Q = \left((L_f T + L_w \min(T, W))\,c + Z\right) w$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the sequence.
    full_layers : 1, broadcast
        Layers that attend to all tokens.
    windowed_layers : 1, broadcast
        Layers that attend to a window.
    window : 1, broadcast
        Tokens W of the window.
    elements : 1, broadcast
        Elements c that a layer caches per token: 2 K D with heads, the latent vector with its rotary key without.
    element_size : byte, broadcast
        Bytes w per element.
    state : 1, broadcast
        Elements Z of state of all state-space or linear-attention layers.

    Returns
    -------
    byte, broadcast
        Bytes of the cache.

    Assumptions
    -----------
    What left the window is freed; the state is stored in the same format; no padding of pages.

    References
    ----------
    Derivation: a windowed layer never reads a key older than its window (Beltagy et al., "Longformer", 2020, section 3.1).

    Examples
    --------
    Half of the layers with a window of an eighth of the sequence: 9/16 of the cache.

    >>> hybrid_cache_size(8192.0, 18.0, 18.0, 1024.0, 1024.0, 2.0) / hybrid_cache_size(8192.0, 36.0, 0.0, 1024.0, 1024.0, 2.0)
    0.5625
    """
    cached = full_layers * tokens + windowed_layers * minimum(tokens, window)
    return (cached * elements + state) * element_size
