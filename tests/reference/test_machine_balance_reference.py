"""Published balance results: the constants of the traffic bounds and the square of Kung."""

import pytest

from nvscale.formulas import machine_balance

SMITH = "Smith, Lowery, Langou, van de Geijn, arXiv 1702.02017, 2019, abstract"
CEILING = "Irony, Toledo, Tiskin, JPDC 64(9), 2004"


@pytest.mark.parametrize("words", [1e4, 1e5, 1e6])
@pytest.mark.parametrize("side", [1e4, 1e5])
def test_leading_term_of_the_tight_bound(side: float, words: float) -> None:
    bound = machine_balance.matmul_traffic_lower_bound(side, side, side, words, 1.0)
    assert bound == pytest.approx(2 * side**3 / words**0.5 - 2 * words, rel=1e-12), SMITH


def test_the_constant_is_four_root_two_times_the_older_one() -> None:
    """The abstract states an improvement of the leading constant by 4 sqrt(2) over m n k / (2 sqrt(2) sqrt(Z))."""
    side, words = 1e9, 1e6
    older = side**3 / (2 * 2**0.5 * words**0.5)
    bound = machine_balance.matmul_traffic_lower_bound(side, side, side, words, 1.0)
    assert bound / older == pytest.approx(4 * 2**0.5, rel=1e-6), f"{SMITH}; {CEILING}"


@pytest.mark.parametrize(("growth", "factor"), [(2.0, 4.0), (4.0, 16.0), (10.0, 100.0)])
def test_memory_grows_with_the_square_of_the_balance(growth: float, factor: float) -> None:
    assert machine_balance.kung_memory_for_balance(1.0, growth) == factor, "Kung, ISCA 1986, matrix computations"


def test_ecm_composition_rule() -> None:
    """T = max(T_OL, T_nOL + T_L1L2 + T_L2L3 + T_L3Mem): FAU Erlangen, page on the ECM model."""
    data = [6.0, 6.0, 13.0]
    assert machine_balance.ecm_time(4.0, 3.0, data) == 28.0
    assert machine_balance.ecm_time(40.0, 3.0, data) == 40.0
    assert machine_balance.ecm_saturation_cores(28.0, 13.0) == 3.0
