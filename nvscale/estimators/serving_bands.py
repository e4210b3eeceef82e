"""90 % intervals of served requests: which regime a load is in, and the factors of it."""

from typing import Any

from nvscale.efficiencies.serving import ServingEngine
from nvscale.estimate import Estimate
from nvscale.ops import FLOAT, carrier
from nvscale.transformers import Model

ALL, EXPERTS, MANY, MANY_EXPERTS = "all", "experts", "many users", "many users, experts"
FIRST, FIRST_EXPERTS = "first token", "first token, experts"
TOKENS_APART, FIRST_APART = "prompts apart", "first token, prompts apart"
"""Regimes where prompts are computed on chips of their own."""
MANY_USERS = 64.0
"""Users of an instance from which the intervals of many users hold."""


def token_factors(engine: ServingEngine, model: Model, users: Any) -> tuple[Any, Any]:
    """Return the ends of the interval of the time per output token, as factors; (None, None) where nothing was measured."""
    experts = _has_experts(model)
    if experts is None:
        return engine.factors({})
    many = users > MANY_USERS
    return engine.factors({MANY_EXPERTS: many & experts, MANY: many, EXPERTS: experts})


def first_factors(engine: ServingEngine, model: Model) -> tuple[Any, Any]:
    """Return the ends of the interval of the time to first token, as factors; (None, None) where nothing was measured."""
    experts = _has_experts(model)
    return engine.factors({FIRST_EXPERTS: bool(experts), FIRST: True})


def _has_experts(model: Model) -> bool | None:
    return bool(model.experts) if carrier(model.experts) == FLOAT else None


def bounded(estimate: Estimate, factors: tuple[Any, Any]) -> Estimate:
    """Return the estimate with the ends of its interval; without where nothing was measured."""
    low, high = factors
    if low is not None:
        estimate.low, estimate.high = estimate.value * low, estimate.value * high
    return estimate
