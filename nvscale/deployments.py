"""What sizing returns: deployments with their figures, ranked, and the reason why each other one loses."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

from nvscale.composition import System
from nvscale.errors import MissingDependency
from nvscale.estimators.serving import Served, serving
from nvscale.parallelism import Parallelism
from nvscale.units import readable
from nvscale.workloads.serving import Serving

COMPARED = {"cost": ("usd_per_hour", "cost"), "energy": ("megawatts", "power"), "gpus": ("gpus", "GPUs")}
FIGURES = (
    "gpus", "systems", "instances", "instance_gpus", "users_per_instance", "most_users", "utilisation", "tokens_per_second_per_user",
    "ttft", "tpot", "tokens_per_second", "tokens_per_second_per_gpu", "megawatts", "usd_per_hour", "usd_per_million_tokens",
    "joules_per_token",
)  # fmt: skip
IN_JSON = {"ttft": "ttft_s", "tpot": "tpot_s"}
NEAR = 0.02
"""Ratios closer to 1 are not told."""


class Goal(NamedTuple):
    """What is asked of a deployment."""

    users: float
    speed: float
    ttft: float
    spare: float
    percentile: float | None
    by: str

    def __str__(self) -> str:
        whose = "on average" if self.percentile is None else f"for {self.percentile:.4g} of the requests"
        limits = [f"{self.speed:g} tokens/s each"] if self.speed > 0.0 else []
        limits += [f"TTFT {readable(self.ttft, 's')}"] if self.ttft < float("inf") else []
        text = f"{self.users:,.0f} users"
        return f"{text} at {' and '.join(limits)} {whose}" if limits else text


@dataclasses.dataclass(frozen=True)
class Deployment:
    """One answer: so many GPUs of one system in one layout.

    Parameters
    ----------
    system, engine, precision, plan, layout
        What, with which software, format and layout of an instance.
    gpus, systems, instances, instance_gpus : 1
        What is bought, whole systems; instances that run, and chips of one.
    most_users : 1
        Users of an instance at which the limits still hold.
    tpot, ttft : s
        Delays with all instances running, mean or percentile as asked.
    tokens_per_second_per_user, tokens_per_second, tokens_per_second_per_gpu : token/s
        Speed and throughput.
    megawatts : MW
        Power from the grid.
    usd_per_hour, usd_per_million_tokens, joules_per_token
        What it costs; nan where the price of the system is not known.
    bound : str
        What keeps an instance from more users.
    """

    system: System
    engine: str
    precision: str
    plan: Parallelism
    layout: str
    gpus: float
    systems: float
    instances: float
    instance_gpus: float
    most_users: float
    tpot: float
    ttft: float
    tokens_per_second_per_user: float
    tokens_per_second: float
    tokens_per_second_per_gpu: float
    megawatts: float
    usd_per_hour: float
    usd_per_million_tokens: float
    joules_per_token: float
    bound: str
    goal: Goal = dataclasses.field(repr=False)
    work: Serving = dataclasses.field(repr=False)
    options: dict[str, Any] = dataclasses.field(repr=False, compare=False)

    @property
    def users_per_instance(self) -> float:
        """Users of an instance while all run."""
        return self.goal.users / self.instances

    @property
    def utilisation(self) -> float:
        """Users over those that all instances, spares included, could serve within the limits."""
        return self.goal.users / (self.instances * self.most_users)

    @property
    def estimate(self) -> Served:
        """The load on what is bought, as an estimate with its tree, interval and sources; of one where they are not joined."""
        joined = bool(self.system.networks)
        bought = self.system.scale(self.gpus) if joined and self.gpus != self.system.chips else self.system
        load = self.work.replace(concurrency=self.goal.users if joined else self.users_per_instance, rate=None)
        return serving(load, bought, self.plan, **self.options)

    def row(self) -> dict[str, Any]:
        """Return everything as plain data, in the units of the names; None where a figure is not known."""
        words = {"system": self.system.name, "chip": self.system.chip.name, "engine": self.engine, "precision": self.precision}
        plan = {name: getattr(self.plan, name) for name in ("tp", "pp", "ep")}
        figures = {IN_JSON.get(name, name): getattr(self, name) for name in FIGURES}
        return {**words, "layout": self.layout, **plan} | {k: v if v == v else None for k, v in figures.items()} | {"bound": self.bound}

    def __str__(self) -> str:
        what = f"{self.instances:,.0f} instances of {self.layout}, {self.precision}, {self.engine}"
        return (
            f"{self.gpus:,.0f} GPUs of {self.system.name} ({what}): "
            f"{self.tokens_per_second_per_user:,.1f} tokens/s a user, TTFT {readable(self.ttft, 's')}, {self.megawatts * 1e3:,.0f} kW, "
            f"{_money(self.usd_per_hour)} USD/h, {_money(self.usd_per_million_tokens)} USD per million tokens"
        )


class Deployments(Sequence[Deployment]):
    """Deployments that meet a goal: the best of each system first.

    Parameters
    ----------
    work : Serving
        Model and lengths of requests.
    goal : Goal
        Users, limits, spares.
    all : tuple of Deployment
        Every system, engine, format and layout that meets it, best first.
    rejected : dict of str to str
        Systems that do not meet it, and what is missing.
    """

    def __init__(self, work: Serving, goal: Goal, found: tuple[Deployment, ...], rejected: dict[str, str]) -> None:
        self.work, self.goal, self.all, self.rejected = work, goal, found, rejected
        self.best = tuple(
            {one.system.name: one for one in reversed(found)}[name] for name in dict.fromkeys(one.system.name for one in found)
        )

    @overload
    def __getitem__(self, index: int) -> Deployment: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Deployment]: ...

    def __getitem__(self, index: Any) -> Any:
        """Return the best deployment of a system by its rank, from 0."""
        return self.best[index]

    def __len__(self) -> int:
        return len(self.best)

    def layouts(self, system: str | None = None) -> tuple[Deployment, ...]:
        """Return every layout of one system (that of the best by default), best first."""
        name = self.best[0].system.name if system is None else system
        return tuple(one for one in self.all if one.system.name == name)

    def loses(self, one: Deployment) -> str:
        """Return why a deployment is not the best: the ratio of what is compared, and what it is made of; empty for the best."""
        best = self.best[0]
        if one is best:
            return ""
        name, word = COMPARED[self.goal.by]
        mine, its = getattr(one, name), getattr(best, name)
        if mine != mine:
            return f"{word} is not known"
        each = (mine / one.gpus) / (its / best.gpus)
        parts = [
            (one.gpus / best.gpus, "the GPUs"),
            (each, {"cost": "the cost of a GPU", "energy": "the power of a GPU", "gpus": ""}[self.goal.by]),
        ]
        told = [f"{ratio:.2f} x {what}" for ratio, what in parts if what and abs(ratio - 1.0) > NEAR]
        density = (
            f"{one.most_users / one.instance_gpus:,.3g} users a GPU against {best.most_users / best.instance_gpus:,.3g}, {one.bound} binds"
        )
        return f"{mine / its - 1.0:+.0%} {word}: {', '.join([*told, density])}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain data for JSON."""
        goal = {
            "users": self.goal.users,
            "tokens_per_second_per_user": self.goal.speed or None,
            "ttft_s": self.goal.ttft if self.goal.ttft < float("inf") else None,
            "spare": self.goal.spare,
            "percentile": self.goal.percentile,
            "by": self.goal.by,
        }
        best = [one.row() | {"loses": self.loses(one)} for one in self.best]
        return {"model": self.work.model.name, "goal": goal, "considered": len(self.all), "best": best, "rejected": self.rejected}

    def to_pandas(self) -> Any:
        """Return a row per system, engine, format and layout as a pandas DataFrame (needs the `sweep` extra)."""
        try:
            import pandas as pd
        except ImportError:
            raise MissingDependency("pandas is not installed; run: pip install 'nvscale[sweep]'") from None
        return pd.DataFrame([one.row() | {"loses": self.loses(one)} for one in self.all])

    def __str__(self) -> str:
        work = self.work
        spare = f", {self.goal.spare:g} spare" if self.goal.spare else ""
        title = f"{work.model.name or 'model'}, {work.isl:g} in, {work.osl:g} out: {self.goal}{spare}; ranked by {self.goal.by}"
        rows = [HEAD, *([str(rank), *_cells(one)] for rank, one in enumerate(self.best, start=1))]
        widths = [max(len(row[i]) for row in rows) for i in range(len(HEAD))]
        lines = [
            "  ".join(
                cell.ljust(width) if i in (1, 2) else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in rows
        ]
        others = [f"  {one.system.name}: {self.loses(one)}" for one in self.best[1:]]
        same = self._runner_up()
        others += [f"  on {same.system.name} itself, {same.layout}, {same.engine}, {same.precision}: {self.loses(same)}"] if same else []
        missing = [f"  {name}: {why}" for name, why in self.rejected.items()]
        parts = [title, *lines, *(["why the others lose", *others] if others else []), *(["cannot do it", *missing] if missing else [])]
        return "\n".join(parts)

    def _runner_up(self) -> Deployment | None:
        """The second best layout of the best system."""
        return next((one for one in self.layouts() if one is not self.best[0]), None)

    def __repr__(self) -> str:
        return f"<Deployments of {len(self.best)} systems, best {self.best[0]}>"


HEAD = [
    "", "system", "layout", "GPUs", "instances", "users each", "most", "load",
    "tokens/s/user", "TTFT", "kW", "USD/h", "USD/Mtoken", "J/token",
]  # fmt: skip


def _cells(one: Deployment) -> list[str]:
    """A row of the printed table, after the rank."""
    return [
        one.system.name, f"{one.layout} {one.precision}", f"{one.gpus:,.0f}", f"{one.instances:,.0f}", f"{one.users_per_instance:,.1f}",
        f"{one.most_users:,.0f}", f"{one.utilisation:.0%}", f"{one.tokens_per_second_per_user:,.1f}", readable(one.ttft, "s", 3),
        f"{one.megawatts * 1e3:,.1f}", _money(one.usd_per_hour), _money(one.usd_per_million_tokens), f"{one.joules_per_token:.3g}",
    ]  # fmt: skip


def _money(value: float) -> str:
    return "?" if value != value else f"{value:,.2f}"
