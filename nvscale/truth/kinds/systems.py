"""Rows of whole systems: Linpack and HPCG."""

from collections.abc import Mapping

from nvscale import catalogue
from nvscale.errors import MissingFigure, UnknownName
from nvscale.estimators.system_benchmarks import system_benchmark
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind

COLUMNS = {"rmax_flop_per_s": "linpack", "hpcg_flop_per_s": "conjugate gradients"}


def predict_hpc(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:  # noqa: ARG001
    """Return the rates of systems of one kind of chip."""
    answers = {}
    for column, benchmark in COLUMNS.items():
        try:
            made = system_benchmark(benchmark, catalogue.chip(group.words["gpu"]), group.numbers["n_gpus"])
            answers[column] = Answer(made.value, made.low, made.high)
        except (UnknownName, MissingFigure) as problem:
            answers[column] = Answer(reason=str(problem))
    return answers


KINDS = (
    Kind(
        name="hpc",
        words=("gpu",),
        numbers=("n_gpus",),
        measured=tuple(COLUMNS),
        predict=predict_hpc,
        scored_by=("gpu",),
    ),
)
