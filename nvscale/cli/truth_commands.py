"""`validate`: the library scored by measured rows."""

from pathlib import Path
from typing import Annotated

import typer

from nvscale.cli.catalogue_commands import Json
from nvscale.cli.output import new_file, print_json, print_table, print_text
from nvscale.errors import InvalidInput
from nvscale.report.tables import MISSING, Table
from nvscale.truth.scoring import Score, Scores
from nvscale.truth.scoring import validate as score

Calibration = Annotated[Path | None, typer.Option(help="Constants of your own, as `nvscale calibrate` writes them (.toml).")]
COLUMNS = ["group", "rows", "no prediction", "MAPE %", "median %", "p90 %", "bias %", "in interval %", "interval factor"]


def validate(
    kind: Annotated[str | None, typer.Option(help="Kind of rows: gemm, operators ...; all that come with nvscale without.")] = None,
    data: Annotated[Path | None, typer.Option(help="Rows of your own (.csv), with the columns of the kind.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write every row with its prediction to this file (.csv).")] = None,
    calibration: Calibration = None,
    folds: Annotated[bool, typer.Option("--folds", help="Score every row by constants fitted without its shape; takes minutes.")] = False,
    json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Score the library by measured rows: errors, bias and interval coverage per group."""
    file = None if out is None else new_file(out, (".csv",), overwrite=force)
    if file is not None and kind is None:
        raise InvalidInput("--out: say with --kind which rows to write")
    found = score(kind, data, calibration, "grouped folds" if folds else "shipped")
    if file is not None:
        found.predictions[str(kind)].write(file)
    if json:
        print_json(found.to_dict())
        return
    for name in found.predictions:
        print_table(_table(name, found))
    if data is None and calibration is None and not folds:
        print_text(IN_SAMPLE)
    if file is not None:
        print_text(f"wrote {file}")


def _table(kind: str, found: Scores) -> Table:
    rows = [row for row in found.rows if row.kind == kind]
    reasons = dict.fromkeys(reason for reason in found.predictions[kind].reasons if reason)
    notes = [f"no prediction: {reason}" for reason in list(reasons)[:MOST]]
    if len(reasons) > MOST:
        notes.append(f"and {len(reasons) - MOST} reasons more; --out writes the reason of every row")
    return Table(kind, f"{kind}: predicted against measured, {SCHEMES[found.scheme]}", COLUMNS, [_row(row) for row in rows], notes)


SCHEMES = {"shipped": "with the constants in use", "grouped folds": "by constants fitted without the shape of each row"}
IN_SAMPLE = (
    "The constants were fitted to these rows, so the errors flatter; --folds scores every row by constants fitted without its shape."
)

MOST = 5
"""Reasons that are shown below a table."""


def _row(row: Score) -> list[str]:
    shares = (row.mape, row.median, row.p90, row.bias, row.coverage)
    shown = [MISSING if share != share else f"{share:.1f}" for share in shares]
    interval = MISSING if row.interval != row.interval else f"{row.interval:.2f}"
    return [row.group, str(row.rows), str(row.without_prediction), *shown, interval]
