"""Published sites: a gigawatt of H100, NVIDIA's table, and what follows from the inputs of Epoch AI's yearly costs."""

import csv
from io import StringIO

import pytest
from scipy.optimize import brentq

import nvscale as nv
from nvscale.formulas import cost, energy_use, facilities

YEAR, HOUR, KWH = 365.25 * 86400.0, 3600.0, 3.6e6
# Epoch AI, "Servers account for 60% of the total cost of ownership of a one-gigawatt AI data center", 14 May 2026, billion USD.
CAPEX, OPERATION, ENERGY, SERVERS = 38.0, 0.9, 0.6, 5.0
LIFE, FACILITY_LIFE = {3.0: 12.0, 5.0: 8.5, 7.0: 7.0}, 14.0
COPY_3_YEARS = 12.7  # printed by copies of its spreadsheet


def yearly(hardware: float, life: float, rate: float) -> float:
    facility = CAPEX - hardware
    return float(
        hardware * cost.capital_recovery_factor(rate, life) + facility * cost.capital_recovery_factor(rate, FACILITY_LIFE) + OPERATION
    )


# ---------------------------------------------------------------------- a gigawatt


def test_a_gigawatt_of_h100() -> None:
    """E02. Epoch AI 2024: 1,700 W a GPU all in, 989 TFLOP/s, 40 %, 90 days."""
    site = nv.site("h100-sxm", power="1 GW", power_per_chip="1700 W")
    assert site.value == 588235.0
    assert site.training("90 day", mfu=0.4, goodput=1.0).value == pytest.approx(1.80952e27, rel=1e-3)  # 989.4 TFLOP/s here


@pytest.mark.parametrize(
    ("system", "per_gpu", "per_megawatt", "watts", "ours"),
    [("dgx-h200", 90.0, 54e3, 1667.0, 0.15), ("gb300-nvl72", 6000.0, 2.8e6, 2143.0, 0.05)],
)
def test_facility_power_of_a_gpu_in_nvidias_table(system: str, per_gpu: float, per_megawatt: float, watts: float, ours: float) -> None:
    """C03. NVIDIA, DeepSeek-R1: tokens/s per GPU over tokens/s per MW is power; the nameplate at PUE 1.15 is close to it."""
    assert energy_use.energy_per_token(1e6, per_megawatt) * per_gpu == pytest.approx(watts, rel=1e-3)
    found = nv.system(system)
    assert facilities.facility_power(found.power, 1.15) / found.chips == pytest.approx(watts, rel=ours)


def test_nvidias_price_per_million_tokens_on_h200_does_not_follow_from_its_rent_and_rate() -> None:
    """C01. 1.41 USD an hour and 90 tokens/s make 4.35, not the printed 4.20; 0.12 for GB300 does follow."""
    assert cost.cost_per_token(1.41 / HOUR, 90.0) * 1e6 == pytest.approx(4.35, abs=0.005)
    assert cost.cost_per_token(1.41 / HOUR, 90.0) * 1e6 != pytest.approx(4.20, rel=0.03)
    assert cost.cost_per_token(2.65 / HOUR, 6000.0) * 1e6 == pytest.approx(0.12, rel=0.03)


# NVIDIA: what a billion USD bought for one site, by year: GPUs, EFLOP/s, tokens a year, USD of tokens, MW.
NVIDIA_BILLION = """year,architecture,gpus,exaflops,mw
2016,Pascal,46000,1,37
2018,Volta,43000,5,34
2020,Ampere,28000,17,25
2022,Hopper,16000,63,19
2024,Blackwell,11000,220,21"""


def test_a_billion_dollars_in_nvidias_table() -> None:
    rows = {
        row["architecture"]: {k: float(v) for k, v in row.items() if k != "architecture"}
        for row in csv.DictReader(StringIO(NVIDIA_BILLION))
    }
    watts = {name: row["mw"] * 1e6 / row["gpus"] for name, row in rows.items()}
    dollars = {name: 1e9 / row["gpus"] for name, row in rows.items()}
    assert watts["Pascal"] == pytest.approx(804, rel=1e-3) and watts["Blackwell"] == pytest.approx(1909, rel=1e-3)
    assert dollars["Blackwell"] / dollars["Pascal"] == pytest.approx(4.18, rel=1e-2)
    assert rows["Blackwell"]["exaflops"] / 11000 / (rows["Pascal"]["exaflops"] / 46000) == pytest.approx(920, rel=1e-3)
    # A billion for everything buys a fifth to a half more of these systems than its table says, whose GPUs cost 62,500 and 90,900 all in.
    assert nv.site("dgx-h100", budget="1 BUSD").value == pytest.approx(16000, rel=0.05)
    assert nv.site("gb200-nvl72", budget="1 BUSD").value == pytest.approx(11000, rel=0.40)


# ---------------------------------------------------------------------- 12.7 -> 7.0 billion USD a year


def test_the_lives_fix_what_the_hardware_costs() -> None:
    """Differences between lives hold only the hardware: at no interest both pairs give 26.25 billion USD."""
    assert (LIFE[3.0] - LIFE[5.0]) / (1 / 3 - 1 / 5) == pytest.approx(26.25)
    assert (LIFE[5.0] - LIFE[7.0]) / (1 / 5 - 1 / 7) == pytest.approx(26.25)


def test_the_yearly_costs_follow_with_interest_and_not_without() -> None:
    """Straight-line depreciation of 38 billion gives 7.0 a year where 8.5 is printed; about 7 % interest closes the gap."""
    assert yearly(26.25, 5.0, 0.0) == pytest.approx(6.99, abs=0.01)
    rate = brentq(lambda r: yearly(25.5, 5.0, r) - LIFE[5.0], 0.01, 0.2)
    assert rate == pytest.approx(0.07, abs=0.003)
    for life, printed in LIFE.items():
        assert yearly(25.5, life, rate) == pytest.approx(printed, abs=0.1)


def test_the_copied_12_7_does_not_follow_from_the_other_two() -> None:
    """12.7, 8.5 and 7.0 together would need interest of about 40 %, and then less than the whole capital."""

    def ratio(r: float) -> float:
        three, five, seven = (cost.capital_recovery_factor(r, life) for life in (3.0, 5.0, 7.0))
        return float((three - five) / (five - seven))

    wanted = (COPY_3_YEARS - LIFE[5.0]) / (LIFE[5.0] - LIFE[7.0])
    assert ratio(0.0) == pytest.approx(7 / 3) and ratio(0.15) < wanted
    assert brentq(lambda r: ratio(r) - wanted, 0.01, 1.0) > 0.35
    assert yearly(25.5, 3.0, 0.07) == pytest.approx(12.05, abs=0.05)


def test_servers_are_sixty_percent_and_energy_is_not_moved_by_the_life() -> None:
    assert SERVERS / LIFE[5.0] == pytest.approx(0.60, abs=0.02)
    assert ENERGY / LIFE[3.0] == pytest.approx(0.05, abs=0.001) and ENERGY / LIFE[7.0] == pytest.approx(0.086, abs=0.001)
    tariff = ENERGY * 1e9 / (1e9 * YEAR / KWH)  # a full gigawatt all year
    assert tariff == pytest.approx(0.068, abs=0.001)


def test_a_gigawatt_of_gb200_costs_what_is_published() -> None:
    """1 GW of IT power at Epoch's terms: 38 billion USD, 8.5 a year."""
    site = nv.site("gb200-nvl72", power="1.15 GW", pue=1.15, life="5 year", discount_rate=0.07, energy_price=f"{0.068 / 1.15} USD/kWh")
    assert site["capex"].value == pytest.approx(38e9, rel=0.10)
    assert site["yearly cost"].value == pytest.approx(8.5e9, rel=0.10)
    assert site.shares()["energy"] == pytest.approx(ENERGY / LIFE[5.0], rel=0.20)


def test_life_moves_the_site_as_published() -> None:
    """From 3 to 7 years: 12.0 to 7.0 billion USD a year, the ratio within a tenth."""
    costs = [nv.site("gb200-nvl72", power="1 GW", life=f"{life} year", discount_rate=0.07)["yearly cost"].value for life in (3, 7)]
    assert costs[0] / costs[1] == pytest.approx(LIFE[3.0] / LIFE[7.0], rel=0.10)


# ---------------------------------------------------------------------- measured rounds


@pytest.mark.parametrize(
    ("found", "printed", "relative"),
    [
        (6.3256 / 5.4688, 1.157, 1e-3),  # H03: MLPerf BERT on 8 H100, v2.1 preview to v3.0
        (50.728 / 3.4442 / (11616.0 / 512.0), 0.64919, 1e-4),  # H04: GPT-3 from 512 to 11616 GPUs, v4.0
        (34864.2 / 24524.9, 1.42158, 1e-5),  # H05: Llama-2-70B offline, H200 over H100, v4.1
        (101527 / 24524.9, 4.13975, 1e-5),  # H05: B200 v5.1 over H100 v4.1
        (289712 / 72, 4023.78, 1e-5),  # H06: DeepSeek-R1 offline, tokens/s per GPU of GB200 NVL72, v5.1
        (420659 / 72, 5842.49, 1e-5),  # H06: GB300 NVL72
    ],
    ids=["H03", "H04", "H05 H200", "H05 B200", "H06 GB200", "H06 GB300"],
)
def test_measured_ratios(found: float, printed: float, relative: float) -> None:
    assert found == pytest.approx(printed, rel=relative)


def test_tokens_per_megawatt_of_gb300_from_measured_throughput() -> None:
    """MLPerf v5.1 offline on GB300 NVL72 at the nameplate and PUE 1.15 is within a tenth of NVIDIA's 2.8 million."""
    watts = nv.power("gb300-nvl72", pue=1.15).value
    assert 420659 / watts * 1e6 == pytest.approx(2.8e6, rel=0.10)
