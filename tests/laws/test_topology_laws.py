"""Laws of the topologies: counts against networks built link by link, bounds, limits and equalities."""

import itertools

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import topology

bandwidths = st.floats(1e6, 1e13)
members = st.integers(2, 4096).map(float)
even_radixes = st.integers(2, 64).map(lambda half: 2.0 * half)
ratios = st.floats(1.0, 16.0)
host_counts = st.integers(1, 100_000).map(float)


def torus_graph(sides):
    """Links of a torus, built chip by chip."""
    links = []
    for chip in itertools.product(*(range(side) for side in sides)):
        for axis, side in enumerate(sides):
            neighbour = list(chip)
            neighbour[axis] = (chip[axis] + 1) % side
            links.append((chip, tuple(neighbour)))
    return links


def ring_distance(a, b, side):
    return min((a - b) % side, (b - a) % side)


@pytest.mark.parametrize("sides", [(4,), (8,), (4, 4), (6, 6), (4, 4, 4), (6, 6, 6), (4, 6), (4, 6, 8)], ids=str)
def test_torus_formulas_match_a_torus_built_link_by_link(sides):
    n, d, bandwidth = float(numpy.prod(sides)), float(len(sides)), 12e9
    links = torus_graph(sides)
    assert topology.torus_links(n, d) == len(links)
    axis = int(numpy.argmax(sides))
    crossing = sum((a[axis] < sides[axis] // 2) != (b[axis] < sides[axis] // 2) for a, b in links)
    cut = crossing * bandwidth / (2.0 * d)
    assert topology.uneven_torus_bisection_bandwidth([float(side) for side in sides], bandwidth) == pytest.approx(cut, rel=1e-12)
    if len(set(sides)) == 1:
        assert topology.torus_bisection_bandwidth(n, d, bandwidth) == pytest.approx(cut, rel=1e-12)


@pytest.mark.parametrize("sides", [(3,), (8,), (4, 5), (2, 3, 4), (6, 6, 6)], ids=str)
def test_torus_distances_match_all_pairs(sides):
    chips = list(itertools.product(*(range(side) for side in sides)))
    origin = chips[0]
    distances = [sum(map(ring_distance, origin, chip, sides)) for chip in chips]
    assert topology.torus_diameter([float(side) for side in sides]) == max(distances)
    assert topology.torus_average_hops([float(side) for side in sides]) == pytest.approx(numpy.mean(distances), rel=1e-12)


@pytest.mark.parametrize("n", [2, 3, 8, 9])
def test_full_mesh_matches_all_pairs(n):
    pairs = list(itertools.combinations(range(n), 2))
    assert topology.full_mesh_links(float(n)) == len(pairs)
    crossing = sum((a < n // 2) != (b < n // 2) for a, b in pairs)
    assert topology.full_mesh_bisection_bandwidth(float(n), 1.0 * (n - 1)) == pytest.approx(crossing, rel=1e-12)


@pytest.mark.parametrize("power", [1, 2, 5])
def test_hypercube_matches_its_bits(power):
    n = 2**power
    crossing = sum(1 for chip in range(n) if chip < n // 2)
    assert topology.hypercube_bisection_bandwidth(float(n), float(power)) == pytest.approx(crossing, rel=1e-12)
    assert topology.hypercube_diameter(float(n)) == pytest.approx(max(bin(chip).count("1") for chip in range(n)), rel=1e-12)


@pytest.mark.parametrize("radix", [4, 8, 48])
def test_three_level_fat_tree_matches_its_pods(radix):
    half = radix // 2
    edge = aggregation = radix * half
    core, hosts = half * half, radix * half * half
    k, n = float(radix), float(hosts)
    assert topology.fat_tree_hosts(k, 3.0) == hosts == radix**3 / 4
    assert topology.fat_tree_switches(n, k, 3.0) == edge + aggregation + core == 5 * radix**2 / 4
    assert topology.fat_tree_links(n, 3.0) == hosts + edge * half + aggregation * half
    assert topology.fat_tree_switch_ports(n, 3.0) == radix * (edge + aggregation + core)
    assert topology.fat_tree_levels(n, k) == 3.0


@given(even_radixes)
def test_two_levels_and_one_switch(radix):
    assert topology.fat_tree_hosts(radix, 1.0) == radix
    assert topology.fat_tree_switches(radix, radix, 1.0) == 1.0
    hosts = topology.fat_tree_hosts(radix, 2.0)
    assert hosts == radix**2 / 2.0
    assert topology.fat_tree_switches(hosts, radix, 2.0) == 1.5 * radix
    assert topology.fat_tree_diameter(1.0) == 2.0


@given(host_counts, even_radixes.filter(lambda radix: radix > 4.0))
def test_the_levels_are_the_fewest_that_hold_the_hosts(hosts, radix):
    levels = topology.fat_tree_levels(hosts, radix)
    assert topology.fat_tree_hosts(radix, levels) >= hosts * (1 - 1e-9)
    if levels > 1.0:
        assert topology.fat_tree_hosts(radix, levels - 1.0) < hosts


@given(host_counts, even_radixes, st.sampled_from([2.0, 3.0, 4.0]), ratios)
def test_switches_have_the_ports_that_the_links_need(hosts, radix, levels, ratio):
    switches = topology.fat_tree_switches(hosts, radix, levels, ratio)
    ports = topology.fat_tree_switch_ports(hosts, levels, ratio)
    assert switches == int(switches)
    upper = ports - hosts * (1.0 + 1.0 / ratio)
    leaf = topology.fat_tree_leaf_switches(hosts, radix, ratio)
    assert (switches - leaf) * radix >= upper * (1 - 1e-9)
    assert leaf * radix >= hosts * (1 - 1e-9)
    assert ports == pytest.approx(2.0 * topology.fat_tree_links(hosts, levels, ratio) - hosts, rel=1e-12)


@given(host_counts, even_radixes, st.sampled_from([2.0, 3.0]), st.integers(1, 15).map(float))
def test_oversubscription_saves_links_and_never_costs_switches(hosts, radix, levels, ratio):
    assert topology.fat_tree_links(hosts, levels, ratio) <= topology.fat_tree_links(hosts, levels)
    assert topology.fat_tree_switches(hosts, radix, levels, ratio) <= topology.fat_tree_switches(hosts, radix, levels)
    assert topology.fat_tree_hosts(radix, levels, ratio) >= topology.fat_tree_hosts(radix, levels)


@given(st.integers(1, 64).map(float), st.integers(1, 64).map(float), even_radixes, st.sampled_from([2.0, 3.0]), st.sampled_from([1.0, 3.0]))
def test_rails_are_trees_apart(domains, rails, radix, levels, ratio):
    chips = domains * rails
    one = topology.fat_tree_switches(domains, radix, levels, ratio)
    assert topology.rail_optimised_switches(chips, rails, radix, levels, ratio) == rails * one
    assert topology.rail_optimised_switches(chips, 1.0, radix, levels, ratio) == topology.fat_tree_switches(chips, radix, levels, ratio)
    ports = topology.fat_tree_switch_ports(chips, levels, ratio)
    assert topology.rail_optimised_switch_ports(chips, rails, levels, ratio) == pytest.approx(ports, rel=1e-12)


@pytest.mark.parametrize(("a", "h", "g"), [(2, 1, 3), (4, 2, 9), (8, 4, 33), (4, 2, 5)])
def test_dragonfly_matches_one_built_group_by_group(a, h, g):
    local = g * len(list(itertools.combinations(range(a), 2)))
    per_pair = a * h / (g - 1)
    global_links = per_pair * len(list(itertools.combinations(range(g), 2)))
    assert topology.dragonfly_links(float(g), float(a), float(h)) == pytest.approx(local + global_links, rel=1e-12)
    crossing = per_pair * sum((x < g // 2) != (y < g // 2) for x, y in itertools.combinations(range(g), 2))
    assert topology.dragonfly_bisection_bandwidth(float(g), float(a), float(h), 1.0) == pytest.approx(crossing, rel=1e-12)
    assert topology.dragonfly_router_radix(3.0, float(a), float(h)) == 3 + (a - 1) + h


@given(st.integers(1, 64).map(float))
def test_balanced_dragonfly_is_the_dragonfly_of_its_counts(h):
    groups = topology.dragonfly_groups(2.0 * h, h)
    assert topology.balanced_dragonfly_hosts(h) == topology.dragonfly_hosts(h, 2.0 * h, groups)
    assert topology.dragonfly_router_radix(h, 2.0 * h, h) == 4.0 * h - 1.0


@given(st.integers(2, 8).map(float), st.integers(1, 5).map(float), bandwidths)
def test_more_dimensions_cut_better_and_none_beats_the_switch(side, dimensions, bandwidth):
    n = (2.0 * side) ** dimensions
    torus = topology.torus_bisection_bandwidth(n, dimensions, bandwidth)
    assert torus <= topology.switched_bisection_bandwidth(n, bandwidth) * (1 + 1e-9)
    assert topology.torus_bisection_bandwidth(n, 1.0, bandwidth) == pytest.approx(bandwidth, rel=1e-9)
    assert torus >= bandwidth / dimensions


@given(st.integers(2, 10_000).map(lambda half: 2.0 * half), bandwidths)
def test_full_mesh_cuts_a_little_more_than_half_of_the_switch(n, bandwidth):
    share = topology.full_mesh_bisection_bandwidth(n, bandwidth) / topology.switched_bisection_bandwidth(n, bandwidth)
    assert share == pytest.approx(n / (2.0 * (n - 1.0)), rel=1e-12)
    assert 0.5 < share < 0.67


@given(members, bandwidths, ratios)
def test_uniform_traffic_is_free_behind_a_switch_until_it_is_oversubscribed_twice(n, bandwidth, ratio):
    bisection = topology.switched_bisection_bandwidth(n, bandwidth, ratio)
    expected = bandwidth if ratio <= 2.0 else 2.0 * bandwidth / ratio
    assert topology.uniform_traffic_bandwidth(n, bandwidth, bisection) == pytest.approx(expected, rel=1e-9)
    assert topology.oversubscribed_bandwidth(bandwidth, ratio, 0.5) == pytest.approx(expected, rel=1e-9)


@given(bandwidths, ratios, st.floats(0.0, 1.0))
def test_oversubscription_takes_at_most_its_ratio(bandwidth, ratio, share):
    value = topology.oversubscribed_bandwidth(bandwidth, ratio, share)
    assert bandwidth / ratio * (1 - 1e-12) <= value <= bandwidth
    assert topology.oversubscribed_bandwidth(bandwidth, ratio, 0.0) == bandwidth
    assert value * share <= bandwidth / ratio * (1 + 1e-12)


@given(st.lists(members, min_size=2, max_size=4), bandwidths)
def test_arrays_are_floats_side_by_side(counts, bandwidth):
    table = topology.torus_bisection_bandwidth(numpy.array(counts), 3.0, bandwidth)
    assert table == pytest.approx([topology.torus_bisection_bandwidth(n, 3.0, bandwidth) for n in counts], rel=1e-12)


def test_one_chip_has_no_links_to_cut():
    assert topology.full_mesh_bisection_bandwidth(1.0, 1e9) == 0.0
    assert topology.dragonfly_bisection_bandwidth(1.0, 4.0, 2.0, 1e9) == 0.0
    assert topology.torus_diameter([1.0]) == 0.0
    assert topology.hypercube_diameter(1.0) == 0.0
