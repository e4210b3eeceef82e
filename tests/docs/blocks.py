"""The fenced blocks of the hand-written pages, so that tests can run every one of them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```[ \t]*$", re.M | re.S)
_FILE_NAME = re.compile(r"\A# ([\w.-]+\.toml)\b")


class Block(NamedTuple):
    """A fenced block: page, line of its first text line, language and text."""

    page: Path
    line: int
    language: str
    text: str

    @property
    def id(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def file_name(self) -> str:
        """The name in the comment on the first line, of blocks that show a file."""
        found = _FILE_NAME.match(self.text)
        return found[1] if found else ""


def pages() -> list[Path]:
    """Return README.md and all hand-written pages."""
    readme = [ROOT / "README.md"] if (ROOT / "README.md").is_file() else []
    return [*readme, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    return [Block(page, text.count("\n", 0, found.start(2)) + 1, found[1].strip(), found[2]) for found in _FENCE.finditer(text)]


def all_blocks(language: str) -> list[Block]:
    """Return the blocks of a language on all pages."""
    return [block for page in pages() for block in blocks_of(page) if block.language == language]


def write_files(page: Path, folder: Path) -> list[Path]:
    """Write the files that a page shows (blocks that begin with their file's name) into a folder."""
    written = []
    for block in blocks_of(page):
        if block.file_name:
            written.append(folder / block.file_name)
            written[-1].write_text(block.text, encoding="utf-8")
    return written
