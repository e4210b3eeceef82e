"""What a measurement found: rows, fits, predictions; the chip and the catalogue file that it makes."""

import csv
import dataclasses
import io
import json
import re
import tempfile
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

from nvscale._version import __version__
from nvscale.catalogue import load
from nvscale.catalogue.building import Entry, build_chip
from nvscale.errors import InvalidInput, MissingFigure
from nvscale.formulas import memory, overheads
from nvscale.silicon import Chip
from nvscale.truth.machines import Description

KERNEL_COLUMNS = (
    "chip", "kernel", "precision", "m", "n", "k", "batch", "elements",
    "achieved_flop_per_s", "achieved_bytes_per_s", "seconds", "implementation",
)  # fmt: skip
MORE_COLUMNS = ("median_seconds", "spread", "repeats", "calls", "resident")
GEMM_COLUMNS = ("gpu", "precision", "m", "n", "k", "framework", "seconds")
NAME = "this-machine"
RATE_OF: Mapping[str, str] = {"fp64": "fp64_vector", "fp32": "fp32_vector"}
"""Formats whose rate in the catalogue has another name."""
DIGITS = 6
_PLAIN_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PREFIXES = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (1, ""))


@dataclass(frozen=True, slots=True)
class Row:
    """One kernel, timed.

    Parameters
    ----------
    chip, kernel, precision, implementation : str
        What ran, and through what.
    m, n, k, batch, elements : int or None
        The shape of a matrix product, or the length of vectors.
    achieved_flop_per_s : float or None
        Operations over the best time; None where there are none.
    achieved_bytes_per_s : float
        Bytes counted over the best time: each matrix once; each vector once a pass, without write-allocate.
    seconds : float
        Best time of one call.
    median_seconds : float
        Median time of one call.
    spread : float
        Median absolute deviation of the times, as a share of their median; 0 where all are alike.
    repeats, calls : int
        Samples, and calls in each.
    resident : str
        "memory": the data is larger than the last-level cache; "cache": it is not.
    """

    chip: str
    kernel: str
    precision: str
    m: int | None
    n: int | None
    k: int | None
    batch: int | None
    elements: int | None
    achieved_flop_per_s: float | None
    achieved_bytes_per_s: float
    seconds: float
    implementation: str
    median_seconds: float
    spread: float
    repeats: int
    calls: int
    resident: str

    @property
    def shape(self) -> str:
        """The shape for people."""
        return f"{self.elements:,}" if self.m is None else f"{self.m} x {self.n} x {self.k}"


@dataclass(frozen=True, slots=True)
class GemmFit:
    """Time of a matrix product: launch + overlap max(t_c, t_m) + (1 - overlap)(t_c + t_m).

    Parameters
    ----------
    precision : str
        Number format.
    element_size : float
        Bytes per element.
    peak : float
        The best rate among the shapes that were fitted, flop/s.
    bandwidth : float
        The best bandwidth measured before, byte/s.
    launch : float
        Fitted time of a call that does nothing, s.
    compute_share : float
        Fitted rate of very large products over `peak`; a little above 1 where no fitted shape is large enough.
    bandwidth_share : float
        Fitted share of the bandwidth, from 0 to 1, for the traffic of each matrix once.
    overlap : float
        Fitted share of the shorter time that hides behind the longer one.
    shapes : int
        Shapes that were fitted.
    error : float
        Median of |fitted / measured - 1| over these shapes.
    """

    precision: str
    element_size: float
    peak: float
    bandwidth: float
    launch: float
    compute_share: float
    bandwidth_share: float
    overlap: float
    shapes: int = 0
    error: float = 0.0

    def seconds(self, m: Any, n: Any, k: Any) -> Any:
        """Return the time of one matrix product.

        >>> GemmFit("fp64", 8.0, 1e11, 5e10, 1e-6, 1.0, 1.0, 1.0).seconds(100.0, 100.0, 100.0)
        2.1e-05
        """
        compute = 2.0 * m * n * k / (self.compute_share * self.peak)
        traffic = memory.compulsory_matmul_traffic(m, n, k, self.element_size) / (self.bandwidth_share * self.bandwidth)
        return self.launch + overheads.partial_overlap_time([compute, traffic], self.overlap)


@dataclass(frozen=True, slots=True)
class Prediction:
    """A matrix product whose time was predicted before it was measured."""

    precision: str
    m: int
    n: int
    k: int
    predicted_seconds: float
    measured_seconds: float

    @property
    def error(self) -> float:
        """Predicted over measured, less one."""
        return self.predicted_seconds / self.measured_seconds - 1.0


@dataclass(frozen=True, slots=True)
class Measurement:
    """What `nvscale.measure` found on one machine.

    Parameters
    ----------
    date : str
        Day of the measurement, UTC.
    machine : Description
        What was measured.
    rows : tuple of Row
        Every kernel.
    fits : tuple of GemmFit
        A model of matrix products for every number format, fitted to half of the shapes.
    predictions : tuple of Prediction
        The other half: predicted first, then measured.
    skipped : mapping of str to str
        What could not be measured, and why.
    power : float or None
        The highest power read while matrices were multiplied, W.
    took : float
        Seconds that the measurement took.
    notes : tuple of str
        What a reader must know.
    """

    date: str
    machine: Description
    rows: tuple[Row, ...]
    fits: tuple[GemmFit, ...]
    predictions: tuple[Prediction, ...]
    skipped: Mapping[str, str]
    power: float | None
    took: float
    notes: tuple[str, ...]

    def best(self, figure: str, wanted: Callable[[Row], bool]) -> Row:
        """Return the row with the highest figure among the wanted ones."""
        known = [row for row in self.rows if wanted(row) and getattr(row, figure) is not None]
        if not known:
            raise MissingFigure(f"{self.machine.name}: no row with {figure} was measured")
        return max(known, key=lambda row: float(getattr(row, figure)))

    def precisions(self) -> tuple[str, ...]:
        """Return the number formats that have a rate."""
        return tuple(dict.fromkeys(row.precision for row in self.rows if row.achieved_flop_per_s is not None))

    def bandwidth_row(self) -> Row:
        """Return the row with the highest bandwidth from memory."""
        return self.best("achieved_bytes_per_s", lambda row: row.resident == "memory")

    def median_error(self) -> float:
        """Return the median of |predicted / measured - 1| over all predictions."""
        errors = sorted(abs(one.error) for one in self.predictions)
        if not errors:
            raise MissingFigure(f"{self.machine.name}: nothing was predicted")
        middle = len(errors) // 2
        return errors[middle] if len(errors) % 2 else (errors[middle - 1] + errors[middle]) / 2.0

    def chip(self, name: str = NAME) -> Chip:
        """Return this machine as a chip: measured peaks and bandwidth, each with its source.

        The peak of a number format is the best rate of all its rows; the bandwidth is the best of all
        kernels whose data is larger than the last-level cache; so no row lies above its roof.
        """
        tables = tomllib.loads(self.to_toml(name))
        titles = {key: f"{table['publisher']}, {table['title']}" for key, table in tables["sources"].items()}
        return build_chip(Entry("chips", name, tables["chips"][name], "measurement"), titles)

    def share_of_roof(self, row: Row) -> float:
        """Return the share of the roofline that a row reaches, at most 1.

        Data in the cache has no memory roof; a kernel without operations has only that.
        """
        return _share_of_roof(row, self.chip())

    def to_toml(self, name: str = NAME) -> str:
        """Return a catalogue file of this machine, for `nvscale.load`; figures rounded up at the sixth digit."""
        if not _PLAIN_NAME.fullmatch(name):
            raise InvalidInput(f"name: {name!r} is no name of a chip; write small letters, digits and hyphens, e.g. 'my-workstation'")
        about, document = self.machine, f"measurement-of-{name}"
        lines = [
            f"# Measured by nvscale {__version__} on {self.date}; read it with nvscale.load(...).chip({_text(name)}).",
            "",
            f"[sources.{document}]",
            f"title = {_text(f'microbenchmark of {about.name}')}",
            f"publisher = {_text(f'nvscale measure {__version__}')}",
            f"year = {self.date[:4]}",
            f"read = {_text(self.date)}",
            "",
            f"[chips.{name}]",
            f"title = {_text(about.name)}",
            f"kind = {_text(about.device)}",
            'status = "measured"',
            f"notes = [{', '.join(_text(note) for note in (f'{about.platform}; {about.library}', *self.notes))}]",
            "",
            f"[chips.{name}.figures]",
        ]
        row = self.bandwidth_row()
        lines.append(self._figure("memory_bandwidth", row.achieved_bytes_per_s, "B/s", document, _where(row)))
        if about.memory is not None:
            lines.append(self._figure("memory", about.memory, "B", document, "as the operating system or driver says"))
        lines.append(self._figure("compute_units", float(about.cores), "1", document, "as the operating system or driver says"))
        if self.power is not None and self.power > 0.0:
            lines.append(self._figure("power", self.power, "W", document, "highest power read through NVML during matrix products"))
        lines += ["", f"[chips.{name}.figures.peak]"]
        for precision in self.precisions():
            row = self.best("achieved_flop_per_s", lambda one, wanted=precision: one.precision == wanted)  # type: ignore[misc]
            figure = RATE_OF.get(precision, precision)
            lines.append(self._figure(figure, row.achieved_flop_per_s or 0.0, "FLOP/s", document, _where(row)))
        return "\n".join(lines) + "\n"

    def _figure(self, name: str, value: float, unit: str, document: str, at: str) -> str:
        number, shown = _printed(value, unit)
        pairs = {"value": number, "unit": _text(shown), "source": _text(document), "at": _text(at), "date": _text(self.date)}
        return f'{name} = {{{", ".join(f"{key} = {said}" for key, said in pairs.items())}, kind = "measured"}}'

    def write(self, path: str | Path, *, name: str = NAME, overwrite: bool = False) -> Path:
        """Write a catalogue file that `nvscale.load` reads; it is loaded once before it is put in place.

        Raises InvalidInput where a file is there already and `overwrite` is not set.
        """
        target = _target(path, (".toml",), overwrite=overwrite)
        text = self.to_toml(name)
        with tempfile.TemporaryDirectory() as folder:
            trial = Path(folder) / target.name
            trial.write_text(text, encoding="utf-8")
            load(trial).chip(name)
        return _put(target, text, overwrite=overwrite)

    def to_csv(self, columns: Sequence[str] = (*KERNEL_COLUMNS, *MORE_COLUMNS)) -> str:
        """Return the rows as CSV, a line each."""
        return _csv(columns, [dataclasses.asdict(row) for row in self.rows])

    def to_gemm_csv(self) -> str:
        """Return the matrix products as CSV with the columns gpu, precision, m, n, k, framework, seconds."""
        products = [row for row in self.rows if row.kernel in ("gemm", "gemv")]
        return _csv(GEMM_COLUMNS, [{**dataclasses.asdict(row), "gpu": row.chip, "framework": row.implementation} for row in products])

    def write_rows(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write the rows as CSV."""
        return _put(_target(path, (".csv",), overwrite=overwrite), self.to_csv(), overwrite=overwrite)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data in SI base units."""
        chip = self.chip()
        rates = {name: chip.rate(name) for name in self.precisions()}
        return {
            "date": self.date,
            "machine": dataclasses.asdict(self.machine),
            "chip": {"name": chip.name, "memory_bandwidth_byte_per_s": chip.memory_bandwidth, "peak_flop_per_s": rates},
            "rows": [{**dataclasses.asdict(row), "share_of_roof": _share_of_roof(row, chip)} for row in self.rows],
            "fits": [dataclasses.asdict(fit) for fit in self.fits],
            "predictions": [{**dataclasses.asdict(one), "error": one.error} for one in self.predictions],
            "median_prediction_error": self.median_error() if self.predictions else None,
            "skipped": dict(self.skipped),
            "power_w": self.power,
            "took_s": self.took,
            "notes": list(self.notes),
        }


def _share_of_roof(row: Row, chip: Chip) -> float:
    if row.achieved_flop_per_s is None:
        return float(row.achieved_bytes_per_s / chip.memory_bandwidth)
    if row.resident == "cache":
        return float(row.achieved_flop_per_s / chip.rate(row.precision))
    return float(row.achieved_flop_per_s / chip.attainable(row.precision, row.achieved_flop_per_s / row.achieved_bytes_per_s))


def _where(row: Row) -> str:
    """Which row a figure is, and how it was timed."""
    length = f"{row.elements} elements" if row.m is None else row.shape
    return f"{row.kernel} {length}, {row.implementation}: best of {row.repeats} samples of {row.calls} calls, spread {row.spread:.1%}"


def _printed(value: float, unit: str) -> tuple[str, str]:
    """The digits of a figure, rounded up, and the unit with a prefix.

    >>> _printed(123456789012.3, "FLOP/s"), _printed(2.0, "1"), _printed(350.25, "W")
    (('123.457', 'GFLOP/s'), ('2', '1'), ('350.25', 'W'))
    """
    size, prefix = next(pair for pair in _PREFIXES if value >= pair[0] or pair[0] == 1) if unit not in ("1", "W") else (1, "")
    exact = Decimal(repr(float(value))) / size
    step = Decimal(1).scaleb(exact.adjusted() - DIGITS + 1)
    rounded = exact.quantize(step, rounding=ROUND_CEILING) if step < 1 else exact.to_integral_value(ROUND_CEILING)
    digits = format(rounded, "f")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits), f"{prefix}{unit}"


def _text(text: str) -> str:
    """Text as a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    return out.getvalue()


def _target(path: str | Path, suffixes: Sequence[str], *, overwrite: bool) -> Path:
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        raise InvalidInput(f"{target}: the ending must be one of {', '.join(suffixes)}")
    if not target.parent.is_dir():
        raise InvalidInput(f"{target}: there is no folder {target.parent}")
    if target.is_dir() or (target.exists() and not overwrite):
        raise InvalidInput(f"{target} is there already; write with overwrite=True to replace it, or choose another name")
    return target


def _put(target: Path, text: str, *, overwrite: bool) -> Path:
    """Write the file; one that appeared in the meantime is not lost either."""
    try:
        with target.open("w" if overwrite else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise InvalidInput(f"{target} is there already; write with overwrite=True to replace it, or choose another name") from None
    return target
