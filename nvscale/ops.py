"""The eight functions that operators lack, chosen by the type of their arguments.

A formula uses `+ - * / **` and only these: `minimum maximum where ceil floor sqrt exp log`.
So one formula serves floats, NumPy arrays, SymPy symbols, JAX tracers and pint quantities.
NumPy, SymPy, JAX and pint are imported only when one of their values arrives; nan propagates
in every carrier; `where` evaluates both sides, so the unused side must be safe.
"""

import math
from collections.abc import Callable
from typing import Any

INFINITY = math.inf
FLOAT, ARRAY, QUANTITY, TRACER, SYMBOL, OTHER = "float", "array", "quantity", "tracer", "symbol", "other"
_RANK = {FLOAT: 0, ARRAY: 1, TRACER: 2, SYMBOL: 3, QUANTITY: 4}
_MODULES = {"numpy": ARRAY, "sympy": SYMBOL, "jax": TRACER, "jaxlib": TRACER, "pint": QUANTITY}
_KINDS: dict[type, str] = {float: FLOAT, int: FLOAT, bool: FLOAT}  # a cache: type -> carrier


def carrier(value: object) -> str:
    """Return which carrier a value is: float, array, quantity, tracer, symbol or other.

    >>> carrier(1.0), carrier("text")
    ('float', 'other')
    """
    cls = type(value)
    kind = _KINDS.get(cls)
    if kind is None:
        roots = (base.__module__.partition(".")[0] for base in cls.__mro__)
        kind = next((_MODULES[root] for root in roots if root in _MODULES), OTHER)
        _KINDS[cls] = kind
    return kind


def minimum(a: Any, b: Any, *more: Any) -> Any:
    """Return the smallest of its arguments, elementwise; nan propagates.

    >>> minimum(2.0, 3.0), minimum(5.0, 3.0, 4.0)
    (2.0, 3.0)
    """
    if type(a) is float and type(b) is float:
        least: Any = a if a <= b or a != a else b
    else:
        least = _apply("minimum", a, b)
    return minimum(least, *more) if more else least


def maximum(a: Any, b: Any, *more: Any) -> Any:
    """Return the largest of its arguments, elementwise; nan propagates.

    >>> maximum(2.0, 3.0), maximum(5.0, 3.0, 4.0)
    (3.0, 5.0)
    """
    if type(a) is float and type(b) is float:
        most: Any = a if a >= b or a != a else b
    else:
        most = _apply("maximum", a, b)
    return maximum(most, *more) if more else most


def where(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds and `no` elsewhere; both sides are evaluated.

    >>> where(3.0 > 2.0, 1.0, 0.0)
    1.0
    """
    if condition is True:
        return yes
    if condition is False:
        return no
    return _apply("where", condition, yes, no)


def ceil(x: Any) -> Any:
    """Return the smallest whole number not below x, as a float.

    >>> ceil(2.1)
    3.0
    """
    return float(math.ceil(x)) if type(x) is float and math.isfinite(x) else _apply("ceil", x)


def floor(x: Any) -> Any:
    """Return the largest whole number not above x, as a float.

    >>> floor(2.9)
    2.0
    """
    return float(math.floor(x)) if type(x) is float and math.isfinite(x) else _apply("floor", x)


def sqrt(x: Any) -> Any:
    """Return the square root of x.

    >>> sqrt(9.0)
    3.0
    """
    return math.sqrt(x) if type(x) is float and x >= 0.0 else _apply("sqrt", x)


def exp(x: Any) -> Any:
    """Return e to the power x.

    >>> exp(0.0)
    1.0
    """
    return math.exp(x) if type(x) is float and x < 709.0 else _apply("exp", x)


def log(x: Any) -> Any:
    """Return the natural logarithm of x.

    >>> log(1.0)
    0.0
    """
    return math.log(x) if type(x) is float and x > 0.0 else _apply("log", x)


def _apply(name: str, *arguments: Any) -> Any:
    """Call the function of that name in the library of the highest-ranking argument."""
    kinds = [carrier(argument) for argument in arguments]
    if OTHER in kinds:
        bad = arguments[kinds.index(OTHER)]
        raise TypeError(f"{name}: {type(bad).__name__} is not a number, array, symbol, tracer or quantity")
    return _CALL[max(kinds, key=_RANK.__getitem__)](name, *arguments)


def _float(name: str, *arguments: Any) -> Any:
    """Floats and ints: through the same function as arrays for the rare cases (nan, inf, negative)."""
    result = _array(name, *arguments)
    return result if name == "where" else float(result)


def _array(name: str, *arguments: Any) -> Any:
    import numpy

    return getattr(numpy, name)(*(_no_integers(numpy, a) for a in arguments))[()]


def _no_integers(numpy: Any, value: Any) -> Any:
    """Whole numbers become floats: int64 wraps silently above 9.2e18."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return float(value)
    if getattr(getattr(value, "dtype", None), "kind", "f") in "iu":
        return numpy.asarray(value, dtype=float)
    return value


def _tracer(name: str, *arguments: Any) -> Any:
    import jax.numpy

    return getattr(jax.numpy, name)(*arguments)


_SYMBOLIC = {"minimum": "Min", "maximum": "Max", "ceil": "ceiling"}


def _symbol(name: str, *arguments: Any) -> Any:
    import sympy

    if name == "where":
        condition, yes, no = arguments
        return sympy.Piecewise((yes, condition), (no, True))
    if any(argument != argument for argument in arguments if isinstance(argument, float)) or sympy.nan in arguments:
        return sympy.nan
    return getattr(sympy, _SYMBOLIC.get(name, name))(*arguments)


def _quantity(name: str, *arguments: Any) -> Any:
    """Pint: compare in one unit; roots take the root of the unit; the rest wants pure numbers."""
    if name == "sqrt":
        return arguments[0] ** 0.5
    if name in ("exp", "log", "ceil", "floor"):
        pure = arguments[0].to("dimensionless")
        return pure.__class__(_apply(name, pure.magnitude), "dimensionless")
    condition = (_magnitude(arguments[0], None),) if name == "where" else ()
    values = arguments[len(condition) :]
    unit = next((v.units for v in values if carrier(v) == QUANTITY), None)
    if unit is None:
        return _apply(name, *condition, *values)
    wrap = next(v.__class__ for v in values if carrier(v) == QUANTITY)
    return wrap(_apply(name, *condition, *(_magnitude(v, unit) for v in values)), unit)


def _magnitude(value: Any, unit: Any) -> Any:
    """The number of a quantity in `unit`; a plain 0 or infinity fits every unit."""
    if carrier(value) == QUANTITY:
        return value.magnitude if unit is None else value.to(unit).magnitude
    if unit is None or unit.dimensionless or (carrier(value) == FLOAT and value in (0.0, math.inf, -math.inf)):
        return value if unit is None or not unit.dimensionless else value / _scale(unit)
    raise ValueError(f"cannot compare the pure number {value!r} with a figure in {unit}")


def _scale(unit: Any) -> Any:
    """How many ones a dimensionless unit is (percent: 0.01)."""
    return (1.0 * unit).to("dimensionless").magnitude


_CALL: dict[str, Callable[..., Any]] = {
    FLOAT: _float,
    ARRAY: _array,
    TRACER: _tracer,
    SYMBOL: _symbol,
    QUANTITY: _quantity,
}
