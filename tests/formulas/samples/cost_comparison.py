"""Sample arguments for every public formula of nvscale.formulas.cost_comparison, in SI."""

from typing import Any

PRICE_OF_ENERGY = 0.08 / 3.6e6
RATE = 2.65 / 3600

SAMPLES: dict[str, dict[str, Any]] = {
    "roofline_cost_per_flop": {
        "operational_intensity": 100.5,
        "peak": 989.4e12,
        "bandwidth": 3.35e12,
        "cost_rate": RATE,
        "energy_price": PRICE_OF_ENERGY,
        "energy_per_flop": 0.4e-12,
        "energy_per_byte": 30.5e-12,
        "constant_power": 110.5,
    },
    "cost_ridge_energy_price": {"cost_rate": RATE, "average_power": 700.5},
    "break_even_utilisation": {"owning": 1.2 / 3600, "renting": 3.5 / 3600},
    "break_even_time": {"price": 35e3, "renting": 3.5 / 3600, "operating": 1.2 / 3600, "utilisation": 0.8},
    "levelised_cost_per_token": {"price": 1e6, "recovery_factor": 0.25, "operating_cost": 50e3, "tokens": 1e12},
    "levelised_energy_price": {
        "price_per_watt": 1.5,
        "recovery_factor": 0.15,
        "period": 31536000.0,
        "capacity_factor": 0.22,
        "variable_cost": PRICE_OF_ENERGY,
    },
}
