"""`training_run`: a whole training run, from its step: calendar time, chip hours, energy, carbon and cost, with its goodput."""

from collections.abc import Callable
from typing import Any

from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure, unknown
from nvscale.estimate import Estimate, Timing, derived, figure, show, term, total
from nvscale.estimators.fleets import cost_rate
from nvscale.estimators.interruptions import goodput as goodput_of
from nvscale.estimators.system_power import PARTS_AT_NAMEPLATE, chip_power_in_training, system_power
from nvscale.estimators.training import training
from nvscale.estimators.training_results import TrainingStep
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


UNITS: dict[str, tuple[tuple[float, str], tuple[float, str]]] = {
    "chip hours": ((1e6, "million chip hours"), (1.0, "chip hours")),
    "energy": ((3.6e12, "GWh"), (3.6e9, "MWh")),
    "carbon": ((1e9, "thousand t CO2"), (1e6, "t CO2")),
    "cost": ((1e6, "million USD"), (1.0, "USD")),
}
"""In which units a printed run tells large and small amounts."""


class TrainingRun(Estimate):
    """A whole run: `["days"]`, `["chip hours"]`, `["energy"]`, `["carbon"]`, `["cost"]`, `["goodput"]`, `["mfu"]`, `["step"]`.

    Parameters
    ----------
    time : Estimate
        Calendar time.
    results : dict of str to Estimate
        What follows from it.
    missing : dict of str to str
        Why others do not: what nobody published about the system.
    """

    __slots__ = ("missing", "results")

    def __init__(self, time: Estimate, results: dict[str, Estimate], missing: dict[str, str], assumptions: tuple[str, ...]) -> None:
        super().__init__(time.name, time.value, time.unit, how=time.how, terms=time.terms, assumptions=assumptions)
        self.low, self.high, self.results, self.missing = time.low, time.high, results, missing

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a term by name or dotted path."""
        head, dot, rest = path.partition(".")
        if head in self.missing:
            raise MissingFigure(f"{head} of the run: {self.missing[head]}")
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
        found = {name: result.to_dict() for name, result in self.results.items()}
        return super().to_dict() | {"results": found} | ({"missing": self.missing} if self.missing else {})

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        found = self.results
        size, unit = (DAY, "days") if self.value >= DAY else (HOUR, "hours")
        took = f"{self.value / size:,.1f} {unit}"
        if self.low is not None:
            took += f" (90 %: {self.low / size:,.1f} to {self.high / size:,.1f})"
        spent = [_amount(name, found[name].value) for name in ("energy", "carbon", "cost") if name in found]
        lines = [self.name, f"{took} at goodput {found['goodput'].value:.3g}, {_amount('chip hours', found['chip hours'].value)}"]
        lines += [f"{', '.join(spent)}, {self.drawn}"] if spent else []
        return "\n  ".join([*lines, *(f"no {name}: {reason}" for name, reason in self.missing.items())])

    @property
    def drawn(self) -> str:
        """At which power of the chips."""
        energy = self.results.get("energy")
        return "at nameplate power" if energy is None or PARTS_AT_NAMEPLATE not in energy.all_assumptions() else "chips under load"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {show(self.value, 's')}>"


def _amount(name: str, value: float) -> str:
    """An amount in the larger unit from one on, else in the smaller."""
    large, small = UNITS[name]
    size, unit = large if value >= large[0] else small
    return f"{value / size:,.{1 if value < 1000.0 * size else 0}f} {unit}"


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

    Assumptions
    -----------
    Power is that of the steps all the time; cost is the owner's. Where nobody published the power or the price of the system, energy
    or cost say so when they are asked for. Intervals are those of the step.

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
    share, terms, notes = _goodput(goodput, failures, step.system.chips), prices or views.prices(), step.all_assumptions()
    placed = step.system
    if goodput is None and failures is None:
        notes.append(f"goodput {share.value:g}: {share.source.note if share.source else ''}")
    if pue is not None or (carrier(placed.pue) == FLOAT and placed.pue == 1.0):
        value, source = (pue, GIVEN) if pue is not None else views.default_pue()
        placed = placed.replace(pue=value, sources={**placed.sources, "pue": source})
        notes += [f"PUE {value:g}, where nobody says otherwise"] if pue is None else []
    steps = derived("steps", wanted / job.tokens, "1", "tokens / tokens of a step", term("tokens", wanted, "token"))
    name, seconds = f"training of {job.model.name or 'a model'} on {placed.name}", steps.value * step.value / share.value
    time = _with_interval(derived(name, seconds, "s", "steps x step / goodput", steps, _leaf(step), share), step)
    elapsed, chips = Estimate("elapsed", time.value, "s"), term("chips", placed.chips, "1")

    def energy() -> Estimate:
        return _energy(system_power(placed, chip_power_in_training(step) if draw == "load" else None), elapsed)

    results: dict[str, Estimate] = {}
    makers: dict[str, Callable[[], Estimate]] = {
        "energy": energy,
        "carbon": lambda: _carbon(results["energy"] if "energy" in results else energy(), grid),
        "cost": lambda: _cost(placed, job, terms, elapsed, results["energy"] if "energy" in results else energy()),
    }
    results |= {
        "days": derived("days", time.value / DAY, "1", "time / day", elapsed),
        "chip hours": derived("chip hours", placed.chips * time.value / HOUR, "1", "chips x time / hour", chips, elapsed),
    }
    missing = {}
    for what, make in makers.items():
        try:
            results[what] = make()
        except MissingFigure as problem:
            missing[what] = str(problem)
    found = {what: _with_interval(result, step) for what, result in results.items()}
    mfu = derived("mfu", step["mfu"].value * share.value, "1", "mfu of a step x goodput", share, assumptions=step["mfu"].assumptions)
    return TrainingRun(time, found | {"goodput": share, "mfu": mfu, "step": step}, missing, tuple(notes))


def _with_interval(result: Estimate, step: Timing) -> Estimate:
    """Give a result that is in proportion to the step its interval."""
    if step.low is not None:
        result.low, result.high = result.value * (step.low / step.value), result.value * (step.high / step.value)
    return result


def _energy(drawn: Estimate, elapsed: Estimate) -> Estimate:
    used = energy_use.average_power_energy(drawn.value, elapsed.value)
    return derived("energy", used, "J", "facility power x time", drawn, elapsed, assumptions=(STEADY,))


def _carbon(energy: Estimate, grid: Any) -> Estimate:
    """Emissions of the electricity."""
    intensity = grid_intensity(grid)
    mass = energy_use.emissions(energy.value, intensity.value)
    return derived("carbon", mass, "g", "energy x grid intensity", energy, intensity, assumptions=(OPERATION_ALONE,))


def _cost(system: System, job: Training, prices: Prices, elapsed: Estimate, energy: Estimate) -> Estimate:
    """What the run costs the owner: capital recovery over its time, and its energy."""
    recovered = cost_rate(system, job.precision, prices)["capital"]
    paid = cost.task_cost(elapsed.value, recovered.value, 0.0, 0.0)
    capital = derived("capital of the run", paid, "USD", "capital recovery x time", recovered, elapsed)
    tariff = figure(prices, "energy_price")
    bought = derived("energy of the run", cost.energy_cost(energy.value, prices.energy_price), "USD", "energy x price", energy, tariff)
    made = total("cost", capital, bought)
    made.assumptions = (AT_COST,)
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
