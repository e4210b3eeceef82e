"""Fused mixture-of-experts layers: experts touched, loads of the ranks, work and traffic."""

from nvscale.ops import log, maximum, minimum, sqrt, where
from nvscale.unit_types import Bytes, Count, Flop, Ratio, Seconds

__all__ = [
    "balanced_rank_experts",
    "balanced_rank_pairs",
    "distinct_experts",
    "expert_activation_traffic",
    "expert_flop",
    "expert_weight_size",
    "largest_load_weight",
    "power_law_moment",
    "routing_time",
    "skewed_distinct_experts",
    "skewed_rank_experts",
    "skewed_rank_pairs",
]


def distinct_experts(tokens: Count, experts: Count, top_k: Count) -> Ratio:
    r"""Expected experts that get at least one token when every token chooses its k at random.

    $$A = E \left(1 - \left(1 - \frac{k}{E}\right)^T\right)$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    experts : 1, broadcast
        Experts E of the layer.
    top_k : 1, broadcast
        Experts k that each token chooses.

    Returns
    -------
    1, broadcast
        Expected number of experts in use.

    Assumptions
    -----------
    Each token chooses k different experts, all alike, and independently of the other tokens.

    References
    ----------
    Derivation: an expert is missed by one token with probability 1 - k/E, by all with its T-th power (occupancy).

    Examples
    --------
    64 tokens of top 8 already use 87 % of 256 experts.

    >>> round(distinct_experts(64.0, 256.0, 8.0), 1)
    222.4
    """
    return experts * (1.0 - (1.0 - top_k / experts) ** tokens)


def power_law_moment(order: Ratio, low: Ratio, high: Ratio, exponent: Ratio, lower: Ratio, upper: Ratio) -> Ratio:
    r"""Partial moment of a power-law density on an interval.

    $$\int_{a}^{b} x^p f(x)\,dx, \qquad f(x) = \frac{(1 - \alpha)\,x^{-\alpha}}{h^{1-\alpha} - l^{1-\alpha}}$$

    Parameters
    ----------
    order : 1, broadcast
        Power p of the moment.
    low : 1, broadcast
        Least value, above 0.
    high : 1, broadcast
        Largest value.
    exponent : 1, broadcast
        Exponent of the density; neither 1 nor order + 1.
    lower : 1, broadcast
        Where the integral starts.
    upper : 1, broadcast
        Where it ends.

    Returns
    -------
    1, broadcast
        The integral from lower to upper, both clipped to the interval.

    Assumptions
    -----------
    Positive interval, exponent away from the two poles.

    References
    ----------
    Derivation: integral of a power.

    Examples
    --------
    All of the density lies in the interval.

    >>> power_law_moment(0.0, 1.0, 50.0, 1.2, 1.0, 50.0)
    1.0
    """
    a = minimum(maximum(lower, low), high)
    b = minimum(maximum(upper, low), high)
    norm = (1.0 - exponent) / (high ** (1.0 - exponent) - low ** (1.0 - exponent))
    power = order + 1.0 - exponent
    return norm * (b**power - a**power) / power


def largest_load_weight(tokens: Count, experts: Count, top_k: Count) -> Ratio:
    r"""Largest weight of the power law from which skewed loads are drawn.

    $$h = 0.8\,T \text{ if } kT > E, \text{ else } 2$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    experts : 1, broadcast
        Experts E of the layer.
    top_k : 1, broadcast
        Experts k that each token chooses.

    Returns
    -------
    1, broadcast
        Upper end of the weights.

    Assumptions
    -----------
    The generator of the published measurements; from 1 on with many tokens, from 0.01 with few.

    References
    ----------
    NVIDIA, aiconfigurator, 2025, collector of the mixture-of-experts kernels: routing "power_law".

    Examples
    --------
    >>> largest_load_weight(1000.0, 256.0, 8.0)
    800.0
    """
    return where(tokens * top_k > experts, maximum(0.8 * tokens, 1.0001), 2.0)


def skewed_distinct_experts(tokens: Count, experts: Count, top_k: Count, exponent: Ratio) -> Ratio:
    r"""Expected experts that get at least one token when the loads of the experts follow a power law.

    $$A = E \Pr\left(s x > \tfrac12\right) + \max(0, O) + \max(0, D), \qquad A \le \min(E, kT), \quad s = \frac{kT}{E\,\mathrm{E}[x]}$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    experts : 1, broadcast
        Experts E of the layer.
    top_k : 1, broadcast
        Experts k that each token chooses.
    exponent : 1, broadcast
        Exponent of the power law of the loads; not 1, 2 or 3.

    Returns
    -------
    1, broadcast
        Expected number of experts in use, between k and the smaller of E and kT.

    Assumptions
    -----------
    Loads are drawn from the power law, scaled to kT and rounded; what exceeds T (O) and what rounding loses (D) goes to the emptiest
    experts. Within 1 % of the sampled generator on average and 9 % at worst, for exponent 1.2.

    References
    ----------
    Derivation: expected values under the density of `power_law_moment` on [1, 0.8 T], or [0.01, 2] where kT is at most E.

    Examples
    --------
    32 tokens of top 8 use 84 % of 128 experts.

    >>> round(skewed_distinct_experts(32.0, 128.0, 8.0, 1.2) / 128.0, 2)
    0.84
    """
    low = where(tokens * top_k > experts, 1.0, 0.01)
    high = largest_load_weight(tokens, experts, top_k)
    scale = top_k * tokens / (experts * power_law_moment(1.0, low, high, exponent, low, high))
    cap, half, one_half = tokens / scale, 0.5 / scale, 1.5 / scale
    above_cap = power_law_moment(0.0, low, high, exponent, cap, high)
    overflow = scale * power_law_moment(1.0, low, high, exponent, cap, high) - tokens * above_cap
    used = power_law_moment(0.0, low, high, exponent, half, high)
    rounded = power_law_moment(0.0, low, high, exponent, half, one_half)
    deficit = scale * power_law_moment(1.0, low, high, exponent, low, one_half) - rounded
    distinct = experts * (used + maximum(overflow, 0.0) + maximum(deficit, 0.0))
    return maximum(minimum(distinct, experts, top_k * tokens), minimum(top_k, experts))


def skewed_rank_pairs(tokens: Count, experts: Count, top_k: Count, expert_parallel: Count, exponent: Ratio, spread: Ratio) -> Ratio:
    r"""Expected pairs of token and expert on the busiest rank when the loads follow a power law.

    $$L = \frac{kT}{n}\left(1 + z\,c_v \sqrt{\frac{2 \ln n}{E/n}}\right), \qquad 1 \le L \le \frac{E}{n} T$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    experts : 1, broadcast
        Experts E of the layer.
    top_k : 1, broadcast
        Experts k that each token chooses.
    expert_parallel : 1, broadcast
        Ranks n over which the experts are spread.
    exponent : 1, broadcast
        Exponent of the power law of the loads; not 1, 2 or 3.
    spread : 1, broadcast
        How far the hottest rank is from the mean, in units of the extreme-value formula.

    Returns
    -------
    1, broadcast
        Pairs on the busiest rank, kT on a single one.

    Assumptions
    -----------
    Loads are capped at T; a rank holds E/n experts in a row. 10 to 15 % from the sampled generator on average, far more for one or
    two tokens on many ranks.

    References
    ----------
    Derivation: the largest of n normal sums of E/n loads lies about sqrt(2 ln n) standard deviations above their mean.

    Examples
    --------
    Sixteen ranks: the busiest holds 2.1 times its share.

    >>> round(skewed_rank_pairs(1024.0, 256.0, 8.0, 16.0, 1.2, 0.95) / (8.0 * 1024.0 / 16.0), 1)
    2.1
    """
    low = where(tokens * top_k > experts, 1.0, 0.01)
    high = largest_load_weight(tokens, experts, top_k)
    mean = power_law_moment(1.0, low, high, exponent, low, high)
    cap = experts * mean / top_k
    above = power_law_moment(0.0, low, high, exponent, cap, high)
    capped_mean = power_law_moment(1.0, low, high, exponent, low, cap) + cap * above
    capped_square = power_law_moment(2.0, low, high, exponent, low, cap) + cap * cap * above
    variance = maximum(capped_square - capped_mean * capped_mean, 0.0) / (mean * mean) * (1.0 - 1.0 / expert_parallel)
    local = experts / expert_parallel
    share = minimum((1.0 + spread * sqrt(2.0 * variance * log(expert_parallel) / local)) / expert_parallel, 1.0)
    return maximum(minimum(share * top_k * tokens, local * tokens), 1.0)


def skewed_rank_experts(distinct: Ratio, pairs: Ratio, tokens: Count, experts: Count, top_k: Count, expert_parallel: Count) -> Ratio:
    r"""Expected experts in use on the busiest rank.

    $$A_1 = \min\left(\frac{E}{n}, L, \frac{A}{n}\left(\frac{L\,n}{kT}\right)^g\right),
    \qquad g = \frac12 + \frac12 \left(\frac{A}{kT}\right)^2$$

    Parameters
    ----------
    distinct : 1, broadcast
        Experts in use on all ranks.
    pairs : 1, broadcast
        Pairs of token and expert on the busiest rank.
    tokens : 1, broadcast
        Tokens T of the batch.
    experts : 1, broadcast
        Experts E of the layer.
    top_k : 1, broadcast
        Experts k that each token chooses.
    expert_parallel : 1, broadcast
        Ranks n over which the experts are spread.

    Returns
    -------
    1, broadcast
        Experts in use on that rank, all of them on a single one.

    Assumptions
    -----------
    A rank is busy because more of its experts are used (few tokens: g = 1) or because they are used more (many: g = 1/2).

    References
    ----------
    Derivation: interpolation between both limits.

    Examples
    --------
    >>> skewed_rank_experts(200.0, 8192.0, 1024.0, 256.0, 8.0, 1.0)
    200.0
    """
    ratio = pairs * expert_parallel / (top_k * tokens)
    power = 0.5 + 0.5 * (distinct / (top_k * tokens)) ** 2.0
    local = minimum(experts / expert_parallel, pairs, distinct / expert_parallel * ratio**power)
    return where(expert_parallel > 1.0, maximum(local, 1.0), distinct)


def balanced_rank_pairs(tokens: Count, top_k: Count, expert_parallel: Count) -> Ratio:
    r"""Pairs of token and expert on one rank when the loads are even.

    $$L = \max\left(1, \frac{kT}{n}\right)$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    top_k : 1, broadcast
        Experts k that each token chooses.
    expert_parallel : 1, broadcast
        Ranks n over which the experts are spread.

    Returns
    -------
    1, broadcast
        Pairs on a rank, at least one.

    Assumptions
    -----------
    Every rank gets the same.

    References
    ----------
    Derivation: kT pairs over n ranks.

    Examples
    --------
    >>> balanced_rank_pairs(1024.0, 8.0, 16.0)
    512.0
    """
    return maximum(top_k * tokens / expert_parallel, 1.0)


def balanced_rank_experts(pairs: Ratio, experts: Count, expert_parallel: Count) -> Ratio:
    r"""Experts in use on one rank when the tokens are dealt out evenly.

    $$A = \min\left(\frac{E}{n}, L\right)$$

    Parameters
    ----------
    pairs : 1, broadcast
        Pairs of token and expert on the rank.
    experts : 1, broadcast
        Experts E of the layer.
    expert_parallel : 1, broadcast
        Ranks n over which the experts are spread.

    Returns
    -------
    1, broadcast
        Experts in use on the rank.

    Assumptions
    -----------
    Tokens are dealt to as many experts as there are, the worst case for the traffic of the weights, not at random.

    References
    ----------
    Derivation: an expert is used again only when all have been.

    Examples
    --------
    >>> balanced_rank_experts(8.0, 256.0, 16.0), balanced_rank_experts(512.0, 256.0, 16.0)
    (8.0, 16.0)
    """
    return minimum(experts / expert_parallel, pairs)


def expert_flop(pairs: Ratio, hidden: Count, intermediate: Count, multiply_add: Flop = 2.0) -> Flop:
    r"""Work of gated experts: two multiplies in, one out.

    $$W = 3\,m\,h\,i\,L = 6\,h\,i\,L$$

    Parameters
    ----------
    pairs : 1, broadcast
        Pairs of token and expert.
    hidden : 1, broadcast
        Elements h of a token.
    intermediate : 1, broadcast
        Elements i between the two multiplies of an expert, on this rank.
    multiply_add : flop, broadcast
        Work of one multiply with its add.

    Returns
    -------
    flop, broadcast
        Work of the three multiplies.

    Assumptions
    -----------
    Gated experts (SwiGLU) without padding to tiles; the activation is not counted.

    References
    ----------
    Shazeer, "GLU Variants Improve Transformer", 2020, equation (6); DeepSeek-AI, "DeepSeek-V3", 2024, section 2.1.2.

    Examples
    --------
    One token through eight experts of DeepSeek-V3.

    >>> expert_flop(8.0, 7168.0, 2048.0) / 1e6
    704.6
    """
    return 3.0 * multiply_add * hidden * intermediate * pairs


def expert_weight_size(experts: Ratio, hidden: Count, intermediate: Count, element_size: Bytes) -> Bytes:
    r"""Bytes of the weights of gated experts.

    $$Q = 3\,h\,i\,A\,w$$

    Parameters
    ----------
    experts : 1, broadcast
        Experts that count: all that are held, or those in use.
    hidden : 1, broadcast
        Elements h of a token.
    intermediate : 1, broadcast
        Elements i between the two multiplies of an expert, on this rank.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Bytes of the weights.

    Assumptions
    -----------
    Three matrices per expert; scales are counted in the bytes per element.

    References
    ----------
    Shazeer, "GLU Variants Improve Transformer", 2020, equation (6).

    Examples
    --------
    The 256 experts of a layer of DeepSeek-V3 hold 11.3 GB in fp8.

    >>> expert_weight_size(256.0, 7168.0, 2048.0, 1.0) / 1e9
    11.27
    """
    return 3.0 * hidden * intermediate * experts * element_size


def expert_activation_traffic(tokens: Count, pairs: Ratio, hidden: Count, intermediate: Count, element_size: Bytes) -> Bytes:
    r"""Traffic of the activations of gated experts, each tensor once.

    $$Q = w\left(L (2h + 3i) + T h\right)$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    pairs : 1, broadcast
        Pairs of token and expert.
    hidden : 1, broadcast
        Elements h of a token.
    intermediate : 1, broadcast
        Elements i between the two multiplies of an expert, on this rank.
    element_size : byte, broadcast
        Bytes per element.

    Returns
    -------
    byte, broadcast
        Bytes of the activations.

    Assumptions
    -----------
    Input and output of every pair, two halves into and one out of the activation, and the combined output of every token.

    References
    ----------
    Derivation: elements of the tensors between the steps.

    Examples
    --------
    >>> expert_activation_traffic(1.0, 8.0, 7168.0, 2048.0, 2.0)
    342016.0
    """
    return element_size * (pairs * (2.0 * hidden + 3.0 * intermediate) + tokens * hidden)


def routing_time(tokens: Count, growth_time: Seconds, local_experts: Count, expert_time: Seconds) -> Seconds:
    r"""Time to sort tokens by expert and to set up the grouped multiply.

    $$t = t_r \ln(1 + T) + t_e E_l$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of the batch.
    growth_time : s, broadcast
        Time that the routing gains per factor e of tokens.
    local_experts : 1, broadcast
        Experts that the rank holds.
    expert_time : s, broadcast
        Time per expert held: descriptors and schedule of the grouped multiply.

    Returns
    -------
    s, broadcast
        Time before the first multiply.

    Assumptions
    -----------
    Experts without a token cost as much as the others.

    References
    ----------
    Derivation: sorting and scanning in parallel takes rounds that grow with the logarithm; descriptors are made one by one.

    Examples
    --------
    >>> routing_time(0.0, 1e-6, 256.0, 3e-7)
    7.68e-05
    """
    return growth_time * log(1.0 + tokens) + expert_time * local_experts
