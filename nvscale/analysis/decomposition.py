"""The exact log-space decomposition of a gain into named factors.

For a product the share of a factor is ln(factor) / ln(total): exact, and free of order.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nvscale.composition import System
from nvscale.errors import MissingFigure, MissingPrecision
from nvscale.formats import precision
from nvscale.formulas.decomposition import log_share

BASE_FORMAT = "16-bit"
"""The gain of the number format is counted from the chip's best 16-bit rate."""


@dataclass(frozen=True, slots=True)
class Decomposition:
    """A gain as a product of named factors.

    Parameters
    ----------
    total : float
        The gain.
    factors : mapping of str to float
        Named multipliers; their product is the total.
    """

    total: float
    factors: Mapping[str, float]

    @property
    def shares(self) -> dict[str, float]:
        """Log shares, which add up to 1; undefined when nothing changed."""
        return {name: log_share(factor, self.total) for name, factor in self.factors.items()} if self.total != 1.0 else {}

    def to_dict(self) -> dict[str, Any]:
        """Return total, factors and shares as plain data."""
        return {"total": self.total, "factors": dict(self.factors), "log_shares": self.shares}


def decompose(before: System, after: System, format_before: str, format_after: str) -> dict[str, Decomposition]:
    """Decompose the gain from one system to another into number format, chip count, clock and units, bandwidth, power, price.

    Parameters
    ----------
    before, after : System
        What is compared.
    format_before, format_after : str
        Number formats at which each is taken.

    Returns
    -------
    dict of str to Decomposition
        "performance" (compute-bound), "memory-bound performance" (elements streamed per second), each
        also per watt and per dollar where power and price are known. Chips add performance, power and
        price alike, so their number is a factor of the first two only.
    """
    ratio = _Ratios(before, after, format_before, format_after)
    gains: dict[str, Decomposition] = {}
    for name, build in (("performance", ratio.compute), ("memory-bound performance", ratio.memory)):
        try:
            factors = build()
        except (MissingFigure, MissingPrecision):
            continue
        gains[name] = _product({**factors, **ratio.count()})
        for suffix, figure in (("per watt", "power"), ("per dollar", "price")):
            try:
                spent = ratio.saved(figure)
            except MissingFigure:
                continue
            gains[f"{name} {suffix}"] = _product({**factors, f"{figure} per chip": spent})
    return gains


def _product(factors: Mapping[str, float]) -> Decomposition:
    return Decomposition(math.prod(factors.values()), dict(factors))


@dataclass(frozen=True, slots=True)
class _Ratios:
    before: System
    after: System
    format_before: str
    format_after: str

    def _of(self, figure: str) -> float:
        return float(self.after.chip.figure(figure) / self.before.chip.figure(figure))

    def count(self) -> dict[str, float]:
        """How many times as many chips."""
        return {"chip count": self.after.chips / self.before.chips}

    def saved(self, figure: str) -> float:
        """How many times less power or price a chip takes, with its share of the rest of the system."""
        before, after = (getattr(system, figure) / system.chips for system in (self.before, self.after))
        return float(before / after)

    def compute(self) -> dict[str, float]:
        """16-bit rate of a chip x gain of the format over 16 bit."""
        old, new = self.before.chip, self.after.chip
        wide = new.rate(BASE_FORMAT) / old.rate(BASE_FORMAT)
        narrow = new.rate(self.format_after) / old.rate(self.format_before)
        return {"number format": narrow / wide, **self._inside(wide)}

    def _inside(self, wide: float) -> dict[str, float]:
        """The 16-bit rate of a chip as units x clock x width, where the catalogue knows them for both."""
        known = [getattr(chip, name) for chip in (self.before.chip, self.after.chip) for name in ("compute_units", "clock")]
        if None in known:
            return {"clock, units and width at 16 bit": wide}
        units, clock = self._of("compute_units"), self._of("clock")
        return {"units": units, "clock": clock, "width of a unit at 16 bit": wide / (units * clock)}

    def memory(self) -> dict[str, float]:
        """Bandwidth of a chip / bytes of an element."""
        bytes_before = precision(self.format_before).bytes_per_element
        bytes_after = precision(self.format_after).bytes_per_element
        return {"number format": bytes_before / bytes_after, "bandwidth": self._of("memory_bandwidth")}
