"""How one class of kernels is fitted to rows of one's own, with the shipped constants as prior."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nvscale.truth.classes import KernelClass, Key
from nvscale.truth.constants import Constant
from nvscale.truth.folds import FOLDS_BY

FEWEST_ROWS = 8
"""Rows of a class below which nothing is fitted."""
ROWS_A_CONSTANT = 2
"""Rows that each fitted constant needs."""
FEWEST_SHAPES = 4
"""Different shapes of a class below which nothing can be held out."""
MOST_FOLDS = 5
NOISE = 0.05
"""Scatter of good measurements, as a logarithm: what weighs a row against the prior."""
PRIOR = {"own": 0.5, "other": 1.0, "folds": 1.0}
"""How far a constant may be off before anything is measured, as a logarithm: fitted on this chip, on others, or for the scores of folds."""
TOLD = 0.6
"""A constant is determined when the rows narrow it to this part of the prior, or less."""
RANGE = math.log(30.0)
"""How far a fit may go from the shipped constant."""
HIGHEST_SHARE = 1.25
"""Most that a share may reach; above 1 where clocks or the switch exceed the nominal rate."""
SHARES = ("overlap", "expanded")
"""Constants that are parts of a whole: at most 1."""
OUTLIER = 3.0
"""Residuals in units of the noise from which a row loses weight."""


@dataclass(frozen=True)
class FittedClass:
    """What came of one class of kernels.

    Parameters
    ----------
    key : Key
        Kind, class, path and chip.
    rows, shapes : int
        Measured rows, and different shapes among them.
    constants : tuple of Constant
        All constants of the class: the fitted ones and those kept; empty where nothing was fitted.
    fitted : tuple of str
        Names of the fitted ones.
    kept : dict of str to str
        Names of those kept at the shipped value, and why.
    covariance : tuple of tuple of float
        Of the logarithms of the fitted constants, in their order.
    before, after : float
        MAPE on the rows in percent: with the shipped constants; with constants fitted without the row's fold.
    refused : str
        Why nothing was fitted; empty where something was.
    """

    key: Key
    rows: int
    shapes: int
    constants: tuple[Constant, ...] = ()
    fitted: tuple[str, ...] = ()
    kept: Mapping[str, str] = field(default_factory=dict)
    covariance: tuple[tuple[float, ...], ...] = ()
    before: float = math.nan
    after: float = math.nan
    folds: int = 0
    refused: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        about = {"kind": self.key.kind, "class": self.key.class_, "path": self.key.path, "chip": self.key.chip}
        done = {
            "fitted": {c.name: {"value": c.value, "standard_error": c.standard_error, "unit": c.unit} for c in self._own()},
            "kept": dict(self.kept),
            "covariance_of_ln": {"names": list(self.fitted), "matrix": [list(row) for row in self.covariance]},
        }
        scores = {name: None if math.isnan(value) else value for name, value in (("before", self.before), ("after", self.after))}
        return about | {"rows": self.rows, "shapes": self.shapes, "folds": self.folds} | scores | done | {"refused": self.refused}

    def _own(self) -> list[Constant]:
        return [one for one in self.constants if one.name in self.fitted]


class OwnFit:
    """The fit of one class of kernels."""

    def __init__(self, rows: KernelClass) -> None:
        self.rows, self.key, self.kind, self.own = rows, rows.key, rows.kind, rows.own
        self.groups, self.measured = rows.groups, rows.measured

    def fit(self, data_set: str) -> FittedClass:
        """Fit what the rows determine, and score it on held-out folds."""
        import numpy as np

        seconds = np.concatenate(self.measured)
        folds, shapes = self._folds()
        before = self._mape({}, seconds)
        free, kept = self.rows.candidates()
        said = FittedClass(self.key, len(seconds), shapes, before=before)
        needed = max(FEWEST_ROWS, ROWS_A_CONSTANT * min(len(free), 3))
        if len(seconds) < needed:
            return _refused(said, f"{len(seconds)} rows are too few for {len(free)} constants; wanted at least {needed}")
        if shapes < FEWEST_SHAPES:
            return _refused(said, f"{shapes} different shapes are too few to hold any out; wanted at least {FEWEST_SHAPES}")
        every = np.ones(len(seconds), dtype=bool)
        while free:
            value, covariance, told = self._solve(free, seconds, every)
            worst = max(free, key=lambda name: told[name])
            enough = len(seconds) >= ROWS_A_CONSTANT * len(free)
            if told[worst] <= TOLD and enough:
                break
            kept[worst] = (
                f"the rows leave it to {told[worst]:.0%} of its prior range: no row depends on it enough"
                if told[worst] > TOLD
                else f"{len(seconds)} rows are too few for {len(free)} constants"
            )
            free = [name for name in free if name != worst]
        if not free:
            return _refused(said, f"no constant is determined by the rows ({'; '.join(f'{n}: {why}' for n, why in kept.items())})", kept)
        after = float(np.mean(np.abs(self._held_out(free, seconds, folds) / seconds - 1.0)) * 100.0)
        done = {"fitted": tuple(free), "kept": kept, "after": after, "folds": int(folds.max()) + 1}
        if not after < before:
            why = f"on held-out shapes the fitted constants do no better ({after:.1f} % against {before:.1f} % with the shipped ones)"
            return _refused(FittedClass(**{**said.__dict__, "after": after, "folds": done["folds"]}), why, kept)
        scheme = f"{done['folds']} folds of shapes"
        errors = dict(zip(free, np.sqrt(np.diag(covariance)).tolist(), strict=True))
        rows = tuple(self._constants(value, errors, data_set, scheme, after, len(seconds)))
        return FittedClass(**{**said.__dict__, **done, "constants": rows, "covariance": tuple(map(tuple, covariance.tolist()))})

    def held_out_ratios(self) -> Any:
        """Predictions with constants fitted without the fold of each row, over those of the shipped constants."""
        import numpy as np

        seconds = np.concatenate(self.measured)
        folds, shapes = self._folds()
        free, _ = self.rows.candidates()
        if len(seconds) < FEWEST_ROWS or shapes < FEWEST_SHAPES or not free:
            return np.full(len(seconds), math.nan)
        return self._held_out(free, seconds, folds, PRIOR["folds"]) / self.rows.predict({})

    def _mape(self, values: Mapping[str, float], seconds: Any) -> float:
        import numpy as np

        return float(np.mean(np.abs(self.rows.predict(values) / seconds - 1.0)) * 100.0)

    def _solve(
        self, free: Sequence[str], seconds: Any, train: Any, prior: float | None = None
    ) -> tuple[dict[str, float], Any, dict[str, float]]:
        """Values, covariance of their logarithms, and how far each is narrowed against its prior."""
        import numpy as np
        from scipy.optimize import least_squares

        start = np.log([self.own[name].value for name in free])
        width = np.array([prior or self._prior(name) for name in free])
        high = start + RANGE
        least = np.array([0.0 if name.endswith("sharpness") and start[i] >= 0.0 else -np.inf for i, name in enumerate(free)])
        most = np.array([0.0 if name in SHARES and start[i] <= 0.0 else np.inf for i, name in enumerate(free)])
        for i, name in enumerate(free):
            if self.own[name].unit == "1" and "share" in name:
                high[i] = max(min(high[i], math.log(HIGHEST_SHARE)), start[i] + 0.1)

        def residuals(point: Any) -> Any:
            values = dict(zip(free, np.exp(np.clip(point, least, most)).tolist(), strict=True))
            errors = np.log(self.rows.predict(values)[train] / seconds[train]) / NOISE
            return np.concatenate([errors, (point - start) / width])

        best = least_squares(
            residuals,
            start,
            bounds=(start - RANGE, high),
            x_scale=width,
            loss="soft_l1",
            f_scale=OUTLIER,
            diff_step=1e-3,
            max_nfev=30,
            ftol=1e-5,
            xtol=1e-4,
        )
        rows = int(train.sum())
        raw = residuals(best.x)[:rows]
        scatter = max(1.0, float(np.median(np.abs(raw))) / 0.6745)  # of the rows, in units of the noise; the median of |N(0, 1)| is 0.6745
        weights = 1.0 / np.sqrt(1.0 + (raw / (OUTLIER * scatter)) ** 2)
        slopes = _slopes(residuals, best.x)[:rows] * np.sqrt(weights)[:, None] / scatter
        covariance = np.linalg.pinv(slopes.T @ slopes + np.diag(1.0 / width**2))
        told = dict(zip(free, (np.sqrt(np.diag(covariance)) / width).tolist(), strict=True))
        found = np.exp(np.clip(best.x, least, most)).tolist()
        return dict(zip(free, found, strict=True)), covariance, told

    def _prior(self, name: str) -> float:
        """Width of the prior of a constant: wider where it was fitted on other chips or frameworks."""
        one = self.own[name]
        return PRIOR["own" if (one.chip, one.path) == (self.key.chip, self.key.path) else "other"]

    def _folds(self) -> tuple[Any, int]:
        """A fold for every row: rows of one shape are together; and the number of shapes."""
        import numpy as np

        given = self.groups[0].numbers
        names = [name for name in FOLDS_BY.get(self.kind.name, ()) if name in given] or list(self.kind.numbers) or list(given)
        shapes = np.stack([np.concatenate([np.nan_to_num(group.numbers[name]) for group in self.groups]) for name in names], axis=1)
        _, which = np.unique(shapes, axis=0, return_inverse=True)
        which = which.ravel()
        count = int(which.max()) + 1
        return which % min(MOST_FOLDS, count), count

    def _held_out(self, free: Sequence[str], seconds: Any, folds: Any, prior: float | None = None) -> Any:
        """Predictions of every row with constants that were fitted without its fold."""
        import numpy as np

        made = np.empty(len(seconds))
        for fold in range(int(folds.max()) + 1):
            held = folds == fold
            made[held] = self.rows.predict(self._solve(free, seconds, ~held, prior)[0])[held]
        return made

    def _constants(
        self, values: Mapping[str, float], errors: Mapping[str, float], data_set: str, scheme: str, after: float, rows: int
    ) -> Iterator[Constant]:
        """The fitted constants, and the others of the class as they were."""
        for name, one in self.own.items():
            place = one._replace(class_=self.key.class_, path=self.key.path, chip=self.key.chip)
            if name in values:
                error = values[name] * errors[name]
                yield place._replace(
                    value=values[name], standard_error=error, rows=float(rows), data_set=data_set, scheme=scheme, held_out_mape=after
                )
            elif one.value >= 0.0 and math.isfinite(one.value):
                yield place._replace(scheme=f"kept at the shipped value; {one.scheme}".removesuffix("; "))


def _slopes(function: Any, point: Any) -> Any:
    """Derivatives of the residuals, by central differences."""
    import numpy as np

    steps = 1e-3 * np.eye(len(point))
    return np.stack([(function(point + step) - function(point - step)) / 2e-3 for step in steps], axis=1)


def _refused(made: FittedClass, why: str, kept: Mapping[str, str] | None = None) -> FittedClass:
    return FittedClass(**{**made.__dict__, "refused": why, "kept": dict(kept or {}), "constants": (), "fitted": ()})
