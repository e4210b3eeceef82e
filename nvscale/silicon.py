"""Chips: what one package can do, hold and draw, per number format."""

import dataclasses
from collections.abc import Mapping
from typing import Annotated, Any

from nvscale.errors import MissingFigure, MissingPrecision
from nvscale.formats import LADDER, Precision, precision
from nvscale.formulas import roofline
from nvscale.ops import FLOAT, carrier, maximum
from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.unit_types import USD, Bytes, BytesPerSecond, FlopPerByte, FlopPerSecond, Hertz, Metres, SquareMetres, Watts
from nvscale.units import Unit

Quantity = Annotated[Any, Unit("1", ">0")]
CalendarYear = Annotated[Any, Unit("1", "year")]


def _is_there(rate: Any) -> bool:
    """Whether a chip has a rate: all but the number 0, which says that it lacks the format."""
    return carrier(rate) != FLOAT or bool(rate)


_INTENSITY = Unit("flop/byte")


class Rates(Record):
    """Peak dense rates of a chip by number format; 0 means that the chip lacks the format."""

    fp64_vector: FlopPerSecond = 0.0
    fp64_tensor: FlopPerSecond = 0.0
    fp32_vector: FlopPerSecond = 0.0
    fp16_vector: FlopPerSecond = 0.0
    tf32: FlopPerSecond = 0.0
    bf16: FlopPerSecond = 0.0
    fp16: FlopPerSecond = 0.0
    fp8: FlopPerSecond = 0.0
    fp6: FlopPerSecond = 0.0
    fp4: FlopPerSecond = 0.0
    int8: FlopPerSecond = 0.0
    int4: FlopPerSecond = 0.0


class Chip(Record):
    """One accelerator or processor package.

    Every figure is per package, dense, and one way; `None` means that no value is known. `clock` is
    the clock at which the matrix peak holds; `unread` names rates that the chip has but whose figure
    nobody read, where a rate of 0 says that the chip lacks the format.
    """

    name: str
    title: str = ""
    vendor: str = ""
    kind: str = "gpu"
    market: str = "data center"
    architecture: str = ""
    status: str = "shipped"
    memory_type: str = ""
    released: CalendarYear = None
    shipped: CalendarYear = None
    process_node: Metres = None
    die_area: SquareMetres = None
    transistors: Quantity = None
    dies: Quantity = None
    power: Watts = None
    memory: Bytes = None
    memory_reported: Bytes = None
    memory_bandwidth: BytesPerSecond = None
    l2_cache: Bytes = None
    on_chip_sram: Bytes = None
    compute_units: Quantity = None
    clock: Hertz = None
    boost_clock: Hertz = None
    base_clock: Hertz = None
    peak: Rates = Rates()
    scaleup_bandwidth: BytesPerSecond = None
    scaleup_links: Quantity = None
    host_bandwidth: BytesPerSecond = None
    price: USD = None
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    @property
    def year(self) -> Any:
        """Calendar year of first shipment, or of announcement where no shipment date is known."""
        return self.shipped if self.shipped is not None else self.released

    def figure(self, name: str) -> Any:
        """Return a figure that must be known; a typed error says which one is missing."""
        value = self._field(name)
        if value is None:
            raise MissingFigure(f"{self.name}: no {name} is known; give one with replace({name}=...)")
        return value

    def rate(self, number_format: str | Precision) -> Any:
        """Return the peak dense rate that serves a number format, the best where several can.

        Raises MissingPrecision, naming what the chip has.
        """
        wanted = precision(number_format)
        rates = [getattr(self.peak, name) for name in wanted.rates]
        best = rates[0] if len(rates) == 1 else maximum(*rates)
        if carrier(best) == FLOAT and not best:
            has = ", ".join(self.precisions()) or "no published rate at all"
            if set(wanted.rates) & set(self.unread):
                raise MissingPrecision(f"{self.name}: its {wanted.name} rate was not read in any document; what is known: {has}")
            raise MissingPrecision(f"{self.name} has no {wanted.name} rate; it has {has}")
        return best

    def rate_name(self, number_format: str | Precision) -> str:
        """Return which rate serves a number format: P100 serves fp16 with "fp16_vector"."""
        best = self.rate(number_format)
        served = [name for name in precision(number_format).rates if _is_there(getattr(self.peak, name))]
        if carrier(best) != FLOAT or len(served) == 1:
            return served[0]
        return next(name for name in served if getattr(self.peak, name) == best)

    def precisions(self) -> tuple[str, ...]:
        """Return the number formats of the ladder that the chip has a rate for, widest first."""
        return tuple(name for name in LADDER if any(_is_there(getattr(self.peak, rate)) for rate in precision(name).rates))

    def lowest_precision(self) -> Precision:
        """Return the narrowest floating-point format that is at least as fast as every wider one.

        A format that a chip merely tolerates does not count: P40 runs fp16 at 1/64 of fp32.

        >>> import nvscale
        >>> [nvscale.chip(name).lowest_precision().name for name in ("p40", "a100", "h100", "mi355x")]
        ['fp32', 'bf16', 'fp8', 'fp4']
        """
        floats = [precision(name) for name in self.precisions() if precision(name).kind == "float"]
        if not floats:
            raise MissingPrecision(f"{self.name} has no floating-point rate; it has {', '.join(self.precisions()) or 'none'}")
        best = max(self.rate(p) for p in floats)
        return min((p for p in floats if self.rate(p) >= best), key=lambda p: p.bits)

    def ridge_point(self, number_format: str | Precision) -> FlopPerByte:
        """Return the operational intensity, in flop per byte, from which compute binds and not memory.

        >>> import nvscale
        >>> round(nvscale.chip("H100").ridge_point("bf16"), 1)
        295.2
        """
        return roofline.ridge_point(self.rate(number_format), self.figure("memory_bandwidth"))

    def attainable(self, number_format: str | Precision, operational_intensity: FlopPerByte) -> FlopPerSecond:
        """Return the attainable performance at an operational intensity (classic roofline).

        >>> import nvscale
        >>> nvscale.chip("H100").attainable("bf16", "100 flop/byte")
        335200000000000.0
        """
        intensity = _INTENSITY.si(operational_intensity, "operational_intensity")
        return roofline.attainable(intensity, self.rate(number_format), self.figure("memory_bandwidth"))
