"""Figures: rooflines, growth over the years, ladders, decomposition. Alone imports matplotlib.

Every function returns a `matplotlib.figure.Figure`; nothing is shown and no global state is used.
"""

import math
from collections.abc import Sequence
from typing import Any

from nvscale.analysis.attribution import Attribution
from nvscale.analysis.decomposition import Decomposition
from nvscale.analysis.forecasts import Trend
from nvscale.analysis.roadmap import Curves
from nvscale.errors import MissingDependency, MissingPrecision
from nvscale.estimators.fleets import METRICS
from nvscale.estimators.power import power_efficiency
from nvscale.evidence.claims import Claim
from nvscale.evidence.frontiers import Envelope
from nvscale.evidence.software import Series
from nvscale.formats import LADDER
from nvscale.formulas.power_caps import power_under_load
from nvscale.frontiers import Frontier, X, column
from nvscale.report.tables import times
from nvscale.silicon import Chip
from nvscale.units import readable
from nvscale.views import Baseline

try:
    from matplotlib.figure import Figure
except ImportError:
    raise MissingDependency("matplotlib is not installed; run: pip install 'nvscale[plot]'") from None

COLOURS = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e", "#c2255c", "#1864ab", "#a16207", "#495057", "#099268", "#862e9c")
STYLES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 3)), (0, (8, 3)))
TOO_MANY_LABELS = 12
LABELLED = 0.06
"""Least share of a bar that has room for its label."""


def _axes(figure: Any, title: str, x: str, y: str) -> Any:
    """One plain pair of axes."""
    axes = figure.add_subplot()
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.set_axisbelow(True)
    axes.grid(visible=True, which="major", color="#dee2e6", linewidth=0.7)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    return axes


def _figure(width: float = 8.0, height: float = 4.8) -> Any:
    return Figure(figsize=(width, height), layout="constrained")


def draw_rooflines(chips: Sequence[Chip], formats: Sequence[str] = LADDER) -> Any:
    """Draw attainable performance against operational intensity, a line per chip and number format."""
    figure = _figure()
    axes = _axes(figure, "Rooflines", "operational intensity (FLOP/byte)", "attainable performance (FLOP/s)")
    intensities = [10.0 ** (step / 20.0) for step in range(-20, 91)]
    for i, chip in enumerate(chips):
        for j, name in enumerate(name for name in formats if _has(chip, name)):
            values = [chip.attainable(name, intensity) for intensity in intensities]
            style = {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[j % len(STYLES)], "linewidth": 1.6}
            axes.loglog(intensities, values, label=f"{chip.name} {name}", **style)
            axes.plot(chip.ridge_point(name), chip.rate(name), "o", color=style["color"], markersize=4)
    axes.legend(fontsize=7, frameon=False, ncols=2 if len(axes.lines) > TOO_MANY_LABELS else 1)
    return figure


def draw_energy_rooflines(chips: Sequence[Chip], formats: Sequence[str] = ("bf16", "fp8", "fp4")) -> Any:
    """Draw operations per joule at the roof against operational intensity, a line per chip and number format.

    The rate is that of the roofline, the power that under this load, held below the limit of the chip. Static power, energy
    per byte and energy per operation are those fitted to kernels; on a chip that was never measured they are those of a
    measured one, scaled. The dotted level is the peak rate over the nameplate power.
    """
    figure = _figure()
    axes = _axes(figure, "Energy rooflines", "operational intensity (FLOP/byte)", "operations per energy (FLOP/J)")
    intensities = [10.0 ** (step / 20.0) for step in range(-20, 91)]
    for i, chip in enumerate(chips):
        used = power_efficiency("kernels", chip)
        for j, name in enumerate(name for name in formats if _has(chip, name)):
            per_operation = used.energy_per_operation * chip.rate("bf16") / chip.rate(name)
            constants = (per_operation, used.energy_per_byte, used.static, used.power_limit, used.sharpness)
            rates = [chip.attainable(name, intensity) for intensity in intensities]
            values = [
                rate / power_under_load(rate, rate / intensity, *constants) for rate, intensity in zip(rates, intensities, strict=True)
            ]
            style = {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[j % len(STYLES)], "linewidth": 1.6}
            axes.loglog(intensities, values, label=f"{chip.name} {name}", **style)
            axes.axhline(chip.rate(name) / chip.power, color=style["color"], linestyle=(0, (1, 4)), linewidth=0.8)
    axes.legend(fontsize=7, frameon=False)
    return figure


def _has(chip: Chip, name: str) -> bool:
    try:
        return bool(chip.rate(name))
    except MissingPrecision:
        return False


def draw_growth(curves: Sequence[Curves], metric: str = "performance", baselines: Sequence[Baseline] = ()) -> Any:
    """Draw a metric over the years on a logarithmic axis, with the fit and published growth rates beside it."""
    figure = _figure()
    axes = _axes(
        figure,
        f"{metric[0].upper()}{metric[1:]} over the years",
        "year",
        f"{metric} ({METRICS[metric].unit.replace('flop', 'FLOP')})",
    )
    axes.set_yscale("log")
    for i, track in enumerate(curves):
        known = [(point.year, value, point.name) for point in track.points if (value := point.value(metric)) is not None]
        if len({year for year, _, _ in known}) < 2:
            continue
        colour = COLOURS[i % len(COLOURS)]
        axes.plot([k[0] for k in known], [k[1] for k in known], "o", color=colour, label=f"{track.level}, {track.precision}")
        change = track.growth(metric)
        _fit_line(axes, known, change.fitted.per_year, colour)
        if i == 0:
            _name_points(axes, known)
            _baseline_lines(axes, known[0], known[-1][0], baselines)
    axes.margins(x=0.12)
    axes.legend(fontsize=7, frameon=False)
    return figure


def _fit_line(axes: Any, known: Sequence[tuple[float, float, str]], per_year: float, colour: str) -> None:
    """The fitted line through the middle of the points in log space."""
    middle = sum(year for year, _, _ in known) / len(known)
    product = 1.0
    for _, value, _ in known:
        product *= value ** (1.0 / len(known))
    ends = (known[0][0], known[-1][0])
    axes.plot(
        ends,
        [product * per_year ** (year - middle) for year in ends],
        color=colour,
        linewidth=1,
        alpha=0.6,
        label=f"  fit {per_year:.2f}x a year",
    )


def _name_points(axes: Any, known: Sequence[tuple[float, float, str]]) -> None:
    for year, value, name in known:
        axes.annotate(name, (year, value), textcoords="offset points", xytext=(-4, 5), fontsize=6.5, color="#343a40", ha="right")


def _baseline_lines(axes: Any, start: tuple[float, float, str], end: float, baselines: Sequence[Baseline]) -> None:
    for j, line in enumerate(baselines):
        values = [start[1], start[1] * line.over(end - start[0])]
        axes.plot(
            [start[0], end],
            values,
            color="#868e96",
            linestyle=STYLES[j % len(STYLES)],
            linewidth=0.9,
            label=f"{line.title} {line.per_year:.2f}x",
        )


def draw_ladder(chips: Sequence[Chip]) -> Any:
    """Draw the peak rate of chips by number format."""
    figure = _figure()
    axes = _axes(figure, "Peak dense rate by number format", "number format", "peak (FLOP/s)")
    axes.set_yscale("log")
    floats = [name for name in LADDER if not name.startswith("int")]
    for i, chip in enumerate(chips):
        known = [(k, chip.rate(name)) for k, name in enumerate(floats) if _has(chip, name)]
        axes.plot(
            [k for k, _ in known],
            [r for _, r in known],
            "o-",
            color=COLOURS[i % len(COLOURS)],
            linewidth=1.2,
            markersize=4,
            label=chip.name,
        )
    axes.set_xticks(range(len(floats)), floats)
    axes.legend(fontsize=7, frameon=False, ncols=2)
    return figure


def draw_decomposition(parts: dict[str, Decomposition]) -> Any:
    """Draw the log shares of named factors as stacked bars; factors that take away lie left of zero."""
    figure = _figure(height=1.4 + 0.5 * len(parts))
    axes = _axes(figure, "What the gain is made of (log shares)", "share of ln(total gain)", "")
    names = list(dict.fromkeys(name for part in parts.values() for name in part.factors))
    colour = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    for row, part in enumerate(parts.values()):
        right = left = 0.0
        for name, share in part.shares.items():
            start = right if share >= 0 else left
            axes.barh(row, share, left=start, color=colour[name], height=0.65)
            if abs(share) > LABELLED:
                axes.text(start + share / 2, row, times(part.factors[name], 3), ha="center", va="center", fontsize=6.5, color="white")
            right, left = (right + share, left) if share >= 0 else (right, left + share)
    axes.set_yticks(range(len(parts)), [f"{name}  {times(part.total)}" for name, part in parts.items()], fontsize=8)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.legend(handles=_patches(colour), fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_waterfall(found: Attribution, least: float = 0.01) -> Any:
    """Draw an attribution as a waterfall from before to after; factors below a share of the whole movement are put together."""
    moved = math.fsum(abs(value) for value in found.contributions.values()) or 1.0
    large = {name: value for name, value in found.contributions.items() if abs(value) >= least * moved}
    rest = math.fsum(value for name, value in found.contributions.items() if name not in large)
    steps = sorted(large.items(), key=lambda item: -item[1]) + ([("others", rest)] if len(large) < len(found.contributions) else [])
    figure = _figure(height=1.6 + 0.32 * len(steps))
    is_log = found.scale == "log"
    axes = _axes(figure, f"{found.name}: {readable(found.before, found.unit)} to {readable(found.after, found.unit)}", "", "")
    axes.set_xlabel(f"{found.name} ({found.unit})" + (", log scale" if is_log else ""))
    at = found.before
    for row, (_, value) in enumerate(steps, start=1):
        end = at * math.exp(value) if is_log else at + value
        axes.barh(row, end - at, left=at, color=COLOURS[3] if value >= 0 else COLOURS[4], height=0.65)
        shown = f"x{math.exp(value):.3g}" if is_log else f"{value:+.3g}"
        axes.annotate(f" {shown}", (max(at, end), row), va="center", fontsize=7)
        axes.plot([end, end], [row, row + 1], color="#868e96", linewidth=0.7)
        at = end
    for row, value in ((0, found.before), (len(steps) + 1, found.after)):
        axes.plot([value, value], [row - 0.33, row + 0.33], color=COLOURS[0], linewidth=4)
    axes.plot([found.before, found.before], [0, 1], color="#868e96", linewidth=0.7)
    axes.set_yticks(range(len(steps) + 2), ["before", *(name for name, _ in steps), "after"], fontsize=8)
    axes.invert_yaxis()
    if is_log:
        axes.set_xscale("log")
    axes.margins(x=0.12)
    return figure


def draw_trend(trends: Sequence[Trend], until: float = 2035.0) -> Any:
    """Draw trends with their points, the confidence interval of each and the prediction interval of one more point."""
    figure = _figure()
    axes = _axes(figure, "Trends and forecasts", "year", f"value ({trends[0].unit})")
    for i, trend in enumerate(trends):
        colour, first, last = COLOURS[i % len(COLOURS)], min(trend.years), max(trend.years)
        grid = [first + (until - first) * step / 120.0 for step in range(121)]
        along = [trend.at(year) for year in grid]
        axes.fill_between(grid, [one.least for one in along], [one.most for one in along], color=colour, alpha=0.10, linewidth=0)
        axes.fill_between(grid, [one.low for one in along], [one.high for one in along], color=colour, alpha=0.22, linewidth=0)
        parts = [one for one in along if one.year <= last], [one for one in along if one.year >= last]
        for shown, style in zip(parts, ("-", "--"), strict=True):
            axes.plot([one.year for one in shown], [one.value for one in shown], style, color=colour, linewidth=1.4)
        axes.plot(trend.years, trend.values, "o", color=colour, markersize=3.5, label=f"{trend.name}: {trend.growth}")
    axes.set_yscale("log")
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    return figure


def draw_envelopes(frontiers: Sequence[Envelope], points: Sequence[tuple[str, float, float]] = ()) -> Any:
    """Draw frontiers of throughput over speed per user; published points (name, speed or nan, throughput) beside them."""
    figure = _figure()
    axes = _axes(figure, "Throughput and interactivity", "tokens/s of a user", f"throughput ({frontiers[0].unit})")
    for i, one in enumerate(frontiers):
        axes.plot(one.per_user, one.throughput, color=COLOURS[i % len(COLOURS)], linewidth=1.7, label=f"{one.name}, estimated")
    for i, (name, speed, rate) in enumerate(points):
        colour = COLOURS[(len(frontiers) + i) % len(COLOURS)]
        if math.isnan(speed):
            axes.axhline(rate, color=colour, linewidth=0.9, linestyle=":", label=f"{name}, speed not given")
        else:
            axes.plot(speed, rate, "D", color=colour, markersize=5, label=name)
    axes.set_yscale("log")
    axes.legend(fontsize=6.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_software(series: Sequence[Series], claimed: float | None = None) -> Any:
    """Draw gains on the same hardware over time, a line per benchmark; what a claim says as a dashed line over a year."""
    figure = _figure()
    axes = _axes(figure, "The same hardware, round by round", "years since the first round", "speed over the first round")
    for i, one in enumerate(series):
        style = {"color": COLOURS[i % len(COLOURS)], "linestyle": STYLES[(i // len(COLOURS)) % len(STYLES)], "linewidth": 1.3}
        axes.plot(one.years, one.speeds, "o", markersize=3.5, label=f"{one.benchmark}, {one.gpus} {one.gpu}", **style)
    if claimed is not None:
        axes.plot([0.0, 1.0], [1.0, claimed], color="black", linestyle="--", linewidth=1.2, label=f"claimed: {claimed:g} in a year")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.legend(fontsize=6.5, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    return figure


def draw_findings(claim: Claim) -> Any:
    """Draw the findings of a claim: dots with intervals, filled where they hold, and what is needed as a tick."""
    figure = _figure(height=1.3 + 0.36 * len(claim.findings))
    axes = _axes(figure, f"{claim.id}: {claim.title}", "value", "")
    for row, one in enumerate(claim.findings):
        colour = {True: COLOURS[3], False: COLOURS[4], None: COLOURS[7]}[one.holds]
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [row, row], color=colour, linewidth=1.4)
        axes.plot(one.value, row, "o", color=colour, markersize=6, markerfacecolor=colour if one.holds else "white")
        for limit in (one.at_least, one.at_most):
            if limit is not None:
                axes.plot([limit, limit], [row - 0.3, row + 0.3], color="black", linewidth=1.2)
    axes.set_yticks(range(len(claim.findings)), [one.level for one in claim.findings], fontsize=7.5)
    axes.set_ylim(len(claim.findings) - 0.5, -0.5)
    values = [one.value for one in claim.findings]
    if max(values) > 20.0 * max(min(values), 1e-9):
        axes.set_xscale("log")
    axes.margins(x=0.08)
    return figure


def _patches(colour: dict[str, str]) -> list[Any]:
    from matplotlib.patches import Patch

    return [Patch(color=value, label=name) for name, value in colour.items()]


def draw_frontier(frontier: Frontier, per: str = "gpu") -> Any:
    """Draw throughput against the speed that a user sees: a thin line per layout, and a thick envelope per system and format."""
    name = column(per)
    figure = _figure()
    lengths = f"{frontier.work.isl:g} in, {frontier.work.osl:g} out"
    wanted = {"gpu": "tokens/s per GPU", "megawatt": "tokens/s per megawatt", "usd": "tokens per USD"}[per]
    axes = _axes(figure, f"{frontier.work.model.name or 'model'}, {lengths}", "tokens/s that a user sees", wanted)
    axes.set_yscale("log")
    kinds = list(dict.fromkeys((line.system, line.precision) for line in frontier.lines()))
    colour = {kind: COLOURS[i % len(COLOURS)] for i, kind in enumerate(kinds)}
    for line in frontier.lines():
        axes.plot(line.figures[X], line.figures[name], color=colour[line.system, line.precision], linewidth=0.6, alpha=0.35)
    for system, precision in kinds:
        rows = frontier.envelope(per, system=system, precision=precision)
        if rows:
            axes.plot(
                [row[X] for row in rows],
                [row[name] for row in rows],
                color=colour[system, precision],
                linewidth=2.0,
                label=f"{system} {precision}",
            )
    axes.legend(fontsize=8, frameon=False)
    return figure
