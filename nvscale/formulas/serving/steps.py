"""One step: matrix products of a shard, all-reduces, element-wise passes, and the least time of a decode step."""

from nvscale.ops import log, maximum, sqrt
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Flop, FlopPerSecond, Ratio, Seconds

__all__ = [
    "all_reduce_time",
    "compute_bound_batch",
    "decode_pass_size",
    "memory_bound_step_time",
    "product_time",
    "two_regime_step_time",
]


def product_time(
    rows: Count,
    inner: Count,
    columns: Count,
    rate: FlopPerSecond,
    bandwidth: BytesPerSecond,
    weight: Bytes,
    activation: Bytes = 2.0,
    multiply_add: Flop = 2.0,
) -> Seconds:
    r"""Time of one matrix product of a step, activations times weights, launch aside.

    $$t = \sqrt{\left(\frac{2 m k n}{R}\right)^2 + \left(\frac{w\,kn + e\,m (k + n)}{B}\right)^2}$$

    Parameters
    ----------
    rows : 1, broadcast
        Rows m of the activations: tokens of the step; 0 leaves the time of reading the weights.
    inner : 1, broadcast
        Inner length k of the product.
    columns : 1, broadcast
        Columns n of the weights.
    rate : flop/s, broadcast
        Rate R that long products reach.
    bandwidth : byte/s, broadcast
        Bandwidth B that large reads reach.
    weight : byte, broadcast
        Bytes w per element of the weights, scales included.
    activation : byte, broadcast
        Bytes e per element of the activations.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    s, broadcast
        Time of the product, from the longer of the two to 1.41 times it.

    Assumptions
    -----------
    Each of the three matrices crosses the memory once; tiles and waves are not resolved. Good for decode, where products are
    bound by memory, and for prefill, where they are bound by compute; roughest between the two.

    References
    ----------
    Derivation: roofline with a corner rounded by the 2-norm, `overheads.smooth_maximum` at p = 2 by one square root; the two terms
    as in Austin et al., "How to Scale Your Model", 2025, chapter 7 (linear operations).

    Examples
    --------
    One layer of 8192 x 28672 in 8 bits at 3 TB/s and 1 PFLOP/s: 78 µs for one token, and 9 % more for 64.

    >>> [round(product_time(m, 8192.0, 28672.0, 1e15, 3e12, 1.0) * 1e6, 1) for m in (1.0, 64.0)]
    [78.3, 85.3]
    """
    compute = multiply_add * rows * inner * columns / rate
    memory = (weight * inner * columns + activation * rows * (inner + columns)) / bandwidth
    return sqrt(compute * compute + memory * memory)


def all_reduce_time(message: Bytes, ranks: Count, latency: Seconds, doubling: Seconds, bandwidth: BytesPerSecond) -> Seconds:
    r"""Time of one all-reduce of a serving engine: small messages, captured in a graph.

    $$t = \alpha_1 + \alpha_2 \log_2 r + \frac{S}{B}$$

    Parameters
    ----------
    message : byte, broadcast
        Buffer S of each rank; 0 for the latency alone.
    ranks : 1, broadcast
        Ranks r of the group.
    latency : s, broadcast
        Time α1 without data, extrapolated to a group of one.
    doubling : s, broadcast
        Time α2 that each doubling of the group adds.
    bandwidth : byte/s, broadcast
        Bytes B of the buffer that are reduced per second.

    Returns
    -------
    s, broadcast
        Time of the exchange; a caller with one rank leaves it out.

    Assumptions
    -----------
    Between 2 and 8 ranks of one scale-up domain, kernels of the engine and not of a library; the bandwidth counts the buffer once,
    so that it already holds the factor 2 (r - 1)/r of a ring.

    References
    ----------
    Derivation: latency and bandwidth of Hockney, "The communication challenge for MPP", Parallel Computing 20(3), 1994; signals
    among r ranks take a tree of log2 r rounds.

    Examples
    --------
    32 sequences of 8192 elements of 2 bytes over eight ranks at 180 GB/s: half of the time is latency.

    >>> round(all_reduce_time(32 * 8192 * 2.0, 8.0, 2.4e-6, 0.6e-6, 180e9) * 1e6, 1)
    7.1
    """
    return latency + doubling * log(ranks) / log(2.0) + message / bandwidth


def decode_pass_size(rows: Count, hidden: Count, layers: Count, accesses: Ratio = 12.0, element_size: Bytes = 2.0) -> Bytes:
    r"""Bytes that the element-wise passes of a forward step move beside its products and its attention.

    $$Q = a\,e\,L\,m\,h, \qquad a = 12$$

    Parameters
    ----------
    rows : 1, broadcast
        Tokens m of the step on one rank.
    hidden : 1, broadcast
        Hidden size h.
    layers : 1, broadcast
        Layers L.
    accesses : 1, broadcast
        Reads and writes a of an element of the hidden size, in one layer.
    element_size : byte, broadcast
        Bytes e of an activation.

    Returns
    -------
    byte, broadcast
        Traffic of one rank.

    Assumptions
    -----------
    Addition to the residual stream and norm in one kernel; nothing stays in a cache. Norms are not split over tensor parallel ranks;
    the other four accesses would be, so that the count is high by up to a third there, and low where the activation function of a
    wide layer is a kernel of its own.

    References
    ----------
    Derivation: a count, not a profile. Each of the two fused additions and norms reads a branch and the stream and writes the stream
    and its norm: 8. Rotating the queries reads and writes them: 2. Converting the output of attention for the next product: 2.
    Training without fusion: `training_steps.residual_pass_size`.

    Examples
    --------
    32 sequences of a model of 80 layers of 8192: half a gigabyte, 0.15 ms at 3.4 TB/s.

    >>> decode_pass_size(32.0, 8192.0, 80.0)
    503316480.0
    """
    return accesses * element_size * layers * rows * hidden


def memory_bound_step_time(batch: Ratio, cache: Bytes, weights: Bytes, bandwidth: BytesPerSecond) -> Seconds:
    r"""Least time of a decode step: all weights and the cache of every sequence are read once.

    $$t = \frac{b\,C + W}{B}$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences b of the step; 0 leaves the weights.
    cache : byte, broadcast
        Cache C of one sequence at its mean length.
    weights : byte, broadcast
        Weights W that a step reads; of experts those that some token is routed to.
    bandwidth : byte/s, broadcast
        Bandwidth B of all chips that share the two.

    Returns
    -------
    s, broadcast
        Lower bound of the step, and of the time per output token without speculation.

    Assumptions
    -----------
    Weights and cache are spread evenly and larger than on-chip memory; no exchange, no launches, no work of the host.

    References
    ----------
    Austin et al., "How to Scale Your Model", 2025, chapter 7, "Theoretical estimates for LLM latency and throughput", first equation;
    Pope et al., "Efficiently Scaling Transformer Inference", MLSys 2023, section 2 (memory costs).

    Examples
    --------
    70 GB of weights and 32 sequences of 8192 tokens at 160 kB on eight chips of 810 GB/s: 17.3 ms.

    >>> round(memory_bound_step_time(32.0, 8192 * 160e3, 70e9, 8 * 810e9) * 1e3, 1)
    17.3
    """
    return (batch * cache + weights) / bandwidth


def two_regime_step_time(batch: Ratio, cache: Bytes, weights: Bytes, work: Flop, bandwidth: BytesPerSecond, rate: FlopPerSecond) -> Seconds:
    r"""Least time of a decode step with its matrix products bound by memory or by compute, and attention bound by memory.

    $$t = \frac{b\,C}{B} + \max\left(\frac{b\,w}{R}, \frac{W}{B}\right)$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences b of the step.
    cache : byte, broadcast
        Cache C of one sequence at its mean length.
    weights : byte, broadcast
        Weights W that a step reads.
    work : flop, broadcast
        Work w of the matrix products per token: twice the active parameters.
    bandwidth : byte/s, broadcast
        Bandwidth B of all chips.
    rate : flop/s, broadcast
        Rate R of all chips.

    Returns
    -------
    s, broadcast
        Lower bound of the step; equal to `memory_bound_step_time` up to `compute_bound_batch`.

    Assumptions
    -----------
    Attention and products follow one another, reading weights overlaps with computing; scores of attention take no time.

    References
    ----------
    Austin et al., "How to Scale Your Model", 2025, chapter 7, "Theoretical estimates for LLM latency and throughput", third equation.

    Examples
    --------
    30 billion 8-bit parameters, caches of 819.2 MB, 16 chips of 810 GB/s and 197 TFLOP/s: 2.6 ms for 4 sequences, 21 ms for 256.

    >>> [round(two_regime_step_time(b, 819.2e6, 30e9, 60e9, 16 * 810e9, 16 * 197e12) * 1e3, 1) for b in (4.0, 256.0)]
    [2.6, 21.1]
    """
    return batch * cache / bandwidth + maximum(batch * work / rate, weights / bandwidth)


def compute_bound_batch(weights: Bytes, work: Flop, bandwidth: BytesPerSecond, rate: FlopPerSecond) -> Ratio:
    r"""Tokens in a step from which on its matrix products are bound by compute.

    $$b^* = \frac{W}{w}\,\frac{R}{B}$$

    Parameters
    ----------
    weights : byte, broadcast
        Weights W that a step reads.
    work : flop, broadcast
        Work w of the matrix products per token.
    bandwidth : byte/s, broadcast
        Memory bandwidth B.
    rate : flop/s, broadcast
        Rate R.

    Returns
    -------
    1, broadcast
        Tokens; the ridge point for weights of 2 bytes per parameter.

    Assumptions
    -----------
    Traffic of activations is small beside that of the weights; every weight serves every token (experts need more tokens).

    References
    ----------
    Austin et al., "How to Scale Your Model", 2025, chapter 7, "Linear operations: what bottlenecks us?"

    Examples
    --------
    A TPU v5e at 16 bits: 240 tokens; half with 8-bit weights computed in 16 bits.

    >>> [round(compute_bound_batch(size, 2.0, 820e9, 197e12)) for size in (2.0, 1.0)]
    [240, 120]
    """
    return weights / work * rate / bandwidth
