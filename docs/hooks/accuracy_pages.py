"""Accuracy pages: the library scored by its bundled measurements while the site is built, and every constant with its error."""

import functools
import html
import math
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import markup

import nvscale
from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.truth.constants import ANY, FAMILY, Constant, family_of, shipped_constants
from nvscale.truth.kinds import kinds
from nvscale.truth.scoring import Predicted, Score, Scores
from nvscale.truth.tables import has_bundled
from nvscale.units import readable

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

SECTION = "Accuracy"
COLUMNS = ("group", "rows", "no prediction", "MAPE %", "median %", "p90 %", "bias %", "inside the interval %", "interval factor")
LIMIT_COLUMNS = ("what", "limit %", "held out %", "kept", "bundled %", "rows", "worst group")
INTERVAL_COLUMNS = (
    "kind of rows",
    "predicted %",
    "groups",
    "as meant",
    "too few inside",
    "more inside than needed",
    "wider than the limit",
)
COVERED, WIDEST, PREDICTED, FEWEST = (85.0, 95.0), 1.5, 95.0, 20
"""What intervals should hold, the widest factor, the share of rows with a prediction, and the rows of a group that is counted."""
UNKNOWN = "-"
DATA_CENTRE = "data centre"


class Limit(NamedTuple):
    """A stated limit: for which rows, how large the mean error may be, and which constants tell the held-out error."""

    title: str
    kind: str
    mape: float
    rows: Mapping[str, tuple[str, ...]]  # column -> words, or beginnings of words that end in *; all where a column is left out
    classes: tuple[str, ...]  # beginnings of the classes of the constants
    constants: str = ""  # kind of the constants, where it is another
    chips: tuple[str, ...] = ()  # names in the catalogue; all data-centre parts without
    foreign: bool = False  # of chips that were left out of the fit
    path: str = ""
    each: bool = False  # every set of constants must keep it, not all rows together
    everywhere: bool = False  # chips of all kinds, not data-centre parts only


def _gemm(title: str, mape: float, precisions: tuple[str, ...], chips: tuple[str, ...] = (), *, foreign: bool = False) -> Limit:
    return Limit(title, "gemm", mape, {"precision": precisions}, precisions, chips=chips, foreign=foreign)


LIMITS = (
    _gemm("matrix multiplies bf16, unseen shapes, H100", 9.0, ("bf16",), ("h100-sxm",)),
    _gemm("the same, A100, B200, B300, GB200", 12.0, ("bf16",), ("a100-sxm-80gb", "b200", "b300", "gb200")),
    _gemm("matrix multiplies fp8, fp8_block, nvfp4, unseen shapes", 15.0, ("fp8", "fp8_block", "nvfp4")),
    _gemm("matrix multiplies bf16, chips that were never fitted", 15.0, ("bf16",), foreign=True),
    Limit("attention, prefill, unseen shapes", "attention", 12.0, {"phase": ("prefill",)}, ("prefill *",)),
    Limit("attention, decode, unseen shapes", "attention", 20.0, {"phase": ("decode",)}, ("decode *",)),
    Limit("latent attention, prefill, unseen shapes", "mla", 15.0, {"phase": ("prefill",)}, ("prefill *",)),
    Limit("latent attention, decode, unseen shapes", "mla", 15.0, {"phase": ("decode",)}, ("decode *",)),
    Limit("latent attention with its projections", "mla", 15.0, {"phase": ("*_module",)}, ("*_module",)),
    *(
        Limit(f"fused expert layers {name}, unseen shapes", "moe", mape, {"precision": (name,)}, (name,))
        for name, mape in (("bf16", 15.0), ("fp8", 15.0), ("fp8_block", 15.0), ("nvfp4", 20.0))
    ),
    Limit("collectives of the library (NCCL), unseen sizes", "collectives", 6.0, {"implementation": ("nccl",)}, ("*",), path="nccl"),
    Limit(
        "the same, chips that were never fitted", "collectives", 12.0, {"implementation": ("nccl",)}, ("*",), path="nccl", foreign=True
    ),
    Limit("exchange of experts, every path", "all_to_all_multinode", 7.0, {}, ("*",), "expert_exchange", each=True),
    Limit(
        "single matrix multiplies launched by PyTorch, A100", "operators", 3.5, {"operator": ("matmul*",)}, ("fp16",), "gemm",
        ("a100-sxm-80gb",), path="pytorch",
    ),
    Limit("the same, MI210", "operators", 4.0, {"operator": ("matmul*",)}, ("fp16",), "gemm", ("mi210",), path="pytorch"),
    Limit(
        "STREAM copy and triad, best implementation", "hpc_kernels", 10.0, {"kernel": ("stream_copy", "stream_triad")},
        ("stream_copy", "stream_triad"), "passes", everywhere=True,
    ),
)  # fmt: skip
"""What the library promises, mean absolute percentage error."""


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
    found = scores()
    rows = {f"accuracy/{kind}.md": (kind, kind_page(kind, found)) for kind in kinds()}
    constants = {f"accuracy/constants-{kind}.md": (f"Constants: {kind}", constants_page(kind)) for kind in constant_kinds()}
    return {"accuracy/index.md": ("How accurate", index_page(found)), **rows, **constants}


@functools.cache
def scores() -> Scores:
    """Return the scores of all bundled rows, as `nvscale.validate()` gives them."""
    return nvscale.validate()


@functools.cache
def constant_kinds() -> tuple[str, ...]:
    """Return the kinds of constants that come with the library, in the order of their files."""
    from importlib import resources

    files = sorted(item.name for item in resources.files("nvscale.truth").joinpath("data").iterdir())
    start, end = "constants-", ".csv"
    return tuple(name[len(start) : -len(end)] for name in files if name.startswith(start) and name.endswith(end))


# ---------------------------------------------------------------- overview


def index_page(found: Scores) -> str:
    """Return the overview: scores of every kind, and the limits."""
    counted = sum(row.rows for row in found.rows if row.group.split(" ")[0] == "all")
    predicted = counted - sum(row.without_prediction for row in found.rows if row.group.split(" ")[0] == "all")
    lead = (
        f"These pages are made by `nvscale.validate()` while the site is built: {counted:,} measured figures come with the library, "
        f"and {predicted:,} of them are predicted. The same tables are printed by `nvscale validate`. "
        "What the columns mean, how the folds are cut, and how to score rows of your own: [the guide to accuracy](../guide/accuracy.md)."
    )
    summary = [[_linked(row.kind, row.column, found), *_figures(row)] for row in found.rows if row.group.split(" ")[0] == "all"]
    without = [kind for kind in kinds() if not has_bundled(kind)]
    note = f"No rows come with the library for {', '.join(without)}; a file of one's own is scored all the same." if without else ""
    constants = [[f'<a href="constants-{kind}.html">{kind}</a>', *map(str, _counts(kind))] for kind in constant_kinds()]
    parts = [
        "# How accurate",
        lead,
        "## Bundled rows",
        "These rows are the ones that the constants were fitted on, so this table flatters. "
        "The held-out errors stand below and with the constants.",
        markup.table(("kind of rows", *COLUMNS[1:]), summary),
        note,
        "## Limits",
        "Held out: mean absolute percentage error of rows that took no part in the fit, weighted by the rows of each class, data-centre "
        "parts unless a chip is named. Bundled: the error on the bundled rows with the constants as they ship, and the worst group of "
        "these rows. Not shown: the tables hold no held-out error for it.",
        markup.table(LIMIT_COLUMNS, [limit_row(one, found) for one in LIMITS]),
        "A limit that is not kept is not hidden by a wider one: the page of its kind shows which groups miss it, and "
        "[the guide](../guide/accuracy.md#what-is-out-of-reach) says why.",
        "## Intervals",
        f"The interval is meant to hold 90 % of the rows, and {COVERED[0]:g} to {COVERED[1]:g} % of every group; on data-centre parts it "
        f"should be no wider than a factor of {WIDEST:g} either way, and {PREDICTED:g} % of the rows should get a prediction. Widths were "
        "set by held-out errors of these rows, so on these rows they hold nearly by construction. Groups of at least "
        f"{FEWEST} rows are counted; in smaller ones a single row decides.",
        markup.table(INTERVAL_COLUMNS, [interval_row(kind, found) for kind in found.predictions]),
        "## Constants",
        "A set is what one class of kernels has on one chip, or in a family of chips, with one software path.",
        markup.table(("kind", "constants", "sets", "most constants in a set"), constants),
    ]
    return "\n\n".join(part for part in parts if part)


def _linked(kind: str, column: str, found: Scores) -> str:
    several = len({row.column for row in found.rows if row.kind == kind}) > 1
    return f'<a href="{kind}.html">{kind}</a>' + (f" <small>{column}</small>" if several else "")


def _figures(row: Score) -> list[str]:
    """The cells of a score beside its name."""
    shares = (row.mape, row.median, row.p90, row.bias, row.coverage)
    return [str(row.rows), str(row.without_prediction), *(number(share, ".1f") for share in shares), number(row.interval, ".2f")]


def interval_row(kind: str, found: Scores) -> list[str]:
    """Return how many groups of a kind have intervals as they are meant, and which do not."""
    whole = [row for row in found.rows if row.kind == kind and row.group.split(" ", 1)[0] == "all"]
    rows, without = sum(row.rows for row in whole), sum(row.without_prediction for row in whole)
    groups = [row for row in found.rows if row.kind == kind and row not in whole and row.rows - row.without_prediction >= FEWEST]
    low = [row for row in groups if row.coverage < COVERED[0]]
    high = [row for row in groups if row.coverage > COVERED[1]]
    wide = [row for row in groups if row.interval > WIDEST]
    predicted = 100.0 * (rows - without) / rows
    return [
        kind,
        f"{predicted:.1f}" if predicted >= PREDICTED else f"<b>{predicted:.1f}</b>",
        str(len(groups)),
        str(len(groups) - len(low) - len(high)),
        _named(low, lambda row: f"{row.coverage:.0f} %"),
        str(len(high)),
        _named(wide, lambda row: f"{row.interval:.2f}"),
    ]


def _named(rows: list[Score], say: Callable[[Score], str]) -> str:
    """Groups by name, each with a figure."""
    return "<br>".join(f"{html.escape(row.group)}: {say(row)}" for row in rows) or "none"


def number(value: float, form: str) -> str:
    """Return a number as text; a dash where it is not known."""
    return format(value, form) if math.isfinite(value) else UNKNOWN


def limit_row(limit: Limit, found: Scores) -> list[str]:
    """Return a limit beside what is reached."""
    errors = held_out_errors(limit)
    held_out = _mean(errors)
    bundled, rows, worst = bundled_error(limit, found) if limit.kind in found.predictions and not limit.foreign else (math.nan, 0, "")
    deciding, where = (held_out, "") if math.isfinite(held_out) else (bundled, " <small>(on bundled rows)</small>")
    kept = "not shown" if not math.isfinite(deciding) else _said(deciding <= limit.mape) + where
    if limit.each and errors:
        keeping = sum(error <= limit.mape for error, _ in errors)
        kept = f"{_said(keeping == len(errors))}: {keeping} of {len(errors)} sets"
    cells = [limit.title, f"{limit.mape:g}", number(held_out, ".1f"), kept, number(bundled, ".1f"), str(rows) if rows else UNKNOWN, worst]
    return [cells[0], *cells[1:4], *cells[4:6], html.escape(cells[6])]


def _said(kept: bool) -> str:
    return "yes" if kept else "<b>no</b>"


def _mean(errors: list[tuple[float, float]]) -> float:
    """The mean of errors weighted by rows; nan where there are none."""
    total = sum(rows for _, rows in errors)
    return sum(error * rows for error, rows in errors) / total if total else math.nan


def held_out_errors(limit: Limit) -> list[tuple[float, float]]:
    """Return the held-out error and the rows of every set of constants that a limit speaks of.

    Constants that serve two paths of a chip, for lack of rows of the second, count once.
    """
    together: dict[tuple[str, str, str], tuple[float, float]] = {}
    for one in _all_constants(limit.constants or limit.kind):
        if not _fits(one.class_, limit.classes) or not one.class_ or not math.isfinite(one.held_out_mape):
            continue
        if limit.path and one.path != limit.path:
            continue
        if limit.foreign:
            if "chip left out" in one.scheme:
                together[one.class_, one.path, ""] = (one.held_out_mape, 1.0)
        elif one.path and not one.chip.startswith(FAMILY) and one.chip != ANY and _is_meant(one.chip, limit):
            together[one.class_, one.path, one.chip] = (one.held_out_mape, one.rows if math.isfinite(one.rows) else 1.0)
    return list({(class_, chip, said): said for (class_, _, chip), said in together.items()}.values())


def bundled_error(limit: Limit, found: Scores) -> tuple[float, int, str]:
    """Return the mean error of the bundled rows of a limit, how many there are, and the worst group with its error."""
    import numpy as np

    made = found.predictions[limit.kind]
    chip_column = next(name for name in ("gpu", "chip") if name in made.kind.words)
    chips = {name: _chip_name(name) for name in set(made.table.column(chip_column))}
    meant = np.array([_is_meant(chips[name], limit) for name in made.table.column(chip_column)])
    for column, words in limit.rows.items():
        meant &= np.array([_fits(word, words) for word in made.table.column(column)])
    labels = np.array([" ".join(key) for key in zip(*(made.table.column(name) for name in made.kind.scored_by), strict=True)])
    errors, groups = [], []
    for column in made.kind.measured:
        error = np.abs(made.value[column] / made.table.figures(column) - 1.0) * 100.0
        chosen = meant & np.isfinite(error) & _scored(made, column)
        errors.append(error[chosen])
        groups += [(float(error[chosen & (labels == name)].mean()), str(name)) for name in np.unique(labels[chosen])]
    together = np.concatenate(errors)
    if not together.size:
        return math.nan, 0, ""
    worst = max(groups)
    return float(together.mean()), int(together.size), f"{worst[1]}: {worst[0]:.1f} %"


def _scored(made: Predicted, column: str) -> Any:
    """Which rows `validate` scores: all, or the best of those that share what the kind says."""
    from nvscale.truth.scoring import best_rows

    return best_rows(made, column, made.table.figures(column))


def _fits(word: str, wanted: Iterable[str]) -> bool:
    """Whether a word is one of those wanted; a star stands for any beginning or end."""
    for one in wanted:
        core = one.strip("*")
        starts, ends = one.endswith("*") and word.startswith(core), one.startswith("*") and word.partition(" ")[0].endswith(core)
        if word == one or starts or ends:
            return True
    return False


def _is_meant(chip: str, limit: Limit) -> bool:
    """Whether a chip of the catalogue is one of those named, or a data-centre part where none is named."""
    return chip in limit.chips if limit.chips else limit.everywhere or _part(chip) == DATA_CENTRE


@functools.cache
def _chip_name(said: str) -> str:
    try:
        return str(catalogue.chip(said).name)
    except UnknownName:
        return said


@functools.cache
def _part(chip: str) -> str:
    try:
        return str(family_of(catalogue.chip(chip)).part)
    except UnknownName:
        return "other"


# ---------------------------------------------------------------- a kind of rows


def kind_page(name: str, found: Scores) -> str:
    """Return the page of a kind of rows: scores by group, reasons, parity plots."""
    kind = kinds()[name]
    needed = ", ".join(f"`{column}`" for column in kind.required)
    more = [column for column in (*kind.words, *kind.numbers, *kind.optional_numbers) if column not in kind.required]
    lead = f"Columns that a file of such rows must have: {needed}. "
    lead += f"Columns that it may have: {', '.join(f'`{column}`' for column in more)}. " if more else ""
    lead += f"Predicted and scored: {', '.join(f'`{column}`' for column in kind.measured)}."
    parts = [f"# Rows of {name}", lead]
    if name not in found.predictions:
        return "\n\n".join([*parts, "No rows of this kind come with the library."])
    made = found.predictions[name]
    table = markup.table(COLUMNS, [[html.escape(row.group), *_figures(row)] for row in found.rows if row.kind == name])
    reasons = dict.fromkeys(reason for reason in made.reasons if reason)
    said = "<ul>" + "".join(f"<li>{html.escape(reason)}</li>" for reason in reasons) + "</ul>" if reasons else ""
    return "\n\n".join(
        part
        for part in [
            *parts,
            "## Scores",
            f"Groups by {', '.join(kind.scored_by)}.",
            table,
            "## Without a prediction" if said else "",
            said,
            "## Parity",
            "A dot is a row: measured to the right, predicted upwards, both on logarithmic axes. On the line they are equal; "
            "between the dashed lines the prediction is within a factor of 1.25.",
            parity(made),
        ]
        if part
    )


def parity(made: Predicted) -> str:
    """Return parity plots, one for each measured column and first word of the groups."""
    import numpy as np

    words = np.array(made.table.column(made.kind.scored_by[0]), dtype=object)
    plots = []
    for column in made.kind.measured:
        measured, predicted = made.table.figures(column), made.value[column]
        known = (measured > 0.0) & np.isfinite(predicted) & _scored(made, column)
        for word in sorted(set(words[known].tolist())):
            chosen = known & (words == word)
            title = " ".join(filter(None, (word, column if len(made.kind.measured) > 1 else "")))
            plots.append(_plot(title, measured[chosen], predicted[chosen], _unit(column)))
    return '<div style="display:flex;flex-wrap:wrap;gap:1rem">' + "".join(plots) + "</div>"


def _unit(column: str) -> str:
    """The unit of a measured column, from its name."""
    return "s" if column == "seconds" else column.removeprefix("achieved_").removeprefix("rmax_").split("_per_")[0].split("_")[-1] + "/s"


SIDE, FACTOR = 260.0, 1.25
"""Side of a plot in its own units, and the factor of the dashed lines."""


def _plot(title: str, measured: Any, predicted: Any, unit: str) -> str:
    """A square logarithmic scatter as SVG that takes the colours of the page; equal dots are drawn once."""
    import numpy as np

    both = np.log10(np.concatenate([measured, predicted]))
    low, high = math.floor(float(both.min())), math.ceil(float(both.max()))
    high = max(high, low + 1)
    scale = SIDE / (high - low)
    x, y = (np.rint((np.log10(values) - low) * scale * 2.0) / 2.0 for values in (measured, predicted))
    dots = "".join(f"M{a:g} {SIDE - b:g}h0" for a, b in sorted(set(zip(x.tolist(), y.tolist(), strict=True))))
    away = math.log10(FACTOR) * scale
    grid, labels = [], []
    step = max(1, math.ceil((high - low) / 4))
    for decade in range(low, high + 1, step):
        at = (decade - low) * scale
        grid.append(f"M{at:g} 0V{SIDE:g}M0 {SIDE - at:g}H{SIDE:g}")
        said = html.escape(readable(10.0**decade, unit))
        labels.append(f'<text x="{at:g}" y="{SIDE + 13:g}" text-anchor="middle">{said}</text>')
        labels.append(f'<text x="-4" y="{SIDE - at + 3:g}" text-anchor="end">{said}</text>')
    lines = [
        f'<path d="{"".join(grid)}" stroke="currentColor" stroke-opacity="0.15" fill="none"/>',
        f'<path d="M0 {SIDE:g}L{SIDE:g} 0" stroke="currentColor" stroke-opacity="0.6" fill="none"/>',
        f'<path d="M0 {SIDE - away:g}L{SIDE - away:g} 0M{away:g} {SIDE:g}L{SIDE:g} {away:g}" stroke="currentColor" stroke-opacity="0.4" '
        'stroke-dasharray="3 3" fill="none"/>',
        f'<path d="{dots}" stroke="#0b7285" stroke-opacity="0.55" stroke-width="3" stroke-linecap="round" fill="none"/>',
    ]
    said = f"{html.escape(title)}: {len(measured)} rows, predicted over measured"
    svg = (
        f'<svg viewBox="-62 -6 340 290" width="340" role="img" aria-label="{said}" font-size="9" fill="currentColor">'
        + "".join(lines + labels)
        + "</svg>"
    )
    return f'<figure style="margin:0"><figcaption><b>{html.escape(title)}</b>, {len(measured)} rows</figcaption>{svg}</figure>'


# ---------------------------------------------------------------- constants


def _all_constants(kind: str) -> list[Constant]:
    return [one for inner in shipped_constants(kind).rows.values() for one in inner.values()]


def _sets(kind: str) -> dict[tuple[str, str, str], Mapping[str, Constant]]:
    return dict(shipped_constants(kind).rows)


def _counts(kind: str) -> tuple[int, int, int]:
    """Constants, sets, and the most that one set has of its own."""
    own = [len(inner) for key, inner in _sets(kind).items() if key[0]]
    return len(_all_constants(kind)), len(_sets(kind)), max(own, default=0)


def constants_page(kind: str) -> str:
    """Return the page of the constants of a kind: every one with its error, rows, data, scheme and held-out error."""
    by_class: dict[str, list[tuple[tuple[str, str, str], Mapping[str, Constant]]]] = {}
    for key, inner in _sets(kind).items():
        by_class.setdefault(key[0], []).append((key, inner))
    lead = (
        "A constant stands with its standard error where it has one. The error is that of the fit: it holds for the form as it is, and "
        "constants of a set are correlated. `any data centre` is what a chip gets of which neither the family nor a sister family was "
        "measured. Held out is the mean absolute percentage error of rows that took no part in the fit."
    )
    parts = [f"# Constants of {kind}", markup.paragraphs(lead)]
    for class_ in sorted(by_class):
        parts += [f"## {class_ or 'All classes'}", _class_table(by_class[class_])]
    return "\n\n".join(parts)


def _class_table(sets: list[tuple[tuple[str, str, str], Mapping[str, Constant]]]) -> str:
    names = list(dict.fromkeys(name for _, inner in sets for name in inner))
    columns = ("chip", "path", *(name.replace("_", " ") for name in names), "rows", "held out %", "scheme", "data")
    rows = []
    for (_, path, chip), inner in sorted(sets, key=lambda one: (one[0][2].startswith(FAMILY), one[0][2] == ANY, one[0][2], one[0][1])):
        said: list[Callable[[Constant], str]] = [
            lambda one: number(one.rows, "g"),
            lambda one: number(one.held_out_mape, ".1f"),
            lambda one: one.scheme,
            lambda one: one.data_set,
        ]
        where = chip.replace(FAMILY, "family ")
        about = [", ".join(dict.fromkeys(html.escape(say(one)) for one in inner.values())) for say in said]
        rows.append([where, html.escape(path or "any"), *(constant_cell(inner[name]) if name in inner else "" for name in names), *about])
    return markup.table(columns, rows)


def constant_cell(one: Constant) -> str:
    """Return a constant with its unit and standard error."""
    shown = _readable(one.value, one.unit)
    error = f"<br><small>&plusmn; {_readable(one.standard_error, one.unit)}</small>" if math.isfinite(one.standard_error) else ""
    return f'<span class="nv-whole">{shown}{error}</span>'


def _readable(value: float, unit: str) -> str:
    return html.escape(f"{value:.4g}" if unit == "1" else readable(value, unit))
