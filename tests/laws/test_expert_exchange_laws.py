"""Laws of the expert exchange: copies of a token, limits, order; and of the system benchmarks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import expert_exchange, system_benchmarks

groups = st.integers(2, 512).map(float)
fans = st.integers(1, 32).map(float)
counts = st.floats(1.0, 1e5)
FIXED = {"launch": 3e-5, "token_time": 2e-8, "bandwidth": 1.5e11, "sharpness": 1.3}
DOMAIN = {"launch": 1e-5, "doubling": 1e-6, "bandwidth": 5e11, "own_copy": 0.5, "reach": 0.1, "sharpness": 1.2}


@given(groups, fans)
def test_random_routing_sends_no_more_copies_than_balanced_routing(n, k):
    random, balanced = expert_exchange.expected_copies_to_ranks(n, k), expert_exchange.copies_to_ranks(n, k)
    assert 0.0 < random <= balanced * (1 + 1e-9) and balanced <= min(n - 1.0, k)


@given(groups)
def test_one_expert_a_token_is_the_same_for_both(n):
    assert expert_exchange.expected_copies_to_ranks(n, 1.0) == pytest.approx(expert_exchange.copies_to_ranks(n, 1.0), rel=1e-6)


@given(groups)
def test_random_copies_are_counted_right(n):
    """Two draws: the expected number of distinct other participants by hand."""
    by_hand = (1.0 - 1.0 / n) * 2.0 - (n - 1.0) / n**2
    assert expert_exchange.expected_copies_to_ranks(n, 2.0) == pytest.approx(by_hand, rel=1e-6)


@given(fans, counts)
def test_one_participant_exchanges_nothing(k, tokens):
    assert expert_exchange.copies_to_ranks(1.0, k) == expert_exchange.expected_copies_to_ranks(1.0, k) == 0.0
    assert expert_exchange.expert_exchange_time(tokens, 7168.0, 1.0, 1.0, k, **FIXED) == 0.0
    assert expert_exchange.domain_expert_exchange_time(tokens, 7168.0, 1.0, 1.0, k, **DOMAIN) == 0.0


@given(groups, fans, counts, st.floats(1.01, 10.0))
def test_more_tokens_and_wider_elements_take_longer(n, k, tokens, factor):
    for form, constants in ((expert_exchange.expert_exchange_time, FIXED), (expert_exchange.domain_expert_exchange_time, DOMAIN)):
        time = form(tokens, 7168.0, 1.0, n, k, **constants)
        assert form(tokens * factor, 7168.0, 1.0, n, k, **constants) > time
        assert form(tokens, 7168.0, factor, n, k, **constants) > time


@given(groups, fans)
def test_no_tokens_cost_the_launch(n, k):
    assert expert_exchange.expert_exchange_time(0.0, 7168.0, 1.0, n, k, **FIXED) == pytest.approx(3e-5, rel=1e-12)


@given(st.floats(1e9, 1e15), st.floats(0.0, 1.0))
def test_linpack_stays_below_the_peak(rate, share):
    assert system_benchmarks.linpack_rate(rate, share) <= rate


@given(st.floats(1e9, 1e13), st.floats(0.01, 0.25), st.floats(1.01, 4.0))
def test_conjugate_gradients_follow_the_memory(bandwidth, intensity, factor):
    rate = system_benchmarks.conjugate_gradient_rate(bandwidth, intensity)
    assert system_benchmarks.conjugate_gradient_rate(bandwidth * factor, intensity) == pytest.approx(rate * factor, rel=1e-12)
