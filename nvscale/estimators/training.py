"""`training`: the time of a training step on a system, in parts, with MFU, throughput, memory and what binds."""

import dataclasses
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate, Timing, derived, show, term, total
from nvscale.estimators.identities import Identity
from nvscale.estimators.memory_of_training import fits, training_memory
from nvscale.estimators.training_shards import Machine
from nvscale.estimators.training_shards import machine_of as _rates_of
from nvscale.estimators.training_steps import Step, step
from nvscale.formats import plain_name, precision
from nvscale.ops import FLOAT, carrier
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


class TrainingStep(Timing):
    """The time of a training step, and what follows from it.

    `["memory"]`, `["fits"]`, `["mfu"]`, `["tokens per second"]`, `["tokens per second per chip"]` and the parts of the
    time by name; `by` says which part is the largest.

    Parameters
    ----------
    job, plan, system : Training, Parallelism, System
        What was asked.
    """

    __slots__ = ("_makers", "_results", "job", "plan", "system")

    def __init__(self, job: Training, plan: Parallelism, system: System, tree: Estimate, **others: Any) -> None:
        super().__init__(f"step of {_called(job)} on {system.name}", tree, **others)
        self.job, self.plan, self.system = job, plan, system
        self._results: dict[str, Estimate] = {}
        self._makers: dict[str, Callable[[], Estimate]] = {
            "mfu": self._mfu,
            "tokens per second": self._throughput,
            "tokens per second per chip": self._throughput_per_chip,
            "memory": self._memory,
            "fits": self._fits,
        }

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a part of the time by name or dotted path."""
        head, dot, rest = path.partition(".")
        name = {"tokens per second per GPU": "tokens per second per chip"}.get(head, head)
        if name not in self._makers:
            return super().__getitem__(path)
        if name not in self._results:
            self._results[name] = self._makers[name]()
        return self._results[name][rest] if dot else self._results[name]

    @property
    def mfu(self) -> Any:
        """Model FLOP utilisation."""
        return self["mfu"].value

    def _mfu(self) -> Estimate:
        work = self.job.tokens * self.job.model.flop_per_token(self.job.sequence, CONVENTION)
        peak = self.system.peak(self.job.precision)
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

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, with the main results at the top."""
        plain = super().to_dict()
        top = {
            "seconds_per_step": plain["value"],
            "mfu": self["mfu"].to_dict()["value"],
            "tokens_per_second_per_gpu": self["tokens per second per chip"].to_dict()["value"],
            "memory_bytes": self["memory"].to_dict()["value"],
            "fits": self["fits"].to_dict()["value"],
        }
        return top | plain

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        rate = self["tokens per second per chip"].value
        needed = self["fits"]
        said = "fits" if needed.value else "DOES NOT FIT"
        memory = f"needs {show(needed['needed'].value, 'byte')} of {show(needed['available'].value, 'byte')} a chip, {said}"
        return f"{super().__str__()}; MFU {100.0 * self.mfu:.1f} % (6N + causal attention), {rate:,.0f} tokens/s per chip; {memory}"


def _leaf(timing: Timing) -> Estimate:
    return Estimate("time", timing.value, "s")


def _called(job: Training) -> str:
    return f"{job.model.name or 'a model'} {job.precision}"


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
    software = stack_of(stack, placed.chip, calibration)
    if efficiency is None:
        efficiency = efficiency_of(placed.chip, job.precision, calibration)
    elif type(efficiency) is Efficiency:
        efficiency = TrainingEfficiency(origin=efficiency.origin)
    found = step(job, layout, placed.chips, _machine(Identity(placed), job.precision, Identity(efficiency), Identity(software)), software)
    notes = (*efficiency.assumptions, *software.assumptions, f"software {software.name}: {software.origin}", f"chip: {efficiency.origin}")
    return TrainingStep(
        job,
        layout,
        placed,
        tree(found),
        contenders=(*PARTS, "output head", "pipeline bubble", "pipeline transfers", "gradient exchange", "optimizer"),
        roofline=partial(_bare_time, job, placed),
        factors=efficiency.factors({"experts": bool(job.model.experts > 0.0) if carrier(job.model.experts) == FLOAT else False}),
        assumptions=notes,
    )


def _bare_time(job: Training, system: System) -> Any:
    """The model work of a step at the peak rate of all chips."""
    return job.tokens * job.model.flop_per_token(job.sequence, CONVENTION) / system.peak(job.precision)


def tree(found: Step) -> Estimate:
    """Return a step as a sum of its parts, in seconds of a step."""
    through = found.micro_batches * found.stage
    parts = [term(name, through * getattr(found.work, field), "s") for name, field in PARTS.items()]
    parts += [
        term("output head", found.micro_batches * found.head, "s"),
        term("host", found.micro_batches * found.host, "s"),
        term("pipeline bubble", found.bubble, "s"),
        term("pipeline transfers", found.transfers, "s"),
        term("gradient exchange", found.replica_exchange, "s"),
        term("optimizer", found.optimizer, "s"),
    ]
    steady = total("time without stragglers", *parts)
    late = term("stragglers", steady.value * (found.stragglers - 1.0), "s")
    young = term("software not yet mature", steady.value * found.stragglers * (found.maturing - 1.0), "s")
    return Estimate("time", found.value, "s", how="sum of", terms={**steady.terms, late.name: late, young.name: young})


def _check(job: Training, system: System, plan: Parallelism) -> None:
    """Refuse a layout that fits neither the chips nor the batch; arrays and symbols are not checked."""
    sizes = (system.chips, plan.tp, plan.pp, plan.cp, plan.micro_batch, job.global_batch, plan.ep, job.model.experts, job.sequence)
    if any(type(size) is not float for size in sizes):
        return
    plan.check(system.chips)
    replicas = plan.replicas(system.chips)
    if job.global_batch % (replicas * plan.micro_batch):
        raise InvalidInput(
            f"training: global_batch {job.global_batch:g} is no multiple of {replicas:g} replicas x micro_batch {plan.micro_batch:g}"
        )
    if plan.ep > 1.0 and (not job.model.experts or job.model.experts % plan.ep):
        raise InvalidInput(
            f"training: ep = {plan.ep:g} does not divide the {job.model.experts:g} experts of {job.model.name or 'the model'}"
        )
    if (replicas * plan.cp * plan.tp) % (plan.ep * plan.etp):
        raise InvalidInput(
            f"training: ep {plan.ep:g} x etp {plan.etp:g} does not divide the {replicas * plan.cp * plan.tp:g} chips of a stage"
        )


# ---------------------------------------------------------------------- constants


@lru_cache(maxsize=1024)
def _machine(system: Identity, number_format: str, efficiency: Identity, stack: Identity) -> Machine:
    return _rates_of(system.value, number_format, efficiency.value, stack.value)


def machine_of(system: System, number_format: str, efficiency: TrainingEfficiency, stack: TrainingStack) -> Machine:
    """Return the sustained rates of a chip of the system and of its links."""
    return _rates_of(system, number_format, efficiency, stack)


def efficiency_of(chip: Chip, number_format: str, calibration: "Mapping[str, Constants] | str | Path | None" = None) -> TrainingEfficiency:
    """Return what a chip sustains during training at a precision, with where that comes from."""
    found: TrainingEfficiency = _efficiency(Identity(chip), precision(number_format).name, Identity(_constants(calibration)))
    return found


def stack_of(name: "TrainingStack | str", chip: Chip, calibration: "Mapping[str, Constants] | str | Path | None" = None) -> TrainingStack:
    """Return a software profile by name, as it is on a chip."""
    if isinstance(name, TrainingStack):
        return name
    given = plain_name(name)
    if given not in STACKS:
        raise unknown("training stack", name, STACKS)
    if given == "ideal":
        return _IDEAL_STACK
    return _stack(given, Identity(chip), Identity(_constants(calibration)))


_IDEAL_STACK = TrainingStack(origin="ideal: everything fused and hidden")


def _constants(calibration: "Mapping[str, Constants] | str | Path | None") -> Constants:
    return (as_calibration(calibration) or {}).get(KIND) or shipped_constants(KIND)


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
