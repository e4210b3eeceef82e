"""Trends: known growth is recovered, intervals hold, and the rates of the hardware history are those published of the same snapshot."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.analysis.forecasts import records
from nvscale.evidence.tables import histories, history

YEARS = [2014.0, 2016.5, 2018.0, 2021.0, 2024.5, 2026.0]


@given(st.floats(0.3, 5.0), st.floats(1e-3, 1e15))
@settings(deadline=None)
def test_exact_growth_is_recovered(rate, start):
    trend = nv.fit_trend(YEARS, [start * rate ** (year - 2014) for year in YEARS])
    assert trend.growth.per_year == pytest.approx(rate, rel=1e-9)
    there = trend.at(2035.0)
    assert there.value == pytest.approx(start * rate**21, rel=1e-7)
    assert there.least <= there.low * (1 + 1e-9) <= there.value * (1 + 2e-9) <= there.high * (1 + 3e-9) <= there.most * (1 + 4e-9)


@given(st.floats(0.3, 3.0), st.floats(0.5, 6.0))
@settings(deadline=None, max_examples=25)
def test_exact_saturation_is_recovered(gain, constant):
    values = [math.exp(gain * (1.0 - math.exp(-(year - 2014.0) / constant))) for year in YEARS]
    trend = nv.fit_trend(YEARS, values, shape="saturating")
    assert trend.parameters["time_constant_years"] == pytest.approx(constant, rel=1e-2)
    assert trend.parameters["ln_gain_in_all"] == pytest.approx(gain, rel=1e-2)
    assert trend.at(2100.0).value == pytest.approx(math.exp(gain), rel=1e-2)


def test_intervals_hold_what_they_say():
    random = np.random.default_rng(7)
    inside, one_more = 0, 0
    for _ in range(400):
        values = [1.5 ** (year - 2014) * math.exp(0.3 * random.normal()) for year in YEARS]
        trend = nv.fit_trend(YEARS, values, confidence=0.9)
        there = trend.at(2028.0)
        inside += there.low <= 1.5**14 <= there.high
        one_more += there.least <= 1.5**14 * math.exp(0.3 * random.normal()) <= there.most
    assert 0.86 < inside / 400 < 0.94
    assert 0.86 < one_more / 400 < 0.94


def test_records_rise():
    years, values = records([2020, 2021, 2021, 2022, 2023], [3.0, 2.0, 4.0, 4.0, 9.0])
    assert (years, values) == ([2020, 2021, 2023], [3.0, 4.0, 9.0])


def test_what_would_have_to_be_true():
    trend = nv.fit_trend(YEARS, [1.5 ** (year - 2014) for year in YEARS])
    asked = trend.needed(3.0, 2036.0)
    assert asked.gap == pytest.approx(2.0**10, rel=1e-9)
    assert asked.gap_per_year == pytest.approx(2.0, rel=1e-9)
    assert not asked.is_within
    assert "outside" in str(asked)
    assert [one.year for one in trend.forecast()] == list(range(2027, 2036))


# Regressions on the same snapshot of Epoch AI's data, chips that trained models of note: growth a year and points.
RATES = [
    ({"quantity": "fp32"}, 1.302, 76),
    ({"quantity": "tensor fp16"}, 1.312, 32),
    ({"quantity": "int8"}, 1.280, 24),
    ({"quantity": "fp32", "per": "watt"}, 1.257, 74),
    ({"quantity": "memory bandwidth"}, 1.249, 67),
    ({"quantity": "memory"}, 1.258, 57),
    ({"quantity": "fp32", "per": "dollar"}, 1.10, 30),
]


@pytest.mark.parametrize(("asked", "per_year", "count"), RATES, ids=str)
def test_rates_of_the_history(asked, per_year, count):
    trend = nv.trend(**asked)
    assert trend.growth.per_year == pytest.approx(per_year, abs=0.0051 if per_year == 1.10 else 0.00051)
    assert len(trend.years) == count


def test_published_rates_lie_in_the_intervals_of_the_history():
    """FP16 1.29 a year (Epoch, January 2025), energy efficiency of all GPUs 1.26 (2023), tensor FP16 against FP32 of an H100."""
    tensor = nv.trend("tensor fp16").growth
    assert tensor.low < 1.29 < tensor.high
    watt = nv.trend("fp32", per="watt").growth
    assert watt.low < 1.26 < watt.high


def test_the_price_basis_changes_the_answer_and_is_named():
    first, last = (nv.trend("fp32", per="dollar", price_basis=basis) for basis in ("first purchase", "last purchase"))
    assert first.growth.per_year > 1.05
    assert last.growth.per_year < 0.95
    assert "first purchase" in first.name


def test_what_cannot_be_fitted_is_refused():
    with pytest.raises(nv.MissingFigure, match="fp8"):
        nv.trend("fp8")
    with pytest.raises(nv.UnknownName, match="memory bandwidth"):
        nv.trend("memory bandwith")
    with pytest.raises(nv.UnknownName, match="price basis"):
        nv.trend("fp32", per="dollar", price_basis="list")
    with pytest.raises(nv.InvalidInput, match="needs 4 points"):
        nv.fit_trend([2020.0, 2021.0, 2022.0], [1.0, 2.0, 3.0], shape="saturating")


def test_curves_have_trends_at_every_level():
    for level in ("chip", "system", "datacenter"):
        curves = nv.curves(level=level)
        trend = curves.trend("performance per watt")
        assert trend.growth.per_year == pytest.approx(curves.growth("performance per watt").fitted.per_year, rel=1e-12)


@pytest.mark.parametrize("name", histories())
def test_every_table_says_where_it_comes_from(name):
    table = history(name)
    assert table.rows
    assert all((table.title, table.origin, table.date, table.licence, table.kind))
    widths = {len(row) for row in table.rows}
    assert len(widths) == 1
    assert not any(None in row or None in row.values() for row in table.rows)
