"""Pools of their own: a free transfer never loses, the balance is the best split, and what cannot be is refused."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.errors import InvalidInput, NoFeasiblePlan
from nvscale.estimators.generation import engine_of
from nvscale.formulas import serving as formulas
from tests.serving.loads import KNOWN

SITE = nv.system("dgx-h200").scale(64)
WORK = KNOWN.replace(isl=8192, osl=512, concurrency=512)
TP8, TP4 = nv.Parallelism(tp=8), nv.Parallelism(tp=4)
some = settings(max_examples=25)


@some
@given(
    st.sampled_from(["vllm", "sglang", "trtllm"]),
    st.integers(1, 200),
    st.sampled_from([256, 2048, 16384]),
    st.sampled_from([64, 512, 4096]),
)
def test_a_free_transfer_never_loses(name, users, isl, osl):
    """Against the same chips that compute prompts in steps of their own, unhidden: the same throughput, and faster for every user."""
    engine = dataclasses.replace(engine_of(name, SITE.chip), prefill_alone=1.0, interference=1.0)
    work = WORK.replace(isl=isl, osl=osl, concurrency=users)
    together = nv.serving(work, nv.system("dgx-h200"), TP8, engine=engine)
    loop = together.found
    step, prompt = loop.step_time, loop.first.mixed + loop.first.experts
    ratio = formulas.prefill_pool_ratio(prompt, loop.users, step, osl)
    apart = formulas.pooled_throughput(loop.users, step, ratio, 8.0, 8.0)
    assert apart >= together["tokens per second per chip"].value * (1 - 1e-9)
    assert step <= loop.tpot * (1 + 1e-12)


@some
@given(st.floats(1e9, 1e13), st.floats(1.1, 100.0))
def test_a_faster_link_is_never_worse(link, factor):
    slow, fast = (nv.disaggregated(WORK, SITE, TP8, TP4, prefill_instances=4, link=rate) for rate in (link, link * factor))
    assert fast["ttft"].value <= slow["ttft"].value * (1 + 1e-9)
    assert fast["tokens per second"].value >= slow["tokens per second"].value * (1 - 1e-9)


def test_the_split_is_the_best_of_all():
    best = nv.disaggregated(WORK, SITE, TP8, TP4)
    each = [nv.disaggregated(WORK, SITE, TP8, TP4, prefill_instances=n)["tokens per second"].value for n in range(1, 15)]
    assert best["tokens per second"].value == pytest.approx(max(each), rel=1e-6)
    assert best["prefill instances"].value == 1 + each.index(max(each))


def test_a_pool_that_sets_the_pace_is_near_the_closed_form_of_balance():
    """Whole instances: one prefill instance more or less would be beyond the ratio of balance."""
    best = nv.disaggregated(WORK, SITE, TP8, TP4)
    balance = best["pool ratio"].value * best["decode instances"].value
    assert balance == pytest.approx(best["prefill instances"].value, abs=1.0)


def test_a_limit_of_the_first_token_takes_more_prefill_or_is_refused():
    found = nv.disaggregated(WORK, SITE, TP8, TP4, ttft="5 s")
    assert found["ttft"].value <= 5.0
    with pytest.raises(NoFeasiblePlan, match="TTFT is"):
        nv.disaggregated(WORK, SITE, TP8, TP4, ttft="1 ms")


def test_parts_of_the_first_token_add_up_and_a_free_link_takes_no_time():
    found = nv.disaggregated(WORK, SITE, TP8, TP4, link=float("inf"))
    assert found["transfer"].value == 0.0
    assert sum(part.value for part in found["ttft"].terms.values()) == pytest.approx(found["ttft"].value, rel=1e-12)
    assert found.to_dict()["ttft_s"] == found["ttft"].value


def test_the_cache_that_moves_is_that_of_the_input():
    found = nv.disaggregated(WORK, SITE, TP8, TP4, link="50 GB/s")
    assert found["transfer"].value == pytest.approx(8192 * 163840 / (4 * 50e9), rel=1e-12)


def test_what_cannot_be_is_refused():
    with pytest.raises(NoFeasiblePlan, match="more than the 8 of dgx-h200"):
        nv.disaggregated(WORK, nv.system("dgx-h200"), TP8, TP4)
    with pytest.raises(NoFeasiblePlan, match="weights do not fit a prefill instance of tp 1"):
        nv.disaggregated(WORK.replace(precision="bf16"), nv.system("dgx-h100").scale(64), TP8, nv.Parallelism(tp=1))
    with pytest.raises(InvalidInput, match="prefill_instances: 15"):
        nv.disaggregated(WORK, SITE, TP8, TP4, prefill_instances=15)
    with pytest.raises(InvalidInput, match="concurrency"):
        nv.disaggregated(WORK.replace(concurrency=None, rate=1.0), SITE, TP8)
