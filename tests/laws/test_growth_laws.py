"""Laws of growth: compounding, demand, scaling of transistors, learning curves and decomposition."""

import math

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvscale.formulas import decomposition, growth, learning_curves, technology_scaling

values = st.floats(1e-6, 1e6)
spans = st.floats(0.1, 50.0)
growths = st.floats(1.01, 10.0)
seconds = st.floats(1.0, 1e9)
elasticities = st.floats(0.0, 3.0)
scales = st.floats(1.0, 10.0)
exponents = st.floats(0.01, 2.0)


@given(values, values, spans)
def test_compounding_the_growth_factor_gives_the_end(before, after, periods):
    factor = growth.growth_factor(before, after, periods)
    assert growth.compounded_value(before, factor, periods) == pytest.approx(after, rel=1e-9, abs=0.0)


@given(values, growths, spans, spans)
def test_growth_compounds_in_steps(start, factor, first, second):
    steps = growth.compounded_value(growth.compounded_value(start, factor, first), factor, second)
    assert growth.compounded_value(start, factor, first + second) == pytest.approx(steps, rel=1e-9, abs=0.0)


@given(growths, seconds)
def test_doubling_time_gives_back_the_factor(factor, period):
    doubling = growth.doubling_time(factor, period)
    assert growth.doubling_growth(period, doubling) == pytest.approx(factor, rel=1e-9, abs=0.0)
    assert growth.doubling_growth(doubling, doubling) == 2.0
    assert growth.doubling_growth(0.0, doubling) == 1.0


@given(growths, seconds)
def test_halving_mirrors_doubling(factor, period):
    assert growth.halving_time(1 / factor, period) == pytest.approx(growth.doubling_time(factor, period), rel=1e-9, abs=0.0)


@given(growths, growths, seconds)
def test_time_to_factor_is_doublings_times_doubling_time(target, factor, period):
    expected = growth.doublings(target) * growth.doubling_time(factor, period)
    assert growth.time_to_factor(target, factor, period) == pytest.approx(expected, rel=1e-9, abs=0.0)


@given(st.floats(-5.0, 5.0), values, st.floats(0.1, 10.0), st.floats(-5.0, 5.0))
def test_logistic_is_symmetric_about_its_midpoint(offset, ceiling, rate, midpoint):
    left, right = (growth.logistic_value(midpoint + side * offset, ceiling, rate, midpoint) for side in (-1, 1))
    assert left + right == pytest.approx(ceiling, rel=1e-9, abs=0.0)
    assert min(left, right) >= 0.0


@given(values)
def test_logistic_starts_exponential_and_ends_at_the_ceiling(ceiling):
    early, later = (growth.logistic_value(t, ceiling, 1.0, 0.0) for t in (-30.0, -29.0))
    assert later / early == pytest.approx(math.e, rel=1e-9, abs=0.0)
    assert growth.logistic_value(1e6, ceiling, 1.0, 0.0) == ceiling
    assert growth.logistic_value(-1e6, ceiling, 1.0, 0.0) == pytest.approx(0.0, abs=1e-200)


@given(st.floats(1e-4, 0.9), elasticities)
def test_spending_is_price_times_demand(price, elasticity):
    demand, spend = growth.demand_ratio(price, elasticity), growth.spend_ratio(price, elasticity)
    assert spend == pytest.approx(price * demand, rel=1e-9, abs=0.0)
    assert growth.demand_elasticity(price, spend) == pytest.approx(elasticity, abs=1e-9)
    assert demand >= 1.0


@given(st.floats(1e-4, 0.9), elasticities)
def test_a_price_cut_raises_spending_only_above_elasticity_one(price, elasticity):
    assume(abs(elasticity - 1.0) > 1e-9)
    assert (growth.spend_ratio(price, elasticity) > 1.0) == (elasticity > 1.0)
    assert growth.spend_ratio(price, 1.0) == 1.0


def test_no_scaling_changes_nothing():
    assert technology_scaling.density_scaling(1.0) == 1.0
    assert technology_scaling.frequency_scaling(1.0) == 1.0
    for formula in (
        technology_scaling.switching_energy_scaling,
        technology_scaling.power_density_scaling,
        technology_scaling.active_share,
        technology_scaling.fixed_power_speed_up,
    ):
        assert formula(1.0, 1.0) == 1.0


@given(scales)
def test_dennard_keeps_the_power_density_and_everything_active(scale):
    assert technology_scaling.power_density_scaling(scale, scale) == pytest.approx(1.0)
    assert technology_scaling.active_share(scale, scale) == pytest.approx(1.0)
    assert technology_scaling.fixed_power_speed_up(scale, scale) == pytest.approx(scale**3)
    assert technology_scaling.switching_energy_scaling(scale, scale) == pytest.approx(scale**-3)


@given(scales)
def test_after_dennard_the_active_share_falls_with_the_square(scale):
    assert technology_scaling.power_density_scaling(scale, 1.0) == pytest.approx(scale**2)
    assert technology_scaling.active_share(scale, 1.0) == pytest.approx(scale**-2)
    assert technology_scaling.fixed_power_speed_up(scale, 1.0) == pytest.approx(scale)


@given(scales, scales)
def test_power_density_is_density_times_frequency_times_energy(scale, voltage):
    product = (
        technology_scaling.density_scaling(scale)
        * technology_scaling.frequency_scaling(scale)
        * technology_scaling.switching_energy_scaling(scale, voltage)
    )
    assert technology_scaling.power_density_scaling(scale, voltage) == pytest.approx(product, rel=1e-12, abs=0.0)


@given(scales, scales)
def test_the_active_part_stays_within_the_old_power(scale, voltage):
    active = technology_scaling.active_share(scale, voltage)
    assert 0.0 < active <= 1.0
    assert active * technology_scaling.power_density_scaling(scale, voltage) <= 1.0 + 1e-12
    everything = technology_scaling.density_scaling(scale) * technology_scaling.frequency_scaling(scale)
    assert technology_scaling.fixed_power_speed_up(scale, voltage) == pytest.approx(active * everything, rel=1e-12, abs=0.0)


@given(values, exponents, st.floats(1.0, 1e6))
def test_each_doubling_saves_the_learning_rate(first, exponent, output):
    before, after = (learning_curves.unit_cost(first, x, exponent) for x in (output, 2 * output))
    assert after / before == pytest.approx(1 - learning_curves.learning_rate(exponent), rel=1e-9, abs=0.0)


@given(exponents)
def test_learning_exponent_inverts_the_learning_rate(exponent):
    assert learning_curves.learning_exponent(learning_curves.learning_rate(exponent)) == pytest.approx(exponent, rel=1e-9, abs=0.0)


@given(st.floats(1.1, 1e3), exponents)
def test_doublings_are_those_of_the_output(factor, exponent):
    output = learning_curves.cumulative_output_for_cost_factor(factor, exponent)
    assume(output < 1e300)
    needed = learning_curves.doublings_for_cost_factor(factor, learning_curves.learning_rate(exponent))
    assert growth.doublings(output) == pytest.approx(needed, rel=1e-9, abs=0.0)
    assert learning_curves.unit_cost(factor, output, exponent) == pytest.approx(1.0, rel=1e-9, abs=0.0)


@given(values, st.floats(1.01, 5.0), exponents, st.floats(0.0, 20.0))
def test_wright_is_moore_when_output_grows_exponentially(first, output_growth, exponent, periods):
    output = growth.compounded_value(1.0, output_growth, periods)
    change = learning_curves.cost_change_from_output_growth(output_growth, exponent)
    moore = growth.compounded_value(first, change, periods)
    assert learning_curves.unit_cost(first, output, exponent) == pytest.approx(moore, rel=1e-9, abs=0.0)
    assert learning_curves.learning_exponent_from_growth(change, output_growth) == pytest.approx(exponent, rel=1e-9, abs=0.0)


@given(st.lists(st.floats(0.1, 100.0), min_size=1, max_size=8))
def test_log_shares_sum_to_one(factors):
    total = math.prod(factors)
    assume(abs(math.log(total)) > 1e-3)
    assert math.fsum(decomposition.log_share(f, total) for f in factors) == pytest.approx(1.0, abs=1e-9)


@given(values, values)
def test_log_mean_is_symmetric_and_between_the_other_means(a, b):
    mean = decomposition.log_mean(a, b)
    assert mean == pytest.approx(decomposition.log_mean(b, a), rel=1e-12, abs=0.0)
    assert math.sqrt(a * b) * (1 - 1e-12) <= mean <= (a + b) / 2 * (1 + 1e-12)


@given(values, st.floats(1e-12, 1e-2))
def test_log_mean_of_near_values(a, gap):
    """Against the quotient in many digits, across the change from series to quotient."""
    mpmath = pytest.importorskip("mpmath")
    b = a * (1 + gap)
    assume(b != a)
    with mpmath.workdps(50):
        exact = (mpmath.mpf(a) - mpmath.mpf(b)) / mpmath.log(mpmath.mpf(a) / mpmath.mpf(b))
    assert decomposition.log_mean(a, b) == pytest.approx(float(exact), rel=1e-11, abs=0.0)


@given(values)
def test_log_mean_at_the_edges(a):
    assert decomposition.log_mean(a, a) == a
    assert decomposition.log_mean(a, 0.0) == 0.0
    assert decomposition.log_mean(0.0, a) == 0.0
    assert decomposition.log_mean(numpy.array([a, 0.0]), numpy.array([0.0, 0.0])).tolist() == [0.0, 0.0]


segments = st.lists(st.lists(st.tuples(st.floats(0.1, 10.0), st.floats(0.1, 10.0)), min_size=3, max_size=3), min_size=1, max_size=4)


@given(segments)
def test_lmdi_factors_multiply_to_the_total(parts):
    """A total of several segments, each the product of three causes (before, after)."""
    before, after = ([math.prod(cause[side] for cause in part) for part in parts] for side in (0, 1))
    product = 1.0
    for part, r0, r1 in zip(parts, before, after, strict=True):
        weight = decomposition.lmdi_weight(r0, r1, sum(before), sum(after))
        product *= math.prod(decomposition.lmdi_factor(x0, x1, weight) for x0, x1 in part)
    assert product == pytest.approx(sum(after) / sum(before), rel=1e-9, abs=0.0)


@given(segments)
def test_lmdi_contributions_sum_to_the_change(parts):
    before, after = ([math.prod(cause[side] for cause in part) for part in parts] for side in (0, 1))
    amounts = [
        decomposition.lmdi_contribution(x0, x1, r0, r1)
        for part, r0, r1 in zip(parts, before, after, strict=True)
        for x0, x1 in part
    ]  # fmt: skip
    assert math.fsum(amounts) == pytest.approx(sum(after) - sum(before), rel=1e-9, abs=1e-9 * sum(before))


@given(st.lists(st.floats(0.1, 10.0), min_size=1, max_size=6))
def test_arrays_give_what_floats_give(points):
    array = numpy.array(points)
    assert growth.logistic_value(array, 3.0, 2.0, 1.0) == pytest.approx([growth.logistic_value(p, 3.0, 2.0, 1.0) for p in points])
    assert decomposition.log_mean(array, 2.0) == pytest.approx([decomposition.log_mean(p, 2.0) for p in points], rel=1e-12, abs=0.0)
