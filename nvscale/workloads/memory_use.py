"""What a training program keeps on a chip besides its model: sizes of elements, workspaces, and what the runtime takes."""

import dataclasses
import functools
import tomllib
from collections.abc import Mapping
from importlib import resources

from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Ratio


class MemoryUse(Record):
    """Sizes that a training program brings with it; none belongs to a model.

    Parameters
    ----------
    element_size, statistics_size : byte
        Bytes of an activation, and of what a fused softmax keeps per row.
    workspace, expert_workspace : byte
        Scratch of the matrix multiplies, and of the grouped ones of experts.
    routed_copies : 1
        Copies of the gradient of routed tokens that the backward pass of an expert layer holds at its peak.
    gathered_layers : 1
        Layers whose weights are there as a whole where they are split over the replicas.
    fragmentation : 1
        Memory that the allocator reserves over what it hands out.
    context : byte
        Memory outside the allocator: the driver's context and the buffers of the collectives.
    low, high : 1
        Ends of the 90 % interval: measured over estimated.

    Examples
    --------
    >>> memory_use().element_size, memory_use().source("workspace").kind
    (2.0, 'vendor')
    """

    element_size: Bytes
    statistics_size: Bytes
    workspace: Bytes
    expert_workspace: Bytes
    routed_copies: Count
    gathered_layers: Count
    fragmentation: Ratio
    context: Bytes
    low: Ratio
    high: Ratio
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)


@functools.cache
def memory_use() -> MemoryUse:
    """Return the sizes of a Megatron-like program: a fused kernel for attention, one kernel for each activation function."""
    entries = tomllib.loads(resources.files("nvscale.workloads").joinpath("data/memory_use.toml").read_text(encoding="utf-8"))
    said = ("printed", "title", "place", "date", "kind", "low", "high")
    sources = {name: Source(document="memory-use", **{key: entry[key] for key in said if key in entry}) for name, entry in entries.items()}
    return MemoryUse(**{name: entry["value"] for name, entry in entries.items()}, sources=sources)
