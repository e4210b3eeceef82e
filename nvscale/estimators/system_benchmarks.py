"""`system_benchmark`: what High-Performance Linpack and HPCG reach on a system, by the shares seen on large machines."""

from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies import Efficiency
from nvscale.errors import InvalidInput, MissingFigure, UnknownName, unknown
from nvscale.estimate import Estimate, derived, figure, term
from nvscale.formulas import system_benchmarks
from nvscale.silicon import Chip
from nvscale.truth.constants import shipped_constants
from nvscale.unit_types import Count, FlopPerByte, Share

BENCHMARKS = ("linpack", "conjugate gradients")


class SystemEfficiency(Efficiency):
    """What a benchmark of whole systems reaches.

    Parameters
    ----------
    share_of_peak : 1
        Share of the FP64 peak that Linpack reaches.
    matrix_units : 1
        1 where that peak is the one of the matrix units, 0 where it is the vector one.
    intensity : flop/byte
        Operations of HPCG per byte that the memory could have moved.
    """

    share_of_peak: Share = 1.0
    matrix_units: Share = 1.0
    intensity: FlopPerByte = 0.25


def system_benchmark(benchmark: str, system: "Chip | System | str", chips: Count = None) -> Estimate:
    """Return the rate of Linpack or HPCG on so many chips, with the range seen on systems.

    Parameters
    ----------
    benchmark : str
        "linpack" or "conjugate gradients".
    system : Chip, System or str
        What runs it.
    chips : 1, optional
        How many chips; those of the system by default.

    Examples
    --------
    >>> print(system_benchmark("linpack", "H100", 1000))
    linpack on h100-sxm: 41.48 PFLOP/s
    """
    if benchmark not in BENCHMARKS:
        raise unknown("benchmark of systems", benchmark, BENCHMARKS)
    chip, count = _parts(system)
    used, origin = _efficiency(benchmark, chip)
    count = count if chips is None else chips
    many = term("chips", count, "1")
    if benchmark == "linpack":
        field = "fp64_tensor" if used.matrix_units and chip.peak.fp64_tensor else "fp64_vector"
        peak = getattr(chip.peak, field)
        if not peak:
            raise MissingFigure(f"{chip.name}: no FP64 rate is known; give one with replace(**{{'peak.fp64_vector': ...}})")
        rate = system_benchmarks.linpack_rate(peak, used.share_of_peak)
        leaves = (
            term(f"{field} rate of {chip.name}", peak, "flop/s", source=chip.source(f"peak.{field}")),
            figure(used, "share_of_peak", "share"),
        )
        how = "chips x share x FP64 peak"
    else:
        rate = system_benchmarks.conjugate_gradient_rate(chip.figure("memory_bandwidth"), used.intensity)
        leaves = (figure(chip, "memory_bandwidth"), figure(used, "intensity", "intensity"))
        how = "chips x intensity x memory bandwidth"
    made = derived(f"{benchmark} on {chip.name}", count * rate, "flop/s", how, many, *leaves, assumptions=(*used.assumptions, origin))
    low, high = used.factors({})
    if low is not None:
        made.low, made.high = made.value * low, made.value * high
    return made


def _efficiency(benchmark: str, chip: Chip) -> tuple[SystemEfficiency, str]:
    table = shipped_constants("hpc")
    found = table.find(benchmark, "", chip)
    if found is None:
        raise InvalidInput(f"no constants of {benchmark} fit {chip.name}")
    figures = {name: one.value for name, one in found.constants.items()}
    sources = {name: one.source() for name, one in found.constants.items()}
    spreads = table.spreads(found.interval, chip, benchmark)
    own = next(iter(found.constants.values())).chip.removeprefix("family:")
    made: Any = SystemEfficiency
    return made(origin=f"systems with {own}", spreads=spreads, sources=sources, **figures), f"share seen on systems with {own}"


def _parts(system: "Chip | System | str") -> tuple[Chip, Count]:
    if isinstance(system, str):
        try:
            system = catalogue.chip(system)
        except UnknownName as problem:
            try:
                system = catalogue.system(system)
            except UnknownName:
                raise problem from None
    if isinstance(system, System):
        return system.chip, system.chips
    return system, 1.0
