"""`fit_law`: constants of a law from runs, with errors, conditioning, resamples, and a test on runs that were held out."""

import os
import time
from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.laws.fit_results import HeldOut, LawFit
from nvscale.laws.runs import Points, read_points

DELTA = 1e-3
"""Residual of the logarithm of the loss up to which the Huber loss is quadratic, as in Hoffmann et al. 2022."""
REACHED = 1e-6
"""A start has reached the best objective when it is within this share of it."""
STARTS = ("published", "projection")
APPROACHES = (1, 2, 3)
METHODS = ("huber", "least squares")


def fit_law(
    data: Any,
    form: str = "chinchilla",
    *,
    approach: int = 3,
    method: str = "huber",
    start: str = "published",
    starts: int = 40,
    resamples: int = 0,
    seed: int = 42,
    delta: float = DELTA,
    hold_out: Any = None,
    loss: str = "",
    train_set: str = "",
    outliers: bool = False,
    workers: int = 0,
) -> Any:
    r"""Fit a law to runs.

    $$\min_\theta \sum_i \mathrm{Huber}_\delta\left(\ln \hat L_i(\theta) - \ln L_i\right)$$

    Parameters
    ----------
    data : str, Path, mapping, data frame or Points
        Runs, as `read_points` takes them; "chinchilla-figure-4" and "overtraining" come with nvscale.
    form : str
        "chinchilla", "chinchilla-tied" (both exponents equal), "overtraining", "granular-experts", "parameters" or "tokens".
    approach : int
        Of Hoffmann et al. 2022: 3 fits the form; 1 and 2 fit a power of compute to the runs that no cheaper run beats, and to the
        minima of parabolas at each budget (column `budget`, or runs of like compute), and return a `FittedAllocation`.
    method : str
        "huber" on the logarithm of the loss, or "least squares" on the loss itself, by variable projection.
    start : str
        "published", or "projection": from the least squares that variable projection finds.
    starts : int
        Random starts beside it, so that the fit does not depend on one.
    resamples : int
        Resamples of the runs for the standard errors; 0 leaves the asymptotic covariance, 4000 take a second or two.
    seed : int
        Of the random starts and the resamples.
    delta : float
        Residual up to which the Huber loss is quadratic; infinite for least squares.
    hold_out : float or mask, optional
        Share of the runs, those of most compute, or a mask of the runs, that are predicted and not fitted.
    loss : str
        Column that holds the loss.
    train_set : str
        Only rows with this text in the column train_set.
    outliers : bool
        Take rows that are marked as outliers, too.
    workers : int
        Threads for resamples; 0 for as many as there are processors.

    Returns
    -------
    LawFit or FittedAllocation
        The fit; its `law` answers questions.

    Raises
    ------
    InvalidInput
        The data lack a column, or there are fewer runs than constants.

    Examples
    --------
    >>> from nvscale import laws
    >>> fit = laws.fit_law("chinchilla-figure-4")
    >>> fit.objective <= 0.00101827403, round(fit.constants["alpha"], 4), round(fit.constants["beta"], 4)
    (True, 0.3473, 0.3672)
    """
    points = read_points(data, loss=loss, train_set=train_set, outliers=outliers)
    if approach not in APPROACHES:
        raise InvalidInput(f"approach: {approach!r} is not one of 1, 2, 3")
    if method not in METHODS:
        raise InvalidInput(f"method: {method!r} is not one of {', '.join(METHODS)}")
    if method != "huber" and resamples:
        raise InvalidInput("resamples: only for the method 'huber'")
    if start not in STARTS:
        raise InvalidInput(f"start: {start!r} is not one of {', '.join(STARTS)}")
    if starts < 0 or resamples < 0:
        raise InvalidInput(f"starts and resamples must be 0 or above; given {starts} and {resamples}")
    if not delta > 0.0:
        raise InvalidInput(f"delta: {delta!r} is out of range; wanted above 0")
    if approach != 3:
        return _allocation(points, approach)
    held = _mask(points, hold_out)
    chosen = points if held is None else points.where(~held)
    fit = _projected(chosen, form) if method == "least squares" else _fit(chosen, form, start, starts, seed, delta)
    return _finished(points, fit, held, resamples, seed, workers or os.cpu_count() or 1)


def _allocation(points: Points, approach: int) -> Any:
    from nvscale.analysis.law_fitting.allocations import fit_budgets, fit_envelope

    size, compute, loss = (points[name] for name in ("parameters", "compute", "loss"))
    return fit_envelope(size, compute, loss) if approach == 1 else fit_budgets(size, compute, loss, points.columns.get("budget"))


def _mask(points: Points, hold_out: Any) -> Any:
    """Which runs are held out: given as a mask, or as a share of those of most compute."""
    import numpy as np

    if hold_out is None:
        return None
    if isinstance(hold_out, float):
        if not 0.0 < hold_out < 1.0:
            raise InvalidInput(f"hold_out: {hold_out!r} is out of range; wanted above 0 and below 1")
        ranks = np.argsort(np.argsort(points["compute"], kind="stable"), kind="stable")
        return ranks >= len(points) - max(1, round(hold_out * len(points)))
    mask = np.asarray(hold_out)
    if mask.dtype != bool or mask.shape != (len(points),) or mask.all() or not mask.any():
        raise InvalidInput(f"hold_out: wanted a share, or {len(points)} truth values of which some are true")
    return mask


@dataclass(frozen=True)
class _Found:
    """A fit before it is dressed up."""

    form: Any
    points: Points
    problem: Any
    place: Any
    objective: float
    first: float
    starts: int
    share: float
    seconds: float
    method: str = "huber"


def _fit(points: Points, name: str, start: str, starts: int, seed: int, delta: float) -> _Found:
    import numpy as np

    from nvscale.analysis.law_fitting.solver import Problem, minimise

    began = time.perf_counter()
    form, slopes = _sloped(points, name)
    problem = Problem(slopes, np.log(points["loss"]), delta)
    projected = form.published is None or start == "projection"
    first = _projection(form, slopes, points["loss"]) if projected else form.published
    best = minimise(problem, [first], eased=projected)
    place, objective, share = best.places[0], float(best.objectives[0]), float("nan")
    if starts:
        low, high = np.array(form.ranges).T
        random = np.random.default_rng(seed).uniform(low, high, (starts, len(low)))
        tried = minimise(problem, random, eased=True)
        if tried.objectives[tried.best] < objective:
            place, objective = tried.places[tried.best], float(tried.objectives[tried.best])
        share = float((tried.objectives <= objective * (1.0 + REACHED)).mean())
    seconds = time.perf_counter() - began
    return _Found(form, points, problem, place, objective, float(best.objectives[0]), starts, share, seconds)


def _projected(points: Points, name: str) -> _Found:
    """Least squares on the loss."""
    import numpy as np

    began = time.perf_counter()
    form, slopes = _sloped(points, name)
    from nvscale.analysis.law_fitting.projection import project
    from nvscale.analysis.law_fitting.solver import Problem

    place, error = project(form, slopes, points["loss"])
    squares = error**2 * len(points)
    problem = Problem(slopes, np.log(points["loss"]), float("inf"))
    return _Found(form, points, problem, place, squares, squares, 0, float("nan"), time.perf_counter() - began, "least squares")


def _sloped(points: Points, name: str) -> tuple[Any, Any]:
    """The form, and its slopes at the points."""
    from nvscale.analysis.law_fitting.sums import sum_form

    form = sum_form(name)
    columns = {column: points[column] for column in form.columns}
    if len(points) < len(form.coordinates):
        raise InvalidInput(f"{points.name}: {len(points)} runs; the form {form.name} has {len(form.coordinates)} constants")
    return form, form.slopes(columns)


def _projection(form: Any, slopes: Any, loss: Any) -> Any:
    from nvscale.analysis.law_fitting.projection import project

    return project(form, slopes, loss)[0]


def _finished(points: Points, found: _Found, held: Any, resamples: int, seed: int, workers: int) -> LawFit:
    from nvscale.analysis.law_fitting.quality import conditioning, covariance, jacobian, resample

    form, problem, place = found.form, found.problem, found.place
    constants = _named(form, form.constants(place))
    drawn = _named(form, form.constants(resample(problem, place, resamples, seed, workers)).T) if resamples else None
    columns = {name: values for name, values in found.points.columns.items() if name not in ("loss", "budget")}
    return LawFit(
        data=points.name,
        form=form.name,
        constants={name: float(value) for name, value in constants.items()},
        method=found.method,
        objective=found.objective,
        rows=len(found.points),
        left_out=points.left_out,
        delta=problem.delta,
        starts=found.starts,
        share_reached=found.share,
        first_objective=found.first,
        seconds=found.seconds,
        residuals=jacobian(problem, place)[0],
        coordinates=form.coordinates,
        asymptotic=covariance(problem, place, absolute=found.method == "least squares"),
        conditioning=conditioning(form, problem, place),
        draws=drawn,
        held_out=None if held is None else _tested(form, points.where(held), place, len(found.points)),
        ranges={name: (float(values.min()), float(values.max())) for name, values in columns.items()},
    )


def _named(form: Any, values: Any) -> dict[str, Any]:
    """Constants by name; where the exponents were tied, both."""
    found = dict(zip(form.names(), values, strict=True))
    return found | ({"beta": found["alpha"]} if form.name == "chinchilla-tied" else {})


def _tested(form: Any, points: Points, place: Any, fitted: int) -> HeldOut:
    import numpy as np

    slopes = form.slopes({column: points[column] for column in form.columns})
    predicted = np.exp(slopes @ place).sum(axis=0)
    return HeldOut(points["loss"], predicted, fitted, len(points))
