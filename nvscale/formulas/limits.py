"""Floors and walls: least energy of erasing a bit, and how much serial training fits into a time.

`BOLTZMANN` is the Boltzmann constant in J/K. It is exact since the SI of 2019 defines the kelvin
by it (SI brochure, 9th edition, 2019, table 1); pass it to `landauer_energy`.
"""

from nvscale.ops import log
from nvscale.unit_types import Count, Joules, JoulesPerKelvin, Kelvins, Ratio, Seconds, Tokens

__all__ = [
    "landauer_energy",
    "latency_limited_tokens",
]

BOLTZMANN = 1.380649e-23
"""Boltzmann constant, J/K: exact by definition (SI brochure, 9th edition, 2019, table 1)."""


def landauer_energy(temperature: Kelvins, boltzmann: JoulesPerKelvin, bits: Ratio = 1.0) -> Joules:
    r"""Least energy that erasing bits turns into heat.

    $$E = n\,k T \ln 2$$

    Parameters
    ----------
    temperature : K, broadcast
        Temperature of the surroundings.
    boltzmann : J/K, broadcast
        Boltzmann constant, `limits.BOLTZMANN`.
    bits : 1, broadcast
        Number of bits erased.

    Returns
    -------
    J, broadcast
        Energy floor of irreversible logic.

    Assumptions
    -----------
    Equally likely bit values; reversible computing is not bound by it.

    References
    ----------
    R. Landauer, "Irreversibility and Heat Generation in the Computing Process", IBM Journal of Research and Development 5(3), 1961.

    Examples
    --------
    >>> landauer_energy(300.0, BOLTZMANN)
    2.871e-21
    """
    return bits * boltzmann * temperature * log(2.0)


def latency_limited_tokens(training_time: Seconds, batch: Tokens, layers: Count, layer_time: Seconds) -> Tokens:
    r"""Most tokens that can be trained on in a time, when each layer needs a least time however many chips share it.

    $$D_{max} = \frac{T\,B}{2\,l\,t_l}$$

    Parameters
    ----------
    training_time : s, broadcast
        Time allowed for the training run.
    batch : token, broadcast
        Largest useful batch (the critical batch), in tokens.
    layers : 1, broadcast
        Layers passed one after another.
    layer_time : s, broadcast
        Least time of one pass through one layer: latency of kernels and of communication.

    Returns
    -------
    token, broadcast
        Tokens.

    Assumptions
    -----------
    One forward and one backward pass through all layers per step, each of the same least time; steps cannot overlap.

    References
    ----------
    Derivation: a step takes at least 2 l t_l and trains on B tokens. The idea of a latency wall is that of Erdil and
    Schneider-Joseph, arXiv 2411.01137, 2024.

    Examples
    --------
    90 days, 4 million tokens a batch, 120 layers of 40 us.

    >>> round(latency_limited_tokens(90 * 86400.0, 4e6, 120.0, 40e-6) / 1e15, 2)
    3.24
    """
    return training_time * batch / (2.0 * layers * layer_time)
