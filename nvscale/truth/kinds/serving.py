"""Rows of served requests: time to first token and time per output token, of one pool of chips or of two."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from nvscale.efficiencies.serving import ServingEngine
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.generation import loop, prepared
from nvscale.estimators.serving_shards import Instance
from nvscale.formulas import serving as formulas
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.serving_rows import DECODE, LAYOUT, PREFILL, Labels, chip_system, labels, layout, load_of, memory_of
from nvscale.truth.kinds.training_rows import or_else
from nvscale.truth.tables import Table
from nvscale.workloads.serving import Serving

PROBLEMS = (UnknownName, MissingFigure, InvalidInput)
WORDS = ("model", "gpu", "engine", "engine_version", "mode", "precision")
WORKERS = ("prefill_num_workers", "decode_num_workers")
NUMBERS = ("concurrency", "batch_size", "decode_batch_size", *LAYOUT, *PREFILL, *DECODE, *WORKERS)
APART = "disagg"


class Times(NamedTuple):
    """Times of rows in seconds, the instance that decodes, and what its load is."""

    ttft: Any
    tpot: Any
    decoding: Instance
    work: Serving


def labels_of(words: Mapping[str, str], numbers: Mapping[str, Any]) -> list[Labels]:
    """Return what the labels of each row say beside the columns."""
    import numpy as np

    tensor = np.nan_to_num(numbers["attention_dp"], nan=1.0) == 1.0
    said = (words[name] for name in ("model", "gpu", "engine", "engine_version", "mode"))
    fixed = tuple(said)
    pairs = zip(tensor.tolist(), np.nan_to_num(numbers["concurrency"]).tolist(), strict=True)
    return [labels(*fixed, tensor_parallel=tp, concurrency=users) for tp, users in pairs]


def times(group: Group, engine: "ServingEngine | str", calibration: Calibration | None) -> Times:
    """Return the times of rows that share model, chip, formats and engine."""
    import numpy as np

    numbers, system = group.numbers, chip_system(group.words["gpu"])
    accepted = np.array([one.accepted for one in labels_of(group.words, numbers)])
    apart = group.words["mode"].lower() == APART
    usual = or_else(numbers["batch_size"], numbers["decode_batch_size"] * or_else(numbers["decode_num_workers"], 1.0))
    work = load_of(group, or_else(numbers["concurrency"], usual), accepted)
    memory = memory_of(system.chip)

    def instance(names: tuple[str, ...]) -> Instance:
        plan = layout(numbers, names, group.words["engine"], work.model, aggregated=not apart)
        return prepared(work, system, plan, engine, None, calibration)[2]

    if apart:
        return _apart(work, instance(PREFILL), instance(DECODE), memory, numbers)
    whole = instance(LAYOUT)
    found = loop(work, whole, memory, work.concurrency)
    return Times(found.ttft, found.tpot, whole, work)


def _apart(work: Serving, prompts: Instance, decoding: Instance, memory: Any, numbers: Mapping[str, Any]) -> Times:
    """Prompts on chips of their own: no prefill between decode steps, and a queue where the prompt pool limits the rate."""
    first_workers, decode_workers = (or_else(numbers[name], 1.0) for name in WORKERS)
    alone = work.replace(osl=1e9 * work.osl / work.osl)  # no prompts of others between steps
    users = work.concurrency / decode_workers
    found = loop(alone.replace(osl=work.osl), decoding, memory, users)
    tpot = found.step_time
    first = prompts.first(work.isl, 0.0, 1.0)
    together = first.alone + first.experts - prompts.expert_work(work.isl)
    each = together / (prompts.ranks * first_workers)
    engine = decoding.engine
    wait = (work.concurrency - 1.0) * each / (2.0 * work.rounds)
    limit = formulas.maximum(work.concurrency * each - work.osl * tpot - first.alone, 0.0)
    fixed = engine.first_launch + decoding.expert_layers * engine.first_expert_layer
    queue = formulas.queue_wait(users, found.slots, work.osl, tpot)
    ttft = formulas.first_token_time(engine.first_scale * together, formulas.maximum(wait, limit), tpot, engine.first_steps, fixed, queue)
    return Times(ttft, tpot, decoding, work)


def predict_serving(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of rows that share model, chip, formats and engine."""
    try:
        found = times(group, group.words["engine"] or "generic", calibration)
    except PROBLEMS as problem:
        return {name: Answer(reason=str(problem)) for name in ("ttft_s", "tpot_s")}
    return {"ttft_s": Answer(found.ttft), "tpot_s": Answer(found.tpot)}


def settings_are_known(table: Table) -> Any:
    """Return which rows count: those whose labels do not say that they ran otherwise, each measurement once."""
    import numpy as np

    words = {name: table.column(name) for name in WORDS}
    numbers = {name: table.figures(name) for name in NUMBERS}
    known = np.ones(len(table.rows), dtype=bool)
    seen = set()
    for place in range(len(table.rows)):
        cells = {name: column[place] for name, column in words.items()}
        known[place] = labels_of(cells, {name: values[place : place + 1] for name, values in numbers.items()})[0].known
        key = (*cells.values(), *(repr(values[place]) for values in numbers.values()), *(table.figures(n)[place] for n in ()))
        seen.add(key)
    return known


KINDS = (
    Kind(
        name="serving",
        words=WORDS,
        numbers=("isl", "osl"),
        optional=("engine_version", "mode", "precision"),
        optional_numbers=NUMBERS,
        measured=("ttft_s", "tpot_s"),
        predict=predict_serving,
        scored_by=("model", "gpu"),
        counts=settings_are_known,
    ),
)
