"""Constants of matrix multiplies and of the element-wise and row-wise kernels beside them."""

from typing import Annotated, Any

from nvscale.efficiencies.base import Efficiency
from nvscale.unit_types import Count, Ratio, Seconds
from nvscale.units import Unit

Sharpness = Annotated[Any, Unit("1", ">=1", infinite=True)]


class GemmEfficiency(Efficiency):
    """Constants of one class of matrix multiplies on one chip; the defaults are the ideal.

    Parameters
    ----------
    share_of_peak, share_of_bandwidth : 1
        What long kernels reach of the peak rate and of the memory bandwidth.
    launch : s
        Time of the shortest kernel.
    chain : s
        Time of one step of the inner loop, per element of the inner length: what a tile takes even alone.
    fill : s
        Most that filling and draining of the memory pipeline add.
    quantisation_share : 1
        Share of the bandwidth that the quantisation of activations reaches; above 1 out of the cache.
    wave_exposure : 1
        How much of the loss of a last, partly filled wave of tiles is felt: 0 none, 1 all (an exponent).
    sharpness : 1
        Exponent of the smooth maximum of compute, memory and chain.
    cache_gain : 1
        How many times faster the cache is than memory.
    cache_copies : 1
        Copies of the weights that a benchmark cycles through.
    tile_m, tile_n : 1
        Sides of the tile that waves are counted in.
    """

    share_of_peak: Ratio = 1.0
    share_of_bandwidth: Ratio = 1.0
    launch: Seconds = 0.0
    chain: Seconds = 0.0
    fill: Seconds = 0.0
    quantisation_share: Ratio = 1.0
    wave_exposure: Ratio = 0.0
    sharpness: Sharpness = float("inf")
    cache_gain: Ratio = 1.0
    cache_copies: Count = 1.0
    tile_m: Count = 128.0
    tile_n: Count = 256.0
