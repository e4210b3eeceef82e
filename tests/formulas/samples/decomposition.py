"""Sample arguments for every public formula of nvscale.formulas.decomposition."""

SAMPLES = {
    "log_share": {"factor": 16.0, "total": 1000.0},
    "log_mean": {"a": 2.5, "b": 7.5},
    "lmdi_weight": {"segment_before": 2.5, "segment_after": 7.5, "total_before": 4.5, "total_after": 20.5},
    "lmdi_factor": {"before": 1.5, "after": 4.5, "weight": 0.4},
    "lmdi_contribution": {"before": 1.5, "after": 4.5, "segment_before": 2.5, "segment_after": 7.5},
}
