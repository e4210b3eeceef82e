"""Matrix products of a shard, forward and backward, and the pairs that attention scores."""

from nvscale.ops import minimum, sqrt
from nvscale.unit_types import Count, Flop, FlopPerSecond, PerSecond, Ratio, Seconds, Share

__all__ = ["backward_product_time", "forward_product_time", "fourth_power_sum", "scored_pairs"]


def fourth_power_sum(a: Seconds, b: Seconds) -> Seconds:
    r"""Time of two activities that overlap, with a rounded corner where both are equally long: their 4-norm.

    $$t = \left(a^4 + b^4\right)^{1/4}$$

    Parameters
    ----------
    a : s, broadcast
        Time of one activity alone.
    b : s, broadcast
        Time of the other alone.

    Returns
    -------
    s, broadcast
        Time of both together, from the longer one to 2^(1/4) times it.

    Assumptions
    -----------
    Away from the corner the longer one alone counts. Between 1e-75 s and 1e75 s no power overflows or vanishes.

    References
    ----------
    Derivation: `overheads.smooth_maximum` of two times at p = 4, by squares and square roots, which are the fastest on arrays.

    Examples
    --------
    Two equal times: 19 % above either.

    >>> round(fourth_power_sum(1.0, 1.0), 4)
    1.1892
    """
    a, b = a * a, b * b
    return sqrt(sqrt(a * a + b * b))


def forward_product_time(
    rows: Count,
    inner: Count,
    columns: Count,
    rate: FlopPerSecond,
    half_length: Ratio,
    tile_area: Ratio,
    element_rate: PerSecond,
    multiply_add: Flop = 2.0,
) -> Seconds:
    r"""Time of one matrix product of the forward pass: activations times weights.

    $$t = \left(t_c^4 + t_m^4\right)^{1/4}, \qquad t_c = \frac{2 m k n}{R} \left(1 + \frac{k_0}{k}\right) \left(1 + \frac{A}{mn}\right),
    \qquad t_m = \frac{mk + kn + mn}{E}$$

    Parameters
    ----------
    rows : 1, broadcast
        Rows m of the activations: tokens.
    inner : 1, broadcast
        Inner length k of the product.
    columns : 1, broadcast
        Columns n of the weights.
    rate : flop/s, broadcast
        Rate R of long products.
    half_length : 1, broadcast
        Inner length k0 at which half of the rate is reached; 0 for none.
    tile_area : 1, broadcast
        Elements A of the product that one wave of tiles computes, times the share of a last wave that is felt; 0 for none.
    element_rate : 1/s, broadcast
        Elements E that the memory moves per second: bandwidth over bytes of an element.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    s, broadcast
        Time of the product.

    Assumptions
    -----------
    Each of the three matrices crosses the memory once; the last wave of tiles is filled at random, so that its loss falls with the
    number of waves instead of jumping.

    References
    ----------
    Derivation: roofline with a rounded corner. The inner length enters by Hockney's half-length (Hockney, Jesshope, "Parallel
    Computers", 1981, section 1.3): a start of k0 multiplies per tile. One wave more in mn/A waves is a share A/(mn).

    Examples
    --------
    A cube of 8192 at 600 TFLOP/s: 1.83 ms, and 1 % more with a half-length of 90.

    >>> cube = dict(rows=8192.0, inner=8192.0, columns=8192.0, rate=600e12, tile_area=0.0, element_rate=1.6e12)
    >>> [round(forward_product_time(half_length=k, **cube) * 1e3, 3) for k in (0.0, 90.0)]
    [1.833, 1.853]
    """
    compute = (multiply_add * rows * inner * columns / rate) * (1.0 + half_length / inner) * (1.0 + tile_area / (rows * columns))
    return fourth_power_sum(compute, (rows * inner + inner * columns + rows * columns) / element_rate)


def backward_product_time(
    rows: Count,
    inner: Count,
    columns: Count,
    rate: FlopPerSecond,
    half_length: Ratio,
    tile_area: Ratio,
    element_rate: PerSecond,
    frozen: Share = 0.0,
    multiply_add: Flop = 2.0,
) -> Seconds:
    r"""Time of the two products of the backward pass that belong to one of the forward pass: gradients of activations and of weights.

    $$t = \left(t_x^4 + t_m^4\right)^{1/4} + (1 - z) \left(t_w^4 + t_m^4\right)^{1/4}, \qquad t_m = \frac{mk + kn + mn}{E}$$

    $$t_x = \frac{2 m k n}{R} \left(1 + \frac{k_0}{n}\right) \left(1 + \frac{A}{mk}\right), \qquad
    t_w = \frac{2 m k n}{R} \left(1 + \frac{k_0}{m}\right) \left(1 + \frac{A}{kn}\right)$$

    Parameters
    ----------
    rows : 1, broadcast
        Rows m of the activations: tokens.
    inner : 1, broadcast
        Inner length k of the forward product.
    columns : 1, broadcast
        Columns n of the weights.
    rate : flop/s, broadcast
        Rate R of long products.
    half_length : 1, broadcast
        Inner length k0 at which half of the rate is reached; 0 for none.
    tile_area : 1, broadcast
        Elements A of the product that one wave of tiles computes, times the share of a last wave that is felt; 0 for none.
    element_rate : 1/s, broadcast
        Elements E that the memory moves per second: bandwidth over bytes of an element.
    frozen : 1, broadcast
        Share z of the weights that get no gradient.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    s, broadcast
        Time of both products, one after the other.

    Assumptions
    -----------
    As in `forward_product_time`; gradients are read and written in the format of the activations.

    References
    ----------
    Derivation: of Y = X W follow the gradients G Wᵀ, of inner length n and m x k elements, and Xᵀ G, of inner length m and k x n
    elements. Each has the work and the three matrices of the forward product.

    Examples
    --------
    Of a cube, twice the forward product; with frozen weights once.

    >>> cube = (4096.0, 4096.0, 4096.0, 600e12, 90.0, 0.0, 1.6e12)
    >>> [backward_product_time(*cube, frozen) / forward_product_time(*cube) for frozen in (0.0, 1.0)]
    [2.0, 1.0]
    """
    work = multiply_add * rows * inner * columns / rate
    memory = (rows * inner + inner * columns + rows * columns) / element_rate
    data = work * (1.0 + half_length / columns) * (1.0 + tile_area / (rows * inner))
    weights = work * (1.0 + half_length / rows) * (1.0 + tile_area / (inner * columns))
    return fourth_power_sum(data, memory) + (1.0 - frozen) * fourth_power_sum(weights, memory)


def scored_pairs(sequence: Count, window: Count) -> Ratio:
    r"""Pairs of query and key that causal attention scores in one sequence, in one head.

    $$P = w \left(s - \frac{w}{2}\right), \qquad w = \min(W, s)$$

    Parameters
    ----------
    sequence : 1, broadcast
        Tokens s of the sequence.
    window : 1, broadcast
        Keys W that a query sees at most, itself among them; the sequence or more for full causal attention.

    Returns
    -------
    1, broadcast
        Pairs: half of s² without a window.

    Assumptions
    -----------
    Kernels skip what the mask hides; the diagonal counts half.

    References
    ----------
    Derivation: the first w queries see a triangle of w²/2 pairs, each of the s - w later ones w keys; the pairs behind
    `attention.windowed_attention_flop`.

    Examples
    --------
    Of 8192 tokens, half of the square; with a window of 4096, three quarters of that.

    >>> scored_pairs(8192.0, 8192.0) / 8192.0**2, scored_pairs(8192.0, 4096.0) / 8192.0**2
    (0.5, 0.375)
    """
    seen = minimum(window, sequence)
    return seen * (sequence - 0.5 * seen)
