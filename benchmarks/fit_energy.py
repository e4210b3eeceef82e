"""Fit the constants of power under load to the bundled rows again, and write their tables: python benchmarks/fit_energy.py."""

import csv
from importlib import resources
from pathlib import Path

from nvscale.truth.constants import COLUMNS, INTERVAL_COLUMNS
from nvscale.truth.power_fits import fitted
from nvscale.truth.tables import bundled

folder = Path(str(resources.files("nvscale.truth"))) / "data"
for name, columns, rows in zip(("constants", "intervals"), (COLUMNS, INTERVAL_COLUMNS), fitted(bundled("energy")), strict=True):
    with (folder / f"{name}-energy.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
