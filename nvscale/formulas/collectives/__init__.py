"""Collectives: times by algorithm, and the bandwidths that benchmarks report.

Sizes are those of nccl-tests: all-reduce and reduce the buffer on each participant; broadcast the bytes of
the root; all-gather and reduce-scatter the full buffer; all-to-all all that one participant sends, its own
share included. Bandwidths are one way and per participant. One participant needs no time.
"""

from nvscale.formulas.collectives.all_gather import (
    direct_all_gather_time,
    hierarchical_all_gather_time,
    recursive_doubling_all_gather_time,
    ring_all_gather_time,
    torus_all_gather_time,
)
from nvscale.formulas.collectives.all_reduce import (
    direct_all_reduce_time,
    double_tree_all_reduce_time,
    halving_doubling_all_reduce_time,
    hierarchical_all_reduce_time,
    in_network_all_reduce_time,
    one_shot_all_reduce_time,
    pipelined_tree_all_reduce_time,
    recursive_doubling_all_reduce_time,
    ring_all_reduce_time,
    tiered_all_reduce_time,
    torus_all_reduce_time,
)
from nvscale.formulas.collectives.all_to_all import (
    bruck_all_to_all_time,
    direct_all_to_all_time,
    hierarchical_all_to_all_time,
    pairwise_all_to_all_time,
    torus_all_to_all_time,
)
from nvscale.formulas.collectives.bus_bandwidth import algorithm_bandwidth, all_gather_bus_bandwidth, all_reduce_bus_bandwidth
from nvscale.formulas.collectives.reduce_scatter import (
    direct_reduce_scatter_time,
    recursive_halving_reduce_scatter_time,
    ring_reduce_scatter_time,
)
from nvscale.formulas.collectives.rooted import (
    binomial_tree_broadcast_time,
    binomial_tree_gather_time,
    binomial_tree_reduce_time,
    double_tree_broadcast_time,
    double_tree_chunks,
    ring_broadcast_time,
    scatter_all_gather_broadcast_time,
)

__all__ = [
    "algorithm_bandwidth",
    "all_gather_bus_bandwidth",
    "all_reduce_bus_bandwidth",
    "binomial_tree_broadcast_time",
    "binomial_tree_gather_time",
    "binomial_tree_reduce_time",
    "bruck_all_to_all_time",
    "direct_all_gather_time",
    "direct_all_reduce_time",
    "direct_all_to_all_time",
    "direct_reduce_scatter_time",
    "double_tree_all_reduce_time",
    "double_tree_broadcast_time",
    "double_tree_chunks",
    "halving_doubling_all_reduce_time",
    "hierarchical_all_gather_time",
    "hierarchical_all_reduce_time",
    "hierarchical_all_to_all_time",
    "in_network_all_reduce_time",
    "one_shot_all_reduce_time",
    "pairwise_all_to_all_time",
    "pipelined_tree_all_reduce_time",
    "recursive_doubling_all_gather_time",
    "recursive_doubling_all_reduce_time",
    "recursive_halving_reduce_scatter_time",
    "ring_all_gather_time",
    "ring_all_reduce_time",
    "ring_broadcast_time",
    "ring_reduce_scatter_time",
    "scatter_all_gather_broadcast_time",
    "tiered_all_reduce_time",
    "torus_all_gather_time",
    "torus_all_reduce_time",
    "torus_all_to_all_time",
]
