"""Accuracy pages: the library scored by its bundled measurements while the site is built, and every constant with its error."""

import functools
from typing import TYPE_CHECKING

import markup
from accuracy_cells import BESIDE, COLUMNS, beside, figures
from accuracy_constants import constant_kinds, constants_page, counts
from accuracy_intervals import COVERED, FEWEST, INTERVAL_COLUMNS, PREDICTED, WIDEST, interval_row
from accuracy_kinds import kind_page
from accuracy_law import TITLE as LAW
from accuracy_law import law_page
from accuracy_limits import LIMIT_COLUMNS, LIMITS, limit_row
from accuracy_power import TEXT as POWER
from accuracy_power import power_table
from accuracy_serving import LIMITS as SERVING_LIMITS
from accuracy_serving import serving_limits
from accuracy_systems import TITLE as SYSTEMS
from accuracy_systems import systems_page
from accuracy_training import LIMITS as TRAINING_LIMITS
from accuracy_training import limit_rows

import nvscale
from nvscale.truth.kinds import kinds
from nvscale.truth.scoring import SHIPPED, UNSEEN, Scores
from nvscale.truth.tables import has_bundled

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

SECTION = "Accuracy"


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Put the pages into the navigation."""
    markup.fill_navigation(config, SECTION, pages())
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the pages of accuracy."""
    return markup.add_pages(config, files, pages())


@functools.cache
def pages() -> markup.Pages:
    """Return all accuracy pages by path: overview, a page per kind of rows, a page per kind of constants."""
    rows = {f"accuracy/{kind}.md": (kind, kind_page(kind, scores(), *others())) for kind in kinds()}
    constants = {f"accuracy/constants-{kind}.md": (f"Constants: {kind}", constants_page(kind)) for kind in constant_kinds()}
    more = {"accuracy/roofline-law.md": (LAW, law_page()), "accuracy/systems.md": (SYSTEMS, systems_page())}
    return {"accuracy/index.md": ("How accurate", index_page(scores(), *others())), **more, **rows, **constants}


@functools.cache
def scores() -> Scores:
    """Return the scores of all bundled rows, as `nvscale.validate()` gives them: every row held out with its shape."""
    return nvscale.validate()


@functools.cache
def others() -> tuple[Scores, Scores]:
    """Return the scores with every chip held out, and with the constants that ship."""
    return nvscale.validate(scheme=UNSEEN), nvscale.validate(scheme=SHIPPED)


def index_page(found: Scores, chips: Scores, shipped: Scores) -> str:
    """Return the overview: scores of every kind, and the limits."""
    counted = sum(row.rows for row in found.rows if row.group.split(" ")[0] == "all")
    predicted = counted - sum(row.without_prediction for row in found.rows if row.group.split(" ")[0] == "all")
    lead = (
        f"These pages are made by `nvscale.validate()` while the site is built: {counted:,} measured figures come with the library, "
        f"and {predicted:,} of them are predicted. The same tables are printed by `nvscale validate`. "
        "What the columns mean, how the folds are cut, and how to score rows of your own: [the guide to accuracy](../guide/accuracy.md)."
    )
    whole = [row for row in found.rows if row.group.split(" ")[0] == "all"]
    summary = [[_linked(row.kind, row.column, found), *figures(row), *beside(row, chips, shipped)] for row in whole]
    without = [kind for kind in kinds() if not has_bundled(kind)]
    note = f"No rows come with the library for {', '.join(without)}; a file of one's own is scored all the same." if without else ""
    constants = [[f'<a href="constants-{kind}.html">{kind}</a>', *map(str, counts(kind))] for kind in constant_kinds()]
    parts = [
        "# How accurate",
        lead,
        "## Bundled rows",
        "Every row is predicted by constants that were fitted without the rows of its shape, on whatever chip. The last two columns are "
        "the mean errors when its whole chip was left out, so that it gets what a chip gets that was never measured, and in sample, with "
        "the constants as they ship.",
        markup.table(("kind of rows", *COLUMNS[1:], *BESIDE), summary),
        note,
        "## Limits",
        "Held out: mean absolute percentage error of the bundled rows by constants that were fitted without their shape, or without "
        "their chip where the limit speaks of an unseen one; data-centre parts unless a chip is named. In sample: with the constants "
        "as they ship.",
        markup.table(LIMIT_COLUMNS, [limit_row(one, found, chips, shipped) for one in LIMITS]),
        "A limit that is not kept is not hidden by a wider one: the page of its kind shows which groups miss it, and "
        "[the guide](../guide/accuracy.md#what-is-out-of-reach) says why.",
        "## Intervals",
        f"The interval is meant to hold 90 % of the rows, and {COVERED[0]:g} to {COVERED[1]:g} % of every group; on data-centre parts it "
        f"should be no wider than a factor of {WIDEST:g} either way, and {PREDICTED:g} % of the rows should get a prediction. Widths were "
        "set by held-out errors of the same rows, cut into other folds, so they hold nearly by construction. Groups of at least "
        f"{FEWEST} rows are counted; in smaller ones a single row decides.",
        markup.table(INTERVAL_COLUMNS, [interval_row(kind, found) for kind in found.predictions]),
        "## Constants",
        "A set is what one class of kernels has on one chip, or in a family of chips, with one software path.",
        markup.table(("kind", "constants", "sets", "most constants in a set"), constants),
        "## Power",
        POWER,
        power_table(),
        "## Training steps",
        "Steps are held out by source, or by model where that has experts. [Their page](training.md) shows each source, chip and model, "
        "and every fitted constant; [the guide](../guide/accuracy.md#training-steps) says what is missed and why.",
        markup.table(TRAINING_LIMITS, limit_rows(*(one.predictions["training"] for one in (found, chips, shipped)), found)),
        "## Served requests",
        "Held out by configuration. [Their page](serving.md) shows each chip, engine and model, and every fitted constant; "
        "[the guide](../guide/accuracy.md#served-requests) says what is missed and why.",
        markup.table(SERVING_LIMITS, serving_limits(found, chips)),
        "## Laws and whole systems",
        "No measured time should beat the bare roofline by more than a tenth: [the rows that do, one by one](roofline-law.md). "
        "Linpack and HPCG against the band of systems in public lists: [whole systems](systems.md).",
    ]
    return "\n\n".join(part for part in parts if part)


def _linked(kind: str, column: str, found: Scores) -> str:
    several = len({row.column for row in found.rows if row.kind == kind}) > 1
    return f'<a href="{kind}.html">{kind}</a>' + (f" <small>{column}</small>" if several else "")
