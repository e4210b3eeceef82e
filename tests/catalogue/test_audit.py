"""The audit of the data files: every figure has a source that exists, every source is cited, ranges and names hold."""

import collections
import re
from typing import Any

import pytest

import nvscale as nv
from nvscale.catalogue.figures import FLAGS, KEYS, calendar_year
from nvscale.formats import plain_name
from nvscale.units import dimension_of
from tests.catalogue.tables import KINDS, Written, entries, figures, files, kind_of

RECOLLECTION = "unverified-recollection"
KINDS_OF_FIGURES = ("vendor", "restated", "measured", "derived", "estimate")
# NVIDIA's parts for data centers, by the names under which people ask for them.
NVIDIA_PARTS = [
    "K20",
    "K20X",
    "K40",
    "K80",
    "P4",
    "P40",
    "P100",
    "P100-PCIe",
    "V100",
    "V100-SXM2-32GB",
    "V100-PCIe",
    "V100-PCIe-32GB",
    "V100S",
    "T4",
    "A2",
    "A10",
    "A10G",
    "A30",
    "A40",
    "A100",
    "A100-40GB",
    "A100-80GB",
    "A100-PCIe-40GB",
    "A100-PCIe-80GB",
    "A800",
    "L4",
    "L40",
    "L40S",
    "H20",
    "H100",
    "H100-PCIe",
    "H100-NVL",
    "H800",
    "H200",
    "H200-NVL",
    "GH200",
    "B100",
    "B200",
    "B300",
    "GB200",
    "GB300",
    "Grace",
    "Vera",
    "Rubin",
    "Rubin-CPX",
]
OTHER_PARTS = [
    "MI100",
    "MI210",
    "MI250X",
    "MI300A",
    "MI300X",
    "MI325X",
    "MI355X",
    "TPU-v4",
    "TPU-v5e",
    "TPU-v5p",
    "TPU-v6e",
    "TPU-v7x",
    "Trainium2",
    "Trainium3",
    "Gaudi2",
    "Gaudi3",
]


def _wrong(rule: Any) -> list[str]:
    return [str(one) for one in figures() if not rule(one)]


def test_there_are_figures_to_audit() -> None:
    assert len(figures()) > 2500
    assert {kind_of(name) for name in files()} == {*KINDS, "sources", "number_formats"}


@pytest.mark.parametrize("key", ["value", "unit", "source", "at", "date", "kind"])
def test_every_figure_says(key: str) -> None:
    assert not _wrong(lambda one: one.figure.get(key, "") != "")


def test_figures_have_no_other_keys() -> None:
    assert not _wrong(lambda one: set(one.figure) <= {*KEYS, *FLAGS})


def test_kinds_of_figures_are_known() -> None:
    assert not _wrong(lambda one: one.figure["kind"] in KINDS_OF_FIGURES)


def test_every_source_exists() -> None:
    known = {name for name, _ in entries("sources")}
    assert not _wrong(lambda one: one.figure["source"] in known)
    assert not [name for name, table in entries("number_formats") if table["source"] not in known or not table["at"]]


def test_every_source_is_cited() -> None:
    cited = {one.figure["source"] for one in figures()} | {table["source"] for _, table in entries("number_formats")}
    assert not sorted({name for name, _ in entries("sources")} - cited)


def test_every_source_says_what_it_is_and_when_it_was_read() -> None:
    unclear = [name for name, table in entries("sources") if not (table.get("title") and table.get("publisher") and table.get("read"))]
    assert not unclear
    assert not [name for name, table in entries("sources") if not re.fullmatch(r"20\d\d-\d\d(-\d\d)?", str(table["read"]))]


def test_most_sources_have_an_address() -> None:
    addressed = [name for name, table in entries("sources") if table.get("url") or table.get("via")]
    assert len(addressed) >= 0.75 * len(entries("sources"))
    assert not [
        table["url"] for _, table in entries("sources") if not re.match(r"https?://[\w.-]+", table.get("url") or "https://none.org")
    ]


def test_no_source_is_a_path_of_a_machine() -> None:
    """Provenance names documents, never files of the place where they were typed in."""
    words = [str(text) for _, table in entries("sources") for text in table.values()] + [str(one.figure) for one in figures()]
    assert not [text for text in words if re.search(r"(^|[\s'\"])/(home|root|tmp|Users)/|file://|\.csv row", text)]


@pytest.mark.parametrize("kind", [*KINDS, "sources", "number_formats"])
def test_no_name_stands_for_two_entries(kind: str) -> None:
    names = [{plain_name(name), *(plain_name(alias) for alias in table.get("aliases", ()))} for name, table in entries(kind)]
    counted = collections.Counter(name for own in names for name in own)
    assert not [name for name, times in counted.items() if times > 1]


@pytest.mark.parametrize("kind", ["chips", "networks", "systems"])
def test_names_are_in_plain_spelling(kind: str) -> None:
    assert not [name for name, _ in entries(kind) if name != plain_name(name)]


def test_no_alias_is_written_twice() -> None:
    written = [(name, alias) for kind in KINDS for name, table in entries(kind) for alias in table.get("aliases", ())]
    assert not [pair for pair, times in collections.Counter(written).items() if times > 1]


def _number(one: Written, key: str) -> float:
    value = one.figure[key]
    return calendar_year(value) if one.figure["unit"] == "date" else float(value)


def test_values_lie_in_their_ranges() -> None:
    ranged = [one for one in figures() if "low" in one.figure or "high" in one.figure]
    assert len(ranged) > 400
    assert not [str(one) for one in ranged if not {"low", "high"} <= set(one.figure)]
    assert not [str(one) for one in ranged if not _number(one, "low") <= _number(one, "value") <= _number(one, "high")]


def test_only_counts_have_a_range_of_no_width() -> None:
    """Recalled counts say low = high; anything else with such a range has none."""
    flat = [one for one in figures() if "low" in one.figure and _number(one, "low") == _number(one, "high")]
    assert not [str(one) for one in flat if one.figure["unit"] != "1"]


def test_recollections_are_estimates_with_a_range_and_a_note() -> None:
    recalled = [one for one in figures() if one.figure["source"] == RECOLLECTION]
    assert not [str(one) for one in recalled if one.figure["kind"] != "estimate" or not {"low", "high", "note"} <= set(one.figure)]
    assert len(recalled) < 0.1 * len(figures()), "the catalogue rests on documents"


def test_derived_figures_of_chips_and_systems_say_how() -> None:
    """The arithmetic stands in the note or in the place."""
    derived = [one for one in figures() if one.figure["kind"] == "derived" and one.kind in ("chips", "systems")]
    assert not [str(one) for one in derived if not one.figure.get("note") and not one.figure["at"]]


def test_flags_say_what_a_printed_value_counts() -> None:
    assert not _wrong(lambda one: not one.field.startswith("peak.") or "sparsity" in one.figure)
    assert not _wrong(lambda one: one.figure.get("sparsity") != "sparse" or one.figure.get("sparsity_factor", 0.0) > 1.0)
    assert not _wrong(lambda one: "bandwidth" not in one.field or one.field == "memory_bandwidth" or "direction" in one.figure)
    money = [one for one in figures() if dimension_of(one.figure["unit"] if one.figure["unit"] != "date" else "1") == {"USD": 1}]
    assert len(money) > 30
    assert not [str(one) for one in money if one.kind in ("chips", "systems") and "basis" not in one.figure]


def test_prices_of_the_list_say_their_basis_or_are_rates() -> None:
    unmarked = [
        one for one in figures() if one.kind == "prices" and one.figure["unit"].lstrip("kMGBT") == "USD" and "basis" not in one.figure
    ]
    assert not [str(one) for one in unmarked]


def test_dates_are_dates() -> None:
    stated = [one for one in figures() if not re.match(r"^(19|20)\d\d(-\d\d(-\d\d)?)?$", str(one.figure["date"]))]
    assert not [f"{one}: {one.figure['date']}" for one in stated]
    assert not _wrong(lambda one: (one.figure["unit"] == "date") == (one.field in ("released", "shipped")))


def test_announcement_and_shipment_are_kept_apart() -> None:
    """Both dates where both are known, each with its own source; and nothing ships before it is announced."""
    dated = {(one.kind, one.entry, one.field) for one in figures() if one.field in ("released", "shipped")}
    for kind, wanted in (("chips", 15), ("systems", 9)):
        both = [name for name, _ in entries(kind) if {(kind, name, "released"), (kind, name, "shipped")} <= dated]
        assert len(both) >= wanted, kind
        assert not [name for name, _ in entries(kind) if (kind, name, "released") not in dated]
    things: list[Any] = [*nv.chips(), *nv.systems()]
    assert not [t.name for t in things if t.released is not None and t.shipped is not None and t.released > t.shipped + 0.2]


def test_the_catalogue_is_large_enough() -> None:
    assert len(nv.chips()) >= 45
    assert len(nv.systems()) >= 25
    assert len(nv.networks()) >= 25
    assert len({chip.vendor for chip in nv.chips()}) >= 6


@pytest.mark.parametrize("part", [*NVIDIA_PARTS, *OTHER_PARTS])
def test_a_part_that_people_ask_for_is_there(part: str) -> None:
    chip = nv.chip(part)
    assert chip.precisions() or chip.kind == "cpu"
    assert chip.memory_bandwidth


def test_every_figure_that_is_published_carries_its_source_into_the_record() -> None:
    for chip in nv.chips():
        written = {one.field: one.figure for one in figures() if one.kind == "chips" and one.entry == chip.name}
        assert set(chip.sources) == set(written)
        assert all(chip.sources[field].document == figure["source"] for field, figure in written.items())
