"""`decoding`, `prefill` and `serving`: how fast a model answers on a system, in parts, with what binds."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.serving import ServingEfficiency, ServingEngine
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate, Timing, derived, show, term, total
from nvscale.estimators.identities import Identity
from nvscale.estimators.serving_shards import First, Instance, Machine, Step, instance_chips
from nvscale.estimators.serving_shards import machine as rates_of
from nvscale.formats import plain_name
from nvscale.formulas import serving as formulas
from nvscale.formulas import serving_queues as queues
from nvscale.ops import FLOAT, INFINITY, carrier, maximum, minimum, where
from nvscale.parallelism import Parallelism
from nvscale.record import units_of
from nvscale.silicon import Chip
from nvscale.truth.calibrations import as_calibration
from nvscale.truth.constants import GENERIC, OWN, STRANGE, Constants, Found, shipped_constants
from nvscale.workloads.serving import Decoding, Inference, Prefill, Serving
from nvscale.workloads.words import OperandStorage

KIND = "serving"
ENGINES = ("vllm", "sglang", "trtllm", "generic", "ideal")
"""Engines whose constants come with nvscale."""
MEASURED_ENGINES = ("vllm", "sglang", "trtllm")
SERVED = "served"
"""Class of the intervals of served requests."""
SPELLINGS = {"tensorrt-llm": "trtllm", "trt-llm": "trtllm", "tensorrt": "trtllm"}
PARTS = {
    "matrix multiplies": "products",
    "launches": "launches",
    "attention": "attention",
    "element-wise passes": "passes",
    "tensor parallel exchange": "exchange",
    "expert weights": "expert_bytes",
    "expert work": "expert_work",
    "expert layers": "expert_layers",
    "expert exchange": "expert_exchange",
    "host": "host",
    "pipeline transfers": "transfers",
}
"""Names of the parts of a decode step."""
SECANTS, TINY = 8, 1e-9
"""Steps of the search for the running requests, and the least share of the time that is left for decoding."""


class Loop(NamedTuple):
    """Requests in a steady loop: what everything else follows from, in SI."""

    slots: Any
    users: Any
    batch: Any
    step: Step
    first: First
    share: Any
    prefill: Any
    step_time: Any
    tpot: Any
    burst: Any
    fixed: Any
    queue: Any
    ttft: Any
    cycle: Any
    room: Any
    draft: Any = 0.0

    @property
    def output(self) -> Any:
        """Tokens per second of all running users, their own prompts included in the time."""
        return self.users / self.cycle


def loop(work: Serving, instance: Instance, memory: Any, users: Any) -> Loop:
    """Return the closed loop of one instance with so many users: each asks again when it is answered.

    Parameters
    ----------
    work : Serving
        Lengths and formats.
    instance : Instance
        The model on its chips.
    memory : byte
        Memory of one chip.
    users : 1
        Users of this instance; may be an array, and below 1 where users are fewer than instances.
    """
    engine = instance.engine
    length = work.isl + engine.reserves * work.osl
    free = work.memory_share * memory - sum(instance.weights()) * where(engine.shares_free > 0.0, work.memory_share, 1.0)
    cache = instance.cached(length) / instance.plan.pp
    slots = minimum(formulas.cache_slots(instance.ranks * free, cache), work.running_limit)
    running = maximum(minimum(users, slots), 1.0)
    lanes = instance.ranks * instance.plan.pp
    batch = running / lanes
    step, draft = decode_step(work, instance, batch)
    computed = work.isl * (1.0 - work.prefix_cached)
    first = instance.first(computed, work.isl - computed, batch)
    share = formulas.prefill_share(running, lanes, work.osl)
    prefill = engine.interference * first.mixed + first.experts
    step_time = (sum(step) + draft) / work.gained
    tpot = formulas.time_per_output_token(step_time, share, prefill)
    burst = formulas.burst_wait(
        maximum(running, instance.ranks), instance.ranks, first.mixed + first.experts, work.rounds, engine.admission
    )
    fixed = engine.first_launch + instance.expert_layers * engine.first_expert_layer + (work.stream_interval - 1.0) * tpot
    queue = formulas.queue_wait(users, slots, work.osl, tpot)
    steps = engine.first_steps * instance.ranks
    ttft = formulas.first_token_time(engine.first_scale * first.alone, burst, tpot, steps, fixed, queue)
    cycle = step_time + running / lanes / work.osl * prefill
    times = (step_time, tpot, burst, fixed, queue, ttft, cycle)
    return Loop(slots, running, batch, step, first, share, prefill, *times, instance.ranks * free / cache, draft)


def decode_step(work: Serving, instance: Instance, batch: Any) -> tuple[Step, Any]:
    """Return a decode step of so many sequences on each rank, and the time of the draft that it checks.

    A step that checks a draft has a row for each proposed token; the cache is read once for all rows of a sequence.
    """
    if carrier(work.draft_tokens) == FLOAT and not work.draft_tokens:
        return instance.step(batch, work.context), 0.0
    plain, checking = instance.step(batch, work.context), instance.step(batch * (1.0 + work.draft_tokens), work.context)
    attention = where(instance.model.latent_rank > 0.0, checking.attention, plain.attention)
    return checking._replace(attention=attention, host=plain.host), work.draft_tokens * work.draft_cost * sum(plain)


def open_loop(work: Serving, instance: Instance, memory: Any, rate: Any) -> Loop:
    """Return the steady state of one instance where so many requests arrive per second, whatever the others wait for.

    The running requests n solve n = rate x output x tpot(n) (Little), tpot = step(n) / (1 - rate x prefill) being exact at any n;
    secants from below grow monotonically, for steps that grow faster than their batch. Prompts queue as in M/D/1, requests
    for the cache as in M/M/slots. Where more arrive than an instance serves, the time to the first token is infinite.

    Parameters
    ----------
    work, instance, memory
        As for `loop`.
    rate : 1/s
        Requests per second of this instance; may be an array.
    """
    full = loop(work, instance, memory, INFINITY)
    stable = rate < full.output / work.osl
    engine, lanes = instance.engine, instance.ranks * instance.plan.pp
    each = where(stable, rate, 0.0)
    computed = work.isl * (1.0 - work.prefix_cached)

    def at(users: Any) -> tuple[Any, Step, Any, First, Any, Any]:
        batch = maximum(users, 1.0) / lanes
        step, draft = decode_step(work, instance, batch)
        first = instance.first(computed, work.isl - computed, batch)
        prefill = engine.interference * first.mixed + first.experts
        return batch, step, draft, first, prefill, (sum(step) + draft) / work.gained / maximum(1.0 - each * prefill / lanes, TINY)

    before, after = 0.0 * each, each * work.osl * at(1.0)[5]
    gap_before = after - before
    for _ in range(SECANTS):
        gap = each * work.osl * at(after)[5] - after
        change = gap_before - gap
        slope = where(change > 0.0, (after - before) / where(change > 0.0, change, 1.0), 1.0)
        before, gap_before, after = after, gap, minimum(maximum(after + gap * slope, 0.0), full.slots)
    batch, step, draft, first, prefill, tpot = at(where(stable, after, full.users))
    first_wait = queues.single_server_wait(each / lanes, prefill)
    slot_wait = where(stable, queues.many_server_wait(each, work.osl * tpot, full.slots), INFINITY)
    fixed = engine.first_launch + instance.expert_layers * engine.first_expert_layer + (work.stream_interval - 1.0) * tpot
    ttft = formulas.first_token_time(
        engine.first_scale * first.alone, first_wait, tpot, engine.first_steps * instance.ranks, fixed, slot_wait
    )
    tpot = where(stable, tpot, full.tpot)
    running = where(stable, each * work.osl * tpot, full.users)
    share = where(stable, each * tpot / lanes, full.share)
    step_time = where(stable, (sum(step) + draft) / work.gained, full.step_time)
    cycle = where(stable, tpot, full.cycle)
    times = (step_time, tpot, first_wait, fixed, slot_wait, ttft, cycle)
    return Loop(full.slots, running, batch, step, first, share, prefill, *times, full.room, draft)


# ---------------------------------------------------------------------- one step, one prompt


class Results(Timing):
    """A time with further results by name, made when they are asked for.

    Parameters
    ----------
    results : dict of str to callable
        Name of a result -> function that makes its tree.
    """

    __slots__ = ("_made", "_makers")

    ALIASES: Mapping[str, str] = {"tokens per second per GPU": "tokens per second per chip"}

    def __init__(self, name: str, tree: Estimate, results: Mapping[str, Callable[[], Estimate]], **others: Any) -> None:
        super().__init__(name, tree, **others)
        self._makers = results
        self._made: dict[str, Estimate] = {}

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a part by name or dotted path."""
        head, dot, rest = path.partition(".")
        name = self.ALIASES.get(head, head)
        if name not in self._makers:
            return super().__getitem__(path)
        if name not in self._made:
            self._made[name] = self._makers[name]()
        return self._made[name][rest] if dot else self._made[name]

    def results(self) -> dict[str, Estimate]:
        """Return all results by name."""
        return {name: self[name] for name in self._makers}


def decoding(
    work: Decoding,
    system: "System | Chip | str",
    plan: Parallelism | None = None,
    *,
    engine: "ServingEngine | str" = "generic",
    efficiency: "ServingEfficiency | Efficiency | None" = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Results:
    """Return the time of one decode step, with its parts and what binds.

    Parameters
    ----------
    work : Decoding
        Model, batch of the instance, mean context.
    system : System, Chip or str
        Where; one instance on as many of its chips as the layout takes.
    plan : Parallelism, optional
        tp, pp, ep, etp; tensor parallel over one scale-up domain by default.
    engine : ServingEngine or str, optional
        "vllm", "sglang", "trtllm", "generic", "ideal", or constants of one's own.
    efficiency : ServingEfficiency, optional
        What kernels reach; `nvscale.IDEAL` for the bare roofline; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Results
        `value` in seconds, `["step"]`, `["tpot"]`, `["tokens per second"]`, `["tokens per second per chip"]`.

    Raises
    ------
    InvalidInput, MissingFigure, MissingPrecision
        A layout that does not fit the system, or a figure that the time depends on.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Decoding(model=nv.model("llama-3.1-8b"), batch=32, context=2048, precision="fp8")
    >>> decoding(work, nv.system("dgx-h100"), nv.Parallelism(tp=1)).by
    'matrix multiplies'
    """
    placed, layout, instance, notes = prepared(work, system, plan, engine, efficiency, calibration)
    found = instance.step(work.batch / (instance.ranks * layout.pp), work.context)
    tree = step_tree(found)
    ideal = instance.products(1.0) * 0.0 + work.weight_size / instance.chips / instance.at.bandwidth
    speed = {
        "step": lambda: tree,
        "tpot": lambda: derived("tpot", tree.value, "s", "step", tree),
        "tokens per second": lambda: derived("tokens per second", work.batch / tree.value, "token/s", "batch / step", tree),
        "tokens per second per chip": lambda: derived(
            "tokens per second per chip", work.batch / tree.value / instance.chips, "token/s", "batch / step / chips", tree
        ),
    }
    name = f"decode step of {called(work)} on {placed.name}"
    return Results(name, tree, speed, contenders=tuple(tree.terms), roofline=ideal, factors=(None, None), assumptions=notes)


def step_tree(found: Step) -> Estimate:
    """Return a decode step as a sum of its parts; parts that a model lacks are left out."""
    parts = [term(name, getattr(found, field), "s") for name, field in PARTS.items()]
    return total("step", *(part for part in parts if not (carrier(part.value) == FLOAT and part.value == 0.0)))


def prefill(
    work: Prefill,
    system: "System | Chip | str",
    plan: Parallelism | None = None,
    *,
    engine: "ServingEngine | str" = "generic",
    efficiency: "ServingEfficiency | Efficiency | None" = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Timing:
    """Return the time of computing prompts in a step of their own.

    Parameters
    ----------
    work : Prefill
        Model, tokens of a prompt, prompts, tokens cached before.
    system : System, Chip or str
        Where; one instance on as many of its chips as the layout takes.
    plan : Parallelism, optional
        tp, pp, ep, etp; tensor parallel over one scale-up domain by default.
    engine : ServingEngine or str, optional
        As for `decoding`.
    efficiency : ServingEfficiency, optional
        What kernels reach; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Timing
        Seconds until all prompts of the batch have their first token.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Prefill(model=nv.model("llama-3.1-70b"), tokens=8192, precision="fp8")
    >>> 0.05 < prefill(work, nv.system("dgx-h100"), nv.Parallelism(tp=8)).value < 1.0
    True
    """
    placed, _, instance, notes = prepared(work, system, plan, engine, efficiency, calibration)
    found = instance.first(work.tokens, work.cached, 1.0)
    value = work.batch * found.alone
    flop = work.batch * work.tokens * work.model.flop_per_token(work.tokens, "inference")
    tree = derived("prefill", value, "s", "prompts x time of one", term("time of one", found.alone, "s"))
    name = f"prefill of {called(work)} on {placed.name}"
    return Timing(name, tree, contenders=("time of one",), roofline=flop / (instance.at.dense_rate * instance.chips), assumptions=notes)


# ---------------------------------------------------------------------- preparation


def called(work: Inference) -> str:
    """Return what is served, in words."""
    return f"{work.model.name or 'a model'} {work.precision}"


def prepared(
    work: Inference,
    system: "System | Chip | str",
    plan: Parallelism | None,
    engine: "ServingEngine | str",
    efficiency: "ServingEfficiency | Efficiency | None",
    calibration: "Mapping[str, Constants] | str | Path | None",
) -> tuple[System, Parallelism, Instance, tuple[str, ...]]:
    """Return system, layout and instance of a piece of work, and what is assumed."""
    placed = catalogue.system(system)
    layout = default_plan(placed) if plan is None else plan
    _check(work, placed, layout)
    software = engine_of(engine, placed.chip, calibration)
    dense, wide = (efficiency_for(storage, placed.chip, efficiency, calibration) for storage in (work.dense_storage, _WIDE))
    at = _machine(Identity(placed), Identity(work), Identity(dense), Identity(wide))
    notes = (*dense.assumptions, f"engine {software.name}: {software.origin}", f"kernels: {dense.origin}", *_format_notes(work))
    return placed, layout, Instance(work, layout, at, software), notes


def default_plan(system: System) -> Parallelism:
    """Return tensor parallelism over the scale-up domain, at most 8 ranks."""
    chips = system.chips if carrier(system.chips) == FLOAT else 8.0
    return Parallelism(tp=min(8.0, chips, system.scaleup_chips if system.networks else 1.0))


def _format_notes(work: Inference) -> tuple[str, ...]:
    element = work.cache_element
    return (f"key-value cache at {element:g} byte an element",) if carrier(element) == FLOAT else ()


def _check(work: Inference, system: System, plan: Parallelism) -> None:
    """Refuse a layout that does not fit; arrays and symbols are not checked."""
    model, chips = work.model, instance_chips(plan)
    if any(type(size) is not float for size in (system.chips, chips, plan.tp, model.heads, model.experts)):
        return
    if chips > system.chips:
        raise InvalidInput(f"serving: the layout takes {chips:g} chips, {system.name} has {system.chips:g}; use scale({chips:g})")
    if model.heads % plan.tp:
        raise InvalidInput(f"serving: tp = {plan.tp:g} does not divide the {model.heads:g} heads of {model.name or 'the model'}")
    if plan.ep > 1.0 and (not model.experts or model.experts % plan.ep):
        raise InvalidInput(f"serving: ep = {plan.ep:g} does not divide the {model.experts:g} experts of {model.name or 'the model'}")
    if (plan.ep * plan.etp) > plan.tp and (plan.ep * plan.etp) % plan.tp:
        raise InvalidInput(f"serving: tp = {plan.tp:g} does not divide the {plan.ep * plan.etp:g} ranks of the experts")


@lru_cache(maxsize=1024)
def _machine(system: Identity, work: Identity, dense: Identity, wide: Identity) -> Machine:
    return rates_of(system.value, work.value, dense.value, wide.value)


_WIDE = OperandStorage(name="bf16", rate="bf16", measured_as="bf16", weight=2.0, activation=2.0)


def efficiency_for(
    storage: OperandStorage,
    chip: Chip,
    given: "ServingEfficiency | Efficiency | None",
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> ServingEfficiency:
    """Return what the kernels of a chip reach at a kind of weights, or the given constants."""
    if isinstance(given, ServingEfficiency):
        return given
    if given is not None:
        return _ideal(given.origin)
    found: ServingEfficiency = _efficiency(Identity(chip), storage, Identity(_constants(calibration)))
    return found


@lru_cache(maxsize=8)
def _ideal(origin: str) -> ServingEfficiency:
    return ServingEfficiency(origin=origin)


def engine_of(name: "ServingEngine | str", chip: Chip, calibration: "Mapping[str, Constants] | str | Path | None" = None) -> ServingEngine:
    """Return the constants of an engine by name."""
    if isinstance(name, ServingEngine):
        return name
    given = SPELLINGS.get(plain_name(name), plain_name(name))
    if given not in ENGINES:
        raise unknown("serving engine", name, (*ENGINES, *SPELLINGS))
    if given == "ideal":
        return _NO_ENGINE
    found: ServingEngine = _engine(given, Identity(chip), Identity(_constants(calibration)))
    return found


_NO_ENGINE = ServingEngine(origin="ideal: nothing but kernels")


def _constants(calibration: "Mapping[str, Constants] | str | Path | None") -> Constants:
    return (as_calibration(calibration) or {}).get(KIND) or shipped_constants(KIND)


@lru_cache(maxsize=1024)
def _efficiency(chip: Identity, storage: OperandStorage, constants: Identity) -> ServingEfficiency:
    table: Constants = constants.value
    rates = chip.value.precisions()
    names = (storage.name, storage.measured_as, storage.falls_back_to, "bf16") if storage.rate in rates else ("bf16",)
    for name in dict.fromkeys(name for name in names if name):
        found = table.find(f"kernels {name}", "", chip.value)
        if found is not None:
            made: ServingEfficiency = _record(ServingEfficiency, found)
            return made
    raise MissingFigure(f"no serving constants of {storage.name}; give an efficiency of your own, or nvscale.IDEAL")


@lru_cache(maxsize=1024)
def _engine(name: str, chip: Identity, constants: Identity) -> ServingEngine:
    table: Constants = constants.value
    found = table.find("engine", name, chip.value)
    if found is None:
        raise MissingFigure(f"no serving constants of the engine {name}; give constants of your own")
    made: ServingEngine = _record(ServingEngine, found)
    bands = table.spreads(_measured(name, chip.value, table), chip.value, SERVED)
    return dataclasses.replace(made, name=name, origin="fitted on served requests", assumptions=(), spreads=bands)


def _measured(name: str, chip: Chip, table: Constants) -> str:
    """Which intervals hold: of an engine and a chip with measured kernels, of any engine, of a chip without, of a strange one."""
    kernels = table.find("kernels bf16", "", chip)
    which = STRANGE if kernels is None else kernels.interval
    if which in (OWN, GENERIC):
        return OWN if name in MEASURED_ENGINES else GENERIC
    return which


def _record(record: type[Any], found: Found) -> Any:
    known = units_of(record)
    figures = {name: one.value for name, one in found.constants.items() if name in known}
    sources = {name: one.source() for name, one in found.constants.items() if name in known}
    notes = tuple(text for text in found.assumptions if not text.startswith("framework not given"))
    return record(origin=found.origin.replace(", median over frameworks", ""), assumptions=notes, sources=sources, **figures)


def shown(estimate: Estimate) -> str:
    """Return an estimate's value for people."""
    return show(estimate.value, estimate.unit)
