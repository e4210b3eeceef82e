"""Tokens per second: of one user, of a batch, of a closed loop, and what one costs of the other."""

from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds, Tokens, TokensPerSecond

__all__ = ["closed_loop_throughput", "decode_throughput", "interactivity", "pooled_throughput", "throughput_at_interactivity"]


def interactivity(step: Seconds, tokens: Tokens = 1.0) -> TokensPerSecond:
    r"""Tokens per second that one user sees while an answer is written.

    $$X = \frac{a}{t}$$

    Parameters
    ----------
    step : s, broadcast
        Time t of a step; time per output token with one token a step.
    tokens : token, broadcast
        Tokens a that a sequence gains in a step, more than one with speculation.

    Returns
    -------
    token/s, broadcast
        Rate per user, after the first token.

    Assumptions
    -----------
    The wait for the first token is left out; see `closed_loop_throughput` for the rate with it.

    References
    ----------
    Definition: the inverse of the time per output token.

    Examples
    --------
    >>> interactivity(0.0125)
    80.0
    """
    return tokens / step


def decode_throughput(batch: Ratio, step: Seconds, tokens: Tokens = 1.0) -> TokensPerSecond:
    r"""Output tokens per second of a batch that decodes.

    $$Y = \frac{b\,a}{t}$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences b of the step.
    step : s, broadcast
        Time t of a step, prefills between steps included where the same chips do them.
    tokens : token, broadcast
        Tokens a that a sequence gains in a step.

    Returns
    -------
    token/s, broadcast
        Throughput of all sequences; over the number of chips per chip.

    Assumptions
    -----------
    Every slot is taken again as soon as it is free.

    References
    ----------
    Derivation: each of b sequences gains a tokens in t; `interactivity` times the batch. Austin et al., "How to Scale Your Model", 2025,
    chapter 7, "Theoretical estimates for LLM latency and throughput", second equation.

    Examples
    --------
    >>> decode_throughput(32.0, 0.016)
    2000.0
    """
    return batch * tokens / step


def closed_loop_throughput(users: Ratio, output: Tokens, latency: Seconds, think: Seconds = 0.0) -> TokensPerSecond:
    r"""Output tokens per second of users who each send a request, wait for the whole answer, and send the next.

    $$Y = \frac{C\,O}{t + Z}$$

    Parameters
    ----------
    users : 1, broadcast
        Users C, waiting ones included.
    output : token, broadcast
        Output tokens O of a request.
    latency : s, broadcast
        Time t of a request to its last token, queueing included (`request_latency`).
    think : s, broadcast
        Time Z from an answer to the next request; 0 in benchmarks at fixed concurrency.

    Returns
    -------
    token/s, broadcast
        Throughput of all users.

    Assumptions
    -----------
    A steady state; exact for means, whatever the scheduling.

    References
    ----------
    J. D. C. Little, "A Proof for the Queuing Formula L = λW", Operations Research 9(3), 1961, theorem 1, with L = C and W = t + Z.
    With Z: the interactive response time law of Denning, Buzen, "The Operational Analysis of Queueing Network Models", ACM Computing
    Surveys 10(3), 1978.

    Examples
    --------
    32 users, 1,000 tokens in 10 s, at once again or after 6 s.

    >>> [closed_loop_throughput(32.0, 1000.0, 10.0, think) for think in (0.0, 6.0)]
    [3200.0, 2000.0]
    """
    return users * output / (latency + think)


def throughput_at_interactivity(
    rate: TokensPerSecond,
    chips: Count,
    bandwidth: BytesPerSecond,
    weights: Bytes,
    cache: Bytes,
    fixed: Seconds,
    tokens: Tokens = 1.0,
) -> TokensPerSecond:
    r"""Tokens per second and chip at a given rate per user, where decoding is bound by memory: a falling straight line.

    $$Y = \frac{a\,B}{C} - X \left(\frac{W}{n\,C} + \frac{B\,t_0}{C}\right)$$

    Parameters
    ----------
    rate : token/s, broadcast
        Rate X that each user gets (`interactivity`).
    chips : 1, broadcast
        Chips n of an instance.
    bandwidth : byte/s, broadcast
        Memory bandwidth B of one chip.
    weights : byte, broadcast
        Weights W of the model that a step reads.
    cache : byte, broadcast
        Cache C of one sequence at its mean length.
    fixed : s, broadcast
        Time t_0 of a step beside reading: launches, exchanges, host.
    tokens : token, broadcast
        Tokens a that a sequence gains in a step.

    Returns
    -------
    token/s, broadcast
        Throughput of one chip; negative beyond the rate that even an empty batch reaches.

    Assumptions
    -----------
    The batch is as large as the rate allows and fits into memory; products bound by memory; no prefill on these chips.

    References
    ----------
    Derivation: a step of a/X seconds is t_0 + (W + b C)/(n B) (`memory_bound_step_time`); solved for the batch b, and Y = b X/n.

    Examples
    --------
    A 70B model in 8 bits on eight H100, 2,048 tokens of context, 1.6 ms beside reading.

    >>> [round(throughput_at_interactivity(x, 8.0, 3.35e12, 70e9, 2048 * 163840.0, 1.6e-3)) for x in (50.0, 200.0)]
    [7881, 1574]
    """
    return (bandwidth * (tokens - rate * fixed) - rate * weights / chips) / cache


def pooled_throughput(
    batch: Ratio, step: Seconds, pool_ratio: Ratio, decode_chips: Count, prefill_chips: Count, tokens: Tokens = 1.0
) -> TokensPerSecond:
    r"""Output tokens per second and chip of a prefill and a decode pool in balance.

    $$Y = \frac{a\,b / t_s}{n_G + n_P\,P/G}$$

    Parameters
    ----------
    batch : 1, broadcast
        Sequences b of a decode instance.
    step : s, broadcast
        Time t_s of a decode step.
    pool_ratio : 1, broadcast
        Prefill instances per decode instance P/G (`prefill_pool_ratio`).
    decode_chips : 1, broadcast
        Chips n_G of a decode instance.
    prefill_chips : 1, broadcast
        Chips n_P of a prefill instance.
    tokens : token, broadcast
        Tokens a that a sequence gains in a step.

    Returns
    -------
    token/s, broadcast
        Throughput over the chips of both pools.

    Assumptions
    -----------
    Pools large enough that the ratio need not be rounded; moving caches holds up neither pool.

    References
    ----------
    Derivation: a decode instance makes a b / t_s tokens a second and needs P/G prefill instances beside it.

    Examples
    --------
    32 sequences, steps of 19 ms, three prefill instances of 16 chips for each decode instance of 8.

    >>> round(pooled_throughput(32.0, 19e-3, 3.0, 8.0, 16.0), 2)
    30.08
    """
    return decode_throughput(batch, step, tokens) / (decode_chips + prefill_chips * pool_ratio)
