"""Expert exchange: dispatch of tokens to their experts and combination of the results."""

from nvscale.formulas.overheads import smooth_maximum
from nvscale.ops import log, maximum, minimum, where
from nvscale.unit_types import Bytes, BytesPerSecond, Count, Ratio, Seconds

__all__ = [
    "copies_to_ranks",
    "domain_expert_exchange_time",
    "expected_copies_to_ranks",
    "expert_exchange_time",
]


def copies_to_ranks(
    participants: Count,
    fan_out: Count,
) -> Ratio:
    r"""Copies of a token that leave its participant when its experts lie on as many participants as possible.

    $$R = \min(n, k)\,\frac{n-1}{n}$$

    Parameters
    ----------
    participants : 1, broadcast
        Participants n of the group.
    fan_out : 1, broadcast
        Experts k that each token goes to.

    Returns
    -------
    1, broadcast
        Copies R of a token that leave its participant; 0 for one participant.

    Assumptions
    -----------
    Balanced routing; one copy serves all experts of one participant.

    References
    ----------
    Derivation: min(n, k) distinct participants, each of which is the own one with probability 1/n.

    Examples
    --------
    8 experts a token over 8 participants.

    >>> copies_to_ranks(8.0, 8.0)
    7.0
    """
    return minimum(participants, fan_out) * (participants - 1.0) / participants


def expected_copies_to_ranks(
    participants: Count,
    fan_out: Count,
) -> Ratio:
    r"""Copies of a token that leave its participant when its experts are drawn at random.

    $$R = (n-1)\left(1 - \left(1 - \frac{1}{n}\right)^k\right)$$

    Parameters
    ----------
    participants : 1, broadcast
        Participants n of the group.
    fan_out : 1, broadcast
        Experts k that each token goes to.

    Returns
    -------
    1, broadcast
        Expected copies of a token that leave its participant; 0 for one participant.

    Assumptions
    -----------
    Each of the k experts lies on any participant alike; one copy serves all experts of one participant.

    References
    ----------
    Derivation: expected number of the n - 1 other participants that at least one of k draws hits.

    Examples
    --------
    8 experts a token over 8 participants.

    >>> round(expected_copies_to_ranks(8.0, 8.0), 3)
    4.595
    """
    return (participants - 1.0) * (1.0 - (1.0 - 1.0 / participants) ** fan_out)


def expert_exchange_time(
    tokens: Ratio,
    hidden: Count,
    element_size: Bytes,
    participants: Count,
    fan_out: Count,
    launch: Seconds,
    token_time: Seconds,
    bandwidth: BytesPerSecond,
    sharpness: Ratio,
) -> Seconds:
    r"""Time of an expert dispatch or combine in a group whose constants are known.

    $$t = \left[t_0^q + \left(T \left(\tau + \frac{h\,w\,R}{B}\right)\right)^q\right]^{1/q}$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of each participant.
    hidden : 1, broadcast
        Hidden size h: elements of a token.
    element_size : byte, broadcast
        Bytes w of an element on the wire, its share of scales included.
    participants : 1, broadcast
        Participants n of the group.
    fan_out : 1, broadcast
        Experts k that each token goes to.
    launch : s, broadcast
        Launch t0: what one token takes.
    token_time : s, broadcast
        Routing and index work τ per token, whatever its size.
    bandwidth : byte/s, broadcast
        Rate B of all copies of one participant together, one way.
    sharpness : 1, broadcast
        Exponent q that joins launch and transfer, above 0.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    R of `expected_copies_to_ranks`: random routing. The constants hold for one kernel, one number of nodes and one kind of chip.

    References
    ----------
    Derivation: a launch, and per token the work on its indices and the bytes of its copies, joined by a norm.

    Examples
    --------
    4,096 tokens of 7,168 elements in fp8, 8 experts over 8 participants, round constants.

    >>> group = dict(participants=8.0, fan_out=8.0, launch=36e-6, token_time=2e-8, bandwidth=150e9, sharpness=1.0)
    >>> round(expert_exchange_time(4096.0, 7168.0, 1.0, **group) * 1e6)
    1017
    """
    moved = tokens * (token_time + hidden * element_size * expected_copies_to_ranks(participants, fan_out) / bandwidth)
    return where(participants > 1.0, smooth_maximum([launch, moved], sharpness), 0.0)


def domain_expert_exchange_time(
    tokens: Ratio,
    hidden: Count,
    element_size: Bytes,
    participants: Count,
    fan_out: Count,
    launch: Seconds,
    doubling: Seconds,
    bandwidth: BytesPerSecond,
    own_copy: Ratio,
    reach: Ratio,
    sharpness: Ratio,
) -> Seconds:
    r"""Time of an expert dispatch or combine inside a switched scale-up domain, for groups of any size.

    $$t = \left[\left(t_0 + t_d \log_2 \frac{n}{2}\right)^q +
    \left(T h w \frac{R + \sigma}{B} \left(\frac{n}{8}\right)^\gamma\right)^q\right]^{1/q}$$

    Parameters
    ----------
    tokens : 1, broadcast
        Tokens T of each participant.
    hidden : 1, broadcast
        Hidden size h: elements of a token.
    element_size : byte, broadcast
        Bytes w of an element on the wire, its share of scales included.
    participants : 1, broadcast
        Participants n of the group.
    fan_out : 1, broadcast
        Experts k that each token goes to.
    launch : s, broadcast
        Launch t0: what one token takes.
    doubling : s, broadcast
        Launch t_d added with each doubling of the group beyond two.
    bandwidth : byte/s, broadcast
        Rate B of all copies of one participant together, one way.
    own_copy : 1, broadcast
        Copy σ that stays: work on it as a share of a copy that leaves; may be below 0 where the own work is hidden.
    reach : 1, broadcast
        Exponent γ of the slow loss over larger groups.
    sharpness : 1, broadcast
        Exponent q that joins launch and transfer, above 0.

    Returns
    -------
    s, broadcast
        Time until every participant is done; 0 for one participant.

    Assumptions
    -----------
    R of `copies_to_ranks`: balanced routing. One set of constants from 2 to 64 participants.

    References
    ----------
    Derivation: a launch that grows with each doubling, and the bytes of the copies, joined by a norm.

    Examples
    --------
    4,096 tokens of 7,168 elements in fp8, 8 experts over 32 participants, round constants.

    >>> domain = dict(launch=10e-6, doubling=1e-6, bandwidth=500e9, own_copy=0.5, reach=0.1, sharpness=1.0)
    >>> round(domain_expert_exchange_time(4096.0, 7168.0, 1.0, 32.0, 8.0, **domain) * 1e6)
    570
    """
    size = maximum(participants, 2.0)
    moved = tokens * hidden * element_size * (copies_to_ranks(participants, fan_out) + own_copy) / bandwidth * (size / 8.0) ** reach
    start = launch + doubling * log(size / 2.0) / log(2.0)
    return where(participants > 1.0, smooth_maximum([start, moved], sharpness), 0.0)
