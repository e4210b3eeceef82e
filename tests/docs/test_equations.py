"""The equation that a formula page shows "as the code computes it" gives the numbers that the code gives."""

import inspect
import sys
from types import ModuleType
from typing import Any

import pytest

from tests.docs.blocks import ROOT
from tests.formulas.cases import Case, all_cases

for _needed in ("mkdocs", "latex2mathml"):
    pytest.importorskip(_needed)
sympy = pytest.importorskip("sympy")


@pytest.fixture(scope="module")
def formula_pages() -> ModuleType:
    """The part of the site that writes formula pages."""
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    try:
        import formula_pages as module
    finally:
        sys.path.remove(str(ROOT / "docs" / "hooks"))
    return module


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
def test_shown_equation_agrees_with_the_code(case: Case, formula_pages: ModuleType) -> None:
    symbols = formula_pages.symbols_for(case.formula)
    arguments: dict[str, Any] = {}
    values: dict[Any, float] = {}
    for name, symbol in symbols.items():
        given = case.arguments.get(name, inspect.signature(case.formula).parameters[name].default)
        if isinstance(symbol, list):
            arguments[name] = [*given, *given][:2]
            values |= dict(zip(symbol, arguments[name], strict=True))
        else:
            arguments[name] = values[symbol] = given
    shown = formula_pages.tidy(sympy.sympify(case.formula(**symbols)))
    assert float(shown.subs(values)) == pytest.approx(case.formula(**arguments), rel=1e-5)


def test_numbers_are_written_as_people_do(formula_pages: ModuleType) -> None:
    x = sympy.Symbol("x", positive=True)
    ln2 = sympy.log(2)
    root_of_a_third = 0.5773502691896258
    for number, wanted in ((2.0, 2), (-0.125, -sympy.Rational(1, 8)), (1.4426950408889634, 1 / ln2), (root_of_a_third, 1 / sympy.sqrt(3))):
        assert formula_pages.tidy(number * x) == wanted * x
    assert formula_pages.tidy(x + 1e-9) == x + sympy.Float(1e-9, 6)
