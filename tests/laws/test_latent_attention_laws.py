"""Laws of latent attention: one cache for all heads, absorption and its price, whole passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import attention, latent_attention

batches = st.integers(1, 512).map(float)
heads = st.integers(1, 256).map(float)
sequences = st.integers(1, 131_072).map(float)
dims = st.sampled_from([64.0, 128.0, 256.0, 512.0, 1024.0])


@given(st.integers(1, 100_000).map(float), st.integers(1, 100).map(float), dims, dims)
def test_the_latent_cache_is_one_wide_multi_query_head_that_serves_as_key_and_value(tokens, layers, latent, rotary):
    """Two tensors of (d_c + d_R)/2 elements hold as much."""
    as_multi_query = attention.key_value_cache_size(tokens, layers, 1.0, (latent + rotary) / 2, 2.0)
    assert latent_attention.latent_cache_size(tokens, layers, latent, rotary, 2.0) == pytest.approx(as_multi_query, rel=1e-12)


@given(batches, heads, sequences, dims)
def test_score_widths_contain_ordinary_attention(batch, h, s, d):
    """Without a rotary part, keys and values of D elements are ordinary heads."""
    width = latent_attention.expanded_score_width(d, 0.0, d)
    work = latent_attention.latent_attention_flop(batch, h, 1.0, s, width)
    assert work == pytest.approx(attention.full_attention_flop(batch, h, 1.0, s, d), rel=1e-12)
    causal = latent_attention.latent_attention_flop(batch, h, s, s / 2, width)
    assert causal == pytest.approx(attention.causal_attention_flop(batch, h, s, d), rel=1e-12)


@given(heads, sequences, dims, dims, st.sampled_from([64.0, 128.0]))
def test_absorption_costs_work_where_the_latent_vector_is_wider_than_a_head(h, s, latent, rotary, d):
    absorbed = latent_attention.absorbed_score_width(latent, rotary)
    expanded = latent_attention.expanded_score_width(d, rotary, d)
    assert (absorbed >= expanded) == (latent >= d)


@given(batches, sequences, heads, st.floats(1.0, 8.0))
def test_prefill_traffic_is_monotone_and_linear_in_tokens(batch, s, h, factor):
    traffic = latent_attention.latent_prefill_traffic(batch, s, h, 640.0, 576.0, 2.0, 1.0)
    assert latent_attention.latent_prefill_traffic(batch, s * factor, h, 640.0, 576.0, 2.0, 1.0) == pytest.approx(
        traffic * factor, rel=1e-9
    )
    assert latent_attention.latent_prefill_traffic(batch, s, h * factor, 640.0, 576.0, 2.0, 1.0) >= traffic
    assert traffic > latent_attention.latent_cache_size(batch * s, 1.0, 512.0, 64.0, 1.0)


@given(heads)
def test_passes_are_whole_and_few(h):
    passes = latent_attention.latent_passes(h, 16.0, 64.0)
    assert passes == int(passes)
    assert 1.0 <= passes <= 4.0
    assert latent_attention.latent_passes(h, 256.0, 64.0) == 1.0


@given(heads, heads, st.integers(1, 4096).map(float))
def test_projections_split_by_heads_all_but_the_down_projections(first, second, tokens):
    rest = (1536.0, 512.0, 64.0, 128.0, 128.0)

    def parameters(h: float) -> float:
        return latent_attention.latent_projection_parameters(7168.0, h, *rest)

    down = 7168.0 * (1536.0 + 512.0 + 64.0)
    assert parameters(first) + parameters(second) == pytest.approx(parameters(first + second) + down, rel=1e-12)
    one = latent_attention.latent_projection_activations(1.0, 7168.0, first, *rest, 2.0)
    assert latent_attention.latent_projection_activations(tokens, 7168.0, first, *rest, 2.0) == pytest.approx(tokens * one, rel=1e-12)
