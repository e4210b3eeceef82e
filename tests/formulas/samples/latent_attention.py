"""Sample arguments for every public formula of nvscale.formulas.latent_attention, in SI."""

_PROJECTIONS = {
    "hidden": 7168.0,
    "heads": 16.0,
    "query_rank": 1536.0,
    "latent_dim": 512.0,
    "rotary_dim": 64.0,
    "key_dim": 128.0,
    "value_dim": 128.0,
}

SAMPLES = {
    "latent_cache_size": {"tokens": 4096.0, "layers": 61.0, "latent_dim": 512.0, "rotary_dim": 64.0, "element_size": 2.0},
    "absorbed_score_width": {"latent_dim": 512.0, "rotary_dim": 64.0},
    "expanded_score_width": {"key_dim": 128.0, "rotary_dim": 64.0, "value_dim": 128.0},
    "latent_attention_flop": {
        "batch": 4.0,
        "heads": 128.0,
        "queries": 1.0,
        "keys": 8192.0,
        "score_width": 1088.0,
        "multiply_add": 2.0,
    },
    "latent_prefill_traffic": {
        "batch": 4.0,
        "sequence": 4096.0,
        "heads": 128.0,
        "head_elements": 640.0,
        "cache_row": 576.0,
        "element_size": 2.0,
        "kv_element_size": 1.0,
    },
    "latent_passes": {"heads": 24.0, "head_tile": 16.0, "wide_heads": 64.0},
    "latent_projection_parameters": _PROJECTIONS,
    "latent_projection_activations": {"tokens": 512.0, **_PROJECTIONS, "element_size": 2.0},
}
