"""Trends with forecasts: exponential or saturating growth in log space, with confidence and prediction intervals."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from nvscale.analysis.trends import Growth, fit_growth
from nvscale.errors import InvalidInput, unknown
from nvscale.formulas import growth

SHAPES = ("exponential", "saturating")
POINTS = ("all", "records")
HORIZON = 2035.0
SLOWEST, FASTEST = 100.0, 0.02
"""Longest and shortest time constant of saturation that is looked for, in years."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """A value at a year, with the interval of the trend itself and that of one further point.

    Parameters
    ----------
    year, value : float
        When, and the trend there.
    low, high : float
        Confidence interval of the trend.
    least, most : float
        Prediction interval: where one more point would lie.
    """

    year: float
    value: float
    low: float
    high: float
    least: float
    most: float

    def to_dict(self) -> dict[str, float]:
        """Return the forecast as plain data."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Requirement:
    """What would have to be true for a growth rate to hold from the last point on.

    Parameters
    ----------
    per_year, until : float
        The rate asked for, and up to when.
    needed : float
        Value that it leads to.
    forecast : Forecast
        Where the trend leads.
    gap : float
        Needed over forecast: what must come on top of the trend.
    gap_per_year : float
        The same as a factor a year.
    is_within : bool
        Whether the prediction interval holds the needed value.
    """

    per_year: float
    until: float
    needed: float
    forecast: Forecast
    gap: float
    gap_per_year: float
    is_within: bool

    def __str__(self) -> str:
        place = "inside" if self.is_within else "outside"
        return (
            f"{self.per_year:g}x a year until {self.until:g} needs {self.gap:.3g} times what the trend gives "
            f"({self.gap_per_year:.2f}x a year on top), {place} its prediction interval"
        )


@dataclass(frozen=True)
class Trend:
    """A fitted trend.

    Parameters
    ----------
    name, unit : str
        What grows, and in which unit.
    shape, points : str
        "exponential" or "saturating"; fitted to "all" points or to "records" alone.
    years, values : tuple of float
        The points of the fit.
    growth : Growth
        Factor per year, with its interval: over the whole span for an exponential, at the last point for a saturating trend.
    confidence : float
        Level of the intervals.
    parameters : dict of str to float
        Of the curve in ln(value).
    residual : float
        Standard deviation of ln(value) about the curve.
    """

    name: str
    unit: str
    shape: str
    points: str
    years: tuple[float, ...]
    values: tuple[float, ...]
    growth: Growth
    confidence: float
    parameters: dict[str, float]
    residual: float
    _at: Callable[[float], tuple[float, float]] = field(repr=False, compare=False)
    _width: float = field(repr=False, compare=False, default=0.0)

    def at(self, year: float) -> Forecast:
        """Return the trend at a year, with both intervals.

        >>> fit_trend([2020.0, 2021.0, 2022.0, 2023.0], [1.0, 2.0, 4.0, 8.0]).at(2024.0).value
        16.0
        """
        middle, variance = self._at(year)
        sure, one = self._width * math.sqrt(variance), self._width * math.sqrt(variance + self.residual**2)
        return Forecast(year, *(math.exp(middle + shift) for shift in (0.0, -sure, sure, -one, one)))

    def forecast(self, until: float = HORIZON) -> list[Forecast]:
        """Return the trend year by year, from after the last point up to a year."""
        first = math.floor(max(self.years)) + 1
        return [self.at(float(year)) for year in range(first, math.floor(until) + 1)]

    def needed(self, per_year: float, until: float = HORIZON) -> Requirement:
        """Return what would have to be true for a growth rate to hold from the last point on.

        Parameters
        ----------
        per_year : 1
            Factor a year: 2 or 3 for the talk.
        until : year
            Up to when.
        """
        last = max(self.years)
        if not until > last or not per_year > 0.0:
            raise InvalidInput(f"needed: the rate must be positive and the year after {last:.1f}; given {per_year!r} until {until!r}")
        expected, span = self.at(until), until - last
        value = growth.compounded_value(self.at(last).value, per_year, span)
        gap = value / expected.value
        return Requirement(
            per_year, until, value, expected, gap, growth.growth_factor(1.0, gap, span), expected.least <= value <= expected.most
        )

    def to_dict(self, until: float = HORIZON) -> dict[str, Any]:
        """Return the trend with its forecast as plain data."""
        rate = self.growth
        return {
            "name": self.name,
            "unit": self.unit,
            "shape": self.shape,
            "points": self.points,
            "count": len(self.years),
            "from": min(self.years),
            "to": max(self.years),
            "per_year": rate.per_year,
            "low": rate.low,
            "high": rate.high,
            "doubling_years": None if math.isinf(rate.doubling_years) else rate.doubling_years,
            "confidence": self.confidence,
            "residual": self.residual,
            "parameters": dict(self.parameters),
            "forecast": [one.to_dict() for one in self.forecast(until)],
        }

    def __str__(self) -> str:
        which = "records" if self.points == "records" else "points"
        rate = self.growth
        span = f"{len(self.years)} {which} {min(self.years):.1f} to {max(self.years):.1f}"
        text = f"{self.name}, {self.shape}, {span}: {rate.per_year:.3f}x a year"
        interval = "" if rate.low is None else f" ({rate.low:.2f} to {rate.high:.2f} at {self.confidence:.0%})"
        return f"{text}{interval}{', at the last point' if self.shape == 'saturating' else ''}"


def records(years: Sequence[float], values: Sequence[float]) -> tuple[list[float], list[float]]:
    """Return the points that beat every earlier one.

    >>> records([2020.0, 2021.0, 2022.0], [4.0, 2.0, 5.0])
    ([2020.0, 2022.0], [4.0, 5.0])
    """
    kept: list[tuple[float, float]] = []
    for year, value in sorted(zip(years, values, strict=True), key=lambda point: (point[0], -point[1])):
        if not kept or value > kept[-1][1]:
            kept.append((year, value))
    return [year for year, _ in kept], [value for _, value in kept]


def fit_trend(
    years: Sequence[float],
    values: Sequence[float],
    *,
    shape: str = "exponential",
    points: str = "all",
    confidence: float = 0.90,
    name: str = "trend",
    unit: str = "1",
) -> Trend:
    r"""Fit a trend to ln(value), with confidence and prediction intervals.

    $$\ln v = a + t \ln g \qquad \text{or} \qquad \ln v = a + h \left(1 - e^{-(t - t_0)/\tau}\right)$$

    Parameters
    ----------
    years : sequence of float
        Decimal calendar years.
    values : sequence of float
        Positive values, one a year given.
    shape : str
        "exponential", or "saturating": growth that slows down towards a ceiling, with time constant tau from the first point on.
    points : str
        "all", or "records": those alone that beat every earlier one.
    confidence : float
        Level of the intervals, Student's t.
    name : str
        What grows, for people.
    unit : str
        Of the values.

    Returns
    -------
    Trend
        `growth`, `at(year)`, `forecast(until)`, `needed(rate, until)`.

    Raises
    ------
    InvalidInput
        Too few points (three for an exponential, four for a saturating trend), or values that are not positive.
    UnknownName
        Another shape or choice of points.

    Assumptions: residuals of ln(value) are independent and of one size; a forecast supposes that the curve goes on.

    Examples
    --------
    >>> trend = fit_trend([2016.0, 2018.0, 2020.0, 2022.0], [1.0, 4.0, 16.0, 64.0])
    >>> round(trend.growth.per_year, 6), round(trend.needed(3.0, 2032.0).gap, 2)
    (2.0, 57.67)
    """
    if shape not in SHAPES:
        raise unknown("shape of a trend", shape, SHAPES)
    if points not in POINTS:
        raise unknown("choice of points", points, POINTS)
    plain = fit_growth(years, values, confidence)  # refuses what cannot be fitted
    kept_years, kept_values = records(years, values) if points == "records" else (list(years), list(values))
    least = 3 if shape == "exponential" else 4
    if len(kept_years) < least or len(set(kept_years)) < least - 1:
        raise InvalidInput(f"{name}: a {shape} trend with intervals needs {least} points or more; given {len(kept_years)}")
    if points == "records":
        plain = fit_growth(kept_years, kept_values, confidence)
    build = _exponential if shape == "exponential" else _saturating
    rate, parameters, residual, at, width = build(kept_years, kept_values, plain, confidence)
    return Trend(
        name, unit, shape, points, tuple(kept_years), tuple(kept_values), rate, confidence, parameters, residual, at, width
    )  # fmt: skip


Built = tuple[Growth, dict[str, float], float, Callable[[float], tuple[float, float]], float]


def _quantile(confidence: float, degrees: int) -> float:
    from scipy import stats

    return float(stats.t.ppf(0.5 + confidence / 2.0, degrees))


def _exponential(years: list[float], values: list[float], plain: Growth, confidence: float) -> Built:
    logs, count = [math.log(value) for value in values], len(years)
    centre = math.fsum(years) / count
    spread = math.fsum((year - centre) ** 2 for year in years)
    slope, level = math.log(plain.per_year), math.fsum(logs) / count

    def at(year: float) -> tuple[float, float]:
        return level + slope * (year - centre), plain.residual**2 * (1.0 / count + (year - centre) ** 2 / spread)

    parameters = {"ln_value_at_centre": level, "centre": centre, "slope": slope}
    return plain, parameters, plain.residual, at, _quantile(confidence, count - 2)


def _saturating(years: list[float], values: list[float], plain: Growth, confidence: float) -> Built:
    """Least squares; the time constant by a search, level and height exactly for each."""
    import numpy as np
    from scipy import optimize

    first = min(years)
    times, logs = np.array(years) - first, np.log(values)

    def fitted(rate: float) -> tuple[Any, Any]:
        basis = np.stack([np.ones_like(times), -np.expm1(-rate * times)], axis=1)
        solution = np.linalg.lstsq(basis, logs, rcond=None)[0]
        return solution, logs - basis @ solution

    def loss(log_rate: float) -> float:
        return float(np.sum(fitted(math.exp(log_rate))[1] ** 2))

    grid = np.linspace(-math.log(SLOWEST), -math.log(FASTEST), 200)
    best = int(np.argmin([loss(one) for one in grid]))
    around = (float(grid[max(best - 1, 0)]), float(grid[min(best + 1, len(grid) - 1)]))
    rate = math.exp(float(optimize.minimize_scalar(loss, bounds=around, method="bounded").x))
    (level, height), rest = fitted(rate)
    degrees = max(len(years) - 3, 1)
    residual = math.sqrt(float(np.sum(rest**2)) / degrees)
    decay = np.exp(-rate * times)
    jacobian = np.stack([np.ones_like(times), 1.0 - decay, height * times * decay], axis=1)
    covariance = residual**2 * np.linalg.pinv(jacobian.T @ jacobian)
    width = _quantile(confidence, degrees)

    def at(year: float) -> tuple[float, float]:
        left = math.exp(-rate * (year - first))
        gradient = np.array([1.0, 1.0 - left, height * (year - first) * left])
        return float(level + height * (1.0 - left)), float(max(gradient @ covariance @ gradient, 0.0))

    last = max(years) - first
    left = math.exp(-rate * last)
    slope = float(height) * rate * left
    gradient = np.array([0.0, rate * left, float(height) * left * (1.0 - rate * last)])
    error = width * math.sqrt(max(float(gradient @ covariance @ gradient), 0.0))
    now = Growth(math.exp(slope), math.exp(slope - error), math.exp(slope + error), len(years), residual, plain.confidence)
    parameters = {
        "ln_value_at_start": float(level),
        "ln_gain_in_all": float(height),
        "time_constant_years": 1.0 / rate,
        "ceiling": math.exp(min(float(level + height), 700.0)),
    }
    return now, parameters, residual, at, width
