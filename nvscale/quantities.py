"""pint at the edge: a registry of our own, and a mirror of the formulas that takes and gives quantities.

In the registry information, operation, token and currency are dimensions: `1 byte + 1` is an error
and `400 Gb/s` is 50 GB/s. Quantities of any other registry are accepted wherever a figure is.

>>> from nvscale.quantities import roofline
>>> roofline.attainable("100 flop/byte", "989.4 TFLOP/s", "3.35 TB/s").to("TFLOP/s")
<Quantity(335.0, 'teraflop / second')>
"""

import functools
import inspect
import typing
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pint

from nvscale import formulas
from nvscale.ops import SYMBOL, carrier
from nvscale.units import ATOM_ROWS, BINARY_PREFIX_ROWS, PREFIX_ROWS, Atom, Unit, parse_unit, split_text

__all__ = ["formula_units", "quantity", "registry"]

_BASE_NAMES = {"byte": "information", "flop": "operation", "token": "token", "USD": "currency", "s": "time"}
_BASE_NAMES |= {"J": "energy", "m": "length", "g": "mass", "K": "temperature", "V": "potential"}


def _definitions() -> list[str]:
    """The registry's definition lines, made from the closed table of `nvscale.units`."""
    lines = [
        f"{names[0]}- = {factor} = " + " = ".join(f"{symbol}-" for symbol in names[1:])
        for rows in (PREFIX_ROWS, BINARY_PREFIX_ROWS)
        for names, factor in rows
    ]
    for names, atom in ATOM_ROWS:
        if not atom.dimension:
            continue
        symbol, name, *others = (n for n in names if n != "$")
        is_base = atom.size == 1 and len(atom.dimension) == 1 and atom.dimension[0][1] == 1
        size = f"[{_BASE_NAMES[atom.dimension[0][0]]}]" if is_base else _expression(atom)
        lines.append(" = ".join([name, size, symbol, *others]))
    return [*lines, "percent = 0.01 = %"]


def _expression(atom: Atom) -> str:
    """The definition of a derived unit as a product of base units."""
    return " * ".join([str(atom.size), *(f"{base} ** {power}" for base, power in atom.dimension)])


@functools.cache
def registry() -> Any:
    """Return nvscale's own pint registry.

    >>> registry()("400 Gb/s").to("GB/s").magnitude
    50.0
    """
    own: Any = pint.UnitRegistry(None)
    own.load_definitions(_definitions())
    own.formatter.default_format = "~"
    return own


def quantity(value: Any, unit: str | None = None) -> Any:
    """Return a quantity of nvscale's registry from text, a number with a unit, or any other quantity.

    >>> quantity("3.35 TB/s").to("GB/s").magnitude
    3350.0
    """
    own = registry()
    if isinstance(value, str):
        number, text = split_text(value)
        parse_unit(text or unit or "1")  # our own advice on misspelt and ambiguous units
        return own.Quantity(float(number), text or unit or "")
    if hasattr(value, "magnitude") and hasattr(value, "units"):
        return own.Quantity(value.magnitude, str(value.units))
    parse_unit(unit or "1")
    return own.Quantity(value, unit or "")


def formula_units(formula: Callable[..., Any]) -> dict[str, Any]:
    """Return the annotated units of a formula: parameter name -> Unit (or [Unit] for a sequence), and 'return'.

    >>> from nvscale.formulas import memory
    >>> {name: unit.text for name, unit in formula_units(memory.bytes_in_flight).items()}
    {'bandwidth': 'byte/s', 'latency': 's', 'return': 'byte'}
    """
    hints = typing.get_type_hints(formula, include_extras=True)
    return {name: _unit_of(hint) for name, hint in hints.items()}


def _unit_of(hint: Any) -> Any:
    """The Unit inside an annotation; a list holding it for `Sequence[...]`; None where there is none."""
    for extra in getattr(hint, "__metadata__", ()):
        if isinstance(extra, Unit):
            return extra
    inner = [_unit_of(argument) for argument in typing.get_args(hint) if hasattr(argument, "__metadata__")]
    return inner or None


def _mirrored(formula: Callable[..., Any]) -> Callable[..., Any]:
    """The same formula with text and quantities in, and a quantity out."""
    units = formula_units(formula)
    signature = inspect.signature(formula)

    @functools.wraps(formula)
    def mirror(*arguments: Any, **named: Any) -> Any:
        bound = signature.bind(*arguments, **named)
        for name, value in bound.arguments.items():
            bound.arguments[name] = _number(value, units.get(name), name)
        result = formula(*bound.args, **bound.kwargs)
        return registry().Quantity(result, units["return"].text if units["return"].text != "1" else "")

    return mirror


def _number(value: Any, unit: Any, name: str) -> Any:
    """A figure as a number in the annotated unit."""
    if isinstance(unit, list):
        return [_number(item, unit[0], f"{name}[{i}]") for i, item in enumerate(value)]
    return value if unit is None or carrier(value) == SYMBOL else unit.si(value, name)


def _mirror_of(module: ModuleType) -> SimpleNamespace:
    return SimpleNamespace(**{name: _mirrored(getattr(module, name)) for name in module.__all__})


def __getattr__(name: str) -> Any:
    """Mirror a topic of `nvscale.formulas` when it is first asked for."""
    if name == "Quantity":
        return registry().Quantity
    if name not in formulas.__all__:
        raise AttributeError(f"module 'nvscale.quantities' has no attribute {name!r}")
    mirror = _mirror_of(getattr(formulas, name))
    globals()[name] = mirror
    return mirror


def __dir__() -> list[str]:
    return sorted([*__all__, *formulas.__all__])
