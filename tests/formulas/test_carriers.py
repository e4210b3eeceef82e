"""Five carriers agree: every public formula gives the same number for floats, arrays, symbols, tracers and quantities."""

from typing import Any

import numpy
import pytest

from nvscale.quantities import formula_units, registry
from tests.formulas.cases import Case, all_cases, in_each_number

CASES = all_cases()
every_formula = pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
FACTORS = numpy.array([1.0, 1.0625, 0.9375])


@every_formula
def test_floats_give_a_float(case: Case) -> None:
    value = case.formula(**case.arguments)
    assert type(value) is float, f"{type(value)}"
    assert numpy.isfinite(value)


@every_formula
def test_ints_give_the_same_as_floats(case: Case) -> None:
    whole = in_each_number(case.arguments, lambda _, v: int(v) if float(v).is_integer() and abs(v) < 2**53 else v)
    assert case.formula(**whole) == pytest.approx(case.formula(**case.arguments), rel=1e-12, abs=0.0)


@every_formula
def test_arrays_agree_with_floats_point_by_point(case: Case) -> None:
    arrays = in_each_number(case.arguments, lambda _, v: numpy.array([_moved(v, f) for f in FACTORS]))
    values = numpy.broadcast_to(case.formula(**arrays), FACTORS.shape)
    for i, factor in enumerate(FACTORS):
        expected = case.formula(**in_each_number(case.arguments, lambda _, v, f=factor: _moved(v, f)))
        assert values[i] == pytest.approx(expected, rel=1e-12, abs=0.0)


def _moved(value: float, factor: float) -> float:
    """A nearby value: whole numbers and the ends 0 and 1 of shares stay, so that every range is kept."""
    return float(value) if float(value).is_integer() else float(value) * float(factor)


@every_formula
def test_arrays_broadcast(case: Case) -> None:
    """One argument as a column, the others as a row, give a table."""
    names = [name for name, value in case.arguments.items() if not isinstance(value, list | tuple)]
    if len(names) < 2:
        return
    table = dict(case.arguments)
    table[names[0]] = numpy.full((3, 1), case.arguments[names[0]])
    table[names[1]] = numpy.full((1, 4), case.arguments[names[1]])
    result = numpy.asarray(case.formula(**table))
    assert numpy.broadcast_to(result, (3, 4)) == pytest.approx(case.formula(**case.arguments), rel=1e-12, abs=0.0)


@every_formula
def test_symbols_agree_with_floats(case: Case) -> None:
    sympy = pytest.importorskip("sympy")
    values: dict[Any, float] = {}

    def as_symbol(name: str, value: float) -> Any:
        symbol = sympy.Symbol(name, positive=True) if value > 0 else sympy.Symbol(name, real=True)
        values[symbol] = value
        return symbol

    expression = case.formula(**in_each_number(case.arguments, as_symbol))
    assert float(sympy.sympify(expression).subs(values)) == pytest.approx(case.formula(**case.arguments), rel=1e-9, abs=0.0)


@every_formula
def test_tracers_agree_with_floats(case: Case) -> None:
    jax = pytest.importorskip("jax")
    with jax.experimental.enable_x64() if hasattr(jax.experimental, "enable_x64") else jax.enable_x64(True):
        value = jax.jit(case.formula)(**in_each_number(case.arguments, lambda _, v: float(v)))
    assert float(value) == pytest.approx(case.formula(**case.arguments), rel=1e-9, abs=0.0)


@every_formula
def test_quantities_agree_with_floats_and_have_the_annotated_dimension(case: Case) -> None:
    units = formula_units(case.formula)

    def as_quantity(name: str, value: float) -> Any:
        unit = units[name] if name in units else units[name.rpartition("_")[0]][0]
        return registry().Quantity(value, "" if unit.text == "1" else unit.text)

    result = case.formula(**in_each_number(case.arguments, as_quantity))
    wanted = "" if units["return"].text == "1" else units["return"].text
    number = registry().Quantity(result).to(wanted).magnitude
    assert float(number) == pytest.approx(case.formula(**case.arguments), rel=1e-9, abs=0.0)


def test_every_formula_has_annotated_units() -> None:
    for case in CASES:
        units = formula_units(case.formula)
        assert "return" in units, case.id
        assert all(unit is not None for unit in units.values()), case.id
