"""Fused mixture-of-experts layers on one rank: routing, permutation, two grouped multiplies, combine."""

import functools
from typing import Any

from nvscale.errors import InvalidInput, unknown
from nvscale.formulas import mixture_of_experts as formulas
from nvscale.ops import ARRAY, FLOAT, carrier, where
from nvscale.record import Record
from nvscale.unit_types import Bytes, Count, Flop, Ratio
from nvscale.workloads.words import OperandStorage, framework_name, operand_storage

BALANCED, RANDOM, POWER_LAW = "balanced", "random", "power_law"
EXPONENT = 1.2
"""Of the power law of loads where the distribution does not say it."""
SPREAD = 0.95
"""How far the hottest rank is from the mean, in units of the extreme-value formula; fitted to the sampled generator."""
ACTIVATION_SIZE = 2.0
"""Bytes per element of the activations."""


class MixtureOfExperts(Record):
    """One expert layer as its busiest rank computes it.

    Parameters
    ----------
    tokens : 1
        Tokens of all ranks together.
    hidden, moe_intermediate : 1
        Elements of a token, and between the two multiplies of an expert.
    topk, experts : 1
        Experts that a token chooses, and experts of the layer.
    moe_tp, moe_ep : 1
        Ways in which each expert is cut, and ranks over which the experts are spread.
    distribution : str
        "balanced" (dealt out evenly), "random" (chosen at random), "power_law_1.2" (skewed loads).
    precision : str
        How weights and activations are stored: "bf16", "fp8_block", "nvfp4", "w4a16_mxfp4" ...
    framework : str
        Software whose kernels run: "sglang", "trtllm", "vllm"; empty for none in particular.

    Examples
    --------
    >>> work = MixtureOfExperts(tokens=64, hidden=7168, moe_intermediate=2048, topk=8, experts=256, distribution="random")
    >>> round(work.distinct, 1), work.pairs
    (222.4, 512.0)
    """

    tokens: Count
    hidden: Count
    moe_intermediate: Count
    topk: Count
    experts: Count
    moe_tp: Count = 1.0
    moe_ep: Count = 1.0
    distribution: str = BALANCED
    precision: str = "bf16"
    framework: str = ""

    def __post_init__(self) -> None:
        """Check the fields; words take the spelling of the data."""
        super().__post_init__()
        _exponent(self.distribution)
        if carrier(self.topk) == carrier(self.experts) == FLOAT and self.topk > self.experts:
            raise InvalidInput(f"MixtureOfExperts: topk {self.topk:g} is above experts {self.experts:g}; a token chooses each at most once")
        if self.distribution == POWER_LAW:
            object.__setattr__(self, "distribution", f"{POWER_LAW}_{EXPONENT}")
        object.__setattr__(self, "precision", operand_storage(self.precision).name)
        object.__setattr__(self, "framework", framework_name(self.framework))

    @property
    def storage(self) -> OperandStorage:
        """How weights and activations are stored."""
        return operand_storage(self.precision)

    @property
    def intermediate(self) -> Count:
        """Elements between the two multiplies of an expert on this rank."""
        return self.moe_intermediate / self.moe_tp

    @property
    def local_experts(self) -> Count:
        """Experts that the rank holds."""
        return self.experts / self.moe_ep

    @functools.cached_property
    def pairs(self) -> Ratio:
        """Pairs of token and expert on the busiest rank."""
        if self.distribution in (BALANCED, RANDOM):
            return formulas.balanced_rank_pairs(self.tokens, self.topk, self.moe_ep)
        layer = (self.tokens, self.experts, self.topk)
        return formulas.skewed_rank_pairs(*layer, self.moe_ep, _exponent(self.distribution), SPREAD)

    @functools.cached_property
    def distinct(self) -> Ratio:
        """Experts in use on the busiest rank."""
        layer = (self.tokens, self.experts, self.topk)
        if self.distribution == BALANCED:
            return formulas.balanced_rank_experts(self.pairs, self.experts, self.moe_ep)
        if self.distribution == RANDOM:
            return formulas.distinct_experts(*layer) / self.moe_ep
        everywhere = formulas.skewed_distinct_experts(*layer, _exponent(self.distribution))
        return formulas.skewed_rank_experts(everywhere, self.pairs, *layer, self.moe_ep)

    @property
    def flop(self) -> Flop:
        """Operations of the rank: 6 h i per pair."""
        return formulas.expert_flop(self.pairs, self.hidden, self.intermediate)

    @property
    def weights(self) -> Bytes:
        """Bytes of the weights of the experts in use."""
        return formulas.expert_weight_size(self.distinct, self.hidden, self.intermediate, self.storage.weight)

    @property
    def activations(self) -> Bytes:
        """Bytes of the activations, each tensor once."""
        return formulas.expert_activation_traffic(self.tokens, self.pairs, self.hidden, self.intermediate, ACTIVATION_SIZE)

    @property
    def traffic(self) -> Bytes:
        """Least bytes that cross the memory."""
        return self.weights + self.activations

    def chooses(self, least: float, most: float) -> bool:
        """Whether a token chooses between so many experts; of swept choices, whether all do; never for symbols."""
        return _all(self.topk >= least) and _all(self.topk <= most)

    def has_a_common_router(self) -> bool:
        """Whether a token chooses at most 8 of at most 256 experts, a power of two; of swept layers, whether all do."""
        return _all(common_router(self.topk, self.experts) > 0.0)

    def sweeps_routers(self) -> bool:
        """Whether layers that differ in experts or choices, and may take different kernels, are swept together."""
        swept = (figure for figure in (self.topk, self.experts) if carrier(figure) == ARRAY)
        return any(bool(figure.min() != figure.max()) for figure in swept)


def common_router(topk: Any, experts: Any) -> Any:
    """Return 1 where at most 8 of at most 256 experts, a power of two, are chosen, else 0.

    >>> common_router(8.0, 128.0), common_router(10.0, 512.0), common_router(8.0, 160.0)
    (1.0, 0.0, 0.0)
    """
    known = sum(where(experts == 2.0**power, 1.0, 0.0) for power in range(9))
    return known * where(topk <= 8.0, 1.0, 0.0)


def _all(holds: Any) -> bool:
    """Whether a comparison holds everywhere; relations of symbols are open and count as not."""
    return bool(holds.all()) if carrier(holds) == ARRAY else holds is True


def _exponent(distribution: str) -> float:
    """The exponent of a power law of loads; 0 for the other distributions."""
    if distribution in (BALANCED, RANDOM):
        return 0.0
    start, _, digits = distribution.rpartition("_")
    if distribution == POWER_LAW:
        return EXPONENT
    try:
        exponent = float(digits) if start == POWER_LAW else 0.0
    except ValueError:
        exponent = 0.0
    if start != POWER_LAW:
        raise unknown("distribution of the loads of experts", distribution, (BALANCED, RANDOM, f"{POWER_LAW}_{EXPONENT}"))
    if not 0.0 < exponent < 10.0 or exponent in (1.0, 2.0, 3.0):
        raise InvalidInput(f"MixtureOfExperts: distribution {distribution!r}: the exponent must be above 0 and none of 1, 2, 3")
    return exponent
