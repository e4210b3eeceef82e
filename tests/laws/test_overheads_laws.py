"""Laws of the overheads: bounds, limits and steps."""

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvscale.formulas import overheads, roofline

seconds = st.floats(1e-9, 1e6)
several = st.lists(seconds, min_size=1, max_size=6)
shares = st.floats(0.0, 1.0)
sizes = st.integers(1, 100_000).map(float)
tiles = st.integers(1, 512).map(float)


@given(several, shares)
def test_partial_overlap_lies_between_maximum_and_sum(times, overlap):
    time = overheads.partial_overlap_time(times, overlap)
    assert max(times) * (1 - 1e-12) <= time <= sum(times) * (1 + 1e-12)
    assert overheads.partial_overlap_time(times, 1.0) == max(times)
    assert overheads.partial_overlap_time(times, 0.0) == sum(times)


@given(several, shares, shares)
def test_more_overlap_is_never_slower(times, one, other):
    low, high = sorted((one, other))
    assert overheads.partial_overlap_time(times, high) <= overheads.partial_overlap_time(times, low) * (1 + 1e-12)


@given(several, shares)
def test_the_sum_is_at_most_count_times_the_maximum(times, overlap):
    assert overheads.partial_overlap_time(times, overlap) <= len(times) * max(times) * (1 + 1e-12)


@given(st.floats(1e6, 1e18), st.floats(1e9, 1e16), st.floats(1.0, 1e12), st.floats(1e6, 1e13))
def test_full_overlap_is_the_roofline(work, peak, traffic, bandwidth):
    times = [work / peak, traffic / bandwidth]
    assert overheads.partial_overlap_time(times) == roofline.roofline_time(work, peak, traffic, bandwidth)


@given(several, st.floats(1.0, 200.0))
def test_smooth_maximum_lies_between_maximum_and_sum(times, sharpness):
    time = overheads.smooth_maximum(times, sharpness)
    assert max(times) * (1 - 1e-12) <= time <= sum(times) * (1 + 1e-12)
    assert time <= max(times) * len(times) ** (1 / sharpness) * (1 + 1e-12)


@given(several)
def test_smooth_maximum_at_the_ends_is_sum_and_maximum(times):
    assert overheads.smooth_maximum(times, 1.0) == pytest.approx(sum(times), rel=1e-12)
    assert overheads.smooth_maximum(times, 1e9) == pytest.approx(max(times), rel=1e-8)


@given(several, st.floats(1.0, 50.0), st.floats(1.0, 10.0))
def test_smooth_maximum_falls_with_sharpness(times, sharpness, factor):
    assert overheads.smooth_maximum(times, sharpness * factor) <= overheads.smooth_maximum(times, sharpness) * (1 + 1e-12)


@given(several, st.floats(1.0, 50.0), st.floats(1e-6, 1e6))
def test_smooth_maximum_scales_with_the_times(times, sharpness, factor):
    scaled = overheads.smooth_maximum([time * factor for time in times], sharpness)
    assert scaled == pytest.approx(factor * overheads.smooth_maximum(times, sharpness), rel=1e-12)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_smooth_maximum_neither_overflows_nor_vanishes(size):
    assert overheads.smooth_maximum([3 * size, 4 * size], 2.0) == pytest.approx(5 * size, rel=1e-12)
    assert overheads.smooth_maximum([size, size], 64.0) == pytest.approx(size * 2 ** (1 / 64), rel=1e-12)


def test_smooth_maximum_of_nothing_to_do_is_zero():
    assert overheads.smooth_maximum([0.0, 0.0], 4.0) == 0.0
    assert overheads.smooth_maximum([0.0, 2.0], 4.0) == 2.0
    table = overheads.smooth_maximum([numpy.array([0.0, 3.0]), numpy.array([0.0, 4.0])], 2.0)
    assert list(table) == [0.0, pytest.approx(5.0)]


@given(st.integers(0, 10_000).map(float), seconds, seconds, seconds)
def test_launches_add_to_the_roofline(launches, launch, compute, memory):
    assert overheads.time_with_launches(0.0, launch, compute, memory) == max(compute, memory)
    time = overheads.time_with_launches(launches, launch, compute, memory)
    assert time == pytest.approx(launches * launch + max(compute, memory), rel=1e-12)
    assert overheads.time_with_launches(launches + 1.0, launch, compute, memory) > time * (1 - 1e-12)


@given(sizes, sizes, tiles, tiles)
def test_tiles_cover_the_product_and_no_more_than_needed(m, n, tile_m, tile_n):
    count = overheads.output_tiles(m, n, tile_m, tile_n)
    assert count == float(int(count))
    assert count * tile_m * tile_n >= m * n
    assert count <= (m / tile_m + 1) * (n / tile_n + 1)
    useful = overheads.tile_utilisation(m, n, tile_m, tile_n)
    assert 0.0 < useful <= 1.0
    assert useful * count * tile_m * tile_n == pytest.approx(m * n, rel=1e-12)


@given(st.integers(1, 200).map(float), st.integers(1, 200).map(float), tiles, tiles)
def test_whole_tiles_lose_nothing(rows, columns, tile_m, tile_n):
    assert overheads.tile_utilisation(rows * tile_m, columns * tile_n, tile_m, tile_n) == 1.0


@given(st.integers(2, 512).map(float), st.integers(1, 200).map(float))
def test_one_row_too_many_costs_a_row_of_tiles(tile, count):
    assert overheads.tile_utilisation(count * tile + 1.0, tile, tile, tile) == pytest.approx((count * tile + 1) / ((count + 1) * tile))


@given(st.integers(1, 100_000).map(float), st.integers(1, 200).map(float))
def test_waves_are_at_most_full_and_at_worst_one_is_lost(count, processors):
    useful = overheads.wave_utilisation(count, processors)
    assert 0.0 < useful <= 1.0
    waves = count / processors
    assert useful >= waves / (waves + 1.0)


@given(st.integers(1, 1000).map(float), st.integers(1, 200).map(float))
def test_whole_waves_lose_nothing(waves, processors):
    assert overheads.wave_utilisation(waves * processors, processors) == 1.0


@given(st.integers(1, 50).map(float), st.integers(2, 200).map(float))
def test_one_tile_too_many_costs_a_wave(waves, processors):
    assume(processors > 1.0)
    full = overheads.wave_utilisation(waves * processors, processors)
    over = overheads.wave_utilisation(waves * processors + 1.0, processors)
    assert over == pytest.approx((waves + 1.0 / processors) / (waves + 1.0), rel=1e-12)
    assert over < full
