"""Laws of composition: a roll-up is one fold over flat lists, whatever the order, the depth and the carrier."""

import math
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.composition import Network, Part, System

watts = st.floats(0.0, 1e5)
dollars = st.floats(0.0, 1e6)
counts = st.integers(1, 5000).map(float)
spans = st.integers(1, 1000).map(float)


def chip_of(power: float = 700.0, price: float = 3e4) -> nv.Chip:
    return nv.Chip(name="slate", power=power, price=price, memory=8e10, memory_bandwidth=3e12, peak=nv.Rates(fp8=2e15, bf16=1e15))


@st.composite
def systems(draw: st.DrawFn) -> System:
    parts = draw(st.lists(st.tuples(spans, watts, dollars), max_size=5))
    made = tuple(Part(name=f"part{i}", per=per, power=power, price=price) for i, (per, power, price) in enumerate(parts))
    widths = sorted(draw(st.lists(spans, max_size=3)))
    networks = tuple(Network(name=f"tier{i}", span=span, bandwidth=1e11 / (i + 1)) for i, span in enumerate(widths))
    return System(name="made", chip=chip_of(draw(watts), draw(dollars)), chips=draw(counts), parts=made, networks=networks)


@st.composite
def whole_systems(draw: st.DrawFn) -> System:
    """Systems of full houses: tier upon tier, as `add` makes them."""
    made = nv.system(nv.chip("H100")).replace(chip=chip_of(draw(st.floats(1.0, 2e3)), draw(dollars)))
    for i, count in enumerate(draw(st.lists(st.integers(1, 20), max_size=4))):
        made = made.add(f"tier{i}", count, power=draw(watts), price=draw(dollars), network=Network(name=f"net{i}", bandwidth=1e11))
    return made


# ---------------------------------------------------------------------- the fold


@given(systems())
def test_a_roll_up_is_chips_times_chip_plus_each_part_as_often_as_it_is_there(system: System) -> None:
    for figure in ("power", "price"):
        expected = system.chips * getattr(system.chip, figure)
        expected += sum(math.ceil(system.chips / part.per) * getattr(part, figure) for part in system.parts)
        assert getattr(system, figure) == pytest.approx(expected, rel=1e-12)
        assert sum(getattr(system, f"{figure}_terms")().values()) == pytest.approx(expected, rel=1e-12)
    assert system.facility_power == system.power * system.pue
    assert system.peak("fp8") == system.chips * 2e15
    assert system.memory == system.chips * 8e10
    assert system.memory_bandwidth == system.chips * 3e12
    assert system.ridge_point("fp8") == pytest.approx(system.chip.ridge_point("fp8"), rel=1e-14)


@given(systems(), st.randoms(use_true_random=False))
def test_the_order_of_parts_does_not_matter(system: System, random: Any) -> None:
    parts = list(system.parts)
    random.shuffle(parts)
    shuffled = system.replace(parts=tuple(parts))
    assert shuffled.power == pytest.approx(system.power, rel=1e-12)
    assert shuffled.price == pytest.approx(system.price, rel=1e-12)


@given(systems(), st.integers(0, 5))
def test_neutral_parts_and_networks_change_nothing(system: System, where: int) -> None:
    """A part of no watts and dollars and a network of one chip are the padding of a stack of systems."""
    padding = Part(name="padding", per=7.0, power=0.0, price=0.0)
    parts = (*system.parts[:where], padding, *system.parts[where:])
    padded = system.replace(parts=parts, networks=(*system.networks, Network(name="padding", span=1.0, bandwidth=1.0)))
    for figure in ("power", "price", "facility_power", "memory", "memory_bandwidth"):
        assert getattr(padded, figure) == pytest.approx(getattr(system, figure), rel=1e-12)
    if system.networks:
        assert padded.scaleup_chips == system.scaleup_chips
        assert padded.scaleup_bandwidth == system.scaleup_bandwidth
    if system.networks and system.networks[-1].span >= system.chips:
        assert padded.bisection_bandwidth == system.bisection_bandwidth


@given(systems(), st.randoms(use_true_random=False))
def test_covered_chips_are_not_counted_again(system: System, random: Any) -> None:
    """A part whose price holds the chips in it: the chips cost nothing more, and draw what they draw."""
    if not system.parts:
        return
    name = random.choice(system.parts).name
    covering = system.replace(**{f"parts.{name}.covers_chip_price": 1.0})
    assert covering.price == pytest.approx(system.price - system.chips * system.chip.price, rel=1e-9, abs=1e-3)
    assert covering.power == system.power
    assert "chips" not in covering.price_terms()


@pytest.mark.parametrize("names", [("row", "row"), ("chips", "row")], ids=" ".join)
def test_no_part_is_lost_by_its_name(names: tuple[str, str]) -> None:
    """Two tiers of one name, or one called as the chips: refused by name, or counted both; never one for the other."""
    try:
        tower = nv.system(chip_of()).add(names[0], 8, power="1 kW").add(names[1], 4, power="2 kW")
        power = tower.power
    except nv.InvalidInput as problem:
        assert names[0] in str(problem)
        return
    assert power == 32 * 700.0 + 4 * 1000.0 + 2000.0


# ---------------------------------------------------------------------- scale


def test_a_thousand_chips_in_racks_of_72_are_14_racks() -> None:
    hall = nv.system("gb200-nvl72").scale(1000)
    rack = next(part for part in nv.system("gb200-nvl72").parts if part.name == "rack")
    assert hall.power_terms() == {"chips": 1000 * 1200.0, "node": 0.0, "rack": 14 * rack.power}
    assert nv.system("gb200-nvl72").scale(1008).power_terms()["rack"] == 14 * rack.power
    assert nv.system("gb200-nvl72").scale(1009).power_terms()["rack"] == 15 * rack.power


@given(st.integers(1, 10_000), spans, watts)
def test_partial_racks_are_rounded_up(chips: int, per: float, power: float) -> None:
    system = System(name="made", chip=chip_of(0.0), chips=chips, parts=(Part(name="rack", per=per, power=power),))
    assert system.power == pytest.approx(-(-chips // int(per)) * power, rel=1e-12)


@given(whole_systems(), st.integers(1, 50), st.integers(1, 50))
def test_full_houses_add_up(system: System, a: int, b: int) -> None:
    left, right, both = (system.scale(n * system.chips) for n in (a, b, a + b))
    assert both.power == pytest.approx(left.power + right.power, rel=1e-9)
    assert both.price == pytest.approx(left.price + right.price, rel=1e-9)
    assert both.peak("fp8") == pytest.approx(left.peak("fp8") + right.peak("fp8"), rel=1e-12)


@given(systems(), counts, counts)
def test_houses_are_shared_never_split(system: System, a: float, b: float) -> None:
    """Two halls apart house at least as much as one of the same chips; and more chips never draw less."""
    together, apart = system.scale(a + b).power, system.scale(a).power + system.scale(b).power
    assert together <= apart * (1 + 1e-12)
    assert system.scale(a + b).power >= system.scale(a).power * (1 - 1e-12)


@given(systems(), counts)
def test_scaling_there_and_back_is_the_same_system(system: System, chips: float) -> None:
    back = system.scale(chips).scale(system.chips)
    assert back.replace(name=system.name) == system
    assert (back.parts, back.networks) == (system.parts, system.networks)


# ---------------------------------------------------------------------- add


@given(whole_systems(), st.integers(1, 30), watts, dollars)
def test_a_tier_more_is_so_many_of_what_there_is_and_its_own_part(system: System, count: int, power: float, price: float) -> None:
    larger = system.add("hall", count, power=power, price=price, network=Network(name="spine", bandwidth=5e10))
    assert larger.chips == count * system.chips
    assert larger.power == pytest.approx(count * system.power + power, rel=1e-9)
    assert larger.price == pytest.approx(count * system.price + price, rel=1e-9)
    assert larger.level == "hall"
    assert larger.networks[-1].span == larger.chips
    assert larger.bisection_bandwidth >= larger.chips * 5e10 / 2.0 * (1 - 1e-12)


@given(whole_systems(), st.integers(1, 9), st.integers(1, 9))
def test_tiers_of_nothing_stack_like_one(system: System, a: int, b: int) -> None:
    twice, once = system.add("row", a).add("hall", b), system.add("hall", a * b)
    assert twice.chips == once.chips
    assert twice.power == pytest.approx(once.power, rel=1e-12)


# ---------------------------------------------------------------------- alone


@given(systems(), counts)
def test_chips_alone_keep_the_houses_that_they_fill(system: System, chips: float) -> None:
    chips = min(chips, system.chips)
    cut = system.alone(chips)
    assert cut.chips == chips
    assert [part.name for part in cut.parts] == [part.name for part in system.parts if part.per <= chips]
    assert cut.power <= system.scale(chips).power * (1 + 1e-12)


@given(systems())
def test_one_chip_alone_is_the_chip(system: System) -> None:
    one = system.alone(1)
    assert one.power == pytest.approx(system.chip.power + sum(part.power for part in system.parts if part.per == 1.0), rel=1e-12)
    assert one.networks == ()


def test_no_more_can_be_cut_out_than_there_is() -> None:
    """`alone` cuts, `scale` enlarges: 100 chips are not in a node of 8."""
    node = nv.system("dgx-h100")
    with pytest.raises(nv.InvalidInput, match=r"alone: chips.*100.*8"):
        node.alone(100)


@given(whole_systems())
def test_the_whole_alone_is_the_whole(system: System) -> None:
    whole = system.alone(system.chips)
    assert whole.power == pytest.approx(system.power, rel=1e-12)
    assert whole.parts == system.parts


# ---------------------------------------------------------------------- symbols and arrays


@given(systems(), st.lists(counts, min_size=1, max_size=4))
def test_an_array_of_chip_counts_is_each_count(system: System, chips: list[float]) -> None:
    swept = system.scale(numpy.array(chips))
    for figure in ("power", "price", "memory", "memory_bandwidth"):
        assert numpy.broadcast_to(getattr(swept, figure), len(chips)) == pytest.approx(
            [getattr(system.scale(n), figure) for n in chips], rel=1e-12
        )
    assert list(swept.peak("fp8")) == [system.scale(n).peak("fp8") for n in chips]


@given(st.lists(st.integers(1, 400).map(float), min_size=1, max_size=4))
def test_the_bisection_of_an_array_is_that_of_each_count(chips: list[float]) -> None:
    """Each count takes the innermost network that joins it, not the first of all."""
    tiers = (Network(name="inner", span=8.0, bandwidth=9e11), Network(name="outer", span=math.inf, bandwidth=5e10))
    system = System(name="made", chip=chip_of(), chips=8.0, networks=tiers)
    swept = numpy.broadcast_to(system.scale(numpy.array(chips)).bisection_bandwidth, len(chips))
    assert swept == pytest.approx([system.scale(n).bisection_bandwidth for n in chips], rel=1e-12)


@pytest.mark.parametrize("number", [numpy.float64, numpy.float32, numpy.int64, numpy.array], ids=lambda kind: kind.__name__)
def test_a_number_of_numpy_is_one_number(number: Any) -> None:
    """What comes out of a loop over an array counts like a float: the same networks, cuts and names."""
    node = nv.system("dgx-h100")
    assert node.scale(number(1024)).bisection_bandwidth == node.scale(1024.0).bisection_bandwidth
    assert node.alone(number(4)).power == node.alone(4.0).power
    assert node.scale(number(64)) == node.scale(64.0)
    assert node.within(power=number(1_000_000)).name == "1 MW of dgx-h100"
    assert type(nv.chip("H100").replace(power=number(700)).power) is float


def test_the_bisection_of_a_symbol_is_that_of_each_count() -> None:
    sympy = pytest.importorskip("sympy")
    n = sympy.Symbol("n", positive=True)
    hall = nv.system("dgx-h100")
    for count in (4.0, 8.0, 64.0, 1024.0):
        expected = hall.scale(count).bisection_bandwidth
        assert float(hall.scale(n).bisection_bandwidth.subs(n, count)) == pytest.approx(expected, rel=1e-12)


@given(systems(), counts)
def test_a_symbol_of_chips_is_a_closed_form(system: System, chips: float) -> None:
    sympy = pytest.importorskip("sympy")
    n = sympy.Symbol("n", positive=True)
    power = sympy.sympify(system.scale(n).power).subs(n, sympy.Integer(int(chips)))
    assert float(power) == pytest.approx(system.scale(chips).power, rel=1e-9, abs=1e-9)


@given(systems(), st.lists(st.floats(1.0, 2e3), min_size=2, max_size=3))
def test_a_swept_figure_of_the_chip_is_each_figure(system: System, powers: list[float]) -> None:
    swept = system.replace(**{"chip.power": numpy.array(powers)})
    assert list(numpy.broadcast_to(swept.power, len(powers))) == pytest.approx(
        [system.replace(**{"chip.power": power}).power for power in powers], rel=1e-12
    )
