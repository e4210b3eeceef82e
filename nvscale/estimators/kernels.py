"""`kernel`: the time of one piece of work on one chip, by the constants of its class or by given ones."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies import (
    AttentionEfficiency,
    Efficiency,
    ExpertEfficiency,
    GemmEfficiency,
    LatentAttentionEfficiency,
    PassEfficiency,
)
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimate import Timing
from nvscale.estimators.attention_kernels import attention_time, expert_time, latent_attention_time
from nvscale.estimators.matrix_multiplies import ONE_CHIP, gemm_time
from nvscale.estimators.passes import operator_time
from nvscale.record import units_of
from nvscale.silicon import Chip
from nvscale.truth.calibrations import as_calibration
from nvscale.truth.constants import FOREIGN, Constants, Found, shipped_constants
from nvscale.workloads import Attention, Gemm, LatentAttention, MixtureOfExperts, Pass
from nvscale.workloads.words import pass_operator


class Kernel(NamedTuple):
    """How work of one type is estimated: its kind of constants, the record of them, its classes, the tree."""

    kind: str
    efficiency: type[Efficiency]
    classes: Callable[[Any], tuple[str, ...]]  # names in the constants, the nearest first
    path: Callable[[Any], str]
    estimate: Callable[[Any, Chip, Any], Timing]


def _gemm_classes(work: Gemm) -> tuple[str, ...]:
    stored = work.storage
    return tuple(dict.fromkeys(name for name in (stored.name, stored.measured_as, stored.falls_back_to) if name))


def _attention_classes(work: "Attention | LatentAttention") -> tuple[str, ...]:
    stored = work.storage
    named = dict.fromkeys((stored.name, stored.measured_as or "bf16", "bf16"))
    return tuple(f"{work.phase} {name}" for name in named)


def _expert_classes(work: MixtureOfExperts) -> tuple[str, ...]:
    stored = work.storage
    return tuple(dict.fromkeys(name for name in (stored.name, stored.measured_as, stored.falls_back_to) if name))


def _pass_classes(work: Pass) -> tuple[str, ...]:
    return tuple(name for name in (work.operator, pass_operator(work.operator).measured_as) if name)


FEW_CHOICES = {("sglang", "bf16"): (1.0, 2.0), ("sglang", "fp8_block"): (2.0, 2.0), ("vllm", "fp8_block"): (1.0, 1.0)}
"""Experts per token, from and to, for which a framework was seen to take another kernel on Blackwell."""


def _expert_path(work: MixtureOfExperts) -> str:
    """The framework; some take another kernel where a token chooses few experts, or where the router is an uncommon one."""
    if (work.framework, work.precision) == ("trtllm", "nvfp4") and not work.has_a_common_router():
        return "trtllm (CUTLASS)"
    few = FEW_CHOICES.get((work.framework, work.precision))
    return f"{work.framework} (top {few[1]:g})" if few and work.chooses(*few) else work.framework


KERNELS: dict[type, Kernel] = {
    Gemm: Kernel("gemm", GemmEfficiency, _gemm_classes, lambda work: work.framework, gemm_time),
    Pass: Kernel("passes", PassEfficiency, _pass_classes, lambda work: work.framework, operator_time),
    Attention: Kernel("attention", AttentionEfficiency, _attention_classes, lambda work: work.framework, attention_time),
    LatentAttention: Kernel("mla", LatentAttentionEfficiency, _attention_classes, lambda work: work.framework, latent_attention_time),
    MixtureOfExperts: Kernel("moe", ExpertEfficiency, _expert_classes, _expert_path, expert_time),
}


def kernel(
    work: Any,
    system: "Chip | System | str",
    efficiency: Efficiency | None = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Timing:
    """Return the time of one piece of work on one chip, with its 90 % interval and what binds.

    Parameters
    ----------
    work : Gemm
        What is computed.
    system : Chip, System or str
        Where; a system counts as one of its chips.
    efficiency : Efficiency, optional
        Constants to use; `nvscale.IDEAL` for the bare roofline; those fitted to measurements by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own by kind of work, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Timing
        `value`, `low`, `high`, `by`, `headroom`, `explain()`.

    Raises
    ------
    MissingPrecision, MissingFigure
        The chip lacks the rate or a figure that the time depends on.

    Examples
    --------
    >>> from nvscale.workloads import Gemm
    >>> kernel(Gemm(m=16, n=8192, k=8192), "H100").by
    'memory'
    """
    found = KERNELS.get(type(work))
    if found is None:
        raise InvalidInput(f"kernel: {work!r} is no work for one chip; wanted one of {', '.join(kind.__name__ for kind in KERNELS)}")
    chip, assumptions = _chip(system)
    if efficiency is None:
        efficiency = efficiency_of(work, chip, as_calibration(calibration))
    elif type(efficiency) is Efficiency:
        efficiency = found.efficiency(origin=efficiency.origin)
    elif not isinstance(efficiency, found.efficiency):
        raise InvalidInput(f"kernel: efficiency is a {type(efficiency).__name__}; wanted a {found.efficiency.__name__}")
    timing = found.estimate(work, chip, efficiency)
    timing.assumptions += assumptions
    return timing


def efficiency_of(work: Any, chip: "Chip | str", calibration: Mapping[str, Constants] | None = None) -> Any:
    """Return the constants that a piece of work gets on a chip, with where they come from."""
    found = KERNELS[type(work)]
    constants = (calibration or {}).get(found.kind) or shipped_constants(found.kind)
    return _efficiency(found, found.classes(work), found.path(work), _Hashed(catalogue.chip(chip)), _Hashed(constants))


class _Hashed(NamedTuple):
    """A value that is looked up by identity: hashing a chip with all its figures would take longer than the lookup."""

    value: Any

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hashed) and self.value is other.value


@lru_cache(maxsize=4096)
def _efficiency(found_as: Kernel, classes: tuple[str, ...], path: str, chip: _Hashed, constants: _Hashed) -> Any:
    table: Constants = constants.value
    found: Found | None = None
    for class_, near in [*((name, True) for name in classes), *((name, False) for name in classes)]:
        found = table.find(class_, path, chip.value, near=near)
        if found is not None:
            break
    if found is None:
        raise MissingFigure(f"no constants of {found_as.kind} {classes[0]}; give an efficiency of your own, or nvscale.IDEAL")
    assumptions = found.assumptions
    if class_ != classes[0]:
        assumptions += (f"{found_as.kind} {classes[0]} was never measured: constants of {class_} on its own rate",)
    known = units_of(found_as.efficiency)
    figures = {name: one.value for name, one in found.constants.items() if name in known}
    sources = {name: one.source() for name, one in found.constants.items() if name in known}
    spreads = table.spreads(found.interval if class_ == classes[0] else FOREIGN, chip.value, class_, path)
    return found_as.efficiency(origin=found.origin, assumptions=assumptions, spreads=spreads, sources=sources, **figures)


def _chip(system: "Chip | System | str") -> tuple[Chip, tuple[str, ...]]:
    """The chip of a system, by name or record, and what that assumes."""
    if isinstance(system, str):
        try:
            return catalogue.chip(system), ()
        except UnknownName as problem:
            try:
                system = catalogue.system(system)
            except UnknownName:
                raise problem from None
    if isinstance(system, System):
        return system.chip, (ONE_CHIP,) if system.level != "chip" else ()
    if not isinstance(system, Chip):
        raise InvalidInput(f"kernel: system {system!r} is no chip, no system and no name of one")
    return system, ()
