"""Published memory of training runs: ZeRO's figure, Korthikanti's table 2, and figures 1 and 7 of the same paper, to the printed digit."""

from typing import NamedTuple

import pytest

from nvscale.formulas import training_memory as formulas

GIB = 2.0**30
STATES = {"weight_size": 2.0, "gradient_size": 4.0, "optimizer_size": 12.0}
GPT3 = {"tokens": 2048.0, "sequence": 2048.0, "hidden": 12288.0, "heads": 96.0, "element_size": 2.0, "mask_size": 1.0}


@pytest.mark.parametrize(("stage", "gigabytes"), [(0.0, 120.0), (1.0, 31.40625), (2.0, 16.640625), (3.0, 1.875)])
def test_states_by_zero_stage(stage: float, gigabytes: float) -> None:
    """Rajbhandari et al., ZeRO, 2020, figure 1: 7.5e9 parameters, 64 replicas, K = 12 (printed 120, 31.4, 16.6, 1.9 GB)."""
    assert formulas.optimizer_state_memory(7.5e9, 64.0, stage, 2.0, 2.0, 12.0) == gigabytes * 1e9


@pytest.mark.parametrize(
    ("tensor", "sequence", "scores", "gigabytes"),
    [(1.0, 0.0, 1.0, 2.868904), (8.0, 0.0, 1.0, 0.578814), (8.0, 1.0, 1.0, 0.358613), (8.0, 1.0, 0.0, 0.106955)],
)
def test_activations_of_a_layer_of_gpt3(tensor: float, sequence: float, scores: float, gigabytes: float) -> None:
    """Korthikanti et al., 2022, table 2, one sequence of GPT-3."""
    found = formulas.standard_layer_activation_memory(**GPT3, tensor_parallel=tensor, sequence_parallel=sequence, scores_kept=scores)
    assert found / 1e9 == pytest.approx(gigabytes, rel=0.0, abs=5e-7)


def test_a_recomputed_layer_of_gpt3() -> None:
    """Korthikanti et al., 2022, table 2, last row."""
    assert formulas.recomputed_layer_memory(2048.0, 12288.0, 1.0, 2.0) / 1e9 == pytest.approx(0.0503316, rel=1e-6)


@pytest.mark.parametrize(("heads", "hidden", "ratio", "saved"), [(96.0, 12288.0, 80.0, 0.701754), (128.0, 20480.0, 64.0, 0.653061)])
def test_what_selective_recompute_saves(heads: float, hidden: float, ratio: float, saved: float) -> None:
    """Korthikanti et al., 2022, section 5: 5 a s/h of GPT-3 and MT-NLG, and the share it is of a layer (printed 70 and 65 %)."""
    layer = GPT3 | {"heads": heads, "hidden": hidden, "tensor_parallel": 1.0, "sequence_parallel": 0.0}
    whole, without = (formulas.standard_layer_activation_memory(**layer, scores_kept=kept) for kept in (1.0, 0.0))
    assert (whole - without) / (2048.0 * hidden) == pytest.approx(ratio, rel=1e-12)
    assert 1.0 - without / whole == pytest.approx(saved, rel=1e-6)


class Megatron(NamedTuple):
    """One model of the paper's table 3, and what its figures 1 and 7 say, in GiB."""

    name: str
    layers: float
    hidden: float
    heads: float
    pipeline: float
    chunks: float
    micro_batch: float
    states: float
    tensor_alone: float
    sequence_and_selective: float


MODELS = [
    Megatron("22B", 48.0, 6144.0, 64.0, 1.0, 1.0, 4.0, 45.56, 59.25, 9.56),
    Megatron("175B", 96.0, 12288.0, 96.0, 8.0, 3.0, 1.0, 45.56, 66.84, 12.35),
    Megatron("530B", 105.0, 20480.0, 128.0, 35.0, 3.0, 1.0, 31.64, 114.02, 23.08),
    Megatron("1T", 128.0, 25600.0, 160.0, 64.0, 1.0, 1.0, 32.96, 131.25, 26.56),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_the_four_megatron_models(model: Megatron) -> None:
    """Korthikanti et al., 2022, figures 1 and 7: values of formulas (18 bytes a parameter without embeddings), not measurements."""
    parameters = 12.0 * model.layers * model.hidden**2 / (8.0 * model.pipeline)
    assert round(formulas.optimizer_state_memory(parameters, 1.0, 0.0, **STATES) / GIB, 2) == model.states
    layers = model.layers / model.pipeline * formulas.in_flight_of_first_stage(model.pipeline, model.chunks, 512.0)
    sizes = {"tokens": 2048.0 * model.micro_batch, "sequence": 2048.0, "hidden": model.hidden, "heads": model.heads}
    shared = sizes | {"tensor_parallel": 8.0, "element_size": 2.0, "mask_size": 1.0}
    for sequence, scores, printed in ((0.0, 1.0, model.tensor_alone), (1.0, 0.0, model.sequence_and_selective)):
        layer = formulas.standard_layer_activation_memory(**shared, sequence_parallel=sequence, scores_kept=scores)
        assert round(layers * layer / GIB, 2) == printed
