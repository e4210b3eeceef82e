"""Any text at all: it is understood, or refused by a typed error; nothing else ever comes out."""

import contextlib
import math
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.catalogue.figures import calendar_year
from nvscale.units import ATOMS, Unit, parse_unit

symbols = st.sampled_from([*ATOMS, "G", "M", "Ki", "/", "*", "**", "^", "(", ")", " ", "-", "2", "1/2", "-1", "·", "e9", ".5", "$"])
unit_like = st.lists(symbols, max_size=8).map("".join)
texts = st.one_of(st.text(max_size=12), unit_like, st.text(string.printable, max_size=12))


@given(texts)
@example("W**")
@example("kW**99999999999999999999")
@example("W**1/0")
@example("m**0.5")
@example("((")
@example("/W")
@example("W**-99999999")
def test_a_unit_is_read_or_refused(text: str) -> None:
    try:
        factor, dimension = parse_unit(text)
    except nv.WrongUnit as problem:
        assert str(problem)
        return
    assert factor > 0
    assert all(power for _, power in dimension)


@given(st.one_of(texts, st.builds("{} {}".format, st.floats(), unit_like), st.builds("{}{}".format, st.integers(), unit_like)))
@example("1e999999999 W")
@example("1,2,,3 W")
@example("١٢ W")
@example("1_000 W")
def test_a_figure_is_read_or_refused(text: str) -> None:
    for unit in (Unit("W", ">=0"), Unit("byte/s"), Unit("1", ">=1")):
        try:
            value = unit.si(text, "figure")
        except nv.InvalidInput as problem:
            assert str(problem).startswith("figure: ")
            continue
        assert type(value) is float
        assert 0.0 <= value < math.inf


@given(texts)
@example("")
@example(" ")
@example("--")
def test_a_name_is_found_or_refused(text: str) -> None:
    catalogue = nv.catalogue.default()
    for find in (catalogue.chip, catalogue.network, catalogue.system, nv.precision):
        with contextlib.suppress(nv.UnknownName):
            assert find(text).name


@given(st.one_of(texts, st.from_regex(r"[0-9]{1,4}(-[0-9]{1,2}){0,3}", fullmatch=True), st.integers(), st.floats()))
@example("2022-10-31-5")
@example("-2022")
def test_a_date_is_read_or_refused(given_date: Any) -> None:
    try:
        year = calendar_year(given_date)
    except nv.InvalidInput as problem:
        assert "is not a date" in str(problem)
        return
    assert 1900.0 < year < 2201.0


@given(st.dictionaries(st.sampled_from(["chips", "systems", "networks", "prices", "x"]), st.one_of(st.integers(), texts), max_size=2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_file_of_anything_is_refused(tmp_path: Path, tables: dict[str, Any]) -> None:
    path = tmp_path / "any.toml"
    path.write_text("".join(f"{key} = {value!r}\n" for key, value in tables.items()), encoding="utf-8")
    with pytest.raises(nv.CatalogueError, match=r"any\.toml"):
        nv.load(path)


@given(st.one_of(st.none(), st.booleans(), st.binary(max_size=4), st.complex_numbers(), st.lists(st.floats(), max_size=3), st.dates()))
def test_what_is_no_figure_is_refused(value: Any) -> None:
    with pytest.raises(nv.InvalidInput, match="memory"):
        nv.chip("H100").replace(memory=False if value is None else value)
