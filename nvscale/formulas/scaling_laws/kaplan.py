"""Power laws of one amount and of two, best allocations as powers of compute, and the critical batch."""

from nvscale.unit_types import Count, Exponent, Ratio

__all__ = [
    "critical_batch_size",
    "examples_at_batch",
    "kaplan_loss",
    "power_law_amount",
    "power_law_loss",
    "steps_at_batch",
]


def power_law_loss(amount: Ratio, scale: Ratio, exponent: Ratio) -> Ratio:
    r"""Loss by a power law of the one amount that is short.

    $$L = \left(\frac{X_c}{X}\right)^{\alpha}$$

    Parameters
    ----------
    amount : 1, broadcast
        Parameters, tokens or compute, in the unit of the scale, above 0.
    scale : 1, broadcast
        Amount at which the law gives a loss of 1.
    exponent : 1, broadcast
        Exponent of the law.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Only this amount limits; there is no irreducible loss.

    References
    ----------
    Kaplan et al., Scaling Laws for Neural Language Models, arXiv 2001.08361, 2020, equations 1.1 to 1.3.

    Examples
    --------
    The largest GPT-3, by its parameters alone.

    >>> round(power_law_loss(175e9, 8.8e13, 0.076), 3)
    1.604
    """
    return (scale / amount) ** exponent


def kaplan_loss(parameters: Count, tokens: Count, N_c: Ratio, D_c: Ratio, alpha_N: Ratio, alpha_D: Ratio) -> Ratio:
    r"""Loss of a model of given size on given data, stopped before it over-fits.

    $$L = \left[\left(\frac{N_c}{N}\right)^{\alpha_N/\alpha_D} + \frac{D_c}{D}\right]^{\alpha_D}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    tokens : 1, broadcast
        Training tokens.
    N_c : 1, broadcast
        Scale of the parameters.
    D_c : 1, broadcast
        Scale of the tokens.
    alpha_N : 1, broadcast
        Exponent of parameters.
    alpha_D : 1, broadcast
        Exponent of tokens.

    Returns
    -------
    1, broadcast
        Loss in the unit of the constants, nats per token for most.

    Assumptions
    -----------
    Parameters without embeddings. The constants of this law are not those of the laws of one amount.

    References
    ----------
    Kaplan et al., Scaling Laws for Neural Language Models, arXiv 2001.08361, 2020, equation 1.5 and table 2.

    Examples
    --------
    >>> round(kaplan_loss(175e9, 300e9, 6.4e13, 1.8e13, 0.076, 0.103), 5)
    1.66096
    """
    return ((N_c / parameters) ** (alpha_N / alpha_D) + D_c / tokens) ** alpha_D


def power_law_amount(compute: Ratio, coefficient: Ratio, exponent: Exponent) -> Ratio:
    r"""Amount that grows as a power of compute: best size, data, batch or steps.

    $$X = k\,C^p$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
    coefficient : 1, broadcast
        Amount at a compute of 1, in the unit of the law.
    exponent : 1, broadcast
        Exponent of compute.

    Returns
    -------
    1, broadcast
        Amount, in the unit of the coefficient.

    Assumptions
    -----------
    The compute is in the unit of the law: PF-days in Kaplan et al., flop in most others.

    References
    ----------
    Kaplan et al., Scaling Laws for Neural Language Models, arXiv 2001.08361, 2020, table 6; Hoffmann et al., Training Compute-Optimal
    Large Language Models, arXiv 2203.15556, 2022, table 2.

    Examples
    --------
    Parameters that Kaplan et al. give to 1000 PF-days.

    >>> round(power_law_amount(1000.0, 1.3e9, 0.73) / 1e9, 1)
    201.3
    """
    return coefficient * compute**exponent


def critical_batch_size(loss: Ratio, B_star: Ratio, alpha_B: Ratio) -> Ratio:
    r"""Batch at which training takes twice the fewest steps and twice the fewest tokens.

    $$B_{crit} = \frac{B_*}{L^{1/\alpha_B}}$$

    Parameters
    ----------
    loss : 1, broadcast
        Loss to reach, above the irreducible loss.
    B_star : 1, broadcast
        Batch at a loss of 1, in tokens.
    alpha_B : 1, broadcast
        Exponent, above 0.

    Returns
    -------
    1, broadcast
        Batch, in tokens.

    Assumptions
    -----------
    Depends on the loss alone, not on the size of the model.

    References
    ----------
    Kaplan et al., Scaling Laws for Neural Language Models, arXiv 2001.08361, 2020, equation 5.3.

    Examples
    --------
    >>> round(critical_batch_size(2.0, 2.1e8, 0.21) / 1e6, 2)
    7.74
    """
    return B_star / loss ** (1.0 / alpha_B)


def steps_at_batch(fewest_steps: Ratio, batch: Ratio, critical_batch: Ratio) -> Ratio:
    r"""Steps of training with a given batch.

    $$S = S_{min} \left(1 + \frac{B_{crit}}{B}\right)$$

    Parameters
    ----------
    fewest_steps : 1, broadcast
        Steps with a very large batch.
    batch : 1, broadcast
        Batch, above 0.
    critical_batch : 1, broadcast
        Critical batch, in the same unit, above 0.

    Returns
    -------
    1, broadcast
        Steps.

    Assumptions
    -----------
    The learning rate is tuned for each batch; the critical batch does not change during training.

    References
    ----------
    McCandlish et al., An Empirical Model of Large-Batch Training, arXiv 1812.06162, 2018, equation 2.11.

    Examples
    --------
    >>> steps_at_batch(10000.0, 4e6, 4e6)
    20000.0
    """
    return fewest_steps * (1.0 + critical_batch / batch)


def examples_at_batch(fewest_examples: Ratio, batch: Ratio, critical_batch: Ratio) -> Ratio:
    r"""Examples that training takes with a given batch.

    $$E = E_{min} \left(1 + \frac{B}{B_{crit}}\right)$$

    Parameters
    ----------
    fewest_examples : 1, broadcast
        Examples, or tokens, with a very small batch.
    batch : 1, broadcast
        Batch, above 0.
    critical_batch : 1, broadcast
        Critical batch, in the same unit, above 0.

    Returns
    -------
    1, broadcast
        Examples, or tokens.

    Assumptions
    -----------
    The learning rate is tuned for each batch; the critical batch does not change during training.

    References
    ----------
    McCandlish et al., An Empirical Model of Large-Batch Training, arXiv 1812.06162, 2018, equation 2.11.

    Examples
    --------
    >>> examples_at_batch(1e12, 1e6, 4e6)
    1250000000000.0
    """
    return fewest_examples * (1.0 + batch / critical_batch)
