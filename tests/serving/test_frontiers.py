"""The frontier equals a search one by one; its envelope is what no other point beats."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

import nvscale as nv
from nvscale.errors import InvalidInput, NoFeasiblePlan, UnknownName
from nvscale.frontiers import FIGURES, X, Y, loads, upper_envelope
from nvscale.serving_layouts import layouts_of
from tests.serving.loads import KNOWN, NODE

SYSTEMS = ["dgx-h100", "dgx-b200", "gb200-nvl72"]
RESULTS = {
    "tokens_per_second_per_user": "tokens per second per user",
    "tokens_per_second_per_gpu": "tokens per second per chip",
    "tokens_per_second_per_megawatt": "tokens per second per megawatt",
    "tokens_per_usd": "tokens per usd",
    "usd_per_million_tokens": "usd per million tokens",
    "joules_per_token": "joules per token",
    "ttft_s": "ttft",
    "tpot_s": "tpot",
    "users": "users",
}


@pytest.mark.parametrize("model", ["llama-3.1-70b", "qwen3-235b-a22b"])
@pytest.mark.parametrize("engine", ["vllm", "ideal"])
def test_the_frontier_is_that_of_estimates_one_by_one(model, engine):
    work = KNOWN.replace(model=nv.model(model))
    several = [1.0, 5.0, 48.0, 300.0]
    found = nv.frontier(work, SYSTEMS, ["fp8", "bf16"], concurrencies=several, engine=engine)
    assert set(FIGURES) == set(RESULTS)
    checked = 0
    for line in found.lines():
        system = nv.system(line.system)
        instances = system.chips // line.gpus
        usual = work.replace(precision=line.precision, cache_element=None)
        for i, count in enumerate(line.concurrency):
            alone = nv.serving(usual.replace(concurrency=count * instances), system, line.plan, engine=engine)
            for column, name in RESULTS.items():
                assert line.figures[column][i] == pytest.approx(alone[name].value, rel=1e-12), (line, count, column)
            checked += 1
    assert checked == len(found) > 50


def test_every_point_is_there_or_its_cache_would_overflow():
    found = nv.frontier(KNOWN, NODE, concurrencies=[1.0, 100.0, 1000.0, 5000.0])
    rows, _ = layouts_of(KNOWN, NODE)
    assert {line.plan.tp for line in found.lines()} == set(rows[:, 0])
    for line in found.lines():
        slots = nv.serving(KNOWN.replace(concurrency=1), NODE, line.plan)["slots"].value
        assert list(line.concurrency) == [c for c in (1.0, 100.0, 1000.0, 5000.0) if c <= slots]


points = st.integers(1, 60).flatmap(lambda n: st.tuples(*(arrays.arrays(float, n, elements=st.floats(0, 10)) for _ in range(2))))


@given(points)
def test_the_envelope_is_what_no_other_point_beats(pair):
    x, y = pair
    kept = set(upper_envelope(x, y).tolist())
    for i in range(len(x)):
        beaten = ((x >= x[i]) & (y >= y[i]) & ((x > x[i]) | (y > y[i]))).any()
        same = any(x[k] == x[i] and y[k] == y[i] for k in kept)
        assert beaten != same


@pytest.mark.parametrize("per", Y)
def test_the_envelope_of_all_is_the_best_of_the_envelopes(per):
    found = nv.frontier(KNOWN, SYSTEMS, ["fp8", "fp4"])
    whole = found.envelope(per)
    kinds = {(one.system, one.precision) for one in found.lines()}
    parts = [row for system, precision in kinds for row in found.envelope(per, system=system, precision=precision)]
    assert all(row in parts for row in whole)
    speeds = [row[X] for row in whole]
    assert speeds == sorted(speeds, reverse=True)
    assert found.reasons.keys() == {"dgx-h100 fp4"}


def test_table_and_json():
    found = nv.frontier(KNOWN, "dgx-h100", tp=8)
    table = pytest.importorskip("pandas") and found.to_pandas()
    assert len(table) == len(found)
    assert table["best_per_gpu"].all()
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["lines"][0]["layout"] == "tp 8"
    assert "llama-3.1-70b" in str(found)


def test_loads_are_whole_and_grow():
    tried = loads()
    assert (np.diff(tried) > 0).all() and (tried == np.floor(tried)).all()


def test_what_cannot_be_says_why():
    with pytest.raises(NoFeasiblePlan, match="dgx-a100 fp8: a100-sxm-40gb has no fp8 rate"):
        nv.frontier(KNOWN, "dgx-a100")
    with pytest.raises(NoFeasiblePlan, match="weights do not fit the memory even with tp 8"):
        nv.frontier(KNOWN.replace(model=nv.model("deepseek-v3")), "dgx-h100", pp=1)
    with pytest.raises(InvalidInput, match="no system"):
        nv.frontier(KNOWN, [])
    with pytest.raises(InvalidInput, match="no layout was given"):
        nv.frontier(KNOWN, NODE, plans=[])
    with pytest.raises(UnknownName, match="count of the frontier 'watt'; did you mean 'megawatt'"):
        nv.frontier(KNOWN, NODE, tp=8).envelope("watt")


def test_the_figure_has_a_line_per_layout():
    pytest.importorskip("matplotlib")
    found = nv.frontier(KNOWN, ["dgx-h100", "dgx-b200"])
    axes = found.plot("usd").axes[0]
    assert len(axes.lines) == len(found.lines()) + 2
