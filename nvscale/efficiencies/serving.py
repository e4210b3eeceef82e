"""Constants of serving: what kernels reach inside an engine, and what the engine adds."""

from typing import Annotated, Any

from nvscale.efficiencies.base import Efficiency
from nvscale.unit_types import Ratio, Seconds
from nvscale.units import Unit

Flag = Annotated[Any, Unit("1", "[0,1]")]


class ServingEfficiency(Efficiency):
    """What the kernels of one chip reach at one format of weights; the defaults are the ideal.

    Parameters
    ----------
    share_of_peak, share_of_bandwidth : 1
        What matrix multiplies reach of the peak rate and of the memory bandwidth.
    launch : s
        Time of the shortest matrix multiply.
    attention_launch : s
        Launches of attention and the small kernels around it, a layer.
    attention_bandwidth, attention_peak : 1
        Share of the memory bandwidth that decode attention reaches, and of the 16-bit rate that prefill attention does.
    pass_bandwidth : 1
        Share of the memory bandwidth of element-wise passes.
    exchange_latency, exchange_doubling : s
        All-reduce of the engine without data: in a group of one (extrapolated), and per doubling of the group.
    exchange_share : 1
        Share of the scale-up bandwidth that the all-reduce reaches.
    """

    share_of_peak: Ratio = 1.0
    share_of_bandwidth: Ratio = 1.0
    launch: Seconds = 0.0
    attention_launch: Seconds = 0.0
    attention_bandwidth: Ratio = 1.0
    attention_peak: Ratio = 1.0
    pass_bandwidth: Ratio = 1.0
    exchange_latency: Seconds = 0.0
    exchange_doubling: Seconds = 0.0
    exchange_share: Ratio = 1.0


class ServingEngine(Efficiency):
    """What a serving engine adds to its kernels; the defaults are the ideal: nothing.

    Parameters
    ----------
    name : str
        "vllm", "sglang", "trtllm", "generic", or a name of one's own.
    step : s
        Host time of a step.
    sequence : s
        Host time per sequence and step.
    interference : 1
        Part of the prefills of other users that a decode step waits for.
    expert_bytes, expert_work : 1
        Time of reading experts' weights, and of their work, relative to bandwidth and peak rate.
    expert_work_plain : 1
        The same of the work of experts whose weights have no scales in blocks: 16 bits, or 8 bits with one scale.
    expert_layer : s
        Routing, sorting and launches of an expert layer.
    expert_layer_narrow : s
        The same where weights of 4 bits meet units of 4 bits: one fused kernel.
    expert_half_width : 1
        Width of an expert's part on one chip at which reading it takes twice as long for its bytes as a wide one does.
    prefill_alone : 1
        1: prompts are computed in steps of their own; 0: together with decoding.
    reserves : 1
        Part of the output for which the cache is reserved ahead: 1 all of it, 0.5 what is used on average.
    shares_free : 1
        1: the engine takes its share of the memory that weights leave; 0: weights are part of its share of all memory.
    first_scale : 1
        Time of the first pass relative to the sum of its kernels.
    first_steps : 1
        Decode steps that a new request waits besides, for each data parallel rank.
    admission : s
        Time per user of a burst until a request is admitted.
    first_launch, first_expert_layer : s
        Fixed time of the first pass, and per expert layer.
    """

    name: str = "ideal"
    step: Seconds = 0.0
    sequence: Seconds = 0.0
    interference: Ratio = 1.0
    expert_bytes: Ratio = 1.0
    expert_work: Ratio = 1.0
    expert_work_plain: Ratio = 1.0
    expert_layer: Seconds = 0.0
    expert_layer_narrow: Seconds = 0.0
    expert_half_width: Ratio = 0.0
    prefill_alone: Flag = 0.0
    reserves: Flag = 0.5
    shares_free: Flag = 0.0
    first_scale: Ratio = 1.0
    first_steps: Ratio = 1.0
    admission: Seconds = 0.0
    first_launch: Seconds = 0.0
    first_expert_layer: Seconds = 0.0
