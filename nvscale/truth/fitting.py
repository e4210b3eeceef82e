"""`calibrate`: efficiency constants fitted to rows of one's own, as far as those rows determine them.

The shipped constants are the prior: a constant that the rows say little about stays where it is, and
the report says so. Rows of one shape stay in one fold, so that the error "after" is one on shapes
that the fit has not seen; constants that do no better there than the shipped ones are not written.
"""

import math
from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.silicon import Chip
from nvscale.truth.calibrations import write_calibration
from nvscale.truth.constants import Constant, Constants, Found, shipped_constants
from nvscale.truth.kinds import Group, Kind, kind_of_rows
from nvscale.truth.tables import Table, read_table

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
FOLDS_BY: Mapping[str, tuple[str, ...]] = {
    "gemm": ("n", "k"),
    "attention": ("batch", "seq", "heads", "kv_heads"),
    "mla": ("batch", "seq", "heads"),
    "moe": ("hidden", "moe_intermediate", "inter", "topk", "experts"),
    "collectives": ("message_bytes",),
    "all_to_all_multinode": ("tokens",),
}
"""Columns that make a shape: rows that share them are held out together."""
DISCRETE = ("byte",)
"""Units of constants that are chosen, not fitted: sizes at which a library changes over."""


@dataclass(frozen=True)
class Key:
    """Which constants: kind, class, path and chip."""

    kind: str
    class_: str
    path: str
    chip: str

    def __str__(self) -> str:
        return " ".join(word for word in (self.kind, self.class_, self.path or "any path", self.chip) if word)


class _Recorder(Constants):
    """Constants that remember what was looked up."""

    seen: list[tuple["Key", Found]]

    def find(self, class_: str, path: str, chip: Chip, **how: Any) -> Found | None:
        found = super().find(class_, path, chip, **how)
        if found is not None:
            self.seen.append((Key(self.kind, class_, path, chip.name), found))
        return found


class _Recording(Mapping[str, Constants]):
    """A calibration that is asked for nothing but what comes with nvscale, and remembers the questions."""

    def __init__(self) -> None:
        self.seen: list[tuple[Key, Found]] = []

    def __getitem__(self, kind: str) -> Constants:
        shipped = shipped_constants(kind)
        recorder = _Recorder(kind, shipped.rows, shipped.intervals)
        object.__setattr__(recorder, "seen", self.seen)
        return recorder

    def __iter__(self) -> Iterator[str]:
        return iter(("any",))

    def __len__(self) -> int:
        return 1


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


@dataclass(frozen=True)
class Fitted:
    """Constants fitted to rows of one's own; `write(path)` makes a file that `kernel` and `validate` take."""

    kind: str
    data: str
    classes: tuple[FittedClass, ...]
    unusable: Mapping[str, int]

    @property
    def constants(self) -> tuple[Constant, ...]:
        """All constants of the classes that were fitted."""
        return tuple(one for made in self.classes for one in made.constants)

    def calibration(self) -> dict[str, Constants]:
        """Return the shipped constants with the fitted ones in their place, by kind of work."""
        kinds = dict.fromkeys(one.kind for one in self.constants)
        return {kind: shipped_constants(kind).with_rows(one for one in self.constants if one.kind == kind) for kind in kinds}

    def write(self, path: "str | Path", *, overwrite: bool = False) -> Path:
        """Write a calibration file (.toml); one that is there is replaced only when told."""
        file = Path(path)
        if file.suffix != ".toml":
            raise InvalidInput(f"{file}: a calibration file has the ending .toml")
        if file.exists() and not overwrite:
            raise InvalidInput(f"{file} is there already; choose another name, or say that it may be replaced")
        if not file.parent.is_dir():
            raise InvalidInput(f"{file}: there is no folder {file.parent}")
        write_calibration(file, self.constants, [f"Fitted by nvscale calibrate to rows of kind {self.kind} in {Path(self.data).name}."])
        return file

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"kind": self.kind, "data": self.data, "classes": [c.to_dict() for c in self.classes], "unusable": dict(self.unusable)}


def calibrate(kind: str, data: "str | Path | Table") -> Fitted:
    """Return constants fitted to measured rows, as far as the rows determine them.

    Parameters
    ----------
    kind : str
        "gemm", "collectives" ...: kinds of `validate`.
    data : path or Table
        Rows with the columns of the kind and what was measured.

    Returns
    -------
    Fitted
        Per class of kernels: constants with errors, what was kept and why, errors before and after on
        held-out folds; `write(path)`.

    Raises
    ------
    InvalidInput
        No class of kernels in the rows can be fitted; the message says why of each.
    """
    wanted = kind_of_rows(kind)
    table = (data if isinstance(data, Table) else read_table(data)).check(wanted)
    column = next((name for name in wanted.measured if name in table.columns), None)
    if column is None:
        raise InvalidInput(f"{table.name}: rows of kind {kind} need the column {' or '.join(wanted.measured)} to be fitted to")
    measured = table.figures(column)
    parts, unusable = _classes(wanted, table, column, measured)
    made = tuple(part.fit(Path(table.name).name) for part in parts)
    if not any(one.constants for one in made):
        said = [f"{one.key}: {one.refused}" for one in made] + [f"{rows} rows: {reason}" for reason, rows in unusable.items()]
        rows = int((measured > 0.0).sum())
        raise InvalidInput(f"{table.name}: nothing to fit to {rows} measured rows of kind {kind}; " + "; ".join(said))
    return Fitted(kind, table.name, made, unusable)


def held_out_ratios(kind: Kind, table: Table, column: str) -> Any:
    """Return for every row the prediction of constants fitted without its shape, over that of the shipped ones.

    The fit starts from the shipped constants with a prior that is wide (a factor e either way), so that it
    decides only what the other rows leave open. nan where a class has too few rows or shapes.
    """
    import numpy as np

    ratios = np.full(len(table.rows), math.nan)
    parts, _ = _classes(kind, table, column, table.figures(column))
    for part in parts:
        ratios[np.concatenate(part.places)] = part.held_out_ratios()
    return ratios


def _classes(kind: Kind, table: Table, column: str, measured: Any) -> "tuple[list[_Class], dict[str, int]]":
    """The classes of kernels in the rows, and why other rows belong to none."""
    import numpy as np

    unusable: dict[str, int] = {}
    parts: dict[Key, _Class] = {}
    for group, places in _groups(kind, table, measured > 0.0):
        recording = _Recording()
        answer = kind.predict(group, recording)[column]
        known = np.isfinite(answer.value) if answer.value is not None else np.zeros(len(places), bool)
        if not recording.seen or not known.any():
            reason = answer.reason or f"rows of kind {kind.name} have no constants that could be fitted"
            unusable[reason] = unusable.get(reason, 0) + len(places)
            continue
        key, found = recording.seen[-1]
        part = parts.setdefault(key, _Class(kind, column, key, found))
        numbers = {name: values[known] for name, values in group.numbers.items()}
        part.groups.append(Group(group.words, numbers))
        part.measured.append(measured[places][known])
        part.places.append(places[known])
    return list(parts.values()), unusable


def _groups(kind: Kind, table: Table, usable: Any) -> Iterator[tuple[Group, Any]]:
    """Rows that share all words, and the number of nodes where the kind has one, with their places."""
    import numpy as np

    words = [table.column(name) for name in kind.words]
    numbers = {name: table.figures(name) for name in (*kind.numbers, *kind.optional_numbers)}
    for name in kind.numbers:
        usable = usable & (numbers[name] > 0.0)
    nodes = numbers.get("n_nodes", np.zeros(len(table.rows)))
    places: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*words, nodes.tolist(), strict=True)):
        if usable[place]:
            places.setdefault(key if key[-1] == key[-1] else (*key[:-1], None), []).append(place)
    for key, found in places.items():
        chosen = np.array(found)
        yield Group(dict(zip(kind.words, key[:-1], strict=True)), {n: v[chosen] for n, v in numbers.items()}), chosen


class _Class:
    """The rows of one class of kernels, and their fit."""

    def __init__(self, kind: Kind, column: str, key: Key, found: Found) -> None:
        self.kind, self.column, self.key, self.found = kind, column, key, found
        self.groups: list[Group] = []
        self.measured: list[Any] = []
        self.places: list[Any] = []
        self.shipped = shipped_constants(key.kind)
        self._shipped_rows = dict(self.shipped.rows)
        self.own = {name: one for name, one in found.constants.items() if one.class_}

    def fit(self, data_set: str) -> FittedClass:
        """Fit what the rows determine, and score it on held-out folds."""
        import numpy as np

        seconds = np.concatenate(self.measured)
        folds, shapes = self._folds()
        before = self._mape({}, seconds)
        free, kept = self._candidates()
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
        free, _ = self._candidates()
        if len(seconds) < FEWEST_ROWS or shapes < FEWEST_SHAPES or not free:
            return np.full(len(seconds), math.nan)
        return self._held_out(free, seconds, folds, PRIOR["folds"]) / self._predict({})

    def _candidates(self) -> tuple[list[str], dict[str, str]]:
        """Names of constants that can be fitted, and why others cannot."""
        free, kept = [], {}
        for name, one in self.own.items():
            if one.unit in DISCRETE:
                kept[name] = "a size at which the library changes over: chosen, not fitted"
            elif not (math.isfinite(one.value) and one.value > 0.0):
                kept[name] = "is at the end of its range"
            else:
                free.append(name)
        return free, kept

    def _predict(self, values: Mapping[str, float]) -> Any:
        """Predictions of all rows with some constants replaced."""
        import numpy as np

        place = (self.key.class_, self.key.path, self.key.chip)
        rows = {name: one._replace(chip=self.key.chip, value=values.get(name, one.value)) for name, one in self.own.items()}
        table = Constants(self.key.kind, ChainMap({place: rows}, self._shipped_rows), self.shipped.intervals)
        return np.concatenate([self.kind.predict(group, {self.key.kind: table})[self.column].value for group in self.groups])

    def _mape(self, values: Mapping[str, float], seconds: Any) -> float:
        import numpy as np

        return float(np.mean(np.abs(self._predict(values) / seconds - 1.0)) * 100.0)

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
            errors = np.log(self._predict(values)[train] / seconds[train]) / NOISE
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
            made[held] = self._predict(self._solve(free, seconds, ~held, prior)[0])[held]
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
