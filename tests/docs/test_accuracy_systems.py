"""Whole systems: predictions lie in the band of systems, and the pages of laws and power say what was found."""

import sys
from types import ModuleType

import pytest

from nvscale.truth.roofline_law import exceptions
from tests.docs.blocks import ROOT


@pytest.fixture(scope="module")
def systems() -> ModuleType:
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    try:
        import accuracy_law
        import accuracy_power
        import accuracy_systems as module
    finally:
        sys.path.remove(str(ROOT / "docs" / "hooks"))
    module.law, module.power = accuracy_law, accuracy_power
    return module


def test_predictions_lie_inside_the_bands_but_one(systems: ModuleType) -> None:
    rows = [systems._row(row) for row in systems.bands()]
    assert [(row[0], row[1]) for row in rows if row[-1] != "yes"] == [("conjugate gradients", "h100-sxm-94gb")]
    assert f"{len(rows) - 1} of {len(rows)} predictions" in systems.systems_page()


def test_every_exception_stands_on_its_page(systems: ModuleType) -> None:
    text = systems.law.law_page()
    assert text.count("<tr><td>") == len(exceptions()) + len({(one.kind, one.reason) for one in exceptions()})


def test_power_is_shown_against_the_rated_one(systems: ModuleType) -> None:
    text = systems.power.power_table()
    assert text.count("<tr><td>serving") == 4 and text.count("<tr><td>kernels") == 1
