"""Power and energy of a chip under load: static power, energy per byte and per operation, and the limit of the chip."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies import PowerEfficiency, Spread
from nvscale.errors import MissingFigure, unknown
from nvscale.estimate import Estimate, Timing, derived, figure, term
from nvscale.estimators.attention_kernels import served_rate
from nvscale.estimators.kernels import kernel
from nvscale.formulas.power_caps import power_under_load
from nvscale.ops import FLOAT, carrier
from nvscale.provenance import Source
from nvscale.silicon import Chip
from nvscale.truth.calibrations import as_calibration
from nvscale.truth.constants import FOREIGN, OWN, Constant, Constants, family_of, shipped_constants
from nvscale.unit_types import BytesPerSecond, FlopPerSecond
from nvscale.units import Unit
from nvscale.workloads import LatentAttention

LOADS = ("kernels", "serving dense", "serving experts")
"""Classes of load that have constants: single kernels in a row, and serving of dense and of mixture-of-experts models."""
REFERENCES = ("b200", "h100-sxm")
"""Chips with constants of their own; one without takes those of the first of its family, or else of the first, scaled."""


def load_power(
    system: "Chip | System | str",
    flop_rate: FlopPerSecond = 0.0,
    byte_rate: BytesPerSecond = 0.0,
    *,
    precision: str = "bf16",
    load: str = "kernels",
    unbalanced: Any = 0.0,
    efficiency: PowerEfficiency | None = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Estimate:
    """Return the power of one chip that computes and moves bytes at given rates, with its 90 % interval.

    Parameters
    ----------
    system : Chip, System or str
        Where; a system counts as one of its chips.
    flop_rate : flop/s
        Operations per second that are reached, on this chip.
    byte_rate : byte/s
        Bytes per second that cross its memory.
    precision : str
        Format of the operations.
    load : str
        "kernels", "serving dense" or "serving experts": whose constants are taken.
    unbalanced : 1
        Share of the waiting power that is missing; 0 where all chips are equally busy.
    efficiency : PowerEfficiency, optional
        Constants to use; those fitted to measurements by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own by kind of work.

    Examples
    --------
    >>> print(load_power("H100", byte_rate=2e12, load="serving dense"))
    power of h100-sxm: 391.2 W
    """
    chip = _chip(system)
    used = power_efficiency(load, chip, as_calibration(calibration)) if efficiency is None else efficiency
    rate, width = Unit("flop/s", ">=0").si(flop_rate, "load_power: flop_rate"), Unit("byte/s", ">=0").si(byte_rate, "load_power: byte_rate")
    return _power(chip, used, rate, width, served_rate(chip, precision), unbalanced)


def _power(chip: Chip, used: PowerEfficiency, flop_rate: Any, byte_rate: Any, peak: Estimate, unbalanced: Any) -> Estimate:
    wide = served_rate(chip, "bf16")
    per_operation = used.energy_per_operation * wide.value / peak.value
    parts = (
        figure(used, "static", "static power"),
        derived(
            "power of traffic",
            byte_rate * used.energy_per_byte,
            "W",
            "bytes per second x energy per byte",
            term("bytes per second", byte_rate, "byte/s"),
            figure(used, "energy_per_byte", "energy per byte"),
        ),
        derived(
            "power of operations",
            flop_rate * per_operation,
            "W",
            "operations per second x energy per operation x 16-bit rate / rate",
            term("operations per second", flop_rate, "flop/s"),
            figure(used, "energy_per_operation", "energy per operation"),
            Estimate("16-bit rate", wide.value, "flop/s", source=wide.source),
            Estimate("rate", peak.value, "flop/s", source=peak.source, assumptions=peak.assumptions),
        ),
        figure(used, "power_limit", "power limit"),
    )
    constant = used.static - unbalanced * used.waiting
    value = power_under_load(flop_rate, byte_rate, per_operation, used.energy_per_byte, constant, used.power_limit, used.sharpness)
    assumptions = (*used.assumptions, f"energies {used.origin}")
    made = derived(f"power of {chip.name}", value, "W", "smooth minimum of the sum and the limit", *parts, assumptions=assumptions)
    low, high = used.factors({})
    if low is not None:
        made.low, made.high = made.value * low, made.value * high
    return made


def kernel_power(
    work: Any,
    system: "Chip | System | str",
    timing: Timing | None = None,
    *,
    efficiency: PowerEfficiency | None = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Estimate:
    """Return the power of one chip that repeats a piece of work, from its operations, its bytes and its time.

    Parameters
    ----------
    work : Gemm, Attention ...
        What is computed, as `kernel` takes it.
    system : Chip, System or str
        Where; a system counts as one of its chips.
    timing : Timing, optional
        How long it takes; `kernel(work, system)` by default.
    efficiency : PowerEfficiency, optional
        Constants to use; those fitted to measurements by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own by kind of work, or the file that `nvscale calibrate` wrote.

    Examples
    --------
    >>> from nvscale.workloads import Gemm
    >>> 600.0 < kernel_power(Gemm(m=8192, n=8192, k=8192), "H100").value < 700.0
    True
    """
    chip, own = _chip(system), as_calibration(calibration)
    time = timing or kernel(work, chip, calibration=own)
    used = power_efficiency("kernels", chip, own) if efficiency is None else efficiency
    flop = getattr(work, "flop", 0.0)
    made = _power(chip, used, flop / time.value, work.traffic / time.value, rate_of(work, chip), 0.0)
    made.terms["time"] = time
    return made


def kernel_energy(
    work: Any,
    system: "Chip | System | str",
    timing: Timing | None = None,
    *,
    efficiency: PowerEfficiency | None = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Estimate:
    """Return the energy of a piece of work on one chip: its power times its time.

    Parameters
    ----------
    work : Gemm, Attention ...
        What is computed, as `kernel` takes it.
    system : Chip, System or str
        Where; a system counts as one of its chips.
    timing : Timing, optional
        How long it takes; `kernel(work, system)` by default.
    efficiency : PowerEfficiency, optional
        Constants to use; those fitted to measurements by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own by kind of work, or the file that `nvscale calibrate` wrote.

    Examples
    --------
    >>> from nvscale.workloads import Gemm
    >>> print(kernel_energy(Gemm(m=8192, n=8192, k=8192), "H100").unit)
    J
    """
    drawn = kernel_power(work, system, timing, efficiency=efficiency, calibration=calibration)
    time = drawn.terms.pop("time")
    made = derived("energy", drawn.value * time.value, "J", "power x time", drawn, time)
    if drawn.low is not None:
        made.low, made.high = drawn.low * time.value, drawn.high * time.value
    return made


def power_efficiency(load: str, chip: Chip, calibration: Mapping[str, Constants] | None = None) -> PowerEfficiency:
    """Return the constants of a class of load on a chip; scaled by power, bandwidth and rate where it was never measured."""
    if load not in LOADS:
        raise unknown("class of load", load, LOADS)
    table = (calibration or {}).get("energy") or shipped_constants("energy")
    measured = [name for name in (*REFERENCES, chip.name) if (load, "", name) in table.rows]
    if not measured:
        raise MissingFigure(f"no constants of the power of {load}; give an efficiency of your own")
    own = chip.name in measured
    near = [name for name in measured if family_of(catalogue.chip(name)).name == family_of(chip).name]
    origin = chip.name if own else (near or measured)[0]
    constants = table.rows[load, "", origin]
    scales = {} if own else _scales(chip, catalogue.chip(origin))
    how = f"fitted on {chip.name}"
    assumptions: tuple[str, ...] = ()
    if not own:
        how = f"of {origin}, scaled by rated power, bandwidth and rate"
        assumptions = (f"the power of {chip.name} was never measured: energies {how}",)
    figures = {name: one.value * scales.get(one.unit, 1.0) for name, one in constants.items()}
    sources = {name: _scaled(one, scales.get(one.unit, 1.0), how) for name, one in constants.items()}
    spreads: tuple[Spread, ...] = table.spreads(OWN if own else FOREIGN, chip, load)
    return PowerEfficiency(origin=how, assumptions=assumptions, spreads=spreads, sources=sources, **figures)


def _scales(chip: Chip, origin: Chip) -> dict[str, float]:
    """How constants change from one chip to another: the same shares of the rated power at full bandwidth and full rate."""
    power = chip.figure("power") / origin.figure("power")
    return {
        "W": power,
        "J/byte": power * origin.figure("memory_bandwidth") / chip.figure("memory_bandwidth"),
        "J/flop": power * served_rate(origin, "bf16").value / served_rate(chip, "bf16").value,
    }


def _scaled(one: Constant, scale: float, how: str) -> Source:
    if carrier(scale) != FLOAT:
        return one._replace(scheme=f"{how}; {one.scheme}").source()
    if scale == 1.0:
        return one.source()
    return one._replace(value=one.value * scale, standard_error=one.standard_error * scale, scheme=f"{how}; {one.scheme}").source()


def rate_of(work: Any, chip: Chip) -> Estimate:
    """Return the peak rate of the format that a piece of work is computed in."""
    if isinstance(work, LatentAttention):
        return served_rate(chip, work.storage.decode_rate if work.is_decode else work.storage.rate)
    return served_rate(chip, work.storage.rate if hasattr(work, "storage") else "bf16")


def _chip(system: "Chip | System | str") -> Chip:
    """The chip of a system, by record or name."""
    if isinstance(system, System):
        return system.chip
    return catalogue.chip(system)
