"""Laws of serving estimates: monotone in bandwidth, batch and context; parts add up; load brings throughput, never takes it."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.errors import InvalidInput
from tests.serving.loads import ENGINES, KNOWN, NODE, RACK, TP8, tps, works

some = settings(max_examples=25)
engines = st.sampled_from(ENGINES)
ROUNDING = 1.0 + 1e-9


@some
@given(works(), tps, engines, st.floats(1.05, 4.0))
def test_more_memory_bandwidth_is_never_slower(work, tp, engine, factor):
    faster = RACK.replace(**{"chip.memory_bandwidth": RACK.chip.memory_bandwidth * factor})
    slow, fast = (nv.serving(work, system, nv.Parallelism(tp=tp), engine=engine) for system in (RACK, faster))
    assert fast.value <= slow.value * ROUNDING
    assert fast["ttft"].value <= slow["ttft"].value * ROUNDING


@some
@given(works(), tps, engines, st.floats(1.0, 8.0))
def test_more_users_never_lower_throughput_nor_quicken_anyone(work, tp, engine, factor):
    plan = nv.Parallelism(tp=tp)
    few, many = (nv.serving(work.replace(concurrency=work.concurrency * by), RACK, plan, engine=engine) for by in (1.0, factor))
    assert many["tokens per second"].value >= few["tokens per second"].value / ROUNDING
    assert many.value >= few.value / ROUNDING
    assert many["ttft"].value >= few["ttft"].value / ROUNDING


@some
@given(works(), tps, engines, st.floats(1.0, 4.0))
def test_longer_inputs_are_never_faster(work, tp, engine, factor):
    work = work.replace(concurrency=min(work.concurrency, 8.0))
    short, long = (nv.serving(work.replace(isl=work.isl * by), RACK, nv.Parallelism(tp=tp), engine=engine) for by in (1.0, factor))
    assert long.value >= short.value / ROUNDING
    assert long["ttft"].value >= short["ttft"].value / ROUNDING


@some
@given(works(), st.sampled_from([4.0, 8.0, 16.0]), engines)
def test_one_tensor_parallel_rank_exchanges_nothing(work, ep, engine):
    model = work.model
    plan = nv.Parallelism(tp=1, ep=ep if model.experts else 1)
    found = nv.serving(work.replace(memory_share=1.0), RACK, plan, engine=engine)
    assert "tensor parallel exchange" not in found["step"].terms


@some
@given(works(), tps, engines)
def test_parts_add_up(work, tp, engine):
    found = nv.serving(work, RACK, nv.Parallelism(tp=tp), engine=engine)
    assert sum(part.value for part in found.terms.values()) == pytest.approx(found.value, rel=1e-12)
    assert sum(part.value for part in found["ttft"].terms.values()) == pytest.approx(found.found.ttft, rel=1e-12)
    tokens = {"input": work.isl * (1.0 - work.prefix_cached), "cached": work.isl * work.prefix_cached, "output": work.osl}
    for unit, name in (("usd per million {} tokens", "usd per million tokens"), ("joules per {} token", "joules per token")):
        parts = sum(found[unit.format(kind)].value * count for kind, count in tokens.items())
        assert parts == pytest.approx(found[name].value * work.osl, rel=1e-9)


@some
@given(works(), tps, engines)
def test_arrays_agree_with_floats(work, tp, engine):
    several = np.array([1.0, 7.0, 100.0, 5000.0])
    together = nv.serving(work.replace(concurrency=several), RACK, nv.Parallelism(tp=tp), engine=engine)
    for i, count in enumerate(several):
        alone = nv.serving(work.replace(concurrency=float(count)), RACK, nv.Parallelism(tp=tp), engine=engine)
        for name in ("tpot", "ttft", "tokens per second", "joules per token", "usd per million tokens"):
            assert np.broadcast_to(together[name].value, several.shape)[i] == pytest.approx(alone[name].value, rel=1e-12)


def test_power_grows_with_the_load_and_stays_below_the_rating():
    loads = np.array([1.0, 8.0, 64.0, 512.0])
    drawn = nv.serving(KNOWN.replace(concurrency=loads), NODE, TP8)["power"].value
    assert (np.diff(drawn) > 0).all()
    assert drawn[-1] < NODE.power * 1.2


# ---------------------------------------------------------------------- prices


def test_rent_is_the_whole_cost():
    rented = nv.serving(KNOWN, NODE, TP8, prices=nv.prices(rent="2.65 USD/h"))
    assert rented["cost rate"].value == pytest.approx(8 * 2.65 / 3600)
    half = nv.serving(KNOWN, NODE, TP8, prices=nv.prices(rent="2.65 USD/h", utilisation=0.5))
    assert half["usd per million tokens"].value == pytest.approx(2 * rented["usd per million tokens"].value)


@given(st.floats(0.01, 100.0), st.floats(0.0, 10.0))
def test_at_the_break_even_load_revenue_is_cost(output, given_input):
    served = nv.serving(KNOWN, NODE, TP8)
    even = served.break_even(output=output, input=given_input)
    revenue = served["requests per second"].value * (1024 * output + 1024 * given_input) / 1e6
    assert even.value * revenue == pytest.approx(served["cost rate"].value, rel=1e-9)


@pytest.mark.parametrize("rent", ["2.65 W", 5.0, 0.0, "-1 USD/h"])
def test_a_rent_that_cannot_be_is_refused(rent):
    with pytest.raises(InvalidInput, match="rent"):
        nv.prices(rent=rent)


# ---------------------------------------------------------------------- requests that arrive


@some
@given(works(("llama-3.1-8b", "llama-3.1-70b")), tps, st.floats(0.01, 0.95))
def test_arrivals_obey_littles_law(work, tp, share):
    plan = nv.Parallelism(tp=tp)
    full = nv.serving(work.replace(concurrency=1e9), RACK, plan)
    rate = share * full["requests per second"].value
    found = nv.serving(work.replace(concurrency=None, rate=rate), RACK, plan)
    assert found["requests per second"].value == pytest.approx(rate, rel=1e-6)
    assert found["users"].value == pytest.approx(rate * work.osl * found.value, rel=1e-6)


@some
@given(works(("llama-3.1-8b", "llama-3.1-70b")), tps)
def test_more_arrivals_are_never_faster(work, tp):
    plan = nv.Parallelism(tp=tp)
    most = nv.serving(work.replace(concurrency=1e9), RACK, plan)["requests per second"].value
    found = nv.serving(work.replace(concurrency=None, rate=most * np.linspace(0.01, 0.95, 20)), RACK, plan)
    assert (np.diff(found["tpot"].value) >= -1e-12).all()
    assert (np.diff(found["ttft"].value) >= -1e-12).all()


def test_too_many_arrivals_are_refused_with_the_most_that_can_be():
    with pytest.raises(InvalidInput, match=r"rate: 100 requests/s are more than the [\d.]+ that dgx-h100 serves"):
        nv.serving(KNOWN.replace(concurrency=None, rate=100.0), NODE, TP8)
    swept = nv.serving(KNOWN.replace(concurrency=None, rate=np.array([1.0, 100.0])), NODE, TP8)["ttft"].value
    assert math.isfinite(swept[0]) and math.isinf(swept[1])


# ---------------------------------------------------------------------- speculation


@some
@given(st.integers(1, 8), st.floats(0.0, 0.95), st.floats(0.0, 0.3))
def test_a_draft_gains_at_most_its_tokens_and_one(tokens, acceptance, cost):
    alone = KNOWN.replace(concurrency=1)
    plain = nv.serving(alone, NODE, TP8).found.step_time
    drafted = nv.serving(alone.replace(draft_tokens=tokens, acceptance=acceptance, draft_cost=cost), NODE, TP8).found.step_time
    assert plain / (tokens + 1.0) <= drafted * ROUNDING
    likely = alone.replace(draft_tokens=tokens, acceptance=acceptance + 0.05, draft_cost=cost)
    surer = nv.serving(likely, NODE, TP8)
    assert surer.found.step_time <= drafted * ROUNDING


def test_speculation_pays_less_the_fuller_the_batch():
    loads = KNOWN.replace(concurrency=np.array([1.0, 16.0, 128.0, 512.0]))
    drafted = loads.replace(draft_tokens=3, acceptance=0.8, draft_cost=0.0125)
    gain = nv.serving(loads, NODE, TP8).found.tpot / nv.serving(drafted, NODE, TP8).found.tpot
    assert (np.diff(gain) < 0).all() and gain[0] > 2.0


def test_a_draft_and_its_gain_cannot_both_be_given():
    with pytest.raises(InvalidInput, match="accepted"):
        KNOWN.replace(accepted=2.0, draft_tokens=2)


# ---------------------------------------------------------------------- symbols


def test_a_closed_form_is_the_number():
    sympy = pytest.importorskip("sympy")
    users = sympy.Symbol("C", positive=True)
    form = nv.serving(KNOWN.replace(concurrency=users), NODE, TP8)
    for count in (1.0, 32.0, 5000.0):
        number = nv.serving(KNOWN.replace(concurrency=count), NODE, TP8)
        for name in ("tpot", "tokens per second", "usd per million tokens"):
            assert float(form[name].value.subs(users, count)) == pytest.approx(number[name].value, rel=1e-12)
