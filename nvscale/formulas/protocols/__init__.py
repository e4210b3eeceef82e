"""Collectives as libraries run them: protocols, pipelines and hand-overs, with the constants of a library and a link.

The bare algorithms are in `collectives`; what stands here has constants that are fitted to measured times.
Sizes count as there. One participant needs no time.
"""

from nvscale.formulas.protocols.clusters import two_tier_all_reduce_time
from nvscale.formulas.protocols.domains import nvlink_all_to_all_time, nvlink_ring_time
from nvscale.formulas.protocols.engines import custom_all_reduce_time, eager_time
from nvscale.formulas.protocols.hosts import host_all_to_all_time, host_path_bandwidth, host_ring_time
from nvscale.formulas.protocols.pipelines import bus_bytes, pipelined_time, port_stream_time, ring_latency

__all__ = [
    "bus_bytes",
    "custom_all_reduce_time",
    "eager_time",
    "host_all_to_all_time",
    "host_path_bandwidth",
    "host_ring_time",
    "nvlink_all_to_all_time",
    "nvlink_ring_time",
    "pipelined_time",
    "port_stream_time",
    "ring_latency",
    "two_tier_all_reduce_time",
]
