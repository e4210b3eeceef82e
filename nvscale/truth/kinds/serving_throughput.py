"""Rows of offline throughput: requests without end, so many at a time as the cache holds."""

import re
from collections.abc import Mapping
from typing import Any

from nvscale.efficiencies.serving import ServingEngine
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.generation import loop, prepared
from nvscale.parallelism import Parallelism
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.serving_rows import chip_system, load_of, memory_of, model_of
from nvscale.truth.kinds.training_rows import or_else
from nvscale.truth.tables import Table

WORDS = ("model", "gpu", "precision", "source")
NUMBERS = ("tp", "pp", "ep", "isl", "osl", "concurrency_or_batch")
PROBLEMS = (UnknownName, MissingFigure, InvalidInput)
RATE = "output_tok_per_s_per_gpu"


def rates(group: Group, engine: "ServingEngine | str", calibration: Calibration | None) -> Any:
    """Return the output tokens per second and chip of rows that share model, chip and formats."""
    import numpy as np

    numbers, system = group.numbers, chip_system(group.words["gpu"])
    model = model_of(group.words["model"])
    tp, pp = numbers["tp"], or_else(numbers["pp"], 1.0)
    chips = tp * pp
    apart = np.full(chips.shape, bool(model.experts)) & (("attention DP" in group.words["source"]) | (tp >= 8.0))
    plan = Parallelism(tp=np.where(apart, 1.0, tp), pp=pp, ep=np.where(apart, tp, 1.0), etp=np.where(apart, 1.0, tp) if model.experts else 1.0)
    work = load_of(group, np.full(chips.shape, 1e9), 1.0)
    _, _, instance, _ = prepared(work, system, plan, engine, None, calibration)
    found = loop(work, instance, memory_of(system.chip), 1e9)
    tpot = found.step_time + found.batch / work.osl * found.prefill
    return found.users / (instance.chips * tpot), found, instance
