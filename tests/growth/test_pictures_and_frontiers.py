"""Pictures say what they are given; frontiers are frontiers; the commands print and refuse."""

import importlib
import json
import math

import pytest
from typer.testing import CliRunner

import nvscale as nv
from nvscale.cli.application import application
from nvscale.evidence.baselines import over_years
from nvscale.evidence.frontiers import envelope, in_domains_of, inside_one_domain
from nvscale.evidence.software import gains, same_hardware

MODEL, RACK = nv.model("deepseek-v3"), nv.system("gb200-nvl72")
run = CliRunner().invoke


def test_a_frontier_falls_and_no_plan_beats_it():
    whole = envelope(MODEL, RACK, "nvfp4")
    assert list(whole.per_user) == sorted(whole.per_user)
    assert list(whole.throughput) == sorted(whole.throughput, reverse=True)
    for plan in inside_one_domain(RACK):
        work = nv.Serving(model=MODEL, isl=1024, osl=1024, concurrency=1024, precision="nvfp4")
        try:
            served = nv.serving(work, RACK, plan)
        except nv.InvalidInput:
            continue
        assert served["tokens per second per chip"].value <= whole.at(served["tokens per second per user"].value) * (1 + 1e-9)


def test_smaller_domains_offer_fewer_plans_and_so_no_better_frontier():
    whole, cut = envelope(MODEL, RACK, "nvfp4"), envelope(MODEL, in_domains_of(RACK, 8), "nvfp4")
    for speed in (10.0, 30.0, 60.0, 90.0):
        assert whole.at(speed) >= cut.at(speed)
    assert whole.at(1e9) == 0.0 == whole.speed(1e12)


def test_a_model_that_fits_nowhere_is_refused():
    with pytest.raises(nv.InvalidInput, match="no plan serves"):
        envelope(nv.model("llama-3.1-405b"), nv.system("dgx-1-v100"), "fp16")


def test_pictures_are_drawn():
    plots = pytest.importorskip("matplotlib") and importlib.import_module("nvscale.plots")
    for claim in nv.claims():
        labels = [label.get_text() for label in plots.draw_findings(claim).axes[0].get_yticklabels()]
        assert labels == [finding.level for finding in claim.findings]
    trend = nv.trend("fp32")
    assert plots.draw_trend([trend]).axes[0].get_xlim()[1] > 2035
    frontier = envelope(MODEL, RACK, "nvfp4")
    drawn = plots.draw_envelopes([frontier], [("a point", 20.0, 300.0), ("a line", math.nan, 300.0)])
    assert len(drawn.axes[0].lines) == 3
    series = same_hardware()
    assert len(plots.draw_software(series, 5.0).axes[0].lines) == len(series) + 1
    assert len(plots.draw_software(series).axes[0].lines) == len(series)


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_waterfall_ends_where_the_estimate_does(scale):
    plots = pytest.importorskip("matplotlib") and importlib.import_module("nvscale.plots")
    found = nv.attribute(lambda a, b: a * b, {"a": 1.0, "b": 5.0}, {"a": 6.0, "b": 4.0}, "each", scale=scale)
    bars = plots.draw_waterfall(found).axes[0].patches
    assert bars[0].get_x() == pytest.approx(found.before)
    assert bars[-1].get_x() + bars[-1].get_width() == pytest.approx(found.after)


def test_commands():
    listed = run(application, ["claims"])
    assert listed.exit_code == 0
    assert all(claim.id in listed.output for claim in nv.claims())
    plain = json.loads(run(application, ["claims", "T9", "T12", "--json"]).output)
    assert [one["id"] for one in plain] == ["T9", "T12"]
    assert "computed by" in run(application, ["claims", "T1"]).output
    forecast = json.loads(run(application, ["trend", "fp32", "--per", "watt", "--json"]).output)
    assert forecast["forecast"][-1]["year"] == 2035
    assert [one["per_year"] for one in forecast["needed"]] == [2.0, 3.0]
    assert "outside its prediction interval" in run(application, ["trend"]).output


def test_laws_of_the_past_over_ten_years():
    """G03: 32 by a doubling in two years; Koomey 82.7 and 14.4 a decade; the talk's 1024 and 59049."""
    found = {span.name: span.factor for span in over_years(10.0)}
    assert found["moore-1975"] == pytest.approx(32.0, rel=5e-3)
    assert found["koomey-1946-2000"] == pytest.approx(82.7, rel=5e-3)
    assert found["koomey-2000"] == pytest.approx(14.4, rel=5e-3)
    assert (found["talk-2024-low"], found["talk-2024-high"]) == (1024.0, 59049.0)
    assert found["dennard"] == pytest.approx(found["dark-silicon"] ** 3, rel=1e-9)
    with pytest.raises(nv.InvalidInput):
        over_years(0.0)


def test_gains_need_series():
    with pytest.raises(nv.InvalidInput, match="three series"):
        gains(same_hardware()[:2])
    with pytest.raises(nv.UnknownName, match="suite"):
        same_hardware("rendering")
