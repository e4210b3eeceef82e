"""Growth rates: between two points, and fitted in log space with a confidence interval."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from nvscale.errors import InvalidInput
from nvscale.formulas import growth


@dataclass(frozen=True, slots=True)
class Growth:
    """A growth rate as a factor per year.

    Parameters
    ----------
    per_year : float
        Factor per year.
    low, high : float or None
        Confidence interval of the factor; None where two points give no interval.
    points : int
        Points it rests on.
    residual : float
        Standard deviation of the residuals of ln(value), 0 for two points.
    confidence : float
        Level of the interval.
    """

    per_year: float
    low: float | None
    high: float | None
    points: int
    residual: float
    confidence: float

    @property
    def doubling_years(self) -> float:
        """Years to double; negative where the value shrinks, infinite where it stands still."""
        return 1.0 / growth.doublings(self.per_year) if self.per_year != 1.0 else math.inf

    def __str__(self) -> str:
        interval = "" if self.low is None else f" ({self.low:.2f} to {self.high:.2f} at {self.confidence:.0%}, n = {self.points})"
        return f"{self.per_year:.2f}x a year{interval}"


def fit_growth(years: Sequence[float], values: Sequence[float], confidence: float = 0.90) -> Growth:
    r"""Fit exponential growth by least squares on ln(value) against the year.

    $$\ln v = a + t \ln g, \qquad \ln g \pm t_{n-2} \, s_{\ln g}$$

    Parameters
    ----------
    years : sequence of float
        Decimal calendar years.
    values : sequence of float
        Positive values, one a year given.
    confidence : float
        Level of the two-sided interval of Student's t with n - 2 degrees of freedom.

    Returns
    -------
    Growth
        Factor per year with its interval; two points give no interval.

    Raises
    ------
    InvalidInput
        Fewer than two different years, or values that are not positive.

    Examples
    --------
    >>> round(fit_growth([2016.0, 2018.0, 2020.0], [1.0, 4.0, 16.0]).per_year, 6)
    2.0
    """
    if len(years) != len(values) or len(set(years)) < 2:
        raise InvalidInput(f"growth needs values at two different years or more; given {len(years)} years and {len(values)} values")
    if not all(value > 0.0 and math.isfinite(value) for value in values):
        raise InvalidInput(f"growth needs positive values; given {list(values)}")
    if not all(math.isfinite(year) for year in years):
        raise InvalidInput(f"growth needs finite years; given {list(years)}")
    if not 0.0 < confidence < 1.0:
        raise InvalidInput(f"confidence: {confidence!r} is out of range; wanted above 0 and below 1")
    if len(years) == 2:
        (t0, t1), (v0, v1) = years, values
        return Growth(growth.growth_factor(v0, v1, t1 - t0), None, None, 2, 0.0, confidence)
    from scipy import stats  # heavy, and only needed here

    fit = stats.linregress(list(years), [math.log(value) for value in values])
    spread = float(stats.t.ppf(0.5 + confidence / 2.0, len(years) - 2)) * float(fit.stderr)
    predicted = [fit.intercept + fit.slope * year for year in years]
    residual = math.sqrt(sum((math.log(v) - p) ** 2 for v, p in zip(values, predicted, strict=True)) / (len(years) - 2))
    bounds = math.exp(fit.slope - spread), math.exp(fit.slope + spread)
    return Growth(math.exp(fit.slope), *bounds, len(years), residual, confidence)
