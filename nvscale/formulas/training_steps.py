"""Time of a training step: products of a shard, passes, exchanges, pipeline, optimizer."""

from nvscale.ops import ceil, exp, log, maximum, minimum, sqrt
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Flop, FlopPerSecond, Ratio, Seconds, Share

__all__ = [
    "backward_product_time",
    "exposed_time",
    "forward_product_time",
    "fourth_power_sum",
    "maturing_factor",
    "pipeline_time",
    "ring_size",
    "scored_pairs",
    "slots_of_a_stage",
    "straggler_factor",
    "two_tier_exchange_time",
]


def fourth_power_sum(a: Seconds, b: Seconds) -> Seconds:
    a, b = a * a, b * b
    return sqrt(sqrt(a * a + b * b))


def forward_product_time(
    rows: Count, inner: Count, columns: Count, rate: FlopPerSecond, half_length: Ratio, tile_area: Ratio, element_rate: Ratio
) -> Seconds:
    compute = (2.0 * rows * inner * columns / rate) * (1.0 + half_length / inner) * (1.0 + tile_area / (rows * columns))
    return fourth_power_sum(compute, (rows * inner + inner * columns + rows * columns) / element_rate)


def backward_product_time(rows, inner, columns, rate, half_length, tile_area, element_rate, frozen=0.0):
    work = 2.0 * rows * inner * columns / rate
    memory = (rows * inner + inner * columns + rows * columns) / element_rate
    data = work * (1.0 + half_length / columns) * (1.0 + tile_area / (rows * inner))
    weights = work * (1.0 + half_length / rows) * (1.0 + tile_area / (inner * columns))
    return fourth_power_sum(data, memory) + (1.0 - frozen) * fourth_power_sum(weights, memory)


def scored_pairs(sequence: Count, window: Count) -> Ratio:
    seen = minimum(window, sequence)
    return seen * (sequence - 0.5 * seen)


def ring_size(size, ranks):
    return size * (ranks - 1.0) / ranks


def two_tier_exchange_time(size, inside, outside, inside_rate, outside_rate, buckets, hop):
    between = ring_size(size, outside) / (inside * outside_rate) + buckets * (outside - 1.0) * hop
    return maximum(between, ring_size(size, inside) / inside_rate)


def exposed_time(time: Seconds, hiding: Seconds) -> Seconds:
    return maximum(time - hiding, 0.0)


def slots_of_a_stage(layers, stages, chunks):
    return ceil(layers / (stages * chunks)) * chunks


def pipeline_time(micro_batches, slowest, mean, stages, chunks):
    return micro_batches * slowest + (stages - 1.0) / chunks * mean


def straggler_factor(chips, growth, reference=8.0):
    return maximum(1.0 + growth * log(chips / reference), 1.0)


def maturing_factor(age, handicap, maturing):
    return 1.0 + handicap * exp(-age / maturing)
