"""The report as one self-contained HTML page: tables, figures as inline SVG, no network. Alone imports jinja2."""

import io
import re
from importlib import resources
from pathlib import Path
from typing import Any

from nvscale import plots, views
from nvscale._version import __version__
from nvscale.analysis.roadmap import Curves
from nvscale.errors import MissingDependency
from nvscale.estimators.fleets import METRICS
from nvscale.report.sections import Report
from nvscale.report.tables import times

_FIGURES_AFTER = {
    "number_formats": ("ladder",),
    "ridge_points": ("rooflines",),
    "systems": ("performance", "performance per watt", "performance per dollar"),
    "cost_curve": ("energy per flop", "cost per flop"),
    "decomposition": ("decomposition",),
}
"""Which figures stand under which table."""


def write_page(report: Report, path: Path) -> None:
    """Write the report as one HTML file that opens without a network."""
    path.write_text(render(report), encoding="utf-8")


def render(report: Report) -> str:
    """Return the report as HTML."""
    try:
        import jinja2
    except ImportError:
        raise MissingDependency("jinja2 is not installed; run: pip install 'nvscale[plot]'") from None
    template = resources.files("nvscale.report").joinpath("page.html.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    drawn = {name: _svg(figure, name) for name, figure in _figures(report).items()}
    return environment.from_string(template).render(
        report=report,
        tables=[(table, [drawn[name] for name in _FIGURES_AFTER.get(table.key, ()) if name in drawn]) for table in report.tables],
        headlines=headlines(report),
        assumptions=report.to_dict()["assumptions"],
        version=__version__,
    )


def headlines(report: Report) -> list[tuple[str, str, str, str]]:
    """Return the numbers on top of the page: what, factor, per year, and between what."""
    rows = []
    for curves, metrics in (
        (report.systems, ("performance", "performance per watt", "performance per dollar")),
        (report.chips["lowest"], ("performance", "memory bandwidth")),
        *([] if report.datacenter is None else [(report.datacenter, ("energy per flop", "cost per flop"))]),
    ):
        for metric, change in curves.changes().items():
            if metric in metrics:
                rows.append(
                    (f"{metric}, {curves.level}", times(change.factor), f"{times(change.per_year)} a year", _between(curves, metric))
                )
    return rows


def _between(curves: Curves, metric: str) -> str:
    """Formats or price bases at both ends of a change."""
    first, last = curves.points[0], curves.points[-1]
    formats = f"{first.precision} to {last.precision}"
    if METRICS[metric].unit.startswith("USD") or "dollar" in metric:
        return f"{formats}; {first.price_basis} against {last.price_basis}"
    return formats if "flop" in METRICS[metric].unit else f"{first.year:.1f} to {last.year:.1f}"


def _figures(report: Report) -> dict[str, Any]:
    """All figures of the page by name."""
    distinct = list(dict.fromkeys(point.system.chip for point in report.systems.points))
    tracks = [report.systems, report.chips["lowest"], *(track for name, track in report.chips.items() if name == "16-bit")]
    newest = [distinct[0], *distinct[-3:]] if len(distinct) > 4 else distinct
    drawn = {
        "ladder": plots.draw_ladder(distinct),
        "rooflines": plots.draw_rooflines(newest, ("fp64", "bf16", "fp16", "fp8", "fp4")),
    }
    for metric in ("performance", "performance per watt", "performance per dollar"):
        if metric in report.systems.changes():
            shown = tracks if metric == "performance" else tracks[:2]
            drawn[metric] = plots.draw_growth(shown, metric, views.baselines(metric=metric))
    for metric in ("energy per flop", "cost per flop"):
        if report.datacenter is not None and metric in report.datacenter.changes():
            drawn[metric] = plots.draw_growth([report.datacenter, report.chips["lowest"]], metric)
    if parts := report.systems.decomposition():
        drawn["decomposition"] = plots.draw_decomposition(parts)
    return drawn


def _svg(figure: Any, name: str) -> str:
    """A figure as an SVG element with identifiers of its own, fit to stand inside a page."""
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    prefix = re.sub(r"\W+", "-", name)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', text)
    text = re.sub(r'(href="#|url\(#)([^")]+)', rf"\1{prefix}-\2", text)
    return re.sub(r'(<svg[^>]*?) width="[^"]+" height="[^"]+"|(<svg[^>]*?) height="[^"]+"', r"\1\2", text, count=1)
