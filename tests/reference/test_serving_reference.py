"""Published numbers of serving: steps, speculation, pools, throughput, and the cache of a token."""

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

import nvscale as nv
from nvscale.formulas import attention, latent_attention, serving


class Row(NamedTuple):
    """One published number, where it stands, and how close the formula must come."""

    name: str
    computed: Callable[[], Any]
    printed: float
    relative: float
    document: str


KIPPLY = "kipply, Transformer Inference Arithmetic, 2022"
INFERENCE = "Austin et al., How to Scale Your Model, 2025, chapter 7, theoretical estimates"
POP_QUIZ = f"{INFERENCE}, pop quiz"
LLAMA_13B = "Austin et al., How to Scale Your Model, 2025, chapter 7, tables of LLaMA 2-13B on eight TPU v5e"
APPLIED = "Austin et al., How to Scale Your Model, 2025, chapter 8"
POPE = "Pope et al., Efficiently Scaling Transformer Inference, MLSys 2023 (arXiv 2211.05102), table 2, section 4.4"
LEVIATHAN = "Leviathan, Kalman, Matias, Fast Inference from Transformers via Speculative Decoding, ICML 2023 (arXiv 2211.17192)"
TABLE_1 = f"{LEVIATHAN}, table 1"
INSIGHTS = "Zhao et al., Insights into DeepSeek-V3, ISCA 2025 (arXiv 2505.09343), table 1"
LINE = "closed form: throughput against interactivity of 70B in 8 bits on eight H100, 2,048 tokens, 1.6 ms fixed"

V5E, V5E_RATE = 8.1e11, 1.97e14
QUIZ = {"cache": 819.2e6, "weights": 30e9, "work": 60e9, "bandwidth": 16 * V5E, "rate": 16 * V5E_RATE}
CACHE_70B = 8192 * 163840.0
A100, A100_RATE = 1.5e12, 312e12
H100 = {"chips": 8.0, "bandwidth": 3.35e12, "weights": 70e9, "cache": 2048 * 163840.0, "fixed": 1.6e-3}


def products_of_a_pass(layers: float, hidden: float) -> float:
    """Work of one token through query, key, value, output and a feed-forward four times as wide, at one operation a second."""
    shapes = [(hidden, 3.0 * hidden), (hidden, hidden), (hidden, 4.0 * hidden), (4.0 * hidden, hidden)]
    return layers * sum(serving.product_time(1.0, k, n, 1.0, 1e60, 2.0) for k, n in shapes)


def step_13b(batch: float, cache: float = 6.7e9) -> float:
    """Step in milliseconds."""
    return serving.memory_bound_step_time(batch, cache, 26e9, 8 * 820e9) * 1e3


def step_70b(batch: float, cache: float) -> float:
    """Step of Llama 3 70B in 8 bits on eight TPU v5e."""
    return serving.memory_bound_step_time(batch, cache, 70e9, 8 * V5E)


def full_batch_70b() -> float:
    """Sequences for which the memory of eight H100 has room beside the weights."""
    return serving.cache_slots(8 * 80e9 - 70e9, H100["cache"])


def full_step_70b() -> float:
    """Step of that batch."""
    return serving.memory_bound_step_time(full_batch_70b(), H100["cache"], 70e9, 8 * 3.35e12) + 1.6e-3


ROWS = [
    Row("K02 work of a token, 52B", lambda: products_of_a_pass(64.0, 8192.0), 103079215104.0, 1e-12, KIPPLY),
    Row("K03 52B on one A100", lambda: serving.memory_bound_step_time(0.0, 0.0, 12 * 64 * 8192.0**2 * 2, A100), 68.72e-3, 1e-3, KIPPLY),
    Row(
        "K03 52B on four",
        lambda: serving.memory_bound_step_time(0.0, 0.0, 12 * 64 * 8192.0**2 * 2, 4 * A100),
        17.18e-3,
        1e-3,
        KIPPLY,
    ),
    Row(
        "K04 260B on 16, small batch",
        lambda: serving.two_regime_step_time(1.0, 0.0, 520e9, 520e9, 16 * A100, 16 * A100_RATE),
        21.667e-3,
        1e-4,
        KIPPLY,
    ),
    Row(
        "K04 260B on 16, batch 512",
        lambda: serving.two_regime_step_time(512.0, 0.0, 520e9, 520e9, 16 * A100, 16 * A100_RATE),
        53.333e-3,
        1e-4,
        KIPPLY,
    ),
    Row("K04 its exchanges", lambda: 80 * serving.all_reduce_time(512 * 8 * 16384.0, 16.0, 0.0, 0.0, 300e9), 17.896e-3, 1e-4, KIPPLY),
    Row("B02 step", lambda: step_70b(32.0, 8192 * 160e3), 17.28e-3, 1e-3, APPLIED),
    Row("B02 step, exact cache", lambda: step_70b(32.0, CACHE_70B), 17.43e-3, 1e-3, APPLIED),
    Row("B02 throughput", lambda: serving.decode_throughput(32.0, step_70b(32.0, CACHE_70B)), 1836.0, 1e-3, APPLIED),
    Row("B02 throughput, step as printed", lambda: serving.decode_throughput(32.0, 17e-3), 1882.0, 1e-3, APPLIED),
    Row("B02 per chip", lambda: serving.decode_throughput(32.0, 17e-3) / 8, 235.0, 2e-3, APPLIED),
    Row(
        "B03 prefill of 8192 tokens",
        lambda: serving.two_regime_step_time(8192.0, 0.0, 70e9, 140e9, 16 * V5E, 16 * 0.4 * V5E_RATE),
        0.909645,
        1e-5,
        APPLIED,
    ),
    Row("B04 batch 4", lambda: serving.two_regime_step_time(4.0, **QUIZ), 2.5677e-3, 1e-4, POP_QUIZ),
    Row("B04 batch 4, by memory", lambda: serving.memory_bound_step_time(4.0, 819.2e6, 30e9, 16 * V5E), 2.5677e-3, 1e-4, POP_QUIZ),
    Row("B04 batch 256", lambda: serving.two_regime_step_time(256.0, **QUIZ), 21.0548e-3, 1e-4, POP_QUIZ),
    Row("B04 batch 256, printed", lambda: serving.two_regime_step_time(256.0, **QUIZ), 21e-3, 5e-3, POP_QUIZ),
    Row("critical batch, 16 bits", lambda: serving.compute_bound_batch(2.0, 2.0, 8.2e11, V5E_RATE), 240.0, 2e-3, INFERENCE),
    Row("critical batch, 8-bit weights", lambda: serving.compute_bound_batch(1.0, 2.0, 8.2e11, V5E_RATE), 120.0, 2e-3, INFERENCE),
    Row("13B, batch 1", lambda: step_13b(1.0), 4.98, 1e-3, LLAMA_13B),
    Row("13B, batch 16", lambda: step_13b(16.0), 20.30, 1e-3, LLAMA_13B),
    Row("13B, batch 240", lambda: step_13b(240.0), 249.09, 1e-4, LLAMA_13B),
    Row("13B, batch 64, throughput", lambda: serving.decode_throughput(64.0, step_13b(64.0) / 1e3), 923.13, 1e-4, LLAMA_13B),
    Row("13B, small cache, batch 64", lambda: step_13b(64.0, 1.34e9), 17.04, 1e-3, LLAMA_13B),
    Row(
        "13B, small cache, batch 64, throughput",
        lambda: serving.decode_throughput(64.0, step_13b(64.0, 1.34e9) / 1e3),
        3756.62,
        1e-4,
        LLAMA_13B,
    ),
    Row("caches of 8k beside 70B, 16 bits", lambda: serving.cache_slots(16 * 16e9 - 140e9, 8192 * 324e3), 43.0, 0.02, APPLIED),
    Row("caches of 8k beside 70B, 8 bits", lambda: serving.cache_slots(116e9 - 48e9, 8192 * 162e3), 52.0, 0.02, APPLIED),
    Row("B09 prefill pool", lambda: serving.prefill_pool_ratio(0.91, 32.0, 0.019, 512.0), 2.9934, 1e-4, APPLIED),
    Row("B09 prefill pool, printed", lambda: serving.prefill_pool_ratio(0.91, 32.0, 0.019, 512.0), 3.0, 5e-3, APPLIED),
    Row("P02 64 steps of PaLM 540B", lambda: serving.request_latency(28.5e-3, 28.5e-3, 64.0), 1.82, 5e-3, POPE),
    Row("0.6, 2 drafts", lambda: serving.expected_tokens_per_step(0.6, 2.0), 1.96, 3e-3, TABLE_1),
    Row("0.7, 3 drafts", lambda: serving.expected_tokens_per_step(0.7, 3.0), 2.53, 3e-3, TABLE_1),
    Row("0.8, 2 drafts", lambda: serving.expected_tokens_per_step(0.8, 2.0), 2.44, 3e-3, TABLE_1),
    Row("0.8, 5 drafts", lambda: serving.speculative_speedup(0.8, 5.0, 0.0), 3.69, 3e-3, TABLE_1),
    Row("0.9, 2 drafts", lambda: serving.speculative_speedup(0.9, 2.0, 0.0), 2.71, 3e-3, TABLE_1),
    Row("0.9, 10 drafts", lambda: serving.speculative_speedup(0.9, 10.0, 0.0), 6.86, 3e-3, TABLE_1),
    Row("0.6, 2 drafts, work", lambda: serving.speculative_work_ratio(0.6, 2.0, 0.0), 1.53, 4e-3, TABLE_1),
    Row("0.7, 3 drafts, work", lambda: serving.speculative_work_ratio(0.7, 3.0, 0.0), 1.58, 4e-3, TABLE_1),
    Row("0.8, 2 drafts, work", lambda: serving.speculative_work_ratio(0.8, 2.0, 0.0), 1.23, 4e-3, TABLE_1),
    Row("0.8, 5 drafts, work", lambda: serving.speculative_work_ratio(0.8, 5.0, 0.0), 1.63, 4e-3, TABLE_1),
    Row("0.9, 2 drafts, work", lambda: serving.speculative_work_ratio(0.9, 2.0, 0.0), 1.11, 4e-3, TABLE_1),
    Row("0.9, 10 drafts, work", lambda: serving.speculative_work_ratio(0.9, 10.0, 0.0), 1.60, 4e-3, TABLE_1),
    Row("bigrams", lambda: serving.speculative_speedup(0.2, 3.0, 0.0), 1.25, 3e-3, f"{LEVIATHAN}, section 3.6"),
    Row("F02 intercept", lambda: serving.throughput_at_interactivity(0.0, **H100), 9983.78, 1e-5, LINE),
    Row(
        "F02 slope",
        lambda: serving.throughput_at_interactivity(0.0, **H100) - serving.throughput_at_interactivity(1.0, **H100),
        42.0511,
        1e-5,
        LINE,
    ),
    Row(
        "F02 fastest",
        lambda: serving.interactivity(serving.memory_bound_step_time(0.0, 0.0, 70e9, 8 * 3.35e12) + 1.6e-3),
        237.42,
        1e-5,
        LINE,
    ),
    Row("F02 corner of capacity, rate", lambda: serving.interactivity(full_step_70b()), 39.2455, 1e-5, LINE),
    Row("F02 corner of capacity", lambda: serving.throughput_at_interactivity(39.2455, **H100), 8333.46, 1e-5, LINE),
    Row("F02 corner, by batch", lambda: serving.decode_throughput(full_batch_70b(), full_step_70b()) / 8, 8333.46, 1e-5, LINE),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_published_number(row: Row) -> None:
    assert row.computed() == pytest.approx(row.printed, rel=row.relative, abs=0.0), row.document


def test_a_measured_decode_keeps_the_bound_by_memory() -> None:
    """PaLM 540B in 8 bits on 64 TPU v4 of 1.2 TB/s: 64 steps in 1.82 s."""
    bound = serving.request_latency(*(2 * [serving.memory_bound_step_time(0.0, 0.0, 540e9, 64 * 1.2e12)]), 64.0)
    assert 0.2 < bound / 1.82 < 1.0, POPE


def test_a_short_turn_of_a_long_chat_lies_between_no_prefill_and_a_whole_one() -> None:
    """P02: 64 tokens after 1,920 cached ones and 64 tokens of output take 1.9 s; the whole prompt of 2,048 takes 0.29 s."""
    least, most = (serving.request_latency(first, 28.5e-3, 64.0) for first in (0.29 * 64 / 2048, 28.5e-3 + 0.29))
    assert least < 1.9 < most, POPE


def test_one_predicted_token_pays_at_most_what_is_accepted() -> None:
    """The second token is accepted in 85 to 90 % of the cases and gives 1.8 times the tokens per second."""
    document = "DeepSeek-AI, DeepSeek-V3 Technical Report, 2024 (arXiv 2412.19437), section 5.4.3"
    assert 1.8 <= serving.speculative_speedup(0.85, 1.0, 0.0) < serving.speculative_speedup(0.90, 1.0, 0.0) < 1.8 * 1.06, document


# ---------------------------------------------------------------- cache of a token


class Cached(NamedTuple):
    """Shape in a model's published configuration, and the bytes of cache per token at 16 bits."""

    model: str
    layers: float
    kv_heads: float
    head_dim: float
    size: float


CACHED = [
    Cached("gpt-2", 12.0, 12.0, 64.0, 36_864.0),
    Cached("gpt-3-175b", 96.0, 96.0, 128.0, 4_718_592.0),
    Cached("bloom", 70.0, 112.0, 128.0, 4_014_080.0),
    Cached("falcon-180b", 80.0, 8.0, 64.0, 163_840.0),
    Cached("llama-2-7b", 32.0, 32.0, 128.0, 524_288.0),
    Cached("llama-2-13b", 40.0, 40.0, 128.0, 819_200.0),
    Cached("llama-2-70b", 80.0, 8.0, 128.0, 327_680.0),
    Cached("llama-3-8b", 32.0, 8.0, 128.0, 131_072.0),
    Cached("llama-3.1-70b", 80.0, 8.0, 128.0, 327_680.0),
    Cached("llama-3.1-405b", 126.0, 8.0, 128.0, 516_096.0),
    Cached("mistral-7b", 32.0, 8.0, 128.0, 131_072.0),
    Cached("mixtral-8x7b", 32.0, 8.0, 128.0, 131_072.0),
    Cached("mixtral-8x22b", 56.0, 8.0, 128.0, 229_376.0),
    Cached("gemma-2-27b", 46.0, 16.0, 128.0, 376_832.0),
    Cached("gemma-3-27b", 62.0, 16.0, 128.0, 507_904.0),
    Cached("gpt-oss-120b", 36.0, 8.0, 64.0, 73_728.0),
    Cached("phi-4", 40.0, 10.0, 128.0, 204_800.0),
    Cached("qwen2.5-7b", 28.0, 4.0, 128.0, 57_344.0),
    Cached("qwen2.5-72b", 80.0, 8.0, 128.0, 327_680.0),
    Cached("qwen3-30b-a3b", 48.0, 4.0, 128.0, 98_304.0),
    Cached("qwen3-235b-a22b", 94.0, 4.0, 128.0, 192_512.0),
    Cached("qwen3-coder-480b-a35b", 62.0, 8.0, 128.0, 253_952.0),
    Cached("qwen3.5-397b-a17b", 15.0, 2.0, 256.0, 30_720.0),
]
LATENT = [
    Cached("deepseek-v2-lite", 27.0, 512.0, 64.0, 31_104.0),
    Cached("deepseek-v3", 61.0, 512.0, 64.0, 70_272.0),
    Cached("kimi-k2", 61.0, 512.0, 64.0, 70_272.0),
    Cached("glm-5", 78.0, 512.0, 64.0, 89_856.0),
]
"""Rank of the latent and its rotary part in the places of heads and head dimension."""


@pytest.mark.parametrize("row", CACHED, ids=lambda row: row.model)
def test_keys_and_values_of_a_token(row: Cached) -> None:
    assert attention.key_value_cache_size(1.0, row.layers, row.kv_heads, row.head_dim, 2.0) == row.size
    assert nv.model(row.model).cache_per_token(2.0) == row.size


@pytest.mark.parametrize("row", LATENT, ids=lambda row: row.model)
def test_latents_of_a_token(row: Cached) -> None:
    assert latent_attention.latent_cache_size(1.0, row.layers, row.kv_heads, row.head_dim, 2.0) == row.size
    assert nv.model(row.model).cache_per_token(2.0) == row.size


PUBLISHED = [
    ("deepseek-v3", 2.0, 70_272.0, INSIGHTS),
    ("qwen2.5-72b", 2.0, 327_680.0, INSIGHTS),
    ("llama-3.1-405b", 2.0, 516_096.0, INSIGHTS),
    ("llama-3-70b", 1.0, 163_840.0, f"B01: {APPLIED}, printed as 160 kiB"),
]


@pytest.mark.parametrize(("name", "element_size", "printed", "document"), PUBLISHED, ids=[row[0] for row in PUBLISHED])
def test_published_cache_of_a_token(name: str, element_size: float, printed: float, document: str) -> None:
    assert nv.model(name).cache_per_token(element_size) == printed, document


def test_cache_of_a_token_of_52b() -> None:
    """K01, without a model of the catalogue."""
    assert attention.key_value_cache_size(1.0, 64.0, 64.0, 128.0, 2.0) == 2_097_152.0, KIPPLY
