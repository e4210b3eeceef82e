"""`optimum`: how large a model, on how many tokens, for a budget on a real system: scaling law, training and serving joined.

The law gives the loss of a model of N parameters after D tokens; the estimators of training and serving
give what a token costs on the system, at the utilisation that a model of that size reaches there. The
best N trades the two; what the model will serve in its life makes it smaller.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nvscale import catalogue, views
from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, NoFeasiblePlan, WrongUnit
from nvscale.estimate import show
from nvscale.estimators.fleets import cost_rate, facility_power
from nvscale.estimators.serving import serving
from nvscale.laws.law import Law
from nvscale.parallelism import Parallelism
from nvscale.planning import best_plan
from nvscale.settings import Prices
from nvscale.transformers import Model
from nvscale.units import Unit
from nvscale.workloads.serving import Serving
from nvscale.workloads.training import Training

DAY = 86400.0
WIDTHS = (768.0, 1024.0, 1536.0, 2048.0, 3072.0, 4096.0, 5120.0, 6144.0, 8192.0, 12288.0, 16384.0, 20480.0, 28672.0, 40960.0)
"""Widths of the family of models that is tried."""
ASPECT, HEAD, WIDENING, VOCABULARY = 128.0, 128.0, 3.5, 128256.0
"""Shape of the family: width over depth, head dimension, inner width over width, tokens: as of the Llama 3 models."""
FLAT = 0.005
"""Loss that counts as no worse."""
EDGE = "the best size is the last one of the family that was tried; a size beyond it may be better"
BATCH = 4_194_304.0
"""Tokens of a training step, about."""
KINDS = {"USD": ("USD", "dollars"), "J": ("J", "energy"), "s": ("s", "chip time")}


def family(width: float) -> Model:
    """Return a dense model of the family with a width: gated, grouped-query attention, tied to no maker.

    >>> round(family(4096.0).parameters / 1e9, 1)
    8.0
    """
    kv_heads = min(8.0, width / HEAD)
    return Model(
        name=f"dense, width {width:g}",
        layers=max(2.0, round(width / ASPECT)),
        hidden=width,
        heads=width / HEAD,
        kv_heads=kv_heads,
        ffn=WIDENING * width,
        vocabulary=VOCABULARY,
    )


@dataclass(frozen=True)
class Point:
    """What one model of the family costs on the system.

    Parameters
    ----------
    parameters : 1
        Its size.
    training : budget unit per token
        Cost of training on one token.
    serving : budget unit per token
        Cost of serving one token.
    mfu : 1
        Model FLOP utilisation of training.
    """

    parameters: float
    training: float
    serving: float
    mfu: float


@dataclass(frozen=True)
class BudgetOptimum:
    """The best model for a budget.

    Parameters
    ----------
    parameters, tokens, loss : 1
        Size, training tokens, and the loss of the law.
    spent : dict of str to float
        What training and serving take of the budget, in its unit.
    unit : str
        Unit of the budget.
    chips, days, mfu : 1
        Chips of the training run, its days, and the utilisation there.
    flat : tuple
        Sizes from and to that lose less than 0.005 in loss at the same budget.
    law, system : str
        Names.
    points : tuple of Point
        Models that were tried.
    assumptions : tuple of str
        What was not said and was assumed.
    """

    parameters: float
    tokens: float
    loss: float
    spent: dict[str, float]
    unit: str
    chips: float
    days: float
    mfu: float
    flat: tuple[float, float]
    law: str
    system: str
    points: tuple[Point, ...]
    assumptions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain data for JSON."""
        plain = {name: getattr(self, name) for name in ("parameters", "tokens", "loss", "unit", "chips", "days", "mfu", "law", "system")}
        points = [vars(point) | {} for point in self.points]
        return plain | {"spent": dict(self.spent), "flat": list(self.flat), "points": points, "assumptions": list(self.assumptions)}

    def __str__(self) -> str:
        spent = ", ".join(f"{what} {show(value, self.unit)}" for what, value in self.spent.items())
        return "\n".join(
            [
                f"{self.law} on {self.system}: {self.parameters / 1e9:,.2f} billion parameters on {self.tokens / 1e9:,.0f} billion tokens",
                f"  loss {self.loss:.4f}; {self.tokens / self.parameters:,.0f} tokens per parameter",
                f"  {spent}; {self.days:,.1f} days on {self.chips:,.0f} chips at MFU {100.0 * self.mfu:.0f} %",
                f"  from {self.flat[0] / 1e9:,.2f} to {self.flat[1] / 1e9:,.2f} billion parameters the loss is less than {FLAT} worse",
                *(f"  assumed: {text}" for text in self.assumptions),
            ]
        )


def optimum(
    budget: Any,
    system: "System | str",
    law: "Law | str" = "chinchilla/besiroglu-2024",
    *,
    lifetime_tokens: Any = 0.0,
    precision: str = "bf16",
    serving_precision: str = "fp8",
    days: float = 60.0,
    chips: Any = None,
    sequence: float = 4096.0,
    isl: float = 1024.0,
    osl: float = 512.0,
    concurrency: float = 64.0,
    engine: str = "generic",
    prices: Prices | None = None,
    pue: Any = None,
    extrapolate: str = "warn",
) -> BudgetOptimum:
    """Return the dense model of least loss that a budget trains, and serves for its life, on a system.

    Parameters
    ----------
    budget : USD, J or s
        Dollars ("1 MUSD"), energy ("500 MWh") or chip time ("100000 h" of one chip).
    system : System or str
        What trains and serves; as many chips are taken as end training in about `days`.
    law : Law or str
        A scaling law of parameters and tokens.
    lifetime_tokens : token
        Tokens that the model will serve, inputs and outputs counted alike, in requests of `isl` and `osl`.
    precision, serving_precision : str
        Number formats of training and of serving.
    days : 1
        Days that training should take; decides on how many chips, a power of two of whole systems.
    chips : 1, optional
        Chips that train, instead.
    sequence : 1
        Tokens of a training sequence.
    isl : 1
        Tokens of the input of a request.
    osl : 1
        Tokens of its output.
    concurrency : 1
        Users of one instance.
    engine : str
        Serving engine.
    prices : Prices, optional
        Energy price, cost of capital, life; `nvscale.prices()` by default.
    pue : 1, optional
        Power usage effectiveness; the default assumption otherwise.
    extrapolate : str
        Outside the range of the law's runs: "warn", "refuse" or "allow".

    Returns
    -------
    BudgetOptimum
        Size, tokens, loss, what is spent on what, and how flat the optimum is.

    Raises
    ------
    InvalidInput
        A budget in another unit, or too small to train the least model of the family.
    MissingFigure
        A law without a loss of parameters and tokens.
    """
    found_law, placed = _law(law), catalogue.system(system)
    amount, unit = _budget(budget)
    terms = prices or views.prices()
    placed = placed.replace(pue=views.default_pue()[0] if pue is None else pue)
    per_chip_second = _chip_second(placed, unit, precision, terms)
    count = _chips(amount / per_chip_second, placed, days) if chips is None else float(Unit("1", ">=1").si(chips, "optimum: chips"))
    served = Unit("token", ">=0").si(lifetime_tokens, "optimum: lifetime_tokens")
    requests: dict[str, Any] = {"isl": isl, "osl": osl, "concurrency": concurrency}
    points = _points(placed, count, per_chip_second, precision, serving_precision, sequence, requests, engine, bool(served))
    if len(points) < 3:
        raise InvalidInput(f"optimum: fewer than three sizes of model can be trained on {placed.scale(count).name}")
    curves = _curves(points)

    def tokens(log_size: float) -> float:
        return (
            max(amount - served * math.exp(curves[1](log_size)), 0.0) / math.exp(curves[0](log_size))
            if served
            else amount / math.exp(curves[0](log_size))
        )

    def loss(log_size: float) -> float:
        trained = tokens(log_size)
        if trained <= 0.0:
            return math.inf
        return float(found_law.loss(parameters=math.exp(log_size), tokens=trained, extrapolate="allow"))

    best, flat = _least(loss, math.log(points[0].parameters), math.log(points[-1].parameters))
    size, trained = math.exp(best), tokens(best)
    if not math.isfinite(loss(best)) or trained <= 0.0:
        raise InvalidInput(f"optimum: the budget of {show(amount, unit)} does not serve {served:g} tokens even with the least model")
    found_law.check(extrapolate, parameters=size, tokens=trained)
    beyond = found_law.outside(parameters=size, tokens=trained)
    spent = {"training": trained * math.exp(curves[0](best))}
    if served:
        spent["serving"] = served * math.exp(curves[1](best))
    nearest = min(points, key=lambda point: abs(math.log(point.parameters) - best))
    assumptions = (
        f"dense models of one shape: width {ASPECT:g} x depth, heads of {HEAD:g}, gated, {VOCABULARY:g} tokens of vocabulary",
        f"training at {precision} by the best layout, goodput 1; costs of owning at the given prices, PUE {placed.pue:g}",
        *(f"extrapolated: {text}" for text in beyond),
        *((EDGE,) if not points[0].parameters * 1.01 < size < points[-1].parameters / 1.01 else ()),
    )
    if served:
        load = f"{isl:g} in and {osl:g} out, {concurrency:g} users an instance"
        assumptions += (f"serving at {serving_precision}, {load}, {engine} engine",)
    return BudgetOptimum(
        parameters=size,
        tokens=trained,
        loss=loss(best),
        spent=spent,
        unit=unit,
        chips=count,
        days=spent["training"] / per_chip_second / count / DAY,
        mfu=nearest.mfu,
        flat=(math.exp(flat[0]), math.exp(flat[1])),
        law=found_law.name,
        system=placed.name,
        points=tuple(points),
        assumptions=assumptions,
    )


def _law(law: "Law | str") -> Law:
    from nvscale import laws

    found = laws.load(law) if isinstance(law, str) else law
    if found.form.quantity != "loss" or not {"parameters", "tokens"} <= set(found.form.variables):
        raise MissingFigure(f"optimum: {found.name} gives no loss of parameters and tokens; take e.g. chinchilla/besiroglu-2024")
    return found


def _budget(budget: Any) -> tuple[float, str]:
    """Amount in base units, and which: dollars, joules or chip-seconds."""
    for unit, _ in KINDS.values():
        try:
            return float(Unit(unit).si(budget, "optimum: budget")), unit
        except WrongUnit:
            continue
    raise InvalidInput(f"optimum: budget: {budget!r} is neither dollars ('1 MUSD'), energy ('500 MWh') nor chip time ('100000 h')")


def _chip_second(system: System, unit: str, precision: str, prices: Prices) -> float:
    """What one chip takes of the budget in a second."""
    if unit == "s":
        return 1.0
    whole = cost_rate(system, precision, prices) if unit == "USD" else facility_power(system, precision, prices)
    return float(whole.value / system.chips)


def _chips(chip_seconds: float, system: System, days: float) -> float:
    """Chips that use the budget up in so many days: whole systems, a power of two of them."""
    wanted = chip_seconds / (days * DAY) / system.chips
    return float(system.chips * 2.0 ** max(0, round(math.log2(max(wanted, 1.0)))))


def _points(
    system: System, chips: float, per_chip_second: float, precision: str, serving_precision: str, sequence: float,
    requests: dict[str, Any], engine: str, serves: bool,
) -> list[Point]:  # fmt: skip
    """Costs per token of every model of the family that the system can train and serve."""
    whole, points = system.scale(chips), []
    batch = chips * max(1.0, round(BATCH / sequence / chips))
    for width in WIDTHS:
        model = family(width)
        try:
            best = best_plan(Training(model=model, sequence=sequence, global_batch=batch, precision=precision), whole, top=1)[0]
            cost = chips * per_chip_second * best.seconds / (batch * sequence)
            spent = _serving_cost(model, system, per_chip_second, serving_precision, requests, engine) if serves else 0.0
        except (NoFeasiblePlan, InvalidInput):
            continue
        points.append(Point(float(model.parameters), cost, spent, float(best.mfu)))
    return points


def _serving_cost(model: Model, system: System, per_chip_second: float, precision: str, requests: dict[str, Any], engine: str) -> float:
    """Cost of serving one token on the fewest chips of a domain that hold the model."""
    ranks = 1.0
    limit = min(float(system.scaleup_chips), float(system.chips)) if system.networks else 1.0
    while ranks <= limit:
        if model.heads % ranks == 0.0:
            try:
                found = serving(
                    Serving(model=model, precision=precision, **requests), system.scale(ranks), Parallelism(tp=ranks), engine=engine
                )
            except InvalidInput:
                ranks *= 2.0
                continue
            tokens = found["tokens per second"].value * (1.0 + requests["isl"] / requests["osl"])
            return float(ranks * per_chip_second / tokens)
        ranks *= 2.0
    raise InvalidInput(f"optimum: {model.name} fits no domain of {system.name}")


def _curves(points: list[Point]) -> tuple[Callable[[float], float], Callable[[float], float]]:
    """Logarithms of the costs per token as smooth functions of the logarithm of the size."""
    from scipy.interpolate import PchipInterpolator

    sizes = [math.log(point.parameters) for point in points]
    training = PchipInterpolator(sizes, [math.log(point.training) for point in points])
    if not all(point.serving for point in points):
        return training, lambda _: -math.inf
    return training, PchipInterpolator(sizes, [math.log(point.serving) for point in points])


def _least(loss: Callable[[float], float], low: float, high: float) -> tuple[float, tuple[float, float]]:
    """Where the loss is least, and from where to where it is hardly worse."""
    import numpy as np
    from scipy.optimize import minimize_scalar

    sizes = np.linspace(low, high, 400)
    losses = np.array([loss(float(size)) for size in sizes])
    place = int(np.argmin(losses))
    if not np.isfinite(losses[place]):
        return low, (low, low)
    around = (float(sizes[max(place - 1, 0)]), float(sizes[min(place + 1, len(sizes) - 1)]))
    best = float(minimize_scalar(loss, bounds=around, method="bounded", options={"xatol": 1e-6}).x)
    near = sizes[losses <= loss(best) + FLAT]
    return best, (float(near.min()), float(near.max()))
