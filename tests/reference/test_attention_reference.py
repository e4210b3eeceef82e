"""Published counts of attention, latent attention and expert layers."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from nvscale.formulas import attention, latent_attention
from nvscale.formulas import mixture_of_experts as moe


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    formula: Callable[..., Any]
    arguments: dict[str, Any]
    printed: float
    relative: float
    document: str


KIPPLY = "kipply, Transformer Inference Arithmetic, 2022, section kv cache"
SCALING_BOOK = "Austin et al., How to Scale Your Model, 2025, chapter Applied Inference"
FLASH_2 = "Dao, FlashAttention-2, ICLR 2024, section 4.1"
DEEPSEEK_V2 = "DeepSeek-AI, DeepSeek-V2, 2024, table 1"
DEEPSEEK_V3 = "DeepSeek-AI, DeepSeek-V3, 2024, section 4.2 (61 layers, of which 58 with 256 routed experts and one shared, 8 active)"
LATENT = {"latent_dim": 512.0, "rotary_dim": 64.0}
PROJECTIONS = {"hidden": 7168.0, "heads": 128.0, "query_rank": 1536.0, **LATENT, "key_dim": 128.0, "value_dim": 128.0}
EXPERT = {"hidden": 7168.0, "intermediate": 2048.0}

ROWS = [
    Row(
        "KV bytes per token, 52B, fp16",
        attention.key_value_cache_size,
        {"tokens": 1.0, "layers": 64.0, "kv_heads": 64.0, "head_dim": 128.0, "element_size": 2.0},
        2097152,
        0.0,
        KIPPLY,
    ),
    Row(
        "KV bytes per token, Llama 3 70B, int8",
        attention.key_value_cache_size,
        {"tokens": 1.0, "layers": 80.0, "kv_heads": 8.0, "head_dim": 128.0, "element_size": 1.0},
        163840,
        0.0,
        SCALING_BOOK,
    ),
    Row(
        "causal forward FLOP, 4 x sequence^2 x head dimension x heads / 2",
        attention.causal_attention_flop,
        {"batch": 1.0, "heads": 16.0, "sequence": 16384.0, "head_dim": 128.0},
        4 * 16384.0**2 * 128 * 16 / 2,
        0.0,
        FLASH_2,
    ),
    Row(
        "latent cache as wide as 2.25 groups of GQA, (d_c + d_R) = 4.5 head dimensions",
        latent_attention.latent_cache_size,
        {"tokens": 1.0, "layers": 1.0, **LATENT, "element_size": 2.0},
        attention.key_value_cache_size(1.0, 1.0, 2.25, 128.0, 2.0),
        0.0,
        DEEPSEEK_V2,
    ),
    Row(
        "elements of a latent row, in 8 bits",
        latent_attention.latent_cache_size,
        {"tokens": 1.0, "layers": 1.0, **LATENT, "element_size": 1.0},
        576,
        0.0,
        DEEPSEEK_V3,
    ),
    Row("multiply-adds of an absorbed score", latent_attention.absorbed_score_width, LATENT, 1088, 0.0, DEEPSEEK_V3),
    Row(
        "routed and shared experts are 97 % of the 671B parameters",
        moe.expert_weight_size,
        {"experts": 58 * 257.0, **EXPERT, "element_size": 1.0},
        0.97 * 671e9,
        0.01,
        DEEPSEEK_V3,
    ),
    Row(
        "attention is 11.4B of the 671B: what experts (656.5B and 3 dense layers of 18432), embeddings (1.85B) and router leave",
        latent_attention.latent_projection_parameters,
        PROJECTIONS,
        (671.0e9 - 58 * 257 * 3 * 7168 * 2048.0 - 3 * 3 * 7168 * 18432.0 - 2 * 129280 * 7168.0 - 58 * 256 * 7168.0) / 61,
        0.05,
        DEEPSEEK_V3,
    ),
    Row(
        "work of the active experts of one layer: 2 flop per parameter of 8 experts",
        moe.expert_flop,
        {"pairs": 8.0, **EXPERT},
        2 * moe.expert_weight_size(8.0, 7168.0, 2048.0, 1.0),
        0.0,
        "Kaplan et al., Scaling Laws for Neural Language Models, 2020, section 2.1 (2 N per token)",
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.formula(**row.arguments) == pytest.approx(row.printed, rel=row.relative), row.document
