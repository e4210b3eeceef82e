"""Rows of training steps."""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nvscale.efficiencies.training import TrainingStack
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.training import efficiency_of, machine_of, stack_of
from nvscale.estimators.training_steps import step
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.training_rows import (
    EXPERTS_FROM,
    YEAR,
    Framework,
    chip_of,
    first_shipped,
    framework,
    has_experts,
    job_of,
    model_of,
    plan_of,
    source_of,
    system_of,
)

if TYPE_CHECKING:
    from nvscale.truth.tables import Table

PROBLEMS = (UnknownName, MissingFigure, InvalidInput)
NUMBERS = (
    "params_total", "layers", "hidden", "heads", "kv_heads", "ffn", "vocab", "seq_len", "global_batch_sequences", "micro_batch",
    "tp", "pp", "vpp", "dp", "cp", "ep",
)  # fmt: skip
SHAPE = ("params_total", "layers", "hidden", "heads", "kv_heads", "ffn", "vocab")
WORDS = ("model", "gpu", "precision", "task", "sp", "recompute", "zero_stage", "source", "note")


def software_age(said: Framework, shipped: float) -> tuple[float, float]:
    """Return the age of a row's software in seconds: from the chip's first shipment, and of expert layers from their start."""
    return max(said.year - shipped, 0.0) * YEAR, max(said.year - EXPERTS_FROM, 0.0) * YEAR


def software(said: Framework, stack: TrainingStack, shipped: float) -> TrainingStack:
    """Return the profile of a row at its age."""
    age, expert_age = software_age(said, shipped)
    return dataclasses.replace(stack, age=age, expert_age=expert_age)


def held_out_with(table: "Table") -> list[str]:
    """Return what is held out together with each row: all rows of its source, or those of its model where that has experts."""
    return [
        f"model {model}" if has_experts(model) else f"source {source_of(source)}"
        for model, source in zip(table.column("model"), table.column("source"), strict=True)
    ]


def stack_name(said: Framework, group: Group) -> str:
    """Return the profile of a row; states that every rank broadcasts on its own are one."""
    return "eager-broadcast" if said.stack == "eager" and "all ranks" in group.words["zero_stage"] else said.stack


def predict_training(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of training steps that share model, chip, format and software, one shape after the other."""
    import numpy as np

    shapes = np.stack([np.nan_to_num(group.numbers[name], nan=-1.0) for name in SHAPE])
    kinds, of_row = np.unique(shapes, axis=1, return_inverse=True)
    if kinds.shape[1] == 1:
        return {"seconds_per_iteration": _predict(group, calibration)}
    parts: dict[str, Any] = {name: np.full(shapes.shape[1], np.nan) for name in ("value", "low", "high")}
    reasons: dict[str, None] = {}
    for index in range(kinds.shape[1]):
        chosen = of_row.ravel() == index
        answer = _predict(Group(group.words, {name: values[chosen] for name, values in group.numbers.items()}), calibration)
        reasons |= {answer.reason: None} if answer.reason else {}
        for part, whole in parts.items():
            if getattr(answer, part) is not None:
                whole[chosen] = getattr(answer, part)
    return {"seconds_per_iteration": Answer(**parts, reason=" ".join(reasons))}


def _predict(group: Group, calibration: Calibration | None) -> Answer:
    """Return the times of training steps of one model on one kind of chip."""
    import numpy as np

    words = group.words
    said = framework(words["source"], words["note"])
    try:
        chip = chip_of(words["gpu"])
        system = system_of(chip.name, words["source"], words["note"]).scale(group.numbers["n_gpus"])
        job = job_of(group, model_of(group))
        plan = plan_of(group, job, said)
        efficiency = efficiency_of(system.chip, job.precision, calibration)
        stack = software(said, stack_of(stack_name(said, group), system.chip, calibration), first_shipped(chip.name))
        found = step(job, plan, system.chips, machine_of(system, job.precision, efficiency, stack), stack)
    except PROBLEMS as problem:
        return Answer(reason=str(problem))
    stated = ~(np.isnan(group.numbers["tp"]) & np.isnan(group.numbers["pp"]) & np.isnan(group.numbers["dp"]))
    low, high = efficiency.factors({"layout not stated": ~stated, "experts": np.full(stated.shape, bool(job.model.experts))})
    ends = (None, None) if low is None else (found.value * low, found.value * high)
    return Answer(found.value, *ends)


ALL_RUNS = Kind(
    name="training",
    words=WORDS,
    numbers=("n_gpus",),
    optional=("sp", "recompute", "zero_stage", "source", "note", "task", *NUMBERS),
    optional_numbers=NUMBERS,
    measured=("seconds_per_iteration",),
    predict=predict_training,
    scored_by=("gpu", "precision"),
    folds=held_out_with,
)
# Runs on one node of eight, to which nothing is fitted: how far the constants of large runs carry.
SINGLE_NODE = dataclasses.replace(ALL_RUNS, name="training_single_node", folds=None)
KINDS = (ALL_RUNS, SINGLE_NODE)
