"""Whole runs: time to train, utilisation, and what many chips and young software add to a step."""

from nvscale.ops import exp, log, maximum
from nvscale.unit_types import Count, Flop, FlopPerSecond, Ratio, Seconds

__all__ = ["maturing_factor", "model_flop_utilisation", "straggler_factor", "training_time"]


def straggler_factor(waiting: Count, growth: Ratio, reference: Count = 8.0) -> Ratio:
    r"""How much longer a step takes because it waits for the slowest of many replicas.

    $$f = \max\left(1 + \kappa \ln \frac{n}{n_0},\; 1\right)$$

    Parameters
    ----------
    waiting : 1, broadcast
        Replicas n, or whatever waits for the others once a step.
    growth : 1, broadcast
        Growth κ of the step per factor e in their number.
    reference : 1, broadcast
        Number n0 up to which nothing is lost.

    Returns
    -------
    1, broadcast
        Factor on the time of a step, at least 1.

    Assumptions
    -----------
    Every step waits for all of them; inside a replica delays even out over its micro-batches. κ holds for one kind of cluster.

    References
    ----------
    Derivation: the largest of n independent delays with an exponential tail grows with 1 + 1/2 + ... + 1/n, which is ln n up to a constant.

    Examples
    --------
    1 % per factor e, 8192 replicas.

    >>> round(straggler_factor(8192.0, 0.01), 4)
    1.0693
    """
    return maximum(1.0 + growth * log(waiting / reference), 1.0)


def maturing_factor(age: Seconds, handicap: Ratio, maturing: Seconds) -> Ratio:
    r"""How much longer a step takes because software does not use a new chip fully yet.

    $$f = 1 + g\,e^{-a/\tau}$$

    Parameters
    ----------
    age : s, broadcast
        Age a of the software on this chip: from its first shipment to the run.
    handicap : 1, broadcast
        Extra time g at its first shipment, as a share of what it falls to.
    maturing : s, broadcast
        Time τ in which the handicap falls by a factor e, above 0.

    Returns
    -------
    1, broadcast
        Factor on the time of a step, from 1 + g down to 1.

    Assumptions
    -----------
    Software is kept up to date; no single release changes much.

    References
    ----------
    Derivation: what is left to improve shrinks at a constant rate.

    Examples
    --------
    20 % at the start, after one maturing time.

    >>> round(maturing_factor(1.0, 0.2, 1.0), 4)
    1.0736
    """
    return 1.0 + handicap * exp(-age / maturing)


def training_time(work_per_token: Flop, tokens: Count, chips: Count, achieved_rate: FlopPerSecond) -> Seconds:
    r"""Time to train on so many tokens, at the rate that chips achieve.

    $$t = \frac{W T}{n X} \approx \frac{8\,T P}{n X}$$

    Parameters
    ----------
    work_per_token : flop, broadcast
        Work W per token: 6 P for P parameters, 8 P when the backward pass computes all activations again.
    tokens : 1, broadcast
        Tokens T of the run.
    chips : 1, broadcast
        Chips n.
    achieved_rate : flop/s, broadcast
        Rate X that one chip achieves over the whole run, counted like the work.

    Returns
    -------
    s, broadcast
        Time of the run.

    Assumptions
    -----------
    No failures, no pauses, one batch size and one layout; without the scores of attention where W leaves them out.

    References
    ----------
    Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM", SC 2021, section 5.1.

    Examples
    --------
    175e9 parameters, 300e9 tokens, 1024 chips at 140 TFLOP/s: 34 days.

    >>> round(training_time(8 * 175e9, 300e9, 1024.0, 140e12) / 86400.0, 4)
    33.9084
    """
    return work_per_token * tokens / (chips * achieved_rate)


def model_flop_utilisation(work_per_token: Flop, tokens: Count, chips: Count, time: Seconds, peak: FlopPerSecond) -> Ratio:
    r"""Share of the peak that the work of the model takes: what it would need at the peak over what it took.

    $$u = \frac{W T}{n\,t\,P}$$

    Parameters
    ----------
    work_per_token : flop, broadcast
        Work W that the model needs per token, whatever is computed again.
    tokens : 1, broadcast
        Tokens T.
    chips : 1, broadcast
        Chips n.
    time : s, broadcast
        Time t of these tokens.
    peak : flop/s, broadcast
        Peak rate P of one chip.

    Returns
    -------
    1, broadcast
        Model FLOP utilisation; with the work that is done again in W, hardware FLOP utilisation.

    Assumptions
    -----------
    Peak rate of the format of the products, without sparsity.

    References
    ----------
    Chowdhery et al., "PaLM: Scaling Language Modeling with Pathways", 2022, section 4.1 and appendix B.

    Examples
    --------
    PaLM: 540e9 parameters, 238.3 thousand tokens a second on 6144 chips of 275 TFLOP/s.

    >>> round(model_flop_utilisation(6 * 540e9, 238.3e3, 6144.0, 1.0, 275e12), 3)
    0.457
    """
    return work_per_token * tokens / (chips * time * peak)
