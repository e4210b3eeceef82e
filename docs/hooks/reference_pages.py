"""Reference pages, made from the docstrings: every public name of the package, records with unit and range of each field."""

import dataclasses
import html
import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import TYPE_CHECKING, Any

import markup

import nvscale
from nvscale import laws, plots
from nvscale.analysis.roadmap import Change, Point
from nvscale.errors import NvscaleError, NvscaleWarning
from nvscale.estimators.fleets import METRICS
from nvscale.record import Record, required_fields, units_of
from nvscale.report import Report, build_report
from nvscale.views import Baseline

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

SECTION = "Reference"
_RANGES = {
    "any": "any finite number",
    ">0": "above 0",
    ">=0": "0 or above",
    ">=1": "1 or above",
    "[0,1]": "0 to 1",
    "(0,1]": "above 0, at most 1",
    "year": "a calendar year",
}


def on_config(config: "MkDocsConfig") -> "MkDocsConfig":
    """Put the pages into the navigation."""
    markup.fill_navigation(config, SECTION, pages())
    return config


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the reference."""
    return markup.add_pages(config, files, pages())


def pages() -> markup.Pages:
    """Return all reference pages by path; every public name stands on exactly one."""
    public = {name: getattr(nvscale, name) for name in nvscale.__all__ if not name.startswith("_")}
    errors = {name: thing for name, thing in public.items() if isinstance(thing, type) and issubclass(thing, NvscaleError | NvscaleWarning)}
    records = {name: thing for name, thing in public.items() if isinstance(thing, type) and issubclass(thing, Record)}
    results = {name: thing for name, thing in public.items() if isinstance(thing, type) and name not in errors | records}
    packages = {name: thing for name, thing in public.items() if isinstance(thing, ModuleType)}
    values = {name: thing for name, thing in public.items() if isinstance(thing, Record)}
    functions = {name: thing for name, thing in public.items() if name not in errors | records | results | packages | values}
    inner = {"Point": Point, "Change": Change, "Baseline": Baseline}
    inner |= {name: thing for name, thing in vars(laws).items() if isinstance(thing, type) and name in laws.__all__ and name not in public}
    drawn = {name: getattr(plots, name) for name in vars(plots) if name.startswith("draw_")}
    return dict(
        [
            _page("Functions", "Found as `nvscale.NAME`.", functions),
            _page("Records", "Things with figures. Text and quantities are converted when a record is made.", records | values),
            _page("Results", "What functions give back, and what they are made of.", results | inner),
            ("reference/metrics.md", ("Metrics", metrics_page())),
            _page(
                "Report",
                "From `nvscale.report`, and figures from `nvscale.plots`.",
                {"build_report": build_report, "Report": Report, **drawn},
            ),
            ("reference/errors.md", ("Errors", errors_page(errors))),
            _page("Packages", "Sub-packages under a public name.", packages),
        ]
    )


def _page(title: str, lead: str, things: Mapping[str, Any]) -> tuple[str, tuple[str, str]]:
    text = "\n\n".join([f"# {title}", lead, *(part(name, thing) for name, thing in things.items())])
    return f"reference/{title.lower()}.md", (title, text)


def part(name: str, thing: Any) -> str:
    """Return one public name: what it is, its fields or parameters, its methods, an example."""
    parts = [f"## {name}"]
    if isinstance(thing, type):
        parts += [f"`{_home(thing)}`", _said(thing)]
        parts += [_fields(thing)] if issubclass(thing, Record) and thing is not Record else []
        parts += [_method(name, key, member) for key, member in _members(thing).items()]
    elif isinstance(thing, ModuleType):
        parts += [f"`{thing.__name__}`", _said(thing)]
        names = [key for key in thing.__all__ if callable(getattr(thing, key))]
        rows = [[f"<code>{key}</code>", markup.inline(_summary(getattr(thing, key)))] for key in names]
        parts += [markup.table(["name", "what it is"], rows)] if rows else []
    elif isinstance(thing, Record):
        parts += [f"A ready-made `{_home(type(thing))}`.", markup.paragraphs(str(getattr(thing, "origin", "")))]
    else:
        parts += [f"`{markup.signature(name, thing)}`", _said(thing)]
    return "\n\n".join(parts)


def _home(thing: type) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _summary(thing: Any) -> str:
    return markup.sections(thing)[""].partition("\n\n")[0].replace("\n", " ")


def _said(thing: Any) -> str:
    """The docstring: text, parameters, returns, errors, example."""
    said = markup.sections(thing)
    text, _, code = said.pop("").partition("\n\n>>> ")
    parts = [_text(text), markup.examples(f">>> {code}") if code else ""]
    for name, section in said.items():
        if name == "Examples":
            parts.append(markup.examples(section))
        elif name == "Parameters":
            rows = [[f"<code>{html.escape(i.name)}</code>", html.escape(i.kind), markup.inline(i.text)] for i in markup.items(section)]
            parts.append(markup.table(["parameter", "unit or type", "meaning"], rows))
        else:
            shown = "; ".join(f"<code>{html.escape(i.name)}</code> {markup.inline(i.text)}" for i in markup.items(section))
            parts.append(f'<div class="nv-said"><b>{name}</b><p>{shown}</p></div>')
    return "\n\n".join(part for part in parts if part)


def _text(text: str) -> str:
    """Paragraphs; those with mathematics or a fence stay Markdown."""
    return text if "$$" in text or "```" in text else markup.paragraphs(text)


def _fields(record: type) -> str:
    """The fields of a record with unit, range and default."""
    units = units_of(record)
    needed = required_fields(record)
    rows = []
    for field in dataclasses.fields(record):
        unit = units.get(field.name)
        what = "number" if unit else html.escape(str(getattr(field.type, "__name__", field.type)))
        allowed = "" if unit is None else _RANGES.get(unit.range, unit.range) + (", or infinite" if unit.infinite else "")
        default = "must be given" if field.name in needed else _default(field.default)
        rows.append([f"<code>{field.name}</code>", what if unit is None else unit.text, allowed, default])
    return markup.table(["field", "unit or type", "range", "default"], rows)


def _default(value: Any) -> str:
    if value is dataclasses.MISSING or value in ((), ""):
        return "empty"
    if value is None:
        return "unknown"
    return "all 0" if isinstance(value, Record) else html.escape(repr(value))


def _members(thing: type) -> dict[str, Any]:
    """The public methods and properties that a class defines itself."""
    inherited = {} if thing is Record else vars(Record)
    own = {key: member for key, member in vars(thing).items() if not key.startswith("_") and key not in inherited}
    return {key: member for key, member in own.items() if (inspect.isfunction(member) or isinstance(member, property)) and member.__doc__}


def _method(owner: str, name: str, member: Any) -> str:
    """One method or property under its class."""
    if isinstance(member, property):
        return f"### {owner}.{name}\n\n" + _said(member.fget)
    return f"### {owner}.{name}\n\n`{markup.signature(name, member)}`\n\n" + _said(member)


def metrics_page() -> str:
    """Return the page of the metrics that curves and rooflines hold."""
    rows = [[f"<code>{m.name}</code>", m.unit, m.better, markup.inline(_summary(m.estimator))] for m in METRICS.values()]
    lead = (
        "A metric is one way to look at a system. `nvscale.rooflines` gives every known one at every level, `Curves.growth` follows one "
        "over the years. All rates are peaks, dense, at the roof."
    )
    return "\n\n".join(["# Metrics", lead, markup.table(["metric", "unit", "better", "what it is"], rows)])


def errors_page(errors: Mapping[str, Any]) -> str:
    """Return the page of the errors, with their tree."""
    from nvscale import errors as module

    tree = (inspect.getdoc(module) or "").partition("\n\n")[2]
    lead = "Every error raised on purpose is one of these. Its message names the field, what was given, what is allowed, what to write."
    return "\n\n".join(["# Errors", lead, tree, *(part(name, thing) for name, thing in errors.items())])
