"""Sample arguments for every public formula of nvscale.formulas.passes, in SI."""

SAMPLES = {
    "pass_traffic": {"elements": 33554432.0, "read_size": 16.0, "write_size": 8.0},
    "row_reread_factor": {"row_length": 4096.0, "doubling_length": 41000.0},
    "pass_time": {"traffic": 1.3e9, "bandwidth": 2.039e12, "efficiency": 0.82, "launch": 14e-6, "sharpness": 1.7},
}
