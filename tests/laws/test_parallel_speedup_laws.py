"""Laws of parallel speed-up: ends, order, and one law as a case of another."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import parallel_speedup as laws

shares = st.floats(0.0, 1.0)
processors = st.floats(1.0, 1e6)


@given(shares)
def test_one_processor_gives_no_speedup(serial):
    assert laws.amdahl_speedup(serial, 1.0) == pytest.approx(1.0, rel=1e-12)
    assert laws.gustafson_speedup(serial, 1.0) == pytest.approx(1.0, rel=1e-12)
    assert laws.sun_ni_speedup(serial, 1.0, 1.0) == pytest.approx(1.0, rel=1e-12)
    assert laws.usl_capacity(1.0, serial, 0.01) == pytest.approx(1.0, rel=1e-12)
    for law in (laws.hill_marty_symmetric_speedup, laws.hill_marty_asymmetric_speedup, laws.hill_marty_dynamic_speedup):
        assert law(serial, 1.0, 1.0) == pytest.approx(1.0, rel=1e-12)


@given(processors)
def test_the_ends_of_the_serial_share(n):
    assert laws.amdahl_speedup(0.0, n) == pytest.approx(n, rel=1e-12)
    assert laws.gustafson_speedup(0.0, n) == n
    assert laws.amdahl_speedup(1.0, n) == 1.0
    assert laws.gustafson_speedup(1.0, n) == 1.0


@given(st.floats(1e-6, 1.0), processors)
def test_amdahl_is_below_the_processors_and_below_the_serial_limit(serial, n):
    speedup = laws.amdahl_speedup(serial, n)
    assert 1.0 - 1e-12 <= speedup <= min(n, 1.0 / serial) * (1 + 1e-12)
    assert laws.amdahl_speedup(serial, 1e30) == pytest.approx(1.0 / serial, rel=1e-9)


@given(shares, processors)
def test_scaled_work_gains_more_than_fixed_work(serial, n):
    amdahl, gustafson = laws.amdahl_speedup(serial, n), laws.gustafson_speedup(serial, n)
    memory_bounded = laws.sun_ni_speedup(serial, n, n**1.5)
    assert amdahl <= gustafson * (1 + 1e-12)
    assert gustafson <= memory_bounded * (1 + 1e-12)
    assert memory_bounded <= n * (1 + 1e-12)


@given(shares, processors)
def test_sun_ni_holds_amdahl_and_gustafson(serial, n):
    assert laws.sun_ni_speedup(serial, n, 1.0) == pytest.approx(laws.amdahl_speedup(serial, n), rel=1e-12)
    assert laws.sun_ni_speedup(serial, n, n) == pytest.approx(laws.gustafson_speedup(serial, n), rel=1e-12)


@given(shares, processors)
def test_usl_without_coherency_cost_is_amdahl(contention, n):
    assert laws.usl_capacity(n, contention, 0.0) == pytest.approx(laws.amdahl_speedup(contention, n), rel=1e-9)
    assert laws.usl_capacity(n, 0.0, 0.0) == n


@given(st.floats(0.0, 0.9), st.floats(1e-8, 1e-2), st.floats(1.0001, 100.0))
def test_usl_peaks_at_the_best_size(contention, coherency, factor):
    best = laws.usl_best_size(contention, coherency)
    peak = laws.usl_capacity(best, contention, coherency)
    assert laws.usl_capacity(best * factor, contention, coherency) <= peak * (1 + 1e-12)
    assert laws.usl_capacity(best / factor, contention, coherency) <= peak * (1 + 1e-12)


@given(shares, st.floats(1.0, 1024.0))
def test_with_base_cores_alone_all_chips_follow_amdahl(serial, n):
    amdahl = laws.amdahl_speedup(serial, n)
    for law in (laws.hill_marty_symmetric_speedup, laws.hill_marty_asymmetric_speedup, laws.hill_marty_dynamic_speedup):
        assert law(serial, n, 1.0) == pytest.approx(amdahl, rel=1e-12)


@given(shares, st.floats(1.0, 1024.0), shares)
def test_dynamic_beats_asymmetric_beats_symmetric(serial, n, position):
    core = 1.0 + position * (n - 1.0)
    symmetric, asymmetric, dynamic = (
        law(serial, n, core)
        for law in (laws.hill_marty_symmetric_speedup, laws.hill_marty_asymmetric_speedup, laws.hill_marty_dynamic_speedup)
    )
    assert symmetric <= asymmetric * (1 + 1e-12)
    assert asymmetric <= dynamic * (1 + 1e-12)


@given(shares, st.floats(1.0, 1024.0))
def test_one_core_of_the_whole_chip_is_as_fast_as_its_core(serial, n):
    assert laws.hill_marty_symmetric_speedup(serial, n, n) == pytest.approx(n**0.5, rel=1e-12)
    assert laws.hill_marty_asymmetric_speedup(serial, n, n) == pytest.approx(n**0.5, rel=1e-12)


@given(shares, st.lists(processors, min_size=1, max_size=5))
def test_an_array_gives_what_its_elements_give(serial, counts):
    assert list(laws.amdahl_speedup(serial, numpy.array(counts))) == [laws.amdahl_speedup(serial, n) for n in counts]
    assert list(laws.usl_capacity(numpy.array(counts), serial, 1e-4)) == [laws.usl_capacity(n, serial, 1e-4) for n in counts]
