"""The schema of catalogue files: the shipped files pass it, a user's file adds to the catalogue and changes nothing else."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

import nvscale as nv
from nvscale.catalogue.lookup import full_catalogue
from nvscale.catalogue.schema import check_tables, json_schema, models
from tests.catalogue.tables import files, kind_of

MINE = """
[sources.slate-datasheet]
title = "Slate datasheet"
publisher = "Slate Inc."

[chips.slate-1]
title = "Slate 1"
aliases = ["Slate One"]
vendor = "Slate"
kind = "accelerator"
notes = ["Made up."]
[chips.slate-1.figures]
released = {value = "2026-02", unit = "date"}
power = "800 W"
memory = "96 GiB"
dies = {value = 2, unit = "1"}
memory_bandwidth = {value = 2, unit = "TB/s", per = "die", source = "slate-datasheet", at = "p. 2", date = "2026-02", kind = "vendor"}
scaleup_bandwidth = {value = 800, unit = "GB/s", direction = "both ways"}
price = {value = 20, unit = "kUSD", basis = "list", low = 18, high = 25}
[chips.slate-1.figures.peak]
bf16 = "500 TFLOP/s"
fp8 = {value = 2, unit = "PFLOP/s", sparsity = "sparse", sparsity_factor = 2}

[systems.slate-16]
chip = "slate-1"
level = "node"
scaleup_network = "nvlink-5"
[systems.slate-16.figures]
chips = "16"
power = {value = 16, unit = "kW"}
price = {value = 400, unit = "kUSD", basis = "list"}
"""


@pytest.fixture
def mine(tmp_path: Path) -> nv.Catalogue:
    path = tmp_path / "mine.toml"
    path.write_text(MINE)
    return nv.load(path)


@pytest.mark.parametrize("name", [name for name in files() if kind_of(name) in models()])
def test_a_shipped_file_passes_the_schema(name: str) -> None:
    kind = kind_of(name)
    if kind == "assumptions":  # lists of names beside figures, and pointers to the price list: ours alone
        tables = {entry: table for entry, table in files()[name].items() if "figures" in table}
        check_tables(
            name, {kind: {k: {**t, "figures": {f: v for f, v in t["figures"].items() if "value" in v}} for k, t in tables.items()}}
        )
        return
    check_tables(name, {kind: files()[name]})


def test_the_schema_can_fail() -> None:
    with pytest.raises(nv.CatalogueError, match=r"chips\.x\.figures is missing"):
        check_tables("a.toml", {"chips": {"x": {"title": "X"}}})


def test_the_json_schema_is_json_and_the_same_each_time() -> None:
    text = json.dumps(json_schema(), sort_keys=True)
    assert json.loads(text)["$schema"].startswith("https://json-schema.org/")
    assert text == json.dumps(json_schema(), sort_keys=True)
    assert set(json_schema()["properties"]) == set(models())
    assert json_schema()["additionalProperties"] is False


def test_the_json_schema_names_every_figure_with_its_unit() -> None:
    definitions: dict[str, Any] = json_schema()["$defs"]
    chip = definitions["ChipEntryFigures"]["properties"]
    assert "byte/s" in chip["memory_bandwidth"]["description"]
    rates = next(model for name, model in definitions.items() if name.endswith("Rates"))["properties"]
    assert set(rates) == set(nv.Rates.__dataclass_fields__)


def test_a_users_chip_has_its_figures_in_si_dense_one_way_and_per_package(mine: nv.Catalogue) -> None:
    chip = mine.chip("Slate One")
    assert (chip.name, chip.vendor, chip.kind) == ("slate-1", "Slate", "accelerator")
    assert chip.power == 800.0
    assert chip.memory == 96 * 2**30
    assert chip.memory_bandwidth == 4e12
    assert chip.scaleup_bandwidth == 400e9
    assert chip.price == 20e3
    assert chip.peak.bf16 == 5e14
    assert chip.peak.fp8 == 1e15
    assert chip.released == pytest.approx(2026.125)


def test_a_users_figures_name_their_sources(mine: nv.Catalogue) -> None:
    chip = mine.chip("slate-1")
    assert chip.source("memory_bandwidth").title == "Slate Inc., Slate datasheet"
    assert str(chip.source("memory_bandwidth")) == "2 TB/s (per die) <- Slate Inc., Slate datasheet, p. 2 [2026-02; vendor]"
    assert chip.source("power").document == "given in the file"
    assert chip.source("price").basis == "list"
    assert (chip.source("price").low, chip.source("price").high) == (18e3, 25e3)


def test_a_users_system_stands_on_a_users_chip_and_a_shipped_network(mine: nv.Catalogue) -> None:
    system = mine.system("slate-16")
    assert system.chip is mine.chip("slate-1")
    assert system.scaleup.name == "nvlink-5"
    assert system.scaleup_chips == 16.0
    assert system.power == pytest.approx(16e3)
    assert system.price == pytest.approx(400e3)
    assert system.peak("fp8") == 16e15
    assert nv.curves([system.replace(released=2026.2), mine.system("dgx-h100")]).growth().factor > 0.0


def test_a_system_of_a_shipped_chip_in_a_users_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[systems.my-node]\nchip = 'H200'\n[systems.my-node.figures]\nchips = '4'\npower = '4 kW'\n")
    system = nv.load(path).system("my-node")
    assert system.chip == nv.chip("h200")
    assert system.chip.source("power") == nv.chip("h200").source("power")
    assert system.power == 4e3


def test_a_users_file_changes_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[chips.h100-sxm.figures]\nmemory_bandwidth = '1 TB/s'\n")
    before = nv.chip("h100")
    changed = nv.load(path)
    assert changed.chip("h100-sxm").memory_bandwidth == 1e12
    assert nv.chip("h100-sxm") is before
    assert nv.catalogue.default().chip("h100-sxm").memory_bandwidth == before.memory_bandwidth == 3352e9
    assert changed.system("dgx-h100").chip.memory_bandwidth == 1e12
    assert nv.system("dgx-h100").chip.memory_bandwidth == 3352e9


def test_files_stack_and_the_later_one_counts(tmp_path: Path, mine: nv.Catalogue) -> None:
    path = tmp_path / "later.toml"
    path.write_text("[chips.slate-1.figures]\npower = '1 kW'\n")
    later = nv.load(path, mine)
    assert later.chip("slate-1").power == 1000.0
    assert mine.chip("slate-1").power == 800.0
    assert set(mine.names("chips")) == set(later.names("chips"))


@pytest.fixture
def _no_memory_of_packages() -> Any:
    full_catalogue.cache_clear()
    yield
    full_catalogue.cache_clear()


@pytest.mark.usefixtures("_no_memory_of_packages")
def test_an_installed_package_may_offer_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "offered.toml"
    path.write_text(MINE)
    asked = []

    class Point:
        name = "slate"

        def load(self) -> Any:
            return lambda: [path]

    def entry_points(*, group: str) -> list[Point]:
        asked.append(group)
        return [Point()]

    monkeypatch.setattr(metadata, "entry_points", entry_points)
    assert nv.chip("h100").name == "h100-sxm" and not asked, "a shipped name needs no look at other packages"
    assert nv.chip("slate-1").power == 800.0
    assert nv.system("slate-16").chips == 16.0
    assert asked == ["nvscale.catalogues"]
    with pytest.raises(nv.UnknownName, match="no chip 'slate-2'; did you mean 'slate-1'"):
        nv.chip("slate-2")
    assert "slate-1" not in nv.catalogue.default().names("chips")
