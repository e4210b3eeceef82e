"""From one chip to a gigawatt: every system of the catalogue is cut, scaled and sited by the same few lines."""

import math

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.composition import Network, Part, System
from nvscale.estimators.fleets import METRICS, measure_all

PRICES = nv.prices()
NAMED = ("dgx-1-p100", "dgx-a100", "dgx-h100", "gb200-nvl72", "gb300-nvl72", "vera-rubin-nvl72", "mi355x-platform", "cloudmatrix-384")
named = pytest.mark.parametrize("name", NAMED)
budgets = pytest.mark.parametrize("budget", ["100 MW", "1 GW"])


def lowest(system: System) -> nv.Precision:
    return system.chip.lowest_precision()


# ---------------------------------------------------------------------- sites


@named
@budgets
@pytest.mark.parametrize("pue", [1.0, 1.09, 1.5])
def test_a_site_holds_as_many_as_the_power_and_not_one_more(name: str, budget: str, pue: float) -> None:
    system = nv.system(name)
    site = system.within(power=budget, pue=pue)
    watts = {"100 MW": 1e8, "1 GW": 1e9}[budget]
    units = site.chips / system.chips
    assert units == int(units) >= 1
    assert site.facility_power <= watts
    assert (units + 1) * system.power * pue > watts
    assert site.level == "datacenter" and site.pue == pue
    assert site.name.startswith(f"{watts / 1e6:g} MW of ")


@named
@budgets
def test_a_site_is_measured_like_a_chip(name: str, budget: str) -> None:
    """Every metric that the system has, the site has too: no case of its own at any size."""
    system = nv.system(name)
    known, missing = measure_all(system, lowest(system), PRICES)
    site = system.within(power=budget, pue=1.2)
    at_site, missing_at_site = measure_all(site, lowest(system), PRICES)
    assert set(known) - {"bisection bandwidth"} <= set(at_site)
    assert set(missing_at_site) - {"bisection bandwidth"} <= set(missing)
    units = site.chips / system.chips
    for metric in ("performance", "memory", "memory bandwidth", "power", "price"):
        if metric in known:
            assert at_site[metric].value == pytest.approx(units * known[metric].value, rel=1e-9)
    for metric in ("performance per watt", "performance per dollar", "ridge point"):
        if metric in known:
            assert at_site[metric].value == pytest.approx(known[metric].value, rel=1e-9)


@given(st.floats(2e4, 1e9), st.floats(1.0, 2.0))
def test_more_power_never_holds_fewer(budget: float, pue: float) -> None:
    node = nv.system("dgx-h100")
    site = node.within(power=budget, pue=1.0)
    assert node.within(power=1.5 * budget, pue=1.0).chips >= site.chips
    if budget / pue >= node.power:
        assert node.within(power=budget, pue=pue).chips <= site.chips


@pytest.mark.parametrize("count", [1, 2, 7, 100, 694])
@named
def test_a_site_of_exactly_so_many_holds_so_many(name: str, count: int) -> None:
    system = nv.system(name)
    assert system.within(power=count * system.power).chips == count * system.chips


def test_the_site_of_an_array_of_budgets_is_the_site_of_each() -> None:
    node = nv.system("dgx-h100")
    budgets_w = numpy.array([1e6, 1e8, 1e9])
    assert list(node.within(power=budgets_w).chips) == [node.within(power=budget).chips for budget in budgets_w]


def test_a_site_of_pods_needs_only_the_missing_figures() -> None:
    pod = nv.system("tpu-v5p-pod").replace(**{"chip.power": None, "parts.pod.power": None})
    with pytest.raises(nv.MissingFigure, match="tpu-v5p-pod: no power of tpu-v5p and pod is known"):
        pod.within(power="100 MW")
    known = pod.replace(**{"chip.power": "450 W", "parts.pod.power": "500 kW"})
    site = known.within(power="100 MW", pue=1.1)
    assert site.chips == math.floor(1e8 / (1.1 * (8960 * 450.0 + 5e5))) * 8960
    assert site.levels()["pod"].power == known.power


# ---------------------------------------------------------------------- halls


@named
@pytest.mark.parametrize("chips", [1024, 4608, 16_384])
def test_a_hall_of_any_system(name: str, chips: int) -> None:
    """A SuperPOD of any node, a hall of any rack: peak exact, houses rounded up."""
    system = nv.system(name)
    hall = system.scale(chips)
    assert hall.peak(lowest(system)) == chips * system.chip.rate(lowest(system))
    own = system.parts[0]
    assert hall.power_terms()[own.name] == math.ceil(chips / own.per) * own.power
    assert hall.power >= chips / system.chips * system.power * (1 - 1e-12)
    assert hall.power <= (chips / system.chips + 1) * system.power
    assert hall.scaleup_chips == min(chips, system.scaleup.span)


def test_the_superpods_as_published() -> None:
    """1,024 H100: 2.03 EFLOP/s dense FP8, 128 nodes, 1.3 MW; 1,024 P100: 21.7 PFLOP/s."""
    pod = nv.system("dgx-h100").scale(1024)
    assert pod.peak("fp8") == pytest.approx(2.0264e18, rel=1e-4)
    assert pod.power == pytest.approx(128 * 10_200.0)
    assert pod.bisection_bandwidth == pytest.approx(1024 * 50e9 / 2)
    assert nv.system("dgx-1-p100").scale(1024).peak("fp16") == pytest.approx(21.709e15, rel=1e-3)
    assert nv.system("dgx-a100").scale(1024).power == pytest.approx(128 * 6500.0)


# ---------------------------------------------------------------------- levels


@named
@budgets
def test_every_level_of_a_site_nests(name: str, budget: str) -> None:
    site = nv.system(name).within(power=budget, pue=1.15)
    levels = site.levels()
    assert next(iter(levels)) == "chip" and list(levels)[-1] == "datacenter"
    sizes = [level.chips for level in levels.values()]
    assert sizes == sorted(sizes)
    if site.chip.power is not None:
        powers = [level.power for level in levels.values()]
        assert powers == sorted(powers)
        assert powers[0] == site.chip.power
    assert levels["datacenter"] is site


def test_levels_of_a_tower_of_tiers() -> None:
    chip = nv.chip("H100")
    tower = nv.system(chip).add("node", 8, power="4 kW").add("rack", 4, power="2 kW").add("hall", 100, power="1 MW", pue=1.2)
    levels = tower.levels()
    assert list(levels) == ["chip", "node", "rack", "hall"]
    assert [level.chips for level in levels.values()] == [1.0, 8.0, 32.0, 3200.0]
    assert [level.power for level in levels.values()] == [700.0, 9600.0, 4 * 9600.0 + 2000.0, 100 * 40_400.0 + 1e6]
    assert tower.facility_power == pytest.approx(1.2 * tower.power)


def test_houses_and_wires_are_different_hierarchies() -> None:
    """A switch group of 256 does not nest in racks of 72, and need not."""
    group = Network(name="group", span=256.0, bandwidth=4.5e11)
    system = System(name="hall", chip=nv.chip("H100"), chips=2048.0, networks=(group,), parts=(Part(name="rack", per=72.0, power=5e3),))
    assert system.power_terms()["rack"] == 29 * 5e3
    assert system.scaleup_chips == 256.0
    assert system.levels()["rack"].scaleup_chips == 72.0


# ---------------------------------------------------------------------- bisection


@given(st.integers(3, 16).map(float), st.floats(1e9, 1e13))
def test_a_torus_cuts_thinner_than_a_switch_and_a_ring_thinnest(side: float, bandwidth: float) -> None:
    chips = (2.0 * side) ** 3
    switched, torus, ring = (
        Network(name="n", bandwidth=bandwidth, dimensions=dimensions).bisection(chips) for dimensions in (math.inf, 3.0, 1.0)
    )
    assert switched == pytest.approx(chips * bandwidth / 2.0, rel=1e-12)
    assert torus == pytest.approx(chips ** (2.0 / 3.0) * bandwidth / 3.0, rel=1e-12)
    assert ring == pytest.approx(bandwidth, rel=1e-12)
    assert ring < torus < switched


@given(st.floats(2.0, 1e5), st.floats(1.0, 8.0))
def test_taper_divides_the_cut_and_the_span_bounds_it(chips: float, taper: float) -> None:
    full, tapered = (Network(name="n", span=1000.0, bandwidth=1e11, taper=t).bisection(chips) for t in (1.0, taper))
    assert tapered == pytest.approx(full / taper, rel=1e-12)
    assert full == pytest.approx(min(chips, 1000.0) * 1e11 / 2.0, rel=1e-12)


def test_bisections_of_the_catalogue() -> None:
    pod = nv.system("tpu-v5p-pod")
    assert pod.bisection_bandwidth == pytest.approx(2 * 16 * 20 * pod.scaleup.bandwidth / 6)
    assert nv.system("gb200-nvl72").bisection_bandwidth == pytest.approx(72 * 900e9 / 2)
    assert nv.system("dgx-1-p100").bisection_bandwidth == pytest.approx(8 * 80e9 / 2 / 4)


@named
def test_metrics_have_the_unit_and_the_direction_that_the_table_says(name: str) -> None:
    """Twice the chips: totals double, ratios stay."""
    system = nv.system(name)
    doubled = system.scale(2 * system.chips)
    for metric, row in METRICS.items():
        if metric == "bisection bandwidth":
            continue
        try:
            one, two = (row.estimator(s, lowest(system), PRICES).value for s in (system, doubled))
        except nv.MissingFigure:
            continue
        factor = 1.0 if metric.startswith(("performance per", "energy per", "cost per", "ridge", "network ridge")) else 2.0
        assert two / one == pytest.approx(factor, rel=1e-9), metric
