"""Sample arguments for every public formula of nvscale.formulas.system_benchmarks, in SI."""

SAMPLES = {
    "conjugate_gradient_rate": {"memory_bandwidth": 3350000000000.0, "intensity": 0.145},
    "linpack_rate": {"fp64_rate": 67000000000000.0, "share": 0.62},
}
