"""Figures that cannot be: wrong numbers, wrong dimensions, wrong text, wrong counts."""

import math
from typing import Any

import numpy

import nvscale as nv
from nvscale.units import parse_unit
from tests.errors.cases import Case


def _chip(**figures: Any) -> nv.Chip:
    return nv.chip("H100").replace(**figures)


def _node() -> nv.System:
    return nv.system("dgx-h100")


def _anything(value: Any) -> Any:
    """What type checkers would refuse before the library does."""
    return value


def _foreign(text: str) -> Any:
    import pint

    return pint.UnitRegistry()(text)


CASES = [
    # ------------------------------------------------------------------ numbers
    Case("negative", lambda: _chip(power=-700.0), nv.InvalidInput, ("Chip: power", "-700.0", "zero or above", "in W")),
    Case("negative text", lambda: _chip(memory="-80 GB"), nv.InvalidInput, ("Chip: memory", "-80000000000.0", "zero or above")),
    Case("nan", lambda: _chip(power=math.nan), nv.InvalidInput, ("Chip: power", "nan", "zero or above")),
    Case("nan text", lambda: _chip(power="nan W"), nv.InvalidInput, ("Chip: power", "nan")),
    Case("infinite", lambda: _chip(power=math.inf), nv.InvalidInput, ("Chip: power", "inf")),
    Case(
        "minus infinity as a span",
        lambda: nv.network("nvlink-4").replace(span=-math.inf),
        nv.InvalidInput,
        ("Network: span", "-inf", "one or above"),
    ),
    Case("zero", lambda: _chip(memory_bandwidth=0.0), nv.InvalidInput, ("Chip: memory_bandwidth", "0.0", "above zero", "byte/s")),
    Case("too large to be a float", lambda: _chip(power="1e400 W"), nv.InvalidInput, ("Chip: power", "inf")),
    Case("a whole number too large", lambda: _chip(power=10**400), nv.InvalidInput, ("Chip: power", "401 digits", "too large")),
    Case("truth value", lambda: _chip(power=True), nv.InvalidInput, ("Chip: power", "True is not a figure", "1 W")),
    Case("nothing where a figure must be", lambda: _node().replace(chips=None), nv.InvalidInput, ("System: chips", "None is not a figure")),
    Case("list", lambda: _chip(power=[700.0, 800.0]), nv.InvalidInput, ("Chip: power", "list is not a figure")),
    Case("mapping", lambda: _chip(power={"value": 700.0}), nv.InvalidInput, ("Chip: power", "dict is not a figure")),
    Case("complex", lambda: _chip(power=1j), nv.InvalidInput, ("Chip: power", "complex is not a figure")),
    Case("record", lambda: _chip(power=nv.Rates()), nv.InvalidInput, ("Chip: power", "Rates is not a figure")),
    Case("array of objects", lambda: _chip(power=numpy.array([1.0, None])), nv.InvalidInput, ("Chip: power", "array of object")),
    Case("array of text", lambda: _chip(power=numpy.array(["1 W"])), nv.InvalidInput, ("Chip: power", "array of")),
    Case("array of truth values", lambda: _chip(power=numpy.array([True])), nv.InvalidInput, ("Chip: power", "array of bool")),
    Case(
        "one bad point",
        lambda: _chip(power=numpy.array([1.0, -2.0, 3.0])),
        nv.InvalidInput,
        ("Chip: power", "-2.0", "[1]", "zero or above"),
    ),
    Case(
        "one nan in a table",
        lambda: _chip(power=numpy.array([[1.0, 2.0], [3.0, math.nan]])),
        nv.InvalidInput,
        ("Chip: power", "nan", "[1, 1]"),
    ),
    Case("one infinity in an array", lambda: _chip(power=numpy.array([math.inf, 1.0])), nv.InvalidInput, ("Chip: power", "inf", "[0]")),
    Case("share above one", lambda: nv.prices(discount_rate=8.0), nv.InvalidInput, ("Prices: discount_rate", "8.0", "from 0 to 1")),
    Case("share of nothing", lambda: nv.prices(utilisation=0.0), nv.InvalidInput, ("Prices: utilisation", "0.0", "above 0 and at most 1")),
    # ------------------------------------------------------------------ dimensions and text
    Case("wrong dimension, text", lambda: _chip(power="700 GB"), nv.WrongUnit, ("Chip: power", "'GB'", "'W'")),
    Case("wrong dimension, own quantity", lambda: _chip(power=nv.quantities.quantity("7 GB")), nv.WrongUnit, ("Chip: power", "'W'")),
    Case("wrong dimension, foreign quantity", lambda: _chip(power=_foreign("700 byte")), nv.WrongUnit, ("Chip: power", "'byte'", "'W'")),
    Case("foreign unit nobody knows here", lambda: _chip(power=_foreign("2 horsepower")), nv.WrongUnit, ("Chip: power", "horsepower")),
    Case("negative quantity", lambda: _chip(power=nv.quantities.quantity("-7 W")), nv.InvalidInput, ("Chip: power", "-7.0")),
    Case("text without a unit", lambda: _chip(power="700"), nv.WrongUnit, ("Chip: power", "'700' has no unit", "'700 W'")),
    Case("text without a number", lambda: _chip(power="fast"), nv.InvalidInput, ("Chip: power", "'fast'", "number")),
    Case("decimal comma", lambda: _chip(memory_bandwidth="3,35 TB/s"), nv.InvalidInput, ("Chip: memory_bandwidth", "'3,35 TB/s'", "3.35")),
    Case("beyond all numbers", lambda: _chip(power="1e999999999 W"), nv.InvalidInput, ("Chip: power", "1e999999999")),
    Case("empty text", lambda: _chip(power=""), nv.InvalidInput, ("Chip: power", "''", "number")),
    Case("unit first", lambda: _chip(power="W 700"), nv.InvalidInput, ("Chip: power", "'W 700'", "number")),
    Case("ambiguous rate", lambda: _chip(**{"peak.fp8": "1979 TFLOPS"}), nv.WrongUnit, ("fp8", "'TFLOPS' is ambiguous", "'TFLOP/s'")),
    Case(
        "ambiguous bandwidth",
        lambda: _chip(memory_bandwidth="400 Gbps"),
        nv.WrongUnit,
        ("memory_bandwidth", "'Gbps' is ambiguous", "'Gb/s'"),
    ),
    Case("ambiguous quantity", lambda: nv.quantities.quantity("400 Gbps"), nv.WrongUnit, ("'Gbps'", "'Gb/s'")),
    Case("misspelt unit", lambda: _chip(power="700 Watss"), nv.WrongUnit, ("Chip: power", "no unit 'Watss'", "'watts'")),
    Case("misspelt unit of a quantity", lambda: nv.quantities.quantity("700 Watss"), nv.WrongUnit, ("'Watss'", "'watts'")),
    Case("no such prefix", lambda: _chip(power="7 GiW"), nv.WrongUnit, ("Chip: power", "'GiW'")),
    Case("unit ends in an operator", lambda: _chip(power="3 J/"), nv.WrongUnit, ("Chip: power", "'J/'", "operator")),
    Case("open bracket", lambda: _chip(power="3 (J/s"), nv.WrongUnit, ("Chip: power", "'(J/s'", "not closed")),
    Case("bracket too many", lambda: _chip(power="3 J)/s"), nv.WrongUnit, ("Chip: power", "'J)/s'", "')'")),
    Case("no exponent", lambda: _chip(power="3 W**x"), nv.WrongUnit, ("Chip: power", "exponent", "'W**x'")),
    Case("exponent beyond all numbers", lambda: parse_unit("kW**99999999"), nv.WrongUnit, ("kW**99999999",)),
    Case("text where a record belongs", lambda: _node().replace(chip="h100"), nv.InvalidInput, ("System: chip", "'h100'", "wanted a Chip")),
    Case("number where text belongs", lambda: _chip(name=5), nv.InvalidInput, ("Chip: name", "5 is not text")),
    Case("text where a list belongs", lambda: _node().replace(parts="rack"), nv.InvalidInput, ("System: parts", "'rack'", "list")),
    Case("number in a list of records", lambda: _node().replace(parts=[1]), nv.InvalidInput, ("System: parts[0]", "1", "wanted a Part")),
    # ------------------------------------------------------------------ formulas with quantities
    Case(
        "formula: wrong dimension",
        lambda: nv.quantities.roofline.attainable("100 flop/byte", "1 W", "1 TB/s"),
        nv.WrongUnit,
        ("peak", "'W'", "'flop/s'"),
    ),
    Case(
        "formula: out of range",
        lambda: nv.quantities.roofline.attainable(-1.0, "1 TFLOP/s", "1 TB/s"),
        nv.InvalidInput,
        ("operational_intensity", "-1.0"),
    ),
    Case(
        "roofline of a chip",
        lambda: nv.chip("H100").attainable("bf16", -5.0),
        nv.InvalidInput,
        ("operational_intensity", "-5.0", "flop/byte"),
    ),
    Case(
        "roofline of a chip, unit", lambda: nv.chip("H100").attainable("bf16", "5 byte"), nv.WrongUnit, ("operational_intensity", "'byte'")
    ),
    # ------------------------------------------------------------------ counts, facilities
    Case("half a chip", lambda: _node().replace(chips=0.5), nv.InvalidInput, ("System: chips", "0.5", "one or above")),
    Case("scale to nothing", lambda: _node().scale(0), nv.InvalidInput, ("scale: chips", "0.0", "one or above")),
    Case("cut to nothing", lambda: _node().alone(-1), nv.InvalidInput, ("alone: chips", "-1.0", "one or above")),
    Case("cut to an array", lambda: _node().alone(numpy.array([1.0, 2.0])), nv.InvalidInput, ("alone: chips", "one number", "scale()")),
    Case("a tier of none", lambda: _node().add("rack", 0), nv.InvalidInput, ("add rack: count", "0.0", "one or above")),
    Case("a tier that gives power", lambda: _node().add("rack", 4, power="-5 W"), nv.InvalidInput, ("Part: power", "-5.0")),
    Case("PUE below one", lambda: _node().replace(pue=0.9), nv.InvalidInput, ("System: pue", "0.9", "one or above")),
    Case(
        "PUE below one, of a site", lambda: _node().within(power="1 MW", pue=0.5), nv.InvalidInput, ("within: pue", "0.5", "one or above")
    ),
    Case("PUE below one, of curves", lambda: nv.curves(level="datacenter", pue=0.3), nv.InvalidInput, ("pue", "0.3", "one or above")),
    Case(
        "a site that holds not one",
        lambda: _node().within(power="5 kW"),
        nv.InvalidInput,
        ("within: power", "holds not one dgx-h100", "10200 W"),
    ),
    Case("a site of energy", lambda: _node().within(power="5 MWh"), nv.WrongUnit, ("within: power", "'MWh'", "'W'")),
    Case("a site without end", lambda: _node().within(power="inf W"), nv.InvalidInput, ("within: power", "inf")),
    # ------------------------------------------------------------------ growth
    Case("curves of nothing", lambda: nv.curves([]), nv.InvalidInput, ("curves", "empty", "dgx-h100")),
    Case("curves of no list", lambda: nv.curves(_anything(5)), nv.NvscaleError, ("5",)),
    Case(
        "growth of one", lambda: nv.curves(["dgx-h100"]).growth("performance"), nv.MissingFigure, ("growth of performance", "two systems")
    ),
    Case(
        "growth in one year",
        lambda: nv.curves(["dgx-h100", _node()]).growth("power"),
        nv.MissingFigure,
        ("growth of power", "different years"),
    ),
    Case("confidence above one", lambda: nv.curves(confidence=1.5).growth(), nv.InvalidInput, ("confidence", "1.5", "above 0 and below 1")),
    Case("confidence nan", lambda: nv.curves(confidence=math.nan).growth(), nv.InvalidInput, ("confidence", "nan")),
    Case("confidence of two points", lambda: nv.fit_growth([2016.0, 2018.0], [1.0, 2.0], 0.0), nv.InvalidInput, ("confidence", "0.0")),
    Case("fit of one point", lambda: nv.fit_growth([2016.0], [1.0]), nv.InvalidInput, ("two different years",)),
    Case("fit of unlike lists", lambda: nv.fit_growth([2016.0, 2017.0], [1.0]), nv.InvalidInput, ("2 years", "1 values")),
    Case("fit of a negative value", lambda: nv.fit_growth([2016.0, 2017.0], [1.0, -1.0]), nv.InvalidInput, ("positive", "-1.0")),
    Case("fit of an endless year", lambda: nv.fit_growth([2016.0, 2017.0, math.inf], [1.0, 2.0, 3.0]), nv.InvalidInput, ("year", "inf")),
    Case("fit of a year that is none", lambda: nv.fit_growth([2016.0, math.nan], [1.0, 2.0]), nv.InvalidInput, ("year", "nan")),
    Case(
        "energy price without a unit", lambda: nv.prices(energy_price="0.06"), nv.WrongUnit, ("Prices: energy_price", "'0.06' has no unit")
    ),
    Case("life in dollars", lambda: nv.prices(life="5 USD"), nv.WrongUnit, ("Prices: life", "'USD'", "'s'")),
]
