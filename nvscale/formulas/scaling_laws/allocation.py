"""Compute-optimal allocation between parameters and tokens, and the loss that it reaches."""

from nvscale.formulas.scaling_laws.chinchilla import chinchilla_loss
from nvscale.unit_types import Count, Exponent, Ratio

__all__ = [
    "allocation_coefficient",
    "compute_elasticity",
    "compute_for_loss",
    "matched_parameters",
    "matched_tokens",
    "optimal_loss",
    "optimal_parameters",
    "optimal_tokens",
]


def allocation_coefficient(A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Coefficient of the compute-optimal allocation between parameters and tokens.

    $$G = \left(\frac{\alpha A}{\beta B}\right)^{1/(\alpha + \beta)}$$

    Parameters
    ----------
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
        Coefficient.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv 2203.15556, 2022, equation 4.

    Examples
    --------
    >>> round(allocation_coefficient(406.4, 410.7, 0.34, 0.28), 5)
    1.34471
    """
    return (alpha * A / (beta * B)) ** (1.0 / (alpha + beta))


def optimal_parameters(compute: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio, operations: Ratio = 6.0) -> Ratio:
    r"""Parameters of the model that reaches the lowest loss with given compute.

    $$N^* = G \left(\frac{C}{6}\right)^{\beta/(\alpha + \beta)}$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
    A : 1, broadcast
        Coefficient of the parameter term.
    B : 1, broadcast
        Coefficient of the data term.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Parameters.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to. Every token is seen once; only training is paid for.

    References
    ----------
    Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv 2203.15556, 2022, equation 4.

    Examples
    --------
    The compute of Gopher, by the rounded constants of equation 10: not the 40e9 that the paper gives, which needs more digits.

    >>> round(optimal_parameters(5.76e23, 406.4, 410.7, 0.34, 0.28) / 1e9, 2)
    32.19
    """
    return allocation_coefficient(A, B, alpha, beta) * (compute / operations) ** (beta / (alpha + beta))


def optimal_tokens(compute: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio, operations: Ratio = 6.0) -> Ratio:
    r"""Tokens with which given compute reaches the lowest loss.

    $$D^* = \frac{1}{G} \left(\frac{C}{6}\right)^{\alpha/(\alpha + \beta)}$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
    A : 1, broadcast
        Coefficient of the parameter term.
    B : 1, broadcast
        Coefficient of the data term.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Training tokens.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to. Every token is seen once; only training is paid for.

    References
    ----------
    Hoffmann et al., Training Compute-Optimal Large Language Models, arXiv 2203.15556, 2022, equation 4.

    Examples
    --------
    >>> round(optimal_tokens(5.76e23, 482.006, 2085.434, 0.34781, 0.36585) / 1e12, 2)
    1.33
    """
    return (compute / operations) ** (alpha / (alpha + beta)) / allocation_coefficient(A, B, alpha, beta)


def optimal_loss(compute: Ratio, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio, operations: Ratio = 6.0) -> Ratio:
    r"""Lowest loss that given compute reaches.

    $$L^* = E + \left(A G^{-\alpha} + B G^\beta\right) \left(\frac{C}{6}\right)^{-\alpha\beta/(\alpha + \beta)}$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
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
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `chinchilla_loss` at `optimal_parameters` and `optimal_tokens`.

    Examples
    --------
    >>> round(optimal_loss(5.76e23, 1.69, 406.4, 410.7, 0.34, 0.28), 5)
    1.93075
    """
    size = optimal_parameters(compute, A, B, alpha, beta, operations)
    return chinchilla_loss(size, compute / operations / size, E, A, B, alpha, beta)


def compute_for_loss(loss: Ratio, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio, operations: Ratio = 6.0) -> Ratio:
    r"""Compute that reaches a loss when it is spent in the best way.

    $$C^* = 6 \left(\frac{A G^{-\alpha} + B G^\beta}{L - E}\right)^{(\alpha + \beta)/(\alpha\beta)}$$

    Parameters
    ----------
    loss : 1, broadcast
        Loss to reach, above the irreducible loss.
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
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Training compute in flop, as a pure number.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `optimal_loss` solved for the compute.

    Examples
    --------
    >>> constants = 1.81686, 482.006, 2085.434, 0.34781, 0.36585
    >>> round(compute_for_loss(optimal_loss(1e24, *constants), *constants) / 1e24, 9)
    1.0
    """
    scale = allocation_coefficient(A, B, alpha, beta)
    rest = A * scale ** (-alpha) + B * scale**beta
    return operations * (rest / (loss - E)) ** ((alpha + beta) / (alpha * beta))


def compute_elasticity(compute: Ratio, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio, operations: Ratio = 6.0) -> Exponent:
    r"""Percent by which the lowest loss changes for a percent more compute.

    $$\frac{d \ln L^*}{d \ln C} = -\frac{\alpha\beta}{\alpha + \beta} \, \frac{L^* - E}{L^*}$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
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
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Elasticity, below 0.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: derivative of the logarithm of `optimal_loss`.

    Examples
    --------
    >>> round(compute_elasticity(5.76e23, 1.81686, 482.006, 2085.434, 0.34781, 0.36585), 5)
    -0.01419
    """
    reached = optimal_loss(compute, E, A, B, alpha, beta, operations)
    return -alpha * beta / (alpha + beta) * (reached - E) / reached


def matched_parameters(tokens: Count, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Parameters for which given tokens are compute-optimal.

    $$N = G \left(G D\right)^{\beta/\alpha}$$

    Parameters
    ----------
    tokens : 1, broadcast
        Training tokens.
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
        Parameters.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `optimal_parameters` at the compute whose `optimal_tokens` are the given ones; Muennighoff et al., arXiv 2305.16264, 2023,
    section 3.1 (U_N).

    Examples
    --------
    >>> round(matched_parameters(1e12, 520.825, 1487.72, 0.3526596, 0.3526596) / 1e12, 4)
    0.051
    """
    scale = allocation_coefficient(A, B, alpha, beta)
    return scale * (scale * tokens) ** (beta / alpha)


def matched_tokens(parameters: Count, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Tokens for which given parameters are compute-optimal.

    $$D = \frac{1}{G} \left(\frac{N}{G}\right)^{\alpha/\beta}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
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
        Training tokens.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: `matched_parameters` solved for the tokens.

    Examples
    --------
    >>> round(matched_tokens(70e9, 406.4, 410.7, 0.34, 0.28) / 1e12, 2)
    7.66
    """
    scale = allocation_coefficient(A, B, alpha, beta)
    return (parameters / scale) ** (alpha / beta) / scale
