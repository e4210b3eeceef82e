"""Laws of memory: Little's law both ways, traffic between its bounds, tiles that fit."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import memory

sizes = st.floats(1.0, 1e18)
bandwidths = st.floats(1e6, 1e15)
latencies = st.floats(1e-9, 1e-3)
shares = st.floats(0.01, 1.0)
dimensions = st.integers(1, 65_536).map(float)
element_sizes = st.sampled_from([0.5, 1.0, 2.0, 4.0, 8.0])


@given(sizes, bandwidths, shares)
def test_transfer_time_is_longest_at_the_lowest_efficiency_and_adds_up(data, bandwidth, efficiency):
    full = memory.transfer_time(data, bandwidth)
    assert memory.transfer_time(data, bandwidth, efficiency) >= full * (1 - 1e-12)
    assert memory.transfer_time(data, bandwidth, efficiency) == pytest.approx(memory.transfer_time(data, bandwidth * efficiency), rel=1e-12)
    halves = memory.transfer_time(0.3 * data, bandwidth) + memory.transfer_time(0.7 * data, bandwidth)
    assert halves == pytest.approx(full, rel=1e-12)
    assert memory.transfer_time(0.0, bandwidth) == 0.0


@given(bandwidths, latencies, st.floats(0.0, 10.0))
def test_littles_law_gives_back_the_bandwidth(bandwidth, latency, share):
    needed = memory.bytes_in_flight(bandwidth, latency)
    attained = memory.bandwidth_from_concurrency(needed * share, latency, bandwidth)
    assert attained == pytest.approx(bandwidth * min(1.0, share), rel=1e-12)


@given(sizes, latencies, bandwidths, st.floats(1.0, 100.0))
def test_attained_bandwidth_grows_with_concurrency_and_falls_with_latency(data, latency, bandwidth, factor):
    base = memory.bandwidth_from_concurrency(data, latency, bandwidth)
    assert base <= bandwidth
    assert memory.bandwidth_from_concurrency(data * factor, latency, bandwidth) >= base
    assert memory.bandwidth_from_concurrency(data, latency * factor, bandwidth) <= base
    assert memory.bandwidth_from_concurrency(data, latency, bandwidth * factor) >= base


@given(dimensions, dimensions, dimensions, element_sizes)
def test_compulsory_traffic_is_the_same_for_the_transposed_product(m, n, k, element_size):
    assert memory.compulsory_matmul_traffic(m, n, k, element_size) == memory.compulsory_matmul_traffic(n, m, k, element_size)
    assert memory.compulsory_matmul_traffic(m, n, k, 2 * element_size) == 2 * memory.compulsory_matmul_traffic(m, n, k, element_size)


@given(dimensions, dimensions, dimensions, st.floats(0.001, 1.0), element_sizes)
def test_tiles_move_at_least_the_compulsory_traffic(m, n, k, share, element_size):
    """A tile no larger than the product reads the factors at least once each."""
    tile = max(1.0, share * min(m, n))
    blocked = memory.blocked_matmul_traffic(m, n, k, tile, element_size)
    assert blocked >= memory.compulsory_matmul_traffic(m, n, k, element_size) * (1 - 1e-12)


@given(dimensions, dimensions, element_sizes)
def test_one_tile_of_the_whole_square_product_moves_the_compulsory_traffic(side, k, element_size):
    whole = memory.blocked_matmul_traffic(side, side, k, side, element_size)
    assert whole == pytest.approx(memory.compulsory_matmul_traffic(side, side, k, element_size), rel=1e-12)


@given(dimensions, dimensions, dimensions, st.floats(1.0, 512.0), element_sizes)
def test_larger_tiles_move_less(m, n, k, tile, element_size):
    small = memory.blocked_matmul_traffic(m, n, k, tile, element_size)
    assert memory.blocked_matmul_traffic(m, n, k, 2.0 * tile, element_size) < small
    product = m * n * element_size
    assert memory.blocked_matmul_traffic(m, n, k, 1e30, element_size) == pytest.approx(product, rel=1e-9)


@given(sizes, element_sizes)
def test_three_tiles_fill_the_fast_memory(fast_memory, element_size):
    side = memory.square_tile_side(fast_memory, element_size)
    assert 3.0 * side**2 * element_size == pytest.approx(fast_memory, rel=1e-12)
    assert memory.square_tile_side(4.0 * fast_memory, element_size) == pytest.approx(2.0 * side, rel=1e-12)


@given(sizes, sizes, shares)
def test_units_hold_the_data(data, capacity, usable):
    units = memory.units_to_hold(data, capacity, usable)
    assert units * capacity * usable == pytest.approx(data, rel=1e-12)
    assert units >= memory.units_to_hold(data, capacity) * (1 - 1e-12)


@given(st.lists(sizes, min_size=1, max_size=5), bandwidths)
def test_an_array_gives_what_its_elements_give(data, bandwidth):
    assert list(memory.transfer_time(numpy.array(data), bandwidth)) == [memory.transfer_time(one, bandwidth) for one in data]
