"""Exchanges between devices: collectives, and the dispatch and combine of experts."""

import functools
import tomllib
from importlib import resources
from typing import Any

from nvscale.errors import unknown
from nvscale.formats import plain_name
from nvscale.formulas import protocols
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Ratio

OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all")
DIRECTIONS = ("dispatch", "combine")
WIRE = {"dispatch": 1.0, "combine": 2.0}
"""Bytes of an element where nothing is said: tokens go out as fp8 and come back as bf16."""


@functools.cache
def implementations() -> dict[str, dict[str, Any]]:
    """Return what is known of every implementation, by name."""
    return tomllib.loads(resources.files("nvscale.workloads").joinpath("data/implementations.toml").read_text(encoding="utf-8"))


@functools.cache
def _spellings() -> dict[str, str]:
    return {plain_name(word): name for name, entry in implementations().items() for word in (name, *entry.get("aliases", ()))}


def known_implementation(name: str) -> str:
    """Return an implementation in the spelling of the data, or the empty word where nothing is known of it.

    >>> known_implementation("NCCL"), known_implementation("my own")
    ('nccl', '')
    """
    return _spellings().get(plain_name(name), "")


def _implementation(name: str) -> str:
    found = known_implementation(name)
    if name and not found:
        raise unknown("implementation of an exchange", name, implementations())
    return found


def _word(what: str, name: str, known: tuple[str, ...]) -> str:
    plain = {plain_name(word): word for word in known}
    if plain_name(str(name)) not in plain:
        raise unknown(what, name, known)
    return plain[plain_name(str(name))]


class Collective(Record):
    """One collective among a group of devices.

    Parameters
    ----------
    op : str
        "all_reduce", "all_gather", "reduce_scatter" or "all_to_all".
    message_bytes : byte
        As in nccl-tests: the buffer of an all-reduce, the result of an all-gather, the input of a
        reduce-scatter, all that one device sends in an all-to-all.
    n_gpus : 1
        Devices in the group; 1 needs no time.
    n_nodes : 1
        Nodes or scale-up domains that the group spans.
    implementation : str
        "nccl", an all-reduce kernel of a serving engine such as "vllm" or "vllm eager", or "custom".

    Examples
    --------
    >>> work = Collective(op="all-reduce", message_bytes="16 MiB", n_gpus=8)
    >>> work.op, work.bus_bytes
    ('all_reduce', 29360128.0)
    """

    op: str
    message_bytes: Bytes
    n_gpus: Count
    n_nodes: Count = 1.0
    implementation: str = "nccl"

    def __post_init__(self) -> None:
        """Check the fields; operation and implementation take the spelling of the data."""
        super().__post_init__()
        object.__setattr__(self, "op", _word("collective", self.op, OPERATIONS))
        object.__setattr__(self, "implementation", _implementation(self.implementation) or "nccl")

    @property
    def phases(self) -> float:
        """Passes around a ring: 2 for an all-reduce, 1 for the others."""
        return 2.0 if self.op == "all_reduce" else 1.0

    @property
    def bus_bytes(self) -> Bytes:
        """Bytes that pass the port of each device."""
        return protocols.bus_bytes(self.message_bytes, self.n_gpus, self.phases)


class ExpertExchange(Record):
    """The dispatch of tokens to their experts, or the combination of the results.

    Parameters
    ----------
    op : str
        "dispatch" or "combine".
    tokens : 1
        Tokens of each device.
    n_gpus, n_nodes : 1
        Devices over which the experts are spread, and the nodes they stand in.
    hidden : 1
        Elements of a token.
    topk, experts : 1
        Experts of a token, and of the layer.
    element_bytes : byte
        Bytes of an element on the wire; 1 out and 2 back where it is not given.
    implementation : str
        "deepep", "trtllm_nvlinktwosided_fp8" ...; empty for none in particular.

    Examples
    --------
    >>> ExpertExchange(op="dispatch", tokens=128, n_gpus=8).sent
    917504.0
    """

    op: str
    tokens: Ratio
    n_gpus: Count
    n_nodes: Count = 1.0
    hidden: Count = 7168.0
    topk: Count = 8.0
    experts: Count = 256.0
    element_bytes: Bytes = None
    implementation: str = ""

    def __post_init__(self) -> None:
        """Check the fields; direction and implementation take the spelling of the data."""
        super().__post_init__()
        object.__setattr__(self, "op", _word("direction of an expert exchange", self.op, DIRECTIONS))
        object.__setattr__(self, "implementation", _implementation(self.implementation))

    @property
    def wire(self) -> Bytes:
        """Bytes of an element on the wire."""
        return WIRE[self.op] if self.element_bytes is None else self.element_bytes

    @property
    def sent(self) -> Bytes:
        """Bytes of the tokens of one device, each once."""
        return self.tokens * self.hidden * self.wire
