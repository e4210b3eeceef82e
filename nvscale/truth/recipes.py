"""Recipes: what is believed of each constant before a row is seen, and how a class of kernels is fitted."""

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.truth.constants import family_of

REACH = 30.0
"""How far a fit may go from the centre, as a factor either way, where no bounds are set."""


class Belief(NamedTuple):
    """What is believed of one constant, on the axis on which it is fitted: its logarithm, unless `linear`."""

    centre: float
    pool: float
    own: float
    low: float
    high: float
    linear: bool
    second: float

    def value(self, point: float) -> float:
        """Return the constant at a point of the axis."""
        return point if self.linear else math.exp(point)


@dataclass(frozen=True)
class Recipe:
    """How some classes of constants are fitted; see data/recipes.toml."""

    kind: str
    classes: tuple[str, ...]
    loss: str
    scale: float
    beliefs: Mapping[str, Belief] = field(repr=False)
    robust_prior: bool = False
    pool: str = ""
    apart: tuple[str, ...] = ()
    tied: str = ""
    borrowed: tuple[str, ...] = ()

    def fits(self, kind: str, class_: str) -> bool:
        """Whether the recipe is for a class."""
        return kind == self.kind and any(class_ == one or (one.endswith("*") and class_.startswith(one[:-1])) for one in self.classes)

    def own_key(self, class_: str, path: str, chip: str) -> tuple[str, ...]:
        """Return what shares one set of constants."""
        return (class_.split(" ", maxsplit=1)[0], path) if self.tied else (class_, path, chip)

    def pool_key(self, class_: str, path: str, chip: str) -> tuple[str, ...]:
        """Return what is fitted together first; empty where nothing is."""
        if not self.pool:
            return ()
        if self.tied:
            return (class_.split(" ", maxsplit=1)[0],)
        if self.pool == "class":
            return (class_, path)
        family = family_of(catalogue.chip(chip)).name
        return (class_, path, family if class_ in self.apart else family.removesuffix(" Ultra"))


@functools.cache
def recipes() -> tuple[Recipe, ...]:
    """Return all recipes, in their order."""
    text = resources.files("nvscale.truth").joinpath("data/recipes.toml").read_text(encoding="utf-8")
    made = []
    for entry in tomllib.loads(text)["recipe"]:
        beliefs = {name: _belief(**given) for name, given in entry.pop("constants").items()}
        lists: dict[str, Any] = {name: tuple(entry.pop(name, ())) for name in ("classes", "apart", "borrowed")}
        made.append(Recipe(**entry, **lists, beliefs=beliefs))
    return tuple(made)


def _belief(*, centre: float, own: float, linear: bool = False, **more: Any) -> Belief:
    def axis(value: float) -> float:
        return value if linear else math.log(value)

    middle = axis(centre)
    low = axis(more["low"]) if "low" in more else middle - math.log(REACH)
    high = axis(more["high"]) if "high" in more else middle + math.log(REACH)
    second = axis(more["second"]) if "second" in more else middle
    return Belief(middle, more.get("pool", own), own, low, high, linear, second)


def recipe_of(kind: str, class_: str) -> Recipe | None:
    """Return the recipe of a class; None where its constants are set by hand."""
    return next((one for one in recipes() if one.fits(kind, class_)), None)
