"""Fit the constants again: `python -m nvscale.truth.refitting [PART ...] [KIND ...]`.

Writes truth/data/folds-KIND.csv.gz (without each fold) and chips-KIND.csv.gz (without each chip), says how
far the fit to all rows is from the constants that ship, sets the held-out errors beside those, and the
intervals of chips whose generation was never measured. PART: folds, chips, errors, intervals.
"""

import csv
import io
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth.classes import Key
from nvscale.truth.constants import ANY, STRANGE, family_of
from nvscale.truth.folds import FOLDS_BY, chips_of, folds_are_chips, folds_of, without_chip
from nvscale.truth.held_out_files import write_held_out
from nvscale.truth.hierarchy import Values, classes_of, refit, touched
from nvscale.truth.kinds import kind_of_rows
from nvscale.truth.scoring import UNSEEN, validate
from nvscale.truth.serving_fits import shipped as serving_constants
from nvscale.truth.tables import bundled
from nvscale.truth.training_fits import shipped as training_constants
from nvscale.truth.unseen import unseen

FEWEST_ROWS, INSIDE = 20, 0.9
"""Rows that an interval needs, and the share of them that it holds."""


RECIPES = {made.NAME: made.write for made in (training_constants, serving_constants)}
"""Kinds of rows with a recipe of their own."""


def write_folds(name: str, folder: Path) -> None:
    """Fit the constants of a kind of rows without each fold, and write them."""
    import numpy as np

    kind, table = kind_of_rows(name), bundled(name)
    classes = classes_of(kind, table)
    folds = folds_of(kind, table)
    lines: list[tuple[object, ...]] = []
    for fold in () if folds_are_chips(name) else np.unique(folds).tolist():
        lines += _lines(refit(classes, folds != fold, only=touched(classes, folds == fold)), fold)
        _say(f"{name}: without fold {fold}")
    if lines:
        write_held_out(folder / f"folds-{name}.csv.gz", lines)


def write_chips(name: str, folder: Path) -> None:
    """Fit the constants of a kind of rows without each chip, and write what the chip would get."""
    kind, table = kind_of_rows(name), bundled(name)
    classes = classes_of(kind, table)
    whole = refit(classes)
    _say(f"{name}: {len(whole)} classes, predictions {difference(classes, whole):.2g} from those of the shipped constants in the median")
    chips = chips_of(kind, table)
    lines: list[tuple[object, ...]] = []
    for chip in sorted(set(chips.tolist())):
        if _is_known(chip):
            lines += _lines(unseen(kind, table, classes, chips == chip, chip, whole), chip)
            _say(f"{name}: without {chip}")
    write_held_out(folder / f"chips-{name}.csv.gz", lines)


def write_errors(name: str, folder: Path) -> None:
    """Set the held-out error and its scheme beside the constants of every class that rows of a kind were fitted to."""
    import numpy as np

    made = validate(name).predictions[name]
    errors: dict[Key, float] = {}
    for one in classes_of(made.kind, made.table):
        predicted = made.value[one.column][np.concatenate(one.places)]
        errors[one.key] = float(np.mean(np.abs(predicted / np.concatenate(one.measured) - 1.0)) * 100.0)
    scheme = f"grouped folds: {', '.join(FOLDS_BY[name])}"
    for work in {key.kind for key in errors}:
        path = folder / f"constants-{work}.csv"
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        for row in rows:
            error = errors.get(Key(work, row["class"], row["path"], row["chip"]))
            if error is not None and error == error and not row["scheme"].startswith("set by hand"):
                row |= {"held_out_mape": f"{error:.2f}", "scheme": scheme}
        _rewrite(path, rows)
    _say(f"{name}: held-out errors of {len(errors)} classes")


def write_intervals(name: str, folder: Path) -> None:
    """Set the 90 % intervals of chips of generations that were never measured: from those that were, each left out.

    As wide to either side: whether the next generation is slower or faster than its constants say, nothing tells.
    """
    import numpy as np

    made = validate(name, scheme=UNSEEN).predictions[name]
    spread: dict[str, dict[tuple[str, str], list[Any]]] = {}
    for one in classes_of(made.kind, made.table):
        work, class_, path, chip = one.key.kind, one.key.class_, one.key.path, one.key.chip
        tables = without_chip(name, chip)
        if work in tables and {(class_, path, ANY), (class_, "", ANY)} & tables[work].rows.keys():
            predicted = made.value[one.column][np.concatenate(one.places)]
            part = family_of(catalogue.chip(chip)).part
            spread.setdefault(work, {}).setdefault((part, class_), []).append(np.log(np.concatenate(one.measured) / predicted))
    for work, classes in spread.items():
        path_ = folder / f"intervals-{work}.csv"
        rows = list(csv.DictReader(path_.read_text(encoding="utf-8").splitlines()))
        kept = [row for row in rows if (row["constants"], row["part"], row["class"]) not in {(STRANGE, *key) for key in classes}]
        for (part, class_), errors in sorted(classes.items()):
            every = np.concatenate(errors)
            if len(every) >= FEWEST_ROWS:
                factor = math.exp(float(np.quantile(np.abs(every), INSIDE)))
                numbers = {"rows": str(len(every)), "low": f"{1.0 / factor:.4g}", "high": f"{factor:.4g}"}
                kept.append({"kind": work, "constants": STRANGE, "part": part, "class": class_, "regime": "all", **numbers})
        _rewrite(path_, kept)
    _say(f"{name}: intervals of {sum(map(len, spread.values()))} classes on chips of no family that was measured")


def _rewrite(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def difference(classes: Sequence[Any], made: Values) -> float:
    """Return the median difference, as a logarithm, between predictions with fitted and with shipped constants."""
    import numpy as np

    return float(np.median(np.concatenate([np.abs(np.log(one.predict(made.get(one.key, {})) / one.predict({}))) for one in classes])))


def _is_known(chip: str) -> bool:
    try:
        catalogue.chip(chip)
    except UnknownName:
        return False
    return True


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


def _lines(made: Values, held_out: object) -> list[tuple[object, ...]]:
    return [_line(key, name, held_out, value) for key, values in made.items() for name, value in values.items()]


def _line(key: Key, name: str, held_out: object, value: float) -> tuple[object, ...]:
    return (key.kind, key.class_, key.path, key.chip, name, held_out, f"{value:.6g}")


def main(names: Sequence[str]) -> None:
    """Write the files of the kinds named, or of all; one part alone where a word says so."""
    folder = Path(__file__).parent / "data"
    parts = {"folds": write_folds, "chips": write_chips, "errors": write_errors, "intervals": write_intervals}
    wanted = [parts[name] for name in names if name in parts] or list(parts.values())
    for name in [name for name in names if name not in parts] or [*FOLDS_BY, *RECIPES]:
        if name in RECIPES:
            _say(RECIPES[name](folder))
            continue
        for part in wanted:
            part(name, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
