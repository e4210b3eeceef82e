"""Bad input gets a typed error with advice: it names the field, what was given, and what is allowed or nearest."""

import pytest

import nvscale as nv
from tests.errors import figures, files, names
from tests.errors.cases import Case

CASES = [*names.CASES, *figures.CASES, *files.CASES]


def test_the_table_is_long_and_its_cases_differ() -> None:
    assert len(CASES) >= 70
    assert len({case.id for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_bad_input_is_refused_with_advice(case: Case) -> None:
    with pytest.raises(nv.NvscaleError) as caught:
        case.call()
    assert isinstance(caught.value, case.error)
    message = str(caught.value)
    assert [text for text in case.says if text not in message] == [], message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_message_is_a_short_plain_line(case: Case) -> None:
    with pytest.raises(nv.NvscaleError) as caught:
        case.call()
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) <= 500
    inside = [text for text in ("np.float64", "instance of ", "entryfigures", "object at 0x", "<class", "Errno") if text in message]
    assert not inside, message
    assert not message.rstrip().endswith((";", ":", ",")), message


def test_errors_are_what_the_drawing_shows() -> None:
    """The tree in the docstring of nvscale.errors."""
    assert issubclass(nv.InvalidInput, nv.NvscaleError) and issubclass(nv.InvalidInput, ValueError)
    assert issubclass(nv.WrongUnit, nv.InvalidInput)
    assert issubclass(nv.CatalogueError, nv.InvalidInput)
    assert issubclass(nv.UnknownName, nv.NvscaleError) and issubclass(nv.UnknownName, LookupError)
    assert issubclass(nv.MissingFigure, nv.NvscaleError) and issubclass(nv.MissingFigure, LookupError)
    assert issubclass(nv.MissingPrecision, nv.MissingFigure)
    assert issubclass(nv.MissingDependency, nv.NvscaleError) and issubclass(nv.MissingDependency, ImportError)


def test_kinds_of_errors_do_not_overlap() -> None:
    assert not issubclass(nv.UnknownName, ValueError) and not issubclass(nv.MissingFigure, ValueError)
    assert not issubclass(nv.InvalidInput, LookupError) and not issubclass(nv.MissingDependency, ValueError)
    assert not issubclass(nv.UnknownName, KeyError), "str() of a KeyError puts quotes round the message"
