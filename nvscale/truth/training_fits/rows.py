"""Measured training steps stacked into arrays, so that a whole table is estimated in a few calls."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimators.training_shards import Hardware, hardware_of, sustained_rates
from nvscale.estimators.training_steps import step
from nvscale.formats import precision
from nvscale.parallelism import Parallelism
from nvscale.record import units_of
from nvscale.transformers import Model
from nvscale.truth.constants import Constants, family_of
from nvscale.truth.kinds import training_rows as rows_of
from nvscale.truth.kinds.base import Group
from nvscale.truth.kinds.training import NUMBERS, WORDS, held_out_with, software_age, stack_name
from nvscale.truth.tables import Table
from nvscale.truth.training_fits.recipe import DENSE, EXPERTS, Recipe
from nvscale.workloads.training import Training

SECONDS = "seconds_per_iteration"
LEFT_OUT = ("context", "published_parameters", "published_active_parameters", "released")
"""Figures of a model that its step does not depend on."""
PARTS = ("experts", "latent_rank", "query_rank", "shared_ffn", "state_layers", "windowed_layers")
"""Figures of a model whose presence changes the equations."""

IDEAL = {name: getattr(record(), name) for record in (TrainingEfficiency, TrainingStack) for name in units_of(record)}
"""What a figure is where a stack has none."""


class Row(NamedTuple):
    """One measured step in plain numbers."""

    place: int
    seconds: float
    chip: str
    fold: str
    stack: str
    class_: str
    recompute: str
    records: Mapping[str, Mapping[str, float]]
    hardware: Hardware
    chips: float
    age: float
    expert_age: float
    efficiency_keys: Mapping[str, tuple[str, str, str, str]]
    stack_keys: Mapping[str, tuple[str, str, str, str]]

    @property
    def group(self) -> str:
        """Whether the row decides constants of dense models or of experts."""
        return EXPERTS if self.records["model"].get("experts") else DENSE


def collect(table: Table, recipe: Recipe, *, every_chip: bool = False) -> tuple[list[Row], dict[int, str]]:
    """Return the rows that constants are fitted to, and why others that could be are left out.

    They are of pre-training with a stated layout, on chips of a generation that is fitted, or on `every_chip`.
    """
    constants = recipe.constants(recipe.start())
    numbers = {name: table.figures(name) for name in ("n_gpus", *NUMBERS, SECONDS)}
    words = {name: table.column(name) for name in WORDS}
    folds = held_out_with(table)
    found, refused = [], {}
    for place in (numbers[SECONDS] > 0.0).nonzero()[0].tolist():
        group = Group(
            {name: column[place] for name, column in words.items()}, {name: values[place : place + 1] for name, values in numbers.items()}
        )
        if group.words["task"] not in ("", "pretrain") or all(math.isnan(numbers[name][place]) for name in ("tp", "pp", "dp")):
            continue
        try:
            if every_chip or family_of(rows_of.chip_of(group.words["gpu"])).name in recipe.families:
                found.append(_row(place, group, folds[place], constants))
        except (UnknownName, MissingFigure, InvalidInput, LookupError) as problem:
            refused[place] = str(problem)
    return found, refused


def _row(place: int, group: Group, fold: str, constants: Constants) -> Row:
    said = rows_of.framework(group.words["source"], group.words["note"])
    chip = rows_of.chip_of(group.words["gpu"])
    chips = float(group.numbers["n_gpus"][0])
    system = rows_of.system_of(chip.name, group.words["source"], group.words["note"]).scale(chips)
    job = rows_of.job_of(group, rows_of.model_of(group))
    plan = rows_of.plan_of(group, job, said)
    class_ = class_of(job.precision)
    efficiency, stack = constants.find(class_, "", chip), constants.find("stack", stack_name(said, group), chip)
    if efficiency is None or stack is None:
        raise UnknownName(f"no training constants for {chip.name}")
    age, expert_age = software_age(said, rows_of.first_shipped(chip.name))
    records = {"model": _numbers(job.model), "job": _numbers(job), "plan": _numbers(plan)}
    hardware = Hardware(*map(_number, hardware_of(system, job.precision)))
    words = (stack_name(said, group), class_, plan.recompute)
    of_chip, of_stack = ({name: _key(one) for name, one in found.constants.items()} for found in (efficiency, stack))
    seconds = float(group.numbers[SECONDS][0])
    return Row(place, seconds, chip.name, fold, *words, records, hardware, chips, age, expert_age, of_chip, of_stack)


def class_of(number_format: str) -> str:
    """Return the class of constants of a number format.

    >>> class_of("fp8")
    'step fp8'
    """
    bits = precision(number_format).bits
    return "step bf16" if bits >= 16.0 else ("step fp8" if bits >= 8.0 else "step fp4")


def _key(one: Any) -> tuple[str, str, str, str]:
    return (one.class_, one.path, one.chip, one.name)


def _numbers(record: Any) -> dict[str, float]:
    """Figures of a record as plain numbers; what is not given is left out."""
    return {name: _number(getattr(record, name)) for name in units_of(type(record)) if getattr(record, name) is not None}


def _number(value: Any) -> float:
    import numpy as np

    return float(value) if np.ndim(value) == 0 else float(value[0])


class Block(NamedTuple):
    """Rows that share the equations, stacked."""

    places: Any
    job: Training
    plan: Parallelism
    hardware: Hardware
    chips: Any
    efficiency: Mapping[str, Any]
    stack: Mapping[str, Any]
    ages: Mapping[str, Any]


class Steps:
    """Measured steps in blocks of rows that share the equations.

    Parameters
    ----------
    rows : sequence of Row
        What was measured.
    recipe : Recipe
        Where each fitted constant is used.
    """

    def __init__(self, rows: Sequence[Row], recipe: Recipe) -> None:
        import numpy as np

        self.rows, self.recipe = list(rows), recipe
        self.seconds = np.array([row.seconds for row in rows])
        self.order = {(cell.class_, cell.path, cell.place, cell.field): index for index, cell in enumerate(recipe.cells)}
        self.ideal = {name: len(self.order) + index for index, name in enumerate(IDEAL)}
        keys = [_equations(row) for row in self.rows]
        self.blocks = [self._block([i for i, key in enumerate(keys) if key == wanted]) for wanted in dict.fromkeys(keys)]

    def words(self, name: str) -> Any:
        """Return a word of every row: "chip", "fold", "class_" ..."""
        import numpy as np

        return np.array([getattr(row, name) for row in self.rows])

    def where(self, kept: Any) -> "Steps":
        """Return some of the rows."""
        return Steps([row for row, keep in zip(self.rows, kept.tolist(), strict=True) if keep], self.recipe)

    def _block(self, places: list[int]) -> Block:
        import numpy as np

        rows = [self.rows[place] for place in places]
        model = _stacked(Model, [row.records["model"] for row in rows])
        number_format = "bf16" if rows[0].class_ == "step bf16" else "fp8"
        job = _stacked(Training, [row.records["job"] for row in rows], model=model, precision=number_format)
        plan = _stacked(Parallelism, [row.records["plan"] for row in rows], recompute=rows[0].recompute)
        hardware = Hardware(*(np.array(column) for column in zip(*(row.hardware for row in rows), strict=True)))
        ages = {"age": np.array([row.age for row in rows]), "expert_age": np.array([row.expert_age for row in rows])}
        chips = np.array([row.chips for row in rows])
        efficiency = self._indices([row.efficiency_keys for row in rows])
        return Block(np.array(places), job, plan, hardware, chips, efficiency, self._indices([row.stack_keys for row in rows]), ages)

    def _indices(self, keys: list[Mapping[str, tuple[str, str, str, str]]]) -> dict[str, Any]:
        """Of each figure that a row has, which cell every row takes; one that all take from the same cell is a number."""
        import numpy as np

        found = {}
        for name in dict.fromkeys(name for row in keys for name in row):
            column = np.array([self.order[row[name]] if name in row else self.ideal[name] for row in keys])
            found[name] = int(column[0]) if (column == column[0]).all() else column
        return found

    def predict(self, values: Mapping[str, float]) -> Any:
        """Return the times of all rows for values of the fitted constants."""
        import numpy as np

        figures = np.array([*(cell.value_at(values) for cell in self.recipe.cells), *IDEAL.values()])
        out = np.empty(len(self.rows))
        for block in self.blocks:
            efficiency = TrainingEfficiency(**_taken(figures, block.efficiency, TrainingEfficiency))
            stack = TrainingStack(**_taken(figures, block.stack, TrainingStack), **block.ages)
            at = sustained_rates(block.hardware, efficiency, stack)
            out[block.places] = step(block.job, block.plan, block.chips, at, stack).value
        return out


def _equations(row: Row) -> tuple[object, ...]:
    parts = (bool(row.records["model"].get(name)) for name in PARTS)
    return (row.class_ == "step bf16", row.recompute, row.stack.startswith("unfused"), *parts)


def _taken(figures: Any, indices: Mapping[str, Any], record: type[Any]) -> dict[str, Any]:
    known = units_of(record)
    return {name: float(figures[index]) if isinstance(index, int) else figures[index] for name, index in indices.items() if name in known}


def _stacked(record: type[Any], rows: Sequence[Mapping[str, float]], **others: Any) -> Any:
    """A record whose figures are arrays over rows; one that is the same in all rows stays a number."""
    import numpy as np

    values: dict[str, Any] = {}
    for name in (name for name in rows[0] if name not in LEFT_OUT):
        column = np.array([row.get(name, 0.0) for row in rows])
        values[name] = float(column[0]) if (column == column[0]).all() and name != "layers" else column
    return record(**{**values, **others})
