"""What readers of several architectures share: widths, windows, experts, and the elements of norms and biases."""

from typing import Any

from nvscale.errors import InvalidInput
from nvscale.model_configs.reading import Config

Fields = dict[str, Any]


def widths(c: Config, *, tied: bool, kv_default: float | None = None) -> Fields:
    """Return layers, widths and heads under the common names."""
    layers, hidden, heads = c.size("num_hidden_layers"), c.size("hidden_size"), c.size("num_attention_heads")
    kv_heads = c.size("num_key_value_heads", default=heads if kv_default is None else kv_default)
    if heads % kv_heads:
        raise InvalidInput(f"{c.where}: num_attention_heads = {heads:g} is not a multiple of num_key_value_heads = {kv_heads:g}")
    return {
        "layers": layers,
        "hidden": hidden,
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim(c, hidden, heads),
        "vocabulary": c.size("vocab_size"),
        "tied_embeddings": float(c.flag("tie_word_embeddings", tied)),
        "context": c.size("max_position_embeddings", default=1) if c.has("max_position_embeddings") else None,
    }


def head_dim(c: Config, hidden: float, heads: float) -> float:
    """Return the width of a head; without a key the heads share the hidden width."""
    if not c.has("head_dim") and hidden % heads:
        raise InvalidInput(
            f"{c.where}: hidden_size = {hidden:g} is not a multiple of num_attention_heads = {heads:g}, and head_dim is missing"
        )
    return c.size("head_dim", default=int(hidden // heads))


def query_width(f: Fields) -> float:
    """Elements of all query heads."""
    return float(f["heads"] * f["head_dim"])


def key_width(f: Fields) -> float:
    """Elements of all key heads."""
    return float(f["kv_heads"] * f["head_dim"])


def query_key_value_biases(f: Fields) -> float:
    """Elements of the biases of queries, keys and values of a layer."""
    return query_width(f) + 2.0 * key_width(f)


def windows(c: Config, layers: float, *, key: str = "sliding_window", pattern: float = 0.0, word: str = "sliding_attention") -> Fields:
    """Return the window, and how many layers have one: as listed, or all but every so-many-th, or all."""
    if not c.has(key):
        return {}
    kinds = c.listed("layer_types", layers)
    patterned = layers - layers // pattern if pattern else layers
    windowed = float(sum(kind == word for kind in kinds)) if kinds else patterned
    return {"window": c.size(key), "windowed_layers": windowed} if windowed else {}


def routed(c: Config, *, experts: tuple[str, ...], width: str = "moe_intermediate_size", taken: str = "num_experts_per_tok") -> Fields:
    """Return the routed experts under the names that the architecture uses."""
    count, used = c.size(*experts), c.size(taken)
    if used > count:
        raise InvalidInput(f"{c.where}: {taken} = {used:g} is more than {experts[0]} = {count:g}")
    return {"experts": count, "experts_per_token": used, "expert_ffn": c.size(width)}


def matrices(f: Fields, *, gated: bool) -> Fields:
    """Return the number of matrices of a feed-forward layer."""
    return {**f, "ffn_matrices": 3.0 if gated else 2.0}


def extra(f: Fields, per_layer: float, rest: float) -> Fields:
    """Return the fields with the elements that no matrix holds: so many in each layer, and the rest."""
    return {**f, "extra_parameters": f["layers"] * per_layer + rest}
