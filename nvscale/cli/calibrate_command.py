"""`calibrate`: constants fitted to rows of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from nvscale.cli.catalogue_commands import Json
from nvscale.cli.output import new_file, print_json, print_table, print_text
from nvscale.report.tables import MISSING, Cell, Table
from nvscale.truth.fitting import Fitted
from nvscale.truth.fitting import calibrate as fit
from nvscale.truth.own_fits import FittedClass


def calibrate(
    kind: Annotated[str, typer.Option(help="Kind of rows: gemm, attention, collectives ...")],
    data: Annotated[Path, typer.Option(help="Measured rows (.csv), with the columns of the kind.")],
    out: Annotated[Path | None, typer.Option(help="Write the constants to this file (.toml); use it with --calibration.")] = None,
    json: Json = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Fit efficiency constants to measured rows of your own, as far as the rows determine them."""
    file = None if out is None else new_file(out, (".toml",), overwrite=force)
    found = fit(kind, data)
    if file is not None:
        found.write(file, overwrite=force)
    if json:
        print_json(found.to_dict())
        return
    print_table(_summary(found))
    for made in found.classes:
        if made.constants:
            print_table(_constants(made))
    if file is not None:
        print_text(f"wrote {file}: use it with --calibration {file}")


def _summary(found: Fitted) -> Table:
    rows = [
        [str(c.key), str(c.rows), str(c.shapes), str(len(c.fitted)), _percent(c.before), _percent(c.after), "yes" if c.constants else "no"]
        for c in found.classes
    ]
    notes = [f"{c.key}: {c.refused}" for c in found.classes if c.refused]
    notes += [f"{count} rows not used: {reason}" for reason, count in found.unusable.items()]
    notes.append("before: shipped constants; after: constants fitted without the shapes that are scored")
    columns = ["class", "rows", "shapes", "constants fitted", "MAPE % before", "MAPE % after", "written"]
    return Table("calibration", f"{found.kind}: fitted to {Path(found.data).name}", columns, rows, notes)


def _percent(value: float) -> str:
    return MISSING if value != value else f"{value:.1f}"


def _constants(made: FittedClass) -> Table:
    rows = []
    for one in made.constants:
        fitted = one.name in made.fitted
        error = f"{one.standard_error / one.value:.1%}" if fitted and one.value else MISSING
        rows.append([one.name, Cell(one.value, one.unit), error, "fitted" if fitted else made.kept.get(one.name, "kept")])
    return Table(f"constants of {made.key}", f"Constants of {made.key}", ["constant", "value", "standard error", "how"], rows)
