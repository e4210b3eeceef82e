"""Laws of expert layers: occupancy between its limits, skew, ranks, work and traffic."""

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvscale.formulas import mixture_of_experts as moe

tokens = st.integers(1, 65_536).map(float)
experts = st.sampled_from([8.0, 16.0, 64.0, 128.0, 256.0, 512.0])
chosen = st.integers(1, 8).map(float)
ranks = st.sampled_from([1.0, 2.0, 4.0, 8.0])
factors = st.floats(1.0, 20.0)
exponents = st.sampled_from([1.01, 1.2, 1.5])


@given(tokens, experts, chosen, factors)
def test_distinct_experts_lie_between_one_token_and_all(t, e, k, factor):
    distinct = moe.distinct_experts(t, e, k)
    assert k * (1 - 1e-9) <= distinct <= min(e, k * t) * (1 + 1e-9)
    assert moe.distinct_experts(t * factor, e, k) >= distinct * (1 - 1e-12)
    assert moe.distinct_experts(1.0, e, k) == pytest.approx(k, rel=1e-9)
    assert moe.distinct_experts(1e7, e, k) == pytest.approx(e, rel=1e-9)


@given(tokens, experts, chosen, tokens)
def test_missed_experts_multiply_over_batches(t, e, k, more):
    """Two batches miss an expert independently."""
    missed = [1 - moe.distinct_experts(n, e, k) / e for n in (t, more, t + more)]
    assert missed[2] == pytest.approx(missed[0] * missed[1], rel=1e-6, abs=1e-12)


@given(tokens, experts, chosen, exponents)
def test_skew_touches_no_more_experts_than_there_are_or_pairs(t, e, k, exponent):
    distinct = moe.skewed_distinct_experts(t, e, k, exponent)
    assert k * (1 - 1e-9) <= distinct <= min(e, k * t) * (1 + 1e-9)


@given(experts, chosen, exponents)
def test_skew_touches_fewer_experts_than_chance_with_many_tokens_per_expert(e, k, exponent):
    t = 4.0 * e / k
    assert moe.skewed_distinct_experts(t, e, k, exponent) <= moe.distinct_experts(t, e, k) * 1.02


@given(tokens, experts, chosen, ranks, exponents)
def test_the_busiest_rank_holds_at_least_the_mean_and_at_most_all(t, e, k, n, exponent):
    pairs = moe.skewed_rank_pairs(t, e, k, n, exponent, 0.95)
    mean = moe.balanced_rank_pairs(t, k, n)
    assert pairs <= max(k * t, 1.0) * (1 + 1e-9)
    assert pairs >= min(mean, e / n * t) * (1 - 1e-9)
    if n == 1.0 and e >= k:
        assert pairs == pytest.approx(k * t, rel=1e-9)
    distinct = moe.skewed_distinct_experts(t, e, k, exponent)
    local = moe.skewed_rank_experts(distinct, pairs, t, e, k, n)
    assert local <= max(1.0, min(e / n, pairs)) * (1 + 1e-9)
    assert n == 1.0 or local >= 1.0


@given(tokens, experts, chosen, ranks, factors)
def test_balanced_ranks_are_monotone_in_tokens(t, e, k, n, factor):
    pairs, more = moe.balanced_rank_pairs(t, k, n), moe.balanced_rank_pairs(t * factor, k, n)
    assert more >= pairs >= 1.0
    assert moe.balanced_rank_experts(more, e, n) >= moe.balanced_rank_experts(pairs, e, n)
    assert moe.balanced_rank_experts(more, e, n) <= e / n


@given(st.floats(0.0, 3.0), st.floats(0.1, 5.0), st.floats(1.1, 1000.0), exponents, st.floats(0.0, 1.0))
def test_moments_add_up_over_intervals(order, low, ratio, exponent, cut):
    assume(abs(order + 1.0 - exponent) > 1e-3)
    high = low * ratio
    middle = low + cut * (high - low)
    whole = moe.power_law_moment(order, low, high, exponent, low, high)
    halves = [moe.power_law_moment(order, low, high, exponent, *span) for span in ((low, middle), (middle, high))]
    assert sum(halves) == pytest.approx(whole, rel=1e-6)
    assert moe.power_law_moment(0.0, low, high, exponent, low, high) == pytest.approx(1.0, rel=1e-9)
    assert low**order * (1 - 1e-6) <= whole <= high**order * (1 + 1e-6)


@given(tokens, st.floats(1.0, 1e5), st.sampled_from([1.0, 2.0, 4.0, 8.0]))
def test_tensor_parallel_ranks_share_work_and_weights(t, pairs, split):
    assert moe.expert_flop(pairs, 7168.0, 2048.0 / split) * split == pytest.approx(moe.expert_flop(pairs, 7168.0, 2048.0), rel=1e-12)
    assert moe.expert_weight_size(8.0, 7168.0, 2048.0 / split, 1.0) * split == moe.expert_weight_size(8.0, 7168.0, 2048.0, 1.0)
    split_traffic = moe.expert_activation_traffic(t, pairs, 7168.0, 2048.0 / split, 2.0)
    assert split_traffic * split >= moe.expert_activation_traffic(t, pairs, 7168.0, 2048.0, 2.0) * (1 - 1e-12)


@given(tokens, factors)
def test_routing_takes_longer_with_tokens_and_experts(t, factor):
    time = moe.routing_time(t, 1e-6, 32.0, 3e-7)
    assert moe.routing_time(t * factor, 1e-6, 32.0, 3e-7) >= time
    assert moe.routing_time(t, 1e-6, 32.0 * factor, 3e-7) >= time


def test_occupancy_agrees_with_dice():
    """A thousand random draws of 24 tokens that choose 4 of 32 experts."""
    dice = numpy.random.default_rng(7)
    used = [len({int(e) for _ in range(24) for e in dice.choice(32, 4, replace=False)}) for _ in range(1000)]
    assert numpy.mean(used) == pytest.approx(moe.distinct_experts(24.0, 32.0, 4.0), rel=5e-3)
