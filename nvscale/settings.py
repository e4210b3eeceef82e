"""What is chosen rather than built: prices, and how often a job is interrupted."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

from nvscale.errors import InvalidInput
from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.unit_types import Count, PerSecond, Seconds, Share, USDPerJoule
from nvscale.units import Unit

SHORTEST_LIFE = 30.0 * 86400.0
DEAREST_ENERGY = 10.0 / 3.6e6
DEAREST_RENT = 1000.0 / 3600.0


class Prices(Record):
    """Prices and terms that turn a purchase and a power draw into dollars per hour.

    `nvscale.prices()` gives the catalogue's defaults with their sources. With `rent`, USD per chip and time
    ("2.65 USD/h"), a system is rented: nothing is bought, and energy is in the rent.
    """

    energy_price: USDPerJoule
    discount_rate: Share
    life: Annotated[Any, Unit("s")]
    utilisation: Annotated[Any, Unit("1", "(0,1]")] = 1.0
    rent: Annotated[Any, Unit("USD/s", ">0", optional=True)] = None
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the fields, and that bare numbers were not meant in years and kilowatt-hours."""
        super().__post_init__()
        if type(self.life) is float and self.life < SHORTEST_LIFE:
            raise InvalidInput(f"Prices: life: {self.life:g} s is less than a month; a bare number is in seconds, write e.g. '5 year'")
        if type(self.energy_price) is float and self.energy_price > DEAREST_ENERGY:
            given = f"{self.energy_price:g} USD/J"
            raise InvalidInput(f"Prices: energy_price: {given} is above 10 USD/kWh; a bare number is in USD/J, write e.g. '0.08 USD/kWh'")
        if type(self.rent) is float and self.rent > DEAREST_RENT:
            given = f"{self.rent:g} USD/s"
            raise InvalidInput(f"Prices: rent: {given} is above 1000 USD/h a chip; a bare number is in USD/s, write e.g. '2.65 USD/h'")


class Failures(Record):
    """How often nodes fail, and what an interruption of a job costs.

    `nvscale.failures("llama-3.1-405b")` gives those of a published run or fleet with their sources.

    Parameters
    ----------
    failure_rate : 1/s
        Failures of one node per time that stop the job.
    checkpoint_time : s
        Time that a checkpoint stops the job.
    restart_time : s
        Time from a failure to useful work: detection, replacement, loading.
    checkpoint_interval : s, optional
        Computing time between checkpoints; the one that loses least by default.
    node_chips : 1
        Chips of a node.
    """

    name: str = ""
    failure_rate: PerSecond
    checkpoint_time: Seconds
    restart_time: Seconds
    checkpoint_interval: Annotated[Any, Unit("s", ">0", optional=True)] = None
    node_chips: Count = 8.0
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)
