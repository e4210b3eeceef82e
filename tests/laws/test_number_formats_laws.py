"""Laws of number formats: every code of a small format enumerated, NumPy's own formats, scales and errors."""

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import number_formats as formats

exponents = st.integers(2, 5)
mantissas = st.integers(1, 6)
blocks = st.sampled_from([16.0, 32.0, 64.0, 128.0])


def positive_numbers(exponent_bits, mantissa_bits, bias, reserved_exponents, reserved_mantissas):
    """Every positive finite number of a format, decoded code by code."""
    top = 2**exponent_bits - 1 - reserved_exponents
    return [
        2.0 ** (1 - bias) * mantissa / 2**mantissa_bits if code == 0 else 2.0 ** (code - bias) * (1 + mantissa / 2**mantissa_bits)
        for code in range(top + 1)
        for mantissa in range(2**mantissa_bits - (reserved_mantissas if code == top else 0))
        if (code, mantissa) != (0, 0)
    ]


@given(exponents, mantissas, st.integers(0, 20), st.integers(0, 1), st.integers(0, 1))
def test_largest_and_smallest_are_those_of_the_enumerated_format(exponent_bits, mantissa_bits, bias, top_codes, top_mantissas):
    numbers = positive_numbers(exponent_bits, mantissa_bits, bias, top_codes, top_mantissas)
    largest = formats.largest_finite(float(exponent_bits), float(mantissa_bits), float(bias), float(top_codes), float(top_mantissas))
    assert largest == max(numbers)
    assert formats.smallest_subnormal(float(mantissa_bits), float(bias)) == min(numbers)
    assert formats.smallest_normal(float(bias)) == numbers[2**mantissa_bits - 1]


@given(exponents, mantissas, st.floats(0.0, 1.0))
def test_rounding_to_nearest_stays_within_the_unit_roundoff(exponent_bits, mantissa_bits, position):
    bias = 2 ** (exponent_bits - 1) - 1
    numbers = numpy.array(positive_numbers(exponent_bits, mantissa_bits, bias, 1, 0))
    smallest = formats.smallest_normal(float(bias))
    value = smallest * (numbers.max() / smallest) ** position
    error = numpy.abs(numbers - value).min() / value
    assert error <= formats.unit_roundoff(float(mantissa_bits)) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("dtype", "exponent_bits", "mantissa_bits"), [(numpy.float16, 5.0, 10.0), (numpy.float32, 8.0, 23.0), (numpy.float64, 11.0, 52.0)]
)
def test_numpy_formats_have_these_limits(dtype, exponent_bits, mantissa_bits):
    info = numpy.finfo(dtype)
    bias = 2.0 ** (exponent_bits - 1.0) - 1.0
    assert formats.largest_finite(exponent_bits, mantissa_bits, bias, 1.0, 0.0) == float(info.max)
    assert formats.smallest_normal(bias) == float(info.smallest_normal)
    assert formats.smallest_subnormal(mantissa_bits, bias) == float(info.smallest_subnormal)
    assert 2.0 * formats.unit_roundoff(mantissa_bits) == float(info.eps)


def test_the_range_of_a_wide_format_does_not_overflow():
    largest, smallest = float(numpy.finfo(float).max), float(numpy.finfo(float).smallest_subnormal)
    assert formats.dynamic_range_binades(largest, smallest) == pytest.approx(1024 + 1074, rel=1e-9)


@given(st.floats(1e-30, 1e30), st.floats(1e-30, 1e30), st.floats(1e-3, 1e3))
def test_a_scale_moves_the_range_without_widening_it(largest, smallest, scale):
    moved = formats.dynamic_range_binades(largest * scale, smallest * scale)
    assert moved == pytest.approx(formats.dynamic_range_binades(largest, smallest), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("dtype", [numpy.int8, numpy.int16, numpy.int32])
def test_numpy_integers_have_these_limits(dtype):
    info = numpy.iinfo(dtype)
    assert formats.largest_integer(float(info.bits)) == info.max


@given(st.sampled_from([4.0, 6.0, 8.0]), st.sampled_from([0.0, 8.0, 16.0]), blocks)
def test_bits_and_bytes_agree_and_a_scale_costs_at_most_itself(bits, scale, block):
    size = formats.bits_per_element(bits, scale, block)
    assert bits <= size <= bits + scale
    assert formats.bytes_per_element(bits / 8, scale / 8, block) == size / 8
    assert formats.bits_per_element(bits, scale, 2 * block) <= size
    assert formats.bits_per_element(bits, scale, 1e30) == pytest.approx(bits)


@given(st.integers(1, 10**9).map(float), blocks)
def test_whole_blocks_take_the_bytes_per_element_and_the_last_block_at_most_one_scale_more(count, block):
    each = formats.bytes_per_element(0.5, 1.0, block)
    whole = formats.stored_bytes(count * block, 0.5, 1.0, block)
    assert whole == pytest.approx(count * block * each, rel=1e-12)
    stored = formats.stored_bytes(count, 0.5, 1.0, block)
    assert count * each * (1 - 1e-12) <= stored <= count * each + 1.0
    assert formats.stored_bytes(count, 2.0, 0.0, 1.0) == 2.0 * count


@given(st.integers(1, 200), st.integers(0, 2**32 - 1))
def test_dot_products_in_half_precision_stay_within_the_bound(length, seed):
    x, y = numpy.random.default_rng(seed).uniform(0.1, 1.0, (2, length)).astype(numpy.float16)
    total = numpy.float16(0.0)
    for a, b in zip(x, y, strict=True):
        total = numpy.float16(total + numpy.float16(a * b))
    exact = float(x.astype(float) @ y.astype(float))
    assert abs(float(total) - exact) / exact <= formats.dot_product_error_bound(float(length), formats.unit_roundoff(10.0))


@given(st.floats(1.0, 1e9), st.floats(1e-16, 0.5))
def test_the_usual_error_is_below_the_bound_and_equal_for_one_product(length, roundoff):
    bound, usual = formats.dot_product_error_bound(length, roundoff), formats.dot_product_error_estimate(length, roundoff)
    assert usual <= bound
    assert formats.dot_product_error_estimate(1.0, roundoff) == formats.dot_product_error_bound(1.0, roundoff)
    assert usual**2 == pytest.approx(bound * roundoff, rel=1e-9)
