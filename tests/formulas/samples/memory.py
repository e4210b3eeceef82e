"""Sample arguments for every public formula of nvscale.formulas.memory, in SI."""

SAMPLES = {
    "transfer_time": {"data": 80e9, "bandwidth": 3.35e12, "efficiency": 0.8},
    "bytes_in_flight": {"bandwidth": 3.35e12, "latency": 600e-9},
    "bandwidth_from_concurrency": {"bytes_outstanding": 1e6, "latency": 600e-9, "bandwidth": 3.35e12},
    "compulsory_matmul_traffic": {"m": 4096.0, "n": 8192.0, "k": 1024.0, "element_size": 2.0},
    "blocked_matmul_traffic": {"m": 4096.0, "n": 8192.0, "k": 1024.0, "tile": 128.0, "element_size": 2.0},
    "square_tile_side": {"fast_memory": 33e6, "element_size": 2.0},
    "units_to_hold": {"data": 810e9, "capacity": 80e9, "usable": 0.9},
}
