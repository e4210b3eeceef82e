"""Sample arguments for every public formula of nvscale.formulas.reliability, in SI."""

_JOB = {"failure_rate": 1.1e-4, "interval": 700.0, "checkpoint_time": 12.0, "restart_time": 560.0}

SAMPLES = {
    "mean_time_between_interruptions": {"failure_rate": 4.4e-8, "nodes": 2048.0},
    "young_checkpoint_interval": {"checkpoint_time": 12.0, "mean_time": 11111.0},
    "daly_checkpoint_interval": {"checkpoint_time": 12.0, "mean_time": 11111.0},
    "goodput": _JOB,
    "first_order_goodput": _JOB,
    "lost_time_per_interruption": {"goodput_share": 0.61, "failure_rate": 1.9e-5},
    "spare_nodes": {"nodes": 124.0, "failure_rate": 1.87e-7, "repair_time": 260000.0, "deviations": 2.1},
}
