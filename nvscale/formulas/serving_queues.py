"""Requests that wait: how many there are, how long they queue, and percentiles where a closed form of them is honest."""

from nvscale.ops import INFINITY, exp, log, maximum, sqrt, where
from nvscale.unit_types import Exponent, PerSecond, Ratio, Seconds, Share

__all__ = [
    "concurrent_requests",
    "many_server_wait",
    "normal_quantile",
    "offered_load",
    "poisson_percentile",
    "single_server_wait",
    "wait_percentile",
]


def concurrent_requests(rate: PerSecond, latency: Seconds) -> Ratio:
    r"""Requests in a system on average (Little's law).

    $$N = \lambda\,T$$

    Parameters
    ----------
    rate : 1/s, broadcast
        Requests that arrive per second.
    latency : s, broadcast
        Mean time from arrival to the last token.

    Returns
    -------
    1, broadcast
        Mean number of requests that are waiting or served.

    Assumptions
    -----------
    A steady state; no assumption on how requests arrive or in what order they are served.

    References
    ----------
    Little, A Proof for the Queuing Formula L = lambda W, Operations Research 9(3), 1961.

    Examples
    --------
    Three requests a second of ten seconds each: thirty at a time.

    >>> concurrent_requests(3.0, 10.0)
    30.0
    """
    return rate * latency


def offered_load(rate: PerSecond, service: Seconds) -> Ratio:
    r"""Work that arrives per second, in servers that it keeps busy.

    $$\rho = \lambda\,S$$

    Parameters
    ----------
    rate : 1/s, broadcast
        Requests that arrive per second.
    service : s, broadcast
        Mean time that one request keeps a server busy.

    Returns
    -------
    1, broadcast
        Load; a single server keeps up only below 1.

    Assumptions
    -----------
    None; it is a definition.

    References
    ----------
    Kleinrock, Queueing Systems, volume 1, 1975, section 2.1.

    Examples
    --------
    Prompts of 20 ms, thirty a second, keep 60 % of a server busy.

    >>> offered_load(30.0, 0.02)
    0.6
    """
    return rate * service


def single_server_wait(rate: PerSecond, service: Seconds, variation: Ratio = 0.0) -> Seconds:
    r"""Mean wait before service in a queue of one server with Poisson arrivals (Pollaczek and Khinchine, M/G/1).

    $$W = \frac{\rho\,S\,(1 + c^2)}{2\,(1 - \rho)}, \qquad \rho = \lambda S$$

    Parameters
    ----------
    rate : 1/s, broadcast
        Requests that arrive per second.
    service : s, broadcast
        Mean service time.
    variation : 1, broadcast
        Coefficient of variation of the service time: 0 for prompts of one length (M/D/1), 1 for M/M/1.

    Returns
    -------
    s, broadcast
        Mean wait, service not included; infinite where the load is 1 or more: the queue then grows without end.

    Assumptions
    -----------
    Poisson arrivals, one at a time in order of arrival, steady state, load below 1.

    References
    ----------
    Kleinrock, Queueing Systems, volume 1, 1975, section 5.6, equation 5.70.

    Examples
    --------
    At 60 % load with equal prompts of 20 ms the wait is 15 ms.

    >>> round(single_server_wait(30.0, 0.02) * 1e3, 6)
    15.0
    """
    load = rate * service
    stable = load < 1.0
    room = where(stable, 1.0 / where(stable, 1.0 - load, 1.0), INFINITY)
    return 0.5 * (1.0 + variation * variation) * load * room * service


def many_server_wait(rate: PerSecond, service: Seconds, servers: Ratio, variation: Ratio = 1.0) -> Seconds:
    r"""Mean wait before service in a queue of many alike servers (Sakasegawa's approximation of M/G/c).

    $$W \approx \frac{1 + c^2}{2}\,\frac{S}{m}\,\frac{\rho^{\sqrt{2(m+1)} - 1}}{1 - \rho}, \qquad \rho = \lambda S / m$$

    Parameters
    ----------
    rate : 1/s, broadcast
        Requests that arrive per second.
    service : s, broadcast
        Mean service time.
    servers : 1, broadcast
        Servers m: the requests that the cache of an instance holds.
    variation : 1, broadcast
        Coefficient of variation of the service time.

    Returns
    -------
    s, broadcast
        Mean wait; infinite where the load of a server is 1 or more.

    Assumptions
    -----------
    Poisson arrivals, steady state. Exact for one server with M/M/1; within 15 % of Erlang's formula for M/M/c from a load of 0.9
    up to 50 servers; at light load, where waits are short, it gives too much.

    References
    ----------
    Sakasegawa, An approximation formula L_q = alpha rho^beta / (1 - rho), Annals of the Institute of Statistical
    Mathematics 29, 1977.

    Examples
    --------
    One server at 60 % load and exponential service is M/M/1: the wait is 1.5 service times.

    >>> round(many_server_wait(30.0, 0.02, 1.0) / 0.02, 6)
    1.5
    """
    load = rate * service / servers
    stable = load < 1.0
    room = where(stable, 1.0 / where(stable, 1.0 - load, 1.0), INFINITY)
    some = load > 0.0
    power = where(some, exp((sqrt(2.0 * (servers + 1.0)) - 1.0) * log(where(some, load, 1.0))), 0.0)
    return 0.5 * (1.0 + variation * variation) * where(some, power * room, 0.0) * service / servers


def wait_percentile(mean_wait: Seconds, load: Ratio, share: Share) -> Seconds:
    r"""Wait that a share of the requests do not exceed, in a queue whose waits fall off exponentially.

    $$W_p = \max\left(0, \frac{W}{\rho}\,\ln\frac{\rho}{1 - p}\right)$$

    Parameters
    ----------
    mean_wait : s, broadcast
        Mean wait W of all requests, those that do not wait among them.
    load : 1, broadcast
        Load, which is also the share of the requests that wait.
    share : 1, broadcast
        Share p of the requests, below 1.

    Returns
    -------
    s, broadcast
        Percentile of the wait; 0 where more requests than that do not wait at all.

    Assumptions
    -----------
    P(wait > t) = rho exp(-rho t / W): exact for M/M/1. For M/D/1 and M/G/1 the mean and the share that waits are kept and
    the tail is an approximation.

    References
    ----------
    Kleinrock, Queueing Systems, volume 1, 1975, section 5.12 (M/M/1). Derivation: the tail solved for t.

    Examples
    --------
    >>> round(wait_percentile(0.03, 0.6, 0.95), 4)
    0.1242
    """
    some = load > 0.0
    busy = where(some, load, 1.0)
    return where(some, mean_wait / busy * maximum(log(busy / (1.0 - share)), 0.0), 0.0 * mean_wait)


def normal_quantile(share: Share) -> Exponent:
    r"""Quantile of the standard normal distribution, from its median up.

    $$z = t - \frac{c_0 + c_1 t + c_2 t^2}{1 + d_1 t + d_2 t^2 + d_3 t^3}, \qquad t = \sqrt{-2 \ln(1 - p)}$$

    Parameters
    ----------
    share : 1, broadcast
        Probability p, from 0.5 and below 1.

    Returns
    -------
    1, broadcast
        z with P(Z < z) = p.

    Assumptions
    -----------
    Error below 4.5e-4; not for probabilities below 0.5.

    References
    ----------
    Abramowitz and Stegun, Handbook of Mathematical Functions, 1964, formula 26.2.23.

    Examples
    --------
    >>> round(normal_quantile(0.95), 3)
    1.645
    """
    t = sqrt(-2.0 * log(1.0 - share))
    above = 2.515517 + t * (0.802853 + t * 0.010328)
    below = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))
    return maximum(t - above / below, 0.0)


def poisson_percentile(mean: Ratio, share: Share) -> Ratio:
    r"""Events that happen at most with a probability, where their number is Poisson (normal approximation).

    $$K_p \approx m + z_p \sqrt{m}$$

    Parameters
    ----------
    mean : 1, broadcast
        Mean number m of events, such as prompts of other users while one answer is written.
    share : 1, broadcast
        Probability p, from 0.5 and below 1.

    Returns
    -------
    1, broadcast
        Events, as a real number.

    Assumptions
    -----------
    Independent events; the approximation is within one event from a mean of about 1 on.

    References
    ----------
    Johnson, Kemp and Kotz, Univariate Discrete Distributions, 2005, section 4.6. Derivation: normal quantile of mean and variance m.

    Examples
    --------
    >>> round(poisson_percentile(31.0, 0.95), 1)
    40.2
    """
    return mean + normal_quantile(share) * sqrt(mean)
