"""Laws of the cost formulas: annuities, depreciation, rates, the cost roofline, rent or own."""

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvscale.formulas import cost, cost_comparison, energy, investment, roofline

interests = st.floats(0.0, 1.0)
lives = st.floats(1.0, 50.0)
amounts = st.floats(1.0, 1e9)
shares = st.floats(0.0, 0.9)
used = st.floats(0.05, 1.0)
rates = st.floats(1e-6, 1e3)
energy_prices = st.floats(1e-9, 1e-6)
machines = st.fixed_dictionaries({
    "peak": st.floats(1e9, 1e17),
    "bandwidth": st.floats(1e9, 1e14),
    "energy_per_flop": st.floats(1e-14, 1e-9),
    "energy_per_byte": st.floats(1e-13, 1e-8),
    "constant_power": st.floats(1.0, 1e4),
})  # fmt: skip
intensities = st.floats(1e-2, 1e5)


@given(st.floats(1.0, 1000.0))
def test_recovery_without_interest_is_one_over_the_life(periods):
    assert cost.capital_recovery_factor(0.0, periods) == pytest.approx(1 / periods, rel=1e-15, abs=0.0)


@given(interests, st.floats(1.001, 3.0), lives)
def test_recovery_rises_with_interest(interest, factor, periods):
    higher = interest * factor + 1e-6
    assert cost.capital_recovery_factor(interest, periods) < cost.capital_recovery_factor(higher, periods)


@given(interests, lives, st.floats(1.001, 3.0))
def test_recovery_falls_with_life_down_to_the_interest(interest, periods, factor):
    short, long = (cost.capital_recovery_factor(interest, n) for n in (periods, periods * factor))
    assert long < short * (1 + 1e-12)
    assert long >= interest


@given(interests)
def test_one_period_repays_all_with_interest(interest):
    assert cost.capital_recovery_factor(interest, 1.0) == pytest.approx(1 + interest, rel=1e-9, abs=0.0)


@given(st.floats(1e-12, 0.5), st.integers(1, 60))
def test_the_payments_are_worth_the_capital(interest, periods):
    """Also across the change from series to closed form: the payments are discounted one by one."""
    payment = cost.capital_recovery_factor(interest, float(periods))
    worth = sum(payment / (1 + interest) ** k for k in range(1, periods + 1))
    assert worth == pytest.approx(1.0, rel=1e-9, abs=0.0)


def test_recovery_does_not_jump_where_the_series_ends():
    for periods in (1.0, 5.0, 40.0, 1000.0):
        below, above = (cost.capital_recovery_factor(1e-3 / periods * side, periods) for side in (1 - 1e-12, 1 + 1e-12))
        assert below == pytest.approx(above, rel=1e-9, abs=0.0)


def test_slope_of_recovery_at_zero_interest():
    jax = pytest.importorskip("jax")
    slope = jax.grad(cost.capital_recovery_factor)(0.0, 5.0)
    assert float(slope) == pytest.approx((5 + 1) / (2 * 5), rel=1e-5, abs=0.0)


@given(amounts, interests, lives, shares)
def test_annuity_and_salvage_are_worth_the_price(price, interest, periods, residual):
    annuity = cost.capital_cost_per_period(price, interest, periods, residual)
    salvage = investment.discounted_value(price * residual, interest, periods)
    assert investment.present_value_of_payments(annuity, interest, periods) + salvage == pytest.approx(price, rel=1e-9, abs=0.0)


@given(amounts, amounts, interests, lives, shares)
def test_ownership_is_the_annuity_and_the_operation_of_its_life(price, operating, interest, periods, residual):
    level = cost.capital_cost_per_period(price, interest, periods, residual) + operating
    total = investment.total_cost_of_ownership(price, operating, interest, periods, residual)
    assert total == pytest.approx(investment.present_value_of_payments(level, interest, periods), rel=1e-9, abs=0.0)


@given(amounts, lives, shares)
def test_without_interest_capital_costs_its_depreciation(price, periods, residual):
    straight = investment.straight_line_depreciation(price, periods, residual)
    assert cost.capital_cost_per_period(price, 0.0, periods, residual) == pytest.approx(straight, rel=1e-12, abs=0.0)


@given(amounts, st.floats(0.0, 100.0), lives, shares)
def test_straight_line_value_loses_the_depreciation_of_its_age(price, age, periods, residual):
    value = investment.straight_line_value(price, age, periods, residual)
    lost = min(age, periods) * investment.straight_line_depreciation(price, periods, residual)
    assert value == pytest.approx(price - lost, rel=1e-9, abs=1e-9 * price)
    assert price * (residual - 1e-12) <= value <= price


@given(amounts, shares, st.floats(0.0, 20.0), st.floats(0.0, 20.0))
def test_declining_value_declines_in_steps(price, decline, first, second):
    twice = investment.declining_value(investment.declining_value(price, decline, first), decline, second)
    assert investment.declining_value(price, decline, first + second) == pytest.approx(twice, rel=1e-9, abs=0.0)


@given(interests, st.floats(1.0, 365.0))
def test_part_periods_compound_to_the_period(interest, parts):
    part = investment.interest_per_part_period(interest, parts)
    assert (1 + part) ** parts == pytest.approx(1 + interest, rel=1e-9, abs=0.0)


@given(rates, rates, st.floats(0.01, 0.9))
def test_earnings_just_cover_operation_at_the_end_of_economic_life(earnings, operating, decline):
    life = investment.economic_life(earnings, operating, decline)
    assume(abs(life) < 100)
    assert earnings * (1 - decline) ** life == pytest.approx(operating, rel=1e-9, abs=0.0)


@given(amounts, lives, st.floats(1e3, 1e8))
def test_capital_rate_over_its_life_pays_the_price(price, periods, period):
    per_second = cost.capital_cost_rate(price, cost.capital_recovery_factor(0.0, periods), period)
    assert per_second * periods * period == pytest.approx(price, rel=1e-12, abs=0.0)


@given(st.floats(1.0, 1e9), st.floats(1.0, 2.0), energy_prices, st.floats(1.0, 1e8))
def test_energy_rate_times_time_is_energy_cost(drawn, effectiveness, price, time):
    per_second = cost.energy_cost_rate(drawn, effectiveness, price)
    assert per_second * time == pytest.approx(cost.energy_cost(drawn * effectiveness * time, price), rel=1e-12, abs=0.0)


@given(rates, rates, st.floats(1.0, 1e6), energy_prices, used)
def test_owning_rate_over_a_long_time(capital, operating, drawn, price, availability):
    """The bill of a span over its available seconds."""
    span = 1e6
    up = span * availability
    bill = (capital + operating) * span + cost.energy_cost(drawn * up, price)
    assert cost.owning_cost_rate(capital, operating, drawn, price, availability) == pytest.approx(bill / up, rel=1e-12, abs=0.0)


@given(rates, st.floats(1.0, 1e9), used, used, st.floats(1.0, 10.0))
def test_cost_per_token_falls_as_throughput_use_and_goodput_rise(rate, throughput, utilisation, goodput, factor):
    base = cost.cost_per_token(rate, throughput, utilisation, goodput)
    assert cost.cost_per_token(rate, throughput * factor, utilisation, goodput) == pytest.approx(base / factor, rel=1e-12, abs=0.0)
    assert base >= cost.cost_per_token(rate, throughput)
    assert cost.affordable_cost_rate(base, throughput, utilisation, goodput) == pytest.approx(rate, rel=1e-12, abs=0.0)


@given(st.floats(1e6, 1e20), intensities, machines, rates, energy_prices)
def test_cost_roofline_is_the_cost_of_a_task_per_operation(work, intensity, machine, rate, price):
    traffic = work / intensity
    time = roofline.roofline_time(work, machine["peak"], traffic, machine["bandwidth"])
    parts = {name: machine[name] for name in ("energy_per_flop", "energy_per_byte", "constant_power")}
    joules = energy.total_energy(work, traffic, time=time, **parts)
    expected = cost.task_cost(time, rate, joules, price) / work
    assert cost_comparison.roofline_cost_per_flop(intensity, cost_rate=rate, energy_price=price, **machine) == pytest.approx(
        expected, rel=1e-9, abs=0.0
    )


@given(intensities, st.floats(1.001, 100.0), machines, rates, energy_prices)
def test_cost_roofline_falls_with_intensity(intensity, factor, machine, rate, price):
    low, high = (
        cost_comparison.roofline_cost_per_flop(i, cost_rate=rate, energy_price=price, **machine) for i in (intensity, intensity * factor)
    )
    assert high <= low * (1 + 1e-12)


@given(intensities, machines, rates)
def test_free_energy_leaves_the_rent(intensity, machine, rate):
    attainable = roofline.attainable(intensity, machine["peak"], machine["bandwidth"])
    free = cost_comparison.roofline_cost_per_flop(intensity, cost_rate=rate, energy_price=0.0, **machine)
    assert free == pytest.approx(cost.cost_per_flop(rate, attainable), rel=1e-12, abs=0.0)


@given(intensities, machines, rates)
def test_at_the_cost_ridge_rent_is_half_of_the_cost(intensity, machine, rate):
    price = cost_comparison.cost_ridge_energy_price(rate, energy.power_line(intensity, **machine))
    whole = cost_comparison.roofline_cost_per_flop(intensity, cost_rate=rate, energy_price=price, **machine)
    rent = cost_comparison.roofline_cost_per_flop(intensity, cost_rate=rate, energy_price=0.0, **machine)
    assert rent == pytest.approx(whole / 2, rel=1e-9, abs=0.0)


@given(rates, rates, st.floats(1.0, 1e8))
def test_at_break_even_use_owning_costs_the_rent(owning, renting, span):
    utilisation = cost_comparison.break_even_utilisation(owning, renting)
    assert utilisation * span * renting == pytest.approx(owning * span, rel=1e-12, abs=0.0)


@given(amounts, rates, st.floats(0.0, 0.9), used)
def test_at_break_even_time_buying_has_cost_the_rent(price, renting, share, utilisation):
    operating = share * renting * utilisation
    time = cost_comparison.break_even_time(price, renting, operating, utilisation)
    assert price + operating * time == pytest.approx(utilisation * renting * time, rel=1e-9, abs=0.0)


@given(amounts, st.floats(0.01, 1.0), st.floats(0.0, 1e6), st.floats(1.0, 1e15), st.floats(1e3, 1e8))
def test_levelised_cost_is_cost_per_token_of_the_rates(price, recovery, operating, tokens, period):
    levelised = cost_comparison.levelised_cost_per_token(price, recovery, operating, tokens)
    rate = cost.capital_cost_rate(price, recovery, period) + operating / period
    assert levelised == pytest.approx(cost.cost_per_token(rate, tokens / period), rel=1e-9, abs=0.0)


@given(st.floats(0.1, 10.0), st.floats(0.01, 0.5), used, energy_prices, st.floats(1e3, 1e9))
def test_levelised_energy_pays_the_plant(price_per_watt, recovery, capacity, variable, rated):
    """A plant of any size earns its annuity and its variable cost at the levelised price."""
    year = 31557600.0
    delivered = rated * capacity * year
    price = cost_comparison.levelised_energy_price(price_per_watt, recovery, year, capacity, variable)
    assert cost.energy_cost(delivered, price) == pytest.approx(price_per_watt * rated * recovery + variable * delivered, rel=1e-9, abs=0.0)


@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=6), lives)
def test_arrays_give_what_floats_give(interest, periods):
    values = cost.capital_recovery_factor(numpy.array(interest), periods)
    assert values == pytest.approx([cost.capital_recovery_factor(r, periods) for r in interest], rel=1e-12, abs=0.0)
