"""Pipelines of stages: their bubble, their largest stage and their time."""

from nvscale.ops import ceil
from nvscale.unit_types import Count, Ratio, Seconds

__all__ = ["bubble_time", "pipeline_bubble", "pipeline_time", "slots_of_a_stage", "zero_bubble_ratio"]


def slots_of_a_stage(layers: Count, stages: Count, chunks: Count) -> Count:
    r"""Layers of the largest pipeline stage, when layers cannot be cut.

    $$n = v \left\lceil \frac{L}{p\,v} \right\rceil$$

    Parameters
    ----------
    layers : 1, broadcast
        Layers L of the model.
    stages : 1, broadcast
        Pipeline ranks p.
    chunks : 1, broadcast
        Chunks v of layers that a rank holds; 1 for none.

    Returns
    -------
    1, broadcast
        Layers; L / p where it divides evenly.

    Assumptions
    -----------
    All chunks are cut to one length, as far as the layers reach; all layers take the same time.

    References
    ----------
    Derivation: p v chunks hold L layers, so one of them holds at least L/(p v), rounded up.

    Examples
    --------
    80 layers: 10 on each of 8 ranks, but 7 on the largest of 12.

    >>> slots_of_a_stage(80.0, 8.0, 1.0), slots_of_a_stage(80.0, 12.0, 1.0)
    (10.0, 7.0)
    """
    return ceil(layers / (stages * chunks)) * chunks


def pipeline_bubble(stages: Count, micro_batches: Count, chunks: Count = 1.0) -> Ratio:
    r"""Idle time of a pipeline relative to its ideal time.

    $$b = \frac{p - 1}{v\,m}$$

    Parameters
    ----------
    stages : 1, broadcast
        Pipeline ranks p.
    micro_batches : 1, broadcast
        Micro-batches m of a step.
    chunks : 1, broadcast
        Chunks v of layers that a rank holds (interleaving); 1 for none.

    Returns
    -------
    1, broadcast
        Idle over ideal time; 0 for one stage.

    Assumptions
    -----------
    Stages of equal time; a flush at the end of each step; GPipe and 1F1B alike.

    References
    ----------
    Narayanan et al., "Efficient Large-Scale Language Model Training on GPU Clusters Using Megatron-LM", SC 2021, section 2.2.

    Examples
    --------
    8 stages, 64 micro-batches: 11 % idle, half of it with two chunks a rank.

    >>> pipeline_bubble(8.0, 64.0), pipeline_bubble(8.0, 64.0, 2.0)
    (0.109375, 0.0546875)
    """
    return (stages - 1.0) / (chunks * micro_batches)


def zero_bubble_ratio(forward: Seconds, activation_gradient: Seconds, weight_gradient: Seconds) -> Ratio:
    r"""Bubble of a pipeline that delays gradients of weights to fill it, relative to that of 1F1B.

    $$r = \frac{F + B - W}{F + B + W}$$

    Parameters
    ----------
    forward : s, broadcast
        Time F of the forward pass of a micro-batch.
    activation_gradient : s, broadcast
        Time B of the gradients of its activations.
    weight_gradient : s, broadcast
        Time W of the gradients of the weights, at most F + B.

    Returns
    -------
    1, broadcast
        Ratio of the bubbles: a third when all three take equally long.

    Assumptions
    -----------
    The schedule ZB-H1, which needs no more memory than 1F1B; transfers take no time.

    References
    ----------
    Qi et al., "Zero Bubble Pipeline Parallelism", ICLR 2024 (arXiv 2401.10241), section 2.1 and table 2: (p - 1)(F + B - W).

    Examples
    --------
    >>> zero_bubble_ratio(1.0, 1.0, 1.0) == 1.0 / 3.0
    True
    """
    return (forward + activation_gradient - weight_gradient) / (forward + activation_gradient + weight_gradient)


def bubble_time(stages: Count, chunks: Count, mean: Seconds, ratio: Ratio = 1.0) -> Seconds:
    r"""Time that a pipeline needs to fill and to drain.

    $$t_b = r\,\frac{p - 1}{v}\,t$$

    Parameters
    ----------
    stages : 1, broadcast
        Pipeline ranks p.
    chunks : 1, broadcast
        Chunks v of layers that a rank holds (interleaving); 1 for none.
    mean : s, broadcast
        Time t of one micro-batch on a mean stage, forward and backward.
    ratio : 1, broadcast
        Bubble r of the schedule relative to 1F1B (`zero_bubble_ratio`).

    Returns
    -------
    s, broadcast
        Idle time per step; 0 for one stage.

    Assumptions
    -----------
    A flush at the end of each step; filling and draining meet all stages, so that the mean one counts.

    References
    ----------
    Narayanan et al., SC 2021, section 2.2, without the division by the ideal time m t.

    Examples
    --------
    8 stages of 10 ms, two chunks a rank.

    >>> bubble_time(8.0, 2.0, 0.010)
    0.035
    """
    return ratio * (stages - 1.0) / chunks * mean


def pipeline_time(micro_batches: Count, slowest: Seconds, mean: Seconds, stages: Count, chunks: Count) -> Seconds:
    r"""Time of all micro-batches of a step through a pipeline of unequal stages.

    $$t = m\,t_{max} + \frac{p - 1}{v}\,\bar t$$

    Parameters
    ----------
    micro_batches : 1, broadcast
        Micro-batches m of a step.
    slowest : s, broadcast
        Time of one micro-batch on the slowest stage, forward and backward.
    mean : s, broadcast
        Time of one micro-batch on a mean stage.
    stages : 1, broadcast
        Pipeline ranks p.
    chunks : 1, broadcast
        Chunks v of layers that a rank holds (interleaving); 1 for none.

    Returns
    -------
    s, broadcast
        Time of a step, without exchanges and optimizer.

    Assumptions
    -----------
    1F1B or GPipe; the slowest stage is busy from its first micro-batch to its last; transfers are hidden.

    References
    ----------
    Derivation: the slowest stage sets the pace of m micro-batches, and the pipeline fills and drains by `bubble_time`; with equal
    stages Narayanan et al., SC 2021, section 2.2.

    Examples
    --------
    64 micro-batches of 10 ms on 8 equal stages.

    >>> pipeline_time(64.0, 0.010, 0.010, 8.0, 1.0)
    0.71
    """
    return micro_batches * slowest + (stages - 1.0) / chunks * mean
