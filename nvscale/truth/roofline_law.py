"""Measured rows that are faster than the bare roofline allows, one by one, with the reason where there is one.

No kernel beats the roofline, up to a tenth for clocks above the sheet's, unless its data stays in the
last-level cache or fewer bytes move than were counted. Rows of weights or caches below the size of the
last-level cache are left out.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from nvscale import catalogue
from nvscale.efficiencies import IDEAL
from nvscale.errors import MissingFigure, UnknownName, unknown
from nvscale.estimators.kernels import kernel
from nvscale.silicon import Chip
from nvscale.truth.tables import bundled
from nvscale.workloads import Attention, Gemm, LatentAttention, MixtureOfExperts
from nvscale.workloads.words import known_framework

LIMIT = 0.9
"""Shortest time over that of the bare roofline that asks for no reason."""
BINARY = 2.0**20 / 1e6
"""Caches are sold in MB of 2^20 bytes."""
IN_CACHE = "its data fits the last-level cache: {sheet:.0f} MB on the sheet are {binary:.1f} million bytes"
MOSTLY_IN_CACHE = "the benchmark replays one cache, and {share:.0%} of it fits the last-level cache"
FEWER_EXPERTS = "probably fewer than {touched:.0f} experts were read: few tokens, and the routes are drawn once"
UNKNOWN = "not known; the row may count more work than was done"


@dataclass(frozen=True)
class LawException:
    """One row that is faster than the bare roofline allows.

    Parameters
    ----------
    kind : str
        Kind of rows.
    row : mapping of str to str
        The cells of the row.
    ratio : float
        Measured over the time of the bare roofline.
    reason : str
        Why; or that it is not known.
    explained : bool
        Whether the reason excuses the row.
    """

    kind: str
    row: Mapping[str, str]
    ratio: float
    reason: str
    explained: bool


def _gemm(row: Mapping[str, str]) -> Any:
    sizes = {name: float(row[name]) for name in ("m", "n", "k")}
    return Gemm(**sizes, precision=row["precision"], framework=known_framework(row["framework"]))


def _attention(row: Mapping[str, str]) -> Any:
    sizes = {name: float(row[name]) for name in ("batch", "seq", "heads", "kv_heads", "head_dim")}
    return Attention(**sizes, phase=row["phase"], precision=row["precision"], framework=known_framework(row["framework"]))


def _latent(row: Mapping[str, str]) -> Any:
    sizes: dict[str, Any] = {name: float(row[name]) for name in ("batch", "seq", "heads")}
    precision, _, projections = row["precision"].partition("_gemm_")
    words = {"phase": row["phase"], "precision": precision, "framework": known_framework(row["framework"])}
    return LatentAttention(**sizes, **words, projections=projections or "bf16")


def _experts(row: Mapping[str, str]) -> Any:
    names = ("tokens", "hidden", "moe_intermediate", "topk", "experts", "moe_tp", "moe_ep")
    sizes: dict[str, Any] = {name: float(row[name]) for name in names}
    words = {"precision": row["precision"], "framework": known_framework(row["framework"])}
    return MixtureOfExperts(**sizes, **words, distribution=row["distribution"] or "balanced")


WORK: Mapping[str, tuple[Callable[[Mapping[str, str]], Any], Callable[[Any], Any]]] = {
    "gemm": (_gemm, lambda work: work.weights),
    "attention": (_attention, lambda work: work.cache),
    "mla": (_latent, lambda work: work.cache),
    "moe": (_experts, lambda work: work.weights),
}
"""By kind: the work of a row, and the bytes of it that a benchmark reads again and again."""


def checked_kinds() -> tuple[str, ...]:
    """Return the kinds of rows for which the law is checked."""
    return tuple(WORK)


def exceptions(kind: str | None = None) -> tuple[LawException, ...]:
    """Return the bundled rows that are faster than 0.9 of the bare roofline with their data above the last-level cache.

    Parameters
    ----------
    kind : str, optional
        "gemm", "attention", "mla" or "moe"; all of them by default.

    Examples
    --------
    >>> {one.row["gpu"] for one in exceptions("gemm")}
    {'rtx_pro_6000_server'}
    """
    if kind is not None and kind not in WORK:
        raise unknown("kind of rows with a law", kind, WORK)
    return tuple(one for name in (WORK if kind is None else (kind,)) for one in _exceptions(name))


def _exceptions(kind: str) -> list[LawException]:
    table, (build, repeated) = bundled(kind), WORK[kind]
    found = []
    for cells in table.rows:
        row = dict(zip(table.columns, cells, strict=True))
        try:
            chip, work = catalogue.chip(row["gpu"]), build(row)
            again, cache = repeated(work), chip.l2_cache or 0.0
            ratio = float(row["seconds"]) / kernel(work, chip, IDEAL).roofline if again > cache else math.inf
        except (UnknownName, MissingFigure):
            continue
        if ratio < LIMIT:
            reason, explained = _reason(work, chip, again, ratio)
            found.append(LawException(kind, row, ratio, reason, explained))
    return found


def _reason(work: Any, chip: Chip, again: float, ratio: float) -> tuple[str, bool]:
    sheet = chip.l2_cache / 1e6
    binary = sheet * BINARY
    if again <= binary * 1e6 * (1.0 + 1e-9):
        return IN_CACHE.format(sheet=sheet, binary=binary), True
    share = binary * 1e6 / again
    if 1.0 - share < ratio:
        return MOSTLY_IN_CACHE.format(share=share), True
    if isinstance(work, MixtureOfExperts) and work.tokens * work.topk <= work.experts:
        return FEWER_EXPERTS.format(touched=min(work.tokens * work.topk, work.experts)), True
    return UNKNOWN, False
