"""Rows of served requests: time to first token and time per output token, of one pool of chips or of two."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from zlib import crc32

from nvscale.efficiencies.serving import ServingEngine
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.generation import loop, prepared
from nvscale.estimators.serving_bands import FIRST_APART, TOKENS_APART, first_factors, token_factors
from nvscale.estimators.serving_shards import Instance
from nvscale.formulas import serving as formulas
from nvscale.ops import maximum, where
from nvscale.truth.grouping import grouped
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.serving_rows import DECODE, LAYOUT, PREFILL, chip_system, holding, labels, layout, load_of, memory_of, model_of
from nvscale.truth.kinds.training_rows import or_else
from nvscale.truth.tables import Table
from nvscale.workloads.serving import Serving

PROBLEMS = (UnknownName, MissingFigure, InvalidInput)
WORDS = ("model", "gpu", "engine", "engine_version", "mode", "precision")
WORKERS = ("prefill_num_workers", "decode_num_workers")
FOLDS_BY = ("gpu", "precision", "n_gpus", "isl", "osl")
FOLDS = 5
NUMBERS = ("concurrency", "batch_size", "decode_batch_size", *LAYOUT, *PREFILL, *DECODE, *WORKERS)
ROOMY = 1e15
"""Memory of chips that decode alone: all users of a stated number of workers run."""
STATED = ("accepted", "prefix_cached", "stream_interval")
APART = "disagg"


class Times(NamedTuple):
    """Times of rows in seconds, the instance that decodes, and its users."""

    ttft: Any
    tpot: Any
    decoding: Instance
    users: Any


class Said(NamedTuple):
    """What the labels of rows say, as arrays."""

    accepted: Any
    prefix_cached: Any
    stream_interval: Any
    warm_up: Any
    start_up: Any
    apart: Any
    known: Any
    known_first: Any


def said_of(group: Group) -> Said:
    """Return what the labels of each row of a group say beside the columns."""
    import numpy as np

    names = ("tp", "attention_dp", "concurrency", "isl", "osl")
    columns = zip(*(group.numbers[name].tolist() for name in names), strict=True)
    found = [labels(group.words, dict(zip(names, row, strict=True))) for row in columns]
    return Said(*(np.array(column) for column in zip(*found, strict=True)))


def times(group: Group, engine: "ServingEngine | str", calibration: Calibration | None) -> Times:
    """Return the times of rows that share model, chip, formats and engine."""
    numbers, system, said = group.numbers, chip_system(group.words["gpu"]), said_of(group)
    pools = group.words["mode"].lower() == APART
    usual = or_else(numbers["batch_size"], numbers["decode_batch_size"] * or_else(numbers["decode_num_workers"], 1.0))
    work = load_of(group, or_else(numbers["concurrency"], usual), {name: getattr(said, name) for name in STATED})
    memory = memory_of(system.chip)

    def instance(names: tuple[str, ...]) -> Instance:
        plan = layout(numbers, names, group.words["engine"], work.model, aggregated=not pools)
        return prepared(work, system, holding(plan, work, memory), engine, None, calibration)[2]

    if pools or said.apart.all():
        found = _apart(work, instance(PREFILL if pools else LAYOUT), instance(DECODE if pools else LAYOUT), memory, numbers)
    else:
        whole = instance(LAYOUT)
        one = loop(work, whole, memory, work.concurrency)
        found = Times(one.ttft, one.tpot, whole, work.concurrency)
    return found._replace(ttft=found.ttft + said.start_up + said.warm_up * work.osl * found.tpot / work.concurrency)


def _apart(work: Serving, prompts: Instance, decoding: Instance, memory: Any, numbers: Mapping[str, Any]) -> Times:
    """Prompts on chips of their own: none between decode steps, and a queue where the prompt pool limits the rate."""
    first_workers, decode_workers = (or_else(numbers[name], 1.0) for name in WORKERS)
    users = work.concurrency / decode_workers
    found = loop(work, decoding, where(numbers["decode_num_workers"] > 0.0, ROOMY, memory), users)
    tpot, engine = found.step_time, decoding.engine
    first = prompts.first(work.isl, 0.0, 1.0)
    together = first.alone + first.experts - prompts.expert_work(work.isl)
    each = together / (prompts.ranks * first_workers)
    burst = (work.concurrency - 1.0) * each / (2.0 * work.rounds)
    stated = numbers["prefill_num_workers"] > 0.0
    limit = where(stated, work.concurrency * each - work.osl * tpot - first.alone, 0.0)
    fixed = engine.first_launch + decoding.expert_layers * engine.first_expert_layer
    wait = maximum(burst, limit)
    ttft = formulas.first_token_time(engine.first_scale * together, wait, tpot, engine.first_steps, fixed, 0.0)
    return Times(ttft, tpot, decoding, users)


def predict_serving(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the times of a group of rows that share model, chip, formats and engine."""
    try:
        found = times(group, group.words["engine"] or "generic", calibration)
    except PROBLEMS as problem:
        return {name: Answer(reason=str(problem)) for name in ("ttft_s", "tpot_s")}
    engine, model = found.decoding.engine, found.decoding.model
    apart = group.words["mode"].lower() == APART
    ends = {
        "ttft_s": engine.factors({FIRST_APART: True}) if apart else first_factors(engine, model),
        "tpot_s": engine.factors({TOKENS_APART: True}) if apart else token_factors(engine, model, found.users),
    }
    return {name: _answer(value, *ends[name]) for name, value in (("ttft_s", found.ttft), ("tpot_s", found.tpot))}


def _answer(value: Any, low: Any, high: Any) -> Answer:
    return Answer(value) if low is None else Answer(value, value * low, value * high)


def parts_of(table: Table) -> Mapping[str, Mapping[str, Any]]:
    """Return which rows make the parts that are scored, by measured column: all rows, and those whose labels tell their settings."""
    import numpy as np

    kind, count = KINDS[0], len(table.rows)
    known = {name: np.zeros(count, dtype=bool) for name in kind.measured}
    experts, apart = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
    for group, places in grouped(kind, table, np.ones(count, dtype=bool)):
        said, words = said_of(group), group.words
        apart[places] = words["mode"].lower() == APART
        experts[places] = _has_experts(words["model"])
        known["tpot_s"][places] = said.known
        known["ttft_s"][places] = said.known & said.known_first
    described = ~apart | (table.figures("decode_num_workers") > 0.0)
    once = first_of_each(table)
    made = {}
    for name, clean in known.items():
        one: dict[str, Any] = {}
        for words_, chosen in (("dense", ~experts & ~apart), ("experts", experts & ~apart)):
            one |= {f"{words_}, all rows": chosen, f"{words_}, settings known": chosen & clean & once}
        made[name] = one | {"disaggregated, all rows": apart, "disaggregated, decode pool described": apart & described & once}
    return made


def _has_experts(name: str) -> bool:
    try:
        return bool(model_of(name).experts)
    except UnknownName:
        return False


def first_of_each(table: Table) -> Any:
    """Return which rows are no exact repeat of another but for their name."""
    import numpy as np

    kept = [place for place, name in enumerate(table.columns) if name not in ("id", "source", "licence")]
    seen: set[tuple[str, ...]] = set()
    fresh = np.ones(len(table.rows), dtype=bool)
    for number, row in enumerate(table.rows):
        key = tuple(row[place] for place in kept)
        fresh[number] = key not in seen
        seen.add(key)
    return fresh


def settings_are_known(table: Table) -> Any:
    """Return which rows count in the score of all: one pool, settings known by their labels, each measurement once."""
    parts = parts_of(table)["tpot_s"]
    return parts["dense, settings known"] | parts["experts, settings known"]


def held_out_with(table: Table) -> list[str]:
    """Return the fold of every row: rows of one model, chip, format, number of chips and lengths are together."""
    columns = [table.column(name) for name in FOLDS_BY]
    models = [_family(name) for name in table.column("model")]
    return [str(crc32("|".join((model, *cells)).encode()) % FOLDS) for model, *cells in zip(models, *columns, strict=True)]


def _family(name: str) -> str:
    """Models that are one shape are one."""
    return name.rpartition("/")[2].replace("DeepSeek-R1", "DeepSeek-V3")


KINDS = (
    Kind(
        name="serving",
        words=WORDS,
        numbers=("isl", "osl"),
        optional=("engine_version", "mode", "precision"),
        optional_numbers=NUMBERS,
        measured=("ttft_s", "tpot_s"),
        predict=predict_serving,
        scored_by=("mode", "model", "gpu"),
        counts=settings_are_known,
        parts=parts_of,
        folds=held_out_with,
    ),
)
