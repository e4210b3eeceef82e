"""Sample arguments for every public formula of nvscale.formulas.transformer, in SI."""

SAMPLES = {
    "attention_parameters": {
        "hidden": 8192.0,
        "heads": 64.0,
        "kv_heads": 8.0,
        "head_dim": 128.0,
        "value_head_dim": 112.0,
        "output_gate": 0.5,
    },
    "feed_forward_parameters": {"hidden": 8192.0, "width": 28672.0, "matrices": 3.0},
    "routed_expert_parameters": {"experts": 8.0, "hidden": 4096.0, "width": 14336.0, "matrices": 3.0, "biases": 20.0},
    "embedding_parameters": {"vocabulary": 50257.0, "hidden": 768.0, "positions": 1024.0},
    "generative_transformer_parameters": {"layers": 96.0, "hidden": 12288.0, "vocabulary": 51200.0, "sequence": 2048.0},
    "state_space_parameters": {"hidden": 2688.0, "heads": 64.0, "head_dim": 64.0, "groups": 8.0, "state": 128.0, "convolution": 4.0},
    "hybrid_cache_size": {
        "tokens": 8192.0,
        "full_layers": 18.0,
        "windowed_layers": 17.0,
        "window": 1024.0,
        "elements": 2048.0,
        "element_size": 2.0,
        "state": 1e6,
    },
}
