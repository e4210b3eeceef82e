"""Rows of matrix multiplies: gpu, precision, m, n, k, framework, seconds."""

from collections.abc import Mapping

from nvscale import catalogue
from nvscale.errors import MissingFigure, UnknownName
from nvscale.estimators.kernels import kernel
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.workloads import Gemm
from nvscale.workloads.words import known_framework


def predict_gemm(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of matrix multiplies that share chip, precision and framework."""
    sizes = {name: group.numbers[name] for name in ("m", "n", "k")}
    try:
        chip = catalogue.chip(group.words["gpu"])
        work = Gemm(**sizes, precision=group.words["precision"], framework=known_framework(group.words["framework"]))
        timing = kernel(work, chip, calibration=calibration)
    except (UnknownName, MissingFigure) as problem:
        return {"seconds": Answer(reason=str(problem))}
    return {"seconds": Answer(timing.value, timing.low, timing.high)}


KINDS = (
    Kind(
        name="gemm",
        words=("gpu", "precision", "framework"),
        numbers=("m", "n", "k"),
        optional=("framework",),
        measured=("seconds",),
        predict=predict_gemm,
        scored_by=("precision", "gpu"),
    ),
)
