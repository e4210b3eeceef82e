"""Served requests: limits and what is reached, errors by group, and the fitted constants by name."""

import html
from collections.abc import Iterator

import markup
import numpy as np
from accuracy_cells import number

from nvscale.truth.constants import shipped_constants
from nvscale.truth.kinds.serving import parts_of
from nvscale.truth.scoring import Predicted, Scores
from nvscale.truth.serving_fits.recipe import EXPERTS, FIRST, FIRST_EXPERTS, KIND, STEP, recipe
from nvscale.units import readable

OFFLINE = "serving_throughput"
LIMITS = ("what", "limit %", "reached %", "kept")
PARTS = ("rows of known settings", "rows", "MAPE %", "median %", "bias %", "chip left out %")
CONSTANTS = ("constant", "value", "standard error", "start", "fitted to", "sets")
FITTED_TO = {STEP: "dense models", EXPERTS: "models with experts", FIRST: "first tokens, dense", FIRST_EXPERTS: "first tokens, experts"}
LEAD = (
    "Every row is predicted by constants that were fitted without its configuration (model, chip, format, number of chips, lengths). "
    "Known settings are told by labels alone, never by what was measured; rows whose labels say otherwise are in “all rows”."
)


def serving_parts(folds: Scores, chips: Scores) -> list[str]:
    """Return the sections of the page of served requests that other kinds of rows lack."""
    made = (folds.predictions[KIND], chips.predictions[KIND])
    return [
        "## Limits",
        LEAD,
        markup.table(LIMITS, serving_limits(folds, chips)),
        "## Time per token by group",
        markup.table(PARTS, list(_groups(*made))),
        "## Fitted constants",
        f"{len(recipe().free)} constants are fitted to served requests, none of them for one model or one chip. What kernels reach is "
        "fitted to the bundled rows of multiplies, attention and all-reduces, and the work of experts without scales in blocks to those "
        "of expert layers. Standard errors: the spread over draws of configurations.",
        markup.table(CONSTANTS, constant_rows()),
    ]


def serving_limits(folds: Scores, chips: Scores) -> list[list[str]]:
    """Return what is promised beside what is reached."""
    figures = [
        ("time per token, dense, known settings", 10.0, folds["dense, settings known tpot_s"].mape),
        ("the same, all rows", 12.0, folds["dense, all rows tpot_s"].mape),
        ("the same, chip never served on", 13.0, chips["dense, settings known tpot_s"].mape),
        ("time per token, experts, known settings", 14.0, folds["experts, settings known tpot_s"].mape),
        ("the same, all rows", 18.0, folds["experts, all rows tpot_s"].mape),
        ("the same, chip never served on", 17.0, chips["experts, settings known tpot_s"].mape),
        ("time per token of pools that only decode", 18.0, folds["disaggregated, decode pool described tpot_s"].mape),
        ("time to first token, dense, known settings", 18.0, folds["dense, settings known ttft_s"].mape),
        ("offline throughput, dense, never fitted", 8.0, folds[f"{OFFLINE} dense, layout stated"].mape),
        ("offline throughput, experts, never fitted", 25.0, folds[f"{OFFLINE} experts, layout stated"].mape),
    ]
    return [[what, f"{limit:g}", number(found, ".1f"), "yes" if found <= limit else "<b>no</b>"] for what, limit, found in figures]


def _groups(folds: Predicted, chips: Predicted) -> Iterator[list[str]]:
    parts, users = parts_of(folds.table)["tpot_s"], folds.table.figures("concurrency")
    measured = folds.table.figures("tpot_s")
    errors = [100.0 * (made.value["tpot_s"] / measured - 1.0) for made in (folds, chips)]
    words = {name: np.array(folds.table.column(name), dtype=object) for name in ("gpu", "engine", "model")}
    for kind in ("dense", "experts"):
        known = parts[f"{kind}, settings known"]
        crowds = {"to 16 users": users <= 16, "17 to 64 users": (users > 16) & (users <= 64), "more than 64 users": users > 64}
        chosen = {f"{kind}, {name}": known & rows for name, rows in crowds.items()}
        for column in words.values():
            chosen |= {f"{kind}, {name}": known & (column == name) for name in sorted(set(column[known].tolist()), key=str.lower)}
        for name, rows in chosen.items():
            mine, other = errors[0][rows], np.abs(errors[1][rows]).mean()
            shares = (np.abs(mine).mean(), np.median(np.abs(mine)), np.median(mine), other)
            yield [html.escape(name), str(len(mine)), *(number(float(share), ".1f") for share in shares)]


def constant_rows() -> list[list[str]]:
    """Return the fitted constants with their errors and starts, and the figure that each sets."""
    shipped, rows = shipped_constants(KIND).rows, []
    for one in recipe().free.values():
        found = shipped["engine", one.engines[0], "any data centre"][one.field]
        figures = (_said(value, one.unit) for value in (found.value, found.standard_error, one.start))
        rows.append([html.escape(one.name), *figures, FITTED_TO[one.group], f"<code>{one.field}</code>"])
    return rows


def _said(value: float, unit: str) -> str:
    return html.escape(f"{value:.3g}" if unit == "1" else readable(value, unit))
