"""Constants fitted to measured rows from the recipes on: first for the chips of a generation together, then for each chip.

Nothing that was fitted to the rows goes in: a fit starts from the centres of the recipe. With all bundled
rows it gives the constants that ship.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from nvscale import catalogue
from nvscale.truth.classes import KernelClass, Key, kernel_classes
from nvscale.truth.constants import Constant, Constants, shipped_constants
from nvscale.truth.kinds import Kind
from nvscale.truth.recipes import Recipe, recipe_of
from nvscale.truth.tables import Table, best_rows

FEWEST = 4
"""Rows below which a chip gets the set of its pool, or the centres."""
ROUNDS = 60
"""Most evaluations of a fit."""
STAGES = ("", "module", "custom", "eager")
"""Words in the classes of kernels that use the constants of others; those come first."""
WORK = {"hpc_kernels": "passes"}
"""Kinds of rows that only some constants are fitted to; others were fitted to rows of another kind."""

Values = dict[Key, dict[str, float]]


def refit(classes: Sequence[KernelClass], usable: Any = None, whole: Values | None = None, only: Iterable[Key] | None = None) -> Values:
    """Return the constants of classes of kernels, fitted to the usable rows of their table; all rows without.

    `only` names the classes that are wanted; the others are as in `whole`, or not there.
    """
    made: Values = {}
    wanted = None if only is None else set(only)
    for stage in range(len(STAGES)):
        tables = as_constants(made)
        by_recipe: dict[int, list[KernelClass]] = {}
        chosen: dict[int, Recipe] = {}
        for one in classes:
            recipe = recipe_of(one.key.kind, one.key.class_)
            if stage_of(one.key) != stage or recipe is None:
                continue
            by_recipe.setdefault(id(recipe), []).append(one)
            chosen[id(recipe)] = recipe
        for which, members in by_recipe.items():
            made |= _fit_recipe(chosen[which], members, usable, made, tables, wanted)
    return {**(whole or {}), **made}


def stage_of(key: Key) -> int:
    """Return when a class is fitted: after those whose constants it uses."""
    return max(number for number, word in enumerate(STAGES) if word in key.class_)


def classes_of(kind: Kind, table: Table) -> list[KernelClass]:
    """Return the classes of kernels of all measured columns whose constants are fitted to rows of the kind."""
    wanted = WORK.get(kind.name)
    found = []
    for column in kind.measured:
        scored = best_rows(kind, table, column, table.figures(column))
        found += [one for one in kernel_classes(kind, table, column, scored)[0] if wanted is None or one.key.kind == wanted]
    return found


def _fit_recipe(
    recipe: Recipe, members: Sequence[KernelClass], usable: Any, made: Values, tables: Mapping[str, Constants], wanted: set[Key] | None
) -> Values:
    """Fit the pools, then what departs from them; of classes that are wanted, but to the rows of all."""
    pools: dict[tuple[str, ...], list[KernelClass]] = {}
    owns: dict[tuple[str, ...], list[KernelClass]] = {}
    for one in members:
        place = (one.key.class_, one.key.path, one.key.chip)
        pools.setdefault(recipe.pool_key(*place), []).append(one)
        owns.setdefault((one.column, *recipe.own_key(*place)), []).append(one)
    centres: dict[int, dict[str, float]] = {}
    for key, together in pools.items():
        if wanted is not None and not any(one.key in wanted for one in together):
            continue
        start = {name: belief.centre for name, belief in recipe.beliefs.items()}
        if key:
            start |= _solve(recipe, together, usable, start, made, tables, pooled=True)
        for one in together:
            centres[id(one)] = start
    found: Values = {}
    for together in owns.values():
        if wanted is not None and not any(one.key in wanted for one in together):
            continue
        start = centres[id(together[0])]
        point = start | _solve(recipe, together, usable, start, made, tables, pooled=False)
        for one in together:
            fitted = {name: recipe.beliefs[name].value(point[name]) for name in _free(recipe, one)}
            found[one.key] = _others(recipe, one, made) | fitted
    return found


def _free(recipe: Recipe, one: KernelClass) -> list[str]:
    return [name for name in recipe.beliefs if name in one.own]


def _others(recipe: Recipe, one: KernelClass, made: Values) -> dict[str, float]:
    """Constants of a class that are not fitted with it: those of the kernel inside a module, and those that are chosen."""
    values = {name: const.value for name, const in one.own.items() if name not in recipe.beliefs}
    if recipe.borrowed:
        class_ = one.key.class_.replace("_module", "").replace(" fp8", " bf16_kv_fp8")
        inside = made.get(Key(one.key.kind, class_, "trtllm", one.key.chip), {})
        values |= {name: inside[name] for name in recipe.borrowed if name in inside and name in values}
    return values


def _solve(
    recipe: Recipe,
    members: Sequence[KernelClass],
    usable: Any,
    start: Mapping[str, float],
    made: Values,
    tables: Mapping[str, Constants],
    *,
    pooled: bool,
) -> dict[str, float]:
    """The most likely point of the constants that the members share."""
    import numpy as np
    from scipy.optimize import least_squares

    free = list(dict.fromkeys(name for one in members for name in _free(recipe, one)))
    parts = []
    for one in members:
        at = np.concatenate(one.places)
        chosen = np.ones(len(at), dtype=bool) if usable is None else usable[at]
        if chosen.any():
            parts.append((one, chosen, np.concatenate(one.measured)[chosen], _others(recipe, one, made)))
    rows = sum(len(measured) for _, _, measured, _ in parts)
    if not free or rows < (1 if not recipe.robust_prior else FEWEST):
        return {}
    beliefs = [recipe.beliefs[name] for name in free]
    centre = np.array([start[name] for name in free])
    width = np.array([belief.pool if pooled else belief.own for belief in beliefs])
    low, high = np.array([belief.low for belief in beliefs]), np.array([belief.high for belief in beliefs])

    def residuals(point: Any) -> Any:
        values = {name: belief.value(x) for name, belief, x in zip(free, beliefs, point.tolist(), strict=True)}
        errors = []
        for one, chosen, measured, others in parts:
            ratio = one.predict(others | values, tables)[chosen] / measured
            errors.append((np.log(ratio) if recipe.loss == "logarithmic" else ratio - 1.0) / recipe.scale)
        prior = (point - centre) / width
        return np.concatenate([_rounded(np.concatenate(errors)), _rounded(prior) if recipe.robust_prior else prior])

    # a second start, where there may be a second valley, is not needed once a pool has told which one it is
    seconds = [belief.second for belief in beliefs]
    starts = [centre] if not pooled and recipe.pool else [centre, np.array(seconds)]
    best = None
    for begin in starts if any(a != b for a, b in zip(seconds, centre.tolist(), strict=True)) else starts[:1]:
        tried = least_squares(
            residuals,
            np.clip(begin, low + 1e-6, high - 1e-6),
            bounds=(low, high),
            x_scale=np.minimum(width, 1.0),
            diff_step=1e-5,
            max_nfev=ROUNDS,
            ftol=1e-5,
            xtol=1e-5,
        )
        if best is None or tried.cost < best.cost:
            best = tried
    return dict(zip(free, best.x.tolist(), strict=True)) if best is not None else {}


def _rounded(residual: Any) -> Any:
    """The residual whose square is the soft absolute value: as it is when small, a root when large."""
    import numpy as np

    return np.sign(residual) * np.sqrt(2.0 * (np.sqrt(1.0 + residual**2) - 1.0))


def touched(classes: Sequence[KernelClass], rows: Any) -> list[Key]:
    """Return the classes that some rows of the table belong to, and those that their predictions use."""
    import numpy as np

    direct = [one.key for one in classes if rows[np.concatenate(one.places)].any()]
    later = {key.chip: stage_of(key) for key in sorted(direct, key=stage_of)}
    return [*direct, *(one.key for one in classes if stage_of(one.key) < later.get(one.key.chip, 0))]


def as_constants(made: Values) -> dict[str, Constants]:
    """Return the shipped constants with fitted ones in their place, by kind of work."""
    rows: dict[str, list[Constant]] = {}
    for key, values in made.items():
        found = shipped_constants(key.kind).find(key.class_, key.path, catalogue.chip(key.chip))
        known = found.constants if found else {}
        here = {name: one._replace(class_=key.class_, path=key.path, chip=key.chip) for name, one in known.items()}
        rows.setdefault(key.kind, []).extend(here[name]._replace(value=value) for name, value in values.items())
    return {kind: shipped_constants(kind).with_rows(more) for kind, more in rows.items()}
