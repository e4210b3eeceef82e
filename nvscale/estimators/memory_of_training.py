"""Memory per chip of a training run, by part and pipeline stage, and whether it fits."""

from typing import Any

from nvscale.composition import System
from nvscale.errors import InvalidInput, MissingFigure
from nvscale.estimate import Estimate, derived, figure, most, term, total
from nvscale.estimators.stage_memory import Holdings, Stage, holdings, is_there, stage_total
from nvscale.formats import precision
from nvscale.ops import maximum
from nvscale.parallelism import Parallelism
from nvscale.silicon import Chip
from nvscale.workloads import Training
from nvscale.workloads.memory_use import MemoryUse, memory_use

FIRST, LAST = "first stage", "last stage"


def training_memory(job: Training, plan: Parallelism, chips: Any, use: MemoryUse | None = None) -> Estimate:
    """Return the memory per chip that a training program hands out at its peak, by stage and part, in bytes.

    The larger of the first and the last pipeline stage: weights, gradients, optimizer states, activations of the micro-batches in
    flight, logits, the working set of the backward pass, and buffers.

    Parameters
    ----------
    job : Training
        Model, sequence, batch and sizes of the states.
    plan : Parallelism
        The layout; its numbers may be arrays or symbols.
    chips : 1
        Chips of the run.
    use : MemoryUse, optional
        Sizes of the program; those of `memory_use()` by default.

    Returns
    -------
    Estimate
        What `torch.cuda.max_memory_allocated` counts; `by` names the stage that binds.

    Assumptions
    -----------
    A fused attention kernel, no dropout, balanced experts, layers spread over the stages as evenly as can be, the dense ones
    first; weights and activations in 16 bits, whatever the format of the multiplies.

    Examples
    --------
    >>> from nvscale.transformers import Model
    >>> model = Model(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, vocabulary=128256)
    >>> job = Training(model=model, sequence=8192, global_batch=512)
    >>> made = training_memory(job, Parallelism(tp=8, pp=4), 512)
    >>> round(made.value / 1e9, 1), made.by
    (38.2, 'first stage')
    """
    sizes = use or memory_use()
    held = holdings(job, plan, chips, sizes)
    tree = most("memory per chip", *(_tree(name, stage, held) for name, stage in zip((FIRST, LAST), held.stages, strict=False)))
    tree.low, tree.high = tree.value * sizes.low, tree.value * sizes.high
    tree.assumptions = (
        "a fused attention kernel; no dropout",
        *(() if precision(job.precision).bits == 16.0 else ("weights and activations are held in 16 bits",)),
        *(("balanced experts",) if is_there(job.model.experts) else ()),
        *(("the loss is fused",) if is_there(job.loss_is_fused) else ()),
    )
    return tree


def memory_per_chip(job: Training, plan: Parallelism, chips: Any, use: MemoryUse | None = None) -> Any:
    """Return the same number without its tree, with few operations of full size: for searches over layouts.

    >>> from nvscale.transformers import Model
    >>> model = Model(layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, vocabulary=128256)
    >>> job = Training(model=model, sequence=8192, global_batch=64)
    >>> round(memory_per_chip(job, Parallelism(tp=2), 8) / 1e9, 1), round(training_memory(job, Parallelism(tp=2), 8).value / 1e9, 1)
    (56.5, 56.5)
    """
    held = holdings(job, plan, chips, use or memory_use())
    totals = [stage_total(stage, held) for stage in held.stages]
    return totals[0] if len(totals) == 1 else maximum(*totals)


def fits(job: Training, plan: Parallelism, system: System | Chip, chips: Any = None, use: MemoryUse | None = None) -> Estimate:
    """Return whether a layout fits into the memory of the chips, as 1 or 0, with what it needs and what there is.

    Needed is the memory handed out, times what the allocator reserves over it; available is the memory of the chip (as the driver
    reports it, where that is known) less context and collectives.

    Parameters
    ----------
    job : Training
        Model, sequence, batch and sizes of the states.
    plan : Parallelism
        The layout; its numbers may be arrays.
    system : System or Chip
        What it runs on.
    chips : 1, optional
        Chips of the run; all of a system by default.
    use : MemoryUse, optional
        Sizes of the program; those of `memory_use()` by default.

    Returns
    -------
    Estimate
        True or False, or a mask, with `needed` and `available` as its terms.

    Raises
    ------
    InvalidInput, MissingFigure
        A chip without a number of chips, or a chip whose memory is not known.

    Examples
    --------
    >>> import nvscale as nv
    >>> model = nv.Model(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, vocabulary=128256)
    >>> job = Training(model=model, sequence=8192, global_batch=512)
    >>> made = fits(job, Parallelism(tp=8, pp=4), nv.chip("H100"), 512)
    >>> made.value, made.how
    (True, 'needed <= available')
    """
    chip, count, sizes = _chip(system), _chips(system, chips), use or memory_use()
    there = figure(chip, "memory_reported" if chip.memory_reported is not None else "memory", "memory of the chip")
    if there.value is None:
        raise MissingFigure(f"chip {chip.name} has no memory; give one with replace(memory='80 GB')")
    context, fragmentation = figure(sizes, "context", "context and collectives"), figure(sizes, "fragmentation", "fragmentation")
    available = derived("available", there.value - context.value, "byte", "memory - context and collectives", there, context)
    used = training_memory(job, plan, count, sizes)
    needed = derived("needed", used.value * fragmentation.value, "byte", "memory x fragmentation", used, fragmentation)
    return derived("fits", needed.value <= available.value, "1", "needed <= available", needed, available)


def fits_mask(job: Training, plan: Parallelism, system: System | Chip, chips: Any = None, use: MemoryUse | None = None) -> Any:
    """Return `fits` as a plain mask, with few operations of full size."""
    chip, sizes = _chip(system), use or memory_use()
    there = chip.memory if chip.memory_reported is None else chip.memory_reported
    return memory_per_chip(job, plan, _chips(system, chips), sizes) <= (there - sizes.context) / sizes.fragmentation


def why_not(job: Training, plan: Parallelism, system: System | Chip, chips: Any = None, use: MemoryUse | None = None) -> str:
    """Return why a single layout does not fit, in one line; empty where it does.

    >>> import nvscale as nv
    >>> model = nv.Model(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, vocabulary=128256)
    >>> why_not(Training(model=model, sequence=8192, global_batch=512), Parallelism(tp=8), nv.chip("H100"), 8)
    'needs 191.9 GB of 84.9 GB: first stage, of which optimizer states 105.8 GB'
    """
    made = fits(job, plan, system, chips, use)
    if made.value:
        return ""
    stage = made["memory per chip"][made["memory per chip"].by]
    largest = max(stage.terms.values(), key=lambda part: float(part.value))
    sizes = (f"{made[name].value / 1e9:.1f} GB" for name in ("needed", "available"))
    return f"needs {' of '.join(sizes)}: {stage.name}, of which {largest.name} {largest.value / 1e9:.1f} GB"


def _tree(name: str, stage: Stage, held: Holdings) -> Estimate:
    states = []
    for part, common, experts in zip(("weights", "gradients", "optimizer states"), held.common, held.experts, strict=True):
        terms = [term(f"{part} of all but experts", stage.parameters * common, "byte")]
        if is_there(stage.expert_parameters):
            terms.append(term(f"{part} of experts", stage.expert_parameters * experts, "byte"))
        states.append(total(part, *terms))
    head = total("output head", term("logits", stage.logits, "byte"), term("gradients of the head", stage.head_peak, "byte"))
    layer = term("gradients of a layer", stage.layer_peak, "byte")
    embedding = term("embedding gradient over a micro-batch", stage.embedding_peak, "byte")
    working = most("working set", layer, head, embedding)
    return total(name, *states, term("activations", stage.activations, "byte"), working, term("buffers", stage.buffers, "byte"))


def _chip(system: System | Chip) -> Chip:
    return system if isinstance(system, Chip) else system.chip


def _chips(system: System | Chip, chips: Any) -> Any:
    if chips is None and isinstance(system, Chip):
        raise InvalidInput(f"chips: say how many chips of {system.name} the run has")
    return system.chips if chips is None and isinstance(system, System) else chips
