"""Scaling laws: what loss a model reaches with given size, data, compute, precision and samples.

Parameters, tokens and flop stand under powers that were fitted, so they are pure numbers here. The constants are
named as in the papers; `nvscale.laws` has them, with source, date and range.
"""

from nvscale.formulas.scaling_laws.allocation import (
    allocation_coefficient,
    compute_elasticity,
    compute_for_loss,
    matched_parameters,
    matched_tokens,
    optimal_loss,
    optimal_parameters,
    optimal_tokens,
)
from nvscale.formulas.scaling_laws.chinchilla import (
    chinchilla_loss,
    overtrained_loss,
    parameter_elasticity,
    parameters_for_loss,
    smallest_parameters,
    token_elasticity,
    tokens_for_loss,
    training_operations,
)
from nvscale.formulas.scaling_laws.data_limits import (
    effective_parameters,
    effective_tokens,
    repeated_data_loss,
    repetition_worth,
    transferred_data,
)
from nvscale.formulas.scaling_laws.distillation import (
    distilled_loss,
    supervised_loss,
)
from nvscale.formulas.scaling_laws.experts import (
    effective_experts,
    granular_expert_loss,
    routed_loss,
    routing_cutoff,
    sparse_expert_loss,
)
from nvscale.formulas.scaling_laws.inference_time import (
    capability_density,
    coverage,
    coverage_exponent,
    independent_coverage,
    parameters_after,
    reinforcement_pass_rate,
    samples_for_coverage,
    search_for_training_operations,
)
from nvscale.formulas.scaling_laws.kaplan import (
    critical_batch_size,
    examples_at_batch,
    kaplan_loss,
    power_law_amount,
    power_law_loss,
    steps_at_batch,
)
from nvscale.formulas.scaling_laws.model_size import (
    compute_overhead,
    justifying_lifetime_tokens,
    lifetime_operations,
    smallest_size_factor,
    token_factor,
)
from nvscale.formulas.scaling_laws.precision import (
    harmful_tokens,
    low_precision_loss,
    post_training_penalty,
    precision_dividend,
    precision_factor,
    precision_marginal,
    precision_share,
)
from nvscale.formulas.scaling_laws.walls import (
    compute_of_tokens,
    latency_limited_tokens,
    movement_limited_chips,
    powered_chips,
    run_operations,
)

__all__ = [
    "allocation_coefficient",
    "capability_density",
    "chinchilla_loss",
    "compute_elasticity",
    "compute_for_loss",
    "compute_of_tokens",
    "compute_overhead",
    "coverage",
    "coverage_exponent",
    "critical_batch_size",
    "distilled_loss",
    "effective_experts",
    "effective_parameters",
    "effective_tokens",
    "examples_at_batch",
    "granular_expert_loss",
    "harmful_tokens",
    "independent_coverage",
    "justifying_lifetime_tokens",
    "kaplan_loss",
    "latency_limited_tokens",
    "lifetime_operations",
    "low_precision_loss",
    "matched_parameters",
    "matched_tokens",
    "movement_limited_chips",
    "optimal_loss",
    "optimal_parameters",
    "optimal_tokens",
    "overtrained_loss",
    "parameter_elasticity",
    "parameters_after",
    "parameters_for_loss",
    "post_training_penalty",
    "power_law_amount",
    "power_law_loss",
    "powered_chips",
    "precision_dividend",
    "precision_factor",
    "precision_marginal",
    "precision_share",
    "reinforcement_pass_rate",
    "repeated_data_loss",
    "repetition_worth",
    "routed_loss",
    "routing_cutoff",
    "run_operations",
    "samples_for_coverage",
    "search_for_training_operations",
    "smallest_parameters",
    "smallest_size_factor",
    "sparse_expert_loss",
    "steps_at_batch",
    "supervised_loss",
    "token_elasticity",
    "token_factor",
    "tokens_for_loss",
    "training_operations",
    "transferred_data",
]
