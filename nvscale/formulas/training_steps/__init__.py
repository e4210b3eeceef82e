"""Time of a training step and of a run: products of a shard, passes, exchanges, pipeline, optimizer."""

from nvscale.formulas.training_steps.exchanges import exposed_time, hiding_micro_batches, ring_size, two_tier_exchange_time
from nvscale.formulas.training_steps.pipeline import bubble_time, pipeline_bubble, pipeline_time, slots_of_a_stage, zero_bubble_ratio
from nvscale.formulas.training_steps.products import backward_product_time, forward_product_time, fourth_power_sum, scored_pairs
from nvscale.formulas.training_steps.runs import maturing_factor, model_flop_utilisation, straggler_factor, training_time
from nvscale.formulas.training_steps.traffic import (
    activation_pass_size,
    attention_pass_size,
    loss_traffic,
    optimizer_traffic,
    permutation_pass_size,
    residual_pass_size,
    stored_scores_backward_ratio,
)

__all__ = [
    "activation_pass_size",
    "attention_pass_size",
    "backward_product_time",
    "bubble_time",
    "exposed_time",
    "forward_product_time",
    "fourth_power_sum",
    "hiding_micro_batches",
    "loss_traffic",
    "maturing_factor",
    "model_flop_utilisation",
    "optimizer_traffic",
    "permutation_pass_size",
    "pipeline_bubble",
    "pipeline_time",
    "residual_pass_size",
    "ring_size",
    "scored_pairs",
    "slots_of_a_stage",
    "stored_scores_backward_ratio",
    "straggler_factor",
    "training_time",
    "two_tier_exchange_time",
    "zero_bubble_ratio",
]
