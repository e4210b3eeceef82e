"""Number formats: bits, block scales, and which rates of a chip can serve each."""

import dataclasses
import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Annotated, Any

from nvscale.errors import unknown
from nvscale.formulas import number_formats
from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.unit_types import Bits
from nvscale.units import Unit

LADDER = ("fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "fp6", "fp4", "int8", "int4")
"""The formats shown side by side, widest first; floating point before integers."""

_Whole = Annotated[Any, Unit("1", ">=0")]


class Precision(Record):
    """A number format, and which rates of a chip can serve it.

    The rates are never derived from one another: the ladder is not x2 from step to step.
    """

    name: str
    title: str = ""
    kind: str = "float"
    bits: Bits
    exponent_bits: _Whole = 0.0
    mantissa_bits: _Whole = 0.0
    bias: _Whole = 0.0
    largest: Annotated[Any, Unit("1")] = None
    scale_bits: Bits = 0.0
    block_size: Annotated[Any, Unit("1", ">=1")] = 1.0
    rates: tuple[str, ...]
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def stored_bits(self) -> Any:
        """Bits per element with the block's scale shared out (NVFP4: 4.5).

        >>> precision("nvfp4").stored_bits
        4.5
        """
        return number_formats.bits_per_element(self.bits, self.scale_bits, self.block_size)

    @property
    def bytes_per_element(self) -> Any:
        """Bytes per element with the block's scale shared out.

        >>> precision("mxfp4").bytes_per_element
        0.53125
        """
        return self.stored_bits / 8.0

    @property
    def unit_roundoff(self) -> Any:
        """Largest relative rounding error of one operation (floating-point formats)."""
        return number_formats.unit_roundoff(self.mantissa_bits)


@functools.cache
def _table() -> tuple[dict[str, Precision], dict[str, str]]:
    """All formats by name, and aliases to names."""
    text = resources.files("nvscale.catalogue").joinpath("data/number_formats.toml").read_text(encoding="utf-8")
    formats: dict[str, Precision] = {}
    aliases: dict[str, str] = {}
    for name, entry in tomllib.loads(text).items():
        known = ("title", "kind", "bits", "exponent_bits", "mantissa_bits", "bias", "largest", "scale_bits", "block_size", "rates")
        figures = {key: entry[key] for key in known if key in entry}
        origin = Source(printed=f"{entry['bits']} bit", document=entry["source"], place=entry.get("at", ""))
        formats[name] = Precision(name=name, sources={"bits": origin}, **figures)
        aliases |= {plain_name(alias): name for alias in (name, *entry.get("aliases", ()))}
    return formats, aliases


@functools.lru_cache(maxsize=4096)
def plain_name(name: str) -> str:
    """Return a name in the catalogue's spelling: lower case, hyphens.

    >>> plain_name("H100_SXM")
    'h100-sxm'
    """
    return "-".join(name.lower().replace("_", " ").replace("-", " ").split())


def precision(name: "str | Precision") -> Precision:
    """Return a number format by name or alias.

    >>> precision("NVFP4").bits
    4.0
    >>> precision("fp5")
    Traceback (most recent call last):
    nvscale.errors.UnknownName: no precision 'fp5'; did you mean 'fp8' or 'fp6' or 'fp4'?
    """
    if isinstance(name, Precision):
        return name
    formats, aliases = _table()
    found = aliases.get(plain_name(str(name)))
    if found is None:
        raise unknown("precision", name, formats)
    return formats[found]


def precisions() -> tuple[Precision, ...]:
    """Return all number formats of the catalogue."""
    return tuple(_table()[0].values())
