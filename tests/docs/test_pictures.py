"""The committed pictures say what the library says now: the text in them is that of freshly made ones."""

import importlib.util
import re
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT, pages

FOLDER = ROOT / "docs" / "images"


def words(picture: Path) -> list[str]:
    """The pieces of text in a picture, which matplotlib also writes as comments; numbers on the axes left out."""
    return [
        text.strip()
        for text in re.findall(r"<!--(.*?)-->", picture.read_text(encoding="utf-8"))
        if re.search("[a-z]{2}", text) and "mathdefault" not in text
    ]


def test_pictures_are_up_to_date(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    spec = importlib.util.spec_from_file_location("make_pictures", FOLDER / "make.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.make(tmp_path)
    assert sorted(path.name for path in made) == sorted(path.name for path in FOLDER.glob("*.svg"))
    for path in made:
        assert len(words(path)) > 5
        assert words(path) == words(FOLDER / path.name), f"run docs/images/make.py: {path.name} is out of date"


def test_every_picture_that_a_page_shows_is_there_and_every_one_is_shown() -> None:
    shown = {
        (page.parent / target).resolve()
        for page in pages()
        for target in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", page.read_text(encoding="utf-8"))
    }
    assert shown == {path.resolve() for path in FOLDER.glob("*.svg")}
