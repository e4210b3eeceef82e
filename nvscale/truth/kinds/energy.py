"""Rows of power and energy: served language models, and single kernels.

Power comes from the row's own throughput, energy per token without it: from a step time that is estimated
from batch, weights, caches and layers.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from nvscale import catalogue
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.attention_kernels import served_rate
from nvscale.estimators.kernels import kernel
from nvscale.estimators.power import REFERENCES, kernel_power, load_power
from nvscale.silicon import Chip
from nvscale.truth.constants import FOREIGN, OWN, family_of, shipped_constants
from nvscale.truth.kinds.base import Answer, Calibration, Group, Kind
from nvscale.truth.kinds.served_models import ServedModel, Step, served_model, step_of
from nvscale.workloads import Attention, MixtureOfExperts

if TYPE_CHECKING:
    from nvscale.truth.tables import Table

WATTS, JOULES = "watts", "joules_per_output_token"
WORDS = ("kind", "gpu", "precision", "model")
NUMBERS = ("n_gpus", "max_num_seqs", "mean_batch", "mean_output_tokens", "output_tok_per_s")
PROBLEMS = (UnknownName, MissingFigure, InvalidInput)
OTHERS = {
    "inference_text-to-image": "a diffusion model: its steps are not modelled",
    "inference_text-to-video": "a diffusion model: its steps are not modelled",
    "hpl_fp64_system": "the power of a whole system, with hosts, network and cooling: not that of its chips",
    "mlperf_power": "the power of a whole system at the wall: not that of its chips",
}
"""Kinds of rows without a prediction, and why."""
PRECISIONS = {"bfloat16": "bf16", "float16": "fp16"}
FORMATS = {"mxfp4": "bf16"}
"""The format that operations run in, where it is not that of the weights: 4-bit weights are unpacked to 16 bit."""


def predict_energy(group: Group, calibration: Calibration | None) -> Mapping[str, Answer]:
    """Return the power of rows that share kind, chip, precision and model, and the energy per token of served models."""
    kind = group.words["kind"].strip()
    try:
        if kind in OTHERS:
            return _nothing(OTHERS[kind])
        chip = catalogue.chip(group.words["gpu"])
        if kind.startswith("kernel_"):
            return {WATTS: _kernel(group, chip, calibration), JOULES: Answer()}
        return _serving(group, chip, calibration)
    except PROBLEMS as problem:
        return _nothing(str(problem))


def _nothing(reason: str) -> dict[str, Answer]:
    return {WATTS: Answer(reason=reason), JOULES: Answer()}


# ---------------------------------------------------------------- serving


def _serving(group: Group, chip: Chip, calibration: Calibration | None) -> dict[str, Answer]:
    model, given = served_model(group.words["model"]), settings(group)
    power = serving_power(group, chip, 1.0 / given["output_tok_per_s"] * given["batch"], calibration)
    watts = Answer(given["n_gpus"] * power.value, given["n_gpus"] * power.low, given["n_gpus"] * power.high)
    seconds, low, high = step_time(group, chip, calibration)
    drawn = serving_power(group, chip, seconds, calibration)
    each = given["n_gpus"] * drawn.value * seconds / given["batch"]
    load = "energy per token experts" if model.has_experts else "energy per token dense"
    spreads = shipped_constants("energy").spreads(OWN if _is_measured(chip, calibration) else FOREIGN, chip, load)
    low, high = (spreads[0].low, spreads[0].high) if spreads else (low, high)
    return {WATTS: _said(watts, "output_tok_per_s must be given, above 0"), JOULES: Answer(each, each * low, each * high)}


def _said(answer: Answer, reason: str) -> Answer:
    import numpy as np

    return answer if np.isfinite(answer.value).all() else Answer(answer.value, answer.low, answer.high, reason)


def settings(group: Group) -> dict[str, Any]:
    """Return batch, chips, new tokens and throughput of rows of a served model; defaults where a cell is blank."""
    import numpy as np

    numbers = group.numbers
    batch = np.where(numbers["mean_batch"] > 0.0, numbers["mean_batch"], numbers["max_num_seqs"])
    if not (batch > 0.0).all():
        raise InvalidInput("mean_batch or max_num_seqs must be given, above 0")
    return {
        "batch": batch,
        "n_gpus": np.where(numbers["n_gpus"] >= 1.0, numbers["n_gpus"], 1.0),
        "tokens": np.where(numbers["mean_output_tokens"] > 0.0, numbers["mean_output_tokens"], 500.0),
        "output_tok_per_s": np.where(numbers["output_tok_per_s"] > 0.0, numbers["output_tok_per_s"], np.nan),
    }


def step(group: Group) -> tuple[ServedModel, Step]:
    """Return the model of rows, and what a step needs on one chip."""
    model, given = served_model(group.words["model"]), settings(group)
    precision = PRECISIONS.get(group.words["precision"], group.words["precision"])
    return model, step_of(model, precision, group.words["kind"], given["batch"], given["n_gpus"], given["tokens"])


def serving_power(group: Group, chip: Chip, seconds: Any, calibration: Calibration | None) -> Any:
    """Return the power of one chip while steps take so long, nan where no time is known; prompts are in the time, not in the operations."""
    import numpy as np

    model, needs = step(group)
    unknown = np.isnan(seconds)
    known = np.where(unknown, np.inf, seconds)
    drawn = load_power(
        chip,
        needs.flop / known,
        (needs.weights + needs.cache) / known,
        precision=number_format(group.words["precision"]),
        load="serving experts" if model.has_experts else "serving dense",
        unbalanced=needs.unbalanced,
        calibration=calibration,
    )
    drawn.value, drawn.low, drawn.high = (np.where(unknown, np.nan, part) for part in (drawn.value, drawn.low, drawn.high))
    return drawn


def number_format(precision: str) -> str:
    """Return the format in which a model with such weights is computed."""
    return FORMATS.get(precision, PRECISIONS.get(precision, precision))


def parts_of_step(group: Group, chip: Chip) -> tuple[str, dict[str, Any]]:
    """Return the class of a step, and the times of its parts on the roofline of one chip; layers and sequences are counts."""
    model, needs = step(group)
    bandwidth, rate = chip.figure("memory_bandwidth"), served_rate(chip, number_format(group.words["precision"])).value
    parts = {
        "layer": needs.layers + 0.0 * needs.flop,
        "weights": needs.weights / bandwidth,
        "cache": needs.cache / bandwidth,
        "operations": needs.flop / rate,
        "prompt": needs.prompt_flop / rate,
        "sequence": settings(group)["batch"],
    }
    return "step experts" if model.has_experts else "step dense", parts


def step_time(group: Group, chip: Chip, calibration: Calibration | None) -> tuple[Any, float, float]:
    """Return the time of a step, prompts among the rest, and its 90 % factors: the sum of its parts times their constants."""
    load, parts = parts_of_step(group, chip)
    table = (calibration or {}).get("energy") or shipped_constants("energy")
    names = [chip.name, *(name for name in REFERENCES if _same_family(name, chip)), *REFERENCES]
    found = next((table.rows[load, "", name] for name in names if (load, "", name) in table.rows), None)
    if found is None:
        raise MissingFigure(f"no constants of {load} fit {chip.name}")
    spreads = table.spreads(OWN if _is_measured(chip, calibration) else FOREIGN, chip, load)
    low, high = (spreads[0].low, spreads[0].high) if spreads else (1.0, 1.0)
    return sum(one.value * parts[name] for name, one in found.items()), low, high


def _same_family(name: str, chip: Chip) -> bool:
    return family_of(catalogue.chip(name)).name == family_of(chip).name


def _is_measured(chip: Chip, calibration: Calibration | None) -> bool:
    table = (calibration or {}).get("energy") or shipped_constants("energy")
    return ("serving dense", "", chip.name) in table.rows


# ---------------------------------------------------------------- kernels


def _kernel(group: Group, chip: Chip, calibration: Calibration | None) -> Answer:
    """The power of one kernel, repeated; its sizes stand in the column of the model."""
    import numpy as np

    work = kernel_work(group.words["kind"], group.words["model"])
    made = kernel_power(work, chip, kernel(work, chip, calibration=calibration), calibration=calibration)
    count = np.ones_like(group.numbers["n_gpus"])
    return Answer(made.value * count, made.low * count, made.high * count)


def kernel_work(kind: str, sizes: str) -> "Attention | MixtureOfExperts":
    """Return the work of a kernel from its sizes: "batch_size=8, isl=4096, num_heads=64 ..."."""
    named = dict(part.strip().split("=", 1) for part in sizes.split(",") if "=" in part)
    try:
        builder: Callable[[dict[str, str]], Any] = _experts if kind == "kernel_moe" else _attention(kind.removeprefix("kernel_attention_"))
        return builder(named)  # type: ignore[no-any-return]
    except KeyError as missing:
        raise InvalidInput(f"model {sizes!r}: a row of kind {kind} needs {missing.args[0]}=") from None
    except ValueError as problem:
        raise InvalidInput(f"model {sizes!r}: {problem}") from None


def _attention(phase: str) -> Callable[[dict[str, str]], Attention]:
    def build(named: dict[str, str]) -> Attention:
        narrow = not named["kv_cache_dtype"].startswith(("b", "float16"))
        return Attention(
            phase=phase,
            batch=float(named["batch_size"]),
            seq=float(named["isl"]) + (float(named["step"]) if phase == "decode" else 0.0),
            heads=float(named["num_heads"]),
            kv_heads=float(named["num_key_value_heads"]) or float(named["num_heads"]),
            head_dim=float(named["head_dim"]),
            precision="bf16_kv_fp8" if narrow else "bf16",
            framework="vllm",
        )

    return build


def _experts(named: dict[str, str]) -> MixtureOfExperts:
    words = {"tokens": "num_tokens", "hidden": "hidden_size", "moe_intermediate": "inter_size", "experts": "num_experts"}
    words |= {"topk": "topk", "moe_tp": "moe_tp_size", "moe_ep": "moe_ep_size"}
    return MixtureOfExperts(
        **{name: float(named[said]) for name, said in words.items()},
        distribution=named["distribution"],
        precision=PRECISIONS.get(named["moe_dtype"], named["moe_dtype"]),
        framework="vllm",
    )


def _held_out(table: "Table", column: str) -> Any:
    from nvscale.truth.power_fits import held_out

    return held_out(table, column)


KINDS = (
    Kind(
        name="energy",
        words=WORDS,
        numbers=(),
        optional_numbers=NUMBERS,
        measured=(WATTS, JOULES),
        predict=predict_energy,
        scored_by=("kind", "gpu"),
        held_out=_held_out,
    ),
)
