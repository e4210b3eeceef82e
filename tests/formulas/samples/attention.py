"""Sample arguments for every public formula of nvscale.formulas.attention, in SI."""

_HEADS = {"batch": 4.0, "heads": 32.0}

SAMPLES = {
    "key_value_cache_size": {"tokens": 4096.0, "layers": 80.0, "kv_heads": 8.0, "head_dim": 128.0, "element_size": 2.0},
    "full_attention_flop": {**_HEADS, "queries": 1.0, "keys": 8192.0, "head_dim": 128.0, "multiply_add": 2.0},
    "causal_attention_flop": {**_HEADS, "sequence": 4096.0, "head_dim": 128.0, "multiply_add": 2.0},
    "windowed_attention_flop": {**_HEADS, "sequence": 8192.0, "head_dim": 128.0, "window": 1024.0, "multiply_add": 2.0},
    "prefill_attention_traffic": {**_HEADS, "sequence": 4096.0, "kv_heads": 8.0, "head_dim": 128.0, "element_size": 2.0},
    "softmax_bound_width": {"head_dim": 128.0, "softmax_dim": 63.5, "sharpness": 4.0},
    "longest_tile_flop": {"query_tile": 128.0, "sequence": 8192.0, "head_dim": 128.0, "multiply_add": 2.0},
    "causal_attention_compute_time": {
        "work": 2.2e12,
        "tile_work": 5.4e8,
        "sequence": 8192.0,
        "compute_units": 132.0,
        "rate": 550e12,
        "half_sequence": 300.0,
        "tail_units": 0.7,
    },
    "split_reduction_time": {"sequence": 8192.0, "split_tokens": 256.0, "split_time": 1.2e-6},
    "decode_memory_time": {"cache_traffic": 1.3e9, "other_traffic": 2e6, "sequence": 8192.0, "half_sequence": 60.0, "rate": 2.9e12},
}
