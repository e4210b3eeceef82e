"""Rows of memory per GPU in training: the model, the layout, and the peak that the framework reports.

Columns that are blank get what their names say in DEFAULTS: no parallelism, ZeRO stage 1, one
micro-batch a pipeline stage and replica, multi-head attention, a gated feed-forward part of 8/3 of the
width in steps of 256, a vocabulary padded as Megatron-LM does, no recompute, sequence parallel wherever
tensor parallel. Low-rank adapters and runs of unknown length get no prediction.
"""

import math
import re
from collections.abc import Mapping
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.estimators.memory_of_training import training_memory
from nvscale.parallelism import Parallelism
from nvscale.transformers import Model
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.tables import Table
from nvscale.workloads import Training

DEFAULTS: Mapping[str, float] = {
    "micro_batch": 1.0, "tp": 1.0, "pp": 1.0, "vpp": 1.0, "cp": 1.0, "ep": 1.0, "etp": 1.0, "zero_stage": 1.0, "experts": 0.0,
    "active_experts": 0.0, "moe_ffn": 0.0, "dense_layers": 0.0, "shared_ffn": 0.0,
}  # fmt: skip
VOCABULARY_STEP = 128.0
"""Megatron-LM pads the vocabulary to a multiple of this and the tensor parallel ranks."""
WIDTH_STEP = 256.0
COUNTED = "max_memory_allocated"
NUMBER = r"(\d+)"
LATENT = re.compile(rf"mla\((?:q_lora {NUMBER}, )?kv_lora {NUMBER}, qk {NUMBER}\+{NUMBER}, v {NUMBER}\)")
HEAD = re.compile(rf"head_dim {NUMBER}")


def predict_memory(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:  # noqa: ARG001
    """Return the peak memory per GPU of the rows of a group, one by one."""
    count = len(group.numbers["layers"])
    made: dict[str, list[float]] = {part: [math.nan] * count for part in ("value", "low", "high")}
    reason = "low-rank adapters and quantised weights are not estimated" if "fine-tune" in group.words["model"] else ""
    for place in () if reason else range(count):
        row = {name: float(values[place]) for name, values in group.numbers.items()}
        try:
            found = training_memory(*_run(group.words, row))
        except InvalidInput as problem:
            reason = str(problem)
            continue
        for part, values in made.items():
            values[place] = float(getattr(found, part))
    return {"memory_bytes": Answer(**made, reason=reason)}


def _run(words: Mapping[str, str], row: Mapping[str, float]) -> tuple[Training, Parallelism, float]:
    """The training job, its layout and the chips of a row."""
    known = {name: value for name, value in row.items() if math.isfinite(value)}
    given = {**DEFAULTS, **known}
    said = words["recompute"].casefold()
    sizes: dict[str, Any] = {name: given[name] for name in ("tp", "pp", "vpp", "cp", "ep", "etp", "micro_batch")}
    plan = Parallelism(
        **sizes,
        zero=given["zero_stage"],
        sequence_parallel=0.0 if words["sp"].casefold() in ("false", "no", "0") else 1.0,
        recompute=next((word for word in ("full", "selective") if word in said), "none"),
    )
    replicas = given["n_gpus"] / (plan.tp * plan.pp * plan.cp)
    batch = max(known.get("global_batch_sequences", plan.pp * plan.micro_batch * replicas), 1.0)
    model = _model(words["attention"], given)
    return Training(model=model, sequence=given["seq_len"], global_batch=batch), plan, given["n_gpus"]


def _model(attention: str, row: Mapping[str, float]) -> Model:
    step = VOCABULARY_STEP * row["tp"]
    latent, head = LATENT.search(attention), HEAD.search(attention)
    sizes: dict[str, Any] = {
        "layers": row["layers"],
        "hidden": row["hidden"],
        "heads": row["heads"],
        "kv_heads": row.get("kv_heads"),
        "head_dim": float(head[1]) if head else None,
        "ffn": row.get("ffn", math.ceil(row["hidden"] * 8.0 / 3.0 / WIDTH_STEP) * WIDTH_STEP),
        "vocabulary": math.ceil(row["vocab"] / step) * step,
        "extra_parameters": row["hidden"] * (2.0 * row["layers"] + 1.0),
    }
    if latent:
        queries, rank, plain, rotary, values = (float(text or 0.0) for text in latent.groups())
        sizes |= {"query_rank": queries, "latent_rank": rank, "rotary_dim": rotary, "head_dim": plain + rotary, "value_head_dim": values}
        sizes["extra_parameters"] += row["layers"] * (queries + rank)
    if row["experts"]:
        sizes |= {"experts": row["experts"], "experts_per_token": row["active_experts"], "expert_ffn": row["moe_ffn"]}
        sizes |= {"dense_layers": row["dense_layers"], "shared_ffn": row["shared_ffn"] or _shared_width(row, latent)}
    return Model(**sizes)


def _shared_width(row: Mapping[str, float], latent: "re.Match[str] | None") -> float:
    """Width of the shared experts that the published parameters leave; 0 where they are not given."""
    if "params_total" not in row:
        return 0.0
    hidden, layers, heads = row["hidden"], row["layers"], row["heads"]
    if latent:
        queries, rank, plain, rotary, values = (float(text or 0.0) for text in latent.groups())
        into = queries * (hidden + heads * (plain + rotary)) if queries else hidden * heads * (plain + rotary)
        attention = into + hidden * (rank + rotary) + heads * (rank * (plain + values) + hidden * values)
    else:
        attention = 2.0 * hidden * hidden / heads * (heads + row.get("kv_heads", heads))
    sparse = layers - row["dense_layers"]
    routed = sparse * row["experts"] * hidden * (3.0 * row["moe_ffn"] + 1.0)
    known = layers * attention + row["dense_layers"] * 3.0 * hidden * row["ffn"] + routed + 2.0 * row["vocab"] * hidden
    return max(round((row["params_total"] - known) / (sparse * 3.0 * hidden) / WIDTH_STEP), 0) * WIDTH_STEP


def is_counted(table: Table) -> Any:
    """Return which rows count in the score: the allocator's peak was measured, or nothing else is said; the others are reported."""
    import numpy as np

    said = [text.casefold() for text in table.column("memory_definition")]
    return np.array([not text or (COUNTED in text and "reconstructed" not in text) for text in said], dtype=bool)


KINDS = (
    Kind(
        name="memory",
        words=("model", "gpu", "recompute", "sp", "attention", "memory_definition"),
        numbers=("layers", "hidden", "heads", "vocab", "seq_len", "n_gpus"),
        optional=("model", "gpu", "recompute", "sp", "attention", "memory_definition"),
        optional_numbers=("kv_heads", "ffn", "params_total", "global_batch_sequences", *DEFAULTS),
        measured=("memory_bytes",),
        predict=predict_memory,
        scored_by=("gpu", "recompute", "experts"),
        counts=is_counted,
    ),
)
