"""The figures of an estimator's inputs, by dotted path: found by short names, replaced, and walked."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from nvscale.errors import InvalidInput, UnknownName, did_you_mean
from nvscale.ops import FLOAT, carrier
from nvscale.provenance import Source
from nvscale.record import Record, field_names, units_of, walk
from nvscale.units import Unit


class Figure(NamedTuple):
    """One figure of an input."""

    path: str
    value: float
    unit: Unit
    source: Source


def path_of(name: str, inputs: Mapping[str, Any], asked_by: str) -> str:
    """Resolve a short name to the shallowest place of that name among the inputs.

    >>> from nvscale.silicon import Rates
    >>> path_of("fp8", {"rates": Rates()}, "doc")
    'rates.fp8'
    """
    if name in inputs:
        return name
    head = name.partition(".")[0]
    if "." in name and head in inputs:
        return name
    level = [(key, value) for key, value in inputs.items() if isinstance(value, Record)]
    known: list[str] = list(inputs)
    while level:
        found = [f"{key}.{name}" for key, value in level if head in field_names(type(value))]
        if len(found) == 1:
            return found[0]
        if found:
            raise UnknownName(f"{asked_by}: {name!r} fits {', '.join(found)}; write one of them in full")
        known += [field for _, value in level for field in field_names(type(value))]
        level = [
            (f"{key}.{field}", getattr(value, field))
            for key, value in level
            for field in field_names(type(value))
            if isinstance(getattr(value, field), Record)
        ]
    raise UnknownName(f"{asked_by}: no input or figure {name!r}{did_you_mean(name, known)}")


def unit_at(path: str, inputs: Mapping[str, Any]) -> Unit | None:
    """Return the unit of the figure at a path; None where it is no figure."""
    head, dot, rest = path.partition(".")
    owner = inputs.get(head)
    while dot and isinstance(owner, Record):
        name, dot, rest = rest.partition(".")
        if not dot:
            return units_of(type(owner)).get(name)
        owner = getattr(owner, name, None)
    return None


def value_at(path: str, inputs: Mapping[str, Any]) -> Any:
    """Return the value at a path."""
    head, _, rest = path.partition(".")
    value = inputs[head]
    for name in rest.split(".") if rest else ():
        value = getattr(value, name)
    return value


def with_value(inputs: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return the inputs with one figure replaced."""
    head, dot, rest = path.partition(".")
    return {**inputs, head: inputs[head].replace(**{rest: value}) if dot else value}


def with_values(inputs: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the inputs with many figures replaced, each record once."""
    changes: dict[str, dict[str, Any]] = {}
    plain: dict[str, Any] = {}
    for path, value in values.items():
        head, dot, rest = path.partition(".")
        if dot:
            changes.setdefault(head, {})[rest] = value
        else:
            plain[head] = value
    return {**inputs, **plain, **{head: inputs[head].replace(**inner) for head, inner in changes.items()}}


def figures(inputs: Mapping[str, Any]) -> Iterator[Figure]:
    """Yield every figure of the inputs that is a number above 0: what can be moved by a share of itself."""
    for name, record in inputs.items():
        if isinstance(record, Record):
            for leaf in walk(record, f"{name}."):
                if carrier(leaf.value) == FLOAT and 0.0 < leaf.value < float("inf"):
                    yield Figure(leaf.path, float(leaf.value), leaf.unit, leaf.source)


def output_of(result: Any, output: str) -> Any:
    """Return an estimate's result by name, or its value."""
    if not output:
        return result.value
    try:
        return result[output].value
    except (TypeError, KeyError) as problem:
        raise InvalidInput(f"{type(result).__name__} has no output {output!r}") from problem
