"""Training steps: limits and what is reached, errors by source, chip and model, and the fitted constants by name."""

import functools
import html
from collections.abc import Callable

import markup
import numpy as np
from accuracy_cells import number

from nvscale.truth.constants import shipped_constants
from nvscale.truth.scoring import Predicted, Scores
from nvscale.truth.tables import bundled
from nvscale.truth.training_fits.own import OwnRows, shipped_values
from nvscale.truth.training_fits.recipe import DENSE, EXPERTS, KIND, recipe
from nvscale.truth.training_fits.rows import SECONDS, Row, collect
from nvscale.units import readable

ONE_NODE = "training_single_node"
LIMITS = ("what", "limit %", "reached %", "kept")
PARTS = ("held out together", "rows", "MAPE %", "bias %", "chip left out %", "in sample %")
CONSTANTS = ("constant", "value", "standard error", "start", "range", "fitted to", "sets")
LEAD = (
    "Scored here: pre-training steps whose layout is stated, on chips of a generation that is fitted. Each is predicted by constants "
    "that were fitted without its source (dense models) or without its model (models with experts). Rows without a layout are in the "
    "scores below, with the assumption of full sharding; nothing is fitted to them."
)


def training_parts(folds: Scores, chips: Scores, shipped: Scores) -> list[str]:
    """Return the sections of the page of training steps that other kinds of rows lack."""
    made = tuple(scores.predictions[KIND] for scores in (folds, chips, shipped))
    return [
        "## Limits",
        LEAD,
        markup.table(LIMITS, limit_rows(*made, folds)),
        "## By source, and by model with experts",
        markup.table(PARTS, [_part(made, lambda row: row.fold, name) for name in _names(lambda row: row.fold)]),
        "## By chip",
        markup.table(PARTS, [_part(made, _chip, name) for name in _names(_chip)]),
        "## Fitted constants",
        f"{len(recipe().free)} constants are fitted, {len(recipe().names(DENSE))} of them to dense steps. None belongs to one model or "
        "one source. The prior pulls each towards its physical start; a constant that no row decides has an error of half a unit on the "
        "logit scale of its range. Those of experts are hardly decided: their starts were chosen while the rows were in view.",
        markup.table(CONSTANTS, constant_rows()),
    ]


@functools.cache
def _rows() -> tuple[Row, ...]:
    return tuple(collect(bundled(KIND), recipe())[0])


def _chip(row: Row) -> str:
    return f"{row.chip}, {'experts' if row.group == EXPERTS else row.class_.removeprefix('step ')}"


def _names(word: Callable[[Row], str]) -> list[str]:
    return sorted({word(row) for row in _rows()}, key=str.lower)


def _errors(made: Predicted, chosen: list[Row]) -> np.ndarray:
    places = [row.place for row in chosen]
    return np.asarray(100.0 * (made.value[SECONDS][places] / made.table.figures(SECONDS)[places] - 1.0))


def _part(made: tuple[Predicted, Predicted, Predicted], word: Callable[[Row], str], name: str) -> list[str]:
    """One row of the table of sources, models or chips."""
    chosen = [row for row in _rows() if word(row) == name]
    folds, chips, shipped = (_errors(one, chosen) for one in made)
    shares = (np.abs(folds).mean(), folds.mean(), np.abs(chips).mean(), np.abs(shipped).mean())
    return [html.escape(name), str(len(chosen)), *(number(float(share), ".1f") for share in shares)]


def limit_rows(folds: Predicted, chips: Predicted, shipped: Predicted, scores: Scores) -> list[list[str]]:
    """Return what is promised beside what is reached."""
    dense, experts = ([row for row in _rows() if row.group == group] for group in (DENSE, EXPERTS))
    error = np.abs(_errors(folds, dense))
    sources = [np.abs(_errors(folds, [row for row in dense if row.fold == name])).mean() for name in {row.fold for row in dense}]
    left_out = {name: np.abs(_errors(chips, [row for row in dense if row.chip == name])).mean() for name in {row.chip for row in dense}}
    worst = max((name for name in left_out if name != "h200-sxm"), key=left_out.__getitem__)
    eight = np.abs(_errors(shipped, [row for row in dense if "Korthikanti" in row.fold]))
    vtrain = np.abs(_errors(folds, [row for row in dense if "vTrain" in row.fold]))
    one_node = next(row for row in scores.rows if row.kind == ONE_NODE and row.group == "all")
    figures = [
        ("dense, sources never seen, over rows", 12.0, error.mean()),
        ("the same, 90th percentile", 25.0, np.quantile(error, 0.9)),
        ("the same, mean over sources", 9.5, np.mean(sources)),
        ("dense, each chip left out in turn, over rows", 10.0, np.abs(_errors(chips, dense)).mean()),
        (f"the same, worst chip of more than one row ({worst})", 10.0, left_out[worst]),
        ("models with experts, models never seen", 20.0, np.abs(_errors(folds, experts)).mean()),
        ("the eight Megatron cases, constants of everything, mean", 3.0, eight.mean()),
        ("the same, worst", 8.0, eight.max()),
        ("vTrain over nodes, never fitted", 14.7, vtrain.mean()),
        ("vTrain on one node, never fitted", 15.0, one_node.mape),
        ("the same, up to eight constants fitted, each hidden size left out", 8.4, _sizes_left_out()),
    ]
    return [[what, f"{limit:g}", number(float(found), ".1f"), "yes" if found <= limit else "<b>no</b>"] for what, limit, found in figures]


@functools.cache
def _sizes_left_out() -> float:
    table = bundled(ONE_NODE)
    own = OwnRows(table, labels=table.column("hidden"))
    times = own.held_out(own.chosen()[0], own.labels)
    return float(np.abs(times / own.steps.seconds - 1.0).mean() * 100.0)


def constant_rows() -> list[list[str]]:
    """Return the fitted constants with their errors, starts and ranges, and the figures that each sets."""
    used, values, rows = recipe(), shipped_values(recipe()), []
    shipped = shipped_constants(KIND).rows
    for name, one in used.free.items():
        cells = [cell for cell in used.cells if name in (cell.name, cell.exponent)]
        first = next((cell for cell in cells if cell.name == name and cell.ratio == 1.0), None)
        unit = first.unit if first else "1"
        error = shipped[first.class_, first.path, first.place][first.field].standard_error if first else float("nan")
        figures = [_said(values[name], unit), _said(error, unit) if error == error else "", _said(one.start, unit)]
        fields = ", ".join(dict.fromkeys(f"<code>{cell.field}</code>" for cell in cells))
        rows.append([html.escape(name), *figures, f"{_said(one.low, unit)} to {_said(one.high, unit)}", one.group, fields])
    return rows


def _said(value: float, unit: str) -> str:
    return html.escape(f"{value:.3g}" if unit == "1" else readable(value, unit))
