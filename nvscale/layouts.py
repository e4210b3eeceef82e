"""Which layouts a training job can have on so many chips: axes of divisors, and rules that say why the others cannot be.

A layout is a point of a grid with one axis per figure of `Parallelism`; the data-parallel replicas
are what is left of the chips. The grid comes in blocks, one per pipeline depth, schedule and kind of
recompute; each block carries the mask of its points that can be. What cannot be is counted by reason.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from nvscale.composition import System
from nvscale.errors import InvalidInput, unknown
from nvscale.estimators.training_shards import links
from nvscale.ops import FLOAT, carrier
from nvscale.parallelism import RECOMPUTE, Parallelism
from nvscale.record import units_of
from nvscale.transformers import Model
from nvscale.workloads.training import Training

INNER = ("zero", "sequence_parallel", "vpp", "ep", "etp", "tp", "cp", "micro_batch")
"""Axes of a block, after those that were asked for beyond them; the last ones are long, where NumPy is fast."""
WORDS = ("schedule", "recompute")
SPLIT = ("cp", "tp", "ep", "vpp", "etp", "zero", "sequence_parallel", "micro_batch")
"""Axes along which a block is cut, first those that rule out most together."""
SAME = "the same as another layout"
Reasons = dict[str, int]
Rules = list[tuple[str, Any]]
"""Why not, and where it may be."""


class Block(NamedTuple):
    """Layouts of one pipeline depth, schedule and kind of recompute, with one array dimension per axis."""

    words: dict[str, str]
    pp: float
    axes: dict[str, Any]
    possible: Any

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each axis."""
        return tuple(len(values) for values in self.axes.values())

    def arrays(self) -> dict[str, Any]:
        """Return the axes, each along its own dimension."""
        return _along(self.axes)

    def points(self) -> int:
        """Return how many of the points can be."""
        return _count(self.possible, self.shape)

    def point(self, place: int) -> dict[str, Any]:
        """Return the figures of a point by its place in the flattened block."""
        import numpy as np

        inner = zip(self.axes.items(), np.unravel_index(place, self.shape), strict=True)
        return {**self.words, "pp": self.pp} | {name: float(values[i]) for (name, values), i in inner}

    def cut(self, most: int) -> Iterator["Block"]:
        """Yield the block in pieces of at most so many points; points along an axis that cannot be are left out."""
        piece = _without_empty(self)
        name = next((name for name in (*SPLIT, *piece.axes) if len(piece.axes[name]) > 1), "")
        if math.prod(piece.shape) <= most or not name:
            if piece.possible.any():
                yield piece
            return
        half = len(piece.axes[name]) // 2
        yield from _part(piece, name, slice(None, half)).cut(most)
        yield from _part(piece, name, slice(half, None)).cut(most)


class Layouts(NamedTuple):
    """All layouts of a job on so many chips.

    Parameters
    ----------
    blocks : tuple of Block
        Those that can be.
    considered : int
        Combinations of the axes.
    rejected : dict of str to int
        How many of them cannot be, by the first reason that holds.
    """

    blocks: tuple[Block, ...]
    considered: int
    rejected: Reasons

    @property
    def possible(self) -> int:
        """Combinations that can be, whether or not they fit the memory."""
        return self.considered - sum(self.rejected.values())

    def plans(self) -> Iterator[Parallelism]:
        """Yield every layout that can be; figures that are none of a `Parallelism` are left out."""
        import numpy as np

        names = units_of(Parallelism).keys() | set(WORDS)
        for block in self.blocks:
            for place in np.flatnonzero(np.broadcast_to(block.possible, block.shape)):
                yield Parallelism(**{name: value for name, value in block.point(int(place)).items() if name in names})


def layouts(
    job: Training,
    system: System,
    chips: float,
    *,
    cross_domain: bool = False,
    extra: Mapping[str, Sequence[float]] | None = None,
    **given: Any,
) -> Layouts:
    """Return all layouts of a job on so many chips of a system, and why the other combinations cannot be.

    Parameters
    ----------
    job : Training
        What is trained.
    system : System
        Whose scale-up domain tensor parallel groups stay in.
    chips : 1
        Chips of the run, all of them used.
    cross_domain : bool
        Whether tensor parallel groups may leave the scale-up domain; those given in `tp` always may.
    extra : mapping of str to sequence of float, optional
        Axes that are no figure of a layout, such as overlaps of the software.
    given : any
        Figures of `Parallelism` (or `dp`) with the only value or values that they may take. ZeRO stage 2 under a
        pipeline, which most programs do not have, is tried only where `zero` names it.

    Returns
    -------
    Layouts
        Blocks of layouts, and counts by reason.

    Raises
    ------
    InvalidInput, UnknownName
        Chips, batch or sequence that are no whole numbers; a name that is no figure of a layout.

    Examples
    --------
    >>> import nvscale as nv
    >>> model = Model(name="small", layers=12, hidden=768, heads=12, ffn=3072, ffn_matrices=2, vocabulary=50257)
    >>> job = Training(model=model, sequence=1024, global_batch=64)
    >>> found = layouts(job, nv.system("dgx-h100"), 8, zero=1, recompute="none", sequence_parallel=1, micro_batch=1)
    >>> found.considered, found.possible, list(found.rejected)[0]
    (144, 41, 'tp does not divide the heads')
    """
    check_whole(job, chips)
    axes = _axes(job, float(chips), given)
    space = _Space(
        job, float(chips), _domain(system, cross_domain or "tp" in given), tuple(axes.pop("dp", ())), "zero" in given, dict(extra or {})
    )
    words = [_words(name, given.get(name)) for name in WORDS]
    found = [space.block(schedule, pp, axes, given) for schedule in words[0] for pp in axes["pp"]]
    kinds = len(words[1])
    rejected: Reasons = {}
    for reason, count in itertools.chain.from_iterable(reasons.items() for _, _, reasons in found):
        rejected[reason] = rejected.get(reason, 0) + kinds * count
    blocks = [block._replace(words={**block.words, "recompute": kind}) for kind in words[1] for block, _, _ in found if block is not None]
    return Layouts(tuple(blocks), kinds * sum(considered for _, considered, _ in found), rejected)


def divisors(number: float) -> list[float]:
    """Return the divisors of a whole number, smallest first.

    >>> divisors(12)
    [1.0, 2.0, 3.0, 4.0, 6.0, 12.0]
    """
    whole = int(number)
    small = [i for i in range(1, math.isqrt(whole) + 1) if whole % i == 0]
    return [float(i) for i in dict.fromkeys([*small, *(whole // i for i in reversed(small))])]


class _Space(NamedTuple):
    """What the rules need to know."""

    job: Training
    chips: float
    domain: float
    dp: tuple[float, ...]
    any_zero: bool
    extra: dict[str, Sequence[float]]

    def block(self, schedule: str, pp: float, axes: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[Block | None, int, Reasons]:
        """Return the layouts of one depth, how many combinations there are, and why some cannot be."""
        import numpy as np

        inner = {**self.extra, **{name: values for name, values in axes.items() if name not in INNER and name != "pp"}}
        inner |= {name: axes[name] for name in INNER if name != "vpp"}
        inner["vpp"] = axes["vpp"] if "vpp" in given else divisors(math.ceil(self.job.model.layers / pp) if pp > 1.0 else 1.0)
        order = [*(name for name in inner if name not in INNER), *INNER]
        grid = {name: np.asarray(inner[name], dtype=float) for name in order}
        considered = math.prod(len(values) for values in grid.values())
        reasons: Reasons = {}
        for name, rules in self._alone(pp).items():
            for reason, allowed in rules:
                kept = grid[name][np.broadcast_to(allowed(grid[name]), grid[name].shape)]
                _add(reasons, reason, (len(grid[name]) - len(kept)) * math.prod(len(v) for other, v in grid.items() if other != name))
                grid[name] = kept
        possible: Any = np.ones((1,) * len(grid), dtype=bool)
        shape = tuple(len(values) for values in grid.values())
        for reason, allowed in self._together(_along(grid), schedule, pp):
            narrower = possible & allowed
            _add(reasons, reason, _count(possible, shape) - _count(narrower, shape))
            possible = narrower
        block = Block({"schedule": schedule}, pp, grid, possible)
        return (block if block.points() else None), considered, reasons

    def _alone(self, pp: float) -> dict[str, Rules]:
        """Rules that look at one axis."""
        model, stage, mixed = self.job.model, self.chips / pp, self.job.model.experts > 0.0
        widths = [w for w in (model.ffn * (model.dense_ffn_layers > 0.0), model.shared_ffn) if w]
        kv = 1.0 if model.latent_rank else model.kv_heads
        return {
            "tp": [
                ("tp does not divide the heads", lambda tp: model.heads % tp == 0),
                ("tp does not divide the width of the feed-forward layers", lambda tp: sum(width % tp for width in widths) == 0),
                ("tp and the key-value heads do not divide each other", lambda tp: (kv % tp == 0) | (tp % kv == 0)),
                ("tp leaves the scale-up domain", lambda tp: tp <= self.domain),
            ],
            "cp": [("cp does not cut the sequence into pairs of chunks", lambda cp: (cp == 1) | (self.job.sequence % (2.0 * cp) == 0))],
            "ep": [
                ("ep does not divide the experts", lambda ep: (ep == 1) | ((model.experts % ep == 0) & (model.experts >= ep))),
                ("ep does not divide the chips of a stage", lambda ep: stage % ep == 0),
            ],
            "etp": [("etp does not divide the width of an expert", lambda etp: (etp == 1) | ((model.expert_ffn % etp == 0) & mixed))],
            "vpp": [
                ("vpp has no pipeline to interleave", lambda vpp: (vpp == 1) | (pp > 1)),
                ("vpp does not divide the layers of a stage", lambda vpp: math.ceil(model.layers / pp) % vpp == 0),
            ],
            "micro_batch": [("the micro-batches do not divide the global batch", lambda size: self.job.global_batch % size == 0)],
        }  # fmt: skip

    def _together(self, at: Mapping[str, Any], schedule: str, pp: float) -> Rules:
        """Rules that look at several axes."""
        tp, cp, ep, etp, vpp = at["tp"], at["cp"], at["ep"], at["etp"], at["vpp"]
        replicas = self.chips / (pp * tp * cp)
        batches = self.job.global_batch / (replicas * at["micro_batch"])
        whole = replicas % 1.0 == 0.0
        shared = (replicas * cp > 1) | (self.job.model.experts > 0)
        rules: Rules = [
            ("tp x pp x cp does not divide the chips", whole),
            ("pp is more than the layers", pp <= self.job.model.layers),
            ("ep x etp does not divide the chips of a stage", (self.chips / pp) % (ep * etp) == 0),
            ("the replicas' micro-batches do not divide the global batch", batches % 1.0 == 0.0),
            ("the schedule does not interleave", (vpp == 1) | (schedule in ("1f1b", "interleaved"))),
            ("fewer micro-batches than stages to interleave", (vpp == 1) | (batches >= pp)),
            ("tp does not divide the sequence of a rank", (at["sequence_parallel"] == 0) | ((self.job.sequence / cp) % tp == 0)),
            ("zero 2 would reduce gradients after every micro-batch of a pipeline", (at["zero"] != 2) | (pp == 1) | self.any_zero),
            (SAME, (tp > 1) | (at["sequence_parallel"] == at["sequence_parallel"].flat[0])),
            (SAME, (at["zero"] == at["zero"].flat[0]) | shared),
        ]
        return [*rules, ("dp is not what was asked for", sum(replicas == dp for dp in self.dp) > 0)] if self.dp else rules


def _axes(job: Training, chips: float, given: Mapping[str, Any]) -> dict[str, Any]:
    """Values of every numeric axis: those given, else all that could be; `vpp` depends on the depth."""
    model = job.model
    counts = divisors(chips)
    axes: dict[str, Any] = {
        "tp": [n for n in counts if n <= model.heads],
        "pp": [n for n in counts if n <= model.layers],
        "cp": [n for n in counts if n == 1 or 2.0 * n <= job.sequence],
        "ep": divisors(model.experts) if model.experts else [1.0],
        "etp": [1.0],
        "micro_batch": divisors(job.global_batch),
        "zero": [0.0, 1.0, 2.0, 3.0],
        "sequence_parallel": [1.0, 0.0],
    }
    units = units_of(Parallelism)
    for name, value in given.items():
        if name not in units and name not in (*WORDS, "dp"):
            raise unknown("figure of a layout", name, (*units, *WORDS, "dp"))
        if name not in WORDS:
            axes[name] = _values(name, value, units.get(name, units["tp"]))
    return axes


def _values(name: str, value: Any, unit: Any) -> list[float]:
    """Values that were given for an axis, in order and each once."""
    many = value if isinstance(value, list | tuple | range | set) or carrier(value) == "array" else [value]
    found = sorted({float(unit.si(one, name)) for one in many})
    if not found:
        raise InvalidInput(f"{name}: no value was given; leave it out to search all")
    return found[::-1] if name == "sequence_parallel" else found


def _words(name: str, given: Any) -> list[str]:
    """Words of an axis: those given; else one forward and one backward in turn (interleaved with `vpp`), all kinds of recompute."""
    if given is None:
        return ["1f1b"] if name == "schedule" else list(RECOMPUTE)
    many = [given] if isinstance(given, str) else list(given)
    return [getattr(Parallelism(**{name: word}), name) for word in many]


def _domain(system: System, may_leave: bool) -> float:
    return math.inf if may_leave else float(links(system)[0])


def check_whole(job: Training, chips: Any) -> None:
    """Raise InvalidInput where the chips or a size of the job is no whole number: a search needs whole ones."""
    model: Model = job.model
    for name, value in {
        "chips": chips,
        "global_batch": job.global_batch,
        "sequence": job.sequence,
        "layers": model.layers,
        "heads": model.heads,
    }.items():
        if carrier(value) != FLOAT or value != math.floor(value) or value < 1:
            raise InvalidInput(f"{name}: {value!r} is not a whole number; a search over layouts needs one")


def _along(axes: Mapping[str, Any]) -> dict[str, Any]:
    """Each axis along its own dimension."""
    last = len(axes) - 1
    return {name: values.reshape((-1,) + (1,) * (last - d)) for d, (name, values) in enumerate(axes.items())}


def _count(mask: Any, shape: tuple[int, ...]) -> int:
    """Points of the whole shape where a mask of fewer points holds."""
    return int(mask.sum()) * (math.prod(shape) // math.prod(mask.shape)) if math.prod(shape) else 0


def _add(reasons: Reasons, reason: str, count: int) -> None:
    if count:
        reasons[reason] = reasons.get(reason, 0) + count


def _part(block: Block, name: str, part: Any) -> Block:
    """Some of the points along one axis."""
    d = list(block.axes).index(name)
    mask = block.possible if block.possible.shape[d] == 1 else block.possible[(slice(None),) * d + (part,)]
    return block._replace(axes={**block.axes, name: block.axes[name][part]}, possible=mask)


def _without_empty(block: Block) -> Block:
    """Leave out points along an axis that cannot be, whatever the others are."""
    for d, name in enumerate(block.axes):
        if block.possible.shape[d] > 1:
            some = block.possible.any(axis=tuple(i for i in range(len(block.axes)) if i != d))
            block = block if some.all() else _part(block, name, some)
    return block
