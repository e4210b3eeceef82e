"""`Record`: a thing with figures, each with unit, range and source; and `walk`, the one tree walker.

A record is a frozen dataclass with keyword-only fields. Its numeric fields carry a `Unit` in their
annotation and may hold a float, an array (a sweep axis), a symbol (a closed form) or a tracer (a
gradient); text and quantities are converted when the record is made.
"""

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self, dataclass_transform

from nvscale.errors import InvalidInput, UnknownName, did_you_mean
from nvscale.ops import ARRAY, carrier
from nvscale.provenance import DEFAULT, GIVEN, Source
from nvscale.units import Unit

NO_SOURCES: Mapping[str, Source] = types.MappingProxyType({})


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of all things; subclasses are frozen dataclasses that check their figures."""

    __pydantic_config__: typing.ClassVar = {"extra": "forbid", "arbitrary_types_allowed": True}

    HINTS: typing.ClassVar[Mapping[str, str]] = {}
    """What to write instead of names that people expect."""

    def __init_subclass__(cls) -> None:
        """Make the subclass a frozen, keyword-only dataclass."""
        dataclasses.dataclass(frozen=True, kw_only=True, eq=False, repr=False)(cls)
        cls.__init__ = _checked_init(cls.__init__)  # type: ignore[method-assign]

    def __post_init__(self) -> None:
        """Check and convert every field."""
        for name, rule in field_rules(type(self)).items():
            value = getattr(self, name)
            checked = rule(value, f"{type(self).__name__}: {name}")
            if checked is not value:
                object.__setattr__(self, name, checked)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; dotted paths reach into nested records.

        The sources of changed figures become "given by the caller".

        >>> from nvscale.silicon import Rates
        >>> Rates(fp8="1 PFLOP/s").replace(fp8="2 PFLOP/s").fp8
        2000000000000000.0
        """
        own: dict[str, Any] = {name: value for name, value in changes.items() if "." not in name}
        nested: dict[str, dict[str, Any]] = {}
        for path, value in changes.items():
            head, dot, rest = path.partition(".")
            if dot:
                nested.setdefault(head, {})[rest] = value
        for head, inner in nested.items():
            own[head] = _replace_inside(own[head] if head in own else self._field(head), inner, head)
        values = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        if "sources" in values and "sources" not in own:
            touched = {*changes, *(name for name in own if name not in nested)}
            kept = {k: v for k, v in values["sources"].items() if not any(k == t or k.startswith(f"{t}.") for t in touched)}
            values["sources"] = kept | {name: GIVEN for name in touched if name in units_of(type(self))}
        return type(self)(**{**values, **own})

    def _field(self, name: str) -> Any:
        if name not in field_names(type(self)):
            raise UnknownName(f"{type(self).__name__} has no field {name!r}{did_you_mean(name, field_names(type(self)))}")
        return getattr(self, name)

    def unit_of(self, field: str) -> str:
        """Return the unit of a figure, as text.

        >>> from nvscale.silicon import Rates
        >>> Rates().unit_of("fp8")
        'flop/s'
        """
        self._field(field)
        units = units_of(type(self))
        if field not in units:
            raise UnknownName(f"{type(self).__name__}: {field} is not a figure{did_you_mean(field, units)}")
        return units[field].text

    def source(self, field: str) -> Source:
        """Return where a figure comes from; dotted paths reach into nested records ("peak.fp8")."""
        sources: Mapping[str, Source] = getattr(self, "sources", NO_SOURCES)
        if field in sources:
            return sources[field]
        head, dot, rest = field.partition(".")
        inner = self._field(head)
        if dot and isinstance(inner, Record):
            return inner.source(rest)
        if dot:
            member, _, figure = rest.partition(".")
            return _member(inner, member, head).source(figure)
        return DEFAULT if is_same(inner, type(self).__dataclass_fields__[head].default) else GIVEN  # type: ignore[attr-defined]

    def quantity(self, field: str) -> Any:
        """Return a figure as a pint quantity; dotted paths reach into nested records.

        >>> import nvscale
        >>> nvscale.chip("H100").quantity("memory_bandwidth").to("GB/s").magnitude
        3352.0
        """
        from nvscale import quantities  # the edge that holds pint; imported only when asked

        head, dot, rest = field.partition(".")
        value = self._field(head)
        if dot and isinstance(value, Record):
            return value.quantity(rest)
        unit = self.unit_of(head)
        return quantities.quantity(value, "" if unit == "1" else unit)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(is_same(getattr(self, f.name), getattr(other, f.name)) for f in dataclasses.fields(self) if f.compare)  # type: ignore[arg-type]

    def __hash__(self) -> int:
        return hash((type(self), *(_hashable(getattr(self, f.name)) for f in dataclasses.fields(self) if f.compare)))  # type: ignore[arg-type]

    def __repr__(self) -> str:
        parts = []
        units = units_of(type(self))
        for field in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, field.name)
            if not field.repr or value is None or is_same(value, field.default):
                continue
            shown = units[field.name].show(value) if field.name in units and type(value) is float else repr(value)
            parts.append(f"{field.name}={shown}")
        return f"{type(self).__name__}({', '.join(parts)})"


def _checked_init(init: Callable[..., None]) -> Callable[..., None]:
    """Answer misspelt and missing fields with a typed error."""

    @functools.wraps(init)
    def checked(self: Any, **values: Any) -> None:
        names = field_names(type(self))
        for name in values:
            if name not in names:
                hint = type(self).HINTS.get(name, "") or did_you_mean(name, names)
                raise UnknownName(f"{type(self).__name__} has no field {name!r}{hint}")
        missing = [name for name in required_fields(type(self)) if name not in values]
        if missing:
            raise InvalidInput(f"{type(self).__name__}: {', '.join(missing)} must be given")
        init(self, **values)

    return checked


T = typing.TypeVar("T")


def _once_per_class(function: Callable[[Any], T]) -> Callable[[Any], T]:
    """Remember what a function says of each class."""
    return functools.cache(function)


@_once_per_class
def field_names(cls: Any) -> tuple[str, ...]:
    """Return the names of a record's fields."""
    return tuple(field.name for field in dataclasses.fields(cls))


@_once_per_class
def required_fields(cls: Any) -> tuple[str, ...]:
    """Return the names of the fields without a default."""
    absent = dataclasses.MISSING
    return tuple(f.name for f in dataclasses.fields(cls) if f.default is absent and f.default_factory is absent)


@_once_per_class
def units_of(cls: Any) -> dict[str, Unit]:
    """Return the units of a record's numeric fields.

    >>> from nvscale.silicon import Chip
    >>> units_of(Chip)["memory_bandwidth"].text
    'byte/s'
    """
    hints = typing.get_type_hints(cls, include_extras=True)
    pairs = ((name, getattr(hints[name], "__metadata__", ())) for name in field_names(cls))
    return {name: extra for name, extras in pairs for extra in extras if isinstance(extra, Unit)}


@_once_per_class
def field_rules(cls: Any) -> dict[str, Callable[[Any, str], Any]]:
    """Return for every field the function that checks and converts its value."""
    hints = typing.get_type_hints(cls, include_extras=True)
    units = units_of(cls)
    rules: dict[str, Callable[[Any, str], Any]] = {}
    for field in dataclasses.fields(cls):
        if field.name in units:
            rules[field.name] = functools.partial(_figure, units[field.name], field.default is None or units[field.name].optional)
        elif hints[field.name] is str:
            rules[field.name] = _text
        elif typing.get_origin(hints[field.name]) is tuple:
            rules[field.name] = functools.partial(_sequence, typing.get_args(hints[field.name])[0])
        elif isinstance(hints[field.name], type) and issubclass(hints[field.name], Record):
            rules[field.name] = functools.partial(_instance, hints[field.name])
    return rules


_SIZE = Unit("1", ">=1")


def _figure(unit: Unit, optional: bool, value: Any, name: str) -> Any:
    return None if value is None and optional else unit.si(value, name)


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"{name}: {value!r} is not text")
    return value


def _instance(cls: type, value: Any, name: str) -> Any:
    if not isinstance(value, cls):
        raise InvalidInput(f"{name}: {value!r} is a {type(value).__name__}; wanted a {cls.__name__}")
    return value


def _sequence(cls: Any, value: Any, name: str) -> tuple[Any, ...]:
    if isinstance(value, str) or not isinstance(value, list | tuple):
        raise InvalidInput(f"{name}: {value!r} is not a list")
    if cls is float:
        return tuple(_SIZE.si(item, f"{name}[{i}]") for i, item in enumerate(value))
    if isinstance(cls, type):
        for i, item in enumerate(value):
            _instance(cls, item, f"{name}[{i}]")
    return tuple(value)


def _member(inner: Any, name: str, path: str) -> Record:
    """Return a member of a tuple of records by its name."""
    items: tuple[Any, ...] = inner if isinstance(inner, tuple) else ()
    members: dict[str, Record] = {item.name: item for item in items if isinstance(item, Record) and hasattr(item, "name")}
    if name not in members:
        raise UnknownName(f"{path} has no member {name!r}{did_you_mean(name, members)}")
    return members[name]


def _replace_inside(inner: Any, changes: Mapping[str, Any], path: str) -> Any:
    """Change a nested record, or a member of a tuple of records chosen by its name."""
    if isinstance(inner, Record):
        return inner.replace(**changes)
    if isinstance(inner, tuple) and all(isinstance(item, Record) for item in inner):
        members = {item.name: item for item in inner}
        for key, value in changes.items():
            name, dot, rest = key.partition(".")
            if name not in members:
                raise UnknownName(f"{path} has no member {name!r}{did_you_mean(name, members)}; write '{path}.<member>.<field>'")
            if not dot:
                raise InvalidInput(f"{path}.{name} names a member and no field of it; write '{path}.<member>.<field>'")
            members[name] = members[name].replace(**{rest: value})
        return tuple(members.values())
    raise InvalidInput(f"{path} holds no record; nothing inside it can be changed")


def is_same(a: Any, b: Any) -> bool:
    """Whether two values of a field are the same, arrays as a whole."""
    if carrier(a) == ARRAY or carrier(b) == ARRAY:
        import numpy as np

        return bool(np.array_equal(a, b))
    return bool(a == b)


def _hashable(value: Any) -> Any:
    return (value.shape, value.tobytes()) if carrier(value) == ARRAY and hasattr(value, "tobytes") else value


class Leaf(typing.NamedTuple):
    """One figure of a record tree."""

    path: str
    value: Any
    unit: Unit
    source: Source


def walk(record: Record, path: str = "") -> Iterator[Leaf]:
    """Yield every known figure of a record and of the records inside it, with its dotted path.

    >>> from nvscale.silicon import Rates
    >>> [leaf.path for leaf in walk(Rates(fp8="2 PFLOP/s")) if leaf.value][0]
    'fp8'
    """
    units = units_of(type(record))
    for name in field_names(type(record)):
        value = getattr(record, name)
        here = f"{path}{name}"
        if name in units and value is not None:
            yield Leaf(here, value, units[name], record.source(name))
        elif isinstance(value, Record):
            yield from (_with_outer_source(leaf, record, len(path)) for leaf in walk(value, f"{here}."))
        elif isinstance(value, tuple):
            for item in value:
                if isinstance(item, Record):
                    yield from walk(item, f"{here}.{getattr(item, 'name', '')}.")


def _with_outer_source(leaf: Leaf, owner: Record, skip: int) -> Leaf:
    """Rates keep their sources in the chip that owns them."""
    outer = getattr(owner, "sources", NO_SOURCES).get(leaf.path[skip:])
    return leaf if outer is None else leaf._replace(source=outer)
