"""What every efficiency has: where it comes from, what was assumed, and how far measurements spread around it."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.unit_types import Ratio


class Spread(Record):
    """Between which factors of the prediction 90 % of the measurements lie, in one regime."""

    regime: str = "all"
    low: Ratio
    high: Ratio


class Efficiency(Record):
    """Constants of one class of kernels on one chip; without figures of its own it is the ideal.

    Parameters
    ----------
    origin : str
        On what the constants were fitted, and how they come to this chip.
    assumptions : tuple of str
        What was not said and was assumed to choose them.
    spreads : tuple of Spread
        90 % intervals by regime; none where nothing was measured.
    """

    origin: str = "given by the caller"
    assumptions: tuple[str, ...] = ()
    spreads: tuple[Spread, ...] = ()
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def spread(self, regime: str) -> Spread | None:
        """Return the interval of a regime, or of all regimes together where it has none of its own."""
        by_regime = {spread.regime: spread for spread in self.spreads}
        return by_regime.get(regime, by_regime.get("all"))

    def factors(self, regimes: Mapping[str, Any]) -> tuple[Any, Any]:
        """Return the factors low and high; `regimes` says where each regime holds, the first that holds counts."""
        from nvscale.ops import SYMBOL, carrier, where

        last = self.spread("all") if self.spreads else None
        if last is None:
            return None, None
        low, high = last.low, last.high
        if any(carrier(holds) == SYMBOL or not _is_decided(holds) for holds in regimes.values()):
            return low, high
        for regime, holds in reversed(list(regimes.items())):
            one = self.spread(regime) or last
            low, high = where(holds, one.low, low), where(holds, one.high, high)
        return low, high


def _is_decided(holds: Any) -> bool:
    """Whether a comparison of numbers or arrays; relations of symbols and tracers stay open."""
    return isinstance(holds, bool) or getattr(getattr(holds, "dtype", None), "kind", "") == "b"


IDEAL = Efficiency(origin="ideal: all shares 1, nothing is lost")
