"""`elasticities` and `uncertain`: which figures of the inputs matter, and what their uncertainty makes of a result."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from nvscale.errors import InvalidInput
from nvscale.estimate import show
from nvscale.inputs import Figure, figures, output_of, with_values
from nvscale.provenance import Source

STEP = 1e-4
"""Share by which a figure is moved for a central difference."""
NEGLIGIBLE = 1e-6


class Elasticity(NamedTuple):
    """How a result answers to a figure: per cent of the result for one per cent of the figure."""

    path: str
    elasticity: float
    source: Source


def elasticities(estimator: Callable[..., Any], *, output: str = "", counts: bool = False, **inputs: Any) -> list[Elasticity]:
    r"""Return which figures of the inputs a result answers to, the strongest first.

    $$e_i = \frac{\partial \ln y}{\partial \ln x_i}$$

    Parameters
    ----------
    estimator : callable
        A function from records to an Estimate.
    output : str
        Result by name ("tpot"); the value of the estimate by default.
    counts : bool
        Whether pure numbers (sizes, counts) are moved too; figures with a unit always are.
    inputs : any
        The arguments of the estimator.

    Returns
    -------
    list of Elasticity
        Path, elasticity, source; figures that do not matter are left out. By Euler's theorem the elasticities of
        all times, rates and amounts of a result in seconds fit together; at a kink the mean of both sides is given.

    Raises
    ------
    InvalidInput
        The inputs have no figure to move.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Gemm(m=1, n=8192, k=8192, replayed=0)
    >>> [round(one.elasticity, 1) for one in elasticities(nv.kernel, efficiency=nv.IDEAL, work=work, system=nv.chip("H100"))]
    [-1.0]
    """
    import numpy as np

    moved = [one for one in figures(inputs) if counts or one.unit.text != "1"]
    if not moved:
        raise InvalidInput("elasticities: the inputs have no figure to move; give records")
    points = 2 * len(moved)
    arrays: dict[str, Any] = {}
    for place, one in enumerate(moved):
        values = np.full(points, one.value)
        values[2 * place], values[2 * place + 1] = one.value * math.exp(STEP), one.value * math.exp(-STEP)
        arrays[one.path] = values
    results = np.broadcast_to(np.asarray(output_of(estimator(**with_values(inputs, arrays)), output), dtype=float), (points,))
    slopes = (np.log(results[0::2]) - np.log(results[1::2])) / (2.0 * STEP)
    found = [Elasticity(one.path, float(slope), one.source) for one, slope in zip(moved, slopes, strict=True) if abs(slope) > NEGLIGIBLE]
    return sorted(found, key=lambda one: -abs(one.elasticity))


@dataclass(frozen=True)
class Uncertain:
    """A result with the spread that its uncertain inputs give it.

    Parameters
    ----------
    median, low, high : number
        Median and ends of the interval.
    unit : str
        Of the result.
    level : 1
        Share of the samples inside the interval.
    samples : array
        All samples.
    varied : tuple of str
        Paths of the figures that were varied.
    """

    median: float
    low: float
    high: float
    unit: str
    level: float
    samples: Any
    varied: tuple[str, ...]

    def __str__(self) -> str:
        span = f"{show(self.low, self.unit)} to {show(self.high, self.unit)}"
        return f"{show(self.median, self.unit)} ({100.0 * self.level:g} %: {span}; {len(self.varied)} figures varied)"


def uncertain(
    estimator: Callable[..., Any],
    *,
    ranges: Mapping[str, tuple[Any, Any]] | None = None,
    output: str = "",
    samples: int = 1024,
    level: float = 0.90,
    seed: int = 0,
    **inputs: Any,
) -> Uncertain:
    """Return a result with the spread that the ranges of its inputs give it, by quasi-random samples.

    Every figure whose source gives a low and a high value, and every one in `ranges`, is varied independently and
    evenly in its logarithm between them (Sobol points, scrambled); all samples are one vectorised call.

    Parameters
    ----------
    estimator : callable
        A function from records to an Estimate.
    ranges : mapping of str to pair, optional
        Low and high of figures by short name or path; they replace those of the sources.
    output : str
        Result by name; the value of the estimate by default.
    samples : int
        Points, a power of two.
    level : float
        Share inside the interval.
    seed : int
        Of the scrambling.
    inputs : any
        The arguments of the estimator.

    Returns
    -------
    Uncertain
        Median, interval, samples, and which figures were varied.

    Raises
    ------
    InvalidInput, UnknownName
        Nothing to vary, a range that is none, or a name that fits no figure.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Gemm(m=1, n=8192, k=8192, replayed=0)
    >>> ranges = {"memory_bandwidth": ("3 TB/s", "3.6 TB/s")}
    >>> found = uncertain(nv.kernel, ranges=ranges, efficiency=nv.IDEAL, work=work, system=nv.chip("H100"))
    >>> found.low < found.median < found.high
    True
    """
    import numpy as np
    from scipy.stats import qmc

    spans = _spans(inputs, ranges or {})
    if not spans:
        raise InvalidInput("uncertain: no source of the inputs gives a range; give ranges={'memory_bandwidth': ('3 TB/s', '3.6 TB/s')}")
    points = qmc.Sobol(len(spans), seed=seed).random_base2(max(1, math.ceil(math.log2(samples))))
    arrays = {
        path: np.exp(math.log(low) + (math.log(high) - math.log(low)) * points[:, place])
        for place, (path, (low, high)) in enumerate(spans.items())
    }
    made = estimator(**with_values(inputs, arrays))
    values = np.broadcast_to(np.asarray(output_of(made, output), dtype=float), (len(points),))
    median, low, high = (float(end) for end in np.quantile(values, [0.5, (1.0 - level) / 2.0, (1.0 + level) / 2.0]))
    unit = made[output].unit if output else made.unit
    return Uncertain(median, low, high, unit, level, values, tuple(spans))


def _spans(inputs: Mapping[str, Any], ranges: Mapping[str, tuple[Any, Any]]) -> dict[str, tuple[float, float]]:
    """Low and high of every figure that is varied."""
    from nvscale.inputs import path_of, unit_at

    spans = {one.path: (one.source.low, one.source.high) for one in figures(inputs) if _has_range(one)}
    for name, (low, high) in ranges.items():
        path = path_of(name, inputs, "uncertain")
        unit = unit_at(path, inputs)
        if unit is None:
            raise InvalidInput(f"uncertain: {path} is no figure")
        pair = (float(unit.si(low, path)), float(unit.si(high, path)))
        if not 0.0 < pair[0] < pair[1]:
            raise InvalidInput(f"uncertain: {path}: {low!r} to {high!r} is no range above 0")
        spans[path] = pair
    return {path: (float(low), float(high)) for path, (low, high) in spans.items() if low is not None and high is not None}


def _has_range(one: Figure) -> bool:
    low, high = one.source.low, one.source.high
    return low is not None and high is not None and 0.0 < float(low) < float(high)
