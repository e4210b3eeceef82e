"""What kernels reach inside an engine, from the bundled rows of multiplies, attention and all-reduces.

Each software path is fitted on its own, in the form that a step of serving uses; the median over the paths ships.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.errors import UnknownName
from nvscale.estimators.training_shards import half_rate, links
from nvscale.silicon import Chip
from nvscale.truth.constants import ANY, FAMILY, family_of
from nvscale.truth.kinds.serving_rows import chip_system
from nvscale.truth.tables import Table, bundled
from nvscale.workloads.words import operand_storage

FORMATS = ("bf16", "fp8", "fp8_block", "nvfp4")
FEWEST = 15
"""Rows of a path below which it is not fitted."""
ROBUST = 0.1
USUAL_HEAD, LONG = 128.0, 2048.0
"""Least width of a head, and tokens from which prompts show what attention reaches."""
LARGE = 0.9
"""Quantile of reads from which they show the bandwidth alone."""
SWITCHED = 1e11
"""Bytes per second from which a link between chips is no bus: over a bus, engines do not use kernels of their own."""
PASSES = 0.7
"""Share of the bandwidth that element-wise passes reach inside an engine."""
LARGEST = 16e6
"""Bytes of the largest all-reduce of a step that custom kernels serve."""
ALIKE = {"b300": ("gb300",), "h100-sxm": ("h200-sxm",)}
"""Chips that get the constants of another one: the same units in another package, or with more memory."""
MULTIPLIES, ATTENTION, EXCHANGE, COUNT = (
    "bundled matrix multiplies",
    "bundled attention",
    "bundled all-reduces in graphs",
    "count of passes",
)


class Figure(NamedTuple):
    """One fitted figure, with its standard error and what it was fitted to."""

    value: float
    error: float
    unit: str
    rows: int
    data_set: str


class Fitted(NamedTuple):
    """Figures of one path."""

    values: Any
    errors: Any
    rows: int


def fitted(seconds: Any, form: Callable[[Any], Any], start: Sequence[float]) -> Fitted:
    """Return positive constants of a form, fitted to the logarithm of measured times."""
    import numpy as np
    from scipy.optimize import least_squares

    centre = np.log(np.array(start))

    def residuals(point: Any) -> Any:
        return np.log(form(np.exp(point)) / seconds)

    done = least_squares(residuals, centre, loss="soft_l1", f_scale=ROBUST)
    noise = float(np.mean(residuals(done.x) ** 2))
    spread = np.sqrt(np.diag(np.linalg.pinv(done.jac.T @ done.jac)) * noise)
    values = np.exp(done.x)
    return Fitted(values, values * spread, len(seconds))


def _median(paths: Sequence[Fitted]) -> Fitted:
    """Median over paths; errors: of the fits and between the paths."""
    import numpy as np

    values = np.array([one.values for one in paths])
    between = values.std(axis=0) / np.sqrt(len(paths))
    within = np.median([one.errors for one in paths], axis=0)
    return Fitted(np.median(values, axis=0), np.sqrt(between**2 + within**2), sum(one.rows for one in paths))


def _paths(table: Table, columns: Sequence[str], rows: Any) -> Iterator[Any]:
    """Masks of rows that share the words of some columns, where there are enough."""
    import numpy as np

    words = np.array(["|".join(cells) for cells in zip(*(table.column(name) for name in columns), strict=True)], dtype=object)
    for word in sorted(set(words[rows].tolist())):
        chosen = rows & (words == word)
        if chosen.sum() >= FEWEST:
            yield chosen


def _chip_rows(table: Table, name: str, column: str = "gpu") -> Any:
    import numpy as np

    return np.array([_name(word) == name for word in table.column(column)])


def _name(said: str) -> str:
    try:
        return catalogue.chip(said).name
    except UnknownName:
        return said


def multiplies(chip: Chip, form: str) -> dict[str, Figure]:
    """Return share of peak, share of bandwidth and launch of matrix multiplies of one format; nothing where there are no rows."""
    import numpy as np

    table, storage = bundled("gemm"), operand_storage(form)
    if storage.rate not in chip.precisions():
        return {}
    m, n, k, seconds = (table.figures(name) for name in ("m", "n", "k", "seconds"))
    rows = _chip_rows(table, chip.name) & (np.array(table.column("precision")) == form) & (seconds > 0.0)
    compute = 2.0 * m * n * k / chip.rate(storage.rate)
    memory = (storage.weight * n * k + 2.0 * m * (n + k)) / chip.figure("memory_bandwidth")
    paths = []
    for one in _paths(table, ("framework",), rows):
        c, b = compute[one], memory[one]
        paths.append(
            fitted(seconds[one], lambda x, c=c, b=b: np.sqrt((c / x[0]) ** 2 + (b / x[1]) ** 2) + x[2], (0.6, 0.8, 5e-6))  # type: ignore[misc]
        )
    if not paths:
        return {}
    found = _median(paths)
    names = (("share_of_peak", "1"), ("share_of_bandwidth", "1"), ("launch", "s"))
    return {
        name: Figure(float(found.values[i]), float(found.errors[i]), unit, found.rows, MULTIPLIES) for i, (name, unit) in enumerate(names)
    }


def attention(chip: Chip) -> dict[str, Figure]:
    """Return what attention reaches: of the bandwidth in decode, of the 16-bit rate in prefill, and its launch."""
    import numpy as np

    table = bundled("attention")
    batch, seq, heads, kv, width, seconds = (table.figures(name) for name in ("batch", "seq", "heads", "kv_heads", "head_dim", "seconds"))
    mine, phase = _chip_rows(table, chip.name) & (seconds > 0.0) & (width >= USUAL_HEAD), np.array(table.column("phase"))
    element = np.array([1.0 if "fp8" in word else 2.0 for word in table.column("precision")])
    read = 2.0 * batch * seq * kv * width * element / chip.figure("memory_bandwidth")
    work = 2.0 * batch * seq * seq * heads * width / half_rate(chip)
    found = {}
    for which, bound, shortest in (("decode", read, 0.0), ("prefill", work, LONG)):
        rows = mine & (phase == which) & (seq >= shortest)
        paths = []
        for one in _paths(table, ("framework", "precision"), rows):
            share = _reached(bound[one], seconds[one]) if which == "decode" else None
            paths.append(fitted(seconds[one], lambda x, b=bound[one], share=share: b / (share or x[0]) + x[1], (share or 0.7, 1e-5)))  # type: ignore[misc]
        if paths:
            found[which] = _median(paths)
    if len(found) < 2:
        return {}
    decode, prefill = found["decode"], found["prefill"]
    return {
        "attention_launch": Figure(float(decode.values[1]), float(decode.errors[1]), "s", decode.rows, ATTENTION),
        "attention_bandwidth": Figure(float(decode.values[0]), float(decode.errors[0]), "1", decode.rows, ATTENTION),
        "attention_peak": Figure(float(prefill.values[0]), float(prefill.errors[0]), "1", prefill.rows, ATTENTION),
    }


def _reached(bound: Any, seconds: Any) -> float:
    """What the longest reads reach of the bandwidth: the median over the largest of them."""
    import numpy as np

    return float(np.median((bound / seconds)[bound >= np.quantile(bound, LARGE)]))


def exchange(chip: Chip) -> dict[str, Figure]:
    """Return latency, its growth per doubling, and share of the link of the all-reduces of engines."""
    import numpy as np

    table = bundled("collectives")
    ranks, size, seconds = (table.figures(name) for name in ("n_gpus", "message_bytes", "seconds"))
    words = zip(table.column("op"), table.column("implementation"), strict=True)
    custom = np.array([op == "all_reduce" and how.startswith("custom") and not how.endswith("eager") for op, how in words])
    rows = _chip_rows(table, chip.name) & custom & (seconds > 0.0) & (size <= LARGEST)
    inside = links(chip_system(chip.name))[1]
    if inside < SWITCHED:
        return {}
    paths = []
    for one in _paths(table, ("implementation",), rows):
        doublings, sent = np.log2(ranks[one]), size[one] / inside
        paths.append(fitted(seconds[one], lambda x, n=doublings, b=sent: x[0] + x[1] * n + b / x[2], (3e-6, 5e-7, 0.4)))  # type: ignore[misc]
    if not paths:
        return {}
    found = _median(paths)
    names = (("exchange_latency", "s"), ("exchange_doubling", "s"), ("exchange_share", "1"))
    return {
        name: Figure(float(found.values[i]), float(found.errors[i]), unit, found.rows, EXCHANGE) for i, (name, unit) in enumerate(names)
    }


def expert_work(forms: Sequence[str]) -> Figure:
    """Return the time of the work of experts relative to the peak rate: the median over data-centre chips and paths."""
    import numpy as np

    table = bundled("moe")
    names = ("tokens", "hidden", "moe_intermediate", "topk", "experts", "moe_tp", "moe_ep", "seconds")
    tokens, hidden, width, chosen, experts, tp, ep, seconds = (table.figures(name) for name in names)
    form, found = np.array(table.column("precision")), []
    for name in sorted({_name(word) for word in table.column("gpu")}):
        chip = catalogue.chip(name)
        if family_of(chip).part != "data centre":
            continue
        for one in forms:
            storage = operand_storage(one)
            if storage.rate not in chip.precisions():
                continue
            touched = experts * (1.0 - (1.0 - chosen / experts) ** tokens) / ep
            read = 3.0 * touched * hidden * width / tp * storage.weight / chip.figure("memory_bandwidth")
            work = 6.0 * tokens * chosen / ep * hidden * width / tp / chip.rate(storage.rate)
            mine = _chip_rows(table, name) & (form == one) & (seconds > 0.0)
            found += [_layer(seconds[rows], work[rows], read[rows]) for rows in _paths(table, ("framework",), mine)]
    middle = _median(found)
    return Figure(float(middle.values[0]), float(middle.errors[0]), "1", middle.rows, "bundled expert layers")


def _layer(seconds: Any, work: Any, read: Any) -> Fitted:
    """Slowness of work, share of the bandwidth and launch of an expert layer."""
    return fitted(seconds, lambda x: x[0] * work + read / x[1] + x[2], (3.0, 0.8, 3e-5))


def kernels() -> dict[tuple[str, str], dict[str, Figure]]:
    """Return all figures by class and place: of chips that were measured, of their families, and of any data-centre chip."""
    made: dict[tuple[str, str], dict[str, Figure]] = {}
    chips = sorted({_name(word) for word in bundled("gemm").column("gpu")})
    for name in chips:
        chip = catalogue.chip(name)
        around = attention(chip) | {"pass_bandwidth": Figure(PASSES, 0.1, "1", 0, COUNT)} | exchange(chip)
        for form in FORMATS:
            own = multiplies(chip, form)
            if own and "attention_peak" in around:
                for place in (name, *ALIKE.get(name, ())):
                    made[f"kernels {form}", place] = own | around
    shared = _shared(made)
    for (class_, _), figures in (made | shared).items():
        usual = shared[class_, ANY]
        figures.update({field: usual[field] for field in usual if field not in figures})
    return made | shared


def _shared(made: dict[tuple[str, str], dict[str, Figure]]) -> dict[tuple[str, str], dict[str, Figure]]:
    """Medians over chips of a family, and over all data-centre chips, with the spread between them in the error."""
    found = {}
    chips = {place for _, place in made}
    families = {FAMILY + family_of(catalogue.chip(name)).name for name in chips}
    for class_ in dict.fromkeys(class_ for class_, _ in made):
        for place in (*sorted(families), ANY):
            alike = [
                figures
                for (one, name), figures in made.items()
                if one == class_
                and (FAMILY + (kin := family_of(catalogue.chip(name))).name == place or (place == ANY and kin.part == "data centre"))
            ]
            if alike:
                found[class_, place] = {
                    field: _pooled([figures[field] for figures in alike if field in figures]) for field in _fields(alike)
                }
    return found


def _fields(alike: Sequence[dict[str, Figure]]) -> list[str]:
    return list(dict.fromkeys(field for figures in alike for field in figures))


def _pooled(figures: Sequence[Figure]) -> Figure:
    import numpy as np

    values = np.array([one.value for one in figures])
    error = float(np.sqrt(np.median([one.error for one in figures]) ** 2 + values.var()))
    return Figure(float(np.median(values)), error, figures[0].unit, sum(one.rows for one in figures), figures[0].data_set)
