"""`calibrate`: efficiency constants fitted to rows of one's own, as far as those rows determine them.

The shipped constants are the prior: a constant that the rows say little about stays where it is, and
the report says so. Rows of one shape stay in one fold, so that the error "after" is one on shapes
that the fit has not seen; constants that do no better there than the shipped ones are not written.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.truth.calibrations import write_calibration
from nvscale.truth.classes import kernel_classes
from nvscale.truth.constants import Constant, Constants, shipped_constants
from nvscale.truth.kinds import Kind, kind_of_rows
from nvscale.truth.own_fits import FittedClass, OwnFit
from nvscale.truth.serving_fits.own import fit_own as fit_serving
from nvscale.truth.serving_fits.own import held_out_ratios as serving_ratios
from nvscale.truth.serving_fits.recipe import KIND as SERVING
from nvscale.truth.tables import Table, read_table
from nvscale.truth.training_fits.own import KINDS as TRAINING
from nvscale.truth.training_fits.own import fit_own
from nvscale.truth.training_fits.own import held_out_ratios as training_ratios


@dataclass(frozen=True)
class Fitted:
    """Constants fitted to rows of one's own; `write(path)` makes a file that `kernel` and `validate` take."""

    kind: str
    data: str
    classes: tuple[FittedClass, ...]
    unusable: Mapping[str, int]

    @property
    def constants(self) -> tuple[Constant, ...]:
        """All constants of the classes that were fitted."""
        return tuple(one for made in self.classes for one in made.constants)

    def calibration(self) -> dict[str, Constants]:
        """Return the shipped constants with the fitted ones in their place, by kind of work."""
        kinds = dict.fromkeys(one.kind for one in self.constants)
        return {kind: shipped_constants(kind).with_rows(one for one in self.constants if one.kind == kind) for kind in kinds}

    def write(self, path: "str | Path", *, overwrite: bool = False) -> Path:
        """Write a calibration file (.toml); one that is there is replaced only when told."""
        file = Path(path)
        if file.suffix != ".toml":
            raise InvalidInput(f"{file}: a calibration file has the ending .toml")
        if file.exists() and not overwrite:
            raise InvalidInput(f"{file} is there already; choose another name, or say that it may be replaced")
        if not file.parent.is_dir():
            raise InvalidInput(f"{file}: there is no folder {file.parent}")
        write_calibration(file, self.constants, [f"Fitted by nvscale calibrate to rows of kind {self.kind} in {Path(self.data).name}."])
        return file

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {"kind": self.kind, "data": self.data, "classes": [c.to_dict() for c in self.classes], "unusable": dict(self.unusable)}


def calibrate(kind: str, data: "str | Path | Table") -> Fitted:
    """Return constants fitted to measured rows, as far as the rows determine them.

    Parameters
    ----------
    kind : str
        "gemm", "collectives" ...: kinds of `validate`.
    data : path or Table
        Rows with the columns of the kind and what was measured.

    Returns
    -------
    Fitted
        Per class of kernels: constants with errors, what was kept and why, errors before and after on
        held-out folds; `write(path)`.

    Raises
    ------
    InvalidInput
        No class of kernels in the rows can be fitted; the message says why of each.
    """
    wanted = kind_of_rows(kind)
    table = (data if isinstance(data, Table) else read_table(data)).check(wanted)
    column = next((name for name in wanted.measured if name in table.columns), None)
    if column is None:
        raise InvalidInput(f"{table.name}: rows of kind {kind} need the column {' or '.join(wanted.measured)} to be fitted to")
    if wanted.name in TRAINING:
        step, left_out = fit_own(table, Path(table.name).name)
        return _fitted_or_refused(kind, table, column, (step,), left_out)
    if wanted.name == SERVING:
        return _fitted_or_refused(kind, table, column, *fit_serving(table, Path(table.name).name))
    parts, unusable = kernel_classes(wanted, table, column)
    made = tuple(OwnFit(part).fit(Path(table.name).name) for part in parts)
    return _fitted_or_refused(kind, table, column, made, unusable)


def _fitted_or_refused(kind: str, table: Table, column: str, made: tuple[FittedClass, ...], unusable: Mapping[str, int]) -> Fitted:
    if not any(one.constants for one in made):
        said = [f"{one.key}: {one.refused}" for one in made] + [f"{rows} rows: {reason}" for reason, rows in unusable.items()]
        rows = int((table.figures(column) > 0.0).sum())
        raise InvalidInput(f"{table.name}: nothing to fit to {rows} measured rows of kind {kind}; " + "; ".join(said))
    return Fitted(kind, table.name, made, unusable)


def held_out_ratios(kind: Kind, table: Table, column: str) -> Any:
    """Return for every row the prediction of constants fitted without its shape, over that of the shipped ones.

    The fit starts from the shipped constants with a prior that is wide (a factor e either way), so that it
    decides only what the other rows leave open. nan where a class has too few rows or shapes.
    """
    import numpy as np

    if kind.name in TRAINING:
        return training_ratios(table)
    if kind.name == SERVING:
        return serving_ratios(table, column)
    ratios = np.full(len(table.rows), math.nan)
    parts, _ = kernel_classes(kind, table, column)
    for part in parts:
        ratios[np.concatenate(part.places)] = OwnFit(part).held_out_ratios()
    return ratios
