"""What a fit is: constants, errors, conditioning, a test on runs that were held out, and the law that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from nvscale.errors import MissingFigure
from nvscale.laws.forms import law_form
from nvscale.laws.law import Covariance, Law
from nvscale.provenance import Source


@dataclass(frozen=True)
class HeldOut:
    """How a fit predicts runs that it did not see.

    Parameters
    ----------
    measured, predicted : array
        Losses.
    fitted, held : int
        Runs of each kind.
    """

    measured: Any
    predicted: Any
    fitted: int
    held: int

    @property
    def errors(self) -> Any:
        """Absolute errors as shares of the measured losses."""
        return abs(self.predicted - self.measured) / self.measured

    def __str__(self) -> str:
        return f"{self.held} runs held out, {self.fitted} fitted: mean error {self.errors.mean():.2%}, largest {self.errors.max():.2%}"


@dataclass(frozen=True)
class LawFit:
    """A law fitted to runs.

    Parameters
    ----------
    data : str
        Name of the runs.
    form : str
        Form that was fitted.
    constants : dict of str to float
        The fit.
    method : str
        "huber" or "least squares".
    objective : float
        Sum of the Huber losses of the log residuals, or of the squared errors of the loss.
    rows, left_out : int
        Runs that were fitted, and rows that were not taken.
    delta : float
        Residual up to which the Huber loss is quadratic.
    starts : int
        Random starts that were tried.
    share_reached : float
        Share of the random starts that reach the best objective; nan without.
    first_objective : float
        Objective from the published, or projected, start alone.
    seconds : float
        Wall time of the fit without resamples.
    residuals : array
        Logarithm of the predicted over the measured loss.
    coordinates : tuple of str
        What the fit varied.
    asymptotic : array
        Covariance of the coordinates, if residuals are alike everywhere; too small where they are not.
    conditioning : dict of str to float
        Condition numbers.
    draws : dict of str to array or None
        Constants of each resample.
    held_out : HeldOut or None
        The test.
    ranges : dict
        Where the runs were.
    """

    data: str
    form: str
    constants: dict[str, float]
    method: str
    objective: float
    rows: int
    left_out: int
    delta: float
    starts: int
    share_reached: float
    first_objective: float
    seconds: float
    residuals: Any = field(repr=False)
    coordinates: tuple[str, ...] = field(repr=False)
    asymptotic: Any = field(repr=False)
    conditioning: Mapping[str, float] = field(repr=False)
    draws: dict[str, Any] | None = field(repr=False)
    held_out: HeldOut | None = field(repr=False)
    ranges: dict[str, tuple[float, float]] = field(repr=False)

    @cached_property
    def covariance(self) -> Any:
        """Covariance of the coordinates: of the resamples if there are any, or else the asymptotic one."""
        import numpy as np

        if self.draws is None:
            return self.asymptotic
        columns = [np.log(self.draws[name[3:]]) if name.startswith("ln ") else self.draws[name] for name in self.coordinates]
        return np.cov(np.array(columns))

    @property
    def covariance_from(self) -> str:
        """Where the covariance comes from."""
        if self.draws is not None:
            return f"{len(next(iter(self.draws.values())))} resamples of the points"
        return "asymptotic, with residuals alike everywhere"

    @cached_property
    def standard_errors(self) -> dict[str, float]:
        """Standard errors of the constants: standard deviations of the resamples, or by the asymptotic covariance."""
        import numpy as np

        if self.draws is not None:
            return {name: float(np.std(self.draws[name], ddof=1)) for name in self.constants}
        roots = np.sqrt(np.diag(self.asymptotic))
        found = {}
        for name, root in zip(self.coordinates, roots, strict=True):
            bare = name.removeprefix("ln ")
            found[bare] = float(root * self.constants[bare] if name.startswith("ln ") else root)
        return {name: found.get(name, found.get("alpha", float("nan"))) for name in self.constants}

    def interval(self, constant: str, level: float = 0.95) -> tuple[float, float]:
        """Return the percentile interval of a constant over the resamples."""
        import numpy as np

        if self.draws is None:
            raise MissingFigure(f"{constant}: there are no resamples; fit with resamples=4000")
        low, high = np.quantile(self.draws[constant], [0.5 - level / 2.0, 0.5 + level / 2.0])
        return float(low), float(high)

    @property
    def law(self) -> Law:
        """The fit as a law, with its covariance and the range of its runs."""
        source = Source(printed="", document="caller", title=f"fitted to {self.data}", place=f"{self.rows} runs", kind="derived")
        of, rows = _all_coordinates(self.form, self.coordinates, self.covariance)
        return Law(
            name=f"fit/{self.data}",
            title=f"{self.form} fitted to {self.data}",
            form=law_form(_LAWS.get(self.form, self.form)),
            constants=dict(self.constants),
            sources=dict.fromkeys(self.constants, source),
            validity=self.ranges,
            covariance=Covariance(of, rows, self.covariance_from),
            draws=self.draws,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        import math

        test = self.held_out
        return {
            "data": self.data,
            "form": self.form,
            "method": self.method,
            "constants": self.constants,
            "standard_errors": {name: None if math.isnan(error) else error for name, error in self.standard_errors.items()},
            "errors_from": self.covariance_from,
            "objective": self.objective,
            "rows": self.rows,
            "left_out": self.left_out,
            "delta": self.delta if math.isfinite(self.delta) else None,
            "starts": self.starts,
            "share_reached": None if math.isnan(self.share_reached) else self.share_reached,
            "seconds": self.seconds,
            "conditioning": {name: value if math.isfinite(value) else None for name, value in self.conditioning.items()},
            "held_out": None if test is None else {"fitted": test.fitted, "held": test.held, "errors": test.errors.tolist()},
        }

    def __str__(self) -> str:
        lines = [f"{self.form} fitted to {self.rows} runs of {self.data} by {self.method}: objective {self.objective:.11g}"]
        lines += [f"  {name} = {value:.6g} (standard error {self.standard_errors[name]:.3g})" for name, value in self.constants.items()]
        lines.append(f"  errors: {self.covariance_from}")
        if self.starts:
            lines.append(f"  {self.starts} random starts, {self.share_reached:.0%} of them end at the best objective")
        lines.append("  condition numbers: " + ", ".join(f"{name} {value:.3g}" for name, value in self.conditioning.items()))
        return "\n".join([*lines, *([f"  {self.held_out}"] if self.held_out is not None else [])])


_LAWS = {"chinchilla-tied": "chinchilla", "parameters": "floor-of-parameters", "tokens": "floor-of-tokens"}


def _all_coordinates(form: str, of: tuple[str, ...], covariance: Any) -> tuple[tuple[str, ...], tuple[tuple[float, ...], ...]]:
    """Coordinates of the law: where the exponents were tied, both move together."""
    if form == "chinchilla-tied":
        of, index = (*of, "beta"), [0, 1, 2, 3, 3]
        covariance = covariance[index][:, index]
    return of, tuple(tuple(float(cell) for cell in row) for row in covariance)
