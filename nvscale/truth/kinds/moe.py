"""Rows of fused expert layers: gpu, precision, tokens, hidden, moe_intermediate, topk, experts, moe_tp, moe_ep, distribution, ..."""

import math
from collections.abc import Mapping
from typing import Any

from nvscale import catalogue
from nvscale.estimators.kernels import kernel
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.counts import for_countable_rows
from nvscale.workloads import MixtureOfExperts
from nvscale.workloads.mixture_of_experts import common_router
from nvscale.workloads.words import known_framework


def predict_experts(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of expert layers; each router apart, since frameworks choose their kernels by it."""
    import numpy as np

    def estimate(rows: Group) -> Answer:
        words, choices = rows.words, rows.numbers["topk"]
        made: dict[str, Any] = {part: np.full(len(choices), math.nan) for part in ("value", "low", "high")}
        named = {"distribution": words["distribution"] or "balanced", "precision": words["precision"]}
        chip, framework = catalogue.chip(words["gpu"]), known_framework(words["framework"])
        routers = np.stack([np.minimum(choices, 3.0), common_router(choices, rows.numbers["experts"])])
        for router in np.unique(routers, axis=1).T:
            alike = (router == routers.T).all(axis=1)
            work = MixtureOfExperts(**named, framework=framework, **{name: values[alike] for name, values in rows.numbers.items()})
            timing = kernel(work, chip, calibration=calibration)
            for part, values in made.items():
                given = getattr(timing, part)
                values[alike] = math.nan if given is None else given
        return Answer(**made)

    return {"seconds": for_countable_rows(group, estimate)}


KINDS = (
    Kind(
        name="moe",
        words=("gpu", "precision", "distribution", "framework"),
        numbers=("tokens", "hidden", "moe_intermediate", "topk", "experts", "moe_tp", "moe_ep"),
        optional=("framework", "distribution"),
        measured=("seconds",),
        predict=predict_experts,
        scored_by=("precision", "gpu"),
    ),
)
