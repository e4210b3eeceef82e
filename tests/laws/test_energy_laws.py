"""Laws of the energy formulas: the roofline of energy, power caps, frequency scaling, facilities and floors."""

import math

import numpy
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nvscale.formulas import energy, energy_use, facilities, limits, memory, power_caps, power_scaling, roofline

intensities = st.floats(1e-2, 1e5)
peaks = st.floats(1e9, 1e17)
bandwidths = st.floats(1e9, 1e14)
per_flop = st.floats(1e-14, 1e-9)
per_byte = st.floats(1e-13, 1e-8)
powers = st.floats(1.0, 1e4)
works = st.floats(1e6, 1e24)
factors = st.floats(1.001, 100.0)
machines = st.fixed_dictionaries({
    "peak": peaks,
    "bandwidth": bandwidths,
    "energy_per_flop": per_flop,
    "energy_per_byte": per_byte,
    "constant_power": powers,
})  # fmt: skip
scalings = st.fixed_dictionaries({
    "reference_frequency": st.floats(1e8, 1e10),
    "constant_power": powers,
    "reference_dynamic_power": powers,
    "exponent": st.floats(1.1, 4.0),
})  # fmt: skip


def energy_and_time(work: float, intensity: float, machine: dict[str, float]) -> tuple[float, float]:
    """Energy and time of work at an intensity, by the definitions and without the lines under test."""
    traffic = work / intensity
    time = max(work / machine["peak"], traffic / machine["bandwidth"])
    parts = {name: machine[name] for name in ("energy_per_flop", "energy_per_byte", "constant_power")}
    return energy.total_energy(work, traffic, time=time, **parts), time


@given(works, intensities, machines)
def test_power_line_is_energy_over_time(work, intensity, machine):
    joules, seconds = energy_and_time(work, intensity, machine)
    assert energy.power_line(intensity, **machine) == pytest.approx(joules / seconds, rel=1e-12, abs=0.0)


@given(works, intensities, machines)
def test_arch_line_is_work_over_energy(work, intensity, machine):
    joules, _ = energy_and_time(work, intensity, machine)
    assert energy.arch_line_flop_per_joule(intensity, **machine) == pytest.approx(work / joules, rel=1e-12, abs=0.0)


@given(intensities, machines)
def test_arch_line_is_attainable_over_power(intensity, machine):
    attainable = roofline.attainable(intensity, machine["peak"], machine["bandwidth"])
    expected = energy_use.flop_per_joule(attainable, energy.power_line(intensity, **machine))
    assert energy.arch_line_flop_per_joule(intensity, **machine) == pytest.approx(expected, rel=1e-12, abs=0.0)


@given(machines)
def test_arch_line_without_traffic(machine):
    limit = 1 / (machine["energy_per_flop"] + machine["constant_power"] / machine["peak"])
    assert energy.arch_line_flop_per_joule(math.inf, **machine) == pytest.approx(limit, rel=1e-12, abs=0.0)


@given(intensities, factors, machines)
def test_arch_line_rises_with_intensity(intensity, factor, machine):
    low, high = (energy.arch_line_flop_per_joule(i, **machine) for i in (intensity, intensity * factor))
    assert low <= high * (1 + 1e-12)


@given(machines)
def test_half_of_the_best_efficiency_at_the_energy_balance_point(machine):
    quiet = machine | {"constant_power": 0.0}
    balance = energy.energy_balance_point(machine["energy_per_byte"], machine["energy_per_flop"])
    at_balance = energy.arch_line_flop_per_joule(balance, **quiet)
    assert at_balance == pytest.approx(energy.arch_line_flop_per_joule(math.inf, **quiet) / 2, rel=1e-12, abs=0.0)


@given(intensities, machines)
def test_power_never_exceeds_the_peak_power_reached_at_the_ridge(intensity, machine):
    top = energy.peak_power(**machine)
    ridge = roofline.ridge_point(machine["peak"], machine["bandwidth"])
    assert energy.power_line(intensity, **machine) <= top * (1 + 1e-12)
    assert energy.power_line(ridge, **machine) == pytest.approx(top, rel=1e-12, abs=0.0)


@given(machines)
def test_balance_gap_compares_two_balance_points(machine):
    e_f, e_m = machine["energy_per_flop"], machine["energy_per_byte"]
    gap = energy.balance_gap(e_m, e_f, machine["peak"], machine["bandwidth"])
    ridge = roofline.ridge_point(machine["peak"], machine["bandwidth"])
    assert gap * ridge == pytest.approx(energy.energy_balance_point(e_m, e_f), rel=1e-12, abs=0.0)


@given(works, st.lists(st.tuples(works, per_byte), min_size=1, max_size=5), per_flop)
def test_levels_add(work, levels, joules_per_flop):
    traffic, cost = [q for q, _ in levels], [e for _, e in levels]
    expected = math.fsum([work * joules_per_flop, *(energy_use.transfer_energy(q, e) for q, e in levels)])
    assert energy.dynamic_energy(work, joules_per_flop, traffic, cost) == pytest.approx(expected, rel=1e-12, abs=0.0)


def test_levels_of_different_number_are_refused():
    with pytest.raises(ValueError, match="zip"):
        energy.dynamic_energy(1.0, 1.0, [1.0, 2.0], [1.0])


@given(intensities, machines, st.floats(0.01, 3.0))
def test_a_cap_never_speeds_up_and_is_kept(intensity, machine, share):
    dynamic = energy.power_line(intensity, **machine) - machine["constant_power"]
    cap = machine["constant_power"] + dynamic * share
    capped = power_caps.power_capped_attainable(intensity, power_cap=cap, **machine)
    free = roofline.attainable(intensity, machine["peak"], machine["bandwidth"])
    drawn = capped * (machine["energy_per_flop"] + machine["energy_per_byte"] / intensity) + machine["constant_power"]
    assert capped <= free
    assert drawn <= cap * (1 + 1e-9)
    if share > 1.001:
        assert capped == free


@given(intensities, machines)
def test_no_cap_and_a_cap_below_the_constant_power(intensity, machine):
    free = roofline.attainable(intensity, machine["peak"], machine["bandwidth"])
    assert power_caps.power_capped_attainable(intensity, power_cap=math.inf, **machine) == free
    assert power_caps.power_capped_attainable(intensity, power_cap=machine["constant_power"] / 2, **machine) == 0.0


@given(works, intensities, machines, powers)
def test_capped_time_is_work_over_capped_performance(work, intensity, machine, extra):
    cap = machine["constant_power"] + extra
    time = power_caps.power_capped_time(work, work / intensity, power_cap=cap, **machine)
    rate = power_caps.power_capped_attainable(intensity, power_cap=cap, **machine)
    assert time == pytest.approx(work / rate, rel=1e-9, abs=0.0)


@given(scalings, st.floats(1e7, 1e11))
def test_optimal_frequency_beats_any_other(point, frequency):
    best = power_scaling.energy_optimal_frequency(**point)
    least = power_scaling.relative_energy_at_frequency(best, **point)
    assert least <= power_scaling.relative_energy_at_frequency(frequency, **point) * (1 + 1e-9)


@given(powers, powers, st.floats(1e8, 1e10))
def test_cubic_optimum_is_the_textbook_form(constant, dynamic, reference):
    c = dynamic / reference**3
    best = power_scaling.energy_optimal_frequency(reference, constant, dynamic, 3.0)
    assert best == pytest.approx((constant / (2 * c)) ** (1 / 3), rel=1e-9, abs=0.0)


@given(scalings, st.floats(1e8, 1e10))
def test_frequency_at_power_inverts_power_at_frequency(point, frequency):
    drawn = power_scaling.power_at_frequency(frequency, **point)
    assume(drawn > point["constant_power"] * (1 + 1e-3))
    assert power_scaling.frequency_at_power(drawn, **point) == pytest.approx(frequency, rel=1e-9, abs=0.0)


@given(scalings)
def test_the_reference_point_is_met(point):
    at_reference = power_scaling.power_at_frequency(point["reference_frequency"], **point)
    assert at_reference == pytest.approx(point["constant_power"] + point["reference_dynamic_power"])
    assert power_scaling.relative_energy_at_frequency(point["reference_frequency"], **point) == pytest.approx(1.0)


@given(st.floats(0.01, 1.0), st.floats(1e-9, 1e-5), st.floats(0.4, 1.2), st.floats(1e8, 5e9), st.floats(0.5, 2.0))
def test_voltage_that_follows_the_frequency_gives_the_cubic_law(activity, capacitance, voltage, frequency, ratio):
    reference = power_scaling.dynamic_power(activity, capacitance, voltage, frequency)
    moved = power_scaling.dynamic_power(activity, capacitance, voltage * ratio, frequency * ratio)
    assert moved == pytest.approx(power_scaling.power_at_frequency(frequency * ratio, frequency, 0.0, reference, 3.0), rel=1e-9, abs=0.0)


@given(powers, st.floats(1.0, 1e7))
def test_tokens_from_power_and_back(drawn, throughput):
    joules = energy_use.energy_per_token(drawn, throughput)
    assert energy_use.tokens_per_second_at_power(drawn, joules) == pytest.approx(throughput, rel=1e-12, abs=0.0)


@given(st.floats(1.0, 1e15), bandwidths, per_byte)
def test_link_power_over_the_transfer_is_the_transfer_energy(data, bandwidth, cost):
    time = memory.transfer_time(data, bandwidth)
    joules = energy_use.average_power_energy(energy_use.link_power(bandwidth, cost), time)
    assert joules == pytest.approx(energy_use.transfer_energy(data, cost), rel=1e-12, abs=0.0)


@given(powers, st.floats(1.0, 50.0), st.floats(0.0, 0.5))
def test_effectiveness_from_cooling_is_that_of_the_parts(equipment, coefficient, overhead):
    other = overhead * equipment
    cooling = facilities.cooling_power(equipment + other, coefficient)
    parts = facilities.power_usage_effectiveness(equipment, cooling, other, 0.0)
    short = facilities.power_usage_effectiveness_from_cooling(coefficient, overhead)
    assert short == pytest.approx(parts, rel=1e-12, abs=0.0)
    assert short > 1.0
    assert facilities.facility_power(equipment, short) == pytest.approx(equipment + other + cooling, rel=1e-12, abs=0.0)


@given(st.floats(1e5, 1e10), st.floats(1.0, 2.0), st.floats(100.0, 3000.0))
def test_the_chips_of_a_site_draw_its_power(site, effectiveness, per_chip):
    chips = facilities.chips_at_site(site, effectiveness, per_chip)
    equipment = facilities.information_technology_power(site, effectiveness)
    assert chips * per_chip == pytest.approx(equipment, rel=1e-12, abs=0.0)
    assert facilities.facility_power(equipment, effectiveness) == pytest.approx(site, rel=1e-12, abs=0.0)


@given(st.floats(1.0, 1e6), peaks, st.floats(0.05, 1.0), st.floats(1.0, 1e8), st.floats(100.0, 3000.0))
def test_site_work_over_site_energy_is_the_efficiency_of_a_chip(chips, peak, utilisation, time, per_chip):
    joules = energy_use.average_power_energy(chips * per_chip, time)
    work = facilities.site_work(chips, peak, utilisation, time)
    assert work / joules == pytest.approx(energy_use.flop_per_joule(peak * utilisation, per_chip), rel=1e-12, abs=0.0)


@given(st.floats(1e3, 1e8), st.floats(1e3, 1e9), st.floats(1.0, 1000.0), st.floats(1e-7, 1e-2))
def test_the_latency_wall_leaves_just_enough_time(time, batch, layers, layer_time):
    steps = limits.latency_limited_tokens(time, batch, layers, layer_time) / batch
    assert steps * 2 * layers * layer_time == pytest.approx(time, rel=1e-12, abs=0.0)


@given(st.floats(0.1, 1000.0))
def test_landauer_is_proportional_to_temperature_and_bits(temperature):
    one = limits.landauer_energy(temperature, limits.BOLTZMANN)
    assert limits.landauer_energy(2 * temperature, limits.BOLTZMANN, 8.0) == pytest.approx(16 * one, rel=1e-12, abs=0.0)


@given(machines, st.lists(intensities, min_size=1, max_size=6))
def test_arrays_give_what_floats_give(machine, points):
    for formula in (energy.arch_line_flop_per_joule, energy.power_line):
        assert formula(numpy.array(points), **machine) == pytest.approx([formula(i, **machine) for i in points], rel=1e-12, abs=0.0)


loads = st.fixed_dictionaries({
    "work_rate": st.floats(0.0, 1e16),
    "traffic_rate": st.floats(0.0, 1e13),
    "energy_per_flop": per_flop,
    "energy_per_byte": per_byte,
    "constant_power": powers,
    "power_cap": powers,
    "sharpness": st.floats(1.0, 50.0),
})  # fmt: skip


@given(loads)
def test_power_under_load_stays_below_the_cap_and_below_the_sum(load):
    linear = energy.total_energy(
        load["work_rate"], load["traffic_rate"], load["energy_per_flop"], load["energy_per_byte"], load["constant_power"], 1.0
    )
    drawn = power_caps.power_under_load(**load)
    assert 0.0 < drawn <= min(linear, load["power_cap"]) * (1.0 + 1e-12)
    assert drawn >= min(linear, load["power_cap"]) * 2.0 ** (-1.0 / load["sharpness"]) * (1.0 - 1e-12)


@given(loads, factors)
def test_more_work_never_draws_less_power(load, factor):
    busier = load | {"work_rate": factor * load["work_rate"]}
    assert power_caps.power_under_load(**busier) >= power_caps.power_under_load(**load) * (1.0 - 1e-12)


@given(works, intensities, machines)
def test_power_under_load_without_a_cap_is_the_power_line(work, intensity, machine):
    joules, seconds = energy_and_time(work, intensity, machine)
    parts = {name: machine[name] for name in ("energy_per_flop", "energy_per_byte", "constant_power")}
    rates = {"work_rate": work / seconds, "traffic_rate": work / intensity / seconds}
    drawn = power_caps.power_under_load(**rates, **parts, power_cap=math.inf, sharpness=math.inf)
    assert drawn == pytest.approx(joules / seconds, rel=1e-9)
