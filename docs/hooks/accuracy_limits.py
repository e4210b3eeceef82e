"""The limits of the errors that the library should keep, and what of each is reached."""

import functools
import html
import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from accuracy_cells import UNKNOWN, number

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth.constants import family_of
from nvscale.truth.scoring import Scores
from nvscale.truth.tables import best_rows

LIMIT_COLUMNS = ("what", "limit %", "held out %", "kept", "in sample %", "rows", "worst group, held out")
DATA_CENTRE = "data centre"


class Limit(NamedTuple):
    """A stated limit: for which rows, and how large the mean error of rows that were held out may be."""

    title: str
    kind: str
    mape: float
    rows: Mapping[str, tuple[str, ...]]  # column -> words, or beginnings of words that end in *; all where a column is left out
    chips: tuple[str, ...] = ()  # names in the catalogue; all data-centre parts without
    foreign: bool = False  # the whole chip is held out, not a fold of shapes
    each: bool = False  # every group must keep it, not all rows together
    everywhere: bool = False  # chips of all kinds, not data-centre parts only


def _gemm(title: str, mape: float, precisions: tuple[str, ...], chips: tuple[str, ...] = (), *, foreign: bool = False) -> Limit:
    return Limit(title, "gemm", mape, {"precision": precisions}, chips, foreign)


NCCL = {"implementation": ("nccl",)}
LIMITS = (
    _gemm("matrix multiplies bf16, unseen shapes, H100", 9.0, ("bf16",), ("h100-sxm",)),
    _gemm("the same, A100, B200, B300, GB200", 12.0, ("bf16",), ("a100-sxm-80gb", "b200", "b300", "gb200")),
    _gemm("matrix multiplies fp8, fp8_block, nvfp4, unseen shapes", 15.0, ("fp8", "fp8_block", "nvfp4")),
    _gemm("matrix multiplies bf16, unseen chip", 15.0, ("bf16",), foreign=True),
    Limit("attention, prefill, unseen shapes", "attention", 12.0, {"phase": ("prefill",)}),
    Limit("attention, decode, unseen shapes", "attention", 20.0, {"phase": ("decode",)}),
    Limit("latent attention, prefill, unseen shapes", "mla", 15.0, {"phase": ("prefill",)}),
    Limit("latent attention, decode, unseen shapes", "mla", 15.0, {"phase": ("decode",)}),
    Limit("latent attention with its projections", "mla", 15.0, {"phase": ("*_module",)}),
    *(
        Limit(f"fused expert layers {name}, unseen shapes", "moe", mape, {"precision": (name,)})
        for name, mape in (("bf16", 15.0), ("fp8", 15.0), ("fp8_block", 15.0), ("nvfp4", 20.0))
    ),
    Limit("collectives of the library (NCCL), unseen sizes", "collectives", 6.0, NCCL),
    Limit("the same, unseen chip of a generation that was seen", "collectives", 12.0, NCCL, ("b200", "b300", "gb200"), foreign=True),
    Limit("the same, every unseen chip", "collectives", 12.0, NCCL, foreign=True),
    Limit("exchange of experts, every path", "all_to_all_multinode", 7.0, {}, each=True),
    Limit("single matrix multiplies launched by PyTorch, A100", "operators", 3.5, {"operator": ("matmul*",)}, ("a100-sxm-80gb",)),
    Limit("the same, MI210", "operators", 4.0, {"operator": ("matmul*",)}, ("mi210",)),
    Limit(
        "STREAM copy and triad, best implementation, unseen chip", "hpc_kernels", 10.0, {"kernel": ("stream_copy", "stream_triad")},
        foreign=True, everywhere=True,
    ),
)  # fmt: skip
"""What the library promises, mean absolute percentage error."""


class Reached(NamedTuple):
    """The mean error of the rows of a limit, how many they are, and the error of each group."""

    error: float
    rows: int
    groups: tuple[tuple[float, str], ...]


def limit_row(limit: Limit, folds: Scores, chips: Scores, shipped: Scores) -> list[str]:
    """Return a limit beside what is reached: on held-out shapes, or on held-out chips."""
    held_out, in_sample = reached(limit, chips if limit.foreign else folds), reached(limit, shipped)
    if limit.each:
        keeping = sum(error <= limit.mape for error, _ in held_out.groups)
        kept = f"{_said(keeping == len(held_out.groups))}: {keeping} of {len(held_out.groups)} groups"
    else:
        kept = _said(held_out.error <= limit.mape)
    worst = max(held_out.groups, default=(math.nan, UNKNOWN))
    cells = [limit.title, f"{limit.mape:g}", number(held_out.error, ".1f"), kept, number(in_sample.error, ".1f"), str(held_out.rows)]
    return [*cells, f"{html.escape(worst[1])}: {worst[0]:.1f} %"]


def _said(kept: bool) -> str:
    return "yes" if kept else "<b>no</b>"


def reached(limit: Limit, found: Scores) -> Reached:
    """Return the mean error of the rows that a limit speaks of."""
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
        chosen = meant & np.isfinite(error) & best_rows(made.kind, made.table, column, measured)
        errors.append(error[chosen])
        groups += [(float(error[chosen & (labels == name)].mean()), str(name)) for name in np.unique(labels[chosen])]
    together = np.concatenate(errors)
    return Reached(float(together.mean()) if together.size else math.nan, int(together.size), tuple(groups))


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
