"""Laws of attribution: efficiency, symmetry, dummy; equal to the logarithmic mean Divisia index on products."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nvscale as nv
from nvscale.analysis.shapley import exact_shapley, sampled_shapley
from nvscale.formulas import decomposition

ratios = st.floats(0.05, 20.0)


@st.composite
def games(draw):
    m = draw(st.integers(1, 5))
    return np.array(draw(st.lists(st.floats(-10.0, 10.0), min_size=2**m, max_size=2**m))).reshape((2,) * m)


@given(games())
def test_contributions_add_up_to_the_whole_change(values):
    assert math.fsum(exact_shapley(values)) == pytest.approx(values.flat[-1] - values.flat[0], abs=1e-12)


@given(games(), st.data())
def test_factors_that_do_the_same_get_the_same(values, data):
    if values.ndim < 2:
        return
    a, b = data.draw(st.permutations(range(values.ndim)))[:2]
    alike = 0.5 * (values + np.swapaxes(values, a, b))
    found = exact_shapley(alike)
    assert found[a] == pytest.approx(found[b], abs=1e-12)


@given(games(), st.floats(-5.0, 5.0))
def test_a_factor_that_adds_the_same_to_everything_gets_just_that(values, own):
    game = np.stack([values, values + own])
    assert exact_shapley(game)[0] == pytest.approx(own, abs=1e-9)
    assert exact_shapley(game)[1:] == pytest.approx(exact_shapley(values), abs=1e-9)


@given(games(), games())
def test_contributions_of_a_sum_are_the_sum_of_contributions(one, other):
    if one.shape != other.shape:
        return
    both = [a + b for a, b in zip(exact_shapley(one), exact_shapley(other), strict=True)]
    assert exact_shapley(one + other) == pytest.approx(both, abs=1e-9)


@given(st.dictionaries(st.sampled_from("abcdef"), st.tuples(ratios, ratios), min_size=1))
@settings(deadline=None)
def test_on_products_it_is_the_logarithmic_mean_divisia_index(factors):
    def product(**inputs):
        return math.prod(inputs.values())

    before, after = ({name: pair[side] for name, pair in factors.items()} for side in (0, 1))
    found = nv.attribute(product, before, after, "each")
    total_before, total_after = product(**before), product(**after)
    weight = decomposition.lmdi_weight(total_before, total_after, total_before, total_after)
    for name, (old, new) in factors.items():
        if old != new:
            assert found.factors[name] == pytest.approx(decomposition.lmdi_factor(old, new, weight), rel=1e-9)
    assert math.prod(found.factors.values()) == pytest.approx(total_after / total_before, rel=1e-12)


@given(st.lists(st.tuples(ratios, ratios), min_size=2, max_size=6), st.integers(0, 5))
def test_divisia_factors_of_segments_multiply_to_the_total(segments, seed):
    """Several segments, each a product of activity and intensity: the index is exact in aggregate."""
    other = np.random.default_rng(seed).uniform(0.05, 20.0, (len(segments), 2))
    before = [a * x for (a, _), (x, _) in zip(segments, other, strict=True)]
    after = [a * x for (_, a), (_, x) in zip(segments, other, strict=True)]
    logs = []
    for pairs in (segments, other):
        weights = [decomposition.lmdi_weight(b, c, sum(before), sum(after)) for b, c in zip(before, after, strict=True)]
        logs.append(math.fsum(math.log(decomposition.lmdi_factor(x0, x1, w)) for (x0, x1), w in zip(pairs, weights, strict=True)))
    assert math.exp(sum(logs)) == pytest.approx(sum(after) / sum(before), rel=1e-9)


@given(st.integers(0, 10))
def test_drawn_orders_add_up_whatever_they_are(seed):
    rates = [1.3, 2.0, 0.7, 5.0, 1.1]

    def value(bits):
        return math.log(min(math.prod(r for r, bit in zip(rates, bits, strict=True) if bit), 3.0))

    found, errors = sampled_shapley(value, len(rates), samples=5, seed=seed)
    assert math.fsum(found) == pytest.approx(value((1,) * 5) - value((0,) * 5), abs=1e-12)
    assert len(errors) == len(rates)


def test_more_than_twelve_factors_are_drawn_and_agree_with_the_product():
    def product(**inputs):
        return math.prod(inputs[name] if isinstance(inputs[name], float) else math.nan for name in inputs)

    before, after = ({f"x{i}": 1.0 + 0.1 * i * side for i in range(1, 15)} for side in (0, 1))
    found = nv.attribute(product, before, after, "each", samples=3)
    assert found.factors["x14"] == pytest.approx(2.4, rel=1e-12)
    assert set(found.errors) == set(found.contributions)


def time_of(peak, bandwidth, bits):
    return np.maximum(1.0 / peak, 1.5 * bits / bandwidth)


def test_reference_through_a_roof():
    """G19: F 1 to 4, BW 1 to 2.4, bits 2 to 1 through t = max(1/F, 1.5 bits/BW): 4.8 = 1.169607 x 2.219173 x 1.849311."""
    found = nv.attribute(time_of, {"peak": 1.0, "bandwidth": 1.0, "bits": 2.0}, {"peak": 4.0, "bandwidth": 2.4, "bits": 1.0}, "each")
    expected = {"peak": 1.169607, "bandwidth": 2.219173, "bits": 1.849311}
    assert {name: 1 / factor for name, factor in found.factors.items()} == pytest.approx(expected, rel=1e-6)
    assert found.total == pytest.approx(1 / 4.8, rel=1e-12)


def test_the_linear_scale_gives_other_shares_of_the_same_product():
    """Dally's 16 x 12.5 x 2 x 2.5: log shares .401 .366 .100 .133, linear Shapley .336 .327 .151 .186."""
    names = {"numbers": 16.0, "instructions": 12.5, "sparsity": 2.0, "process": 2.5}
    before, after = dict.fromkeys(names, 1.0), names

    def product(**inputs):
        return math.prod(inputs.values())

    log = nv.attribute(product, before, after, "each").shares
    linear = nv.attribute(product, before, after, "each", scale="linear").shares
    assert list(log.values()) == pytest.approx([0.401373, 0.365637, 0.100343, 0.132647], abs=1e-6)
    assert list(linear.values()) == pytest.approx([0.336, 0.327, 0.151, 0.186], abs=6e-4)
