"""Number formats: size of scaled elements, range, precision and rounding error, from the bits of a format."""

from nvscale.ops import ceil, log, sqrt
from nvscale.unit_types import Bits, Bytes, Count, Exponent, Ratio

__all__ = [
    "bits_per_element",
    "bytes_per_element",
    "dot_product_error_bound",
    "dot_product_error_estimate",
    "dynamic_range_binades",
    "largest_finite",
    "largest_integer",
    "smallest_normal",
    "smallest_subnormal",
    "stored_bytes",
    "unit_roundoff",
]


def bits_per_element(element_bits: Bits, scale_bits: Bits, block_size: Count) -> Bits:
    r"""Bits that one element takes when a block of elements shares a scale.

    $$b = b_e + \frac{b_s}{k}$$

    Parameters
    ----------
    element_bits : bit, broadcast
        Bits of the element itself.
    scale_bits : bit, broadcast
        Bits of the scale of one block, 0 without scales.
    block_size : 1, broadcast
        Elements k that share a scale.

    Returns
    -------
    bit, broadcast
        Bits per element, scale included.

    Assumptions
    -----------
    Whole blocks; a second scale for the whole tensor does not count.

    References
    ----------
    Derivation from the block structure of OCP, "Microscaling Formats (MX) Specification", version 1.0, 2023, table of concrete formats.

    Examples
    --------
    NVFP4: 4 bits and an 8-bit scale per 16 elements; MXFP4: per 32.

    >>> bits_per_element(4.0, 8.0, 16.0), bits_per_element(4.0, 8.0, 32.0)
    (4.5, 4.25)
    """
    return element_bits + scale_bits / block_size


def bytes_per_element(element_size: Bytes, scale_size: Bytes, block_size: Count) -> Bytes:
    r"""Bytes that one element takes when a block of elements shares a scale.

    $$w = w_e + \frac{w_s}{k}$$

    Parameters
    ----------
    element_size : byte, broadcast
        Bytes of the element itself (half a byte for 4 bits).
    scale_size : byte, broadcast
        Bytes of the scale of one block, 0 without scales.
    block_size : 1, broadcast
        Elements k that share a scale.

    Returns
    -------
    byte, broadcast
        Bytes per element, scale included: `bits_per_element` in bytes.

    Assumptions
    -----------
    Whole blocks; a second scale for the whole tensor does not count.

    References
    ----------
    Derivation from the block structure of OCP, "Microscaling Formats (MX) Specification", version 1.0, 2023, table of concrete formats.

    Examples
    --------
    NVFP4.

    >>> bytes_per_element(0.5, 1.0, 16.0)
    0.5625
    """
    return element_size + scale_size / block_size


def stored_bytes(elements: Count, element_size: Bytes, scale_size: Bytes, block_size: Count) -> Bytes:
    r"""Bytes of a whole tensor, with one scale for every block, full or not.

    $$Q = N\,w_e + \left\lceil \frac{N}{k} \right\rceil w_s$$

    Parameters
    ----------
    elements : 1, broadcast
        Number N of elements.
    element_size : byte, broadcast
        Bytes of one element.
    scale_size : byte, broadcast
        Bytes of the scale of one block, 0 without scales.
    block_size : 1, broadcast
        Elements k that share a scale.

    Returns
    -------
    byte, broadcast
        Size of elements and scales.

    Assumptions
    -----------
    Elements are packed; blocks run on over the ends of rows.

    References
    ----------
    Derivation from the block structure of OCP, "Microscaling Formats (MX) Specification", version 1.0, 2023, table of concrete formats.

    Examples
    --------
    17 elements of NVFP4 need two scales.

    >>> stored_bytes(17.0, 0.5, 1.0, 16.0)
    10.5
    """
    return elements * element_size + ceil(elements / block_size) * scale_size


def largest_finite(exponent_bits: Count, mantissa_bits: Ratio, bias: Ratio, reserved_exponents: Ratio, reserved_mantissas: Ratio) -> Ratio:
    r"""Largest finite number of a binary floating-point format.

    $$x_{max} = 2^{\,2^E - 1 - r_e - bias} \left(2 - (1 + r_m)\,2^{-M}\right)$$

    Parameters
    ----------
    exponent_bits : 1, broadcast
        Bits E of the exponent.
    mantissa_bits : 1, broadcast
        Stored bits M of the mantissa, without the hidden one.
    bias : 1, broadcast
        Exponent bias.
    reserved_exponents : 1, broadcast
        Exponent codes at the top that hold no number: 1 in IEEE 754 (infinity and NaN), 0 in OCP E4M3, FP6 and FP4.
    reserved_mantissas : 1, broadcast
        Mantissa codes at the top of the largest usable exponent that hold no number: 1 in OCP E4M3 (NaN), else 0.

    Returns
    -------
    1, broadcast
        Largest finite number.

    Assumptions
    -----------
    Base 2 with a hidden leading bit.

    References
    ----------
    IEEE 754-2019, section 3.3; OCP, "8-bit Floating Point Specification (OFP8)", revision 1.0, 2023, tables 1 and 2.

    Examples
    --------
    FP16, E4M3 and E2M1 (FP4).

    >>> largest_finite(5.0, 10.0, 15.0, 1.0, 0.0), largest_finite(4.0, 3.0, 7.0, 0.0, 1.0), largest_finite(2.0, 1.0, 1.0, 0.0, 0.0)
    (65504.0, 448.0, 6.0)
    """
    largest_exponent = 2.0**exponent_bits - 1.0 - reserved_exponents - bias
    return 2.0**largest_exponent * (2.0 - (1.0 + reserved_mantissas) * 2.0 ** (-mantissa_bits))


def smallest_normal(bias: Ratio) -> Ratio:
    r"""Smallest positive number of a format that has its full precision.

    $$x_{min} = 2^{1 - bias}$$

    Parameters
    ----------
    bias : 1, broadcast
        Exponent bias.

    Returns
    -------
    1, broadcast
        Smallest normal number.

    Assumptions
    -----------
    Exponent code 0 is kept for zero and subnormal numbers.

    References
    ----------
    IEEE 754-2019, section 3.3; OCP, "8-bit Floating Point Specification (OFP8)", revision 1.0, 2023, table 2.

    Examples
    --------
    FP16: 2^-14.

    >>> smallest_normal(15.0) * 2**14
    1.0
    """
    return 2.0 ** (1.0 - bias)


def smallest_subnormal(mantissa_bits: Ratio, bias: Ratio) -> Ratio:
    r"""Smallest positive number of a format.

    $$x_{sub} = 2^{1 - bias - M}$$

    Parameters
    ----------
    mantissa_bits : 1, broadcast
        Stored bits M of the mantissa.
    bias : 1, broadcast
        Exponent bias.

    Returns
    -------
    1, broadcast
        Smallest subnormal number.

    Assumptions
    -----------
    Subnormal numbers are kept; hardware that flushes them to zero ends at `smallest_normal`.

    References
    ----------
    IEEE 754-2019, section 3.3; OCP, "8-bit Floating Point Specification (OFP8)", revision 1.0, 2023, table 2.

    Examples
    --------
    E2M1 (FP4) has 0.5 and E4M3 has 2^-9.

    >>> smallest_subnormal(1.0, 1.0), smallest_subnormal(3.0, 7.0) * 2**9
    (0.5, 1.0)
    """
    return 2.0 ** (1.0 - bias - mantissa_bits)


def unit_roundoff(mantissa_bits: Ratio) -> Ratio:
    r"""Largest relative error of rounding to the nearest number of a format.

    $$u = 2^{-(M + 1)}$$

    Parameters
    ----------
    mantissa_bits : 1, broadcast
        Stored bits M of the mantissa; the precision is M + 1 with the hidden bit.

    Returns
    -------
    1, broadcast
        Unit roundoff, half the machine epsilon.

    Assumptions
    -----------
    The number is in the normal range.

    References
    ----------
    Higham, "Accuracy and Stability of Numerical Algorithms", second edition, 2002, section 2.1, theorem 2.2.

    Examples
    --------
    bf16 keeps 7 bits: 2^-8.

    >>> unit_roundoff(7.0)
    0.00390625
    """
    return 2.0 ** (-1.0 - mantissa_bits)


def dynamic_range_binades(largest: Ratio, smallest: Ratio) -> Exponent:
    r"""Width of the range of a format in powers of two.

    $$D = \log_2 x_{max} - \log_2 x_{min}$$

    Parameters
    ----------
    largest : 1, broadcast
        Largest finite number.
    smallest : 1, broadcast
        Smallest positive number, normal or subnormal.

    Returns
    -------
    1, broadcast
        Binades between the two.

    Assumptions
    -----------
    One scale for all numbers; a block scale moves the range without widening it inside the block.

    References
    ----------
    Definition; used in Micikevicius et al., "FP8 Formats for Deep Learning", arXiv 2209.05433, 2022, section 3.

    Examples
    --------
    E4M3: nearly 18 binades, subnormal numbers included.

    >>> round(dynamic_range_binades(448.0, 2.0**-9), 2)
    17.81
    """
    return (log(largest) - log(smallest)) / log(2.0)


def largest_integer(bits: Count) -> Ratio:
    r"""Largest number of a signed integer format.

    $$x_{max} = 2^{b - 1} - 1$$

    Parameters
    ----------
    bits : 1, broadcast
        Bits b, sign included.

    Returns
    -------
    1, broadcast
        Largest integer; the smallest is one further from zero.

    Assumptions
    -----------
    Two's complement.

    References
    ----------
    Definition of two's complement.

    Examples
    --------
    >>> largest_integer(8.0), largest_integer(4.0)
    (127.0, 7.0)
    """
    return 2.0 ** (bits - 1.0) - 1.0


def dot_product_error_bound(length: Count, roundoff: Ratio) -> Ratio:
    r"""Largest error of a dot product, relative to the sum of the absolute products.

    $$\frac{|\widehat{x^T y} - x^T y|}{|x|^T |y|} \le n\,u$$

    Parameters
    ----------
    length : 1, broadcast
        Length n of the vectors.
    roundoff : 1, broadcast
        Unit roundoff u of the format of the accumulator.

    Returns
    -------
    1, broadcast
        Bound; values from 1 on promise nothing.

    Assumptions
    -----------
    Every operation rounds to nearest in one format; no overflow or underflow; any order of summation.

    References
    ----------
    Jeannerod, Rump, "Improved error bounds for inner products in floating-point arithmetic", SIAM J. Matrix Anal. Appl. 34(2), 2013.

    Examples
    --------
    4,096 products accumulated in FP32.

    >>> dot_product_error_bound(4096.0, 2.0**-24) * 2**12
    1.0
    """
    return length * roundoff


def dot_product_error_estimate(length: Count, roundoff: Ratio) -> Ratio:
    r"""Usual size of the error of a dot product, relative to the sum of the absolute products.

    $$\epsilon \approx \sqrt{n}\,u$$

    Parameters
    ----------
    length : 1, broadcast
        Length n of the vectors.
    roundoff : 1, broadcast
        Unit roundoff u of the format of the accumulator.

    Returns
    -------
    1, broadcast
        Estimate, without the constant that sets the confidence.

    Assumptions
    -----------
    Rounding errors are independent with mean zero.

    References
    ----------
    Higham, Mary, "A New Approach to Probabilistic Rounding Error Analysis", SIAM J. Sci. Comput. 41(5), 2019, to first order.

    Examples
    --------
    >>> dot_product_error_estimate(4096.0, 2.0**-24) * 2**18
    1.0
    """
    return sqrt(length) * roundoff
