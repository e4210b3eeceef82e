"""How a model is spread over chips: `Parallelism`, one layout of a training run or a deployment."""

import math
from typing import Annotated, Any

from nvscale.errors import InvalidInput, unknown
from nvscale.formats import plain_name
from nvscale.record import Record
from nvscale.unit_types import Count, Share
from nvscale.units import Unit

RECOMPUTE = ("none", "selective", "full")
SCHEDULES = ("1f1b", "gpipe", "interleaved", "zero-bubble")
STAGES = Annotated[Any, Unit("1", "[0,3]")]
Group = Annotated[Any, Unit("1", ">=1", infinite=True)]


class Parallelism(Record):
    """One layout: how many chips share a layer, a pipeline, a sequence, the experts, and what is kept or recomputed.

    The data-parallel replicas are what is left: chips / (tp x pp x cp).

    Parameters
    ----------
    tp, pp, cp : 1
        Tensor, pipeline and context parallel ranks.
    vpp : 1
        Chunks of layers that a pipeline rank holds (interleaving); 1 for none.
    ep, etp : 1
        Ranks that share the experts of a layer, and tensor parallel ranks of one expert.
    micro_batch : 1
        Sequences of one micro-batch of one replica.
    sequence_parallel : 1
        1: what lies between the tensor parallel products is split along the sequence.
    zero : 1
        0: every replica keeps everything; 1: optimizer states are split over the replicas; 2: gradients too;
        3: weights too (fully sharded data parallel).
    shard_group : 1
        Replicas over which states are split; all of them by default, fewer for hybrid sharding.
    schedule : str
        "1f1b" ("interleaved" where vpp is above 1), "gpipe" or "zero-bubble".
    recompute : str
        What the backward pass computes again: "none", "selective" (the attention core), "full" (whole layers).
    recompute_layers : 1
        Share of the layers to which `recompute` applies.
    offload : 1
        Share of the optimizer states that lives in host memory.

    Examples
    --------
    >>> Parallelism(tp=8, pp=16, vpp=8).replicas(16384)
    128.0
    """

    tp: Count = 1.0
    pp: Count = 1.0
    cp: Count = 1.0
    vpp: Count = 1.0
    ep: Count = 1.0
    etp: Count = 1.0
    micro_batch: Count = 1.0
    sequence_parallel: Share = 1.0
    zero: STAGES = 1.0
    shard_group: Group = math.inf
    schedule: str = "1f1b"
    recompute: str = "none"
    recompute_layers: Share = 1.0
    offload: Share = 0.0

    def __post_init__(self) -> None:
        """Check the fields; words take the spelling of the lists."""
        super().__post_init__()
        for field, allowed in (("schedule", SCHEDULES), ("recompute", RECOMPUTE)):
            given = plain_name(getattr(self, field))
            if given not in allowed:
                raise unknown(field, getattr(self, field), allowed)
            object.__setattr__(self, field, given)

    def replicas(self, chips: Count) -> Any:
        """Return the data-parallel replicas on so many chips: chips / (tp x pp x cp)."""
        return chips / (self.tp * self.pp * self.cp)

    def check(self, chips: float) -> None:
        """Raise InvalidInput where the layout does not fit the number of chips."""
        if chips % (self.tp * self.pp * self.cp):
            sizes = f"tp {self.tp:g} x pp {self.pp:g} x cp {self.cp:g} = {self.tp * self.pp * self.cp:g}"
            raise InvalidInput(f"Parallelism: {sizes} does not divide {chips:g} chips")
