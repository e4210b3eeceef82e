"""Constants of the power of a chip under load."""

from typing import Annotated, Any

from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.matrix_multiplies import Sharpness
from nvscale.unit_types import Watts
from nvscale.units import Unit

EnergyOfByte = Annotated[Any, Unit("J/byte", ">=0")]
EnergyOfFlop = Annotated[Any, Unit("J/flop", ">=0")]
Limit = Annotated[Any, Unit("W", infinite=True)]


class PowerEfficiency(Efficiency):
    """What one class of load draws on one chip; without figures of its own it draws nothing.

    Parameters
    ----------
    static : W
        Power drawn while anything runs: leakage, clocks, idle lanes; more than the power of an idle chip.
    energy_per_byte : J/byte
        Energy of a byte from memory.
    energy_per_operation : J/flop
        Energy of one operation in 16 bit; in other formats, as much less as their peak rate is higher.
    power_limit : W
        Power above which the clock is lowered.
    sharpness : 1
        Exponent of the corner at the limit.
    waiting : W
        Power that is missing where chips wait for the one with the most tokens, at one token for the experts of a chip.
    """

    static: Watts = 0.0
    energy_per_byte: EnergyOfByte = 0.0
    energy_per_operation: EnergyOfFlop = 0.0
    power_limit: Limit = float("inf")
    sharpness: Sharpness = float("inf")
    waiting: Watts = 0.0
