"""Catalogue files that are broken: each problem is named by file, entry and field."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nvscale as nv
from tests.errors.cases import Case

CHIP = "[chips.slate.figures]\n"
SYSTEM = "[systems.hall]\nchip = 'h100'\n"


def loading(text: str | bytes) -> Callable[[], Any]:
    """Write a file of that text and load it."""

    def load() -> nv.Catalogue:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "mine.toml")
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
            return nv.load(path)

    return load


def _broken(name: str, text: str | bytes, *says: str) -> Case:
    return Case(f"file: {name}", loading(text), nv.CatalogueError, ("mine.toml", *says))


def _memory(figure: str) -> str:
    return f"{CHIP}memory = {{{figure}}}\n"


CASES = [
    # ------------------------------------------------------------------ files
    Case("file: missing", lambda: nv.load("no-such-folder/mine.toml"), nv.CatalogueError, ("mine.toml", "no such file")),
    Case("file: a folder", lambda: nv.load(tempfile.gettempdir()), nv.CatalogueError, (Path(tempfile.gettempdir()).name, "directory")),
    _broken("not TOML", "chips = = 3", "not a TOML file", "line 1"),
    _broken("not UTF-8", b"\xff\xfe[chips]", "not a TOML file"),
    _broken("empty", "", "empty", "[chips.my-chip]"),
    _broken("only a comment", "# later\n", "empty"),
    # ------------------------------------------------------------------ structure
    _broken("unknown kind", "[chipss.slate]\n", "chipss", "'chips'"),
    _broken("kind is a number", "chips = 3\n", "chips", "3"),
    _broken("entry is a number", "[chips]\nslate = 3\n", "chips.slate", "3"),
    _broken("no figures", "[chips.slate]\ntitle = 'Slate'\n", "chips.slate.figures is missing"),
    _broken("unknown key", "[chips.slate]\nvendr = 'me'\n" + CHIP, "chips.slate.vendr", "'vendor'"),
    _broken("unknown figure", CHIP + "memory_bandwith = '3 TB/s'\n", "memory_bandwith", "'memory_bandwidth'"),
    _broken("unknown rate", CHIP + "peak.fp9 = '1 TFLOP/s'\n", "peak.fp9", "'fp8'"),
    _broken("rates as one figure", CHIP + "peak = '1 TFLOP/s'\n", "peak", "'1 TFLOP/s'"),
    _broken("kind of chip", "[chips.slate]\nkind = 'fpga'\n" + CHIP, "chips.slate.kind", "'fpga'", "'gpu'"),
    _broken("system without a chip", "[systems.hall.figures]\nchips = '8'\n", "systems.hall.chip is missing"),
    _broken("system without a count", SYSTEM + "[systems.hall.figures]\npower = '8 W'\n", "hall", "chips", "missing"),
    _broken("document without a title", "[sources.book]\nyear = 2020\n", "sources.book.title is missing"),
    # ------------------------------------------------------------------ figures
    _broken("bare number", CHIP + "memory = 80\n", "memory", "80"),
    _broken("no unit", CHIP + "memory = '80'\n", "[slate] memory", "'byte'"),
    _broken("wrong unit", CHIP + "memory = '80 W'\n", "[slate] memory", "'W'", "'byte'"),
    _broken("ambiguous unit", CHIP + "memory_bandwidth = '400 Gbps'\n", "[slate] memory_bandwidth", "ambiguous", "'Gb/s'"),
    _broken("negative", CHIP + "memory = '-80 GB'\n", "[slate] memory", "-80000000000.0", "zero or above"),
    _broken("nan", _memory("value = nan, unit = 'GB'"), "[slate] memory", "nan"),
    _broken("truth value", _memory("value = true, unit = 'GB'"), "memory", "True"),
    _broken("text as value", _memory("value = '80', unit = 'GB'"), "memory", "'80'", "not a number"),
    _broken("value missing", _memory("unit = 'GB'"), "memory.value is missing"),
    _broken("unit missing", _memory("value = 80"), "memory.unit is missing"),
    _broken("key misspelt", _memory("value = 80, unit = 'GB', sorce = 'x'"), "memory.sorce", "'source'"),
    _broken(
        "outside its range", _memory("value = 80, unit = 'GB', low = 90, high = 100"), "memory", "80", "outside its range", "90", "100"
    ),
    _broken("range below zero", _memory("value = 80, unit = 'GB', low = -5, high = 100"), "memory", "-5000000000.0"),
    _broken("sparsity", CHIP + "peak.fp8 = {value = 1, unit = 'TFLOP/s', sparsity = 'sprase'}\n", "sparsity", "'sprase'", "'sparse'"),
    _broken(
        "sparse without factor", CHIP + "peak.fp8 = {value = 1, unit = 'TFLOP/s', sparsity = 'sparse'}\n", "peak.fp8", "sparsity_factor"
    ),
    _broken(
        "sparse by nothing",
        CHIP + "peak.fp8 = {value = 1, unit = 'TFLOP/s', sparsity = 'sparse', sparsity_factor = 0}\n",
        "peak.fp8",
        "sparsity_factor",
    ),
    _broken(
        "direction",
        CHIP + "scaleup_bandwidth = {value = 1, unit = 'TB/s', direction = 'two way'}\n",
        "direction",
        "'two way'",
        "'both ways'",
    ),
    _broken("per", _memory("value = 80, unit = 'GB', per = 'chip'"), "per", "'chip'", "'package'"),
    _broken("kind of figure", _memory("value = 80, unit = 'GB', kind = 'guess'"), "kind", "'guess'", "'estimate'"),
    _broken("basis", CHIP + "price = {value = 80, unit = 'USD', basis = 'msrp'}\n", "basis", "'msrp'", "'list'"),
    _broken("no such month", CHIP + "shipped = {value = '2022-13', unit = 'date'}\n", "[slate] shipped", "'2022-13'", "2022-10"),
    _broken("no date", CHIP + "shipped = {value = 'soon', unit = 'date'}\n", "[slate] shipped", "'soon'", "2022-10"),
    _broken("date as memory", _memory("value = '2022', unit = 'date'"), "[slate] memory", "date"),
    _broken("half a chip", SYSTEM + "[systems.hall.figures]\nchips = '0.5'\n", "[hall] chips", "0.5", "one or above"),
    _broken(
        "share above one",
        "[networks.wire.figures]\nbandwidth = '1 GB/s'\nachieved_share = '2'\n",
        "wire",
        "achieved_share",
        "2.0",
        "from 0 to 1",
    ),
    _broken("price that is none", "[prices.slate.figures]\namount = 3\n", "slate", "amount", "3"),
    _broken("price in no unit", "[prices.slate.figures]\namount = {value = 3, unit = 'Gbps'}\n", "slate", "amount", "'Gbps'"),
    # ------------------------------------------------------------------ names
    _broken("dangling chip", "[systems.hall]\nchip = 'h1000'\n[systems.hall.figures]\nchips = '8'\n", "[hall] chip", "'h1000'", "'h100'"),
    _broken(
        "dangling network",
        SYSTEM + "scaleup_network = 'nvlink-44'\n[systems.hall.figures]\nchips = '8'\n",
        "[hall] scaleup_network",
        "'nvlink-4'",
    ),
    _broken("alias of no text", "[chips.slate]\naliases = [5]\n" + CHIP, "chips.slate.aliases", "5"),
    # ------------------------------------------------------------------ all at once
    _broken(
        "three problems",
        CHIP + "memory_bandwidth = '3 GBB/s'\npower = '-4 W'\nprice = '3 W'\n",
        "memory_bandwidth",
        "power",
        "price",
        "'GBB'",
    ),
]
