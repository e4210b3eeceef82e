"""Sample arguments for every public formula of nvscale.formulas.machine_balance, in SI."""

SAMPLES = {
    "ecm_multicore_rate": {"cores": 2.0, "work": 16.0, "single_core_time": 19.5e-9, "memory_time": 8.5e-9},
    "ecm_saturation_cores": {"single_core_time": 19.5e-9, "memory_time": 8.5e-9},
    "ecm_time": {"overlapping_time": 4.5e-9, "non_overlapping_time": 2.5e-9, "transfer_times": [3e-9, 5e-9, 8.5e-9]},
    "kung_memory_for_balance": {"fast_memory": 50e6, "balance_growth": 2.4},
    "matmul_traffic_lower_bound": {"m": 8192.0, "n": 4096.0, "k": 2048.0, "fast_memory": 1.3e6, "element_size": 2.0},
}
