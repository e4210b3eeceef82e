"""Rows of single operators: LLMCompass's (matmul, softmax, layernorm, gelu) and aiconfigurator's quantisation."""

from collections.abc import Callable, Mapping
from typing import Any

from nvscale import catalogue
from nvscale.errors import MissingFigure, UnknownName
from nvscale.estimators.collectives import collective
from nvscale.estimators.kernels import kernel
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind, for_given_rows
from nvscale.workloads import Collective, Gemm, Pass
from nvscale.workloads.words import known_framework

SPLIT = {"matmul_qkv_projection(3 x n/3, time = 3 x one)": 3.0}
"""Operators that ran as several equal kernels over parts of the columns."""
EAGER = "pytorch"


def predict_operator(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of operators as PyTorch launches them, one by one."""
    operator = group.words["operator"]
    if operator.startswith(("matmul", "batched_matmul")):
        return {"seconds": for_given_rows(group, ("m", "n", "k"), lambda rows: _matmul(rows, calibration))}
    if operator.startswith("all_reduce"):
        return {"seconds": for_given_rows(group, ("n_gpus", "message_bytes"), lambda rows: _all_reduce(rows, calibration))}
    return {"seconds": for_given_rows(group, ("elements",), lambda rows: _pass(rows, calibration))}


def _matmul(group: Group, calibration: Calibration | None) -> Answer:
    parts = SPLIT.get(group.words["operator"], 1.0)
    batch = group.numbers["batch"]
    figures = {"m": group.numbers["m"], "n": group.numbers["n"] / parts, "k": group.numbers["k"]}
    work = Gemm(**figures, batch=_or_one(batch), precision=group.words["precision"], framework=EAGER)
    timing = kernel(work, catalogue.chip(group.words["gpu"]), calibration=calibration)
    low, high = (None if end is None else parts * end for end in (timing.low, timing.high))
    return Answer(parts * timing.value, low, high)


def _pass(group: Group, calibration: Calibration | None) -> Answer:
    elements = group.numbers["elements"]
    columns = _filled(group.numbers["row_length"], elements)
    operator = group.words["operator"].partition("_")[0]
    work = Pass(operator=operator, rows=elements / columns, columns=columns, precision=group.words["precision"], framework=EAGER)
    timing = kernel(work, catalogue.chip(group.words["gpu"]), calibration=calibration)
    return Answer(timing.value, timing.low, timing.high)


def _all_reduce(group: Group, calibration: Calibration | None) -> Answer:
    """An all-reduce of the library inside one node."""
    work = Collective(op="all_reduce", message_bytes=group.numbers["message_bytes"], n_gpus=group.numbers["n_gpus"], implementation="nccl")
    timing = collective(work, catalogue.chip(group.words["gpu"]), calibration=calibration)
    return Answer(timing.value, timing.low, timing.high)


def predict_elementwise(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of passes over rows and columns: quantisation from 16 bit to fp8."""
    try:
        work = Pass(
            operator=group.words["operator"],
            rows=group.numbers["rows"],
            columns=group.numbers["cols"],
            precision=group.words["precision"].partition("_to_")[0],
            framework=known_framework(group.words["framework"]),
        )
        timing = kernel(work, catalogue.chip(group.words["gpu"]), calibration=calibration)
    except (UnknownName, MissingFigure) as problem:
        return {"seconds": Answer(reason=str(problem))}
    return {"seconds": Answer(timing.value, timing.low, timing.high)}


def predict_hpc_kernel(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return rates of STREAM kernels and of matrix multiplies, and the time where one was measured."""
    nothing: dict[str, Answer] = dict.fromkeys(("achieved_bytes_per_s", "achieved_flop_per_s", "seconds"), Answer())
    if group.words["kernel"] == "gemm":
        time, rate = _rate(group, ("m", "n", "k"), _hpc_gemm, calibration)
        return nothing | {"seconds": time, "achieved_flop_per_s": rate}
    time, rate = _rate(group, (), _hpc_stream, calibration)
    return nothing | {"achieved_bytes_per_s": rate}


def _hpc_gemm(group: Group) -> tuple[Any, Any]:
    sizes = {name: group.numbers[name] for name in ("m", "n", "k")}
    # operands come in the format they are multiplied in: nothing is quantised in these benchmarks
    work = Gemm(**sizes, batch=_or_one(group.numbers["batch"]), precision=group.words["precision"].partition(" ")[0], quantising=0.0)
    return work, work.flop


def _hpc_stream(group: Group) -> tuple[Any, Any]:
    elements = _filled(group.numbers["elements"], 2.0**25)
    work = Pass(operator=group.words["kernel"], columns=elements, precision=group.words["precision"] or "fp64")
    return work, work.traffic


def _rate(
    group: Group, needed: tuple[str, ...], build: Callable[[Group], tuple[Any, Any]], calibration: Calibration | None
) -> tuple[Answer, Answer]:
    """Time, and amount over time, of the rows that have what is needed."""
    amounts: list[Any] = []

    def timed(rows: Group) -> Answer:
        work, amount = build(rows)
        amounts.append(amount)
        timing = kernel(work, catalogue.chip(rows.words["chip"]), calibration=calibration)
        return Answer(timing.value, timing.low, timing.high)

    def rated(rows: Group) -> Answer:
        time = timed(rows)
        low, high = (None if end is None else amounts[-1] / end for end in (time.high, time.low))
        return Answer(amounts[-1] / time.value, low, high)

    return for_given_rows(group, needed, timed), for_given_rows(group, needed, rated)


def _or_one(values: Any) -> Any:
    return _filled(values, 1.0)


def _filled(values: Any, otherwise: Any) -> Any:
    """The values, with another where they are not given."""
    import numpy as np

    return np.where(np.isfinite(values), values, otherwise)


KINDS = (
    Kind(
        name="operators",
        words=("gpu", "operator", "precision"),
        numbers=(),
        optional_numbers=("m", "n", "k", "batch", "elements", "row_length", "n_gpus", "message_bytes"),
        measured=("seconds",),
        predict=predict_operator,
        scored_by=("operator", "gpu"),
    ),
    Kind(
        name="elementwise",
        words=("gpu", "operator", "precision", "framework"),
        numbers=("rows", "cols"),
        optional=("framework",),
        measured=("seconds",),
        predict=predict_elementwise,
        scored_by=("operator", "framework", "gpu"),
    ),
    Kind(
        name="hpc_kernels",
        words=("chip", "kernel", "precision"),
        numbers=(),
        optional=("precision",),
        optional_numbers=("m", "n", "k", "batch", "elements"),
        measured=("achieved_bytes_per_s", "achieved_flop_per_s", "seconds"),
        predict=predict_hpc_kernel,
        scored_by=("kernel",),
        best_of=("chip", "kernel", "precision", "m", "n", "k"),
    ),
)
