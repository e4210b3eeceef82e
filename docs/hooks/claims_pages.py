"""The claims page: every claim computed while the site is built, with its figure, its findings and what they rest on."""

import functools
import html
import io
import re
from typing import TYPE_CHECKING, Any

import markup

import nvscale
from nvscale import plots
from nvscale.evidence.claims import Claim
from nvscale.evidence.findings import Finding
from nvscale.evidence.frontiers import Envelope, envelope
from nvscale.evidence.software import same_hardware
from nvscale.evidence.tables import figure, histories, history

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

SECTION = "Claims"
WORDS = {True: "holds", False: "does not hold", None: "for information"}
MODEL = "deepseek-v3"
FRONTIER = (("dgx-h200", "fp8"), ("gb200-nvl72", "nvfp4"), ("vera-rubin-nvl72", "nvfp4"))


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Put the pages into the navigation."""
    markup.fill_navigation(config, SECTION, pages())
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages of claims."""
    return markup.add_pages(config, files, pages())


@functools.cache
def pages() -> markup.Pages:
    """Return the pages by path: the claims, and the tables that they rest on."""
    return {"claims/index.md": ("The talk, checked", index_page()), "claims/evidence.md": ("Evidence", evidence_page())}


def index_page() -> str:
    """Return the overview, the figures of the talk as a whole, and a section per claim."""
    found = nvscale.claims()
    lead = (
        "This page is made by `nvscale.claims()` while the site is built: no verdict is written down anywhere. A claim is held against "
        "one or more numbers; it is supported when all of them reach what it says, supported at a level only when some do, not supported "
        "when none does, and not testable when nothing decides it. Whether an interval reaches over the limit is said with the number. "
        "`nvscale claims` prints the same; claims of your own: [the guide](../guide/growth.md#claims-of-your-own)."
    )
    rows = [[_link(one), html.escape(one.title), one.verdict, one.headline.interval(), html.escape(one.headline.level)] for one in found]
    table = markup.table(("claim", "what is said", "verdict", "value", "of what"), rows)
    parts = ["# The talk, checked", lead, table, *_figures(), *(_section(claim) for claim in found)]
    return "\n\n".join(parts)


def _link(claim: Claim) -> str:
    return f'<a href="#{claim.id.lower()}">{claim.id}</a>'


def _section(claim: Claim) -> str:
    said = claim.to_dict()["source"]
    parts = [
        f"## {claim.id}: {claim.title} {{ #{claim.id.lower()} }}",
        f"*{claim.statement}* Said in: {said['title']}, {claim.at}, {claim.date} ({claim.kind}).",
        f"**Verdict: {claim.verdict}.** Decided by: {claim.decides}",
        *([f"Why not: {claim.reason}"] if claim.reason else []),
        _picture(plots.draw_findings(claim), f"{claim.id}: findings with what the claim needs"),
        markup.table(("finding", "value", "needed", "", "how it was found"), [_row(one) for one in claim.findings]),
        f"Rests on: {', '.join(_table_link(name) for name in claim.data)}. Computed by `{claim.computation}`.",
    ]
    return "\n\n".join(parts)


def _row(one: Finding) -> list[str]:
    weak = "" if one.is_firm else ", its interval reaches over"
    return [html.escape(one.level), one.interval(), one.needs(), WORDS[one.holds] + weak, html.escape(one.method)]


def _table_link(name: str) -> str:
    return f"[{name}](evidence.md#{name})" if name in histories() else name


def _figures() -> list[str]:
    """The figures of the talk as a whole: DGX-1 to NVL72, software, and the frontier beside published points."""
    curves = [nvscale.curves(), nvscale.curves(level="chip")]
    parts = nvscale.curves(["dgx-1-p100", "vera-rubin-nvl72"]).decomposition()
    series = [*same_hardware("training"), *same_hardware("inference")]
    drawn: list[tuple[str, Any, str]] = [
        ("DGX-1 to NVL72: performance", plots.draw_growth(curves, "performance", nvscale.baselines(metric="performance")), ""),
        ("Per watt", plots.draw_growth(curves, "performance per watt", nvscale.baselines(metric="performance per watt")), ""),
        ("Per dollar", plots.draw_growth(curves, "performance per dollar", nvscale.baselines(metric="performance per dollar")), ""),
        ("What the gain from DGX-1 to NVL72 is made of", plots.draw_decomposition(parts), ""),
        ("Software on the same hardware", plots.draw_software(series, nvscale.claims("T9")[0].figures["at_least"]), _not_verified()),
        ("Hopper, Blackwell, Rubin", plots.draw_envelopes(frontiers(), published()), _frontier_note()),
    ]
    return [
        "\n\n".join(part for part in (f"### {title}", _picture(picture, title), note) if part) for title, picture, note in drawn
    ]  # fmt: skip


def _not_verified() -> str:
    return "Results of MLPerf from the repositories of MLCommons; ratios are ours and were not verified by MLCommons."


def _frontier_note() -> str:
    return (
        f"Curves: the serving estimator, {MODEL}, 1,024 tokens in and out, plans inside one scale-up domain, facility power at the "
        "default PUE. Published points give no speed per user and stand for other lengths, engines and boundaries of power, so they are "
        "lines and not a test. Rubin's constants are carried over from Blackwell, so its curve shows the machine with software of "
        "yesterday: a vendor's tenfold of Blackwell per megawatt is not seen here."
    )


@functools.cache
def frontiers() -> list[Envelope]:
    """Return the frontier of Hopper, Blackwell and Rubin, in tokens per second of a user over those of a megawatt."""
    found = nvscale.model(MODEL)
    return [envelope(found, nvscale.system(name), form, per="megawatt") for name, form in FRONTIER]


def published() -> list[tuple[str, float, float]]:
    """Return the published points in tokens per second and megawatt: name, speed per user, throughput."""
    rows = [row for row in history("frontier-points").rows if row["tokens_per_s_mw"] and row["kind"] == "vendor"]
    return [(f"{row['system']}, {row['model']}", figure(row, "tokens_per_s_user"), figure(row, "tokens_per_s_mw")) for row in rows]


def evidence_page() -> str:
    """Return the tables with origin and terms."""
    parts = ["# Evidence", "The tables that claims rest on, as they come with the package (`nvscale.evidence.tables.history`)."]
    for name in histories():
        table = history(name)
        about = f"{table.title}. Origin: {table.origin} ({table.date}). Terms: {table.licence}. Kind: {table.kind}. {' '.join(table.notes)}"
        shown = [[html.escape(cell) for cell in row.values()] for row in table.rows[:60]]
        more = f"{len(table.rows) - 60} further rows are in the package." if len(table.rows) > 60 else ""
        parts += [f"## {name} {{ #{name} }}", about, markup.table(tuple(table.rows[0]), shown), more]
    return "\n\n".join(part for part in parts if part)


def _picture(drawn: Any, title: str) -> str:
    """Return a figure as SVG inside the page."""
    import matplotlib

    text = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": title, "svg.fonttype": "path"}):
        drawn.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    plain = text.getvalue()
    body = re.sub(r"\s*\n\s*", " ", plain[plain.index("<svg") :])
    prefix = re.sub(r"\W+", "-", title.lower())
    body = re.sub(r'(\bid="|url\(#|href="#)', lambda match: f"{match[1]}{prefix}-", body)
    return f'<div class="nv-figure" role="img" aria-label="{html.escape(title)}">{body}</div>'
