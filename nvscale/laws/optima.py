"""How compute is best spent by a law, with intervals by the delta method or from resamples; the cheapest model over its life."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, show
from nvscale.formulas import scaling_laws
from nvscale.laws.law import Law
from nvscale.ops import ARRAY, FLOAT, SYMBOL, carrier

INTERVALS = ("auto", "delta", "bootstrap", "rounding", "none")
STEP = 1e-5
"""Of the central differences of the delta method, in the coordinates of the covariance."""
HALVINGS = 200


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


@dataclass(frozen=True)
class LifetimeOptimum:
    """The model that costs least over its life at a given loss.

    Parameters
    ----------
    law : str
        Name of the law.
    loss : float
        Loss that is kept.
    lifetime_tokens : float
        Tokens read and written in use.
    parameters, tokens : float
        The cheapest model.
    operations : float
        Its compute over its life, in flop.
    training_optimum : tuple of float
        Parameters and tokens of the compute-optimal model of the same loss.
    saving : float
        Share of the compute over the life that is saved against it.
    """

    law: str
    loss: float
    lifetime_tokens: float
    parameters: float
    tokens: float
    operations: float
    training_optimum: tuple[float, float]
    saving: float

    @property
    def data_ratio(self) -> float:
        """Tokens over those of the compute-optimal model."""
        return self.tokens / self.training_optimum[1]

    def __str__(self) -> str:
        use, size, data = (_number(value, "1") for value in (self.lifetime_tokens, self.parameters, self.tokens))
        model = f"{size} parameters on {data} tokens ({self.data_ratio:.3g} x the data)"
        return f"{self.law}: loss {self.loss:.4f}, {use} tokens in use: {model}, saves {self.saving:.1%}"


def lifetime_optimum(
    law: Law,
    lifetime_tokens: float,
    *,
    loss: float | None = None,
    compute: float | None = None,
    parameters: float | None = None,
    training: float = 6.0,
    inference: float = 2.0,
    extrapolate: str = "warn",
) -> LifetimeOptimum:
    """Return the parameters and tokens of least cost over training and use, at the loss of a compute-optimal model.

    Parameters
    ----------
    law : Law
        A law of Chinchilla type.
    lifetime_tokens : float
        Tokens read and written in use.
    loss, compute, parameters : float, optional
        The loss to keep: given itself, as that of a compute, or as that of the compute-optimal model of a size. One of them.
    training, inference : float
        Cost of a training token and of a token in use, per parameter: operations, or dollars, in any common unit.
    extrapolate : str
        Outside the range of the runs: "warn", "refuse" or "allow".

    >>> from nvscale import laws
    >>> law = laws.load("chinchilla/hoffmann-2022")
    >>> best = law.lifetime_optimum(2e12, parameters=13e9, extrapolate="allow")
    >>> round(best.parameters / 1e9, 4), round(best.data_ratio, 3), round(best.saving, 4)
    (7.1203, 2.098, 0.1632)
    """
    known = law.need_chinchilla("a lifetime optimum")
    rest = {name: value for name, value in known.items() if name != "E"}
    if sum(given is not None for given in (loss, compute, parameters)) != 1:
        raise InvalidInput("lifetime_optimum: give one of loss, compute and parameters")
    if not lifetime_tokens >= 0.0:
        raise InvalidInput(f"lifetime_tokens: {lifetime_tokens!r} is out of range; wanted 0 or above")
    if parameters is not None:
        loss = scaling_laws.chinchilla_loss(parameters, scaling_laws.matched_tokens(parameters, **rest), **known)
    elif compute is not None:
        loss = scaling_laws.optimal_loss(_as_compute(compute), **known)
    assert loss is not None
    if not loss > known["E"]:
        raise InvalidInput(f"loss: {loss!r} is not above the irreducible loss {known['E']:.6g} of {law.name}")
    spent = scaling_laws.compute_for_loss(loss, **known)
    usual = (scaling_laws.optimal_parameters(spent, **rest), scaling_laws.optimal_tokens(spent, **rest))
    size = _root(law, loss, lifetime_tokens, usual[0], training / inference)
    data = scaling_laws.tokens_for_loss(loss, size, **known)
    law.check(extrapolate, parameters=size, tokens=data)
    costs = [n * (training * d + inference * lifetime_tokens) for n, d in ((size, data), usual)]
    return LifetimeOptimum(law.name, loss, lifetime_tokens, size, data, costs[0], usual, max(1.0 - costs[0] / costs[1], 0.0))


def _root(law: Law, loss: float, wanted: float, upper: float, ratio: float) -> float:
    """Halve the interval between the smallest model of the loss and the compute-optimal one: the wanted use falls with the size."""
    known = law.need_chinchilla("a lifetime optimum")
    rest = {name: value for name, value in known.items() if name != "E"}
    least = math.log(scaling_laws.smallest_parameters(loss, known["E"], known["A"], known["alpha"]))
    low, high = least, math.log(upper)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        data = scaling_laws.tokens_for_loss(loss, math.exp(middle), **known)
        use = (
            math.inf
            if math.isinf(data)
            else scaling_laws.justifying_lifetime_tokens(math.exp(middle), data, **rest, operations=2.0 * ratio)
        )
        low, high = (middle, high) if use > wanted else (low, middle)
    return math.exp(0.5 * (low + high))


def best_bits(law: Law) -> float:
    """Return the bits that training is cheapest in at equal loss, by the sensitivities of a law."""
    names = ("gamma_w", "gamma_a", "gamma_kv")
    if not all(name in law.constants for name in names):
        raise MissingFigure(f"{law.name} says nothing of bits; take 'precision/kumar-2024'")
    return balanced_bits(*(law.constants[name] for name in names))


def balanced_bits(gamma_w: float, gamma_a: float, gamma_kv: float) -> float:
    r"""Return the bits at which one percent more bits gives one percent more effective parameters.

    $$\sum_i \frac{u_i e^{-u_i}}{1 - e^{-u_i}} = 1, \qquad u_i = \frac{P}{\gamma_i}$$

    Parameters
    ----------
    gamma_w, gamma_a, gamma_kv : bit
        Sensitivities of weights, activations and cache.

    >>> round(balanced_bits(2.6745, 2.6745, 2.6745), 5)
    5.09175
    """
    low, high = 1e-3, 100.0 * max(gamma_w, gamma_a, gamma_kv)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        pays = scaling_laws.precision_marginal(middle, gamma_w, gamma_a, gamma_kv) > 1.0
        low, high = (middle, high) if pays else (low, middle)
    return 0.5 * (low + high)
