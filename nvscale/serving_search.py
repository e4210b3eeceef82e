"""Layouts of a given load on a given system, the best first, and the most users that limits allow."""

import math
from collections.abc import Sequence
from typing import Any, overload

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import InvalidInput, NoFeasiblePlan
from nvscale.estimators.serving import Served, serving
from nvscale.parallelism import Parallelism
from nvscale.serving_layouts import Fleet, fitting_fleet, label
from nvscale.settings import Prices
from nvscale.units import Unit, readable
from nvscale.views import prices as default_prices
from nvscale.workloads.serving import Serving


class ServingPlans(Sequence[Parallelism]):
    """Layouts that meet the limits, most tokens per second first.

    Parameters
    ----------
    rows : tuple of dict
        A row per layout: layout, figures, whether it meets the limits.
    plans : tuple of Parallelism
        The same layouts.
    """

    def __init__(self, rows: tuple[dict[str, Any], ...], plans: tuple[Parallelism, ...], title: str) -> None:
        self.rows, self.plans, self.title = rows, plans, title

    @overload
    def __getitem__(self, index: int) -> Parallelism: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Parallelism]: ...

    def __getitem__(self, index: Any) -> Any:
        """Return a layout by its rank, from 0."""
        return self.plans[index]

    def __len__(self) -> int:
        return len(self.plans)

    def to_dict(self) -> dict[str, Any]:
        """Return the layouts as plain data for JSON."""
        return {"title": self.title, "best": list(self.rows)}

    def __str__(self) -> str:
        lines = [
            f"  {row['layout']:<16} TPOT {readable(row['tpot_s'], 's', 3):>9}  TTFT {readable(row['ttft_s'], 's', 3):>9}"
            f"  {row['tokens_per_second_per_user']:>7,.1f} tokens/s a user  {row['tokens_per_second_per_gpu']:>7,.0f} tokens/s a GPU"
            for row in self.rows
        ]
        return "\n".join([self.title, *lines])


def best_serving_plans(
    work: Serving,
    system: "str | System",
    *,
    tpot: Any = None,
    ttft: Any = None,
    top: int = 5,
    engine: Any = "generic",
    prices: Prices | None = None,
    efficiency: Any = None,
    calibration: Any = None,
    **given: Any,
) -> ServingPlans:
    """Return the layouts of an instance that serve a load on a system within limits, most tokens per second first.

    Parameters
    ----------
    work : Serving
        Model, lengths of requests, users or requests per second of the whole system.
    system : str or System
        Where; it is filled with instances.
    tpot : s, optional
        Longest time per output token; none by default.
    ttft : s, optional
        Longest time to the first token; none by default.
    top : int
        How many layouts to keep.
    engine : str or ServingEngine, optional
        As for `serving`.
    prices : Prices, optional
        Energy price, cost of capital, life, or rent; `nvscale.prices()` by default.
    efficiency : ServingEfficiency, optional
        What kernels reach; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.
    given : any
        tp, pp, ep: the only value or values to try.

    Raises
    ------
    NoFeasiblePlan
        No layout fits, or none meets the limits; says what is missing.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=32, precision="fp8")
    >>> best_serving_plans(work, "dgx-h100", engine="vllm")[0].tp
    8.0
    """
    import numpy as np

    placed = catalogue.system(system)
    options = {"prices": prices or default_prices(), "engine": engine, "efficiency": efficiency, "calibration": calibration}
    fleet = fitting_fleet(work, placed, options, **given)
    served = fleet.serve(None)
    shape = fleet.chips.shape
    slow, late = _limit(tpot, "tpot"), _limit(ttft, "ttft")
    columns = {
        "tpot_s": served.tpot,
        "ttft_s": served.ttft,
        "tokens_per_second": served.tokens_per_second,
        "tokens_per_second_per_user": served.per_user,
        "tokens_per_second_per_gpu": served.per_gpu,
        "usd_per_million_tokens": served.usd_per_million_tokens,
        "joules_per_token": served.joules_per_token,
    }
    flat = {name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()}
    good = (flat["tpot_s"] <= slow) & (flat["ttft_s"] <= late) & np.isfinite(flat["ttft_s"])
    if not good.any():
        raise NoFeasiblePlan(f"no layout on {placed.name} meets the limits: {_best_there_is(flat, fleet)}")
    order = [int(i) for i in np.lexsort((fleet.chips.ravel(), -flat["tokens_per_second"])) if good[i]][: int(top)]
    rows = tuple(
        {"layout": label(fleet.rows[i])} | {name: None if values[i] != values[i] else float(values[i]) for name, values in flat.items()}
        for i in order
    )
    title = f"layouts of an instance on {placed.name}: {int(good.sum())} of {len(fleet.rows)} that fit meet the limits"
    return ServingPlans(rows, tuple(fleet.plan(i) for i in order), title)


def _limit(value: Any, name: str) -> float:
    return math.inf if value is None else float(Unit("s", ">0").si(value, name))


def _best_there_is(flat: dict[str, Any], fleet: Fleet) -> str:
    """The least delays of any layout."""
    import numpy as np

    first, fastest = int(np.argmin(flat["ttft_s"])), int(np.argmin(flat["tpot_s"]))
    return (
        f"TPOT is {readable(float(flat['tpot_s'][fastest]), 's')} at least ({label(fleet.rows[fastest])}), "
        f"TTFT {readable(float(flat['ttft_s'][first]), 's')} ({label(fleet.rows[first])})"
    )


def most_users(
    work: Serving,
    system: "str | System",
    plan: Parallelism,
    *,
    tpot: Any = None,
    ttft: Any = None,
    engine: Any = "generic",
    efficiency: Any = None,
    calibration: Any = None,
) -> float:
    """Return the most users of one instance whose limits hold: the batch that meets an objective; 0 where one is too many.

    Parameters
    ----------
    work : Serving
        Model and lengths of requests; its number of users is not used.
    system : str or System
        Where.
    plan : Parallelism
        Layout of the instance.
    tpot : s, optional
        Longest time per output token.
    ttft : s, optional
        Longest time to the first token.
    engine : str or ServingEngine, optional
        As for `serving`.
    efficiency : ServingEfficiency, optional
        What kernels reach; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.

    Raises
    ------
    NoFeasiblePlan
        The layout does not fit the memory.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=1, precision="fp8")
    >>> found = most_users(work, "dgx-h100", nv.Parallelism(tp=8), tpot="20 ms")
    >>> limits = [nv.serving(work.replace(concurrency=found + more), "dgx-h100", nv.Parallelism(tp=8))["tpot"].value for more in (0, 1)]
    >>> limits[0] <= 0.02 < limits[1]
    True
    """
    import numpy as np

    if tpot is None and ttft is None:
        raise InvalidInput("most_users: give tpot, ttft or both")
    slow, late = _limit(tpot, "tpot"), _limit(ttft, "ttft")
    options = {"prices": default_prices(), "engine": engine, "efficiency": efficiency, "calibration": calibration}
    fleet = fitting_fleet(work, catalogue.system(system), options, plans=[plan])
    found = fleet.most_users(lambda loop: (loop.tpot <= slow) & (loop.ttft <= late), fleet.slots)
    return float(np.asarray(found).ravel()[0])


def serving_cost(
    work: Serving,
    system: "str | System",
    plan: Parallelism | None = None,
    **options: Any,
) -> Any:
    """Return the cost of a million output tokens, in USD, with everything that it is made of.

    Parameters
    ----------
    work : Serving
        Model, lengths of requests, users or requests per second.
    system : str or System
        Where.
    plan : Parallelism, optional
        Layout of an instance.
    options : any
        The other arguments of `serving`: engine, prices, efficiency, calibration.

    Returns
    -------
    Estimate
        USD per million output tokens: capital and energy, or rent, over the tokens per second.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=64, precision="fp8")
    >>> rented = serving_cost(work, nv.system("dgx-h100"), nv.Parallelism(tp=8), prices=nv.prices(rent="2 USD/h"))
    >>> served = nv.serving(work, nv.system("dgx-h100"), nv.Parallelism(tp=8))
    >>> abs(rented.value / (1e6 * 8 * 2 / 3600 / served["tokens per second"].value) - 1) < 1e-12
    True
    """
    made: Served = serving(work, system, plan, **options)
    return made["usd per million tokens"]
