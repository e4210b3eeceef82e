"""`validate`: the library scored by measured rows."""

from pathlib import Path
from typing import Annotated

import typer

from nvscale.cli.catalogue_commands import Json
from nvscale.cli.output import new_file, print_json, print_table, print_text
from nvscale.errors import InvalidInput
from nvscale.report.tables import MISSING, Table
from nvscale.truth.folds import has_folds
from nvscale.truth.scoring import FOLDS, SHIPPED, UNSEEN, Score, Scores
from nvscale.truth.scoring import validate as score

Calibration = Annotated[Path | None, typer.Option(help="Constants of your own, as `nvscale calibrate` writes them (.toml).")]
COLUMNS = ["group", "rows", "no prediction", "MAPE %", "median %", "p90 %", "bias %", "in interval %", "interval factor"]


def validate(
    kind: Annotated[str | None, typer.Option(help="Kind of rows: gemm, operators ...; all that come with nvscale without.")] = None,
    data: Annotated[Path | None, typer.Option(help="Rows of your own (.csv), with the columns of the kind.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write every row with its prediction to this file (.csv).")] = None,
    calibration: Calibration = None,
    in_sample: Annotated[bool, typer.Option("--in-sample", help="Bundled rows: with the constants that ship, which saw them.")] = False,
    unseen_chip: Annotated[bool, typer.Option("--unseen-chip", help="Bundled rows: as if their chip had never been measured.")] = False,
    json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Score the library by measured rows: errors, bias and interval coverage per group."""
    file = None if out is None else new_file(out, (".csv",), overwrite=force)
    if file is not None and kind is None:
        raise InvalidInput("--out: say with --kind which rows to write")
    if in_sample and unseen_chip:
        raise InvalidInput("--in-sample and --unseen-chip exclude each other")
    found = score(kind, data, calibration, SHIPPED if in_sample else UNSEEN if unseen_chip else None)
    if file is not None:
        found.predictions[str(kind)].write(file)
    if json:
        print_json(found.to_dict())
        return
    for name in found.predictions:
        print_table(_table(name, found))
    if data is None and calibration is None:
        print_text(NOTES[found.scheme])
        seen = [name for name in found.predictions if not has_folds(name)]
        if seen and found.scheme != SHIPPED:
            print_text(f"Not held out, but with the constants in use: {', '.join(seen)}.")
    if file is not None:
        print_text(f"wrote {file}")


def _table(kind: str, found: Scores) -> Table:
    rows = [row for row in found.rows if row.kind == kind]
    reasons = dict.fromkeys(reason for reason in found.predictions[kind].reasons if reason)
    notes = [f"no prediction: {reason}" for reason in list(reasons)[:MOST]]
    if len(reasons) > MOST:
        notes.append(f"and {len(reasons) - MOST} reasons more; --out writes the reason of every row")
    how = SCHEMES[found.scheme if has_folds(kind) else SHIPPED]
    return Table(
        kind,
        f"{kind}: predicted against measured, {how}",
        COLUMNS,
        [_row(row) for row in rows],
        notes,
    )


SCHEMES = {
    SHIPPED: "with the constants in use",
    FOLDS: "by constants fitted without the shape of each row",
    UNSEEN: "by what the library says of a chip that was never measured",
}
NOTES = {
    SHIPPED: "The constants were fitted to these rows, so the errors flatter; without --in-sample every row is held out.",
    FOLDS: "Held out: no row of a shape took part in the fit that predicts it. --unseen-chip holds out whole chips.",
    UNSEEN: "Held out: no row of a chip took part in the fits that predict it; constants are those of its family, or of any chip.",
}
"""What is said below the tables of the bundled rows."""

MOST = 5
"""Reasons that are shown below a table."""


def _row(row: Score) -> list[str]:
    shares = (row.mape, row.median, row.p90, row.bias, row.coverage)
    shown = [MISSING if share != share else f"{share:.1f}" for share in shares]
    interval = MISSING if row.interval != row.interval else f"{row.interval:.2f}"
    return [row.group, str(row.rows), str(row.without_prediction), *shown, interval]
