"""`training_run`: a whole training run, from its step: calendar time, chip hours, energy and cost at a stated goodput."""

from typing import Any

from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, Timing, derived, show, term
from nvscale.estimators.fleets import cost_rate, facility_power
from nvscale.estimators.training import training
from nvscale.estimators.training_results import TrainingStep
from nvscale.formulas import cost, energy_use
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.provenance import GIVEN
from nvscale.settings import Prices
from nvscale.units import Unit
from nvscale.workloads.training import Training

DAY, HOUR = 86400.0, 3600.0
NAMEPLATE = "every chip and part draws its nameplate power all the time"
AT_COST = "cost is what the system costs its owner for the time of the run: capital recovery and energy, no staff, no buildings"


UNITS: dict[str, tuple[tuple[float, str], tuple[float, str]]] = {
    "chip hours": ((1e6, "million chip hours"), (1.0, "chip hours")),
    "energy": ((3.6e12, "GWh"), (3.6e9, "MWh")),
    "cost": ((1e6, "million USD"), (1.0, "USD")),
}
"""In which units a printed run tells large and small amounts."""


class TrainingRun(Estimate):
    """A whole run: `["days"]`, `["chip hours"]`, `["energy"]`, `["cost"]`, `["goodput"]`, `["step"]`.

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
        spent = [_amount(name, found[name].value) for name in ("energy", "cost") if name in found]
        lines = [self.name, f"{took} at goodput {found['goodput'].value:g}, {_amount('chip hours', found['chip hours'].value)}"]
        lines += [f"{' and '.join(spent)} at nameplate power"] if spent else []
        return "\n  ".join([*lines, *(f"no {name}: {reason}" for name, reason in self.missing.items())])

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
    prices: Prices | None = None,
    pue: Any = None,
    **others: Any,
) -> TrainingRun:
    """Return a whole training run: its calendar time, chip hours, energy and cost.

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
    prices : Prices, optional
        Energy price, cost of capital, life; `nvscale.prices()` by default.
    pue : 1, optional
        Power usage effectiveness; the system's own where it has one above 1, else the default assumption.
    others : any
        `stack`, `efficiency`, `calibration` as for `training`.

    Returns
    -------
    TrainingRun
        `["days"]`, `["chip hours"]`, `["energy"]`, `["cost"]`, `["goodput"]`, `["step"]`, and `value` in seconds.

    Raises
    ------
    InvalidInput
        No tokens, or a goodput that is no share.

    Assumptions
    -----------
    Energy is nameplate power all the time; cost is the owner's. Where nobody published the power or the price of the system, energy
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
    step: TrainingStep = training(job, system, plan, **others)
    placed, share, terms, notes = step.system, _goodput(goodput), prices or views.prices(), step.all_assumptions()
    if goodput is None:
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
        drawn = facility_power(placed, job.precision, terms)
        used = energy_use.average_power_energy(drawn.value, time.value)
        return derived("energy", used, "J", "facility power x time", drawn, elapsed, assumptions=(NAMEPLATE,))

    def costs() -> Estimate:
        spent = cost_rate(placed, job.precision, terms)
        paid = cost.task_cost(time.value, spent.value, 0.0, 0.0)
        return derived("cost", paid, "USD", "cost rate x time", spent, elapsed, assumptions=(AT_COST,))

    results = {
        "days": derived("days", time.value / DAY, "1", "time / day", elapsed),
        "chip hours": derived("chip hours", placed.chips * time.value / HOUR, "1", "chips x time / hour", chips, elapsed),
    }
    missing = {}
    for what, make in (("energy", energy), ("cost", costs)):
        try:
            results[what] = make()
        except MissingFigure as problem:
            missing[what] = str(problem)
    found = {what: _with_interval(result, step) for what, result in results.items()}
    return TrainingRun(time, found | {"goodput": share, "step": step}, missing, tuple(notes))


def _with_interval(result: Estimate, step: Timing) -> Estimate:
    """Give a result that is in proportion to the step its interval."""
    if step.low is not None:
        result.low, result.high = result.value * (step.low / step.value), result.value * (step.high / step.value)
    return result


def _goodput(given: Any) -> Estimate:
    from nvscale.catalogue import default

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
