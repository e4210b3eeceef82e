"""Attention kernels: prefill of whole sequences and decode of one token each, for multi-head, grouped and multi-query heads."""

from nvscale.errors import InvalidInput, unknown
from nvscale.formulas import attention
from nvscale.ops import FLOAT, carrier
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Flop
from nvscale.workloads.words import AttentionStorage, attention_storage, framework_name

PHASES = ("prefill", "decode")
QUERY_SIZE = 2.0
"""Bytes per element of queries and outputs."""


class Attention(Record):
    """Causal attention of one layer, without its projections.

    Parameters
    ----------
    phase : str
        "prefill": all tokens of the sequences at once; "decode": one new token per sequence over a cache of `seq`.
    batch : 1
        Sequences.
    seq : 1
        Tokens of a sequence; in decode, those in the cache.
    heads, kv_heads : 1
        Query heads, and key-value heads; as many as query heads by default.
    head_dim : 1
        Elements of a head.
    precision : str
        "bf16", "fp8", or "bf16_kv_fp8": 16-bit queries over an 8-bit cache.
    framework : str
        Software whose kernels run: "sglang", "trtllm", "vllm"; empty for none in particular.

    Examples
    --------
    >>> work = Attention(phase="decode", batch=16, seq=8192, heads=32, kv_heads=8)
    >>> work.flop, work.cache
    (2147483648.0, 536870912.0)
    """

    phase: str
    batch: Count = 1.0
    seq: Count
    heads: Count
    kv_heads: Count = None
    head_dim: Count = 128.0
    precision: str = "bf16"
    framework: str = ""

    def __post_init__(self) -> None:
        """Check the fields; words take the spelling of the data."""
        super().__post_init__()
        if self.phase not in PHASES:
            raise unknown("phase of attention", self.phase, PHASES)
        if self.kv_heads is None:
            object.__setattr__(self, "kv_heads", self.heads)
        if carrier(self.heads) == carrier(self.kv_heads) == FLOAT and self.kv_heads > self.heads:
            raise InvalidInput(
                f"Attention: kv_heads {self.kv_heads:g} is above heads {self.heads:g}; a key-value head serves one head or more"
            )
        object.__setattr__(self, "precision", attention_storage(self.precision).name)
        object.__setattr__(self, "framework", framework_name(self.framework))

    @property
    def storage(self) -> AttentionStorage:
        """How queries and cache are stored."""
        return attention_storage(self.precision)

    @property
    def flop(self) -> Flop:
        """Operations of both matrix products: 2 B H S² D in prefill, 4 B H S D in decode."""
        if self.phase == "prefill":
            return attention.causal_attention_flop(self.batch, self.heads, self.seq, self.head_dim)
        return attention.full_attention_flop(self.batch, self.heads, 1.0, self.seq, self.head_dim)

    @property
    def cache(self) -> Bytes:
        """Bytes of the key-value cache of these sequences in one layer."""
        return attention.key_value_cache_size(self.batch * self.seq, 1.0, self.kv_heads, self.head_dim, self.storage.cache)

    @property
    def queries(self) -> Bytes:
        """Bytes of the queries and outputs of one token per sequence."""
        return 2.0 * self.batch * self.heads * self.head_dim * QUERY_SIZE

    @property
    def traffic(self) -> Bytes:
        """Least bytes that cross the memory: queries, keys, values and outputs once."""
        if self.phase == "decode":
            return self.cache + self.queries
        return attention.prefill_attention_traffic(self.batch, self.seq, self.heads, self.kv_heads, self.head_dim, QUERY_SIZE)
