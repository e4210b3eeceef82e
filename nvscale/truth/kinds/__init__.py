"""The kinds of measured rows that nvscale predicts: what their columns are and how a group of rows is estimated."""

import functools
import importlib

from nvscale.errors import unknown
from nvscale.truth.kinds.base import Answer, Group, Kind

__all__ = ["Answer", "Group", "Kind", "kind_of_rows", "kinds"]

MODULES = (
    "gemm",
    "attention",
    "mla",
    "moe",
    "operators",
    "collectives",
    "systems",
    "energy",
    "training",
    "memory",
    "serving",
    "serving_throughput",
)
"""Modules of this package; each lists its kinds in KINDS."""


@functools.cache
def kinds() -> dict[str, Kind]:
    """Return every kind by name."""
    found = (kind for name in MODULES for kind in importlib.import_module(f"nvscale.truth.kinds.{name}").KINDS)
    return {kind.name: kind for kind in found}


def kind_of_rows(name: str) -> Kind:
    """Return a kind of measured rows by name."""
    table = kinds()
    if name not in table:
        raise unknown("kind of measured rows", name, table)
    return table[name]
