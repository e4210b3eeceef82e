"""Distillation: a student trained on data alone, and one that learns from a teacher."""

from nvscale.unit_types import Count, Ratio

__all__ = [
    "distilled_loss",
    "supervised_loss",
]


def supervised_loss(parameters: Count, tokens: Count, E: Ratio, A: Ratio, B: Ratio, alpha: Ratio, beta: Ratio, gamma: Ratio) -> Ratio:
    r"""Loss of a model trained on data alone, with one exponent more on what size and data remove.

    $$\tilde L = E + \left(\frac{A}{N^\alpha} + \frac{B}{D^\beta}\right)^{\gamma}$$

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
    gamma : 1, broadcast
        Exponent of the sum of both terms.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Busbridge et al., Distillation Scaling Laws, arXiv 2502.08606, 2025, supervised law inside equation 8.

    Examples
    --------
    >>> round(supervised_loss(1e9, 128e9, 1.220, 3355.0, 18186.0, 0.408, 0.431, 0.452), 3)
    2.225
    """
    return E + (A * parameters ** (-alpha) + B * tokens ** (-beta)) ** gamma


def distilled_loss(
    parameters: Count,
    tokens: Count,
    teacher_loss: Ratio,
    supervised: Ratio,
    A: Ratio,
    B: Ratio,
    alpha: Ratio,
    beta: Ratio,
    gamma: Ratio,
    c_0: Ratio,
    c_1: Ratio,
    d_1: Ratio,
    f_1: Ratio,
) -> Ratio:
    r"""Loss of a student that learns from a teacher.

    $$L_S = L_T + \frac{1}{L_T^{c_0}} \left(1 + \left(\frac{L_T}{\tilde L_S d_1}\right)^{1/f_1}\right)^{-c_1 f_1}
    \left(\frac{A'}{N_S^{\alpha'}} + \frac{B'}{D_S^{\beta'}}\right)^{\gamma'}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the student.
    tokens : 1, broadcast
        Tokens that the student learns from the teacher.
    teacher_loss : 1, broadcast
        Loss of the teacher, above 0.
    supervised : 1, broadcast
        Loss of the same student trained on as much data alone: `supervised_loss`.
    A : 1, broadcast
        Coefficient of the parameter term.
    B : 1, broadcast
        Coefficient of the data term.
    alpha : 1, broadcast
        Exponent of parameters, above 0.
    beta : 1, broadcast
        Exponent of tokens, above 0.
    gamma : 1, broadcast
        Exponent of the sum of both terms.
    c_0 : 1, broadcast
        Exponent of the teacher's loss.
    c_1 : 1, broadcast
        Exponent beyond the gap of capacity.
    d_1 : 1, broadcast
        Place of the gap of capacity.
    f_1 : 1, broadcast
        Width of the gap of capacity, above 0.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    The teacher acts through its loss alone. Holds inside the range of the runs that the constants were fitted to.

    References
    ----------
    Busbridge et al., Distillation Scaling Laws, arXiv 2502.08606, 2025, equation 8.

    Examples
    --------
    Round constants: a student of endless size and data comes down to its teacher.

    >>> constants = 2000.0, 20000.0, 0.3, 0.6, 0.8, 2.5, 500.0, 1.3, 0.1
    >>> round(distilled_loss(1e30, 1e30, 2.0, 2.1, *constants), 6)
    2.0
    """
    gap = (1.0 + (teacher_loss / (supervised * d_1)) ** (1.0 / f_1)) ** (-c_1 * f_1)
    return teacher_loss + teacher_loss ** (-c_0) * gap * (A * parameters ** (-alpha) + B * tokens ** (-beta)) ** gamma
