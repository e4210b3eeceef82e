"""Sample arguments for every public formula of nvscale.formulas.training_memory, in SI."""

SPLIT = {"tensor_parallel": 4.0, "share": 0.25, "element_size": 2.0}
SIZES = {"tokens": 4096.0, "hidden": 8192.0}
HEADS = {"heads": 64.0, "head_dim": 128.0, "value_head_dim": 128.0, "statistics_size": 4.0}

SAMPLES = {
    "sharded_share": {"zero": 1.0, "stage": 1.0, "replicas": 64.0},
    "optimizer_state_memory": {
        "parameters": 7.5e9, "replicas": 64.0, "zero": 2.0, "weight_size": 2.0, "gradient_size": 4.0, "optimizer_size": 12.0,
    },
    "unsplit_share": {"tensor_parallel": 8.0, "sequence_parallel": 1.0},
    "standard_layer_activation_memory": SIZES | {
        "sequence": 2048.0, "heads": 64.0, "tensor_parallel": 8.0, "sequence_parallel": 1.0, "scores_kept": 1.0, "element_size": 2.0,
        "mask_size": 1.0,
    },
    "recomputed_layer_memory": SIZES | {"share": 0.125, "element_size": 2.0},
    "attention_activation_memory": SIZES | HEADS | SPLIT | {"kv_heads": 8.0, "output_copies": 2.0},
    "latent_attention_activation_memory": SIZES | HEADS | SPLIT | {"query_rank": 1536.0, "latent_rank": 512.0, "rotary_dim": 64.0},
    "feed_forward_activation_memory": SIZES | SPLIT | {"width": 28672.0, "matrices": 3.0},
    "expert_activation_memory": SIZES | SPLIT | {
        "width": 2048.0, "matrices": 3.0, "choices": 8.0, "experts": 256.0, "statistics_size": 4.0,
    },
    "logits_memory": {"tokens": 4096.0, "vocabulary": 128256.0, "tensor_parallel": 8.0, "kept_size": 2.0},
    "in_flight_of_first_stage": {"stages": 8.0, "chunks": 2.0, "micro_batches": 64.0},
    "in_flight_of_last_stage": {"stages": 8.0, "chunks": 2.0, "micro_batches": 64.0},
}  # fmt: skip
