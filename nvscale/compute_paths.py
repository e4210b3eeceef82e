"""`prospects`: how far growing compute carries in loss, year by year, and what is in the way: data, and time in sequence."""

from dataclasses import dataclass
from typing import Any

from nvscale.errors import InvalidInput
from nvscale.formulas.scaling_laws import latency_limited_tokens
from nvscale.laws.law import Law
from nvscale.units import Unit

BATCH_TOKENS, LAYERS, LAYER_LATENCY = 4e6, 120.0, 40e-6
"""Tokens of a step, layers, and time of one layer in one direction, where none are given: the setting in which the latency
wall is usually drawn (Erdil and Schneider-Joseph 2024; Epoch AI 2024). A larger batch moves it out in proportion."""


@dataclass(frozen=True)
class Prospect:
    """One year of a path.

    Parameters
    ----------
    year : 1
        Years from the start.
    compute : flop
        Operations of the largest run of that year.
    parameters, tokens, loss : 1
        The optimum of the law there.
    data_share : 1
        Tokens over the tokens that there are; above 1 they must be repeated.
    latency_share : 1
        Tokens over those that can be seen one batch after the other in the duration; above 1 the run is too long.
    """

    year: float
    compute: float
    parameters: float
    tokens: float
    loss: float
    data_share: float
    latency_share: float


@dataclass(frozen=True)
class Prospects:
    """A path of compute through a scaling law.

    Parameters
    ----------
    rows : tuple of Prospect
        Year by year.
    growth : 1
        Factor a year.
    law : str
        Name of the law.
    assumptions : tuple of str
        What was not said and was assumed.
    """

    rows: tuple[Prospect, ...]
    growth: float
    law: str
    assumptions: tuple[str, ...]

    def first(self, wall: str) -> Prospect | None:
        """Return the first year in which a wall is met: "data" or "latency"; None where it is not."""
        if wall not in ("data", "latency"):
            raise InvalidInput(f"prospects: wall {wall!r} is neither 'data' nor 'latency'")
        return next((row for row in self.rows if getattr(row, f"{wall}_share") > 1.0), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the path as plain data for JSON."""
        rows = [dict(vars(row)) for row in self.rows]
        return {"law": self.law, "growth": self.growth, "rows": rows, "assumptions": list(self.assumptions)}

    def __str__(self) -> str:
        lines = [f"{self.law}, {self.growth:g} x a year", "  year  compute    parameters  tokens     loss    of the data  of the time"]
        lines += [
            f"  {row.year:4.0f}  {row.compute:8.2e}  {row.parameters:9.2e}  {row.tokens:8.2e}  {row.loss:.4f}  "
            f"{row.data_share:10.2f}  {row.latency_share:11.2g}"
            for row in self.rows
        ]
        return "\n".join([*lines, *(f"  assumed: {text}" for text in self.assumptions)])


def prospects(
    compute: Any,
    growth: float = 2.0,
    *,
    years: int = 10,
    law: "Law | str" = "chinchilla/besiroglu-2024",
    data: Any = None,
    duration: Any = "90 day",
    batch_tokens: Any = BATCH_TOKENS,
    layers: float = LAYERS,
    layer_latency: Any = LAYER_LATENCY,
) -> Prospects:
    r"""Return the optimum of a scaling law along a path of growing compute, with the walls of data and of latency.

    $$C_k = C_0\,g^k, \quad D_{latency} = \frac{T\,B}{2\,l\,t}$$

    Parameters
    ----------
    compute : flop
        Operations of the largest run today, e.g. of a site in 90 days.
    growth : 1
        Factor a year.
    years : 1
        Years to follow.
    law : Law or str
        A law of Chinchilla type.
    data : token, optional
        Tokens that there are; without them the wall of data is not drawn.
    duration : s
        Longest time of a run.
    batch_tokens : token
        Tokens of a step.
    layers : 1
        Layers of the model.
    layer_latency : s
        Least time of one layer in one direction.

    Returns
    -------
    Prospects
        Year by year; print it to read it; `first("data")` is the first year in which the data is short.

    Raises
    ------
    InvalidInput, MissingFigure
        A factor that is not above 0, or a law that allocates no compute.

    Examples
    --------
    >>> path = prospects(5e26, growth=2.0, years=10, data="300 Ttoken")
    >>> round(path.rows[-1].compute / path.rows[0].compute)
    1024
    >>> path.rows[0].loss > path.rows[-1].loss
    True
    """
    import numpy as np

    from nvscale import laws

    if not growth > 0.0 or years < 1:
        raise InvalidInput(f"prospects: growth {growth!r} must be above 0 and years {years!r} at least 1")
    found = laws.load(law) if isinstance(law, str) else law
    start = float(Unit("flop").si(compute, "prospects: compute"))
    path = start * growth ** np.arange(years + 1.0)
    best = found.optimum(compute=path, extrapolate="allow", interval="none")
    there = np.inf if data is None else float(Unit("token").si(data, "prospects: data"))
    seconds, batch = Unit("s").si(duration, "prospects: duration"), Unit("token").si(batch_tokens, "prospects: batch_tokens")
    reachable = latency_limited_tokens(seconds, batch, layers, Unit("s").si(layer_latency, "prospects: layer_latency"))
    sizes, tokens, losses = (np.broadcast_to(part.value, path.shape) for part in (best.parameters, best.tokens, best.loss))
    columns = (np.arange(years + 1.0), path, sizes, tokens, losses, tokens / there, tokens / reachable)
    rows = tuple(Prospect(*(float(value) for value in row)) for row in zip(*columns, strict=True))
    assumptions = (
        "far outside the runs that the law was fitted to; quality of data and of methods does not change",
        f"latency: steps of {batch:g} tokens through {layers:g} layers, {float(seconds) / 86400.0:g} days",
        *(("no limit of data given",) if data is None else ()),
    )
    return Prospects(rows, float(growth), found.name, assumptions)
