"""What a step of a served language model computes and moves on one chip: counts for rows of measured energy.

Prompts are not in these rows: each task gets a default length. A model that is not in the table is read
from its name ("30B-A3B": 30 billion parameters, 3 billion of them for a token).
"""

import csv
import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from nvscale.errors import InvalidInput

PROMPTS: Mapping[str, float] = {
    "gpqa": 250.0,
    "lm-arena-chat": 150.0,
    "sourcegraph-fim": 500.0,
    "image-chat": 1000.0,
    "video-chat": 3000.0,
}
"""Tokens of a prompt by task, pictures among them: assumed, since the rows do not say."""
USUAL_PROMPT = 500.0
WEIGHT_BYTES: Mapping[str, float] = {"bf16": 2.0, "fp16": 2.0, "fp8": 1.0, "mxfp4": 0.53125, "fp4": 0.5625, "nvfp4": 0.5625}
WIDE = 2.0
"""Bytes per element of caches, and of weights that are no experts' in 4-bit models."""
_SIZE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)b(?:-a(\d+(?:\.\d+)?)b)?(?![a-z0-9])", re.IGNORECASE)


class ServedModel(NamedTuple):
    """Counts of one language model."""

    parameters: float
    active: float
    layers: float
    cache_elements: float
    full_share: float
    window: float
    experts: float
    chosen: float
    expert_parameters: float

    @property
    def has_experts(self) -> bool:
        """Whether a token uses a part of the weights only."""
        return self.active < self.parameters


class Step(NamedTuple):
    """What one step of all sequences needs on one chip, as arrays: bytes, operations and how uneven the experts are."""

    weights: Any
    cache: Any
    flop: Any
    prompt_flop: Any
    layers: float
    unbalanced: Any


@functools.cache
def _models() -> tuple[tuple[str, ServedModel], ...]:
    text = resources.files("nvscale.truth").joinpath("data/served-models.csv").read_text(encoding="utf-8")
    rows = []
    for row in csv.DictReader(text.splitlines()):
        figures = [
            float(row[name] or "inf") for name in ("parameters", "active_parameters", "layers", "cache_elements", "full_share", "window")
        ]
        experts = [float(row[name] or 0.0) for name in ("experts", "chosen", "expert_parameters")]
        rows.append((row["model"].lower(), ServedModel(*figures, *experts)))
    return tuple(sorted(rows, key=lambda row: -len(row[0])))


def served_model(name: str) -> ServedModel:
    """Return the counts of a model by its name, by the size in its name where it is not in the table.

    >>> served_model("Qwen/Qwen3-30B-A3B-Instruct-2507").experts
    128.0
    >>> served_model("someone/New-7B").parameters
    7000000000.0
    """
    wanted = name.lower()
    for known, model in _models():
        if known in wanted:
            return model
    said = _SIZE.search(wanted.replace("_", "-"))
    if said is None:
        raise InvalidInput(f"model {name!r} is not in the table, and its name says no size such as 8B or 30B-A3B")
    total, active = float(said[1]) * 1e9, float(said[2] or said[1]) * 1e9
    layers = round(32.0 * (total / 8e9) ** (1.0 / 3.0))
    experts = (128.0, 8.0, total - 0.5 * active) if active < total else (0.0, 0.0, 0.0)
    return ServedModel(total, active, layers, 2048.0 * layers, 1.0, float("inf"), *experts)


def prompt_of(task: str) -> float:
    """Return the assumed length of a prompt of a task."""
    return PROMPTS.get(task.removeprefix("inference_"), USUAL_PROMPT)


def step_of(model: ServedModel, precision: str, task: str, batch: Any, chips: Any, tokens: Any) -> Step:
    """Return what a step of `batch` sequences needs on each of `chips` chips; sequences end after `tokens` new tokens."""
    import numpy as np

    if precision not in WEIGHT_BYTES:
        raise InvalidInput(f"precision {precision!r}: wanted one of {', '.join(WEIGHT_BYTES)}")
    size, prompt = WEIGHT_BYTES[precision], prompt_of(task)
    length = prompt + tokens / 2.0
    seen = model.full_share * length + (1.0 - model.full_share) * np.minimum(length, model.window)
    others = model.parameters - model.expert_parameters
    weights, unbalanced = others * size, np.zeros_like(batch)
    if model.has_experts:
        touched = 1.0 - (1.0 - model.chosen / model.experts) ** batch
        weights = others * (size if size >= 1.0 else WIDE) + model.expert_parameters * touched * size
        unbalanced = np.where(chips > 1.0, 1.0 / np.sqrt(1.0 + batch * model.chosen / chips), 0.0)
    flop = 2.0 * model.active * batch / chips
    return Step(
        weights / chips,
        batch * seen * model.cache_elements * WIDE / chips,
        flop,
        flop * prompt / tokens,
        model.layers,
        unbalanced,
    )
