"""Laws of the collectives: sums of phases, lower bounds, one participant, limits, and benchmarks' bandwidths."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import collectives, topology

sizes = st.floats(1.0, 1e12)
bandwidths = st.floats(1e6, 1e13)
latencies = st.floats(0.0, 1e-2)
positive_latencies = st.floats(1e-9, 1e-2)
members = st.integers(2, 4096).map(float)
powers_of_two = st.integers(1, 14).map(lambda power: 2.0**power)
per_byte = st.floats(0.0, 1e-9)
links = st.tuples(bandwidths, latencies)
chunk_counts = st.integers(1, 10_000).map(float)

PLAIN_ALL_REDUCE = {
    "ring": collectives.ring_all_reduce_time,
    "recursive doubling": collectives.recursive_doubling_all_reduce_time,
    "halving-doubling": collectives.halving_doubling_all_reduce_time,
    "double tree": lambda s, n, b, a: collectives.double_tree_all_reduce_time(s, n, b, a, 16.0),
    "pipelined tree": collectives.pipelined_tree_all_reduce_time,
    "one shot": collectives.one_shot_all_reduce_time,
    "direct": collectives.direct_all_reduce_time,
    "torus": lambda s, n, b, a: collectives.torus_all_reduce_time(s, n, 3.0, b, a),
}
OTHERS = {
    "in network": collectives.in_network_all_reduce_time,
    "ring all-gather": collectives.ring_all_gather_time,
    "recursive doubling all-gather": collectives.recursive_doubling_all_gather_time,
    "direct all-gather": collectives.direct_all_gather_time,
    "torus all-gather": lambda s, n, b, a: collectives.torus_all_gather_time(s, n, 2.0, b, a),
    "ring reduce-scatter": collectives.ring_reduce_scatter_time,
    "recursive halving reduce-scatter": collectives.recursive_halving_reduce_scatter_time,
    "direct reduce-scatter": collectives.direct_reduce_scatter_time,
    "binomial broadcast": collectives.binomial_tree_broadcast_time,
    "scatter all-gather broadcast": collectives.scatter_all_gather_broadcast_time,
    "ring broadcast": lambda s, n, b, a: collectives.ring_broadcast_time(s, n, b, a, 16.0),
    "double tree broadcast": lambda s, n, b, a: collectives.double_tree_broadcast_time(s, n, b, a, 16.0),
    "binomial reduce": collectives.binomial_tree_reduce_time,
    "binomial gather": collectives.binomial_tree_gather_time,
    "direct all-to-all": collectives.direct_all_to_all_time,
    "pairwise all-to-all": collectives.pairwise_all_to_all_time,
    "Bruck all-to-all": collectives.bruck_all_to_all_time,
    "torus all-to-all": lambda s, n, b, a: collectives.torus_all_to_all_time(s, n, 3.0, b, a),
}
EVERY = PLAIN_ALL_REDUCE | OTHERS
each_plain_all_reduce = pytest.mark.parametrize("time", PLAIN_ALL_REDUCE.values(), ids=PLAIN_ALL_REDUCE)
each_collective = pytest.mark.parametrize("time", EVERY.values(), ids=EVERY)


def tiers(inner, outer, near, far):
    """The arguments of two tiers, each of members and a pair of bandwidth and latency."""
    return {
        "inner_participants": inner,
        "outer_participants": outer,
        "inner_bandwidth": near[0],
        "outer_bandwidth": far[0],
        "inner_latency": near[1],
        "outer_latency": far[1],
    }


@each_collective
@given(size=sizes, bandwidth=bandwidths, latency=latencies)
def test_one_participant_needs_no_time(time, size, bandwidth, latency):
    assert time(size, 1.0, bandwidth, latency) == 0.0


@each_collective
@given(size=sizes, n=powers_of_two, link=links, growth=st.floats(1.0, 100.0))
def test_time_grows_with_size_members_and_latency_and_falls_with_bandwidth(time, size, n, link, growth):
    bandwidth, latency = link
    base = time(size, n, bandwidth, latency) * (1 - 1e-12)
    assert time(size * growth, n, bandwidth, latency) >= base
    assert time(size, 2.0 * n, bandwidth, latency) >= base
    assert time(size, n, bandwidth, latency * growth) >= base
    assert time(size, n, bandwidth / growth, latency) >= base


@each_collective
@given(size=sizes, n=members, link=links, factor=st.floats(1e-3, 1e3))
def test_only_the_ratio_of_size_to_bandwidth_counts(time, size, n, link, factor):
    bandwidth, latency = link
    base = time(size, n, bandwidth, latency)
    assert time(size * factor, n, bandwidth * factor, latency) == pytest.approx(base, rel=1e-9)
    assert time(size * factor, n, bandwidth, latency * factor) == pytest.approx(base * factor, rel=1e-9)


@each_collective
@given(sizes_=st.lists(sizes, min_size=2, max_size=4), n=members, bandwidth=bandwidths, latency=latencies)
def test_arrays_are_floats_side_by_side(time, sizes_, n, bandwidth, latency):
    table = time(numpy.array(sizes_), numpy.array([n]), bandwidth, latency)
    assert table == pytest.approx([time(size, n, bandwidth, latency) for size in sizes_], rel=1e-12)


@each_plain_all_reduce
@given(size=sizes, n=members, bandwidth=bandwidths, latency=latencies)
def test_no_all_reduce_without_help_of_the_network_beats_the_bandwidth_bound(time, size, n, bandwidth, latency):
    bound = 2.0 * (n - 1.0) / n * size / bandwidth
    assert time(size, n, bandwidth, latency) >= bound * (1 - 1e-12)


@given(sizes, members, bandwidths)
def test_ring_halving_doubling_direct_and_torus_reach_the_bound_without_latency(size, n, bandwidth):
    bound = 2.0 * (n - 1.0) / n * size / bandwidth
    for name in ("ring", "halving-doubling", "direct", "torus"):
        assert PLAIN_ALL_REDUCE[name](size, n, bandwidth, 0.0) == pytest.approx(bound, rel=1e-12)


@given(sizes, members, bandwidths, latencies, per_byte)
def test_all_reduce_is_reduce_scatter_plus_all_gather(size, n, bandwidth, latency, gamma):
    phases = (
        (collectives.ring_all_reduce_time, collectives.ring_reduce_scatter_time, collectives.ring_all_gather_time),
        (
            collectives.halving_doubling_all_reduce_time,
            collectives.recursive_halving_reduce_scatter_time,
            collectives.recursive_doubling_all_gather_time,
        ),
        (collectives.direct_all_reduce_time, collectives.direct_reduce_scatter_time, collectives.direct_all_gather_time),
    )
    for whole, scatter, gather in phases:
        parts = scatter(size, n, bandwidth, latency, gamma) + gather(size, n, bandwidth, latency)
        assert whole(size, n, bandwidth, latency, gamma) == pytest.approx(parts, rel=1e-12)
    torus = collectives.torus_all_gather_time(size, n, 3.0, bandwidth, latency)
    assert collectives.torus_all_reduce_time(size, n, 3.0, bandwidth, latency) == pytest.approx(2.0 * torus, rel=1e-12)


@given(sizes, st.integers(1, 32), bandwidths, latencies, per_byte)
def test_ring_all_reduce_is_what_its_steps_add_up_to(size, n, bandwidth, latency, gamma):
    shard = size / n
    scatter = sum(latency + shard / bandwidth + shard * gamma for _ in range(n - 1))
    gather = sum(latency + shard / bandwidth for _ in range(n - 1))
    assert collectives.ring_all_reduce_time(size, float(n), bandwidth, latency, gamma) == pytest.approx(scatter + gather, rel=1e-12)


@given(sizes, st.integers(0, 12), bandwidths, latencies, per_byte)
def test_halving_doubling_is_what_its_steps_add_up_to(size, power, bandwidth, latency, gamma):
    halves = [size / 2.0**step for step in range(1, power + 1)]
    steps = sum(2.0 * (latency + half / bandwidth) + half * gamma for half in halves)
    value = collectives.halving_doubling_all_reduce_time(size, 2.0**power, bandwidth, latency, gamma)
    assert value == pytest.approx(steps, rel=1e-9)


@pytest.mark.parametrize("side", [4, 6, 16])
@given(size=sizes, bandwidth=bandwidths, latency=latencies)
def test_torus_ring_is_what_its_steps_add_up_to(side, size, bandwidth, latency):
    """Every hop brings one shard on each of two links; the last one brings half a shard on each."""
    shard, link = size / side, bandwidth / 2.0
    steps = (side // 2 - 1) * (latency + shard / link) + latency + shard / 2.0 / link
    assert collectives.torus_all_gather_time(size, float(side), 1.0, bandwidth, latency) == pytest.approx(steps, rel=1e-9)


@given(sizes, members, links, links, per_byte)
def test_a_hierarchy_with_one_tier_is_the_flat_ring(size, n, near, far, gamma):
    one_group = tiers(n, 1.0, near, far)
    all_alone = tiers(1.0, n, near, far)
    hierarchical = collectives.hierarchical_all_reduce_time
    assert hierarchical(size, **one_group, reduction_time_per_byte=gamma) == collectives.ring_all_reduce_time(size, n, *near, gamma)
    assert hierarchical(size, **all_alone, reduction_time_per_byte=gamma) == collectives.ring_all_reduce_time(size, n, *far, gamma)
    assert collectives.hierarchical_all_gather_time(size, **one_group) == collectives.ring_all_gather_time(size, n, *near)
    assert collectives.hierarchical_all_gather_time(size, **all_alone) == collectives.ring_all_gather_time(size, n, *far)
    assert collectives.hierarchical_all_to_all_time(size, **one_group) == collectives.pairwise_all_to_all_time(size, n, *near)
    assert collectives.hierarchical_all_to_all_time(size, **all_alone) == collectives.pairwise_all_to_all_time(size, n, *far)


@given(sizes, members, members, bandwidths, latencies)
def test_a_hierarchy_of_equal_links_moves_the_bytes_of_the_flat_ring_with_fewer_steps(size, inner, outer, bandwidth, latency):
    flat = collectives.ring_all_reduce_time(size, inner * outer, bandwidth, 0.0)
    same = tiers(inner, outer, (bandwidth, 0.0), (bandwidth, 0.0))
    assert collectives.hierarchical_all_reduce_time(size, **same) == pytest.approx(flat, rel=1e-12)
    late = tiers(inner, outer, (bandwidth, latency), (bandwidth, latency))
    flat = collectives.ring_all_reduce_time(size, inner * outer, bandwidth, latency)
    assert collectives.hierarchical_all_reduce_time(size, **late) <= flat * (1 + 1e-12)


@given(sizes, st.lists(st.tuples(members, bandwidths, latencies), min_size=2, max_size=4), per_byte)
def test_tiers_of_one_are_neutral_and_two_tiers_are_the_hierarchy(size, rows, gamma):
    columns = [list(column) for column in zip(*rows, strict=True)]
    padded = [list(column) for column in zip((1.0, 1e9, 1e-3), *rows, (1.0, 1e9, 1e-3), strict=True)]
    assert collectives.tiered_all_reduce_time(size, *padded, gamma) == collectives.tiered_all_reduce_time(size, *columns, gamma)
    (inner, outer), (near, far), (short, long) = (column[:2] for column in columns)
    two = collectives.hierarchical_all_reduce_time(size, **tiers(inner, outer, (near, short), (far, long)), reduction_time_per_byte=gamma)
    assert collectives.tiered_all_reduce_time(size, [inner, outer], [near, far], [short, long], gamma) == pytest.approx(two, rel=1e-12)


@given(sizes, members, bandwidths)
def test_in_network_reduction_gains_at_most_almost_two_and_exactly_that_without_latency(size, n, bandwidth):
    gain = collectives.ring_all_reduce_time(size, n, bandwidth, 0.0) / collectives.in_network_all_reduce_time(size, n, bandwidth, 0.0)
    assert gain == pytest.approx(2.0 * (n - 1.0) / n, rel=1e-12)
    assert 1.0 - 1e-12 <= gain < 2.0


@given(sizes, powers_of_two, bandwidths, positive_latencies, chunk_counts)
def test_no_number_of_chunks_beats_the_best_one(size, n, bandwidth, latency, chunks):
    best = collectives.double_tree_chunks(size, n, bandwidth, latency)
    least = (math.sqrt(size / bandwidth) + math.sqrt(2.0 * math.log2(n) * latency)) ** 2
    broadcast, all_reduce = collectives.double_tree_broadcast_time, collectives.double_tree_all_reduce_time
    assert broadcast(size, n, bandwidth, latency, best) == pytest.approx(least, rel=1e-9)
    assert all_reduce(size, n, bandwidth, latency, best) == pytest.approx(2.0 * least, rel=1e-9)
    assert broadcast(size, n, bandwidth, latency, chunks) >= least * (1 - 1e-9)
    assert all_reduce(size, n, bandwidth, latency, chunks) >= collectives.pipelined_tree_all_reduce_time(size, n, bandwidth, latency)


@given(sizes, members, bandwidths)
def test_pipelined_broadcasts_tend_to_the_time_of_one_transfer(size, n, bandwidth):
    for broadcast in (collectives.ring_broadcast_time, collectives.double_tree_broadcast_time):
        assert broadcast(size, n, bandwidth, 0.0, 1e9) == pytest.approx(size / bandwidth, rel=1e-4)


@given(sizes, members, bandwidths, latencies)
def test_broadcast_from_scatter_and_all_gather(size, n, bandwidth, latency):
    parts = collectives.binomial_tree_gather_time(size, n, bandwidth, latency) + collectives.ring_all_gather_time(
        size, n, bandwidth, latency
    )
    assert collectives.scatter_all_gather_broadcast_time(size, n, bandwidth, latency) == pytest.approx(parts, rel=1e-9)


@given(sizes, members, bandwidths, st.floats(1e-9, 1e-2), per_byte)
def test_reduction_work_only_adds(size, n, bandwidth, latency, gamma):
    shard = size * (n - 1.0) / n * gamma
    for time in (collectives.ring_all_reduce_time, collectives.direct_all_reduce_time, collectives.ring_reduce_scatter_time):
        added = time(size, n, bandwidth, latency, gamma) - time(size, n, bandwidth, latency)
        assert added == pytest.approx(shard, rel=1e-6, abs=1e-9 * time(size, n, bandwidth, latency))


@given(sizes, st.sampled_from([(2, 1), (4, 1), (16, 1), (4, 2), (8, 2), (4, 3), (16, 3)]), bandwidths)
def test_torus_all_to_all_is_limited_by_the_bisection(size, shape, bandwidth):
    side, dimensions = shape
    n = float(side**dimensions)
    bisection = topology.torus_bisection_bandwidth(n, float(dimensions), bandwidth)
    time = collectives.torus_all_to_all_time(size, n, float(dimensions), bandwidth, 0.0)
    assert time == pytest.approx(size / (4.0 * bisection / n), rel=1e-9)
    if side * dimensions > 4:
        assert time == pytest.approx(size / topology.uniform_traffic_bandwidth(n, bandwidth, bisection), rel=1e-9)


@given(sizes, members, bandwidths, latencies)
def test_bus_bandwidth_of_an_ideal_ring_is_the_link_and_latency_only_lowers_it(size, n, bandwidth, latency):
    cases = (
        (collectives.all_reduce_bus_bandwidth, collectives.ring_all_reduce_time),
        (collectives.all_gather_bus_bandwidth, collectives.ring_all_gather_time),
        (collectives.all_gather_bus_bandwidth, collectives.ring_reduce_scatter_time),
        (collectives.all_gather_bus_bandwidth, collectives.pairwise_all_to_all_time),
    )
    for bus, time in cases:
        assert bus(size, time(size, n, bandwidth, 0.0), n) == pytest.approx(bandwidth, rel=1e-12)
        assert bus(size, time(size, n, bandwidth, latency), n) <= bandwidth * (1 + 1e-12)


@given(sizes, st.floats(1e-9, 1e3), members)
def test_bus_bandwidths_differ_by_two(size, time, n):
    algorithm = collectives.algorithm_bandwidth(size, time)
    gather = collectives.all_gather_bus_bandwidth(size, time, n)
    assert gather < algorithm
    assert collectives.all_reduce_bus_bandwidth(size, time, n) == pytest.approx(2.0 * gather, rel=1e-12)


@given(powers_of_two, bandwidths, positive_latencies)
def test_small_messages_favour_few_steps_and_large_ones_few_bytes(n, bandwidth, latency):
    small, large = 1e-6 * latency * bandwidth, 1e9 * latency * bandwidth
    doubling, ring = collectives.recursive_doubling_all_reduce_time, collectives.ring_all_reduce_time
    assert doubling(small, n, bandwidth, latency) < ring(small, n, bandwidth, latency)
    if n > 2.0:
        assert ring(large, n, bandwidth, latency) < doubling(large, n, bandwidth, latency)
