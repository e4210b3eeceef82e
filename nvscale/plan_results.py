"""What a search for the best layout returns: candidates with their terms, the front of time and memory, why others lose."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, overload

from nvscale.composition import System
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import MissingDependency
from nvscale.estimators.training import training
from nvscale.estimators.training_results import CONVENTION, TrainingStep, tree
from nvscale.estimators.training_shards import Machine
from nvscale.estimators.training_steps import step
from nvscale.parallelism import Parallelism
from nvscale.units import readable
from nvscale.workloads.training import Training

ALWAYS = ("tp", "pp", "dp", "micro_batch")
SHOWN = (*ALWAYS[:2], "vpp", "cp", "ep", "etp", "dp", "micro_batch", "zero", "sequence_parallel", "recompute", "schedule", "offload")
SHORT = {"sequence_parallel": "sp", "micro_batch": "micro-batch"}
SLOWER = (0.0, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0)
"""How much slower than the best the leanest layouts may be that are told of the front."""
NOTED = 0.1
"""Share of the difference below which a term is not told."""


class Setting(NamedTuple):
    """What a step is estimated with: job, system, software, what a chip sustains, and the rates that follow."""

    job: Training
    system: System
    stack: TrainingStack
    efficiency: TrainingEfficiency
    at: Machine


@dataclass(frozen=True)
class Candidate:
    """One layout of the search.

    Parameters
    ----------
    plan : Parallelism
        The layout.
    seconds : s
        Time of a step.
    memory : byte
        Memory per chip that the program hands out at its peak.
    mfu : 1
        Model FLOP utilisation, counted as `training` does.
    replicas : 1
        Data-parallel replicas.
    parts : mapping of str to float
        What the step is made of, in seconds; the terms add up to it.
    software : mapping of str to float
        Figures of the software that were searched.
    behind : mapping of str to float
        Seconds by term over the best layout; empty for the best.
    """

    plan: Parallelism
    seconds: float
    memory: float
    mfu: float
    replicas: float
    parts: Mapping[str, float]
    software: Mapping[str, float]
    behind: Mapping[str, float]
    setting: Setting = field(repr=False)

    @classmethod
    def of(cls, setting: Setting, plan: Parallelism, memory: float, software: Mapping[str, float], best: "Candidate | None") -> "Candidate":
        """Evaluate one layout, term by term, and compare it with the best."""
        job, system, stack = setting.job, setting.system, setting.stack.replace(**software) if software else setting.stack
        made = step(job, plan, system.chips, setting.at, stack)
        terms = {name: float(node.value) for name, node in tree(made).terms.items()}
        behind = {name: value - best.parts[name] for name, value in terms.items()} if best else {}
        work = job.model.flop_per_token(job.sequence, CONVENTION) * job.tokens
        mfu = work / (made.value * system.chips * system.chip.rate(job.precision))
        return cls(plan, float(made.value), memory, float(mfu), plan.replicas(system.chips), terms, software, behind, setting)

    @cached_property
    def step(self) -> TrainingStep:
        """The step as an estimate, with its tree, interval and results."""
        job, system, software, efficiency, _ = self.setting
        stack = software.replace(**self.software) if self.software else software
        return training(job, system, self.plan, stack=stack, efficiency=efficiency)

    @property
    def loses(self) -> str:
        """Why it is slower than the best, the largest terms first; empty for the best."""
        if not self.behind:
            return ""
        apart = sum(self.behind.values())
        moved = sum(abs(value) for value in self.behind.values())
        if moved <= 1e-12 * self.seconds:
            return "as fast"
        ranked = sorted(self.behind.items(), key=lambda item: -item[1])
        more = [f"{name} +{readable(value, 's', 3)}" for name, value in ranked[:2] if value >= NOTED * moved]
        less = [f"{name} -{readable(-value, 's', 3)}" for name, value in ranked[-1:] if value <= -NOTED * moved]
        return f"+{apart / (self.seconds - apart):.2%}: {', '.join(more)}" + (f" (but {', '.join(less)})" if less else "")

    def __str__(self) -> str:
        return f"{_time(self)}, MFU {self.mfu:.1%}, {_size(self)}: {_words(self)}"

    def row(self) -> dict[str, Any]:
        """Return layout and figures as plain data, in SI base units."""
        figures = {name: getattr(self.plan, name) for name in SHOWN if name != "dp"} | {"dp": self.replicas} | dict(self.software)
        numbers = {"seconds_per_step": self.seconds, "mfu": self.mfu, "memory_bytes": self.memory}
        return {**{name: figures[name] for name in (*SHOWN, *self.software)}, **numbers, "loses": self.loses}


class Plans(Sequence[Candidate]):
    """The best layouts of a training job, fastest first.

    Parameters
    ----------
    setting : Setting
        Job, system and software.
    candidates : tuple of Candidate
        The fastest layouts.
    front : tuple of Candidate
        The front of time and memory: no other layout is as fast with as little memory.
    limit : byte
        Memory that a program can hand out on a chip.
    considered, fitting : int
        Combinations that were considered, and how many of them can be and fit.
    rejected : mapping of str to int
        How many cannot be, by the first reason that holds.
    """

    def __init__(
        self,
        setting: Setting,
        candidates: tuple[Candidate, ...],
        front: tuple[Candidate, ...],
        limit: float,
        considered: int,
        fitting: int,
        rejected: Mapping[str, int],
    ) -> None:
        self.setting, self.candidates, self.front = setting, candidates, front
        self.limit, self.considered, self.fitting, self.rejected = limit, considered, fitting, dict(rejected)

    @overload
    def __getitem__(self, index: int) -> Candidate: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Candidate]: ...

    def __getitem__(self, index: Any) -> Any:
        """Return a candidate by its rank, from 0."""
        return self.candidates[index]

    def __len__(self) -> int:
        return len(self.candidates)

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.candidates)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON, in SI base units."""
        job, system = self.setting.job, self.setting.system
        return {
            "model": job.model.name,
            "system": system.name,
            "chips": system.chips,
            "memory_limit_bytes": self.limit if math.isfinite(self.limit) else None,
            "considered": self.considered,
            "fitting": self.fitting,
            "rejected": self.rejected,
            "best": [candidate.row() | {"terms": dict(candidate.parts)} for candidate in self],
            "front": [candidate.row() for candidate in self.front],
        }

    def to_pandas(self) -> Any:
        """Return a row per candidate, with its terms, as a pandas DataFrame (needs the `sweep` extra)."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas is not installed; run: pip install 'nvscale[sweep]'") from None
        return pd.DataFrame([candidate.row() | dict(candidate.parts) for candidate in self])

    def __str__(self) -> str:
        job, system = self.setting.job, self.setting.system
        title = f"{job.model.name or 'model'} on {system.chips:,.0f} chips of {system.chip.name}, global batch {job.global_batch:,.0f}"
        counts = f"{self.fitting:,} of {self.considered:,} layouts can be and fit {self.limit / 1e9:.1f} GB per chip; of the others"
        common = sorted(self.rejected.items(), key=lambda item: -item[1])
        others = [f"  {count:>13,}  {reason}" for reason, count in common]
        front = [f"  {_time(one)} with {_size(one)}: {_words(one)}" for one in _spread(self.front)]
        return "\n".join([title, *_aligned(_table(self.candidates)), counts, *others, "front of time and memory", *front])

    def __repr__(self) -> str:
        return f"<Plans {len(self)} of {self.fitting:,} layouts, best {_time(self[0])}: {_words(self[0])}>"


def _time(one: Candidate) -> str:
    return readable(one.seconds, "s")


def _size(one: Candidate) -> str:
    return f"{one.memory / 1e9:.1f} GB"


def _words(one: Candidate) -> str:
    """A layout on one line: what differs from a chip on its own."""
    numbers = [f"{SHORT.get(name, name)} {value:g}" for name, value in _figures(one).items() if name != "recompute"]
    return ", ".join([*numbers, f"recompute {one.plan.recompute}"])


def _figures(one: Candidate) -> dict[str, Any]:
    """What tells a layout: sizes, and figures that are not as they are by default."""
    row = one.row()
    plain = {"vpp": 1.0, "cp": 1.0, "ep": 1.0, "etp": 1.0, "schedule": "1f1b", "offload": 0.0}
    return {name: row[name] for name in (*SHOWN, *one.software) if name in ALWAYS or row[name] != plain.get(name)}


def _spread(front: Sequence[Candidate]) -> list[Candidate]:
    """A few of the front: the leanest of those that are only so much slower than the fastest."""
    within = [[one for one in front if one.seconds <= (1.0 + share) * front[0].seconds] for share in SLOWER]
    return list({id(some[-1]): some[-1] for some in within}.values())


def _table(candidates: Sequence[Candidate]) -> list[list[str]]:
    """Heading and rows; a column in which all are plain is left out."""
    figures = [_figures(one) for one in candidates]
    names = [name for name in (*SHOWN, *candidates[0].software) if any(name in row for row in figures)]
    head = ["", *(SHORT.get(name, name) for name in names), "step", "MFU", "memory", "loses by"]
    rows = []
    for rank, one in enumerate(candidates, start=1):
        row = one.row()
        cells = [row[name] if isinstance(row[name], str) else f"{row[name]:g}" for name in names]
        rows.append([str(rank), *cells, _time(one), f"{one.mfu:.1%}", _size(one), one.loses])
    return [head, *rows]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns flush right, the last one flush left."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join([*(cell.rjust(width) for cell, width in zip(row[:-1], widths, strict=False)), row[-1]]).rstrip() for row in rows]
