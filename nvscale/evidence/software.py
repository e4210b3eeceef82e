"""Software at constant hardware: gains between rounds of MLPerf on the same system with the same count of chips."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from nvscale.analysis.forecasts import Trend, fit_trend
from nvscale.errors import InvalidInput, unknown
from nvscale.evidence.tables import figure, history, years_between
from nvscale.formulas import growth, parallel_speedup

SUITES = ("training", "inference")
A_YEAR = 13.0 / 12.0
"""Rounds are dated by month: what lies up to 13 months apart counts as within a year."""
TEN_MONTHS = 10.0 / 12.0
SPELLINGS = {"99.9": "99"}
RESUBMITTED = "resubmitted"


@dataclass(frozen=True)
class Series:
    """Speed of one benchmark on one system with so many chips, by round.

    Parameters
    ----------
    suite, benchmark, gpu : str
        What ran where.
    gpus : int
        Chips.
    rounds : tuple of str
        Rounds, in order.
    years : tuple of float
        Years since the first of them.
    speeds : tuple of float
        Speed relative to the first of them.
    """

    suite: str
    benchmark: str
    gpu: str
    gpus: int
    rounds: tuple[str, ...]
    years: tuple[float, ...]
    speeds: tuple[float, ...]

    @property
    def gain(self) -> float:
        """Last over first."""
        return self.speeds[-1] / self.speeds[0]

    @property
    def per_year(self) -> float:
        """The same as a factor a year."""
        return float(growth.growth_factor(1.0, self.gain, self.years[-1]))

    @property
    def best_within_a_year(self) -> float:
        """Largest gain between two rounds at most a year apart."""
        return max(b / a for (t, a), (u, b) in self._pairs() if u - t <= A_YEAR)

    def _pairs(self) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        points = list(zip(self.years, self.speeds, strict=True))
        return [(points[i], points[j]) for i in range(len(points)) for j in range(i + 1, len(points))]

    def saturation(self, confidence: float = 0.90) -> Trend:
        """Fit a gain that dies away; needs four rounds."""
        return fit_trend(self.years, self.speeds, shape="saturating", confidence=confidence, name=str(self), unit="1")

    def __str__(self) -> str:
        steps = ", ".join(f"{name} {speed:.3f}" for name, speed in zip(self.rounds, self.speeds, strict=True))
        return f"{self.benchmark} on {self.gpus} {self.gpu}: {steps}"


def same_hardware(suite: str = "training", gpu: str = "h100-sxm") -> list[Series]:
    """Return every benchmark that ran on the same system in two rounds or more, logs handed in again left out.

    Parameters
    ----------
    suite : str
        "training" or "inference".
    gpu : str
        Chip, by its name in the catalogue.

    Examples
    --------
    >>> gpt = next(one for one in same_hardware() if (one.benchmark, one.gpus) == ("gpt3-175b", 512))
    >>> round(gpt.speeds[2], 4), round(gpt.gain, 4)
    (1.2668, 1.2906)
    """
    if suite not in SUITES:
        raise unknown("suite of MLPerf", suite, SUITES)
    dates = {row["round"]: row["date"] for row in history("mlperf-rounds").where(suite=suite)}
    found: dict[tuple[str, int], dict[str, float]] = {}
    for row in history(f"mlperf-{suite}").rows:
        if row["gpu"] != gpu or row.get("kind") == RESUBMITTED:
            continue
        speed = 1.0 / figure(row, "minutes") if suite == "training" else _rate(row)
        place = found.setdefault((_benchmark(row), int(row["gpus"])), {})
        place[row["round"]] = max(speed, place.get(row["round"], 0.0))
    series = []
    for (benchmark, gpus), by_round in found.items():
        rounds = sorted(by_round, key=lambda name: dates[name])
        if len(rounds) > 1:
            first = rounds[0]
            years = tuple(years_between(dates[first], dates[name]) for name in rounds)
            speeds = tuple(by_round[name] / by_round[first] for name in rounds)
            series.append(Series(suite, benchmark, gpu, gpus, tuple(rounds), years, speeds))
    return series


def _benchmark(row: dict[str, str]) -> str:
    """Benchmark and scenario; the same entry often serves both limits of accuracy."""
    name = row["benchmark"]
    for strict, plain in SPELLINGS.items():
        name = name.replace(strict, plain)
    return f"{name} {row['scenario'].lower()}" if "scenario" in row else name


def _rate(row: dict[str, str]) -> float:
    """Samples a second: all rounds print them."""
    return figure(row, "samples_per_s")


@dataclass(frozen=True, slots=True)
class Gains:
    """Gains of many series: the geometric mean a year with its interval, the median and the best within a year."""

    count: int
    mean_per_year: float
    low: float
    high: float
    median_within_a_year: float
    best_within_a_year: float
    best: str
    improved: float


def gains(series: Sequence[Series], confidence: float = 0.90) -> Gains:
    """Return the gains of many series; the geometric mean a year is that of series which span ten months or more.

    Its interval is Student's t over them; rounds half a year apart say little about a year.

    >>> found = gains(same_hardware())
    >>> round(found.best_within_a_year, 2), found.best_within_a_year < 5.0
    (1.74, True)
    """
    if len(series) < 3:
        raise InvalidInput(f"gains: an interval needs three series or more; given {len(series)}")
    from scipy import stats

    long = [one for one in series if one.years[-1] >= TEN_MONTHS]
    if len(long) < 2:
        raise InvalidInput(f"gains: a yearly mean needs two series that span ten months; given {len(long)}")
    logs = [math.log(one.per_year) for one in long]
    middle = statistics.fmean(logs)
    width = float(stats.t.ppf(0.5 + confidence / 2.0, len(logs) - 1)) * statistics.stdev(logs) / math.sqrt(len(logs))
    within = {str(one): one.best_within_a_year for one in series if any(u - t <= A_YEAR for (t, _), (u, _) in one._pairs())}
    best = max(within, key=lambda name: within[name])
    mean, low, high = (math.exp(middle + shift) for shift in (0.0, -width, width))
    return Gains(
        len(long),
        mean,
        low,
        high,
        statistics.median(within.values()),
        within[best],
        best,
        statistics.fmean(one.gain > 1.0 for one in series),
    )


def strong_scaling(benchmark: str = "gpt3-175b", round_name: str = "v3.1") -> tuple[list[int], list[float]]:
    """Return chips and speed relative to the fewest of one benchmark in one round: strong scaling.

    >>> chips, speeds = strong_scaling("gpt3-175b", "v4.0")
    >>> round(speeds[-1] / (chips[-1] / chips[0]), 5)
    0.64919
    """
    rows = history("mlperf-training").where(benchmark=benchmark, round=round_name)
    known = sorted((int(row["gpus"]), 1.0 / figure(row, "minutes")) for row in rows)
    if len(known) < 2:
        raise InvalidInput(f"strong_scaling: {benchmark} has {len(known)} sizes in round {round_name}; wanted two or more")
    return [chips for chips, _ in known], [speed / known[0][1] for _, speed in known]


def scalability(chips: Sequence[int], speeds: Sequence[float]) -> tuple[float, float]:
    """Fit contention and coherency of the universal scalability law to speeds relative to the fewest chips.

    Returns
    -------
    (float, float)
        Contention and coherency, per multiple of the fewest chips.

    Source: Gunther, Guerrilla capacity planning, 2007.

    Examples
    --------
    >>> contention, coherency = scalability(*strong_scaling())
    >>> round(contention, 4), round(coherency, 6)
    (0.0211, 0.0)
    """
    from scipy import optimize

    units = [count / chips[0] for count in chips]

    def residuals(point: Sequence[float]) -> list[float]:
        return [parallel_speedup.usl_capacity(n, point[0], point[1]) - speed for n, speed in zip(units, speeds, strict=True)]

    found = optimize.least_squares(residuals, (0.01, 1e-5), bounds=([0.0, 0.0], [1.0, 1.0]))
    return float(found.x[0]), float(found.x[1])
