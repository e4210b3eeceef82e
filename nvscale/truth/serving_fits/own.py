"""`calibrate` for serving: the constants of an engine that differ between sites, fitted to a few served requests of one's own."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from nvscale import catalogue
from nvscale.truth.classes import Key
from nvscale.truth.constants import Constant, shipped_constants
from nvscale.truth.own_fits import NOISE, OUTLIER, FittedClass
from nvscale.truth.serving_fits.recipe import EXPERTS, KIND, STEP, Recipe, recipe
from nvscale.truth.serving_fits.rows import Lines, lines_of
from nvscale.truth.tables import Table

FEWEST_ROWS = 3
"""Rows of an engine on a chip below which nothing is fitted."""
PRIOR = 0.5
"""How far a constant may be off at a site, as a logarithm."""
MEANING = 0.02
"""Part of a step, at least, that a constant must make up to be fitted."""
FIGURES = {STEP: "dense models", EXPERTS: "models with experts"}


def shipped_values(used: Recipe) -> dict[str, float]:
    """Return the fitted constants as they ship, by name."""
    rows = shipped_constants(KIND).rows
    found = {}
    for name, one in used.free.items():
        found[name] = next(inner[one.field].value for key, inner in rows.items() if key[0] == "engine" and key[1] == one.engines[0])
    return found


def fit_own(table: Table, data_set: str) -> tuple[tuple[FittedClass, ...], dict[str, int]]:
    """Return constants fitted to rows of one's own for each engine and chip, scored by leaving each row out."""
    used = recipe()
    values, used_rows = shipped_values(used), 0
    made: list[FittedClass] = []
    for group in (STEP, EXPERTS):
        lines = lines_of(table, used, group, values)
        for engine, gpu in dict.fromkeys(zip(lines.words["engine"], lines.words["gpu"], strict=True)):
            own = lines.where((lines.words["engine"] == engine) & (lines.words["gpu"] == gpu))
            used_rows += len(own.seconds)
            made.append(_fit(own, used, group, values, str(engine), catalogue.chip(str(gpu)).name, data_set))
    made = [replace(one, constants=_once(one, made[:place])) for place, one in enumerate(made)]
    left = int((table.figures("tpot_s") > 0.0).sum()) - used_rows
    return tuple(made), ({"settings that are not known by the labels, or no time per token": left} if left else {})


def _once(one: FittedClass, before: Sequence[FittedClass]) -> tuple[Constant, ...]:
    """The constants of a class: what it did not fit only where no class before it has the same engine and chip."""
    again = any(other.constants and (other.key.path, other.key.chip) == (one.key.path, one.key.chip) for other in before)
    return tuple(constant for constant in one.constants if not again or constant.name in one.fitted)


def _fit(lines: Lines, used: Recipe, group: str, values: dict[str, float], engine: str, chip: str, data_set: str) -> FittedClass:
    import numpy as np

    count = len(lines.seconds)
    key = Key(KIND, f"engine, {FIGURES[group]}", engine, chip)
    said = FittedClass(key, count, len(set(lines.words["configuration"].tolist())))
    free = [name for name in used.names(group) if used.free[name].site and _weight(lines, values, name) > MEANING]
    kept = {name: "the same at every site, or a small part of a step" for name in used.names(group) if name not in free}
    if count < FEWEST_ROWS:
        return replace(said, kept=kept, refused=f"{count} rows are too few; wanted at least {FEWEST_ROWS}")
    every = np.ones(count, dtype=bool)
    before = _mape(lines.predict(used, values), lines.seconds)
    alone = np.empty(count)
    for place in range(count):
        rest = every.copy()
        rest[place] = False
        alone[place] = lines.predict(used, _solve(lines.where(rest), used, free, values)[0])[place]
    after = _mape(alone, lines.seconds)
    said = replace(said, before=before, after=after, folds=count, kept=kept)
    if not after < before:
        why = f"with each row left out the fitted constants do no better ({after:.1f} % against {before:.1f} % with the shipped ones)"
        return replace(said, refused=why)
    fitted, covariance = _solve(lines, used, free, values)
    constants = tuple(_constants(used, group, fitted, free, covariance, (engine, chip), (data_set, after, count)))
    names = tuple(used.free[name].field for name in free)
    return replace(said, constants=constants, fitted=names, covariance=tuple(map(tuple, covariance.tolist())))


def _weight(lines: Lines, values: dict[str, float], name: str) -> float:
    """Mean part of the measured times that a constant makes up."""
    return float((values[name] * lines.slopes[name] / lines.seconds).mean())


def _mape(predicted: Any, seconds: Any) -> float:
    return float(abs(predicted / seconds - 1.0).mean() * 100.0)


def _solve(lines: Lines, used: Recipe, free: Sequence[str], values: dict[str, float]) -> tuple[dict[str, float], Any]:
    """Values of all constants, and the covariance of the logarithms of the free ones."""
    import numpy as np
    from scipy.optimize import least_squares

    def moved(point: Any) -> dict[str, float]:
        return values | {name: values[name] * math.exp(step) for name, step in zip(free, point.tolist(), strict=True)}

    def residuals(point: Any) -> Any:
        return np.concatenate([np.log(lines.predict(used, moved(point)) / lines.seconds) / NOISE, point / PRIOR])

    done = least_squares(residuals, np.zeros(len(free)), loss="soft_l1", f_scale=OUTLIER)
    return moved(done.x), np.linalg.pinv(done.jac.T @ done.jac)


def _constants(
    used: Recipe,
    group: str,
    values: dict[str, float],
    free: Sequence[str],
    covariance: Any,
    where: tuple[str, str],
    about: tuple[str, float, int],
) -> Iterator[Constant]:
    """All figures of the engine on the chip: the fitted ones of the group, the others as they ship."""
    engine, chip = where
    data_set, after, rows = about
    spread = {used.free[name].field: float(covariance[i, i]) ** 0.5 for i, name in enumerate(free)}
    shipped = shipped_constants(KIND).find("engine", engine, catalogue.chip(chip))
    for field, one in (shipped.constants if shipped else {}).items():
        place = one._replace(class_="engine", path=engine, chip=chip)
        if field in spread:
            name = next(name for name in free if used.free[name].field == field)
            error, scheme = values[name] * spread[field], f"{FIGURES[group]}: fitted to rows of one's own, each left out"
            place = place._replace(
                value=values[name], standard_error=error, rows=float(rows), data_set=data_set, scheme=scheme, held_out_mape=after
            )
        yield place


def held_out_ratios(table: Table, column: str) -> Any:
    """Return for every row the time per token by constants fitted without it, over that by the shipped ones; nan where it is not used.

    Nothing is fitted to first tokens: their ratio is 1.
    """
    import numpy as np

    if column != "tpot_s":
        return np.ones(len(table.rows))
    used = recipe()
    values, ratios = shipped_values(used), np.full(len(table.rows), math.nan)
    for group in (STEP, EXPERTS):
        lines = lines_of(table, used, group, values)
        for engine, gpu in dict.fromkeys(zip(lines.words["engine"], lines.words["gpu"], strict=True)):
            chosen = (lines.words["engine"] == engine) & (lines.words["gpu"] == gpu)
            own = lines.where(chosen)
            free = [name for name in used.names(group) if used.free[name].site and _weight(own, values, name) > MEANING]
            base = own.predict(used, values)
            for place in range(len(own.seconds) if len(own.seconds) >= FEWEST_ROWS else 0):
                rest = np.arange(len(own.seconds)) != place
                moved = own.predict(used, _solve(own.where(rest), used, free, values)[0])
                ratios[own.places[place]] = moved[place] / base[place]
    return ratios
