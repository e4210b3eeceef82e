"""Laws of estimates: a tree that keeps every term, knows what binds, and follows its units."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.composition import System
from nvscale.estimate import Estimate, derived, figure, most, term, total
from nvscale.estimators import fleets
from nvscale.estimators.fleets import METRICS
from nvscale.record import walk
from nvscale.units import dimension_of

numbers = st.floats(1e-9, 1e9)
PRICES = nv.prices()
METRIC = pytest.mark.parametrize("metric", METRICS)


def terms_of(values: list[float]) -> list[Estimate]:
    return [term(f"term{i}", value, "s") for i, value in enumerate(values)]


def node() -> System:
    return nv.system("dgx-h100")


def measured(metric: str, system: System, number_format: str = "fp8", prices: nv.Prices = PRICES) -> Estimate:
    return METRICS[metric].estimator(system, number_format, prices)


# ---------------------------------------------------------------------- most, total, derived


@given(st.lists(numbers, min_size=1, max_size=6))
def test_the_largest_binds_and_the_sum_adds_up(values: list[float]) -> None:
    largest, added = most("time", *terms_of(values)), total("time", *terms_of(values))
    assert largest.value == max(values)
    assert largest.terms[largest.by].value == max(values)
    assert added.value == pytest.approx(math.fsum(values), rel=1e-12)
    assert largest.unit == added.unit == "s"
    assert list(largest.terms) == list(added.terms) == [f"term{i}" for i in range(len(values))]


@given(st.lists(st.tuples(numbers, numbers), min_size=2, max_size=5))
def test_what_binds_is_told_point_by_point(pairs: list[tuple[float, float]]) -> None:
    swept = most("time", *(term(f"term{i}", numpy.array(pair), "s") for i, pair in enumerate(pairs)))
    index, names = swept.by
    for point in range(2):
        one = most("time", *terms_of([pair[point] for pair in pairs]))
        assert swept.value[point] == one.value
        assert names[index[point]] == one.by


def test_what_binds_is_found_below_the_top_and_is_not_asked_of_symbols() -> None:
    sympy = pytest.importorskip("sympy")
    inner = most("compute or memory", *terms_of([1.0, 3.0]))
    assert total("step", inner, term("launch", 0.1, "s")).by == "term1"
    x = sympy.Symbol("x", positive=True)
    with pytest.raises(nv.InvalidInput, match="symbols"):
        _ = most("time", term("a", x, "s"), term("b", 1.0, "s")).by
    with pytest.raises(nv.InvalidInput, match="nothing binds"):
        _ = total("time", *terms_of([1.0, 2.0])).by


def test_terms_are_reached_by_name_by_path_and_from_afar() -> None:
    tree = total("step", most("kernel", *terms_of([1.0, 3.0])), term("launch", 0.1, "s"))
    assert tree["launch"].value == 0.1
    assert tree["kernel.term1"].value == tree["kernel"]["term1"].value == tree["term1"].value == 3.0
    with pytest.raises(nv.UnknownName, match="no term 'lunch'; did you mean 'launch'"):
        _ = tree["lunch"]


@pytest.mark.parametrize("combine", [total, most])
def test_terms_of_one_name_are_both_kept_or_refused(combine: Callable[..., Estimate]) -> None:
    try:
        tree = combine("time", term("wait", 1.0, "s"), term("wait", 2.0, "s"))
    except nv.InvalidInput as problem:
        assert "wait" in str(problem)
        return
    assert sorted(inner.value for inner in tree.terms.values()) == [1.0, 2.0]


def test_nodes_come_depth_first_with_their_depth() -> None:
    tree = total("step", most("kernel", *terms_of([1.0, 3.0])), term("launch", 0.1, "s"))
    assert [(depth, one.name) for depth, one in tree.nodes()] == [(0, "step"), (1, "kernel"), (2, "term0"), (2, "term1"), (1, "launch")]


def test_sources_and_assumptions_are_collected_once() -> None:
    leaf = figure(nv.chip("H100"), "power")
    tree = derived("twice", 2 * leaf.value, "W", "a + b", total("a", leaf), total("b", leaf), assumptions=("both at once",))
    again = derived("again", tree.value, "W", "the same", tree, term("c", 1.0, "W", assumptions=("both at once", "cold")))
    assert again.sources() == [nv.chip("H100").source("power")]
    assert again.all_assumptions() == ["both at once", "cold"]


def test_a_leaf_carries_the_range_of_its_source() -> None:
    leaf = figure(nv.chip("H100"), "memory_bandwidth")
    assert (leaf.low, leaf.high) == (3350e9, 3360e9)
    assert leaf.to_dict()["low"] == 3350e9


# ---------------------------------------------------------------------- explain, JSON, quantities


@METRIC
def test_explain_has_a_line_a_node_and_the_sources(metric: str) -> None:
    tree = measured(metric, node())
    lines = tree.explain().splitlines()
    assert len(lines) == len(list(tree.nodes()))
    assert lines[0].startswith(f"{tree.name} = ")
    assert len(tree.explain(depth=0).splitlines()) == 1
    for source in tree.sources():
        assert any(str(source) in line for line in lines)


@METRIC
def test_json_keeps_the_whole_tree(metric: str) -> None:
    tree = measured(metric, node())

    def count(data: dict[str, Any]) -> int:
        return 1 + sum(count(inner) for inner in data.get("terms", {}).values())

    data = json.loads(json.dumps(tree.to_dict(), allow_nan=False))
    assert count(data) == len(list(tree.nodes()))
    assert (data["value"], data["unit"]) == (tree.value, METRICS[metric].unit)


def test_json_of_arrays_symbols_and_infinity_is_json_too() -> None:
    sympy = pytest.importorskip("sympy")
    for value in (numpy.array([1.0, 2.0]), sympy.Symbol("x"), math.inf, math.nan, 3):
        json.dumps(term("t", value, "s").to_dict(), allow_nan=False)


@METRIC
def test_the_quantity_is_the_value_with_its_unit(metric: str) -> None:
    pytest.importorskip("pint")
    tree = measured(metric, node())
    wanted = "" if tree.unit == "1" else tree.unit
    assert tree.quantity.to(wanted).magnitude == pytest.approx(tree.value, rel=1e-12)


def test_text_and_html_show_units_and_escape() -> None:
    tree = total("a < b", term("c & d", 1.5e-5, "s"))
    assert str(tree) == "a < b: 15 us"
    assert "a &lt; b" in tree._repr_html_() and "c &amp; d" in tree._repr_html_()
    assert repr(tree) == "<Estimate a < b: 15 us>"


# ---------------------------------------------------------------------- the tree adds up


@METRIC
@pytest.mark.parametrize("name", ["dgx-1-p100", "dgx-h100", "gb200-nvl72", "vera-rubin-nvl72"])
def test_sums_and_maxima_hold_at_every_node(metric: str, name: str) -> None:
    system = nv.system(name)
    for _, one in measured(metric, system, system.chip.lowest_precision().name).nodes():
        values = [inner.value for inner in one.terms.values()]
        if one.how == "sum of":
            assert one.value == pytest.approx(math.fsum(values), rel=1e-12)
        if one.how == "largest of":
            assert one.value == max(values)


@METRIC
def test_arrays_give_each_estimate(metric: str) -> None:
    axis = [1e12, 3.352e12, 8e12]
    swept = measured(metric, node().replace(**{"chip.memory_bandwidth": numpy.array(axis), "chip.power": numpy.array([300.0, 700.0, 1e3])}))
    for i, (width, power) in enumerate(zip(axis, (300.0, 700.0, 1e3), strict=True)):
        one = measured(metric, node().replace(**{"chip.memory_bandwidth": width, "chip.power": power}))
        assert numpy.broadcast_to(swept.value, 3)[i] == pytest.approx(one.value, rel=1e-12)


def test_swept_and_symbolic_rates_are_estimated() -> None:
    """A rate may be a sweep axis or a symbol, as every figure may."""
    sympy = pytest.importorskip("sympy")
    swept = measured("performance", node().replace(**{"chip.peak.fp8": numpy.array([1e15, 2e15])}))
    assert list(swept.value) == [8e15, 16e15]
    rate = sympy.Symbol("R", positive=True)
    for number_format in ("fp8", "16-bit"):
        field = "fp8" if number_format == "fp8" else "fp16"
        closed = measured("performance", node().replace(**{f"chip.peak.{field}": rate}), number_format).value
        assert float(closed.subs(rate, 5e15)) == pytest.approx(8 * 5e15)


# ---------------------------------------------------------------------- dimension check by rescaling

FACTOR = 1.7
BASES = ("byte", "flop", "USD", "s", "J")


def rescaled(record: Any, base: str) -> Any:
    """The record in a world where a base unit is 1.7 times smaller: every figure follows its unit."""
    powers = {leaf.path: float(dimension_of(leaf.unit.text).get(base, 0)) for leaf in walk(record)}
    return record.replace(**{leaf.path: leaf.value * FACTOR ** powers[leaf.path] for leaf in walk(record) if powers[leaf.path]})


def unfaithful(build: Callable[[Any, nv.Prices], Estimate], system: System, base: str) -> list[str]:
    """The nodes that do not follow their own unit."""
    before, after = build(system, PRICES), build(rescaled(system, base), rescaled(PRICES, base))
    wrong = []
    for (_, old), (_, new) in zip(before.nodes(), after.nodes(), strict=True):
        expected = old.value * FACTOR ** float(dimension_of(old.unit).get(base, 0))
        if new.value != pytest.approx(expected, rel=1e-9):
            wrong.append(f"{old.name}: {new.value / old.value:.6g}, not {expected / old.value:.6g}")
    return wrong


def towers() -> list[System]:
    pod = nv.system("tpu-v5p-pod").replace(
        **{"chip.power": "450 W", "chip.price": "9 kUSD", "parts.pod.power": "1 MW", "parts.pod.price": 0.0}
    )
    spine = nv.Network(name="spine", bandwidth="50 GB/s")
    hall = nv.system(nv.chip("H100")).add("node", 8, power="4 kW", price="60 kUSD", network=nv.network("nvlink-4"))
    hall = hall.add("hall", 100, power="1 MW", price="9 MUSD", network=spine, pue=1.2)
    return [node(), nv.system("gb200-nvl72"), nv.system("dgx-1-p100"), pod, hall]


@METRIC
@pytest.mark.parametrize("base", BASES)
def test_every_node_follows_its_unit(metric: str, base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    year = fleets.YEAR
    for system in towers():
        number_format = system.chip.lowest_precision().name
        with monkeypatch.context() as patch:

            def build(one: Any, prices: nv.Prices, number_format: str = number_format) -> Estimate:
                scaled = base == "s" and prices is not PRICES  # a year is a figure too: the discount rate is per year
                patch.setattr(fleets, "YEAR", year * FACTOR if scaled else year)
                return METRICS[metric].estimator(one, number_format, prices)

            assert unfaithful(build, system, base) == [], system.name


@pytest.mark.parametrize("base", ["J", "s"])
def test_the_check_finds_a_power_that_is_called_an_energy(base: str) -> None:
    wrong = unfaithful(lambda system, _: derived("energy", system.power, "J*s", "power", figure(system.chip, "power")), node(), base)
    assert bool(wrong) == (base == "s")
    assert unfaithful(lambda system, _: term("bytes as flop", system.memory, "flop"), node(), "byte")
