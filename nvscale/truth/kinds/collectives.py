"""Rows of collectives and of expert exchanges."""

from collections.abc import Mapping
from typing import Any

from nvscale import catalogue
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.collectives import collective
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.workloads.collectives import Collective, ExpertExchange, known_implementation

PROBLEMS = (UnknownName, MissingFigure, InvalidInput)


def _implementation(said: str) -> str:
    """The implementation of a row: the library where nothing is said, any engine where an unknown kernel is named."""
    found = known_implementation(said)
    if not found and said.lower().startswith("custom"):
        return "custom"
    return found or "nccl"


def predict_collective(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of collectives that share chip, operation and implementation."""
    try:
        chip = catalogue.chip(group.words["gpu"])
        work = Collective(
            op=group.words["op"],
            message_bytes=group.numbers["message_bytes"],
            n_gpus=group.numbers["n_gpus"],
            implementation=_implementation(group.words["implementation"]),
        )
        timing = collective(work, chip, calibration=calibration)
    except PROBLEMS as problem:
        return {"seconds": Answer(reason=str(problem))}
    return {"seconds": Answer(timing.value, timing.low, timing.high)}


def predict_over_nodes(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of collectives over nodes."""
    try:
        chip = catalogue.chip(group.words["gpu"])
        sizes = {name: group.numbers[name] for name in ("message_bytes", "n_gpus", "n_nodes")}
        timing = collective(Collective(op=group.words["op"], **sizes), chip, calibration=calibration)
    except PROBLEMS as problem:
        return {"seconds": Answer(reason=str(problem))}
    return {"seconds": Answer(timing.value, timing.low, timing.high)}


def predict_exchange(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of expert exchanges, one number of nodes after the other."""
    import numpy as np

    given = group.numbers
    count = len(given["tokens"])
    parts: dict[str, Any] = {name: np.full(count, np.nan) for name in ("value", "low", "high")}
    reasons: dict[str, None] = {}
    nodes = np.where(np.isnan(given["n_nodes"]), np.maximum(1.0, np.ceil(given["n_gpus"] / 8.0)), given["n_nodes"])
    for wanted in np.unique(nodes).tolist():
        chosen = nodes == wanted
        row = {name: given[name][chosen] for name in ("tokens", "n_gpus")}
        hidden, topk, experts = (
            np.where(np.isnan(given[name]), usual, given[name])[chosen]
            for name, usual in (("hidden", 7168.0), ("topk", 8.0), ("experts", 256.0))
        )
        wire = given["message_bytes"][chosen] / (row["tokens"] * hidden)
        usual = 1.0 if group.words["op"].strip().lower() == "dispatch" else 2.0
        try:
            work = ExpertExchange(
                op=group.words["op"],
                **row,
                hidden=hidden,
                topk=topk,
                experts=experts,
                n_nodes=wanted,
                element_bytes=np.where(np.isnan(wire), usual, wire),
                implementation=known_implementation(group.words["implementation"]),
            )
            timing = collective(work, catalogue.chip(group.words["gpu"]), calibration=calibration)
        except PROBLEMS as problem:
            reasons[str(problem)] = None
            continue
        for part, values in (("value", timing.value), ("low", timing.low), ("high", timing.high)):
            if values is not None:
                parts[part][chosen] = values
    return {"seconds": Answer(parts["value"], parts["low"], parts["high"], " ".join(reasons))}


KINDS = (
    Kind(
        name="collectives",
        words=("gpu", "op", "implementation"),
        numbers=("n_gpus", "message_bytes"),
        optional=("implementation",),
        measured=("seconds",),
        predict=predict_collective,
        scored_by=("implementation", "gpu"),
    ),
    Kind(
        name="all_to_all_multinode",
        words=("gpu", "op", "implementation"),
        numbers=("n_gpus", "tokens"),
        optional=("implementation",),
        optional_numbers=("n_nodes", "hidden", "topk", "experts", "message_bytes"),
        measured=("seconds",),
        predict=predict_exchange,
        scored_by=("implementation", "op"),
    ),
    Kind(
        name="collectives_multinode",
        words=("gpu", "op"),
        numbers=("n_nodes", "n_gpus", "message_bytes"),
        measured=("seconds",),
        predict=predict_over_nodes,
        scored_by=("gpu",),
    ),
)
