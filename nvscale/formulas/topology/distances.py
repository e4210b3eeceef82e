"""Diameters and average hops."""

from collections.abc import Sequence

from nvscale.ops import floor, log
from nvscale.unit_types import Count, Ratio

__all__ = [
    "fat_tree_diameter",
    "hypercube_diameter",
    "torus_average_hops",
    "torus_diameter",
]


def torus_diameter(sides: Sequence[Count]) -> Ratio:
    r"""Diameter of a torus: links between the two chips farthest apart; of a ring with one side.

    $$D = \sum_i \left\lfloor \frac{k_i}{2} \right\rfloor$$

    Parameters
    ----------
    sides : sequence of 1, broadcast
        Chips along each dimension.

    Returns
    -------
    1, broadcast
        Hops.

    Assumptions
    -----------
    Wrap-around links in every dimension.

    References
    ----------
    Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, chapter 5 (torus).

    Examples
    --------
    >>> torus_diameter([16.0, 16.0, 16.0])
    24.0
    """
    return 0.0 + sum(floor(side / 2.0) for side in sides)


def torus_average_hops(sides: Sequence[Count]) -> Ratio:
    r"""Mean number of links between two random chips of a torus.

    $$\bar{H} = \sum_i \frac{\lfloor k_i^2/4 \rfloor}{k_i}$$

    Parameters
    ----------
    sides : sequence of 1, broadcast
        Chips along each dimension.

    Returns
    -------
    1, broadcast
        Hops.

    Assumptions
    -----------
    Wrap-around links in every dimension; a chip may be its own partner (times n/(n-1) if not).

    References
    ----------
    Dally, Towles, "Principles and Practices of Interconnection Networks", 2004, chapter 5 (n k/4 for n dimensions of even k).

    Examples
    --------
    >>> torus_average_hops([16.0, 16.0, 16.0])
    12.0
    """
    return 0.0 + sum(floor(side * side / 4.0) / side for side in sides)


def hypercube_diameter(participants: Count) -> Ratio:
    r"""Diameter of a binary hypercube; the mean distance is half of it.

    $$D = \log_2 n$$

    Parameters
    ----------
    participants : 1, broadcast
        Chips n.

    Returns
    -------
    1, broadcast
        Hops.

    Assumptions
    -----------
    A power of two of chips.

    References
    ----------
    Derivation: the addresses differ in at most log2 n bits.

    Examples
    --------
    >>> round(hypercube_diameter(1024.0), 6)
    10.0
    """
    return log(participants) / log(2.0)


def fat_tree_diameter(levels: Count) -> Ratio:
    r"""Diameter of a fat tree: links between two hosts under different top branches.

    $$D = 2 L$$

    Parameters
    ----------
    levels : 1, broadcast
        Levels of switches.

    Returns
    -------
    1, broadcast
        Hops.

    Assumptions
    -----------
    Up to the top level and down again; the path meets 2L - 1 switches. One switch has two links.

    References
    ----------
    Derivation: one link per level up and one down.

    Examples
    --------
    >>> fat_tree_diameter(3.0)
    6.0
    """
    return 2.0 * levels
