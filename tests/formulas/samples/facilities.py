"""Sample arguments for every public formula of nvscale.formulas.facilities, in SI."""

SAMPLES = {
    "power_usage_effectiveness": {"information_technology": 10e6, "cooling": 1.2e6, "distribution_loss": 0.6e6, "other": 0.2e6},
    "power_usage_effectiveness_at_load": {"load": 0.6, "fixed_overhead": 0.08, "proportional_overhead": 0.05},
    "power_usage_effectiveness_from_cooling": {"coefficient_of_performance": 7.5, "overhead": 0.06},
    "cooling_power": {"heat": 10e6, "coefficient_of_performance": 7.5},
    "facility_power": {"information_technology": 80e6, "usage_effectiveness": 1.25},
    "information_technology_power": {"site_power": 100e6, "usage_effectiveness": 1.25},
    "chips_at_site": {"site_power": 100e6, "usage_effectiveness": 1.25, "power_per_chip": 1400.5},
    "site_work": {"chips": 58823.0, "peak": 989.4e12, "utilisation": 0.4, "time": 7776000.0},
}
