"""Fit the constants of power under load to the bundled rows again, and write their tables: python benchmarks/fit_energy.py."""

import csv
import gzip
import io
from importlib import resources
from pathlib import Path

from nvscale.truth import folds
from nvscale.truth.constants import COLUMNS, INTERVAL_COLUMNS
from nvscale.truth.power_fits import fitted, without
from nvscale.truth.tables import bundled

folder, rows = Path(str(resources.files("nvscale.truth"))) / "data", bundled("energy")
tables = zip(("constants", "intervals"), (COLUMNS, INTERVAL_COLUMNS), fitted(rows), strict=True)
held_out = zip(("folds", "chips"), (folds.COLUMNS, folds.COLUMNS), without(rows), strict=True)
for name, columns, lines in (*tables, *held_out):
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    if name in ("folds", "chips"):
        (folder / f"{name}-energy.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
    else:
        (folder / f"{name}-energy.csv").write_text(text.getvalue(), encoding="utf-8")
