"""Every command, for people and for programs: exit code 0, tables with the expected names, JSON without NaN or Infinity."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from nvscale import __version__
from nvscale.cli.application import application

RUNNER = CliRunner()
# Arguments, and names that the table must show.
COMMANDS: dict[str, tuple[list[str], tuple[str, ...]]] = {
    "chips": (["chips"], ("h100-sxm", "mi355x", "tpu-v7x", "3.352", "chips")),
    "chips of a vendor": (["chips", "--vendor", "AMD"], ("mi300x", "mi355x")),
    "chips of a format": (["chips", "--precision", "fp4"], ("b200", "rubin", "gb300")),
    "one chip": (["chips", "H100_SXM"], ("memory_bandwidth", "NVIDIA", "Table 3", "vendor", "peak.fp8")),
    "networks": (["networks"], ("nvlink-5", "infiniband-ndr", "tpu-ici-v5p")),
    "one network": (["networks", "nvlink-5"], ("bandwidth", "900 GB/s")),
    "systems": (["systems"], ("dgx-h100", "gb200-nvl72", "tpu-v5p-pod", "cs-3")),
    "systems of a level": (["systems", "--level", "rack"], ("gb200-nvl72", "vera-rubin-nvl72")),
    "one system of the list": (["systems", "dgx-a100"], ("performance", "6.5 kW")),
    "system": (["system", "gb200-nvl72"], ("chip", "rack", "720 PFLOP/s", "120 kW")),
    "system at a format": (["system", "dgx-h100", "--precision", "bf16"], ("989.4 TFLOP/s", "10.2 kW")),
    "system as a site": (["system", "gb200-nvl72", "--power", "100 MW", "--pue", "1.2"], ("datacenter", "rack", "EFLOP/s")),
    "prices": (["prices"], ("dgx-1-p100-2016", "129")),
    "one price": (["prices", "dgx-1-p100-2016"], ("129", "list")),
    "energy": (["energy"], ("horowitz-2014-int8-add",)),
    "trends": (["trends"], ("moore-1975", "Koomey")),
    "fleets": (["fleets"], ("llama-3.1-405b", "0.003789", "failure_rate")),
    "one grid": (["emissions", "grid-us-2021"], ("379.26 g/kWh", "CodeCarbon")),
    "one trend": (["trends", "moore-1975"], ("growth", "1.414")),
    "sources": (["sources"], ("nvidia-h100-whitepaper", "documents")),
    "one source": (["sources", "nvidia-h100-whitepaper"], ("title", "NVIDIA")),
    "roofline": (["roofline", "h100", "b200"], ("h100-sxm", "b200", "295", "1169", "FLOP/s")),
    "roofline of a format": (["roofline", "b200", "--precision", "fp4"], ("1169",)),
    "curves": (["curves"], ("dgx-1-p100", "vera-rubin-nvl72", "14858", "2.519", "mixes price bases", "vector rate")),
    "curves of a format": (["curves", "dgx-a100", "dgx-h100", "--precision", "bf16"], ("dgx-a100", "dgx-h100")),
    "curves of chips": (["curves", "--level", "chip", "--precision", "fp64-vector"], ("p100", "rubin")),
    "curves of sites": (["curves", "--level", "datacenter", "--power", "50 MW", "--pue", "1.1"], ("gb200", "datacenter")),
    "laws": (["laws"], ("chinchilla/besiroglu-2024", "unverified", "families: chinchilla", "53 scaling laws")),
    "laws of a family": (["laws", "precision"], ("precision/kumar-2024", "2 scaling laws")),
    "one law": (["laws", "chinchilla/besiroglu-2024"], ("482.01", "Besiroglu", "table 1", "runs with compute")),
    "an unverified law": (["laws", "distillation/busbridge-2025"], ("never read in a source: A_student", "from memory")),
    "best use of compute": (["laws", "--compute", "5.76e23"], ("32.19e9", "40.36e9", "72.25e9", "extrapolated", "delta method")),
    "best use by one law": (["laws", "chinchilla/besiroglu-2024", "--compute", "1 ZFLOP"], ("billion", "interval: delta method")),
    "fit": (["fit", "--data", "chinchilla-figure-4", "--resamples", "50"], ("alpha", "0.3473", "0.0010182740177", "random starts")),
    "fit and use": (["fit", "--data", "chinchilla-figure-4", "--starts", "0", "--compute", "1e21"], ("1000 resamples", "billion")),
    "approach 2": (["fit", "--data", "chinchilla-figure-4", "--approach", "2", "--compute", "5.76e23"], ("exponent", "0.508")),
    "fit of least squares": (
        ["fit", "--data", "overtraining", "--form", "overtraining", "--train-set", "rpj", "--method", "least squares", "--hold-out", "0.1"],
        ("eta", "held out"),
    ),
    "plan a run": (
        ["plan", "run", "llama-3.1-8b", "--tokens", "15e12", "--on", "dgx-h100", "--gpus", "1024", "--tp", "1", "--failures", "rsc-1"],
        ("days", "energy, MWh", "carbon, t CO2", "90 %", "cloud", "amortised", "purchase", "goodput"),
    ),
    "plan a site": (
        ["plan", "site", "--on", "gb200-nvl72", "--power", "100 MW", "--pue", "1.2", "--energy-price", "0.06 USD/kWh"],
        ("49968", "124.9 EFLOP/s", "power binds", "facility", "USD per chip-hour", "share of"),
    ),
    "plan a site for a budget": (
        ["plan", "site", "--on", "dgx-b200", "--power", "100 MW", "--budget", "1 BUSD"],
        ("budget binds", "network", "retirement age", "cost over market rent"),
    ),
    "plan a site without a price": (["plan", "site", "--on", "gb300-nvl72", "--power", "100 MW"], ("no price of gb300", "power binds")),
    "power of a system": (["power", "dgx-h100", "--pue", "1.2"], ("nameplate", "12.24 kW", "training", "provisioned")),
    "power of a chip": (["power", "b200", "--load", "training"], ("training", "assumed")),
    "validate": (["validate", "--kind", "gemm"], ("bf16 h100_sxm", "nvfp4 gb200", "MAPE", "bias", "all", "2133")),
    "validate operators": (["validate", "--kind", "operators"], ("matmul mi210", "gelu a100_sxm", "interval")),
    "serve": (
        ["serve", "llama-3.1-70b", "--on", "dgx-h100", "--concurrency", "32", "--precision", "fp8", "--engine", "vllm", "--tp", "8"],
        ("TTFT", "TPOT", "tokens per second per GPU", "1 x tp 8 on 8 GPUs", "prefills of others", "USD per million", "engine vllm"),
    ),
    "serve with limits": (
        ["serve", "llama-3.1-8b", "--on", "h100", "--concurrency", "64", "--slo-tpot", "20 ms", "--slo-ttft", "1 s", "--percentile", "0.9"],
        ("TTFT of 0.9 of the requests", "TPOT within its limit yes", "TTFT within its limit", "most users of an instance"),
    ),
    "serve arrivals": (
        ["serve", "deepseek-v3", "--on", "gb200-nvl72", "--rate", "20", "--precision", "fp8", "--ep", "64", "--rent", "4 USD/h"],
        ("20 requests/s", "requests that run", "expert weights"),
    ),
    "serve search": (
        ["serve", "llama-3.1-70b", "--on", "dgx-b200", "--gpus", "16", "--concurrency", "64", "--precision", "fp8", "--search"],
        ("layouts of an instance", "tp 8", "on 16 GPUs"),
    ),
    "size": (
        [
            *("size", "llama-3.1-70b", "--on", "dgx-h100", "--on", "dgx-b200", "--users", "2000", "--tokens-per-second-per-user", "50"),
            *("--slo-ttft", "2 s", "--precision", "fp8", "--spare", "1", "--percentile", "0.95"),
        ],
        ("2000 users at 50 tokens/s each", "dgx-b200", "why the others lose", "binds"),
    ),
    "frontier": (
        ["frontier", "llama-3.1-70b", "--on", "dgx-h100", "--on", "dgx-b200", "--precision", "fp8", "--precision", "fp4", "--per", "usd"],
        ("dgx-b200", "tp 8", "h100-sxm has no fp4 rate"),
    ),
    "report": (["report"], ("14858", "Moore", "dgx-1-p100", "vera-rubin-nvl72", "PUE", "datacenter", "mixes price bases")),
    "report of some": (["report", "dgx-a100", "dgx-h100", "dgx-b200"], ("dgx-a100", "dgx-b200", "log share")),
    "report with prices": (
        ["report", "dgx-a100", "dgx-h100", "--energy-price", "0.04 USD/kWh", "--life", "4 year", "--discount-rate", "0.1"],
        ("dgx-h100", "given by the caller"),
    ),
}


def run(arguments: list[str]) -> str:
    """The output of a command that succeeds."""
    result = RUNNER.invoke(application, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def read(text: str) -> Any:
    """JSON, strictly: no NaN, no Infinity."""

    def refuse(constant: str) -> float:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_shows_what_was_asked_for(name: str) -> None:
    arguments, expected = COMMANDS[name]
    text = run(arguments)
    words = re.sub(r"(?<=\d),(?=\d{3})", "", re.sub(r"\s+", " ", text))
    assert [one for one in expected if one not in words] == []
    assert not re.search(r"\bnan\b|\bNone\b|object at 0x|np\.float64", text)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_json_is_plain(name: str) -> None:
    arguments, _ = COMMANDS[name]
    data = read(run([*arguments, "--json"]))
    assert data
    assert not list(_odd_text(data))


def _odd_text(data: Any, path: str = "") -> Any:
    """Numbers that became text: 'inf', 'nan', the repr of an object."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _odd_text(value, f"{path}.{key}")
    elif isinstance(data, list):
        for i, value in enumerate(data):
            yield from _odd_text(value, f"{path}[{i}]")
    elif isinstance(data, str) and re.fullmatch(r"-?(inf|nan)|<.* object .*>|np\..*", data):
        yield path, data


EXPLAINED = (
    ["laws", "kaplan", "--compute", "1e21"],
    ["system", "dgx-h100"],
    ["curves", "dgx-a100", "dgx-h100"],
    ["roofline", "h100"],
    ["report", "dgx-a100", "dgx-h100"],
)


@pytest.mark.parametrize("arguments", [*EXPLAINED, ["chips", "--vendor", "Intel"]], ids=" ".join)
def test_explain_goes_down_to_documents(arguments: list[str]) -> None:
    plain, explained = run(arguments), run([*arguments, "--explain"])
    assert len(explained) > len(plain)
    assert re.search(r"(<-|:) .*(white paper|whitepaper|Datasheet|datasheet|Table|table)", explained, re.I)


def test_json_of_a_chip_has_value_unit_and_source() -> None:
    chip = read(run(["chips", "h100", "--json"]))
    assert chip["name"] == "h100-sxm"
    figure = chip["figures"]["memory_bandwidth"]
    assert (figure["value"], figure["unit"]) == (3352e9, "byte/s")
    assert "3352 GB/s <- " in figure["source"]
    assert chip["figures"]["peak.fp8"]["value"] == 1978.9e12


def test_json_of_a_system_has_levels_of_trees() -> None:
    system = read(run(["system", "gb200-nvl72", "--json", "--power", "100 MW", "--pue", "1.2"]))
    assert system["chips"] == 694 * 72
    assert list(system["levels"]) == ["chip", "node", "rack", "datacenter"]
    power = system["levels"]["rack"]["power"]
    assert power["value"] == pytest.approx(120e3) and power["unit"] == "W" and power["how"] == "sum of"
    assert sum(term["value"] for term in power["terms"].values()) == pytest.approx(120e3)


def test_json_of_a_roofline_names_the_rate() -> None:
    (p100,) = read(run(["roofline", "p100", "--json"]))
    assert p100["precisions"]["fp16"]["rate"] == "fp16_vector"
    assert p100["precisions"]["fp16"]["ridge_point_flop_per_byte"] == pytest.approx(28.95, rel=1e-3)


def test_json_of_the_report_has_every_table_of_the_report() -> None:
    data = read(run(["report", "--json"]))
    assert set(data) == {"curves", "tables", "assumptions"}
    text = re.sub(r"\s+", " ", run(["report"]))
    assert all(table["title"] in text for table in data["tables"].values())
    assert any("PUE" in line for line in data["assumptions"])


def test_prices_of_the_caller_count() -> None:
    cheap, dear = (
        read(run(["curves", "--level", "system", "--energy-price", price, "--json"]))["system"]["lowest"]["growth"]["cost rate"]
        for price in ("0.01 USD/kWh", "0.5 USD/kWh")
    )
    assert cheap != dear


def test_a_catalogue_file_of_the_users_is_listed_shown_and_used(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(
        "[chips.slate.figures]\nreleased = {value = '2026-02', unit = 'date'}\npower = '500 W'\nmemory = '64 GB'\n"
        "memory_bandwidth = '2 TB/s'\n[chips.slate.figures.peak]\nbf16 = '200 TFLOP/s'\n"
        "[systems.slate-8]\nchip = 'slate'\n[systems.slate-8.figures]\nchips = '8'\npower = '5 kW'\n"
        "released = {value = '2026-02', unit = 'date'}\n"
    )
    added = ["--catalogue", str(mine)]
    assert "slate" in run(["chips", *added])
    assert read(run(["chips", "slate", "--json", *added]))["figures"]["power"]["value"] == 500.0
    assert "slate" in run(["roofline", "slate", *added])
    assert read(run(["system", "slate-8", "--json", *added]))["chips"] == 8.0
    assert "slate-8" in run(["curves", "dgx-a100", "slate-8", "--precision", "bf16", *added])


def test_schema_is_a_json_schema() -> None:
    assert read(run(["schema"]))["$schema"].startswith("https://json-schema.org/")


def test_a_system_without_a_rate_shows_what_is_known_of_it() -> None:
    """One wafer has no published dense rate; its power and price are known and shown."""
    line = next(line for line in run(["systems"]).splitlines() if line.startswith("cs-3"))
    assert "23" in line and "2.5" in line
    text = run(["system", "cs-3"])
    assert "23 kW" in text


def test_version_and_help() -> None:
    assert run(["--version"]).strip() == f"nvscale {__version__}"
    text = run(["--help"])
    commands = [line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line.startswith("  ") and line[2] != " "]
    assert {command for arguments, _ in COMMANDS.values() for command in arguments[:1]} | {"schema"} <= set(commands)
    for command in commands:
        assert "Usage:" in run([command, "--help"])


def test_json_of_serving_has_the_names_that_programs_read() -> None:
    command = [
        "serve",
        "llama-3.1-70b",
        "--on",
        "dgx-h100",
        "--concurrency",
        "32",
        "--precision",
        "fp8",
        "--tp",
        "8",
        "--slo-tpot",
        "20 ms",
    ]
    data = read(run([*command, "--json"]))
    names = {"ttft_s", "tpot_s", "tokens_per_second_per_user", "tokens_per_second_per_gpu", "usd_per_million_tokens", "joules_per_token"}
    assert all(isinstance(data[name], float) for name in names)
    assert data["tpot_s"] == data["value"] == 1.0 / data["tokens_per_second_per_user"]
    assert data["layout"]["tp"] == data["layout"]["gpus"] == 8
    assert data["slo"] == {"tpot": True} and data["most_users_of_an_instance"] > 32


def test_explained_serving_goes_down_to_documents() -> None:
    command = ["serve", "llama-3.1-70b", "--on", "dgx-h100", "--concurrency", "32", "--precision", "fp8"]
    text = run([*command, "--explain"])
    assert all(word in text for word in ("static power", "ML.ENERGY", "energy price of Prices", "capital recovery"))
