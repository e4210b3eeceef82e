"""Every public formula with its sample arguments: the cases of the carrier, dimension and docstring tests."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nvscale import formulas


class Case(NamedTuple):
    """One public formula and SI arguments it can be called with."""

    topic: str
    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]

    @property
    def id(self) -> str:
        return f"{self.topic}.{self.name}"


def public_formulas() -> Iterator[tuple[str, str, Callable[..., Any]]]:
    """Yield topic, name and function of every public formula."""
    for topic in formulas.__all__:
        module = getattr(formulas, topic)
        for name in module.__all__:
            yield topic, name, getattr(module, name)


def all_cases() -> list[Case]:
    """Return a case per public formula; a formula without sample arguments is a KeyError."""
    cases = []
    for topic, name, formula in public_formulas():
        samples = importlib.import_module(f"tests.formulas.samples.{topic}").SAMPLES
        cases.append(Case(topic, name, formula, samples[name]))
    return cases


def in_each_number(arguments: dict[str, Any], change: Callable[[str, float], Any]) -> dict[str, Any]:
    """Return the arguments with `change(name, value)` applied to every number, inside sequences too."""
    return {
        name: [change(f"{name}_{i}", item) for i, item in enumerate(value)] if isinstance(value, list | tuple) else change(name, value)
        for name, value in arguments.items()
    }
