"""Traffic beside the products: passes over activations, the loss, stored scores, the optimizer. Counted by hand, forward."""

from nvscale.unit_types import Bytes, Count, Ratio

__all__ = [
    "activation_pass_size",
    "attention_pass_size",
    "loss_traffic",
    "optimizer_traffic",
    "permutation_pass_size",
    "residual_pass_size",
    "stored_scores_backward_ratio",
]


def residual_pass_size(hidden: Count, element_size: Bytes = 2.0, mask_size: Bytes = 1.0) -> Bytes:
    r"""Bytes moved per token and layer by the two norms and the two additions to the residual stream.

    $$q = (10\,w + 2\,\mu)\,h = 22\,h$$

    Parameters
    ----------
    hidden : 1, broadcast
        Hidden size h.
    element_size : byte, broadcast
        Bytes w of an activation.
    mask_size : byte, broadcast
        Bytes μ per element of what each addition keeps beside its sum, such as a dropout mask; 0 for none.

    Returns
    -------
    byte, broadcast
        Bytes per token and layer, forward; the backward pass moves about twice that.

    Assumptions
    -----------
    One kernel per norm and per addition; nothing is found in a cache.

    References
    ----------
    Derivation: each norm reads and writes the stream (2 w), each addition reads two streams and writes one (3 w) and a mask: 5 w + μ
    in each half of a layer. One byte for the mask as in Korthikanti et al., "Reducing Activation Recomputation in Large Transformer
    Models", 2022, section 4.1. A count, not a profile: without dropout 20 h remain.

    Examples
    --------
    >>> residual_pass_size(4096.0) / 4096.0, residual_pass_size(4096.0, mask_size=0.0) / 4096.0
    (22.0, 20.0)
    """
    return (10.0 * element_size + 2.0 * mask_size) * hidden


def attention_pass_size(hidden: Count, element_size: Bytes = 2.0, passes: Ratio = 5.0) -> Bytes:
    r"""Bytes moved per token and layer between the projections of attention, beside its kernel.

    $$q = p\,w\,h = 10\,h$$

    Parameters
    ----------
    hidden : 1, broadcast
        Width h of queries and of keys.
    element_size : byte, broadcast
        Bytes w of an activation.
    passes : 1, broadcast
        Reads and writes p of an activation of that width.

    Returns
    -------
    byte, broadcast
        Bytes per token and layer, forward; the backward pass moves about twice that.

    Assumptions
    -----------
    Every head has keys of its own; with fewer key-value heads it is less. What the attention kernel moves itself hides behind its work.

    References
    ----------
    Derivation: one kernel reads the packed queries, keys and values (3) and writes queries and keys with their rotary embedding (2).
    A count, not a profile.

    Examples
    --------
    >>> attention_pass_size(4096.0)
    40960.0
    """
    return (passes * element_size) * hidden


def activation_pass_size(width: Count, matrices: Count, element_size: Bytes = 2.0) -> Bytes:
    r"""Bytes moved per token and layer by the activation function of a feed-forward part.

    $$q = w\,m\,f$$

    Parameters
    ----------
    width : 1, broadcast
        Inner width f.
    matrices : 1, broadcast
        Weight matrices m of the part: 2, or 3 with a gate.
    element_size : byte, broadcast
        Bytes w of an activation.

    Returns
    -------
    byte, broadcast
        Bytes per token and layer, forward; the backward pass moves about twice that.

    Assumptions
    -----------
    One kernel, the product with the gate in it.

    References
    ----------
    Derivation: it reads what all matrices but the last have made (m - 1) and writes the input of the last (1).

    Examples
    --------
    Two reads and a write of 14336 elements of 2 bytes.

    >>> activation_pass_size(14336.0, 3.0)
    86016.0
    """
    return element_size * matrices * width


def permutation_pass_size(hidden: Count, element_size: Bytes = 2.0) -> Bytes:
    r"""Bytes moved per routed copy of a token to sort copies by expert and to bring the results back.

    $$q = 4\,w\,h = 8\,h$$

    Parameters
    ----------
    hidden : 1, broadcast
        Hidden size h.
    element_size : byte, broadcast
        Bytes w of an activation.

    Returns
    -------
    byte, broadcast
        Bytes per copy and layer, forward; the backward pass moves about twice that.

    Assumptions
    -----------
    Indices and weights of the router are small beside the activations; adding up the copies costs no pass of its own.

    References
    ----------
    Derivation: a read and a write on the way to the experts, and a read and a write on the way back.

    Examples
    --------
    >>> permutation_pass_size(7168.0)
    57344.0
    """
    return 4.0 * element_size * hidden


def loss_traffic(rows: Count, columns: Count, element_size: Bytes = 2.0, wide_size: Bytes = 4.0) -> Bytes:
    r"""Bytes that the loss moves over the logits, forward and backward, beside the products of the output head.

    $$Q = 2\,(w + W)\,T\,V = 12\,T\,V$$

    Parameters
    ----------
    rows : 1, broadcast
        Tokens T.
    columns : 1, broadcast
        Vocabulary V of the rank.
    element_size : byte, broadcast
        Bytes w of a logit and of its gradient.
    wide_size : byte, broadcast
        Bytes W of a logit in the loss.

    Returns
    -------
    byte, broadcast
        Bytes moved.

    Assumptions
    -----------
    The loss is computed from a copy of the logits in more bits, which is read once.

    References
    ----------
    Derivation: read the logits and write the copy (w + W), read the copy and write the gradient (W + w).

    Examples
    --------
    4096 tokens, 128256 words: 6.3 GB.

    >>> round(loss_traffic(4096.0, 128256.0) / 1e9, 3)
    6.304
    """
    return 2.0 * (element_size + wide_size) * rows * columns


def stored_scores_backward_ratio(element_size: Bytes = 2.0, mask_size: Bytes = 1.0) -> Ratio:
    r"""Traffic of stored attention scores in the backward pass relative to the forward pass.

    $$r = \frac{9\,w}{6\,w + 2\,\mu} = \frac{18}{14}$$

    Parameters
    ----------
    element_size : byte, broadcast
        Bytes w of a score.
    mask_size : byte, broadcast
        Bytes μ of each of the two masks of the forward pass, of what is hidden and of dropout.

    Returns
    -------
    1, broadcast
        Ratio r.

    Assumptions
    -----------
    Attention that is not fused: scores, probabilities and dropout cross the memory; one kernel scales, masks and normalises. The masks
    of the backward pass are small beside its nine passes.

    References
    ----------
    Derivation: forward, the scores are written (1), normalised (2, and a mask read), dropped (2, and a mask written) and multiplied
    with the values (1). Backward, the product for the values reads them (1), their gradient is written (1), undropped (2), brought
    through the softmax with the probabilities (3) and read by the products for queries and keys (2). A count, not a profile.

    Examples
    --------
    >>> stored_scores_backward_ratio() == 18.0 / 14.0
    True
    """
    return 9.0 * element_size / (6.0 * element_size + 2.0 * mask_size)


def optimizer_traffic(held: Ratio, resident: Ratio, state_size: Bytes = 4.0, weight_size: Bytes = 2.0) -> Bytes:
    r"""Bytes that Adam in mixed precision moves in one step on one rank.

    $$Q = (7\,S + w)\,N_h + (S + w)\,N_r = 30\,N_h + 6\,N_r$$

    Parameters
    ----------
    held : 1, broadcast
        Parameters N_h whose optimizer states the rank keeps.
    resident : 1, broadcast
        Parameters N_r that the rank computes with.
    state_size : byte, broadcast
        Bytes S of a master weight, of each moment and of a gradient.
    weight_size : byte, broadcast
        Bytes w of a working weight.

    Returns
    -------
    byte, broadcast
        Bytes moved.

    Assumptions
    -----------
    One fused kernel; clipping by the norm reads nothing again.

    References
    ----------
    Derivation: master weight and two moments are read and written (6 S), the gradient read (S), the working weight written (w), for
    what is held; then the gradient is cleared (S) and the gathered weight written (w), for all that is computed with. States as in
    Rajbhandari et al., "ZeRO", SC 2020, section 3.1. A count, not a profile.

    Examples
    --------
    One parameter on a single replica.

    >>> optimizer_traffic(1.0, 0.0), optimizer_traffic(0.0, 1.0)
    (30.0, 6.0)
    """
    return (7.0 * state_size + weight_size) * held + (state_size + weight_size) * resident
