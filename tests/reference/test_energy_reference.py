"""Published numbers of energy, facilities and limits, each with its document, place and tolerance."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from nvscale.formulas import energy, energy_use, facilities, limits

DAY, HOUR = 86400.0, 3600.0
KWH = 3.6e6


class Row(NamedTuple):
    """One published number: what we compute, what is printed, how close, and where it stands."""

    id: str
    value: Callable[[], float]
    printed: float
    relative: float
    source: str


GB300 = "NVIDIA, DeepSeek-R1 on GB300 NVL72 against H200: 54e3 and 2.8e6 tokens/s per MW, 2.65 USD per GPU-hour (2025)"
LLAMA_2 = "Touvron et al., Llama 2, arXiv 2307.09288, table 2 (GPU hours, W per GPU, tCO2eq)"
EPOCH = "Epoch AI, Can AI scaling continue through 2030?, 2024: 1,700 W per H100 all in"
LATENCY = "closed form after Erdil and Schneider-Joseph, arXiv 2411.01137: 90 d, 4e6 tokens, 120 layers, 40 us"
LLAMA_2_INTENSITY = 538.98e6 / (1272.73e3 * KWH)  # g/J: the sum of the table's emissions over the sum of its energy

MLPERF = "MLPerf Inference v5.1, power, closed, 8 x B200 (Lenovo SR680a V3), llama2-70b-99.9 offline: 102,909 tokens/s at 10.40 kW"


def llama_2_tonnes(hours: float, watts: float) -> float:
    """Emissions of a Llama 2 model, in tonnes."""
    return energy_use.emissions(energy_use.average_power_energy(watts, hours * HOUR), LLAMA_2_INTENSITY) / 1e6


ROWS = [
    Row("B200 node at the wall", lambda: energy_use.energy_per_token(10.40e3, 102_909), 0.101, 0.005, MLPERF),
    Row("C04", lambda: energy_use.energy_per_token(1e6, 54e3) / energy_use.energy_per_token(1e6, 2.8e6), 2.8e6 / 54e3, 1e-12, GB300),
    Row("C04 published 50x", lambda: energy_use.energy_per_token(1e6, 54e3) / energy_use.energy_per_token(1e6, 2.8e6), 50.0, 0.04, GB300),
    Row("C03 H200 watts", lambda: energy_use.energy_per_token(1e6, 54e3) * 90.0, 1666.67, 1e-5, GB300 + "; 90 tokens/s per GPU"),
    Row("C03 GB300 watts", lambda: energy_use.energy_per_token(1e6, 2.8e6) * 6000.0, 2142.86, 1e-5, GB300 + "; 6,000 tokens/s per GPU"),
    Row("M13 7B", lambda: llama_2_tonnes(184320, 400), 31.22, 1e-4, LLAMA_2),
    Row("M13 13B", lambda: llama_2_tonnes(368640, 400), 62.44, 1e-4, LLAMA_2),
    Row("M13 34B", lambda: llama_2_tonnes(1038336, 350), 153.90, 1e-4, LLAMA_2),
    Row("M13 70B", lambda: llama_2_tonnes(1720320, 400), 291.42, 1e-4, LLAMA_2),
    Row("E02 chips", lambda: facilities.chips_at_site(1e9, 1.0, 1700.0), 588235.0, 1e-5, EPOCH),
    Row(
        "E02 work",
        lambda: facilities.site_work(facilities.chips_at_site(1e9, 1.0, 1700.0), 989e12, 0.4, 90 * DAY),
        1.80952e27,
        1e-5,
        EPOCH + "; 989e12 flop/s, 40 %, 90 d",
    ),
    Row("E04 tokens", lambda: limits.latency_limited_tokens(90 * DAY, 4e6, 120.0, 40e-6), 3.24e15, 1e-3, LATENCY),
    Row(
        "E04 work",
        lambda: 6.0 * limits.latency_limited_tokens(90 * DAY, 4e6, 120.0, 40e-6) ** 2 / 20.0,
        3.15e30,
        0.01,
        LATENCY + ", 20 tokens per parameter",
    ),
    Row("Landauer 300 K", lambda: limits.landauer_energy(300.0, limits.BOLTZMANN), 2.87e-21, 1e-3, "kT ln 2 with the SI value of k"),
    Row(
        "PUE 1.21",
        lambda: facilities.power_usage_effectiveness(1.0, 0.21, 0.0, 0.0),
        1.21,
        1e-12,
        "Google, 2008: average overhead 21 % is a PUE of 1.21 (Data Center Knowledge, 1 Oct 2008)",
    ),
    Row(
        "PUE 2",
        lambda: facilities.facility_power(1.0, 2.0) - 1.0,
        1.0,
        1e-12,
        "Google, Data center efficiency measurements: at a PUE of 2.0 every watt of equipment takes one more for cooling and distribution",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_published_number(row: Row) -> None:
    assert row.value() == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.source


def test_energy_roofline_worked_by_hand() -> None:
    """Round figures: 1 PFLOP/s, 3 TB/s, 0.4 pJ per flop, 30 pJ per byte, 110 W; ridge 333.3, balance 75 flop/byte.

    At 100 flop/byte the rate is 0.3 PFLOP/s: 0.7 pJ dynamic and 0.3667 pJ constant per flop, so 320 W.
    """
    machine = {"peak": 1e15, "bandwidth": 3e12, "energy_per_flop": 0.4e-12, "energy_per_byte": 30e-12, "constant_power": 110.0}
    assert energy.arch_line_flop_per_joule(100.0, **machine) == pytest.approx(0.9375e12, rel=1e-12)
    assert energy.power_line(100.0, **machine) == pytest.approx(320.0, rel=1e-12)
    assert energy.peak_power(**machine) == pytest.approx(600.0, rel=1e-12)
