"""Sample arguments for every public formula of nvscale.formulas.parallel_speedup, in SI."""

CHIP = {"serial_share": 0.025, "chip_resources": 256.0, "core_resources": 16.0}

SAMPLES = {
    "amdahl_speedup": {"serial_share": 0.05, "processors": 72.0},
    "gustafson_speedup": {"serial_share": 0.05, "processors": 72.0},
    "hill_marty_asymmetric_speedup": CHIP,
    "hill_marty_dynamic_speedup": CHIP,
    "hill_marty_symmetric_speedup": CHIP,
    "sun_ni_speedup": {"serial_share": 0.05, "processors": 72.0, "work_growth": 610.9},
    "usl_best_size": {"contention": 0.02, "coherency": 5e-4},
    "usl_capacity": {"processors": 32.0, "contention": 0.02, "coherency": 5e-4},
}
