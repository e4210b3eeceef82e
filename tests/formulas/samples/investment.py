"""Sample arguments for every public formula of nvscale.formulas.investment, in SI."""

SAMPLES = {
    "present_value_of_payments": {"payment": 9500.5, "interest_rate": 0.08, "periods": 5.5},
    "discounted_value": {"amount": 9500.5, "interest_rate": 0.08, "periods": 5.5},
    "interest_per_part_period": {"interest_rate": 0.08, "parts": 12.0},
    "straight_line_depreciation": {"price": 30e3, "periods": 5.5, "residual_share": 0.15},
    "straight_line_value": {"price": 30e3, "age": 2.5, "periods": 5.5, "residual_share": 0.15},
    "declining_value": {"price": 30e3, "decline": 0.3, "periods": 2.5},
    "total_cost_of_ownership": {"price": 30e3, "operating_cost": 5e3, "interest_rate": 0.08, "periods": 5.5, "residual_share": 0.15},
    "declining_earnings": {"earnings": 9500.5, "earnings_decline": 0.27, "start": 0.5, "end": 4.5},
    "economic_life": {"earnings": 8.5e-4, "operating_cost": 1.5e-4, "earnings_decline": 0.45},
}
