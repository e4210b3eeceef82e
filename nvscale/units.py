"""Units: a closed table of unit symbols, text to SI by exact decimal arithmetic, readable numbers.

Information (byte), operation (flop), token and currency (USD) are dimensions of their own, so
`400 Gb/s` is 50 GB/s and bytes can never be added to flop. `Unit` annotates every figure of the
library: it validates, converts text and quantities, documents, and names the dimension.

The base units are byte, flop, token, USD, s, J, m, g, K and V: inside the library every number is
in these.
"""

import functools
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation, Overflow
from fractions import Fraction
from typing import Any

from nvscale.errors import InvalidInput, WrongUnit, did_you_mean
from nvscale.ops import ARRAY, FLOAT, OTHER, QUANTITY, carrier

Dimension = Mapping[str, Fraction]

# Prefixes: long name, symbols, factor. Binary ones are for information only.
PREFIX_ROWS: tuple[tuple[tuple[str, ...], Decimal], ...] = tuple(
    (tuple(names.split()), Decimal(10) ** exponent)
    for names, exponent in (
        ("atto a", -18), ("femto f", -15), ("pico p", -12), ("nano n", -9), ("micro u µ μ", -6), ("milli m", -3),
        ("kilo k", 3), ("mega M", 6), ("giga G", 9), ("tera T", 12), ("peta P", 15), ("exa E", 18), ("zetta Z", 21),
    )
)  # fmt: skip
BINARY_PREFIX_ROWS: tuple[tuple[tuple[str, ...], Decimal], ...] = tuple(
    (tuple(names.split()), Decimal(1024) ** exponent)
    for exponent, names in enumerate(("kibi Ki", "mebi Mi", "gibi Gi", "tebi Ti", "pebi Pi", "exbi Ei"), start=1)
)
_PREFIXES = {name: factor for names, factor in PREFIX_ROWS for name in names}
_BINARY_PREFIXES = {name: factor for names, factor in BINARY_PREFIX_ROWS for name in names}

_HOUR, _DAY = Decimal(3600), Decimal(86400)
_YEAR = Decimal("365.25") * _DAY


@dataclass(frozen=True, slots=True)
class Atom:
    """One symbol of the closed table: its size in base units, its dimension, its prefixes."""

    size: Decimal
    dimension: tuple[tuple[str, int], ...]
    prefixes: str  # "": none, "si": SI only, "all": SI and binary


# The closed table: symbol, full name and other spellings; size in base units; dimension; prefixes.
_ROWS: tuple[tuple[str, Decimal | str | int, dict[str, int], str], ...] = (
    ("B byte bytes", 1, {"byte": 1}, "all"),
    ("b bit bits", "0.125", {"byte": 1}, "all"),
    ("FLOP flop op OP operation operations", 1, {"flop": 1}, "si"),
    ("tok token tokens", 1, {"token": 1}, "si"),
    ("USD dollar dollars $", 1, {"USD": 1}, "si"),
    ("BUSD billion_dollars", 10**9, {"USD": 1}, ""),
    ("s second seconds sec", 1, {"s": 1}, "si"),
    ("min minute minutes", 60, {"s": 1}, ""),
    ("h hour hours hr", _HOUR, {"s": 1}, ""),
    ("d day days", _DAY, {"s": 1}, ""),
    ("wk week weeks", 7 * _DAY, {"s": 1}, ""),
    ("mo month months", _YEAR / 12, {"s": 1}, ""),
    ("yr year years", _YEAR, {"s": 1}, ""),
    ("Hz hertz", 1, {"s": -1}, "si"),
    ("J joule joules", 1, {"J": 1}, "si"),
    ("W watt watts", 1, {"J": 1, "s": -1}, "si"),
    ("Wh watt_hour watt_hours", _HOUR, {"J": 1}, "si"),
    ("m meter metre meters metres", 1, {"m": 1}, "si"),
    ("g gram grams", 1, {"g": 1}, "si"),
    ("t tonne tonnes", 10**6, {"g": 1}, "si"),
    ("K kelvin", 1, {"K": 1}, "si"),
    ("V volt volts", 1, {"V": 1}, "si"),
    ("F farad farads", 1, {"J": 1, "V": -2}, "si"),
    ("1 dimensionless ratio", 1, {}, ""),
    ("% percent", "0.01", {}, ""),
)
ATOM_ROWS: tuple[tuple[tuple[str, ...], Atom], ...] = tuple(
    (tuple(names.split()), Atom(Decimal(size), tuple(sorted(dimension.items())), prefixes)) for names, size, dimension, prefixes in _ROWS
)
ATOMS: Mapping[str, Atom] = {name: atom for names, atom in ATOM_ROWS for name in names}
HIGHEST_POWER = 9
_AMBIGUOUS = re.compile(r"^[kMGTPE]?(flops|FLOPS|Flops|OPS|TOPS|bps|Bps)$")
_NUMBER = re.compile(
    r"^\s*([+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf(?:inity)?|nan)\s*(.*)$", re.I | re.S
)
_TOKEN = re.compile(r"\s*(\*\*|\^|\*|·|/|\(|\)|[^\s*·/^()]+)")


def _find_atom(symbol: str) -> tuple[Decimal, Atom]:
    """Return the factor of the prefix and the atom, or raise WrongUnit with advice."""
    if symbol in ATOMS:
        return Decimal(1), ATOMS[symbol]
    for table, wanted in ((_BINARY_PREFIXES, "all"), (_PREFIXES, "si all")):
        for prefix, factor in table.items():
            atom = ATOMS.get(symbol[len(prefix) :]) if symbol.startswith(prefix) else None
            if atom is not None and atom.prefixes and atom.prefixes in wanted:
                return factor, atom
    if _AMBIGUOUS.match(symbol):
        raise WrongUnit(f"unit {symbol!r} is ambiguous: write a rate as 'TFLOP/s' or 'Gb/s', an amount as 'TFLOP' or 'GB'")
    raise WrongUnit(f"no unit {symbol!r}{did_you_mean(symbol, ATOMS)}")


@functools.lru_cache(maxsize=1024)
def parse_unit(text: str) -> tuple[Decimal, tuple[tuple[str, Fraction], ...]]:
    """Return the factor to base units and the dimension of unit text.

    >>> parse_unit("GB/s")[0], parse_unit("Gb/s")[0]
    (Decimal('1000000000'), Decimal('125000000.000'))
    >>> dict(parse_unit("USD/kWh")[1]) == {"J": -1, "USD": 1}
    True
    """
    tokens = _TOKEN.findall(re.sub(r"\b([kMGTPE])\s+(?=[A-Za-z$])", r"\1", text.strip()))
    if not tokens or tokens[-1] in ("*", "·", "/", "**", "^"):
        raise WrongUnit(f"cannot read the unit {text!r}: it ends in an operator or is empty")
    factor, dimension, position = _product(tokens, 0, text)
    if position != len(tokens):
        raise WrongUnit(f"cannot read the unit {text!r} from {tokens[position]!r} on")
    return factor, tuple(sorted((base, power) for base, power in dimension.items() if power))


def _product(tokens: list[str], position: int, text: str) -> tuple[Decimal, dict[str, Fraction], int]:
    """Read a product of factors up to a closing bracket or the end."""
    total, dimension, sign = Decimal(1), dict[str, Fraction](), 1
    while position < len(tokens) and tokens[position] != ")":
        token = tokens[position]
        if token in ("*", "·", "/"):
            sign = -1 if token == "/" else 1
            position += 1
            continue
        if token == "(":
            size, inner, position = _product(tokens, position + 1, text)
            if position >= len(tokens):
                raise WrongUnit(f"a bracket of the unit {text!r} is not closed")
        else:
            prefix, atom = _find_atom(token)
            size, inner = prefix * atom.size, {base: Fraction(power) for base, power in atom.dimension}
        power, position = _power(tokens, position + 1, text)
        power *= sign
        total *= size ** int(power) if power.denominator == 1 else Decimal(float(size) ** float(power))
        for base, exponent in inner.items():
            dimension[base] = dimension.get(base, Fraction(0)) + exponent * power
        sign = 1
    return total, dimension, position


def _power(tokens: list[str], position: int, text: str) -> tuple[Fraction, int]:
    """Read an exponent if one follows."""
    if position < len(tokens) and tokens[position] in ("**", "^"):
        try:
            power = Fraction(tokens[position + 1])
            if abs(power) <= HIGHEST_POWER:
                return power, position + 2
        except (IndexError, ValueError, ZeroDivisionError):
            raise WrongUnit(f"cannot read the exponent in the unit {text!r}") from None
        raise WrongUnit(f"the exponent {tokens[position + 1]} in the unit {text!r} is beyond {HIGHEST_POWER}")
    return Fraction(1), position


def dimension_of(unit: str) -> dict[str, Fraction]:
    """Return the dimension of unit text as base unit -> exponent.

    >>> dimension_of("TFLOP/s") == {"flop": 1, "s": -1}
    True
    """
    return dict(parse_unit(unit)[1])


def split_text(text: str) -> tuple[Decimal, str]:
    """Split '3.35 TB/s' into number and unit text.

    >>> split_text("3.35 TB/s")
    (Decimal('3.35'), 'TB/s')
    """
    match = _NUMBER.match(text)
    if match is None:
        raise InvalidInput(f"{text!r} does not start with a number; write e.g. '3.35 TB/s'")
    try:
        if match[2].startswith(","):
            raise InvalidInput(f"{text!r}: a comma separates thousands only; write {text.replace(',', '.', 1).strip()!r}")
        return Decimal(match[1].replace(",", "").replace("_", "")), match[2].strip()
    except InvalidOperation:
        raise InvalidInput(f"cannot read the number in {text!r}") from None


def convert(number: Any, given: str, wanted: str) -> Any:
    """Convert a number or array from one unit to another of the same dimension.

    Floats go through exact decimals, so 66.9 TFLOP/s is 66.9e12 flop/s to the last digit.

    >>> convert(66.9, "TFLOP/s", "flop/s"), convert(400, "Gb/s", "GB/s")
    (66900000000000.0, 50.0)
    """
    factor, dimension = parse_unit(given)
    base, target = parse_unit(wanted)
    if dimension != target:
        raise WrongUnit(f"a figure in {given!r} was given where {wanted!r} is wanted (any multiple of it)")
    if carrier(number) == FLOAT or isinstance(number, Decimal):
        value = number if isinstance(number, Decimal) else Decimal(repr(number))
        try:
            return float(value * factor / base) if value.is_finite() else float(value)
        except Overflow:
            raise InvalidInput(f"{str(number).lower().replace('e+', 'e')} {given} is too large") from None
    return number * float(factor / base)


_BOUNDS = {
    ">0": (0.0, True, math.inf),
    ">=0": (0.0, False, math.inf),
    ">=1": (1.0, False, math.inf),
    "[0,1]": (0.0, False, 1.0),
    "[0,3]": (0.0, False, 3.0),
    "(0,1]": (0.0, True, 1.0),
    "any": (-math.inf, False, math.inf),
    "year": (1900.0, False, 2200.0),
}
"""Lower bound, whether it is left out, and upper bound of every range."""
_RANGES = {
    ">0": "above zero",
    ">=0": "zero or above",
    ">=1": "one or above",
    "[0,3]": "from 0 to 3",
    "[0,1]": "from 0 to 1",
    "(0,1]": "above 0 and at most 1",
    "any": "any finite number",
    "year": "a calendar year from 1900 to 2200",
}


@dataclass(frozen=True, slots=True)
class Unit:
    """What a figure is measured in and which values it may take.

    Parameters
    ----------
    text : str
        Unit text, e.g. "byte/s"; plain numbers are in this unit, everything else is converted to it.
    range : str
        One of ">0", ">=0", ">=1", "[0,1]", "(0,1]", "any".
    infinite : bool
        Whether infinity is allowed (a switch has infinitely many dimensions).
    optional : bool
        Whether None is allowed: the figure is there, but nobody knows it.
    """

    text: str
    range: str = ">0"
    infinite: bool = False
    optional: bool = False

    def si(self, value: Any, field: str) -> Any:
        """Return the value in this unit; raise a typed error that names the field.

        >>> Unit("byte/s").si("3.35 TB/s", "memory_bandwidth")
        3350000000000.0
        """
        if type(value) is float:
            return self._checked(value, field)
        kind = carrier(value)
        if isinstance(value, bool) or value is None:
            raise InvalidInput(f"{field}: {value!r} is not a figure; wanted a number in {self.text} or text like '1 {self.text}'")
        if kind in (OTHER, QUANTITY):
            return self._checked(self._from_text_or_quantity(value, field), field)
        if kind == FLOAT:
            return self._checked(self._float(value, field), field)
        return self._checked_array(value, field) if kind == ARRAY else value

    def show(self, value: float) -> str:
        """Return a number in this unit for people: with prefix, dates as calendar years.

        >>> Unit("byte/s").show(3.35e12), Unit("1", "year").show(2022.792)
        ('3.35 TB/s', '2022.8')
        """
        return f"{value:.1f}" if self.range == "year" else readable(value, self.text)

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> Any:
        """Let pydantic validate records by the same rule; runs only when somebody uses pydantic."""
        from pydantic_core import core_schema

        def check(value: Any, info: Any) -> Any:
            return None if value is None else self.si(value, info.field_name or "figure")

        plain = core_schema.plain_serializer_function_ser_schema(_for_json, when_used="json")
        return core_schema.with_info_plain_validator_function(check, serialization=plain)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        """Describe a figure in JSON Schema: a number in this unit, or text with any multiple of it."""
        described = f"{_RANGES[self.range]}, in {self.text}; or text such as '1 {self.text}'"
        return {"anyOf": [{"type": "number"}, {"type": "string"}, {"type": "null"}], "unit": self.text, "description": described}

    def _float(self, value: int, field: str) -> float:
        try:
            return float(value)
        except OverflowError:
            raise InvalidInput(f"{field}: a whole number of {len(str(value))} digits is too large") from None

    def _from_text_or_quantity(self, value: Any, field: str) -> Any:
        if isinstance(value, str):
            try:
                number, unit = split_text(value)
                if not unit and dimension_of(self.text):
                    raise WrongUnit(f"{value!r} has no unit; write e.g. '{value.strip()} {_SUGGESTED.get(self.text, self.text)}'")
                return convert(number, unit or "1", self.text)
            except InvalidInput as problem:
                raise type(problem)(f"{field}: {problem}") from None
        if hasattr(value, "magnitude") and hasattr(value, "units"):
            try:
                return convert(_plain(value.magnitude), str(value.units) or "1", self.text)
            except WrongUnit as problem:
                raise WrongUnit(f"{field}: {problem}") from None
        raise InvalidInput(f"{field}: {type(value).__name__} is not a figure; wanted a number in {self.text} or text like '1 {self.text}'")

    def _checked(self, value: Any, field: str) -> Any:
        if carrier(value) == ARRAY:
            return self._checked_array(value, field)
        if value != value or (math.isinf(value) and not self.infinite) or not self._inside(value):
            raise InvalidInput(f"{field}: {value!r} is out of range; wanted {_RANGES[self.range]}, in {self.text}")
        return value

    def _inside(self, value: Any) -> Any:
        low, is_open, high = _BOUNDS[self.range]
        return ((value > low) if is_open else (value >= low)) & (value <= high)

    def _checked_array(self, value: Any, field: str) -> Any:
        import numpy

        array = numpy.asarray(value)
        if array.dtype.kind not in "fiu":
            raise InvalidInput(f"{field}: an array of {array.dtype} is not a figure; wanted numbers in {self.text}")
        array = array.astype(float, copy=False)
        bad = ~self._inside(array) | numpy.isnan(array) | (numpy.isinf(array) & (not self.infinite))
        if bad.any():
            first = numpy.argwhere(numpy.atleast_1d(bad))[0].tolist()
            raise InvalidInput(
                f"{field}: {float(array[bad].ravel()[0])!r} at {first} is out of range; wanted {_RANGES[self.range]}, in {self.text}"
            )
        return array if array.ndim else float(array)


_SUGGESTED = {"USD/J": "USD/kWh", "byte": "GB", "byte/s": "GB/s", "flop/s": "TFLOP/s"}
"""Units that people mean when they leave one out."""


def _for_json(value: Any) -> Any:
    """A figure as JSON can hold it: infinity as text, arrays as lists."""
    if carrier(value) == ARRAY:
        return value.tolist()
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def _plain(magnitude: Any) -> Any:
    """The magnitude of a quantity as float or array."""
    return float(magnitude) if carrier(magnitude) == FLOAT else magnitude


_CUSTOMARY = {"m^2": (1e6, "mm^2"), "USD/s": (3600.0, "USD/h"), "USD/flop": (1e18, "USD/EFLOP")}
"""Units that people read in another customary one, with the factor."""


def readable(value: float, unit: str, digits: int = 4) -> str:
    """Return a number with unit and SI prefix for people to read.

    >>> readable(3.35e12, "byte/s"), readable(1.2e5, "W"), readable(2.1e-5, "s"), readable(295.2, "flop/byte")
    ('3.35 TB/s', '120 kW', '21 us', '295.2 FLOP/byte')
    """
    number, prefix, name = scaled(value, unit, digits)
    return f"{number} {prefix}{name}".rstrip()


def scaled(value: float, unit: str, digits: int = 4) -> tuple[str, str, str]:
    """Return the digits of a number, its SI prefix, and the unit that the prefix belongs to.

    >>> scaled(3.35e12, "byte/s")
    ('3.35', 'T', 'B/s')
    """
    if unit in ("1", ""):
        return _number(value, digits), "", ""
    if unit == "s" and math.isfinite(value) and value >= _LONG:
        name, size = next((name, size) for name, size in _CALENDAR if value >= 2 * size or name == "min")
        return _number(value / size, digits), "", name
    if unit in _CUSTOMARY:
        size, name = _CUSTOMARY[unit]
        return _number(value * size, digits), "", name
    shown = _in_capitals(unit)
    atom = ATOMS.get(re.split(r"[/*^ ]", shown)[0])
    if atom is None or not atom.prefixes or not value or not math.isfinite(value) or shown == "FLOP/byte":
        return _number(value, digits), "", shown
    has_small = any(dict(atom.dimension).get(base) for base in ("s", "J", "m", "g", "V"))
    step = min(max(math.floor(math.log10(abs(value) * (1 + 10.0**-digits)) / 3), -6 if has_small else 0), 7)
    return _number(value / 10.0 ** (3 * step), digits), _SYMBOLS[step + 6], shown


_LONG = 600.0
_CALENDAR = (("year", float(_YEAR)), ("day", float(_DAY)), ("h", 3600.0), ("min", 60.0))
_SYMBOLS = ("a", "f", "p", "n", "u", "m", "", "k", "M", "G", "T", "P", "E", "Z")


def _in_capitals(unit: str) -> str:
    """Unit text as the field writes it: FLOP, and B where a prefix will stand before it."""
    text = re.sub(r"\bflop\b", "FLOP", unit)
    return "B" + text[4:] if text.startswith("byte") else text


def _number(value: float, digits: int) -> str:
    """Digits for people: no exponent between 0.001 and a billion, commas from ten thousand on."""
    if not value or not math.isfinite(value) or not 1e-3 <= abs(value) < 1e9:
        return f"{value:.{digits}g}"
    return f"{value:,.0f}" if abs(value) >= 10.0**digits else f"{value:.{digits}g}"
