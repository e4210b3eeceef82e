"""Sample arguments for every public formula of nvscale.formulas.training_flop, in SI."""

_SHAPE = {"layers": 32.0, "width": 4096.0, "sequence": 8192.0, "multiply_add": 2.0}
_COUNTED = {"parameters": 8.03e9, "input_embedding": 5.25e8}

SAMPLES = {
    "attention_flop_per_token": {
        "layers": 32.0,
        "heads": 32.0,
        "score_dim": 192.0,
        "value_dim": 128.0,
        "keys": 4096.0,
        "multiply_add": 2.0,
    },
    "causal_flop_per_token": {**_COUNTED, **_SHAPE},
    "causal_keys": {"sequence": 8192.0},
    "full_attention_flop_per_token": {**_COUNTED, **_SHAPE},
    "generative_transformer_iteration_flop": {
        "batch": 1536.0,
        "sequence": 2048.0,
        "layers": 96.0,
        "hidden": 12288.0,
        "vocabulary": 51200.0,
        "multiply_add": 2.0,
    },
    "palm_flop_per_token": {
        "parameters": 540.35e9,
        "layers": 118.0,
        "heads": 48.0,
        "head_dim": 256.0,
        "sequence": 2048.0,
        "multiply_add": 2.0,
    },
    "parameter_flop_per_token": {"parameters": 70e9, "multiply_add": 2.0, "passes": 3.0},
    "recomputed_flop_per_token": {"layer_work": 45e9, "head_work": 3e9},
    "state_flop_per_token": {"state": 1e6, "multiply_add": 2.0},
    "windowed_keys": {"sequence": 8192.0, "window": 1024.0},
}
