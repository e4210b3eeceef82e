"""Laws of attention: halves and windows of the causal triangle, grouped heads, monotone times, caches between their limits."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import attention, cache_reuse

batches = st.integers(1, 512).map(float)
heads = st.integers(1, 128).map(float)
sequences = st.integers(1, 131_072).map(float)
head_dims = st.sampled_from([64.0, 96.0, 128.0, 192.0, 256.0])
sizes = st.floats(1e3, 1e12)
factors = st.floats(1.0, 50.0)
rates = st.floats(1e11, 1e16)


@given(batches, heads, sequences, head_dims)
def test_causal_attention_does_half_of_full_attention(batch, h, s, d):
    assert attention.causal_attention_flop(batch, h, s, d) == pytest.approx(attention.full_attention_flop(batch, h, s, s, d) / 2, rel=1e-12)


@given(batches, heads, sequences, head_dims)
def test_decode_steps_add_up_to_causal_prefill(batch, h, s, d):
    """Tokens 1 to S one by one see S (S + 1) / 2 keys: the causal triangle with its diagonal whole."""
    steps = attention.full_attention_flop(batch, h, 1.0, s * (s + 1) / 2, d)
    assert steps == pytest.approx(attention.causal_attention_flop(batch, h, s, d) * (1 + 1 / s), rel=1e-12)


@given(batches, heads, sequences, head_dims, st.floats(0.01, 4.0))
def test_a_window_lies_between_nothing_and_causal_attention(batch, h, s, d, share):
    window = max(1.0, share * s)
    seen = attention.windowed_attention_flop(batch, h, s, d, window)
    causal = attention.causal_attention_flop(batch, h, s, d)
    assert seen <= causal * (1 + 1e-12)
    assert attention.windowed_attention_flop(batch, h, s, d, 2 * window) >= seen
    if window >= s:
        assert seen == pytest.approx(causal, rel=1e-12)
    assert seen <= attention.full_attention_flop(batch, h, s, window, d) * (1 + 1e-12)


@given(st.integers(1, 100_000).map(float), st.integers(1, 128).map(float), st.integers(1, 8).map(float), head_dims)
def test_grouped_heads_share_the_cache(tokens, layers, group, d):
    whole = attention.key_value_cache_size(tokens, layers, 8.0 * group, d, 2.0)
    assert whole == pytest.approx(group * attention.key_value_cache_size(tokens, layers, 8.0, d, 2.0), rel=1e-12)
    assert attention.key_value_cache_size(2 * tokens, layers, 8.0, d, 1.0) == attention.key_value_cache_size(tokens, layers, 8.0, d, 2.0)


@given(batches, sequences, st.integers(1, 16).map(float), st.integers(1, 8).map(float), head_dims)
def test_prefill_traffic_is_queries_and_outputs_and_the_cache_once(batch, s, kv_heads, group, d):
    traffic = attention.prefill_attention_traffic(batch, s, kv_heads * group, kv_heads, d, 2.0)
    queries_and_outputs = 2.0 * batch * s * kv_heads * group * d * 2.0
    assert traffic == pytest.approx(queries_and_outputs + attention.key_value_cache_size(batch * s, 1.0, kv_heads, d, 2.0), rel=1e-12)


@given(head_dims, st.floats(1.0, 1000.0), st.floats(1.0, 32.0))
def test_softmax_width_lies_between_the_larger_and_the_sum(d, softmax_dim, sharpness):
    width = attention.softmax_bound_width(d, softmax_dim, sharpness)
    assert max(d, softmax_dim) * (1 - 1e-12) <= width <= (d + softmax_dim) * (1 + 1e-12)
    assert attention.softmax_bound_width(d, 0.0, sharpness) == pytest.approx(d, rel=1e-12)


@given(sizes, sizes, sequences, rates, st.floats(0.0, 5000.0), st.floats(0.0, 5.0), factors)
def test_compute_time_grows_with_work_and_falls_with_rate(work, tile, s, rate, half, tail, factor):
    time = attention.causal_attention_compute_time(work, tile, s, 132.0, rate, half, tail)
    assert time >= work / rate * (1 - 1e-12)
    assert attention.causal_attention_compute_time(work * factor, tile, s, 132.0, rate, half, tail) >= time
    assert attention.causal_attention_compute_time(work, tile, s, 132.0, rate * factor, half, tail) == pytest.approx(
        time / factor, rel=1e-9
    )
    assert attention.causal_attention_compute_time(work, tile, s * factor, 132.0, rate, half, tail) <= time * (1 + 1e-12)


@given(batches, heads, sequences, factors)
def test_the_rate_of_prefill_approaches_the_peak_with_the_sequence(batch, h, s, factor):
    def share(length: float) -> float:
        work = attention.causal_attention_flop(batch, h, length, 128.0)
        tile = attention.longest_tile_flop(128.0, length, 128.0)
        return work / attention.causal_attention_compute_time(work, tile, length, 132.0, 1e15, 300.0, 0.7) / 1e15

    assert share(s) < 1.0
    assert share(s * factor) >= share(s) * (1 - 1e-12)


@given(sizes, sizes, sequences, st.floats(0.0, 600.0), st.floats(1e9, 1e14), factors)
def test_decode_time_grows_with_the_cache(cache, other, s, half, rate, factor):
    time = attention.decode_memory_time(cache, other, s, half, rate)
    assert time >= (cache + other) / rate * (1 - 1e-12)
    assert attention.decode_memory_time(cache * factor, other, s, half, rate) >= time
    assert attention.decode_memory_time(cache, other, s, half, rate * factor) <= time
    assert attention.split_reduction_time(s * factor, 256.0, 1e-6) >= attention.split_reduction_time(s, 256.0, 1e-6) > 0.0


@given(sizes, sizes, st.floats(1.0, 16.0), factors)
def test_hits_fall_with_the_working_set(data, capacity, sharpness, factor):
    hit = cache_reuse.cache_hit_share(data, capacity, sharpness)
    assert 0.0 <= hit <= 1.0
    assert cache_reuse.cache_hit_share(data * factor, capacity, sharpness) <= hit
    assert cache_reuse.cache_hit_share(data, capacity * factor, sharpness) >= hit
    assert cache_reuse.cache_hit_share(capacity, capacity, sharpness) == 0.5


@given(sizes, st.floats(0.0, 1.0), rates, rates)
def test_replayed_traffic_lies_between_the_cache_and_the_memory(data, hit, bandwidth, cache_bandwidth):
    traffic = cache_reuse.replayed_traffic(data, hit, bandwidth, cache_bandwidth)
    assert data * min(1.0, bandwidth / cache_bandwidth) * (1 - 1e-9) <= traffic <= data * (1 + 1e-9)
    assert cache_reuse.replayed_traffic(data, 0.0, bandwidth, cache_bandwidth) == data


def test_arrays_agree_with_floats():
    lengths = numpy.array([128.0, 4096.0, 131_072.0])
    many = attention.windowed_attention_flop(1.0, 32.0, lengths, 128.0, 4096.0)
    assert many.tolist() == [attention.windowed_attention_flop(1.0, 32.0, float(s), 128.0, 4096.0) for s in lengths]
