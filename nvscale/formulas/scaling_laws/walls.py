"""Limits of large runs: power, latency of layers, and data that have to move between chips."""

from nvscale.unit_types import Bytes, BytesPerSecond, Count, Flop, FlopPerSecond, Ratio, Seconds, Share, Tokens, Watts

__all__ = [
    "compute_of_tokens",
    "latency_limited_tokens",
    "movement_limited_chips",
    "powered_chips",
    "run_operations",
]


def powered_chips(power: Watts, power_per_chip: Watts) -> Ratio:
    r"""Chips that a site of given power feeds.

    $$n = \frac{P}{p}$$

    Parameters
    ----------
    power : W, broadcast
        Power of the site.
    power_per_chip : W, broadcast
        Power per chip with all that it needs: host, network, cooling.

    Returns
    -------
    1, broadcast
        Chips, not rounded.

    Assumptions
    -----------
    All of the power goes to these chips and what serves them.

    References
    ----------
    Derivation: power over power per chip; Epoch AI, Can AI scaling continue through 2030?, 2024, has 1700 W for an H100.

    Examples
    --------
    >>> round(powered_chips(1e9, 1700.0))
    588235
    """
    return power / power_per_chip


def run_operations(chips: Count, peak: FlopPerSecond, utilisation: Share, duration: Seconds) -> Flop:
    r"""Compute of a training run.

    $$C = n\,F\,u\,T$$

    Parameters
    ----------
    chips : 1, broadcast
        Chips.
    peak : flop/s, broadcast
        Peak rate of a chip.
    utilisation : 1, broadcast
        Model FLOP utilisation.
    duration : s, broadcast
        Length of the run.

    Returns
    -------
    flop, broadcast
        Training compute.

    Assumptions
    -----------
    No interruptions, or they are in the utilisation.

    References
    ----------
    Derivation: chips times rate times time.

    Examples
    --------
    A gigawatt of H100 for 90 days at 40 %.

    >>> run_operations(588235.0, 989e12, 0.4, 90.0 * 86400.0)
    1.8095e+27
    """
    return chips * peak * utilisation * duration


def latency_limited_tokens(duration: Seconds, batch_tokens: Tokens, layers: Count, layer_latency: Seconds) -> Tokens:
    r"""Tokens that a run can train on at most, however many chips there are.

    $$D = \frac{T\,B}{2\,l\,t}$$

    Parameters
    ----------
    duration : s, broadcast
        Length of the run.
    batch_tokens : token, broadcast
        Tokens of a batch.
    layers : 1, broadcast
        Layers of the model.
    layer_latency : s, broadcast
        Time that a layer takes at least, in one direction.

    Returns
    -------
    token, broadcast
        Training tokens.

    Assumptions
    -----------
    A batch passes all layers forward and back before the next one starts; the latency of a layer does not fall with more chips.

    References
    ----------
    Derivation: batches in the time, times their tokens; the argument is that of Erdil, Schneider-Joseph, Data movement limits to frontier
    model training, arXiv 2411.01137, 2024.

    Examples
    --------
    >>> latency_limited_tokens(90.0 * 86400.0, 4e6, 120.0, 40e-6)
    3.24e+15
    """
    return duration * batch_tokens / (2.0 * layers * layer_latency)


def compute_of_tokens(tokens: Count, tokens_per_parameter: Ratio, operations: Ratio = 6.0) -> Ratio:
    r"""Training compute of given tokens at a ratio of tokens to parameters.

    $$C = \frac{6\,D^2}{M}$$

    Parameters
    ----------
    tokens : 1, broadcast
        Training tokens.
    tokens_per_parameter : 1, broadcast
        Training tokens per parameter, above 0.
    operations : 1, broadcast
        Operations per parameter and token, forward and backward.

    Returns
    -------
    1, broadcast
        Training compute in flop, as a pure number.

    Assumptions
    -----------
    See `training_operations`.

    References
    ----------
    Derivation: six operations per token and parameter, with D / M parameters.

    Examples
    --------
    The latency wall: 3.24e15 tokens at 20 per parameter.

    >>> compute_of_tokens(3.24e15, 20.0)
    3.15e+30
    """
    return operations * tokens / tokens_per_parameter * tokens


def movement_limited_chips(
    batch_tokens: Count,
    width: Count,
    inner_width: Count,
    element_size: Bytes,
    peak: FlopPerSecond,
    bandwidth: BytesPerSecond,
    multiply_add: Flop = 2.0,
) -> Ratio:
    r"""Chips among which a multiply can be spread before moving data takes longer than computing.

    $$n = B\,d\,f \left(\frac{2\,W}{3\,s\,F}\right)^3$$

    Parameters
    ----------
    batch_tokens : 1, broadcast
        Tokens of a batch.
    width : 1, broadcast
        Width of the model: rows of the weights.
    inner_width : 1, broadcast
        Columns of the weights.
    element_size : byte, broadcast
        Size of an element.
    peak : flop/s, broadcast
        Rate that a chip reaches.
    bandwidth : byte/s, broadcast
        Bandwidth of a chip to the others.
    multiply_add : flop, broadcast
        Operations of a multiply-add.

    Returns
    -------
    1, broadcast
        Chips.

    Assumptions
    -----------
    The product is cut into cubes, one a chip, and every chip moves the three faces of its cube once: the least that any spreading moves.

    References
    ----------
    Derivation: 3 s (B d f / n)^(2/3) / W against 2 B d f / (n F); the bound on the faces is that of Irony, Toledo, Tiskin, Journal of
    Parallel and Distributed Computing 64(9), 2004.

    Examples
    --------
    A batch of 4e6 tokens through weights of 16384 x 65536, in bf16, at 400e12 flop/s and 450 GB/s.

    >>> round(movement_limited_chips(4e6, 16384.0, 65536.0, 2.0, 400e12, 450e9))
    226492
    """
    return batch_tokens * width * inner_width * (multiply_add * bandwidth / (3.0 * element_size * peak)) ** 3.0
