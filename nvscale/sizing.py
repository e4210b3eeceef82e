"""`size_deployment`: how many of which chips, in which layout, serve so many users within their limits, and why the others lose."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.deployments import Deployment, Deployments, Goal
from nvscale.errors import InvalidInput, MissingFigure, NoFeasiblePlan, unknown
from nvscale.estimators.generation import Loop
from nvscale.formulas import serving_queues as queues
from nvscale.parallelism import Parallelism
from nvscale.serving_layouts import Fleet, fitting_fleet, label
from nvscale.settings import Prices
from nvscale.units import Unit
from nvscale.views import prices as default_prices
from nvscale.workloads.serving import Serving

BY = {"cost": "usd_per_hour", "energy": "megawatts", "gpus": "gpus"}
"""What deployments are ranked by, and the figure that is compared."""
REACH = 32.0
"""Chips up to which an instance may take more than one system."""
HOUR = 3600.0


def size_deployment(
    work: Serving,
    *,
    users: Any,
    tokens_per_second_per_user: Any = None,
    ttft: Any = None,
    candidates: "Sequence[str | System]",
    spare: int = 0,
    engine: Any = "generic",
    precisions: Sequence[str] | None = None,
    by: str = "cost",
    percentile: Any = None,
    prices: Prices | None = None,
    efficiency: Any = None,
    calibration: Any = None,
    **given: Any,
) -> Deployments:
    """Return what serves so many users within their limits, ranked, with the reason why each other one loses.

    Parameters
    ----------
    work : Serving
        Model and lengths of requests; its number of users is not used.
    users : 1
        Users who are served at the same time.
    tokens_per_second_per_user : token/s, optional
        Least speed that a user sees; none by default.
    ttft : s, optional
        Longest time to the first token; none by default.
    candidates : sequence of str or System
        Systems to choose from, bought whole.
    spare : 1
        Instances that may fail while the limits still hold (N + spare).
    engine : str, ServingEngine or sequence, optional
        Engines to choose from, as for `serving`.
    precisions : sequence of str, optional
        Formats of the weights to choose from; that of the work by default.
    by : str
        "cost" (USD per hour), "energy" (power) or "gpus".
    percentile : 1, optional
        Share of the requests that are within the limits, such as 0.95; without it the limits hold for the mean.
    prices : Prices, optional
        Energy price, cost of capital, life, or rent; `nvscale.prices()` by default.
    efficiency : ServingEfficiency, optional
        What kernels reach; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.
    given : any
        tp, pp, ep: the only value or values to try.

    Returns
    -------
    Deployments
        The best of each candidate, best first; `all` has every layout; print it to read it.

    Raises
    ------
    NoFeasiblePlan
        No candidate meets the limits; says of each what is missing.
    InvalidInput, UnknownName
        A limit, a count or a name that cannot be.

    Assumptions
    -----------
    Those of `serving`. Users are spread evenly over the instances, spare ones too. Percentiles: the prompts of other users fall
    into an answer independently of each other (Poisson), and prompts queue as in M/D/1 with an exponential tail.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=32, precision="fp8")
    >>> found = size_deployment(work, users=2000, tokens_per_second_per_user=50, candidates=["dgx-h100", "dgx-b200"])
    >>> found[0].tokens_per_second_per_user >= 50
    True
    """
    goal = Goal(
        users=float(Unit("1", ">=1").si(users, "users")),
        speed=_limit(tokens_per_second_per_user, "token/s", "tokens_per_second_per_user", 0.0),
        ttft=_limit(ttft, "s", "ttft", math.inf),
        spare=float(Unit("1", ">=0").si(spare, "spare")),
        percentile=None if percentile is None else float(Unit("1", "[0,1]").si(percentile, "percentile")),
        by=by,
    )
    _check(goal, candidates)
    terms = prices or default_prices()
    engines = [engine] if isinstance(engine, str) or not isinstance(engine, Sequence) else list(engine)
    formats = [precisions] if isinstance(precisions, str) else list(precisions or [work.precision])
    found: list[Deployment] = []
    rejected: dict[str, str] = {}
    for one in candidates:
        system = catalogue.system(one)
        why: dict[str, None] = {}
        before = len(found)
        for software in engines:
            for name in formats:
                options = {"prices": terms, "engine": software, "efficiency": efficiency, "calibration": calibration}
                search = _Search(work if name == work.precision else _at(work, name), system, goal, options)
                try:
                    found += search.deployments(**given)
                except (MissingFigure, NoFeasiblePlan) as problem:
                    why[str(problem)] = None
        if len(found) == before:
            rejected[system.name] = "; ".join(why)
    if not found:
        raise NoFeasiblePlan(f"no candidate serves {goal}: " + "; ".join(f"{name}: {why}" for name, why in rejected.items()))
    return Deployments(work, goal, tuple(sorted(found, key=_rank(by))), rejected)


def _limit(value: Any, unit: str, name: str, none: float) -> float:
    return none if value is None else float(Unit(unit, ">0").si(value, name))


def _check(goal: Goal, candidates: Any) -> None:
    if goal.by not in BY:
        raise unknown("order of deployments", goal.by, BY)
    if isinstance(candidates, str | System) or not len(candidates):
        raise InvalidInput(f"candidates: {candidates!r} is no list of systems; write e.g. ['dgx-h100', 'dgx-b200']")
    if goal.spare != math.floor(goal.spare) or goal.users != math.floor(goal.users):
        raise InvalidInput(f"users and spare must be whole numbers; given were {goal.users:g} and {goal.spare:g}")
    if goal.percentile is not None and not 0.5 <= goal.percentile < 1.0:
        raise InvalidInput(f"percentile: {goal.percentile:g} is not from 0.5 up to below 1; give a share of the requests such as 0.95")


def _rank(by: str) -> Callable[[Deployment], tuple[float, ...]]:
    """Order of deployments: the figure asked for, then GPUs, then the faster one; an unknown figure comes last."""

    def key(one: Deployment) -> tuple[float, ...]:
        figure = float(getattr(one, BY[by]))
        return (math.inf if math.isnan(figure) else figure, one.gpus, one.tpot)

    return key


def _at(work: Serving, precision: str) -> Serving:
    """The work at another format, with the usual cache of it."""
    return work.replace(precision=precision, cache_element=None)


class Delays(NamedTuple):
    """Time per output token and time to first token that the limits are held against."""

    tpot: Any
    ttft: Any


def delays(work: Serving, found: Loop, ranks: Any, percentile: float | None) -> Delays:
    """Return the delays of a loop: their mean, or a percentile over requests.

    A percentile needs a loop without the burst of a measurement (rounds infinite): prompts queue one by one instead.
    """
    if percentile is None:
        return Delays(found.tpot, found.ttft)
    others = found.share * work.osl
    more = queues.poisson_percentile(others, percentile) - others
    load = 1.0 - found.step_time / found.cycle
    service = found.first.mixed + found.first.experts
    rate = found.output / ranks / work.osl
    wait = queues.single_server_wait(rate, service)
    return Delays(found.tpot + more * found.prefill / work.osl, found.ttft + queues.wait_percentile(wait, load, percentile))


class _Search:
    """All layouts of one system, engine and format."""

    def __init__(self, work: Serving, system: System, goal: Goal, options: dict[str, Any]) -> None:
        self.work = work if goal.percentile is None else work.replace(rounds=math.inf)
        self.system, self.goal, self.options = system, goal, options

    def deployments(self, **given: Any) -> Iterator[Deployment]:
        """Yield a deployment per layout that meets the limits."""
        import numpy as np

        room = self.system if not self.system.networks else self.system.scale(self._reach())
        fleet = fitting_fleet(self.work, room, self.options, **given)
        most = fleet.most_users(lambda loop: self._allowed(loop, fleet), np.minimum(fleet.slots, self.goal.users))
        good = most.ravel() >= 1.0
        if not good.any():
            raise NoFeasiblePlan(self._too_slow(fleet))
        return self._made(Fleet(self.work, room, fleet.rows[good], **self.options), most[good])

    def _reach(self) -> float:
        """Chips that an instance may take: whole systems, more than one where they are small."""
        chips = float(self.system.chips)
        return chips * max(1.0, math.ceil(REACH / chips))

    def _allowed(self, found: Loop, fleet: Fleet) -> Any:
        """Where the limits hold."""
        seen = delays(self.work, found, fleet.instance.ranks * fleet.instance.plan.pp, self.goal.percentile)
        return (seen.tpot * self.goal.speed <= 1.0) & (seen.ttft <= self.goal.ttft)

    def _made(self, fleet: Fleet, most: Any) -> Iterator[Deployment]:
        """Buy whole systems for the users and the spares, and see what they do."""
        import numpy as np

        goal, chips = self.goal, float(self.system.chips)
        needed = np.ceil(goal.users / most) + goal.spare
        inside = np.maximum(np.floor(chips / fleet.chips), 1.0)
        systems = np.ceil(needed / inside) * np.maximum(np.ceil(fleet.chips / chips), 1.0)
        instances = systems / np.maximum(np.ceil(fleet.chips / chips), 1.0) * inside
        joined = bool(self.system.networks)
        bought = self.system.scale(systems * chips) if joined else self.system
        placed = Fleet(self.work, bought, fleet.rows, **self.options)
        placed.instances, copies = (instances, 1.0) if joined else (np.ones_like(instances), systems)
        served = placed.serve(goal.users / instances)
        seen = delays(self.work, placed.loop(goal.users / instances), fleet.instance.ranks * fleet.instance.plan.pp, goal.percentile)
        bound = self._bound(fleet, most)
        columns = {
            "instances": instances,
            "systems": systems,
            "gpus": systems * chips,
            "instance_gpus": fleet.chips,
            "most_users": most,
            "tpot": seen.tpot,
            "ttft": seen.ttft,
            "tokens_per_second_per_user": 1.0 / seen.tpot,
            "tokens_per_second": copies * served.tokens_per_second,
            "tokens_per_second_per_gpu": served.per_gpu,
            "megawatts": copies * served.power / 1e6,
            "usd_per_hour": copies * served.cost_rate * HOUR,
            "usd_per_million_tokens": served.usd_per_million_tokens,
            "joules_per_token": served.joules_per_token,
        }
        flat = {name: np.broadcast_to(values, most.shape).ravel() for name, values in columns.items()}
        for i in range(len(fleet.rows)):
            yield Deployment(
                system=self.system,
                engine=placed.instance.engine.name,
                precision=self.work.precision,
                plan=placed.plan(i),
                layout=label(fleet.rows[i]),
                bound=bound[i],
                goal=goal,
                work=self.work,
                options=self.options,
                **{name: float(values[i]) for name, values in flat.items()},
            )

    def _bound(self, fleet: Fleet, most: Any) -> list[str]:
        """What keeps an instance from more users."""
        import numpy as np

        more = most + 1.0
        seen = delays(self.work, fleet.loop(more), fleet.instance.ranks * fleet.instance.plan.pp, self.goal.percentile)
        slow = np.broadcast_to(seen.tpot * self.goal.speed > 1.0, most.shape).ravel()
        late = np.broadcast_to(seen.ttft > self.goal.ttft, most.shape).ravel()
        full = np.broadcast_to(more > fleet.slots, most.shape).ravel()
        found = np.where(full, "the cache", np.where(slow, "the speed a user sees", np.where(late, "TTFT", "the number of users")))
        return [str(one) for one in found]

    def _too_slow(self, fleet: Fleet) -> str:
        """How far the best layouts are from the limits, with one user on an instance."""
        import numpy as np

        ranks = fleet.instance.ranks * fleet.instance.plan.pp
        seen = delays(self.work, fleet.loop(1.0), ranks, self.goal.percentile)
        tpot, ttft = (np.broadcast_to(values, fleet.chips.shape).ravel() for values in seen)
        fastest, first = int(np.argmin(tpot)), int(np.argmin(ttft))
        parts = []
        if tpot[fastest] * self.goal.speed > 1.0:
            parts.append(f"one user alone gets {1.0 / tpot[fastest]:,.1f} tokens/s at most ({label(fleet.rows[fastest])})")
        if ttft[first] > self.goal.ttft:
            parts.append(f"TTFT is {ttft[first]:.3g} s at least ({label(fleet.rows[first])})")
        return " and ".join(parts) or "no layout meets both limits at once"


def latency_floor(work: Serving, system: "str | System", *, engine: Any = "generic", **given: Any) -> tuple[float, Parallelism]:
    """Return the shortest time per output token that any layout reaches for one user alone, and the layout.

    Parameters
    ----------
    work : Serving
        Model and lengths of requests; its number of users is not used.
    system : str or System
        Where.
    engine : str or ServingEngine, optional
        As for `serving`.
    given : any
        tp, pp, ep: the only value or values to try.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=1, precision="fp8")
    >>> seconds, plan = latency_floor(work, "dgx-h100", tp=[1, 2, 4, 8], pp=1)
    >>> plan.tp
    8.0
    """
    import numpy as np

    placed = catalogue.system(system)
    fits = fitting_fleet(work, placed, {"prices": default_prices(), "engine": engine}, **given)
    tpot = np.broadcast_to(fits.loop(1.0).tpot, fits.chips.shape).ravel()
    best = int(np.argmin(tpot))
    return float(tpot[best]), fits.plan(best)
