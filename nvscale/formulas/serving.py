"""Serving: kernels of a step, the cache, closed and open loops of requests."""

from nvscale.ops import log, maximum, sqrt
from nvscale.unit_types import Bytes, BytesPerSecond, Count, FlopPerSecond, Ratio, Seconds

__all__ = [
    "all_reduce_time",
    "burst_wait",
    "cache_slots",
    "first_token_time",
    "prefill_share",
    "product_time",
    "queue_wait",
    "time_per_output_token",
]


def product_time(
    rows: Count, inner: Count, columns: Count, rate: FlopPerSecond, bandwidth: BytesPerSecond, weight: Bytes, activation: Bytes = 2.0
) -> Seconds:
    compute = 2.0 * rows * inner * columns / rate
    memory = (weight * inner * columns + activation * rows * (inner + columns)) / bandwidth
    return sqrt(compute * compute + memory * memory)


def all_reduce_time(message: Bytes, ranks: Count, latency: Seconds, doubling: Seconds, bandwidth: BytesPerSecond) -> Seconds:
    return latency + doubling * log(ranks) / log(2.0) + message / bandwidth


def cache_slots(available: Bytes, cache: Bytes) -> Ratio:
    return maximum(available / cache, 1.0)


def prefill_share(users: Ratio, ranks: Count, output: Count) -> Ratio:
    return (users - 1.0) / ranks / output


def time_per_output_token(step: Seconds, share: Ratio, prefill: Seconds) -> Seconds:
    return step + share * prefill


def burst_wait(users: Ratio, ranks: Count, prefill: Seconds, rounds: Count, admission: Seconds) -> Seconds:
    return (users / ranks - 1.0) * (prefill / (2.0 * rounds) + admission)


def queue_wait(users: Count, slots: Ratio, output: Count, token_time: Seconds) -> Seconds:
    return maximum(users / slots - 1.0, 0.0) * output * token_time


def first_token_time(first_pass: Seconds, burst: Seconds, token_time: Seconds, steps: Ratio, fixed: Seconds, queue: Seconds) -> Seconds:
    return first_pass + burst + steps * token_time + fixed + queue
