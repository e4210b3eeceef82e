"""The limits of the errors that the library should keep, and what of each is reached."""

import functools
import html
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from accuracy_cells import UNKNOWN, number
from accuracy_constants import all_constants

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth.constants import ANY, FAMILY, family_of
from nvscale.truth.scoring import Scores, best_rows

LIMIT_COLUMNS = ("what", "limit %", "held out %", "kept", "bundled %", "rows", "worst group")
DATA_CENTRE = "data centre"


class Limit(NamedTuple):
    """A stated limit: for which rows, how large the mean error may be, and which constants tell the held-out error."""

    title: str
    kind: str
    mape: float
    rows: Mapping[str, tuple[str, ...]]  # column -> words, or beginnings of words that end in *; all where a column is left out
    classes: tuple[str, ...]  # beginnings of the classes of the constants
    constants: str = ""  # kind of the constants, where it is another
    chips: tuple[str, ...] = ()  # names in the catalogue; all data-centre parts without
    foreign: bool = False  # of chips that were left out of the fit
    path: str = ""
    each: bool = False  # every set of constants must keep it, not all rows together
    everywhere: bool = False  # chips of all kinds, not data-centre parts only


def _gemm(title: str, mape: float, precisions: tuple[str, ...], chips: tuple[str, ...] = (), *, foreign: bool = False) -> Limit:
    return Limit(title, "gemm", mape, {"precision": precisions}, precisions, chips=chips, foreign=foreign)


LIMITS = (
    _gemm("matrix multiplies bf16, unseen shapes, H100", 9.0, ("bf16",), ("h100-sxm",)),
    _gemm("the same, A100, B200, B300, GB200", 12.0, ("bf16",), ("a100-sxm-80gb", "b200", "b300", "gb200")),
    _gemm("matrix multiplies fp8, fp8_block, nvfp4, unseen shapes", 15.0, ("fp8", "fp8_block", "nvfp4")),
    _gemm("matrix multiplies bf16, chips that were never fitted", 15.0, ("bf16",), foreign=True),
    Limit("attention, prefill, unseen shapes", "attention", 12.0, {"phase": ("prefill",)}, ("prefill *",)),
    Limit("attention, decode, unseen shapes", "attention", 20.0, {"phase": ("decode",)}, ("decode *",)),
    Limit("latent attention, prefill, unseen shapes", "mla", 15.0, {"phase": ("prefill",)}, ("prefill *",)),
    Limit("latent attention, decode, unseen shapes", "mla", 15.0, {"phase": ("decode",)}, ("decode *",)),
    Limit("latent attention with its projections", "mla", 15.0, {"phase": ("*_module",)}, ("*_module",)),
    *(
        Limit(f"fused expert layers {name}, unseen shapes", "moe", mape, {"precision": (name,)}, (name,))
        for name, mape in (("bf16", 15.0), ("fp8", 15.0), ("fp8_block", 15.0), ("nvfp4", 20.0))
    ),
    Limit("collectives of the library (NCCL), unseen sizes", "collectives", 6.0, {"implementation": ("nccl",)}, ("*",), path="nccl"),
    Limit(
        "the same, chips that were never fitted", "collectives", 12.0, {"implementation": ("nccl",)}, ("*",), path="nccl", foreign=True
    ),
    Limit("exchange of experts, every path", "all_to_all_multinode", 7.0, {}, ("*",), "expert_exchange", each=True),
    Limit(
        "single matrix multiplies launched by PyTorch, A100", "operators", 3.5, {"operator": ("matmul*",)}, ("fp16",), "gemm",
        ("a100-sxm-80gb",), path="pytorch",
    ),
    Limit("the same, MI210", "operators", 4.0, {"operator": ("matmul*",)}, ("fp16",), "gemm", ("mi210",), path="pytorch"),
    Limit(
        "STREAM copy and triad, best implementation", "hpc_kernels", 10.0, {"kernel": ("stream_copy", "stream_triad")},
        ("stream_copy", "stream_triad"), "passes", everywhere=True,
    ),
)  # fmt: skip
"""What the library promises, mean absolute percentage error."""


def limit_row(limit: Limit, found: Scores) -> list[str]:
    """Return a limit beside what is reached."""
    errors = held_out_errors(limit)
    held_out = _mean(errors)
    bundled, rows, worst = bundled_error(limit, found) if limit.kind in found.predictions and not limit.foreign else (math.nan, 0, "")
    deciding, where = (held_out, "") if math.isfinite(held_out) else (bundled, " <small>(on bundled rows)</small>")
    kept = "not shown" if not math.isfinite(deciding) else _said(deciding <= limit.mape) + where
    if limit.each and errors:
        keeping = sum(error <= limit.mape for error, _ in errors)
        kept = f"{_said(keeping == len(errors))}: {keeping} of {len(errors)} sets"
    cells = [limit.title, f"{limit.mape:g}", number(held_out, ".1f"), kept, number(bundled, ".1f"), str(rows) if rows else UNKNOWN, worst]
    return [cells[0], *cells[1:4], *cells[4:6], html.escape(cells[6])]


def _said(kept: bool) -> str:
    return "yes" if kept else "<b>no</b>"


def _mean(errors: list[tuple[float, float]]) -> float:
    """The mean of errors weighted by rows; nan where there are none."""
    total = sum(rows for _, rows in errors)
    return sum(error * rows for error, rows in errors) / total if total else math.nan


def held_out_errors(limit: Limit) -> list[tuple[float, float]]:
    """Return the held-out error and the rows of every set of constants that a limit speaks of.

    Constants that serve two paths of a chip, for lack of rows of the second, count once.
    """
    together: dict[tuple[str, str, str], tuple[float, float]] = {}
    for one in all_constants(limit.constants or limit.kind):
        if not _fits(one.class_, limit.classes) or not one.class_ or not math.isfinite(one.held_out_mape):
            continue
        if limit.path and one.path != limit.path:
            continue
        if limit.foreign:
            if "chip left out" in one.scheme:
                together[one.class_, one.path, ""] = (one.held_out_mape, 1.0)
        elif one.path and not one.chip.startswith(FAMILY) and one.chip != ANY and _is_meant(one.chip, limit):
            together[one.class_, one.path, one.chip] = (one.held_out_mape, one.rows if math.isfinite(one.rows) else 1.0)
    return list({(class_, chip, said): said for (class_, _, chip), said in together.items()}.values())


def bundled_error(limit: Limit, found: Scores) -> tuple[float, int, str]:
    """Return the mean error of the bundled rows of a limit, how many there are, and the worst group with its error."""
    import numpy as np

    made = found.predictions[limit.kind]
    chip_column = next(name for name in ("gpu", "chip") if name in made.kind.words)
    chips = {name: _chip_name(name) for name in set(made.table.column(chip_column))}
    meant = np.array([_is_meant(chips[name], limit) for name in made.table.column(chip_column)])
    for column, words in limit.rows.items():
        meant &= np.array([_fits(word, words) for word in made.table.column(column)])
    labels = np.array([" ".join(key) for key in zip(*(made.table.column(name) for name in made.kind.scored_by), strict=True)])
    errors, groups = [], []
    for column in made.kind.measured:
        measured = made.table.figures(column)
        error = np.abs(made.value[column] / measured - 1.0) * 100.0
        chosen = meant & np.isfinite(error) & best_rows(made, column, measured)
        errors.append(error[chosen])
        groups += [(float(error[chosen & (labels == name)].mean()), str(name)) for name in np.unique(labels[chosen])]
    together = np.concatenate(errors)
    if not together.size:
        return math.nan, 0, ""
    worst = max(groups)
    return float(together.mean()), int(together.size), f"{worst[1]}: {worst[0]:.1f} %"


def _fits(word: str, wanted: Iterable[str]) -> bool:
    """Whether a word is one of those wanted; a star stands for any beginning or end."""
    for one in wanted:
        core = one.strip("*")
        starts, ends = one.endswith("*") and word.startswith(core), one.startswith("*") and word.partition(" ")[0].endswith(core)
        if word == one or starts or ends:
            return True
    return False


def _is_meant(chip: str, limit: Limit) -> bool:
    """Whether a chip of the catalogue is one of those named, or a data-centre part where none is named."""
    return chip in limit.chips if limit.chips else limit.everywhere or _part(chip) == DATA_CENTRE


@functools.cache
def _chip_name(said: str) -> str:
    try:
        return str(catalogue.chip(said).name)
    except UnknownName:
        return said


@functools.cache
def _part(chip: str) -> str:
    try:
        return str(family_of(catalogue.chip(chip)).part)
    except UnknownName:
        return "other"
