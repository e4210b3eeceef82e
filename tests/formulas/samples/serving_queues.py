"""Sample arguments of nvscale.formulas.serving_queues, in SI."""

from typing import Any

SAMPLES: dict[str, dict[str, Any]] = {
    "concurrent_requests": {"rate": 3.0, "latency": 10.5},
    "offered_load": {"rate": 12.0, "service": 0.025},
    "single_server_wait": {"rate": 12.0, "service": 0.025, "variation": 0.4},
    "many_server_wait": {"rate": 12.0, "service": 8.0, "servers": 150.0, "variation": 0.7},
    "wait_percentile": {"mean_wait": 0.012, "load": 0.7, "share": 0.6},
    "normal_quantile": {"share": 0.9},
    "poisson_percentile": {"mean": 31.0, "share": 0.6},
}
