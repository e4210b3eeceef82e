"""`power`: what a system draws, from one chip to the grid: nameplate, under load, idle; and what must be provisioned."""

from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.errors import MissingFigure, unknown
from nvscale.estimate import Estimate, derived, figure, term, total
from nvscale.estimators.power import load_power, power_efficiency
from nvscale.estimators.training_results import TrainingStep
from nvscale.formulas import facilities
from nvscale.ops import FLOAT, carrier
from nvscale.silicon import Chip
from nvscale.units import Unit

NAMEPLATE = "every chip and part draws its nameplate power all the time"
PARTS_AT_NAMEPLATE = "hosts, switches and fans draw their nameplate power at any load"
NOT_SPLIT = "the published power holds chips and the rest unsplit: nameplate at any load"
BYTES_OF_PASSES = "memory is busy while element-wise passes, casts and the optimizer run"
LOADS = ("nameplate", "training", "matrix multiplies", "memory", "decode", "static")
"""Loads by name: nameplate; a training step at the default utilisation; multiplies or memory at full rate; decode of a
dense model near the bandwidth; a chip that runs and does nothing."""
PASSES = ("element-wise passes", "casts", "optimizer")


def power(
    system: "System | Chip | str",
    *,
    load: "str | Estimate | Any" = "nameplate",
    precision: str = "bf16",
    pue: Any = None,
    oversubscription: Any = 1.0,
) -> Estimate:
    """Return the facility power of a system at a load, with chips, parts and overhead apart.

    Parameters
    ----------
    system : System, Chip or str
        Where.
    load : str, Estimate or W
        "nameplate", "training", "matrix multiplies", "memory", "decode" or "static"; or the power of one chip, as
        `load_power` and `kernel_power` give it.
    precision : str
        Number format of the operations.
    pue : 1, optional
        Power usage effectiveness; the system's own where it has one above 1, else the default assumption.
    oversubscription : 1
        How much more nameplate power is connected than can be drawn; 1 provisions the nameplate power.

    Returns
    -------
    Estimate
        Facility power in W at the load; `["IT power"]`, `["chips"]`, `["overhead"]`, and `["provisioned"]`, what the feed
        must carry: nameplate x PUE / oversubscription.

    Raises
    ------
    UnknownName, MissingFigure
        A load that is not known, or a power that is not.

    Examples
    --------
    >>> round(power("dgx-h100", pue=1.2).value)
    12240
    >>> power("dgx-h100", load="training", pue=1.2).value < 12240
    True
    """
    placed = with_pue(catalogue.system(system), pue)
    drawn = chip_load(placed.chip, load, precision)
    made = system_power(placed, drawn)
    share = Unit("1", ">=1").si(oversubscription, "power: oversubscription")
    nameplate = term("nameplate", placed.power, "W")
    kept = derived(
        "provisioned",
        facilities.facility_power(placed.power, placed.pue) / share,
        "W",
        "nameplate x PUE / oversubscription",
        nameplate,
        term("oversubscription", share, "1"),
    )
    made.terms["provisioned"] = kept
    return made


def with_pue(system: System, pue: Any) -> System:
    """Return a system with the PUE given, its own, or the default assumption."""
    from nvscale import views

    if pue is not None:
        return system.replace(pue=pue)
    if carrier(system.pue) != FLOAT or system.pue > 1.0:
        return system
    value, source = views.default_pue()
    return system.replace(pue=value, sources={**system.sources, "pue": source})


def chip_load(chip: Chip, load: Any, precision: str = "bf16") -> Estimate | None:
    """Return the power of one chip at a named or given load; None for the nameplate."""
    if isinstance(load, Estimate):
        return load
    if not isinstance(load, str) or load.strip()[:1].isdigit():
        return term(f"power of {chip.name}", Unit("W", ">=0").si(load, "power: load"), "W")
    if load not in LOADS:
        raise unknown("load", load, LOADS)
    if load == "nameplate":
        return None
    rate, width = chip.rate(precision), chip.figure("memory_bandwidth")
    if load == "training":
        mfu, source = catalogue.default().number("assumptions", "site", "mfu", "1")
        drawn = load_power(chip, mfu * rate, 0.0, precision=precision)
        drawn.terms["mfu"] = term("mfu", mfu, "1", source=source)
        return drawn
    if load == "decode":
        return load_power(chip, 0.0, 0.8 * width, precision=precision, load="serving dense")
    return load_power(
        chip, *{"matrix multiplies": (0.8 * rate, 0.0), "memory": (0.0, 0.9 * width), "static": (0.0, 0.0)}[load], precision=precision
    )


def chip_power_in_training(step: TrainingStep) -> Estimate | None:
    """Return the power of a chip in a training step, from its operations and bytes; None where no constants exist."""
    chip, job = step.system.chip, step.job
    try:
        used = power_efficiency("kernels", chip)
        width = chip.figure("memory_bandwidth")
        operations = step["mfu"].value * chip.rate(job.precision) * _redone(step)
        busy = sum(step.terms[name].value for name in PASSES if name in step.terms) / step.value
        drawn = load_power(chip, operations, busy * width, precision=job.precision, efficiency=used)
    except MissingFigure:
        return None
    drawn.assumptions = (*drawn.assumptions, BYTES_OF_PASSES)
    return drawn


def _redone(step: TrainingStep) -> Any:
    """Operations with what is computed again, over those of the model."""
    work = step.terms["matrix multiplies"].value + step.terms["attention"].value
    return 1.0 + step.terms["recompute"].value / work


def system_power(system: System, of_a_chip: Estimate | None = None) -> Estimate:
    """Return the facility power of a system whose chips draw so much each; their nameplate power without."""
    terms = system.power_terms()
    notes: tuple[str, ...] = (NAMEPLATE,)
    leaves = {name: term(f"power of {name}" if name != "chips" else name, value, "W") for name, value in terms.items() if name != "chips"}
    chips = term("chips", terms.get("chips", 0.0), "W", source=system.chip.source("power"))
    if of_a_chip is not None and "chips" in terms:
        chips = derived("chips", system.chips * of_a_chip.value, "W", "chips x power of a chip", of_a_chip)
        notes = (PARTS_AT_NAMEPLATE,)
        if of_a_chip.low is not None:
            chips.low, chips.high = system.chips * of_a_chip.low, system.chips * of_a_chip.high
    elif of_a_chip is not None:
        notes = (NOT_SPLIT,)
    shown = [leaf for leaf in leaves.values() if carrier(leaf.value) != FLOAT or leaf.value]
    inner = total("IT power", chips, *shown) if "chips" in terms else total("IT power", *shown)
    inner.assumptions = notes
    pue = figure(system, "pue", "PUE")
    made = derived("facility power", facilities.facility_power(inner.value, system.pue), "W", "IT power x PUE", inner, pue)
    overhead = made.value - inner.value
    made.terms["overhead"] = term("overhead", overhead, "W")
    if chips.low is not None:
        made.low = (inner.value + chips.low - chips.value) * system.pue
        made.high = (inner.value + chips.high - chips.value) * system.pue
    return made
