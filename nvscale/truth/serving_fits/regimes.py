"""Regimes of the intervals of serving: dense models or experts, time per token or first token, few users or many."""

from collections.abc import Iterator
from typing import Any

from nvscale.estimators.serving_bands import ALL, EXPERTS, FIRST, FIRST_APART, FIRST_EXPERTS, MANY, MANY_EXPERTS, MANY_USERS, TOKENS_APART
from nvscale.truth.kinds.serving import parts_of
from nvscale.truth.tables import Table


def regimes_of(table: Table) -> Iterator[tuple[str, str, Any, Any]]:
    """Yield each regime with its measured column, its rows, and the wider set of rows that stands in where they are few."""
    parts, many = parts_of(table), table.figures("concurrency") > MANY_USERS
    dense, experts = (parts["tpot_s"][f"{name}, settings known"] for name in ("dense", "experts"))
    yield ALL, "tpot_s", dense & ~many, dense
    yield MANY, "tpot_s", dense & many, dense
    yield EXPERTS, "tpot_s", experts & ~many, experts
    yield MANY_EXPERTS, "tpot_s", experts & many, experts
    apart = parts["tpot_s"]["disaggregated, decode pool described"]
    yield TOKENS_APART, "tpot_s", apart, apart
    yield FIRST_APART, "ttft_s", apart, apart
    dense, experts = (parts["ttft_s"][f"{name}, settings known"] for name in ("dense", "experts"))
    yield FIRST, "ttft_s", dense, dense | experts
    yield FIRST_EXPERTS, "ttft_s", experts, dense | experts
