"""Laws of the rooflines: bounds, monotonicity, limits, and equalities between formulas."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import roofline

rates = st.floats(1e9, 1e18)
bandwidths = st.floats(1e6, 1e15)
works = st.floats(1e3, 1e24)
traffics = st.floats(1.0, 1e18)
intensities = st.floats(1e-3, 1e6)
shares = st.floats(0.01, 1.0)
levels = st.lists(st.tuples(traffics, bandwidths), min_size=1, max_size=5)


@given(intensities, rates, bandwidths)
def test_attainable_is_below_both_roofs_and_on_one(intensity, peak, bandwidth):
    value = roofline.attainable(intensity, peak, bandwidth)
    assert value <= peak
    assert value <= intensity * bandwidth
    assert value in (peak, intensity * bandwidth)


@given(intensities, rates, bandwidths, st.floats(1.0, 100.0))
def test_attainable_never_falls_when_a_resource_grows(intensity, peak, bandwidth, growth):
    base = roofline.attainable(intensity, peak, bandwidth)
    assert roofline.attainable(intensity * growth, peak, bandwidth) >= base
    assert roofline.attainable(intensity, peak * growth, bandwidth) >= base
    assert roofline.attainable(intensity, peak, bandwidth * growth) >= base


@given(intensities, rates, bandwidths)
def test_attained_share_is_attainable_over_peak(intensity, peak, bandwidth):
    share = roofline.attained_share(intensity, peak, bandwidth)
    assert 0.0 < share <= 1.0
    assert share * peak == pytest.approx(roofline.attainable(intensity, peak, bandwidth), rel=1e-12)


@given(rates, bandwidths, st.floats(1.01, 1000.0))
def test_the_peak_is_reached_from_the_ridge_point_on(peak, bandwidth, factor):
    ridge = roofline.ridge_point(peak, bandwidth)
    assert roofline.attainable(ridge * factor, peak, bandwidth) == peak
    assert roofline.attainable(ridge / factor, peak, bandwidth) == pytest.approx(peak / factor, rel=1e-12)


@given(works, rates, traffics, bandwidths)
def test_time_times_rate_is_work(work, peak, traffic, bandwidth):
    intensity = roofline.operational_intensity(work, traffic)
    time = roofline.roofline_time(work, peak, traffic, bandwidth)
    assert time * roofline.attainable(intensity, peak, bandwidth) == pytest.approx(work, rel=1e-12)


@given(works, rates, traffics, bandwidths, st.floats(1e-3, 1e3))
def test_time_scales_with_the_problem_and_against_the_machine(work, peak, traffic, bandwidth, factor):
    base = roofline.roofline_time(work, peak, traffic, bandwidth)
    assert roofline.roofline_time(work * factor, peak, traffic * factor, bandwidth) == pytest.approx(base * factor, rel=1e-12)
    assert roofline.roofline_time(work, peak * factor, traffic, bandwidth * factor) == pytest.approx(base / factor, rel=1e-12)


@given(works, rates, shares)
def test_compute_time_is_longer_at_lower_efficiency(work, peak, efficiency):
    assert roofline.compute_time(work, peak, efficiency) * efficiency == pytest.approx(roofline.compute_time(work, peak), rel=1e-12)


@given(works, rates, traffics, bandwidths)
def test_one_level_is_the_classic_roofline(work, peak, traffic, bandwidth):
    assert roofline.hierarchical_time(work, peak, [traffic], [bandwidth]) == roofline.roofline_time(work, peak, traffic, bandwidth)
    intensity = work / traffic
    classic = roofline.attainable(intensity, peak, bandwidth)
    assert roofline.hierarchical_attainable([intensity], peak, [bandwidth]) == classic
    assert roofline.cache_aware_attainable(intensity, peak, [bandwidth], [1.0]) == pytest.approx(classic, rel=1e-12)
    assert roofline.networked_attainable(intensity, peak, bandwidth, [], []) == classic
    assert roofline.attainable_under_ceilings(intensity, peak, bandwidth, [], []) == classic
    assert roofline.attainable_under_ceilings(intensity, peak, bandwidth, [1.0], [1.0]) == classic


@given(works, rates, levels)
def test_hierarchical_rate_is_work_over_hierarchical_time(work, peak, levels):
    traffic, level_bandwidths = zip(*levels, strict=True)
    time = roofline.hierarchical_time(work, peak, traffic, level_bandwidths)
    rate = roofline.hierarchical_attainable([work / data for data in traffic], peak, level_bandwidths)
    assert rate * time == pytest.approx(work, rel=1e-12)


@given(works, rates, levels, traffics, bandwidths)
def test_another_level_never_helps(work, peak, levels, more_traffic, more_bandwidth):
    traffic, level_bandwidths = zip(*levels, strict=True)
    base = roofline.hierarchical_time(work, peak, traffic, level_bandwidths)
    assert roofline.hierarchical_time(work, peak, [*traffic, more_traffic], [*level_bandwidths, more_bandwidth]) >= base


@given(works, rates, levels)
def test_the_order_of_levels_does_not_matter(work, peak, levels):
    forward = roofline.hierarchical_time(work, peak, *zip(*levels, strict=True))
    backward = roofline.hierarchical_time(work, peak, *zip(*reversed(levels), strict=True))
    assert forward == backward


@given(intensities, rates, bandwidths, st.lists(shares, max_size=3), st.lists(shares, max_size=3))
def test_a_ceiling_never_helps_and_only_the_lowest_counts(intensity, peak, bandwidth, compute, memory):
    value = roofline.attainable_under_ceilings(intensity, peak, bandwidth, compute, memory)
    assert roofline.attainable_under_ceilings(intensity, peak, bandwidth, [*compute, 0.7], memory) <= value
    assert roofline.attainable_under_ceilings(intensity, peak, bandwidth, compute, [*memory, 0.7]) <= value
    lowest = roofline.attainable(intensity, peak * min([1.0, *compute]), bandwidth * min([1.0, *memory]))
    assert value == pytest.approx(lowest, rel=1e-12)


@given(intensities, rates, bandwidths, bandwidths, st.floats(0.0, 1.0))
def test_a_mix_of_levels_lies_between_their_roofs(intensity, peak, one, other, share):
    mixed = roofline.cache_aware_attainable(intensity, peak, [one, other], [share, 1.0 - share])
    roofs = [roofline.attainable(intensity, peak, bandwidth) for bandwidth in (one, other)]
    assert min(roofs) * (1 - 1e-12) <= mixed <= max(roofs) * (1 + 1e-12)


@given(intensities, rates, bandwidths, intensities, bandwidths)
def test_a_network_tier_binds_only_below_the_other_roofs(intensity, peak, bandwidth, tier_intensity, tier_bandwidth):
    alone = roofline.attainable(intensity, peak, bandwidth)
    value = roofline.networked_attainable(intensity, peak, bandwidth, [tier_intensity], [tier_bandwidth])
    assert value == min(alone, tier_intensity * tier_bandwidth)


@given(rates, rates, st.floats(0.0, 1.0))
def test_mixed_rate_lies_between_the_rates_and_times_add(one, other, share):
    mixed = roofline.mixed_precision_rate([share, 1.0 - share], [one, other])
    assert min(one, other) * (1 - 1e-12) <= mixed <= max(one, other) * (1 + 1e-12)
    work = 1e15
    parts = roofline.compute_time(work * share, one) + roofline.compute_time(work * (1.0 - share), other)
    assert work / mixed == pytest.approx(parts, rel=1e-9)


@given(works, rates, st.floats(1e-9, 1.0))
def test_hockney_time_is_start_up_plus_work_over_peak(work, peak, startup):
    half = roofline.hockney_half_size(peak, startup)
    rate = roofline.hockney_rate(work, peak, half)
    assert work / rate == pytest.approx(startup + work / peak, rel=1e-9)
    assert roofline.hockney_rate(half, peak, half) == pytest.approx(peak / 2, rel=1e-12)
    assert rate <= peak


@given(works, rates)
def test_hockney_without_start_up_is_the_peak(work, peak):
    assert roofline.hockney_rate(work, peak, 0.0) == pytest.approx(peak, rel=1e-12)
    assert roofline.hockney_rate(0.0, peak, work) == 0.0


@given(st.floats(1e-3, 1e3), st.floats(1e9, 1e13), st.floats(1e9, 1e13))
def test_instruction_roofline_has_the_shape_of_the_classic_one(intensity, peak, bandwidth):
    assert roofline.instruction_attainable(intensity, peak, bandwidth) == roofline.attainable(intensity, peak, bandwidth)


@given(works, rates, traffics, bandwidths, st.lists(st.floats(0.1, 10.0), min_size=1, max_size=5))
def test_an_array_gives_what_its_elements_give(work, peak, traffic, bandwidth, factors):
    times = roofline.roofline_time(work * numpy.array(factors), peak, traffic, bandwidth)
    assert list(times) == [roofline.roofline_time(work * factor, peak, traffic, bandwidth) for factor in factors]


def test_levels_must_match():
    with pytest.raises(ValueError, match="shorter"):
        roofline.hierarchical_time(1e12, 1e15, [1e9, 2e9], [1e12])
