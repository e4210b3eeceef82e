"""Readers of dense models with gated feed-forward layers: Llama and its many relatives."""

from nvscale.model_configs.parts import Fields, extra, key_width, query_key_value_biases, query_width, widths, windows
from nvscale.model_configs.reading import Config


def _base(c: Config, *, tied: bool = False) -> Fields:
    return {**widths(c, tied=tied), "ffn": c.size("intermediate_size"), "ffn_matrices": 3.0}


def llama(c: Config) -> Fields:
    """Two RMS norms a layer, one at the end; biases only where the keys say so."""
    f = _base(c)
    attention = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", False) else 0.0
    dense = 2.0 * f["ffn"] + f["hidden"] if c.flag("mlp_bias", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + attention + dense, f["hidden"])


def internlm(c: Config) -> Fields:
    """As Llama, with biases of all four projections of attention unless the key says otherwise."""
    f = _base(c)
    biases = query_key_value_biases(f) + f["hidden"] if c.flag("bias", True) else 0.0
    return extra(f, 2.0 * f["hidden"] + biases, f["hidden"])


def mistral(c: Config) -> Fields:
    """As Llama; all layers windowed where there is a window."""
    f = llama(c)
    return f | windows(c, f["layers"])


def granite(c: Config) -> Fields:
    """As Llama, with tied embeddings unless the key says otherwise."""
    return llama(Config({"tie_word_embeddings": True, **c.table}, c.where))


def qwen2(c: Config) -> Fields:
    """As Llama, with biases of queries, keys and values; layers from `max_window_layers` on may be windowed."""
    f = _base(c)
    made = extra(f, 2.0 * f["hidden"] + query_key_value_biases(f), f["hidden"])
    if c.flag("use_sliding_window", False) and c.has("sliding_window"):
        windowed = max(f["layers"] - c.count("max_window_layers", default=int(f["layers"])), 0.0)
        made |= {"window": c.size("sliding_window"), "windowed_layers": windowed} if windowed else {}
    return made


def qwen3(c: Config) -> Fields:
    """As Llama, with a norm of the width of a head on queries and on keys."""
    f = _base(c)
    biases = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + 2.0 * f["head_dim"] + biases, f["hidden"])


def seed_oss(c: Config) -> Fields:
    """As Llama, with biases of queries, keys and values, and one of the output where the key says so."""
    f = _base(c)
    biases = query_key_value_biases(f) if c.flag("attention_bias", True) else 0.0
    output = f["hidden"] if c.flag("attention_out_bias", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + biases + output, f["hidden"])


def phi3(c: Config) -> Fields:
    """As Llama without biases; all layers windowed where there is a window."""
    f = _base(c)
    made = extra(f, 2.0 * f["hidden"], f["hidden"])
    return made | windows(c, f["layers"])


def gemma(c: Config) -> Fields:
    """Two RMS norms a layer; the head is the embedding."""
    f = _base(c, tied=True)
    return extra(f, 2.0 * f["hidden"], f["hidden"])


def gemma2(c: Config) -> Fields:
    """Four RMS norms a layer; every other layer windowed."""
    f = _base(c, tied=True)
    return extra(f, 4.0 * f["hidden"], f["hidden"]) | windows(c, f["layers"], pattern=2.0)


def gemma3(c: Config) -> Fields:
    """Four RMS norms a layer and one on queries and on keys; five of six layers windowed."""
    c = Config({"vocab_size": 262208, "num_attention_heads": 8, "num_key_value_heads": 4, "head_dim": 256, **c.table}, c.where)
    f = _base(c, tied=True)
    pattern = c.size("sliding_window_pattern", "_sliding_window_pattern", default=6)
    return extra(f, 4.0 * f["hidden"] + 2.0 * f["head_dim"], f["hidden"]) | windows(c, f["layers"], pattern=pattern)


def glm4(c: Config) -> Fields:
    """Four RMS norms a layer; biases of queries, keys and values where the key says so."""
    f = _base(c)
    biases = query_key_value_biases(f) if c.flag("attention_bias", False) else 0.0
    return extra(f, 4.0 * f["hidden"] + biases, f["hidden"])


def glm(c: Config) -> Fields:
    """Two RMS norms a layer; biases of queries, keys and values where the key says so."""
    f = _base(c)
    biases = query_key_value_biases(f) if c.flag("attention_bias", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + biases, f["hidden"])


def cohere(c: Config) -> Fields:
    """One norm without bias for both parts of a layer; norms of all queries and keys where the key says so."""
    f = _base(c, tied=True)
    norms = query_width(f) + key_width(f) if c.flag("use_qk_norm", False) else 0.0
    return extra(f, f["hidden"] + norms, f["hidden"])


def cohere2(c: Config) -> Fields:
    """As Cohere without norms of queries and keys; all but every fourth layer windowed."""
    f = _base(c, tied=True)
    pattern = c.size("sliding_window_pattern", default=4)
    return extra(f, f["hidden"], f["hidden"]) | windows(c, f["layers"], pattern=pattern)


def olmo(c: Config) -> Fields:
    """Norms without parameters."""
    return extra(_base(c), 0.0, 0.0)


def olmo2(c: Config) -> Fields:
    """Two RMS norms a layer, and one each of all queries and all keys; windows as listed."""
    f = _base(c)
    made = extra(f, 2.0 * f["hidden"] + query_width(f) + key_width(f), f["hidden"])
    return made | windows(c, f["layers"], pattern=4.0)


def exaone4(c: Config) -> Fields:
    """Two RMS norms a layer, and norms of the width of a head on queries and keys."""
    f = _base(c)
    made = extra(f, 2.0 * f["hidden"] + 2.0 * f["head_dim"], f["hidden"])
    return made | windows(c, f["layers"], pattern=4.0)


def stablelm(c: Config) -> Fields:
    """Layer norms with bias: one for both parts of a layer where they run side by side, else two."""
    f = _base(c)
    norms = 2.0 * f["hidden"] * (1.0 if c.flag("use_parallel_residual", False) else 2.0)
    if c.flag("qk_layernorm", False):
        norms += query_width(f) + key_width(f)
    biases = query_key_value_biases(f) if c.flag("use_qkv_bias", False) else 0.0
    return extra(f, norms + biases, 2.0 * f["hidden"])
