"""Laws of the units: one closed table, the same in pint; text to SI to the last digit; what is shown can be read back."""

import functools
import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import nvscale as nv
from nvscale import unit_types
from nvscale.units import ATOM_ROWS, ATOMS, BINARY_PREFIX_ROWS, PREFIX_ROWS, Unit, convert, dimension_of, parse_unit, readable, split_text

pint = pytest.importorskip("pint")

# The base units by their full names in the registry.
BASE = {"byte": "byte", "flop": "flop", "token": "token", "dollar": "USD", "second": "s", "joule": "J"}
BASE |= {"meter": "m", "gram": "g", "kelvin": "K", "volt": "V"}


def spellings(names: tuple[str, ...], prefixes: str) -> Iterator[str]:
    """Every way to write a unit: bare, and with each prefix that it may carry."""
    tables = {"": (), "si": PREFIX_ROWS, "all": (*PREFIX_ROWS, *BINARY_PREFIX_ROWS)}[prefixes]
    for name in names:
        yield name
        yield from (f"{prefix}{name}" for row, _ in tables for prefix in row)


ROWS = {names[0]: (names, atom) for names, atom in ATOM_ROWS}


@pytest.mark.parametrize("symbol", [symbol for symbol in ROWS if symbol not in ("1", "%")])
def test_every_spelling_is_the_same_size_and_dimension_in_pint(symbol: str) -> None:
    names, atom = ROWS[symbol]
    own = nv.quantities.registry()
    for text in spellings(tuple(name for name in names if name != "$"), atom.prefixes):
        factor, dimension = parse_unit(text)
        base = own.Quantity(1.0, text).to_base_units()
        assert base.magnitude == pytest.approx(float(factor), rel=1e-12), text
        assert {BASE[name]: Fraction(power) for name, power in base.units._units.items()} == dict(dimension), text


def test_no_spelling_has_two_meanings() -> None:
    """A prefix and a symbol together never spell another unit: `min` is a minute, not a milli-inch."""
    written = [text for names, atom in ATOM_ROWS for text in spellings(names, atom.prefixes) if text not in ATOMS]
    sizes: dict[str, set[Any]] = {}
    for names, atom in ATOM_ROWS:
        for text in spellings(names, atom.prefixes):
            sizes.setdefault(text, set()).add(parse_unit(text))
    assert len(written) > 1000
    assert not [text for text, found in sizes.items() if len(found) > 1]


@pytest.mark.parametrize("alias", [name for name in dir(unit_types) if hasattr(getattr(unit_types, name), "__metadata__")])
def test_every_annotated_unit_is_in_base_units_and_known_to_pint(alias: str) -> None:
    (unit,) = getattr(unit_types, alias).__metadata__
    quantity = nv.quantities.registry().Quantity(1.0, "" if unit.text == "1" else unit.text)
    assert quantity.to_base_units().magnitude == pytest.approx(float(parse_unit(unit.text)[0]), rel=1e-12)


decimals = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal(99999), places=4)
prefixes = st.sampled_from([(names[-1], factor) for names, factor in PREFIX_ROWS])


@given(decimals, prefixes)
@example(Decimal("66.9"), ("T", Decimal(10) ** 12))
@example(Decimal("3.35"), ("T", Decimal(10) ** 12))
def test_text_becomes_si_to_the_last_digit(number: Decimal, prefix: tuple[str, Decimal]) -> None:
    symbol, factor = prefix
    exact = float(number * factor)
    assert Unit("flop/s").si(f"{number} {symbol}FLOP/s", "rate") == exact
    assert convert(float(number), f"{symbol}FLOP/s", "flop/s") == exact


def test_sixty_six_point_nine_teraflops_are_exact() -> None:
    assert nv.Rates(fp64_tensor="66.9 TFLOP/s").fp64_tensor == 66.9e12
    assert 66.9 * 1e12 != 66.9e12, "a product of floats is not"


@given(
    st.floats(1e-6, 1e6), st.sampled_from([("GB/s", "byte/s"), ("kWh", "J"), ("USD/kWh", "USD/J"), ("mm^2", "m^2"), ("pJ/bit", "J/byte")])
)
def test_there_and_back_is_the_same_number(value: float, units: tuple[str, str]) -> None:
    given_in, wanted = units
    assert convert(convert(value, given_in, wanted), wanted, given_in) == pytest.approx(value, rel=1e-14)


@given(st.floats(1e-6, 1e9), st.floats(1e-6, 1e9))
def test_conversion_is_linear_and_the_same_for_arrays(a: float, b: float) -> None:
    both = convert(numpy.array([a, b]), "TB/s", "byte/s")
    assert both[0] == pytest.approx(convert(a, "TB/s", "byte/s"), rel=1e-14)
    assert both.sum() == pytest.approx(convert(a + b, "TB/s", "byte/s"), rel=1e-12)


def test_bits_are_eighths_of_bytes_and_bytes_are_no_flop() -> None:
    assert convert(400.0, "Gb/s", "GB/s") == 50.0
    assert convert(1.0, "KiB", "byte") == convert(1.0, "kibibyte", "byte") == 1024.0
    with pytest.raises(nv.WrongUnit):
        convert(1.0, "flop", "byte")
    with pytest.raises(nv.WrongUnit):
        convert(1.0, "token", "byte")
    with pytest.raises(nv.WrongUnit):
        convert(1.0, "1", "byte")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("W", "J/s"),
        ("W*h", "Wh"),
        ("byte/s", "bit/s"),
        ("USD/kW/year", "USD/(kW*year)"),
        ("J s^-1", "W"),
        ("m**2", "m^2"),
        ("flop/byte", "FLOP/B"),
        ("GB / s", "GB/s"),
        ("F", "J/V^2"),
    ],
)
def test_ways_to_write_a_unit_agree_in_dimension(left: str, right: str) -> None:
    assert dimension_of(left) == dimension_of(right)


ROUND_TRIP = (
    "W",
    "byte",
    "byte/s",
    "flop/s",
    "flop",
    "J/flop",
    "flop/J",
    "flop/byte",
    "J",
    "s",
    "USD",
    "USD/s",
    "Hz",
    "m^2",
    "token/s",
    "1",
    "V",
    "K",
)
shown = st.floats(1e-17, 1e20).filter(lambda x: x > 0.0)


@pytest.mark.parametrize("unit", ROUND_TRIP)
@given(value=shown)
def test_what_is_shown_reads_back_to_the_printed_digits(unit: str, value: float) -> None:
    text = readable(value, unit)
    number, given_in = split_text(text)
    back = convert(number, given_in or "1", unit)
    assert back == pytest.approx(value, rel=0.51e-3), text


@pytest.mark.parametrize("unit", ["W", "byte/s", "flop/s", "token/s", "J/flop"])
@given(value=st.floats(1e-15, 1e18), digits=st.integers(3, 9))
def test_more_digits_read_back_closer(unit: str, value: float, digits: int) -> None:
    number, given_in = split_text(readable(value, unit, digits))
    assert convert(number, given_in, unit) == pytest.approx(value, rel=0.51 * 10.0 ** (1 - digits))


@given(st.sampled_from(["W", "byte/s", "flop/s"]), st.floats(1.0, 1e20))
def test_shown_numbers_have_few_digits_before_the_point(unit: str, value: float) -> None:
    number, _ = split_text(readable(value, unit))
    assert Decimal(1) <= number <= Decimal(1000)


@functools.cache
def _foreign_registry() -> Any:
    return pint.UnitRegistry()


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("power", "700 W"),
        ("power", "0.7 kilowatt"),
        ("power", "700 joule / second"),
        ("memory", "80 gigabyte"),
        ("memory", "80 GiB"),
        ("memory_bandwidth", "3.35 TB/s"),
        ("scaleup_bandwidth", "3600 Gbit/s"),
        ("clock", "1830 MHz"),
        ("die_area", "814 mm**2"),
        ("process_node", "4 nm"),
    ],
)
def test_quantities_of_a_foreign_registry_are_figures(field: str, text: str) -> None:
    quantity = _foreign_registry()(text)
    wanted = nv.chip("H100").unit_of(field)
    chip = nv.chip("H100").replace(**{field: quantity})
    number = Decimal(text.partition(" ")[0])
    assert getattr(chip, field) == pytest.approx(convert(number, text.partition(" ")[2], wanted), rel=1e-14)


@given(st.floats(1e-3, 1e3))
def test_own_and_foreign_quantities_give_the_same_figure(terabytes: float) -> None:
    own = nv.chip("H100").replace(memory_bandwidth=nv.quantities.quantity(terabytes, "TB/s"))
    foreign = nv.chip("H100").replace(memory_bandwidth=_foreign_registry().Quantity(terabytes, "TB/s"))
    text = nv.chip("H100").replace(memory_bandwidth=f"{terabytes!r} TB/s")
    assert own == foreign == text


def test_a_foreign_array_is_a_sweep_axis() -> None:
    chip = nv.chip("H100").replace(power=_foreign_registry().Quantity(numpy.array([0.5, 0.7]), "kW"))
    assert list(chip.power) == [500.0, 700.0]


@given(st.sampled_from([">0", ">=0", ">=1", "[0,1]", "(0,1]", "any"]), st.floats(-2.0, 3.0), st.booleans())
def test_ranges_hold_for_floats_and_arrays_alike(allowed: str, value: float, infinite: bool) -> None:
    unit = Unit("1", allowed, infinite)
    inside = {">0": value > 0, ">=0": value >= 0, ">=1": value >= 1, "[0,1]": 0 <= value <= 1, "(0,1]": 0 < value <= 1, "any": True}[
        allowed
    ]
    for given_value in (value, numpy.array([value])):
        if inside:
            assert numpy.all(unit.si(given_value, "x") == value)
        else:
            with pytest.raises(nv.InvalidInput, match=r"x: .* is out of range"):
                unit.si(given_value, "x")
    for endless in (math.inf, numpy.array([1.0, math.inf])):
        if infinite and not allowed.endswith("1]"):
            assert numpy.max(unit.si(endless, "x")) == math.inf
        else:
            with pytest.raises(nv.InvalidInput):
                unit.si(endless, "x")
