"""`training_schedule`: a run in phases - batch ramp, main part, longer contexts - each with its own job and layout."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.errors import InvalidInput
from nvscale.estimate import Estimate, show, total
from nvscale.estimators.runs import TrainingRun, training_run
from nvscale.parallelism import Parallelism
from nvscale.workloads.training import Training

DAY = 86400.0


class Phase(NamedTuple):
    """One phase of a run.

    Parameters
    ----------
    job : Training
        What is trained: sequence, batch, format.
    plan : Parallelism
        How it is spread.
    tokens : token
        Tokens of the phase.
    name : str
        What it is called.
    """

    job: Training
    plan: Parallelism
    tokens: Any
    name: str = ""


class Schedule(Estimate):
    """A run in phases: its value is the calendar time; `["energy"]` and `["cost"]` add up; `runs` has every phase.

    Parameters
    ----------
    name : str
        What is trained, and where.
    runs : dict of str to TrainingRun
        Phases by name.
    """

    __slots__ = ("runs",)

    def __init__(self, name: str, runs: dict[str, TrainingRun]) -> None:
        parts = {phase: Estimate(phase, run.value, "s") for phase, run in runs.items()}
        for phase, run in runs.items():
            parts[phase].low, parts[phase].high = run.low, run.high
        super().__init__(name, sum(part.value for part in parts.values()), "s", how="sum of", terms=parts)
        self.runs = runs
        notes = [text for run in runs.values() for text in run.all_assumptions()]
        self.assumptions = tuple(dict.fromkeys(notes))

    def __getitem__(self, path: str) -> Estimate:
        """Return energy, cost, chip hours or days of all phases, or the time of one."""
        if path in ("energy", "cost", "chip hours", "days"):
            parts = [(phase, run[path]) for phase, run in self.runs.items()]
            return total(path, *(Estimate(phase, part.value, part.unit) for phase, part in parts))
        return super().__getitem__(path)

    def __str__(self) -> str:
        rows = [f"  {phase}: {run['days'].value:,.1f} days, {run['step']['mfu'].value:.0%} MFU" for phase, run in self.runs.items()]
        return "\n".join([f"{self.name}: {self.value / DAY:,.1f} days, {show(self['energy'].value, 'J')}", *rows])


def training_schedule(phases: Sequence[Phase | tuple[Any, ...]], system: "System | str", **others: Any) -> Schedule:
    """Return a run in phases on one system: calendar time, energy and cost of each and of all.

    Parameters
    ----------
    phases : sequence of Phase
        Job, layout, tokens and name of each phase, in order.
    system : System or str
        Where.
    others : any
        `goodput`, `failures`, `prices`, `pue`, `stack` ... as for `training_run`.

    Returns
    -------
    Schedule
        `value` in seconds, `["days"]`, `["energy"]`, `["cost"]`, `runs` by name.

    Raises
    ------
    InvalidInput
        No phases, or two of one name.

    Examples
    --------
    >>> import nvscale as nv
    >>> job, plan = nv.Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=512), nv.Parallelism()
    >>> long = job.replace(sequence=131072, global_batch=64)
    >>> phases = [Phase(job, plan, 14e12, "main"), Phase(long, nv.Parallelism(cp=8), 0.8e12, "long context")]
    >>> run = training_schedule(phases, nv.system("dgx-h100").scale(512))
    >>> abs(run["days"].value - sum(part["days"].value for part in run.runs.values())) < 1e-9
    True
    """
    found = [one if isinstance(one, Phase) else Phase(*one) for one in phases]
    if not found:
        raise InvalidInput("training_schedule: no phases were given")
    names = [phase.name or f"phase {place}" for place, phase in enumerate(found, start=1)]
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        raise InvalidInput(f"training_schedule: two phases are called {doubled[0]!r}")
    runs = {
        name: training_run(phase.job, system, phase.plan, tokens=phase.tokens, **others) for name, phase in zip(names, found, strict=True)
    }
    first = found[0].job.model.name or "a model"
    return Schedule(f"training of {first} in {len(runs)} phases", runs)
