"""Sample arguments for every public formula of nvscale.formulas.expert_exchange, in SI."""

_TOKENS = {"tokens": 4100.0, "hidden": 7168.0, "element_size": 1.03, "participants": 32.0, "fan_out": 8.0}

SAMPLES = {
    "copies_to_ranks": {"participants": 32.0, "fan_out": 8.0},
    "domain_expert_exchange_time": {
        **_TOKENS,
        "launch": 1.1e-05,
        "doubling": 1.3e-06,
        "bandwidth": 510000000000.0,
        "own_copy": 0.45,
        "reach": 0.13,
        "sharpness": 1.2,
    },
    "expected_copies_to_ranks": {"participants": 32.0, "fan_out": 8.0},
    "expert_exchange_time": {**_TOKENS, "launch": 3.6e-05, "token_time": 2.1e-08, "bandwidth": 150000000000.0, "sharpness": 1.3},
}
