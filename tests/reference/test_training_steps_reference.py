"""Published numbers of pipelines, of training times and of utilisation."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import training_steps


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


def days_to_train(parameters: float, tokens: float, chips: float, rate: float) -> float:
    """Days with all activations computed again."""
    return training_steps.training_time(8.0 * parameters, tokens, chips, rate) / 86400.0


MEGATRON = "Narayanan et al., Efficient Large-Scale Language Model Training on GPU Clusters, SC 2021 (arXiv 2104.04473)"
PALM = "Chowdhery et al., PaLM, 2022 (arXiv 2204.02311), section 4.1: model FLOP utilisation without and with self-attention"
ZERO_BUBBLE = "Qi et al., Zero Bubble Pipeline Parallelism, ICLR 2024 (arXiv 2401.10241), section 2.1: a third of the bubble of 1F1B"
SCALING = "Austin et al., How to Scale Your Model, 2025, chapter on transformers, question 7 (DeepSeek-V3 on H800): inputs; computed"
GPT3 = {"parameters": 175e9, "tokens": 300e9, "chips": 1024.0, "rate": 140e12}
TRILLION = {"parameters": 1e12, "tokens": 450e9, "chips": 3072.0, "rate": 163e12}
PALM_RUN = {"tokens": 238.3e3, "chips": 6144.0, "time": 1.0, "peak": 275e12}
ATTENTION = 12.0 * 118.0 * 48.0 * 256.0 * 2048.0
DEEPSEEK = {"work_per_token": 6.0 * 37e9, "tokens": 14.8e12, "chips": 1.0, "time": 2.79e6 * 3600.0, "peak": 1.979e15}

ROWS = [
    Row("bubble of 1F1B", training_steps.pipeline_bubble, {"stages": 8.0, "micro_batches": 64.0}, 0.109375, 1e-12, MEGATRON),
    Row(
        "bubble with two chunks",
        training_steps.pipeline_bubble,
        {"stages": 8.0, "micro_batches": 64.0, "chunks": 2.0},
        0.0546875,
        1e-12,
        MEGATRON,
    ),
    Row(
        "zero bubble: a third",
        training_steps.zero_bubble_ratio,
        {"forward": 1.0, "activation_gradient": 1.0, "weight_gradient": 1.0},
        1.0 / 3.0,
        1e-12,
        ZERO_BUBBLE,
    ),
    Row("GPT-3 in 34 days, computed", days_to_train, GPT3, 33.9084, 1e-5, MEGATRON),
    Row("GPT-3 in 34 days, printed", days_to_train, GPT3, 34.0, 0.005, MEGATRON),
    Row("a trillion parameters, computed", days_to_train, TRILLION, 83.2108, 1e-5, MEGATRON),
    Row("a trillion parameters, printed", days_to_train, {**TRILLION, "parameters": 1.008e12}, 84.0, 0.005, MEGATRON),
    Row(
        "PaLM without attention",
        training_steps.model_flop_utilisation,
        {"work_per_token": 6.0 * 540e9, **PALM_RUN},
        0.457,
        1.5e-3,
        PALM,
    ),
    Row(
        "PaLM with attention",
        training_steps.model_flop_utilisation,
        {"work_per_token": 6.0 * 540.35e9 + ATTENTION, **PALM_RUN},
        0.462,
        1.5e-3,
        PALM,
    ),
    Row("DeepSeek-V3", training_steps.model_flop_utilisation, DEEPSEEK, 0.165296, 1e-5, SCALING),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.document


def test_work_of_deepseek_v3() -> None:
    """The work behind its utilisation."""
    assert DEEPSEEK["work_per_token"] * DEEPSEEK["tokens"] == pytest.approx(3.2856e24, rel=1e-5), SCALING
