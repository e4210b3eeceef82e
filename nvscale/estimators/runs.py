"""`training_run`: a whole training run, from its step: calendar time, chip hours, energy, carbon and cost, with its goodput."""

from typing import Any

from nvscale.composition import System
from nvscale.errors import InvalidInput, unknown
from nvscale.estimate import Estimate, Timing, derived, figure, term, total
from nvscale.estimators.fleets import cost_rate
from nvscale.estimators.interruptions import goodput as goodput_of
from nvscale.estimators.system_power import chip_power_in_training, system_power
from nvscale.estimators.training import TrainingStep, training
from nvscale.formulas import cost, energy_use
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.provenance import GIVEN
from nvscale.settings import Failures, Prices
from nvscale.units import Unit
from nvscale.workloads.training import Training

DAY, HOUR = 86400.0, 3600.0
STEADY = "power is that of the steps, also while the run is interrupted"
OPERATION_ALONE = "carbon is that of the electricity, without making the hardware"
AT_COST = "cost is what the system costs its owner for the time of the run: capital recovery and energy, no staff, no buildings"


class TrainingRun(Estimate):
    """A whole run: `["days"]`, `["chip hours"]`, `["energy"]`, `["carbon"]`, `["cost"]`, `["goodput"]`, `["step"]`.

    Parameters
    ----------
    time : Estimate
        Calendar time.
    results : dict of str to Estimate
        What follows from it.
    """

    __slots__ = ("results",)

    def __init__(self, time: Estimate, results: dict[str, Estimate], assumptions: tuple[str, ...]) -> None:
        super().__init__(time.name, time.value, time.unit, how=time.how, terms=time.terms, assumptions=assumptions)
        self.low, self.high, self.results = time.low, time.high, results

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a term by name or dotted path."""
        head, dot, rest = path.partition(".")
        if head in self.results:
            return self.results[head][rest] if dot else self.results[head]
        return super().__getitem__(path)

    def all_assumptions(self) -> list[str]:
        """Return every assumption made below and in the results, each once."""
        inner = [text for result in self.results.values() for text in result.all_assumptions()]
        return list(dict.fromkeys([*super().all_assumptions(), *inner]))

    def explain(self, depth: int = 99) -> str:
        """Return time and results as trees of text, and below them what was assumed."""
        trees = [
            super().explain(depth),
            *(result.explain(depth) for name, result in self.results.items() if name not in ("step", "goodput")),
        ]
        return "\n".join([*trees, *(f"assumed: {text}" for text in self.all_assumptions())])

    def to_dict(self) -> dict[str, Any]:
        """Return the run as plain data for JSON, in SI base units."""
        return super().to_dict() | {"results": {name: result.to_dict() for name, result in self.results.items()}}

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        found = self.results
        return (
            f"{self.name}: {found['days'].value:,.1f} days at goodput {found['goodput'].value:.3g}, "
            f"{found['chip hours'].value / 1e6:,.2f} million chip hours, {found['energy'].value / 3.6e12:,.2f} GWh, "
            f"{found['carbon'].value / 1e6:,.0f} t CO2, {found['cost'].value / 1e6:,.1f} million USD"
        )


def training_run(
    job: Training,
    system: "System | str",
    plan: Parallelism | None = None,
    *,
    tokens: Any,
    goodput: Any = None,
    failures: "Failures | str | None" = None,
    prices: Prices | None = None,
    pue: Any = None,
    draw: str = "load",
    grid: Any = None,
    **others: Any,
) -> TrainingRun:
    """Return a whole training run: its calendar time, chip hours, energy, carbon and cost.

    Parameters
    ----------
    job : Training
        What is trained.
    system : System or str
        Where; `system("dgx-h100").scale(1024)` for so many chips.
    plan : Parallelism, optional
        How it is spread.
    tokens : token
        Tokens of the run.
    goodput : 1, optional
        Useful time over elapsed time: failures, restarts and checkpoints taken out; the default assumption otherwise.
    failures : Failures or str, optional
        Compute the goodput instead: how often nodes fail, as a record or the name of a published run or fleet.
    prices : Prices, optional
        Energy price, cost of capital, life; `nvscale.prices()` by default.
    pue : 1, optional
        Power usage effectiveness; the system's own where it has one above 1, else the default assumption.
    draw : str
        "load": chips draw what constants fitted to measurements say of their operations and bytes, parts their nameplate
        power; "nameplate": everything its nameplate power.
    grid : g/J or str, optional
        Emissions of electricity: "400 g/kWh", or the name of an entry of the emissions; the default assumption otherwise.
    others : any
        `stack`, `efficiency`, `calibration` as for `training`.

    Returns
    -------
    TrainingRun
        `["days"]`, `["chip hours"]`, `["energy"]`, `["carbon"]`, `["cost"]`, `["goodput"]`, `["mfu"]` of the whole run,
        `["step"]`, and `value` in seconds.

    Raises
    ------
    InvalidInput
        No tokens, or a goodput that is no share.

    Examples
    --------
    >>> import nvscale as nv
    >>> job = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=1024)
    >>> run = training_run(job, nv.system("dgx-h100").scale(1024), nv.Parallelism(), tokens=15e12)
    >>> 20 < run["days"].value < 80
    True
    """
    from nvscale import views

    wanted = Unit("token").si(tokens, "training_run: tokens")
    if draw not in ("load", "nameplate"):
        raise unknown("draw", draw, ("load", "nameplate"))
    step: TrainingStep = training(job, system, plan, **others)
    placed, share, terms = step.system, _goodput(goodput, failures, step.system.chips), prices or views.prices()
    if pue is not None or (carrier(placed.pue) == FLOAT and placed.pue == 1.0):
        value, source = (pue, GIVEN) if pue is not None else views.default_pue()
        placed = placed.replace(pue=value, sources={**placed.sources, "pue": source})
    steps = derived("steps", wanted / job.tokens, "1", "tokens / tokens of a step", term("tokens", wanted, "token"))
    one = _leaf(step)
    time = derived(
        f"training of {job.model.name or 'a model'} on {placed.name}",
        steps.value * step.value / share.value,
        "s",
        "steps x step / goodput",
        steps,
        one,
        share,
    )
    time.low, time.high = (
        (None, None) if step.low is None else (steps.value * step.low / share.value, steps.value * step.high / share.value)
    )
    elapsed = Estimate("elapsed", time.value, "s")
    elapsed.low, elapsed.high = time.low, time.high
    drawn = system_power(placed, chip_power_in_training(step) if draw == "load" else None)
    energy = _energy(drawn, elapsed)
    chips = term("chips", placed.chips, "1")
    mfu = derived("mfu", step["mfu"].value * share.value, "1", "mfu of a step x goodput", share, assumptions=step["mfu"].assumptions)
    results = {
        "days": _scaled("days", elapsed, 1.0 / DAY, "1", "time / day"),
        "chip hours": _scaled("chip hours", elapsed, placed.chips / HOUR, "1", "chips x time / hour", chips),
        "energy": energy,
        "carbon": _carbon(energy, grid),
        "cost": _cost(placed, job, terms, elapsed, energy),
        "goodput": share,
        "mfu": mfu,
        "step": step,
    }
    return TrainingRun(time, results, tuple(step.all_assumptions()))


def _scaled(name: str, time: Estimate, factor: Any, unit: str, how: str, *others: Estimate) -> Estimate:
    """A result in proportion to the time, with its interval."""
    made = derived(name, time.value * factor, unit, how, *others, time)
    if time.low is not None:
        made.low, made.high = time.low * factor, time.high * factor
    return made


def _energy(drawn: Estimate, elapsed: Estimate) -> Estimate:
    used = energy_use.average_power_energy(drawn.value, elapsed.value)
    made = derived("energy", used, "J", "facility power x time", drawn, elapsed, assumptions=(STEADY,))
    if elapsed.low is not None:
        made.low, made.high = elapsed.low * drawn.value, elapsed.high * drawn.value
    return made


def _carbon(energy: Estimate, grid: Any) -> Estimate:
    """Emissions of the electricity."""
    intensity = grid_intensity(grid)
    mass = energy_use.emissions(energy.value, intensity.value)
    made = derived("carbon", mass, "g", "energy x grid intensity", energy, intensity, assumptions=(OPERATION_ALONE,))
    if energy.low is not None:
        made.low, made.high = energy.low * intensity.value, energy.high * intensity.value
    return made


def _cost(system: System, job: Training, prices: Prices, elapsed: Estimate, energy: Estimate) -> Estimate:
    """What the run costs the owner: capital recovery over its time, and its energy."""
    recovered = cost_rate(system, job.precision, prices)["capital"]
    paid = cost.task_cost(elapsed.value, recovered.value, 0.0, 0.0)
    capital = derived("capital of the run", paid, "USD", "capital recovery x time", recovered, elapsed)
    tariff = figure(prices, "energy_price")
    bought = derived("energy of the run", cost.energy_cost(energy.value, prices.energy_price), "USD", "energy x price", energy, tariff)
    made = total("cost", capital, bought)
    made.assumptions = (AT_COST,)
    if elapsed.low is not None:
        made.low, made.high = (made.value * end / elapsed.value for end in (elapsed.low, elapsed.high))
    return made


def grid_intensity(grid: Any = None) -> Estimate:
    """Return the emissions of electricity: as given, by the name of an entry, or the default assumption."""
    from nvscale.catalogue import default

    unit = Unit("g/J", ">=0")
    if grid is None:
        value, source = default().number("assumptions", "site", "grid", "g/J")
        return term("grid intensity", value, "g/J", source=source)
    if isinstance(grid, str) and not grid.strip()[:1].isdigit():
        value, source = default().number("emissions", grid, "amount", "g/J")
        return term("grid intensity", value, "g/J", source=source)
    return term("grid intensity", unit.si(grid, "grid"), "g/J", source=GIVEN)


def _goodput(given: Any, failures: "Failures | str | None", chips: Any) -> Estimate:
    from nvscale.catalogue import default

    if failures is not None:
        if given is not None:
            raise InvalidInput("training_run: give goodput, or failures from which it is computed, not both")
        return goodput_of(chips, failures)
    if given is None:
        value, source = default().number("assumptions", "training-run", "goodput", "1")
        return term("goodput", value, "1", source=source)
    share = Unit("1", "(0,1]").si(given, "training_run: goodput")
    if carrier(share) == FLOAT and not 0.0 < share <= 1.0:
        raise InvalidInput(f"training_run: goodput = {share:g} is no share above 0")
    return term("goodput", share, "1")


def _leaf(step: Timing) -> Estimate:
    leaf = Estimate("step", step.value, "s")
    leaf.low, leaf.high = step.low, step.high
    return leaf
