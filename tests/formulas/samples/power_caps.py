"""Sample arguments for every public formula of nvscale.formulas.power_caps, in SI."""

from typing import Any

MACHINE = {
    "peak": 989.4e12,
    "bandwidth": 3.35e12,
    "energy_per_flop": 0.4e-12,
    "energy_per_byte": 30.5e-12,
    "constant_power": 110.5,
    "power_cap": 400.5,
}

SAMPLES: dict[str, dict[str, Any]] = {
    "power_capped_attainable": {"operational_intensity": 400.5, **MACHINE},
    "power_capped_time": {"work": 1e15, "traffic": 2.5e12, **MACHINE},
    "power_under_load": {
        "work_rate": 300.5e12,
        "traffic_rate": 2.25e12,
        "energy_per_flop": 0.4e-12,
        "energy_per_byte": 30.5e-12,
        "constant_power": 110.5,
        "power_cap": 400.5,
        "sharpness": 6.5,
    },
}
