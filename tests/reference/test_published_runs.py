"""Whole training runs against what was published: goodput, utilisation over the run, calendar time, carbon and cost."""

from typing import NamedTuple

import pytest

import nvscale as nv
from nvscale.formulas import energy_use, reliability, training_steps

DAY, HOUR, KWH = 86400.0, 3600.0, 3.6e6
A100, H100, TPU_V4 = 312e12, 989.4e12, 275e12


class Run(NamedTuple):
    """A published run: parameters, tokens, chip-hours and peak give its utilisation over the whole run."""

    id: str
    parameters: float
    tokens: float
    chip_hours: float
    peak: float
    chips: float
    step_mfu: float  # published for a step, in 6 N a token
    source: str

    @property
    def run_mfu(self) -> float:
        return float(training_steps.model_flop_utilisation(6.0 * self.parameters, self.tokens, 1.0, self.chip_hours * HOUR, self.peak))


# The 41 % (400 TFLOP/s) of Llama 3.1 405B count attention; 6 N are 2.435e12 of its 2.524e12 flop a token at 8,192 tokens.
LLAMA = Run(
    "Llama 3.1 405B", 405.85e9, 15.6e12, 30.84e6, H100, 16384.0, 400e12 / H100 * 2.435e12 / 2.524e12,
    "Llama 3.1 model card (hours); The Llama 3 Herd of Models, table 4 (400 TFLOP/s on 16,384 GPUs)",
)  # fmt: skip
# 2048 sequences of 2048 tokens in 104.70 s on 384 chips.
BLOOM = Run(
    "BLOOM-176B", 176.2e9, 366e9, 1082990.0, A100, 384.0, 6 * 176.2e9 * 2048 * 2048 / (384 * 104.70 * A100),
    "Luccioni et al. 2022 (hours); BigScience chronicles (104.70 s an iteration)",
)  # fmt: skip
PALM = Run(
    "PaLM 540B", 540e9, 780e9, 8404992.0, TPU_V4, 6144.0, 0.462, "Chowdhery et al. 2022: hours with downtime and repeats; MFU 46.2 %"
)


@pytest.mark.parametrize(("run", "printed"), [(LLAMA, 0.346), (BLOOM, 0.318), (PALM, 0.304)], ids=lambda one: getattr(one, "id", ""))
def test_the_utilisation_of_a_run_follows_from_its_chip_hours(run: Run, printed: float) -> None:
    assert run.run_mfu == pytest.approx(printed, rel=0.01)


@pytest.mark.parametrize(("run", "fleet"), [(LLAMA, "llama-3.1-405b"), (BLOOM, "bloom-176b")], ids=["Llama 3.1 405B", "BLOOM-176B"])
def test_utilisation_of_a_step_and_failures_give_that_of_the_run_within_a_tenth(run: Run, fleet: str) -> None:
    predicted = run.step_mfu * nv.goodput(run.chips, fleet).value
    assert predicted == pytest.approx(run.run_mfu, rel=0.10)


def test_llama_3_spent_more_than_ninety_percent_of_its_time_on_training() -> None:
    found = nv.goodput(16384, "llama-3.1-405b")
    assert 0.90 < found.value < 0.95
    unexpected = nv.failures("llama-3.1-405b", failure_rate=f"{419 / 54 / 2048} 1/day")
    assert nv.goodput(16384, unexpected)["time between interruptions"].value / HOUR == pytest.approx(3.09, rel=2e-3)


def test_opt_175b_took_56_days_and_not_33() -> None:
    """90 restarts by hand: 33 days on 1024 chips are 34 on 992; what is left is 5.9 hours an interruption."""
    useful, elapsed, restarts = 33.0 * 1024 / 992, 56.0, 90.0
    lost = reliability.lost_time_per_interruption(useful / elapsed, restarts / (useful * DAY))
    assert lost / HOUR == pytest.approx(5.86, rel=0.01)
    alone = nv.goodput(992, "opt-175b").value
    assert useful / alone < 37.0  # failures with restarts of ten minutes do not explain it
    by_hand = nv.goodput(992, "opt-175b", restart_time="6 h").value
    assert useful / by_hand == pytest.approx(elapsed, rel=0.10)


def test_palm_needs_a_goodput_of_two_thirds_that_nobody_published() -> None:
    """Downtime, repeated steps and a part of the run on 3072 chips are in its hours: an assumption, not a prediction."""
    assert PALM.run_mfu / PALM.step_mfu == pytest.approx(0.66, abs=0.01)


def test_hours_of_deepseek_v3_are_those_of_its_steps() -> None:
    """180 thousand H800-hours per trillion tokens times 14.8 are the printed 2664 thousand: no failure is in them."""
    assert pytest.approx(2664e3) == 180e3 * 14.8


@pytest.mark.parametrize(("hours", "printed"), [(30.84e6, 8930.0), (7.0e6, 2040.0), (1.46e6, 420.0)], ids=["405B", "70B", "8B"])
def test_carbon_of_llama_3_1_is_rated_power_times_one_grid(hours: float, printed: float) -> None:
    """Meta, Llama 3.1 model card: all three follow from 700 W and 0.414 kg/kWh."""
    assert energy_use.emissions(hours * HOUR * 700.0, 414.0 / KWH) / 1e6 == pytest.approx(printed, rel=0.01)


def test_embodied_carbon_of_bloom_is_what_is_left_of_the_whole() -> None:
    rate, _ = nv.catalogue.default().number("emissions", "embodied-bloom", "amount", "g/s")
    assert 24.7 + 14.6 + 1082990.0 * HOUR * rate / 1e6 == pytest.approx(50.5, abs=0.1)


@pytest.fixture(scope="module")
def run() -> nv.TrainingRun:
    job = nv.Training(model=nv.model("llama-3.1-405b"), sequence=8192, global_batch=2048)
    layout = nv.Parallelism(tp=8, pp=16, vpp=8, micro_batch=1)
    return nv.training_run(job, nv.system("dgx-h100").scale(16384), layout, tokens=15.6e12, failures="llama-3.1-405b")


def test_hours_and_energy_of_llama_3_1_405b(run: nv.TrainingRun) -> None:
    """The card prints 30.84 million hours, with long-context and annealing stages and smaller clusters at the start."""
    assert run["chip hours"].value == pytest.approx(30.84e6, rel=0.20)
    chips = run["energy"]["chips"].value * run.value
    assert chips < 21588e9 * 3.6 * 1.05  # 21,588 MWh at rated power: load is below


def test_three_methods_of_cost_are_told_apart(run: nv.TrainingRun) -> None:
    """Epoch AI, training-cost-trends: 169.8, 51.0 and 896 million USD for one run; its chip with server and network costs 54,700 USD."""
    found = nv.run_costs(run, rent="5.51 USD/h")
    assert found["cloud"].value == pytest.approx(169.8e6, rel=0.20)
    assert found["amortised"].value == pytest.approx(51.0e6, rel=0.35)
    assert found["purchase"].value == pytest.approx(896e6, rel=0.30)
    assert found["amortised"].value < found["cloud"].value < found["purchase"].value
