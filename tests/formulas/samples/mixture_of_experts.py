"""Sample arguments for every public formula of nvscale.formulas.mixture_of_experts, in SI."""

_LAYER = {"tokens": 64.0, "experts": 256.0, "top_k": 8.0}

SAMPLES = {
    "distinct_experts": _LAYER,
    "power_law_moment": {"order": 1.0, "low": 1.0, "high": 51.2, "exponent": 1.2, "lower": 2.5, "upper": 30.5},
    "largest_load_weight": _LAYER,
    "skewed_distinct_experts": {**_LAYER, "exponent": 1.2},
    "skewed_rank_pairs": {**_LAYER, "expert_parallel": 8.0, "exponent": 1.2, "spread": 0.95},
    "skewed_rank_experts": {"distinct": 190.5, "pairs": 101.5, **_LAYER, "expert_parallel": 8.0},
    "balanced_rank_pairs": {"tokens": 64.0, "top_k": 8.0, "expert_parallel": 16.0},
    "balanced_rank_experts": {"pairs": 12.5, "experts": 256.0, "expert_parallel": 16.0},
    "expert_flop": {"pairs": 100.5, "hidden": 7168.0, "intermediate": 2048.0, "multiply_add": 2.0},
    "expert_weight_size": {"experts": 100.5, "hidden": 7168.0, "intermediate": 2048.0, "element_size": 1.0},
    "expert_activation_traffic": {"tokens": 64.0, "pairs": 100.5, "hidden": 7168.0, "intermediate": 2048.0, "element_size": 2.0},
    "routing_time": {"tokens": 64.0, "growth_time": 1.2e-6, "local_experts": 32.0, "expert_time": 3e-7},
}
