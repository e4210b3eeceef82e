"""Sample arguments for every public formula of nvscale.formulas.roofline, in SI."""

H100 = {"peak": 989.4e12, "bandwidth": 3.35e12}

SAMPLES = {
    "attainable": {"operational_intensity": 100.5, **H100},
    "attainable_under_ceilings": {
        "operational_intensity": 400.5,
        **H100,
        "compute_ceilings": [0.5, 0.8],
        "bandwidth_ceilings": [0.9],
    },
    "attained_share": {"operational_intensity": 100.5, **H100},
    "cache_aware_attainable": {
        "operational_intensity": 20.5,
        "peak": 989.4e12,
        "bandwidths": [30e12, 5.5e12, 3.35e12],
        "served_shares": [0.7, 0.2, 0.1],
    },
    "compute_time": {"work": 1.1e12, "peak": 989.4e12, "efficiency": 0.7},
    "hierarchical_attainable": {
        "operational_intensities": [20.5, 150.5, 400.5],
        "peak": 989.4e12,
        "bandwidths": [30e12, 5.5e12, 3.35e12],
    },
    "hierarchical_time": {
        "work": 1.1e12,
        "peak": 989.4e12,
        "traffic": [40e9, 20e9, 3e9],
        "bandwidths": [30e12, 5.5e12, 3.35e12],
    },
    "hockney_half_size": {"peak": 989.4e12, "startup_time": 5e-6},
    "hockney_rate": {"work": 1.1e12, "peak": 989.4e12, "half_size": 5e9},
    "instruction_attainable": {"instruction_intensity": 3.5, "peak": 489.6e9, "bandwidth": 25.9e9},
    "mixed_precision_rate": {"work_shares": [0.75, 0.25], "rates": [1979e12, 989.4e12]},
    "networked_attainable": {
        "memory_intensity": 500.5,
        "peak": 989.4e12,
        "memory_bandwidth": 3.35e12,
        "network_intensities": [1500.5, 9000.5],
        "network_bandwidths": [450e9, 50e9],
    },
    "operational_intensity": {"work": 1.1e12, "traffic": 3e9},
    "ridge_point": H100,
    "roofline_time": {"work": 1.1e12, "traffic": 5e9, **H100},
}
