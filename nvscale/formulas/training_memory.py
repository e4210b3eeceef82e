"""Memory of a training run: states by ZeRO stage, what each layer keeps for its backward pass, micro-batches in flight."""

from nvscale.ops import maximum, minimum, where
from nvscale.unit_types import Bytes, Count, Ratio, Share

__all__ = [
    "attention_activation_memory",
    "expert_activation_memory",
    "feed_forward_activation_memory",
    "in_flight_of_first_stage",
    "in_flight_of_last_stage",
    "latent_attention_activation_memory",
    "logits_memory",
    "optimizer_state_memory",
    "recomputed_layer_memory",
    "sharded_share",
    "standard_layer_activation_memory",
    "unsplit_share",
]


def sharded_share(zero: Ratio, stage: Ratio, replicas: Count) -> Share:
    r"""Share of one kind of state that a replica keeps, from the ZeRO stage on that splits it.

    $$x = \begin{cases} 1/D & z \ge s \\ 1 & z < s \end{cases}$$

    Parameters
    ----------
    zero : 1, broadcast
        Stage z of the run, 0 to 3.
    stage : 1, broadcast
        Stage s from which this state is split: 1 for optimizer states, 2 for gradients, 3 for weights.
    replicas : 1, broadcast
        Replicas D over which it is split.

    Returns
    -------
    1, broadcast
        Share of the state on each chip.

    Assumptions
    -----------
    An even split.

    References
    ----------
    Rajbhandari et al., "ZeRO", SC 2020, section 5 and figure 1.

    Examples
    --------
    >>> sharded_share(1.0, 1.0, 64.0), sharded_share(1.0, 2.0, 64.0)
    (0.015625, 1.0)
    """
    return where(zero >= stage, 1.0 / replicas, 1.0)


def optimizer_state_memory(
    parameters: Count, replicas: Count, zero: Ratio, weight_size: Bytes, gradient_size: Bytes, optimizer_size: Bytes
) -> Bytes:
    r"""Weights, gradients and optimizer states of one replica, by ZeRO stage.

    $$M = N\left(w\,x_3 + g\,x_2 + k\,x_1\right), \qquad x_s = 1/D \text{ from stage } s \text{ on, else } 1$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters N that the replica would hold without ZeRO.
    replicas : 1, broadcast
        Replicas D over which states are split.
    zero : 1, broadcast
        Stage: 0 splits nothing, 1 optimizer states, 2 gradients too, 3 weights too.
    weight_size : byte, broadcast
        Bytes w per parameter of the working weights.
    gradient_size : byte, broadcast
        Bytes g per parameter of the gradients.
    optimizer_size : byte, broadcast
        Bytes k per parameter of the optimizer, master weights included: 12 for Adam in mixed precision.

    Returns
    -------
    byte, broadcast
        Bytes on one chip.

    Assumptions
    -----------
    No buffers; an even split.

    References
    ----------
    Rajbhandari et al., "ZeRO", SC 2020, section 3.1 and figure 1.

    Examples
    --------
    7.5 billion parameters on 64 replicas: 120, 31.4, 16.6 and 1.9 GB.

    >>> [round(optimizer_state_memory(7.5e9, 64.0, stage, 2.0, 2.0, 12.0) / 1e9, 2) for stage in (0.0, 1.0, 2.0, 3.0)]
    [120.0, 31.41, 16.64, 1.88]
    """
    weights = weight_size * sharded_share(zero, 3.0, replicas)
    gradients = gradient_size * sharded_share(zero, 2.0, replicas)
    return parameters * (weights + gradients + optimizer_size * sharded_share(zero, 1.0, replicas))


def unsplit_share(tensor_parallel: Count, sequence_parallel: Share) -> Share:
    r"""Share of the residual stream that one chip of a tensor parallel group keeps.

    $$r = \frac{q}{t} + 1 - q$$

    Parameters
    ----------
    tensor_parallel : 1, broadcast
        Chips t that share the matrices of a layer.
    sequence_parallel : 1, broadcast
        q: 1 where norms and residuals are split along the sequence, 0 where every chip keeps all of them.

    Returns
    -------
    1, broadcast
        Share r, 1 where nothing is split.

    Assumptions
    -----------
    The group splits the sequence evenly.

    References
    ----------
    Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models", 2022, section 4.2.2.

    Examples
    --------
    >>> unsplit_share(8.0, 1.0), unsplit_share(8.0, 0.0)
    (0.125, 1.0)
    """
    return sequence_parallel / tensor_parallel + (1.0 - sequence_parallel)


def standard_layer_activation_memory(
    tokens: Count,
    sequence: Count,
    hidden: Count,
    heads: Count,
    tensor_parallel: Count,
    sequence_parallel: Share,
    scores_kept: Share,
    element_size: Bytes,
    mask_size: Bytes,
) -> Bytes:
    r"""What a layer of the first large transformers keeps for its backward pass: dropout, GELU, stored attention scores.

    $$M = T h \left[(4w + 2m)\,r + \frac{12\,w}{t} + c\,\frac{(2w + m)\,a\,s}{h\,t}\right]$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch: sequence x micro-batch.
    sequence : 1, broadcast
        Tokens s of a sequence.
    hidden : 1, broadcast
        Elements h of a token.
    heads : 1, broadcast
        Attention heads a.
    tensor_parallel : 1, broadcast
        Chips t that share the layer.
    sequence_parallel : 1, broadcast
        1 where what lies between the matrices is split as well, 0 where it is not; r follows.
    scores_kept : 1, broadcast
        Share c of the scores that is kept: 1 without recompute, 0 with selective recompute or a fused kernel.
    element_size : byte, broadcast
        Bytes w of an activation: 2 in 16 bits.
    mask_size : byte, broadcast
        Bytes m of a dropout mask's element: 1.

    Returns
    -------
    byte, broadcast
        Bytes of one layer and one micro-batch on each chip.

    Assumptions
    -----------
    A plain feed-forward part four times as wide as h; full multi-head attention; layer norm inputs kept, statistics not counted.

    References
    ----------
    Korthikanti et al., "Reducing Activation Recomputation in Large Transformer Models", 2022, equations (1) to (4) and table 2:
    with w = 2 and m = 1 they are s b h (34 + 5 a s/h), s b h (10 + 24/t + 5 a s/(h t)), and all over t.

    Examples
    --------
    A layer of GPT-3 keeps 2.87 GB of a sequence, 0.36 GB on each of eight chips.

    >>> round(standard_layer_activation_memory(2048.0, 2048.0, 12288.0, 96.0, 1.0, 0.0, 1.0, 2.0, 1.0) / 1e9, 3)
    2.869
    >>> round(standard_layer_activation_memory(2048.0, 2048.0, 12288.0, 96.0, 8.0, 1.0, 1.0, 2.0, 1.0) / 1e9, 3)
    0.359
    """
    unsplit = (4.0 * element_size + 2.0 * mask_size) * unsplit_share(tensor_parallel, sequence_parallel)
    scores = scores_kept * (2.0 * element_size + mask_size) * heads * sequence / (hidden * tensor_parallel)
    return tokens * hidden * (unsplit + 12.0 * element_size / tensor_parallel + scores)


def recomputed_layer_memory(tokens: Count, hidden: Count, share: Share, element_size: Bytes) -> Bytes:
    r"""What a layer keeps that is computed again as a whole: its input.

    $$M = T h\,r\,w$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch on one chip.
    hidden : 1, broadcast
        Elements h of a token.
    share : 1, broadcast
        Share r of the input that a chip keeps; 1 as published, `unsplit_share` where it is split along the sequence.
    element_size : byte, broadcast
        Bytes w of an activation.

    Returns
    -------
    byte, broadcast
        Bytes of one layer and one micro-batch.

    Assumptions
    -----------
    Each layer is recomputed on its own.

    References
    ----------
    Korthikanti et al., 2022, table 2, last row: 2 s b h.

    Examples
    --------
    >>> recomputed_layer_memory(2048.0, 12288.0, 1.0, 2.0)
    50331648.0
    """
    return tokens * hidden * share * element_size


def attention_activation_memory(
    tokens: Count,
    hidden: Count,
    heads: Count,
    kv_heads: Count,
    head_dim: Count,
    value_head_dim: Count,
    tensor_parallel: Count,
    share: Share,
    element_size: Bytes,
    statistics_size: Bytes,
    output_copies: Count = 1.0,
) -> Bytes:
    r"""What attention with a fused kernel keeps: residual, norm, queries, keys, values, output, statistics of the softmax.

    $$M = T\left[2 h\,r\,w + \frac{a\,d + k\,(d + d_v) + n\,a\,d_v}{t}\,w + \frac{a}{t}\,u\right]$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch on one chip: sequence x micro-batch / context parallel ranks.
    hidden : 1, broadcast
        Elements h of a token.
    heads : 1, broadcast
        Query heads a.
    kv_heads : 1, broadcast
        Key-value heads k.
    head_dim : 1, broadcast
        Elements d of a query or key head.
    value_head_dim : 1, broadcast
        Elements d_v of a value head.
    tensor_parallel : 1, broadcast
        Chips t that share the heads.
    share : 1, broadcast
        Share r of the residual stream on a chip, from `unsplit_share`.
    element_size : byte, broadcast
        Bytes w of an activation.
    statistics_size : byte, broadcast
        Bytes u of the softmax per token and head: 4 for one sum in 32 bits.
    output_copies : 1, broadcast
        n: 2 where the exchange of a context parallel group stores the output a second time, else 1.

    Returns
    -------
    byte, broadcast
        Bytes of one layer and one micro-batch on each chip.

    Assumptions
    -----------
    No dropout; the scores are never stored; keys and values before rotation are not kept; at least one key-value head a chip.

    References
    ----------
    Derivation: each matrix multiply keeps its input, the norm its input, the fused kernel its operands, its output and one
    sum a row (Dao et al., "FlashAttention", NeurIPS 2022, algorithm 2); the output is the input of the projection.

    Examples
    --------
    Llama 3 70B, 4,096 tokens: 0.29 GB.

    >>> round(attention_activation_memory(4096.0, 8192.0, 64.0, 8.0, 128.0, 128.0, 1.0, 1.0, 2.0, 4.0) / 1e9, 3)
    0.286
    """
    local_kv = maximum(kv_heads / tensor_parallel, 1.0)
    kernel = (head_dim + output_copies * value_head_dim) * heads / tensor_parallel + local_kv * (head_dim + value_head_dim)
    return tokens * ((2.0 * hidden * share + kernel) * element_size + heads / tensor_parallel * statistics_size)


def latent_attention_activation_memory(
    tokens: Count,
    hidden: Count,
    heads: Count,
    head_dim: Count,
    value_head_dim: Count,
    query_rank: Ratio,
    latent_rank: Count,
    rotary_dim: Ratio,
    tensor_parallel: Count,
    share: Share,
    element_size: Bytes,
    statistics_size: Bytes,
    output_copies: Count = 1.0,
) -> Bytes:
    r"""What latent attention keeps in training, where keys and values are expanded for every head.

    $$M = T\left[(2 h\,r + 2 q + 2 c + d_R)\,w + \frac{a\,(2 d + (1 + n)\,d_v)}{t}\,w + \frac{a}{t}\,u\right]$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch on one chip.
    hidden : 1, broadcast
        Elements h of a token.
    heads : 1, broadcast
        Heads a.
    head_dim : 1, broadcast
        Elements d of a query or key head, its rotary part included.
    value_head_dim : 1, broadcast
        Elements d_v of a value head.
    query_rank : 1, broadcast
        Rank q of the queries; 0 where they are not compressed.
    latent_rank : 1, broadcast
        Rank c of keys and values.
    rotary_dim : 1, broadcast
        Rotary elements d_R that all heads share.
    tensor_parallel : 1, broadcast
        Chips t that share the heads.
    share : 1, broadcast
        Share r of the residual stream on a chip, from `unsplit_share`.
    element_size : byte, broadcast
        Bytes w of an activation.
    statistics_size : byte, broadcast
        Bytes u of the softmax per token and head.
    output_copies : 1, broadcast
        n: 2 where the exchange of a context parallel group stores the output a second time, else 1.

    Returns
    -------
    byte, broadcast
        Bytes of one layer and one micro-batch on each chip.

    Assumptions
    -----------
    A fused kernel, no dropout; latent vectors are kept before and after their norm and are not split over the chips.

    References
    ----------
    Derivation: as `attention_activation_memory`, with the inputs of the four projections of DeepSeek-V2, 2024, section 2.1.

    Examples
    --------
    DeepSeek-V3, 4,096 tokens: 0.83 GB.

    >>> round(latent_attention_activation_memory(4096.0, 7168.0, 128.0, 192.0, 128.0, 1536.0, 512.0, 64.0, 1.0, 1.0, 2.0, 4.0) / 1e9, 3)
    0.825
    """
    narrow = 2.0 * hidden * share + 2.0 * query_rank + 2.0 * latent_rank + rotary_dim
    kernel = heads / tensor_parallel * (2.0 * head_dim + (1.0 + output_copies) * value_head_dim)
    return tokens * ((narrow + kernel) * element_size + heads / tensor_parallel * statistics_size)


def feed_forward_activation_memory(
    tokens: Count, hidden: Count, width: Ratio, matrices: Count, tensor_parallel: Count, share: Share, element_size: Bytes
) -> Bytes:
    r"""What a dense feed-forward part keeps: residual, norm, and the inner width once for each of its matrices.

    $$M = T\left(2 h\,r + \frac{n\,f}{t}\right) w$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch on one chip.
    hidden : 1, broadcast
        Elements h of a token.
    width : 1, broadcast
        Inner width f.
    matrices : 1, broadcast
        Matrices n: 3 where the layer is gated (gate, up and their product are kept), 2 where it is plain.
    tensor_parallel : 1, broadcast
        Chips t that share the matrices.
    share : 1, broadcast
        Share r of the residual stream on a chip, from `unsplit_share`.
    element_size : byte, broadcast
        Bytes w of an activation.

    Returns
    -------
    byte, broadcast
        Bytes of one layer and one micro-batch on each chip.

    Assumptions
    -----------
    The activation function is one kernel that keeps its input; no dropout.

    References
    ----------
    Derivation: the first multiply keeps the norm's output, the activation its input, the second multiply the activation's output;
    Korthikanti et al., 2022, section 4.1, for the plain one.

    Examples
    --------
    Llama 3 70B, 4,096 tokens: 0.84 GB.

    >>> round(feed_forward_activation_memory(4096.0, 8192.0, 28672.0, 3.0, 1.0, 1.0, 2.0) / 1e9, 3)
    0.839
    """
    return tokens * (2.0 * hidden * share + matrices * width / tensor_parallel) * element_size


def expert_activation_memory(
    tokens: Count,
    hidden: Count,
    width: Ratio,
    matrices: Count,
    choices: Ratio,
    experts: Ratio,
    tensor_parallel: Count,
    share: Share,
    element_size: Bytes,
    statistics_size: Bytes,
) -> Bytes:
    r"""What routed experts keep of the tokens they are sent: their input, the inner width, and the router's scores.

    $$M = T r\left[k\,(h\,t_e + n f)\,w + 3 E u\right]$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch on one chip, before the split along the sequence.
    hidden : 1, broadcast
        Elements h of a token.
    width : 1, broadcast
        Inner width f of one expert.
    matrices : 1, broadcast
        Matrices n of one expert: 3 where it is gated.
    choices : 1, broadcast
        Experts k that a token is sent to.
    experts : 1, broadcast
        Experts E that the router scores.
    tensor_parallel : 1, broadcast
        Chips t_e that share one expert; each gets the tokens of all of them.
    share : 1, broadcast
        Share r of the tokens that a chip routes, from `unsplit_share`.
    element_size : byte, broadcast
        Bytes w of an activation.
    statistics_size : byte, broadcast
        Bytes u of a score: 4 in 32 bits.

    Returns
    -------
    byte, broadcast
        Bytes of one layer and one micro-batch on each chip.

    Assumptions
    -----------
    Balanced experts: each chip receives as many tokens as it sends, however many chips share the experts; the weights of the
    choices multiply inside the expert, so its output is not kept; logits, probabilities and their selection are kept.

    References
    ----------
    Derivation: the grouped multiplies keep the sorted tokens and the activation's output, the activation its input;
    Fedus et al., "Switch Transformers", JMLR 2022, section 2.2, for balance.

    Examples
    --------
    DeepSeek-V3, 4,096 tokens to 8 of 256 experts: 0.89 GB.

    >>> round(expert_activation_memory(4096.0, 7168.0, 2048.0, 3.0, 8.0, 256.0, 1.0, 1.0, 2.0, 4.0) / 1e9, 3)
    0.885
    """
    routed = choices * (hidden * tensor_parallel + matrices * width)
    return tokens * share * (routed * element_size + 3.0 * experts * statistics_size)


def logits_memory(tokens: Count, vocabulary: Count, tensor_parallel: Count, kept_size: Bytes) -> Bytes:
    r"""Scores of the vocabulary that the loss holds.

    $$M = \frac{T V}{t}\,w$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of a micro-batch on one chip.
    vocabulary : 1, broadcast
        Entries V of the vocabulary.
    tensor_parallel : 1, broadcast
        Chips t that share the head.
    kept_size : byte, broadcast
        Bytes of a score: 2 where a fused loss turns it into its gradient in place; 4 kept in 32 bits and 2 of its gradient
        where it does not.

    Returns
    -------
    byte, broadcast
        Bytes of one micro-batch on each chip.

    Assumptions
    -----------
    One micro-batch at a time: the last stage goes backward at once.

    References
    ----------
    Korthikanti et al., 2022, section 4.3 (logits in 32 bits: 4 s b v/t).

    Examples
    --------
    >>> logits_memory(4096.0, 128256.0, 8.0, 2.0)
    131334144.0
    """
    return tokens * vocabulary / tensor_parallel * kept_size


def in_flight_of_first_stage(stages: Count, chunks: Count, micro_batches: Count) -> Ratio:
    r"""Micro-batches whose activations the first pipeline stage holds at once, in passes through all its layers.

    $$F = \min\left(m,\; p + [v > 1]\,\frac{p - 1}{v}\right)$$

    Parameters
    ----------
    stages : 1, broadcast
        Pipeline stages p.
    chunks : 1, broadcast
        Chunks v of layers that each stage holds: 1 for one forward, one backward; above 1 interleaved.
    micro_batches : 1, broadcast
        Micro-batches m of a step.

    Returns
    -------
    1, broadcast
        Micro-batches in flight; all m of them with the schedule that runs every forward pass first (GPipe).

    Assumptions
    -----------
    Stages hold equally many layers.

    References
    ----------
    Korthikanti et al., 2022, section 4.3: L layers' activations, times 1 + (p - 1)/(p v) interleaved; Narayanan et al., 2021,
    section 2.2.

    Examples
    --------
    >>> in_flight_of_first_stage(8.0, 1.0, 64.0), in_flight_of_first_stage(8.0, 2.0, 64.0), in_flight_of_first_stage(8.0, 1.0, 4.0)
    (8.0, 11.5, 4.0)
    """
    return minimum(micro_batches, stages + where(chunks > 1.0, (stages - 1.0) / chunks, 0.0))


def in_flight_of_last_stage(stages: Count, chunks: Count, micro_batches: Count) -> Ratio:
    r"""Micro-batches whose activations the last pipeline stage holds at once, in passes through all its layers.

    $$F = \min\left(m,\; \frac{(v - 1)\,p + 1}{v}\right)$$

    Parameters
    ----------
    stages : 1, broadcast
        Pipeline stages p.
    chunks : 1, broadcast
        Chunks v of layers that each stage holds.
    micro_batches : 1, broadcast
        Micro-batches m of a step.

    Returns
    -------
    1, broadcast
        Micro-batches in flight: 1 for one forward, one backward.

    Assumptions
    -----------
    Stages hold equally many layers; the last stage begins its backward passes as soon as it has a last chunk.

    References
    ----------
    Derivation: Narayanan et al., 2021, section 2.2: rank i runs 2 (p - i - 1) + (v - 1) p chunks before its first backward pass.

    Examples
    --------
    >>> in_flight_of_last_stage(8.0, 1.0, 64.0), in_flight_of_last_stage(8.0, 2.0, 64.0)
    (1.0, 4.5)
    """
    return minimum(micro_batches, ((chunks - 1.0) * stages + 1.0) / chunks)
