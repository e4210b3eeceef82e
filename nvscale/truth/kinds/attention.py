"""Rows of attention kernels: gpu, precision, phase, batch, seq, heads, kv_heads, head_dim, framework, seconds."""

from collections.abc import Mapping

from nvscale import catalogue
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.kernels import kernel
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.workloads import Attention
from nvscale.workloads.words import known_framework


def predict_attention(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of attention kernels that share chip, precision, phase and framework."""
    words = group.words
    try:
        chip = catalogue.chip(words["gpu"])
        named = {"phase": words["phase"], "precision": words["precision"], "framework": known_framework(words["framework"])}
        timing = kernel(Attention(**named, **group.numbers), chip, calibration=calibration)
    except (UnknownName, MissingFigure, InvalidInput) as problem:
        return {"seconds": Answer(reason=str(problem))}
    return {"seconds": Answer(timing.value, timing.low, timing.high)}


KINDS = (
    Kind(
        name="attention",
        words=("gpu", "precision", "phase", "framework"),
        numbers=("batch", "seq", "heads", "kv_heads", "head_dim"),
        optional=("framework",),
        measured=("seconds",),
        predict=predict_attention,
        scored_by=("phase", "precision", "gpu"),
    ),
)
