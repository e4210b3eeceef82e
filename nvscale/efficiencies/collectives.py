"""Constants of collectives and expert exchanges: launches, steps, shares of the link, and figures of a library's protocols."""

from typing import Annotated, Any

from nvscale.efficiencies.base import Efficiency
from nvscale.unit_types import Bytes, BytesPerSecond, Ratio, Seconds
from nvscale.units import Unit

Limit = Annotated[Any, Unit("byte", ">=0", infinite=True)]
Exponent = Annotated[Any, Unit("1", "any")]


class DomainEfficiency(Efficiency):
    """Constants of a collective of a library inside a switched scale-up domain; the defaults are the ideal.

    Parameters
    ----------
    launch, hop, fill : s
        Launch, one step to a neighbour, fill of the pipeline of two.
    low_latency_share, share_of_link : 1
        Share of the link that the low-latency and the bulk protocol reach; above 1 where the switch reduces.
    self_share : 1
        Work on the own shard as a share of one exchanged shard.
    peer_bandwidth : byte/s
        Rate of one channel to one peer in an all-to-all; 1 where only the bulk protocol counts.
    switch_per_rank, ramp_per_rank : byte
        Bytes of a device at which the library changes to bulk, and at which a step has its full latency.
    sharpness, fill_growth, latency_ratio : 1
        How fill and stream join, how the fill grows with the group, how much longer long lines take.
    """

    launch: Seconds = 0.0
    hop: Seconds = 0.0
    fill: Seconds = 0.0
    low_latency_share: Ratio = 1.0
    share_of_link: Ratio = 1.0
    self_share: Exponent = 0.0
    peer_bandwidth: BytesPerSecond = 1.0
    switch_per_rank: Bytes = 0.0
    ramp_per_rank: Bytes = 1.0
    sharpness: Ratio = 1.0
    fill_growth: Ratio = 0.0
    latency_ratio: Ratio = 1.0


class HostEfficiency(Efficiency):
    """Constants of a collective of a library among cards that are joined through their host; the defaults are the ideal.

    Parameters
    ----------
    launch, hop, fill : s
        Launch, one step to a neighbour, fill of the pipeline of two.
    pair_share, four_share : 1
        Share of the host's link that two cards, and four, reach.
    contention : 1
        Exponent with which the bandwidth falls beyond four.
    switch : byte
        Message at which the library changes to bulk.
    sharpness : 1
        How fill and stream join.
    """

    launch: Seconds = 0.0
    hop: Seconds = 0.0
    fill: Seconds = 0.0
    pair_share: Ratio = 1.0
    four_share: Ratio = 1.0
    contention: Exponent = 0.0
    switch: Bytes = 0.0
    sharpness: Ratio = 1.0


class EngineEfficiency(Efficiency):
    """Constants of the all-reduce kernel of a serving engine; the defaults are the ideal.

    Parameters
    ----------
    launch, hop, second_phase : s
        Launch in a graph, one flag of a peer, second barrier of the two-shot kernel.
    one_shot_share, two_shot_share : 1
        Share of the link that the two kernels reach.
    handover : byte
        Message beyond which the engine calls the collectives library.
    host_floor, extra : s
        Of an eager call: what the host needs for it, and the copy before the kernel.
    slowdown : 1
        Of an eager call: factor on the time inside a graph.
    """

    launch: Seconds = 0.0
    hop: Seconds = 0.0
    second_phase: Seconds = 0.0
    one_shot_share: Ratio = 1.0
    two_shot_share: Ratio = 1.0
    handover: Limit = float("inf")
    host_floor: Seconds = 0.0
    extra: Seconds = 0.0
    slowdown: Ratio = 1.0


class ExchangeEfficiency(Efficiency):
    """Constants of an expert exchange of one implementation over one number of nodes.

    Parameters
    ----------
    launch, token_time : s
        What one token takes, and the work on the indices of each token.
    bandwidth : byte/s
        Rate of all copies of one device together.
    sharpness : 1
        How launch and transfer join.
    """

    launch: Seconds
    token_time: Seconds = 0.0
    bandwidth: BytesPerSecond
    sharpness: Ratio = 1.0


class DomainExchangeEfficiency(Efficiency):
    """Constants of an expert exchange inside one scale-up domain, for groups of any size.

    Parameters
    ----------
    launch, doubling : s
        Launch in a group of two, and what each doubling adds.
    bandwidth : byte/s
        Rate of all copies of one device together.
    own_copy : 1
        Work on the copy that stays, as a share of one that leaves.
    reach, sharpness : 1
        Exponent of the loss over larger groups; how launch and transfer join.
    """

    launch: Seconds
    doubling: Seconds = 0.0
    bandwidth: BytesPerSecond
    own_copy: Exponent = 0.0
    reach: Exponent = 0.0
    sharpness: Ratio = 1.0


class NodesEfficiency(Efficiency):
    """Constants of an all-reduce over nodes; those of one cluster hardly carry over to another.

    Parameters
    ----------
    latency : s
        Latency of the smallest call between two nodes.
    network_rate : byte/s
        Rate of one device into the network, one way.
    network_share, node_share : 1
        Share of the network that is reached, and of the bus bandwidth inside a node.
    sharpness : 1
        How latency and stream join.
    """

    latency: Seconds
    network_rate: BytesPerSecond
    network_share: Ratio = 1.0
    node_share: Ratio = 1.0
    sharpness: Ratio = 1.0
