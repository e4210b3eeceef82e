"""A path of compute through a law: it follows the law, and the walls are where their formulas say."""

import pytest

import nvscale as nv
from nvscale.formulas.scaling_laws import latency_limited_tokens

LAW = "chinchilla/besiroglu-2024"


def test_every_year_is_the_optimum_of_the_law() -> None:
    path, law = nv.prospects(1e26, 3.0, years=3, law=LAW), nv.laws.load(LAW)
    for row in path.rows:
        best = law.optimum(compute=1e26 * 3.0**row.year, extrapolate="allow")
        assert row.parameters == pytest.approx(best.parameters.value) and row.tokens == pytest.approx(best.tokens.value)
        assert row.loss == pytest.approx(best.loss.value)


def test_faster_growth_reaches_a_loss_sooner_and_walls_earlier() -> None:
    slow, fast = (nv.prospects("1.8e27 flop", factor, data="300 Ttoken") for factor in (2.0, 3.0))
    assert fast.rows[-1].loss < slow.rows[-1].loss
    first_slow, first_fast = slow.first("data"), fast.first("data")
    assert first_slow is not None and first_fast is not None and first_fast.year < first_slow.year
    assert first_fast.data_share > 1.0 >= fast.rows[int(first_fast.year) - 1].data_share


def test_the_latency_wall_is_that_of_its_formula() -> None:
    """Reference: 90 days, 4e6 tokens a step, 120 layers of 40 us: 3.15e30 FLOP at 20 tokens per parameter."""
    reachable = latency_limited_tokens(90.0 * 86400.0, 4e6, 120.0, 40e-6)
    assert 6.0 * reachable**2 / 20.0 == pytest.approx(3.15e30, rel=0.01)
    row = nv.prospects("1.8e27 flop", 2.0, law=LAW).rows[-1]
    assert row.latency_share == pytest.approx(row.tokens / reachable)


@pytest.mark.parametrize(("growth", "years"), [(0.0, 10), (-1.0, 10), (2.0, 0)])
def test_a_path_that_is_none_is_refused(growth: float, years: int) -> None:
    with pytest.raises(nv.InvalidInput, match="must be above 0"):
        nv.prospects(1e26, growth, years=years)


def test_an_unknown_wall_is_said() -> None:
    with pytest.raises(nv.InvalidInput, match="neither 'data' nor 'latency'"):
        nv.prospects(1e26).first("money")


def test_printed_it_has_a_line_a_year() -> None:
    path = nv.prospects(1e26, years=4)
    assert len(str(path).splitlines()) == 2 + 5 + len(path.assumptions)
    assert len(path.to_dict()["rows"]) == 5
