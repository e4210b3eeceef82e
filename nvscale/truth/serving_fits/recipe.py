"""Which constants of serving engines are fitted, what they start from, and the engines that use them."""

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, NamedTuple

from nvscale.efficiencies.serving import ServingEngine
from nvscale.truth.serving_fits.kernels import expert_work

KIND = "serving"
STEP, EXPERTS, FIRST, FIRST_EXPERTS = "step", "experts", "first", "first experts"
"""Groups of constants, in the order in which they are fitted."""
GENERIC = "generic"


class Free(NamedTuple):
    """A fitted constant: the figure that it sets, in which engines, and its prior."""

    name: str
    field: str
    engines: tuple[str, ...]
    group: str
    unit: str
    start: float
    width: float
    factor: str
    site: bool


class Recipe(NamedTuple):
    """All fitted constants, and the figures that are fixed, by engine."""

    free: Mapping[str, Free]
    fixed: Mapping[str, Mapping[str, float]]
    engines: tuple[str, ...]

    def names(self, group: str) -> tuple[str, ...]:
        """Return the constants of a group."""
        return tuple(name for name, one in self.free.items() if one.group == group)

    def start(self) -> dict[str, float]:
        """Return the physical start values."""
        return {name: one.start for name, one in self.free.items()}

    def figures(self, engine: str, values: Mapping[str, float]) -> dict[str, float]:
        """Return the fitted figures of an engine; those of the generic one are the means of what engines have.

        >>> round(recipe().figures("generic", recipe().start())["sequence"] * 1e6, 1)
        18.3
        """
        if engine == GENERIC:
            each = [self.figures(name, values) for name in self.engines if name != GENERIC]
            return {field: sum(one[field] for one in each) / len(each) for field in each[0]}
        found = dict.fromkeys((one.field for one in self.free.values()), 0.0)
        return found | {one.field: values[name] for name, one in self.free.items() if engine in one.engines}

    def engine(self, name: str, values: Mapping[str, float]) -> ServingEngine:
        """Return an engine with fitted and fixed figures."""
        figures: dict[str, Any] = self.figures(name, values) | dict(self.fixed[name])
        return ServingEngine(name=name, **figures)


def _free(one: Mapping[str, Any], engines: tuple[str, ...]) -> Free:
    used = tuple(one.get("engines", engines))
    prior = (one["start"], one["width"])
    return Free(one["name"], one["field"], used, one["group"], one["unit"], *prior, one.get("with", ""), one.get("site", False))


@functools.cache
def recipe() -> Recipe:
    """Return the recipe of data/recipes-serving.toml."""
    text = resources.files("nvscale.truth").joinpath("data/recipes-serving.toml").read_text(encoding="utf-8")
    said = tomllib.loads(text)
    engines = tuple(said["engines"]["names"])
    free = {one["name"]: _free(one, engines) for one in said["constant"]}
    plain = {"expert_work_plain": expert_work(said["kernels"]["expert_work_plain"]).value}
    fixed = {engine: {name: column[place] for name, column in said["fixed"].items()} | plain for place, engine in enumerate(engines)}
    return Recipe(free, fixed, engines)
