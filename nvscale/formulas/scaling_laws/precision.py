"""Few bits: training in low precision, rounding after training, and what more bits are worth."""

from nvscale.formulas.scaling_laws.chinchilla import chinchilla_loss
from nvscale.ops import exp
from nvscale.unit_types import Count, Exponent, Ratio, Share

__all__ = [
    "harmful_tokens",
    "low_precision_loss",
    "post_training_penalty",
    "precision_dividend",
    "precision_factor",
    "precision_marginal",
    "precision_share",
]


def precision_factor(bits: Ratio, gamma: Ratio) -> Share:
    r"""Share of its parameters that a model keeps when one kind of tensor is trained in few bits.

    $$f = 1 - e^{-P/\gamma}$$

    Parameters
    ----------
    bits : 1, broadcast
        Bits of a number, above 0.
    gamma : 1, broadcast
        Sensitivity, in bits.

    Returns
    -------
    1, broadcast
        Share.

    Assumptions
    -----------
    Integer formats. Not shown to hold for formats with block scales.

    References
    ----------
    Kumar et al., Scaling Laws for Precision, arXiv 2411.04330, 2024, equation 3.

    Examples
    --------
    >>> round(precision_factor(8.0, 2.6745), 4)
    0.9498
    """
    return 1.0 - exp(-bits / gamma)


def precision_share(
    weight_bits: Ratio, activation_bits: Ratio, cache_bits: Ratio, gamma_w: Ratio, gamma_a: Ratio, gamma_kv: Ratio
) -> Share:
    r"""Share of its parameters that a model keeps when weights, activations and cache are trained in few bits.

    $$f = \prod_i \left(1 - e^{-P_i/\gamma_i}\right)$$

    Parameters
    ----------
    weight_bits : 1, broadcast
        Bits of a weight, above 0.
    activation_bits : 1, broadcast
        Bits of an activation, above 0.
    cache_bits : 1, broadcast
        Bits of a key or value, above 0.
    gamma_w : 1, broadcast
        Sensitivity of the weights, in bits.
    gamma_a : 1, broadcast
        Sensitivity of the activations, in bits.
    gamma_kv : 1, broadcast
        Sensitivity of the key-value cache, in bits.

    Returns
    -------
    1, broadcast
        Effective parameters over parameters.

    Assumptions
    -----------
    The three kinds of tensors act independently. Integer formats.

    References
    ----------
    Kumar et al., Scaling Laws for Precision, arXiv 2411.04330, 2024, equation 5 and table 2.

    Examples
    --------
    >>> round(precision_share(8.0, 8.0, 8.0, 2.6745, 2.2102, 0.9578), 6)
    0.924107
    """
    return precision_factor(weight_bits, gamma_w) * precision_factor(activation_bits, gamma_a) * precision_factor(cache_bits, gamma_kv)


def low_precision_loss(
    parameters: Count,
    tokens: Count,
    weight_bits: Ratio,
    activation_bits: Ratio,
    cache_bits: Ratio,
    E: Ratio,
    A: Ratio,
    B: Ratio,
    alpha: Ratio,
    beta: Ratio,
    gamma_w: Ratio,
    gamma_a: Ratio,
    gamma_kv: Ratio,
) -> Ratio:
    r"""Loss of a model trained in few bits.

    $$L = E + \frac{A}{(N f)^\alpha} + \frac{B}{D^\beta}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
    weight_bits : 1, broadcast
        Bits of a weight, above 0.
    activation_bits : 1, broadcast
        Bits of an activation, above 0.
    cache_bits : 1, broadcast
        Bits of a key or value, above 0.
    E : 1, broadcast
        Irreducible loss.
    A : 1, broadcast
        Coefficient of the parameter term.
    B : 1, broadcast
        Coefficient of the data term.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.
    gamma_w : 1, broadcast
        Sensitivity of the weights, in bits.
    gamma_a : 1, broadcast
        Sensitivity of the activations, in bits.
    gamma_kv : 1, broadcast
        Sensitivity of the key-value cache, in bits.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to. Integer formats.

    References
    ----------
    Kumar et al., Scaling Laws for Precision, arXiv 2411.04330, 2024, equation 5.

    Examples
    --------
    >>> constants = 2.7648, 4299.0, 18060.0, 0.4965, 0.4965, 2.6745, 2.2102, 0.9578
    >>> round(low_precision_loss(1e9, 2e10, 8.0, 8.0, 8.0, *constants), 3)
    3.055
    """
    share = precision_share(weight_bits, activation_bits, cache_bits, gamma_w, gamma_a, gamma_kv)
    return chinchilla_loss(parameters * share, tokens, E, A, B, alpha, beta)


def post_training_penalty(
    parameters: Count, tokens: Count, bits: Ratio, C_T: Ratio, gamma_D: Ratio, gamma_N: Ratio, gamma_post: Ratio
) -> Ratio:
    r"""Loss that is added when the weights of a trained model are rounded to few bits.

    $$\delta = C_T \, \frac{D^{\gamma_D}}{N^{\gamma_N}} \, e^{-P/\gamma_{post}}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
    bits : 1, broadcast
        Bits of a number, above 0.
    C_T : 1, broadcast
        Coefficient of the penalty.
    gamma_D : 1, broadcast
        Exponent of tokens.
    gamma_N : 1, broadcast
        Exponent of parameters.
    gamma_post : 1, broadcast
        Sensitivity to the bits, in bits.

    Returns
    -------
    1, broadcast
        Loss, in nats.

    Assumptions
    -----------
    The weights were trained in 16 bits; only weights are rounded. Integer formats.

    References
    ----------
    Kumar et al., Scaling Laws for Precision, arXiv 2411.04330, 2024, equation 2.

    Examples
    --------
    With a sensitivity of 0.6 bits.

    >>> round(post_training_penalty(1e9, 2e10, 4.0, 0.0598, 0.5068, 0.3439, 0.6), 4)
    0.0102
    """
    return C_T * tokens**gamma_D / parameters**gamma_N * exp(-bits / gamma_post)


def harmful_tokens(
    parameters: Count, bits: Ratio, B: Ratio, beta: Ratio, C_T: Ratio, gamma_D: Ratio, gamma_N: Ratio, gamma_post: Ratio
) -> Ratio:
    r"""Tokens beyond which more training makes the model worse after its weights are rounded.

    $$D = \left(\frac{\beta B N^{\gamma_N} e^{P/\gamma_{post}}}{\gamma_D C_T}\right)^{1/(\beta + \gamma_D)}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    bits : 1, broadcast
        Bits of a number, above 0.
    B : 1, broadcast
        Coefficient of the data term.
    beta : 1, broadcast
        Exponent of tokens, above 0.
    C_T : 1, broadcast
        Coefficient of the penalty.
    gamma_D : 1, broadcast
        Exponent of tokens.
    gamma_N : 1, broadcast
        Exponent of parameters.
    gamma_post : 1, broadcast
        Sensitivity to the bits, in bits.

    Returns
    -------
    1, broadcast
        Training tokens.

    Assumptions
    -----------
    The penalty and the loss of data add up; see `post_training_penalty`.

    References
    ----------
    Derivation: the minimum over tokens of the sum of the data term of `chinchilla_loss` and `post_training_penalty`.

    Examples
    --------
    With a sensitivity of 0.6 bits, and weights rounded to 4.

    >>> round(harmful_tokens(1e9, 4.0, 18060.0, 0.4965, 0.0598, 0.5068, 0.3439, 0.6) / 1e9)
    265
    """
    return (beta * B * parameters**gamma_N * exp(bits / gamma_post) / (gamma_D * C_T)) ** (1.0 / (beta + gamma_D))


def precision_dividend(bits: Ratio, reference_bits: Ratio, gamma_w: Ratio, gamma_a: Ratio, gamma_kv: Ratio) -> Ratio:
    r"""Factor on the compute that fewer bits in training are worth at equal loss.

    $$\frac{f(P)/P}{f(P_0)/P_0}$$

    Parameters
    ----------
    bits : 1, broadcast
        Bits of a number, above 0.
    reference_bits : 1, broadcast
        Bits to compare with.
    gamma_w : 1, broadcast
        Sensitivity of the weights, in bits.
    gamma_a : 1, broadcast
        Sensitivity of the activations, in bits.
    gamma_kv : 1, broadcast
        Sensitivity of the key-value cache, in bits.

    Returns
    -------
    1, broadcast
        Effective compute over that of the reference.

    Assumptions
    -----------
    Operations get cheaper in proportion to the bits, of all tensors alike; the best allocation is taken at each.

    References
    ----------
    Derivation: the effective parameters times tokens that a budget of bit operations buys, by Kumar et al., Scaling Laws for Precision,
    arXiv 2411.04330, 2024, equation 5.

    Examples
    --------
    >>> round(precision_dividend(8.0, 16.0, 2.6745, 2.2102, 0.9578), 5)
    1.85422
    """
    share = precision_share(bits, bits, bits, gamma_w, gamma_a, gamma_kv)
    reference = precision_share(reference_bits, reference_bits, reference_bits, gamma_w, gamma_a, gamma_kv)
    return (share / bits) / (reference / reference_bits)


def precision_marginal(bits: Ratio, gamma_w: Ratio, gamma_a: Ratio, gamma_kv: Ratio) -> Exponent:
    r"""Percent of effective parameters that a percent more bits in training gives; the best precision has 1.

    $$\frac{d \ln f}{d \ln P} = \sum_i \frac{u_i e^{-u_i}}{1 - e^{-u_i}}, \qquad u_i = \frac{P}{\gamma_i}$$

    Parameters
    ----------
    bits : 1, broadcast
        Bits of a number, above 0.
    gamma_w : 1, broadcast
        Sensitivity of the weights, in bits.
    gamma_a : 1, broadcast
        Sensitivity of the activations, in bits.
    gamma_kv : 1, broadcast
        Sensitivity of the key-value cache, in bits.

    Returns
    -------
    1, broadcast
        Elasticity; above 1 more bits pay, below 1 fewer bits pay.

    Assumptions
    -----------
    Operations get cheaper in proportion to the bits, of all tensors alike.

    References
    ----------
    Derivation: elasticity of `precision_share`; Kumar et al., Scaling Laws for Precision, arXiv 2411.04330, 2024, section 4.3.

    Examples
    --------
    >>> round(precision_marginal(3.46875, 2.6745, 2.2102, 0.9578), 4)
    1.0
    """
    return sum((bits / gamma * exp(-bits / gamma) / precision_factor(bits, gamma) for gamma in (gamma_w, gamma_a, gamma_kv)), 0.0)
