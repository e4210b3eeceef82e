"""Sample arguments for every public formula of nvscale.formulas.cost, in SI."""

from typing import Any

PRICE_OF_ENERGY = 0.08 / 3.6e6
RATE = 2.65 / 3600

SAMPLES: dict[str, dict[str, Any]] = {
    "capital_recovery_factor": {"interest_rate": 0.08, "periods": 5.5},
    "capital_cost_per_period": {"price": 30e3, "interest_rate": 0.08, "periods": 5.5, "residual_share": 0.15},
    "energy_cost": {"energy_used": 3.6e10, "energy_price": PRICE_OF_ENERGY},
    "energy_cost_rate": {"information_technology": 1300.5, "usage_effectiveness": 1.2, "energy_price": PRICE_OF_ENERGY},
    "capital_cost_rate": {"price": 40e3, "recovery_factor": 0.25, "period": 31557600.0},
    "owning_cost_rate": {
        "capital": 0.9 / 3600,
        "operating": 0.3 / 3600,
        "facility_power": 1500.5,
        "energy_price": PRICE_OF_ENERGY,
        "availability": 0.9,
    },
    "task_cost": {"time": 3.6e6, "cost_rate": RATE, "energy_used": 3.6e9, "energy_price": PRICE_OF_ENERGY},
    "cost_per_flop": {"cost_rate": RATE, "peak": 989.4e12, "utilisation": 0.4},
    "cost_per_token": {"cost_rate": RATE, "throughput": 6000.0, "utilisation": 0.6, "goodput_share": 0.9},
    "affordable_cost_rate": {"token_price": 0.2e-6, "throughput": 22300.0, "utilisation": 0.6, "goodput_share": 0.9},
}
