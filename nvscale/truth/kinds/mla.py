"""Rows of latent attention: gpu, precision, phase, batch, seq, heads, framework, seconds; sizes of DeepSeek-V3.

The precision of a module names its projections as well: "bf16_kv_fp8_gemm_nvfp4".
"""

from collections.abc import Mapping

from nvscale import catalogue
from nvscale.estimators.kernels import kernel
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.counts import for_countable_rows
from nvscale.workloads import LatentAttention
from nvscale.workloads.words import known_framework


def predict_latent_attention(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of latent attention kernels or modules that share chip, precision, phase and framework."""

    def estimate(rows: Group) -> Answer:
        words = rows.words
        precision, _, projections = words["precision"].partition("_gemm_")
        named = {"phase": words["phase"], "precision": precision, "framework": known_framework(words["framework"])}
        work = LatentAttention(**named, projections=projections or "bf16", **rows.numbers)
        timing = kernel(work, catalogue.chip(words["gpu"]), calibration=calibration)
        return Answer(timing.value, timing.low, timing.high)

    return {"seconds": for_countable_rows(group, estimate)}


KINDS = (
    Kind(
        name="mla",
        words=("gpu", "precision", "phase", "framework"),
        numbers=("batch", "seq", "heads"),
        optional=("framework",),
        measured=("seconds",),
        predict=predict_latent_attention,
        scored_by=("phase", "gpu"),
    ),
)
