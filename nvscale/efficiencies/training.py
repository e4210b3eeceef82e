"""Constants of training steps: what a chip sustains, and what a software stack makes of it."""

from typing import Annotated, Any

from nvscale.efficiencies.base import Efficiency
from nvscale.unit_types import Bytes, Count, Ratio, Seconds, Share
from nvscale.units import Unit

Flag = Annotated[Any, Unit("1", "[0,1]")]


class TrainingEfficiency(Efficiency):
    """What one chip sustains during training at one precision; the defaults are the ideal.

    Parameters
    ----------
    share_of_peak, share_of_peak_16 : 1
        What long matrix multiplies reach of the peak rate, at the job's precision and at 16 bits.
    half_length, half_length_16 : 1
        Inner length of a product at which half of that rate is reached.
    sustained : 1
        Rate over a whole run relative to a benchmark of seconds: power and clocks.
    wave_exposure : 1
        How much of an average, half filled last wave of output tiles is felt.
    tile : 1
        Elements of an output tile.
    share_of_bandwidth : 1
        Share of the memory bandwidth that passes over activations reach.
    scaleup_share, scaleout_share : 1
        Share of the bandwidth that collectives of large messages reach, in the domain and between domains.
    hop : s
        Latency of one step of a ring between domains.
    hop_inside : s
        Latency of an exchange in the domain, for each of its ranks.
    """

    share_of_peak: Ratio = 1.0
    share_of_peak_16: Ratio = 1.0
    half_length: Ratio = 0.0
    half_length_16: Ratio = 0.0
    sustained: Ratio = 1.0
    wave_exposure: Ratio = 0.0
    tile: Count = 32768.0
    share_of_bandwidth: Ratio = 1.0
    scaleup_share: Ratio = 1.0
    scaleout_share: Ratio = 1.0
    hop: Seconds = 0.0
    hop_inside: Seconds = 0.0


class TrainingStack(Efficiency):
    """What a training software stack does with a chip; the defaults are the ideal: everything fused and hidden.

    Parameters
    ----------
    name : str
        "vendor-fused", "compiled", "eager", "unfused", "unfused-eager", or a name of one's own.
    site_share : 1
        Rate relative to the best tuned site: power limits, hosts, library versions.
    element_wise : 1
        Traffic of element-wise passes relative to the count of fused kernels.
    cast_size : byte
        Bytes moved per operand element to cast it to 8 bits or fewer.
    attention_share : 1
        Rate of the attention kernel relative to 16-bit matrix multiplies.
    window_skipping : 1
        How much of the work outside its window a windowed layer skips.
    scan_share : 1
        Rate of state-space scans relative to 16-bit matrix multiplies.
    unfused : 1
        1: attention stores its scores.
    softmax_size : byte
        Of unfused attention: bytes moved per score in the forward pass (x 18/14 in the backward pass).
    launch : s
        Time that the host needs for one kernel.
    attention_kernels, ffn_kernels : 1
        Kernels of the two halves of a layer, forward.
    micro_batch_launch : s
        Host time per micro-batch and pipeline rank.
    tp_overlap, dp_overlap, fsdp_overlap, pp_overlap : 1
        Hidden share of the exchanges of tensor (and context), data, fully sharded data and pipeline parallelism.
    head_on_last_stage : 1
        1: the output head sits on the last stage on top of its layers; 0: stages are balanced around it.
    straggler_growth : 1
        Growth of the step per factor e in the number of replicas beyond 8.
    handicap, maturing : 1, s
        Extra time of software on a chip that has just shipped, and the time in which it falls by a factor e.
    age : s
        Age of the software on this chip: from its first shipment to the run.
    expert_half_tokens : 1
        Tokens of one expert at which its product reaches half its rate.
    permutation : 1
        Traffic of sorting tokens to experts, relative to the count of passes.
    ep_overlap, ep_overlap_outside : 1
        Hidden share of the expert exchange inside the domain and between domains.
    expert_kernels : 1
        Kernels that an expert layer adds, forward.
    expert_handicap, expert_maturing, expert_age : 1, s, s
        The same for expert layers, counted from September 2025.
    broadcast : s
        Time per replica of optimizer states that every rank broadcasts on its own; 0 where they are gathered.
    """

    name: str = "ideal"
    site_share: Ratio = 1.0
    element_wise: Ratio = 1.0
    cast_size: Bytes = 0.0
    attention_share: Ratio = 1.0
    window_skipping: Share = 1.0
    scan_share: Ratio = 1.0
    unfused: Flag = 0.0
    softmax_size: Bytes = 0.0
    launch: Seconds = 0.0
    attention_kernels: Count = 18.0
    ffn_kernels: Count = 12.0
    micro_batch_launch: Seconds = 0.0
    tp_overlap: Share = 1.0
    dp_overlap: Share = 1.0
    fsdp_overlap: Share = 1.0
    pp_overlap: Share = 1.0
    head_on_last_stage: Flag = 0.0
    straggler_growth: Ratio = 0.0
    handicap: Ratio = 0.0
    maturing: Seconds = 31557600.0
    age: Seconds = 63115200.0
    expert_half_tokens: Ratio = 0.0
    permutation: Ratio = 1.0
    ep_overlap: Share = 1.0
    ep_overlap_outside: Share = 1.0
    expert_kernels: Count = 100.0
    expert_handicap: Ratio = 0.0
    expert_maturing: Seconds = 31557600.0
    expert_age: Seconds = 31557600.0
    broadcast: Seconds = 0.0
