"""Rows of served requests -> model, load, system and layout, with documented defaults for what a row does not state.

Labels are read as follows. A blank precision is 16 bits. Attention data parallel of TensorRT-LLM with 16 or 64
ranks and square experts (4 x 4, 8 x 8) is 4 or 8 chips. vLLM rows that state data parallel ranks beside tensor
parallel ones run both on the same chips, with experts spread over all of them. Elsewhere an instance has tensor
x data parallel chips. Disaggregated rows without a number of workers are taken as one worker a pool.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import UnknownName
from nvscale.estimators.training_shards import has
from nvscale.parallelism import Parallelism
from nvscale.silicon import Chip
from nvscale.transformers import Model
from nvscale.truth.kinds.base import Group
from nvscale.truth.kinds.training_rows import or_else, system_of
from nvscale.workloads.serving import Serving

LAYOUT = ("tp", "pp", "attention_dp", "moe_tp", "moe_ep")
PREFILL = tuple(f"prefill_{name}_size" for name in ("tp", "pp", "attention_dp", "moe_tp", "moe_ep"))
DECODE = tuple(f"decode_{name}_size" for name in ("tp", "pp", "attention_dp", "moe_tp", "moe_ep"))
HELD = 0.85
"""Most of the memory of a chip that weights take."""
SQUARE = 4.0
"""Fewest expert ranks from which square experts with as many data parallel ranks as their product are read as one side."""
MOST_TENSOR = 8.0
"""Most ranks that share the heads of a layer; more are read as data parallel ones."""
USUAL_PROMPT = 1024.0
"""Tokens of prompts where neither a row nor its benchmark states them."""
SPOKEN_OF = ("instruct", "fp8", "0528", "99", "99.9")
"""Endings of names that are no models of their own."""


class Labels(NamedTuple):
    """What labels say beside the columns."""

    accepted: float = 1.0
    prefix_cached: float = 0.0
    stream_interval: float = 1.0
    warm_up: float = 0.0
    start_up: float = 0.0
    apart: bool = False
    known: bool = True
    known_first: bool = True


@functools.cache
def _table() -> Mapping[str, Any]:
    text = resources.files("nvscale.truth").joinpath("data/serving-labels.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


SAID = ("model", "gpu", "engine", "engine_version", "mode")


def labels(words: Mapping[str, str], numbers: Mapping[str, float]) -> Labels:
    """Return what the labels of a row say about settings that have no column.

    >>> words = {"model": "deepseek-ai/DeepSeek-R1", "gpu": "b200", "engine": "trtllm", "engine_version": "1.2.0rc6.post3"}
    >>> labels(words, {"tp": 8.0, "attention_dp": 1.0, "concurrency": 8.0}).accepted
    1.6
    """
    for entry, patterns in _patterns():
        if all(pattern.fullmatch(words.get(name, "").lower()) for name, pattern in patterns) and _numbers_fit(entry, numbers):
            return Labels(**{name: type(usual)(entry[name]) for name, usual in Labels._field_defaults.items() if name in entry})
    return Labels()


@functools.cache
def _patterns() -> list[tuple[Mapping[str, Any], list[tuple[str, "re.Pattern[str]"]]]]:
    return [(entry, [(name, re.compile(entry[name])) for name in SAID if name in entry]) for entry in _table()["labels"]]


def _numbers_fit(entry: Mapping[str, Any], numbers: Mapping[str, float]) -> bool:
    alone = not numbers.get("attention_dp", 1.0) > 1.0
    same = all(numbers.get(name) == entry[name] for name in ("concurrency", "isl", "osl") if name in entry)
    same = same and not numbers.get("concurrency", 0.0) * numbers.get("isl", 0.0) < entry.get("least_prompt_tokens", 0.0)
    return same and entry.get("tensor_parallel", alone) == alone and numbers.get("tp", 1.0) <= entry.get("most_tp", numbers.get("tp", 1.0))


@functools.lru_cache(maxsize=1024)
def model_of(name: str) -> Model:
    """Return the model of a row: of the catalogue by its name, endings of variants left out.

    >>> model_of("Qwen/Qwen3-235B-A22B-FP8").name, model_of("llama2-70b-99.9").name
    ('qwen3-235b-a22b', 'llama-2-70b')
    """
    said = name.strip().lower().replace("_", ".")
    tries = [said, said.rpartition("/")[2]]
    while (ending := tries[-1].rpartition("-"))[2] in SPOKEN_OF:
        tries.append(ending[0])
    for one in (*tries, re.sub(r"^llama-?(\d)\.?(\d)?", _llama, tries[-1])):
        try:
            return catalogue.model(one)
        except UnknownName:
            continue
    return catalogue.model(name)


def _llama(found: "re.Match[str]") -> str:
    """The catalogue's spellings: llama4-..., llama-3.1-..."""
    return f"llama-{found[1]}.{found[2]}" if found[2] else f"llama{found[1]}"


class Formats(NamedTuple):
    """How weights and cache are stored."""

    precision: str
    dense_precision: str
    cache_element: float


@functools.lru_cache(maxsize=1024)
def formats(model: str, precision: str) -> Formats:
    """Return how a row's weights and cache are stored.

    >>> formats("deepseek-ai/DeepSeek-R1", "fp4")
    Formats(precision='nvfp4', dense_precision='bf16', cache_element=1.0)
    """
    said = precision.strip().lower() or "bf16"
    entry = next(one for one in _table()["formats"] if re.fullmatch(one["model"], model.lower()))
    if said not in ("fp8", "fp4"):
        return Formats(said, "", 2.0)
    return Formats(entry[said], entry.get(f"dense_{said}", entry.get("dense", "")), float(entry["cache"]))


@functools.lru_cache(maxsize=256)
def chip_system(gpu: str) -> System:
    """Return the system that a chip of a row usually comes in; cards on a bus where none is known.

    >>> [network.name for network in chip_system("l40s").networks]
    ['pcie-4']
    """
    chip = catalogue.chip(gpu)
    try:
        return system_of(chip.name, "", "")
    except LookupError:
        system, buses = catalogue.system(chip), _table()["buses"]
        bus = catalogue.network(buses.get(chip.name, buses["others"]))
        return system if system.networks else system.replace(networks=(bus,))


def layout(numbers: Mapping[str, Any], names: tuple[str, ...], engine: str, model: Model, *, aggregated: bool) -> Parallelism:
    """Return the layouts of one instance, or of one worker of a pool."""
    import numpy as np

    tp, pp, dp, expert_tp, ep = (np.maximum(or_else(numbers[name], 1.0), 1.0) for name in names)
    wide = expert_tp * ep
    chips, ranks = tp * dp, np.where(tp > MOST_TENSOR, tp * dp, dp)
    if aggregated and engine == "vllm":
        chips, ranks, ep = tp, np.ones_like(dp), np.where(dp > 1.0, tp, ep)
    elif aggregated:
        square = (dp == wide) & (expert_tp == ep) & (ep >= SQUARE)
        ranks = np.where(tp > MOST_TENSOR, tp, np.where(square, ep, dp))
        chips = np.where(dp > 1.0, np.where(square, ep, np.maximum(tp * dp, wide)), tp)
    ep = np.minimum(ep, chips) if has(model.experts) else np.ones_like(chips)
    return Parallelism(tp=chips / ranks, pp=pp, ep=ep, etp=chips / ep if has(model.experts) else 1.0)


def holding(plan: Parallelism, work: Serving, memory: Any) -> Parallelism:
    """Return layouts whose chips hold the weights: experts over twice, four times ... the chips where a row states too few.

    The new chips are data parallel ranks of attention.
    """
    import numpy as np

    if not has(work.model.experts):
        return plan
    spread = plan.ep * plan.etp * plan.pp
    more = 2.0 ** np.ceil(np.log2(np.maximum(work.weight_size / (HELD * memory) / spread, 1.0)))
    return plan.replace(ep=plan.ep * more)


def load_of(group: Group, users: Any, said: Mapping[str, Any] | None = None) -> Serving:
    """Return the loads of rows that share model and formats."""
    stored = formats(group.words["model"], group.words["precision"])
    return Serving(
        model=model_of(group.words["model"]),
        isl=group.numbers["isl"],
        osl=group.numbers["osl"],
        concurrency=users,
        precision=stored.precision,
        dense_precision=stored.dense_precision,
        cache_element=stored.cache_element,
        **(said or {}),
    )


def prompt_of(model: str) -> float:
    """Return the mean input of a benchmark's requests where a row states none.

    >>> prompt_of("llama2-70b-99.9"), prompt_of("my-model")
    (294.0, 1024.0)
    """
    return next((float(one["tokens"]) for one in _table()["prompts"] if re.fullmatch(one["model"], model.lower())), USUAL_PROMPT)


def memory_of(chip: Chip) -> Any:
    """Return the memory of a chip as the device reports it, else as its data sheet says."""
    return chip.figure("memory") if chip.memory_reported is None else chip.memory_reported
