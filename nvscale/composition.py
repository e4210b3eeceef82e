"""Chip -> node -> rack -> datacenter, kept as two flat lists measured in chips.

Communication and housing are different hierarchies: a 256-chip switch group does not nest in racks
of 72. So a system has `networks` (each joins so many chips) and `parts` (one for every so many
chips: a host, a rack, a cooling unit). A roll-up is one fold, `chips x chip + sum of ceil(chips /
per) x part`; a network of span 1 joins nothing and a part of zero watts adds nothing, so systems
of different depth stack by padding.
"""

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from nvscale.errors import InvalidInput, MissingFigure
from nvscale.formats import Precision
from nvscale.formulas import roofline, topology
from nvscale.ops import FLOAT, carrier, ceil, floor, minimum, where
from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.silicon import CalendarYear, Chip
from nvscale.unit_types import USD, Bytes, BytesPerSecond, Count, FlopPerByte, FlopPerSecond, Seconds, Share, Watts
from nvscale.units import Unit

Span = Annotated[Any, Unit("1", ">=1", infinite=True)]


class Network(Record):
    """One tier of communication: how many chips it joins and what each chip can send, one way."""

    name: str
    title: str = ""
    kind: str = "scale-up"
    topology: str = "switched"
    span: Span = math.inf
    bandwidth: BytesPerSecond
    latency: Seconds = None
    dimensions: Span = math.inf
    sides: tuple[float, ...] = ()
    taper: Annotated[Any, Unit("1", ">=1", optional=True)] = 1.0
    in_network_reduction: Share = 0.0
    achieved_share: Share = None
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def bisection(self, chips: Count) -> BytesPerSecond:
        """Return what can cross the middle of `chips` chips, one way: n B / 2 over the taper, or the torus form.

        The torus form holds for finite `dimensions`; a switched tier has infinitely many. A torus of
        known `sides` that is complete is cut across its longest one; any other is taken as a cube.
        """
        if self.taper is None:
            raise MissingFigure(f"no bisection of {self.name} is known: its links are not all alike")
        if self.sides and carrier(chips) == FLOAT and chips == math.prod(self.sides):
            return topology.uneven_torus_bisection_bandwidth(self.sides, self.bandwidth)
        joined = minimum(chips, self.span)
        is_torus = self.dimensions < math.inf
        dimensions = where(is_torus, self.dimensions, 1.0)
        switched = topology.switched_bisection_bandwidth(joined, self.bandwidth, self.taper)
        return where(is_torus, topology.torus_bisection_bandwidth(joined, dimensions, self.bandwidth), switched)


def _is_endless(network: Network) -> bool:
    """Whether a network joins as many chips as there are."""
    return carrier(network.span) == FLOAT and math.isinf(network.span)


class Part(Record):
    """Housing or equipment that comes once for every `per` chips: host, switches, rack, cooling.

    `covers_chip_power` and `covers_chip_price` are 1 where the part's published figure already
    holds the chips in it and was never split.
    """

    name: str
    title: str = ""
    per: Count
    power: Watts = None
    price: USD = None
    covers_chip_power: Share = 0.0
    covers_chip_price: Share = 0.0
    cpus: Annotated[Any, Unit("1", ">=0")] = None
    nics: Annotated[Any, Unit("1", ">=0")] = None
    host_memory: Bytes = None
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)


class System(Record):
    """So many chips of one kind, the networks that join them and the parts that house them.

    >>> import nvscale
    >>> node = nvscale.system("dgx-h100")
    >>> node.chips, node.scaleup_chips, round(node.power)
    (8.0, 8.0, 10200)
    >>> hall = node.scale(1024)
    >>> round(hall.peak("fp8") / 1e18, 3), round(hall.power / 1e6, 4)
    (2.026, 1.3056)
    """

    HINTS: ClassVar[Mapping[str, str]] = {
        figure: f"; it adds up from the parts: change chip.{figure} or parts.<name>.{figure}" for figure in ("power", "price")
    }

    name: str
    title: str = ""
    vendor: str = ""
    level: str = "node"
    status: str = "shipped"
    chip: Chip
    chips: Count = 1.0
    networks: tuple[Network, ...] = ()
    parts: tuple[Part, ...] = ()
    pue: Annotated[Any, Unit("1", ">=1")] = 1.0
    released: CalendarYear = None
    shipped: CalendarYear = None
    topology: str = ""
    cpu: str = ""
    notes: tuple[str, ...] = ()
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the fields, and that parts and networks have names of their own."""
        super().__post_init__()
        for what, members in (("parts", self.parts), ("networks", self.networks)):
            names = [member.name for member in members]
            doubled = [name for name in names if names.count(name) > 1 or (what == "parts" and name == "chips")]
            if doubled:
                raise InvalidInput(f"System {self.name}: {what} need names of their own, 'chips' aside; {doubled[0]!r} is taken already")

    # ------------------------------------------------------------------ building

    def add(  # one tier more: so many of what there is, joined and housed
        self,
        name: str,
        count: Any,
        *,
        network: Network | None = None,
        power: Any = 0.0,
        price: Any = 0.0,
        pue: Any = None,
    ) -> Self:
        """Return a system one tier larger: `count` of this one, with a part of its own and perhaps a network.

        Parameters
        ----------
        name : str
            Name of the tier ("node", "rack", "hall"); the part is called so.
        count : 1
            How many of this system make one of the next tier.
        network : Network, optional
            Joins all chips of the tier; it takes the place of a network without end.
        power : W
            Power of the tier beyond what it houses, per tier.
        price : USD
            Price of the tier beyond what it houses, per tier.
        pue : 1, optional
            Power usage effectiveness from here on.
        """
        chips = self.chips * Unit("1", ">=1").si(count, f"add {name}: count")
        networks = self.networks
        if network is not None:
            networks = (*(inner for inner in self.networks if not _is_endless(inner)), network.replace(span=chips))
        kept = (part for part in self.parts if part.name != name or part.power or part.price)
        parts = (*kept, Part(name=name, per=chips, power=power, price=price))
        changes = {"networks": networks, "parts": parts, "name": f"{self.name} {name}", "level": name}
        return self._resized(chips, **changes, **({} if pue is None else {"pue": pue}))

    def scale(self, chips: Any) -> Self:
        """Return the same system with so many chips; parts follow, rounded up; a network without end joins them all."""
        wanted = Unit("1", ">=1").si(chips, "scale: chips")
        shown = f"{wanted:,.0f} chips of {self.name}" if carrier(wanted) == FLOAT else f"many chips of {self.name}"
        return self._resized(wanted, name=shown)

    def _resized(self, chips: Any, **changes: Any) -> Self:
        """Return the system with another number of chips, whose source is then no longer a document."""
        changed = self.replace(chips=chips, **changes)
        return changed.replace(
            sources={name: source for name, source in changed.sources.items() if name not in ("chips", "power", "price")}
        )

    def alone(self, chips: Any) -> Self:
        """Return `chips` chips cut out of the system: parts and networks that house or join more are left out."""
        wanted = Unit("1", ">=1").si(chips, "alone: chips")
        if carrier(wanted) != FLOAT:
            raise InvalidInput("alone: chips must be one number; use scale() for arrays and symbols")
        if carrier(self.chips) == FLOAT and wanted > self.chips:
            raise InvalidInput(f"alone: chips = {wanted:g} cannot be cut out of the {self.chips:g} of {self.name}; use scale({wanted:g})")
        parts = tuple(part for part in self.parts if part.per <= wanted)
        inner = [1.0, *(network.span for network in self.networks)]
        networks = tuple(n for n, before in zip(self.networks, inner, strict=False) if before < wanted)
        return self._resized(wanted, name=f"{wanted:g} of {self.name}", parts=parts, networks=networks)

    def within(self, *, power: Any, pue: Any = None) -> Self:
        """Return as many whole systems as a facility power holds, at the given PUE or the system's own (1 unless set).

        >>> import nvscale
        >>> nvscale.system("gb200-nvl72").within(power="100 MW", pue=1.2).chips / 72
        694.0
        """
        effectiveness = self.pue if pue is None else Unit("1", ">=1").si(pue, "within: pue")
        budget = Unit("W").si(power, "within: power")
        count = floor(budget / (self.power * effectiveness))
        if carrier(count) == FLOAT and count < 1.0:
            needed = f"which draws {self.power * effectiveness:g} W at PUE {effectiveness:g}"
            raise InvalidInput(f"within: power {budget:g} W holds not one {self.name}, {needed}")
        name = f"{budget / 1e6:g} MW of {self.name}" if carrier(budget) == FLOAT else f"site of {self.name}"
        return self._resized(count * self.chips, pue=effectiveness, level="datacenter", name=name)

    # ------------------------------------------------------------------ roll-ups

    def power_terms(self) -> dict[str, Any]:
        """Return the IT power by part, in W: the chips, and each part as often as it is there."""
        return self._terms("power", "covers_chip_power")

    def price_terms(self) -> dict[str, Any]:
        """Return the price by part, in USD."""
        return self._terms("price", "covers_chip_price")

    def _terms(self, figure: str, covers: str) -> dict[str, Any]:
        covered = [getattr(part, covers) for part in self.parts]
        self._require(figure, covered)
        terms: dict[str, Any] = {}
        if not any(type(share) is float and share == 1.0 for share in covered):
            open_share = 1.0
            for share in covered:
                open_share = open_share * (1.0 - share)
            terms["chips"] = self.chips * getattr(self.chip, figure) * open_share
        for part in self.parts:
            terms[part.name] = ceil(self.chips / part.per) * getattr(part, figure)
        return terms

    def _require(self, figure: str, covered: list[Any]) -> None:
        """Refuse a roll-up of figures that nobody knows, naming all of them at once."""
        is_covered = any(type(share) is float and share == 1.0 for share in covered)
        things = [*([] if is_covered else [("chip", self.chip)]), *((f"parts.{part.name}", part) for part in self.parts)]
        missing = {f"{path}.{figure}": str(getattr(thing, "name", path)) for path, thing in things if getattr(thing, figure) is None}
        if missing:
            whose, paths = (" and ".join(texts) for texts in (missing.values(), missing))
            raise MissingFigure(f"{self.name}: no {figure} of {whose} is known; give {paths}, with replace() or --set PATH=VALUE")

    @property
    def power(self) -> Watts:
        """IT power of the system, in W: chips and parts, without cooling."""
        return sum(self.power_terms().values())

    @property
    def facility_power(self) -> Watts:
        """Power drawn from the grid, in W: IT power times PUE."""
        return self.power * self.pue

    @property
    def price(self) -> USD:
        """Price of the system, in USD; `price_basis` says which price."""
        return sum(self.price_terms().values())

    @property
    def price_basis(self) -> str:
        """What the price is: list, street, build cost, estimate ... with the date."""
        sources = [part.source("price") for part in self.parts if carrier(part.price) != FLOAT or part.price]
        if not any(part.covers_chip_price == 1.0 for part in self.parts):
            sources.append(self.chip.source("price"))
        return " + ".join(dict.fromkeys(f"{s.basis or s.kind} {s.date}".strip() for s in sources))

    def peak(self, number_format: str | Precision) -> FlopPerSecond:
        """Return the peak dense rate of all chips, in flop/s."""
        return self.chips * self.chip.rate(number_format)

    @property
    def memory(self) -> Bytes:
        """Memory of all chips, in bytes."""
        return self.chips * self.chip.figure("memory")

    @property
    def memory_bandwidth(self) -> BytesPerSecond:
        """Memory bandwidth of all chips together, in byte/s."""
        return self.chips * self.chip.figure("memory_bandwidth")

    @property
    def scaleup(self) -> Network:
        """The innermost network: the scale-up domain."""
        if not self.networks:
            raise MissingFigure(f"{self.name} has no network; add one with add(..., network=...)")
        return self.networks[0]

    @property
    def scaleup_chips(self) -> Count:
        """Chips in one scale-up domain."""
        return minimum(self.chips, self.scaleup.span)

    @property
    def scaleup_bandwidth(self) -> BytesPerSecond:
        """What all chips together can send into their scale-up domains, one way, in byte/s."""
        return self.chips * self.scaleup.bandwidth

    @property
    def bisection_bandwidth(self) -> BytesPerSecond:
        """What can cross the middle of the system, one way, over the network that joins all its chips."""
        joining = [n for n in self.networks if carrier(n.span) != FLOAT or carrier(self.chips) != FLOAT or n.span >= self.chips]
        if not joining:
            raise MissingFigure(f"{self.name}: no network joins all its chips; add one with add(..., network=...)")
        result = joining[-1].bisection(self.chips)
        for inner in reversed(joining[:-1]):
            result = where(self.chips <= inner.span, inner.bisection(self.chips), result)
        return result

    def ridge_point(self, number_format: str | Precision) -> FlopPerByte:
        """Return the operational intensity, in flop per byte, from which compute binds and not memory."""
        return roofline.ridge_point(self.peak(number_format), self.memory_bandwidth)

    # ------------------------------------------------------------------ levels

    def levels(self) -> "dict[str, System]":
        """Return the system at every level from one chip outward, by name of the level."""
        if type(self.chips) is float and self.chips == 1.0 and not self.parts:
            return {"chip": self}
        sizes: dict[str, Any] = {"chip": 1.0}
        for part in sorted(self.parts, key=lambda part: float(part.per)):
            if part.per < self.chips:
                sizes[part.name] = part.per
        whole = self.level if self.level not in sizes else "system"
        return {name: self.alone(size).replace(level=name) for name, size in sizes.items()} | {whole: self}


def system(chip: Chip, name: str = "") -> System:
    """Return a system of one chip, to build on with `add`."""
    return System(name=name or chip.name, title=chip.title, vendor=chip.vendor, level="chip", chip=chip, chips=1.0)
