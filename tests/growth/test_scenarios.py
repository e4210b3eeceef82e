"""Whole scenarios: what belongs to no factor is refused, mixtures give the ends back, arrays and single numbers agree."""

import math

import pytest

import nvscale as nv
from nvscale.analysis import attribution
from nvscale.analysis.mixtures import mixture


def cost(**inputs):
    return nv.serving(**inputs)["usd per million tokens"]


def scenario(system, precision, users, model="llama-2-70b"):
    work = nv.Serving(model=nv.model(model), isl=1024, osl=256, concurrency=users, precision=precision)
    return {"work": work, "system": nv.system(system)}


BEFORE, AFTER = scenario("dgx-a100", "bf16", 16), scenario("gb200-nvl72", "fp4", 64)
PAIRS = [
    (BEFORE, AFTER),
    (scenario("dgx-a100", "bf16", 64), scenario("dgx-h100", "fp8", 64)),
    (scenario("dgx-h200", "fp8", 64), scenario("gb300-nvl72", "nvfp4", 512, "llama-3.1-70b")),
]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_default_factors_multiply_to_the_total(before, after):
    outputs = ["tokens per second", "tpot", "tokens per second per megawatt"]
    for output in [*outputs, *(["usd per million tokens"] if after["system"].name != "gb300-nvl72" else [])]:
        found = nv.attribute(nv.serving, before, after, output=output)
        assert math.prod(found.factors.values()) == pytest.approx(found.total, rel=1e-12)
        itself = nv.serving(**after)[output].value / nv.serving(**before)[output].value
        assert found.total == pytest.approx(itself, rel=1e-12)
        assert not found.errors


def test_arrays_and_single_numbers_agree(monkeypatch):
    before, after = PAIRS[1]
    found = nv.attribute(cost, before, after)
    monkeypatch.setattr(attribution._Runner, "_swept", lambda *_: None)
    single = nv.attribute(cost, before, after)
    assert found.contributions == pytest.approx(single.contributions, rel=1e-9, abs=1e-12)


def test_a_factor_that_cannot_matter_gets_nothing():
    found = nv.attribute(nv.serving, BEFORE, AFTER, output="tokens per second")
    assert found.factors["price"] == found.factors["power"] == 1.0


def test_before_and_after_swapped_inverts_the_factors():
    there, back = nv.attribute(cost, BEFORE, AFTER), nv.attribute(cost, AFTER, BEFORE)
    assert {name: 1 / factor for name, factor in back.factors.items()} == pytest.approx(there.factors, rel=1e-9)


def test_nothing_changed_is_nothing_attributed():
    found = nv.attribute(cost, BEFORE, BEFORE)
    assert (found.total, found.factors, found.shares) == (1.0, {}, {})


def test_training_is_taken_apart_too():
    def job(precision):
        return nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=128, precision=precision)

    before = {"job": job("bf16"), "system": nv.system("dgx-a100").scale(64), "plan": nv.Parallelism(tp=2)}
    after = {"job": job("fp8"), "system": nv.system("dgx-h100").scale(128), "plan": nv.Parallelism()}
    found = nv.attribute(nv.training, before, after, output="tokens per second")
    assert math.prod(found.factors.values()) == pytest.approx(found.total, rel=1e-12)
    assert found.factors["layout"] != 1.0
    assert found.factors["chip count"] == pytest.approx(2.0, rel=0.2)


def test_factors_of_ones_own():
    chip = nv.chip("h100")
    faster = chip.replace(memory_bandwidth=2 * chip.memory_bandwidth, memory="160 GB")

    def bandwidth(chip):
        return chip.memory_bandwidth

    found = nv.attribute(bandwidth, {"chip": chip}, {"chip": faster}, {"memory": ["chip.memory", "chip.memory_bandwidth"]})
    assert found.factors == {"memory": pytest.approx(2.0)}
    with pytest.raises(nv.InvalidInput, match=r"chip\.memory differs .* belongs to no factor"):
        nv.attribute(bandwidth, {"chip": chip}, {"chip": faster}, {"bandwidth": "chip.memory_bandwidth"})
    with pytest.raises(nv.InvalidInput, match="belongs to the factors one and two"):
        nv.attribute(bandwidth, {"chip": chip}, {"chip": faster}, {"one": "chip", "two": "chip.memory"})


def test_inputs_that_differ_and_belong_nowhere_are_refused():
    def value(work, system, mood):
        return 1.0

    with pytest.raises(nv.InvalidInput, match="mood differs and belongs to no default factor"):
        nv.attribute(value, {**BEFORE, "mood": 1}, {**AFTER, "mood": 2})
    with pytest.raises(nv.InvalidInput, match="only one has plan"):
        nv.attribute(cost, BEFORE, {**AFTER, "plan": nv.Parallelism(tp=8)})
    with pytest.raises(nv.InvalidInput, match="must be a System"):
        nv.attribute(cost, BEFORE, {**AFTER, "system": "gb200-nvl72"})


def test_a_mixture_that_fails_is_named():
    def root(value, sign):
        return value * sign

    with pytest.raises(nv.InvalidInput, match="scenario gives"):
        nv.attribute(root, {"value": 1.0, "sign": 1.0}, {"value": 2.0, "sign": -1.0}, "each")
    with pytest.raises(nv.InvalidInput, match="no finite value"):
        nv.attribute(root, {"value": 1.0, "sign": 1.0}, {"value": -2.0, "sign": -1.0}, "each")
    with pytest.raises(nv.UnknownName, match="scale"):
        nv.attribute(root, {"value": 1.0, "sign": 1.0}, {"value": 2.0, "sign": 1.0}, "each", scale="square")


def test_an_estimator_that_reads_more_of_a_system_is_refused():
    def parts(system):
        return float(len(system.parts)) + system.chips

    with pytest.raises(nv.InvalidInput, match="give factors of your own"):
        nv.attribute(parts, {"system": nv.system("dgx-a100")}, {"system": nv.system("gb200-nvl72")})


def test_every_default_factor_differs_only_where_inputs_do():
    same = mixture(BEFORE, {**BEFORE, "work": BEFORE["work"].replace(concurrency=32)}, "default")
    assert same.factors == ("load",)


def test_printed_and_plain():
    found = nv.attribute(cost, *PAIRS[1])
    assert "memory bandwidth" in str(found)
    assert found.to_dict()["scale"] == "log"
    assert math.fsum(found.to_dict()["shares"].values()) == pytest.approx(1.0)
