"""Readers of dense models with plain feed-forward layers: GPT and its descendants, each with key names of its own."""

from nvscale.errors import InvalidInput
from nvscale.model_configs.parts import Fields, extra, matrices, query_key_value_biases, widths, windows
from nvscale.model_configs.reading import Config


def _renamed(c: Config, names: dict[str, str], **fixed: object) -> Config:
    """The same configuration under the common names; a name of its own wins."""
    own = {common: c.table[name] for common, name in names.items() if c.has(name)}
    return Config({**fixed, **c.table, **own}, c.where)


_GPT2 = {
    "num_hidden_layers": "n_layer",
    "hidden_size": "n_embd",
    "num_attention_heads": "n_head",
    "intermediate_size": "n_inner",
    "max_position_embeddings": "n_positions",
}


def _base(c: Config, *, tied: bool, default_ffn: float = 4.0) -> Fields:
    f = widths(c, tied=tied)
    return matrices({**f, "ffn": c.size("intermediate_size", default=int(default_ffn * f["hidden"]))}, gated=False)


def _all_biases(f: Fields) -> float:
    """Biases of all matrices of a layer."""
    return query_key_value_biases(f) + float(f["ffn"] + 2.0 * f["hidden"])


def gpt2(c: Config) -> Fields:
    """Two layer norms a layer, all biases, learned positions, the head is the embedding."""
    c = _renamed(c, _GPT2)
    f = _base(c, tied=True)
    return {**extra(f, 4.0 * f["hidden"] + _all_biases(f), 2.0 * f["hidden"]), "positions": c.size("max_position_embeddings")}


def gpt_bigcode(c: Config) -> Fields:
    """As GPT-2, with one key-value head where the key says so."""
    c = _renamed(c, _GPT2)
    single = c.flag("multi_query", True)
    return gpt2(Config({**c.table, "num_key_value_heads": 1 if single else c.table.get("num_attention_heads")}, c.where))


def gptj(c: Config) -> Fields:
    """One layer norm for both parts of a layer; biases in the feed-forward part and in the head."""
    c = _renamed(c, _GPT2)
    f = _base(c, tied=False)
    return extra(f, 2.0 * f["hidden"] + f["ffn"] + f["hidden"], 2.0 * f["hidden"] + f["vocabulary"])


def gpt_neox(c: Config) -> Fields:
    """Two layer norms a layer and all biases; a head of its own without bias."""
    f = _base(c, tied=False)
    attention = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", True) else 0.0
    return extra(f, 4.0 * f["hidden"] + attention + f["ffn"] + f["hidden"], 2.0 * f["hidden"])


def opt(c: Config) -> Fields:
    """As GPT-2, with two positions more than the context; other widths of the embedding are projected."""
    c = _renamed(c, {"intermediate_size": "ffn_dim"})
    f = _base(c, tied=True)
    if not c.flag("do_layer_norm_before", True):
        raise InvalidInput(f"{c.where}: do_layer_norm_before = false is not supported; it is the layout of the smallest variant alone")
    if c.size("word_embed_proj_dim", default=int(f["hidden"])) != f["hidden"]:
        raise InvalidInput(f"{c.where}: word_embed_proj_dim differs from hidden_size = {f['hidden']:g}; that is not supported")
    biases = _all_biases(f) if c.flag("enable_bias", True) else 0.0
    return {**extra(f, 4.0 * f["hidden"] + biases, 2.0 * f["hidden"]), "positions": c.size("max_position_embeddings") + 2.0}


def bloom(c: Config) -> Fields:
    """All biases; a layer norm behind the embedding; no positions."""
    c = _renamed(c, {"num_hidden_layers": "n_layer", "hidden_size": "n_embed", "num_attention_heads": "n_head"})
    f = _base(c, tied=True)
    return extra(f, 4.0 * f["hidden"] + _all_biases(f), 4.0 * f["hidden"])


def falcon(c: Config) -> Fields:
    """One or two layer norms a layer; one key-value head, groups of them, or all; biases where the key says so."""
    c = _renamed(c, {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head", "intermediate_size": "ffn_hidden_size"})
    heads = c.size("num_attention_heads")
    new = c.flag("new_decoder_architecture", False)
    single = c.flag("multi_query", True) and not new
    kv_heads = 1 if single else int(c.size("num_kv_heads", "n_head_kv", default=int(heads)))
    c = Config({**c.table, "num_key_value_heads": kv_heads}, c.where)
    f = _base(c, tied=True)
    norms = 2.0 if new and c.count("num_ln_in_parallel_attn", default=2) == 2.0 else 1.0 if c.flag("parallel_attn", True) else 2.0
    biases = _all_biases(f) if c.flag("bias", False) else 0.0
    return extra(f, norms * 2.0 * f["hidden"] + biases, 2.0 * f["hidden"])


def mpt(c: Config) -> Fields:
    """Norms and matrices without biases unless `no_bias` is false; learned positions unless ALiBi is on."""
    c = _renamed(c, {"num_hidden_layers": "n_layers", "hidden_size": "d_model", "num_attention_heads": "n_heads"})
    c = _renamed(c, {"max_position_embeddings": "max_seq_len"})
    attention = c.inner("attn_config") if c.has("attn_config") else Config({}, c.where)
    if attention.has("kv_n_heads"):
        c = Config({**c.table, "num_key_value_heads": int(attention.size("kv_n_heads"))}, c.where)
    f = _base(c, tied=True, default_ffn=c.size("expansion_ratio", default=4))
    biases = 0.0 if c.flag("no_bias", False) else _all_biases(f) + 2.0 * f["hidden"]
    learned = c.flag("learned_pos_emb", True) and not attention.flag("alibi", False)
    final = f["hidden"] if c.flag("no_bias", False) else 2.0 * f["hidden"]
    return {**extra(f, 2.0 * f["hidden"] + biases, final), "positions": c.size("max_position_embeddings") if learned else 0.0}


def phi(c: Config) -> Fields:
    """One layer norm for both parts of a layer, all biases, and one in the head."""
    f = _base(c, tied=False)
    norms = 2.0 * f["head_dim"] * 2.0 if c.flag("qk_layernorm", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + norms + _all_biases(f), 2.0 * f["hidden"] + f["vocabulary"])


def starcoder2(c: Config) -> Fields:
    """Two layer norms a layer and all biases; the head is the embedding."""
    f = _base(c, tied=True)
    biases = _all_biases(f) if c.flag("use_bias", True) else 0.0
    return extra(f, 4.0 * f["hidden"] + biases, 2.0 * f["hidden"]) | windows(c, f["layers"])


def nemotron(c: Config) -> Fields:
    """Two layer norms a layer; squared ReLU between two matrices; biases where the keys say so."""
    f = _base(c, tied=False)
    attention = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", False) else 0.0
    dense = f["ffn"] + f["hidden"] if c.flag("mlp_bias", False) else 0.0
    return extra(f, 4.0 * f["hidden"] + attention + dense, 2.0 * f["hidden"])
