"""Sample arguments for every public formula of nvscale.formulas.power_scaling, in SI."""

from typing import Any

POINT = {"reference_frequency": 1.8e9, "constant_power": 100.5, "reference_dynamic_power": 600.5, "exponent": 2.5}

SAMPLES: dict[str, dict[str, Any]] = {
    "dynamic_power": {"activity": 0.1, "capacitance": 2e-6, "voltage": 0.8, "frequency": 1.5e9},
    "static_power": {"voltage": 0.8, "leakage_current": 100.5},
    "power_at_frequency": {"frequency": 1.2e9, **POINT},
    "frequency_at_power": {"power_budget": 400.5, **POINT},
    "energy_optimal_frequency": POINT,
    "relative_energy_at_frequency": {"frequency": 1.2e9, **POINT},
}
