"""Laws of messages and links: bounds, limits, half sizes, and equalities between models."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import interconnect, memory

sizes = st.floats(1.0, 1e12)
bandwidths = st.floats(1e6, 1e13)
latencies = st.floats(0.0, 1e-2)
positive_latencies = st.floats(1e-9, 1e-2)
counts = st.integers(1, 4096).map(float)


@given(sizes, bandwidths, latencies)
def test_a_message_takes_at_least_its_transfer_and_its_latency(size, bandwidth, latency):
    time = interconnect.point_to_point_time(size, bandwidth, latency)
    assert time >= latency
    assert time >= memory.transfer_time(size, bandwidth)
    assert interconnect.point_to_point_time(size, bandwidth, 0.0) == memory.transfer_time(size, bandwidth)


@given(sizes, bandwidths, latencies)
def test_bandwidth_times_time_is_size(size, bandwidth, latency):
    rate = interconnect.point_to_point_bandwidth(size, bandwidth, latency)
    assert rate * interconnect.point_to_point_time(size, bandwidth, latency) == pytest.approx(size, rel=1e-12)
    assert rate <= bandwidth * (1 + 1e-12)


@given(bandwidths, positive_latencies, st.floats(0.01, 0.99))
def test_the_message_size_for_a_share_reaches_it(bandwidth, latency, share):
    size = interconnect.message_size_for_share(share, bandwidth, latency)
    assert interconnect.point_to_point_bandwidth(size, bandwidth, latency) == pytest.approx(share * bandwidth, rel=1e-9)
    half = interconnect.half_bandwidth_message_size(bandwidth, latency)
    assert interconnect.point_to_point_time(half, bandwidth, latency) == pytest.approx(2.0 * latency, rel=1e-12)


@given(sizes, counts, bandwidths, positive_latencies)
def test_one_message_in_flight_is_the_plain_message_and_enough_fill_the_path(size, count, bandwidth, latency):
    alone = interconnect.point_to_point_bandwidth(size, bandwidth, latency)
    assert interconnect.concurrent_bandwidth(size, 1.0, bandwidth, latency) == pytest.approx(alone, rel=1e-12)
    shared = interconnect.concurrent_bandwidth(size, count, bandwidth, latency)
    assert shared <= bandwidth
    assert shared <= count * alone * (1 + 1e-12)
    filling = interconnect.messages_in_flight_to_fill(size, bandwidth, latency)
    assert interconnect.concurrent_bandwidth(size, filling, bandwidth, latency) == pytest.approx(bandwidth, rel=1e-12)
    assert interconnect.concurrent_bandwidth(size, filling / 2.0, bandwidth, latency) == pytest.approx(bandwidth / 2.0, rel=1e-12)


@given(sizes, counts, bandwidths, positive_latencies, st.floats(0.0, 1e-3))
def test_message_rate_is_bandwidth_over_size_and_never_above_the_inverse_gap(size, count, bandwidth, latency, gap):
    free = interconnect.message_rate(size, count, bandwidth, latency)
    assert free * size == pytest.approx(interconnect.concurrent_bandwidth(size, count, bandwidth, latency), rel=1e-12)
    held = interconnect.message_rate(size, count, bandwidth, latency, gap)
    assert held <= free
    assert held * gap <= 1.0 + 1e-12


@given(sizes, bandwidths, latencies, latencies, latencies)
def test_loggp_contains_hockney_and_one_message_is_one_message(size, bandwidth, latency, overhead, gap):
    one = interconnect.loggp_time(size, bandwidth, latency, overhead)
    assert one == pytest.approx(interconnect.point_to_point_time(size, bandwidth, latency + 2.0 * overhead), rel=1e-12)
    many = {"latency": latency, "overhead": overhead, "gap": gap}
    assert interconnect.loggp_messages_time(1.0, size, bandwidth, **many) == one


@given(counts, sizes, bandwidths, st.tuples(latencies, latencies, latencies))
def test_messages_back_to_back_never_take_longer_than_one_after_the_other(count, size, bandwidth, delays):
    latency, overhead, gap = delays
    many = interconnect.loggp_messages_time(count, size, bandwidth, latency=latency, overhead=overhead, gap=min(gap, overhead))
    one = interconnect.loggp_time(size, bandwidth, latency, overhead)
    assert one <= many * (1 + 1e-12)
    assert many <= count * one * (1 + 1e-12)


@given(sizes, counts, bandwidths, latencies)
def test_cut_through_is_never_slower_and_equal_over_one_hop(size, hops, bandwidth, latency):
    through = interconnect.cut_through_time(size, hops, bandwidth, latency)
    stored = interconnect.store_and_forward_time(size, hops, bandwidth, latency)
    assert through <= stored * (1 + 1e-12)
    assert stored <= hops * through * (1 + 1e-12)
    assert interconnect.cut_through_time(size, 1.0, bandwidth, latency) == interconnect.store_and_forward_time(
        size, 1.0, bandwidth, latency
    )


@given(st.floats(1.0, 1e6), st.floats(0.0, 1e6))
def test_packets_lose_what_the_header_takes(payload, header):
    share = interconnect.packet_efficiency(payload, header)
    assert 0.0 < share <= 1.0
    assert share * (payload + header) == pytest.approx(payload, rel=1e-12)


@given(st.lists(sizes, min_size=2, max_size=5), bandwidths, latencies)
def test_arrays_are_floats_side_by_side(values, bandwidth, latency):
    table = interconnect.concurrent_bandwidth(numpy.array(values), 3.0, bandwidth, latency)
    assert list(table) == [interconnect.concurrent_bandwidth(value, 3.0, bandwidth, latency) for value in values]
