"""Sizing meets its goal, says what is missing, and a search one by one finds nothing better."""

import json
import math

import pytest

import nvscale as nv
from nvscale.errors import InvalidInput, NoFeasiblePlan, UnknownName
from nvscale.serving_layouts import layouts_of
from tests.serving.loads import KNOWN, NODE, TP8

CANDIDATES = ["dgx-h100", "dgx-h200", "dgx-b200", "gb200-nvl72"]
GOAL = {"users": 2000, "tokens_per_second_per_user": 50, "ttft": "2 s"}


@pytest.fixture(scope="module")
def answer():
    return nv.size_deployment(KNOWN, **GOAL, candidates=CANDIDATES, spare=1)


def test_every_answer_meets_the_goal_even_without_the_spare(answer):
    assert {one.system.name for one in answer} == set(CANDIDATES)
    for one in answer.all:
        left = KNOWN.replace(concurrency=2000 / (one.instances - 1))
        alone = one.system.scale(one.instance_gpus) if one.instance_gpus != one.system.chips else one.system
        found = nv.serving(left, alone, one.plan)
        assert 1.0 / found.value >= 50 * (1 - 1e-9)
        assert found["ttft"].value <= 2.0 + 1e-9


def test_one_user_more_an_instance_breaks_a_limit(answer):
    for one in answer.all:
        alone = one.system.scale(one.instance_gpus) if one.instance_gpus != one.system.chips else one.system
        found = nv.serving(KNOWN.replace(concurrency=one.most_users + 1), alone, one.plan)
        assert 1.0 / found.value < 50 or found["ttft"].value > 2.0 or one.most_users + 1 > found["slots"].value


def test_figures_are_those_of_the_estimate(answer):
    for one in answer:
        found = one.estimate
        assert found["tokens per second"].value == pytest.approx(one.tokens_per_second, rel=1e-9)
        assert found["power"].value / 1e6 == pytest.approx(one.megawatts, rel=1e-9)
        assert found["usd per million tokens"].value == pytest.approx(one.usd_per_million_tokens, rel=1e-9)
        assert found["cost rate"].value * 3600 == pytest.approx(one.usd_per_hour, rel=1e-9)


def test_the_best_is_that_of_a_search_one_by_one(answer):
    """Plain loops over systems, layouts and users, with nothing but `serving`."""
    costs = {}
    for name in ("dgx-h100", "dgx-b200"):
        system = nv.system(name)
        for tp, pp, ep in layouts_of(KNOWN, system)[0].tolist():
            plan = nv.Parallelism(tp=tp, pp=pp, ep=ep)
            alone = system.scale(tp) if tp != system.chips else system
            most = 0
            for users in range(1, 400):
                found = nv.serving(KNOWN.replace(concurrency=users), alone, plan)
                if 1.0 / found.value < 50 or found["ttft"].value > 2.0 or users > found["slots"].value:
                    break
                most = users
            if most:
                instances = math.ceil(2000 / most) + 1
                nodes = math.ceil(instances / (system.chips / tp))
                bought = system.scale(nodes * system.chips)
                costs[name, tp] = nv.serving(KNOWN.replace(concurrency=2000), bought, plan)["cost rate"].value * 3600
    mine = {(one.system.name, one.plan.tp): one.usd_per_hour for one in answer.all if one.system.name in ("dgx-h100", "dgx-b200")}
    assert mine == pytest.approx(costs, rel=1e-9)


@pytest.mark.parametrize("by", ["cost", "energy", "gpus"])
def test_ranked_by_what_was_asked_for(by):
    found = nv.size_deployment(KNOWN, **GOAL, candidates=CANDIDATES, by=by)
    figure = {"cost": "usd_per_hour", "energy": "megawatts", "gpus": "gpus"}[by]
    ranked = [getattr(one, figure) for one in found]
    assert ranked == sorted(ranked)
    assert found.loses(found[0]) == ""
    assert all("%" in found.loses(one) and "binds" in found.loses(one) for one in found[1:])


def test_spares_percentiles_and_harder_goals_never_take_fewer_gpus():
    def gpus(**more):
        return nv.size_deployment(KNOWN, **(GOAL | more), candidates=["dgx-h100"], tp=8, by="gpus")[0].gpus

    plain = gpus()
    assert gpus(spare=2) >= plain + 8
    assert gpus(percentile=0.5) <= gpus(percentile=0.95) <= gpus(percentile=0.999)
    assert gpus(percentile=0.95) >= plain
    assert gpus(tokens_per_second_per_user=80) >= plain
    assert gpus(ttft="200 ms") >= plain
    assert gpus(users=4000) >= plain


def test_utilisation_and_redundancy_are_told(answer):
    best = answer[0]
    assert best.utilisation == pytest.approx(2000 / (best.instances * best.most_users))
    assert best.gpus == best.systems * best.system.chips
    text = str(answer)
    assert "1 spare" in text and "why the others lose" in text and "users each" in text


def test_engines_formats_and_unknown_prices():
    choices = {"engine": ["vllm", "trtllm"], "precisions": ["fp8", "nvfp4"]}
    found = nv.size_deployment(KNOWN, **GOAL, candidates=["dgx-b200", "gb300-nvl72"], **choices)
    assert {one.engine for one in found.all} == {"vllm", "trtllm"}
    assert {one.precision for one in found.all} == {"fp8", "nvfp4"}
    assert found[-1].system.name == "gb300-nvl72" and found.loses(found[-1]) == "cost is not known"
    assert json.dumps(found.to_dict(), allow_nan=False)
    table = pytest.importorskip("pandas") and found.to_pandas()
    assert len(table) == len(found.all)


def test_chips_that_are_not_joined_are_counted_one_by_one():
    small = nv.Serving(model=nv.model("llama-3.1-8b"), isl=1024, osl=1024, concurrency=1)
    found = nv.size_deployment(small, users=3000, tokens_per_second_per_user=50, candidates=["h100"])[0]
    assert found.gpus == found.instances > 1
    one = nv.serving(small.replace(concurrency=found.users_per_instance), "h100")
    assert found.usd_per_hour == pytest.approx(found.gpus * one["cost rate"].value * 3600)
    assert found.tokens_per_second == pytest.approx(3000 / one.found.cycle)


def test_no_candidate_says_of_each_what_is_missing():
    with pytest.raises(NoFeasiblePlan) as problem:
        nv.size_deployment(KNOWN, users=10, tokens_per_second_per_user=5000, ttft="1 us", candidates=["dgx-h100", "dgx-a100"])
    text = str(problem.value)
    assert "10 users at 5000 tokens/s each" in text
    assert "dgx-h100: one user alone gets" in text and "TTFT is" in text
    assert "dgx-a100: a100-sxm-40gb has no fp8 rate" in text


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"by": "price"}, UnknownName, "order of deployments 'price'"),
        ({"candidates": "dgx-h100"}, InvalidInput, "no list of systems"),
        ({"candidates": []}, InvalidInput, "no list of systems"),
        ({"percentile": 0.2}, InvalidInput, "percentile"),
        ({"percentile": 1.0}, InvalidInput, "percentile"),
        ({"users": 2.5}, InvalidInput, "whole numbers"),
        ({"users": 0}, InvalidInput, "users"),
        ({"ttft": "2 W"}, nv.WrongUnit, "ttft"),
        ({"candidates": ["dgx-h10"]}, UnknownName, "dgx-h100"),
        ({"engine": "vlm"}, UnknownName, "vllm"),
    ],
)
def test_bad_goals_are_refused(change, error, says):
    with pytest.raises(error, match=says):
        nv.size_deployment(KNOWN, **({**GOAL, "candidates": ["dgx-h100"]} | change))


# ---------------------------------------------------------------------- limits of one layout


def test_the_latency_floor_is_the_least_of_all_layouts():
    seconds, plan = nv.latency_floor(KNOWN, NODE)
    each = [nv.serving(KNOWN.replace(concurrency=NODE.chips // tp), NODE, nv.Parallelism(tp=tp)).value for tp in (1, 2, 4, 8)]
    assert seconds == pytest.approx(min(each), rel=1e-12)
    assert plan.tp == 8


def test_the_batch_that_meets_an_objective_is_the_largest():
    most = nv.most_users(KNOWN, NODE, TP8, tpot="15 ms", ttft="1 s")
    held, broken = (nv.serving(KNOWN.replace(concurrency=most + more), NODE, TP8).value for more in (0, 1))
    assert held <= 0.015 < broken
    assert nv.most_users(KNOWN, NODE, TP8, tpot="1 us") == 0
    with pytest.raises(InvalidInput, match="give tpot, ttft or both"):
        nv.most_users(KNOWN, NODE, TP8)


def test_the_best_layout_of_a_load_is_the_best_one_by_one():
    found = nv.best_serving_plans(KNOWN, NODE, ttft="1 s")
    each = {tp: nv.serving(KNOWN, NODE, nv.Parallelism(tp=tp)) for tp in (1, 2, 4, 8)}
    best = max((one for one in each.values() if one["ttft"].value <= 1.0), key=lambda one: one["tokens per second"].value)
    assert found[0].tp == best.plan.tp
    assert found.rows[0]["tokens_per_second"] == pytest.approx(best["tokens per second"].value, rel=1e-12)
    with pytest.raises(NoFeasiblePlan, match="meets the limits: TPOT is"):
        nv.best_serving_plans(KNOWN, NODE, tpot="1 us")


def test_the_cost_of_tokens_can_be_swept_and_taken_apart():
    axes = {"concurrency": [1, 8, 64], "system": [NODE, nv.system("dgx-b200")]}
    found = nv.sweep(nv.serving_cost, axes, work=KNOWN, system=NODE, plan=TP8)
    assert (found["value"][0] > found["value"][1]).all() and (found["value"][1] > found["value"][2]).all()
    assert found["value"][2, 0] == pytest.approx(nv.serving(KNOWN.replace(concurrency=64), NODE, TP8)["usd per million tokens"].value)
