"""The accuracy pages say what `validate` says, show every kind of rows and every constant, and hide no limit."""

import html
import re
import sys
from importlib import resources
from types import ModuleType
from typing import Any

import pytest

import nvscale as nv
from nvscale.truth.constants import shipped_constants
from nvscale.truth.kinds import kinds
from nvscale.truth.tables import has_bundled
from tests.docs.blocks import ROOT

Pages = dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def accuracy_pages() -> ModuleType:
    """The part of the site that writes the accuracy pages."""
    sys.path.insert(0, str(ROOT / "docs" / "hooks"))
    try:
        import accuracy_pages as module
    finally:
        sys.path.remove(str(ROOT / "docs" / "hooks"))
    return module


@pytest.fixture(scope="module")
def pages(accuracy_pages: ModuleType) -> Pages:
    return dict(accuracy_pages.pages())


@pytest.fixture(scope="module")
def scores() -> Any:
    return nv.validate()


def rows_of(text: str) -> list[list[str]]:
    """The cells of every row of a page but the headings, as plain text."""
    found = [row for row in re.findall(r"<tr>(.*?)</tr>", text, re.S) if "<td>" in row]
    return [[plain(cell) for cell in re.findall(r"<td>(.*?)</td>", row, re.S)] for row in found]


def plain(cell: str) -> str:
    return html.unescape(re.sub(r"<[^>]+>", " ", cell)).strip()


def test_every_kind_has_a_page_and_every_scored_kind_stands_in_the_overview(pages: Pages) -> None:
    overview = [row[0].split(" ")[0] for row in rows_of(pages["accuracy/index.md"][1].partition("## Limits")[0])]
    for kind in kinds():
        assert f"accuracy/{kind}.md" in pages
        assert (kind in overview) == has_bundled(kind)
        if not has_bundled(kind):
            assert "No rows of this kind" in pages[f"accuracy/{kind}.md"][1]


def test_numbers_are_those_of_validate(pages: Pages, scores: Any, accuracy_pages: ModuleType) -> None:
    others = [{(row.kind, row.group): row for row in nv.validate(scheme=scheme).rows} for scheme in ("unseen chip", "shipped")]
    for kind in (kind for kind in kinds() if has_bundled(kind)):
        columns = len(accuracy_pages.COLUMNS) + len(accuracy_pages.BESIDE)
        shown = {row[0]: row[1:] for row in rows_of(pages[f"accuracy/{kind}.md"][1]) if len(row) == columns}
        wanted = [score for score in scores.rows if score.kind == kind]
        assert len(shown) == len(wanted)
        for score in wanted:
            shares = (score.mape, score.median, score.p90, score.bias, score.coverage)
            cells = [str(score.rows), str(score.without_prediction), *(f"{share:.1f}" for share in shares), f"{score.interval:.2f}"]
            cells += [f"{beside[kind, score.group].mape:.1f}" for beside in others]
            assert shown[score.group] == [cell.replace("nan", "-") for cell in cells], f"{kind}: {score.group}"


def test_overview_counts_every_row(pages: Pages, scores: Any) -> None:
    text = pages["accuracy/index.md"][1]
    counted = sum(score.rows for score in scores.rows if score.group.split(" ")[0] == "all")
    assert f"{counted:,} measured figures" in text


def test_every_limit_is_shown_and_a_miss_is_said(pages: Pages, accuracy_pages: ModuleType) -> None:
    shown = {row[0]: row for row in rows_of(pages["accuracy/index.md"][1]) if len(row) == len(accuracy_pages.LIMIT_COLUMNS)}
    for limit in accuracy_pages.LIMITS:
        _, stated, held_out, kept, in_sample, rows, _ = shown[limit.title]
        assert float(stated) == limit.mape
        assert int(rows) > 0 and float(in_sample) > 0.0
        if limit.each:
            keeping, _, groups = re.search(r"(\d+) (of) (\d+) groups", kept).groups()  # type: ignore[union-attr]
            assert kept.startswith("yes" if keeping == groups else "no")
        else:
            assert kept == ("yes" if float(held_out) <= limit.mape else "no")


def test_intervals_that_miss_are_named(pages: Pages, accuracy_pages: ModuleType, scores: Any) -> None:
    part = pages["accuracy/index.md"][1].partition("## Intervals")[2].partition("## Constants")[0]
    shown = {row[0]: row for row in rows_of(part)}
    assert set(shown) == set(scores.predictions)
    for score in scores.rows:
        counted = score.group.split(" ")[0] != "all" and score.rows - score.without_prediction >= accuracy_pages.FEWEST
        if counted and score.coverage < accuracy_pages.COVERED[0]:
            assert f"{score.group}: {score.coverage:.0f} %" in shown[score.kind][4]
        if counted and score.interval > accuracy_pages.WIDEST:
            assert f"{score.group}: {score.interval:.2f}" in shown[score.kind][6]


def test_held_out_errors_of_limits_are_those_of_the_rows(accuracy_pages: ModuleType, scores: Any) -> None:
    """Of a limit whose rows are exactly some groups, the error is their mean weighted by rows."""
    limits = {limit.title: limit for limit in accuracy_pages.LIMITS}
    assert all(limit.kind in kinds() for limit in limits.values())
    reached = sys.modules["accuracy_limits"].reached(limits["matrix multiplies bf16, unseen shapes, H100"], scores)
    assert reached.error == pytest.approx(scores["gemm bf16 h100_sxm"].mape)
    assert reached.rows == scores["gemm bf16 h100_sxm"].rows


def test_every_constant_is_shown_with_its_error(pages: Pages, accuracy_pages: ModuleType) -> None:
    data = resources.files("nvscale.truth").joinpath("data")
    files = {item.name for item in data.iterdir() if re.fullmatch(r"constants-.*\.csv", item.name)}
    assert files == {f"constants-{kind}.csv" for kind in accuracy_pages.constant_kinds()}
    for kind in accuracy_pages.constant_kinds():
        text = pages[f"accuracy/constants-{kind}.md"][1]
        parts = dict(re.findall(r"^## (.*?)$(.*?)(?=^## |\Z)", text, re.M | re.S))
        for (class_, path, chip), inner in shipped_constants(kind).rows.items():
            part = parts[class_ or "All classes"]
            where = f"<tr><td>{chip.replace('family:', 'family ')}</td><td>{html.escape(path or 'any')}</td>"
            row = part[part.index(where) :].partition("</tr>")[0]
            for name, one in inner.items():
                assert f"<th>{name.replace('_', ' ')}</th>" in part
                assert sys.modules["accuracy_constants"].constant_cell(one) in row, f"{kind} {class_} {path} {chip} {name}"
                assert html.escape(one.data_set) in row
                assert html.escape(one.scheme) in row
                assert one.held_out_mape != one.held_out_mape or f"{one.held_out_mape:.1f}" in row


def test_parity_plots_show_the_rows_of_every_group(pages: Pages, scores: Any) -> None:
    for kind in (kind for kind in kinds() if has_bundled(kind)):
        text = pages[f"accuracy/{kind}.md"][1]
        shown = sum(int(number) for number in re.findall(r"</b>, (\d+) rows</figcaption>", text))
        groups = [
            score
            for score in scores.rows
            if score.kind == kind and score.group.split(" ")[0] != "all" and ", " not in score.group.partition("(")[0]
        ]
        assert shown == sum(score.rows - score.without_prediction for score in groups)
        assert text.count("<svg") == text.count("</svg>") == text.count("<figcaption>")
        assert 'id="' not in text


def test_limits_of_training_are_shown_and_a_miss_is_said(pages: Pages) -> None:
    shown = [row for row in rows_of(pages["accuracy/training.md"][1]) if len(row) == 4]
    assert len(shown) == 11 and all((float(reached) <= float(limit)) == (kept == "yes") for _, limit, reached, kept in shown)
    assert [row for row in rows_of(pages["accuracy/index.md"][1]) if len(row) == 4 and row in shown] == shown
