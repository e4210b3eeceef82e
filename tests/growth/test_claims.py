"""Claims: every verdict follows from figures in data files, recomputed here in another way, and nothing is typed in."""

import ast
import copy
import csv
import json
import math
import statistics
from importlib import resources
from pathlib import Path

import pytest

import nvscale as nv
from nvscale.evidence import tables
from nvscale.evidence.checks import checks, run
from nvscale.evidence.checks import growth as growth_checks
from nvscale.evidence.findings import VERDICTS, Finding, verdict

ALL = nv.claims()
DATA = resources.files("nvscale.evidence").joinpath("data")


def by_level(name):
    return {finding.level: finding for finding in nv.claims(name)[0].findings}


def rows(name):
    return list(csv.DictReader(DATA.joinpath(f"{name}.csv").read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_every_claim_is_complete_and_its_verdict_follows_from_its_findings(claim):
    assert claim.id == f"T{ALL.index(claim) + 1}"
    assert all((claim.title, claim.statement, claim.source, claim.at, claim.date, claim.decides, claim.data))
    deciding = [finding for finding in claim.findings if finding.holds is not None]
    holding = [finding.level for finding in deciding if finding.holds]
    expected = "not testable" if not deciding else "not supported" if not holding else "supported"
    assert claim.verdict.startswith(expected)
    assert claim.verdict.startswith(VERDICTS)
    assert ("only" in claim.verdict) == (0 < len(holding) < len(deciding))
    assert math.isfinite(claim.value)
    assert all(finding.method for finding in claim.findings)


def test_at_most_two_claims_are_not_testable_and_they_say_why():
    untested = [claim for claim in ALL if claim.verdict == "not testable"]
    assert [claim.id for claim in untested] == ["T13"]
    assert all(claim.reason for claim in untested)


def test_no_verdict_and_no_figure_of_a_claim_stands_in_code():
    """The data file holds no verdict, and the code of the checks no verdict words."""
    text = DATA.joinpath("claims.toml").read_text(encoding="utf-8")
    assert not any(f'"{word}' in text for word in VERDICTS)
    folder = Path(growth_checks.__file__).parent
    for path in folder.glob("*.py"):
        words = [node.value for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Constant)]
        assert not any(word in VERDICTS for word in words)


def test_verdicts_move_with_the_data(monkeypatch):
    """Five times the speed in the logs would turn the verdict on Hopper; half the tokens a year in 2024 that on growth."""
    real = tables.history("mlperf-training")
    faster = copy.deepcopy(real.rows)
    for row in faster:
        if row["round"] in ("v4.0", "v4.1"):
            row["minutes"] = str(float(row["minutes"]) / 5.0)

    def history(name):
        return tables.History(**{**vars(real), "rows": faster}) if name == "mlperf-training" else tables.history(name)

    monkeypatch.setattr("nvscale.evidence.software.history", history)
    assert verdict(run("same_hardware_gain", {"at_least": 5.0})) == "supported at level training, median; training, best only"


# ---------------------------------------------------------------------- the same numbers by another way


def test_t1_t2_the_vendors_table():
    """G14, G15: 220 EFLOP/s from 1, 1375e12 tokens from 50e9, 21 MW from 37, eight years."""
    found = rows("nvidia-data-centre")
    first, last = found[0], found[-1]
    ends = {
        "exaflop_per_s": (None, 1.96247),
        "tokens_per_year": (None, 3.58853),
        "tokens_per_mw": ("power_mw", 3.85181),
        "flop_per_gpu": ("gpus", 2.34679),
    }
    columns = {"tokens_per_mw": "tokens_per_year", "flop_per_gpu": "exaflop_per_s"}
    for name, (under, expected) in ends.items():
        column = columns.get(name, name)
        ratio = float(last[column]) / float(first[column]) / (float(last[under]) / float(first[under]) if under else 1.0)
        assert ratio ** (1 / 8) == pytest.approx(expected, rel=1e-5)
        assert growth_checks.vendor_growth(column, under)[1] == pytest.approx(expected, rel=1e-5)
    share = by_level("T5")["share of tokens per FLOP, site"].value
    assert share == pytest.approx(0.472348, abs=1e-5)
    assert by_level("T1")["vendor's site of 1e9 USD, tokens per MW"].value == pytest.approx(3.71, abs=0.005)


def test_t1_to_t3_agree_with_the_curves():
    chip, machine = nv.curves(level="chip").growth().fitted, nv.curves().growth().fitted
    site = nv.curves(level="datacenter")
    assert by_level("T1")["chip, performance"].value == chip.per_year
    assert by_level("T1")["site of fixed power, peak"].value == site.growth("performance per watt").fitted.per_year
    assert by_level("T2")["site, energy per peak operation"].value == pytest.approx(1 / site.growth("energy per flop").fitted.per_year)
    moore = math.log(2) / 2
    assert by_level("T3")["machine as sold"].value == pytest.approx(math.log(machine.per_year) / moore, rel=1e-3)


def test_t4_the_process_is_the_lesser_part():
    assert by_level("T4")["share of the process in Huang's law"].value == pytest.approx(0.132647, abs=1e-6)
    exponent = by_level("T4")["work per joule over feature size"]
    known = [row for row in rows("ml-hardware") if row["process_nm"] and row["fp32_flop_per_s"] and row["power_w"]]
    chosen = [row for row in known if row["used_in_ml_models"] == "1" and row["release"]]
    x = [-math.log(float(row["process_nm"])) for row in chosen]
    y = [math.log(float(row["fp32_flop_per_s"]) / float(row["power_w"])) for row in chosen]
    assert exponent.value == pytest.approx(statistics.linear_regression(x, y).slope, rel=1e-9)
    assert exponent.high < 2.0


def test_t6_precision_law():
    """S28: 1.85422 at 8 bits, 2.56398 at 4 bits; on a ladder of twofold steps they are what is left of 2 and 4."""
    found = by_level("T6")
    assert found["bf16 to fp8, training at equal loss"].value == pytest.approx(1.85422, rel=1e-5)
    assert found["bf16 to fp4, training at equal loss"].value == pytest.approx(2.56398, rel=1e-5)
    assert 1.0 < found["bf16 to fp8, measured product"].value < found["bf16 to fp8, peak"].value


def test_t7_reduction_in_the_switch_has_its_bound():
    """Without latency the gain is 2 (p - 1) / p = 1.75 for eight chips."""
    assert by_level("T7")["all-reduce of 128 MB in the switch"].value == pytest.approx(1.75, rel=0.03)


def test_t9_hopper_from_the_logs_themselves():
    minutes = {(row["benchmark"], row["gpus"], row["round"]): float(row["minutes"]) for row in rows("mlperf-training")}
    gpt = {name: minutes["gpt3-175b", "512", name] for name in ("v3.0", "v4.0", "v4.1")}
    assert gpt["v3.0"] / gpt["v4.0"] == pytest.approx(1.2668, rel=1e-4)
    assert minutes["bert", "8", "v2.1"] / minutes["bert", "8", "v3.0"] == pytest.approx(1.157, rel=1e-3)
    assert minutes["stable_diffusion", "1024", "v3.1"] / minutes["stable_diffusion", "1024", "v4.0"] == pytest.approx(1.740, rel=1e-3)
    efficiency = minutes["gpt3-175b", "512", "v4.0"] / minutes["gpt3-175b", "11616", "v4.0"] / (11616 / 512)
    assert efficiency == pytest.approx(0.64919, rel=1e-4)
    found = by_level("T9")
    assert found["training, best"].value == pytest.approx(1.740, rel=1e-3)
    assert found["inference, best"].value == pytest.approx(279.74 / 82.26, rel=1e-6)
    assert max(finding.value for finding in found.values()) < 5.0


def test_inference_per_chip():
    """H05, H06: H200 over H100 1.42158, B200 over H100 4.13975, GB300 over GB200 by DeepSeek-R1."""
    table = rows("mlperf-inference")

    def per_chip(gpu, round_name, benchmark):
        found = [
            row for row in table if (row["gpu"], row["round"], row["benchmark"], row["scenario"]) == (gpu, round_name, benchmark, "Offline")
        ]
        return max(float(row["tokens_per_s"]) / int(row["gpus"]) for row in found)

    h100 = per_chip("h100-sxm", "v4.1", "llama2-70b-99")
    assert per_chip("h200-sxm", "v4.1", "llama2-70b-99") / h100 == pytest.approx(1.42158, rel=1e-5)
    assert per_chip("b200", "v5.1", "llama2-70b-99") / h100 == pytest.approx(4.13975, rel=1e-5)
    assert per_chip("gb200", "v5.1", "deepseek-r1") == pytest.approx(4023.78, rel=1e-5)
    assert per_chip("gb300", "v5.1", "deepseek-r1") == pytest.approx(5842.49, rel=1e-5)


def test_t12_240_taken_apart():
    """G08 to G12, G20: 240 = 2 x 7.2 x 16.67; 38.62 a year on 18 months and 58.48 by the dates; 19.11 and 10 at fixed capability."""
    from nvscale.evidence.token_prices import at_fixed_capability, price_fall

    fall = price_fall()
    assert fall.total == 240.0
    assert math.prod(fall.stages.values()) == pytest.approx(240.0, rel=1e-12)
    assert list(fall.shares.values()) == pytest.approx([0.1265, 0.3602, 0.5133], abs=1e-4)
    assert price_fall(years=1.5).per_year == pytest.approx(38.6196, rel=1e-4)
    assert fall.per_year == pytest.approx(58.48, rel=1e-4)
    assert (price_fall(years=1.5).halving_months, fall.halving_months) == (pytest.approx(2.2765, rel=1e-4), pytest.approx(2.0443, rel=1e-4))
    assert at_fixed_capability("gpt-3.5").total == pytest.approx(285.714, rel=1e-4)
    assert at_fixed_capability("gpt-3.5").per_year == pytest.approx(19.11, rel=3e-4)
    assert at_fixed_capability("gpt-3").per_year == pytest.approx(10.0, rel=1e-9)
    with pytest.raises(nv.InvalidInput, match="stages"):
        price_fall(("gpt-4-8k", "gpt-4o-mini"), ("a", "b"))
    with pytest.raises(nv.InvalidInput, match=r"gpt-3\.5"):
        at_fixed_capability("gpt-9")


def test_t13_what_is_computed_is_the_published_example():
    """Sardana et al. 2024: quality of 13e9 parameters, 2e12 tokens in use: about 7e9 parameters, 16.3 % by the unrounded constants."""
    found = nv.claims("T13")[0].findings
    assert found[0].value * 13e9 == pytest.approx(7.12e9, rel=1e-3)
    assert found[1].value == pytest.approx(0.1632, abs=5e-4)


def test_t15_scalability_of_the_logs():
    """H07: contention .0211 relative to 512 chips, no coherency, worst residual 3.4 %."""
    from nvscale.evidence.software import scalability, strong_scaling

    chips, speeds = strong_scaling()
    contention, coherency = scalability(chips, speeds)
    assert contention == pytest.approx(0.0211, abs=5e-5)
    assert coherency == pytest.approx(0.0, abs=1e-9)
    multiples = [count / chips[0] for count in chips]
    worst = max(abs(n / (1 + contention * (n - 1)) / speed - 1) for n, speed in zip(multiples, speeds, strict=True))
    assert worst == pytest.approx(0.034, abs=1e-3)


# ---------------------------------------------------------------------- claims of one's own, and bad input


def test_a_claim_of_ones_own(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        """
[M1]
title = "Chips double a year"
statement = "Peak of a chip doubles each year."
source = "a colleague"
check = "curve_growth"
data = ["curves"]
[M1.figures]
metric = "performance"
levels = ["chip"]
at_least = 2.0

[M2]
title = "Fewer chips for the same money"
statement = "A billion buys fewer chips each year."
source = "bond-ai-2025"
check = "values"
[M2.figures]
table = "nvidia-data-centre"
column = "gpus"
date = "year"
at_most = 1.0

[M3]
title = "Watts"
statement = "FP32 per watt grows by a fifth a year."
source = "me"
check = "hardware_growth"
[M3.figures]
quantity = "fp32"
per = "watt"
at_least = 1.2
""",
        encoding="utf-8",
    )
    mine = nv.claims("M1", "m2", "M3", file=file)
    assert [claim.verdict for claim in mine] == ["not supported", "supported", "supported"]
    assert mine[1].value == pytest.approx((11 / 46) ** (1 / 8), rel=1e-12)
    assert "a colleague" in str(mine[0])
    assert len(nv.claims(file=file)) == 18


BAD = {
    "no TOML file": "[M1",
    "statement, source, check missing": '[M1]\ntitle = "x"',
    "no field 'sorce'; did you mean": '[M1]\ntitle="x"\nstatement="y"\nsource="z"\ncheck="values"\nsorce="a"',
    "is a claim of nvscale": '[T1]\ntitle="x"\nstatement="y"\nsource="z"\ncheck="values"',
    "no check of a claim": '[M1]\ntitle="x"\nstatement="y"\nsource="z"\ncheck="growth"',
    "is no table": "M1 = 3",
    "is no text": '[M1]\ntitle=3\nstatement="y"\nsource="z"\ncheck="values"',
    "figures must be a table": '[M1]\ntitle="x"\nstatement="y"\nsource="z"\ncheck="values"\nfigures=3',
}


@pytest.mark.parametrize("said", BAD)
def test_bad_files_are_refused(tmp_path, said):
    file = tmp_path / "bad.toml"
    file.write_text(BAD[said], encoding="utf-8")
    with pytest.raises(nv.NvscaleError, match=said):
        nv.claims(file=file)


def test_other_bad_input(tmp_path):
    with pytest.raises(nv.UnknownName, match="T1"):
        nv.claims("T17")
    with pytest.raises(nv.InvalidInput, match=r"nowhere\.toml"):
        nv.claims(file=tmp_path / "nowhere.toml")
    file = tmp_path / "strange.toml"
    file.write_text('[M1]\ntitle="x"\nstatement="y"\nsource="z"\ncheck="values"\n[M1.figures]\nspeed=3', encoding="utf-8")
    with pytest.raises(nv.InvalidInput, match="does not take these figures"):
        _ = nv.claims("M1", file=file)[0].verdict


def test_findings_say_when_their_interval_reaches_over():
    weak = Finding("chip", 2.1, low=1.9, high=2.3, at_least=2.0)
    assert (weak.holds, weak.is_firm) == (True, False)
    assert "reaches over" in str(weak)
    assert Finding("chip", 1.0).holds is None
    assert Finding("chip", 3.0, at_least=1.0, at_most=2.0).holds is False


def test_plain_data_is_json():
    text = json.dumps([claim.to_dict() for claim in ALL], allow_nan=False)
    assert json.loads(text)[8]["verdict"] == "not supported"
    assert set(checks()) >= {claim.check for claim in ALL}


@pytest.mark.parametrize("claim", ALL, ids=lambda claim: claim.id)
def test_rows_behind_a_claim_are_there(claim):
    assert all(claim.rows().values())
