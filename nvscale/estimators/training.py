"""`training`: the time of a training step on a system, in parts, with MFU, throughput, memory and what binds."""

import dataclasses
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimators.identities import Identity
from nvscale.estimators.training_results import TrainingStep
from nvscale.estimators.training_shards import Machine
from nvscale.estimators.training_shards import machine_of as _rates_of
from nvscale.estimators.training_steps import step
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


def _model(job: Training) -> str:
    return job.model.name or "the model"


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
