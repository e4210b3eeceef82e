"""How compute is best spent by a law, with intervals by the delta method or from resamples."""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, show
from nvscale.laws.law import Law
from nvscale.ops import ARRAY, FLOAT, SYMBOL, carrier

INTERVALS = ("auto", "delta", "bootstrap", "rounding", "none")
STEP = 1e-5
"""Of the central differences of the delta method, in the coordinates of the covariance."""


@dataclass(frozen=True)
class OptimalAllocation:
    """The best model for a compute by one law.

    Parameters
    ----------
    law : str
        Name of the law.
    compute : flop
        Training compute.
    parameters, tokens, loss, tokens_per_parameter : Estimate
        With `value`, `low` and `high`; the loss is None where the law gives none.
    level : float
        Level of the interval.
    interval : str
        How the interval was made; empty where the law has none.
    beyond : tuple of str
        What lies outside the range of the runs.
    """

    law: str
    compute: Any
    parameters: Estimate
    tokens: Estimate
    loss: Estimate | None
    tokens_per_parameter: Estimate
    level: float
    interval: str
    beyond: tuple[str, ...]

    def parts(self) -> dict[str, Estimate]:
        """Return the estimates by name."""
        named = {"parameters": self.parameters, "tokens": self.tokens, "tokens_per_parameter": self.tokens_per_parameter}
        return named | ({"loss": self.loss} if self.loss is not None else {})

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        compute = self.compute.tolist() if hasattr(self.compute, "tolist") else self.compute
        plain = {name: _slim(part) for name, part in self.parts().items()}
        sources = list(dict.fromkeys(str(source) for source in self.parameters.sources()))
        told = {"level": self.level, "interval": self.interval, "beyond": list(self.beyond), "sources": sources}
        return {"law": self.law, "compute": compute, **plain, **told}

    def __str__(self) -> str:
        lines = [f"{self.law} at {show(self.compute, 'flop')}"]
        lines += [f"  {part.name}: {_shown(part, self.level)}" for part in self.parts().values()]
        lines += [f"  interval: {self.interval}"] if self.interval else ["  no interval: the law has no covariance"]
        return "\n".join([*lines, *(f"  extrapolated: {text}" for text in self.beyond)])


def _slim(part: Estimate) -> dict[str, Any]:
    """Value, unit and interval of a part."""
    return {key: value for key, value in part.to_dict().items() if key in ("value", "unit", "low", "high")}


def _shown(part: Estimate, level: float) -> str:
    text = _number(part.value, part.unit)
    return text if part.low is None else f"{text} ({level:.0%}: {_number(part.low, part.unit)} to {_number(part.high, part.unit)})"


def _number(value: Any, unit: str) -> str:
    if carrier(value) != FLOAT:
        return show(value, unit)
    if unit == "1" and value >= 1e6:
        size, name = next((size, name) for size, name in _SIZES if value >= size)
        return f"{value / size:.4g} {name}"
    return show(value, unit)


_SIZES = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def optimum(law: Law, compute: Any, *, level: float = 0.90, interval: str = "auto", extrapolate: str = "warn") -> OptimalAllocation:
    """Return the parameters and tokens that reach the lowest loss with given compute.

    Parameters
    ----------
    law : Law
        A law that allocates.
    compute : flop
        Training compute; a float, an array or a symbol.
    level : float
        Level of the two-sided intervals.
    interval : str
        "delta" (from the covariance), "bootstrap" (from resamples of the points, or draws from the covariance), "rounding" (from
        the digits that were printed), "none", or "auto": the first of delta and rounding that the law allows.
    extrapolate : str
        Outside the range of the runs: "warn", "refuse" or "allow".
    """
    compute = _as_compute(compute)
    if law.form.optimum is None:
        raise MissingFigure(f"{law.name} does not say how compute is best spent; its form is {law.form.name}")
    if not 0.0 < level < 1.0:
        raise InvalidInput(f"level: {level!r} is out of range; wanted above 0 and below 1")
    best = _logs(law, law.constants, compute)
    how, ends = _interval(law, compute, best, level, interval)
    parts = {name: Estimate(_TITLES[name], _exp(value), unit) for (name, value), unit in zip(best.items(), _UNITS, strict=False)}
    for name, (low, high) in ends.items():
        parts[name].low, parts[name].high = _plain(low), _plain(high)
    leaves = {name: Estimate(name, value, "1", source=law.sources.get(name)) for name, value in law.constants.items()}
    for part in parts.values():
        part.how, part.terms = "closed form of", leaves
    beyond = tuple(law.check(extrapolate, compute=compute, parameters=parts["parameters"].value, tokens=parts["tokens"].value))
    return OptimalAllocation(law.name, compute, parts["parameters"], parts["tokens"], parts.get("loss"), parts["ratio"], level, how, beyond)


_TITLES = {"parameters": "parameters", "tokens": "training tokens", "ratio": "tokens per parameter", "loss": "loss"}
_UNITS = ("1", "token", "1", "1")


def _plain(value: Any) -> Any:
    """A number of NumPy without axes as a float."""
    return float(value) if carrier(value) == ARRAY and value.ndim == 0 else value


def _as_compute(compute: Any) -> Any:
    """A number, or text and quantities in flop."""
    from nvscale.units import Unit

    return Unit("flop", ">0").si(compute, "compute") if carrier(compute) != SYMBOL else compute


def _logs(law: Law, constants: Mapping[str, Any], compute: Any) -> dict[str, Any]:
    """Logarithms of the optimum, which are nearly linear in the coordinates of the covariance."""
    from nvscale.ops import log

    assert law.form.optimum is not None
    parameters, tokens, loss = law.form.optimum(constants, compute)
    found = {"parameters": log(parameters), "tokens": log(tokens), "ratio": log(tokens / parameters)}
    return found | ({"loss": log(loss)} if loss is not None else {})


def _exp(value: Any) -> Any:
    from nvscale.ops import exp

    return exp(value)


def _interval(law: Law, compute: Any, best: Mapping[str, Any], level: float, how: str) -> tuple[str, dict[str, tuple[Any, Any]]]:
    if how not in INTERVALS:
        raise InvalidInput(f"interval: {how!r} is not one of {', '.join(INTERVALS)}")
    if how == "none" or carrier(compute) == SYMBOL:
        return "", {}
    rounded = law.chinchilla is not None and any(source.low is not None for source in law.sources.values())
    if how == "auto":
        how = "delta" if law.covariance is not None else "rounding" if rounded else "none"
    if how == "delta" and law.covariance is not None:
        return f"delta method; {law.covariance.how}", _delta(law, compute, best, level)
    if how == "bootstrap" and (law.covariance is not None or law.draws is not None or law.points):
        drawn, told = draws(law)
        return told, _quantiles(law, compute, drawn, level)
    if how == "rounding" and rounded:
        return "range of the printed constants", _extremes(law, compute)
    if how == "none":
        return "", {}
    raise MissingFigure(f"{law.name} has nothing that an interval of kind {how!r} could be made from")


def _moved(law: Law, shifts: Mapping[str, Any]) -> dict[str, Any]:
    """Constants with their coordinates shifted: coefficients by a factor, exponents by a sum."""
    from nvscale.ops import exp

    moved: dict[str, Any] = dict(law.constants)
    for coordinate, shift in shifts.items():
        name = coordinate.removeprefix("ln ")
        moved[name] = moved[name] * exp(shift) if coordinate.startswith("ln ") else moved[name] + shift
    return moved


def _delta(law: Law, compute: Any, best: Mapping[str, Any], level: float) -> dict[str, tuple[Any, Any]]:
    r"""Intervals exp(ln X +- z s) with s^2 = g^T Sigma g and the gradient g by central differences."""
    from nvscale.ops import sqrt

    assert law.covariance is not None
    of, rows = law.covariance.of, law.covariance.rows
    slopes: dict[str, list[Any]] = {name: [] for name in best}
    for coordinate in of:
        up, down = (_logs(law, _moved(law, {coordinate: sign * STEP}), compute) for sign in (1.0, -1.0))
        for name, slope in slopes.items():
            slope.append((up[name] - down[name]) / (2.0 * STEP))
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    ends = {}
    for name, slope in slopes.items():
        variance = sum(a * rows[i][j] * b for i, a in enumerate(slope) for j, b in enumerate(slope))
        spread = z * sqrt(variance)
        ends[name] = (_exp(best[name] - spread), _exp(best[name] + spread))
    return ends


def draws(law: Law, resamples: int = 4000, seed: int = 42) -> tuple[Any, str]:
    """Return constants of resamples as arrays, and how they were made: refitted points where the law has points."""
    import numpy as np

    if law.draws is not None:
        return law.draws, f"{len(next(iter(law.draws.values())))} resamples of the points"
    if law.points:
        from nvscale.laws.fitting import fit_law

        fitted = fit_law(law.points, law.form.name, starts=0, resamples=resamples, seed=seed)
        return fitted.draws, f"{resamples} resamples of {law.points}"
    assert law.covariance is not None
    shifts = np.random.default_rng(seed).multivariate_normal(np.zeros(len(law.covariance.of)), law.covariance.rows, resamples)
    return _moved(law, dict(zip(law.covariance.of, shifts.T, strict=True))), f"{resamples} draws from the covariance"


def _quantiles(law: Law, compute: Any, drawn: Mapping[str, Any], level: float) -> dict[str, tuple[Any, Any]]:
    import numpy as np

    at = np.asarray(compute, dtype=float)
    wide = {name: np.reshape(value, (-1,) + (1,) * at.ndim) if np.ndim(value) else value for name, value in drawn.items()}
    logs = _logs(law, wide, at)
    tails = [0.5 - level / 2.0, 0.5 + level / 2.0]
    ends = {name: np.exp(np.quantile(value, tails, axis=0)) for name, value in logs.items()}
    return {name: (low, high) for name, (low, high) in ends.items()}


def _extremes(law: Law, compute: Any) -> dict[str, tuple[Any, Any]]:
    """Lowest and highest over all corners of the printed ranges."""
    import itertools

    import numpy as np

    spans = {name: (source.low, source.high) for name, source in law.sources.items() if source.low is not None}
    corners = [dict(zip(spans, corner, strict=True)) for corner in itertools.product(*spans.values())]
    logs = [_logs(law, {**law.constants, **corner}, np.asarray(compute, dtype=float)) for corner in corners]
    stacked = {name: np.stack([one[name] for one in logs]) for name in logs[0]}
    return {name: (np.exp(value.min(axis=0)), np.exp(value.max(axis=0))) for name, value in stacked.items()}
