"""`measure`: this machine's roofline, launch overhead and predictions."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from nvscale.cli.output import new_file, print_json, print_table, print_text
from nvscale.report.tables import Cell, Table
from nvscale.truth import microbenchmarks
from nvscale.truth.measurements import NAME, Measurement, Row
from nvscale.units import readable


def measure(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer shapes and samples: seconds, not a minute.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write a catalogue file of this machine (.toml).")] = None,
    rows: Annotated[Path | None, typer.Option(help="Write every measured row (.csv).")] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the roofline to this file (.svg, .png or .pdf).")] = None,
    device: Annotated[str, typer.Option(help="cpu (NumPy), or gpu (PyTorch or CuPy, where installed).")] = "cpu",
    json: Annotated[bool, typer.Option("--json", help="Print JSON in SI base units.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Measure this machine: matrix products, memory, launches; predict shapes before they are timed."""
    catalogue_file = None if out is None else new_file(out, (".toml",), overwrite=force)
    table_file = None if rows is None else new_file(rows, (".csv",), overwrite=force)
    figure_file = None if plot is None else new_file(plot, (".svg", ".png", ".pdf"), overwrite=force)
    if figure_file is not None:
        from nvscale import plots  # matplotlib, of the plot extra: said to be missing before a minute is spent
    with _bar() as progress:
        found = microbenchmarks.measure(device, quick=quick, progress=progress)
    written = []
    if catalogue_file is not None:
        written.append(f"{found.write(catalogue_file, overwrite=force)}: read it with nvscale.load(...).chip({NAME!r})")
    if table_file is not None:
        written.append(str(found.write_rows(table_file, overwrite=force)))
    if figure_file is not None:
        plots.draw_rooflines([found.chip()], found.precisions()).savefig(figure_file)
        written.append(str(figure_file))
    if json:
        print_json(found.to_dict())
        return
    _show(found)
    for line in written:
        print_text(f"wrote {line}")


@contextlib.contextmanager
def _bar() -> Iterator[microbenchmarks.Progress]:
    """A progress bar on the error stream, so that the output stays clean; none where that is no terminal."""
    columns = (TextColumn("{task.description:<40}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("starting", total=None)

        def progress(done: int, total: int, what: str) -> None:
            bar.update(task, completed=done, total=total, description=what)

        yield progress


def _show(found: Measurement) -> None:
    chip, about = found.chip(), found.machine
    peaks = [[name, Cell(chip.rate(name), "flop/s"), Cell(chip.ridge_point(name), "flop/byte")] for name in found.precisions()]
    title = f"{about.name}: {about.cores} {'cores' if about.device == 'cpu' else 'multiprocessors'}"
    said = f"memory bandwidth {readable(chip.memory_bandwidth, 'byte/s')} ({chip.source('memory_bandwidth').place})"
    power = [] if found.power is None else [f"power up to {readable(found.power, 'W')}, read through NVML"]
    notes = (f"{about.platform}; {about.library}", said, *power, *found.notes)
    print_table(Table("roofline", title, ["number format", "best rate", "ridge point"], peaks, notes))
    shares = [row["share_of_roof"] for row in found.to_dict()["rows"]]
    shown = [_row(found, row, share) for row, share in zip(found.rows, shares, strict=True)]
    columns = ["kernel", "format", "shape", "best time", "rate", "bytes counted", "spread", "samples", "data in", "share of roof"]
    print_table(Table("rows", f"{len(found.rows)} kernels, {found.took:.1f} s on {found.date}", columns, shown))
    fits = [
        [f.precision, Cell(f.launch, "s"), *(f"{x:.0%}" for x in (f.compute_share, f.bandwidth_share, f.overlap)), f"{f.error:.1%}"]
        for f in found.fits
    ]
    columns = ["format", "launch", "rate of large ones over the best", "share of the bandwidth", "overlap", "median error of the fit"]
    print_table(Table("fits", "Matrix products: fitted to the first half of the shapes", columns, fits))
    if found.predictions:
        predicted = [
            [p.precision, f"{p.m} x {p.n} x {p.k}", Cell(p.predicted_seconds, "s"), Cell(p.measured_seconds, "s"), f"{p.error:+.1%}"]
            for p in found.predictions
        ]
        worst = max(abs(one.error) for one in found.predictions)
        notes = (f"median error {found.median_error():.1%}, worst {worst:.1%}; best times are predicted",)
        columns = ["format", "shape", "predicted", "then measured", "error"]
        print_table(Table("predictions", "The other half: predicted first, then measured", columns, predicted, notes))


def _row(found: Measurement, row: Row, share: float) -> list[object]:
    flops = Cell(row.achieved_flop_per_s, "flop/s", 3)
    kernel = f"{row.kernel}{row.implementation.removeprefix(found.machine.library)}"
    measured = [Cell(row.seconds, "s", 3), flops, Cell(row.achieved_bytes_per_s, "byte/s", 3), f"{row.spread:.1%}", str(row.repeats)]
    return [kernel, row.precision, row.shape, *measured, row.resident, f"{share:.0%}"]
