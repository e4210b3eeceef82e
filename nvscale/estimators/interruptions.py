"""`goodput`: useful over elapsed time of a job on many nodes, from how often they fail and what an interruption costs."""

from typing import Any

from nvscale.errors import InvalidInput
from nvscale.estimate import Estimate, derived, figure, term
from nvscale.formulas import reliability
from nvscale.ops import FLOAT, carrier, ceil
from nvscale.settings import Failures
from nvscale.units import Unit

YOUNG_DALY = "checkpoints at the interval that loses least (Daly 2006)"
ALL_STOP = "every failure of a node stops the whole job; failures are independent"


def goodput(chips: Any, failures: "Failures | str | None" = None, **changes: Any) -> Estimate:
    r"""Return the goodput of a job on so many chips, with what checkpoints, lost work and restarts take.

    $$g = \frac{\lambda \tau\, e^{-\lambda R}}{e^{\lambda (\tau + \delta)} - 1}$$

    Parameters
    ----------
    chips : 1
        Chips of the job.
    failures : Failures or str, optional
        How often nodes fail: a record, or the name of a published run or fleet; "llama-3.1-405b" by default.
    changes : any
        Fields of `Failures`: `restart_time="20 min"`, `checkpoint_interval="3 h"` ...

    Returns
    -------
    Estimate
        The goodput; `["time between interruptions"]`, `["checkpoint interval"]`, `["checkpoints"]`, `["work done again"]`,
        `["restarts"]`, the last three as shares of useful time.

    Raises
    ------
    UnknownName, InvalidInput
        A fleet that is not known, or a figure out of range.

    Examples
    --------
    >>> found = goodput(16_384, "llama-3.1-405b")
    >>> round(found.value, 3), round(found["time between interruptions"].value / 3600, 2)
    (0.918, 2.78)
    """
    used = failures_of(failures, **changes)
    count = Unit("1", ">=1").si(chips, "goodput: chips")
    nodes = derived("nodes", ceil(count / used.node_chips), "1", "chips / chips of a node", term("chips", count, "1"))
    if carrier(used.failure_rate) == FLOAT and used.failure_rate == 0.0:
        raise InvalidInput("goodput: failure_rate = 0 never interrupts a job; say goodput=1 instead")
    rate = figure(used, "failure_rate", "failures of a node")
    mean = derived(
        "time between interruptions",
        reliability.mean_time_between_interruptions(used.failure_rate, nodes.value),
        "s",
        "1 / (failures x nodes)",
        rate,
        nodes,
        assumptions=(ALL_STOP,),
    )
    saving, back = figure(used, "checkpoint_time", "checkpoint time"), figure(used, "restart_time", "restart time")
    interval = _interval(used, mean, saving)
    job = 1.0 / mean.value
    value = reliability.goodput(job, interval.value, saving.value, back.value)
    lost = derived(
        "losses over useful time",
        1.0 / value - 1.0,
        "1",
        "1 / goodput - 1; in first order the sum of",
        term("checkpoints", saving.value / interval.value, "1"),
        term("work done again", job * (interval.value + saving.value) / 2.0, "1"),
        term("restarts", job * back.value, "1"),
    )
    found = derived("goodput", value, "1", "interruptions, checkpoints and restarts", mean, interval, saving, back, lost)
    low, high = back.low, back.high
    if low is not None and high is not None:
        found.low = reliability.goodput(job, interval.value, saving.value, high)
        found.high = reliability.goodput(job, interval.value, saving.value, low)
    return found


def _interval(used: Failures, mean: Estimate, saving: Estimate) -> Estimate:
    if used.checkpoint_interval is not None:
        return figure(used, "checkpoint_interval", "checkpoint interval")
    best = reliability.daly_checkpoint_interval(saving.value, mean.value)
    return Estimate("checkpoint interval", best, "s", how="Daly 2006", assumptions=(YOUNG_DALY,))


def failures_of(failures: "Failures | str | None", **changes: Any) -> Failures:
    """Return a record of failures by name, changed."""
    if isinstance(failures, Failures):
        return failures.replace(**changes) if changes else failures
    from nvscale import views

    return views.failures(failures or "llama-3.1-405b", **changes)
