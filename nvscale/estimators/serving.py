"""`serving`: requests of many users on a system: time to first token, time per token, throughput, energy and cost."""

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.serving import ServingEfficiency, ServingEngine
from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, derived, figure, show, term, total
from nvscale.estimators.generation import PARTS, Loop, Results, called, loop, open_loop, prepared, step_tree
from nvscale.estimators.serving_bands import bounded, first_factors, token_factors
from nvscale.estimators.serving_shards import Instance
from nvscale.estimators.serving_use import MEGAWATT, MILLION, grid_power, shares, spending
from nvscale.ops import FLOAT, INFINITY, carrier, floor, minimum, where
from nvscale.parallelism import Parallelism
from nvscale.settings import Prices
from nvscale.silicon import Chip
from nvscale.truth.constants import Constants
from nvscale.units import Unit
from nvscale.views import prices as default_prices
from nvscale.workloads.serving import Serving


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

    def break_even(self, output: Any, input: Any = 0.0, cached: Any = 0.0) -> Estimate:
        """Return the share of this load at which the tokens, sold at a price, pay for the system: cost rate / revenue at this load.

        Parameters
        ----------
        output, input, cached : USD
            Price of a million tokens of each kind.

        Returns
        -------
        Estimate
            Below 1 the system earns more than it costs at this load; above 1 the price is cheaper than serving oneself.

        Examples
        --------
        >>> import nvscale as nv
        >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=256, precision="fp8")
        >>> served = serving(work, nv.system("dgx-h100"), nv.Parallelism(tp=8))
        >>> own = served["usd per million tokens"].value
        >>> round(served.break_even(output=2 * own).value, 12)
        0.5
        """
        prices = {"output": output, "prompt": input, "cached": cached}
        checked = {kind: Unit("USD", ">=0").si(price, kind) for kind, price in prices.items()}
        each = sum(price * _count(self.work, kind) / self.work.osl for kind, price in checked.items()) / MILLION
        spent, made = self["cost rate"], self["tokens per second"]
        sold = derived("revenue", made.value * each, "USD/s", "tokens of each kind per second x their price", made)
        return derived("break-even load", spent.value / sold.value, "1", "cost rate / revenue at this load", spent, sold)

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
        return {key: self._plain(name) for key, name in names.items()} | super().to_dict()

    def _plain(self, name: str) -> Any:
        """A result for JSON; None where a figure that it needs is not known."""
        try:
            return self[name].to_dict()["value"]
        except MissingFigure:
            return None

    def _cost_in_words(self) -> str:
        """Dollars per million output tokens; a question mark where the system has no price."""
        try:
            return f"{self['usd per million tokens'].value:,.3g}"
        except MissingFigure:
            return "?"

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        first, each = self["ttft"], self["tpot"]
        names = ("tokens per second per user", "tokens per second", "tokens per second per chip")
        speed, rate, per_chip = (self[name].value for name in names)
        money = self._cost_in_words()
        lines = [
            self.name,
            f"  TTFT {_with_interval(first)}, TPOT {_with_interval(each)}, {speed:,.1f} tokens/s per user",
            f"  {rate:,.0f} tokens/s, {per_chip:,.0f} per chip; {self.by} take most of a step",
            f"  {money} USD per million output tokens, {self['joules per token'].value:,.3g} J per output token",
        ]
        waiting = self.found.queue
        if self.work.rate is None and carrier(waiting) == FLOAT and waiting > 0.0:
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
        Energy price, cost of capital, life, or rent; `nvscale.prices()` by default.
    efficiency : ServingEfficiency, optional
        What kernels reach; `nvscale.IDEAL` for the bare roofline; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Served
        Its value is the time per output token; `["ttft"]`, `["tpot"]`, `["latency"]`, `["tokens per second"]`,
        `["tokens per second per user"]`, `["tokens per second per GPU"]`, `["tokens per second per megawatt"]`,
        `["usd per million tokens"]` and `["joules per token"]` (all that is spent, over output tokens), the same per
        input, cached and output token, `["power"]`, `["cost rate"]`, `["users"]`, `["slots"]`.

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
    8.8
    """
    placed, layout, instance, notes = prepared(work, system, plan, engine, efficiency, calibration)
    instances = floor(placed.chips / instance.chips)
    found = _steady(work, placed, instance, instances)
    tree = _tree(found)
    results = _results(work, placed, instance, instances, found, prices)
    ends = token_factors(instance.engine, instance.model, found.users)
    return Served(
        f"{called(work)} on {placed.name}, {_load(work)}",
        tree,
        results,
        (work, layout, placed, found, instances),
        contenders=tuple(name for name in PARTS if name in tree.terms["step"].terms),
        roofline=work.weight_size / instance.chips / instance.at.bandwidth,
        factors=ends,
        assumptions=notes,
    )


def _steady(work: Serving, system: System, instance: Instance, instances: Any) -> Loop:
    """The loop of one instance: of users who wait for their answers, or of requests that arrive; too many of these are refused."""
    memory = _memory(system, work, instance)
    if work.rate is None:
        return loop(work, instance, memory, work.concurrency / instances)
    found = open_loop(work, instance, memory, work.rate / instances)
    if carrier(found.ttft) == FLOAT and found.ttft == INFINITY:
        most = instances * found.output / work.osl
        raise InvalidInput(
            f"serving: rate: {work.rate:g} requests/s are more than the {most:.4g} that {system.name} serves with this layout; the queue "
            "would grow without end: take more chips, or another layout"
        )
    return found


def _load(work: Serving) -> str:
    asked = work.concurrency if work.rate is None else work.rate
    load, isl, osl = (f"{size:g}" if carrier(size) == FLOAT else "(swept)" for size in (asked, work.isl, work.osl))
    return f"{load} {'users' if work.rate is None else 'requests/s'}, {isl} in, {osl} out"


def memory_of(chip: Chip) -> Any:
    """Return the bytes of memory that a chip reports."""
    return chip.figure("memory") if chip.memory_reported is None else chip.memory_reported


def _memory(system: System, work: Serving, instance: Instance) -> Any:
    """Memory of a chip; weights that leave no room are refused."""
    chip = system.chip
    there = memory_of(chip)
    needed = sum(instance.weights())
    if carrier(needed) == FLOAT and carrier(there) == FLOAT and needed >= work.memory_share * there:
        room = show(work.memory_share * there, "byte")
        raise InvalidInput(
            f"serving: weights of {show(needed, 'byte')} a chip do not fit the {room} of {chip.name}; spread them over more chips"
        )
    return there


def _tree(found: Loop) -> Estimate:
    """Time per output token: a step, and the prefills of other users between two steps."""
    step = step_tree(found.step)
    waits = derived("prefills of others", found.share * found.prefill, "s", "share of a prefill per step x its time")
    if carrier(found.step_time) == FLOAT and found.step_time != step.value:
        terms = step.terms | ({"draft": term("draft", found.draft, "s")} if found.draft else {})
        step = Estimate("step", found.step_time, "s", how="sum / tokens gained a step", terms=terms)
    return total("tpot", step, waits)


def _results(
    work: Serving, system: System, instance: Instance, instances: Any, found: Loop, prices: Prices | None
) -> dict[str, Callable[[], Estimate]]:
    """Return what is asked for by name, made when it is asked for."""
    tpot = Estimate("tpot", found.tpot, "s")
    rate = tokens_per_second(work, instances, found)
    terms = functools.cache(lambda: prices or default_prices())
    facility = functools.cache(lambda: grid_power(work, system, instance, found, terms()))
    spent = functools.cache(lambda: spending(system, facility(), terms(), work.precision))
    parts = functools.cache(lambda: shares(work, instance, found))

    def first() -> Estimate:
        made = total(
            "ttft",
            term("first pass", instance.engine.first_scale * found.first.alone, "s"),
            term("burst of users" if work.rate is None else "queue of prompts", found.burst, "s"),
            term("steps in flight", instance.engine.first_steps * instance.ranks * found.tpot, "s"),
            term("fixed", found.fixed, "s"),
            term("queue for the cache", found.queue, "s"),
        )
        return bounded(made, first_factors(instance.engine, instance.model))

    def output() -> Estimate:
        cycle = term("cycle", found.cycle, "s")
        return derived("tokens per second", rate, "token/s", "instances x running users / (step + its share of all prefills)", cycle)

    def latency() -> Estimate:
        rest = derived("output", (work.osl - 1.0) * found.tpot, "s", "(output - 1) x tpot", tpot)
        return total("latency", first(), rest)

    def over(name: str, top: Callable[[], Estimate], unit: str, factor: float, share: str = "") -> Callable[[], Estimate]:
        """A rate of money or energy over the tokens of one kind: its share of the time, over tokens of that kind a second."""

        def make() -> Estimate:
            paid, made = top(), output()
            used = factor / terms().utilisation if unit == "USD" else factor
            if not share:
                return derived(name, used * paid.value / made.value, unit, f"{paid.name} / tokens per second", paid, made)
            part, count = getattr(parts(), share), _count(work, share) / work.osl
            value = where(count > 0.0, used * paid.value * part / (made.value * where(count > 0.0, count, 1.0)), 0.0)
            return derived(name, value, unit, f"{paid.name} x share of the time / tokens per second", paid, made, term("share", part, "1"))

        return make

    def speed(name: str, below: Callable[[], Any], how: str) -> Callable[[], Estimate]:
        return lambda: derived(name, rate / below(), "token/s", how, output())

    kinds = {"input": "prompt", "cached": "cached", "output": "output"}
    made: dict[str, Callable[[], Estimate]] = {
        "ttft": first,
        "tpot": lambda: bounded(_tree(found), token_factors(instance.engine, instance.model, found.users)),
        "latency": latency,
        "tokens per second": output,
        "tokens per second per user": lambda: derived("tokens per second per user", 1.0 / found.tpot, "token/s", "1 / tpot", tpot),
        "tokens per second per chip": speed("tokens per second per chip", lambda: system.chips, "rate / chips"),
        "tokens per second per megawatt": speed(
            "tokens per second per megawatt", lambda: facility().value / MEGAWATT, "rate / facility power"
        ),
        "tokens per usd": lambda: derived("tokens per usd", rate / spent().value, "token/USD", "rate / cost rate", output(), spent()),
        "requests per second": lambda: derived("requests per second", rate / work.osl, "1/s", "tokens per second / output", output()),
        "power": facility,
        "cost rate": spent,
        "usd per million tokens": over("usd per million tokens", spent, "USD", MILLION),
        "joules per token": over("joules per token", facility, "J/token", 1.0),
        "slots": lambda: derived("slots", found.slots, "1", "free memory / cache of a sequence", figure(system.chip, "memory")),
        "instances": lambda: term("instances", instances, "1"),
        "users": lambda: term("users", running(work, instances, found), "1"),
    }
    for kind, share in kinds.items():
        made[f"usd per million {kind} tokens"] = over(f"usd per million {kind} tokens", spent, "USD", MILLION, share)
        made[f"joules per {kind} token"] = over(f"joules per {kind} token", facility, "J/token", 1.0, share)
    return made


def _count(work: Serving, share: str) -> Any:
    """Tokens of a kind in a request."""
    known = work.isl * work.prefix_cached
    return {"prompt": work.isl - known, "cached": known, "output": work.osl}[share]


def running(work: Serving, instances: Any, found: Loop) -> Any:
    """Return the requests that run on all instances; users fewer than instances leave some idle."""
    return instances * found.users if work.concurrency is None else minimum(instances * found.users, work.concurrency)


def tokens_per_second(work: Serving, instances: Any, found: Loop) -> Any:
    """Return the output tokens per second of all instances; users fewer than instances leave some idle."""
    return running(work, instances, found) / found.cycle
