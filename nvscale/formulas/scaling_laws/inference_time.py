"""Compute after training: many samples, search, reinforcement learning; and models that get denser."""

from nvscale.ops import exp, log
from nvscale.unit_types import Count, Exponent, Ratio, Seconds, Share

__all__ = [
    "capability_density",
    "coverage",
    "coverage_exponent",
    "independent_coverage",
    "parameters_after",
    "reinforcement_pass_rate",
    "samples_for_coverage",
    "search_for_training_operations",
]


def coverage(samples: Count, a: Exponent, b: Exponent) -> Share:
    """Share of problems that at least one of several samples solves.

    $$c(k) = e^{a k^b}$$

    Parameters
    ----------
    samples : 1, broadcast
        Tries at each problem.
    a : 1, broadcast
        Logarithm of the coverage of one sample, below 0.
    b : 1, broadcast
        Exponent of the samples, below 0.

    Returns
    -------
    1, broadcast
        Share of the problems.

    Assumptions
    -----------
    A right sample is recognised, as by a test.

    References
    ----------
    Brown et al., Large Language Monkeys, arXiv 2407.21787, 2024, equation 2.

    Examples
    --------
    >>> round(coverage(250.0, -1.83885, -0.209035), 3)
    0.56
    """
    return exp(a * samples**b)


def coverage_exponent(first_coverage: Share, reached_coverage: Share, samples: Count) -> Exponent:
    r"""Exponent of the coverage law through the coverage of one sample and that of several.

    $$b = \frac{\ln\left(\ln c(k) / \ln c(1)\right)}{\ln k}$$

    Parameters
    ----------
    first_coverage : 1, broadcast
        Coverage of one sample, between 0 and 1.
    reached_coverage : 1, broadcast
        Coverage of several samples, between 0 and 1.
    samples : 1, broadcast
        Tries at each problem.

    Returns
    -------
    1, broadcast
        Exponent, below 0; the coefficient is the logarithm of the coverage of one sample.

    Assumptions
    -----------
    A right sample is recognised, as by a test.

    References
    ----------
    Derivation: `coverage` at 1 and at k samples.

    Examples
    --------
    DeepSeek-Coder-V2-Instruct on SWE-bench Lite: 15.9 % with one sample, 56 % with 250.

    >>> round(coverage_exponent(0.159, 0.56, 250.0), 6)
    -0.209035
    """
    return log(log(reached_coverage) / log(first_coverage)) / log(samples)


def samples_for_coverage(reached_coverage: Share, a: Exponent, b: Exponent) -> Ratio:
    r"""Samples that reach a coverage.

    $$k = \left(\frac{\ln c}{a}\right)^{1/b}$$

    Parameters
    ----------
    reached_coverage : 1, broadcast
        Coverage to reach, between 0 and 1.
    a : 1, broadcast
        Logarithm of the coverage of one sample, below 0.
    b : 1, broadcast
        Exponent of the samples, below 0.

    Returns
    -------
    1, broadcast
        Samples.

    Assumptions
    -----------
    A right sample is recognised, as by a test.

    References
    ----------
    Derivation: `coverage` solved for the samples.

    Examples
    --------
    >>> round(samples_for_coverage(0.56, -1.83885, -0.209035))
    250
    """
    return (log(reached_coverage) / a) ** (1.0 / b)


def independent_coverage(chance: Share, samples: Count) -> Share:
    """Share of equally hard problems that at least one of several samples solves.

    $$c(k) = 1 - (1 - p)^k$$

    Parameters
    ----------
    chance : 1, broadcast
        Chance that one sample is right, below 1.
    samples : 1, broadcast
        Tries at each problem.

    Returns
    -------
    1, broadcast
        Share of the problems.

    Assumptions
    -----------
    All problems have the same chance, and samples are independent; real problems differ, so that coverage rises more slowly.

    References
    ----------
    Derivation: all k samples fail with probability (1 - p)^k.

    Examples
    --------
    >>> independent_coverage(0.5, 3.0)
    0.875
    """
    return 1.0 - (1.0 - chance) ** samples


def search_for_training_operations(train_compute: Ratio, strength: Exponent, s: Ratio, m: Ratio, k: Exponent) -> Ratio:
    r"""Compute in play that makes up for less training at equal strength.

    $$\log_{10} C_{test} = -s \log_{10} C_{train} + m\,r + k$$

    Parameters
    ----------
    train_compute : 1, broadcast
        Training compute in flop, as a pure number.
    strength : 1, broadcast
        Strength of play to reach, in Elo points.
    s : 1, broadcast
        Decades of compute in play that a decade in training saves.
    m : 1, broadcast
        Decades of compute in play per Elo point.
    k : 1, broadcast
        Constant.

    Returns
    -------
    1, broadcast
        Compute per move in flop, as a pure number.

    Assumptions
    -----------
    A board game, Hex, with tree search; down to one node.

    References
    ----------
    Jones, Scaling Scaling Laws with Board Games, arXiv 2104.03113, 2021, figure 9.

    Examples
    --------
    Ten times the training replaces this much compute in play.

    >>> constants = -1000.0, 1.2, 0.004, 29.0
    >>> round(search_for_training_operations(1e15, *constants) / search_for_training_operations(1e16, *constants), 1)
    15.8
    """
    return exp(log(10.0) * (m * strength + k)) * train_compute ** (-s)


def capability_density(matching_parameters: Count, parameters: Count) -> Ratio:
    r"""Parameters that a model is worth, over those it has.

    $$\rho = \frac{\hat N}{N}$$

    Parameters
    ----------
    matching_parameters : 1, broadcast
        Parameters of a reference model that scores as high.
    parameters : 1, broadcast
        Parameters of the model.

    Returns
    -------
    1, broadcast
        Density.

    Assumptions
    -----------
    The reference models, their data and the benchmarks are fixed.

    References
    ----------
    Xiao et al., Densing law of LLMs, Nature Machine Intelligence, 2025.

    Examples
    --------
    >>> capability_density(8e9, 4e9)
    2.0
    """
    return matching_parameters / parameters


def parameters_after(parameters: Count, elapsed: Seconds, doubling_time: Seconds) -> Ratio:
    r"""Parameters that do after some time what given parameters do today.

    $$N(t) = N\,2^{-t/T}$$

    Parameters
    ----------
    parameters : 1, broadcast
        Parameters of the model.
    elapsed : s, broadcast
        Time that has passed.
    doubling_time : s, broadcast
        Time in which the capability density doubles.

    Returns
    -------
    1, broadcast
        Parameters.

    Assumptions
    -----------
    The capability density keeps doubling; it depends on the benchmarks.

    References
    ----------
    Xiao et al., Densing law of LLMs, Nature Machine Intelligence, 2025.

    Examples
    --------
    >>> month = 30.4375 * 86400.0
    >>> parameters_after(70e9, 7.0 * month, 3.5 * month)
    17500000000.0
    """
    return parameters * exp(-log(2.0) * (elapsed / doubling_time))


def reinforcement_pass_rate(compute: Ratio, start: Share, ceiling: Share, midpoint: Ratio, slope: Ratio) -> Share:
    r"""Pass rate during reinforcement learning, by the compute spent.

    $$R = R_0 + \frac{A - R_0}{1 + (C_{mid}/C)^B}$$

    Parameters
    ----------
    compute : 1, broadcast
        Training compute in flop, as a pure number.
    start : 1, broadcast
        Pass rate before training.
    ceiling : 1, broadcast
        Pass rate that training approaches.
    midpoint : 1, broadcast
        Compute at which half of the gain is made, in the unit of the compute.
    slope : 1, broadcast
        Steepness.

    Returns
    -------
    1, broadcast
        Pass rate.

    Assumptions
    -----------
    One recipe; the ceiling is its property.

    References
    ----------
    Khatri et al., The Art of Scaling Reinforcement Learning Compute for LLMs, arXiv 2510.13786, 2025, equation 1.

    Examples
    --------
    >>> reinforcement_pass_rate(1000.0, 0.2, 0.6, 1000.0, 1.5)
    0.4
    """
    return start + (ceiling - start) / (1.0 + (midpoint / compute) ** slope)
