"""Constants of power and of serving steps fitted to rows of kind energy, and predictions of rows that took no part.

Folds hold out whole models on all chips (of kernels: one shape); the loss is a robust one of the logarithm.
Shares of the rated power are fitted, and turned into W, J/byte and J/flop.
"""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nvscale import catalogue
from nvscale.errors import NvscaleError
from nvscale.estimators.attention_kernels import served_rate
from nvscale.estimators.kernels import kernel
from nvscale.estimators.power import rate_of
from nvscale.formulas.power_caps import power_under_load
from nvscale.silicon import Chip
from nvscale.truth.folds import folds_of
from nvscale.truth.kinds import kind_of_rows
from nvscale.truth.kinds.base import Group
from nvscale.truth.kinds.energy import JOULES, NUMBERS, OTHERS, WATTS, WORDS, kernel_work, number_format, parts_of_step, settings, step
from nvscale.truth.tables import Table

SHARPNESS, NOISE, OUTLIER = 6.0, 0.07, 1.5
POWER = {"static": "W", "energy_per_byte": "J/byte", "energy_per_operation": "J/flop", "power_limit": "W", "waiting": "W"}
START, LEAST, MOST = (0.3, 0.5, 2.0, 0.9, 0.3), (0.02, 0.0, 0.0, 0.3, 0.0), (0.95, 4.0, 20.0, 1.1, 1.0)
"""Shares of the rated power, in the order of POWER: where a fit begins, and between which ends."""
STEP = {"layer": "s", "weights": "1", "cache": "1", "operations": "1", "prompt": "1", "sequence": "s"}
STEP_START = (2e-4, 1.0, 1.0, 1.0, 1.0, 3e-5)
EXPERTS, DENSE, KERNELS = "serving experts", "serving dense", "kernels"
DATA = {KERNELS: "aiconfigurator-core 0.12.0 (Apache-2.0)", "": "ML.ENERGY Benchmark v3 (Apache-2.0)"}
SCHEME = "grouped folds: model"
WIDER = 1.2
"""How much wider the interval is where a class was measured on one chip only."""


@dataclass
class Load:
    """Rows of one class of load on one chip.

    Parameters
    ----------
    name, chip
        Class and chip.
    places : list of int
        Rows in the table.
    watts : list of float
        Measured power of one chip; nan where it was not measured.
    chips, batch, seconds : list of float
        Chips of the row, its sequences, and the time of its steps by its throughput (1 for kernels).
    needs : list
        Time at full bandwidth, time at the full rate, how uneven the experts are.
    parts : list
        Parts of a step on the roofline, as `parts_of_step` gives them.
    folds : list of int
        What is held out together.
    """

    name: str
    chip: Chip
    places: list[int] = field(default_factory=list)
    watts: list[float] = field(default_factory=list)
    chips: list[float] = field(default_factory=list)
    batch: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    needs: list[tuple[float, float, float]] = field(default_factory=list)
    parts: list[list[float]] = field(default_factory=list)
    folds: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many constants of power the class has."""
        return 5 if self.name == EXPERTS else 4

    def power(self, shares: Any, seconds: Any, chosen: Any = slice(None)) -> Any:
        """Return the share of the rated power while steps take so long."""
        import numpy as np

        needs = np.array(self.needs)[chosen]
        waiting = shares[4] * needs[:, 2] if len(shares) > 4 else 0.0
        rates = (needs[:, 1] / seconds, needs[:, 0] / seconds)
        return power_under_load(*rates, shares[2], shares[1], shares[0] - waiting, shares[3], SHARPNESS)

    def fit_power(self, chosen: Any) -> tuple[Any, Any]:
        """Return shares of the rated power fitted to some of the rows, and their errors."""
        import numpy as np

        seconds, share = np.array(self.seconds)[chosen], np.array(self.watts)[chosen] / self.chip.power
        box = (START[: self.count], LEAST[: self.count], MOST[: self.count])
        return _fit(lambda shares: self.power(shares, seconds, chosen), share, *box)

    def fit_step(self, chosen: Any) -> tuple[Any, Any]:
        """Return the constants of a step fitted to some of the rows, and their errors."""
        import numpy as np

        parts = np.array(self.parts)[chosen]
        ends = ([0.0] * len(STEP), [math.inf] * len(STEP))
        return _fit(lambda values: parts @ values, np.array(self.seconds)[chosen], STEP_START, *ends)

    def held_out(self) -> tuple[Any, Any, Any]:
        """Return power, time of a step and power during such a step, each by constants fitted without the fold of the row."""
        import numpy as np

        folds, watts = np.array(self.folds), np.full(len(self.places), math.nan)
        steps, drawn, seconds = watts.copy(), watts.copy(), np.array(self.seconds)
        for fold in sorted(set(self.folds)):
            inside, outside = folds != fold, folds == fold
            if not inside.any():
                continue
            shares, _ = self.fit_power(inside)
            watts[outside] = self.power(shares, seconds[outside], outside)
            if self.name != KERNELS:
                steps[outside] = np.array(self.parts)[outside] @ self.fit_step(inside)[0]
                drawn[outside] = self.power(shares, steps[outside], outside)
        return watts * self.chip.power, steps, drawn * self.chip.power


def _fit(form: Callable[[Any], Any], measured: Any, start: Any, least: Any, most: Any) -> tuple[Any, Any]:
    """Values of a robust fit of the logarithm, and their standard errors."""
    import numpy as np
    from scipy.optimize import least_squares

    best = least_squares(
        lambda values: np.log(np.maximum(form(values), 1e-12) / measured) / NOISE,
        start,
        bounds=(least, most),
        x_scale=start,
        loss="soft_l1",
        f_scale=OUTLIER,
    )
    weights = 1.0 / np.sqrt(1.0 + (best.fun / OUTLIER) ** 2)
    scatter = max(1.0, float(np.median(np.abs(best.fun))) / 0.6745)  # the median of |N(0, 1)| is 0.6745
    slopes = best.jac * np.sqrt(weights)[:, None] / scatter
    return best.x, np.sqrt(np.diag(np.linalg.pinv(slopes.T @ slopes)))


def loads(table: Table) -> list[Load]:
    """Return the rows of a table with a measured power, by class of load and chip."""
    import numpy as np

    cells = {name: table.column(name) for name in WORDS}
    figures = {name: table.figures(name) for name in (*NUMBERS, WATTS)}
    found: dict[tuple[str, str], Load] = {}
    folds = folds_of(kind_of_rows("energy"), table).tolist()
    for place in np.flatnonzero(figures[WATTS] > 0.0).tolist():
        group = Group({name: cells[name][place] for name in WORDS}, {name: figures[name][place : place + 1] for name in NUMBERS})
        try:
            if group.words["kind"] in OTHERS:
                continue
            chip = catalogue.chip(group.words["gpu"])
            row = _kernel(group, chip) if group.words["kind"].startswith("kernel_") else _served(group, chip)
        except NvscaleError:
            continue
        name, chips, batch, seconds, needs, parts = row
        if not seconds > 0.0:
            continue
        load = found.setdefault((name, chip.name), Load(name, chip))
        load.places.append(place)
        load.watts.append(float(figures[WATTS][place]) / chips)
        for into, value in ((load.chips, chips), (load.batch, batch), (load.seconds, seconds)):
            into.append(value)
        load.needs.append(needs)
        load.parts.append(parts)
        load.folds.append(folds[place])
    return list(found.values())


def _kernel(group: Group, chip: Chip) -> tuple[Any, ...]:
    work = kernel_work(group.words["kind"], group.words["model"])
    time = kernel(work, chip).value
    needs = (work.traffic / chip.memory_bandwidth / time, work.flop / rate_of(work, chip).value / time, 0.0)
    return KERNELS, 1.0, 1.0, 1.0, needs, []


def _served(group: Group, chip: Chip) -> tuple[Any, ...]:
    given = settings(group)
    model, needs = step(group)
    batch, chips = (float(given[name][0]) for name in ("batch", "n_gpus"))
    full_rate = served_rate(chip, number_format(group.words["precision"])).value
    moved, done, uneven = (float(value[0]) for value in (needs.weights + needs.cache, needs.flop, needs.unbalanced))
    _, parts = parts_of_step(group, chip)
    seconds = batch / float(given["output_tok_per_s"][0])
    times = (moved / chip.memory_bandwidth, done / full_rate, uneven)
    listed = [float(parts[name][0]) for name in STEP]
    return EXPERTS if model.has_experts else DENSE, chips, batch, seconds, times, listed


@functools.lru_cache(maxsize=2)
def _held_out(key: "_Same") -> Mapping[str, Any]:
    import numpy as np

    made = {name: np.full(len(key.table.rows), math.nan) for name in (WATTS, JOULES)}
    for load in loads(key.table):
        watts, steps, drawn = load.held_out()
        chips = np.array(load.chips)
        made[WATTS][load.places] = watts * chips
        made[JOULES][load.places] = drawn * chips * steps / np.array(load.batch)
    return made


class _Same:
    """A table that is looked up by identity."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.table is other.table


def held_out(table: Table, column: str) -> Any:
    """Return predictions of a column by constants that were fitted without the model of each row; nan where there are none."""
    return _held_out(_Same(table))[column]


# ---------------------------------------------------------------- tables of constants


def fitted(table: Table) -> tuple[list[Sequence[Any]], list[Sequence[Any]]]:
    """Return the rows of constants-energy.csv and of intervals-energy.csv."""
    constants: list[Sequence[Any]] = []
    intervals: list[Sequence[Any]] = []
    found = loads(table)
    for load in found:
        constants += _constants(load)
        intervals += [["energy", "own", load.chip.name, *row] for row in _bands(load)]
    for name in dict.fromkeys(load.name for load in found):
        alike = [load for load in found if load.name == name]
        for which, low, high in _foreign_bands(name, alike):
            intervals += [["energy", "chip not fitted", part, which, "all", "", low, high] for part in ("data centre", "other")]
    return constants, intervals


def without(table: Table) -> tuple[list[Sequence[Any]], list[Sequence[Any]]]:
    """Return the rows of folds-energy.csv and of chips-energy.csv: constants fitted without each fold, and without each chip."""
    import numpy as np

    folds: list[Sequence[Any]] = []
    chips: list[Sequence[Any]] = []
    found = loads(table)
    for load in found:
        for fold in sorted(set(load.folds)):
            folds += _values(load, np.array(load.folds) != fold, fold)
        for other in dict.fromkeys(one.chip.name for one in found if one.chip.name != load.chip.name):
            chips += _values(load, np.ones(len(load.places), dtype=bool), other)
    return folds, chips


def _values(load: Load, chosen: Any, left_out: object) -> list[Sequence[Any]]:
    """Rows of constants fitted to some of the rows of a load."""
    if not chosen.any():
        return []
    shares, _ = load.fit_power(chosen)
    scales = _scales(load.chip)
    place = ("", load.chip.name)
    rows: list[Sequence[Any]] = [
        ("energy", load.name, *place, name, left_out, _number(share * scales[unit]))
        for (name, unit), share in zip(list(POWER.items())[: load.count], shares, strict=True)
    ]
    rows.append(("energy", load.name, *place, "sharpness", left_out, SHARPNESS))
    if load.name != KERNELS:
        named = zip(STEP, load.fit_step(chosen)[0], strict=True)
        rows += [("energy", load.name.replace("serving", "step"), *place, name, left_out, _number(value)) for name, value in named]
    return rows


def _number(value: float) -> str:
    return f"{value:.6g}" if value > 1e-14 else "0"


def _scales(chip: Chip) -> dict[str, float]:
    """What turns shares of the rated power into W, J/byte and J/flop."""
    return {"W": chip.power, "J/byte": chip.power / chip.memory_bandwidth, "J/flop": chip.power / chip.rate("bf16")}


def _constants(load: Load) -> list[Sequence[Any]]:
    import numpy as np

    everything, chip = np.ones(len(load.places), dtype=bool), load.chip
    watts, steps, _ = load.held_out()
    about = (len(load.places), DATA.get(load.name, DATA[""]), SCHEME)
    scales = _scales(chip)
    shares, errors = load.fit_power(everything)
    error = _mape(watts, np.array(load.watts))
    named = zip(list(POWER.items())[: load.count], shares, errors, strict=True)
    rows: list[Sequence[Any]] = [
        _row(load.name, chip.name, name, share * scales[unit], sigma * scales[unit], unit, about, error)
        for (name, unit), share, sigma in named
    ]
    rows.append(_row(load.name, chip.name, "sharpness", SHARPNESS, math.nan, "1", (*about[:2], f"{about[2]}; chosen, not fitted"), error))
    if load.name != KERNELS:
        values, errors = load.fit_step(everything)
        error = _mape(steps, np.array(load.seconds))
        for (name, unit), value, sigma in zip(STEP.items(), values, errors, strict=True):
            rows.append(_row(load.name.replace("serving", "step"), chip.name, name, value, sigma, unit, about, error))
    return rows


def _row(class_: str, chip: str, name: str, value: float, sigma: float, unit: str, about: Sequence[Any], error: float) -> Sequence[Any]:
    return ["energy", class_, "", chip, name, _number(value), "" if math.isnan(sigma) else f"{sigma:.3g}", unit, *about, f"{error:.2f}"]


def _bands(load: Load) -> list[Sequence[Any]]:
    import numpy as np

    watts, steps, drawn = load.held_out()
    measured, seconds, batch = (np.array(values) for values in (load.watts, load.seconds, load.batch))
    rows: list[Sequence[Any]] = [[load.name, "all", len(measured), *_band(watts, measured)]]
    if load.name != KERNELS:
        tokens = (drawn * steps / batch, measured * seconds / batch)
        rows.append([load.name.replace("serving", "step"), "all", len(measured), *_band(steps, seconds)])
        rows.append([load.name.replace("serving", "energy per token"), "all", len(measured), *_band(*tokens)])
    return rows


def _foreign_bands(name: str, alike: Sequence[Load]) -> list[Sequence[str]]:
    """Bands of a class by constants of the other chip, scaled; of its own, made wider, where there is only one."""
    import numpy as np

    if len(alike) == 1:
        low, high = (float(end) for end in _bands(alike[0])[0][3:])
        return [[name, f"{low / WIDER:.4f}", f"{high * WIDER:.4f}"]]
    together: dict[str, tuple[list[Any], list[Any]]] = {}
    for load in alike:
        other = next(one for one in alike if one is not load)
        everything = np.ones(len(other.places), dtype=bool)
        shares, _ = other.fit_power(everything)
        seconds, batch = np.array(load.seconds), np.array(load.batch)
        share = np.array(load.watts) / load.chip.power
        steps = np.array(load.parts) @ other.fit_step(everything)[0]
        rows = {
            name: (load.power(shares, seconds), share),
            name.replace("serving", "step"): (steps, seconds),
            name.replace("serving", "energy per token"): (load.power(shares, steps) * steps / batch, share * seconds / batch),
        }
        for which, (made, measured) in rows.items():
            pair = together.setdefault(which, ([], []))
            pair[0].append(made)
            pair[1].append(measured)
    return [[which, *_band(np.concatenate(made), np.concatenate(measured))] for which, (made, measured) in together.items()]


def _band(made: Any, measured: Any) -> tuple[str, str]:
    import numpy as np

    low, high = np.quantile(measured / made, [0.05, 0.95])
    return f"{low:.4f}", f"{high:.4f}"


def _mape(made: Any, measured: Any) -> float:
    import numpy as np

    return float(np.mean(np.abs(made / measured - 1.0)) * 100.0)
