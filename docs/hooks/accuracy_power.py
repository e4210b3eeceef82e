"""The table of power: errors on bundled rows, held out, on chips that were left out, and of simply assuming the rated power."""

from dataclasses import replace

import markup
import numpy as np
from accuracy_cells import number

from nvscale import catalogue
from nvscale.truth.constants import shipped_constants
from nvscale.truth.kinds.served_models import served_model
from nvscale.truth.scoring import Predicted, predict
from nvscale.truth.tables import bundled

COLUMNS = ("load", "chip", "rows", "in sample %", "folds %", "chip left out %", "rated power %", "inside the interval %")
TEXT = (
    "Power of a chip under load, against assuming its rated power. Folds hold out whole models; a chip that is left out gets the "
    "constants of the other one, scaled by rated power, bandwidth and rate. Serving counts the row's own throughput; the readings of "
    "single kernels average over about a second of other kernels too, so rows of hardly any load differ by a factor of three."
)


def power_table() -> str:
    """Return the table, a row for every class of load and chip."""
    table = bundled("energy")
    watts, chips = table.figures("watts"), np.maximum(np.nan_to_num(table.figures("n_gpus"), nan=1.0), 1.0)
    names = np.array([catalogue.chip(name).name for name in table.column("gpu")])
    loads = np.array([_load(kind, model) for kind, model in zip(table.column("kind"), table.column("model"), strict=True)])
    rated = np.array([catalogue.chip(name).power for name in names]) * chips
    made, shipped = predict("energy", table), shipped_constants("energy")
    rows = []
    for load, _, chip in shipped.rows:
        chosen = (names == chip) & (loads == load)
        if not chosen.any():
            continue
        kept = {key: constants for key, constants in shipped.rows.items() if key[2] != chip}
        foreign = float("nan")
        if any(key[0] == load for key in kept):
            without = predict("energy", table, {"energy": replace(shipped, rows=kept)})
            foreign = _error(without.value["watts"], watts, chosen)
        held_out = next(iter(shipped.rows[load, "", chip].values())).held_out_mape
        errors = (
            _error(made.value["watts"], watts, chosen),
            held_out,
            foreign,
            _error(rated, watts, chosen),
            _covered(made, watts, chosen),
        )
        rows.append([load, chip, str(int(chosen.sum())), *(number(error, ".1f") for error in errors)])
    return markup.table(COLUMNS, rows)


def _load(kind: str, model: str) -> str:
    if kind.startswith("kernel"):
        return "kernels"
    return "serving experts" if served_model(model).has_experts else "serving dense"


def _error(made: np.ndarray, measured: np.ndarray, chosen: np.ndarray) -> float:
    return float(np.mean(np.abs(made[chosen] / measured[chosen] - 1.0)) * 100.0)


def _covered(made: Predicted, measured: np.ndarray, chosen: np.ndarray) -> float:
    low, high = made.low["watts"][chosen], made.high["watts"][chosen]
    return float(np.mean((low <= measured[chosen]) & (measured[chosen] <= high)) * 100.0)
