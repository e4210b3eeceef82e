"""What a kind of measured rows declares, and what its predictor is given and answers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    """

    name: str
    words: tuple[str, ...]
    numbers: tuple[str, ...]
    measured: tuple[str, ...]
    predict: Callable[[Group, Calibration | None], Mapping[str, Answer]]
    scored_by: tuple[str, ...]
    optional: tuple[str, ...] = ()
    optional_numbers: tuple[str, ...] = ()

    @property
    def required(self) -> tuple[str, ...]:
        """Columns that a file must have."""
        return tuple(name for name in (*self.words, *self.numbers) if name not in self.optional)
