"""What a kind of measured rows declares, and what its predictor is given and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from nvscale.errors import MissingFigure, UnknownName
from nvscale.truth.constants import Constants

Calibration = Mapping[str, Constants]


class Group(NamedTuple):
    """Rows that share all words: the words by column, and the numbers of the rows as arrays by column.

    A column that the file lacks, or whose cell is blank, is the empty word or nan.
    """

    words: Mapping[str, str]
    numbers: Mapping[str, Any]


class Answer(NamedTuple):
    """Predictions of one measured column for a group, with the ends of the 90 % interval; or why there are none.

    Arrays have one value a row; nan where that row has no prediction, with the reason in `reasons`
    (one text for all such rows).
    """

    value: Any = None
    low: Any = None
    high: Any = None
    reason: str = ""


@dataclass(frozen=True)
class Kind:
    """A kind of measured rows.

    Parameters
    ----------
    name : str
        As in `validate --kind`.
    words : tuple of str
        Columns of text that choose chip, class of kernels and constants; rows with equal words are one group.
    numbers : tuple of str
        Columns of numbers that every row must have, above 0.
    optional : tuple of str
        Columns of words or numbers (listed in `words` or `optional_numbers`) that a file may lack.
    optional_numbers : tuple of str
        Columns of numbers that may be blank; nan then.
    measured : tuple of str
        Columns that are predicted and scored.
    predict : callable
        (Group, calibration) -> Answer by measured column.
    scored_by : tuple of str
        Columns of words by which scores are grouped.
    best_of : tuple of str
        Columns; among rows that share them only the best measurement is scored (one of several implementations).
    counts : callable, optional
        Table -> mask of the rows that count in the score of all; the others are reported in their groups alone.
    held_out : callable, optional
        (table, column) -> predictions by constants fitted without each row's group; found by `calibrate`'s fits without it.
    parts : callable, optional
        Table -> masks of further parts of the rows that are scored on their own, by measured column and name.
    folds : callable, optional
        Table -> what is held out together with each row, in words; the rows of its shape without it.
    """

    name: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    measured: tuple[str, ...]
    predict: Callable[[Group, Calibration | None], Mapping[str, Answer]]
    scored_by: tuple[str, ...]
    optional: tuple[str, ...] = ()
    optional_numbers: tuple[str, ...] = ()
    best_of: tuple[str, ...] = ()
    counts: Callable[[Any], Any] | None = None
    held_out: Callable[[Any, str], Any] | None = None
    parts: Callable[[Any], Mapping[str, Mapping[str, Any]]] | None = None
    folds: Callable[[Any], list[str]] | None = None

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that a file must have."""
        return tuple(name for name in (*self.words, *self.numbers) if name not in self.optional)


def for_given_rows(group: Group, needed: tuple[str, ...], estimate: Callable[[Group], Answer]) -> Answer:
    """Return the answer for the rows in which all needed numbers are above 0, and why there is none for the others."""
    import numpy as np

    count = len(next(iter(group.numbers.values())))
    given = np.ones(count, dtype=bool)
    for name in needed:
        given &= group.numbers[name] > 0.0
    missing = f"{', '.join(needed)} must be given, above 0" if needed else ""
    if not given.any():
        return Answer(reason=missing)
    try:
        answer = estimate(Group(group.words, {name: values[given] for name, values in group.numbers.items()}))
    except (UnknownName, MissingFigure) as problem:
        return Answer(reason=str(problem))
    wholes = {part: np.full(count, np.nan) for part in ("value", "low", "high")}
    for part, whole in wholes.items():
        found = getattr(answer, part)
        if found is not None:
            whole[given] = found
    return Answer(**wholes, reason=answer.reason or ("" if given.all() else missing))
