"""Limits of number formats as their standards print them, and the catalogue's table against the formulas."""

import tomllib
from importlib import resources
from typing import NamedTuple

import pytest

from nvscale.formulas import number_formats as formats


class Format(NamedTuple):
    """A format's layout, and its limits as printed."""

    name: str
    exponent_bits: float
    mantissa_bits: float
    bias: float
    reserved_exponents: float
    reserved_mantissas: float
    largest: float
    smallest_normal: float
    smallest_subnormal: float
    relative: float
    document: str


IEEE = "IEEE 754-2019, table 3.5"
OFP8 = "OCP OFP8 1.0, tables 1 and 2"
MX = "OCP MX 1.0, element data types"

FORMATS = [
    Format("fp64", 11, 52, 1023, 1, 0, 1.7976931348623157e308, 2.2250738585072014e-308, 5e-324, 1e-15, IEEE),
    Format("fp32", 8, 23, 127, 1, 0, 3.4028235e38, 1.17549435e-38, 1.4012985e-45, 1e-7, IEEE),
    Format("tf32", 8, 10, 127, 1, 0, 3.4e38, 1.1754944e-38, 1.1479437e-41, 1e-3, "CUDA Math API, __nv_tf32"),
    Format("bf16", 8, 7, 127, 1, 0, 3.3895e38, 1.1755e-38, 9.1835e-41, 1e-4, "Google Cloud TPU documentation"),
    Format("fp16", 5, 10, 15, 1, 0, 65504, 6.103515625e-05, 5.960464477539063e-08, 1e-15, IEEE),
    Format("fp8-e4m3", 4, 3, 7, 0, 1, 448, 2**-6, 2**-9, 0.0, OFP8),
    Format("fp8-e5m2", 5, 2, 15, 1, 0, 57344, 2**-14, 2**-16, 0.0, OFP8),
    Format("fp6-e3m2", 3, 2, 3, 0, 0, 28, 0.25, 0.0625, 0.0, MX),
    Format("fp6-e2m3", 2, 3, 1, 0, 0, 7.5, 1.0, 0.125, 0.0, MX),
    Format("fp4", 2, 1, 1, 0, 0, 6, 1.0, 0.5, 0.0, MX),
]
every_format = pytest.mark.parametrize("row", FORMATS, ids=lambda row: row.name)


def near(value: float, relative: float) -> object:
    """A printed value with its tolerance, and none besides."""
    return pytest.approx(value, rel=relative, abs=0.0)


@every_format
def test_limits_as_printed(row: Format) -> None:
    largest = formats.largest_finite(row.exponent_bits, row.mantissa_bits, row.bias, row.reserved_exponents, row.reserved_mantissas)
    assert largest == near(row.largest, row.relative), row.document
    assert formats.smallest_normal(float(row.bias)) == near(row.smallest_normal, max(row.relative, 1e-15)), row.document
    assert formats.smallest_subnormal(float(row.mantissa_bits), float(row.bias)) == near(row.smallest_subnormal, row.relative), row.document


@pytest.mark.parametrize(
    ("layout", "bits", "document"),
    [
        ((8.0, 8.0, 32.0), 8.25, "MXFP8, OCP MX 1.0, table of concrete formats"),
        ((6.0, 8.0, 32.0), 6.25, "MXFP6, OCP MX 1.0, table of concrete formats"),
        ((4.0, 8.0, 32.0), 4.25, "MXFP4, OCP MX 1.0, table of concrete formats"),
        ((4.0, 8.0, 16.0), 4.5, "NVFP4, NVIDIA, Introducing NVFP4, 2025"),
    ],
)
def test_bits_with_the_scale_shared_out(layout: tuple[float, float, float], bits: float, document: str) -> None:
    assert formats.bits_per_element(*layout) == bits, document


@pytest.mark.parametrize(
    ("name", "largest", "smallest", "binades"),
    [("e4m3", 448.0, 2.0**-9, 18.0), ("e5m2", 57344.0, 2.0**-16, 32.0), ("fp16", 65504.0, 2.0**-24, 40.0)],
)
def test_binades_as_counted(name: str, largest: float, smallest: float, binades: float) -> None:
    """Whole binades touched, as counted by Micikevicius et al., arXiv 2209.05433, 2022, section 3."""
    assert binades - 1.0 < formats.dynamic_range_binades(largest, smallest) <= binades, name


@pytest.mark.parametrize(("mantissa_bits", "roundoff"), [(52.0, 1.11e-16), (23.0, 5.96e-8), (10.0, 4.88e-4), (7.0, 3.91e-3)])
def test_unit_roundoff_as_tabulated(mantissa_bits: float, roundoff: float) -> None:
    """Higham, Mary, "Mixed precision algorithms in numerical linear algebra", Acta Numerica 31, 2022, table 2.1."""
    assert formats.unit_roundoff(mantissa_bits) == pytest.approx(roundoff, rel=2e-3)


TABLE = tomllib.loads(resources.files("nvscale.catalogue").joinpath("data/number_formats.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TABLE)
def test_the_table_agrees_with_the_standards(name: str) -> None:
    entry = TABLE[name]
    if entry["kind"] == "integer":
        assert entry["largest"] == formats.largest_integer(float(entry["bits"]))
        return
    layout = (entry["exponent_bits"], entry["mantissa_bits"], entry["bias"])
    row = next(row for row in FORMATS if (row.exponent_bits, row.mantissa_bits, row.bias) == layout)
    assert entry["largest"] == row.largest
    significant = 1 + entry["exponent_bits"] + entry["mantissa_bits"]
    assert entry["bits"] == (32 if name == "tf32" else significant)


def test_every_name_and_alias_stands_for_one_format() -> None:
    names = [spelling for name, entry in TABLE.items() for spelling in (name, *entry.get("aliases", ()))]
    assert len(names) == len(set(names))
