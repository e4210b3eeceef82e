"""The frontier of throughput and interactivity of a machine, as the envelope of plans and loads of the serving estimator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.composition import System
from nvscale.errors import InvalidInput
from nvscale.estimators.serving import serving
from nvscale.parallelism import Parallelism
from nvscale.transformers import Model
from nvscale.workloads.serving import Serving

LOADS = tuple(2.0 ** (0.5 * step) for step in range(6, 37))
"""Users on the whole machine, from 8 up to 262,144."""
INPUT, OUTPUT = 1024.0, 1024.0


@dataclass(frozen=True)
class Envelope:
    """Points that no other plan or load beats in both speed per user and throughput.

    Parameters
    ----------
    name : str
        Machine and number format.
    per_user, throughput : tuple of float
        Tokens per second of a user, falling throughput: fastest user last.
    unit : str
        Of the throughput.
    """

    name: str
    per_user: tuple[float, ...]
    throughput: tuple[float, ...]
    unit: str

    def at(self, per_user: float) -> float:
        """Return the throughput at a speed per user: the best that is at least so fast; 0 beyond the fastest."""
        fast_enough = [rate for speed, rate in zip(self.per_user, self.throughput, strict=True) if speed >= per_user]
        return max(fast_enough, default=0.0)

    def speed(self, throughput: float) -> float:
        """Return the speed per user at a throughput, the best that carries at least so much; 0 beyond the most."""
        enough = [speed for speed, rate in zip(self.per_user, self.throughput, strict=True) if rate >= throughput]
        return max(enough, default=0.0)


def inside_one_domain(system: System, most: float = 64.0) -> list[Parallelism]:
    """Return plans whose instance stays inside one scale-up domain: tensor or expert parallel, in powers of two.

    The serving estimator gives an exchange between domains no price of its own, so plans across domains are not compared.
    """
    sizes, size = [], 1.0
    while size <= min(system.scaleup_chips, most):
        sizes.append(size)
        size *= 2.0
    return [plan for n in sizes for plan in ({Parallelism(ep=n), Parallelism(tp=n)} if n <= 8.0 else {Parallelism(ep=n)})]


def envelope(
    model: Model,
    system: System,
    precision: str,
    *,
    per: str = "chip",
    plans: Sequence[Parallelism] | None = None,
    loads: Sequence[float] = LOADS,
    isl: float = INPUT,
    osl: float = OUTPUT,
    estimate: Callable[..., Any] = serving,
    **options: Any,
) -> Envelope:
    """Return the frontier of a machine by the serving estimator.

    Parameters
    ----------
    model, system, precision
        What is served where, and at which number format.
    per : str
        Throughput per "chip" or per "megawatt" of facility power.
    plans : sequence of Parallelism, optional
        Layouts of an instance; those inside one scale-up domain by default.
    loads : sequence of 1
        Users on the whole machine.
    isl, osl : 1
        Tokens of a request.
    options
        Further inputs of the estimator.

    Raises
    ------
    InvalidInput
        No plan fits the machine.
    """
    import numpy as np

    users = np.array(loads, dtype=float)
    found: list[tuple[float, float]] = []
    problems: list[str] = []
    for plan in inside_one_domain(system) if plans is None else plans:
        work = Serving(model=model, isl=isl, osl=osl, concurrency=users, precision=precision)
        try:
            _fits(model, system, precision, plan, isl, osl)
            served = estimate(work, system, plan, **options)
        except InvalidInput as problem:
            problems.append(str(problem))
            continue
        has_room = np.asarray(served.found.slots * served.instances >= users) & np.ones_like(users, dtype=bool)
        speeds = np.broadcast_to(served["tokens per second per user"].value, users.shape)
        rates = np.broadcast_to(served[f"tokens per second per {per}"].value, users.shape)
        found += [(float(x), float(y)) for x, y, ok in zip(speeds, rates, has_room, strict=True) if ok]
    if not found:
        raise InvalidInput(f"envelope: no plan serves {model.name} on {system.name}: {problems[:1]}")
    kept: list[tuple[float, float]] = []
    for speed, rate in sorted(found, reverse=True):
        if not kept or rate > kept[-1][1]:
            kept.append((speed, rate))
    kept.reverse()
    unit = "token/s" if per == "chip" else "token/s per MW"
    return Envelope(f"{system.name} {precision}", tuple(x for x, _ in kept), tuple(y for _, y in kept), unit)


def _fits(model: Model, system: System, precision: str, plan: Parallelism, isl: float, osl: float) -> None:
    """Refuse a plan as one number would be refused: arrays of users are not checked."""
    serving(Serving(model=model, isl=isl, osl=osl, concurrency=1.0, precision=precision), system, plan)


def in_domains_of(system: System, chips: float) -> System:
    """Return a machine whose scale-up domains are cut to so many chips; all else as it was.

    >>> import nvscale
    >>> in_domains_of(nvscale.system("gb200-nvl72"), 8).scaleup_chips
    8.0
    """
    inner = system.scaleup
    return system.replace(networks=(inner.replace(span=chips), *system.networks[1:]), name=f"{system.name} in domains of {chips:g}")
