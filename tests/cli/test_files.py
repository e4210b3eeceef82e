"""Files that commands write: one self-contained page, and figures."""

import html.parser
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from nvscale.cli.application import application

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
RUNNER = CliRunner()
LOADING = {"src", "href", "xlink:href", "srcset", "data", "action", "poster"}


class Page(html.parser.HTMLParser):
    """What a page would load, its identifiers and its open tags."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in LOADING and value and not value.startswith("#"):
                (self.links if tag == "a" else self.loads).append(value)
            if name == "id" and value:
                self.ids.append(value)


def read(text: str) -> Page:
    page = Page()
    page.feed(text)
    return page


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    result = RUNNER.invoke(application, ["report", "--html", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "report.html" in re.sub(r"\s", "", result.output)
    return path.read_text(encoding="utf-8")


def test_the_page_loads_nothing(page: str) -> None:
    """It opens without a network: no scripts, styles, fonts or pictures from elsewhere."""
    found = read(page)
    assert not [target for target in found.loads if not target.startswith("data:")]
    assert not re.search(r"@import|url\(\s*['\"]?(https?:)?//|<script[^>]+src|<link[^>]+href=['\"]https?:|fetch\(|XMLHttpRequest", page)


def test_the_page_is_one_whole_document(page: str) -> None:
    found = read(page)
    assert page.lstrip().lower().startswith("<!doctype html>")
    assert page.rstrip().endswith("</html>")
    assert {"html", "head", "title", "body", "table", "svg"} <= set(found.tags)
    assert len(found.ids) == len(set(found.ids)), "figures share identifiers"
    assert "{{" not in page and "{%" not in page


def test_the_page_says_what_the_report_says(page: str) -> None:
    text = re.sub(r"<[^>]+>", " ", page)
    for expected in ("14,858", "dgx-1-p100", "vera-rubin-nvl72", "mixes price bases", "vector rate", "Moore", "PUE"):
        assert expected in text, expected
    assert "nan" not in text.lower().split()


def test_the_page_has_a_figure_for_each_curve(page: str) -> None:
    assert page.count("<svg") >= 6


def test_local_references_of_figures_resolve(page: str) -> None:
    wanted = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", page))
    assert wanted <= set(read(page).ids)


def test_force_replaces_a_page(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    result = RUNNER.invoke(application, ["report", "dgx-a100", "dgx-h100", "--html", str(path), "--force"], catch_exceptions=False)
    assert result.exit_code == 0
    assert "<html" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("ending", "begins"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")])
def test_a_roofline_is_drawn(ending: str, begins: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"roofs.{ending}"
    result = RUNNER.invoke(application, ["roofline", "h100", "b200", "--plot", str(path)], catch_exceptions=False)
    assert result.exit_code == 0
    assert path.read_bytes().startswith(begins)
    assert path.name in result.output.replace("\n", "")
