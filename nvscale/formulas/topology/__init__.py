"""Topology: bisection bandwidth, distances, and the switches, links and ports that a network takes.

Bandwidths are one way: the bisection is what crosses the cut in one direction. That of a chip is the sum over its links.
"""

from nvscale.formulas.topology.bisection import (
    dragonfly_bisection_bandwidth,
    full_mesh_bisection_bandwidth,
    hypercube_bisection_bandwidth,
    oversubscribed_bandwidth,
    switched_bisection_bandwidth,
    torus_bisection_bandwidth,
    uneven_torus_bisection_bandwidth,
    uniform_traffic_bandwidth,
)
from nvscale.formulas.topology.counts import (
    balanced_dragonfly_hosts,
    dragonfly_groups,
    dragonfly_hosts,
    dragonfly_links,
    dragonfly_router_radix,
    fat_tree_hosts,
    fat_tree_leaf_switches,
    fat_tree_levels,
    fat_tree_links,
    fat_tree_switch_ports,
    fat_tree_switches,
    full_mesh_links,
    optical_transceivers,
    rail_optimised_switch_ports,
    rail_optimised_switches,
    torus_links,
)
from nvscale.formulas.topology.distances import fat_tree_diameter, hypercube_diameter, torus_average_hops, torus_diameter

__all__ = [
    "balanced_dragonfly_hosts",
    "dragonfly_bisection_bandwidth",
    "dragonfly_groups",
    "dragonfly_hosts",
    "dragonfly_links",
    "dragonfly_router_radix",
    "fat_tree_diameter",
    "fat_tree_hosts",
    "fat_tree_leaf_switches",
    "fat_tree_levels",
    "fat_tree_links",
    "fat_tree_switch_ports",
    "fat_tree_switches",
    "full_mesh_bisection_bandwidth",
    "full_mesh_links",
    "hypercube_bisection_bandwidth",
    "hypercube_diameter",
    "optical_transceivers",
    "oversubscribed_bandwidth",
    "rail_optimised_switch_ports",
    "rail_optimised_switches",
    "switched_bisection_bandwidth",
    "torus_average_hops",
    "torus_bisection_bandwidth",
    "torus_diameter",
    "torus_links",
    "uneven_torus_bisection_bandwidth",
    "uniform_traffic_bandwidth",
]
