"""`training_run`: a whole training run, from its step: calendar time, chip hours, energy and cost at a stated goodput."""

from typing import Any

from nvscale.composition import System
from nvscale.errors import InvalidInput
from nvscale.estimate import Estimate, Timing, derived, show, term
from nvscale.estimators.fleets import cost_rate, facility_power
from nvscale.estimators.training import TrainingStep, training
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


class TrainingRun(Estimate):
    """A whole run: `["days"]`, `["chip hours"]`, `["energy"]`, `["cost"]`, `["goodput"]`, `["step"]`.

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
        days = f"{found['days'].value:,.1f} days"
        if self.low is not None:
            days += f" (90 %: {self.low / DAY:,.1f} to {self.high / DAY:,.1f})"
        return "\n  ".join(
            [
                self.name,
                f"{days} at goodput {found['goodput'].value:g}, {found['chip hours'].value / 1e6:,.2f} million chip hours",
                f"{found['energy'].value / 3.6e12:,.2f} GWh and {found['cost'].value / 1e6:,.1f} million USD at nameplate power",
            ]
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {show(self.value, 's')}>"


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
    placed, share, terms = step.system, _goodput(goodput), prices or views.prices()
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
    drawn, spent = facility_power(placed, job.precision, terms), cost_rate(placed, job.precision, terms)
    used = energy_use.average_power_energy(drawn.value, time.value)
    paid = cost.task_cost(time.value, spent.value, 0.0, 0.0)
    chips = term("chips", placed.chips, "1")
    results = {
        "days": derived("days", time.value / DAY, "1", "time / day", elapsed),
        "chip hours": derived("chip hours", placed.chips * time.value / HOUR, "1", "chips x time / hour", chips, elapsed),
        "energy": derived("energy", used, "J", "facility power x time", drawn, elapsed, assumptions=(NAMEPLATE,)),
        "cost": derived("cost", paid, "USD", "cost rate x time", spent, elapsed, assumptions=(AT_COST,)),
        "goodput": share,
        "step": step,
    }
    return TrainingRun(time, results, tuple(step.all_assumptions()))


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
