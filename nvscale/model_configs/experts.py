"""Readers of models whose feed-forward layers are routed experts, with attention by heads or by latent vectors."""

from nvscale.errors import InvalidInput
from nvscale.model_configs.parts import Fields, extra, key_width, matrices, query_key_value_biases, query_width, routed, widths, windows
from nvscale.model_configs.reading import Config


def _base(c: Config, *, tied: bool = False) -> Fields:
    return matrices({**widths(c, tied=tied), "ffn": c.count("intermediate_size", default=0)}, gated=True)


def _local(c: Config, *names: str) -> Fields:
    """Experts as wide as `intermediate_size`, in every layer."""
    return {**_base(c), "ffn": 0.0, **routed(c, experts=("num_local_experts", "num_experts", *names), width="intermediate_size")}


def mixtral(c: Config) -> Fields:
    """Two RMS norms a layer; experts in every layer."""
    f = _local(c)
    return extra(f, 2.0 * f["hidden"], f["hidden"]) | windows(c, f["layers"])


def granite_moe(c: Config) -> Fields:
    """As Mixtral, with tied embeddings unless the key says otherwise."""
    return mixtral(Config({"tie_word_embeddings": True, **c.table}, c.where))


def olmoe(c: Config) -> Fields:
    """As Mixtral, with norms of all queries and all keys."""
    f = _local(c)
    return extra(f, 2.0 * f["hidden"] + query_width(f) + key_width(f), f["hidden"])


def phimoe(c: Config) -> Fields:
    """Layer norms with bias, biases of attention and of the head where the keys say so."""
    f = _local(c)
    biases = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", False) else 0.0
    head = f["vocabulary"] if c.flag("lm_head_bias", False) else 0.0
    return extra(f, 4.0 * f["hidden"] + biases, 2.0 * f["hidden"] + head) | windows(c, f["layers"])


def gpt_oss(c: Config) -> Fields:
    """Biases everywhere, also in experts and router; a learned sink per head; every other layer windowed."""
    f = {**_local(c), "expert_biases": 2.0 * c.size("intermediate_size") + c.size("hidden_size")}
    biases = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", True) else 0.0
    return extra(f, 2.0 * f["hidden"] + biases + f["heads"] + f["experts"], f["hidden"]) | windows(c, f["layers"], pattern=2.0)


def minimax_m2(c: Config) -> Fields:
    """As Mixtral, with norms of all queries and keys and a correction of the routing scores."""
    f = _local(c)
    norms = query_width(f) + key_width(f) if c.flag("use_qk_norm", True) else 0.0
    routing = f["experts"] if c.flag("use_routing_bias", True) else 0.0
    return extra(f, 2.0 * f["hidden"] + norms + routing, f["hidden"])


def dbrx(c: Config) -> Fields:
    """Norms without bias; experts in every layer; the widths stand in two nested tables."""
    attention, feed = c.inner("attn_config"), c.inner("ffn_config")
    hidden, heads = c.size("d_model"), c.size("n_heads")
    f: Fields = {
        "layers": c.size("n_layers"),
        "hidden": hidden,
        "heads": heads,
        "kv_heads": attention.size("kv_n_heads", default=int(heads)),
        "head_dim": float(hidden // heads),
        "vocabulary": c.size("vocab_size"),
        "tied_embeddings": float(c.flag("tie_word_embeddings", False)),
        "context": c.size("max_seq_len"),
        "ffn": 0.0,
        "ffn_matrices": 3.0,
        "experts": feed.size("moe_num_experts"),
        "experts_per_token": feed.size("moe_top_k"),
        "expert_ffn": feed.size("ffn_hidden_size"),
    }
    return extra(f, 2.0 * hidden, hidden)


def _some_dense(c: Config, f: Fields) -> Fields:
    """Experts in every so-many-th layer but the ones that are listed as dense."""
    step, listed = c.size("decoder_sparse_step", default=1), c.listed("mlp_only_layers")
    layers = int(f["layers"])
    dense = sum(1 for layer in range(layers) if layer in listed or (layer + 1) % step)
    return {**f, **routed(c, experts=("num_experts", "num_local_experts")), "dense_layers": float(dense)}


def qwen2_moe(c: Config) -> Fields:
    """As Qwen2, with routed experts and one shared expert that has a gate."""
    f = {**_some_dense(c, _base(c)), "shared_ffn": c.size("shared_expert_intermediate_size")}
    gates = (f["layers"] - f["dense_layers"]) * f["hidden"]
    return extra(f, 2.0 * f["hidden"] + query_key_value_biases(f), f["hidden"] + gates)


def qwen3_moe(c: Config) -> Fields:
    """As Qwen3, with routed experts."""
    f = _some_dense(c, _base(c))
    biases = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + 2.0 * f["head_dim"] + biases, f["hidden"])


def llama4(c: Config) -> Fields:
    """Experts and a shared expert in every so-many-th layer; three of four layers attend to chunks."""
    f = _base(c)
    step, layers = c.size("interleave_moe_layer_step", default=1), int(f["layers"])
    listed = c.listed("moe_layers")
    sparse = len(listed) if listed else sum(1 for layer in range(layers) if (layer + 1) % step == 0)
    wide = c.size("intermediate_size")
    f |= routed(c, experts=("num_local_experts",), width="intermediate_size")
    f |= {"dense_layers": float(layers - sparse), "shared_ffn": wide, "ffn": c.size("intermediate_size_mlp", default=int(wide))}
    rotary = c.listed("no_rope_layers", layers)
    chunked = sum(rotary) if rotary else layers - layers // int(c.size("no_rope_layer_interval", default=4))
    chunk = {"window": c.size("attention_chunk_size"), "windowed_layers": float(chunked)} if c.has("attention_chunk_size") else {}
    return extra(f, 2.0 * f["hidden"], f["hidden"]) | chunk


def _leading_dense(c: Config, f: Fields) -> Fields:
    """The first layers dense, the others with routed and shared experts; predicted tokens."""
    if c.size("moe_layer_freq", default=1) != 1.0:
        raise InvalidInput(f"{c.where}: moe_layer_freq = {c.table['moe_layer_freq']!r} is not supported; wanted 1")
    dense = c.count("first_k_dense_replace", default=0)
    if dense > f["layers"]:
        raise InvalidInput(f"{c.where}: first_k_dense_replace = {dense:g} is more than num_hidden_layers = {f['layers']:g}")
    made = routed(c, experts=("n_routed_experts",))
    shared = c.count("n_shared_experts", default=0) * made["expert_ffn"]
    predicted = c.count("num_nextn_predict_layers", default=0)
    return {**f, **made, "dense_layers": dense, "shared_ffn": shared, "predicted_tokens": predicted}


def _corrections(c: Config, f: Fields, *, always: bool = False) -> float:
    """Corrections of the routing scores, one per expert."""
    return (f["layers"] - f["dense_layers"]) * f["experts"] if always or c.text("topk_method") == "noaux_tc" else 0.0


def deepseek(c: Config) -> Fields:
    """The first layers dense; two RMS norms a layer."""
    f = _leading_dense(c, _base(c))
    return extra(f, 2.0 * f["hidden"], f["hidden"])


def glm4_moe(c: Config) -> Fields:
    """The first layers dense; corrections of the routing scores; norms and biases where the keys say so."""
    f = _leading_dense(c, _base(c))
    biases = query_key_value_biases(f) if c.flag("attention_bias", False) else 0.0
    norms = 2.0 * f["head_dim"] if c.flag("use_qk_norm", False) else 0.0
    return extra(f, 2.0 * f["hidden"] + biases + norms, f["hidden"] + _corrections(c, f, always=True))


def deepseek_latent(c: Config) -> Fields:
    """Latent attention with its two norms, and an indexer where there is one."""
    layers, hidden, heads = c.size("num_hidden_layers"), c.size("hidden_size"), c.size("num_attention_heads")
    rank, rotary = c.size("kv_lora_rank"), c.size("qk_rope_head_dim")
    queries = c.count("q_lora_rank", default=0)
    f: Fields = {
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": heads,
        "head_dim": c.size("qk_nope_head_dim") + rotary,
        "value_head_dim": c.size("v_head_dim"),
        "query_rank": queries,
        "latent_rank": rank,
        "rotary_dim": rotary,
        "vocabulary": c.size("vocab_size"),
        "tied_embeddings": float(c.flag("tie_word_embeddings", False)),
        "context": c.size("max_position_embeddings"),
        "ffn": c.size("intermediate_size"),
        "ffn_matrices": 3.0,
    }
    f = _leading_dense(c, f)
    return extra(
        f, 2.0 * hidden + rank + queries + _indexer(c, hidden, queries), hidden + _corrections(c, f, always=c.has("index_n_heads"))
    )


def _indexer(c: Config, hidden: float, queries: float) -> float:
    """Elements of what chooses the keys of sparse attention: queries, keys with a norm, weights of its heads."""
    if not c.has("index_n_heads"):
        return 0.0
    heads, width = c.size("index_n_heads"), c.size("index_head_dim")
    return queries * heads * width + hidden * width + 2.0 * width + hidden * heads
