"""Multi-head latent attention (DeepSeek): the kernel alone, or the module with its projections."""

from nvscale.errors import InvalidInput, unknown
from nvscale.formulas import latent_attention
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Flop
from nvscale.workloads.words import AttentionStorage, OperandStorage, attention_storage, framework_name, operand_storage

PHASES = ("prefill", "decode", "prefill_module", "decode_module")
FORMS = ("", "absorbed", "expanded")
QUERY_SIZE = 2.0
"""Bytes per element of queries, outputs and activations."""


class LatentAttention(Record):
    """Multi-head latent attention of one layer; sizes are those of DeepSeek-V3 where not given.

    Parameters
    ----------
    phase : str
        "prefill" or "decode": the attention kernel; "prefill_module" or "decode_module": with its projections.
    batch, seq : 1
        Sequences, and tokens of each; in decode, those in the cache.
    heads : 1
        Heads on this chip.
    precision : str
        "bf16", "fp8", or "bf16_kv_fp8": 16-bit queries over an 8-bit cache.
    projections : str
        Number format of the projections of a module: "bf16", "fp8_block", "nvfp4".
    form : str
        Of prefill: "expanded" (keys and values of every head) or "absorbed" (on latent rows, as decode
        always does); empty: as the framework does on the chip.
    framework : str
        Software whose kernels run: "sglang", "trtllm", "vllm"; empty for none in particular.

    Examples
    --------
    >>> work = LatentAttention(phase="decode", batch=16, seq=8192, heads=128)
    >>> work.cache, work.flop
    (150994944.0, 36507222016.0)
    """

    phase: str
    batch: Count = 1.0
    seq: Count
    heads: Count = 128.0
    precision: str = "bf16"
    projections: str = "bf16"
    form: str = ""
    framework: str = ""
    hidden: Count = 7168.0
    query_rank: Count = 1536.0
    latent_dim: Count = 512.0
    rotary_dim: Count = 64.0
    key_dim: Count = 128.0
    value_dim: Count = 128.0

    def __post_init__(self) -> None:
        """Check the fields; words take the spelling of the data."""
        super().__post_init__()
        if self.phase not in PHASES:
            raise unknown("phase of latent attention", self.phase, PHASES)
        if self.form not in FORMS:
            raise unknown("form of latent attention", self.form, FORMS[1:])
        if self.form == "expanded" and self.phase.startswith("decode"):
            raise InvalidInput("LatentAttention: decode works on latent rows; form 'expanded' is for prefill")
        object.__setattr__(self, "precision", attention_storage(self.precision).name)
        object.__setattr__(self, "projections", operand_storage(self.projections).name)
        object.__setattr__(self, "framework", framework_name(self.framework))

    @property
    def storage(self) -> AttentionStorage:
        """How queries and cache are stored."""
        return attention_storage(self.precision)

    @property
    def projection_storage(self) -> OperandStorage:
        """How the projections are stored."""
        return operand_storage(self.projections)

    @property
    def is_module(self) -> bool:
        """Whether the projections belong to it."""
        return self.phase.endswith("module")

    @property
    def is_decode(self) -> bool:
        """Whether one token per sequence is computed."""
        return self.phase.startswith("decode")

    @property
    def is_absorbed(self) -> bool:
        """Whether scores are taken on latent rows; prefill whose form is not said is expanded."""
        return self.is_decode or self.form == "absorbed"

    @property
    def tokens(self) -> Count:
        """Tokens that pass the projections."""
        return self.batch if self.is_decode else self.batch * self.seq

    @property
    def cache_row(self) -> Count:
        """Elements of a latent row."""
        return self.latent_dim + self.rotary_dim

    @property
    def cache(self) -> Bytes:
        """Bytes of the latent cache of these sequences in one layer."""
        return latent_attention.latent_cache_size(self.batch * self.seq, 1.0, self.latent_dim, self.rotary_dim, self.storage.cache)

    @property
    def score_width(self) -> Count:
        """Multiply-adds per pair of query and key: 1088 absorbed, 320 expanded."""
        if self.is_absorbed:
            return latent_attention.absorbed_score_width(self.latent_dim, self.rotary_dim)
        return latent_attention.expanded_score_width(self.key_dim, self.rotary_dim, self.value_dim)

    @property
    def head_elements(self) -> Count:
        """Elements that one head reads and writes per token."""
        if self.is_absorbed:
            return self.cache_row + self.latent_dim
        return 2.0 * (self.key_dim + self.rotary_dim) + 2.0 * self.value_dim

    @property
    def attention_flop(self) -> Flop:
        """Operations of the attention kernel."""
        if self.is_decode:
            return latent_attention.latent_attention_flop(self.batch, self.heads, 1.0, self.seq, self.score_width)
        return latent_attention.latent_attention_flop(self.batch, self.heads, self.seq, self.seq / 2.0, self.score_width)

    @property
    def attention_traffic(self) -> Bytes:
        """Least bytes of the attention kernel."""
        if self.is_decode:
            return self.cache + self.batch * self.heads * self.head_elements * QUERY_SIZE
        sizes = (self.head_elements, self.cache_row, QUERY_SIZE, self.storage.cache)
        return latent_attention.latent_prefill_traffic(self.batch, self.seq, self.heads, *sizes)

    @property
    def weights(self) -> Count:
        """Weights of the projections with these heads."""
        return latent_attention.latent_projection_parameters(**self._widths())

    @property
    def projection_flop(self) -> Flop:
        """Operations of the projections of a module; none without."""
        return 2.0 * self.tokens * self.weights if self.is_module else 0.0

    @property
    def weight_traffic(self) -> Bytes:
        """Bytes of the weights of the projections."""
        return self.weights * self.projection_storage.weight if self.is_module else 0.0

    @property
    def activation_traffic(self) -> Bytes:
        """Bytes of the activations between the projections, each written and read once."""
        if not self.is_module:
            return 0.0
        return latent_attention.latent_projection_activations(self.tokens, element_size=QUERY_SIZE, **self._widths())

    @property
    def flop(self) -> Flop:
        """Operations."""
        return self.attention_flop + self.projection_flop

    @property
    def traffic(self) -> Bytes:
        """Least bytes that cross the memory."""
        return self.attention_traffic + self.weight_traffic

    def _widths(self) -> dict[str, Count]:
        names = ("hidden", "heads", "query_rank", "latent_dim", "rotary_dim", "key_dim", "value_dim")
        return {name: getattr(self, name) for name in names}
