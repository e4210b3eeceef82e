"""Growth: performance, cost and energy at every level, against Moore and against scaling of dimensions."""

import math
import statistics
from collections.abc import Sequence

from nvscale.analysis.roadmap import Curves
from nvscale.analysis.trends import Growth, fit_growth
from nvscale.errors import InvalidInput
from nvscale.evidence.findings import Finding
from nvscale.evidence.hardware import trend
from nvscale.evidence.tables import decimal_year, figure, history
from nvscale.formulas.growth import growth_factor
from nvscale.views import baselines, curves

VENDOR = "vendor's site of 1e9 USD"
TOKENS_NOTE = "vendor's own table, five years, models and load not stated"


def curve_growth(
    metric: str, levels: Sequence[str] = ("chip", "system", "datacenter"), precision: str = "lowest", at_least: float | None = None,
    at_most: float | None = None, systems: Sequence[str] | None = None,
) -> list[Finding]:  # fmt: skip
    """Return the growth a year of a metric of the curves, a finding per level."""
    found = []
    for level in levels:
        made = curves(systems, precision, level=level)
        change = made.growth(metric)
        fit = change.fitted
        how = f"{metric} at {precision} precision, fit through {fit.points} systems; first to last {change.per_year:.2f}x a year"
        found.append(_growth(f"{level}, {metric}", fit, at_least, at_most, how))
    return found


def hardware_growth(
    quantity: str, per: str = "chip", points: str = "all", price_basis: str = "first purchase", at_least: float | None = None,
    at_most: float | None = None,
) -> list[Finding]:  # fmt: skip
    """Return the growth a year of a quantity of the hardware history."""
    fitted = trend(quantity, per=per, points=points, price_basis=price_basis)
    return [_growth(fitted.name, fitted.growth, at_least, at_most, str(fitted))]


def _growth(level: str, fit: Growth, at_least: float | None, at_most: float | None, method: str) -> Finding:
    return Finding(level, fit.per_year, "1", fit.low, fit.high, at_least, at_most, method)


def vendor_growth(numerator: str, denominator: str | None = None) -> tuple[Growth, float]:
    """Return the fitted growth a year of a column of the vendor's table, over another one, and that from end to end.

    >>> growth, ends = vendor_growth("tokens_per_year", "power_mw")
    >>> round(ends, 5)
    3.85181
    """
    rows = history("nvidia-data-centre").rows
    years = [float(row["year"]) for row in rows]
    values = [figure(row, numerator) / (figure(row, denominator) if denominator else 1.0) for row in rows]
    return fit_growth(years, values), growth_factor(values[0], values[-1], years[-1] - years[0])


def _vendor(level: str, numerator: str, denominator: str | None, at_least: float | None) -> Finding:
    fit, ends = vendor_growth(numerator, denominator)
    return _growth(f"{VENDOR}, {level}", fit, at_least, None, f"{TOKENS_NOTE}; first to last {ends:.3f}x a year")


def performance_at_scale(at_least: float = 2.0) -> list[Finding]:
    """Findings on growth of performance: chip, machine as sold, sites of fixed power and of fixed spend, and the vendor's table."""
    return [
        *curve_growth("performance", ("chip", "system"), at_least=at_least),
        *_at_fixed(at_least),
        _vendor("FLOP/s", "exaflop_per_s", None, at_least),
        _vendor("tokens a year", "tokens_per_year", None, at_least),
        _vendor("tokens per MW", "tokens_per_year", "power_mw", at_least),
    ]


def _at_fixed(at_least: float) -> list[Finding]:
    names = {"performance per watt": "site of fixed power", "performance per dollar": "site of fixed spend"}
    made = curves(level="datacenter")
    return [
        _growth(f"{level}, peak", made.growth(metric).fitted, at_least, None, f"{metric} of the curves") for metric, level in names.items()
    ]


def cost_and_energy(at_least: float = 2.0, same_within: float = 0.1) -> list[Finding]:
    """Findings on the yearly fall of cost and energy per unit of work, and on whether cost falls as fast as performance rises."""
    made = curves(level="datacenter")
    found = [
        _fall("cost per peak operation", made, "cost per flop", at_least),
        _fall("energy per peak operation", made, "energy per flop", at_least),
    ]
    spend, spend_ends = vendor_growth("tokens_per_year", "price_usd")
    energy, energy_ends = vendor_growth("tokens_per_year", "power_mw")
    found.append(_growth(f"{VENDOR}, cost per token", spend, at_least, None, f"{TOKENS_NOTE}; first to last {spend_ends:.3f}x a year"))
    found.append(_growth(f"{VENDOR}, energy per token", energy, at_least, None, f"{TOKENS_NOTE}; first to last {energy_ends:.3f}x a year"))
    rack, cheaper = curves().growth("performance").fitted, curves().growth("cost per flop").fitted
    pace = math.log(1.0 / cheaper.per_year) / math.log(rack.per_year)
    how = "log of the fall of cost per operation over log of the rise of performance, machines as sold; 1 means the same factor"
    found.append(Finding("same factor: machine as sold", pace, at_least=1.0 - same_within, at_most=1.0 + same_within, method=how))
    return found


def _fall(level: str, made: Curves, metric: str, at_least: float) -> Finding:
    """The yearly fall of a metric as a factor above 1."""
    fit = made.growth(metric).fitted
    if fit.low is None or fit.high is None:
        raise InvalidInput(f"{metric}: too few systems for an interval")
    return Finding(f"site, {level}", 1.0 / fit.per_year, "1", 1.0 / fit.high, 1.0 / fit.low, at_least, None, f"{metric} of the curves")


def faster_than_moore(baseline: str = "moore-1975", at_least: float = 1.0) -> list[Finding]:
    """Findings on the slope of ln(performance) relative to Moore's: chip at one format, at the lowest, machine, site, tokens."""
    slope = math.log(baselines([baseline])[0].per_year)
    site = curves(level="datacenter")
    fits = {
        "chip at FP32, history": trend("fp32").growth,
        "chip at lowest precision": curves(level="chip").growth("performance").fitted,
        "machine as sold": curves().growth("performance").fitted,
        "site of fixed power": site.growth("performance").fitted,
        f"{VENDOR}, tokens": vendor_growth("tokens_per_year")[0],
    }
    how = f"ln of the growth a year over that of {baseline}"
    return [
        Finding(level, math.log(fit.per_year) / slope, "1", _over(fit.low, slope), _over(fit.high, slope), at_least, None, how)
        for level, fit in fits.items()
    ]


def _over(end: float | None, slope: float) -> float | None:
    return None if end is None else math.log(end) / slope


def scaling_is_spent(dennard: float = 3.0, constant: float = 1.0, most_of: float = 0.5) -> list[Finding]:
    """Findings on the end of scaling: work per joule over feature size, power, and the share of the process in a decade's gain."""
    rows = [row for row in history("ml-hardware").rows if row["release"] and row["used_in_ml_models"] == "1"]
    known = [row for row in rows if row["process_nm"] and row["fp32_flop_per_s"] and row["power_w"]]
    shrink = [-math.log(figure(row, "process_nm")) for row in known]
    work = [math.log(figure(row, "fp32_flop_per_s") / figure(row, "power_w")) for row in known]
    exponent, low, high = _slope(shrink, work)
    found = [
        Finding(
            "work per joule over feature size", exponent, "1", low, high, None, _below(dennard),
            f"exponent of FP32 per watt in 1 / feature size, {len(known)} chips; Dennard's scaling gives 3",
        )
    ]  # fmt: skip
    dense = [row for row in rows if row["die_area_mm2"] and row["power_w"]]
    fit = fit_growth(
        [decimal_year(row["release"]) for row in dense], [figure(row, "power_w") / figure(row, "die_area_mm2") for row in dense]
    )
    tdp = trend("power", points="records").growth
    found.append(_growth("power of a die's area, all chips", fit, None, None, f"{len(dense)} chips; Dennard's scaling holds it constant"))
    found.append(_growth("power of the largest chips", tdp, constant, None, "record design power of the history, growth a year"))
    process, _ = _catalogue_number("huangs-law-2023", "factor.process")
    total, _ = _catalogue_number("huangs-law-2023", "factor.total")
    share = math.log(process) / math.log(total)
    found.append(
        Finding("share of the process in Huang's law", share, at_most=most_of, method="log share of 2.5 in 1000, inference, ten years")
    )
    return found


def _below(limit: float) -> float:
    return math.nextafter(limit, 0.0)


def _catalogue_number(name: str, wanted: str) -> tuple[float, object]:
    from nvscale.catalogue import default

    return default().number("trends", name, wanted, "1")


def _slope(x: Sequence[float], y: Sequence[float], confidence: float = 0.90) -> tuple[float, float, float]:
    """Least-squares slope with its interval."""
    from scipy import stats

    if len(x) < 3 or statistics.pvariance(x) == 0.0:
        raise InvalidInput(f"a slope with an interval needs three points or more; given {len(x)}")
    fit = stats.linregress(x, y)
    width = float(stats.t.ppf(0.5 + confidence / 2.0, len(x) - 2)) * float(fit.stderr)
    return float(fit.slope), float(fit.slope) - width, float(fit.slope) + width
