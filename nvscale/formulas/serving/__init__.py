"""Serving: kernels of a step, the cache, closed loops of requests, speculation, throughput against interactivity."""

from nvscale.formulas.serving.requests import (
    burst_wait,
    cache_slots,
    first_token_time,
    prefill_pool_ratio,
    prefill_share,
    queue_wait,
    request_latency,
    time_per_output_token,
)
from nvscale.formulas.serving.speculation import expected_tokens_per_step, speculative_speedup, speculative_work_ratio
from nvscale.formulas.serving.steps import (
    all_reduce_time,
    compute_bound_batch,
    decode_pass_size,
    memory_bound_step_time,
    product_time,
    two_regime_step_time,
)
from nvscale.formulas.serving.throughput import (
    closed_loop_throughput,
    decode_throughput,
    interactivity,
    pooled_throughput,
    throughput_at_interactivity,
)

__all__ = [
    "all_reduce_time",
    "burst_wait",
    "cache_slots",
    "closed_loop_throughput",
    "compute_bound_batch",
    "decode_pass_size",
    "decode_throughput",
    "expected_tokens_per_step",
    "first_token_time",
    "interactivity",
    "memory_bound_step_time",
    "pooled_throughput",
    "prefill_pool_ratio",
    "prefill_share",
    "product_time",
    "queue_wait",
    "request_latency",
    "speculative_speedup",
    "speculative_work_ratio",
    "throughput_at_interactivity",
    "time_per_output_token",
    "two_regime_step_time",
]
