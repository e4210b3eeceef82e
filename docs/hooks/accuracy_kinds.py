"""The page of a kind of rows: scores by group, reasons, parity plots."""

import html
import math
from typing import Any

import markup
from accuracy_cells import BESIDE, COLUMNS, beside, figures
from accuracy_serving import KIND as SERVING
from accuracy_serving import serving_parts
from accuracy_training import KIND as TRAINING
from accuracy_training import training_parts

from nvscale.truth.folds import FOLDS_BY, folds_are_chips
from nvscale.truth.kinds import kinds
from nvscale.truth.scoring import Predicted, Scores
from nvscale.truth.tables import best_rows
from nvscale.units import readable


def kind_page(name: str, found: Scores, chips: Scores, shipped: Scores) -> str:
    """Return the page of a kind of rows: scores by group, reasons, parity plots."""
    kind = kinds()[name]
    needed = ", ".join(f"`{column}`" for column in kind.required)
    more = [column for column in (*kind.words, *kind.numbers, *kind.optional_numbers) if column not in kind.required]
    lead = f"Columns that a file of such rows must have: {needed}. "
    lead += f"Columns that it may have: {', '.join(f'`{column}`' for column in more)}. " if more else ""
    lead += f"Predicted and scored: {', '.join(f'`{column}`' for column in kind.measured)}."
    parts = [f"# Rows of {name}", lead]
    if name not in found.predictions:
        return "\n\n".join([*parts, "No rows of this kind come with the library."])
    made = found.predictions[name]
    scored = [row for row in found.rows if row.kind == name]
    table = markup.table((*COLUMNS, *BESIDE), [[html.escape(row.group), *figures(row), *beside(row, chips, shipped)] for row in scored])
    reasons = dict.fromkeys(reason for reason in made.reasons if reason)
    said = "<ul>" + "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons) + "</ul>" if reasons else ""
    return "\n\n".join(
        part
        for part in [
            *parts,
            *(training_parts(found, chips, shipped) if name == TRAINING else ()),
            *(serving_parts(found, chips) if name == SERVING else ()),
            "## Scores",
            f"Groups by {', '.join(kind.scored_by)}; {_held_out_by(name)}",
            table,
            "## Without a prediction" if said else "",
            said,
            "## Parity",
            "A dot is a row: measured to the right, predicted upwards, both on logarithmic axes. On the line they are equal; "
            "between the dashed lines the prediction is within a factor of 1.25.",
            parity(made),
        ]
        if part
    )


def _held_out_by(name: str) -> str:
    if folds_are_chips(name):
        return "every row is predicted without the rows of its chip."
    if name == TRAINING:
        return "every row is predicted without the rows of its source, or of its model where that has experts."
    if name == SERVING:
        return "every row is predicted without the rows of its model, chip, format, number of chips and lengths."
    if name not in FOLDS_BY:
        return "these rows have no folds: every row is predicted with the constants in use."
    return f"every row is predicted without the rows of its shape ({', '.join(FOLDS_BY[name])})."


def parity(made: Predicted) -> str:
    """Return parity plots, one for each measured column and first word of the groups."""
    import numpy as np

    words = np.array(made.table.column(made.kind.scored_by[0]), dtype=object)
    plots = []
    for column in made.kind.measured:
        measured, predicted = made.table.figures(column), made.value[column]
        known = (measured > 0.0) & np.isfinite(predicted) & best_rows(made.kind, made.table, column, measured)
        for word in sorted(set(words[known].tolist())):
            chosen = known & (words == word)
            title = " ".join(filter(None, (word, column if len(made.kind.measured) > 1 else "")))
            plots.append(_plot(title, measured[chosen], predicted[chosen], _unit(column)))
    return '<div style="display:flex;flex-wrap:wrap;gap:1rem">' + "".join(plots) + "</div>"


def _unit(column: str) -> str:
    """The unit of a measured column, from its name."""
    return (
        "s"
        if column.startswith("seconds")
        else column.removeprefix("achieved_").removeprefix("rmax_").split("_per_")[0].split("_")[-1] + "/s"
    )


SIDE, FACTOR = 260.0, 1.25
"""Side of a plot in its own units, and the factor of the dashed lines."""


def _plot(title: str, measured: Any, predicted: Any, unit: str) -> str:
    """A square logarithmic scatter as SVG that takes the colours of the page; equal dots are drawn once."""
    import numpy as np

    both = np.log10(np.concatenate([measured, predicted]))
    low, high = math.floor(float(both.min())), math.ceil(float(both.max()))
    high = max(high, low + 1)
    scale = SIDE / (high - low)
    x, y = (np.rint((np.log10(values) - low) * scale * 2.0) / 2.0 for values in (measured, predicted))
    dots = "".join(f"M{a:g} {SIDE - b:g}h0" for a, b in sorted(set(zip(x.tolist(), y.tolist(), strict=True))))
    away = math.log10(FACTOR) * scale
    grid, labels = [], []
    step = max(1, math.ceil((high - low) / 4))
    for decade in range(low, high + 1, step):
        at = (decade - low) * scale
        grid.append(f"M{at:g} 0V{SIDE:g}M0 {SIDE - at:g}H{SIDE:g}")
        said = html.escape(readable(10.0**decade, unit))
        labels.append(f'<text x="{at:g}" y="{SIDE + 13:g}" text-anchor="middle">{said}</text>')
        labels.append(f'<text x="-4" y="{SIDE - at + 3:g}" text-anchor="end">{said}</text>')
    lines = [
        f'<path d="{"".join(grid)}" stroke="currentColor" stroke-opacity="0.15" fill="none"/>',
        f'<path d="M0 {SIDE:g}L{SIDE:g} 0" stroke="currentColor" stroke-opacity="0.6" fill="none"/>',
        f'<path d="M0 {SIDE - away:g}L{SIDE - away:g} 0M{away:g} {SIDE:g}L{SIDE:g} {away:g}" stroke="currentColor" stroke-opacity="0.4" '
        'stroke-dasharray="3 3" fill="none"/>',
        f'<path d="{dots}" stroke="#0b7285" stroke-opacity="0.55" stroke-width="3" stroke-linecap="round" fill="none"/>',
    ]
    said = f"{html.escape(title)}: {len(measured)} rows, predicted over measured"
    svg = (
        f'<svg viewBox="-62 -6 340 290" width="340" role="img" aria-label="{said}" font-size="9" fill="currentColor">'
        + "".join(lines + labels)
        + "</svg>"
    )
    return f'<figure style="margin:0"><figcaption><b>{html.escape(title)}</b>, {len(measured)} rows</figcaption>{svg}</figure>'
