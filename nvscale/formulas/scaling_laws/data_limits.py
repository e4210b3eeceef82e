"""When data run out: repeated tokens, models too large for their data, data transferred from another task."""

from nvscale.formulas.scaling_laws.chinchilla import chinchilla_loss
from nvscale.ops import exp, maximum, minimum
from nvscale.unit_types import Count, Ratio

__all__ = [
    "effective_parameters",
    "effective_tokens",
    "repeated_data_loss",
    "repetition_worth",
    "transferred_data",
]


def effective_tokens(unique_tokens: Count, epochs: Count, R_D: Ratio) -> Ratio:
    r"""Different tokens that would be worth as much as data seen several times.

    $$D' = U \left(1 + R^* \left(1 - e^{-(n - 1)/R^*}\right)\right)$$

    Parameters
    ----------
    unique_tokens : 1, broadcast
        Different tokens.
    epochs : 1, broadcast
        Times that the data are seen.
    R_D : 1, broadcast
        Repetitions after which more of them hardly help.

    Returns
    -------
    1, broadcast
        Tokens.

    Assumptions
    -----------
    The worth of a repetition decays exponentially with the number of repetitions.

    References
    ----------
    Muennighoff et al., Scaling Data-Constrained Language Models, arXiv 2305.16264, 2023, equation 5.

    Examples
    --------
    >>> round(effective_tokens(1e12, 16.0, 15.387756) / 1e12, 4)
    10.5825
    """
    return unique_tokens * (1.0 + R_D * (1.0 - exp(-(epochs - 1.0) / R_D)))


def effective_parameters(parameters: Count, unique_parameters: Count, R_N: Ratio) -> Ratio:
    r"""Parameters that would be worth as much as a model too large for its data.

    $$N' = \min(N, U_N) + U_N R^* \left(1 - e^{-\max(N/U_N - 1, 0)/R^*}\right)$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    unique_parameters : 1, broadcast
        Parameters for which the different tokens are compute-optimal.
    R_N : 1, broadcast
        Excess after which more parameters hardly help.

    Returns
    -------
    1, broadcast
        Parameters.

    Assumptions
    -----------
    The worth of excess parameters decays exponentially with the excess.

    References
    ----------
    Muennighoff et al., Scaling Data-Constrained Language Models, arXiv 2305.16264, 2023, equation 6.

    Examples
    --------
    >>> round(effective_parameters(2e9, 1e9, 5.309743) / 1e9, 3)
    1.912
    """
    excess = maximum(parameters / unique_parameters - 1.0, 0.0)
    return minimum(parameters, unique_parameters) + unique_parameters * R_N * (1.0 - exp(-excess / R_N))


def repetition_worth(epochs: Count, R_D: Ratio) -> Ratio:
    r"""Worth of a token that is seen several times, per time that it is seen.

    $$\frac{D'}{n U} = \frac{1 + R^* \left(1 - e^{-(n - 1)/R^*}\right)}{n}$$

    Parameters
    ----------
    epochs : 1, broadcast
        Times that the data are seen.
    R_D : 1, broadcast
        Repetitions after which more of them hardly help.

    Returns
    -------
    1, broadcast
        Share of the worth of a different token.

    Assumptions
    -----------
    The worth of a repetition decays exponentially with the number of repetitions.

    References
    ----------
    Derivation: `effective_tokens` over the tokens that are seen.

    Examples
    --------
    >>> round(repetition_worth(4.0, 15.387756), 3)
    0.931
    """
    return effective_tokens(1.0, epochs, R_D) / epochs


def repeated_data_loss(
    parameters: Count,
    unique_tokens: Count,
    epochs: Count,
    unique_parameters: Count,
    E: Ratio,
    A: Ratio,
    B: Ratio,
    alpha: Ratio,
    beta: Ratio,
    R_N: Ratio,
    R_D: Ratio,
) -> Ratio:
    r"""Loss of a model trained several times over its data.

    $$L = E + \frac{A}{N'^\alpha} + \frac{B}{D'^\beta}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    unique_tokens : 1, broadcast
        Different tokens.
    epochs : 1, broadcast
        Times that the data are seen.
    unique_parameters : 1, broadcast
        Parameters for which the different tokens are compute-optimal.
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
    R_N : 1, broadcast
        Excess after which more parameters hardly help.
    R_D : 1, broadcast
        Repetitions after which more of them hardly help.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to. See `effective_tokens` and `effective_parameters`.

    References
    ----------
    Muennighoff et al., Scaling Data-Constrained Language Models, arXiv 2305.16264, 2023, equation 4.

    Examples
    --------
    >>> constants = 1.86914, 520.825, 1487.72, 0.3526596, 0.3526596, 5.309743, 15.387756
    >>> round(repeated_data_loss(1e9, 2e10, 4.0, 1.02e9, *constants), 3)
    2.436
    """
    size = effective_parameters(parameters, unique_parameters, R_N)
    return chinchilla_loss(size, effective_tokens(unique_tokens, epochs, R_D), E, A, B, alpha, beta)


def transferred_data(fine_tuning_data: Ratio, parameters: Count, k: Ratio, alpha: Ratio, beta: Ratio) -> Ratio:
    r"""Data of the new task that pre-training on another one is worth.

    $$D_T = k\,D_F^\alpha\,N^\beta$$

    Parameters
    ----------
    fine_tuning_data : 1, broadcast
        Data of the new task, in characters.
    parameters : 1, broadcast
        Parameters of the model.
    k : 1, broadcast
        Coefficient of the law.
    alpha : 1, broadcast
        Exponent of the data of the new task.
    beta : 1, broadcast
        Exponent of parameters.

    Returns
    -------
    1, broadcast
        Data, in characters.

    Assumptions
    -----------
    Little data of the new task.

    References
    ----------
    Hernandez et al., Scaling Laws for Transfer, arXiv 2102.01293, 2021, equation 1.2.

    Examples
    --------
    >>> round(transferred_data(3e6, 1e8, 19000.0, 0.18, 0.38) / 1e6)
    305
    """
    return k * fine_tuning_data**alpha * parameters**beta
