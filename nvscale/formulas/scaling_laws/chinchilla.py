"""Loss as a sum of an irreducible part, a part that parameters remove and a part that data remove."""

from nvscale.ops import INFINITY, where
from nvscale.unit_types import Count, Exponent, Ratio

__all__ = [
    "chinchilla_loss",
    "overtrained_loss",
    "parameter_elasticity",
    "parameters_for_loss",
    "smallest_parameters",
    "token_elasticity",
    "tokens_for_loss",
    "training_operations",
]


def chinchilla_loss(parameters: Count, tokens: Count, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Loss of a model trained once over its data, as a sum of what limits it.

    $$L = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
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

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to. Every token is seen once.

    References
    ----------
    Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv 2203.15556, 2022, equation 10.

    Examples
    --------
    The model of Hoffmann et al. with 70e9 parameters and 1.4e12 tokens, by the constants of their equation 10.

    >>> round(chinchilla_loss(70e9, 1.4e12, 1.69, 406.4, 410.7, 0.34, 0.28), 3)
    1.937
    """
    return E + A * parameters ** (-alpha) + B * tokens ** (-beta)


def training_operations(parameters: Count, tokens: Count, operations: Ratio = 6.0) -> Ratio:
    r"""Training compute of a dense model by the rule of six operations per parameter and token.

    $$C = 6\,N\,D$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Training compute in flop, as a pure number.

    Assumptions
    -----------
    Attention over the sequence is left out; the forward pass takes 2 operations per parameter and token, the backward pass 4.

    References
    ----------
    Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv 2203.15556, 2022, section 3.3 and appendix F.

    Examples
    --------
    >>> training_operations(70e9, 1.4e12)
    5.88e+23
    """
    return 1.0 * operations * parameters * tokens


def tokens_for_loss(loss: Ratio, parameters: Count, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Tokens with which a model of given size reaches a loss: the iso-loss curve.

    $$D(L, N) = \left(\frac{B}{L - E - A N^{-\alpha}}\right)^{1/\beta}$$

    Parameters
    ----------
    loss : 1, broadcast
        Loss to reach, above the irreducible loss.
    parameters : 1, broadcast
        Parameters of the model.
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

    Returns
    -------
    1, broadcast
        Training tokens; infinite where the model is too small for the loss.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `chinchilla_loss` solved for the tokens.

    Examples
    --------
    >>> loss = chinchilla_loss(70e9, 1.4e12, 1.81686, 482.006, 2085.434, 0.34781, 0.36585)
    >>> round(tokens_for_loss(loss, 70e9, 1.81686, 482.006, 2085.434, 0.34781, 0.36585) / 1e12, 6)
    1.4
    """
    gap = loss - E - A * parameters ** (-alpha)
    safe = where(gap > 0.0, gap, 1.0)
    return where(gap > 0.0, (B / safe) ** (1.0 / beta), INFINITY)


def parameters_for_loss(loss: Ratio, tokens: Count, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Parameters with which given data reach a loss.

    $$N(L, D) = \left(\frac{A}{L - E - B D^{-\beta}}\right)^{1/\alpha}$$

    Parameters
    ----------
    loss : 1, broadcast
        Loss to reach, above the irreducible loss.
    tokens : 1, broadcast
        Training tokens.
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

    Returns
    -------
    1, broadcast
        Parameters; infinite where the data are too few for the loss.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `chinchilla_loss` solved for the parameters.

    Examples
    --------
    >>> loss = chinchilla_loss(70e9, 1.4e12, 1.81686, 482.006, 2085.434, 0.34781, 0.36585)
    >>> round(parameters_for_loss(loss, 1.4e12, 1.81686, 482.006, 2085.434, 0.34781, 0.36585) / 1e9, 6)
    70.0
    """
    gap = loss - E - B * tokens ** (-beta)
    safe = where(gap > 0.0, gap, 1.0)
    return where(gap > 0.0, (A / safe) ** (1.0 / alpha), INFINITY)


def smallest_parameters(loss: Ratio, E: Ratio, A: Ratio, alpha: Ratio) -> Ratio:
    r"""Size below which a model cannot reach a loss with any amount of data.

    $$N_{min} = \left(\frac{A}{L - E}\right)^{1/\alpha}$$

    Parameters
    ----------
    loss : 1, broadcast
        Loss to reach, above the irreducible loss.
    E : 1, broadcast
        Irreducible loss.
    A : 1, broadcast
        Coefficient of the parameter term.
    alpha : 1, broadcast
        Exponent of parameters, above 0.

    Returns
    -------
    1, broadcast
        Parameters where the iso-loss curve has its pole.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `tokens_for_loss` grows without bound as its denominator reaches 0.

    Examples
    --------
    >>> round(smallest_parameters(2.0, 1.81686, 482.006, 0.34781) / 1e9, 2)
    6.83
    """
    return (A / (loss - E)) ** (1.0 / alpha)


def parameter_elasticity(parameters: Count, tokens: Count, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Exponent:
    r"""Percent by which the loss changes for a percent more parameters.

    $$\frac{\partial \ln L}{\partial \ln N} = -\frac{\alpha A N^{-\alpha}}{L}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
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

    Returns
    -------
    1, broadcast
        Elasticity, below 0.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: derivative of the logarithm of `chinchilla_loss`.

    Examples
    --------
    >>> round(parameter_elasticity(70e9, 1.4e12, 1.81686, 482.006, 2085.434, 0.34781, 0.36585), 5)
    -0.01436
    """
    return -alpha * A * parameters ** (-alpha) / (E + A * parameters ** (-alpha) + B * tokens ** (-beta))


def token_elasticity(parameters: Count, tokens: Count, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Exponent:
    r"""Percent by which the loss changes for a percent more tokens.

    $$\frac{\partial \ln L}{\partial \ln D} = -\frac{\beta B D^{-\beta}}{L}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
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

    Returns
    -------
    1, broadcast
        Elasticity, below 0.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: derivative of the logarithm of `chinchilla_loss`.

    Examples
    --------
    >>> round(token_elasticity(70e9, 1.4e12, 1.81686, 482.006, 2085.434, 0.34781, 0.36585), 5)
    -0.01392
    """
    return -beta * B * tokens ** (-beta) / (E + A * parameters ** (-alpha) + B * tokens ** (-beta))


def overtrained_loss(compute: Ratio, tokens_per_parameter: Ratio, E: Ratio, a: Ratio, b: Ratio, eta: Ratio) -> Ratio:
    r"""Loss of a model trained on more, or fewer, tokens per parameter than is best for its compute.

    $$L = E + \left(a M^\eta + b M^{-\eta}\right) C^{-\eta}, \qquad M = \frac{D}{N}$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
    tokens_per_parameter : 1, broadcast
        Training tokens per parameter, above 0.
    E : 1, broadcast
        Irreducible loss.
    a : 1, broadcast
        Coefficient of the parameter term.
    b : 1, broadcast
        Coefficient of the data term.
    eta : 1, broadcast
        Exponent of compute, above 0.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Both terms of `chinchilla_loss` fall with the same exponent 2 eta, so that all ratios M share one exponent of compute.

    References
    ----------
    Gadre et al., Language models scale reliably with over-training and on downstream tasks, arXiv 2403.08540, 2024, equation 4.

    Examples
    --------
    >>> compute = training_operations(1.44e9, 640 * 1.44e9)
    >>> round(overtrained_loss(compute, 640.0, 1.837, 212.2, 366.7, 0.1364), 2)
    2.52
    """
    return E + (a * tokens_per_parameter**eta + b * tokens_per_parameter ** (-eta)) * compute ** (-eta)
