"""Sample arguments for every public formula of nvscale.formulas.energy_use, in SI."""

SAMPLES = {
    "average_power_energy": {"average_power": 700.5, "time": 3600.5},
    "energy_per_token": {"average_power": 1e6, "throughput": 54e3},
    "tokens_per_second_at_power": {"available_power": 1e6, "joules_per_token": 0.36},
    "flop_per_joule": {"rate": 989.4e12, "average_power": 700.5},
    "transfer_energy": {"data": 1e9, "energy_per_byte": 40e-12},
    "link_power": {"bandwidth": 1.8e12, "energy_per_byte": 40e-12},
    "emissions": {"energy_used": 3.6e9, "emission_intensity": 1.18e-4},
}
