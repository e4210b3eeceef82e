"""The search over layouts finds what a search one by one finds; its answers keep the laws and explain themselves."""

import json
import timeit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.composition import Network
from nvscale.errors import NoFeasiblePlan
from nvscale.estimators.memory_of_training import memory_per_chip
from nvscale.estimators.training_results import CONVENTION
from nvscale.estimators.training_shards import machine_of
from nvscale.estimators.training_steps import step
from nvscale.planning import best_plan, feasible, usable_memory
from tests.planning.plain_search import SOFTWARE, STACK, SUSTAINED, front_of, plain_search, small_model, small_system

few = settings(max_examples=8)


@st.composite
def jobs(draw: st.DrawFn) -> nv.Training:
    heads = draw(st.sampled_from([1, 2, 4, 6]))
    kv_heads = draw(st.sampled_from([n for n in (1, 2, 3) if heads % n == 0]))
    model = small_model(draw(st.sampled_from([1, 2, 3, 5])), heads, kv_heads, draw(st.sampled_from([0, 0, 4])), hidden=128 * heads)
    return nv.Training(model=model, sequence=draw(st.sampled_from([96, 256, 2048])), global_batch=draw(st.sampled_from([2, 3, 4])))


# ---------------------------------------------------------------------- the same optimum


@few
@given(jobs(), st.sampled_from([1, 2, 4, 6]), st.sampled_from([2, 4]), st.sampled_from(["2 GB", "3 GB", "80 GB"]))
def test_the_optimum_is_that_of_a_search_one_by_one(job: nv.Training, chips: int, domain: int, memory: str) -> None:
    system = small_system(chips, domain)
    limit = usable_memory(system, memory)
    one_by_one = list(plain_search(job, system, limit))
    if not one_by_one:
        with pytest.raises(NoFeasiblePlan):
            best_plan(job, system, **SOFTWARE, memory=memory)
        return
    best = best_plan(job, system, **SOFTWARE, memory=memory, top=7)
    expected = sorted(found.seconds for found in one_by_one)[:7]
    assert [one.seconds for one in best] == pytest.approx(expected, rel=1e-12)
    assert best.fitting == len(one_by_one)
    assert best.fitting + sum(best.rejected.values()) == best.considered
    assert feasible(job, system, memory=memory).possible == len(one_by_one)
    assert [(one.seconds, one.memory) for one in best.front] == [pytest.approx(pair, rel=1e-12) for pair in front_of(one_by_one)]


def test_pieces_of_the_search_and_threads_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    job = nv.Training(model=small_model(8, 8, 4, 8), sequence=1024, global_batch=16)
    whole = best_plan(job, small_system(32, 8), **SOFTWARE, top=9)
    monkeypatch.setattr("nvscale.planning.BOX", 500)
    for threads in (1, 3):
        cut = best_plan(job, small_system(32, 8), **SOFTWARE, top=9, threads=threads)
        assert [one.seconds for one in cut] == pytest.approx([one.seconds for one in whole], rel=1e-12)
        assert (cut.fitting, cut.rejected) == (whole.fitting, whole.rejected)
        pairs = [(one.seconds, one.memory) for one in whole.front]
        assert [(one.seconds, one.memory) for one in cut.front] == [pytest.approx(pair, rel=1e-12) for pair in pairs]


def test_candidates_say_what_the_estimators_say() -> None:
    job = nv.Training(model=small_model(8, 8), sequence=1024, global_batch=64)
    system = small_system(16, 8)
    at = machine_of(system, job.precision, SUSTAINED, STACK)
    for one in best_plan(job, system, **SOFTWARE):
        assert one.seconds == step(job, one.plan, 16.0, at, STACK).value
        assert one.memory == pytest.approx(memory_per_chip(job, one.plan, 16.0), rel=1e-12)
        assert sum(one.parts.values()) == pytest.approx(one.seconds, rel=1e-12)
        assert one.step.value == pytest.approx(one.seconds, rel=1e-12)
        assert one.step["mfu"].value == pytest.approx(one.mfu, rel=1e-12)
        assert one.step["memory"].value == pytest.approx(one.memory, rel=1e-12)
        assert one.mfu == pytest.approx(job.model.flop_per_token(1024, CONVENTION) * 64 * 1024 / (one.seconds * 16 * 1e15), rel=1e-12)


# ---------------------------------------------------------------------- laws

JOB = nv.Training(model=small_model(16, 16, 8, hidden=4096), sequence=4096, global_batch=128)


def test_more_memory_never_slows_the_best() -> None:
    seconds = [best_plan(JOB, small_system(64, 8), **SOFTWARE, memory=f"{size} GB")[0].seconds for size in (6, 10, 20, 40, 80, 1000)]
    assert seconds == sorted(seconds, reverse=True)
    assert seconds[0] > seconds[-1]


def test_faster_links_never_slow_the_best() -> None:
    slow, inner, outer = (
        best_plan(JOB, small_system(64, 8, inside=inside, outside=outside), **SOFTWARE)[0].seconds
        for inside, outside in ((1e11, 1e10), (4e11, 1e10), (1e11, 5e10))
    )
    assert max(inner, outer) <= slow


def test_what_is_given_never_beats_a_free_choice() -> None:
    free = best_plan(JOB, small_system(64, 8), **SOFTWARE)[0].seconds
    for some in ({"tp": 4}, {"zero": 3}, {"recompute": "full"}, {"dp": 8}, {"pp": [2, 4]}, {"micro_batch": 2}):
        made = best_plan(JOB, small_system(64, 8), **SOFTWARE, **some)
        assert made[0].seconds >= free
        assert all(one.row()[name] in ([value] if not isinstance(value, list) else value) for name, value in some.items() for one in made)


def test_a_tier_that_joins_nothing_new_changes_nothing() -> None:
    system = small_system(16, 16)
    for span in (16, 64):
        tiers = (Network(name="inner", span=span, bandwidth=4e11), Network(name="outer", bandwidth=5e10))
        assert best_plan(JOB, system.replace(networks=tiers), **SOFTWARE)[0].seconds == best_plan(JOB, system, **SOFTWARE)[0].seconds


def test_no_exchange_but_that_of_replicas_cares_where_the_domain_ends_if_tiers_are_alike() -> None:
    """The exchange of replicas runs on both tiers at the same time, so that the whole step of 2 x 8 is not that of 8 x 2."""
    alike = {"stack": STACK, "efficiency": SUSTAINED.replace(scaleout_share=0.8, hop=0.0)}
    for tp, cp in ((2, 8), (8, 2), (4, 4), (8, 1)):
        fixed = {"tp": tp, "cp": cp, "pp": 16 // (tp * cp), "zero": 0, "micro_batch": 1}
        systems = (small_system(16, domain, inside=1e11, outside=1e11) for domain in (2, 8))
        both = [best_plan(JOB, system, **alike, **fixed)[0].parts for system in systems]
        for name in ("tensor parallel exchange", "context parallel exchange", "pipeline transfers", "matrix multiplies"):
            assert both[0][name] == pytest.approx(both[1][name], rel=1e-12)


def test_more_chips_with_a_larger_batch_give_more_tokens_per_second() -> None:
    rates = []
    for times in (1, 2, 4):
        job = JOB.replace(global_batch=128 * times)
        rates.append(job.tokens / best_plan(job, small_system(32 * times, 8), **SOFTWARE)[0].seconds)
    assert rates == sorted(rates)


def test_the_front_is_the_best_for_every_memory() -> None:
    best = best_plan(JOB, small_system(64, 8), **SOFTWARE)
    assert best.front[0].seconds == best[0].seconds
    assert [one.seconds for one in best.front] == sorted(one.seconds for one in best.front)
    assert [one.memory for one in best.front] == sorted((one.memory for one in best.front), reverse=True)
    for one in best.front[:: max(len(best.front) // 4, 1)]:
        limit = (one.memory * (1 + 1e-9)) / usable_memory(small_system(), 1e12)
        context = 1e12 - usable_memory(small_system(), 1e12) * fragmentation()
        there = limit * usable_memory(small_system(), 1e12) * fragmentation() + context
        assert best_plan(JOB, small_system(64, 8), **SOFTWARE, memory=there)[0].seconds == pytest.approx(one.seconds, rel=1e-12)


def fragmentation() -> float:
    """Bytes of a chip per byte that a program can use."""
    return 1e12 / (usable_memory(small_system(), 2e12) - usable_memory(small_system(), 1e12))


# ---------------------------------------------------------------------- what is shown


def test_runners_up_say_which_term_makes_them_slower() -> None:
    best = best_plan(JOB, small_system(64, 8), **SOFTWARE, top=20)
    assert best[0].loses == ""
    for one in best[1:]:
        assert sum(one.behind.values()) == pytest.approx(one.seconds - best[0].seconds, rel=1e-6, abs=1e-12)
        largest = max(one.behind, key=lambda name: one.behind[name])
        assert one.loses == "as fast" or f"{largest} +" in one.loses


def test_software_may_be_an_axis() -> None:
    free = best_plan(JOB, small_system(64, 8), **SOFTWARE, tp=4, tp_overlap=[0.0, 0.5], launch=["3 us", "10 us"])
    assert free[0].software == {"tp_overlap": 0.5, "launch": 3e-6}
    assert (
        free[0].seconds == best_plan(JOB, small_system(64, 8), stack=STACK.replace(tp_overlap=0.5), efficiency=SUSTAINED, tp=4)[0].seconds
    )


def test_the_result_is_a_list_and_plain_data() -> None:
    best = best_plan(JOB, small_system(64, 8), **SOFTWARE, top=4)
    assert len(best) == 4
    assert best[1:3] == best.candidates[1:3]
    data = json.loads(json.dumps(best.to_dict()))
    assert [row["seconds_per_step"] for row in data["best"]] == [one.seconds for one in best]
    assert data["considered"] == data["fitting"] + sum(data["rejected"].values())
    table = pytest.importorskip("pandas") and best.to_pandas()
    assert list(table["seconds_per_step"]) == [one.seconds for one in best]


def test_the_table_shows_layout_time_memory_and_reasons() -> None:
    best = best_plan(JOB, small_system(64, 8), **SOFTWARE, memory="10 GB")
    text = str(best)
    assert text.count("\n") > len(best) + len(best.rejected)
    assert all(word in text for word in ("tp", "pp", "dp", "recompute", "MFU", "loses by", "memory", *best.rejected))
    assert f"{best.fitting:,}" in repr(best)


def test_a_progress_bar_goes_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    best_plan(JOB, small_system(64, 8), **SOFTWARE, progress=True)
    assert capsys.readouterr().out == ""


def test_without_a_limit_of_memory_nothing_is_too_large() -> None:
    best = best_plan(JOB, small_system(64, 8), **SOFTWARE, memory=float("inf"))
    assert "memory" not in best.rejected
    assert json.loads(json.dumps(best.to_dict(), allow_nan=False))["memory_limit_bytes"] is None


# ---------------------------------------------------------------------- speed


def test_a_step_in_a_grid_is_far_faster_than_one_alone() -> None:
    """A ratio within one run, far below what is measured, so that a busy machine fails nothing."""
    at = machine_of(small_system(64, 8), "bf16", SUSTAINED, STACK)
    axes = ([1.0, 2.0, 4.0, 8.0], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 4.0, 8.0], [0.0, 1.0, 3.0], [1.0, 2.0, 4.0, 8.0, 16.0, 32.0])
    tp, vpp, cp, zero, size = (np.reshape(values, (-1,) + (1,) * (4 - d)) for d, values in enumerate(axes))
    grid, one = nv.Parallelism(pp=4, tp=tp, vpp=vpp, cp=cp, zero=zero, micro_batch=size), nv.Parallelism(pp=4, tp=2)
    together = min(timeit.repeat(lambda: step(JOB, grid, 4096.0, at, STACK), number=5, repeat=5)) / (5 * 4 * 4 * 4 * 3 * 6)
    alone = min(timeit.repeat(lambda: step(JOB, one, 4096.0, at, STACK), number=50, repeat=5)) / 50
    assert alone / together > 10.0
