"""Laws of scaling laws: optima are optima, inverses invert, limits hold, and what costs more is never better."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import scaling_laws as f
from nvscale.laws.lifetimes import balanced_bits

sizes = st.floats(1e7, 1e12)
data = st.floats(1e8, 1e14)
computes = st.floats(1e17, 1e27)
exponents = st.floats(0.1, 0.8)
factors = st.floats(1.05, 20.0)
bits = st.floats(1.0, 16.0)
sensitivities = st.floats(0.3, 4.0)
counts = st.floats(1.0, 1000.0)


@st.composite
def sums(draw):
    """Constants of a law of Chinchilla type of plausible sizes."""
    alpha, beta = draw(exponents), draw(exponents)
    return {
        "E": draw(st.floats(0.5, 3.0)),
        "A": draw(st.floats(0.1, 1.0)) * 1e9**alpha,
        "B": draw(st.floats(0.1, 1.0)) * 2e10**beta,
        "alpha": alpha,
        "beta": beta,
    }


def without_floor(constants):
    return {name: value for name, value in constants.items() if name != "E"}


@given(sums(), computes, factors)
def test_no_other_size_has_a_lower_loss_at_equal_compute(constants, compute, factor):
    best = f.optimal_parameters(compute, **without_floor(constants))
    least = f.optimal_loss(compute, **constants)
    for size in (best * factor, best / factor):
        assert f.chinchilla_loss(size, compute / 6.0 / size, **constants) >= least * (1.0 - 1e-12)
    assert f.chinchilla_loss(best, compute / 6.0 / best, **constants) == pytest.approx(least, rel=1e-12)


@given(sums(), computes)
def test_the_optimum_spends_the_compute(constants, compute):
    rest = without_floor(constants)
    spent = f.training_operations(f.optimal_parameters(compute, **rest), f.optimal_tokens(compute, **rest))
    assert spent == pytest.approx(compute, rel=1e-9)


@given(sums(), computes)
def test_compute_for_a_loss_inverts_the_lowest_loss(constants, compute):
    assert f.compute_for_loss(f.optimal_loss(compute, **constants), **constants) == pytest.approx(compute, rel=1e-5)


@given(sums(), sizes, data)
def test_iso_loss_curves_pass_through_the_model(constants, size, tokens):
    loss = f.chinchilla_loss(size, tokens, **constants)
    assert f.tokens_for_loss(loss, size, **constants) == pytest.approx(tokens, rel=1e-3)
    assert f.parameters_for_loss(loss, tokens, **constants) == pytest.approx(size, rel=1e-3)
    assert f.smallest_parameters(loss, constants["E"], constants["A"], constants["alpha"]) < size


@given(sums(), sizes, data)
def test_too_small_a_model_reaches_the_loss_with_no_data(constants, size, tokens):
    loss = f.chinchilla_loss(size, tokens, **constants)
    least = f.smallest_parameters(loss, constants["E"], constants["A"], constants["alpha"])
    assert f.tokens_for_loss(loss, 0.99 * least, **constants) == math.inf


@given(sums(), sizes, data)
def test_elasticities_are_slopes_of_the_logarithm(constants, size, tokens):
    step = 1e-5

    def slope(change_size, change_data):
        ends = [f.chinchilla_loss(size * (1 + s * change_size), tokens * (1 + s * change_data), **constants) for s in (step, -step)]
        return (math.log(ends[0]) - math.log(ends[1])) / (2 * step)

    assert f.parameter_elasticity(size, tokens, **constants) == pytest.approx(slope(1, 0), rel=1e-3, abs=1e-9)
    assert f.token_elasticity(size, tokens, **constants) == pytest.approx(slope(0, 1), rel=1e-3, abs=1e-9)


@given(sums(), computes)
def test_at_the_optimum_both_elasticities_are_equal(constants, compute):
    rest = without_floor(constants)
    size, tokens = f.optimal_parameters(compute, **rest), f.optimal_tokens(compute, **rest)
    both = [f.parameter_elasticity(size, tokens, **constants), f.token_elasticity(size, tokens, **constants)]
    assert both[0] == pytest.approx(both[1], rel=1e-9)
    assert 0.5 * sum(both) == pytest.approx(f.compute_elasticity(compute, **constants) * 1.0, rel=1.0)
    step = 1e-5
    ends = [math.log(f.optimal_loss(compute * (1 + s), **constants)) for s in (step, -step)]
    assert f.compute_elasticity(compute, **constants) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-3, abs=1e-9)


@given(sums(), computes, st.floats(0.5, 8.0))
def test_overhead_is_that_of_the_iso_loss_curve(constants, compute, factor):
    """The overhead depends on the exponents alone, and is that of the curve through the optimum."""
    if factor <= 1.02 * f.smallest_size_factor(constants["alpha"], constants["beta"]):
        return
    rest = without_floor(constants)
    size, tokens = f.optimal_parameters(compute, **rest), f.optimal_tokens(compute, **rest)
    more = f.tokens_for_loss(f.optimal_loss(compute, **constants), size * factor, **constants)
    assert f.token_factor(factor, constants["alpha"], constants["beta"]) == pytest.approx(more / tokens, rel=1e-2)
    assert f.compute_overhead(factor, constants["alpha"], constants["beta"]) >= -1e-12


@given(sums(), data)
def test_matched_sizes_and_tokens_invert_each_other(constants, tokens):
    rest = without_floor(constants)
    assert f.matched_tokens(f.matched_parameters(tokens, **rest), **rest) == pytest.approx(tokens, rel=1e-9)


@given(sums(), computes)
def test_without_use_the_compute_optimal_model_is_the_cheapest(constants, compute):
    rest = without_floor(constants)
    size, tokens = f.optimal_parameters(compute, **rest), f.optimal_tokens(compute, **rest)
    assert f.justifying_lifetime_tokens(size, tokens, **rest) == pytest.approx(0.0, abs=1e-9 * tokens)
    assert f.justifying_lifetime_tokens(size, 2.0 * tokens, **rest) > 0.0


@given(sums(), sizes, data)
def test_over_trained_loss_is_a_chinchilla_loss_with_tied_exponents(constants, size, tokens):
    eta, a, b = constants["alpha"] / 2.0, constants["A"], constants["B"]
    compute = f.training_operations(size, tokens)
    left = f.overtrained_loss(compute, tokens / size, constants["E"], a, b, eta)
    right = f.chinchilla_loss(size, tokens, constants["E"], a * 6.0**-eta, b * 6.0**-eta, 2.0 * eta, 2.0 * eta)
    assert left == pytest.approx(right, rel=1e-9)


@given(sizes, data, factors)
def test_kaplan_loss_falls_with_size_and_data_to_the_laws_of_one_amount(size, tokens, factor):
    constants = {"N_c": 6.4e13, "D_c": 1.8e13, "alpha_N": 0.076, "alpha_D": 0.103}
    loss = f.kaplan_loss(size, tokens, **constants)
    assert f.kaplan_loss(size * factor, tokens, **constants) < loss
    assert f.kaplan_loss(size, tokens * factor, **constants) < loss
    assert f.kaplan_loss(size, 1e60, **constants) == pytest.approx(f.power_law_loss(size, 6.4e13, 0.076), rel=1e-6)


@given(counts, counts, st.floats(0.1, 10.0))
def test_steps_and_examples_trade_on_a_hyperbola(steps, examples, ratio):
    """(S / S_min - 1)(E / E_min - 1) = 1, and both double at the critical batch."""
    critical = examples / steps
    batch = ratio * critical
    taken, seen = f.steps_at_batch(steps, batch, critical), f.examples_at_batch(examples, batch, critical)
    assert (taken / steps - 1.0) * (seen / examples - 1.0) == pytest.approx(1.0, rel=1e-9)
    assert seen == pytest.approx(batch * taken, rel=1e-9)


@given(data, counts, st.floats(0.5, 50.0))
def test_repeated_tokens_are_worth_less_than_different_ones(unique, epochs, half):
    worth = f.effective_tokens(unique, epochs, half)
    assert unique * (1.0 - 1e-12) <= worth <= min(epochs, 1.0 + half) * unique * (1.0 + 1e-12)
    assert f.effective_tokens(unique, 1.0, half) == unique
    assert f.effective_tokens(unique, epochs * 2.0, half) >= worth


@given(sizes, sizes, st.floats(0.5, 50.0))
def test_a_model_that_fits_its_data_counts_in_full(size, unique, half):
    worth = f.effective_parameters(size, unique, half)
    assert worth <= size * (1.0 + 1e-12)
    if size <= unique:
        assert worth == size


@given(bits, bits, bits, sensitivities, sensitivities, sensitivities)
def test_more_bits_keep_more_parameters(w, a, kv, gw, ga, gkv):
    share = f.precision_share(w, a, kv, gw, ga, gkv)
    assert 0.0 < share <= 1.0
    assert f.precision_share(w + 1.0, a, kv, gw, ga, gkv) >= share
    assert f.precision_share(w / 2.0, a, kv, gw, ga, gkv) < share * (1.0 - 1e-16) or w > 15.0 * gw
    assert f.precision_share(1e4, 1e4, 1e4, gw, ga, gkv) == pytest.approx(1.0, abs=1e-12)


@given(sensitivities, sensitivities, sensitivities)
def test_the_best_precision_is_the_stationary_point(gw, ga, gkv):
    """The share of the parameters per bit is highest where the marginal is 1."""
    best = balanced_bits(gw, ga, gkv)

    def per_bit(number):
        return f.precision_share(number, number, number, gw, ga, gkv) / number

    assert per_bit(best) >= max(per_bit(1.01 * best), per_bit(0.99 * best))
    assert f.precision_dividend(best, 16.0, gw, ga, gkv) >= 1.0 - 1e-12
    assert f.precision_marginal(best, gw, ga, gkv) == pytest.approx(1.0, rel=1e-9)


@given(sizes, bits, st.floats(0.3, 1.0))
def test_tokens_beyond_which_training_harms_are_a_minimum(size, number, gamma_post):
    constants = {"C_T": 0.06, "gamma_D": 0.5, "gamma_N": 0.34, "gamma_post": gamma_post}
    turn = f.harmful_tokens(size, number, 18060.0, 0.5, **constants)

    def total(tokens):
        return 18060.0 * tokens**-0.5 + f.post_training_penalty(size, tokens, number, **constants)

    assert total(turn) <= min(total(1.1 * turn), total(turn / 1.1))


@given(sizes, data, counts, factors)
def test_finer_experts_lower_the_loss(size, tokens, granularity, factor):
    rest = (0.47, 2.1, 0.58, 18.1, 0.115, 30.8, 0.147)
    coarse = f.granular_expert_loss(size, tokens, granularity, *rest)
    assert f.granular_expert_loss(size, tokens, granularity * factor, *rest) < coarse
    assert coarse > f.chinchilla_loss(size, tokens, 0.47, 18.1, 30.8, 0.115, 0.147)


@given(counts)
def test_experts_saturate(experts):
    effective = f.effective_experts(experts, 1.847, 314.478)
    assert 1.847 * (1 - 1e-12) <= effective < 314.478
    assert f.effective_experts(experts + 1.0, 1.847, 314.478) > effective


@given(sizes, data)
def test_at_the_cutoff_the_number_of_experts_does_not_matter(size, tokens):
    rest = {"a": -0.082, "b": -0.108, "c": 0.009, "d": 1.104, "E_start": 1.847, "E_max": 314.478}
    cutoff = f.routing_cutoff(rest["b"], rest["c"])
    assert f.routed_loss(cutoff, 2.0, **rest) == pytest.approx(f.routed_loss(cutoff, 500.0, **rest), rel=1e-9)
    if size < 0.9 * cutoff:
        assert f.routed_loss(size, 64.0, **rest) < f.routed_loss(size, 1.0, **rest)


@given(sums(), st.floats(0.3, 1.0), st.floats(1.5, 3.0))
def test_a_student_without_limits_comes_down_to_its_teacher(constants, gamma, teacher):
    rest = {**without_floor(constants), "gamma": gamma, "c_0": 2.5, "c_1": 500.0, "d_1": 1.3, "f_1": 0.1}
    assert f.distilled_loss(1e200, 1e200, teacher, teacher, **rest) == pytest.approx(teacher, rel=1e-6)
    assert f.distilled_loss(1e9, 1e11, teacher, teacher, **rest) > teacher


@given(st.floats(0.01, 0.9), st.floats(0.01, 0.9), st.floats(2.0, 1e4))
def test_coverage_passes_through_both_points(first, gain, samples):
    reached = first + gain * (0.99 - first)
    b = f.coverage_exponent(first, reached, samples)
    assert f.coverage(samples, math.log(first), b) == pytest.approx(reached, rel=1e-9)
    assert f.samples_for_coverage(reached, math.log(first), b) == pytest.approx(samples, rel=1e-6)
    assert f.independent_coverage(first, 1.0) == pytest.approx(first, rel=1e-12)


@given(sizes, st.floats(0.0, 1e8), st.floats(1e6, 1e8))
def test_parameters_halve_in_a_doubling_time(size, elapsed, doubling):
    after = f.parameters_after(size, elapsed, doubling)
    assert f.parameters_after(size, elapsed + doubling, doubling) == pytest.approx(after / 2.0, rel=1e-9)
    assert f.capability_density(size, after) == pytest.approx(2.0 ** (elapsed / doubling), rel=1e-6)


@given(st.floats(1e-3, 1e3), st.floats(0.0, 0.4), st.floats(0.5, 1.0), st.floats(0.3, 3.0))
def test_the_pass_rate_rises_from_start_to_ceiling(compute, start, ceiling, slope):
    rate = f.reinforcement_pass_rate(compute, start, ceiling, 1.0, slope)
    assert start <= rate <= ceiling
    assert f.reinforcement_pass_rate(1.0, start, ceiling, 1.0, slope) == pytest.approx((start + ceiling) / 2.0, rel=1e-12)


@given(st.floats(1e5, 1e8), st.floats(1e3, 1e5), factors)
def test_more_bandwidth_lets_more_chips_share_a_multiply(batch, width, factor):
    """At the limit, moving takes as long as computing."""
    rest = {"element_size": 2.0, "peak": 4e14}
    chips = f.movement_limited_chips(batch, width, 4 * width, bandwidth=4.5e11, **rest)
    volume = batch * width * 4 * width
    computing = 2.0 * volume / chips / rest["peak"]
    moving = 3.0 * rest["element_size"] * (volume / chips) ** (2.0 / 3.0) / 4.5e11
    assert moving == pytest.approx(computing, rel=1e-9)
    more = f.movement_limited_chips(batch, width, 4 * width, bandwidth=4.5e11 * factor, **rest)
    assert more == pytest.approx(chips * factor**3, rel=1e-9)
