"""`serving`: requests of many users on a system: time to first token, time per token, throughput, energy and cost."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.serving import ServingEfficiency, ServingEngine
from nvscale.errors import InvalidInput
from nvscale.estimate import Estimate, derived, figure, show, term, total
from nvscale.estimators.fleets import cost_rate, facility_power
from nvscale.estimators.generation import PARTS, Loop, Results, called, loop, prepared, step_tree
from nvscale.estimators.serving_shards import Instance
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.settings import Prices
from nvscale.silicon import Chip
from nvscale.truth.constants import Constants
from nvscale.workloads.serving import Serving

NAMEPLATE = "energy at the nameplate power of the system, whatever the load"
MILLION, MEGAWATT = 1e6, 1e6


class Served(Results):
    """A load on a system: `["ttft"]`, `["tpot"]`, `["tokens per second per user"]`, `["tokens per second per GPU"]` ...

    Parameters
    ----------
    work, plan, system : Serving, Parallelism, System
        What was asked.
    found : Loop
        The loop of one instance, as plain numbers.
    """

    __slots__ = ("found", "instances", "plan", "system", "work")

    def __init__(
        self, name: str, tree: Estimate, results: Mapping[str, Callable[[], Estimate]], asked: tuple[Any, ...], **others: Any
    ) -> None:
        super().__init__(name, tree, results, **others)
        self.work, self.plan, self.system, self.found, self.instances = asked

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, with the main results at the top."""
        names = {
            "ttft_s": "ttft",
            "tpot_s": "tpot",
            "tokens_per_second_per_user": "tokens per second per user",
            "tokens_per_second_per_gpu": "tokens per second per chip",
            "usd_per_million_tokens": "usd per million tokens",
            "joules_per_token": "joules per token",
        }
        return {key: self[name].to_dict()["value"] for key, name in names.items()} | super().to_dict()

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        first, each = self["ttft"], self["tpot"]
        lines = [
            self.name,
            f"  TTFT {_with_interval(first)}, TPOT {_with_interval(each)}, {self['tokens per second per user'].value:,.1f} tokens/s per user",
            f"  {self['tokens per second'].value:,.0f} tokens/s, {self['tokens per second per chip'].value:,.0f} per chip; {self.by} take most of a step",
            f"  {self['usd per million tokens'].value:,.3g} USD per million output tokens, {self['joules per token'].value:,.3g} J per output token",
        ]
        waiting = self.found.queue
        if carrier(waiting) == FLOAT and waiting > 0.0:
            lines.append(
                f"  more users than the cache holds ({float(self.found.slots):,.0f} an instance): {show(waiting, 's')} of queueing"
            )
        return "\n".join(lines)


def _with_interval(estimate: Estimate) -> str:
    text = show(estimate.value, estimate.unit)
    return text if estimate.low is None else f"{text} ({show(estimate.low, estimate.unit)} to {show(estimate.high, estimate.unit)})"


def serving(
    work: Serving,
    system: "System | Chip | str",
    plan: Parallelism | None = None,
    *,
    engine: "ServingEngine | str" = "generic",
    prices: Prices | None = None,
    efficiency: "ServingEfficiency | Efficiency | None" = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Served:
    """Return how a load is served on all chips of a system, in as many instances of the model as they hold.

    Parameters
    ----------
    work : Serving
        Model, lengths of requests, users.
    system : System, Chip or str
        Where; users are spread evenly over the instances.
    plan : Parallelism, optional
        Layout of one instance: tp, pp, ep, etp; tensor parallel over one scale-up domain by default.
    engine : ServingEngine or str, optional
        "vllm", "sglang", "trtllm", "generic", "ideal", or constants of one's own.
    prices : Prices, optional
        Energy price, cost of capital, life; `nvscale.prices()` by default.
    efficiency : ServingEfficiency, optional
        What kernels reach; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Served
        Its value is the time per output token; `["ttft"]`, `["tpot"]`, `["latency"]`, `["tokens per second"]`,
        `["tokens per second per user"]`, `["tokens per second per GPU"]`, `["tokens per second per megawatt"]`,
        `["usd per million tokens"]`, `["joules per token"]`, `["slots"]`.

    Raises
    ------
    InvalidInput, MissingFigure, MissingPrecision
        A layout that does not fit the system, weights that do not fit the memory, or a figure that is not known.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=32, precision="fp8")
    >>> found = serving(work, nv.system("dgx-h200"), nv.Parallelism(tp=8), engine="trtllm")
    >>> round(found["tpot"].value * 1e3, 1)
    8.5
    """
    placed, layout, instance, notes = prepared(work, system, plan, engine, efficiency, calibration)
    instances = placed.chips / instance.chips
    found = loop(work, instance, _memory(placed, work, instance), work.concurrency / instances)
    tree = _tree(found, instance)
    results = _results(work, placed, instance, instances, found, prices)
    low, high = _factors(instance)
    served = Served(
        f"{called(work)} on {placed.name}, {_load(work)}",
        tree,
        results,
        (work, layout, placed, found, instances),
        contenders=tuple(name for name in PARTS if name in tree.terms["step"].terms),
        roofline=work.weight_size / instance.chips / instance.at.bandwidth,
        factors=(low, high),
        assumptions=notes,
    )
    return served


def _load(work: Serving) -> str:
    lengths = [f"{size:g}" if carrier(size) == FLOAT else "(swept)" for size in (work.isl, work.osl)]
    users = f"{work.concurrency:g}" if carrier(work.concurrency) == FLOAT else "(swept)"
    return f"{users} users, {lengths[0]} in, {lengths[1]} out"


def _memory(system: System, work: Serving, instance: Instance) -> Any:
    """Memory of a chip; weights that leave no room are refused."""
    chip = system.chip
    there = chip.figure("memory") if chip.memory_reported is None else chip.memory_reported
    needed = work.weight_size / instance.chips
    if carrier(needed) == FLOAT and carrier(there) == FLOAT and needed >= work.memory_share * there:
        room = show(work.memory_share * there, "byte")
        raise InvalidInput(
            f"serving: weights of {show(needed, 'byte')} a chip do not fit the {room} of {chip.name}; spread them over more chips"
        )
    return there


def _factors(instance: Instance) -> tuple[Any, Any]:
    """Ends of the 90 % interval of the time per token, as factors."""
    spreads = instance.at.dense.factors({"experts": bool(instance.model.experts)} if carrier(instance.model.experts) == FLOAT else {})
    return spreads


def _tree(found: Loop, instance: Instance) -> Estimate:
    """Time per output token: a step, and the prefills of other users between two steps."""
    step = step_tree(found.step)
    waits = derived("prefills of others", found.share * found.prefill, "s", "share of a prefill per step x its time")
    if carrier(found.step_time) == FLOAT and found.step_time != step.value:
        step = Estimate("step", found.step_time, "s", how="step / accepted tokens", terms=step.terms)
    return total("tpot", step, waits)


def _results(
    work: Serving, system: System, instance: Instance, instances: Any, found: Loop, prices: Prices | None
) -> dict[str, Callable[[], Estimate]]:
    """Return what is asked for by name, made when it is asked for."""
    tpot = Estimate("tpot", found.tpot, "s")
    rate = instances * found.users / found.tpot

    def first() -> Estimate:
        return total(
            "ttft",
            term("first pass", instance.engine.first_scale * found.first.alone, "s"),
            term("burst of users", found.burst, "s"),
            term("steps in flight", instance.engine.first_steps * found.tpot, "s"),
            term("fixed", found.fixed, "s"),
            term("queue for the cache", found.queue, "s"),
        )

    def terms() -> Prices:
        from nvscale import views

        return prices or views.prices()

    def facility() -> Estimate:
        from nvscale import views

        default = carrier(system.pue) == FLOAT and system.pue == 1.0
        placed = system.replace(pue=views.default_pue()[0]) if default else system
        return facility_power(placed, work.precision, terms())

    def output() -> Estimate:
        return derived("tokens per second", rate, "token/s", "instances x running users / tpot", tpot)

    def cost() -> Estimate:
        spent, made = cost_rate(system, work.precision, terms()), output()
        return derived(
            "usd per million tokens", MILLION * spent.value / made.value, "USD", "cost rate / tokens per second x 1e6", spent, made
        )

    def energy() -> Estimate:
        drawn, made = facility(), output()
        return derived(
            "joules per token",
            drawn.value / made.value,
            "J/token",
            "facility power / tokens per second",
            drawn,
            made,
            assumptions=(NAMEPLATE,),
        )

    def latency() -> Estimate:
        rest = derived("output", (work.osl - 1.0) * found.tpot, "s", "(output - 1) x tpot", tpot)
        return total("latency", first(), rest)

    made: dict[str, Callable[[], Estimate]] = {
        "ttft": first,
        "tpot": lambda: _tree(found, instance),
        "latency": latency,
        "tokens per second": output,
        "tokens per second per user": lambda: derived("tokens per second per user", 1.0 / found.tpot, "token/s", "1 / tpot", tpot),
        "tokens per second per chip": lambda: derived(
            "tokens per second per chip", rate / system.chips, "token/s", "rate / chips", output()
        ),
        "tokens per second per megawatt": lambda: derived(
            "tokens per second per megawatt", rate / facility().value * MEGAWATT, "token/s", "rate / facility power", output(), facility()
        ),
        "requests per second": lambda: derived("requests per second", rate / work.osl, "1/s", "tokens per second / output", output()),
        "usd per million tokens": cost,
        "joules per token": energy,
        "slots": lambda: derived("slots", found.slots, "1", "free memory / cache of a sequence", figure(system.chip, "memory")),
        "instances": lambda: term("instances", instances, "1"),
    }
    return made
