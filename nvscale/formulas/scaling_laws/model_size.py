"""What a model smaller or larger than compute-optimal costs, and when use pays for it."""

from nvscale.unit_types import Count, Exponent, Ratio

__all__ = [
    "compute_overhead",
    "justifying_lifetime_tokens",
    "lifetime_operations",
    "smallest_size_factor",
    "token_factor",
]


def smallest_size_factor(alpha: Ratio, beta: Ratio) -> Ratio:
    r"""How much smaller than compute-optimal a model of the same loss can be with endless data.

    $$k_{min} = \left(1 + \frac{\alpha}{\beta}\right)^{-1/\alpha}$$

    Parameters
    ----------
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.

    Returns
    -------
    1, broadcast
        Parameters over compute-optimal parameters.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: the pole of `token_factor`.

    Examples
    --------
    >>> round(smallest_size_factor(0.34781, 0.36585), 3)
    0.146
    """
    return (1.0 + alpha / beta) ** (-1.0 / alpha)


def token_factor(size_factor: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Factor on the tokens that keeps the loss when the model is smaller or larger than compute-optimal.

    $$k_D = \left(1 - \frac{\beta}{\alpha} \left(k_N^{-\alpha} - 1\right)\right)^{-1/\beta}$$

    Parameters
    ----------
    size_factor : 1, broadcast
        Parameters over compute-optimal parameters, above `smallest_size_factor`.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.

    Returns
    -------
    1, broadcast
        Tokens over compute-optimal tokens.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    H. de Vries, Go smol or go home, 2023, with the ratio of the coefficients replaced by that of the exponents, which is its value at the
    optimum.

    Examples
    --------
    Half of the parameters take two and a half times the tokens.

    >>> round(token_factor(0.5, 0.34781, 0.36585), 2)
    2.52
    """
    return (1.0 - beta / alpha * (size_factor ** (-alpha) - 1.0)) ** (-1.0 / beta)


def compute_overhead(size_factor: Ratio, alpha: Ratio, beta: Ratio) -> Exponent:
    """Share of compute that a model of other than the optimal size takes more, at equal loss.

    $$k_N k_D - 1$$

    Parameters
    ----------
    size_factor : 1, broadcast
        Parameters over compute-optimal parameters, above `smallest_size_factor`.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.

    Returns
    -------
    1, broadcast
        Compute over the optimal compute, less 1.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    H. de Vries, Go smol or go home, 2023.

    Examples
    --------
    >>> round(compute_overhead(0.5, 0.34781, 0.36585), 2)
    0.26
    >>> compute_overhead(1.0, 0.34781, 0.36585)
    0.0
    """
    return size_factor * token_factor(size_factor, alpha, beta) - 1.0


def lifetime_operations(
    parameters: Count, tokens: Count, lifetime_tokens: Ratio, operations: Ratio = 6.0, inference_operations: Ratio = 2.0
) -> Ratio:
    r"""Compute over the life of a model: training and use.

    $$C = 6\,N\,D + 2\,N\,D_{inf}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
    lifetime_tokens : 1, broadcast
        Tokens read and written when the model is used, over its life.
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.
    inference_operations : 1, broadcast
        Operations per parameter and token in use.

    Returns
    -------
    1, broadcast
        Compute in flop, as a pure number.

    Assumptions
    -----------
    A token in use costs as many operations as a forward pass, whether read or written.

    References
    ----------
    Sardana et al., Beyond Chinchilla-Optimal, arXiv 2401.00448, 2023, equation 3.

    Examples
    --------
    >>> lifetime_operations(7e9, 2e12, 2e12)
    1.12e+23
    """
    return 1.0 * parameters * (operations * tokens + inference_operations * lifetime_tokens)


def justifying_lifetime_tokens(
    parameters: Count,
    tokens: Count,
    A: Ratio,
    B: Ratio,
    alpha: Ratio,
    beta: Ratio,
    operations: Ratio = 6.0,
    inference_operations: Ratio = 2.0,
) -> Exponent:
    r"""Tokens of use for which a model of given size and data is the cheapest of its loss over its life.

    $$D_{inf} = \frac{6}{2}\,D \left(\frac{\alpha A N^{-\alpha}}{\beta B D^{-\beta}} - 1\right)$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
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
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.
    inference_operations : 1, broadcast
        Operations per parameter and token in use.

    Returns
    -------
    1, broadcast
        Tokens of use; 0 at the compute-optimal allocation, below 0 for a larger model.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Derivation: stationary point of `lifetime_operations` along the iso-loss curve; the problem is that of Sardana et al., arXiv
    2401.00448, 2023, equation 4.

    Examples
    --------
    A model of 8e9 parameters on 15e12 tokens pays when it reads and writes this many (in units of 1e12).

    >>> round(justifying_lifetime_tokens(8e9, 15e12, 482.006, 2085.434, 0.34781, 0.36585) / 1e12)
    190
    """
    balance = alpha * A * parameters ** (-alpha) / (beta * B * tokens ** (-beta))
    return operations / inference_operations * tokens * (balance - 1.0)
