"""Laws of the eight functions: one result on every carrier, nan goes through, whole numbers do not wrap."""

import contextlib
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale import ops
from nvscale.quantities import registry

finite = st.floats(-1e12, 1e12)
positive = st.floats(1e-12, 1e12)
UNARY: dict[str, tuple[Callable[[Any], Any], Callable[[float], float], tuple[float, float]]] = {
    "ceil": (ops.ceil, math.ceil, (-1e9, 1e9)),
    "floor": (ops.floor, math.floor, (-1e9, 1e9)),
    "sqrt": (ops.sqrt, math.sqrt, (0.0, 1e12)),
    "exp": (ops.exp, math.exp, (-50.0, 50.0)),
    "log": (ops.log, math.log, (1e-9, 1e12)),
}
SAMPLES = {name: (low, 0.3 * low + 0.7 * high, 2.5, 3.0, high) for name, (_, _, (low, high)) in UNARY.items()}
PAIRS = [(2.0, 3.0), (3.0, 2.0), (-1.5, 0.0), (2.0, 2.0), (1e-300, 1e300)]


def quantity(value: Any, unit: str) -> Any:
    return registry().Quantity(value, unit)


@contextlib.contextmanager
def double_precision() -> Any:
    """jax with 64 bits."""
    jax = pytest.importorskip("jax")
    with jax.experimental.enable_x64() if hasattr(jax.experimental, "enable_x64") else jax.enable_x64(True):
        yield jax.numpy


# ---------------------------------------------------------------------- five carriers agree


@pytest.mark.parametrize("name", UNARY)
@given(share=st.floats(0.0, 1.0))
def test_floats_and_arrays_are_what_the_math_module_says(name: str, share: float) -> None:
    function, reference, (low, high) = UNARY[name]
    value = low + share * (high - low)
    assert function(value) == pytest.approx(reference(value), rel=1e-14)
    assert type(function(value)) is float
    assert function(numpy.array([value, value]))[1] == pytest.approx(reference(value), rel=1e-14)


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in UNARY for value in SAMPLES[name]])
def test_one_argument_is_the_same_on_every_carrier(name: str, value: float) -> None:
    sympy = pytest.importorskip("sympy")
    function, reference, _ = UNARY[name]
    expected = pytest.approx(reference(value), rel=1e-12)
    symbol = sympy.Symbol("x", real=True)
    assert float(function(symbol).subs(symbol, sympy.Rational(value))) == expected
    unit = "m**2" if name == "sqrt" else ""
    assert function(quantity(value, unit)).magnitude == expected
    with double_precision() as jnp:
        assert float(function(jnp.asarray(value))) == expected


@pytest.mark.parametrize("function", [ops.minimum, ops.maximum], ids=["minimum", "maximum"])
@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_two_arguments_are_the_same_on_every_carrier(function: Callable[..., Any], a: float, b: float) -> None:
    sympy = pytest.importorskip("sympy")
    expected = min(a, b) if function is ops.minimum else max(a, b)
    assert function(a, b) == expected
    assert function(numpy.array([a]), b)[0] == expected
    x, y = sympy.symbols("x y", real=True)
    assert function(x, y).subs({x: a, y: b}) == expected
    assert function(quantity(a, "W"), quantity(b, "W")).to("W").magnitude == expected
    with double_precision() as jnp:
        assert float(function(jnp.asarray(a), b)) == expected


@given(finite, finite)
def test_quantities_are_compared_in_one_unit(a: float, b: float) -> None:
    least = ops.minimum(quantity(a, "GB"), quantity(b * 1e3, "MB"))
    assert least.to("GB").magnitude == pytest.approx(min(a, b), rel=1e-12, abs=1e-12)


def test_zero_and_infinity_fit_every_unit_and_other_numbers_none() -> None:
    assert ops.maximum(quantity(2.0, "W"), 0.0).magnitude == 2.0
    assert ops.minimum(math.inf, quantity(2.0, "W")).magnitude == 2.0
    assert ops.minimum(quantity(50.0, "percent"), 1.0).to("").magnitude == 0.5
    with pytest.raises(ValueError, match="pure number"):
        ops.maximum(quantity(2.0, "W"), 1.0)
    with pytest.raises(Exception, match=r"dimension|convert"):
        ops.maximum(quantity(2.0, "W"), quantity(2.0, "byte"))
    with pytest.raises(Exception, match=r"dimension|convert"):
        ops.exp(quantity(2.0, "W"))


def test_the_root_takes_the_root_of_the_unit() -> None:
    assert ops.sqrt(quantity(9.0, "m**2")).to("m").magnitude == 3.0


# ---------------------------------------------------------------------- where


@given(finite, finite, finite)
def test_where_chooses_on_floats_and_arrays(x: float, yes: float, no: float) -> None:
    expected = yes if x > 0.0 else no
    assert ops.where(x > 0.0, yes, no) == expected
    assert ops.where(numpy.array([x > 0.0, x <= 0.0]), yes, no).tolist() == [expected, no if x > 0.0 else yes]
    assert ops.where(numpy.float64(x) > 0.0, yes, no) == expected


def test_where_chooses_on_every_other_carrier() -> None:
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x", real=True)
    piecewise = ops.where(x > 1.0, x, 0.0)
    assert (piecewise.subs(x, 3.0), piecewise.subs(x, 0.5)) == (3.0, 0.0)
    watts = quantity(numpy.array([1.0, 3.0]), "W")
    chosen = ops.where(watts > quantity(2000.0, "mW"), watts, 0.0)
    assert chosen.to("W").magnitude.tolist() == [0.0, 3.0]
    mixed = ops.where(quantity(1.0, "kW") > quantity(2.0, "W"), quantity(1.0, "kW"), quantity(2.0, "W"))
    assert mixed.to("W").magnitude == 1000.0
    with double_precision() as jnp:
        assert ops.where(jnp.asarray([True, False]), 1.0, 2.0).tolist() == [1.0, 2.0]


def test_where_with_a_plain_truth_value_gives_the_side_itself() -> None:
    sentinel = object()
    assert ops.where(True, sentinel, None) is sentinel
    assert ops.where(False, None, sentinel) is sentinel


# ---------------------------------------------------------------------- nan


@pytest.mark.parametrize("function", [ops.minimum, ops.maximum], ids=["minimum", "maximum"])
@pytest.mark.parametrize("arguments", [(math.nan, 1.0), (1.0, math.nan), (math.nan, math.nan), (1, math.nan)], ids=str)
def test_nan_goes_through_the_comparison_on_every_carrier(function: Callable[..., Any], arguments: tuple[float, float]) -> None:
    a, b = arguments
    assert math.isnan(function(a, b))
    assert numpy.isnan(function(numpy.array([a]), b)).all()
    assert math.isnan(function(quantity(float(a), "W"), quantity(float(b), "W")).magnitude)
    with double_precision() as jnp:
        assert math.isnan(function(jnp.asarray(float(a)), b))


@pytest.mark.parametrize("function", [ops.minimum, ops.maximum], ids=["minimum", "maximum"])
def test_nan_goes_through_symbols(function: Callable[..., Any]) -> None:
    sympy = pytest.importorskip("sympy")
    assert function(sympy.nan, sympy.Symbol("x", real=True)) is sympy.nan
    assert function(sympy.Symbol("x", real=True), math.nan) is sympy.nan


@pytest.mark.parametrize("name", UNARY)
def test_nan_goes_through_one_argument(name: str) -> None:
    function = UNARY[name][0]
    assert math.isnan(function(math.nan))
    assert numpy.isnan(function(numpy.array([math.nan, math.nan]))).all()
    assert math.isnan(function(quantity(math.nan, "")).magnitude)
    with double_precision() as jnp:
        assert math.isnan(function(jnp.asarray(math.nan)))


def test_the_position_of_nan_among_many_does_not_matter() -> None:
    for order in itertools.permutations([1.0, math.nan, 3.0, 2.0]):
        assert math.isnan(ops.minimum(*order)) and math.isnan(ops.maximum(*order))


@pytest.mark.parametrize("name", ["ceil", "floor"])
@pytest.mark.parametrize("value", [math.inf, -math.inf])
def test_rounding_keeps_infinity(name: str, value: float) -> None:
    assert UNARY[name][0](value) == value


def test_the_ends_of_exp_log_and_sqrt() -> None:
    with numpy.errstate(all="ignore"):
        assert ops.exp(1000.0) == math.inf and ops.exp(-math.inf) == 0.0
        assert ops.log(0.0) == -math.inf and math.isnan(ops.log(-1.0)) and ops.log(math.inf) == math.inf
        assert math.isnan(ops.sqrt(-1.0)) and ops.sqrt(math.inf) == math.inf


# ---------------------------------------------------------------------- whole numbers


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_whole_numbers_become_floats(a: int, b: int) -> None:
    assert ops.maximum(a, b) == float(max(a, b))
    assert type(ops.minimum(a, b)) is float
    array = ops.minimum(numpy.array([a]), numpy.array([b]))
    assert array.dtype == float and array[0] == float(min(a, b))


@pytest.mark.parametrize("dtype", [numpy.int8, numpy.uint8, numpy.int32, numpy.int64, numpy.uint64])
def test_no_integer_array_wraps(dtype: Any) -> None:
    largest = numpy.array([numpy.iinfo(dtype).max], dtype=dtype)
    for result in (ops.maximum(largest, 1), ops.where(numpy.array([True]), largest, 0), ops.ceil(largest), ops.floor(largest)):
        assert result.dtype == float
        assert (result * 4.0)[0] == pytest.approx(4.0 * numpy.iinfo(dtype).max)


def test_beyond_int64() -> None:
    assert ops.maximum(2**70, 1.0) == 2.0**70
    assert (ops.maximum(numpy.array([2**62]), 1) * 4)[0] == 2.0**64


# ---------------------------------------------------------------------- many arguments, order


@given(st.lists(finite, min_size=2, max_size=6))
def test_many_arguments_fold(values: list[float]) -> None:
    assert ops.minimum(*values) == min(values)
    assert ops.maximum(*values) == max(values)
    arrays = [numpy.array([value, -value]) for value in values]
    assert ops.minimum(*arrays).tolist() == [min(values), -max(values)]


@given(finite, finite, finite)
def test_the_order_of_arguments_does_not_matter(a: float, b: float, c: float) -> None:
    assert ops.minimum(a, b, c) == ops.minimum(c, a, b) == ops.minimum(a, ops.minimum(b, c))
    assert ops.maximum(a, b) == -ops.minimum(-a, -b)


@given(positive, positive)
def test_arrays_and_symbols_mix_with_floats(a: float, b: float) -> None:
    sympy = pytest.importorskip("sympy")
    x = sympy.Symbol("x", positive=True)
    assert float(ops.maximum(x, a).subs(x, b)) == pytest.approx(max(a, b), rel=1e-12)
    assert ops.maximum(a, numpy.array([b]), 0.0)[0] == max(a, b)


@pytest.mark.parametrize("value", ["3 W", None, [1.0, 2.0], 1j, object()], ids=lambda value: type(value).__name__)
def test_what_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=type(value).__name__):
        ops.minimum(value, 1.0)
    with pytest.raises(TypeError, match="ceil"):
        ops.ceil(value)
