"""What the collectives formulas share."""

from nvscale.ops import log
from nvscale.unit_types import Bytes, Count, Ratio


def log2(participants: Count) -> Ratio:
    """Steps of a doubling algorithm."""
    return log(participants) / log(2.0)


def moved_bytes(message_size: Bytes, participants: Count) -> Bytes:
    """Bytes that leave each participant in one all-gather or reduce-scatter: all but its own shard."""
    return message_size * (participants - 1.0) / participants


def torus_hops(participants: Count, dimensions: Count) -> Ratio:
    """Hops to the farthest chip of a torus of equal even sides: half a side in each dimension."""
    return dimensions * participants ** (1.0 / dimensions) / 2.0
