"""Classes of kernels among measured rows: which rows get their time from the same constants."""

import math
from collections import ChainMap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from nvscale.silicon import Chip
from nvscale.truth.constants import Constants, Found, shipped_constants
from nvscale.truth.grouping import grouped, with_numbers
from nvscale.truth.kinds import Group, Kind
from nvscale.truth.tables import Table

DISCRETE = ("byte",)
"""Units of constants that are chosen, not fitted: sizes at which a library changes over."""


@dataclass(frozen=True)
class Key:
    """Which constants: kind, class, path and chip."""

    kind: str
    class_: str
    path: str
    chip: str

    def __str__(self) -> str:
        return " ".join(word for word in (self.kind, self.class_, self.path or "any path", self.chip) if word)


class _Recorder(Constants):
    """Constants that remember what was looked up."""

    seen: list[tuple["Key", Found]]

    def find(self, class_: str, path: str, chip: Chip, **how: Any) -> Found | None:
        found = super().find(class_, path, chip, **how)
        if found is not None:
            self.seen.append((Key(self.kind, class_, path, chip.name), found))
        return found


class Recording(Mapping[str, Constants]):
    """A calibration that remembers which constants it was asked for; those that come with nvscale unless others are given."""

    def __init__(self, base: Mapping[str, Constants] | None = None) -> None:
        self.base = base or {}
        self.seen: list[tuple[Key, Found]] = []

    def __getitem__(self, kind: str) -> Constants:
        table = self.base.get(kind) or shipped_constants(kind)
        recorder = _Recorder(kind, table.rows, table.intervals)
        object.__setattr__(recorder, "seen", self.seen)
        return recorder

    def __iter__(self) -> Iterator[str]:
        return iter(("any",))

    def __len__(self) -> int:
        return 1


class KernelClass:
    """The rows of one class of kernels, and their prediction by any constants."""

    def __init__(self, kind: Kind, column: str, key: Key, found: Found) -> None:
        self.kind, self.column, self.key, self.found = kind, column, key, found
        self.groups: list[Group] = []
        self.measured: list[Any] = []
        self.places: list[Any] = []
        self.shipped = shipped_constants(key.kind)
        self.own = {name: one for name, one in found.constants.items() if one.class_}

    def add(self, group: Group, measured: Any, places: Any) -> None:
        """Add rows that share all words, with their measurements and their places in the table."""
        self.groups.append(group)
        self.measured.append(measured)
        self.places.append(places)

    def candidates(self) -> tuple[list[str], dict[str, str]]:
        """Names of constants that can be fitted, and why others cannot."""
        free, kept = [], {}
        for name, one in self.own.items():
            if one.unit in DISCRETE:
                kept[name] = "a size at which the library changes over: chosen, not fitted"
            elif not (math.isfinite(one.value) and one.value > 0.0):
                kept[name] = "is at the end of its range"
            else:
                free.append(name)
        return free, kept

    def predict(self, values: Mapping[str, float], base: Mapping[str, Constants] | None = None) -> Any:
        """Return predictions of all rows with some constants replaced, and those of other classes as in `base`."""
        import numpy as np

        place = (self.key.class_, self.key.path, self.key.chip)
        rows = {name: one._replace(chip=self.key.chip, value=values.get(name, one.value)) for name, one in self.own.items()}
        table = (base or {}).get(self.key.kind) or self.shipped
        table = Constants(table.kind, ChainMap({place: rows}, dict(table.rows)), table.intervals)
        used = {**(base or {}), self.key.kind: table}
        return np.concatenate([self.kind.predict(group, used)[self.column].value for group in self.groups])


APART = {"moe": ("topk", "experts")}
"""Columns of numbers by which the path of a row may differ, beside its words."""


def kernel_classes(kind: Kind, table: Table, column: str, usable: Any = None) -> tuple[list[KernelClass], dict[str, int]]:
    """Return the classes of kernels in the measured rows, and why other rows belong to none."""
    import numpy as np

    measured = table.figures(column)
    usable = (measured > 0.0) & with_numbers(kind, table) & (True if usable is None else usable)
    unusable: dict[str, int] = {}
    classes: dict[Key, KernelClass] = {}
    members: dict[tuple[Key, tuple[str, ...]], list[tuple[Group, Any]]] = {}
    for group, places in grouped(kind, table, usable, ("n_nodes", *APART.get(kind.name, ()))):
        recording = Recording()
        answer = kind.predict(group, recording)[column]
        known = np.isfinite(answer.value) if answer.value is not None else np.zeros(len(places), bool)
        if not recording.seen or not known.any():
            reason = answer.reason or f"rows of kind {kind.name} have no constants that could be fitted"
            unusable[reason] = unusable.get(reason, 0) + len(places)
            continue
        named = [seen for seen in recording.seen if seen[0].kind == kind.name]
        key, found = (named or recording.seen)[-1]
        classes.setdefault(key, KernelClass(kind, column, key, found))
        numbers = {name: values[known] for name, values in group.numbers.items()}
        same = (key, tuple(group.words.values()) + tuple(str(values[0]) for name, values in numbers.items() if name == "n_nodes"))
        members.setdefault(same, []).append((Group(group.words, numbers), places[known]))
    for (key, _), parts in members.items():
        together = {name: np.concatenate([group.numbers[name] for group, _ in parts]) for name in parts[0][0].numbers}
        at = np.concatenate([places for _, places in parts])
        classes[key].add(Group(parts[0][0].words, together), measured[at], at)
    return list(classes.values()), unusable
