"""Sample arguments for every public formula of nvscale.formulas.interconnect, in SI."""

SAMPLES = {
    "concurrent_bandwidth": {"message_size": 4100.5, "messages_in_flight": 3.0, "bandwidth": 45000000000.0, "latency": 1.7e-06},
    "cut_through_time": {"message_size": 33000000.0, "hops": 5.0, "bandwidth": 45000000000.0, "latency": 1.7e-06},
    "half_bandwidth_message_size": {"bandwidth": 45000000000.0, "latency": 1.7e-06},
    "link_bandwidth": {"lanes": 16.0, "lane_bandwidth": 4000000000.0, "coding_efficiency": 0.985},
    "loggp_messages_time": {
        "messages": 10.0,
        "message_size": 33000000.0,
        "bandwidth": 45000000000.0,
        "latency": 1.7e-06,
        "overhead": 1.1e-06,
        "gap": 1.4e-06,
    },
    "loggp_time": {"message_size": 33000000.0, "bandwidth": 45000000000.0, "latency": 1.7e-06, "overhead": 1.1e-06},
    "message_rate": {"message_size": 4100.5, "messages_in_flight": 3.0, "bandwidth": 45000000000.0, "latency": 1.7e-06, "gap": 1.4e-06},
    "message_size_for_share": {"share": 0.7, "bandwidth": 45000000000.0, "latency": 1.7e-06},
    "messages_in_flight_to_fill": {"message_size": 4100.5, "bandwidth": 45000000000.0, "latency": 1.7e-06},
    "packet_efficiency": {"payload": 256.0, "header": 36.5},
    "point_to_point_bandwidth": {"message_size": 33000000.0, "bandwidth": 45000000000.0, "latency": 1.7e-06},
    "point_to_point_time": {"message_size": 33000000.0, "bandwidth": 45000000000.0, "latency": 1.7e-06},
    "store_and_forward_time": {"message_size": 33000000.0, "hops": 5.0, "bandwidth": 45000000000.0, "latency": 1.7e-06},
}
