"""Work of training a transformer per token, by every published way of counting it."""

from nvscale.ops import minimum
from nvscale.unit_types import Count, Flop, Ratio

__all__ = [
    "attention_flop_per_token",
    "causal_flop_per_token",
    "causal_keys",
    "full_attention_flop_per_token",
    "generative_transformer_iteration_flop",
    "palm_flop_per_token",
    "parameter_flop_per_token",
    "recomputed_flop_per_token",
    "state_flop_per_token",
    "windowed_keys",
]


def parameter_flop_per_token(parameters: Ratio, multiply_add: Flop = 2.0, passes: Ratio = 3.0) -> Flop:
    r"""Work per token from the parameters alone: forward, and twice as much backward.

    $$W = p\,m\,N = 6 N$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters N that take part in a multiply: those in use by a token, in a model with experts.
    multiply_add : flop, broadcast
        Work of one multiply with its add.
    passes : 1, broadcast
        Forward passes that the work is worth: 1 for inference, 3 for training, 4 with everything recomputed.

    Returns
    -------
    flop, broadcast
        Work per token.

    Assumptions
    -----------
    Every parameter counted is used in one multiply per token; attention scores are left out.

    References
    ----------
    Kaplan et al., "Scaling Laws for Neural Language Models", 2020, section 2.1: C = 6 N.

    Examples
    --------
    >>> parameter_flop_per_token(70e9) / 1e9
    420.0
    """
    return passes * multiply_add * parameters


def causal_keys(sequence: Count) -> Ratio:
    r"""Keys that a query of a causal layer meets on average.

    $$k = \frac{s}{2}$$

    Parameters
    ----------
    sequence : 1, broadcast
        Tokens s of a sequence.

    Returns
    -------
    1, broadcast
        Mean over the queries.

    Assumptions
    -----------
    The diagonal counts half; exactly (s + 1) / 2 pairs per query exist.

    References
    ----------
    Dao, "FlashAttention-2", ICLR 2024, section 4.1: half of the work of full attention.

    Examples
    --------
    >>> causal_keys(8192.0)
    4096.0
    """
    return sequence / 2.0


def windowed_keys(sequence: Count, window: Count) -> Ratio:
    r"""Keys that a query of a windowed causal layer meets on average.

    $$k = w - \frac{w^2}{2 s}, \qquad w = \min(W, s)$$

    Parameters
    ----------
    sequence : 1, broadcast
        Tokens s of a sequence.
    window : 1, broadcast
        Keys W that a query sees at most.

    Returns
    -------
    1, broadcast
        Mean over the queries; half of the sequence from W = s on.

    Assumptions
    -----------
    As in the formula for causal keys.

    References
    ----------
    Derivation: the first w queries see a triangle of w²/2 pairs, each later one w keys.

    Examples
    --------
    >>> windowed_keys(8192.0, 128.0), windowed_keys(8192.0, 1e9)
    (127.0, 4096.0)
    """
    seen = minimum(window, sequence)
    return seen - seen * seen / (2.0 * sequence)


def attention_flop_per_token(
    layers: Ratio, heads: Count, score_dim: Count, value_dim: Count, keys: Ratio, multiply_add: Flop = 2.0, passes: Ratio = 3.0
) -> Flop:
    r"""Work per token of scores and weighted sums of so many layers.

    $$W = p\,m\,L\,H (D + D_v)\,k$$

    Parameters
    ----------
    layers : 1, broadcast
        Layers L that attend.
    heads : 1, broadcast
        Query heads H.
    score_dim : 1, broadcast
        Elements D of a query or key.
    value_dim : 1, broadcast
        Elements D_v of a value.
    keys : 1, broadcast
        Keys k that a query meets: the sequence, half of it, or fewer in a window.
    multiply_add : flop, broadcast
        Work of one multiply with its add.
    passes : 1, broadcast
        Forward passes that the work is worth: 3 for training, 4 with recomputation.

    Returns
    -------
    flop, broadcast
        Work per token.

    Assumptions
    -----------
    The softmax is not counted; the recomputation inside fused kernels neither.

    References
    ----------
    Chowdhery et al., "PaLM", 2022, appendix B: 12 L H Q T with Q = D = D_v and k = T.

    Examples
    --------
    Llama 3 8B at 8192 tokens, causal: 6.44 GFLOP a token.

    >>> attention_flop_per_token(32.0, 32.0, 128.0, 128.0, 4096.0) / 1e9
    6.44
    """
    return passes * multiply_add * layers * heads * (score_dim + value_dim) * keys


def palm_flop_per_token(parameters: Count, layers: Ratio, heads: Count, head_dim: Count, sequence: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work per token as in PaLM: all parameters, embedding included, and full attention.

    $$W = 6 N + 12\,L\,H\,Q\,T$$

    Parameters
    ----------
    parameters : 1, broadcast
        All parameters N in use by a token.
    layers : 1, broadcast
        Layers L with attention.
    heads : 1, broadcast
        Query heads H.
    head_dim : 1, broadcast
        Elements Q of a head.
    sequence : 1, broadcast
        Tokens T of a sequence.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work per token.

    Assumptions
    -----------
    No recomputation counts; the causal mask is not used.

    References
    ----------
    Chowdhery et al., "PaLM", 2022, appendix B.

    Examples
    --------
    >>> palm_flop_per_token(540.35e9, 118.0, 48.0, 256.0, 2048.0) / 1e12
    3.278
    """
    return 3.0 * multiply_add * (parameters + 2.0 * layers * heads * head_dim * sequence)


def causal_flop_per_token(
    parameters: Count, input_embedding: Ratio, layers: Ratio, width: Count, sequence: Count, multiply_add: Flop = 2.0
) -> Flop:
    r"""Work per token without the look-up of the embedding, and with causal attention.

    $$W = 6 (N - N_e) + 6\,L\,h\,s$$

    Parameters
    ----------
    parameters : 1, broadcast
        All parameters N in use by a token.
    input_embedding : 1, broadcast
        Parameters N_e that are only looked up: 0 where the output head is the embedding.
    layers : 1, broadcast
        Layers L with attention.
    width : 1, broadcast
        Elements h of all query heads together.
    sequence : 1, broadcast
        Tokens s of a sequence.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work per token.

    Assumptions
    -----------
    Values are as wide as keys; no recomputation counts.

    References
    ----------
    NVIDIA, Megatron-Bridge, performance summary, 2025: 1933 TFLOP/s at 37556 token/s of Llama 3 8B and 8192 tokens.

    Examples
    --------
    >>> causal_flop_per_token(8.030e9, 525.3e6, 32.0, 4096.0, 8192.0) / 1e9
    51.47
    >>> 1933e12 / 37556 / 1e9
    51.47
    """
    return 3.0 * multiply_add * (parameters - input_embedding + layers * width * sequence)


def full_attention_flop_per_token(
    parameters: Count, input_embedding: Ratio, layers: Ratio, width: Count, sequence: Count, multiply_add: Flop = 2.0
) -> Flop:
    r"""Work per token without the look-up of the embedding, and with attention as if there were no mask.

    $$W = 6 (N - N_e) + 12\,L\,h\,s$$

    Parameters
    ----------
    parameters : 1, broadcast
        All parameters N in use by a token.
    input_embedding : 1, broadcast
        Parameters N_e that are only looked up: 0 where the output head is the embedding.
    layers : 1, broadcast
        Layers L with attention.
    width : 1, broadcast
        Elements h of all query heads together.
    sequence : 1, broadcast
        Tokens s of a sequence.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work per token.

    Assumptions
    -----------
    Values are as wide as keys; no recomputation counts.

    References
    ----------
    NVIDIA, NeMo Framework 24.x, performance summary, 2024: 711 TFLOP/s at 12273 token/s of Llama 3 8B and 8192 tokens.

    Examples
    --------
    >>> full_attention_flop_per_token(8.030e9, 525.3e6, 32.0, 4096.0, 8192.0) / 1e9
    57.91
    >>> 711e12 / 12273 / 1e9
    57.93
    """
    return 3.0 * multiply_add * (parameters - input_embedding + 2.0 * layers * width * sequence)


def recomputed_flop_per_token(layer_work: Flop, head_work: Flop) -> Flop:
    r"""Work per token that the hardware does when all layers are computed again in the backward pass.

    $$W = \frac{4}{3} W_l + W_h$$

    Parameters
    ----------
    layer_work : flop, broadcast
        Work of the layers without recomputation, forward and backward.
    head_work : flop, broadcast
        Work of the output head, which is not computed again.

    Returns
    -------
    flop, broadcast
        Work per token: four passes of the layers, three of the head.

    Assumptions
    -----------
    Backward is twice forward; every layer is computed again as a whole.

    References
    ----------
    Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM", SC 2021, section 5.1 and
    equation (3).

    Examples
    --------
    >>> recomputed_flop_per_token(6.0, 1.0)
    9.0
    """
    return layer_work * 4.0 / 3.0 + head_work


def generative_transformer_iteration_flop(
    batch: Count, sequence: Count, layers: Count, hidden: Count, vocabulary: Count, multiply_add: Flop = 2.0
) -> Flop:
    r"""Work of one iteration of a GPT with full recomputation and full attention.

    $$F = 96\,B\,s\,l\,h^2 \left(1 + \frac{s}{6 h} + \frac{V}{16\,l\,h}\right)$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences B of the batch.
    sequence : 1, broadcast
        Tokens s of a sequence.
    layers : 1, broadcast
        Depth l.
    hidden : 1, broadcast
        Width h of the residual stream.
    vocabulary : 1, broadcast
        Rows V of the embedding.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of forward, recomputation and backward.

    Assumptions
    -----------
    Multi-head attention as wide as the residual stream, plain feed-forward part of four widths.

    References
    ----------
    Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM", SC 2021, equation (3).

    Examples
    --------
    GPT-3 with 1536 sequences of 2048 tokens.

    >>> generative_transformer_iteration_flop(1536.0, 2048.0, 96.0, 12288.0, 51200.0) / 1e18
    4.511
    """
    per_token = layers * hidden * hidden * (1.0 + sequence / (6.0 * hidden) + vocabulary / (16.0 * layers * hidden))
    return 48.0 * multiply_add * batch * sequence * per_token


def state_flop_per_token(state: Ratio, multiply_add: Flop = 2.0, passes: Ratio = 3.0) -> Flop:
    r"""Work per token of updating and reading the state of state-space or linear-attention layers.

    $$W = 2\,p\,m\,Z$$

    Parameters
    ----------
    state : 1, broadcast
        Elements Z of the state of all layers together.
    multiply_add : flop, broadcast
        Work of one multiply with its add.
    passes : 1, broadcast
        Forward passes that the work is worth: 3 for training, 4 with recomputation.

    Returns
    -------
    flop, broadcast
        Work per token.

    Assumptions
    -----------
    One multiply with add per element to update the state and one to read it; what a chunked kernel does beyond that is not counted.

    References
    ----------
    Derivation: the recurrence of Dao and Gu, "Transformers are SSMs", ICML 2024, equation (1).

    Examples
    --------
    >>> state_flop_per_token(1e6) / 1e6
    12.0
    """
    return 2.0 * passes * multiply_add * state
