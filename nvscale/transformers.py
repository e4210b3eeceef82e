"""Transformer models: their shape, from which parameters, work, caches and traffic follow."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from nvscale.errors import InvalidInput, unknown
from nvscale.formats import plain_name
from nvscale.formulas import attention, latent_attention, training_flop, transformer
from nvscale.ops import FLOAT, carrier, where
from nvscale.provenance import Source
from nvscale.record import Record, is_same
from nvscale.silicon import CalendarYear
from nvscale.unit_types import Bytes, Count, Flop, Share
from nvscale.units import Unit

Whole = Annotated[Any, Unit("1", ">=0")]
Optional = Annotated[Any, Unit("1", ">=1", optional=True)]
Window = Annotated[Any, Unit("1", ">=1", infinite=True)]

CONVENTIONS: Mapping[str, str] = {
    "parameters": "6 N: forward and backward of all parameters in use, no attention scores",
    "causal": "6 (N - looked-up embedding) + 6 L h s: half of the scores, windows as far as they reach",
    "causal-no-windows": "as causal, with windowed layers counted as if they saw everything",
    "full": "6 (N - looked-up embedding) + 12 L h s: all scores, mask and windows not used",
    "palm": "6 N + 12 L h s: embedding included, all scores",
    "full-recompute": "8 N of the layers + 6 N of the head + 16 L h s: all scores, and all layers computed again",
    "causal-recompute": "as causal, with all layers computed again: what the hardware does",
    "inference": "a third of causal: the forward pass alone",
}
"""Ways of counting the work of a token, by name."""
CONVENTION_ALIASES: Mapping[str, str] = {
    "6nd": "parameters",
    "kaplan-2020": "parameters",
    "megatron-bridge": "causal",
    "maxtext": "causal",
    "megatron-bridge-25.11": "causal-no-windows",
    "nemo-24": "full",
    "dgxc-25.05": "palm",
    "llm-foundry": "palm",
    "narayanan-2021": "full-recompute",
    "hardware": "causal-recompute",
}
"""Publications and programs -> the way in which they count."""

_FOLLOWS: Mapping[str, frozenset[str]] = {
    "kv_heads": frozenset({"heads"}),
    "head_dim": frozenset({"hidden", "heads"}),
    "value_head_dim": frozenset({"hidden", "heads", "head_dim"}),
    "expert_hidden": frozenset({"hidden"}),
}


class Model(Record):
    """One decoder-only transformer: dense or with experts, any kind of attention, with or without state-space layers.

    Every layer attends and has a feed-forward part unless counted otherwise; counts are of layers, widths of
    elements. `kv_heads` and `head_dim` follow from `heads` and `hidden` where they are not given.

    Parameters
    ----------
    layers, hidden, heads : 1
        Depth, width of the residual stream, query heads.
    kv_heads : 1
        Key-value heads: `heads` for multi-head, fewer for grouped-query, 1 for multi-query attention.
    head_dim, value_head_dim : 1
        Width of one query or key head (with its rotary part, for latent attention) and of one value head.
    ffn, ffn_matrices : 1
        Inner width of a dense feed-forward layer; 3 matrices where it is gated, 2 where it is plain.
    vocabulary : 1
        Rows of the embedding, padding included where the published parameter count includes it.
    tied_embeddings : 1
        1 where the output head is the embedding.
    output_gate : 1
        1 where a gate as wide as the queries multiplies the output of the heads.
    experts, experts_per_token, expert_ffn, shared_ffn : 1
        Routed experts of a layer, how many a token takes, inner width of one; summed width of shared experts.
    expert_hidden, expert_biases : 1
        Width that routed experts see (`hidden`, or less where tokens are projected down for them); biases of one.
    dense_layers : 1
        Layers with a dense feed-forward part in a model with experts.
    query_rank, latent_rank, rotary_dim : 1
        Latent attention: rank of queries (0: full) and of keys and values (0: no latent attention), and the
        rotary part of a key that all heads share.
    window, windowed_layers : 1
        Tokens that a windowed layer attends to, and how many layers are windowed.
    attention_free_layers, ffn_free_layers : 1
        Layers without attention (state-space, linear, or feed-forward alone) and without a feed-forward part.
    state_layers, state_parameters, state_elements : 1
        State-space or linear-attention layers, parameters of one, elements of state kept per sequence and layer.
    predicted_tokens : 1
        Extra tokens that multi-token prediction modules predict, one layer each.
    positions : 1
        Learned position embeddings (0 with rotary or relative ones).
    extra_parameters : 1
        Norms, biases and whatever else the matrices do not hold.
    context : 1
        Longest context that the model was trained for.
    published_parameters, published_active_parameters : 1
        As the makers print them.
    sources : mapping of str to Source
        Where each figure comes from.
    architecture : str
        Class of its configuration file, e.g. "LlamaForCausalLM".

    Examples
    --------
    >>> model = Model(name="small", layers=12, hidden=768, heads=12, ffn=3072, ffn_matrices=2, vocabulary=50257, tied_embeddings=1)
    >>> model.kv_heads, model.head_dim
    (12.0, 64.0)
    >>> model.parameters / 1e6, model.flop_per_token(1024.0, "palm") / 1e9
    (123.5, 0.855)
    """

    HINTS: ClassVar[Mapping[str, str]] = {
        "hidden_size": "; write hidden",
        "num_layers": "; write layers",
        "vocab": "; write vocabulary",
        "vocab_size": "; write vocabulary",
        "top_k": "; write experts_per_token",
    }

    name: str = ""
    title: str = ""
    family: str = ""
    organisation: str = ""
    architecture: str = ""
    released: CalendarYear = None
    layers: Count
    hidden: Count
    heads: Count
    kv_heads: Optional = None
    head_dim: Optional = None
    value_head_dim: Optional = None
    ffn: Whole
    ffn_matrices: Count = 3.0
    vocabulary: Count
    tied_embeddings: Share = 0.0
    output_gate: Share = 0.0
    experts: Whole = 0.0
    experts_per_token: Whole = 0.0
    expert_ffn: Whole = 0.0
    shared_ffn: Whole = 0.0
    expert_hidden: Optional = None
    expert_biases: Whole = 0.0
    dense_layers: Whole = 0.0
    query_rank: Whole = 0.0
    latent_rank: Whole = 0.0
    rotary_dim: Whole = 0.0
    window: Window = math.inf
    windowed_layers: Whole = 0.0
    attention_free_layers: Whole = 0.0
    ffn_free_layers: Whole = 0.0
    state_layers: Whole = 0.0
    state_parameters: Whole = 0.0
    state_elements: Whole = 0.0
    predicted_tokens: Whole = 0.0
    positions: Whole = 0.0
    extra_parameters: Whole = 0.0
    context: Optional = None
    published_parameters: Optional = None
    published_active_parameters: Optional = None
    notes: tuple[str, ...] = ()
    sources: Mapping[str, Source] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the fields, fill in what follows from others, refuse shapes that contradict themselves."""
        super().__post_init__()
        if self.kv_heads is None:
            object.__setattr__(self, "kv_heads", self.heads)
        if self.head_dim is None:
            object.__setattr__(self, "head_dim", self.hidden / self.heads)
        if self.value_head_dim is None:
            object.__setattr__(self, "value_head_dim", self.head_dim)
        if self.expert_hidden is None:
            object.__setattr__(self, "expert_hidden", self.hidden)
        self._check("kv_heads", self.heads, "heads")
        self._check("experts_per_token", self.experts, "experts")
        for part in ("dense_layers", "windowed_layers", "attention_free_layers", "ffn_free_layers", "state_layers"):
            self._check(part, self.layers, "layers")

    def _check(self, part: str, whole: Any, of: str) -> None:
        value = getattr(self, part)
        if carrier(value) == FLOAT and carrier(whole) == FLOAT and value > whole:
            raise InvalidInput(f"Model {self.name}: {part} = {value:g} is more than {of} = {whole:g}")

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed; widths that follow from others follow the changed ones.

        >>> Model(layers=2, hidden=64, heads=4, ffn=256, vocabulary=1000).replace(hidden=128).head_dim
        32.0
        """
        derived = {
            "kv_heads": self.heads,
            "head_dim": self.hidden / self.heads,
            "value_head_dim": self.head_dim,
            "expert_hidden": self.hidden,
        }
        open_ones = (name for name, parts in _FOLLOWS.items() if name not in changes and not parts.isdisjoint(changes))
        follow = {name: None for name in open_ones if is_same(getattr(self, name), derived[name])}
        return super().replace(**follow, **changes)

    @property
    def attention_layers(self) -> Any:
        """Layers that attend."""
        return self.layers - self.attention_free_layers

    @property
    def expert_layers(self) -> Any:
        """Layers whose feed-forward part is made of experts."""
        return where(self.experts > 0.0, self.layers - self.dense_layers - self.ffn_free_layers, 0.0)

    @property
    def dense_ffn_layers(self) -> Any:
        """Layers with a dense feed-forward part."""
        return self.layers - self.ffn_free_layers - self.expert_layers

    @property
    def embedding_parameters(self) -> Any:
        """Parameters of the embeddings of tokens and learned positions."""
        return transformer.embedding_parameters(self.vocabulary, self.hidden, self.positions)

    @property
    def head_parameters(self) -> Any:
        """Parameters of an output head of its own; 0 where it is the embedding."""
        return (1.0 - self.tied_embeddings) * self.vocabulary * self.hidden

    @property
    def looked_up_parameters(self) -> Any:
        """Parameters that a token only looks up: the embeddings, but for one that is the output head too."""
        return self.embedding_parameters - self.tied_embeddings * self.vocabulary * self.hidden

    @property
    def attention_parameters(self) -> Any:
        """Parameters of the projections of one layer with attention."""
        plain = transformer.attention_parameters(
            self.hidden, self.heads, self.kv_heads, self.head_dim, self.value_head_dim, self.output_gate
        )
        key_dim = where(self.latent_rank > 0.0, self.head_dim - self.rotary_dim, 0.0)
        sizes = (self.hidden, self.heads, self.query_rank, self.latent_rank, self.rotary_dim, key_dim, self.value_head_dim)
        queries = where(self.query_rank > 0.0, 0.0, self.hidden * self.heads * self.head_dim)
        return where(self.latent_rank > 0.0, latent_attention.latent_projection_parameters(*sizes) + queries, plain)

    @property
    def expert_parameters(self) -> Any:
        """Parameters of one routed expert."""
        return transformer.routed_expert_parameters(1.0, self.expert_hidden, self.expert_ffn, self.ffn_matrices, self.expert_biases)

    def parameters_by_part(self) -> dict[str, Any]:
        """Return the parameters of every part of the model; they sum to `parameters`.

        >>> parts = Model(layers=2, hidden=64, heads=4, ffn=256, vocabulary=1000).parameters_by_part()
        >>> parts["attention"], parts["dense feed-forward"], parts["output head"]
        (32768.0, 98304.0, 64000.0)
        """
        squeezed = where(self.expert_hidden < self.hidden, 2.0 * self.hidden * self.expert_hidden, 0.0)
        matrices = self.ffn_matrices
        return {
            "embeddings": self.embedding_parameters,
            "attention": self.attention_layers * self.attention_parameters,
            "state-space layers": self.state_layers * self.state_parameters,
            "dense feed-forward": self.dense_ffn_layers * transformer.feed_forward_parameters(self.hidden, self.ffn, matrices),
            "routed experts": self.expert_layers * self.experts * self.expert_parameters,
            "shared experts": self.expert_layers * transformer.feed_forward_parameters(self.hidden, self.shared_ffn, matrices),
            "routers": self.expert_layers * (self.hidden * self.experts + squeezed),
            "norms, biases and the rest": self.extra_parameters,
            "output head": self.head_parameters,
        }

    @property
    def parameters(self) -> Any:
        """All parameters, without the modules of multi-token prediction."""
        return sum(self.parameters_by_part().values())

    @property
    def active_parameters(self) -> Any:
        """Parameters in use by one token: all but those of the experts that it does not take; both embeddings count."""
        return self.parameters - self.expert_layers * (self.experts - self.experts_per_token) * self.expert_parameters

    @property
    def prediction_parameters(self) -> Any:
        """Parameters of the modules of multi-token prediction: a layer and a projection of two states each, without norms."""
        experts = self.experts * self.expert_parameters + self.hidden * self.experts
        shared = transformer.feed_forward_parameters(self.hidden, self.shared_ffn, self.ffn_matrices)
        dense = transformer.feed_forward_parameters(self.hidden, self.ffn, self.ffn_matrices)
        layer = self.attention_parameters + where(self.experts > 0.0, experts + shared, dense)
        return self.predicted_tokens * (layer + 2.0 * self.hidden * self.hidden)

    def flop_per_token(self, sequence: Count, convention: str = "causal") -> Flop:
        """Return the work of training on one token, counted in a named way.

        Parameters
        ----------
        sequence : 1
            Tokens of a sequence.
        convention : str
            A way of counting, see `CONVENTIONS`, or a publication or program that counts so ("megatron-bridge", "6nd").

        Returns
        -------
        flop
            Work per token.

        Raises
        ------
        UnknownName
            There is no convention of that name.

        Examples
        --------
        >>> model = Model(layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, vocabulary=128256)
        >>> [round(model.flop_per_token(8192, name) / 1e9, 1) for name in ("6nd", "megatron-bridge", "nemo-24")]
        [48.2, 51.5, 57.9]
        """
        given = plain_name(convention)
        name = CONVENTION_ALIASES.get(given, given)
        if name not in CONVENTIONS:
            raise unknown("FLOP convention", convention, (*CONVENTIONS, *CONVENTION_ALIASES))
        if name == "parameters":
            return training_flop.parameter_flop_per_token(self.active_parameters)
        if name == "palm":
            return training_flop.parameter_flop_per_token(self.active_parameters) + self.attention_flop_per_token(sequence, "full")
        head = training_flop.parameter_flop_per_token(self.vocabulary * self.hidden)
        matrices = training_flop.parameter_flop_per_token(self.active_parameters - self.looked_up_parameters) - head
        keys = {"full-recompute": "full", "full": "full", "causal-no-windows": "causal-no-windows"}.get(name, "causal")
        layers = matrices + self.attention_flop_per_token(sequence, keys)
        if name == "inference":
            return (layers + head) / 3.0
        return training_flop.recomputed_flop_per_token(layers, head) if name.endswith("recompute") else layers + head

    def attention_flop_per_token(self, sequence: Count, keys: str = "causal") -> Flop:
        """Return the work per token of attention scores, values and states, forward and backward.

        Parameters
        ----------
        sequence : 1
            Tokens of a sequence.
        keys : str
            What a query meets: "causal" (windows as far as they reach), "causal-no-windows", or "full".

        Examples
        --------
        >>> Model(layers=32, hidden=4096, heads=32, ffn=14336, vocabulary=128256).attention_flop_per_token(8192.0) / 1e9
        6.44
        """
        half = training_flop.causal_keys(sequence)
        met = {"full": (sequence, sequence), "causal-no-windows": (half, half)}.get(
            keys, (half, training_flop.windowed_keys(sequence, self.window))
        )
        kinds = (self.attention_layers - self.windowed_layers, self.windowed_layers)
        scores = sum(
            training_flop.attention_flop_per_token(layers, self.heads, self.head_dim, self.value_head_dim, seen)
            for layers, seen in zip(kinds, met, strict=True)
        )
        return scores + training_flop.state_flop_per_token(self.state_layers * self.state_elements)

    @property
    def cache_elements(self) -> Any:
        """Elements that one layer with attention caches per token."""
        latent = latent_attention.latent_cache_size(1.0, 1.0, self.latent_rank, self.rotary_dim, 1.0)
        heads = attention.key_value_cache_size(1.0, 1.0, self.kv_heads, (self.head_dim + self.value_head_dim) / 2.0, 1.0)
        return where(self.latent_rank > 0.0, latent, heads)

    def cache_per_token(self, element_size: Bytes = 2.0) -> Bytes:
        """Return the bytes that all layers cache for one token, as long as it is inside every window.

        >>> Model(layers=80, hidden=8192, heads=64, kv_heads=8, ffn=28672, vocabulary=128256).cache_per_token(1.0)
        163840.0
        """
        return self.attention_layers * self.cache_elements * element_size

    def cache_size(self, tokens: Count, element_size: Bytes = 2.0) -> Bytes:
        """Return the bytes of the cache of one sequence: keys and values inside the windows, and states."""
        full, state = self.attention_layers - self.windowed_layers, self.state_layers * self.state_elements
        return transformer.hybrid_cache_size(tokens, full, self.windowed_layers, self.window, self.cache_elements, element_size, state)
