"""Runs that laws are fitted to: from a file, a mapping or a data frame, or one of the two sets that come with nvscale."""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput, did_you_mean, unknown

ALIASES: Mapping[str, tuple[str, ...]] = {
    "parameters": ("parameters", "params", "n", "model_size", "n_params", "num_params"),
    "tokens": ("tokens", "d", "training_tokens", "n_tokens", "num_tokens"),
    "loss": ("loss", "l", "validation_loss", "val_loss", "final_loss"),
    "compute": ("compute", "flop", "flops", "c", "train_flop", "training_flop"),
    "granularity": ("granularity", "g"),
    "budget": ("budget",),
    "train_set": ("train_set",),
    "outlier": ("outlier",),
}
BUNDLED: Mapping[str, tuple[str, str]] = {
    "chinchilla-figure-4": (
        "points-chinchilla-figure-4.csv",
        "245 final losses of Hoffmann et al. 2022, read off figure 4 by Epoch AI; the five highest are marked as outliers and left out",
    ),
    "overtraining": ("points-overtraining.csv", "104 runs of Gadre et al. 2024 on three data sets; the loss is that on C4"),
}
DEFAULT_LOSS = {"overtraining": "loss_c4_val"}


@dataclass(frozen=True)
class Points:
    """Runs: the columns that a fit needs, as arrays.

    Parameters
    ----------
    name : str
        File or data set.
    columns : mapping of str to array
        Among them loss, and parameters, tokens, compute as far as known.
    left_out : int
        Rows that were not taken: outliers, rows of another data set, rows without a number.
    """

    name: str
    columns: Mapping[str, Any]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.columns["loss"])

    def __getitem__(self, column: str) -> Any:
        if column not in self.columns:
            raise InvalidInput(f"{self.name}: there is no column {column}{did_you_mean(column, self.columns)}")
        return self.columns[column]

    def where(self, chosen: Any) -> "Points":
        """Return some of the runs: a mask or indices."""
        import numpy as np

        index = np.asarray(chosen)
        kept = {name: np.asarray(values)[index] for name, values in self.columns.items()}
        return Points(self.name, kept, self.left_out + len(self) - len(kept["loss"]))


def data_sets() -> dict[str, str]:
    """Return the sets of runs that come with nvscale, with what they hold.

    >>> from nvscale import laws
    >>> list(laws.data_sets())
    ['chinchilla-figure-4', 'overtraining']
    """
    return {name: about for name, (_, about) in BUNDLED.items()}


def read_points(data: Any, *, loss: str = "", train_set: str = "", outliers: bool = False) -> Points:
    """Return runs from a file, a mapping of columns, a data frame, or a bundled set.

    Parameters
    ----------
    data : str, Path, mapping or data frame
        Columns parameters, tokens and loss, or parameters, compute and loss: tokens are then compute / (6 x parameters).
        Common other spellings are understood.
    loss : str
        Column that holds the loss, if it is not `loss`.
    train_set : str
        Only rows with this text in the column train_set.
    outliers : bool
        Take rows that are marked as outliers, too.

    >>> from nvscale import laws
    >>> points = laws.read_points("chinchilla-figure-4")
    >>> len(points), points.left_out
    (240, 5)
    """
    if isinstance(data, Points):
        return data
    name, table = _table(data)
    names = {key.strip().lower(): key for key in table}
    wanted = loss or DEFAULT_LOSS.get(name, "")
    if wanted and wanted.lower() not in names:
        raise InvalidInput(f"{name}: there is no column {wanted!r}{did_you_mean(wanted, table)}")
    found = {column: table[key] for column, spellings in ALIASES.items() if (key := _first(names, spellings)) is not None}
    if wanted:
        found["loss"] = table[names[wanted.lower()]]
    return _clean(name, found, train_set, outliers)


def _first(names: Mapping[str, str], spellings: tuple[str, ...]) -> str | None:
    return next((names[one] for one in spellings if one in names), None)


def _table(data: Any) -> tuple[str, Mapping[str, Any]]:
    """Name and columns, as they stand."""
    if isinstance(data, str) and data in BUNDLED:
        text = resources.files("nvscale.laws").joinpath("data", BUNDLED[data][0]).read_text(encoding="utf-8")
        return data, _columns(data, text)
    if isinstance(data, str | Path):
        file = Path(data)
        if not file.is_file() and isinstance(data, str) and not file.suffix:
            raise unknown("data set, and no file,", data, BUNDLED)
        try:
            return str(file), _columns(str(file), file.read_bytes().decode("utf-8-sig"))
        except OSError as problem:
            raise InvalidInput(f"{file}: cannot be read: {problem.strerror}") from None
        except UnicodeDecodeError:
            raise InvalidInput(f"{file}: is no CSV file in UTF-8") from None
    if hasattr(data, "columns") and hasattr(data, "__getitem__"):
        return "data", {str(column): data[column].tolist() for column in data.columns}
    if isinstance(data, Mapping):
        return "data", {str(key): list(values) for key, values in data.items()}
    raise InvalidInput(f"data: a {type(data).__name__} is no table; give a CSV file, a mapping of columns, or one of {', '.join(BUNDLED)}")


def _columns(name: str, text: str) -> dict[str, list[str]]:
    lines = [line for line in csv.reader(io.StringIO(text, newline="")) if line]
    if len(lines) < 2:
        raise InvalidInput(f"{name}: wanted a line of column names and rows")
    header = [cell.strip() for cell in lines[0]]
    for number, row in enumerate(lines[1:], start=2):
        if len(row) != len(header):
            raise InvalidInput(f"{name}: row {number} has {len(row)} cells under {len(header)} column names")
    return {key: [row[i].strip() for row in lines[1:]] for i, key in enumerate(header)}


def _clean(name: str, found: dict[str, Any], train_set: str, outliers: bool) -> Points:
    import numpy as np

    if "loss" not in found:
        raise InvalidInput(f"{name}: there is no column for the loss; name it with loss=")
    if len({len(values) for values in found.values()}) != 1:
        raise InvalidInput(f"{name}: the columns are not equally long")
    words = found.pop("train_set", None)
    if train_set and (words is None or train_set not in words):
        sets = sorted(set(words or ()))
        raise InvalidInput(f"{name}: no row has the train_set {train_set!r}{did_you_mean(train_set, sets)}")
    columns = {column: _numbers(f"{name}: {column}", values) for column, values in found.items()}
    taken = np.ones(len(columns["loss"]), dtype=bool)
    if train_set:
        taken &= np.array(words) == train_set
    if "outlier" in columns:
        marked = columns.pop("outlier") > 0
        taken &= ~marked | outliers
    if "tokens" not in columns and {"compute", "parameters"} <= set(columns):
        columns["tokens"] = columns["compute"] / 6.0 / columns["parameters"]
    if "compute" not in columns and {"tokens", "parameters"} <= set(columns):
        columns["compute"] = 6.0 * columns["parameters"] * columns["tokens"]
    for values in columns.values():
        taken &= np.isfinite(values) & (values > 0.0)
    if not taken.any():
        raise InvalidInput(f"{name}: no row has a positive number in every column: {', '.join(columns)}")
    return Points(name, {column: values[taken] for column, values in columns.items()}, int((~taken).sum()))


def _numbers(where: str, values: Any) -> Any:
    """A column as floats; nan where a cell is blank."""
    import numpy as np

    try:
        return np.array([float(value) if str(value).strip() else np.nan for value in values], dtype=float)
    except (TypeError, ValueError):
        bad = next(value for value in values if not _is_number(value))
        raise InvalidInput(f"{where}: {bad!r} is not a number") from None


def _is_number(value: Any) -> bool:
    try:
        float(value) if str(value).strip() else None
    except (TypeError, ValueError):
        return False
    return True
