"""Published numbers of growth, price fall and scaling, each with its document, place and tolerance."""

import math
from collections.abc import Callable
from typing import NamedTuple

import pytest

from nvscale.formulas import decomposition, growth, learning_curves, roofline, technology_scaling

YEAR = 365.25 * 86400.0
MONTH = YEAR / 12.0


class Row(NamedTuple):
    """One published number: what we compute, what is printed, how close, and where it stands."""

    id: str
    value: Callable[[], float]
    printed: float
    relative: float
    source: str


TALK = "No Priors podcast, 7 Nov 2024: double or triple each year for ten years"
HUANG = "Dally, Hot Chips 2023: 16 x 12.5 x 2 x 2.5 = 1000 in ten years"
GIL = "E. Gil's chart cited by Wing VC: 180 to 0.75 USD per million tokens (GPT-4-32k 60+120, GPT-4o mini 0.15+0.60), 240x in 18 months"
AI_INDEX = "Stanford AI Index 2025: 20 to 0.07 USD per million tokens, Nov 2022 to Oct 2024, over 280-fold"
A16Z = "a16z, Welcome to LLMflation, 2024: 60 to 0.06 USD per million tokens in three years"
BOND = (
    "BOND, Trends - AI, May 2025, p. 106 (NVIDIA): 1 to 220 EFLOP/s, 50e9 to 1375e12 tokens/year, 37 to 21 MW, 46e3 to 11e3 GPUs, 2016-24"
)
JEVONS = "Essay on inference spending 2023-25: price down 1000-fold, spending up 320 %"
WRIGHT = "Wright, Journal of the Aeronautical Sciences 3(4), 1936: 80 percent curve"
KOOMEY = "Naffziger, Koomey, Energy efficiency of computing: what's next?, Electronic Design, 29 Nov 2016"
AMD = "AMD 25x20, 2020: 31.7-fold since 2014, a doubling every 1.2 years"
HOROWITZ = (
    "Horowitz, ISCA 2000 panel, slide 4: power of a fixed circuit falls as a³ at the same frequency and as a² when run 1/a times faster"
)
MIXED = "t = max(1/F, 1.5 bits/BW), F 1 to 4, BW 1 to 2.4, bits 2 to 1"
PRICE_FALL = 180.0 / 0.75


def per_year(factor: float) -> float:
    """Growth factor per year over the eight years of the NVIDIA table."""
    return growth.growth_factor(1.0, factor, 8.0)


def halving_months(months: float) -> float:
    """Months in which the 240-fold fall halves the price."""
    factor = growth.growth_factor(PRICE_FALL, 1.0, months)
    return growth.halving_time(factor, MONTH) / MONTH


def mixed_time(rate: float, bandwidth: float, bits: float) -> float:
    return roofline.roofline_time(1.0, rate, 1.5 * bits, bandwidth)


ROWS = [
    Row("G01", lambda: growth.compounded_value(1.0, 2.0, 10.0), 1024.0, 0.0, TALK),
    Row("G02", lambda: growth.compounded_value(1.0, 3.0, 10.0), 59049.0, 0.0, TALK),
    Row("G03 two years", lambda: growth.doubling_growth(10 * YEAR, 2.0 * YEAR), 32.0, 1e-12, "definition"),
    Row("G03 18 months", lambda: growth.doubling_growth(10 * YEAR, 1.5 * YEAR), 101.5937, 1e-6, "definition"),
    Row("G05 numbers", lambda: decomposition.log_share(16.0, 1000.0), 0.401373, 1e-5, HUANG),
    Row("G05 instructions", lambda: decomposition.log_share(12.5, 1000.0), 0.365637, 1e-5, HUANG),
    Row("G05 sparsity", lambda: decomposition.log_share(2.0, 1000.0), 0.100343, 1e-5, HUANG),
    Row("G05 process", lambda: decomposition.log_share(2.5, 1000.0), 0.132647, 1e-5, HUANG),
    Row("G06", lambda: growth.growth_factor(1.0, 16 * 12.5 * 2 * 2.5, 10.0), 1.99526, 1e-5, HUANG),
    Row("G08", lambda: growth.growth_factor(0.15 + 0.60, 60.0 + 120.0, 1.0), 240.0, 1e-12, GIL),
    Row("G10 18 months", lambda: growth.growth_factor(1.0, PRICE_FALL, 1.5), 38.6196, 1e-4, GIL),
    Row("G10 492 days", lambda: growth.growth_factor(1.0, PRICE_FALL, 492 / 365.25), 58.48, 1e-4, GIL + "; 14 Mar 2023 to 18 Jul 2024"),
    Row("G10 halving, 18 months", lambda: halving_months(18.0), 2.2765, 1e-4, GIL),
    Row("G10 halving, 492 days", lambda: halving_months(492 / 30.4375), 2.0443, 1e-4, GIL),
    Row("G11 factor", lambda: growth.growth_factor(0.07, 20.0, 1.0), 285.714, 1e-4, AI_INDEX),
    Row("G11 per year", lambda: growth.growth_factor(0.07, 20.0, 23 / 12), 19.11, 3e-4, AI_INDEX),
    Row("G12 factor", lambda: growth.growth_factor(0.06, 60.0, 1.0), 1000.0, 1e-12, A16Z),
    Row("G12 per year", lambda: growth.growth_factor(0.06, 60.0, 3.0), 10.0, 1e-12, A16Z),
    Row("G14 flop/s", lambda: per_year(220.0), 1.96247, 1e-5, BOND),
    Row("G14 tokens", lambda: per_year(1375e12 / 50e9), 3.58853, 1e-5, BOND),
    Row("G14 tokens per MW", lambda: per_year(1375e12 / 50e9 * 37 / 21), 3.85181, 1e-5, BOND),
    Row("G14 flop/s per GPU", lambda: per_year(220.0 * 46e3 / 11e3), 2.34679, 1e-5, BOND),
    Row("G14 tokens per flop", lambda: per_year(1375e12 / 50e9 / 220), 1.82858, 1e-5, BOND),
    Row("G15 hardware", lambda: decomposition.log_share(220.0, 27500.0), 0.527652, 1e-5, BOND),
    Row("G15 tokens per flop", lambda: decomposition.log_share(125.0, 27500.0), 0.472348, 1e-5, BOND),
    Row("G16 exponent", lambda: -learning_curves.learning_exponent(0.2), -0.321928, 1e-5, WRIGHT),
    Row("G16 doublings", lambda: learning_curves.doublings_for_cost_factor(240.0, 0.2), 24.5610, 1e-5, WRIGHT),
    Row("G17", lambda: growth.demand_elasticity(1 / 1000, 4.2), 1.20775, 1e-5, JEVONS),
    Row("G19 total", lambda: mixed_time(1.0, 1.0, 2.0) / mixed_time(4.0, 2.4, 1.0), 4.8, 1e-12, MIXED),
    Row(
        "G19 factors",
        lambda: math.fsum(decomposition.log_share(f, 4.8) for f in (1.169607, 2.219173, 1.849311)),
        1.0,
        1e-6,
        MIXED + "; Shapley factors of rate, bandwidth and bits",
    ),
    Row("Koomey 1.5 years", lambda: growth.doubling_growth(10 * YEAR, 1.5 * YEAR), 100.0, 0.02, KOOMEY),
    Row("Koomey 2.5 years", lambda: growth.doubling_growth(10 * YEAR, 2.5 * YEAR), 16.0, 1e-12, KOOMEY),
    Row("AMD", lambda: growth.doubling_time(growth.growth_factor(1.0, 31.7, 6.0), YEAR) / YEAR, 1.2, 0.01, AMD),
    Row("Horowitz, same frequency", lambda: technology_scaling.switching_energy_scaling(1.4, 1.4), 1.4**-3, 1e-12, HOROWITZ),
    Row(
        "Horowitz, faster",
        lambda: technology_scaling.switching_energy_scaling(1.4, 1.4) * technology_scaling.frequency_scaling(1.4),
        1.4**-2,
        1e-12,
        HOROWITZ,
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_published_number(row: Row) -> None:
    assert row.value() == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.source
