"""Reliability of large jobs: time between interruptions, checkpoint interval, goodput, spares.

Failures come at a constant rate and independently of each other; one failed node stops the whole job.
"""

from nvscale.ops import ceil, exp, minimum, sqrt, where
from nvscale.unit_types import Count, PerSecond, Ratio, Seconds, Share

__all__ = [
    "daly_checkpoint_interval",
    "first_order_goodput",
    "goodput",
    "lost_time_per_interruption",
    "mean_time_between_interruptions",
    "spare_nodes",
    "young_checkpoint_interval",
]


def mean_time_between_interruptions(failure_rate: PerSecond, nodes: Count) -> Seconds:
    r"""Mean time between failures of any node of a job.

    $$M = \frac{1}{\lambda\,n}$$

    Parameters
    ----------
    failure_rate : 1/s, broadcast
        Failures of one node per time that stop the job, above 0.
    nodes : 1, broadcast
        Nodes of the job.

    Returns
    -------
    s, broadcast
        Mean running time from one interruption to the next.

    Assumptions
    -----------
    Independent failures at a constant rate; every failure stops the job.

    References
    ----------
    Derivation: rates of independent Poisson processes add up.

    Examples
    --------
    3.79 failures per 1000 node-days on the 2048 nodes of 16,384 GPUs: an interruption every three hours.

    >>> round(mean_time_between_interruptions(3.79e-3 / 86400, 2048.0) / 3600, 2)
    3.09
    """
    return 1.0 / (failure_rate * nodes)


def young_checkpoint_interval(checkpoint_time: Seconds, mean_time: Seconds) -> Seconds:
    r"""Computing time between checkpoints that loses least, in first order.

    $$\tau = \sqrt{2\,\delta M}$$

    Parameters
    ----------
    checkpoint_time : s, broadcast
        Time δ that a checkpoint stops the job.
    mean_time : s, broadcast
        Mean time M between interruptions.

    Returns
    -------
    s, broadcast
        Computing time between the end of one checkpoint and the start of the next.

    Assumptions
    -----------
    δ much below M.

    References
    ----------
    Young, "A first order approximation to the optimum checkpoint interval", Communications of the ACM 17(9), 1974.

    Examples
    --------
    Checkpoints of 5 minutes, an interruption a day: every two hours.

    >>> young_checkpoint_interval(300.0, 86400.0) / 60
    120.0
    """
    return sqrt(2.0 * checkpoint_time * mean_time)


def daly_checkpoint_interval(checkpoint_time: Seconds, mean_time: Seconds) -> Seconds:
    r"""Computing time between checkpoints that loses least, in higher order.

    $$\tau = \sqrt{2\,\delta M}\left[1 + \frac{1}{3}\left(\frac{\delta}{2M}\right)^{1/2} + \frac{1}{9}\,\frac{\delta}{2M}\right] - \delta,
    \qquad \tau = M \text{ for } \delta \ge 2M$$

    Parameters
    ----------
    checkpoint_time : s, broadcast
        Time δ that a checkpoint stops the job.
    mean_time : s, broadcast
        Mean time M between interruptions.

    Returns
    -------
    s, broadcast
        Computing time between the end of one checkpoint and the start of the next.

    Assumptions
    -----------
    Poisson failures, which may also strike during a checkpoint or a restart; the restart time does not matter.

    References
    ----------
    Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation Computer
    Systems 22, 2006; captions of figures 3 to 5 print 117, 57 and 9.1 minutes.

    Examples
    --------
    Checkpoints of 5 minutes; an interruption a day, every six hours, every quarter of an hour.

    >>> [round(daly_checkpoint_interval(300.0, mean) / 60, 1) for mean in (86400.0, 21600.0, 900.0)]
    [116.7, 56.7, 9.1]
    """
    share = minimum(checkpoint_time / (2.0 * mean_time), 1.0)
    higher = sqrt(2.0 * checkpoint_time * mean_time) * (1.0 + sqrt(share) / 3.0 + share / 9.0) - checkpoint_time
    return where(checkpoint_time < 2.0 * mean_time, higher, mean_time)


def goodput(failure_rate: PerSecond, interval: Seconds, checkpoint_time: Seconds, restart_time: Seconds) -> Share:
    r"""Useful time over elapsed time of a job that writes checkpoints, fails and starts again.

    $$g = \frac{\lambda \tau\, e^{-\lambda R}}{e^{\lambda (\tau + \delta)} - 1}$$

    Parameters
    ----------
    failure_rate : 1/s, broadcast
        Interruptions λ of the job per running time; 0 for none.
    interval : s, broadcast
        Computing time τ between checkpoints, above 0.
    checkpoint_time : s, broadcast
        Time δ that a checkpoint stops the job.
    restart_time : s, broadcast
        Time R from a failure to the moment when lost work is done again: detection, repair or replacement, loading.

    Returns
    -------
    1, broadcast
        Goodput.

    Assumptions
    -----------
    Poisson failures, which may also strike during a checkpoint or a restart; work since the last checkpoint is lost.

    References
    ----------
    Daly, Future Generation Computer Systems 22, 2006: the complete model T = M exp(R/M) (exp((τ + δ)/M) - 1) Ts/τ,
    solved for Ts/T. Derivation of the limit λ = 0: τ/(τ + δ).

    Examples
    --------
    An interruption every three hours, a checkpoint of 10 s every 8 minutes, restarts of 10 minutes.

    >>> round(goodput(1 / 10800, 480.0, 10.0, 600.0), 3)
    0.906
    """
    expected = minimum(failure_rate * (interval + checkpoint_time), 700.0)
    small = expected < 1e-4
    safe = where(small, 1.0, expected)
    growth = where(small, 1.0 + expected / 2.0 * (1.0 + expected / 3.0), (exp(safe) - 1.0) / safe)
    return interval / (interval + checkpoint_time) * exp(-minimum(failure_rate * restart_time, 700.0)) / growth


def first_order_goodput(failure_rate: PerSecond, interval: Seconds, checkpoint_time: Seconds, restart_time: Seconds) -> Share:
    r"""Goodput with every loss a term of its own: checkpoints, work done again, restarts.

    $$g = \frac{1}{\left(1 + \dfrac{\delta}{\tau}\right)\left(1 + \lambda \left(R + \dfrac{\tau + \delta}{2}\right)\right)}$$

    Parameters
    ----------
    failure_rate : 1/s, broadcast
        Interruptions λ of the job per running time.
    interval : s, broadcast
        Computing time τ between checkpoints, above 0.
    checkpoint_time : s, broadcast
        Time δ that a checkpoint stops the job.
    restart_time : s, broadcast
        Time R lost at an interruption beyond the work done again.

    Returns
    -------
    1, broadcast
        Goodput.

    Assumptions
    -----------
    An interruption loses half an interval; none strikes during a restart. Right where λ (τ + δ + R) is small.

    References
    ----------
    Derivation: elapsed = useful (1 + δ/τ), plus a restart and half an interval for each failure in it.

    Examples
    --------
    >>> round(first_order_goodput(1 / 10800, 480.0, 10.0, 600.0), 3)
    0.909
    """
    lost = failure_rate * (restart_time + (interval + checkpoint_time) / 2.0)
    return 1.0 / ((1.0 + checkpoint_time / interval) * (1.0 + lost))


def lost_time_per_interruption(goodput_share: Share, failure_rate: PerSecond) -> Seconds:
    r"""Time that an interruption must have cost in all, from what a run reached.

    $$\ell = \frac{1/g - 1}{\lambda}$$

    Parameters
    ----------
    goodput_share : 1, broadcast
        Useful over elapsed time, above 0.
    failure_rate : 1/s, broadcast
        Interruptions per useful time, above 0.

    Returns
    -------
    s, broadcast
        Time lost per interruption: detection, repair, restart, work done again, waiting for people.

    Assumptions
    -----------
    Everything that was lost is charged to interruptions.

    References
    ----------
    Derivation: elapsed = useful (1 + λ ℓ).

    Examples
    --------
    A run that reached 0.59 with an interruption every 15 hours lost ten hours each time.

    >>> round(lost_time_per_interruption(0.59, 1 / (15 * 3600)) / 3600, 1)
    10.4
    """
    return (1.0 / goodput_share - 1.0) / failure_rate


def spare_nodes(nodes: Count, failure_rate: PerSecond, repair_time: Seconds, deviations: Ratio = 0.0) -> Ratio:
    r"""Nodes to keep in reserve so that failed ones can be repaired while the job goes on.

    $$s = \left\lceil \mu + z \sqrt{\mu} \right\rceil, \qquad \mu = n\,\lambda\,T$$

    Parameters
    ----------
    nodes : 1, broadcast
        Nodes of the job.
    failure_rate : 1/s, broadcast
        Failures of one node per time.
    repair_time : s, broadcast
        Time until a failed node is back.
    deviations : 1, broadcast
        Standard deviations z above the mean number in repair: 0 for the mean, 2.3 to be short 1 % of the time.

    Returns
    -------
    1, broadcast
        Spare nodes, rounded up.

    Assumptions
    -----------
    The number in repair is Poisson; its tail is taken as normal, good for more than a few nodes.

    References
    ----------
    Derivation: Little's law, mean in repair = rate times time; the variance of a Poisson number is its mean.

    Examples
    --------
    124 nodes, two down a day, three days of repair and two deviations: 11; a pool of 12 is what one such run asked for.

    >>> spare_nodes(124.0, 2 / 124 / 86400, 3 * 86400.0, 2.0)
    11.0
    """
    mean = nodes * failure_rate * repair_time
    return ceil(mean + deviations * sqrt(mean))
