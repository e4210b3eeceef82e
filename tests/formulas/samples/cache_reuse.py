"""Sample arguments for every public formula of nvscale.formulas.cache_reuse, in SI."""

SAMPLES = {
    "cache_hit_share": {"working_set": 40e6, "capacity": 50e6, "sharpness": 8.0},
    "replayed_traffic": {"working_set": 40e6, "hit_share": 0.8, "bandwidth": 3.35e12, "cache_bandwidth": 7.9e12},
}
