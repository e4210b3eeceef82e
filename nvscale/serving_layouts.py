"""Layouts of one serving instance on a system: which can be, why others cannot, and what each does at many loads at once."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, NoFeasiblePlan
from nvscale.estimators.generation import Loop, loop, open_loop, prepared
from nvscale.estimators.serving import memory_of, running, tokens_per_second
from nvscale.estimators.serving_shards import instance_chips
from nvscale.estimators.serving_use import MEGAWATT, grid_power, spending
from nvscale.estimators.training_shards import links
from nvscale.layouts import divisors
from nvscale.ops import carrier, floor
from nvscale.parallelism import Parallelism
from nvscale.record import units_of
from nvscale.settings import Prices
from nvscale.workloads.serving import Serving

NAMES = ("tp", "pp", "ep")
STAGES = (2.0, 4.0, 8.0, 16.0)
"""Pipeline stages that are tried where no layout without them fits."""
WEIGHTS, CACHE = "the weights do not fit the memory", "the cache of one request does not fit beside the weights"
Reasons = dict[str, int]


def layouts_of(work: Serving, system: System, *, plans: "Iterable[Parallelism] | None" = None, **given: Any) -> tuple[Any, Reasons]:
    """Return the layouts of an instance, a row of tp, pp and ep each, and how many others cannot be, by reason.

    Parameters
    ----------
    work : Serving
        Model and formats.
    system : System
        Tensor and expert parallel ranks stay in its scale-up domain, the instance inside the system.
    plans : iterable of Parallelism, optional
        The only layouts to take.
    given : any
        tp, pp, ep: the only value or values to try; without `pp` no pipelines.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-8b"), isl=1024, osl=1024, concurrency=1)
    >>> rows, reasons = layouts_of(work, nv.system("dgx-h100"))
    >>> [tuple(row) for row in rows.tolist()]
    [(1.0, 1.0, 1.0), (2.0, 1.0, 1.0), (4.0, 1.0, 1.0), (8.0, 1.0, 1.0)]
    """
    import numpy as np

    if plans is not None:
        rows = [[getattr(plan, name) for name in NAMES] for plan in plans]
        if not rows:
            raise InvalidInput("plans: no layout was given; leave it out to search all")
        return np.array(rows, dtype=float), {}
    axes = _axes(work, {name: value for name, value in given.items() if value is not None})
    points = np.stack([axis.ravel() for axis in np.meshgrid(*(np.array(axes[name]) for name in NAMES), indexing="ij")])
    possible, reasons = np.ones(points.shape[1], dtype=bool), {}
    for reason, allowed in _rules(work, system, *points):
        narrower = possible & allowed
        if int(possible.sum()) > int(narrower.sum()):
            reasons[reason] = int(possible.sum()) - int(narrower.sum())
        possible = narrower
    return points[:, possible].T, reasons


def _axes(work: Serving, given: Mapping[str, Any]) -> dict[str, list[float]]:
    """Values of each figure: those that were asked for, or all that could be."""
    model, units = work.model, units_of(Parallelism)
    experts = divisors(model.experts) if model.experts else [1.0]
    axes = {"tp": divisors(model.heads), "pp": [1.0], "ep": experts}
    for name, value in given.items():
        many = value if isinstance(value, list | tuple | range) or carrier(value) == "array" else [value]
        axes[name] = sorted({float(units[name].si(one, name)) for one in many})
    return axes


def _rules(work: Serving, system: System, tp: Any, pp: Any, ep: Any) -> list[tuple[str, Any]]:
    """Why not, and where it may be."""
    model = work.model
    kv = 1.0 if model.latent_rank else model.kv_heads
    widths = [width for width in (model.ffn * (model.dense_ffn_layers > 0.0), model.shared_ffn) if width]
    domain = links(system)[0]
    plan = Parallelism(tp=tp, pp=pp, ep=ep)
    return [
        ("tp does not divide the heads", model.heads % tp == 0),
        ("tp does not divide the width of the feed-forward layers", sum(width % tp for width in widths) + 0.0 * tp == 0),
        ("tp and the key-value heads do not divide each other", (kv % tp == 0) | (tp % kv == 0)),
        ("tp or ep leaves the scale-up domain", (tp <= domain) & (ep <= domain)),
        ("ep spreads experts no wider than tp does", (ep == 1) | (ep > tp)),
        ("tp does not divide the ranks of the experts", (ep <= tp) | (ep % tp == 0)),
        ("an instance takes more chips than the system has", instance_chips(plan) <= system.chips),
    ]  # fmt: skip


class Served(NamedTuple):
    """Figures of layouts (first dimension) at many loads (second dimension), in SI; per chip of the whole system."""

    tpot: Any
    ttft: Any
    users: Any
    tokens_per_second: Any
    per_user: Any
    per_gpu: Any
    per_megawatt: Any
    per_usd: Any
    usd_per_million_tokens: Any
    joules_per_token: Any
    power: Any
    cost_rate: Any


class Fleet:
    """Many layouts of one piece of work on one system: evaluated together, one array dimension for layouts and one for loads.

    Parameters
    ----------
    work, system, engine, efficiency, calibration
        As for `nvscale.serving`.
    rows : array
        Layouts, as `layouts_of` gives them.
    prices : Prices
        For dollars.
    """

    def __init__(
        self,
        work: Serving,
        system: System,
        rows: Any,
        *,
        prices: Prices,
        engine: Any = "generic",
        efficiency: Any = None,
        calibration: Any = None,
    ) -> None:
        self.work, self.system, self.rows, self.prices = work, system, rows, prices
        self.settings = {"prices": prices, "engine": engine, "efficiency": efficiency, "calibration": calibration}
        plan = Parallelism(**{name: rows[:, i : i + 1] for i, name in enumerate(NAMES)})
        _, _, self.instance, self.notes = prepared(work, system, plan, engine, efficiency, calibration)
        self.memory = memory_of(system.chip)
        self.chips = self.instance.chips
        self.instances = floor(system.chips / self.chips)

    @property
    def slots(self) -> Any:
        """Requests that the cache of an instance holds, at most as many as the engine runs; below 1 where none fits."""
        import numpy as np

        found = self.loop(1.0)
        return np.minimum(found.room, self.work.running_limit)

    def misfits(self) -> Any:
        """Return for each layout why it does not fit the memory; empty text where it does."""
        import numpy as np

        free = self.work.memory_share * self.memory - sum(self.instance.weights())
        room = np.broadcast_to(self.slots, self.chips.shape)
        return np.where(free <= 0.0, WEIGHTS, np.where(room < 1.0, CACHE, "")).ravel()

    def fitting(self) -> "Fleet":
        """Return those of the layouts that fit the memory."""
        return Fleet(self.work, self.system, self.rows[self.misfits() == ""], **self.settings)

    def loop(self, users: Any) -> Loop:
        """Return the loop of one instance with so many users."""
        return loop(self.work, self.instance, self.memory, users)

    def serve(self, users: Any) -> Served:
        """Return what the whole system does with so many users an instance, a second dimension of loads; None for the load of the work."""
        if users is None and self.work.rate is not None:
            found, work = open_loop(self.work, self.instance, self.memory, self.work.rate / self.instances), self.work
        else:
            each = self.work.concurrency / self.instances if users is None else users
            found, work = self.loop(each), self.work.replace(concurrency=each * self.instances, rate=None)
        rate = tokens_per_second(work, self.instances, found)
        drawn = grid_power(self.work, self.system, self.instance, found, self.prices)
        money = _spending(self.system, drawn, self.prices, self.work.precision)
        power = drawn.value
        return Served(
            tpot=found.tpot,
            ttft=found.ttft,
            users=running(work, self.instances, found),
            tokens_per_second=rate,
            per_user=1.0 / found.tpot,
            per_gpu=rate / self.system.chips,
            per_megawatt=rate / power * MEGAWATT,
            per_usd=rate / money,
            usd_per_million_tokens=1e6 * money / rate / self.prices.utilisation,
            joules_per_token=power / rate,
            power=power,
            cost_rate=money,
        )

    def plan(self, row: int) -> Parallelism:
        """Return one of the layouts."""
        tp, pp, ep = (float(size) for size in self.rows[row])
        return Parallelism(tp=tp, pp=pp, ep=ep)

    def label(self, row: int) -> str:
        """Return one of the layouts in words: what differs from 1."""
        return label(self.rows[row])

    def most_users(self, allowed: Callable[[Loop], Any], most: Any) -> Any:
        """Return the most users of an instance, in whole numbers, at which a condition holds; 0 where it holds at none.

        Parameters
        ----------
        allowed : callable
            From a loop to the truth of the condition; it must not become true again with more users.
        most : 1
            Where the search ends, by layout.
        """
        import numpy as np

        high = np.broadcast_to(np.floor(most), self.chips.shape).astype(float)
        low = np.zeros_like(high)
        for _ in range(1 + math.ceil(math.log2(max(float(high.max()), 1.0)) + 1.0)):
            middle = np.ceil(0.5 * (low + high))
            holds = np.broadcast_to(allowed(self.loop(np.maximum(middle, 1.0))), middle.shape) & (middle >= 1.0)
            low, high = np.where(holds, middle, low), np.where(holds, high, np.maximum(middle - 1.0, low))
        return low


def fitting_fleet(
    work: Serving, system: System, options: Mapping[str, Any], *, plans: "Iterable[Parallelism] | None" = None, **given: Any
) -> Fleet:
    """Return the layouts that can be and fit the memory, pipelines only where nothing else fits.

    Raises
    ------
    NoFeasiblePlan
        None fits; says what is missing.
    MissingPrecision
        The chip does not compute in the format.
    """
    if work.storage.rate not in system.chip.precisions():
        system.chip.rate(work.storage.rate)
    tries = [given] if plans is not None or given.get("pp") is not None else [given, {**given, "pp": STAGES}]
    least: Fleet | None = None
    reasons: Reasons = {}
    for axes in tries:
        rows, reasons = layouts_of(work, system, plans=plans, **axes)
        if len(rows):
            least = Fleet(work, system, rows, **options)
            if (least.misfits() == "").any():
                return least.fitting()
    if least is None:
        raise NoFeasiblePlan("no layout can be: " + "; ".join(f"{reason} ({count})" for reason, count in reasons.items()))
    raise NoFeasiblePlan(_too_small(least))


def _too_small(fleet: Fleet) -> str:
    """What the leanest layout lacks."""
    import numpy as np

    weights = np.broadcast_to(sum(fleet.instance.weights()), fleet.chips.shape).ravel()
    leanest = int(np.argmin(weights))
    sizes = f"{weights[leanest] / 1e9:,.1f} GB of weights a chip, {fleet.work.memory_share * float(fleet.memory) / 1e9:,.1f} GB usable"
    return f"{fleet.misfits()[leanest]} even with {label(fleet.rows[leanest])}: {sizes}"


def _spending(system: System, drawn: Any, prices: Prices, precision: str) -> Any:
    """Dollars a second; nan where the system has no price."""
    try:
        return spending(system, drawn, prices, precision).value
    except MissingFigure:
        return math.nan


def label(row: Sequence[float]) -> str:
    """Return a layout in words: what differs from 1.

    >>> label([8.0, 1.0, 16.0])
    'tp 8, ep 16'
    """
    named = [f"{name} {size:g}" for name, size in zip(NAMES, row, strict=True) if name == "tp" or size > 1.0]
    return ", ".join(named)
