"""`trend`: fits to the history of machine learning hardware, by number format, per watt, per dollar."""

import statistics
from collections.abc import Callable

from nvscale.analysis.forecasts import Trend, fit_trend
from nvscale.errors import MissingFigure, unknown
from nvscale.evidence.tables import decimal_year, figure, history

QUANTITIES: dict[str, tuple[str, str]] = {
    "fp64": ("fp64_flop_per_s", "flop/s"),
    "fp32": ("fp32_flop_per_s", "flop/s"),
    "tf32": ("tf32_flop_per_s", "flop/s"),
    "fp16": ("fp16_flop_per_s", "flop/s"),
    "tensor fp16": ("tensor_fp16_flop_per_s", "flop/s"),
    "fp8": ("fp8_flop_per_s", "flop/s"),
    "int8": ("int8_op_per_s", "op/s"),
    "memory": ("memory_byte", "byte"),
    "memory bandwidth": ("memory_bandwidth_byte_per_s", "byte/s"),
    "scale-up bandwidth": ("scaleup_bandwidth_byte_per_s", "byte/s"),
    "power": ("power_w", "W"),
    "transistors": ("transistors_million", "million"),
    "die area": ("die_area_mm2", "mm^2"),
}
"""Quantities of the history: column and unit."""
PRICES: dict[str, tuple[str, Callable[[list[float]], float]]] = {
    "first purchase": ("usd_purchase", lambda prices: prices[0]),
    "last purchase": ("usd_purchase", lambda prices: prices[-1]),
    "mean purchase": ("usd_purchase", statistics.fmean),
    "first rent": ("usd_per_chip_hour_od", lambda prices: prices[0]),
    "last rent": ("usd_per_chip_hour_od", lambda prices: prices[-1]),
}
"""Price bases: which column, and which of a chip's prices; rent is on demand, per chip and hour."""
PER = ("chip", "watt", "dollar")
Row = dict[str, str]


def trend(
    quantity: str = "fp32",
    *,
    per: str = "chip",
    points: str = "all",
    shape: str = "exponential",
    price_basis: str = "first purchase",
    since: float | None = None,
    until: float | None = None,
    maker: str | None = None,
    all_hardware: bool = False,
    confidence: float = 0.90,
) -> Trend:
    """Fit a trend to the history of machine learning hardware (Epoch AI, CC BY 4.0).

    Parameters
    ----------
    quantity : str
        "fp64", "fp32", "tf32", "fp16", "tensor fp16", "fp8", "int8", "memory", "memory bandwidth", "scale-up bandwidth",
        "power", "transistors", "die area".
    per : str
        "chip", "watt" of design power, or "dollar" of the price basis.
    points : str
        "all", or "records": the chips alone that beat every earlier one.
    shape : str
        "exponential", or "saturating" towards a ceiling.
    price_basis : str
        "first purchase", "last purchase", "mean purchase"; "first rent", "last rent" (on demand, per chip and hour).
    since : year, optional
        Release date from which chips count.
    until : year, optional
        Release date before which chips count.
    maker : str, optional
        One maker alone, as the history spells it.
    all_hardware : bool
        Also chips in which no machine learning model of note was trained.
    confidence : float
        Level of the intervals.

    Returns
    -------
    Trend
        `growth`, `at(year)`, `forecast(until=2035)`, `needed(2)`.

    Raises
    ------
    UnknownName, MissingFigure, InvalidInput
        A word that is not known, or fewer chips than a fit needs.

    Assumptions: a chip counts at its release; prices of one chip stand for it at all times. Source: Epoch AI, snapshot of 2026-04.

    Examples
    --------
    >>> print(trend("fp32"))
    fp32 of a chip, exponential, 76 points 2008.5 to 2024.9: 1.302x a year (1.27 to 1.34 at 90%)
    >>> round(trend("fp32", per="watt").growth.per_year, 3)
    1.257
    """
    if quantity not in QUANTITIES:
        raise unknown("quantity of the hardware history", quantity, QUANTITIES)
    if per not in PER:
        raise unknown("reference of a trend", per, PER)
    column, unit = QUANTITIES[quantity]
    rows = [
        row for row in history("ml-hardware").rows if row["release"] and row[column] and (all_hardware or row["used_in_ml_models"] == "1")
    ]
    rows = _of_maker(rows, maker)
    divide = _divisor(per, price_basis)
    known = [(decimal_year(row["release"]), figure(row, column) / spent) for row in rows if (spent := divide(row)) is not None]
    kept = [(year, value) for year, value in known if (since is None or year >= since) and (until is None or year < until)]
    words = {"chip": "of a chip", "watt": "per watt", "dollar": f"per dollar ({price_basis})"}[per]
    if len({year for year, _ in kept}) < 3:
        raise MissingFigure(f"{quantity} {words}: {len(kept)} chips of the history have it; a trend needs three or more")
    years, values = zip(*sorted(kept), strict=True)
    return fit_trend(
        years, values, shape=shape, points=points, confidence=confidence, name=f"{quantity} {words}", unit=_unit(unit, per)
    )  # fmt: skip


def _unit(unit: str, per: str) -> str:
    return {"chip": unit, "watt": f"{unit}/W", "dollar": f"{unit}/USD"}[per]


def _of_maker(rows: list[Row], maker: str | None) -> list[Row]:
    if maker is None:
        return rows
    makers = {row["maker"].lower(): row["maker"] for row in rows}
    if maker.lower() not in makers:
        raise unknown("maker", maker, makers.values())
    return [row for row in rows if row["maker"] == makers[maker.lower()]]


def _divisor(per: str, price_basis: str) -> Callable[[Row], float | None]:
    if per == "chip":
        return lambda _: 1.0
    if per == "watt":
        return lambda row: figure(row, "power_w") if row["power_w"] else None
    if price_basis not in PRICES:
        raise unknown("price basis", price_basis, PRICES)
    prices = purchase_prices(price_basis)
    return lambda row: prices.get(row["name"])


def purchase_prices(basis: str) -> dict[str, float]:
    """Return a price of every chip that has one, in USD, by name; rents in USD an hour.

    >>> purchase_prices("first purchase")["NVIDIA Tesla K40s"]
    5400.0
    """
    column, choose = PRICES[basis]
    found: dict[str, list[tuple[str, float]]] = {}
    for row in history("hardware-prices").rows:
        if row[column]:
            found.setdefault(row["hardware"], []).append((row["date"], float(row[column])))
    return {name: choose([price for _, price in sorted(dated)]) for name, dated in found.items()}
