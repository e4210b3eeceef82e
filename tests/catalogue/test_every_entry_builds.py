"""Every entry of the catalogue makes a record that rolls up, shows its levels and names its sources."""

import json
import math

import pytest

import nvscale as nv
from nvscale.estimators.fleets import METRICS, measure_all
from nvscale.formats import precisions
from nvscale.record import walk
from tests.catalogue.tables import entries

CHIPS, NETWORKS, SYSTEMS = ([name for name, _ in entries(kind)] for kind in ("chips", "networks", "systems"))
LINKS_WITHOUT_RATE = {name for name, table in entries("networks") if "bandwidth" not in table["figures"]}
PRICES = nv.prices()


@pytest.mark.parametrize("name", CHIPS)
def test_a_chip_builds_and_is_found_by_all_its_names(name: str) -> None:
    chip = nv.chip(name)
    table = dict(entries("chips"))[name]
    assert chip.name == name
    assert all(nv.chip(alias) is chip for alias in table.get("aliases", ()))
    assert nv.chip(name.upper().replace("-", "_")) is chip
    assert chip.year is not None
    assert repr(chip).startswith("Chip(name=")


@pytest.mark.parametrize("name", CHIPS)
def test_a_chip_serves_the_formats_that_it_lists(name: str) -> None:
    chip = nv.chip(name)
    for number_format in chip.precisions():
        assert chip.rate(number_format) == getattr(chip.peak, chip.rate_name(number_format)) > 0.0
        assert chip.source(f"peak.{chip.rate_name(number_format)}").document != "caller"
        assert chip.ridge_point(number_format) == chip.rate(number_format) / chip.memory_bandwidth
    absent = [p for p in precisions() if not any(getattr(chip.peak, rate) for rate in p.rates)]
    for one in absent:
        unread = set(one.rates) & set(chip.unread)
        message = f"{name}: its {one.name} rate was not read" if unread else f"{name} has no {one.name} rate"
        with pytest.raises(nv.MissingPrecision, match=message):
            chip.rate(one)


@pytest.mark.parametrize("name", CHIPS)
def test_every_known_figure_of_a_chip_has_a_source(name: str) -> None:
    for leaf in walk(nv.chip(name)):
        assert leaf.value == 0.0 or leaf.source.title, leaf.path
        assert leaf.value == 0.0 or leaf.source.kind != "given", leaf.path


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_builds_or_says_what_is_missing(name: str) -> None:
    if name in LINKS_WITHOUT_RATE:
        with pytest.raises(nv.MissingFigure, match="no bandwidth"):
            nv.network(name)
        return
    network = nv.network(name)
    assert network.source("bandwidth").document != "caller"
    assert network.span == math.inf
    assert 0.0 < network.bisection(8.0) < math.inf


def test_networks_without_a_rate_are_few() -> None:
    assert len(LINKS_WITHOUT_RATE) <= 10
    assert len(nv.networks()) == len(NETWORKS) - len(LINKS_WITHOUT_RATE)


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_builds_and_rolls_up_or_names_what_is_missing(name: str) -> None:
    system = nv.system(name)
    for figure in ("power", "price"):
        try:
            assert getattr(system, figure) > 0.0
        except nv.MissingFigure as problem:
            assert name in str(problem) and f"no {figure} of" in str(problem)
            assert "replace(" in str(problem)
    assert system.memory == system.chips * system.chip.memory
    assert system.scale(8 * system.chips).chips == 8 * system.chips


@pytest.mark.parametrize("name", SYSTEMS)
def test_levels_go_from_one_chip_to_the_whole(name: str) -> None:
    system = nv.system(name)
    levels = system.levels()
    sizes = [level.chips for level in levels.values()]
    assert next(iter(levels)) == "chip" or system.chips == 1.0
    assert sizes[0] == 1.0
    assert sizes == sorted(sizes) and sizes[-1] == system.chips
    assert list(levels.values())[-1] is system


@pytest.mark.parametrize("name", SYSTEMS)
def test_every_metric_is_an_estimate_or_a_reason_and_explains_itself(name: str) -> None:
    system = nv.system(name)
    has_rates = bool(system.chip.precisions())  # none is published for one wafer
    known, missing = measure_all(system, system.chip.lowest_precision() if has_rates else "bf16", PRICES)
    assert set(known) | set(missing) == set(METRICS)
    assert not set(known) & set(missing)
    assert {"memory", "memory bandwidth"} <= set(known)
    assert ("performance" in known) == has_rates
    for metric, estimate in known.items():
        assert 0.0 < estimate.value < math.inf, metric
        assert estimate.unit == METRICS[metric].unit
        assert json.loads(json.dumps(estimate.to_dict(), allow_nan=False))["value"] == estimate.value
    assert all(reason for reason in missing.values())


@pytest.mark.parametrize("name", SYSTEMS)
def test_explain_goes_down_to_printed_figures(name: str) -> None:
    system = nv.system(name)
    if not system.chip.precisions():
        return
    for level, metrics in nv.rooflines(system).items():
        for metric in ("performance", "memory bandwidth", "power"):
            if metric not in metrics:
                continue
            text = metrics[metric].explain()
            sources = metrics[metric].sources()
            assert "<- " in text and sources, (level, metric)
            assert all(source.printed and source.title for source in sources if source.kind != "given"), (level, metric)


@pytest.mark.parametrize("name", [one.name for one in precisions()])
def test_a_number_format_is_whole(name: str) -> None:
    one = nv.precision(name)
    assert one.rates and one.bits >= 4
    assert one.source("bits").document
    assert one.kind != "float" or 1.0 + one.exponent_bits + one.mantissa_bits <= one.bits
    assert one.stored_bits >= one.bits
    assert set(one.rates) <= set(nv.Rates.__dataclass_fields__)


def test_the_catalogue_finds_every_document_that_figures_cite() -> None:
    catalogue = nv.catalogue.default()
    for chip in nv.chips():
        for source in chip.sources.values():
            assert catalogue.document(source.document)["title"]
