"""Rows of attention kernels: gpu, precision, phase, batch, seq, heads, kv_heads, head_dim, framework, seconds."""

from collections.abc import Mapping

from nvscale import catalogue
from nvscale.estimators.kernels import kernel
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.counts import for_countable_rows
from nvscale.workloads import Attention
from nvscale.workloads.words import known_framework


def predict_attention(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of attention kernels that share chip, precision, phase and framework."""

    def estimate(rows: Group) -> Answer:
        words = rows.words
        named = {"phase": words["phase"], "precision": words["precision"], "framework": known_framework(words["framework"])}
        timing = kernel(Attention(**named, **rows.numbers), catalogue.chip(words["gpu"]), calibration=calibration)
        return Answer(timing.value, timing.low, timing.high)

    return {"seconds": for_countable_rows(group, estimate)}


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
