"""Parameters from configuration files and of the catalogue, against what is published."""

import pytest

import nvscale as nv
from nvscale.model_configs import ARCHITECTURES, from_config
from tests.models.configs import NAMED, PUBLISHED

# Entries of the catalogue whose published total holds more than the parameters of the shape: how much, and what it is.
BEYOND = {
    "llama-2-13b": (40 * 64, "buffers of rotary frequencies, 64 a layer"),
    "llama-2-70b": (80 * 64, "buffers of rotary frequencies, 64 a layer"),
    "falcon-7b": (65024 * 4544, "the embedding a second time"),
    "falcon-180b": (65024 * 14848, "the embedding a second time"),
    "llama-4-scout": (871932416, "the encoder of pictures"),
    "llama-4-maverick": (871932416, "the encoder of pictures"),
    "kimi-k2": (3416, "elements beyond the parameters of the architecture"),
}
# Active parameters that makers count otherwise, in billions: without the embedding, or rounded down in the name.
OTHERWISE_ACTIVE = {
    "gpt-oss-20b": 3.61,
    "gpt-oss-120b": 5.13,
}
ROUNDED = [model.name for model in nv.models(family="Megatron GPT") if model.published_parameters]
EXACT = [model.name for model in nv.models() if model.published_parameters and model.name not in ROUNDED]


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_configuration_gives_the_published_number_of_parameters(name: str) -> None:
    case = PUBLISHED[name]
    assert from_config(case.config, name).parameters == case.parameters, case.document


@pytest.mark.parametrize("name", NAMED)
def test_a_configuration_gives_the_size_in_the_name(name: str) -> None:
    case = NAMED[name]
    digits = len(case.billions.partition(".")[2])
    assert f"{from_config(case.config, name).parameters / 1e9:.{digits}f}" == case.billions


def test_most_architectures_are_checked_against_a_published_number() -> None:
    checked = {model.architecture for model in (from_config(case.config) for case in PUBLISHED.values())}
    assert len(checked) >= 40
    assert len(ARCHITECTURES) >= 60


@pytest.mark.parametrize("name", EXACT)
def test_a_model_of_the_catalogue_has_the_published_number_of_parameters(name: str) -> None:
    model = nv.model(name)
    beyond, reason = BEYOND.get(name, (0, ""))
    assert model.parameters + beyond == model.published_parameters
    assert bool(reason) <= bool(model.notes), "what a published total holds beyond the parameters stands in a note"


@pytest.mark.parametrize("name", ROUNDED)
def test_a_rounded_number_is_met_to_its_digits(name: str) -> None:
    """Narayanan et al. 2021, table 1, prints billions with one decimal; the trillion as 1008.0."""
    model = nv.model(name)
    assert abs(model.parameters - model.published_parameters) <= 0.05e9


def test_most_of_the_catalogue_has_a_published_number() -> None:
    assert len(EXACT) >= 80
    assert len(nv.models()) >= 110


@pytest.mark.parametrize("model", [m for m in nv.models() if m.published_active_parameters], ids=lambda m: m.name)
def test_active_parameters_are_those_of_the_maker(model: nv.Model) -> None:
    if model.name in OTHERWISE_ACTIVE:
        unembedded = model.active_parameters - model.vocabulary * model.hidden
        assert unembedded / 1e9 == pytest.approx(OTHERWISE_ACTIVE[model.name], abs=0.01)
    else:
        assert model.active_parameters == pytest.approx(model.published_active_parameters, rel=0.2)


def test_modules_of_token_prediction_have_the_published_size() -> None:
    """DeepSeek-V3, README of the weights: 11.5 billion of its own, without embedding and head."""
    assert nv.model("deepseek-v3").prediction_parameters / 1e9 == pytest.approx(11.6, abs=0.15)
