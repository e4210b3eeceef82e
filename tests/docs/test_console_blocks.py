"""Every fenced block of README.md and of the guide is run: Python as doctests, commands and files here."""

import contextlib
import io
import re
import shlex
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import nvscale as nv
from nvscale.catalogue import lookup
from nvscale.cli import main
from tests.docs.blocks import Block, all_blocks, blocks_of, pages, write_files

# What becomes of a block, by language; a block in any other language would be run by nobody.
RUN_BY = {"python": "doctest", "console": "this file", "bash": "this file", "toml": "this file"}
# Commands that are not nvscale's, and who runs them.
RUN_ELSEWHERE = {
    r"python3? -m venv \S+": "whoever sets the project up",
    r"\S*pip install .*": "whoever sets the project up",
    r"\S*python -m pytest( -q -n auto)?": "this very run",
    r"python docs/images/make\.py": "test_pictures.py",
    r"mkdocs build --strict": "test_site.py",
}
OURS = re.compile(r"(\S*/)?nvscale\b|(\S*/)?python3? -m nvscale\b")
DRAWS = re.compile(r" --(html|plot) ")
EXIT_CODE = re.compile(r"# exit code (\d+)$")
by_id = pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)


@by_id
def test_every_block_is_in_a_language_that_is_run(page: Path) -> None:
    unknown = {block.id: block.language for block in blocks_of(page) if block.language not in RUN_BY}
    assert not unknown, f"use one of {', '.join(RUN_BY)}"


@by_id
def test_every_fence_is_found(page: Path) -> None:
    fences = [line for line in page.read_text(encoding="utf-8").splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert len(fences) == 2 * len(blocks_of(page)), "a fence is indented, or not closed"


@pytest.mark.parametrize("block", all_blocks("python"), ids=lambda block: block.id)
def test_python_blocks_are_sessions(block: Block) -> None:
    assert block.text.startswith(">>> "), "write it at the prompt, so that doctest runs it"
    assert block.text.endswith("\n\n"), "doctest wants a blank line before the closing fence"


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """The commands of a block, each with the lines shown below it."""
    if block.language == "bash":
        return [(part.strip(), []) for line in block.text.splitlines() for part in line.split("&&")]
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip() not in ("", "..."):
            assert found, f"{block.id}: output before the first command"
            found[-1][1].append(line)
    return found


@by_id
def test_commands_run_and_print_what_is_shown(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(page, tmp_path)
    left_out = []
    for block in [block for block in blocks_of(page) if block.language in ("console", "bash")]:
        for command, shown in commands(block):
            if DRAWS.search(command) and not all(map(find_spec, ("matplotlib", "jinja2"))):
                left_out.append(command)
            elif OURS.match(command):
                run(command, shown, block)
            else:
                assert any(re.fullmatch(known, command) for known in RUN_ELSEWHERE), f"{block.id}: nobody runs {command!r}"
    if left_out:
        pytest.skip(f"the plot extra is not installed; left out: {'; '.join(left_out)}")


def run(command: str, shown: list[str], block: Block) -> None:
    """Run one command through the command line in this process; compare exit code and output."""
    words = shlex.split(OURS.sub("", command, count=1), comments=True)
    wanted = EXIT_CODE.search(command)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        try:
            code = main(words)
        except SystemExit as ended:
            code = ended.code
    text = " ".join(printed.getvalue().split())
    assert (code or 0) == (int(wanted[1]) if wanted else 0), f"{block.id}: {command}: exit code {code}\n{text[-500:]}"
    place = 0
    for line in shown:
        for piece in filter(None, (" ".join(part.split()) for part in line.split("..."))):
            found = text.find(piece, place)
            assert found >= 0, f"{block.id}: {command}: {piece!r} is not printed" + (" here" if piece in text else "")
            place = found + len(piece)


def test_some_commands_are_shown() -> None:
    shown = [command for block in all_blocks("console") for command, _ in commands(block) if OURS.match(command)]
    assert len(shown) >= 25


@pytest.mark.parametrize("block", all_blocks("toml"), ids=lambda block: block.id)
def test_files_are_what_the_page_says(block: Block, tmp_path: Path) -> None:
    assert block.file_name, "the first line is a comment with the name of the file"
    file = next(path for path in write_files(block.page, tmp_path) if path.name == block.file_name)
    if block.file_name == "pyproject.toml":
        assert list(tomllib.loads(block.text)["project"]["entry-points"]) == [lookup.ENTRY_POINTS]
    elif "check" in next(iter(tomllib.loads(block.text).values())):
        assert all(claim.verdict for claim in nv.claims(file=file))
    elif block.file_name.startswith("wrong"):
        with pytest.raises(nv.CatalogueError):
            nv.load(file)
    else:
        added = nv.load(file)
        for name in tomllib.loads(block.text).get("systems", {}):
            assert nv.rooflines(added.system(name))


def test_a_package_can_offer_the_file_of_the_guide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The entry point that the guide shows makes the chips of its file known."""
    page = next(page for page in pages() if page.name == "catalogue.md")
    file = next(path for path in write_files(page, tmp_path) if path.name == "quartz.toml")
    offer = tomllib.loads((tmp_path / "pyproject.toml").read_text())["project"]["entry-points"][lookup.ENTRY_POINTS]
    ((name, target),) = offer.items()
    module = ModuleType(target.partition(":")[0])
    setattr(module, target.partition(":")[2], lambda: [file])
    monkeypatch.setitem(sys.modules, module.__name__, module)
    installed = tmp_path / "quartz_catalogue-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: quartz-catalogue\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(f"[{lookup.ENTRY_POINTS}]\n{name} = {target}\n")
    monkeypatch.syspath_prepend(tmp_path)
    lookup.full_catalogue.cache_clear()
    try:
        assert nv.chip("quartz").name == "quartz-1"
        assert nv.chip("h100").vendor == "NVIDIA"
    finally:
        lookup.full_catalogue.cache_clear()
