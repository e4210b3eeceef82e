"""What cannot be is counted by its reason; a search without an answer says what is missing."""

from typing import Any

import numpy as np
import pytest

import nvscale as nv
from nvscale.errors import InvalidInput, NoFeasiblePlan, UnknownName
from nvscale.layouts import SAME, layouts
from nvscale.planning import best_plan, feasible
from tests.planning.plain_search import small_model, small_system

JOB = nv.Training(model=small_model(6, 12, 3, 8, hidden=768), sequence=1536, global_batch=12)
SYSTEM = small_system(24, 6)

# What is given, and the reason that it meets.
REASONS: dict[str, dict[str, Any]] = {
    "tp does not divide the heads": {"tp": 8},
    "tp and the key-value heads do not divide each other": {"tp": 2},
    "tp leaves the scale-up domain": {},
    "cp does not cut the sequence into pairs of chunks": {"cp": 9},
    "ep does not divide the experts": {"ep": 3},
    "ep does not divide the chips of a stage": {"ep": 8, "pp": 6},
    "etp does not divide the width of an expert": {"etp": 3},
    "vpp has no pipeline to interleave": {"vpp": 2, "pp": 1},
    "vpp does not divide the layers of a stage": {"vpp": 2, "pp": 2},
    "the micro-batches do not divide the global batch": {"micro_batch": 5},
    "tp x pp x cp does not divide the chips": {"tp": 3, "pp": 6, "cp": 8},
    "pp is more than the layers": {"pp": 12},
    "ep x etp does not divide the chips of a stage": {"ep": 8, "etp": 4},
    "the replicas' micro-batches do not divide the global batch": {"tp": 1, "pp": 1, "cp": 1},
    "the schedule does not interleave": {"vpp": 3, "pp": 2, "schedule": "gpipe"},
    "fewer micro-batches than stages to interleave": {"vpp": 3, "pp": 2, "tp": 1, "cp": 1, "dp": 12},
    "tp does not divide the sequence of a rank": {"tp": 12, "cp": 2, "sequence_parallel": 1},
    "zero 2 would reduce gradients after every micro-batch of a pipeline": {"pp": 2},
    "dp is not what was asked for": {"dp": 2},
    SAME: {"tp": 1},
}  # fmt: skip


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_is_met_and_counted(reason: str) -> None:
    job = JOB.replace(sequence=1540) if reason.startswith(("cp", "tp does not divide the seq")) else JOB
    found = layouts(job, SYSTEM, 24, **REASONS[reason])
    assert found.rejected[reason] > 0
    assert found.possible == sum(1 for _ in found.plans())
    assert found.possible == sum(block.points() for block in found.blocks)


def test_every_layout_that_can_be_comes_once() -> None:
    plans = list(layouts(JOB, SYSTEM, 24).plans())
    assert len(set(plans)) == len(plans) > 100
    assert all(24 % (plan.tp * plan.pp * plan.cp) == 0 for plan in plans)


def test_layouts_that_do_not_fit_are_counted_as_memory() -> None:
    whole, small = feasible(JOB, SYSTEM), feasible(JOB, SYSTEM, memory="2 GB")
    assert small.rejected["memory"] > whole.rejected.get("memory", 0)
    assert small.considered == whole.considered == small.possible + sum(small.rejected.values())


def test_tensor_parallel_groups_leave_the_domain_only_where_told() -> None:
    job = nv.Training(model=small_model(4, 8, 8), sequence=1024, global_batch=8)
    system = small_system(8, 2)
    assert max(plan.tp for plan in layouts(job, system, 8).plans()) == 2
    assert max(plan.tp for plan in layouts(job, system, 8, cross_domain=True).plans()) == 8
    assert {plan.tp for plan in layouts(job, system, 8, tp=8).plans()} == {8}


# ---------------------------------------------------------------------- errors


def test_too_little_memory_says_how_much_is_missing_and_how_many_chips_are_enough() -> None:
    job = nv.Training(model=small_model(8, 16, 16, hidden=4096), sequence=1024, global_batch=64)
    with pytest.raises(
        NoFeasiblePlan, match=r"the leanest needs [\d.]+ GB per chip, which can hand out [\d.]+ GB; (\d+) chips are enough"
    ) as caught:
        best_plan(job, small_system(2, 2), memory="7 GB")
    enough = int(str(caught.value).split(" chips are enough")[0].split()[-1])
    assert best_plan(job, small_system(enough, 2), memory="7 GB").fitting > 0
    with pytest.raises(NoFeasiblePlan):
        best_plan(job, small_system(enough // 2, 2), memory="7 GB")


def test_a_batch_that_no_layout_divides_is_told_with_the_reasons() -> None:
    job = nv.Training(model=small_model(1, 1, 1, hidden=128), sequence=33, global_batch=7)
    with pytest.raises(NoFeasiblePlan, match="the replicas' micro-batches do not divide the global batch"):
        best_plan(job, small_system(8, 4))


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"tpp": 8}, UnknownName, "did you mean 'tp'"),
        ({"recompute": "sometimes"}, UnknownName, "recompute"),
        ({"chips": 2.5}, InvalidInput, "chips: 2.5 is not a whole number"),
        ({"chips": -1}, InvalidInput, "chips"),
        ({"chips": [8, 16]}, InvalidInput, "chips"),
        ({"top": 0}, InvalidInput, "top"),
        ({"tp": 0}, InvalidInput, "tp"),
        ({"tp": []}, InvalidInput, "tp: no value was given"),
        ({"memory": "80 GB/s"}, InvalidInput, "memory"),
        ({"tp_overlap": 2.0}, InvalidInput, "tp_overlap"),
    ],
    ids=str,
)
def test_bad_input_is_named(given: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        best_plan(JOB, SYSTEM, **given)


def test_a_batch_that_is_no_whole_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"global_batch: 2\.5 is not a whole number"):
        best_plan(JOB.replace(global_batch=2.5), SYSTEM)


def test_an_array_of_chips_is_refused() -> None:
    with pytest.raises(InvalidInput, match="chips"):
        best_plan(JOB, SYSTEM, chips=np.array([8.0, 16.0]))
