"""Write the constants of serving: fitted to all rows, without each fold and each chip, and the intervals that follow."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth import constants as library
from nvscale.truth import folds as held_out_files
from nvscale.truth.constants import ANY, FOREIGN, GENERIC, OWN, STRANGE, Constants, shipped_constants
from nvscale.truth.folds import chips_of
from nvscale.truth.held_out_files import write_held_out
from nvscale.truth.kinds import kind_of_rows
from nvscale.truth.scoring import FOLDS, UNSEEN, Predicted, predict, validate
from nvscale.truth.serving_fits.fitting import Solution, fit_all
from nvscale.truth.serving_fits.kernels import Figure, kernels
from nvscale.truth.serving_fits.recipe import EXPERTS, FIRST, FIRST_EXPERTS, KIND, STEP, Recipe, recipe
from nvscale.truth.serving_fits.recipe import GENERIC as GENERIC_ENGINE
from nvscale.truth.serving_fits.regimes import regimes_of
from nvscale.truth.tables import Table, bundled

NAME = KIND
"""The kind of rows that is fitted here."""
CLASS = "served"
"""Class of the intervals."""
SERVED = "served requests (aiconfigurator-core 0.12.0, NVIDIA, Apache-2.0)"
FIXED = "how the engine works, or counted"
SCHEMES = {
    STEP: "dense models; 5 folds of configurations",
    EXPERTS: "models with experts; 5 folds of configurations",
    FIRST: "first tokens of dense models; 5 folds of configurations",
    FIRST_EXPERTS: "first tokens of models with experts; 5 folds of configurations",
}
FEWEST = 40
"""Rows that an interval of its own needs."""
INSIDE = 0.9
BEYOND = 1.1
"""How much wider intervals of chips are whose generation has no measured kernels: assumed."""


def write(folder: Path) -> str:
    """Write constants, folds, chips and intervals of serving, and return what was reached in words."""
    used, table = recipe(), bundled(KIND)
    pieces = kernels()
    _write_constants(folder, used, pieces, Solution(used.start(), {}), {})
    _forget()
    made = fit_all(table, used, errors=True)
    _write_constants(folder, used, pieces, made, {})
    write_held_out(folder / f"folds-{KIND}.csv.gz", _fold_lines(table, used))
    write_held_out(folder / f"chips-{KIND}.csv.gz", _chip_lines(table, used))
    _forget()
    found = validate(KIND, scheme=FOLDS)
    errors = {
        STEP: found["dense, settings known tpot_s"].mape,
        EXPERTS: found["experts, settings known tpot_s"].mape,
        FIRST: found["dense, settings known ttft_s"].mape,
        FIRST_EXPERTS: found["experts, settings known ttft_s"].mape,
    }
    _write_constants(folder, used, pieces, made, errors)
    _write_intervals(folder, used, table, found.predictions[KIND], validate(KIND, scheme=UNSEEN).predictions[KIND])
    _forget()
    return "serving: " + ", ".join(f"{group} {error:.2f} %" for group, error in errors.items())


def _forget() -> None:
    """Drop what was read before the files were written."""
    from nvscale.estimators import generation

    library.shipped_constants.cache_clear()
    for reader in (held_out_files._held_out, held_out_files._like, held_out_files._works, generation._efficiency, generation._engine):
        reader.cache_clear()


# ---------------------------------------------------------------------- held out


def _fold_lines(table: Table, used: Recipe) -> Iterator[tuple[object, ...]]:
    """Constants of engines fitted without each fold of configurations."""
    for fold in sorted(set(_folds(table))):
        yield from _lines(used, fit_all(table, used, ("fold", fold)), fold)


def _folds(table: Table) -> list[str]:
    kind = kind_of_rows(KIND)
    return kind.folds(table) if kind.folds else []


def _chip_lines(table: Table, used: Recipe) -> Iterator[tuple[object, ...]]:
    """What each chip would get, had no request been served on it: its data sheet and kernels stay known."""
    said = table.column("gpu")
    names = chips_of(kind_of_rows(KIND), table).tolist()
    for name in sorted(set(names)):
        if not _is_known(name):
            continue
        word = next(one for one, chip in zip(said, names, strict=True) if chip == name)
        yield from _lines(used, fit_all(table, used, ("gpu", word)), name)
        for (class_, path, place), figures in shipped_constants(KIND).rows.items():
            if class_.startswith("kernels"):
                for one in figures.values():
                    yield (KIND, class_, path, place, one.name, name, f"{one.value:.6g}")


def _is_known(chip: str) -> bool:
    try:
        catalogue.chip(chip)
    except UnknownName:
        return False
    return True


def _lines(used: Recipe, made: Solution, without: object) -> Iterator[tuple[object, ...]]:
    for engine in used.engines:
        for field, value in (used.figures(engine, made.values) | dict(used.fixed[engine])).items():
            yield (KIND, "engine", engine, ANY, field, without, f"{value:.6g}")


def constants_of(used: Recipe, made: Solution) -> Constants:
    """Return the shipped constants with engines of a fit in their place."""
    shipped = shipped_constants(KIND)
    like = {field: one for key, inner in shipped.rows.items() if key[0] == "engine" for field, one in inner.items()}
    rows = []
    for engine in used.engines:
        for field, value in used.figures(engine, made.values).items():
            rows.append(like[field]._replace(path=engine, chip=ANY, value=value))
    return shipped.with_rows(rows)


# ---------------------------------------------------------------------- what ships


def _write_constants(
    folder: Path, used: Recipe, pieces: Mapping[tuple[str, str], Mapping[str, Figure]], made: Solution, errors: Mapping[str, float]
) -> None:
    lines: list[tuple[object, ...]] = []
    for (class_, place), figures in pieces.items():
        for name, one in figures.items():
            about = (_number(float(one.rows)) if one.rows else "", f"{one.data_set}, median over frameworks", "all rows", "")
            lines.append((KIND, class_, "", place, name, _number(one.value), _number(one.error), one.unit, *about))
    for engine in used.engines:
        lines += _engine_lines(used, engine, made, errors)
    _write(folder / f"constants-{KIND}.csv", library.COLUMNS, lines)


def _engine_lines(used: Recipe, engine: str, made: Solution, errors: Mapping[str, float]) -> Iterator[tuple[object, ...]]:
    fields = {one.field: one for one in used.free.values() if engine in one.engines or engine == GENERIC_ENGINE}
    for field, value in used.figures(engine, made.values).items():
        one = fields.get(field)
        error = made.errors.get(one.name, math.nan) if one else math.nan
        scheme, held_out = (SCHEMES[one.group], errors.get(one.group, math.nan)) if one else ("", math.nan)
        unit = next(free.unit for free in used.free.values() if free.field == field)
        about = (SERVED if one else FIXED, scheme, _number(held_out, ".2f"))
        yield (KIND, "engine", engine, ANY, field, _number(value), _number(error), unit, "", *about)
    for field, value in used.fixed[engine].items():
        yield (KIND, "engine", engine, ANY, field, _number(value), "", "1", "", FIXED, "", "")


def _write_intervals(folder: Path, used: Recipe, table: Table, folds: Predicted, chips: Predicted) -> None:
    """Intervals of 90 %: from errors of configurations, chips and engines that were left out."""
    engines = _without_engines(table, used)
    lines: list[tuple[object, ...]] = []
    for which, found in ((OWN, folds), (GENERIC, engines), (FOREIGN, chips)):
        lines += _intervals(table, found, which, "data centre")
    for part in ("data centre", "workstation", "other"):
        lines += _intervals(table, chips, STRANGE, part, wider=BEYOND)
    _write(folder / f"intervals-{KIND}.csv", library.INTERVAL_COLUMNS, lines)


def _without_engines(table: Table, used: Recipe) -> Predicted:
    """Predictions of every row as of an engine that nobody measured: the generic one, fitted to the rows of the others."""
    import numpy as np

    words = np.array(table.column("engine"), dtype=object)
    place = table.columns.index("engine")
    made: dict[str, Any] = {}
    for engine in sorted(set(words.tolist())):
        fitted = constants_of(used, fit_all(table, used, ("engine", engine)))
        rows = [[*row[:place], GENERIC_ENGINE, *row[place + 1 :]] for row in table.rows]
        found = predict(KIND, Table(table.name, table.columns, rows), {KIND: fitted})
        chosen = words == engine
        for part in ("value", "low", "high"):
            for column, values in getattr(found, part).items():
                made.setdefault(part, {}).setdefault(column, np.full(len(words), np.nan))[chosen] = values[chosen]
    return Predicted(kind_of_rows(KIND), table, made["value"], made["low"], made["high"], [""] * len(words))


def _intervals(table: Table, found: Predicted, which: str, part: str, wider: float = 1.0) -> Iterator[tuple[object, ...]]:
    """One interval for each regime, of rows whose settings are known; regimes with few rows get that of a wider one."""
    import numpy as np

    for regime, column, chosen, fallback in regimes_of(table):
        ratio = table.figures(column) / found.value[column]
        known = np.isfinite(ratio) & (ratio > 0.0)
        rows = chosen & known if (chosen & known).sum() >= FEWEST else fallback & known
        low, high = shortest(ratio[rows])
        ends = (min(low, 1.0) / wider, max(high, 1.0) * wider)
        yield (KIND, which, part, CLASS, regime, int(rows.sum()), *(f"{end:.4g}" for end in ends))


def shortest(ratios: Any) -> tuple[float, float]:
    """Return the ends of the shortest interval, as a factor, that holds 90 % of the ratios.

    >>> import numpy as np
    >>> shortest(np.array([0.5, *[1.0] * 8, 1.1]))
    (1.0, 1.1)
    """
    import numpy as np

    ordered = np.sort(ratios)
    inside = int(np.ceil(INSIDE * len(ordered)))
    starts = np.arange(len(ordered) - inside + 1)
    best = int(np.argmin(ordered[starts + inside - 1] / ordered[starts]))
    return float(ordered[best]), float(ordered[best + inside - 1])


def _number(value: float, form: str = ".6g") -> str:
    return format(value, form) if math.isfinite(value) else ""


def _write(path: Path, columns: Sequence[str], lines: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *lines])
