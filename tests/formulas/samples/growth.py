"""Sample arguments for every public formula of nvscale.formulas.growth, in SI."""

YEAR = 31557600.0

SAMPLES = {
    "growth_factor": {"before": 1.5, "after": 240.5, "periods": 1.5},
    "compounded_value": {"start": 1.5, "factor": 2.5, "periods": 3.5},
    "doublings": {"factor": 240.5},
    "doubling_time": {"factor": 1.35, "period": YEAR},
    "halving_time": {"factor": 0.35, "period": YEAR},
    "time_to_factor": {"target": 240.5, "factor": 1.35, "period": YEAR},
    "doubling_growth": {"time": 10 * YEAR, "doubling": 1.57 * YEAR},
    "logistic_value": {"time": 4.5 * YEAR, "ceiling": 100.5, "growth_rate": 2e-8, "midpoint": 5.75 * YEAR},
    "demand_ratio": {"price_ratio": 0.25, "elasticity": 1.2},
    "spend_ratio": {"price_ratio": 0.25, "elasticity": 1.2},
    "demand_elasticity": {"price_ratio": 0.001, "spending_ratio": 4.2},
}
