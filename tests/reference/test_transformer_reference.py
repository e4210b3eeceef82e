"""Published numbers of transformer models: parameters, work per token by convention, caches."""

import pytest

import nvscale as nv
from nvscale.formulas import training_flop, transformer

NARAYANAN = "Narayanan et al. 2021"
ROWS = [
    (f"{NARAYANAN}, eq. 3, GPT-3", lambda: training_flop.generative_transformer_iteration_flop(1536.0, 2048.0, 96.0, 12288.0, 51200.0),
     4.510971e18, 1e-6),
    (f"{NARAYANAN}, eq. 2, GPT-3",
     lambda: transformer.generative_transformer_parameters(96.0, 12288.0, 51200.0, 2048.0), 1.7461582e11, 1e-7),
    (f"{NARAYANAN}, eq. 2, 1T", lambda: transformer.generative_transformer_parameters(128.0, 25600.0, 51200.0, 2048.0), 1.0080387e12, 1e-7),
    ("scaling-book, transformers, question 7", lambda: training_flop.parameter_flop_per_token(37e9) * 14.8e12, 3.2856e24, 1e-5),
    ("scaling-book, transformers, question 7, utilisation",
     lambda: training_flop.parameter_flop_per_token(37e9) * 14.8e12 / (2.79e6 * 3600.0 * 1.979e15), 0.165296, 1e-5),
    ("scaling-book, applied inference", lambda: nv.model("llama-3-70b").cache_per_token(1.0), 163840.0, 0.0),
    ("DeepSeek-V3, 61 layers of 512 + 64", lambda: nv.model("deepseek-v3").cache_per_token(1.0), 61.0 * 576.0, 0.0),
    ("Megatron-Bridge 25.09, Llama 3 8B",
     lambda: nv.model("llama-3-8b").flop_per_token(8192.0, "megatron-bridge"), 1933e12 / 37556.0, 1e-3),
    ("NeMo 24.x, Llama 3 8B", lambda: nv.model("llama-3-8b").flop_per_token(8192.0, "nemo-24"), 711e12 / 12273.0, 1e-3),
]  # fmt: skip


@pytest.mark.parametrize(("document", "computed", "published", "tolerance"), ROWS, ids=[row[0] for row in ROWS])
def test_a_published_number_is_met(document: str, computed, published: float, tolerance: float) -> None:
    assert computed() == pytest.approx(published, rel=tolerance, abs=0.0), document


@pytest.mark.parametrize(("name", "layers", "hidden"), [("megatron-gpt-174.6b", 96.0, 12288.0), ("megatron-gpt-1008b", 128.0, 25600.0)])
def test_full_recompute_of_a_gpt_is_equation_three(name: str, layers: float, hidden: float) -> None:
    """Equation 3 counts matrices alone, so norms and biases are taken out."""
    matrices = nv.model(name).replace(extra_parameters=0.0)
    whole = training_flop.generative_transformer_iteration_flop(1.0, 1.0, layers, hidden, 51200.0)
    per_token = whole + 16.0 * layers * hidden * (2048.0 - 1.0)
    assert matrices.flop_per_token(2048.0, "narayanan-2021") == pytest.approx(per_token, rel=1e-9)


def test_equation_two_is_a_gpt_of_the_catalogue_without_its_last_norm() -> None:
    formula = transformer.generative_transformer_parameters(96.0, 12288.0, 51200.0, 2048.0)
    assert nv.model("megatron-gpt-174.6b").parameters == pytest.approx(formula + 2.0 * 12288.0, rel=1e-12)
