"""Sample arguments for every public formula of nvscale.formulas.overheads, in SI."""

TILES = {"m": 1800.0, "n": 2000.0, "tile_m": 256.0, "tile_n": 128.0}

SAMPLES = {
    "output_tiles": TILES,
    "partial_overlap_time": {"times": [10e-3, 4e-3, 1e-3], "overlap": 0.8},
    "smooth_maximum": {"times": [10e-3, 8e-3, 1e-3], "sharpness": 4.5},
    "tile_utilisation": TILES,
    "time_with_launches": {"launches": 300.0, "launch_time": 4e-6, "compute_time": 2e-3, "memory_time": 5e-3},
    "wave_utilisation": {"tiles": 120.0, "processors": 108.0},
}
