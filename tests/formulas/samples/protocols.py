"""Sample arguments for every public formula of nvscale.formulas.protocols, in SI."""

_GROUP = {"message_size": 33000000.0, "participants": 8.0}
_RING = {**_GROUP, "phases": 2.0}
_LINK = {"launch": 4.3e-06, "hop": 8.1e-07, "fill": 1.1e-05}
_PORT = {"bandwidth": 430000000000.0, "self_share": 0.35}
_HOST = {"pair_bandwidth": 41000000000.0, "bandwidth_of_four": 23000000000.0, "contention": 0.45}

SAMPLES = {
    "bus_bytes": _RING,
    "custom_all_reduce_time": {
        **_GROUP,
        "message_size": 1300000.0,
        "fallback_time": 3.3e-05,
        "launch": 2.6e-06,
        "hop": 1.3e-07,
        "one_shot_bandwidth": 310000000000.0,
        "second_phase": 4.1e-06,
        "two_shot_bandwidth": 370000000000.0,
        "handover": 8400000.0,
        "largest_group": 64.0,
    },
    "eager_time": {"graph_time": 3.7e-05, "host_floor": 1.9e-05, "extra": 7.7e-06, "slowdown": 1.13},
    "host_all_to_all_time": {**_GROUP, **_LINK, **_HOST, "sharpness": 0.55, "flag_share": 0.5},
    "host_path_bandwidth": {"participants": 8.0, **_HOST},
    "host_ring_time": {**_RING, **_LINK, **_HOST, "switch": 262000.0, "sharpness": 1.45, "flag_share": 0.5},
    "nvlink_all_to_all_time": {**_GROUP, **_LINK, **_PORT, "peer_bandwidth": 6100000000.0, "sharpness": 0.6},
    "nvlink_ring_time": {
        **_RING,
        **_LINK,
        **_PORT,
        "low_latency_bandwidth": 136000000000.0,
        "switch_per_rank": 734000.0,
        "sharpness": 0.65,
        "fill_growth": 0.33,
        "latency_ratio": 1.2,
        "ramp_per_rank": 4100.0,
    },
    "pipelined_time": {"fill": 1.3e-05, "stream": 4.9e-05, "sharpness": 0.55},
    "port_stream_time": {**_RING, **_PORT},
    "ring_latency": {**_RING, "message_size": 9000.0, "launch": 4.3e-06, "hop": 8.1e-07, "latency_ratio": 1.2, "ramp_per_rank": 4100.0},
    "two_tier_all_reduce_time": {
        **_GROUP,
        "participants": 16.0,
        "nodes": 2.0,
        "latency": 0.00016,
        "node_bandwidth": 230000000000.0,
        "network_bandwidth": 47000000000.0,
        "sharpness": 0.9,
    },
}
