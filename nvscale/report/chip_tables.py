"""Tables of chips: rates, ridge points, and what a watt and a dollar buy."""

from collections.abc import Sequence

from nvscale.analysis.roadmap import Curves
from nvscale.errors import MissingPrecision
from nvscale.formats import LADDER
from nvscale.report.system_tables import price_notes
from nvscale.report.tables import Cell, Table
from nvscale.silicon import Chip


def has_rate(chip: Chip, number_format: str) -> bool:
    """Whether a chip serves a number format."""
    try:
        return bool(chip.rate(number_format))
    except MissingPrecision:
        return False


def rate_or_none(chip: Chip, number_format: str) -> float | None:
    """Return the rate that serves a number format, None where there is none."""
    return chip.rate(number_format) if has_rate(chip, number_format) else None


def ladder(chips: Sequence[Chip], formats: Sequence[str] = LADDER) -> Table:
    """Peak dense rate by number format."""
    rows = [[chip.name, *(Cell(rate_or_none(chip, name), "flop/s") for name in formats)] for chip in chips]
    vector = [f"fp16 of {c.name} is a vector rate" for c in chips if has_rate(c, "fp16") and c.rate_name("fp16") == "fp16_vector"]
    notes = ("dense, per package; the ladder is not x2 from format to format", *vector)
    return Table("number_formats", "Peak rate by number format", ["chip", *formats], rows, notes)


def ridge_points(chips: Sequence[Chip], formats: Sequence[str] = LADDER) -> Table:
    """Ridge points by number format."""
    rows = [
        [
            chip.name,
            Cell(chip.memory_bandwidth, "byte/s"),
            *(Cell(chip.ridge_point(name) if has_rate(chip, name) else None, "flop/byte", 3) for name in formats),
        ]
        for chip in chips
    ]
    note = "operational intensity from which compute binds and not memory"
    return Table("ridge_points", "Ridge points", ["chip", "memory bandwidth", *formats], rows, (note,))


def chip_value(track: Curves) -> Table:
    """Per watt and per dollar at chip level."""
    rows = []
    for point in track.points:
        chip = point.system.chip
        power, price = chip.power, chip.price
        per_watt = [
            Cell(None if (r := rate_or_none(chip, f)) is None or power is None else r / power, "flop/J")
            for f in ("fp64-vector", "16-bit", "fp8", "fp4")
        ]
        lowest = point.metrics["performance"].value
        per_dollar = Cell(None if price is None else lowest / price, "flop/s/USD")
        rows.append([chip.name, f"{point.year:.1f}", Cell(power, "W"), Cell(price, "USD"), *per_watt, per_dollar])
    columns = [
        "chip",
        "year",
        "power",
        "price",
        "fp64 vector per watt",
        "16 bit per watt",
        "fp8 per watt",
        "fp4 per watt",
        "performance per dollar, lowest format",
    ]
    return Table("chip_value", "Chips per watt and per dollar", columns, rows, price_notes(track))
