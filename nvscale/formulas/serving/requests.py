"""Requests of many users: cache slots, prefills between steps, waits, the time to the first and to each further token."""

from nvscale.ops import maximum
from nvscale.unit_types import Bytes, Count, Ratio, Seconds

__all__ = [
    "burst_wait",
    "cache_slots",
    "first_token_time",
    "prefill_pool_ratio",
    "prefill_share",
    "queue_wait",
    "request_latency",
    "time_per_output_token",
]


def cache_slots(available: Bytes, cache: Bytes) -> Ratio:
    r"""Sequences whose cache fits at the same time, at least one.

    $$S = \max\left(\frac{M}{C}, 1\right)$$

    Parameters
    ----------
    available : byte, broadcast
        Memory M left for caches.
    cache : byte, broadcast
        Cache C of one sequence: at its full length where an engine reserves it, at its mean length where it does not.

    Returns
    -------
    1, broadcast
        Slots, not rounded.

    Assumptions
    -----------
    Pages are small, so that nothing is lost to fragments; no two sequences share a prefix. One sequence runs even where its cache does
    not fit, so that the result stays usable in a sweep.

    References
    ----------
    Derivation: capacity over need; small pages as in Kwon et al., "Efficient Memory Management for Large Language Model Serving with
    PagedAttention", SOSP 2023, section 4.

    Examples
    --------
    A 70B model in 8 bits on eight chips of 16 GB, with caches of 8192 tokens of 160 KiB: 43 slots.

    >>> int(cache_slots(8 * 16e9 - 70e9, 8192 * 163840.0))
    43
    """
    return maximum(available / cache, 1.0)


def prefill_share(users: Ratio, ranks: Count, output: Count) -> Ratio:
    r"""Prefills of other users that a decode step of one rank meets, on average.

    $$\phi = \frac{C - 1}{D\,O}$$

    Parameters
    ----------
    users : 1, broadcast
        Requests C that run at the same time, one of them one's own.
    ranks : 1, broadcast
        Data-parallel ranks D over which they are spread.
    output : 1, broadcast
        Output tokens O of a request, and so its decode steps.

    Returns
    -------
    1, broadcast
        Prefills per step; 0 for a single user.

    Assumptions
    -----------
    A closed loop in its steady state: every other user starts one request during mine. Prefills stop the ranks on which they run.

    References
    ----------
    Derivation: during the O steps of a request each of the other (C - 1)/D users of its rank is served once, and so prefills once.

    Examples
    --------
    32 users with 1,024 output tokens: a prefill in every 33rd step.

    >>> round(1 / prefill_share(32.0, 1.0, 1024.0), 1)
    33.0
    """
    return (users - 1.0) / ranks / output


def time_per_output_token(step: Seconds, share: Ratio, prefill: Seconds) -> Seconds:
    r"""Mean time between two output tokens of a request, prefills of other users included.

    $$t_{TPOT} = t_s + \phi\,t_p$$

    Parameters
    ----------
    step : s, broadcast
        Decode step t_s, over the tokens that it gains per sequence.
    share : 1, broadcast
        Prefills φ per step (`prefill_share`).
    prefill : s, broadcast
        Time t_p by which a prefill delays the others.

    Returns
    -------
    s, broadcast
        Time per output token.

    Assumptions
    -----------
    Prefills run on the chips that decode; in a pool of their own they cost nothing here.

    References
    ----------
    Derivation: a mean over the steps of a request.

    Examples
    --------
    A step of 8 ms with prefills of 33 ms at every 33rd: 9 ms.

    >>> round(time_per_output_token(8e-3, 1 / 33, 33e-3) * 1e3, 6)
    9.0
    """
    return step + share * prefill


def burst_wait(users: Ratio, ranks: Count, prefill: Seconds, rounds: Count, admission: Seconds) -> Seconds:
    r"""Mean wait for the first token behind users of the same rank, in a benchmark whose users all start together.

    $$t_w = \left(\frac{C}{D} - 1\right) \left(\frac{t_p}{2 R} + t_a\right)$$

    Parameters
    ----------
    users : 1, broadcast
        Running users C, at least one a rank.
    ranks : 1, broadcast
        Data-parallel ranks D.
    prefill : s, broadcast
        Time t_p that one prompt takes in a step.
    rounds : 1, broadcast
        Requests R of each user over which the mean is taken; infinite for a steady state without a burst.
    admission : s, broadcast
        Time t_a that each other user of the rank adds to every admission.

    Returns
    -------
    s, broadcast
        Mean wait; 0 with one user a rank.

    Assumptions
    -----------
    Prompts of a rank are computed in turn. After the first round users have spread out and do not meet again.

    References
    ----------
    Derivation: in the first round the i-th of C/D users waits for i - 1 prompts, (C/D - 1)/2 on average; one of R rounds does.

    Examples
    --------
    32 users, prompts of 40 ms, ten rounds: 62 ms on average.

    >>> round(burst_wait(32.0, 1.0, 40e-3, 10.0, 0.0) * 1e3, 6)
    62.0
    """
    return (users / ranks - 1.0) * (prefill / (2.0 * rounds) + admission)


def queue_wait(users: Ratio, slots: Ratio, output: Count, token_time: Seconds) -> Seconds:
    r"""Wait of a request for a slot of the cache, where users are more than slots.

    $$t_q = \max\left(\frac{C}{S} - 1, 0\right) O\,t_{TPOT}$$

    Parameters
    ----------
    users : 1, broadcast
        Users C of the loop, running or waiting.
    slots : 1, broadcast
        Requests S that run at the same time.
    output : 1, broadcast
        Output tokens O of a request.
    token_time : s, broadcast
        Time per output token with all slots taken.

    Returns
    -------
    s, broadcast
        Mean wait in the queue; 0 where all users fit.

    Assumptions
    -----------
    A closed loop without thinking time; first come, first served; prefill is short beside decoding.

    References
    ----------
    Derivation: slots release S requests every O t seconds. By Little's law (Little, Operations Research 9(3), 1961, theorem 1) the
    C - S waiting users wait (C - S) O t/S.

    Examples
    --------
    96 users on 64 slots, 1,024 tokens of 20 ms: half of the time of a request.

    >>> round(queue_wait(96.0, 64.0, 1024.0, 20e-3), 6)
    10.24
    """
    return maximum(users / slots - 1.0, 0.0) * output * token_time


def first_token_time(first_pass: Seconds, burst: Seconds, token_time: Seconds, steps: Ratio, fixed: Seconds, queue: Seconds) -> Seconds:
    r"""Mean time from a request to its first token, under load.

    $$t_{TTFT} = t_1 + t_w + n\,t_{TPOT} + t_f + t_q$$

    Parameters
    ----------
    first_pass : s, broadcast
        Pass t_1 over the prompt, alone.
    burst : s, broadcast
        Wait t_w behind prompts of others (`burst_wait`).
    token_time : s, broadcast
        Time per output token, as the length of a step in flight.
    steps : 1, broadcast
        Steps n in flight that a request waits for.
    fixed : s, broadcast
        Fixed time t_f of the engine: admission, launches, streaming.
    queue : s, broadcast
        Wait t_q for a slot of the cache (`queue_wait`).

    Returns
    -------
    s, broadcast
        Mean time to first token; no percentile.

    Assumptions
    -----------
    The parts follow one another; no network between user and server.

    References
    ----------
    Derivation: a sum of the waits of one request, in order.

    Examples
    --------
    An unloaded server: prompt, three steps, 3 ms.

    >>> round(first_token_time(40e-3, 0.0, 9e-3, 3.0, 3e-3, 0.0) * 1e3, 6)
    70.0
    """
    return first_pass + burst + steps * token_time + fixed + queue


def request_latency(first_token: Seconds, token_time: Seconds, output: Count) -> Seconds:
    r"""Time from a request to its last token.

    $$t = t_{TTFT} + (O - 1)\,t_{TPOT}$$

    Parameters
    ----------
    first_token : s, broadcast
        Time to first token.
    token_time : s, broadcast
        Time per further output token.
    output : 1, broadcast
        Output tokens O.

    Returns
    -------
    s, broadcast
        End-to-end latency of the request.

    Assumptions
    -----------
    Means, of which the sum is exact; percentiles do not add.

    References
    ----------
    Definition: time per output token is the time after the first token over the O - 1 tokens that follow, as in NVIDIA, "GenAI-Perf"
    (inter-token latency).

    Examples
    --------
    A first token after 0.2 s and 500 further ones of 20 ms: 10.2 s.

    >>> round(request_latency(0.2, 20e-3, 501.0), 6)
    10.2
    """
    return first_token + (output - 1.0) * token_time


def prefill_pool_ratio(prefill: Seconds, batch: Ratio, step: Seconds, output: Count) -> Ratio:
    r"""Prefill instances per decode instance with which neither pool waits for the other.

    $$\frac{P}{G} = \frac{t_p\,b}{t_s\,O}$$

    Parameters
    ----------
    prefill : s, broadcast
        Time t_p of one prompt on a prefill instance.
    batch : 1, broadcast
        Sequences b of a decode instance.
    step : s, broadcast
        Time t_s of a decode step, over the tokens that it gains per sequence.
    output : 1, broadcast
        Output tokens O of a request.

    Returns
    -------
    1, broadcast
        Instances of prefill per instance of decode, not rounded; times the ratio of their sizes for chips.

    Assumptions
    -----------
    Prefill and decode in pools of their own, in a steady state; moving caches between them takes no time of either. Prompts are
    computed one at a time; a prefill instance that batches b' of them counts the time of the batch over b'.

    References
    ----------
    Derivation: a prefill instance starts 1/t_p requests a second, a decode instance ends b/(t_s O); in balance P/t_p = G b/(t_s O).
    Austin et al., "How to Scale Your Model", 2025, chapter 8, "What about prefill?".

    Examples
    --------
    Prompts of 0.91 s, steps of 19 ms with 32 sequences, 512 tokens: three to one.

    >>> round(prefill_pool_ratio(0.91, 32.0, 19e-3, 512.0), 2)
    2.99
    """
    return prefill * batch / (step * output)
