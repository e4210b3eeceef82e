"""The site builds strictly, holds every formula, figure and public name, shows its mathematics, and loads nothing from outside."""

import html
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import nvscale as nv
from nvscale import formulas
from nvscale.catalogue.building import flat_figures
from nvscale.estimators.training import STACKS, stack_of
from tests.docs.blocks import ROOT

for _needed in ("mkdocs", "material", "latex2mathml"):
    pytest.importorskip(_needed)

OUTSIDE = re.compile(r"^(https?:)?//", re.I)
LOADING = {"src", "srcset", "data", "poster", "action", "background", "xlink:href"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
FREE_KINDS = ("prices", "energy", "trends")


class Page(HTMLParser):
    """What a page loads and links to, its identifiers, its text outside code, and its mathematics."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text: list[str] = []
        self.classes: set[str] = set()
        self._open: list[str] = []
        self.source = path.read_text(encoding="utf-8")
        self.feed(self.source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.ids += [named["id"]] if "id" in named else []
        self.classes |= set(named.get("class", "").split())
        self.loads += [value for name, value in named.items() if name in LOADING]
        self.loads += re.findall(r"url\(['\"]?([^'\")]+)", named.get("style", ""))
        if "href" in named:
            (self.links if tag == "a" else self.loads).append(named["href"])
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.loads += re.findall(r"(?:url\(['\"]?|@import\s+['\"])([^'\")]+)", data)
        elif not {"code", "pre", "script"} & set(self._open):
            self.text.append(data)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "NO_COLOR": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


@cache
def read(path: Path) -> Page:
    return Page(path)


def every_page(site: Path) -> Iterator[tuple[str, Page]]:
    return ((str(path.relative_to(site)), read(path)) for path in sorted(site.rglob("*.html")))


def section(page: Page, name: str) -> str:
    """The HTML from a heading to the next one of its rank."""
    found = re.search(rf'<h2 id="{re.escape(name)}">(.*?)(?=<h2 id=|</article>)', page.source, re.S)
    assert found, f"no heading {name}"
    return found[1]


def test_nothing_is_loaded_from_outside(site: Path) -> None:
    for name, page in every_page(site):
        assert page.loads, name
        assert not [url for url in page.loads if OUTSIDE.match(url)], name
        assert not page.classes & {"mermaid", "md-source"}, f"{name}: these load scripts or data when a page is opened"
    for style in site.rglob("*.css"):
        assert not re.findall(r"url\(['\"]?(?:https?:)?//", style.read_text(encoding="utf-8")), style


def test_everything_that_is_loaded_or_linked_is_there(site: Path) -> None:
    for name, page in every_page(site):
        if name == "404.html":  # served at any address, so its links start at the root
            continue
        for url in {*page.loads, *page.links}:
            if OUTSIDE.match(url) or url.startswith(("mailto:", "data:")):
                continue
            parts = urlsplit(url)
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            assert target.exists(), f"{name}: {url}"
            if parts.fragment and target.suffix == ".html":
                assert unquote(parts.fragment) in read(target.resolve()).ids, f"{name}: {url}"


def test_no_source_text_is_left(site: Path) -> None:
    for name, page in every_page(site):
        text = " ".join(page.text)
        for left in ("$$", ":::", "{%", "\\frac", "```", ">>> "):
            assert left not in text, f"{name}: {left}"
        assert not re.search(r"(?<!\w)\$[A-Za-z\\(]", text), f"{name}: a formula was not rendered"


def test_no_identifier_stands_twice(site: Path) -> None:
    for name, page in every_page(site):
        twice = {i for i in page.ids if page.ids.count(i) > 1 and not i.startswith("__")}
        assert not twice, name


@pytest.mark.parametrize("topic", formulas.__all__)
def test_every_formula_has_its_place(site: Path, topic: str) -> None:
    page = read(site / "formulas" / f"{topic}.html")
    index = read(site / "formulas" / "index.html")
    for name in getattr(formulas, topic).__all__:
        part = section(page, name)
        assert part.count('<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">') >= 2, f"{name}: both equations"
        for said in ("as the code computes it", "<th>unit</th>", "<td>returns</td>", "<b>Assumptions</b>", "<b>Source</b>", "gp"):
            assert said in part, f"{name}: {said}"
        assert f"{topic}.html#{name}" in index.links


def test_guide_pages_show_mathematics(site: Path) -> None:
    for name in ("rooflines", "systems", "curves"):
        assert read(site / "guide" / f"{name}.html").source.count("<math") >= 3, name


def test_the_guide_to_training_shows_the_software_profiles(site: Path) -> None:
    """The table stands in place of its marker, with a column per profile and the constants that ship."""
    source = (site / "guide" / "training.html").read_text(encoding="utf-8")
    assert "<!-- software profiles" not in source
    assert all(f"<th>{name}</th>" in source for name in STACKS)
    shipped = stack_of("vendor-fused", nv.chip("H100"))
    assert f">{shipped.tp_overlap:.3g}<" in source and f">{shipped.fsdp_overlap:.3g}<" in source


def test_every_figure_of_the_catalogue_is_shown_with_its_source(site: Path) -> None:
    catalogue = nv.catalogue.default()
    chips = {path.stem: read(path) for path in (site / "catalogue").glob("chips-*.html")}
    for kind in ("chips", "networks", "systems"):
        for name in catalogue.names(kind):
            entry = catalogue.entry(kind, name)
            vendor = str(entry.table.get("vendor", "")).lower().replace("/", "-")
            part = section(chips[f"chips-{vendor}"] if kind == "chips" else read(site / "catalogue" / f"{kind}.html"), name)
            figures = flat_figures(entry)
            assert part.count("<tr>") == len(figures) + 1, name
            for figure in figures.values():
                value = figure["value"]
                shown = f"{value:.10g}" if isinstance(value, float) else str(value)
                for text in (shown, figure["source"], figure["at"], figure["date"], figure["kind"], figure.get("note", "")):
                    assert html.escape(text) in part, f"{name}: {text}"


def test_every_figure_of_a_model_is_shown_with_its_source(site: Path) -> None:
    source = read(site / "catalogue" / "models.html").source
    for model in nv.models():
        assert f"{model.parameters:,.0f} parameters" in source, model.name
        for figure, origin in model.sources.items():
            shown = (figure.replace("_", " "), origin.printed, origin.document, origin.place, origin.note)
            assert all(html.escape(text) in source for text in shown), f"{model.name}: {figure}"


def test_every_dated_number_and_every_document_is_shown(site: Path) -> None:
    catalogue = nv.catalogue.default()
    for kind in FREE_KINDS:
        source = read(site / "catalogue" / f"{kind}.html").source
        for name in catalogue.names(kind):
            assert f"<code>{name}</code>" in source
    sources = read(site / "catalogue" / "sources.html")
    for name in catalogue.names("sources"):
        assert name in sources.ids
        assert html.escape(str(catalogue.document(name).get("licence", ""))) in sources.source
    formats = read(site / "catalogue" / "number-formats.html").source
    for name in ("fp64", "tf32", "bf16", "mxfp8", "nvfp4", "int4"):
        assert f"<code>{name}</code>" in formats


def test_every_public_name_is_in_the_reference_once(site: Path) -> None:
    headings = [text for path in (site / "reference").glob("*.html") for text in re.findall(r'<h2 id="[^"]+">(\w+)<', read(path).source)]
    for name in nv.__all__:
        if not name.startswith("_"):
            assert headings.count(name) == 1, name
