"""Laws of sites: costs add up from the parts, shares sum to one, cheaper power and longer life never cost more."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.formulas import limits
from nvscale.silicon import Chip

YEAR = 365.25 * 86400.0
SYSTEMS = ("dgx-a100", "dgx-h100", "dgx-b200", "gb200-nvl72", "vera-rubin-nvl72")
systems = st.sampled_from(SYSTEMS)
powers = st.floats(1e6, 2e9)
prices = st.floats(0.01, 0.5)
lives = st.floats(1.0, 15.0)
rates = st.floats(0.0, 0.3)


def made(system: str, power: float, **terms: object) -> nv.Site:
    return nv.site(system, power=power, **terms)


@given(systems, powers, prices, lives, rates)
def test_costs_add_up_from_the_parts_to_the_site(system: str, power: float, price: float, life: float, rate: float) -> None:
    site = made(system, power, energy_price=f"{price} USD/kWh", life=f"{life} year", discount_rate=rate)
    one = nv.system(system)
    assert site["capex"].value == pytest.approx(sum(part.value for part in site["capex"].terms.values()))
    assert site["capex"]["systems"].value == pytest.approx(site.value / one.chips * sum(one.price_terms().values()))
    assert site["yearly cost"].value == pytest.approx(sum(part.value for part in site["yearly cost"].terms.values()))
    assert sum(site.shares().values()) == pytest.approx(1.0)
    assert site["usd per chip hour"].value * site.value * YEAR / 3600.0 == pytest.approx(site["yearly cost"].value)


@given(systems, powers, prices, st.floats(0.0, 1.0))
def test_cheaper_power_never_raises_a_cost(system: str, power: float, price: float, cheaper: float) -> None:
    dear = made(system, power, energy_price=f"{price} USD/kWh")
    cheap = made(system, power, energy_price=f"{price * cheaper} USD/kWh")
    assert cheap["yearly cost"].value <= dear["yearly cost"].value
    assert cheap.value == dear.value


@given(systems, powers, lives)
def test_doubling_the_life_never_raises_the_yearly_cost_at_zero_interest(system: str, power: float, life: float) -> None:
    short = made(system, power, life=f"{life} year", discount_rate=0.0)
    long = made(system, power, life=f"{2 * life} year", discount_rate=0.0)
    assert long["yearly cost"].value < short["yearly cost"].value
    assert long["yearly cost"]["systems"].value == pytest.approx(short["yearly cost"]["systems"].value / 2.0)


@given(systems, powers, lives)
def test_an_annuity_without_interest_is_a_straight_line(system: str, power: float, life: float) -> None:
    one, other = (made(system, power, life=f"{life} year", discount_rate=0.0, method=name) for name in ("annuity", "straight line"))
    assert one["yearly cost"].value == pytest.approx(other["yearly cost"].value)


@given(systems, powers, st.floats(1e8, 1e11))
def test_no_limit_is_exceeded_and_one_of_them_binds(system: str, power: float, budget: float) -> None:
    site = nv.site(system, power=power, budget=budget)
    assert site["power"].value <= power * (1 + 1e-12) and site["capex"].value <= budget * (1 + 1e-12)
    one_more = site.terms["systems"].value + 1.0
    assert one_more > min(limit.value for limit in site.limits.values())
    assert site.limits[site.by].value == min(limit.value for limit in site.limits.values())


@given(systems, powers, st.floats(1.0, 3.0))
def test_oversubscription_connects_more_and_lower_load_burns_less(system: str, power: float, more: float) -> None:
    assert made(system, power, oversubscription=more).value >= made(system, power).value
    burnt = made(system, power, load="training")["energy a year"].value
    assert burnt <= made(system, power)["energy a year"].value * (1 + 1e-9)


@given(st.sampled_from([chip.name for chip in nv.chips(status="shipped") if chip.power and chip.precisions()]))
def test_energy_of_an_operation_is_above_landauers_limit(name: str) -> None:
    chip: Chip = nv.chip(name)
    best = max(chip.rate(one) for one in chip.precisions())
    assert chip.power / best > limits.landauer_energy(300.0, limits.BOLTZMANN, 4.0)  # a result of 4 bits at the least


@given(systems, powers)
def test_arrays_are_what_numbers_are(system: str, power: float) -> None:
    site = nv.site(system, power=np.array([power, 2 * power]), budget=3e10)
    for i, watts in enumerate((power, 2 * power)):
        alone = nv.site(system, power=watts, budget=3e10)
        assert site["yearly cost"].value[i] == pytest.approx(alone["yearly cost"].value)
        assert site.by[1][site.by[0][i]] == alone.by


@given(st.floats(1e7, 1e9), st.floats(1e8, 5e10))
def test_the_best_mix_trains_at_least_as_much_as_any_system_alone(power: float, budget: float) -> None:
    names = ("dgx-h100", "dgx-b200", "gb200-nvl72")
    mix = nv.best_mix(names, power=power, budget=budget)
    assert mix.total("power") <= power * (1 + 1e-9) and mix.total("capex") <= budget * (1 + 1e-9)
    alone = max(nv.site(name, power=power, budget=budget)["training flop per month"].value for name in names)
    lost = sum(one["training flop per month"].value / one.terms["systems"].value for one in mix.values())  # whole systems
    assert mix.total("training flop per month") + lost >= alone * (1 - 1e-9)


@given(systems, st.floats(0.05, 0.6), st.floats(0.5, 20.0))
def test_dearer_rents_and_slower_decline_keep_a_site_longer(system: str, decline: float, rent: float) -> None:
    site = made(system, 1e8)
    age = nv.retirement_age(site, rent=f"{rent} USD/h", decline=decline).value
    assert nv.retirement_age(site, rent=f"{1.5 * rent} USD/h", decline=decline).value > age
    if age > 0:
        assert nv.retirement_age(site, rent=f"{rent} USD/h", decline=0.5 * decline).value > age


def test_rents_rise_as_well_as_fall() -> None:
    found = [row.usd_per_hour for row in nv.rents("h100-sxm")]
    steps = np.diff(found)
    assert (steps > 0).any() and (steps < 0).any()
