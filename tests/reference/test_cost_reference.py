"""Published numbers of cost, each with its document, place and tolerance."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from nvscale.formulas import cost, cost_comparison, energy_use, investment

HOUR, KWH = 3600.0, 3.6e6


class Row(NamedTuple):
    """One published number: what we compute, what is printed, how close, and where it stands."""

    id: str
    value: Callable[[], float]
    printed: float
    relative: float
    source: str


GB300 = "NVIDIA, DeepSeek-R1 on GB300 NVL72: 2.65 USD per GPU-hour, 6,000 tokens/s per GPU, 2.8e6 tokens/s per MW (2025)"
LMSYS = "LMSYS, DeepSeek on 96 H100, May 2025: 0.20 USD per million output tokens at 22.3e3 tokens/s per 8-GPU node"
DEEPSEEK = "DeepSeek-V3 Technical Report, arXiv 2412.19437, table 1: 2664e3 + 119e3 + 5e3 GPU-hours at 2 USD"
RECOVERY = "Encyclopedia example of the capital recovery factor: 1,000 at 10 % are repaid by ten payments of 163"
LCOE = "Worked exercise after the NREL calculator: 1.50 USD/W, 22 %, 10 years at 8 %, 0.04 USD/kWh (recovery 0.14903, price 0.1559)"
TABLE = "Jacksonville State University, depreciation page: cost 10,500, salvage 500, 5 years; both methods year by year"


def gpu_hours_cost() -> float:
    return cost.task_cost((2664e3 + 119e3 + 5e3) * HOUR, 2.0 / HOUR, 0.0, 0.0)


ROWS = [
    Row("C02", lambda: cost.cost_per_token(2.65 / HOUR, 6000.0) * 1e6, 0.122685, 1e-5, GB300),
    Row("C02 published", lambda: cost.cost_per_token(2.65 / HOUR, 6000.0) * 1e6, 0.12, 0.03, GB300),
    Row(
        "energy per million tokens, H200",
        lambda: cost.energy_cost(energy_use.energy_per_token(1e6, 54e3) * 1e6, 0.08 / KWH),
        0.41,
        0.01,
        GB300 + ", at 0.08 USD/kWh and 54e3 tokens/s per MW",
    ),
    Row(
        "energy per million tokens, GB300",
        lambda: cost.energy_cost(energy_use.energy_per_token(1e6, 2.8e6) * 1e6, 0.08 / KWH),
        0.008,
        0.02,
        GB300 + ", at 0.08 USD/kWh",
    ),
    Row("C06 node", lambda: cost.affordable_cost_rate(0.20e-6, 22.3e3) * HOUR, 16.056, 1e-4, LMSYS),
    Row("C06 GPU", lambda: cost.affordable_cost_rate(0.20e-6, 22.3e3 / 8) * HOUR, 2.007, 1e-4, LMSYS),
    Row("C07", gpu_hours_cost, 5.576e6, 1e-12, DEEPSEEK),
    Row("recovery, 10 % and 10 years", lambda: 1000.0 * cost.capital_recovery_factor(0.10, 10.0), 163.0, 2e-3, RECOVERY),
    Row("recovery, 8 % and 10 years", lambda: cost.capital_recovery_factor(0.08, 10.0), 0.14903, 1e-5, LCOE),
    Row(
        "levelised energy",
        lambda: cost_comparison.levelised_energy_price(1.5, cost.capital_recovery_factor(0.08, 10.0), 8760 * HOUR, 0.22, 0.04 / KWH) * KWH,
        0.1559,
        1e-3,
        LCOE,
    ),
    *(
        Row(
            f"straight line, year {age}", lambda age=age: investment.straight_line_value(10500.0, age, 5.0, 500 / 10500), value, 1e-9, TABLE
        )
        for age, value in [(1.0, 8500.0), (2.0, 6500.0), (3.0, 4500.0), (4.0, 2500.0), (5.0, 500.0)]
    ),
    *(
        Row(f"declining balance, year {age}", lambda age=age: investment.declining_value(10500.0, 0.4, age), value, 5e-4, TABLE)
        for age, value in [(1.0, 6300.0), (2.0, 3780.0), (3.0, 2268.0), (4.0, 1361.0)]
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_published_number(row: Row) -> None:
    assert row.value() == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.source
