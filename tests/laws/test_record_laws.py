"""Laws of records: changing one figure changes that figure and its source only; equality, hash, pickle; sweep axes and symbols."""

import copy
import math
import pickle
from typing import Any

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nvscale as nv
from nvscale.composition import Network, Part
from nvscale.provenance import GIVEN
from nvscale.record import field_names, required_fields, units_of, walk

CHIP_FIGURES = sorted(units_of(nv.Chip))
RATE_FIGURES = sorted(units_of(nv.Rates))
values = st.floats(1.0, 1e15)


def h100() -> nv.Chip:
    return nv.chip("H100")


def node() -> nv.System:
    return nv.system("dgx-h100")


# ---------------------------------------------------------------------- replace


@given(st.sampled_from(CHIP_FIGURES), values)
def test_replace_changes_one_figure_and_its_source_only(field: str, value: float) -> None:
    value = 2000.0 + value % 100.0 if field in ("released", "shipped") else value
    before, after = h100(), h100().replace(**{field: value})
    assert getattr(after, field) == value
    assert after.source(field) == GIVEN
    for name in field_names(nv.Chip):
        if name not in (field, "sources"):
            assert getattr(after, name) is getattr(before, name)
    assert {name: source for name, source in after.sources.items() if name != field} == {
        name: source for name, source in before.sources.items() if name != field
    }


@given(st.sampled_from(RATE_FIGURES), values)
def test_replace_reaches_into_the_rates(field: str, value: float) -> None:
    after = h100().replace(**{f"peak.{field}": value})
    assert after == h100().replace(peak=h100().peak.replace(**{field: value}))
    assert getattr(after.peak, field) == value
    assert after.source(f"peak.{field}") == GIVEN
    others = [name for name in RATE_FIGURES if name != field]
    assert [after.source(f"peak.{name}") for name in others] == [h100().source(f"peak.{name}") for name in others]


def test_replace_of_a_whole_record_drops_the_sources_inside_it() -> None:
    after = h100().replace(peak=nv.Rates(fp8="1 PFLOP/s"))
    assert after.source("peak.fp8") == GIVEN
    assert after.source("power") == h100().source("power")


def test_replace_reaches_members_by_name() -> None:
    after = node().replace(**{"parts.rack.power": "5 kW", "networks.nvlink-4.bandwidth": "900 GB/s", "chip.peak.fp8": "2 PFLOP/s"})
    assert {part.name: part.power for part in after.parts} == {"node": node().parts[0].power, "rack": 5e3}
    assert after.scaleup.bandwidth == 900e9
    assert after.chip.peak.fp8 == 2e15
    assert after.scaleup.source("bandwidth") == GIVEN
    assert after.parts[0].source("power") == node().parts[0].source("power")
    assert after.networks[1] == node().networks[1]
    assert after.source("chip.power") == node().source("chip.power")


@given(st.permutations(["power", "memory", "peak.fp8", "price"]))
def test_the_order_of_changes_does_not_matter(order: list[str]) -> None:
    given_now = {"power": 500.0, "memory": "96 GB", "peak.fp8": "2 PFLOP/s", "price": 1e4}
    one_by_one = h100()
    for field in order:
        one_by_one = one_by_one.replace(**{field: given_now[field]})
    assert one_by_one == h100().replace(**given_now)
    assert one_by_one.sources == h100().replace(**given_now).sources


def test_replace_with_nothing_is_the_same_record() -> None:
    assert h100().replace() == h100()
    assert h100().replace().sources == h100().sources
    assert node().replace(chip=node().chip) == node()


def test_given_sources_are_kept() -> None:
    mine = nv.Source(printed="500 W", document="slate", title="Slate datasheet")
    after = h100().replace(power=500.0, sources={**h100().sources, "power": mine})
    assert after.source("power") is mine


def test_a_record_cannot_be_changed_in_place() -> None:
    with pytest.raises(AttributeError):
        h100().power = 1.0  # type: ignore[misc]
    with pytest.raises(AttributeError):
        del h100().power


# ---------------------------------------------------------------------- equality, hash, pickle


def records() -> list[Any]:
    sympy = pytest.importorskip("sympy")
    axis = numpy.array([[500.0], [700.0]])
    return [
        h100(),
        node(),
        h100().replace(power=axis),
        node().replace(**{"chip.memory_bandwidth": axis, "parts.node.power": axis}),
        h100().replace(power=sympy.Symbol("P", positive=True)),
        nv.Rates(fp8="1 PFLOP/s"),
        nv.prices(),
        Network(name="wire", bandwidth=1.0),
    ]


@pytest.mark.parametrize("number", range(8))
def test_copies_are_equal_and_hash_alike(number: int) -> None:
    record = records()[number]
    for again in (copy.copy(record), copy.deepcopy(record), pickle.loads(pickle.dumps(record)), record.replace()):
        assert again == record
        assert hash(again) == hash(record)
        assert repr(again) == repr(record)
    assert [one == record for one in records()].count(True) == 1


def test_equality_looks_at_every_figure_of_an_array() -> None:
    axis = numpy.array([500.0, 700.0])
    assert h100().replace(power=axis) == h100().replace(power=axis.copy())
    assert h100().replace(power=axis) != h100().replace(power=axis[::-1])
    assert h100().replace(power=axis) != h100().replace(power=axis[:1])
    assert h100().replace(power=axis) != h100()
    assert hash(h100().replace(power=axis)) == hash(h100().replace(power=axis.copy()))


def test_sources_do_not_count_for_equality_and_types_do() -> None:
    assert h100().replace(sources={}) == h100()
    assert h100() != node()
    assert h100() != "h100-sxm"


def test_records_are_keys() -> None:
    table = {h100(): 1, nv.chip("B200"): 2}
    assert table[nv.chip("h100_sxm")] == 1


# ---------------------------------------------------------------------- what a field may hold


@given(st.lists(values, min_size=1, max_size=5))
def test_arrays_of_any_shape_are_axes_and_integers_become_floats(axis: list[float]) -> None:
    array = numpy.array(axis)
    assert numpy.array_equal(h100().replace(power=array).power, array)
    assert h100().replace(power=array.reshape(-1, 1)).power.shape == (len(axis), 1)
    assert h100().replace(power=array.astype(numpy.int64)).power.dtype == float
    assert type(h100().replace(power=700).power) is float


def test_a_changed_array_of_the_caller_is_the_callers_business_but_text_is_read_once() -> None:
    assert h100().replace(power="0.7 kW").power == h100().replace(power=700.0).power == 700.0


def test_symbols_tracers_and_quantities_are_held() -> None:
    sympy = pytest.importorskip("sympy")
    symbol = sympy.Symbol("B", positive=True)
    assert h100().replace(memory_bandwidth=symbol).memory_bandwidth is symbol
    assert h100().replace(memory_bandwidth=symbol).ridge_point("bf16") == 989.4e12 / symbol
    jax = pytest.importorskip("jax")
    slope = jax.grad(lambda width: h100().replace(memory_bandwidth=width).ridge_point("bf16"))(3e12)
    assert float(slope) == pytest.approx(-989.4e12 / 9e24, rel=1e-5)


def test_absent_figures_stay_absent_and_words_are_not_figures() -> None:
    bare = nv.Chip(name="slate")
    assert bare.power is None
    assert required_fields(nv.Chip) == ("name",)
    assert "name" not in units_of(nv.Chip)
    assert {"per", "name"} == set(required_fields(Part))


# ---------------------------------------------------------------------- walk


def test_walk_finds_every_known_figure_once_with_its_path_unit_and_source() -> None:
    leaves = list(walk(node()))
    paths = [leaf.path for leaf in leaves]
    assert len(paths) == len(set(paths))
    assert {"chips", "chip.power", "chip.peak.fp8", "parts.node.power", "parts.rack.per", "networks.nvlink-4.bandwidth"} <= set(paths)
    for leaf in leaves:
        assert leaf.value is not None
        assert node().source(leaf.path) == leaf.source or leaf.path.startswith(("parts.", "networks."))
    by_path = {leaf.path: leaf for leaf in leaves}
    assert by_path["chip.peak.fp8"].unit.text == "flop/s"
    assert by_path["chip.peak.fp8"].source == h100().source("peak.fp8")
    assert by_path["networks.nvlink-4.bandwidth"].source == node().scaleup.source("bandwidth")


@pytest.mark.parametrize("name", [system.name for system in nv.systems()])
def test_every_path_of_walk_can_be_replaced(name: str) -> None:
    """Changing a figure to what it is changes nothing: no member is lost, even where two share a name."""
    system = nv.system(name)
    for leaf in walk(system):
        assert system.replace(**{leaf.path: leaf.value}) == system, leaf.path


@pytest.mark.parametrize("name", [system.name for system in nv.systems()])
def test_members_have_names_of_their_own(name: str) -> None:
    """Paths name members, so two of a system must not share a name."""
    system = nv.system(name)
    for members in (system.parts, system.networks):
        assert len({member.name for member in members}) == len(members)
    paths = [leaf.path for leaf in walk(system)]
    assert len(paths) == len(set(paths))


def test_a_record_and_a_figure_inside_it_can_change_together() -> None:
    """Both count, or the call is refused: the record that was given is never dropped."""
    try:
        after = h100().replace(peak=nv.Rates(bf16=1e15), **{"peak.fp8": 2e15})
    except nv.InvalidInput as problem:
        assert "peak" in str(problem)
        return
    assert after.peak == nv.Rates(bf16=1e15, fp8=2e15)


@given(st.floats(1.0, 4.0))
def test_a_replaced_leaf_is_the_one_that_walk_finds_changed(factor: float) -> None:
    path = "chip.memory_bandwidth"
    before = {leaf.path: leaf.value for leaf in walk(node())}
    after = {leaf.path: leaf.value for leaf in walk(node().replace(**{path: factor * before[path]}))}
    assert after == before | {path: factor * before[path]}


def test_a_source_is_found_along_a_path_of_members() -> None:
    """What `walk` and `replace` call a figure, `source` knows by the same path."""
    for leaf in walk(node()):
        assert node().source(leaf.path) == leaf.source, leaf.path


def test_repr_shows_units_and_leaves_out_what_is_unknown() -> None:
    text = repr(nv.Chip(name="slate", power="0.7 kW", memory_bandwidth="3.35 TB/s"))
    assert text == "Chip(name='slate', power=700 W, memory_bandwidth=3.35 TB/s)"
    assert "inf" not in repr(Network(name="wire", bandwidth=1.0))
    assert math.isinf(Network(name="wire", bandwidth=1.0).span)
