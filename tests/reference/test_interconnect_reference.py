"""Published numbers of messages and links, with document, place and tolerance."""

import pytest

from nvscale.formulas import interconnect

BOOK = "Austin et al., How To Scale Your Model, 2025"
ROWS = [
    # id, document and place, value, expected, relative tolerance
    (
        "tpu-v5e-corner-to-corner",
        f"{BOOK}, chapter 2, question 5: 6 hops of 1 us, two ports of 45 GB/s; it rounds the array to 17 MB and gets 194 us",
        interconnect.cut_through_time(2.0 * 8 * 128 * 8192, 6.0, 2 * 4.5e10, 1e-6),
        194e-6,
        0.02,
    ),
    (
        "tpu-v5e-latency-bound-size",
        f"{BOOK}, chapter 3, note on ICI latency: below 45 kB at 45 GB/s and 1 us",
        interconnect.half_bandwidth_message_size(4.5e10, 1e-6),
        45e3,
        1e-12,
    ),
    (
        "pci-express-4-x16",
        "PCI Express 4.0: 16 GT/s a lane, 128b/130b; 31.5 GB/s one way for 16 lanes",
        interconnect.link_bandwidth(16.0, 2e9, 128 / 130),
        31.5e9,
        0.001,
    ),
    (
        "nvlink-4",
        "NVIDIA H100 data sheet: 18 links of 2 lanes of 100 Gb/s, 900 GB/s both ways together",
        2.0 * interconnect.link_bandwidth(36.0, 12.5e9),
        900e9,
        1e-12,
    ),
]


@pytest.mark.parametrize(("source", "value", "expected", "tolerance"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_published_numbers(source, value, expected, tolerance):
    assert value == pytest.approx(expected, rel=tolerance), source
