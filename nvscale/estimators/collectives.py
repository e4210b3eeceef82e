"""`collective`: the time of a collective or an expert exchange, by the constants of its library and link."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nvscale import catalogue
from nvscale.composition import System
from nvscale.efficiencies import Efficiency
from nvscale.efficiencies.collectives import (
    DomainEfficiency,
    DomainExchangeEfficiency,
    EngineEfficiency,
    ExchangeEfficiency,
    HostEfficiency,
    NodesEfficiency,
)
from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.estimate import Estimate, Timing, derived, figure, term
from nvscale.formulas import expert_exchange, protocols
from nvscale.ops import FLOAT, carrier, exp, log, maximum, where
from nvscale.record import units_of
from nvscale.silicon import Chip
from nvscale.truth.calibrations import as_calibration
from nvscale.truth.constants import Constants, Found, shipped_constants
from nvscale.workloads.collectives import Collective, ExpertExchange, implementations

LAUNCH, PROTOCOL, STREAM = "launch", "steps and protocol", "stream"
LATENCY_UP_TO, TRANSITION_UP_TO, MEASURED_UP_TO = 2.0**17, 2.0**25, 2.0**27
"""Messages at which the regimes of the intervals end, in byte."""
CARDS_OF_A_PAIR = 2.0
"""Over the host's bus the kernels of serving engines serve pairs only."""
LARGEST_NODE = 8.0
"""Devices of the largest group whose collectives were measured."""
BEYOND_THE_GROUP = 1.5
"""Factor by which intervals widen for groups larger than any that was measured."""


class Link(NamedTuple):
    """What joins the devices: a scale-up domain, or the host's bus."""

    rate: Estimate
    over_host: bool

    def class_(self, name: str) -> str:
        """The class of constants: those of the host's bus have names of their own."""
        return f"host {name}" if self.over_host else name


def collective(
    work: "Collective | ExpertExchange",
    system: "Chip | System | str",
    efficiency: Efficiency | None = None,
    calibration: "Mapping[str, Constants] | str | Path | None" = None,
) -> Timing:
    """Return the time of a collective or of an expert exchange, with its 90 % interval and what binds.

    Parameters
    ----------
    work : Collective or ExpertExchange
        What is exchanged, among how many.
    system : Chip, System or str
        Where; of a system the chip and its scale-up link count.
    efficiency : Efficiency, optional
        Constants to use; `nvscale.IDEAL` for the bare bandwidth of a collective; the fitted ones by default.
    calibration : mapping of str to Constants, str or Path, optional
        Constants of one's own by kind of work, or the file that `nvscale calibrate` wrote.

    Returns
    -------
    Timing
        `value`, `low`, `high`, `by`, `headroom`, `explain()`.

    Examples
    --------
    >>> from nvscale.workloads import Collective
    >>> slow = collective(Collective(op="all_reduce", message_bytes=2.0**27, n_gpus=8), "H100")
    >>> fast = collective(Collective(op="all_reduce", message_bytes=2.0**14, n_gpus=8), "H100")
    >>> slow.by, fast.by
    ('stream', 'steps and protocol')
    """
    chip = _chip(system)
    shipped = _Constants(as_calibration(calibration) or {})
    if isinstance(work, ExpertExchange):
        return _exchange(work, chip, efficiency, shipped)
    if not isinstance(work, Collective):
        raise InvalidInput(f"collective: {work!r} is no exchange; wanted a Collective or an ExpertExchange")
    if carrier(work.n_nodes) != FLOAT or work.n_nodes > 1.0:
        return _over_nodes(work, chip, efficiency, shipped)
    link = _link(chip)
    sort = implementations()[work.implementation]["kind"]
    if sort == "bytes":
        return _bytes(work, chip, link, shipped)
    if sort in ("nodes", "domain"):
        raise InvalidInput(f"collective: {work.implementation} is an expert exchange; give an ExpertExchange")
    value, used = _library(work, chip, link, efficiency, shipped)
    if sort != "library":
        value, used = _engine(work, chip, link, value, efficiency, shipped)
    return _timing(work, chip, link, value, used)


class _Constants:
    """Where constants are looked up: the caller's calibration, or those that come with nvscale."""

    def __init__(self, calibration: Mapping[str, Constants]) -> None:
        self.calibration = calibration

    def of(self, kind: str) -> Constants:
        return self.calibration.get(kind) or shipped_constants(kind)

    def find(self, kind: str, class_: str, path: str, chip: Chip) -> Found:
        found = self.of(kind).find(class_, path, chip)
        if found is None:
            raise MissingFigure(
                f"no constants of {class_} with {path or 'any implementation'} fit {chip.name}; give an efficiency of your own"
            )
        return found

    def efficiency(self, record: type[Any], kind: str, class_: str, path: str, chip: Chip, rename: Mapping[str, str] | None = None) -> Any:
        """Constants as a record; `rename` maps names of shared constants to fields."""
        found = self.find(kind, class_, path, chip)
        known = units_of(record)
        named = {(rename or {}).get(name, name): one for name, one in found.constants.items()}
        figures = {name: one.value for name, one in named.items() if name in known}
        sources = {name: one.source() for name, one in named.items() if name in known}
        spreads = self.of(kind).spreads(found.interval, chip, class_)
        return record(origin=found.origin, assumptions=found.assumptions, spreads=spreads, sources=sources, **figures)


def _chip(system: "Chip | System | str") -> Chip:
    if isinstance(system, str):
        try:
            return catalogue.chip(system)
        except UnknownName as problem:
            try:
                return catalogue.system(system).chip
            except UnknownName:
                raise problem from None
    if isinstance(system, System):
        return system.chip
    if not isinstance(system, Chip):
        raise InvalidInput(f"collective: system {system!r} is no chip, no system and no name of one")
    return system


def _link(chip: Chip) -> Link:
    """The scale-up link of a chip, or the host's bus where it has none."""
    if chip.scaleup_bandwidth is not None and not (carrier(chip.scaleup_bandwidth) == FLOAT and chip.scaleup_bandwidth == 0.0):
        return Link(figure(chip, "scaleup_bandwidth"), False)
    if chip.host_bandwidth is None:
        raise MissingFigure(f"{chip.name}: neither a scale-up link nor a host link is known; give one with replace(scaleup_bandwidth=...)")
    return Link(figure(chip, "host_bandwidth"), True)


def _chosen(record: type[Any], efficiency: Efficiency | None, find: Any) -> Any:
    """The caller's efficiency, the ideal as this record, or what `find` finds."""
    if efficiency is None:
        return find()
    if type(efficiency) is Efficiency:
        return record(origin=efficiency.origin)
    return efficiency if isinstance(efficiency, record) else find()


def _library(work: Collective, chip: Chip, link: Link, efficiency: Efficiency | None, constants: _Constants) -> tuple[Any, Any]:
    """Time and constants of the collectives library."""
    size, n = work.message_bytes, work.n_gpus
    to_all = work.op == "all_to_all"
    joins = ("host_" if link.over_host else "") + ("all_to_all_sharpness" if to_all else "ring_sharpness")
    rename = {joins: "sharpness", "host_switch": "switch"}
    record: type[Any] = HostEfficiency if link.over_host else DomainEfficiency
    used = _chosen(record, efficiency, lambda: constants.efficiency(record, "collectives", link.class_(work.op), "nccl", chip, rename))
    rate = link.rate.value
    if link.over_host:
        shared = (used.launch, used.hop, used.fill, used.pair_share * rate, used.four_share * rate, used.contention)
        if to_all:
            return protocols.host_all_to_all_time(size, n, *shared, sharpness=used.sharpness), used
        return protocols.host_ring_time(size, n, work.phases, *shared, switch=used.switch, sharpness=used.sharpness), used
    port = {"launch": used.launch, "hop": used.hop, "fill": used.fill, "bandwidth": used.share_of_link * rate}
    port |= {"self_share": used.self_share, "sharpness": used.sharpness}
    if to_all:
        return protocols.nvlink_all_to_all_time(size, n, **port, peer_bandwidth=used.peer_bandwidth), used
    value = protocols.nvlink_ring_time(
        size,
        n,
        work.phases,
        **port,
        low_latency_bandwidth=used.low_latency_share * rate,
        switch_per_rank=used.switch_per_rank,
        fill_growth=used.fill_growth,
        latency_ratio=used.latency_ratio,
        ramp_per_rank=used.ramp_per_rank,
    )
    return value, used


def _engine(
    work: Collective, chip: Chip, link: Link, fallback: Any, efficiency: Efficiency | None, constants: _Constants
) -> tuple[Any, Any]:
    """Time and constants of the all-reduce kernel of a serving engine."""
    if work.op != "all_reduce":
        raise InvalidInput(f"collective: {work.implementation} is an all-reduce kernel; wanted op 'all_reduce', given {work.op!r}")
    said = implementations()[work.implementation]
    graph = said.get("graph", work.implementation)
    class_ = link.class_("custom all_reduce")

    def find() -> Any:
        try:
            return constants.efficiency(EngineEfficiency, "collectives", class_, graph, chip)
        except MissingFigure:
            return constants.efficiency(EngineEfficiency, "collectives", class_, "custom", chip)

    used = _chosen(EngineEfficiency, efficiency, find)
    rate = link.rate.value
    value = protocols.custom_all_reduce_time(
        work.message_bytes,
        work.n_gpus,
        fallback,
        used.launch,
        used.hop,
        used.one_shot_share * rate,
        used.second_phase,
        used.two_shot_share * rate,
        handover=used.handover,
        largest_group=CARDS_OF_A_PAIR if link.over_host else math.inf,
    )
    if said["kind"] != "eager":
        return value, used
    eager = constants.efficiency(EngineEfficiency, "collectives", "eager all_reduce", work.implementation, chip)
    launched = protocols.eager_time(value, eager.host_floor, eager.extra, eager.slowdown)
    both = used.replace(host_floor=eager.host_floor, extra=eager.extra, slowdown=eager.slowdown)
    return where(work.n_gpus > 1.0, launched, 0.0), both.replace(spreads=eager.spreads, origin=eager.origin, assumptions=eager.assumptions)


def _bytes(work: Collective, chip: Chip, link: Link, constants: _Constants) -> Timing:
    """An exchange of which only the bytes are known."""
    used = constants.efficiency(ExchangeEfficiency, "collectives", "exchanged bytes", work.implementation, chip)
    value = protocols.pipelined_time(used.launch, work.message_bytes / used.bandwidth, used.sharpness)
    return _timing(work, chip, link, where(work.n_gpus > 1.0, value, 0.0), used)


def _timing(work: Collective, chip: Chip, link: Link, value: Any, used: Any) -> Timing:
    """The tree: launch, then what the bytes take at the rate of the link, and steps and protocol between."""
    n, size = work.n_gpus, work.message_bytes
    launch = derived(LAUNCH, where(n > 1.0, used.launch, 0.0), "s", "once, in a group", figure(used, "launch", "launch of the kernel"))
    moved = derived("bus bytes", work.bus_bytes, "byte", "p S (n - 1) / n")
    bare = work.bus_bytes / link.rate.value
    stream = derived(STREAM, bare, "s", "bus bytes / link", moved, link.rate)
    rest = term(PROTOCOL, value - launch.value - bare, "s")
    tree = derived("time", value, "s", "launch + steps and protocol + stream", launch, rest, stream)
    regimes = {
        "latency": size < LATENCY_UP_TO,
        "transition": size < TRANSITION_UP_TO,
        "bandwidth": size <= MEASURED_UP_TO,
        "beyond": size > MEASURED_UP_TO,
    }
    assumptions = (*used.assumptions, f"efficiency {used.origin}", *(("joined through the host",) if link.over_host else ()))
    if carrier(n) == FLOAT and n > LARGEST_NODE:
        assumptions += (f"{n:g} devices in one domain: groups above {LARGEST_NODE:g} were not measured",)
    low, high = used.factors(regimes)
    if low is not None:
        wider = where(n > LARGEST_NODE, BEYOND_THE_GROUP, 1.0)
        low, high = low / wider, high * wider
    name = f"{work.op} of {_said(size, 'byte')} among {_said(n)} {chip.name}, {work.implementation}"
    return Timing(name, tree, contenders=(LAUNCH, PROTOCOL, STREAM), roofline=bare, factors=(low, high), assumptions=assumptions)


def _said(value: Any, unit: str = "") -> str:
    from nvscale.units import readable

    if carrier(value) != FLOAT:
        return "(swept)"
    return readable(value, unit) if unit else f"{value:g}"


def _over_nodes(work: Collective, chip: Chip, efficiency: Efficiency | None, constants: _Constants) -> Timing:
    """An all-reduce over nodes: two tiers at once."""
    if work.op != "all_reduce":
        raise InvalidInput(f"collective: over nodes only all_reduce has constants; given {work.op!r}")
    link = _link(chip)

    def find() -> Any:
        return constants.efficiency(NodesEfficiency, "collectives_multinode", "all_reduce", "", chip)

    used = efficiency if isinstance(efficiency, NodesEfficiency) else find()
    inside = constants.efficiency(DomainEfficiency, "collectives", "all_reduce", "nccl", chip)
    size, n, nodes = work.message_bytes, work.n_gpus, work.n_nodes
    each = n / nodes
    bus = used.node_share * inside.share_of_link * link.rate.value / (1.0 + inside.self_share / maximum(each - 1.0, 1.0))
    steps = 1.0 + 0.5 * maximum(log(maximum(nodes, 1.0)) / log(2.0) - 1.0, 0.0)
    outside = each * used.network_rate * used.network_share
    value = protocols.two_tier_all_reduce_time(size, n, nodes, used.latency * steps, bus, outside, used.sharpness)
    latency = derived(
        "latency", used.latency * steps, "s", "latency x (1 + log2(N / 2) / 2)", figure(used, "latency", "latency of two nodes")
    )
    inner = derived("stream inside the nodes", protocols.bus_bytes(size, n, 2.0) / bus, "s", "bus bytes / rate in the node")
    outer = derived("stream over the network", protocols.bus_bytes(size, nodes, 2.0) / outside, "s", "bytes of a node / its network")
    tree = Estimate("time", value, "s", how="norm of latency and the larger of", terms={t.name: t for t in (latency, inner, outer)})
    bare = maximum(protocols.bus_bytes(size, n, 2.0) / link.rate.value, protocols.bus_bytes(size, nodes, 2.0) / (each * used.network_rate))
    note = "constants of one cluster hardly carry over to another: a report, not a validated prediction"
    return Timing(
        f"all_reduce of {_said(size, 'byte')} among {_said(n)} {chip.name} in {_said(nodes)} nodes",
        tree,
        contenders=("latency", inner.name, outer.name),
        roofline=bare,
        factors=used.factors({}),
        assumptions=(*used.assumptions, f"efficiency {used.origin}", note),
    )


# ---------------------------------------------------------------- expert exchange


def _exchange(work: ExpertExchange, chip: Chip, efficiency: Efficiency | None, constants: _Constants) -> Timing:
    """Dispatch or combine, inside a domain or over nodes."""
    if carrier(work.n_nodes) != FLOAT:
        raise InvalidInput("collective: n_nodes of an ExpertExchange must be one number; constants belong to a number of nodes")
    sort = implementations().get(work.implementation, {"kind": ""})
    inside = sort["kind"] == "domain" or (not sort["kind"] and _in_domain(work))
    if sort["kind"] in ("library", "engine", "eager", "bytes"):
        raise InvalidInput(f"collective: {work.implementation} exchanges no experts; leave it away or give e.g. 'deepep'")
    if isinstance(efficiency, DomainExchangeEfficiency | ExchangeEfficiency):
        used, value = efficiency, _exchange_time(work, efficiency)
        between: tuple[str, ...] = ()
    elif inside:
        used = constants.efficiency(DomainExchangeEfficiency, "expert_exchange", f"{work.op}, one domain", work.implementation, chip)
        value, between = _exchange_time(work, used), ()
    else:
        used, value, between = _by_nodes(work, chip, constants)
    return _exchange_timing(work, chip, used, value, between, few=bool(sort.get("few_rows")))


def _in_domain(work: ExpertExchange) -> bool:
    """Whether the group stands in trays of one large domain (4 devices a tray) and not in nodes of 8."""
    each = work.n_gpus / work.n_nodes
    if carrier(each) == FLOAT:
        return bool(each > LARGEST_NODE or (each == 4.0 and work.n_nodes > 1.0))
    return carrier(each) == "array" and bool((each > LARGEST_NODE).all())


def _exchange_time(work: ExpertExchange, used: Any) -> Any:
    token = (work.tokens, work.hidden, work.wire, work.n_gpus, work.topk)
    if isinstance(used, DomainExchangeEfficiency):
        return expert_exchange.domain_expert_exchange_time(
            *token, used.launch, used.doubling, used.bandwidth, used.own_copy, used.reach, used.sharpness
        )
    return expert_exchange.expert_exchange_time(*token, used.launch, used.token_time, used.bandwidth, used.sharpness)


def _nodes_class(op: str, nodes: float) -> str:
    return f"{op}, {nodes:g} node{'s' if nodes > 1.0 else ''}"


def _by_nodes(work: ExpertExchange, chip: Chip, constants: _Constants) -> tuple[Any, Any, tuple[str, ...]]:
    """Constants of the number of nodes; between measured numbers the times are interpolated in log2 of it."""
    table = constants.of("expert_exchange")
    counts = sorted({float(c.split()[1]) for c, *_ in table.rows if c.startswith(f"{work.op}, ") and c.split()[1].isdigit()})
    path = work.implementation

    def at(nodes: float) -> Any:
        return constants.efficiency(ExchangeEfficiency, "expert_exchange", _nodes_class(work.op, nodes), path, chip)

    nodes = work.n_nodes
    below = max((count for count in counts if count <= nodes), default=counts[0])
    above = min((count for count in counts if count >= nodes), default=counts[-1])
    if below == above:
        said = () if below == nodes else (f"{nodes:g} nodes were not measured: constants of {below:g} nodes",)
        used = at(below)
        return used, _exchange_time(work, used), said
    low, high = at(below), at(above)
    part = math.log(nodes / below) / math.log(above / below)
    value = exp((1.0 - part) * log(_exchange_time(work, low)) + part * log(_exchange_time(work, high)))
    return low, value, (f"{nodes:g} nodes were not measured: between {below:g} and {above:g} nodes",)


def _exchange_timing(work: ExpertExchange, chip: Chip, used: Any, value: Any, between: tuple[str, ...], *, few: bool) -> Timing:
    launch = derived(
        LAUNCH, where(work.n_gpus > 1.0, used.launch, 0.0), "s", "once, in a group", figure(used, "launch", "launch of the kernel")
    )
    leaving = expert_exchange.copies_to_ranks(work.n_gpus, work.topk)
    if not isinstance(used, DomainExchangeEfficiency):
        leaving = expert_exchange.expected_copies_to_ranks(work.n_gpus, work.topk)
    copies = derived("copies that leave", leaving, "1", "distinct other devices of a token")
    bare = work.sent * leaving / used.bandwidth
    stream = derived(
        STREAM, bare, "s", "tokens x bytes x copies / rate", term("sent", work.sent, "byte"), copies, figure(used, "bandwidth")
    )
    rest = term(PROTOCOL, value - launch.value - bare, "s")
    tree = derived("time", value, "s", "launch + steps and protocol + stream", launch, rest, stream)
    low, high = used.factors({"few rows": value > 0.0} if few else {})
    if between and low is not None:
        low, high = low / 2.0, high * 2.0
    return Timing(
        f"{work.op} of {_said(work.tokens)} tokens among {_said(work.n_gpus)} {chip.name}, {work.implementation or 'any implementation'}",
        tree,
        contenders=(LAUNCH, PROTOCOL, STREAM),
        roofline=bare,
        factors=(low, high),
        assumptions=(*used.assumptions, f"efficiency {used.origin}", *between),
    )
