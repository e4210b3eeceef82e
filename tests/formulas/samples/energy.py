"""Sample arguments for every public formula of nvscale.formulas.energy, in SI."""

from typing import Any

CHIP = {"energy_per_flop": 0.4e-12, "energy_per_byte": 30.5e-12, "constant_power": 110.5}
ROOFS = {"peak": 989.4e12, "bandwidth": 3.35e12}

SAMPLES: dict[str, dict[str, Any]] = {
    "total_energy": {"work": 2.5e15, "traffic": 4.5e12, "time": 2.75, **CHIP},
    "dynamic_energy": {"work": 1e12, "energy_per_flop": 0.5e-12, "traffic": [10e9, 100e9], "energy_per_byte": [30e-12, 2e-12]},
    "energy_balance_point": {"energy_per_byte": 30e-12, "energy_per_flop": 0.4e-12},
    "balance_gap": {"energy_per_byte": 30e-12, "energy_per_flop": 0.4e-12, **ROOFS},
    "arch_line_flop_per_joule": {"operational_intensity": 100.5, **ROOFS, **CHIP},
    "power_line": {"operational_intensity": 500.5, **ROOFS, **CHIP},
    "peak_power": {**ROOFS, **CHIP},
}
