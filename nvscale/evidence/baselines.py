"""What laws of the past would have given over a span of years: Moore, Koomey, Huang, Dennard and dark silicon, Wright, Epoch's trends."""

import math
from dataclasses import dataclass
from typing import Any

from nvscale.catalogue import default
from nvscale.errors import InvalidInput
from nvscale.evidence.tables import decimal_year, figure, history
from nvscale.formulas import decomposition, learning_curves, technology_scaling
from nvscale.views import baselines

NAMED = (
    "moore-1975",
    "moore-1965",
    "koomey-1946-2000",
    "koomey-2000",
    "huangs-law-2023",
    "epoch-fp16-performance-2025",
    "epoch-price-performance-2024",
    "epoch-energy-efficiency-2025",
    "talk-2024-low",
    "talk-2024-high",
)
LEARNING = 0.2
"""Saving per doubling of output of Wright's first curve."""
HUANG = ("number_representation", "complex_instructions", "sparsity", "process")


@dataclass(frozen=True, slots=True)
class Span:
    """One law over a span of years.

    Parameters
    ----------
    name, title : str
        Which law.
    per_year : float
        Factor a year.
    factor : float
        Factor over the span.
    edition : str
        Where the rate stands, or how it was found.
    """

    name: str
    title: str
    per_year: float
    factor: float
    edition: str

    def to_dict(self) -> dict[str, Any]:
        """Return the law as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


def over_years(years: float = 10.0) -> list[Span]:
    """Return what published laws give over a span, with scaling of dimensions at fixed power from the history of processes.

    Parameters
    ----------
    years : year
        Length of the span.

    Assumptions: Dennard's scaling multiplies work at fixed power by the third power of the shrink, and by the shrink alone
    where the voltage stays (dark silicon); the shrink a year is fitted to the feature sizes of the hardware history.

    Examples
    --------
    >>> {span.name: round(span.factor, 1) for span in over_years()}["moore-1975"]
    32.0
    """
    if not years > 0.0:
        raise InvalidInput(f"over_years: wanted years above 0; given {years!r}")
    found = [
        Span(one.name, one.title, one.per_year, one.over(years), f"{one.source.title}, {one.source.date}") for one in baselines(NAMED)
    ]  # fmt: skip
    shrink = shrink_per_year()
    for name, title, voltage in (
        ("dennard", "Dennard's scaling at fixed power", shrink),
        ("dark-silicon", "Shrink alone, voltage fixed", 1.0),
    ):
        rate = technology_scaling.fixed_power_speed_up(shrink, voltage)
        found.append(Span(name, title, rate, rate**years, f"shrink of {shrink:.3f} a year, fitted to the hardware history"))
    return found


def shrink_per_year() -> float:
    """Return the factor a year by which features of chips in the hardware history shrink.

    >>> 1.1 < shrink_per_year() < 1.2
    True
    """
    from nvscale.analysis.trends import fit_growth

    rows = [row for row in history("ml-hardware").rows if row["release"] and row["process_nm"] and row["used_in_ml_models"] == "1"]
    return fit_growth([decimal_year(row["release"]) for row in rows], [1.0 / figure(row, "process_nm") for row in rows]).per_year


def huang_shares() -> dict[str, float]:
    """Return the log shares of the four factors of Huang's law.

    >>> {name: round(share, 4) for name, share in huang_shares().items()}
    {'number_representation': 0.4014, 'complex_instructions': 0.3656, 'sparsity': 0.1003, 'process': 0.1326}
    """
    factors = {name: default().number("trends", "huangs-law-2023", f"factor.{name}", "1")[0] for name in HUANG}
    total = math.prod(factors.values())
    return {name: decomposition.log_share(factor, total) for name, factor in factors.items()}


def doublings_of_output(factor: float, saving: float = LEARNING) -> float:
    """Return how often output must double for a fall of cost by a factor on Wright's curve.

    >>> round(doublings_of_output(240.0), 3)
    24.561
    """
    return float(learning_curves.doublings_for_cost_factor(factor, saving))
