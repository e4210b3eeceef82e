"""Prices of tokens: stages of a fall, rates at a fixed capability with explicit dates, margins, and demand."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.evidence.tables import figure, history, years_between
from nvscale.formulas import decomposition, growth

TALK = ("gpt-4-32k", "gpt-4-8k", "gpt-4o (2024-08-06)", "gpt-4o-mini")
"""Models between which list prices fell by the factor that is quoted, dearest first."""
STAGES = ("long-context variant", "generation at 8k", "smaller model")


def list_price(model: str, seller: str = "", input_share: float = 0.5) -> tuple[str, float]:
    """Return date and list price of a model, in USD per million tokens at a mix of input and output.

    Parameters
    ----------
    model, seller : str
        As in the table `token-prices`.
    input_share : 1
        Share of input tokens; half by default.

    Examples
    --------
    >>> list_price("gpt-4o-mini")
    ('2024-07-18', 0.375)
    """
    row = history("token-prices").one(model=model, seller=seller)
    asked, answered = figure(row, "usd_in_per_million"), figure(row, "usd_out_per_million")
    return row["date"], input_share * asked + (1.0 - input_share) * answered


@dataclass(frozen=True)
class PriceFall:
    """A fall of list prices through stages.

    Parameters
    ----------
    models, dates : tuple of str
        Ends of the stages, dearest first.
    prices : tuple of float
        USD per million tokens.
    stages : dict of str to float
        Factor of each stage; they multiply to the total.
    years : float
        From the first date to the last end of the fall.
    """

    models: tuple[str, ...]
    dates: tuple[str, ...]
    prices: tuple[float, ...]
    stages: dict[str, float]
    years: float

    @property
    def total(self) -> float:
        """First price over last."""
        return self.prices[0] / self.prices[-1]

    @property
    def shares(self) -> dict[str, float]:
        """Log shares of the stages."""
        return {name: decomposition.log_share(factor, self.total) for name, factor in self.stages.items()}

    @property
    def per_year(self) -> float:
        """The total as a factor a year."""
        return float(growth.growth_factor(1.0, self.total, self.years))

    @property
    def halving_months(self) -> float:
        """Months in which the price halves."""
        return float(12.0 * self.years / growth.doublings(self.total))

    def to_dict(self) -> dict[str, Any]:
        """Return the fall as plain data."""
        plain = {"models": list(self.models), "dates": list(self.dates), "usd_per_million_tokens": list(self.prices)}
        rates = {"total": self.total, "years": self.years, "per_year": self.per_year, "halving_months": self.halving_months}
        return {**plain, "stages": dict(self.stages), "log_shares": self.shares, **rates}


def price_fall(
    models: Sequence[str] = TALK, stages: Sequence[str] = STAGES, *, input_share: float = 0.5, years: float | None = None
) -> PriceFall:
    """Take the fall of list prices between models apart into stages, annualised by their dates.

    Parameters
    ----------
    models : sequence of str
        Ends of the stages, as in the table `token-prices`, dearest first.
    stages : sequence of str
        Names of the steps between them, one fewer.
    input_share : 1
        Share of input tokens.
    years : year, optional
        Span to annualise by; from the date of the first model to that of the last by default.

    Returns
    -------
    PriceFall
        `total`, `stages`, `shares`, `per_year`, `halving_months`.

    Assumptions: list prices, not costs; no stage is a chip, a node or a number format, which list prices cannot show.

    Examples
    --------
    >>> fall = price_fall()
    >>> fall.total, round(fall.per_year, 2), round(price_fall(years=1.5).per_year, 2)
    (240.0, 58.48, 38.62)
    >>> {name: round(share, 4) for name, share in fall.shares.items()}
    {'long-context variant': 0.1265, 'generation at 8k': 0.3602, 'smaller model': 0.5133}
    """
    if len(models) < 2 or len(stages) != len(models) - 1:
        raise InvalidInput(f"price_fall: {len(models)} models need {max(len(models) - 1, 1)} stages; given {len(stages)}")
    dated = [list_price(model, input_share=input_share) for model in models]
    prices = tuple(price for _, price in dated)
    factors = {name: before / after for name, (before, after) in zip(stages, itertools.pairwise(prices), strict=True)}
    span = years_between(dated[0][0], dated[-1][0]) if years is None else years
    if not span > 0.0:
        raise InvalidInput(f"price_fall: from {dated[0][0]} to {dated[-1][0]} no time goes by; give years=...")
    return PriceFall(tuple(models), tuple(date for date, _ in dated), prices, factors, span)


def at_fixed_capability(capability: str, input_share: float = 0.5) -> PriceFall:
    """Return the fall from the first to the cheapest list price of models that sources put at one capability.

    >>> round(at_fixed_capability("gpt-3.5").per_year, 2), round(at_fixed_capability("gpt-3").per_year, 2)
    (19.11, 10.0)
    """
    rows = [row for row in history("token-prices").where(capability=capability) if row["usd_in_per_million"]]
    if len(rows) < 2:
        known = sorted({row["capability"] for row in history("token-prices").rows} - {""})
        raise InvalidInput(f"at_fixed_capability: {capability!r} has {len(rows)} prices; there are {', '.join(known)}")

    def price(row: dict[str, str]) -> float:
        return input_share * figure(row, "usd_in_per_million") + (1.0 - input_share) * figure(row, "usd_out_per_million")

    first = min(rows, key=lambda row: (row["date"], price(row)))
    last = min((row for row in rows if row["date"] > first["date"]), key=price)
    prices, dates = (price(first), price(last)), (first["date"], last["date"])
    return PriceFall((first["model"], last["model"]), dates, prices, {"price": prices[0] / prices[1]}, years_between(*dates))


def margin(price: float, cost_low: float, cost_high: float) -> tuple[float, float]:
    """Return the range of the gross margin, as shares of the price, for a range of costs.

    >>> margin(1.0, 0.25, 0.5)
    (0.5, 0.75)
    """
    if not 0.0 < cost_low <= cost_high or not price > 0.0:
        raise InvalidInput(f"margin: wanted a price above 0 and costs above 0 in order; given {price!r}, {cost_low!r}, {cost_high!r}")
    return 1.0 - cost_high / price, 1.0 - cost_low / price


def spending(price_factor: float, elasticity: float) -> tuple[float, float, bool]:
    """Return demand and spending as factors when the price falls to a share, and whether spending rises (Jevons).

    >>> demand, spend, rises = spending(1 / 1000, 1.20775)
    >>> round(spend, 2), rises
    (4.2, True)
    """
    return growth.demand_ratio(price_factor, elasticity), growth.spend_ratio(price_factor, elasticity), elasticity > 1.0


def service_years(price_over_running_cost: float, decline: float) -> float:
    r"""Return the years until a falling market price meets what it costs to keep a machine running.

    $$t = \ln(p / c) / \ln g$$

    >>> round(service_years(10.0, 2.0), 2)
    3.32
    """
    if not price_over_running_cost > 0.0 or not decline > 1.0:
        raise InvalidInput(f"service_years: wanted a ratio above 0 and a decline above 1; given {price_over_running_cost!r}, {decline!r}")
    return math.log(price_over_running_cost) / math.log(decline)
