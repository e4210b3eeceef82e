"""What is chosen rather than built: prices."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.unit_types import Share, USDPerJoule
from nvscale.units import Unit


class Prices(Record):
    """Prices and terms that turn a purchase and a power draw into dollars per hour.

    `nvscale.prices()` gives the catalogue's defaults with their sources.
    """

    energy_price: USDPerJoule
    discount_rate: Share
    life: Annotated[Any, Unit("s")]
    utilisation: Annotated[Any, Unit("1", "(0,1]")] = 1.0
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)
