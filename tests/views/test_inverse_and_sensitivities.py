"""Formulas out of estimators, crossovers, elasticities, uncertainty and inverse questions."""

import math

import numpy as np
import pytest
import sympy

import nvscale as nv

WORK = nv.Decoding(model=nv.model("llama-3.1-8b"), batch=32, context=2048, precision="fp8")
NODE, ALONE = nv.system("dgx-h100"), nv.Parallelism()


def test_a_symbolic_step_equals_the_number_at_the_number() -> None:
    tree, symbols = nv.symbolic(nv.decoding, {"batch": "B", "memory_bandwidth": "b"}, work=WORK, system=NODE, plan=ALONE)
    numbers = {symbols["work.batch"]: 64.0, symbols["system.chip.memory_bandwidth"]: 3e12}
    work, system = WORK.replace(batch=64), NODE.replace(**{"chip.memory_bandwidth": 3e12})
    assert float(tree.value.subs(numbers)) == pytest.approx(nv.decoding(work, system, ALONE).value, rel=1e-9)


def test_a_crossover_makes_both_terms_equal() -> None:
    tree, symbols = nv.symbolic(nv.decoding, {"batch": "B"}, work=WORK, system=NODE, plan=ALONE)
    found = nv.crossovers(tree["step"], symbols["work.batch"])
    assert found
    for one in found:
        below, above = (sympy.sympify(tree["step"].terms[name].value) for name in (one.below, one.above))
        at = {symbols["work.batch"]: one.value}
        later = {symbols["work.batch"]: one.value * 1.5}
        assert float(below.subs(at)) == pytest.approx(float(above.subs(at)), rel=1e-6)
        assert float(above.subs(later)) > float(below.subs(later))


def test_crossovers_need_terms_and_the_symbol() -> None:
    tree, _ = nv.symbolic(nv.decoding, {"batch": "B"}, work=WORK, system=NODE, plan=ALONE)
    with pytest.raises(nv.InvalidInput, match="does not depend on"):
        nv.crossovers(tree["step"], sympy.Symbol("other"))


def test_elasticities_are_those_of_finite_differences() -> None:
    found = {one.path: one.elasticity for one in nv.elasticities(nv.decoding, work=WORK, system=NODE, plan=ALONE)}
    faster = NODE.replace(**{"chip.memory_bandwidth": NODE.chip.memory_bandwidth * 1.001})
    change = math.log(nv.decoding(WORK, faster, ALONE).value / nv.decoding(WORK, NODE, ALONE).value) / math.log(1.001)
    assert found["system.chip.memory_bandwidth"] == pytest.approx(change, rel=1e-3)
    assert all(abs(a) >= abs(b) for a, b in zip(list(found.values()), list(found.values())[1:], strict=False))


def test_a_bare_roofline_answers_to_its_roof_alone() -> None:
    """A memory-bound multiply on the ideal chip: bandwidth -1, nothing else."""
    work = nv.Gemm(m=1, n=8192, k=8192, replayed=0)
    found = nv.elasticities(nv.kernel, work=work, system=nv.chip("H100"), efficiency=nv.IDEAL)
    assert [one.path for one in found] == ["system.memory_bandwidth"]
    assert found[0].elasticity == pytest.approx(-1.0, abs=1e-6)


def test_uncertainty_of_one_figure_is_its_own_spread() -> None:
    """Time is the reciprocal of bandwidth: quantiles of a log-uniform figure are known."""
    work = nv.Gemm(m=1, n=8192, k=8192, replayed=0)
    chip = nv.chip("H100").replace(memory_bandwidth="3 TB/s")
    found = nv.uncertain(nv.kernel, ranges={"memory_bandwidth": ("2 TB/s", "4 TB/s")}, work=work, system=chip, efficiency=nv.IDEAL)
    middle = nv.kernel(work, chip.replace(memory_bandwidth=math.sqrt(2e12 * 4e12)), nv.IDEAL).value
    assert found.median == pytest.approx(middle, rel=5e-3)
    assert found.high / found.low == pytest.approx(2.0**0.9, rel=2e-2)


def test_samples_are_the_same_for_the_same_seed() -> None:
    work, ranges = nv.Gemm(m=1, n=8192, k=8192, replayed=0), {"memory_bandwidth": ("2 TB/s", "4 TB/s")}
    first, again = (nv.uncertain(nv.kernel, ranges=ranges, work=work, system=nv.chip("H100"), seed=3).samples for _ in range(2))
    assert np.array_equal(first, again)


def test_solve_inverts_the_estimator() -> None:
    found = nv.solve(nv.decoding, "tpot", "10 ms", unknown="batch", work=WORK, system=NODE, plan=ALONE)
    assert nv.decoding(WORK.replace(batch=found.value), NODE, ALONE)["tpot"].value == pytest.approx(10e-3, rel=1e-9)
    assert "work.batch" in str(found)


def test_solve_works_on_a_figure_of_the_chip_and_of_training() -> None:
    job = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=64)
    base = nv.training(job, NODE, nv.Parallelism())
    found = nv.solve(nv.training, "", base.value * 0.95, unknown="system.chip.peak.bf16", job=job, system=NODE, plan=nv.Parallelism())
    assert found.value > NODE.chip.peak.bf16


@pytest.mark.parametrize(
    ("output", "target", "unknown", "said"),
    [
        ("tpot", "1 us", "batch", "never 1 us"),
        ("tpott", "10 ms", "batch", "tpot"),
        ("tpot", "10 ms", "batchh", "batch"),
        ("tpot", "10 GB", "batch", "s"),
    ],
)
def test_what_cannot_be_solved_is_said(output: str, target: str, unknown: str, said: str) -> None:
    with pytest.raises((nv.NvscaleError, LookupError, ValueError), match=said):
        nv.solve(nv.decoding, output, target, unknown=unknown, work=WORK, system=NODE, plan=ALONE)


def test_nothing_to_vary_is_said() -> None:
    with pytest.raises(nv.InvalidInput, match="no range above 0"):
        nv.uncertain(nv.decoding, ranges={"context": (10, 5)}, work=WORK, system=NODE, plan=ALONE)
