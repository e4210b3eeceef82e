"""Rows of training steps -> model, job, layout, system and software, with documented defaults for blank cells.

What a table does not state is taken as follows, and said in the documentation of the kind. No layout: fully
sharded data parallel in one micro-batch, sequences split where there are fewer of them than chips. A layout
without micro-batch: 1 in a pipeline, else the largest of 4, 2, 1 that fits. No recompute: none. No sharding
stage: 1 on fused stacks, 0 on unfused ones. No batch: one micro-batch for every
replica and stage. No shape: that of the model of the catalogue, else one of its number of parameters with
128 x depth = width.
"""

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.parallelism import Parallelism
from nvscale.silicon import Chip
from nvscale.transformers import Model
from nvscale.truth.constants import family_of
from nvscale.truth.kinds.base import Group
from nvscale.workloads.training import Training

LONGEST_INTERLEAVING = 12
NODE = 8.0
YEAR = 365.25 * 86400.0
LATEST = 2026.6
"""Calendar year of the newest measurements: what software on a chip is like now."""
EXPERTS_FROM = 2025.7
"""Calendar year from which the maturing of expert layers is counted."""


class Framework(NamedTuple):
    """What the source of a row says about its software."""

    stack: str
    year: float
    interleaved: bool
    vocabulary: float


@functools.cache
def _table() -> dict[str, Any]:
    return tomllib.loads(resources.files("nvscale.truth").joinpath("data/training-frameworks.toml").read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=4096)
def framework(source: str, note: str) -> Framework:
    """Return the software profile and the date of a row."""
    text = f"{source} {note}".lower()
    entry: dict[str, Any] = next((one for one in _table()["framework"] if re.search(one["pattern"], text)), {"stack": "compiled"})
    container = re.search(r"container (\d\d)\.(\d\d)", text)
    round_ = re.search(r"results_(v\d\.\d)", text)
    year = entry.get("year", LATEST)
    if container:
        year = 2000.0 + float(container[1]) + (float(container[2]) - 0.5) / 12.0
    elif round_ and round_[1] in _table()["rounds"]:
        year = _table()["rounds"][round_[1]]
    return Framework(entry["stack"], year, entry.get("interleaving") == "unstated", float(entry.get("vocabulary", 51200.0)))


def source_of(source: str) -> str:
    """Return the publication of a row: its rows share software and habits.

    >>> source_of("mlcommons/training_results_v5.1 NVIDIA/results"), source_of("acme/runs table 2")
    ('MLPerf', 'acme/runs')
    """
    said = source.lower()
    known = next((entry["name"] for entry in _table()["source"] if re.search(entry["pattern"], said)), None)
    return str(known or (source.split() or ["-"])[0])


@functools.cache
def has_experts(model: str) -> bool:
    """Return whether the model of a row is one of the catalogue that has experts.

    >>> has_experts("DeepSeekV3"), has_experts("GPT-175B")
    (True, False)
    """
    try:
        return bool(catalogue.model(model).experts)
    except UnknownName:
        return False


def chip_of(name: str) -> Chip:
    """Return the chip of a row; what stands in brackets is a remark."""
    return catalogue.chip(re.sub(r"\(.*?\)", "", name).strip())


@functools.cache
def first_shipped(chip_name: str) -> float:
    """Return the calendar year in which the first chip of a family shipped: from then on its software matures.

    >>> first_shipped("a100-sxm-80gb") == first_shipped("a100-sxm-40gb")
    True
    """
    family = family_of(catalogue.chip(chip_name)).name
    years = [chip.year for chip in catalogue.chips(market="data center") if family_of(chip).name == family and chip.year is not None]
    return min(years) if years else LATEST


@functools.lru_cache(maxsize=1024)
def system_of(chip_name: str, source: str, note: str) -> System:
    """Return the system a chip usually comes in, with the network that the row states."""
    chip = catalogue.chip(chip_name)
    usual = _table()["systems"].get(chip.name)
    if usual is None:
        raise MissingFigure(f"no system with {chip.name} is known; nodes of what size and on which network?")
    system = catalogue.system(usual)
    if system.chip.name != chip.name:
        system = system.replace(chip=chip)
    stated = network_rate(f"{source} {note}", chip.name.partition("-")[0])
    if stated and len(system.networks) > 1:
        outer = system.networks[-1].replace(bandwidth=stated / NODE)
        system = system.replace(networks=(*system.networks[:-1], outer))
    memory = re.search(r"(\d+(?:\.\d+)?) ?TB/s (?:memory|HBM)|HBM\w* (?:at |of )?(\d+(?:\.\d+)?) ?TB/s", note)
    if memory:
        system = system.replace(**{"chip.memory_bandwidth": float(memory[1] or memory[2]) * 1e12})
    return system


def network_rate(text: str, family: str = "") -> float:
    """Return the rate of a node's network in byte/s that a text states, 0 where it states none.

    Where it states one rate for each kind of chip, that of the `family` ("h100") counts.

    >>> network_rate("4x100 Gb/s RoCE per node"), network_rate("1600 Gbps node-node interconnect")
    (50000000000.0, 200000000000.0)
    """
    own = re.search(rf"(\d+) ?Gb(?:it)?(?:/s|ps) \({family}\)", text, re.IGNORECASE) if family else None
    if own:
        return float(own[1]) * 1e9 / 8.0
    cards = re.search(r"(\d+) ?x ?(\d+) ?Gb(?:it)?(?:/s|ps)", text)
    if cards:
        return float(cards[1]) * float(cards[2]) * 1e9 / 8.0
    whole = re.search(r"(\d+) ?Gb(?:it)?(?:/s|ps)", text)
    return float(whole[1]) * 1e9 / 8.0 if whole else 0.0


def number_format(text: str) -> str:
    """Return the number format of a row's precision; unread formats are taken as 8 bits.

    >>> [number_format(text) for text in ("BF16", "FP8-CS", "MXFP8", "NVFP4", "FP4/FP8 (not read)", "FP16")]
    ['bf16', 'fp8', 'fp8', 'fp4', 'fp4', 'bf16']
    """
    said = text.lower()
    if "fp4" in said:
        return "fp4"
    return "bf16" if "16" in said and "fp8" not in said else "fp8"


def model_of(group: Group) -> Model:
    """Return the model of rows: of the catalogue by name, its shape where the row states another, or a shape of the row's size."""
    import numpy as np

    stated = {name: first(group.numbers[name]) for name in ("layers", "hidden", "heads", "kv_heads", "ffn", "vocab", "params_total")}
    try:
        known: Model | None = catalogue.model(group.words["model"])
    except UnknownName:
        known = None
    if known is not None and not _differs(known, stated):
        return known
    usual = framework(group.words["source"], group.words["note"]).vocabulary
    return _shaped(group.words["model"], {"vocab": usual} | {name: value for name, value in stated.items() if not np.isnan(value)})


def _differs(known: Model, stated: dict[str, float]) -> bool:
    """Whether a row states another depth or width than the model of the catalogue has."""
    return any(stated[name] == stated[name] and stated[name] != getattr(known, name) for name in ("layers", "hidden"))


def _shaped(name: str, stated: dict[str, float]) -> Model:
    """A plain dense model of the stated shape; what is not stated follows from the width, or from the parameters."""
    vocabulary = stated["vocab"]
    if "hidden" not in stated or "layers" not in stated:
        if "params_total" not in stated:
            raise UnknownName(f"{name}: no model of that name, and the row states neither shape nor parameters")
        width = stated.get("hidden", 128.0 * max(1.0, round((stated["params_total"] * 128.0 / 12.0) ** (1.0 / 3.0) / 128.0)))
        stated = {"hidden": width, "layers": max(1.0, round(stated["params_total"] / (12.0 * width * width)))} | stated
    hidden, layers = stated["hidden"], stated["layers"]
    heads = stated.get("heads", max(1.0, round(hidden / 128.0)))
    kv_heads = min(stated.get("kv_heads", heads), heads)
    inner = stated.get("ffn", 4.0 * hidden)
    attention = hidden * hidden * (2.0 + 2.0 * kv_heads / heads)
    total = stated.get("params_total", 12.0 * layers * hidden * hidden)
    sizes = {matrices: layers * (attention + matrices * hidden * inner) + 2.0 * vocabulary * hidden for matrices in (2.0, 3.0)}
    matrices = min(sizes, key=lambda count: abs(sizes[count] - total))
    if abs(sizes[matrices] / total - 1.0) > 0.15 and hidden > 2048.0:
        raise InvalidInput(f"{name}: the stated shape has {sizes[matrices] / 1e9:.0f}e9 parameters, the row says {total / 1e9:.0f}e9")
    shape: dict[str, Any] = {
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "ffn": inner,
        "ffn_matrices": matrices,
    }
    return Model(name=name, vocabulary=vocabulary, **shape)


def first(values: Any) -> float:
    """Return the first number of a column that is the same for all rows of a group."""
    return float(values[0])


def or_else(values: Any, usual: Any) -> Any:
    """Return the values, with the usual one where a cell is blank."""
    import numpy as np

    return np.where(np.isnan(values), usual, values)


def job_of(group: Group, model: Model) -> Training:
    """Return the jobs of rows: one word of precision and task, sequences and batches as arrays."""
    import numpy as np

    numbers = group.numbers
    step_tokens = re.search(r"tokens per step (\d+)", group.words["note"])
    sequence = or_else(numbers["seq_len"], 8192.0 if step_tokens or "hidden" in group.words else 4096.0)
    if model.positions and bool(np.all(sequence > model.positions)):
        model = model.replace(positions=0.0)
    usual = float(step_tokens[1]) / sequence if step_tokens else _usual_batch(numbers)
    batch = or_else(numbers["global_batch_sequences"], usual)
    adapters = group.words["task"].lower().startswith("lora")
    return Training(
        model=model,
        sequence=sequence,
        global_batch=batch,
        precision=number_format(group.words["precision"]),
        frozen=1.0 if adapters else 0.0,
    )


def _usual_batch(numbers: Mapping[str, Any]) -> Any:
    """One micro-batch (of one sequence where no size is stated) for every replica and every stage of its pipeline."""
    tp, pp, cp, micro = (or_else(numbers[name], 1.0) for name in ("tp", "pp", "cp", "micro_batch"))
    return micro * pp * or_else(numbers["dp"], numbers["n_gpus"] / (tp * pp * cp))


def plan_of(group: Group, job: Training, said: Framework) -> Parallelism:
    """Return the layouts of rows, blank cells filled as the module says."""
    import numpy as np

    numbers, chips = group.numbers, group.numbers["n_gpus"]
    stated = not np.isnan(numbers["tp"]).all() or not np.isnan(numbers["pp"]).all() or not np.isnan(numbers["dp"]).all()
    tp, pp = or_else(numbers["tp"], 1.0), or_else(numbers["pp"], 1.0)
    short = np.maximum(1.0, chips / np.maximum(job.global_batch * tp * pp, 1.0))
    cp = or_else(numbers["cp"], 1.0 if stated else short)
    replicas = np.maximum(chips / (tp * pp * cp), 1.0)
    each = np.maximum(job.global_batch / replicas, 1.0)
    fitting = np.where(each % 4.0 == 0.0, 4.0, np.where(each % 2.0 == 0.0, 2.0, 1.0))
    micro = or_else(numbers["micro_batch"], np.where(pp > 1.0, 1.0, fitting if stated else each))
    unfused = said.stack.startswith("unfused")
    zero, group_size = _sharding(group.words["zero_stage"], 0.0 if unfused else (1.0 if stated else 3.0))
    parallel = group.words["sp"].lower()
    return Parallelism(
        tp=tp,
        pp=pp,
        cp=cp,
        vpp=or_else(numbers["vpp"], _interleaving(job.model, pp) if said.interleaved else 1.0),
        ep=or_else(numbers["ep"], 1.0),
        micro_batch=micro,
        sequence_parallel=1.0 if parallel == "true" or (not parallel and not said.stack.startswith(("unfused", "eager"))) else 0.0,
        zero=zero,
        shard_group=group_size,
        recompute=_recompute(group.words["recompute"]),
    )


def _interleaving(model: Model, stages: Any) -> Any:
    """The largest divisor up to 12 of the layers of a stage."""
    import numpy as np

    layers = np.ceil(model.layers / stages)
    chunks = np.ones_like(layers)
    for divisor in range(2, LONGEST_INTERLEAVING + 1):
        chunks = np.where(layers % divisor == 0.0, float(divisor), chunks)
    return np.where(stages > 1.0, chunks, 1.0)


def _sharding(text: str, usual: float) -> tuple[float, float]:
    """The ZeRO stage, and the replicas over which states are split."""
    stage = re.match(r"\s*([0-3])", text)
    within = re.search(r"within (\d+)", text)
    found = float(stage[1]) if stage else (3.0 if "fsdp" in text.lower() else usual)
    return found, float(within[1]) if within else float("inf")


def _recompute(text: str) -> str:
    said = text.strip().lower()
    return said if said in ("full", "selective") else "none"
