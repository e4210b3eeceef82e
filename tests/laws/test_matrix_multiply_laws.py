"""Laws of matrix multiplies and of passes: sums, bounds, limits, monotonicity."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import matrix_multiply, memory, passes, roofline

lengths = st.integers(1, 100_000).map(float)
sizes = st.floats(0.25, 8.0)
seconds = st.floats(1e-9, 1.0)
shares = st.floats(0.0, 1.0)
positive = st.floats(0.05, 4.0)


@given(lengths, lengths, lengths, lengths)
def test_work_of_two_halves_is_the_work_of_the_whole(m, n, k, more):
    whole = matrix_multiply.multiply_work(m, n, k + more)
    assert whole == pytest.approx(matrix_multiply.multiply_work(m, n, k) + matrix_multiply.multiply_work(m, n, more))


@given(lengths, lengths, lengths, sizes)
def test_traffic_of_equal_sizes_is_the_compulsory_traffic(m, n, k, size):
    traffic = matrix_multiply.multiply_traffic(m, n, k, size, size, size)
    assert traffic == pytest.approx(memory.compulsory_matmul_traffic(m, n, k, size))


@given(lengths, lengths, lengths, sizes, sizes)
def test_transposing_swaps_weights_and_activations(m, n, k, one, other):
    assert matrix_multiply.multiply_traffic(m, n, k, one, other, 2.0) == pytest.approx(
        matrix_multiply.multiply_traffic(n, m, k, other, one, 2.0)
    )


@given(lengths, lengths, st.floats(1.0, 2000.0), positive)
def test_wave_loss_is_at_least_one_and_below_the_count_of_idle_units(m, n, units, exposure):
    loss = matrix_multiply.wave_loss(m, n, units, exposure, 128.0, 256.0)
    assert loss >= 1.0 - 1e-12
    assert loss <= max(units, 1.0) ** exposure * (1.0 + 1e-9) * 2.0**exposure


@given(st.integers(1, 50), st.integers(1, 50), positive)
def test_whole_waves_lose_nothing(waves, units, exposure):
    assert matrix_multiply.wave_loss(128.0 * waves, 256.0 * units, float(units), exposure, 128.0, 256.0) == pytest.approx(1.0)


@given(lengths, lengths, st.floats(1.0, 2000.0))
def test_without_exposure_waves_do_not_count(m, n, units):
    assert matrix_multiply.wave_loss(m, n, units, 0.0, 128.0, 256.0) == 1.0


@given(st.floats(1.0, 1e10), st.floats(0.0, 1e10), st.floats(0.0, 1e9), st.integers(1, 8).map(float))
def test_what_is_cached_fits_and_a_larger_cache_holds_no_less(weights, others, cache, copies):
    cached = matrix_multiply.cached_share(weights, others, cache, copies)
    assert cached in (0.0, 1.0)
    if cached:
        assert weights + others <= cache
    assert matrix_multiply.cached_share(weights, others, cache, copies + 1.0) <= cached


def test_nothing_is_cached_without_a_cache():
    assert matrix_multiply.cached_share(1.0, 1.0, 0.0) == 0.0


@given(st.floats(1.0, 1e12), st.floats(1e9, 1e13), positive, shares, st.floats(1.0, 20.0))
def test_a_cache_speeds_up_by_at_most_its_gain(traffic, bandwidth, efficiency, cached, gain):
    cold = matrix_multiply.memory_time(traffic, bandwidth, efficiency)
    warm = matrix_multiply.memory_time(traffic, bandwidth, efficiency, cached, gain)
    assert cold == pytest.approx(memory.transfer_time(traffic, bandwidth, efficiency))
    assert cold / gain * (1.0 - 1e-12) <= warm <= cold * (1.0 + 1e-12)


@given(seconds, seconds)
def test_filling_adds_less_than_either_and_at_least_half_the_smaller(busy, limit):
    added = matrix_multiply.filling_time(busy, limit)
    assert min(busy, limit) / 2.0 * (1.0 - 1e-12) <= added <= min(busy, limit)


@given(seconds)
def test_without_a_limit_nothing_is_added(busy):
    assert matrix_multiply.filling_time(busy, 0.0) == 0.0


@given(lengths, seconds)
def test_chains_add_along_the_inner_length(k, step):
    twice = matrix_multiply.serial_chain_time(2.0 * k, step)
    assert twice == pytest.approx(2.0 * matrix_multiply.serial_chain_time(k, step))


@given(st.floats(1.0, 1e12), st.floats(1e9, 1e13), positive, seconds, st.floats(1.0, 50.0))
def test_a_pass_lies_between_its_longer_part_and_their_sum(traffic, bandwidth, efficiency, launch, sharpness):
    stream = memory.transfer_time(traffic, bandwidth, efficiency)
    time = passes.pass_time(traffic, bandwidth, efficiency, launch, sharpness)
    assert max(stream, launch) * (1.0 - 1e-9) <= time <= (stream + launch) * (1.0 + 1e-9)
    assert passes.pass_time(traffic, bandwidth, efficiency, launch) == pytest.approx(stream + launch)


@given(lengths, lengths)
def test_rows_are_read_twice_at_the_doubling_length(row, doubling):
    assert passes.row_reread_factor(doubling, doubling) == 2.0
    assert passes.row_reread_factor(row, float("inf")) == 1.0


@given(lengths, sizes, sizes)
def test_traffic_of_a_pass_adds_over_its_elements(elements, read, write):
    assert passes.pass_traffic(2.0 * elements, read, write) == pytest.approx(2.0 * passes.pass_traffic(elements, read, write))


@given(lengths, lengths, lengths)
def test_the_roofline_is_a_lower_bound_of_the_two_times(m, n, k):
    work = matrix_multiply.multiply_work(m, n, k)
    traffic = matrix_multiply.multiply_traffic(m, n, k, 2.0, 2.0, 2.0)
    time = roofline.roofline_time(work, 1e15, traffic, 3e12)
    assert time >= work / 1e15 * (1 - 1e-12) and time >= matrix_multiply.memory_time(traffic, 3e12) * (1 - 1e-12)


@given(lengths, lengths, sizes)
def test_quantisation_moves_each_element_once(m, k, moved):
    assert matrix_multiply.quantisation_traffic(m, k, moved) == pytest.approx(m * k * moved)
