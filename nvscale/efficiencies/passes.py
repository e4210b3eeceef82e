"""Constants of element-wise and row-wise kernels."""

from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.matrix_multiplies import Sharpness
from nvscale.unit_types import Ratio, Seconds


class PassEfficiency(Efficiency):
    """Constants of one operator on one chip; the defaults are the ideal.

    Parameters
    ----------
    share_of_bandwidth : 1
        What long passes reach of the memory bandwidth.
    launch : s
        Time of the shortest pass.
    sharpness : 1
        Exponent of launch and streaming: 1 adds them.
    row_double : 1
        Length of a reduced row at which the traffic has doubled.
    cache_gain : 1
        How many times faster the cache is than memory.
    """

    share_of_bandwidth: Ratio = 1.0
    launch: Seconds = 0.0
    sharpness: Sharpness = 1.0
    row_double: Sharpness = float("inf")
    cache_gain: Ratio = 1.0
