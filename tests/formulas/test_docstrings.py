"""The house form of formula docstrings: sentence, equation, units and shape, assumptions, source, checked example."""

import inspect
import re

import pytest

from nvscale.quantities import formula_units
from tests.formulas.cases import Case, all_cases

every_formula = pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.id)
SECTIONS = ["Parameters", "Returns", "Assumptions", "References", "Examples"]


@every_formula
def test_sections_are_all_there_and_in_order(case: Case) -> None:
    doc = inspect.getdoc(case.formula) or ""
    first, _, rest = doc.partition("\n\n")
    assert first.endswith(".") and "\n" not in first, "one sentence, on one line"
    assert re.search(r"\$\$.+?\$\$", rest, re.S), "an equation between $$"
    found = [name for name in re.findall(r"^(\w+)\n-+$", doc, re.M) if name in SECTIONS]
    assert found == SECTIONS
    assert ">>> " in doc.rpartition("Examples\n")[2]


@every_formula
def test_every_parameter_is_documented_with_its_annotated_unit(case: Case) -> None:
    doc = inspect.getdoc(case.formula) or ""
    documented = dict(re.findall(r"^(\w+) : (.+), broadcast$", doc.partition("Parameters\n")[2].partition("\nReturns\n")[0], re.M))
    units = formula_units(case.formula)
    returned = re.search(r"^Returns\n-+\n(.+), broadcast$", doc, re.M)
    assert returned, "Returns starts with '<unit>, broadcast'"
    assert returned[1] == units.pop("return").text
    expected = {name: f"sequence of {unit[0].text}" if isinstance(unit, list) else unit.text for name, unit in units.items()}
    assert documented == expected
