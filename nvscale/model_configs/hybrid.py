"""Readers of models in which state-space or linear-attention layers stand in for attention."""

import math

from nvscale.errors import InvalidInput
from nvscale.formulas.transformer import state_space_parameters
from nvscale.model_configs.parts import Fields, extra, matrices, query_key_value_biases, routed, widths
from nvscale.model_configs.reading import Config


def nemotron_h(c: Config) -> Fields:
    """One norm and one part per layer, by a pattern: M state space, * attention, - dense, E experts."""
    pattern = _pattern(c)
    c = Config({"num_hidden_layers": len(pattern), **c.table}, c.where)
    layers = c.size("num_hidden_layers")
    wrong = sorted(set(pattern) - set("M*-E"))
    if wrong or len(pattern) != layers:
        said = f"has the letters {''.join(wrong)!r}" if wrong else f"has {len(pattern)} letters; wanted {layers:g}"
        raise InvalidInput(f"{c.where}: hybrid_override_pattern {said}; allowed are M, *, - and E, one per layer")
    c = Config({"head_dim": c.table.get("attention_head_dim"), **c.table}, c.where)
    states, attends, dense, sparse = (float(pattern.count(letter)) for letter in "M*-E")
    f = matrices({**widths(c, tied=False), "ffn": c.count("intermediate_size") if dense else 0.0}, gated=False)
    f |= {"attention_free_layers": layers - attends, "ffn_free_layers": states + attends, "dense_layers": dense, "state_layers": states}
    f |= _mamba2(c, heads="mamba_num_heads", width="mamba_head_dim", groups="n_groups", state="ssm_state_size", taps="conv_kernel")
    biases = query_key_value_biases(f) + f["hidden"] if c.flag("attention_bias", False) else 0.0
    if not sparse:
        return extra(f | {"dense_layers": 0.0}, f["hidden"], f["hidden"] + attends * biases)
    f |= routed(c, experts=("n_routed_experts",))
    f |= {"shared_ffn": c.count("n_shared_experts", default=1) * c.count("moe_shared_expert_intermediate_size", default=0)}
    f |= {"expert_hidden": c.size("moe_latent_size")} if c.has("moe_latent_size") else {}
    f |= {"predicted_tokens": c.count("num_nextn_predict_layers", default=0)}
    return extra(f, f["hidden"], f["hidden"] + attends * biases + sparse * f["experts"])


_LETTERS = {"mamba": "M", "attention": "*", "mlp": "-", "moe": "E"}


def _pattern(c: Config) -> str:
    """The kinds of the layers as letters, from letters or from a list of words."""
    kinds = c.listed("layers_block_type")
    wrong = [kind for kind in kinds if kind not in _LETTERS]
    if wrong:
        raise InvalidInput(f"{c.where}: layers_block_type has {wrong[0]!r}; allowed are {', '.join(_LETTERS)}")
    if not kinds and not c.text("hybrid_override_pattern"):
        raise InvalidInput(f"{c.where}: key 'hybrid_override_pattern' (or layers_block_type) is missing")
    return "".join(_LETTERS[kind] for kind in kinds) or c.text("hybrid_override_pattern")


def _mamba2(c: Config, *, heads: str, width: str, groups: str, state: str, taps: str) -> Fields:
    """A state-space layer with heads, under the names that the architecture uses."""
    count, per_head, depth = c.size(heads), c.size(width), c.size(state)
    size = state_space_parameters(c.size("hidden_size"), count, per_head, c.size(groups), depth, c.size(taps))
    return {"state_parameters": size, "state_elements": count * per_head * depth}


def mamba2(c: Config) -> Fields:
    """State-space layers with heads alone, a norm in front of each."""
    f = _states_alone(c)
    f |= _mamba2(c, heads="num_heads", width="head_dim", groups="n_groups", state="state_size", taps="conv_kernel")
    return extra(f, f["hidden"], f["hidden"])


def mamba(c: Config) -> Fields:
    """State-space layers alone, a norm in front of each."""
    f = _states_alone(c)
    hidden, depth = c.size("hidden_size"), c.size("state_size")
    inner = c.size("intermediate_size", "d_inner", default=int(c.size("expand", default=2) * hidden))
    return extra(f | _mamba1(c, hidden, inner, depth, c.size("conv_kernel", default=4), "time_step_rank"), hidden, hidden)


def _states_alone(c: Config) -> Fields:
    layers = c.size("num_hidden_layers")
    return {
        "layers": layers,
        "hidden": c.size("hidden_size"),
        "heads": 1.0,
        "ffn": 0.0,
        "ffn_matrices": 2.0,
        "vocabulary": c.size("vocab_size"),
        "tied_embeddings": float(c.flag("tie_word_embeddings", True)),
        "attention_free_layers": layers,
        "ffn_free_layers": layers,
        "state_layers": layers,
    }


def _mamba1(c: Config, hidden: float, inner: float, depth: float, taps: float, rank_key: str) -> Fields:
    """A state-space layer without heads: steps, inputs and outputs of the state are projected from its input."""
    automatic = c.table.get(rank_key) in ("auto", None)
    rank = float(math.ceil(hidden / 16.0)) if automatic else c.size(rank_key)
    projections = 2.0 * hidden * inner + inner * (rank + 2.0 * depth) + rank * inner + inner + inner * hidden
    return {"state_parameters": projections + inner * (taps + 1.0) + inner * depth + inner, "state_elements": inner * depth}


def jamba(c: Config) -> Fields:
    """One layer in eight attends, the others keep a state; every other feed-forward part is made of experts."""
    f = matrices({**widths(c, tied=False), "ffn": c.size("intermediate_size")}, gated=True)
    layers, hidden, depth = int(f["layers"]), f["hidden"], c.size("mamba_d_state", default=16)
    attends = _periodic(c, layers, "attn_layer", 8, 4)
    sparse = _periodic(c, layers, "expert_layer", 2, 1) if c.size("num_experts") > 1.0 else 0
    inner = c.size("mamba_expand", default=2) * hidden
    layer = _mamba1(c, hidden, inner, depth, c.size("mamba_d_conv", default=4), "mamba_dt_rank")
    rank = float(math.ceil(hidden / 16.0)) if c.table.get("mamba_dt_rank") in ("auto", None) else c.size("mamba_dt_rank")
    layer["state_parameters"] += rank + 2.0 * depth
    f |= {"attention_free_layers": float(layers - attends), "state_layers": float(layers - attends), **layer}
    if sparse:
        f |= {**routed(c, experts=("num_experts",), width="intermediate_size"), "dense_layers": float(layers - sparse)}
    return extra(f, 2.0 * hidden, hidden)


def _periodic(c: Config, layers: int, key: str, period: int, offset: int) -> int:
    """How many layers come up in every so-many-th place."""
    every, first = int(c.size(f"{key}_period", default=period)), int(c.count(f"{key}_offset", default=offset))
    return sum(1 for layer in range(layers) if layer % every == first)


def _delta(c: Config, f: Fields) -> Fields:
    """Every fourth layer attends, with a gated output; the others are gated delta networks."""
    layers, hidden = int(f["layers"]), f["hidden"]
    kinds = c.listed("layer_types", layers)
    every = int(c.size("full_attention_interval", default=4))
    attends = kinds.count("full_attention") if kinds else layers // every
    keys = c.size("linear_num_key_heads") * c.size("linear_key_head_dim")
    heads, width = c.size("linear_num_value_heads"), c.size("linear_value_head_dim")
    values = heads * width
    inputs = hidden * (2.0 * keys + 2.0 * values + 2.0 * heads)
    convolution = c.size("linear_conv_kernel_dim") * (2.0 * keys + values)
    state = {"state_parameters": inputs + convolution + 2.0 * heads + width + values * hidden}
    return {
        **f,
        **state,
        "state_elements": heads * width * c.size("linear_key_head_dim"),
        "state_layers": float(layers - attends),
        "attention_free_layers": float(layers - attends),
        "output_gate": float(c.flag("attn_output_gate", True)),
        "predicted_tokens": c.count("mtp_num_hidden_layers", "num_nextn_predict_layers", default=0),
    }


def qwen3_5(c: Config) -> Fields:
    """Gated delta networks and attention, dense feed-forward parts."""
    f = _delta(c, matrices({**widths(c, tied=False), "ffn": c.size("intermediate_size")}, gated=True))
    return extra(f, 2.0 * f["hidden"], f["hidden"] + (f["layers"] - f["state_layers"]) * 2.0 * f["head_dim"])


def qwen3_next(c: Config) -> Fields:
    """Gated delta networks and attention, routed experts and a shared one with a gate."""
    f = _delta(c, matrices({**widths(c, tied=False), "ffn": c.count("intermediate_size", default=0)}, gated=True))
    dense = float(len(c.listed("mlp_only_layers")))
    f |= routed(c, experts=("num_experts",)) | {"dense_layers": dense, "shared_ffn": c.size("shared_expert_intermediate_size")}
    norms = (f["layers"] - f["state_layers"]) * 2.0 * f["head_dim"]
    return extra(f, 2.0 * f["hidden"], f["hidden"] + norms + (f["layers"] - dense) * f["hidden"])


def granite_hybrid(c: Config) -> Fields:
    """State-space and attention layers, each followed by a shared expert and, where there are any, routed ones."""
    f = matrices({**widths(c, tied=True), "ffn": c.size("shared_intermediate_size")}, gated=True)
    kinds = c.listed("layer_types", f["layers"])
    states = float(kinds.count("mamba"))
    f |= {"attention_free_layers": states, "state_layers": states}
    names = {
        "heads": "mamba_n_heads",
        "width": "mamba_d_head",
        "groups": "mamba_n_groups",
        "state": "mamba_d_state",
        "taps": "mamba_d_conv",
    }
    f |= _mamba2(c, **names) if states else {}
    if c.count("num_local_experts", default=0):
        f |= {**routed(c, experts=("num_local_experts",), width="intermediate_size"), "shared_ffn": f["ffn"], "ffn": 0.0}
    return extra(f, 2.0 * f["hidden"], f["hidden"])
