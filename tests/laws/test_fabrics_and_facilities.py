"""Fabrics added to nodes, tori with sides, and one PUE for everything that is drawn from the grid."""

import math

import pytest

import nvscale as nv
from nvscale.formulas import power_caps, power_scaling, topology
from nvscale.views import default_pue


def test_an_added_fabric_takes_the_place_of_the_network_without_end() -> None:
    """A SuperPOD-like pod: 32 nodes of 8 on a fabric of 200 GB/s a chip, tapered 2 to 1."""
    fabric = nv.Network(name="fabric", bandwidth="200 GB/s", taper=2.0)
    pod = nv.system("dgx-h100").add("pod", 32, network=fabric, power="30 kW")
    assert [(network.name, network.span) for network in pod.networks] == [("nvlink-4", 8.0), ("fabric", 256.0)]
    assert pod.bisection_bandwidth == pytest.approx(256 * 200e9 / 2 / 2)
    assert pod.power == pytest.approx(32 * 10_200 + 30e3)
    ridge = nv.rooflines(pod, "fp8")["node"]["network ridge point"]
    assert ridge.value == pytest.approx(8 * 1978.9e12 / (8 * 200e9))
    assert "fabric" in ridge.how


def test_the_own_network_of_a_node_may_join_the_pod() -> None:
    pod = nv.system("dgx-h100").add("pod", 32, network=nv.network("infiniband-ndr"))
    assert [(network.name, network.span) for network in pod.networks] == [("nvlink-4", 8.0), ("infiniband-ndr", 256.0)]


def test_a_tier_takes_the_place_of_a_housing_without_figures() -> None:
    rack = nv.system("dgx-h100").add("rack", 4, power="500 W")
    assert [part.name for part in rack.parts] == ["node", "rack"]
    assert rack.power == pytest.approx(4 * 10_200 + 500)


def test_a_complete_torus_is_cut_across_its_longest_side() -> None:
    pod = nv.system("tpu-v5p-pod")
    expected = topology.uneven_torus_bisection_bandwidth([16.0, 20.0, 28.0], pod.scaleup.bandwidth)
    assert pod.bisection_bandwidth == pytest.approx(expected)
    assert pod.bisection_bandwidth < pod.scaleup.replace(sides=()).bisection(pod.chips)


def test_the_facility_is_the_same_in_every_table() -> None:
    pue, source = default_pue()
    rack = nv.rooflines("gb200-nvl72")["rack"]
    assert rack["facility power"].value == pytest.approx(120e3 * pue)
    assert str(source) in rack["facility power"].explain()
    for level in ("system", "datacenter"):
        point = nv.curves(["gb200-nvl72"], level=level).points[0]
        assert point.value("energy per flop") == pytest.approx(rack["energy per flop"].value)
        assert point.value("cost per flop") == pytest.approx(rack["cost per flop"].value)


def test_a_systems_own_pue_and_a_given_one_win_over_the_default() -> None:
    own = nv.system("gb200-nvl72").replace(pue=1.3)
    assert nv.curves([own]).points[0].value("facility power") == pytest.approx(120e3 * 1.3)
    assert nv.curves([own], pue=1.05).points[0].value("facility power") == pytest.approx(120e3 * 1.05)


@pytest.mark.parametrize("cap", [60.0, 100.0, 150.0, 400.0, math.inf])
def test_capped_time_and_capped_rate_are_one_law(cap: float) -> None:
    work, traffic = 1e12, 1e9
    machine = {
        "peak": 1e15,
        "bandwidth": 1e12,
        "energy_per_flop": 1e-12,
        "energy_per_byte": 1e-11,
        "constant_power": 100.0,
        "power_cap": cap,
    }
    time = power_caps.power_capped_time(work, traffic, **machine)
    rate = power_caps.power_capped_attainable(work / traffic, **machine)
    assert (rate == 0.0 and math.isinf(time)) if cap <= 100.0 else rate * time == pytest.approx(work)


def test_a_budget_below_the_constant_power_runs_at_no_frequency() -> None:
    assert power_scaling.frequency_at_power(50.0, 1e9, 100.0, 200.0, 3.0) == 0.0


def test_chips_cancel_in_what_a_watt_and_a_dollar_buy() -> None:
    gains = nv.curves(["dgx-1-p100", "vera-rubin-nvl72"]).decomposition()
    assert "chip count" in gains["performance"].factors
    for name in ("performance per watt", "performance per dollar", "memory-bound performance per watt"):
        assert "chip count" not in gains[name].factors
        assert math.prod(gains[name].factors.values()) == pytest.approx(gains[name].total, rel=1e-12)
        assert sum(gains[name].shares.values()) == pytest.approx(1.0, abs=1e-12)
    first, last = nv.system("dgx-1-p100"), nv.system("vera-rubin-nvl72")
    assert gains["performance per watt"].factors["power per chip"] == pytest.approx((3200 / 8) / (230e3 / 72))
    assert gains["performance per watt"].total == pytest.approx(last.peak("fp4") / last.power / (first.peak("fp16") / first.power))
