"""Constants of attention, of latent attention and of fused expert layers."""

from typing import Annotated, Any

from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.matrix_multiplies import Sharpness
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds, Share
from nvscale.units import Unit

Unlimited = Annotated[Any, Unit("1", ">0", infinite=True)]


class _Replayed(Efficiency):
    """What kernels share that benchmarks run again and again.

    Parameters
    ----------
    share_of_peak, share_of_bandwidth : 1
        What long kernels reach of the peak rate and of the memory bandwidth.
    launch : s
        Time of the shortest kernel.
    overlap : 1
        How much of the shorter one of compute and memory is hidden behind the longer one.
    cache_share : 1
        Part of the last-level cache that holds what the next run reads again; 0: everything comes from memory.
    cache_rate : byte/s
        Rate at which one compute unit draws from the last-level cache.
    cache_sharpness : 1
        Exponent of the step from a working set that fits the cache to one that does not.
    """

    share_of_peak: Ratio = 1.0
    share_of_bandwidth: Ratio = 1.0
    launch: Seconds = 0.0
    overlap: Share = 1.0
    cache_share: Ratio = 0.0
    cache_rate: BytesPerSecond = 60e9
    cache_sharpness: Ratio = 8.0


class AttentionEfficiency(_Replayed):
    """Constants of one class of attention kernels on one chip; the defaults are the ideal.

    Parameters
    ----------
    half_sequence : 1
        Keys (prefill) or cached tokens (decode) that prologue and epilogue of a unit of work cost.
    tail_units : 1
        Longest units of work by which the last compute unit is late.
    softmax_dim : 1
        Head dimension whose matrix work takes as long as the exponential of one score.
    softmax_sharpness : 1
        Exponent of the smooth maximum of both.
    query_tile : 1
        Queries of one unit of work.
    stream_share : 1
        Share of the bandwidth that the cache of one sequence and head can draw alone.
    stream_sharpness : 1
        Exponent of the smooth maximum of all caches and the longest one.
    split_time : s
        Time of one round of the reduction over shares of a cache, per factor e in their number.
    split_tokens : 1
        Tokens of the smallest share of a cache.
    """

    half_sequence: Ratio = 0.0
    tail_units: Ratio = 0.0
    softmax_dim: Ratio = 0.0
    softmax_sharpness: Sharpness = 4.0
    query_tile: Count = 128.0
    stream_share: Unlimited = float("inf")
    stream_sharpness: Sharpness = float("inf")
    split_time: Seconds = 0.0
    split_tokens: Count = 256.0


class LatentAttentionEfficiency(AttentionEfficiency):
    """Constants of one class of latent attention kernels or modules on one chip; the defaults are the ideal.

    Parameters
    ----------
    expanded : 1
        1 where prefill expands keys and values of every head, 0 where it works on latent rows.
    reread_share : 1
        Cost of every further pass over the latent cache, as a share of the first.
    head_tile, wide_heads : 1
        Heads that one pass serves, and heads from which one pass serves all.
    query_size : byte
        Bytes per element of queries and of partial outputs in decode.
    attention_scale : 1
        Time of attention inside a module over that of the kernel alone.
    projection_share_of_peak, projection_share_of_bandwidth : 1
        What the projections of a module reach of the peak rate and of the bandwidth.
    fp8_block_rate, nvfp4_rate : 1
        Further share of the peak rate that projections in these formats reach, relative to bf16.
    projection_launch : s
        Launches and small kernels of a module.
    quantisation_time : s
        Time of the quantisation of activations before narrow projections.
    activation_passes : 1
        Times that the activations between the projections cross the memory.
    """

    expanded: Share = 1.0
    reread_share: Ratio = 0.0
    head_tile: Count = 16.0
    wide_heads: Count = 64.0
    query_size: Bytes = 2.0
    attention_scale: Ratio = 1.0
    projection_share_of_peak: Ratio = 1.0
    projection_share_of_bandwidth: Ratio = 1.0
    fp8_block_rate: Ratio = 1.0
    nvfp4_rate: Ratio = 1.0
    projection_launch: Seconds = 0.0
    quantisation_time: Seconds = 0.0
    activation_passes: Ratio = 0.0


class ExpertEfficiency(_Replayed):
    """Constants of one class of fused expert layers on one chip; the defaults are the ideal.

    Parameters
    ----------
    activation_passes : 1
        Times that the activations cross the memory, relative to each tensor once.
    routing_time : s
        Time that sorting gains per factor e of tokens.
    expert_time : s
        Time per expert that the rank holds.
    """

    activation_passes: Ratio = 1.0
    routing_time: Seconds = 0.0
    expert_time: Seconds = 0.0
