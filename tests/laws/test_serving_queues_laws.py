"""Laws of queues: exact cases, growth with the load, divergence, percentiles."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvscale.formulas import serving_queues as queues

loads = st.floats(0.01, 0.98)
services = st.floats(1e-3, 100.0)
shares = st.floats(0.5, 0.999)
servers = st.floats(1.0, 2000.0)


@given(loads, services)
def test_exponential_service_of_one_server_is_m_m_1_in_both_formulas(load, service):
    exact = load / (1.0 - load) * service
    assert queues.single_server_wait(load / service, service, 1.0) == pytest.approx(exact, rel=1e-9)
    assert queues.many_server_wait(load / service, service, 1.0, 1.0) == pytest.approx(exact, rel=1e-9)


@given(loads, services)
def test_equal_prompts_wait_half_as_long_as_exponential_ones(load, service):
    rate = load / service
    assert 2.0 * queues.single_server_wait(rate, service) == pytest.approx(queues.single_server_wait(rate, service, 1.0), rel=1e-12)


@given(loads, loads, services, servers)
def test_waits_grow_with_the_load(a, b, service, count):
    low, high = sorted((a, b))
    assert queues.single_server_wait(low / service, service) <= queues.single_server_wait(high / service, service)
    some, more = (queues.many_server_wait(load * count / service, service, count) for load in (low, high))
    assert some <= more * (1.0 + 1e-12)


@given(st.floats(1.0, 10.0), services)
def test_a_load_of_one_or_more_waits_for_ever(load, service):
    assert queues.single_server_wait(load * (1.0 + 1e-9) / service, service) == math.inf
    assert queues.many_server_wait(load * 5.0 * (1.0 + 1e-9) / service, service, 5.0) == math.inf


@given(services)
def test_nothing_waits_where_nothing_arrives(service):
    assert queues.single_server_wait(0.0, service) == 0.0
    assert queues.many_server_wait(0.0, service, 10.0) == 0.0
    assert queues.wait_percentile(0.0, 0.0, 0.95) == 0.0


@pytest.mark.parametrize(("count", "load"), [(c, rho) for c in (1, 2, 5, 10, 50) for rho in (0.9, 0.95, 0.99)])
def test_many_servers_come_close_to_erlang(count, load):
    """Erlang's C formula; the approximation is of heavy traffic, and gives too much rather than too little below it."""
    offered = count * load
    term = total = 1.0
    for k in range(1, count):
        term *= offered / k
        total += term
    last = term * offered / count / (1.0 - load)
    exact = last / (total + last) / (count - offered)
    assert queues.many_server_wait(offered, 1.0, float(count)) == pytest.approx(exact, rel=0.15)


@given(loads, services, shares)
def test_the_percentile_of_m_m_1_holds_the_share(load, service, share):
    mean = queues.single_server_wait(load / service, service, 1.0)
    most = queues.wait_percentile(mean, load, share)
    beyond = load * math.exp(-most * load / mean)
    assert beyond == pytest.approx(min(1.0 - share, load), rel=1e-9)


@pytest.mark.parametrize(("share", "z"), [(0.5, 0.0), (0.9, 1.28155), (0.95, 1.64485), (0.99, 2.32635), (0.999, 3.09023)])
def test_quantiles_of_the_normal_distribution(share, z):
    """Abramowitz and Stegun, table 26.1; the error of the approximation is below 4.5e-4."""
    assert queues.normal_quantile(share) == pytest.approx(z, abs=4.5e-4)


@given(st.floats(0.0, 1e4), shares, shares)
def test_percentiles_of_counts_grow_and_are_never_below_the_mean(mean, a, b):
    low, high = sorted((a, b))
    assert mean <= queues.poisson_percentile(mean, low) <= queues.poisson_percentile(mean, high) + 1e-3 * (1.0 + mean)
