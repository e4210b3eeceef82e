"""Serving a model: a decode step, a prefill, and requests of many users; no machine is in them."""

from typing import Annotated, Any

from nvscale.errors import InvalidInput
from nvscale.formulas.serving.speculation import expected_tokens_per_step
from nvscale.ops import FLOAT, carrier
from nvscale.record import Record
from nvscale.transformers import Model
from nvscale.unit_types import Bytes, Count, Ratio, Share
from nvscale.units import Unit
from nvscale.workloads.words import OperandStorage, operand_storage

Optional = Annotated[Any, Unit("1", ">=1", optional=True, infinite=True)]
Limit = Annotated[Any, Unit("1", ">=1", infinite=True)]
NARROWEST = 2.0


class Inference(Record):
    """A model with the formats of its weights and of its cache.

    Parameters
    ----------
    model : Model
        The transformer.
    precision : str
        How the weights are stored, as of matrix multiplies: "bf16", "fp8", "fp8_block", "nvfp4", "int4_weight_only" ...
    dense_precision : str
        The same of everything but experts (attention, shared experts, dense layers), where it differs.
    cache_element : byte
        Bytes per element of the key-value cache; 1 for weights of 8 bits and fewer, else 2, where it is not given.
    """

    model: Model
    precision: str = "bf16"
    dense_precision: str = ""
    cache_element: Annotated[Any, Unit("byte", ">0", optional=True)] = None

    def __post_init__(self) -> None:
        """Check the fields; formats take the spelling of the data, the cache the usual format of the weights."""
        super().__post_init__()
        object.__setattr__(self, "precision", operand_storage(self.precision).name)
        if self.dense_precision:
            object.__setattr__(self, "dense_precision", operand_storage(self.dense_precision).name)
        if self.cache_element is None:
            object.__setattr__(self, "cache_element", min(max(self.dense_storage.weight, 1.0), NARROWEST))

    @property
    def storage(self) -> OperandStorage:
        """How weights are stored: of the experts, where there are any."""
        return operand_storage(self.precision)

    @property
    def dense_storage(self) -> OperandStorage:
        """How the weights of everything but experts are stored."""
        return operand_storage(self.dense_precision or self.precision)

    @property
    def weight_size(self) -> Bytes:
        """Bytes of all weights; embedding and head at 16 bits."""
        model = self.model
        experts = model.expert_layers * model.experts * model.expert_parameters if _has(model.experts) else 0.0
        wide = model.embedding_parameters + model.head_parameters
        rest = model.parameters - experts - wide
        return experts * self.storage.weight + rest * self.dense_storage.weight + 2.0 * wide


def _has(count: Any) -> bool:
    return carrier(count) != FLOAT or bool(count)


class Decoding(Inference):
    """One decode step: every sequence of a batch gains one token.

    Parameters
    ----------
    batch : 1
        Sequences of the step, over all ranks of an instance.
    context : 1
        Mean tokens that a sequence has in its cache.

    Examples
    --------
    >>> small = Model(layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, vocabulary=128256)
    >>> Decoding(model=small, batch=32, context=2048, precision="fp8").cache_element
    1.0
    """

    batch: Count
    context: Count


class Prefill(Inference):
    """The first pass over prompts, up to the first token.

    Parameters
    ----------
    tokens : 1
        Tokens of a prompt that are computed.
    batch : 1
        Prompts computed together.
    cached : 1
        Tokens before them whose keys and values are cached already.
    """

    tokens: Count
    batch: Count = 1.0
    cached: Ratio = 0.0


class Serving(Inference):
    """Requests to a model: how long they are, and how many users there are or how many requests arrive.

    Parameters
    ----------
    isl, osl : 1
        Tokens of the input and of the output of a request.
    concurrency : 1
        Users who each send their next request as soon as the last is answered; over the whole system.
    rate : 1/s
        Requests that arrive per second, where users do not wait for each other; instead of `concurrency`.
    prefix_cached : 1
        Share of the input whose keys and values are cached already.
    rounds : 1
        Requests of every user in the measurement: all users start together, and that burst is part of the mean
        time to first token (benchmarks send 10); infinite in steady state.
    stream_interval : 1
        Output tokens that are sent together.
    running_limit : 1
        Most sequences that the engine runs at a time.
    accepted : 1
        Tokens that a decode step gains on average: 1, more with speculative decoding; follows from the next three where
        `draft_tokens` is given.
    draft_tokens : 1
        Tokens that a draft, or the model's own heads for several tokens, propose for each step to check.
    acceptance : 1
        Probability that a proposed token is accepted.
    draft_cost : 1
        Time of proposing one token, in decode steps without speculation: about 1 / layers for a head of one layer.
    memory_share : 1
        Share of the device's memory that the engine may use.

    Examples
    --------
    >>> small = Model(layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, vocabulary=128256)
    >>> Serving(model=small, isl=1024, osl=1024, concurrency=32, precision="fp8").context
    1536.0
    """

    isl: Count
    osl: Count
    concurrency: Optional = None
    rate: Annotated[Any, Unit("1/s", ">0", optional=True)] = None
    prefix_cached: Share = 0.0
    rounds: Limit = 10.0
    stream_interval: Count = 1.0
    running_limit: Limit = float("inf")
    accepted: Count = 1.0
    draft_tokens: Ratio = 0.0
    acceptance: Share = 0.0
    draft_cost: Ratio = 0.0
    memory_share: Share = 0.9

    def __post_init__(self) -> None:
        """Check the fields, and that exactly one kind of load is given."""
        super().__post_init__()
        if (self.concurrency is None) == (self.rate is None):
            raise InvalidInput("Serving: give either concurrency (users who wait for their answers) or rate (requests per second)")
        if self._speculates and not (carrier(self.accepted) == FLOAT and self.accepted == 1.0):
            raise InvalidInput("Serving: give either accepted, or draft_tokens with their acceptance")

    @property
    def _speculates(self) -> bool:
        """Whether a draft proposes tokens."""
        return carrier(self.draft_tokens) != FLOAT or bool(self.draft_tokens)

    @property
    def gained(self) -> Any:
        """Tokens that a sequence gains in a step: given, or expected from the draft (Leviathan et al. 2023, equation 1)."""
        return expected_tokens_per_step(self.acceptance, self.draft_tokens) if self._speculates else self.accepted

    @property
    def context(self) -> Any:
        """Mean tokens in the cache of a running sequence: the input and half the output."""
        return self.isl + 0.5 * self.osl
