"""`disaggregated`: prefill and decode in pools of their own, the cache moved between them, and the ratio of the pools."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.serving import ServingEfficiency, ServingEngine
from nvscale.errors import InvalidInput, NoFeasiblePlan
from nvscale.estimate import Estimate, derived, term, total
from nvscale.estimators.generation import Loop, Results, called, decode_step, loop, prepared, step_tree
from nvscale.estimators.serving import memory_of
from nvscale.estimators.serving_shards import Instance
from nvscale.estimators.serving_use import MEGAWATT, MILLION, grid_power, spending
from nvscale.estimators.training_shards import links
from nvscale.formulas import serving as formulas
from nvscale.formulas import serving_queues as queues
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.serving_layouts import label
from nvscale.settings import Prices
from nvscale.truth.constants import Constants
from nvscale.units import Unit
from nvscale.views import prices as default_prices
from nvscale.workloads.serving import Serving

ROUNDS = 24
"""Steps of the fixed point of the sequences that decode."""
SAME = 1e-9
"""Relative difference of throughput below which fewer prefill instances are preferred."""


class Pools(NamedTuple):
    """A split of the chips and what it does, in SI."""

    prefill: float
    decode: float
    requests: float
    batch: float
    step: float
    wait: float
    prompt: float
    by: str


class Split(NamedTuple):
    """What a split is evaluated with: two instances, the work, the time that moving a cache takes, slots of a decode instance."""

    work: Serving
    before: Instance
    after: Instance
    transfer: float
    slots: float

    def prompt(self) -> float:
        """Time that one prompt keeps a prefill instance busy; its ranks and stages take prompts side by side."""
        work = self.work
        computed = work.isl * (1.0 - work.prefix_cached)
        return float(self.before.first(computed, work.isl - computed, 1.0).alone / (self.before.ranks * self.before.plan.pp))

    def step(self, users: float) -> float:
        """Time per output token of a decode instance with so many sequences."""
        made, draft = decode_step(self.work, self.after, max(users, 1.0) / (self.after.ranks * self.after.plan.pp))
        return float((sum(made) + draft) / self.work.gained)

    def pools(self, prefill: float, decode: float) -> Pools:
        """Return the steady state of so many prefill and decode instances: the slower pool, or the users themselves, set the pace."""
        work, prompt = self.work, self.prompt()
        first = float(self.before.first(work.isl * (1.0 - work.prefix_cached), work.isl * work.prefix_cached, 1.0).alone)
        fed = prefill / prompt
        room = self.slots * decode
        users = room if work.concurrency is None else min(float(work.concurrency), room)
        running = users
        for _ in range(ROUNDS):
            step = self.step(running / decode)
            pace = users / (first + self.transfer + work.osl * step) if work.concurrency is not None else running / (work.osl * step)
            requests = min(fed, pace)
            running = min(users, requests * work.osl * step)
        step = self.step(running / decode)
        wait = queues.many_server_wait(requests, prompt, prefill, 0.0)
        if work.concurrency is not None:
            wait = min(wait, max(float(work.concurrency) / requests - first - self.transfer - work.osl * step, 0.0))
        by = "prefill pool" if fed <= pace else "users" if work.concurrency is not None and users < room else "decode pool"
        return Pools(prefill, decode, requests, running / decode, step, wait, first, by)


def disaggregated(
    work: Serving,
    system: "System | str",
    decode: Parallelism,
    prefill: Parallelism | None = None,
    *,
    prefill_instances: Any = None,
    ttft: Any = None,
    link: Any = None,
    engine: "ServingEngine | str" = "generic",
    prices: Prices | None = None,
    efficiency: "ServingEfficiency | Efficiency | None" = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> "Disaggregated":
    """Return how users are served by a system whose chips are split into a prefill pool and a decode pool.

    Parameters
    ----------
    work : Serving
        Model, lengths of requests, users of the whole system.
    system : System or str
        All chips of both pools.
    decode : Parallelism
        Layout of a decode instance.
    prefill : Parallelism, optional
        Layout of a prefill instance; that of decode by default.
    prefill_instances : 1, optional
        Instances of the prefill pool, whole; the number with the most tokens per second by default.
    ttft : s, optional
        Longest time to the first token of the splits to choose from; none by default.
    link : byte/s, optional
        What one chip can send of the caches, one way; the scale-up network where both pools stand in one domain, else the
        outermost network. Infinite for a free transfer.
    engine : ServingEngine or str, optional
        As for `serving`.
    prices : Prices, optional
        Energy price, cost of capital, life, or rent; `nvscale.prices()` by default.
    efficiency : ServingEfficiency, optional
        What kernels reach; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Disaggregated
        Its value is the time per output token; `["ttft"]`, `["tokens per second"]`, `["pool ratio"]` (the closed form of balance),
        `["prefill instances"]`, `["decode instances"]`, `["transfer"]`, `["usd per million tokens"]` ...

    Raises
    ------
    InvalidInput, NoFeasiblePlan
        Requests per second instead of users; a system that does not hold one instance of each pool, or weights that do not fit.

    Assumptions
    -----------
    Decode steps are never interrupted by prompts; prompts are computed one at a time; a cache moves whole, over the links of the
    smaller of two instances, without holding up either pool. Prompts queue as in M/D/m, never longer than the users allow.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=8192, osl=512, concurrency=512, precision="fp8")
    >>> found = disaggregated(work, nv.system("dgx-h200").scale(64), nv.Parallelism(tp=8), nv.Parallelism(tp=4))
    >>> found["prefill instances"].value * 4 + found["decode instances"].value * 8 <= 64
    True
    """
    if work.concurrency is None:
        raise InvalidInput("disaggregated: say with concurrency how many users there are; rates are served by `serving` only")
    placed, _, after, notes = prepared(work, system, decode, engine, efficiency, calibration)
    _, _, before, _ = prepared(work, placed, prefill or decode, engine, efficiency, calibration)
    _check(work, placed, before, after)
    bandwidth = _link(placed, before, after, link)
    size = work.model.cache_size(work.isl, work.cache_element)
    memory = memory_of(placed.chip)
    resting = loop(work, after, memory, 1.0)
    if resting.room < 1.0:
        raise NoFeasiblePlan(f"disaggregated: weights and the cache of one request do not fit a decode instance of {_named(after)}")
    split = Split(work, before, after, float(size / bandwidth), float(resting.slots))
    latest = math.inf if ttft is None else float(Unit("s", ">0").si(ttft, "ttft"))
    chosen = _chosen(split, float(placed.chips), prefill_instances, latest)
    tree = _tree(split, chosen)
    results = _results(split, placed, chosen, _as_loop(split, chosen, resting), prices or default_prices())
    pools = f"{chosen.prefill:g} x {_named(before)} for prefill, {chosen.decode:g} x {_named(after)} for decode"
    name = f"{called(work)} on {placed.name}, {pools}"
    ideal = work.weight_size / after.chips / after.at.bandwidth
    return Disaggregated(name, tree, results, contenders=tuple(tree.terms), roofline=ideal, assumptions=notes)


class Disaggregated(Results):
    """A load on two pools: `["ttft"]`, `["tpot"]`, `["tokens per second"]`, `["pool ratio"]` ..."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, with the main results at the top."""
        names = {"ttft_s": "ttft", "tpot_s": "tpot", "tokens_per_second_per_gpu": "tokens per second per chip", "pool_ratio": "pool ratio"}
        names |= {"usd_per_million_tokens": "usd per million tokens", "joules_per_token": "joules per token"}
        return {key: self[name].to_dict()["value"] for key, name in names.items()} | super().to_dict()


def _check(work: Serving, system: System, before: Instance, after: Instance) -> None:
    """Refuse what cannot be: symbols and arrays, too few chips, weights that do not fit."""
    numbers = (work.concurrency, work.isl, work.osl, system.chips, before.chips, after.chips)
    if any(carrier(number) != FLOAT for number in numbers):
        raise InvalidInput("disaggregated: users, lengths and layouts must be single numbers; sweep over it to vary them")
    if before.chips + after.chips > system.chips:
        need = f"{before.chips:g} chips of a prefill and {after.chips:g} of a decode instance"
        raise NoFeasiblePlan(f"disaggregated: {need} are more than the {system.chips:g} of {system.name}; use scale()")
    room = work.memory_share * memory_of(system.chip)
    for name, one in (("prefill", before), ("decode", after)):
        if sum(one.weights()) >= room:
            raise NoFeasiblePlan(f"disaggregated: the weights do not fit a {name} instance of {_named(one)}")


def _named(instance: Instance) -> str:
    return label([instance.plan.tp, instance.plan.pp, instance.plan.ep])


def _link(system: System, before: Instance, after: Instance, link: Any) -> float:
    """Bytes per second between two instances."""
    if link is not None:
        one = float(Unit("byte/s", ">0", infinite=True).si(link, "link"))
    else:
        domain, inside, outside = links(system)
        one = float(inside if system.chips <= domain else outside)
    return one * float(min(before.chips, after.chips))


def _chosen(split: Split, chips: float, asked: Any, latest: float) -> Pools:
    """The split with the most requests per second, the smaller prefill pool of equals; or the one that was asked for."""
    before, after = float(split.before.chips), float(split.after.chips)
    most = int((chips - after) // before)
    if asked is not None:
        wanted = float(Unit("1", ">=1").si(asked, "prefill_instances"))
        if wanted > most or wanted != int(wanted):
            raise InvalidInput(f"prefill_instances: {wanted:g} is not a whole number from 1 to {most}, which leave a decode instance")
        return split.pools(wanted, (chips - wanted * before) // after)
    best, least = None, math.inf
    for count in range(1, most + 1):
        found = split.pools(float(count), (chips - count * before) // after)
        first = found.prompt + found.wait + split.transfer + found.step
        least = min(least, first)
        if first <= latest and (best is None or found.requests > best.requests * (1.0 + SAME)):
            best = found
    if best is None:
        raise NoFeasiblePlan(f"disaggregated: TTFT is {least:.3g} s at least over all splits; asked was {latest:g} s")
    return best


def _tree(split: Split, chosen: Pools) -> Estimate:
    made, draft = decode_step(split.work, split.after, max(chosen.batch, 1.0) / (split.after.ranks * split.after.plan.pp))
    tree = step_tree(made)
    if split.work.gained == 1.0 and not draft:
        return Estimate("tpot", tree.value, "s", how=tree.how, terms=tree.terms)
    return Estimate("tpot", chosen.step, "s", how="sum / tokens gained a step", terms=tree.terms)


def _as_loop(split: Split, chosen: Pools, resting: Loop) -> Loop:
    """The decode pool as a loop whose cycle holds the prefill of its own requests, for power."""
    cycle = chosen.step + split.prompt() / split.work.osl * chosen.batch
    each = chosen.batch / (split.after.ranks * split.after.plan.pp)
    return resting._replace(users=chosen.batch, batch=each, cycle=cycle, tpot=chosen.step)


def _results(split: Split, system: System, chosen: Pools, found: Loop, prices: Prices) -> dict[str, Any]:
    work = split.work
    rate = chosen.requests * work.osl
    balance = formulas.prefill_pool_ratio(split.prompt(), chosen.batch, chosen.step, work.osl)
    sizes = (float(split.after.chips), float(split.before.chips))
    balanced = formulas.pooled_throughput(chosen.batch, chosen.step, balance, *sizes)

    def output() -> Estimate:
        return derived("tokens per second", rate, "token/s", f"requests per second x output; the {chosen.by} set the pace")

    def first() -> Estimate:
        return total(
            "ttft",
            term("first pass", chosen.prompt, "s"),
            term("queue of prompts", chosen.wait, "s"),
            term("transfer of the cache", split.transfer, "s"),
            term("first step", chosen.step, "s"),
        )

    def drawn() -> Estimate:
        return grid_power(work, system, split.after, found, prices)

    def money() -> Estimate:
        spent = spending(system, drawn(), prices, work.precision)
        value = MILLION * spent.value / rate / prices.utilisation
        return derived("usd per million tokens", value, "USD", "cost rate / tokens per second", spent, output())

    def heat() -> Estimate:
        return derived("joules per token", drawn().value / rate, "J/token", "facility power / tokens per second", drawn(), output())

    def speed(name: str, below: float, how: str) -> Any:
        return lambda: derived(name, rate / below, "token/s", how, output())

    return {
        "ttft": first,
        "tpot": lambda: _tree(split, chosen),
        "tokens per second": output,
        "tokens per second per user": lambda: term("tokens per second per user", 1.0 / chosen.step, "token/s"),
        "tokens per second per chip": speed("tokens per second per chip", float(system.chips), "rate / chips"),
        "tokens per second per megawatt": lambda: term("tokens per second per megawatt", rate / float(drawn().value) * MEGAWATT, "token/s"),
        "requests per second": lambda: term("requests per second", chosen.requests, "1/s"),
        "pool ratio": lambda: derived("pool ratio", balance, "1", "prefill x batch / (step x output)"),
        "tokens per second per chip in balance": lambda: term("tokens per second per chip in balance", balanced, "token/s"),
        "prefill instances": lambda: term("prefill instances", chosen.prefill, "1"),
        "decode instances": lambda: term("decode instances", chosen.decode, "1"),
        "users of a decode instance": lambda: term("users of a decode instance", chosen.batch, "1"),
        "transfer": lambda: term("transfer", split.transfer, "s"),
        "power": drawn,
        "usd per million tokens": money,
        "joules per token": heat,
    }
