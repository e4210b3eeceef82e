"""Transformer models: their shape, from which parameters, work, caches and traffic follow."""

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any

from nvscale.errors import InvalidInput
from nvscale.ops import FLOAT, carrier, where
from nvscale.provenance import Source
from nvscale.record import Record
from nvscale.silicon import CalendarYear
from nvscale.unit_types import Count, Share
from nvscale.units import Unit

Whole = Annotated[Any, Unit("1", ">=0")]
Optional = Annotated[Any, Unit("1", ">=1", optional=True)]
Window = Annotated[Any, Unit("1", ">=1", infinite=True)]


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
    experts, experts_per_token, expert_ffn, shared_ffn : 1
        Routed experts of a layer, how many a token takes, inner width of one; summed width of shared experts.
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
    architecture : str
        Class of its configuration file, e.g. "LlamaForCausalLM".

    Examples
    --------
    >>> model = Model(name="small", layers=12, hidden=768, heads=12, ffn=3072, ffn_matrices=2, vocabulary=50257, tied_embeddings=1)
    >>> model.kv_heads, model.head_dim
    (12.0, 64.0)
    """

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
    experts: Whole = 0.0
    experts_per_token: Whole = 0.0
    expert_ffn: Whole = 0.0
    shared_ffn: Whole = 0.0
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
        self._check("kv_heads", self.heads, "heads")
        self._check("experts_per_token", self.experts, "experts")
        for part in ("dense_layers", "windowed_layers", "attention_free_layers", "ffn_free_layers", "state_layers"):
            self._check(part, self.layers, "layers")

    def _check(self, part: str, whole: Any, of: str) -> None:
        value = getattr(self, part)
        if carrier(value) == FLOAT and carrier(whole) == FLOAT and value > whole:
            raise InvalidInput(f"Model {self.name}: {part} = {value:g} is more than {of} = {whole:g}")

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
