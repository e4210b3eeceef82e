"""Delays of requests: their mean, and percentiles where a closed form is honest."""

from typing import Any, NamedTuple

from nvscale.estimators.generation import Loop
from nvscale.estimators.serving_shards import Instance
from nvscale.formulas import serving as formulas
from nvscale.formulas import serving_queues as queues
from nvscale.ops import maximum
from nvscale.workloads.serving import Serving


class Delays(NamedTuple):
    """Time per output token and time to first token, in s."""

    tpot: Any
    ttft: Any


def delays(work: Serving, found: Loop, instance: Instance, percentile: Any = None) -> Delays:
    """Return the delays of a loop: their mean, or those that a share of the requests do not exceed.

    Two things spread requests of one length: how many prompts of others fall into an answer, taken as independent (Poisson), and
    how long a prompt queues: as M/D/1 with an exponential tail, or behind the others of the burst with which a measurement begins,
    which is one of its `rounds`; the longer of the two counts.

    Parameters
    ----------
    work, found, instance
        What is served, its loop, on which instance.
    percentile : 1, optional
        Share of the requests, from 0.5 and below 1; the mean without.
    """
    if percentile is None:
        return Delays(found.tpot, found.ttft)
    lanes = instance.ranks * instance.plan.pp
    others = found.share * work.osl
    more = queues.poisson_percentile(others, percentile) - others
    service = found.first.mixed + found.first.experts
    begun, longest = found.burst, 0.0
    if work.rate is None:
        burst = maximum(found.users, instance.ranks)
        begun = formulas.burst_wait(burst, instance.ranks, service, work.rounds, 0.0)
        longest = (burst / instance.ranks - 1.0) * service * maximum(1.0 - work.rounds * (1.0 - percentile), 0.0)
    wait = queues.single_server_wait(found.output / lanes / work.osl, service)
    load = 1.0 - found.step_time / found.cycle
    waited = maximum(queues.wait_percentile(wait, load, percentile), longest)
    return Delays(found.tpot + more * found.prefill / work.osl, found.ttft - begun + waited)
