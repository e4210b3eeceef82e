"""Laws of transformer models: sums, bounds, monotonicity, the same answer from every carrier."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.formulas import attention, training_flop, transformer
from nvscale.transformers import CONVENTION_ALIASES, CONVENTIONS

MODELS = nv.models()
sequences = st.floats(1.0, 1e6)
every = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def shape(layers: int, width: int, kv: int, experts: int, taken: int) -> nv.Model:
    return nv.Model(
        layers=layers, hidden=64 * width, heads=8 * kv, kv_heads=kv, head_dim=64, ffn=128 * width, vocabulary=1000.0, experts=experts,
        experts_per_token=min(taken, experts), expert_ffn=32 * width,
    )  # fmt: skip


shapes = st.builds(shape, st.integers(1, 100), st.integers(1, 64), st.integers(1, 8), st.integers(0, 256), st.integers(1, 8))


@every
def test_parts_sum_to_the_whole(model: nv.Model) -> None:
    parts = model.parameters_by_part()
    assert all(count >= 0.0 for count in parts.values())
    assert math.fsum(parts.values()) == model.parameters


@every
def test_active_parameters_are_at_most_all(model: nv.Model) -> None:
    assert 0.0 < model.active_parameters <= model.parameters
    assert (model.active_parameters == model.parameters) == (model.experts == 0.0)


@every
def test_conventions_keep_their_order(model: nv.Model) -> None:
    work = {name: model.flop_per_token(4096.0, name) for name in CONVENTIONS}
    assert work["inference"] < work["causal"] <= work["causal-no-windows"] <= work["full"] <= work["full-recompute"]
    assert work["causal"] < work["causal-recompute"] <= work["causal"] * 4.0 / 3.0
    assert work["parameters"] <= work["palm"]
    assert work["inference"] * 3.0 == pytest.approx(work["causal"])


@every
def test_aliases_of_conventions_name_conventions(model: nv.Model) -> None:
    assert set(CONVENTION_ALIASES.values()) <= set(CONVENTIONS)
    assert model.flop_per_token(2048.0, "Megatron_Bridge") == model.flop_per_token(2048.0, "causal")


@every
def test_a_cache_is_at_most_all_keys_and_values_and_grows(model: nv.Model) -> None:
    states = model.state_layers * model.state_elements * 2.0
    sizes = [model.cache_size(tokens) for tokens in (1.0, 1000.0, 100000.0)]
    assert sizes == sorted(sizes)
    assert sizes[-1] <= 100000.0 * model.cache_per_token() + states
    if model.windowed_layers == 0.0:
        assert sizes[-1] == pytest.approx(100000.0 * model.cache_per_token() + states)


@given(shapes, sequences)
def test_longer_sequences_never_cost_less_per_token(model: nv.Model, sequence: float) -> None:
    for name in CONVENTIONS:
        assert model.flop_per_token(2.0 * sequence, name) >= model.flop_per_token(sequence, name)


@given(shapes)
def test_fewer_key_value_heads_have_less_cache_and_fewer_parameters(model: nv.Model) -> None:
    full = model.replace(kv_heads=model.heads)
    assert full.cache_per_token() >= model.cache_per_token()
    assert full.parameters >= model.parameters
    assert full.cache_per_token() * model.kv_heads == pytest.approx(model.cache_per_token() * full.kv_heads)


@given(shapes, sequences, st.floats(1.0, 1e6))
def test_a_window_never_costs_more(model: nv.Model, sequence: float, window: float) -> None:
    windowed = model.replace(window=window, windowed_layers=model.layers)
    assert windowed.flop_per_token(sequence) <= model.flop_per_token(sequence) * (1.0 + 1e-12)
    assert windowed.cache_size(sequence) <= model.cache_size(sequence) * (1.0 + 1e-12)


@given(st.floats(1.0, 1e6), st.floats(1.0, 1e7))
def test_windowed_keys_lie_between_none_and_the_causal_ones(sequence: float, window: float) -> None:
    keys = training_flop.windowed_keys(sequence, window)
    assert 0.0 < keys <= training_flop.causal_keys(sequence) * (1.0 + 1e-12)
    assert keys <= window


@given(st.floats(1.0, 1e5), st.integers(1, 128), st.integers(16, 256))
def test_work_per_token_is_that_of_the_attention_kernel_thrice(sequence: float, heads: int, width: int) -> None:
    kernel = attention.causal_attention_flop(1.0, float(heads), sequence, float(width))
    per_token = training_flop.attention_flop_per_token(1.0, float(heads), float(width), float(width), training_flop.causal_keys(sequence))
    assert per_token * sequence == pytest.approx(3.0 * kernel)


@given(st.integers(1, 200), st.integers(1, 400), st.floats(1.0, 1e5), st.floats(1.0, 1e5))
def test_equation_two_is_the_sum_of_its_parts(layers: int, width: int, vocabulary: float, positions: float) -> None:
    hidden = 64.0 * width
    matrices = transformer.attention_parameters(hidden, float(width), float(width), 64.0, 64.0) + transformer.feed_forward_parameters(
        hidden, 4.0 * hidden, 2.0
    )
    rest = layers * 13.0 * hidden + transformer.embedding_parameters(vocabulary, hidden, positions)
    assert transformer.generative_transformer_parameters(float(layers), hidden, vocabulary, positions) == pytest.approx(
        layers * matrices + rest
    )


def test_arrays_give_what_floats_give() -> None:
    layers = np.array([16.0, 32.0, 80.0])
    model = nv.model("llama-3-8b").replace(layers=layers)
    one = [nv.model("llama-3-8b").replace(layers=float(count)) for count in layers]
    assert model.parameters.tolist() == [m.parameters for m in one]
    assert model.flop_per_token(8192.0).tolist() == pytest.approx([m.flop_per_token(8192.0) for m in one])
    assert nv.model("llama-3-8b").flop_per_token(np.array([1024.0, 8192.0])).shape == (2,)


def test_symbols_give_a_closed_form() -> None:
    sympy = pytest.importorskip("sympy")
    layers, hidden, sequence = sympy.symbols("l h s", positive=True)
    model = nv.Model(layers=layers, hidden=hidden, heads=1.0, head_dim=hidden, ffn=4.0 * hidden, ffn_matrices=2.0, vocabulary=51200.0,
                     tied_embeddings=1.0)  # fmt: skip
    expected = 96 * layers * hidden**2 * (1 + sequence / (6 * hidden) + 51200 / (16 * layers * hidden))
    assert sympy.simplify(sympy.nsimplify(model.flop_per_token(sequence, "narayanan-2021")) - expected) == 0


def test_a_change_of_width_is_no_projection_for_experts() -> None:
    wider = nv.model("mixtral-8x7b").replace(hidden=8192.0)
    assert wider.parameters_by_part()["routers"] == 32.0 * 8192.0 * 8.0
    assert (wider.head_dim, wider.kv_heads) == (256.0, 8.0)


def test_projecting_tokens_down_for_their_experts_saves_parameters() -> None:
    model = nv.model("nemotron-3-super")
    assert model.expert_hidden == 1024.0
    assert model.replace(expert_hidden=model.hidden).parameters > model.parameters
