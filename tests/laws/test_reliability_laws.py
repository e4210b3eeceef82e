"""Laws of checkpoints and failures."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import reliability as r

RATES = st.floats(1e-7, 1e-3)
CHECKPOINTS = st.floats(1.0, 600.0)
RESTARTS = st.floats(0.0, 7200.0)
INTERVALS = st.floats(60.0, 20000.0)


@given(RATES, INTERVALS, CHECKPOINTS, RESTARTS)
def test_goodput_is_a_share_below_that_without_failures(rate: float, interval: float, checkpoint: float, restart: float) -> None:
    found = r.goodput(rate, interval, checkpoint, restart)
    assert 0.0 < found < r.goodput(0.0, interval, checkpoint, restart) == interval / (interval + checkpoint)


@given(RATES, INTERVALS, CHECKPOINTS, RESTARTS, st.floats(1.01, 10.0))
def test_more_of_any_loss_never_raises_goodput(rate: float, interval: float, checkpoint: float, restart: float, more: float) -> None:
    base = r.goodput(rate, interval, checkpoint, restart)
    assert r.goodput(rate * more, interval, checkpoint, restart) < base
    assert r.goodput(rate, interval, checkpoint * more, restart) < base
    assert r.goodput(rate, interval, checkpoint, restart * more) <= base


@given(RATES, CHECKPOINTS, RESTARTS, st.floats(0.2, 5.0))
def test_no_other_interval_beats_dalys_by_more_than_its_error(rate: float, checkpoint: float, restart: float, factor: float) -> None:
    mean = 1.0 / rate
    if checkpoint > 0.1 * mean:
        return
    best = r.daly_checkpoint_interval(checkpoint, mean)
    assert r.goodput(rate, best * factor, checkpoint, restart) <= r.goodput(rate, best, checkpoint, restart) * (1.0 + 1e-3)


@given(CHECKPOINTS, st.floats(1e5, 1e7))
def test_young_and_daly_meet_where_failures_are_rare(checkpoint: float, mean: float) -> None:
    ratio = (r.daly_checkpoint_interval(checkpoint, mean) + checkpoint) / r.young_checkpoint_interval(checkpoint, mean)
    assert ratio == pytest.approx(1.0, abs=0.5 * np.sqrt(checkpoint / (2.0 * mean)))


@given(st.floats(1e-8, 1e-6), st.floats(60.0, 2000.0), st.floats(1.0, 60.0), st.floats(0.0, 600.0))
def test_the_first_order_meets_the_exact_form_where_failures_are_rare(
    rate: float, interval: float, checkpoint: float, restart: float
) -> None:
    exact = r.goodput(rate, interval, checkpoint, restart)
    assert r.first_order_goodput(rate, interval, checkpoint, restart) == pytest.approx(exact, rel=1e-5)


@given(RATES, st.floats(1.0, 10000.0), st.floats(1.0, 20.0))
def test_time_between_interruptions_falls_with_nodes(rate: float, nodes: float, more: float) -> None:
    assert r.mean_time_between_interruptions(rate, nodes * more) * more == pytest.approx(r.mean_time_between_interruptions(rate, nodes))


@given(st.floats(0.2, 0.99), RATES)
def test_what_an_interruption_cost_gives_the_goodput_back(share: float, rate: float) -> None:
    lost = r.lost_time_per_interruption(share, rate)
    assert 1.0 / (1.0 + rate * lost) == pytest.approx(share)


@given(st.floats(1.0, 1e4), st.floats(1e-8, 1e-6), st.floats(3600.0, 1e6), st.floats(0.0, 3.0))
def test_spares_cover_the_mean_in_repair(nodes: float, rate: float, repair: float, deviations: float) -> None:
    assert r.spare_nodes(nodes, rate, repair, deviations) >= nodes * rate * repair
