"""Write the constants of training steps: fitted to all rows, without each fold and each chip, and the intervals that follow."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth import constants as library
from nvscale.truth import folds as held_out_files
from nvscale.truth.constants import ANY, FAMILY, FOREIGN, GENERIC, OWN, STRANGE, Constants, family_of
from nvscale.truth.folds import chips_of
from nvscale.truth.held_out_files import write_held_out
from nvscale.truth.kinds.training import held_out_with
from nvscale.truth.scoring import FOLDS, UNSEEN, Predicted, validate
from nvscale.truth.tables import bundled
from nvscale.truth.training_fits.fitting import Solution, fit_all
from nvscale.truth.training_fits.recipe import CLASSES, DENSE, EXPERTS, KIND, STACKS, Cell, Recipe, recipe
from nvscale.truth.training_fits.rows import SECONDS, Steps, class_of, collect

NAME = KIND
"""The kind of rows that is fitted here."""
FEWEST = 15
"""Rows that an interval of its own needs."""
NOT_STATED = "layout not stated"
REGIMES = ("all", "experts", NOT_STATED)
SCHEMES = {DENSE: "prior at physical start values; leave one source out", EXPERTS: "prior at physical start values; leave one model out"}


@dataclass(frozen=True)
class Fit:
    """All rows, and the constants that were fitted to them."""

    recipe: Recipe
    steps: Steps
    solution: Solution


def fit_bundled() -> Fit:
    """Return the constants fitted to all bundled rows."""
    used = recipe()
    rows, _ = collect(bundled(KIND), used)
    steps = Steps(rows, used)
    return Fit(used, steps, fit_all(steps, used))


def write(folder: Path) -> str:
    """Write constants, folds, chips and intervals of training steps, and return what was reached in words."""
    made = fit_bundled()
    write_held_out(folder / f"folds-{KIND}.csv.gz", _fold_lines(made))
    write_held_out(folder / f"chips-{KIND}.csv.gz", _chip_lines(made))
    _write_constants(folder, made, {})
    _forget()
    found = validate(KIND, scheme=FOLDS).predictions[KIND]
    errors = held_out_errors(found)
    _write_constants(folder, made, errors)
    _write_intervals(folder, found, validate(KIND, scheme=UNSEEN).predictions[KIND])
    _forget()
    return "training: " + ", ".join(f"{group} {100.0 * error:.2f} %" for group, error in errors.items())


def _forget() -> None:
    """Drop what was read before the files were written."""
    library.shipped_constants.cache_clear()
    for reader in (held_out_files._held_out, held_out_files._like, held_out_files._works):
        reader.cache_clear()


# ---------------------------------------------------------------------- held out


def _fold_lines(made: Fit) -> Iterator[tuple[object, ...]]:
    """Constants fitted without each source, or without each model with experts; those of dense steps stay in the latter."""
    import numpy as np

    folds = made.steps.words("fold")
    for fold in np.unique(folds).tolist():
        rest, group = made.steps.where(folds != fold), made.steps.rows[int((folds == fold).argmax())].group
        dense = np.array([row.group == DENSE for row in rest.rows])
        kept = None if group == DENSE else made.solution.values
        found = fit_all(rest.where(dense) if group == DENSE else rest, made.recipe, kept)
        yield from _lines(_fitted_cells(made.recipe, group), found.values, fold)


def _fitted_cells(used: Recipe, group: str) -> Iterator[Cell]:
    return (cell for cell in used.cells if cell.name and used.free[cell.name].group == group)


def _lines(cells: Iterable[Cell], values: Mapping[str, float], without: object) -> Iterator[tuple[object, ...]]:
    for cell in cells:
        yield (KIND, cell.class_, cell.path, cell.place, cell.field, without, f"{cell.value_at(values):.6g}")


def _chip_lines(made: Fit) -> Iterator[tuple[object, ...]]:
    """What each chip would get, had none of its training steps been measured: its data sheet and multiplies stay known."""
    chips = made.steps.words("chip")
    for name in sorted({chip for chip in chips_of(validate_kind(), bundled(KIND)).tolist() if _is_known(chip)}):
        of_chip = chips == name
        found = fit_all(made.steps.where(~of_chip), made.recipe) if of_chip.any() else made.solution
        yield from _given(made.recipe.constants(found.values), name)


def validate_kind() -> Any:
    """Return the kind of rows."""
    from nvscale.truth.kinds import kind_of_rows

    return kind_of_rows(KIND)


def _is_known(chip: str) -> bool:
    try:
        catalogue.chip(chip)
    except UnknownName:
        return False
    return True


def _given(table: Constants, name: str) -> Iterator[tuple[object, ...]]:
    """All constants that steps on a chip take, as if they were those of its family: it was not measured."""
    chip = catalogue.chip(name)
    for class_, path in [*((class_, "") for class_ in CLASSES), *(("stack", stack) for stack in STACKS)]:
        found = table.find(class_, path, chip)
        for one in found.constants.values() if found else ():
            place = FAMILY + family_of(chip).name if one.chip == name else one.chip
            yield (KIND, one.class_, one.path, place if one.class_ else ANY, one.name, name, f"{one.value:.6g}")


# ---------------------------------------------------------------------- what ships


def held_out_errors(found: Predicted) -> dict[str, float]:
    """Return the mean held-out error of the rows that are fitted, by group."""
    import numpy as np

    error = np.abs(found.value[SECONDS] / found.table.figures(SECONDS) - 1.0)
    used = recipe()
    rows, _ = collect(found.table, used)
    return {group: float(np.mean([error[row.place] for row in rows if row.group == group])) for group in (DENSE, EXPERTS)}


def _write_constants(folder: Path, made: Fit, errors: Mapping[str, float]) -> None:
    counts = {group: sum(row.group == group for row in made.steps.rows) for group in (DENSE, EXPERTS)}
    lines = []
    for cell in made.recipe.cells:
        value = cell.value_at(made.solution.values)
        group = made.recipe.free[cell.name].group if cell.name else ""
        error = made.solution.errors[cell.name] * value / made.solution.values[cell.name] if cell.name else cell.error
        about = (str(counts[group]), cell.data_set, SCHEMES[group]) if group else ("", cell.data_set, cell.scheme)
        held_out = 100.0 * errors.get(group, math.nan)
        figures = (_number(value), _number(error), cell.unit)
        lines.append((KIND, cell.class_, cell.path, cell.place, cell.field, *figures, *about, _number(held_out, ".2f")))
    _write(folder / f"constants-{KIND}.csv", library.COLUMNS, lines)


def _write_intervals(folder: Path, folds: Predicted, chips: Predicted) -> None:
    """Intervals of 90 %: from errors of rows whose source or model was left out, and of rows whose chip was.

    Families whose steps were never fitted get those of all such chips, as does any other chip.
    """
    lines = [line for which in (OWN, GENERIC) for line in _intervals(folds, which, fitted=True, apart=True)]
    lines += _intervals(chips, FOREIGN, fitted=True)
    lines += [(*line[:2], "other", *line[3:]) for line in _intervals(chips, FOREIGN, fitted=False)]
    lines += _intervals(chips, STRANGE, fitted=False)
    _write(folder / f"intervals-{KIND}.csv", library.INTERVAL_COLUMNS, lines)


def _intervals(found: Predicted, which: str, *, fitted: bool, apart: bool = False) -> Iterator[tuple[object, ...]]:
    """Intervals by class and regime, over chips whose generation was fitted or not; `apart` adds those of chips with many rows."""
    import numpy as np

    words = Words.of(found)
    ratio = found.table.figures(SECONDS) / found.value[SECONDS]
    known = np.isfinite(ratio) & (words.generation_fitted == fitted)
    for chip in ["", *(sorted(set(words.chip[known].tolist())) if apart else ())]:
        for class_ in CLASSES:
            own = known & (words.chip == chip) & (words.class_ == class_)
            if chip and own.sum() < FEWEST:
                continue
            for regime in REGIMES:
                chosen = own & (words.regime == regime)
                wider = (known & (words.class_ == class_) & (words.regime == regime), known & (words.regime == regime), known)
                used = next(one for one in (chosen, *wider) if one.sum() >= FEWEST)
                low, high = np.quantile(ratio[used], [0.05, 0.95])
                yield (KIND, which, chip or "data centre", class_, regime, int(used.sum()), f"{min(low, 1.0):.4g}", f"{max(high, 1.0):.4g}")


@dataclass(frozen=True)
class Words:
    """Of every row: its chip, its class, its regime of intervals, and whether its generation of chips is fitted."""

    chip: Any
    class_: Any
    regime: Any
    generation_fitted: Any

    @classmethod
    def of(cls, found: Predicted) -> "Words":
        """Return the words of the rows of a table."""
        import numpy as np

        from nvscale.truth.kinds.training_rows import number_format

        table = found.table
        chip = chips_of(found.kind, table)
        stated = ~np.all([np.isnan(table.figures(name)) for name in ("tp", "pp", "dp")], axis=0)
        experts = np.array([fold.startswith("model ") for fold in held_out_with(table)])
        fitted = np.array([_is_known(name) and family_of(catalogue.chip(name)).name in recipe().families for name in chip])
        return cls(
            chip=chip,
            class_=np.array([class_of(number_format(said)) for said in table.column("precision")]),
            regime=np.where(~stated, NOT_STATED, np.where(experts, "experts", "all")),
            generation_fitted=fitted,
        )


def _number(value: float, form: str = ".6g") -> str:
    return format(value, form) if math.isfinite(value) else ""


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *lines])
