"""How claims are computed: functions from the figures of a claim to findings, by name."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

from nvscale.errors import unknown
from nvscale.evidence.findings import Finding

Check = Callable[..., list[Finding]]
_HOMES = {
    "growth": "performance_at_scale cost_and_energy faster_than_moore scaling_is_spent curve_growth hardware_growth",
    "software": "same_hardware_gain software_accrues",
    "networks": "network_gains speed_and_volume acts_as_one one_cluster",
    "designs": "co_design number_formats",
    "economics": "reuse_pays price_fell small_models values",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}


def checks() -> tuple[str, ...]:
    """Return the names of all checks."""
    return tuple(_HOME_OF)


def check(name: str) -> Check:
    """Return a check by name.

    >>> check("curve_growth").__name__
    'curve_growth'
    """
    if name not in _HOME_OF:
        raise unknown("check of a claim", name, _HOME_OF)
    function: Check = getattr(importlib.import_module(f"nvscale.evidence.checks.{_HOME_OF[name]}"), name)
    return function


def run(name: str, figures: Mapping[str, Any]) -> list[Finding]:
    """Run a check with the figures of a claim."""
    return check(name)(**figures)
