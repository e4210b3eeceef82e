"""Rows of offline throughput: requests without end, so many at a time as the cache holds.

What a row does not state is taken as follows, and said in the documentation of the kind. No layout: the fewest
tensor parallel ranks of which each holds the weights in half of its memory. No format: 8 bits where the chip has
them. No lengths: those of the benchmark's data, else 1,024 tokens. Attention runs in data parallel ranks where the source says so, and
where eight ranks share fewer key-value heads than there are ranks.
"""

from collections.abc import Mapping
from typing import Any

from nvscale.efficiencies.serving import ServingEngine
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.generation import loop, prepared
from nvscale.estimators.training_shards import has
from nvscale.formulas import serving as formulas
from nvscale.parallelism import Parallelism
from nvscale.transformers import Model
from nvscale.truth.grouping import grouped
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.serving_rows import chip_system, load_of, memory_of, model_of, prompt_of
from nvscale.truth.kinds.training_rows import or_else
from nvscale.truth.tables import Table

PROBLEMS = (UnknownName, MissingFigure, InvalidInput)
WORDS = ("model", "gpu", "precision", "source")
NUMBERS = ("tp", "pp", "ep", "isl", "osl", "concurrency_or_batch", "n_gpus")
RATE = "output_tok_per_s_per_gpu"
ENDLESS = 1e9
"""Users that always fill the cache."""
LENGTH = 1024.0
"""Tokens of answers where a row states none."""
NODE = 8.0


def rates(group: Group, engine: "ServingEngine | str", calibration: Calibration | None) -> Any:
    """Return the output tokens per second and chip of rows that share model, chip and formats."""
    import numpy as np

    system, model = chip_system(group.words["gpu"]), model_of(group.words["model"])
    usual = {"isl": prompt_of(group.words["model"]), "osl": LENGTH}
    numbers = dict(group.numbers) | {name: or_else(group.numbers[name], tokens) for name, tokens in usual.items()}
    said = group.words["precision"] or ("fp8" if "fp8" in system.chip.precisions() else "bf16")
    work = load_of(Group({**group.words, "precision": said}, numbers), np.full(numbers["isl"].shape, ENDLESS))
    memory = memory_of(system.chip)
    fewest = next((ranks for ranks in (1.0, 2.0, 4.0) if 2.0 * work.weight_size <= ranks * memory), NODE)
    plan = layout(model, or_else(numbers["tp"], fewest), or_else(numbers["pp"], 1.0), group.words["source"])
    _, _, instance, _ = prepared(work, system, plan, engine, None, calibration)
    found = loop(work, instance, memory, work.concurrency)
    tpot = formulas.time_per_output_token(found.step_time, found.batch / work.osl, found.prefill)
    return found.users / (instance.chips * tpot)


def layout(model: Model, tp: Any, pp: Any, source: str) -> Parallelism:
    """Return the layouts of rows; experts are spread over all ranks where attention is data parallel."""
    import numpy as np

    if not has(model.experts):
        return Parallelism(tp=tp, pp=pp)
    shared = 1.0 if model.latent_rank else model.kv_heads
    apart = np.full(tp.shape, "attention DP" in source) | ((tp >= NODE) & (tp > shared))
    return Parallelism(tp=np.where(apart, 1.0, tp), pp=pp, ep=np.where(apart, tp, 1.0), etp=np.where(apart, 1.0, tp))


def predict_throughput(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the throughput of a group of rows that share model, chip and formats."""
    try:
        return {RATE: Answer(rates(group, "trtllm", calibration))}
    except PROBLEMS as problem:
        return {RATE: Answer(reason=str(problem))}


def parts_of(table: Table) -> Mapping[str, Mapping[str, Any]]:
    """Return which rows make the parts that are scored: with a stated layout, dense or experts, and the others."""
    import numpy as np

    experts = np.zeros(len(table.rows), dtype=bool)
    for group, places in grouped(KINDS[0], table, ~experts):
        try:
            experts[places] = bool(model_of(group.words["model"]).experts)
        except UnknownName:
            continue
    stated = has_layout(table)
    return {RATE: {"dense, layout stated": stated & ~experts, "experts, layout stated": stated & experts, "no layout stated": ~stated}}


def has_layout(table: Table) -> Any:
    """Return which rows count in the score of all: those with a stated layout."""
    return table.figures("tp") > 0.0


KINDS = (
    Kind(
        name="serving_throughput",
        words=WORDS,
        numbers=(),
        optional=("precision", "source"),
        optional_numbers=NUMBERS,
        measured=(RATE,),
        predict=predict_throughput,
        scored_by=("model", "gpu"),
        counts=has_layout,
        parts=parts_of,
    ),
)
