"""`attribute`: what brought a change about, factor by factor, for any estimator."""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.analysis.mixtures import Mixture, Scenario, mixture
from nvscale.analysis.shapley import EXACT_AS_ARRAYS, EXACT_UP_TO, SAMPLES, exact_shapley, sampled_shapley
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate
from nvscale.units import readable

SCALES = ("log", "linear")
CLOSE = 1e-9
"""Least agreement of mixtures with the scenarios themselves, and of arrays with single numbers."""

MOST_LOOPED = 8
"""Most factors of other than numbers that are gone through one by one around arrays."""
LARGEST_SHARE = 2.0
"""Shares beyond this, where effects cancel, are not printed: they say nothing."""


@dataclass(frozen=True)
class Attribution:
    """A change taken apart into factors.

    Parameters
    ----------
    name, unit : str
        What changed, and its unit.
    before, after : float
        Its values.
    scale : str
        "log": factors multiply to after / before. "linear": contributions add up to after - before.
    contributions : dict of str to float
        Shapley values on the scale: of ln(value), or of the value.
    errors : dict of str to float
        Standard errors of the contributions; empty where all mixtures were evaluated.
    evaluations : int
        Mixtures that were evaluated.
    unchanged : tuple of str
        Factors that were named and did not differ.
    """

    name: str
    unit: str
    before: float
    after: float
    scale: str
    contributions: Mapping[str, float]
    errors: Mapping[str, float]
    evaluations: int
    unchanged: tuple[str, ...] = ()

    @property
    def total(self) -> float:
        """After over before."""
        return self.after / self.before

    @property
    def factors(self) -> dict[str, float]:
        """Multipliers whose product is the total; of the log scale alone."""
        if self.scale != "log":
            raise InvalidInput("factors: contributions of the linear scale add up, they do not multiply; attribute with scale='log'")
        return {name: math.exp(value) for name, value in self.contributions.items()}

    @property
    def shares(self) -> dict[str, float]:
        """Shares of the change on the scale, which add up to 1; empty where nothing changed."""
        whole = math.fsum(self.contributions.values())
        return {name: value / whole for name, value in self.contributions.items()} if whole else {}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        plain: dict[str, Any] = {
            "name": self.name,
            "unit": self.unit,
            "before": self.before,
            "after": self.after,
            "total": self.total,
            "scale": self.scale,
            "contributions": dict(self.contributions),
            "shares": self.shares,
            "standard_errors": dict(self.errors),
            "evaluations": self.evaluations,
            "unchanged": list(self.unchanged),
        }
        return plain | ({"factors": self.factors} if self.scale == "log" else {})

    def __str__(self) -> str:
        ends = f"{readable(self.before, self.unit)} to {readable(self.after, self.unit)}"
        lines = [f"{self.name}: {ends}, x{self.total:.4g} ({self.scale} scale, {self.evaluations:,} mixtures)"]
        shares = self.shares if all(abs(share) <= LARGEST_SHARE for share in self.shares.values()) else {}
        width = max((len(name) for name in self.contributions), default=0)
        for name, value in sorted(self.contributions.items(), key=lambda item: -abs(item[1])):
            shown = f"x{math.exp(value):.4g}" if self.scale == "log" else f"{value:+.4g} {self.unit}"
            spread = f" +- {self.errors[name]:.2g}" if name in self.errors else ""
            lines.append(f"  {name:{width}}  {shown}{spread}" + (f"  ({shares[name]:+.1%})" if shares else ""))
        return "\n".join(lines)


def attribute(
    estimator: Callable[..., Any],
    before: Scenario,
    after: Scenario,
    factors: "str | Mapping[str, str | Sequence[str]]" = "default",
    *,
    scale: str = "log",
    output: "str | Callable[[Any], Any] | None" = None,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Attribution:
    r"""Attribute the change of an estimate between two scenarios to factors, by Shapley values.

    $$\ln \frac{R_1}{R_0} = \sum_i \phi_i, \qquad
    \phi_i = \sum_{S \not\ni i} \frac{|S|!\,(m - |S| - 1)!}{m!} \ln \frac{R(S \cup i)}{R(S)}$$

    Parameters
    ----------
    estimator : callable
        Called as `estimator(**scenario)`; any function to an Estimate or a number.
    before : mapping of str to any
        Inputs of the estimator, by name: work, system, plan, engine, prices ...
    after : mapping of str to any
        The same inputs afterwards.
    factors : str or mapping of str to paths
        "default": systems as clock, units, width of a unit, number format, memory bandwidth, memory, chip count, scale-up
        size, network, power, price, kernels and software; other inputs as load, lengths, model, layout ...
        "each": every differing input by itself. Or names of one's own to dotted paths ("system.chip.memory_bandwidth").
    scale : str
        "log": factors multiply to the total. "linear": contributions add up to the difference.
    output : str or callable, optional
        Which result of the estimate counts: a name such as "tokens per second", or a function; its value by default.
    samples : int
        Pairs of orders that are drawn where all mixtures are too many: above 12 factors, or above 16 where the estimator
        takes arrays.
    seed : int
        Where the drawing starts.

    Returns
    -------
    Attribution
        `factors`, `shares`, `total`, `to_dict()`; print it to read it.

    Raises
    ------
    InvalidInput
        A differing input that belongs to no factor, inputs that one scenario lacks, values that have no logarithm, or
        a system that mixtures of its figures do not give back.

    Assumptions: order-free (Shapley): a factor gets the mean of its effects over all orders in which factors may change.
    For a pure product this is the logarithmic mean Divisia index.

    Examples
    --------
    >>> def time(peak, bandwidth, bits): return max(1.0 / peak, 1.5 * bits / bandwidth)
    >>> found = attribute(time, dict(peak=1, bandwidth=1, bits=2), dict(peak=4, bandwidth=2.4, bits=1), "each")
    >>> {name: round(1 / factor, 4) for name, factor in found.factors.items()}
    {'peak': 1.1696, 'bandwidth': 2.2192, 'bits': 1.8493}
    """
    if scale not in SCALES:
        raise unknown("scale of an attribution", scale, SCALES)
    mixed = mixture(before, after, factors)
    take = _taker(output)
    run = _Runner(estimator, mixed, take, scale)
    ends = [run.check(dict(scenario), side) for scenario, side in ((before, 0), (after, 1))]
    names, m = mixed.factors, len(mixed.factors)
    errors: dict[str, float] = {}
    table = run.table()
    if table is not None:
        values, evaluations = exact_shapley(table), 2**m
    else:
        values, spread = sampled_shapley(run.one, m, samples, seed)
        errors, evaluations = dict(zip(names, spread, strict=True)), run.evaluations
    result = estimator(**before)
    unit = _unit(result, output)
    called = output if isinstance(output, str) else getattr(estimator, "__name__", "value").replace("_", " ")
    return Attribution(
        called, unit, ends[0], ends[1], scale, dict(zip(names, values, strict=True)), errors, evaluations, mixed.unchanged
    )  # fmt: skip


def _taker(output: "str | Callable[[Any], Any] | None") -> Callable[[Any], Any]:
    """How the figure is taken from a result."""
    if callable(output):
        return lambda result: _plain(output(result))
    if output is None:
        return _plain
    return lambda result: _plain(result[output])


def _plain(result: Any) -> Any:
    return result.value if isinstance(result, Estimate) else result


def _unit(result: Any, output: "str | Callable[[Any], Any] | None") -> str:
    if isinstance(output, str):
        result = result[output]
    return str(getattr(result, "unit", "1")) if not callable(output) else "1"


class _Runner:
    """Evaluates mixtures: numbers as arrays, everything else one by one."""

    def __init__(self, estimator: Callable[..., Any], mixed: Mixture, take: Callable[[Any], Any], scale: str) -> None:
        self.estimator, self.mixed, self.take, self.scale = estimator, mixed, take, scale
        self.evaluations = 0

    def check(self, scenario: dict[str, Any], side: int) -> float:
        """Return the value of a scenario itself, refused where its mixture gives another or where it has no logarithm."""
        itself = float(self.take(self.estimator(**scenario)))
        if not math.isfinite(itself) or (self.scale == "log" and itself <= 0.0):
            raise InvalidInput(f"attribute: the {('first', 'second')[side]} scenario gives {itself!r}; the {self.scale} scale needs more")
        rebuilt = float(self.take(self._result([side] * len(self.mixed.factors))))
        if not math.isclose(itself, rebuilt, rel_tol=CLOSE):
            raise InvalidInput(
                f"attribute: the default factors give {rebuilt:.6g} for a scenario of {itself:.6g}: the estimator reads more of the "
                "system than they hold; give factors of your own"
            )
        return itself

    def _result(self, bits: Sequence[Any]) -> Any:
        return self.estimator(**self.mixed.scenario(dict(zip(self.mixed.factors, bits, strict=True))))

    def _scaled(self, value: Any) -> Any:
        import numpy as np

        if self.scale == "linear":
            return value
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(value)

    def one(self, bits: Sequence[int]) -> float:
        """Return the value of one mixture on the scale."""
        self.evaluations += 1
        return float(self._scaled(self.take(self._result(bits))))

    def table(self) -> Any:
        """Return the values of all mixtures on the scale, an axis per factor; None where they are too many."""
        import numpy as np

        names = self.mixed.factors
        numeric = [i for i, name in enumerate(names) if name in self.mixed.numeric]
        table = self._swept(self._sweepable(numeric)) if len(names) <= EXACT_AS_ARRAYS else None
        if table is None and len(names) > EXACT_UP_TO:
            return None
        if table is None:
            table = np.array([self._one_by_one(bits) for bits in itertools.product((0, 1), repeat=len(names))])
        table = self._scaled(np.reshape(table, (2,) * len(names)))
        if not np.isfinite(table).all():
            worst = np.argwhere(~np.isfinite(table))[0]
            mixed = ", ".join(name for name, side in zip(names, worst, strict=True) if side) or "nothing"
            raise InvalidInput(
                f"attribute: the mixture with {mixed} after and the rest before has no finite value on the {self.scale} scale"
            )
        return table

    def _one_by_one(self, bits: Sequence[int]) -> float:
        try:
            return float(self.take(self._result(bits)))
        except (InvalidInput, MissingFigure) as problem:
            names = [name for name, side in zip(self.mixed.factors, bits, strict=True) if side]
            raise InvalidInput(f"attribute: the mixture with {', '.join(names)} after and the rest before fails: {problem}") from problem

    def _sweepable(self, numeric: Sequence[int]) -> list[int]:
        """Those factors of numbers that the estimator takes as an array, each by itself."""
        import numpy as np

        both, kept = np.array([0.0, 1.0]), []
        for i in numeric:
            try:
                values = self.take(self._result([both if j == i else 0 for j in range(len(self.mixed.factors))]))
            except (InvalidInput, MissingFigure, TypeError, ValueError):
                continue
            if np.shape(values) in ((), (2,)):
                kept.append(i)
        return kept

    def _swept(self, numeric: Sequence[int]) -> Any:
        """All mixtures with numbers as arrays; None where the estimator takes few, or not to the same values."""
        import numpy as np

        m = len(self.mixed.factors)
        if len(numeric) < max(2, m - MOST_LOOPED):
            return None
        others = [i for i in range(m) if i not in numeric]
        table = np.full((2,) * m, math.nan)
        axes = {i: np.array([0.0, 1.0]).reshape([2 if j == place else 1 for j in range(len(numeric))]) for place, i in enumerate(numeric)}
        for chosen in itertools.product((0, 1), repeat=len(others)):
            fixed = dict(zip(others, chosen, strict=True))
            try:
                values = np.asarray(self.take(self._result([axes[i] if i in axes else fixed[i] for i in range(m)])), dtype=float)
                ends = [float(self.take(self._result([side if i in axes else fixed[i] for i in range(m)]))) for side in (0, 1)]
            except (InvalidInput, MissingFigure, TypeError, ValueError):
                return None
            values = np.broadcast_to(values, (2,) * len(numeric))
            if not np.allclose([values.flat[0], values.flat[-1]], ends, rtol=CLOSE, atol=0.0):
                return None
            table[tuple(fixed.get(i, slice(None)) for i in range(m))] = values
        return table
