"""The best layout of a training run: every layout that can be, in vectorised blocks, within the memory of a chip."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies.base import Efficiency
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.errors import MissingFigure, NoFeasiblePlan, unknown
from nvscale.estimators.memory_of_training import memory_per_chip
from nvscale.estimators.training import efficiency_of, machine_of, stack_of
from nvscale.estimators.training_steps import step
from nvscale.layouts import Block, Layouts, check_whole, layouts
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import Parallelism
from nvscale.plan_results import Candidate, Plans, Setting
from nvscale.record import units_of
from nvscale.truth.constants import Constants
from nvscale.units import Unit
from nvscale.workloads.memory_use import memory_use
from nvscale.workloads.training import Training

BOX = 131_072
"""Layouts of a piece: about where the speed of NumPy peaks."""
BINS = 512
"""Steps of memory in which a layout is compared with the front before it is looked at closely."""
MANY = 1 << 12
"""How many times more chips are tried before a search for enough memory gives up."""


def best_plan(
    job: Training,
    system: str | System,
    *,
    chips: Any = None,
    top: int = 5,
    stack: TrainingStack | str = "vendor-fused",
    efficiency: Efficiency | None = None,
    calibration: Mapping[str, Constants] | str | Path | None = None,
    memory: Any = None,
    cross_domain: bool = False,
    progress: bool = False,
    threads: int = 1,
    **fixed: Any,
) -> Plans:
    """Return the fastest layouts of a training job that fit the memory of a chip, among all that can be.

    Parameters
    ----------
    job : Training
        Model, sequence, batch and precision.
    system : str or System
        What it runs on.
    chips : 1, optional
        Chips of the run, all of them used; those of the system by default.
    top : int
        How many layouts to keep.
    stack : TrainingStack or str, optional
        Software, as in `training`.
    efficiency : TrainingEfficiency, optional
        What the chip sustains; `nvscale.IDEAL` for the bare roofline; fitted constants by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own, or the file that `nvscale calibrate` wrote.
    memory : byte, optional
        Memory of a chip to plan for; that of the chip by default, infinite for no limit.
    cross_domain : bool
        Whether tensor parallel groups may leave the scale-up domain.
    progress : bool
        Show a progress bar.
    threads : int
        Threads that evaluate pieces of the search at the same time.
    fixed : any
        Figures of `Parallelism`, `dp`, or of the software with the only value, or list of values, to try:
        `tp=8`, `recompute="none"`, `offload=[0, 1]`, `tp_overlap=[0, 0.5]`. Without them: all divisors,
        all ZeRO stages, with and without sequence parallelism, all kinds of recompute, `schedule="1f1b"`
        (interleaved where `vpp` is above 1), no expert tensor parallelism, no offload.

    Returns
    -------
    Plans
        The candidates, fastest first; the front of time and memory; counts of what cannot be, by reason.

    Raises
    ------
    NoFeasiblePlan
        No layout can be, or none fits the memory; says what is missing.
    InvalidInput, UnknownName
        A number of chips, a batch or a name that cannot be.

    Assumptions
    -----------
    Those of the step and memory estimates. Interleaving needs as many micro-batches as stages; context parallel ranks take pairs of
    chunks; key-value heads are copied where there are fewer than tensor parallel ranks; every stage holds at least one layer.

    Examples
    --------
    >>> import nvscale as nv
    >>> job = Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=128)
    >>> best = best_plan(job, "dgx-h100", chips=64, stack="ideal", efficiency=nv.IDEAL)
    >>> best[0].seconds <= best[1].seconds and best[0].memory <= 80 * 2**30
    True
    """
    placed = _placed(job, system, chips)
    extra = _axes_of_software(fixed)
    found = layouts(job, placed, placed.chips, cross_domain=cross_domain, extra=extra, **{k: v for k, v in fixed.items() if k not in extra})
    setting = _setting(job, placed, stack, efficiency, calibration)
    limit = usable_memory(placed, memory)
    search = _Search(setting, limit, int(Unit("1", ">=1").si(top, "top")))
    pieces = [piece for block in found.blocks for piece in block.cut(BOX)]
    kept = _Kept(search.top, min(limit, _scale_of(placed)))
    fitting = _run(search, pieces, kept, progress=progress, threads=threads)
    if not fitting:
        raise _nothing_fits(search, found, pieces, fixed, cross_domain=cross_domain, extra=extra)
    rejected = found.rejected | ({"memory": found.possible - fitting} if found.possible > fitting else {})
    best = _candidates(setting, pieces, kept.best())
    front = _candidates(setting, pieces, kept.front())
    return Plans(setting, tuple(best), tuple(front), limit, found.considered, fitting, rejected)


def feasible(job: Training, system: str | System, chips: Any = None, *, memory: Any = None, **fixed: Any) -> Layouts:
    """Return all layouts that can be and fit the memory of a chip, and counts of the others by reason.

    Parameters
    ----------
    job, system, chips, memory, fixed
        As in `best_plan`.

    Returns
    -------
    Layouts
        `plans()` yields them one by one.

    Examples
    --------
    >>> import nvscale as nv
    >>> job = Training(model=nv.model("llama-3.1-8b"), sequence=8192, global_batch=128)
    >>> found = feasible(job, "dgx-h100", 8, recompute="none", zero=1)
    >>> found.possible, found.rejected["memory"] > 0
    (166, True)
    """
    placed = _placed(job, system, chips)
    found = layouts(job, placed, placed.chips, **fixed)
    limit = usable_memory(placed, memory)
    blocks = [block._replace(possible=block.possible & (_memory(job, block, placed.chips) <= limit)) for block in found.blocks]
    fitting = sum(block.points() for block in blocks)
    rejected = found.rejected | ({"memory": found.possible - fitting} if found.possible > fitting else {})
    return found._replace(blocks=tuple(block for block in blocks if block.possible.any()), rejected=rejected)


def _placed(job: Training, system: str | System, chips: Any) -> System:
    """The system with the chips of the run."""
    ground = catalogue.system(system)
    count = ground.chips if chips is None else Unit("1", ">=1").si(chips, "chips")
    check_whole(job, count)
    return ground if ground.chips == count else ground.scale(count)


def usable_memory(system: System, memory: Any = None) -> float:
    """Return the bytes that a training program can hand out on a chip: less context and collectives, less fragmentation.

    >>> import nvscale as nv
    >>> round(usable_memory(nv.system("dgx-h100"), "80 GB") / 1e9, 1)
    75.1
    """
    chip, use = system.chip, memory_use()
    there = Unit("byte", ">=0", infinite=True).si(memory, "memory") if memory is not None else chip.memory_reported or chip.memory
    if there is None:
        raise MissingFigure(f"chip {chip.name} has no memory; say memory='80 GB'")
    return float((there - use.context) / use.fragmentation)


class _Search(NamedTuple):
    """What every piece of a search needs."""

    setting: Setting
    limit: float
    top: int

    def times(self, block: Block) -> tuple[Any, Any]:
        """Return seconds and bytes of all points of a block."""
        job, chips, at, stack = self.setting.job, self.setting.system.chips, self.setting.at, self.setting.stack
        plan, software = _layout_of(block), _software_of(block)
        return step(job, plan, chips, at, stack.replace(**software) if software else stack).value, memory_per_chip(job, plan, chips)

    def survivors(self, number: int, block: Block, kept: "_Kept") -> tuple[int, Any]:
        """Return how many points of a block fit, and those of them that may be kept: seconds, bytes, block, place."""
        import numpy as np

        with np.errstate(all="ignore"):
            seconds, size = self.times(block)
            mask = np.broadcast_to(block.possible & (size <= self.limit), block.shape)
            places = np.flatnonzero(mask)
            seconds = np.broadcast_to(seconds, block.shape).ravel()[places]
            size = np.broadcast_to(size, block.shape).ravel()[places]
        chosen = np.flatnonzero(kept.may_keep(seconds, size))
        return len(places), np.stack([seconds[chosen], size[chosen], np.full(len(chosen), float(number)), places[chosen]])


class _Kept:
    """The best layouts so far, and the front of time and memory; rows are seconds, bytes, number of the block, place in it."""

    def __init__(self, top: int, largest: float) -> None:
        import numpy as np

        self.top, self.bins_per_byte = top, BINS / largest
        self.rows: Any = np.empty((4, 0))
        self.edge: Any = np.empty((4, 0))
        self.worst = math.inf
        self.beaten: Any = np.full(BINS + 1, math.inf)

    def may_keep(self, seconds: Any, size: Any) -> Any:
        """Return which points may be among the best, or on the front: no point of a lower step of memory is as fast."""
        import numpy as np

        step_of = np.minimum(size * self.bins_per_byte, float(BINS)).astype(np.intp)
        return (seconds <= self.worst) | (seconds < self.beaten[step_of])

    def add(self, rows: Any) -> None:
        """Take in more points."""
        import numpy as np

        both = np.concatenate([self.rows, rows], axis=1)
        self.rows = both[:, np.lexsort((both[3], both[2], both[0]))[: self.top]]
        self.worst = float(self.rows[0, -1]) if self.rows.shape[1] == self.top else math.inf
        both = np.concatenate([self.edge, rows], axis=1)
        both = both[:, np.lexsort((both[3], both[2], both[0], both[1]))]
        before = np.minimum.accumulate(np.concatenate([[math.inf], both[0, :-1]]))
        self.edge = both[:, both[0] < before]
        lower = np.arange(BINS + 1) / self.bins_per_byte
        found = np.searchsorted(self.edge[1], lower, side="right")
        self.beaten = np.concatenate([[math.inf], self.edge[0]])[found]

    def best(self) -> list[tuple[int, int, float]]:
        """Return block, place and bytes of the best, fastest first."""
        return [(int(number), int(place), float(size)) for _, size, number, place in self.rows.T]

    def front(self) -> list[tuple[int, int, float]]:
        """Return the same of the front, fastest first."""
        return [(int(number), int(place), float(size)) for _, size, number, place in self.edge.T[::-1]]


def _run(search: _Search, pieces: Sequence[Block], kept: _Kept, *, progress: bool, threads: int) -> int:
    """Evaluate all pieces; return how many layouts fit."""
    numbered = list(enumerate(pieces))
    fitting = 0

    def one(job: tuple[int, Block]) -> tuple[int, Any]:
        return search.survivors(*job, kept)

    for count, rows in _watched(_mapped(one, numbered, threads), len(pieces), progress=progress):
        fitting += count
        if rows.shape[1]:
            kept.add(rows)
    return fitting


def _mapped(function: Callable[[Any], Any], items: Sequence[Any], threads: int) -> Iterator[Any]:
    """Results in order, from so many threads."""
    if threads <= 1:
        yield from map(function, items)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(function, items)


def _watched(results: Iterable[Any], count: int, *, progress: bool) -> Iterator[Any]:
    """The same results, with a progress bar on the error stream where it is wanted."""
    if not progress:
        yield from results
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(results, "layouts", total=count, console=Console(stderr=True), transient=True)


def _axes_of_software(fixed: dict[str, Any]) -> dict[str, list[float]]:
    """Figures of the software among what was asked for, each with its values."""
    units = units_of(TrainingStack)
    found = {}
    for name, value in fixed.items():
        if name in units and name not in units_of(Parallelism):
            many = value if isinstance(value, list | tuple) or carrier(value) == "array" else [value]
            found[name] = [float(units[name].si(one, name)) for one in many]
        elif name not in (*units_of(Parallelism), "schedule", "recompute", "dp"):
            raise unknown("figure of a layout", name, (*units_of(Parallelism), "schedule", "recompute", "dp", *units))
    return found


def _setting(job: Training, system: System, stack: Any, efficiency: Any, calibration: Any) -> Setting:
    """What every step is estimated with."""
    software = stack_of(stack, system.chip, calibration)
    if efficiency is None:
        efficiency = efficiency_of(system.chip, job.precision, calibration)
    elif type(efficiency) is Efficiency:
        efficiency = TrainingEfficiency(origin=efficiency.origin)
    return Setting(job, system, software, efficiency, machine_of(system, job.precision, efficiency, software))


def _layout_of(block: Block) -> Parallelism:
    """All layouts of a block, with arrays for its axes."""
    own = units_of(Parallelism)
    return Parallelism(pp=block.pp, **block.words, **{name: values for name, values in block.arrays().items() if name in own})


def _software_of(block: Block) -> dict[str, Any]:
    """Figures of the software that are axes of a block."""
    return {name: values for name, values in block.arrays().items() if name not in units_of(Parallelism)}


def _memory(job: Training, block: Block, chips: Any) -> Any:
    """Bytes of all points of a block."""
    import numpy as np

    with np.errstate(all="ignore"):
        return memory_per_chip(job, _layout_of(block), chips)


def _scale_of(system: System) -> float:
    """Memory up to which the front is told apart step by step."""
    return float(system.chip.memory or 1e12)


def _candidates(setting: Setting, pieces: Sequence[Block], found: Iterable[tuple[int, int, float]]) -> Iterator[Candidate]:
    """The layouts of the points that were kept, each evaluated again on its own, term by term."""
    own = (*units_of(Parallelism), "schedule", "recompute")
    first: Candidate | None = None
    for number, place, size in found:
        point = pieces[number].point(place)
        software = {name: value for name, value in point.items() if name not in own}
        plan = Parallelism(**{name: value for name, value in point.items() if name in own})
        candidate = Candidate.of(setting, plan, size, software, first)
        first = first or candidate
        yield candidate


def _nothing_fits(
    search: _Search, found: Layouts, pieces: Sequence[Block], fixed: dict[str, Any], *, cross_domain: bool, extra: Any
) -> NoFeasiblePlan:
    """What is missing: a layout that can be, or memory for the leanest one."""
    import numpy as np

    job, system = search.setting.job, search.setting.system
    title = f"no layout of {job.model.name or 'the model'} on {system.chips:,.0f} chips of {system.chip.name}"
    if not found.possible:
        common = sorted(found.rejected.items(), key=lambda item: -item[1])
        reasons = "; ".join(f"{reason} ({count:,})" for reason, count in common[:3])
        return NoFeasiblePlan(f"{title} with a global batch of {job.global_batch:,.0f}, of {found.considered:,} combinations: {reasons}")
    least = math.inf
    leanest: Parallelism | None = None
    for piece in pieces:
        sizes = np.broadcast_to(np.where(piece.possible, _memory(job, piece, system.chips), math.inf), piece.shape)
        if float(sizes.min()) < least:
            least = float(sizes.min())
            point = piece.point(int(sizes.argmin()))
            leanest = Parallelism(**{name: value for name, value in point.items() if name not in extra})
    enough = _enough_chips(search, fixed, cross_domain=cross_domain, extra=extra)
    hint = f"; {enough:,.0f} chips are enough" if enough else ""
    return NoFeasiblePlan(
        f"{title} fits: the leanest needs {least / 1e9:.1f} GB per chip, which can hand out {search.limit / 1e9:.1f} GB{hint} ({leanest!r})"
    )


def _enough_chips(search: _Search, fixed: dict[str, Any], *, cross_domain: bool, extra: Any) -> float | None:
    """The least number of chips, doubling, at which a layout fits; None where none was found."""
    job, system = search.setting.job, search.setting.system
    leanest = {"recompute": "full", "micro_batch": 1.0, "zero": 3.0}
    given: dict[str, Any] = leanest | {name: value for name, value in fixed.items() if name not in extra}
    times = 2.0
    while times <= MANY and carrier(system.chips) == FLOAT:
        chips = system.chips * times
        for block in layouts(job, system.scale(chips), chips, cross_domain=cross_domain, **given).blocks:
            if (block.possible & (_memory(job, block, chips) <= search.limit)).any():
                return float(chips)
        times *= 2.0
    return None
