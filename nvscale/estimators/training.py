"""`training`: the time of a training step on a system, in parts, with MFU, throughput, memory and what binds."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate, Timing, derived, show, term
from nvscale.estimators.identities import Identity
from nvscale.estimators.memory_of_training import fits, training_memory
from nvscale.estimators.training_shards import Machine
from nvscale.estimators.training_shards import machine_of as _rates_of
from nvscale.estimators.training_steps import Step, step
from nvscale.formats import plain_name, precision
from nvscale.ops import FLOAT, carrier, ceil
from nvscale.parallelism import Parallelism
from nvscale.record import units_of
from nvscale.silicon import Chip
from nvscale.truth.calibrations import as_calibration
from nvscale.truth.constants import Constants, Found, shipped_constants
from nvscale.workloads.training import Training

KIND = "training"
STACKS = ("vendor-fused", "compiled", "eager", "eager-broadcast", "unfused", "unfused-eager", "ideal")
"""Software profiles that come with nvscale."""
CONVENTION = "megatron-bridge"
MFU_NOTE = "MFU counts 6 (N - input embedding) + causal attention per token, nothing recomputed, at the job's peak dense rate"
SUM = "sum of"
PARTS = {
    "matrix multiplies": "products",
    "attention": "attention",
    "element-wise passes": "element_wise",
    "casts": "casts",
    "experts": "experts",
    "launches": "launches",
    "recompute": "recompute",
    "tensor parallel exchange": "tensor_exchange",
    "context parallel exchange": "context_exchange",
    "expert exchange": "expert_exchange",
}
"""Names of what a stage does in a micro-batch."""


CONTENDERS = (*PARTS, "output head", "pipeline bubble", "pipeline transfers", "gradient exchange", "optimizer")
"""Parts of which the largest binds."""
TOLD = 3
"""Parts that a printed step names."""


class TrainingStep(Timing):
    """The time of a training step, and what follows from it.

    `["memory"]`, `["fits"]`, `["mfu"]`, `["tokens per second"]`, `["tokens per second per chip"]` and the parts of the
    time by name; `by` says which part is the largest. Parts and results are made when they are first looked at.

    Parameters
    ----------
    job, plan, system : Training, Parallelism, System
        What was asked.
    found : Step
        The step in its parts.
    factors : tuple
        Low and high end of the 90 % interval as factors of the value; None where it is not known.
    assumptions : tuple of str
        What was not said and was assumed.
    """

    __slots__ = ("_results", "found", "job", "plan", "system")

    def __init__(  # the tree and the roofline wait until they are asked for, so the parents' ways of making them are not taken
        self, job: Training, plan: Parallelism, system: System, found: Step, *, factors: tuple[Any, Any], assumptions: tuple[str, ...]
    ) -> None:
        self.name, self.value, self.unit, self.how, self.source = f"step of {_called(job)} on {system.name}", found.value, "s", SUM, None
        self.assumptions, self.contenders, self._roofline = assumptions, CONTENDERS, partial(_bare_time, job, system)
        low, high = factors
        self.low, self.high = (None, None) if low is None else (found.value * low, found.value * high)
        self.job, self.plan, self.system, self.found = job, plan, system, found
        self._results: dict[str, Estimate] = {}

    def __getattr__(self, name: str) -> Any:
        """Make the terms when they are first asked for."""
        if name == "terms":
            self.terms = tree(self.found).terms
            return self.terms
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a part of the time by name or dotted path."""
        head, dot, rest = path.partition(".")
        name = ALIASES.get(head, head)
        if name not in RESULTS:
            return super().__getitem__(path)
        if name not in self._results:
            self._results[name] = RESULTS[name](self)
        return self._results[name][rest] if dot else self._results[name]

    @property
    def mfu(self) -> Any:
        """Model FLOP utilisation."""
        return self["mfu"].value

    def _mfu(self) -> Estimate:
        work, peak = _work(self.job), self.system.peak(self.job.precision)
        parts = (term("model work of a step", work, "flop"), term(f"peak {self.job.precision} rate", peak, "flop/s"), _leaf(self))
        return derived("mfu", work / (peak * self.value), "1", "work / (peak x time)", *parts, assumptions=(MFU_NOTE,))

    def _throughput(self) -> Estimate:
        tokens = term("tokens of a step", self.job.tokens, "token")
        return derived("tokens per second", self.job.tokens / self.value, "token/s", "tokens / time", tokens, _leaf(self))

    def _throughput_per_chip(self) -> Estimate:
        whole = self["tokens per second"]
        chips = term("chips", self.system.chips, "1")
        return derived("tokens per second per chip", whole.value / self.system.chips, "token/s", "tokens per second / chips", whole, chips)

    def _memory(self) -> Estimate:
        return training_memory(self.job, self.plan, self.system.chips)

    def _fits(self) -> Estimate:
        return fits(self.job, self.plan, self.system)

    def shares(self) -> dict[str, Any]:
        """Return the parts of the time as shares of it, of numbers the largest first; those that take no time are left out."""
        found = {name: part.value / self.value for name, part in self.terms.items() if carrier(part.value) != FLOAT or part.value}
        return dict(sorted(found.items(), key=lambda item: -item[1])) if carrier(self.value) == FLOAT else found

    def memory_text(self) -> str:
        """Return what memory is needed of what there is, and whether the step fits, in words."""
        try:
            found = self["fits"]
        except MissingFigure:
            return f"needs {show(self['memory'].value, 'byte')} of memory a chip, whose memory is not known"
        said = "fits" if found.value else "DOES NOT FIT"
        return f"needs {show(found['needed'].value, 'byte')} of {show(found['available'].value, 'byte')} a chip: {said}"

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, with the main results at the top."""
        plain = super().to_dict()
        top = {
            "seconds_per_step": plain["value"],
            "mfu": self["mfu"].to_dict()["value"],
            "tokens_per_second_per_gpu": self["tokens per second per chip"].to_dict()["value"],
            "memory_bytes": self["memory"].to_dict()["value"],
        }
        try:
            top["fits"] = self["fits"].to_dict()["value"]
        except MissingFigure:
            top["fits"] = None
        return top | plain

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        interval = "" if self.low is None else f" (90 %: {show(self.low, 's')} to {show(self.high, 's')})"
        (first, most), *others = list(self.shares().items())[:TOLD]
        return "\n  ".join(
            [
                self.name,
                f"{show(self.value, 's')} a step{interval}, {self.headroom:.2f} x the bare roofline",
                f"MFU {self.mfu:.1%} (6 N + causal attention), {self['tokens per second per chip'].value:,.0f} tokens/s per chip",
                ", ".join([f"{first} {'take' if first.endswith('s') else 'takes'} {most:.0%}", *(f"{n} {s:.0%}" for n, s in others)]),
                self.memory_text(),
            ]
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {show(self.value, 's')}>"


RESULTS: Mapping[str, Callable[[TrainingStep], Estimate]] = {
    "mfu": TrainingStep._mfu,
    "tokens per second": TrainingStep._throughput,
    "tokens per second per chip": TrainingStep._throughput_per_chip,
    "memory": TrainingStep._memory,
    "fits": TrainingStep._fits,
}
"""What follows from a step, by name."""
ALIASES = {"tokens per second per GPU": "tokens per second per chip"}


def _leaf(timing: Timing) -> Estimate:
    return Estimate("time", timing.value, "s")


def _called(job: Training) -> str:
    return f"{job.model.name or 'a model'} {job.precision}"


def _work(job: Training) -> Any:
    return job.tokens * job.model.flop_per_token(job.sequence, CONVENTION)


def _bare_time(job: Training, system: System) -> Any:
    """The model work of a step at the peak rate of all chips."""
    return _work(job) / system.peak(job.precision)


def _model(job: Training) -> str:
    return job.model.name or "the model"


def training(
    job: Training,
    system: "System | str",
    plan: Parallelism | None = None,
    *,
    stack: "TrainingStack | str" = "vendor-fused",
    efficiency: "TrainingEfficiency | Efficiency | None" = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> TrainingStep:
    """Return the time of one training step on all chips of a system, with its parts, its 90 % interval and what binds.

    Parameters
    ----------
    job : Training
        What is trained.
    system : System or str
        Where; `system("dgx-h100").scale(1024)` for so many chips.
    plan : Parallelism, optional
        How it is spread; every chip a replica by default.
    stack : TrainingStack or str, optional
        Software: "vendor-fused", "compiled", "eager", "unfused", "unfused-eager", "ideal", or constants of one's own.
    efficiency : TrainingEfficiency, optional
        What the chip sustains; `nvscale.IDEAL` for the bare roofline; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    TrainingStep
        `value` in seconds, `low`, `high`, `by`, `["mfu"]`, `["memory"]`, `["tokens per second per chip"]`, `explain()`.

    Raises
    ------
    InvalidInput
        The layout does not fit the chips, or the batch does not fit the layout.
    MissingPrecision, MissingFigure
        The chip lacks the rate, or a figure that the time depends on.

    Examples
    --------
    >>> import nvscale as nv
    >>> job = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=128, precision="bf16")
    >>> step = training(job, nv.system("dgx-h100"), nv.Parallelism(micro_batch=1))
    >>> 0.3 < step.mfu < 0.6
    True
    """
    placed = catalogue.system(system)
    layout = Parallelism() if plan is None else plan
    _check(job, placed, layout)
    constants = _constants(calibration)
    named = stack if isinstance(stack, str) else Identity(stack)
    setting = _setting(Identity(placed), job.precision, named, Identity(efficiency), Identity(constants))
    found = step(job, layout, placed.chips, setting.machine, setting.software)
    experts = job.model.experts
    factors = setting.factors[carrier(experts) == FLOAT and experts > 0.0]
    return TrainingStep(job, layout, placed, found, factors=factors, assumptions=setting.assumptions)


def tree(found: Step) -> Estimate:
    """Return a step as a sum of its parts, in seconds of a step."""
    through, work = found.micro_batches * found.stage, found.work
    times = {name: through * getattr(work, field) for name, field in PARTS.items()}
    times["output head"] = found.micro_batches * found.head
    times["host"] = found.micro_batches * found.host
    times["pipeline bubble"] = found.bubble
    times["pipeline transfers"] = found.transfers
    times["gradient exchange"] = found.replica_exchange
    times["optimizer"] = found.optimizer
    steady = sum(times.values())
    times["stragglers"] = steady * (found.stragglers - 1.0)
    times["software not yet mature"] = steady * found.stragglers * (found.maturing - 1.0)
    return Estimate("time", found.value, "s", how=SUM, terms={name: Estimate(name, time, "s") for name, time in times.items()})


def _check(job: Training, system: System, plan: Parallelism) -> None:
    """Refuse a layout that fits neither the chips nor the batch; arrays and symbols are not checked."""
    model = job.model
    sizes = (system.chips, plan.tp, plan.pp, plan.vpp, plan.cp, plan.micro_batch, plan.ep, plan.etp, job.global_batch, job.sequence)
    if any(type(size) is not float for size in (*sizes, model.heads, model.layers, model.experts)):
        return
    plan.check(system.chips)
    if model.heads % plan.tp:
        raise InvalidInput(f"training: tp = {plan.tp:g} does not divide the {model.heads:g} heads of {_model(job)}")
    if plan.pp > model.layers or plan.vpp > ceil(model.layers / plan.pp):
        raise InvalidInput(
            f"training: pp {plan.pp:g} x vpp {plan.vpp:g} leave stages of the {model.layers:g} layers of {_model(job)} empty"
        )
    replicas = plan.replicas(system.chips)
    if job.global_batch % (replicas * plan.micro_batch):
        raise InvalidInput(
            f"training: global_batch {job.global_batch:g} is no multiple of {replicas:g} replicas x micro_batch {plan.micro_batch:g}"
        )
    if plan.ep > 1.0 and not model.experts:
        raise InvalidInput(f"training: ep = {plan.ep:g}, but {_model(job)} has no experts")
    if plan.ep > 1.0 and model.experts % plan.ep:
        raise InvalidInput(f"training: ep = {plan.ep:g} does not divide the {model.experts:g} experts of {_model(job)}")
    if (replicas * plan.cp * plan.tp) % (plan.ep * plan.etp):
        raise InvalidInput(
            f"training: ep {plan.ep:g} x etp {plan.etp:g} does not divide the {replicas * plan.cp * plan.tp:g} chips of a stage"
        )


# ---------------------------------------------------------------------- constants


class _Setting(NamedTuple):
    """What a step is estimated with, and what is said about it; `factors` without experts, and with them."""

    machine: Machine
    software: TrainingStack
    factors: tuple[tuple[Any, Any], tuple[Any, Any]]
    assumptions: tuple[str, ...]


@lru_cache(maxsize=1024)
def _setting(system: Identity, number_format: str, stack: "str | Identity", efficiency: Identity, constants: Identity) -> _Setting:
    """Look up all constants once for a system, a precision and a software."""
    chip = system.value.chip
    software = _software(stack if isinstance(stack, str) else stack.value, chip, constants.value)
    chosen = efficiency.value
    if chosen is None:
        chosen = _efficiency(Identity(chip), number_format, constants)
    elif type(chosen) is Efficiency:
        chosen = TrainingEfficiency(origin=chosen.origin)
    notes = (*chosen.assumptions, *software.assumptions, f"software {software.name}: {software.origin}", f"chip: {chosen.origin}")
    factors = chosen.factors({"experts": False}), chosen.factors({"experts": True})
    return _Setting(_rates_of(system.value, number_format, chosen, software), software, factors, notes)


def machine_of(system: System, number_format: str, efficiency: TrainingEfficiency, stack: TrainingStack) -> Machine:
    """Return the sustained rates of a chip of the system and of its links."""
    return _rates_of(system, number_format, efficiency, stack)


def efficiency_of(chip: Chip, number_format: str, calibration: "Mapping[str, Constants] | str | Path | None" = None) -> TrainingEfficiency:
    """Return what a chip sustains during training at a precision, with where that comes from."""
    found: TrainingEfficiency = _efficiency(Identity(chip), precision(number_format).name, Identity(_constants(calibration)))
    return found


def stack_of(name: "TrainingStack | str", chip: Chip, calibration: "Mapping[str, Constants] | str | Path | None" = None) -> TrainingStack:
    """Return a software profile by name, as it is on a chip."""
    return _software(name, chip, _constants(calibration))


def _software(name: "TrainingStack | str", chip: Chip, constants: Constants) -> TrainingStack:
    if isinstance(name, TrainingStack):
        return name
    given = plain_name(name)
    if given not in STACKS:
        raise unknown("training stack", name, STACKS)
    return _IDEAL_STACK if given == "ideal" else _stack(given, Identity(chip), Identity(constants))


_IDEAL_STACK = TrainingStack(origin="ideal: everything fused and hidden")


def _constants(calibration: "Mapping[str, Constants] | str | Path | None") -> Constants:
    given = None if calibration is None else as_calibration(calibration)
    return shipped_constants(KIND) if given is None else given.get(KIND) or shipped_constants(KIND)


@lru_cache(maxsize=1024)
def _efficiency(chip: Identity, number_format: str, constants: Identity) -> TrainingEfficiency:
    """Constants of the class of the format: 16 bits and more, 8 bits, fewer."""
    bits = precision(number_format).bits
    class_ = "step bf16" if bits >= 16.0 else ("step fp8" if bits >= 8.0 else "step fp4")
    found = _found(constants.value, class_, "", chip.value)
    made: TrainingEfficiency = _record(TrainingEfficiency, found, constants.value.spreads(found.interval, chip.value, class_))
    return made


@lru_cache(maxsize=1024)
def _stack(name: str, chip: Identity, constants: Identity) -> TrainingStack:
    found = _found(constants.value, "stack", name, chip.value)
    made: TrainingStack = dataclasses.replace(
        _record(TrainingStack, found, ()), name=name, origin="fitted on training steps", assumptions=()
    )
    return made


def _found(constants: Constants, class_: str, path: str, chip: Chip) -> Found:
    found = constants.find(class_, path, chip)
    if found is None:
        raise MissingFigure(f"no training constants of {class_} {path}; give an efficiency of your own, or nvscale.IDEAL")
    return found


def _record(record: type[Any], found: Found, spreads: tuple[Any, ...]) -> Any:
    known = units_of(record)
    figures = {name: one.value for name, one in found.constants.items() if name in known}
    sources = {name: one.source() for name, one in found.constants.items() if name in known}
    notes = tuple(text for text in found.assumptions if not text.startswith("framework not given"))
    return record(
        origin=found.origin.replace(", median over frameworks", ""), assumptions=notes, spreads=spreads, sources=sources, **figures
    )
