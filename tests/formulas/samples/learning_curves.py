"""Sample arguments for every public formula of nvscale.formulas.learning_curves, in SI."""

SAMPLES = {
    "unit_cost": {"first_cost": 100.5, "cumulative_output": 10.5, "exponent": 0.32},
    "learning_rate": {"exponent": 0.32},
    "learning_exponent": {"saving": 0.2},
    "doublings_for_cost_factor": {"cost_factor": 240.5, "saving": 0.2},
    "cumulative_output_for_cost_factor": {"cost_factor": 10.5, "exponent": 0.32},
    "cost_change_from_output_growth": {"output_growth": 1.4, "exponent": 0.32},
    "learning_exponent_from_growth": {"cost_change": 0.9, "output_growth": 1.4},
}
