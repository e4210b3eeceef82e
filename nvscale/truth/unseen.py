"""The constants that a chip would get, had none of its rows been measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from nvscale import catalogue
from nvscale.truth.classes import APART, KernelClass, Key, Recording
from nvscale.truth.constants import ANY, FAMILY, Constant, Constants, Found, family_of, shipped_constants
from nvscale.truth.grouping import grouped, with_numbers
from nvscale.truth.hierarchy import Values, refit
from nvscale.truth.kinds import Kind
from nvscale.truth.recipes import recipe_of
from nvscale.truth.tables import Table

GIVERS: Mapping[str, tuple[str, ...]] = {"collectives": ("Hopper", "Blackwell workstation"), "expert_exchange": ("Hopper",)}
"""Families whose constants any other chip gets, where that is not the median of all data-centre parts."""
GENERIC = ("", "custom")
"""Paths that stand for any."""


def unseen(kind: Kind, table: Table, classes: Sequence[KernelClass], of_chip: Any, chip: str, whole: Values) -> Values:
    """Return the constants that the rows of a chip get when none of them took part in a fit, by where they come from.

    Other chips of its pools are fitted again without it; the rest of `whole` never saw it.
    """
    mates = _mates(classes, chip)
    made = refit(classes, ~of_chip, whole, mates) if mates else whole
    recording = Recording({work: without(work, chip, made) for work in {key.kind for key in whole}})
    for group, _ in grouped(kind, table, of_chip & with_numbers(kind, table), ("n_nodes", *APART.get(kind.name, ()))):
        kind.predict(group, recording)
    works = {key.kind for key in whole}
    return {
        Key(key.kind, key.class_, key.path, _place(found)): {name: one.value for name, one in found.constants.items()}
        for key, found in recording.seen
        if key.kind in works
    }


def _place(found: Found) -> str:
    """Where constants come from: a family, or any chip."""
    return next(one.chip for one in found.constants.values() if one.class_)


def _mates(classes: Sequence[KernelClass], chip: str) -> list[Key]:
    """Classes on other chips whose fit saw rows of a chip through a pool, or through the kernels inside a module."""
    pools: dict[Any, list[Key]] = {}
    for one in classes:
        recipe = recipe_of(one.key.kind, one.key.class_)
        if recipe is not None and recipe.pool:
            pools.setdefault((id(recipe), recipe.pool_key(one.key.class_, one.key.path, one.key.chip)), []).append(one.key)
    touched = {key for members in pools.values() if any(key.chip == chip for key in members) for key in members}
    touched |= {one.key for one in classes if "_module" in one.key.class_}
    return [key for key in touched if key.chip != chip]


def without(kind: str, chip: str, made: Values) -> Constants:
    """Return the constants of a kind of work, had a chip never been measured: those of families are medians of other chips."""
    table = shipped_constants(kind)
    home = FAMILY + family_of(catalogue.chip(chip)).name
    own = {(key.class_, key.path, key.chip): values for key, values in made.items() if key.kind == kind and key.chip != chip}
    fitted = {key.class_ for key in made if key.kind == kind}
    families = {name: family_of(catalogue.chip(name)) for _, _, name in own}
    alone = all(FAMILY + family.name != home for family in families.values())
    rows: dict[tuple[str, str, str], Mapping[str, Constant]] = {}
    for (class_, path, place), inner in table.rows.items():
        if place == chip or (alone and place == home and not class_):
            continue
        if class_ not in fitted or not (place.startswith(FAMILY) or place == ANY):
            rows[class_, path, place] = inner
            continue
        alike = [(families[c], values) for (name, way, c), values in own.items() if name == class_ and (path in GENERIC or way == path)]
        if place == ANY:
            givers = [values for family, values in alike if family.name in GIVERS.get(kind, ())]
            givers = givers or [values for family, values in alike if family.part == "data centre"] or [values for _, values in alike]
        else:
            givers = [values for family, values in alike if FAMILY + family.name == place]
        medians = _medians(givers)
        if medians:
            rows[class_, path, place] = {name: one._replace(value=medians[name]) for name, one in inner.items() if name in medians}
    return Constants(kind, rows, table.intervals)


def _medians(givers: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Medians of the logarithms where all are above 0, of the values otherwise."""
    import numpy as np

    found = {}
    for name in givers[0] if givers else ():
        values = np.array([one[name] for one in givers if name in one])
        found[name] = float(np.exp(np.median(np.log(values))) if (values > 0.0).all() else np.median(values))
    return found
