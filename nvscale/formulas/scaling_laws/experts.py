"""Mixtures of experts: granularity, sparsity, and the number of experts."""

from nvscale.ops import exp, log
from nvscale.unit_types import Count, Exponent, Ratio, Share

__all__ = [
    "effective_experts",
    "granular_expert_loss",
    "routed_loss",
    "routing_cutoff",
    "sparse_expert_loss",
]


def granular_expert_loss(
    parameters: Count, tokens: Count, granularity: Count, c: Ratio, g: Ratio, gamma: Ratio, a: Ratio, alpha: Ratio, b: Ratio, beta: Ratio
) -> Ratio:
    r"""Loss of a mixture of fine-grained experts.

    $$L = c + \left(\frac{g}{G^\gamma} + a\right) \frac{1}{N^\alpha} + \frac{b}{D^\beta}$$

    Parameters
    ----------
    parameters : 1, broadcast
        All parameters of the model, of active and of idle experts.
    tokens : 1, broadcast
        Training tokens.
    granularity : 1, broadcast
        How many times smaller an expert is than the layer that it replaces.
    c : 1, broadcast
        Irreducible loss.
    g : 1, broadcast
        Coefficient of the granularity.
    gamma : 1, broadcast
        Exponent of the granularity.
    a : 1, broadcast
        Coefficient of the parameters.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    b : 1, broadcast
        Coefficient of the tokens.
    beta : 1, broadcast
        Exponent of tokens, above 0.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    The number of experts is that of the fit, 64 times the granularity; holds inside the range of the runs that the constants were fitted
    to.

    References
    ----------
    Krajewski et al., Scaling Laws for Fine-Grained Mixture of Experts, arXiv 2402.07871, 2024, equation 9.

    Examples
    --------
    >>> round(granular_expert_loss(1e9, 33e9, 1.0, 0.47, 2.1, 0.58, 18.1, 0.115, 30.8, 0.147), 2)
    3.2
    """
    return c + (g * granularity ** (-gamma) + a) * parameters ** (-alpha) + b * tokens ** (-beta)


def sparse_expert_loss(
    parameters: Count,
    tokens: Count,
    sparsity: Share,
    a: Ratio,
    alpha: Ratio,
    b: Ratio,
    beta: Ratio,
    c: Ratio,
    lambda_: Exponent,
    d: Ratio,
    delta: Ratio,
    gamma: Ratio,
    e: Ratio,
) -> Ratio:
    r"""Loss of a mixture of experts by its sparsity.

    $$L = \frac{a}{N^\alpha} + \frac{b}{D^\beta} + \frac{c}{(1 - S)^\lambda} + \frac{d}{(1 - S)^\delta N^\gamma} + e$$

    Parameters
    ----------
    parameters : 1, broadcast
        All parameters of the model, of active and of idle experts.
    tokens : 1, broadcast
        Training tokens.
    sparsity : 1, broadcast
        Share of the experts that are idle for a token, below 1.
    a : 1, broadcast
        Coefficient of the parameters.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    b : 1, broadcast
        Coefficient of the tokens.
    beta : 1, broadcast
        Exponent of tokens, above 0.
    c : 1, broadcast
        Coefficient of the active share.
    lambda_ : 1, broadcast
        Exponent of the active share; below 0 the loss falls with sparsity.
    d : 1, broadcast
        Coefficient of the interaction.
    delta : 1, broadcast
        Exponent of the active share in the interaction.
    gamma : 1, broadcast
        Exponent of parameters in the interaction.
    e : 1, broadcast
        Irreducible loss.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to. It does not extrapolate in sparsity.

    References
    ----------
    Abnar et al., Parameters vs FLOPs: Scaling Laws for Optimal Sparsity for Mixture-of-Experts, arXiv 2501.12370, 2025, equation 6.

    Examples
    --------
    >>> constants = 16612.5, 0.5962, 5455.67, 0.3954, 0.4598, -0.1666, 17.26, 0.1603, 0.1595, 0.94
    >>> round(sparse_expert_loss(1e9, 1e11, 0.9, *constants), 3)
    2.485
    """
    active = 1.0 - sparsity
    return (
        e + a * parameters ** (-alpha) + b * tokens ** (-beta) + c * active ** (-lambda_) + d * active ** (-delta) * parameters ** (-gamma)
    )


def effective_experts(experts: Count, E_start: Ratio, E_max: Ratio) -> Ratio:
    r"""Experts as they count in the law of routed models: saturating at both ends.

    $$\frac{1}{\hat E} = \frac{1}{E - 1 + \left(\frac{1}{E_{start}} - \frac{1}{E_{max}}\right)^{-1}} + \frac{1}{E_{max}}$$

    Parameters
    ----------
    experts : 1, broadcast
        Experts of a layer.
    E_start : 1, broadcast
        Experts below which there is no gain.
    E_max : 1, broadcast
        Experts beyond which there is no more gain.

    Returns
    -------
    1, broadcast
        Effective number of experts.

    Assumptions
    -----------
    One expert counts as E_start.

    References
    ----------
    Clark et al., Unified Scaling Laws for Routed Language Models, arXiv 2202.01169, 2022, equation 3.

    Examples
    --------
    >>> round(effective_experts(1.0, 1.847, 314.478), 3)
    1.847
    """
    return 1.0 / (1.0 / (experts - 1.0 + 1.0 / (1.0 / E_start - 1.0 / E_max)) + 1.0 / E_max)


def routed_loss(parameters: Count, experts: Count, a: Exponent, b: Exponent, c: Ratio, d: Ratio, E_start: Ratio, E_max: Ratio) -> Ratio:
    r"""Loss of a routed model by the size of its dense base and the number of its experts.

    $$\log_{10} L = a \log_{10} N + b \log_{10} \hat E + c \log_{10} N \, \log_{10} \hat E + d$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the dense model that the experts extend.
    experts : 1, broadcast
        Experts of a layer.
    a : 1, broadcast
        Coefficient of the parameters.
    b : 1, broadcast
        Coefficient of the experts.
    c : 1, broadcast
        Coefficient of the product.
    d : 1, broadcast
        Constant.
    E_start : 1, broadcast
        Experts below which there is no gain.
    E_max : 1, broadcast
        Experts beyond which there is no more gain.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    The number of tokens is that of the fit.

    References
    ----------
    Clark et al., Unified Scaling Laws for Routed Language Models, arXiv 2202.01169, 2022, equation 1.

    Examples
    --------
    >>> round(routed_loss(1.3e9, 64.0, -0.082, -0.108, 0.009, 1.104, 1.847, 314.478), 3)
    2.05
    """
    size = log(parameters) / log(10.0)
    width = log(effective_experts(experts, E_start, E_max)) / log(10.0)
    return exp(log(10.0) * (a * size + b * width + c * size * width + d))


def routing_cutoff(b: Exponent, c: Ratio) -> Ratio:
    """Dense size from which more experts no longer lower the loss.

    $$N_{cutoff} = 10^{-b/c}$$

    Parameters
    ----------
    b : 1, broadcast
        Coefficient of the experts.
    c : 1, broadcast
        Coefficient of the product.

    Returns
    -------
    1, broadcast
        Parameters.

    Assumptions
    -----------
    The law of `routed_loss`.

    References
    ----------
    Clark et al., Unified Scaling Laws for Routed Language Models, arXiv 2202.01169, 2022, equation 2; with the printed constants, which
    are rounded, not the printed cutoff.

    Examples
    --------
    >>> round(routing_cutoff(-0.108, 0.009) / 1e12, 6)
    1.0
    """
    return exp(-log(10.0) * b / c)
