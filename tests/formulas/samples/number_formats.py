"""Sample arguments for every public formula of nvscale.formulas.number_formats, in SI (bits in bit)."""

SAMPLES = {
    "bits_per_element": {"element_bits": 4.0, "scale_bits": 8.0, "block_size": 16.0},
    "bytes_per_element": {"element_size": 0.5, "scale_size": 1.0, "block_size": 16.0},
    "dot_product_error_bound": {"length": 4096.0, "roundoff": 2.0**-24},
    "dot_product_error_estimate": {"length": 4096.0, "roundoff": 2.0**-24},
    "dynamic_range_binades": {"largest": 448.5, "smallest": 2.0**-9},
    "largest_finite": {"exponent_bits": 5.0, "mantissa_bits": 10.0, "bias": 15.0, "reserved_exponents": 1.0, "reserved_mantissas": 0.0},
    "largest_integer": {"bits": 8.0},
    "smallest_normal": {"bias": 15.0},
    "smallest_subnormal": {"mantissa_bits": 10.0, "bias": 15.0},
    "stored_bytes": {"elements": 1000.0, "element_size": 0.5, "scale_size": 1.0, "block_size": 16.0},
    "unit_roundoff": {"mantissa_bits": 7.0},
}
