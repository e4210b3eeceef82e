"""Fit the constants again: `python -m nvscale.truth.refitting [folds | chips | errors] [KIND ...]`.

Writes truth/data/folds-KIND.csv.gz (without each fold) and chips-KIND.csv.gz (without each chip), says how
far the fit to all rows is from the constants that ship, and sets the held-out errors beside those.
"""

import csv
import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth.classes import Key
from nvscale.truth.folds import FOLDS_BY, chips_of, folds_are_chips, folds_of
from nvscale.truth.held_out_files import write_held_out
from nvscale.truth.hierarchy import Values, classes_of, refit, touched
from nvscale.truth.kinds import kind_of_rows, kinds
from nvscale.truth.scoring import validate
from nvscale.truth.tables import bundled, has_bundled
from nvscale.truth.training_fits import shipped as training_constants
from nvscale.truth.unseen import unseen


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
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        path.write_text(text.getvalue(), encoding="utf-8")
    _say(f"{name}: held-out errors of {len(errors)} classes")


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
    parts = {"folds": write_folds, "chips": write_chips, "errors": write_errors}
    wanted = [parts[name] for name in names if name in parts] or list(parts.values())
    for name in [name for name in names if name not in parts] or [name for name in kinds() if has_bundled(name)]:
        if name == "training":
            _say(training_constants.write(folder))
            continue
        for part in wanted:
            part(name, folder)


if __name__ == "__main__":
    main(sys.argv[1:])
