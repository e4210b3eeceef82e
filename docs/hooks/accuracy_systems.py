"""The page of whole systems: Linpack and HPCG per device against the band of systems in public lists."""

import csv
import functools
import html
from importlib import resources

import markup

import nvscale
from nvscale.units import readable

TITLE = "Whole systems"
COLUMNS = ("benchmark", "chip", "systems", "p10", "median", "p90", "predicted", "inside")


@functools.cache
def bands() -> tuple[dict[str, str], ...]:
    """Return the bands of systems that come with the library."""
    text = resources.files("nvscale.truth").joinpath("data/systems-bands.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def systems_page() -> str:
    """Return the page: a prediction beside the band from the 10th to the 90th percentile of systems."""
    rows = [_row(row) for row in bands()]
    inside = sum(row[-1] == "yes" for row in rows)
    return "\n\n".join([
        f"# {TITLE}",
        "Rates of High-Performance Linpack and of HPCG for one device: what `nvscale.system_benchmark` predicts, beside percentiles over "
        "the systems of the TOP500 and HPCG lists of November 2024 and June 2025 for which the number of devices follows from the list "
        f"(at least four systems). {inside} of {len(rows)} predictions lie between the 10th and the 90th percentile. Software, network and "
        "year of a system decide where in the band it lies; the lists themselves are not part of the library.",
        markup.table(COLUMNS, rows),
        "A band of few systems is narrow: 94 GB cards of the H100 have four HPCG results, and the prediction counts with the bandwidth on "
        "their sheet. The upper end of Linpack on H100 comes from systems whose count of devices in the list is too small.",
    ])  # fmt: skip


def _row(row: dict[str, str]) -> list[str]:
    low, middle, high = (float(row[f"{name}_flop_per_s"]) for name in ("p10", "median", "p90"))
    made = nvscale.system_benchmark(row["benchmark"], row["gpu"], 1.0).value
    shown = (readable(value, "flop/s") for value in (low, middle, high, made))
    return [row["benchmark"], html.escape(row["gpu"]), row["systems"], *shown, "yes" if low <= made <= high else "<b>no</b>"]
