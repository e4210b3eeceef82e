"""Sample arguments for every public formula of nvscale.formulas.technology_scaling."""

SAMPLES = {
    "density_scaling": {"dimension_scale": 1.4},
    "frequency_scaling": {"dimension_scale": 1.4},
    "switching_energy_scaling": {"dimension_scale": 1.4, "voltage_scale": 1.1},
    "power_density_scaling": {"dimension_scale": 1.4, "voltage_scale": 1.1},
    "active_share": {"dimension_scale": 1.4, "voltage_scale": 1.1},
    "fixed_power_speed_up": {"dimension_scale": 1.4, "voltage_scale": 1.1},
}
