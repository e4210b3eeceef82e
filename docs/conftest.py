"""Examples of the guide run in a folder of their own, with the files that their page shows."""

from pathlib import Path

import pytest

from tests.docs.blocks import write_files

collect_ignore = ["hooks"]  # parts of the site, which need mkdocs; tests/docs/test_site.py builds it


@pytest.fixture(autouse=True)
def _in_a_folder_with_the_files_of_the_page(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.path.suffix == ".md":
        write_files(request.path, tmp_path)
        monkeypatch.chdir(tmp_path)
