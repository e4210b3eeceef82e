"""Bandwidth across the middle of a network, and what it leaves each participant."""

from collections.abc import Sequence

from nvscale.ops import floor, log, maximum, minimum
from nvscale.unit_types import BytesPerSecond, Count, Ratio, Share

__all__ = [
    "dragonfly_bisection_bandwidth",
    "full_mesh_bisection_bandwidth",
    "hypercube_bisection_bandwidth",
    "oversubscribed_bandwidth",
    "switched_bisection_bandwidth",
    "torus_bisection_bandwidth",
    "uneven_torus_bisection_bandwidth",
    "uniform_traffic_bandwidth",
]


def switched_bisection_bandwidth(participants: Count, bandwidth: BytesPerSecond, oversubscription: Ratio = 1.0) -> BytesPerSecond:
    r"""Bisection bandwidth of chips on a switch or fat tree.

    $$B_{bis} = \frac{n B}{2 s}$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.

    Returns
    -------
    byte/s, broadcast
        Bandwidth across the worst cut into halves, one way.

    Assumptions
    -----------
    The switches are not oversubscribed above the given ratio; an even number of chips.

    References
    ----------
    Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, chapter 3 (cuts and bisections).

    Examples
    --------
    72 chips of 900 GB/s on one tier of switches.

    >>> switched_bisection_bandwidth(72.0, 900e9) / 1e12
    32.4
    """
    return participants * bandwidth / (2.0 * oversubscription)


def full_mesh_bisection_bandwidth(participants: Count, bandwidth: BytesPerSecond) -> BytesPerSecond:
    r"""Bisection bandwidth of chips with one link to every other chip.

    $$B_{bis} = \left\lfloor \frac{n^2}{4} \right\rfloor \frac{B}{n-1}$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.

    Returns
    -------
    byte/s, broadcast
        Bandwidth across the worst cut into halves, one way.

    Assumptions
    -----------
    The bandwidth of a chip is split evenly over its n - 1 links; 0 for one chip.

    References
    ----------
    Derivation: n/2 times n/2 links of B/(n-1) cross the cut.

    Examples
    --------
    Eight chips with seven links of 64 GB/s.

    >>> full_mesh_bisection_bandwidth(8.0, 448e9) / 1e12
    1.024
    """
    return floor(participants * participants / 4.0) * bandwidth / maximum(participants - 1.0, 1.0)


def torus_bisection_bandwidth(participants: Count, dimensions: Count, bandwidth: BytesPerSecond) -> BytesPerSecond:
    r"""Bisection bandwidth of a torus of equal sides; of a ring with one dimension.

    $$B_{bis} = n^{1 - 1/d}\,\frac{B}{d}$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.
    dimensions : 1, broadcast
        Dimensions d; 1 is a ring.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.

    Returns
    -------
    byte/s, broadcast
        Bandwidth across the worst cut into halves, one way.

    Assumptions
    -----------
    Sides above 2 and even; wrap-around links in every dimension. A ring keeps B, whatever its length.

    References
    ----------
    Derivation: a cut across one dimension meets 2 n/k = 2 n^(1-1/d) links of B/(2d) each.
    Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, chapter 5 (4 N/k channels, counted both ways).

    Examples
    --------
    16 x 16 x 16 chips with six links of 45 GB/s; Google publishes 24 TB/s for this pod.

    >>> torus_bisection_bandwidth(4096.0, 3.0, 270e9) / 1e12
    23.04
    """
    return participants ** (1.0 - 1.0 / dimensions) * bandwidth / dimensions


def uneven_torus_bisection_bandwidth(sides: Sequence[Count], bandwidth: BytesPerSecond) -> BytesPerSecond:
    r"""Bisection bandwidth of a torus of given sides.

    $$B_{bis} = \frac{\prod_i k_i}{\max_i k_i}\,\frac{B}{d}$$

    Parameters
    ----------
    sides : sequence of 1, broadcast
        Chips along each dimension.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.

    Returns
    -------
    byte/s, broadcast
        Bandwidth across the worst cut into halves, one way.

    Assumptions
    -----------
    Sides above 2; wrap-around links in every dimension, links of one bandwidth; the longest side even.

    References
    ----------
    Derivation: as `torus_bisection_bandwidth`, cut across the longest side.

    Examples
    --------
    8 x 8 x 16 chips with six links of 45 GB/s.

    >>> uneven_torus_bisection_bandwidth([8.0, 8.0, 16.0], 270e9) / 1e12
    5.76
    """
    chips = 1.0
    for side in sides:
        chips = chips * side
    return chips / maximum(1.0, *sides) * bandwidth / len(sides)


def hypercube_bisection_bandwidth(participants: Count, bandwidth: BytesPerSecond) -> BytesPerSecond:
    r"""Bisection bandwidth of a binary hypercube.

    $$B_{bis} = \frac{n B}{2 \log_2 n}$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.

    Returns
    -------
    byte/s, broadcast
        Bandwidth across the worst cut into halves, one way.

    Assumptions
    -----------
    A power of two of chips, at least 2.

    References
    ----------
    Derivation: n/2 links of B/log2 n each join two halves.

    Examples
    --------
    >>> hypercube_bisection_bandwidth(16.0, 400e9) / 1e9
    800.0
    """
    return participants * bandwidth * log(2.0) / (2.0 * log(participants))


def dragonfly_bisection_bandwidth(
    groups: Count,
    routers_per_group: Count,
    global_links_per_router: Count,
    link_bandwidth: BytesPerSecond,
) -> BytesPerSecond:
    r"""Bisection bandwidth of a dragonfly, over the links between its groups.

    $$B_{bis} = \left\lfloor \frac{g^2}{4} \right\rfloor \frac{a h}{g - 1}\,B_{link}$$

    Parameters
    ----------
    groups : 1, broadcast
        Groups g.
    routers_per_group : 1, broadcast
        Routers a of a group.
    global_links_per_router : 1, broadcast
        Links h of a router to other groups.
    link_bandwidth : byte/s, broadcast
        Bandwidth of one link between groups, one way.

    Returns
    -------
    byte/s, broadcast
        Bandwidth across the worst cut into halves, one way.

    Assumptions
    -----------
    Links spread evenly over all pairs of groups; the cut runs between groups, and the links inside groups do not limit.

    References
    ----------
    Derivation: each of floor(g²/4) pairs of groups across the cut has a h/(g-1) links; groups as in
    Kim, Dally, Scott, Abts, "Technology-Driven, Highly-Scalable Dragonfly Topology", ISCA 2008, section 3.

    Examples
    --------
    >>> dragonfly_bisection_bandwidth(33.0, 8.0, 4.0, 25e9) / 1e12
    6.8
    """
    pairs = floor(groups * groups / 4.0)
    return pairs * routers_per_group * global_links_per_router / maximum(groups - 1.0, 1.0) * link_bandwidth


def uniform_traffic_bandwidth(participants: Count, bandwidth: BytesPerSecond, bisection_bandwidth: BytesPerSecond) -> BytesPerSecond:
    r"""Bandwidth of each chip under uniform (all-to-all) traffic, limited by itself or by the bisection.

    $$B_{eff} = \min\left(B, \frac{4 B_{bis}}{n}\right)$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.
    bisection_bandwidth : byte/s, broadcast
        Bisection bandwidth, one way.

    Returns
    -------
    byte/s, broadcast
        All traffic of one chip, one way.

    Assumptions
    -----------
    Every byte goes to a random chip, the sender included; half of all traffic crosses the cut, a quarter each way.

    References
    ----------
    Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, chapter 3
    (throughput bound by the bisection under uniform traffic).

    Examples
    --------
    >>> uniform_traffic_bandwidth(4096.0, 270e9, 23.04e12) / 1e9
    22.5
    """
    return minimum(bandwidth, 4.0 * bisection_bandwidth / participants)


def oversubscribed_bandwidth(bandwidth: BytesPerSecond, oversubscription: Ratio, crossing_share: Share = 1.0) -> BytesPerSecond:
    r"""Bandwidth of each host behind an oversubscribed tier when a share of its traffic crosses that tier.

    $$B_{eff} = \frac{B}{\max(1, s\,x)}$$

    Parameters
    ----------
    bandwidth : byte/s, broadcast
        Bandwidth of each chip over all its links together, one way.
    oversubscription : 1, broadcast
        Bandwidth of the ports toward hosts over that of the uplinks of a leaf switch, at least 1.
    crossing_share : 1, broadcast
        Share x of the traffic that crosses the tier.

    Returns
    -------
    byte/s, broadcast
        All traffic of one host, one way.

    Assumptions
    -----------
    All hosts send at the same time; the tier is shared fairly.

    References
    ----------
    Derivation: the uplinks carry B/s for each host, which needs x B_eff.

    Examples
    --------
    A ratio of 7, but only a tenth of the traffic leaves the leaf: nothing is lost.

    >>> oversubscribed_bandwidth(50e9, 7.0, 0.1) / 1e9, oversubscribed_bandwidth(50e9, 7.0, 0.5) / 1e9
    (50.0, 14.285714)
    """
    return bandwidth / maximum(1.0, oversubscription * crossing_share)
