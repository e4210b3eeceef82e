"""Sample arguments for every public formula of nvscale.formulas.matrix_multiply, in SI."""

SAMPLES = {
    "multiply_work": {"m": 4096.0, "n": 8192.0, "k": 1024.0, "multiply_add": 2.0},
    "multiply_traffic": {"m": 64.0, "n": 8192.0, "k": 1024.0, "weight_size": 0.5625, "activation_size": 1.03125, "product_size": 2.0},
    "quantisation_traffic": {"m": 64.0, "k": 1024.0, "moved_per_element": 3.03125},
    "cached_share": {"weights": 10.3e6, "others": 2.1e6, "cache": 50.5e6, "copies": 3.0},
    "memory_time": {"traffic": 134.7e6, "bandwidth": 3.35e12, "efficiency": 0.83, "cached": 0.4, "cache_gain": 3.1},
    "wave_loss": {"m": 1024.0, "n": 8192.0, "compute_units": 132.0, "exposure": 0.15, "tile_m": 128.0, "tile_n": 256.0},
    "serial_chain_time": {"k": 8192.0, "step": 0.9e-9},
    "filling_time": {"busy": 21.5e-6, "limit": 2.2e-6},
}
