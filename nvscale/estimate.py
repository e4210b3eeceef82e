"""`Estimate`: a number with its unit and everything it was made of, down to the sources.

Estimators build the tree with `figure` (a leaf with a source), `term`, `most` (the largest binds),
`total` (they add up) and `derived` (any other formula). There is no arithmetic on estimates: the
tree would be lost.
"""

import functools
import html
from collections.abc import Iterator
from typing import Any

from nvscale.errors import InvalidInput, UnknownName, did_you_mean
from nvscale.ops import ARRAY, FLOAT, SYMBOL, carrier, maximum, where
from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.units import readable


class Estimate:
    """One node of the tree: name, value in SI, unit, how it was made, and its terms.

    Parameters
    ----------
    name : str
        What the number is, in the field's words.
    value : number
        Float, array, symbol or tracer, in `unit`.
    unit : str
        Unit text in base units.
    how : str
        The equation in words, e.g. "largest of", "sum of", "chips x rate".
    terms : dict of str to Estimate
        What it was made of.
    source : Source, optional
        Where a leaf comes from.
    assumptions : tuple of str
        What was not said and was assumed.
    """

    __slots__ = ("assumptions", "high", "how", "low", "name", "source", "terms", "unit", "value")

    def __init__(
        self,
        name: str,
        value: Any,
        unit: str,
        *,
        how: str = "",
        terms: "dict[str, Estimate] | None" = None,
        source: Source | None = None,
        assumptions: tuple[str, ...] = (),
    ) -> None:
        self.name, self.value, self.unit, self.how = name, value, unit, how
        self.terms = terms or {}
        self.source = source
        self.assumptions = assumptions
        self.low: Any = None
        self.high: Any = None

    def __getitem__(self, path: str) -> "Estimate":
        """Return a term by name, by dotted path, or by the name of a unique term deeper down."""
        if path in self.terms:
            return self.terms[path]
        head, dot, rest = path.partition(".")
        if dot and head in self.terms:
            return self.terms[head][rest]
        found = [node for _, node in self.nodes() if node.name == path and node is not self]
        if not found:
            names = dict.fromkeys(node.name for _, node in self.nodes())
            raise UnknownName(f"{self.name} has no term {path!r}{did_you_mean(path, names)}")
        return found[0]

    def nodes(self, depth: int = 0) -> "Iterator[tuple[int, Estimate]]":
        """Yield every node of the tree with its depth, this one first."""
        yield depth, self
        for inner in self.terms.values():
            yield from inner.nodes(depth + 1)

    @property
    def by(self) -> Any:
        """Which term binds: a name; for arrays an index array and the names; not defined for symbols."""
        if self.how != "largest of":
            inner = next((term for _, term in self.nodes() if term.how == "largest of"), None)
            if inner is None:
                raise InvalidInput(f"{self.name} is not the largest of several terms; nothing binds")
            return inner.by
        return _largest(self.name, self.terms)

    @property
    def quantity(self) -> Any:
        """The value as a pint quantity."""
        from nvscale import quantities  # the edge that holds pint; imported only when asked

        return quantities.quantity(self.value, "" if self.unit == "1" else self.unit)

    def sources(self) -> list[Source]:
        """Return the sources of all figures below, each once."""
        return list(dict.fromkeys(node.source for _, node in self.nodes() if node.source is not None))

    def all_assumptions(self) -> list[str]:
        """Return every assumption made below, each once."""
        return list(dict.fromkeys(text for _, node in self.nodes() for text in node.assumptions))

    def explain(self, depth: int = 99) -> str:
        """Return the tree as text: a line a node, with value, equation and, at the leaves, the source."""
        return "\n".join("  " * level + node.line() for level, node in self.nodes() if level <= depth)

    def line(self) -> str:
        """Return this node alone on one line."""
        text = f"{self.name} = {show(self.value, self.unit)}"
        if self.how:
            text += f"  ({self.how} {', '.join(self.terms)})" if self.how.endswith(" of") else f"  ({self.how})"
        return text + (f"  <- {self.source}" if self.source is not None else "")

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, in SI base units."""
        result: dict[str, Any] = {"value": _plain(self.value), "unit": self.unit}
        if self.low is not None:
            result |= {"low": _plain(self.low), "high": _plain(self.high)}
        if self.how:
            result["how"] = self.how
        if self.terms:
            result["terms"] = {name: term.to_dict() for name, term in self.terms.items()}
        if self.source is not None:
            result["source"] = str(self.source)
        if self.assumptions:
            result["assumptions"] = list(self.assumptions)
        return result

    def __str__(self) -> str:
        return f"{self.name}: {show(self.value, self.unit)}"

    def __repr__(self) -> str:
        return f"<Estimate {self}>"

    def _repr_html_(self) -> str:
        inside = "".join(f"<li>{term._repr_html_()}</li>" for term in self.terms.values())
        line = html.escape(self.line())
        return f"<details><summary>{line}</summary><ul>{inside}</ul></details>" if inside else f"<span>{line}</span>"


class Timing(Estimate):
    """The time of a piece of work: 90 % interval, what binds, and how far it is from the bare roofline.

    Parameters
    ----------
    name : str
        The work and where it runs.
    tree : Estimate
        How the time is made.
    contenders : tuple of str
        Terms of the tree of which the largest binds.
    roofline : s, or functools.partial
        Time on the bare roofline: all shares 1, nothing in the cache, no overhead; or what gives it when it is asked for.
    factors : tuple
        Low and high end of the 90 % interval as factors of the value; None where it is not known.
    assumptions : tuple of str
        What was not said and was assumed.
    """

    __slots__ = ("_roofline", "contenders")

    def __init__(
        self,
        name: str,
        tree: Estimate,
        *,
        contenders: tuple[str, ...],
        roofline: Any,
        factors: tuple[Any, Any] = (None, None),
        assumptions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(name, tree.value, tree.unit, how=tree.how, terms=tree.terms, assumptions=(*tree.assumptions, *assumptions))
        self.contenders, self._roofline = contenders, roofline
        if factors[0] is not None:
            self.low, self.high = tree.value * factors[0], tree.value * factors[1]

    @property
    def by(self) -> Any:
        """Which of the contenders takes longest: a name; for arrays an index array and the names."""
        return _largest(self.name, {name: self[name] for name in self.contenders})

    @property
    def roofline(self) -> Any:
        """Time on the bare roofline."""
        if isinstance(self._roofline, functools.partial):
            self._roofline = self._roofline()
        return self._roofline

    @property
    def headroom(self) -> Any:
        """How many times longer than on the bare roofline; below 1 where a cache helps, 1 where there is nothing to do."""
        some = self.roofline > 0.0
        return where(some, self.value / where(some, self.roofline, 1.0), 1.0)

    def explain(self, depth: int = 99) -> str:
        """Return the tree as text, down to the sources, and below it what was assumed."""
        return "\n".join([super().explain(depth), *(f"assumed: {text}" for text in self.all_assumptions())])

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, in SI base units."""
        return super().to_dict() | {"by": _binding(self), "headroom": _plain(self.headroom)}

    def __str__(self) -> str:
        text = super().__str__()
        if self.low is not None:
            text += f" (90 %: {show(self.low, self.unit)} to {show(self.high, self.unit)})"
        bound = _binding(self)
        text += f", {bound} binds" if isinstance(bound, str) and bound else ""
        return text + (f", {self.headroom:.2f} x the bare roofline" if carrier(self.headroom) == FLOAT else "")


def _binding(timing: Timing) -> Any:
    """What binds, by name; a list for arrays; empty where it depends on symbols."""
    try:
        found = timing.by
    except InvalidInput:
        return ""
    if isinstance(found, tuple):
        import numpy as np

        return np.array(found[1], dtype=object)[found[0]].tolist()
    return found


def _largest(name: str, terms: dict[str, Estimate]) -> Any:
    """The name of the largest term; for arrays an index array and the names."""
    names = tuple(terms)
    values = [term.value for term in terms.values()]
    kinds = {carrier(value) for value in values}
    if SYMBOL in kinds:
        raise InvalidInput(f"which term of {name} binds depends on the symbols; substitute numbers first")
    if ARRAY in kinds:
        import numpy as np

        return np.argmax(np.stack(np.broadcast_arrays(*values)), axis=0).astype(np.int8), names
    return names[values.index(max(values))]


def show(value: Any, unit: str) -> str:
    """Return a value for people: with prefix for floats, shape for arrays, the expression for symbols."""
    kind = carrier(value)
    if kind == FLOAT:
        return readable(float(value), unit)
    if kind == ARRAY and value.ndim:
        return f"array{value.shape} from {readable(float(value.min()), unit)} to {readable(float(value.max()), unit)}"
    return readable(float(value), unit) if kind == ARRAY else f"{value} {unit}"


def _plain(value: Any) -> Any:
    """Floats and lists for JSON; infinity and symbols as text."""
    kind = carrier(value)
    if kind == FLOAT:
        return value if value - value == 0 else str(value)
    return value.tolist() if kind == ARRAY else str(value)


def figure(record: Record, field: str, name: str = "") -> Estimate:
    """Return a leaf: one figure of a record, with its source."""
    owner = getattr(record, "name", type(record).__name__)
    value = getattr(record, field)
    leaf = Estimate(name or f"{field.replace('_', ' ')} of {owner}", value, record.unit_of(field), source=record.source(field))
    leaf.low, leaf.high = record.source(field).low, record.source(field).high
    return leaf


def term(name: str, value: Any, unit: str, *, assumptions: tuple[str, ...] = (), source: Source | None = None) -> Estimate:
    """Return a leaf that was given or computed elsewhere."""
    return Estimate(name, value, unit, assumptions=assumptions, source=source)


def _by_name(name: str, terms: tuple[Estimate, ...]) -> dict[str, Estimate]:
    """Terms by name; two of one name would lose one of them."""
    found = {inner.name: inner for inner in terms}
    if len(found) < len(terms):
        raise InvalidInput(f"{name}: two terms are called alike among {', '.join(inner.name for inner in terms)}")
    return found


def most(name: str, *terms: Estimate) -> Estimate:
    """Return the largest of the terms; `by` names which one binds."""
    value = terms[0].value if len(terms) == 1 else maximum(*(inner.value for inner in terms))
    return Estimate(name, value, terms[0].unit, how="largest of", terms=_by_name(name, terms))


def total(name: str, *terms: Estimate) -> Estimate:
    """Return the sum of the terms."""
    return Estimate(name, sum(inner.value for inner in terms), terms[0].unit, how="sum of", terms=_by_name(name, terms))


def derived(name: str, value: Any, unit: str, how: str, *terms: Estimate, assumptions: tuple[str, ...] = ()) -> Estimate:
    """Return the result of any other formula, with its inputs as terms."""
    return Estimate(name, value, unit, how=how, terms=_by_name(name, terms), assumptions=assumptions)
