"""Laws of machine balance: lower bounds under real traffic, growth with the square, ECM saturation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import machine_balance, memory

dimensions = st.integers(64, 65_536).map(float)
fast_memories = st.floats(1e3, 1e8)
element_sizes = st.sampled_from([0.5, 1.0, 2.0, 4.0, 8.0])
seconds = st.floats(1e-12, 1.0)
transfers = st.lists(seconds, min_size=1, max_size=4)


@given(dimensions, dimensions, dimensions, fast_memories, element_sizes)
def test_no_tiling_moves_less_than_the_lower_bound(m, n, k, fast_memory, element_size):
    """Square tiles as large as the fast memory hold the product alone; what is left out only helps them."""
    bound = machine_balance.matmul_traffic_lower_bound(m, n, k, fast_memory, element_size)
    tile = (fast_memory / element_size) ** 0.5
    assert bound >= 0.0
    assert bound <= memory.blocked_matmul_traffic(m, n, k, tile, element_size) * (1 + 1e-12)


@given(st.floats(100.0, 1e6), fast_memories, element_sizes)
def test_large_products_come_close_to_the_bound(size, fast_memory, element_size):
    tile = (fast_memory / element_size) ** 0.5
    side = size * tile
    bound = machine_balance.matmul_traffic_lower_bound(side, side, side, fast_memory, element_size)
    assert memory.blocked_matmul_traffic(side, side, side, tile, element_size) == pytest.approx(bound, rel=2.0 / size)


@given(dimensions, fast_memories, element_sizes, st.floats(1.0, 10.0))
def test_more_fast_memory_never_raises_the_bound(size, fast_memory, element_size, factor):
    base = machine_balance.matmul_traffic_lower_bound(size, size, size, fast_memory, element_size)
    assert machine_balance.matmul_traffic_lower_bound(size, size, size, fast_memory * factor, element_size) <= base * (1 + 1e-12)


@given(dimensions, dimensions, dimensions, fast_memories, element_sizes)
def test_the_bound_does_not_depend_on_the_order_of_dimensions(m, n, k, fast_memory, element_size):
    bounds = [machine_balance.matmul_traffic_lower_bound(*d, fast_memory, element_size) for d in ((m, n, k), (k, m, n), (n, k, m))]
    assert bounds[1:] == pytest.approx(bounds[:-1], rel=1e-9, abs=1e-3)


@given(fast_memories, st.floats(1.0, 20.0))
def test_balanced_memory_keeps_the_traffic_rate(fast_memory, growth):
    """With alpha squared the memory, traffic per operation falls by alpha (leading term of the bound)."""
    grown = machine_balance.kung_memory_for_balance(fast_memory, growth)
    side = 1e9
    before, after = (machine_balance.matmul_traffic_lower_bound(side, side, side, size, 2.0) for size in (fast_memory, grown))
    assert before / after == pytest.approx(growth, rel=1e-6)


@given(fast_memories, st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_balance_can_be_kept_in_two_steps(fast_memory, one, other):
    twice = machine_balance.kung_memory_for_balance(machine_balance.kung_memory_for_balance(fast_memory, one), other)
    assert twice == pytest.approx(machine_balance.kung_memory_for_balance(fast_memory, one * other), rel=1e-12)
    assert machine_balance.kung_memory_for_balance(fast_memory, 1.0) == fast_memory


@given(seconds, seconds, transfers)
def test_ecm_time_lies_between_the_longest_part_and_the_sum(overlapping, loads, times):
    time = machine_balance.ecm_time(overlapping, loads, times)
    assert time >= max(overlapping, loads, *times)
    assert time <= (overlapping + loads + sum(times)) * (1 + 1e-12)


@given(seconds, seconds, transfers, seconds)
def test_data_further_away_is_never_faster(overlapping, loads, times, further):
    assert machine_balance.ecm_time(overlapping, loads, [*times, further]) >= machine_balance.ecm_time(overlapping, loads, times)
    assert machine_balance.ecm_time(overlapping, loads, []) == max(overlapping, loads)


@given(st.floats(1.0, 1e6), seconds, seconds, transfers)
def test_ecm_saturates_at_the_saturation_cores(work, overlapping, loads, times):
    single = machine_balance.ecm_time(overlapping, loads, times)
    cores = machine_balance.ecm_saturation_cores(single, times[-1])
    roof = work / times[-1]
    assert machine_balance.ecm_multicore_rate(cores, work, single, times[-1]) == pytest.approx(roof, rel=1e-9)
    assert machine_balance.ecm_multicore_rate(1.0, work, single, times[-1]) == pytest.approx(work / single, rel=1e-9)
    assert machine_balance.ecm_multicore_rate(cores - 1.0, work, single, times[-1]) <= roof


@given(st.integers(1, 200).map(float), st.floats(1.0, 1e6), seconds, st.floats(0.01, 1.0))
def test_more_cores_are_never_slower_and_at_best_linear(cores, work, single, share):
    one, several, more = (machine_balance.ecm_multicore_rate(n, work, single, single * share) for n in (1.0, cores, cores + 1.0))
    assert several <= more
    assert several <= cores * one * (1 + 1e-12)
