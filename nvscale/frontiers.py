"""`frontier`: speed that a user sees against throughput per GPU, megawatt and dollar, over systems, formats, layouts and loads."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingDependency, MissingFigure, NoFeasiblePlan, unknown
from nvscale.parallelism import Parallelism
from nvscale.serving_layouts import Fleet, fitting_fleet, label
from nvscale.settings import Prices
from nvscale.units import Unit
from nvscale.views import prices as default_prices
from nvscale.workloads.serving import Serving

X = "tokens_per_second_per_user"
Y = {"gpu": "tokens_per_second_per_gpu", "megawatt": "tokens_per_second_per_megawatt", "usd": "tokens_per_usd"}
"""What throughput is counted per, and the column."""
FIGURES = {
    X: "per_user",
    Y["gpu"]: "per_gpu",
    Y["megawatt"]: "per_megawatt",
    Y["usd"]: "per_usd",
    "usd_per_million_tokens": "usd_per_million_tokens",
    "joules_per_token": "joules_per_token",
    "ttft_s": "ttft",
    "tpot_s": "tpot",
    "users": "users",
}
LEAST_STEP, MOST_USERS = 8.0, 16384.0
"""Loads by default: every number of users up to the first, then four to an octave up to the last."""


def frontier(
    work: Serving,
    systems: "str | System | Sequence[str | System]",
    precisions: Sequence[str] | None = None,
    plans: Iterable[Parallelism] | None = None,
    concurrencies: Sequence[float] | None = None,
    *,
    engine: Any = "generic",
    prices: Prices | None = None,
    efficiency: Any = None,
    calibration: Any = None,
    **given: Any,
) -> "Frontier":
    """Return how fast each user is served against how many tokens a system makes, for every layout and load.

    Parameters
    ----------
    work : Serving
        Model and lengths of requests; its number of users is not used.
    systems : sequence of System or str
        Systems that are full of instances of the model.
    precisions : sequence of str, optional
        Formats of the weights; that of the work by default.
    plans : iterable of Parallelism, optional
        Layouts of an instance; all that can be by default.
    concurrencies : sequence of float, optional
        Users of one instance; a grid up to what its cache holds by default.
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

    Returns
    -------
    Frontier
        A line per system, format and layout; `envelope()`, `to_pandas()`, `plot()`.

    Raises
    ------
    NoFeasiblePlan
        The model fits none of the systems at none of the formats, with the reasons.

    Assumptions
    -----------
    Those of `serving`. A point is left out where more users ask than the cache of an instance holds: they would only wait.

    Examples
    --------
    >>> import nvscale as nv
    >>> work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=32, precision="fp8")
    >>> found = frontier(work, ["dgx-h100", "dgx-b200"], tp=8, concurrencies=[1, 8, 64])
    >>> len(found), len(found.lines())
    (6, 2)
    """
    import numpy as np

    many = [systems] if isinstance(systems, str | System) else list(systems)
    if not many:
        raise InvalidInput("frontier: no system was given")
    formats = [precisions] if isinstance(precisions, str) else list(precisions or [work.precision])
    users = np.unique(loads() if concurrencies is None else np.array([Unit("1", ">=1").si(c, "concurrencies") for c in concurrencies]))
    layouts = None if plans is None else list(plans)
    options = {"prices": prices or default_prices(), "engine": engine, "efficiency": efficiency, "calibration": calibration}
    lines: list[Line] = []
    reasons: dict[str, str] = {}
    for system in (catalogue.system(one) for one in many):
        for name in formats:
            asked = _at(work, name)
            where = f"{system.name} {asked.precision}"
            try:
                lines += _lines(fitting_fleet(asked, system, options, plans=layouts, **given), users)
            except (MissingFigure, NoFeasiblePlan) as problem:
                reasons[where] = str(problem)
    if not lines:
        raise NoFeasiblePlan("frontier: " + "; ".join(f"{where}: {why}" for where, why in reasons.items()))
    return Frontier(work, tuple(lines), reasons)


def loads() -> Any:
    """Return the users of an instance that are tried by default.

    >>> [int(users) for users in loads()[:12]]
    [1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 16]
    """
    import numpy as np

    octaves = int(np.log2(MOST_USERS / LEAST_STEP))
    return np.concatenate([np.arange(1.0, LEAST_STEP), np.round(LEAST_STEP * 2.0 ** (np.arange(4.0 * octaves + 1.0) / 4.0))])


def _at(work: Serving, precision: str) -> Serving:
    """The work at another format; the usual cache of it, unless the work has one of its own."""
    if precision == work.precision:
        return work
    usual = work.replace(cache_element=None).cache_element
    return work.replace(precision=precision) if work.cache_element != usual else work.replace(precision=precision, cache_element=None)


def _lines(fleet: Fleet, users: Any) -> "Iterator[Line]":
    """A line per layout, its loads up to what the cache holds."""
    import numpy as np

    served, shape = fleet.serve(users[None, :]), (len(fleet.rows), len(users))
    arrays = {name: np.broadcast_to(getattr(served, field), shape) for name, field in FIGURES.items()}
    slots = np.broadcast_to(fleet.slots, fleet.chips.shape)
    for i in range(len(fleet.rows)):
        inside = users <= slots[i]
        if inside.any():
            points = {name: values[i][inside] for name, values in arrays.items()}
            yield Line(fleet.system.name, fleet.work.precision, fleet.plan(i), float(fleet.chips[i, 0]), users[inside], points)


@dataclass(frozen=True)
class Line:
    """One configuration at growing load.

    Parameters
    ----------
    system, precision : str
        Where, and the format of the weights.
    plan : Parallelism
        Layout of an instance.
    gpus : 1
        Chips of an instance.
    concurrency : array
        Users of an instance.
    figures : dict of str to array
        Everything else, by the names of the columns.
    """

    system: str
    precision: str
    plan: Parallelism
    gpus: float
    concurrency: Any
    figures: dict[str, Any]

    @property
    def layout(self) -> str:
        """The layout in words."""
        return label([self.plan.tp, self.plan.pp, self.plan.ep])

    def __str__(self) -> str:
        speed, rate = self.figures[X], self.figures[Y["gpu"]]
        return f"{self.system} {self.precision}, {self.layout}: {speed[0]:,.1f} tokens/s a user to {rate[-1]:,.0f} tokens/s a GPU"


class Frontier:
    """Lines of speed against throughput, and what is best of them all.

    Parameters
    ----------
    work : Serving
        Model and lengths of requests.
    all_lines : tuple of Line
        A line per system, format and layout.
    reasons : dict of str to str
        Why systems and formats have no line.
    """

    def __init__(self, work: Serving, all_lines: tuple[Line, ...], reasons: dict[str, str]) -> None:
        self.work, self.all_lines, self.reasons = work, all_lines, reasons

    def __len__(self) -> int:
        return sum(len(line.concurrency) for line in self.all_lines)

    def lines(self, system: str | None = None, precision: str | None = None) -> tuple[Line, ...]:
        """Return the lines, of one system or format where it is named."""
        for name, given in (("system", system), ("precision", precision)):
            known = dict.fromkeys(getattr(line, name) for line in self.all_lines)
            if given is not None and given not in known:
                raise unknown(f"{name} of the frontier", given, known)
        return tuple(one for one in self.all_lines if system in (None, one.system) and precision in (None, one.precision))

    def columns(self, system: str | None = None, precision: str | None = None) -> dict[str, Any]:
        """Return all points as columns by name: words as lists, figures as arrays."""
        import numpy as np

        lines = self.lines(system, precision)
        sizes = [len(line.concurrency) for line in lines]
        words = {
            name: [value for line, size in zip(lines, sizes, strict=True) for value in [getattr(line, name)] * size]
            for name in ("system", "precision", "layout")
        }
        plans = {name: np.repeat([getattr(line.plan, name) for line in lines], sizes) for name in ("tp", "pp", "ep")}
        gpus = np.repeat([line.gpus for line in lines], sizes)
        users = np.concatenate([line.concurrency for line in lines])
        return {**words, **plans, "gpus": gpus, "concurrency": users} | {
            name: np.concatenate([line.figures[name] for line in lines]) for name in FIGURES
        }

    def envelope(self, per: str = "gpu", *, system: str | None = None, precision: str | None = None) -> list[dict[str, Any]]:
        """Return the points that no other beats in both speed and throughput, fastest for the user first.

        Parameters
        ----------
        per : str
            "gpu", "megawatt" or "usd": what throughput is counted per.
        system, precision : str, optional
            Of one system or format only.

        Raises
        ------
        UnknownName
            There is no such count, system or format.
        """
        table = self.columns(system, precision)
        kept = upper_envelope(table[X], table[column(per)])
        return [{name: _plain(values[i]) for name, values in table.items()} for i in kept]

    def to_pandas(self) -> Any:
        """Return a row per point as a pandas DataFrame (needs the `sweep` extra); `best_per_...` marks the envelopes."""
        import numpy as np

        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas is not installed; run: pip install 'nvscale[sweep]'") from None
        table = self.columns()
        for per, name in Y.items():
            table[f"best_per_{per}"] = np.isin(np.arange(len(self)), upper_envelope(table[X], table[name]))
        return pd.DataFrame(table)

    def to_dict(self, per: str = "gpu") -> dict[str, Any]:
        """Return lines and envelope as plain data for JSON, in SI base units."""
        return {
            "model": self.work.model.name,
            "isl": self.work.isl,
            "osl": self.work.osl,
            "envelope": self.envelope(per),
            "lines": [
                {"system": line.system, "precision": line.precision, "layout": line.layout, "gpus": line.gpus}
                | {"concurrency": line.concurrency.tolist()}
                | {name: [_plain(value) for value in values] for name, values in line.figures.items()}
                for line in self.all_lines
            ],
            "reasons": self.reasons,
        }

    def plot(self, per: str = "gpu") -> Any:
        """Return a figure of all lines and their envelope (needs the `plot` extra)."""
        from nvscale.plots import draw_frontier

        return draw_frontier(self, per)

    def __str__(self) -> str:
        lengths = f"{self.work.isl:g} in, {self.work.osl:g} out"
        title = f"{self.work.model.name or 'model'}, {lengths}: {len(self)} points on {len(self.all_lines)} lines; the envelope:"
        rows = [
            f"  {row[X]:>8,.1f} tokens/s a user  {row[Y['gpu']]:>8,.0f} tokens/s a GPU  {row['system']} {row['precision']}, "
            f"{row['layout']}, {row['concurrency']:g} users an instance"
            for row in _some(self.envelope())
        ]
        return "\n".join([title, *rows, *(f"  no line: {where}: {why}" for where, why in self.reasons.items())])

    def __repr__(self) -> str:
        return f"<Frontier {len(self.all_lines)} lines, {len(self)} points>"


SHOWN = 12
"""Points of an envelope that are printed."""


def _some(rows: list[Any]) -> list[Any]:
    """A few of many, the ends among them."""
    if len(rows) <= SHOWN:
        return rows
    return [rows[round(i * (len(rows) - 1) / (SHOWN - 1))] for i in range(SHOWN)]


def column(per: str) -> str:
    """Return the column of throughput counted per something."""
    if per not in Y:
        raise unknown("count of the frontier", per, Y)
    return Y[per]


def upper_envelope(x: Any, y: Any) -> Any:
    """Return the places of points that no other beats in both, largest x first; points that are not finite never count.

    >>> import numpy as np
    >>> upper_envelope(np.array([1.0, 2.0, 3.0, 2.5]), np.array([9.0, 5.0, 1.0, 5.0])).tolist()
    [2, 3, 0]
    """
    import numpy as np

    order = np.lexsort((-y, -x))
    order = order[np.isfinite(x[order]) & np.isfinite(y[order])]
    before = np.maximum.accumulate(np.concatenate([[-np.inf], y[order]]))[:-1]
    return order[y[order] > before]


def _plain(value: Any) -> Any:
    """Floats for JSON, None where there is no number."""
    if isinstance(value, str):
        return value
    number = float(value)
    return number if number - number == 0.0 else None
