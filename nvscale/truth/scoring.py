"""Score the library by measured rows: the bundled ones, or anybody's own.

Rows that share all words (chip, number format, framework ...) are one group and are estimated as
arrays in one call. No row is ever lost: one that cannot be predicted keeps an empty prediction and
says why.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput, UnknownName, unknown
from nvscale.truth.calibrations import as_calibration
from nvscale.truth.fitting import held_out_ratios
from nvscale.truth.folds import chips_of, folds_are_chips, folds_of, has_folds, without_chip, without_fold
from nvscale.truth.grouping import grouped
from nvscale.truth.kinds import Kind, kind_of_rows, kinds
from nvscale.truth.kinds.base import Calibration
from nvscale.truth.tables import Table, best_rows, bundled, has_bundled, read_table, write_table

SHIPPED, FOLDS, UNSEEN = "shipped", "grouped folds", "unseen chip"
SCHEMES = (SHIPPED, FOLDS, UNSEEN)
ALL = "all"


@dataclass(frozen=True)
class Predicted:
    """Predictions of the rows of a table, by measured column: arrays with nan where there is none."""

    kind: Kind
    table: Table
    value: Mapping[str, Any]
    low: Mapping[str, Any]
    high: Mapping[str, Any]
    reasons: list[str]

    def write(self, path: "str | Path") -> None:
        """Write every row and column, with predicted_X, low_X, high_X for each measured column X, and reason."""
        added: dict[str, list[str]] = {}
        for name in self.kind.measured:
            for prefix, values in (("predicted", self.value), ("low", self.low), ("high", self.high)):
                added[f"{prefix}_{name}"] = [_cell(value) for value in values[name].tolist()]
        added["reason"] = self.reasons
        kept = [i for i, column in enumerate(self.table.columns) if column not in added]
        columns = [*(self.table.columns[i] for i in kept), *added]
        extra = list(zip(*added.values(), strict=True))
        rows = ([*(row[i] for i in kept), *more] for row, more in zip(self.table.rows, extra, strict=True))
        write_table(path, columns, rows)


def _cell(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else ""


@dataclass(frozen=True)
class Score:
    """How well one group of rows is predicted; shares in percent.

    Parameters
    ----------
    kind, column, group : str
        Kind of rows, measured column, and the words of the group ("all" for every row).
    rows : int
        Rows with a measurement.
    without_prediction : int
        Rows among them that have no prediction.
    mape, median, p90 : float
        Mean, median and 90th percentile of the absolute percentage error.
    bias : float
        Geometric mean of predicted over measured, less 1.
    coverage : float
        Rows whose measurement lies in the 90 % interval.
    interval : float
        Median of the wider end of the interval over the prediction, as a factor.
    """

    kind: str
    column: str
    group: str
    rows: int
    without_prediction: int
    mape: float
    median: float
    p90: float
    bias: float
    coverage: float
    interval: float


@dataclass(frozen=True)
class Scores:
    """Scores by kind and group; print them, or take `to_dict()`."""

    rows: tuple[Score, ...]
    scheme: str
    predictions: Mapping[str, Predicted]

    def __getitem__(self, group: str) -> Score:
        """Return the score of a group by its name, e.g. "bf16 h100_sxm" or "all"; of the first kind that has it."""
        for row in self.rows:
            if group in (row.group, f"{row.kind} {row.group}"):
                return row
        raise unknown("group", group, [row.group for row in self.rows])

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON; None where a figure is not known."""
        rows = [{key: None if value != value else value for key, value in asdict(row).items()} for row in self.rows]
        return {"scheme": self.scheme, "scores": rows}

    def __str__(self) -> str:
        head = f"{'kind':12} {'group':44} {'rows':>6} {'none':>5} {'MAPE %':>7} {'median':>7} {'p90':>7} {'bias':>7} {'inside':>7}"
        lines = [
            f"{row.kind:12} {row.group:44} {row.rows:6} {row.without_prediction:5} {row.mape:7.1f} {row.median:7.1f} {row.p90:7.1f}"
            f" {row.bias:7.1f} {row.coverage:7.1f}"
            for row in self.rows
        ]
        return "\n".join([head, *lines])


def predict(kind: str, data: "Table | str | Path", calibration: Calibration | None = None) -> Predicted:
    """Return predictions for the rows of a table or a CSV file.

    >>> from nvscale.truth.tables import Table
    >>> rows = Table("mine", ("gpu", "precision", "m", "n", "k"), [["h100", "bf16", "4096", "8192", "8192"]])
    >>> round(float(predict("gemm", rows).value["seconds"][0]) * 1e3, 1)
    0.7
    """
    import numpy as np

    wanted = kind_of_rows(kind)
    table = (data if isinstance(data, Table) else read_table(data)).check(wanted)
    count = len(table.rows)
    numbers = {name: table.figures(name) for name in (*wanted.numbers, *wanted.optional_numbers)}
    empty = {part: {name: np.full(count, math.nan) for name in wanted.measured} for part in ("value", "low", "high")}
    reasons = _unusable(table, wanted, numbers)
    usable = np.array([not reason for reason in reasons], dtype=bool)
    for group, places in grouped(wanted, table, usable):
        answers = wanted.predict(group, calibration)
        for column, answer in answers.items():
            for part in ("value", "low", "high"):
                given = getattr(answer, part)
                if given is not None:
                    empty[part][column][places] = given
        said = " ".join(dict.fromkeys(answer.reason for answer in answers.values() if answer.reason))
        if said:
            without = [place for place in places if all(math.isnan(empty["value"][column][place]) for column in answers)]
            for place in without:
                reasons[place] = said
    return Predicted(wanted, table, empty["value"], empty["low"], empty["high"], reasons)


def _unusable(table: Table, kind: Kind, numbers: Mapping[str, Any]) -> list[str]:
    """Why a row cannot be predicted: a number that is missing or is none; empty where all are there."""
    reasons = [""] * len(table.rows)
    for name in kind.numbers:
        cells = table.column(name)
        for place in (~(numbers[name] > 0.0)).nonzero()[0].tolist():
            reasons[place] = reasons[place] or (f"{name} {cells[place]!r} is no number above 0" if cells[place] else f"{name} is not given")
    return reasons


def validate(
    kind: str | None = None,
    data: "str | Path | Table | None" = None,
    calibration: "Calibration | str | Path | None" = None,
    scheme: str | None = None,
) -> Scores:
    """Score the library by measured rows, per group and over all.

    Parameters
    ----------
    kind : str, optional
        "gemm", "operators" ...; every kind with bundled rows by default.
    data : path or Table, optional
        Rows of one's own, with the columns of the kind; the bundled rows by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own by kind of work, or the file that `nvscale calibrate` wrote.
    scheme : str, optional
        "grouped folds": each row with constants that were fitted without the rows of its shape; the
        default for the bundled rows. "unseen chip": each bundled row with what the library would say, had
        its chip never been measured. "shipped": with the constants in use, which saw the bundled rows;
        the default for rows of one's own, and with a calibration.

    Returns
    -------
    Scores
        MAPE, median, 90th percentile, bias and interval coverage per group; print it to read it.

    Raises
    ------
    UnknownName, InvalidInput
        A kind that does not exist, or a file without a column that it needs; the message names it.

    Examples
    --------
    >>> validate("gemm")["bf16 h100_sxm"].mape < 9.0
    True
    """
    own = as_calibration(calibration)
    scheme = scheme or (FOLDS if data is None and own is None else SHIPPED)
    if scheme not in SCHEMES:
        raise unknown("scheme", scheme, SCHEMES)
    if kind is None and data is not None:
        raise InvalidInput(f"validate: say which kind of rows the file has: {', '.join(kinds())}")
    if own is not None and scheme != SHIPPED:
        raise InvalidInput(f"validate: scheme {scheme!r} brings its own constants; leave out the calibration")
    if data is not None and scheme == UNSEEN:
        raise InvalidInput("validate: scheme 'unseen chip' is for the bundled rows; rows of one's own are scored with the constants in use")
    chosen = [kind_of_rows(kind).name] if kind is not None else [name for name in kinds() if has_bundled(name)]
    predictions = {name: _predictions(name, bundled(name) if data is None else data, own, scheme, data is None) for name in chosen}
    for name, made in predictions.items():
        if not set(made.kind.measured) & set(made.table.columns):
            raise InvalidInput(f"{made.table.name}: rows of kind {name} need the column {' or '.join(made.kind.measured)} to be scored")
    return Scores(tuple(row for made in predictions.values() for row in scores_of(made)), scheme, predictions)


def _predictions(name: str, data: "Table | str | Path", own: Calibration | None, scheme: str, is_bundled: bool) -> Predicted:
    """Predictions of rows by a scheme."""
    if scheme == SHIPPED or (is_bundled and not has_folds(name)):
        return predict(name, data, own)
    if not is_bundled:
        return _held_out(predict(name, data, own))
    kind, table = kind_of_rows(name), data if isinstance(data, Table) else read_table(data)
    if scheme == FOLDS and not folds_are_chips(name):
        return _apart(name, table, folds_of(kind, table), lambda fold: without_fold(name, fold))
    return _apart(name, table, chips_of(kind, table), lambda chip: without_chip(name, str(chip)))


def _apart(name: str, table: Table, parts: Any, constants: Callable[[Any], Calibration]) -> Predicted:
    """Predictions of a table, each part of its rows with constants of its own."""
    import numpy as np

    kind, reasons = kind_of_rows(name), [""] * len(table.rows)
    made: dict[str, dict[str, Any]] = {
        figure: {column: np.full(len(table.rows), math.nan) for column in kind.measured} for figure in ("value", "low", "high")
    }
    for part in sorted(set(parts.tolist())):
        places = (parts == part).nonzero()[0]
        rows = Table(table.name, table.columns, [table.rows[place] for place in places.tolist()])
        try:
            used = constants(part)
        except UnknownName:
            used = {}
        found = predict(name, rows, used)
        for figure, columns in made.items():
            for column, values in columns.items():
                values[places] = getattr(found, figure)[column]
        for place, reason in zip(places.tolist(), found.reasons, strict=True):
            reasons[place] = reason
    return Predicted(kind, table, made["value"], made["low"], made["high"], reasons)


def _held_out(made: Predicted) -> Predicted:
    """Predictions of rows of one's own by constants fitted to them without the shape of each; none where a class has too few rows."""
    parts: dict[str, dict[str, Any]] = {"value": {}, "low": {}, "high": {}}
    for column in made.kind.measured:
        own = made.kind.held_out
        ratios = held_out_ratios(made.kind, made.table, column) if own is None else own(made.table, column) / made.value[column]
        for part, values in parts.items():
            values[column] = getattr(made, part)[column] * ratios
    return replace(made, **parts)  # type: ignore[arg-type]


def scores_of(made: Predicted) -> list[Score]:
    """Return the scores of predictions by group, then over all rows, for every measured column."""
    import numpy as np

    rows = []
    words = [made.table.column(name) for name in made.kind.scored_by]
    labels = np.array([" ".join(word or "-" for word in key) for key in zip(*words, strict=True)], dtype=object)
    counted = np.ones(len(labels), dtype=bool) if made.kind.counts is None else made.kind.counts(made.table)
    for column in made.kind.measured:
        measured = made.table.figures(column)
        there = (measured > 0.0) & best_rows(made.kind, made.table, column, measured)
        names = sorted(set(labels[there].tolist()))
        parts = {} if made.kind.parts is None else dict(made.kind.parts(made.table)[column])
        for name in [*names, *parts, ALL]:
            chosen = there & (counted if name == ALL else parts.get(name, labels == name))
            if chosen.any():
                figures = (values[column][chosen] for values in (made.value, made.low, made.high))
                shown = name if len(made.kind.measured) == 1 else f"{name} {column}"
                rows.append(_score(made.kind.name, column, shown, measured[chosen], *figures))
    return rows


def _score(kind: str, column: str, group: str, measured: Any, value: Any, low: Any, high: Any) -> Score:
    import numpy as np

    known = np.isfinite(value)
    count, without = len(measured), int((~known).sum())
    if not known.any():
        return Score(kind, column, group, count, without, *[math.nan] * 6)
    ratio = value[known] / measured[known]
    error = np.abs(ratio - 1.0) * 100.0
    bounded = known & np.isfinite(low) & np.isfinite(high)
    coverage = interval = math.nan
    if bounded.any():
        inside = (low[bounded] <= measured[bounded]) & (measured[bounded] <= high[bounded])
        wider = np.maximum(value[bounded] / low[bounded], high[bounded] / value[bounded])
        coverage, interval = float(inside.mean() * 100.0), float(np.median(wider))
    bias = float((np.exp(np.log(ratio).mean()) - 1.0) * 100.0)
    spread = (float(error.mean()), float(np.median(error)), float(np.quantile(error, 0.9)))
    return Score(kind, column, group, count, without, *spread, bias, coverage, interval)
