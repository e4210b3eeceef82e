"""Laws of collectives with protocols: limits, order, and the bare algorithms inside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import collectives, overheads, protocols

seconds = st.floats(1e-7, 1e-3)
sizes = st.floats(512.0, 1e9)
groups = st.integers(2, 72).map(float)
rates = st.floats(1e9, 1e12)
shares = st.floats(0.0, 2.0)
exponents = st.floats(0.3, 3.0)
phases = st.sampled_from([1.0, 2.0])

LINK = {"launch": 4e-6, "hop": 1e-6, "fill": 1e-5}
PORT = {"bandwidth": 4e11, "self_share": 0.4}
RING = {**LINK, **PORT, "low_latency_bandwidth": 1.3e11, "switch_per_rank": 7e5, "sharpness": 0.65, "fill_growth": 0.33}
RING |= {"latency_ratio": 1.2, "ramp_per_rank": 4096.0}
HOST = {**LINK, "pair_bandwidth": 4e10, "bandwidth_of_four": 2e10, "contention": 0.5, "sharpness": 1.5}
ENGINE = {"launch": 3e-6, "hop": 1e-7, "one_shot_bandwidth": 3e11, "second_phase": 4e-6, "two_shot_bandwidth": 3e11}


@given(sizes)
def test_one_participant_needs_no_time(size):
    assert protocols.nvlink_ring_time(size, 1.0, 2.0, **RING) == 0.0
    assert protocols.nvlink_all_to_all_time(size, 1.0, **LINK, **PORT, peer_bandwidth=6e9, sharpness=0.6) == 0.0
    assert protocols.host_ring_time(size, 1.0, 2.0, **HOST, switch=2.0**18) == 0.0
    assert protocols.host_all_to_all_time(size, 1.0, **HOST) == 0.0
    assert protocols.custom_all_reduce_time(size, 1.0, 1e-5, **ENGINE, handover=8e6, largest_group=8.0) == 0.0
    assert protocols.two_tier_all_reduce_time(size, 1.0, 1.0, 1e-4, 2e11, 5e10, 1.0) == 0.0


@given(seconds, seconds)
def test_chunks_of_the_best_size(fill, stream):
    """(sqrt f + sqrt s)^2 is the least over all numbers of chunks of the time of a pipeline."""
    best = protocols.pipelined_time(fill, stream, 0.5)
    assert best == pytest.approx((fill**0.5 + stream**0.5) ** 2, rel=1e-12)
    stages = 1.0
    chunks = (stages * stream / fill) ** 0.5
    at_best = (stages + chunks) * (fill / stages + stream / chunks)
    assert at_best == pytest.approx(best, rel=1e-9)
    assert (stages + 2.0 * chunks) * (fill / stages + stream / (2.0 * chunks)) > best


@given(seconds, seconds, exponents)
def test_a_pipeline_is_never_faster_than_its_longer_part(fill, stream, sharpness):
    time = protocols.pipelined_time(fill, stream, sharpness)
    assert time >= max(fill, stream) * (1 - 1e-12)
    assert (time >= (fill + stream) * (1 - 1e-12)) == (sharpness <= 1.0)


@given(seconds, seconds)
def test_fixed_chunks_add_up(fill, stream):
    assert protocols.pipelined_time(fill, stream, 1.0) == pytest.approx(fill + stream, rel=1e-12)
    assert protocols.pipelined_time(0.0, stream, 0.7) == pytest.approx(stream, rel=1e-12)


@given(sizes, groups, rates, seconds)
def test_without_protocols_it_is_the_bare_ring(size, n, rate, step):
    """No fill, no own shard, one hop a step: the bulk branch is the bandwidth term of the ring, the other its latency."""
    bare = collectives.ring_all_reduce_time(size, n, rate, step)
    latency = protocols.ring_latency(size, n, 2.0, 0.0, step, 1.0, 4096.0)
    stream = protocols.port_stream_time(size, n, 2.0, rate, 0.0)
    assert latency + stream == pytest.approx(bare, rel=1e-12)


@given(sizes, groups, phases, rates)
def test_a_full_own_shard_makes_the_time_that_of_the_whole_message(size, n, p, rate):
    assert protocols.port_stream_time(size, n, p, rate, 1.0) == pytest.approx(p * size / rate, rel=1e-12)
    assert protocols.port_stream_time(size, n, p, rate, 0.0) == pytest.approx(protocols.bus_bytes(size, n, p) / rate, rel=1e-12)


@given(sizes, groups, st.floats(1.01, 4.0), phases)
def test_more_bytes_never_take_less_time_within_a_protocol(size, n, factor, p):
    for switch in (0.0, 1e12):
        constants = RING | {"switch_per_rank": switch}
        assert protocols.nvlink_ring_time(size * factor, n, p, **constants) > protocols.nvlink_ring_time(size, n, p, **constants)


@given(sizes, groups, st.floats(1.01, 4.0))
def test_all_to_all_is_monotone_in_size_and_never_slower_than_either_protocol(size, n, factor):
    constants = {**LINK, **PORT, "peer_bandwidth": 6e9, "sharpness": 0.6}
    time = protocols.nvlink_all_to_all_time(size, n, **constants)
    assert protocols.nvlink_all_to_all_time(size * factor, n, **constants) > time
    assert time <= LINK["launch"] + LINK["hop"] * (n - 1.0) + size / n / 6e9 + 1e-15


@given(sizes, groups)
def test_two_phases_cost_more_than_one_and_less_than_two_calls(size, n):
    one = protocols.nvlink_ring_time(size, n, 1.0, **RING)
    two = protocols.nvlink_ring_time(size, n, 2.0, **RING)
    assert one < two < 2.0 * one * (1 + 1e-12) + LINK["fill"]


@given(sizes, groups, shares)
def test_large_messages_reach_the_bus_bandwidth(size, n, own):
    huge = size * 1e9
    time = protocols.nvlink_ring_time(huge, n, 2.0, **(RING | {"self_share": own, "sharpness": 1.0}))
    assert time == pytest.approx(protocols.port_stream_time(huge, n, 2.0, PORT["bandwidth"], own), rel=1e-2)


@given(sizes, groups)
def test_an_engine_hands_over_beyond_its_buffer_and_its_group(size, n):
    fallback = 1e-3
    assert protocols.custom_all_reduce_time(size, n, fallback, **ENGINE, handover=size / 2, largest_group=n) == fallback
    assert protocols.custom_all_reduce_time(size, n, fallback, **ENGINE, handover=size, largest_group=n - 0.5) == fallback
    served = protocols.custom_all_reduce_time(size, n, fallback, **ENGINE, handover=size, largest_group=n)
    assert served <= ENGINE["launch"] + ENGINE["hop"] * (n - 1.0) + (n - 1.0) * size / 3e11 + 1e-15


@given(seconds, seconds, seconds, st.floats(1.0, 2.0))
def test_an_eager_call_is_never_faster_than_the_graph(graph, floor, extra, slowdown):
    assert protocols.eager_time(graph, floor, extra, slowdown) >= max(graph, floor)


@given(sizes, st.integers(2, 64).map(float))
def test_the_slower_tier_binds(size, nodes):
    time = protocols.two_tier_all_reduce_time(size, 8.0 * nodes, nodes, 0.0, 2e11, 5e10, 1.0)
    tiers = [protocols.bus_bytes(size, 8.0 * nodes, 2.0) / 2e11, protocols.bus_bytes(size, nodes, 2.0) / 5e10]
    assert time == pytest.approx(max(tiers), rel=1e-12)
    assert time == pytest.approx(overheads.smooth_maximum([0.0, *tiers], 1e6), rel=1e-4)


@given(st.integers(3, 64).map(float))
def test_contention_one_leaves_the_host_a_fixed_total(n):
    """With c = 1 all cards together get the same, whatever their number."""
    assert n * protocols.host_path_bandwidth(n, 4e10, 2e10, 1.0) == pytest.approx(8e10, rel=1e-12)
    assert protocols.host_path_bandwidth(n, 4e10, 2e10, 0.0) == 2e10
