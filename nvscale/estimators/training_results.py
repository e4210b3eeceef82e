"""`TrainingStep`: what a training step returns: its time in parts, and MFU, throughput and memory that follow from it."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nvscale.composition import System
from nvscale.errors import MissingFigure
from nvscale.estimate import Estimate, Timing, derived, show, term
from nvscale.estimators.memory_of_training import fits, training_memory
from nvscale.estimators.training_steps import Step
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.workloads.training import Training

CONVENTION = "megatron-bridge"
MFU_NOTE = "MFU counts 6 (N - input embedding) + causal attention per token, nothing recomputed, at the job's peak dense rate"
SUM = "sum of"
PARTS = {
    "matrix multiplies": "products",
    "attention": "attention",
    "element-wise passes": "element_wise",
    "casts": "casts",
    "experts": "experts",
    "launches": "launches",
    "recompute": "recompute",
    "tensor parallel exchange": "tensor_exchange",
    "context parallel exchange": "context_exchange",
    "expert exchange": "expert_exchange",
}
"""Names of what a stage does in a micro-batch."""


CONTENDERS = (*PARTS, "output head", "pipeline bubble", "pipeline transfers", "gradient exchange", "optimizer")
"""Parts of which the largest binds."""
TOLD = 3
"""Parts that a printed step names."""


class TrainingStep(Timing):
    """The time of a training step, and what follows from it.

    `["memory"]`, `["fits"]`, `["mfu"]`, `["tokens per second"]`, `["tokens per second per chip"]` and the parts of the
    time by name; `by` says which part is the largest. Parts and results are made when they are first looked at.

    Parameters
    ----------
    job, plan, system : Training, Parallelism, System
        What was asked.
    found : Step
        The step in its parts.
    factors : tuple
        Low and high end of the 90 % interval as factors of the value; None where it is not known.
    assumptions : tuple of str
        What was not said and was assumed.
    """

    __slots__ = ("_results", "found", "job", "plan", "system")

    def __init__(  # the tree and the roofline wait until they are asked for, so the parents' ways of making them are not taken
        self, job: Training, plan: Parallelism, system: System, found: Step, *, factors: tuple[Any, Any], assumptions: tuple[str, ...]
    ) -> None:
        self.name, self.value, self.unit, self.how, self.source = f"step of {_called(job)} on {system.name}", found.value, "s", SUM, None
        self.assumptions, self.contenders, self._roofline = assumptions, CONTENDERS, partial(_bare_time, job, system)
        low, high = factors
        self.low, self.high = (None, None) if low is None else (found.value * low, found.value * high)
        self.job, self.plan, self.system, self.found = job, plan, system, found
        self._results: dict[str, Estimate] = {}

    def __getattr__(self, name: str) -> Any:
        """Make the terms when they are first asked for."""
        if name == "terms":
            self.terms = tree(self.found).terms
            return self.terms
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __getitem__(self, path: str) -> Estimate:
        """Return a result or a part of the time by name or dotted path."""
        head, dot, rest = path.partition(".")
        name = ALIASES.get(head, head)
        if name not in RESULTS:
            return super().__getitem__(path)
        if name not in self._results:
            self._results[name] = RESULTS[name](self)
        return self._results[name][rest] if dot else self._results[name]

    @property
    def mfu(self) -> Any:
        """Model FLOP utilisation."""
        return self["mfu"].value

    def _mfu(self) -> Estimate:
        work, peak = _work(self.job), self.system.peak(self.job.precision)
        parts = (term("model work of a step", work, "flop"), term(f"peak {self.job.precision} rate", peak, "flop/s"), _leaf(self))
        return derived("mfu", work / (peak * self.value), "1", "work / (peak x time)", *parts, assumptions=(MFU_NOTE,))

    def _throughput(self) -> Estimate:
        tokens = term("tokens of a step", self.job.tokens, "token")
        return derived("tokens per second", self.job.tokens / self.value, "token/s", "tokens / time", tokens, _leaf(self))

    def _throughput_per_chip(self) -> Estimate:
        whole = self["tokens per second"]
        chips = term("chips", self.system.chips, "1")
        return derived("tokens per second per chip", whole.value / self.system.chips, "token/s", "tokens per second / chips", whole, chips)

    def _memory(self) -> Estimate:
        return training_memory(self.job, self.plan, self.system.chips)

    def _fits(self) -> Estimate:
        return fits(self.job, self.plan, self.system)

    def shares(self) -> dict[str, Any]:
        """Return the parts of the time as shares of it, of numbers the largest first; those that take no time are left out."""
        found = {name: part.value / self.value for name, part in self.terms.items() if carrier(part.value) != FLOAT or part.value}
        return dict(sorted(found.items(), key=lambda item: -item[1])) if carrier(self.value) == FLOAT else found

    def memory_text(self) -> str:
        """Return what memory is needed of what there is, and whether the step fits, in words."""
        try:
            found = self["fits"]
        except MissingFigure:
            return f"needs {show(self['memory'].value, 'byte')} of memory a chip, whose memory is not known"
        said = "fits" if found.value else "DOES NOT FIT"
        return f"needs {show(found['needed'].value, 'byte')} of {show(found['available'].value, 'byte')} a chip: {said}"

    def to_dict(self) -> dict[str, Any]:
        """Return the estimate as plain data for JSON, with the main results at the top."""
        plain = super().to_dict()
        top = {
            "seconds_per_step": plain["value"],
            "mfu": self["mfu"].to_dict()["value"],
            "tokens_per_second_per_gpu": self["tokens per second per chip"].to_dict()["value"],
            "memory_bytes": self["memory"].to_dict()["value"],
        }
        try:
            top["fits"] = self["fits"].to_dict()["value"]
        except MissingFigure:
            top["fits"] = None
        return top | plain

    def __str__(self) -> str:
        if carrier(self.value) != FLOAT:
            return super().__str__()
        interval = "" if self.low is None else f" (90 %: {show(self.low, 's')} to {show(self.high, 's')})"
        (first, most), *others = list(self.shares().items())[:TOLD]
        return "\n  ".join(
            [
                self.name,
                f"{show(self.value, 's')} a step{interval}, {self.headroom:.2f} x the bare roofline",
                f"MFU {self.mfu:.1%} (6 N + causal attention), {self['tokens per second per chip'].value:,.0f} tokens/s per chip",
                ", ".join([f"{first} {'take' if first.endswith('s') else 'takes'} {most:.0%}", *(f"{n} {s:.0%}" for n, s in others)]),
                self.memory_text(),
            ]
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {show(self.value, 's')}>"


RESULTS: Mapping[str, Callable[[TrainingStep], Estimate]] = {
    "mfu": TrainingStep._mfu,
    "tokens per second": TrainingStep._throughput,
    "tokens per second per chip": TrainingStep._throughput_per_chip,
    "memory": TrainingStep._memory,
    "fits": TrainingStep._fits,
}
"""What follows from a step, by name."""
ALIASES = {"tokens per second per GPU": "tokens per second per chip"}


def _leaf(timing: Timing) -> Estimate:
    return Estimate("time", timing.value, "s")


def _called(job: Training) -> str:
    return f"{job.model.name or 'a model'} {job.precision}"


def _work(job: Training) -> Any:
    return job.tokens * job.model.flop_per_token(job.sequence, CONVENTION)


def _bare_time(job: Training, system: System) -> Any:
    """The model work of a step at the peak rate of all chips."""
    return _work(job) / system.peak(job.precision)


def tree(found: Step) -> Estimate:
    """Return a step as a sum of its parts, in seconds of a step."""
    through, work = found.micro_batches * found.stage, found.work
    times = {name: through * getattr(work, field) for name, field in PARTS.items()}
    times["output head"] = found.micro_batches * found.head
    times["host"] = found.micro_batches * found.host
    times["pipeline bubble"] = found.bubble
    times["pipeline transfers"] = found.transfers
    times["gradient exchange"] = found.replica_exchange
    times["optimizer"] = found.optimizer
    steady = sum(times.values())
    times["stragglers"] = steady * (found.stragglers - 1.0)
    times["software not yet mature"] = steady * found.stragglers * (found.maturing - 1.0)
    return Estimate("time", found.value, "s", how=SUM, terms={name: Estimate(name, time, "s") for name, time in times.items()})
