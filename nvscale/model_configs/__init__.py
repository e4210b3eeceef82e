"""`from_config`: a local Hugging Face config.json -> Model. Nothing is fetched and no code of the file is run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput, unknown
from nvscale.model_configs import experts, gated, hybrid, plain
from nvscale.model_configs.parts import Fields
from nvscale.model_configs.reading import Config, read_table
from nvscale.provenance import Source
from nvscale.transformers import Model

__all__ = ["ARCHITECTURES", "from_config"]

Reader = Callable[[Config], Fields]
_READERS: tuple[tuple[Reader, str], ...] = (
    (gated.llama, "Llama Baichuan InternLM2 SmolLM3"),
    (gated.internlm, "InternLM"),
    (gated.mistral, "Mistral Ministral Ministral3 Mistral3"),
    (gated.granite, "Granite"),
    (gated.qwen2, "Qwen2 Qwen2VL Qwen2_5_VL MiMo"),
    (gated.qwen3, "Qwen3 Qwen3VL"),
    (gated.seed_oss, "SeedOss"),
    (gated.phi3, "Phi3"),
    (gated.gemma, "Gemma"),
    (gated.gemma2, "Gemma2"),
    (gated.gemma3, "Gemma3"),
    (gated.glm, "Glm"),
    (gated.glm4, "Glm4"),
    (gated.cohere, "Cohere"),
    (gated.cohere2, "Cohere2"),
    (gated.olmo, "Olmo"),
    (gated.olmo2, "Olmo2 Olmo3"),
    (gated.exaone4, "Exaone4"),
    (gated.stablelm, "StableLm"),
    (plain.gpt2, "GPT2LMHeadModel"),
    (plain.gpt_bigcode, "GPTBigCode"),
    (plain.gptj, "GPTJ"),
    (plain.gpt_neox, "GPTNeoX"),
    (plain.opt, "OPT"),
    (plain.bloom, "Bloom"),
    (plain.falcon, "Falcon"),
    (plain.mpt, "MPT Mpt"),
    (plain.phi, "Phi"),
    (plain.starcoder2, "Starcoder2"),
    (plain.nemotron, "Nemotron"),
    (experts.mixtral, "Mixtral"),
    (experts.granite_moe, "GraniteMoe"),
    (experts.olmoe, "Olmoe"),
    (experts.phimoe, "PhiMoE"),
    (experts.gpt_oss, "GptOss"),
    (experts.minimax_m2, "MiniMaxM2"),
    (experts.dbrx, "Dbrx"),
    (experts.qwen2_moe, "Qwen2Moe"),
    (experts.qwen3_moe, "Qwen3Moe Qwen3VLMoe"),
    (experts.llama4, "Llama4"),
    (experts.deepseek, "Deepseek"),
    (experts.glm4_moe, "Glm4Moe"),
    (experts.deepseek_latent, "DeepseekV2 DeepseekV3 DeepseekV32 KimiK2 KimiK25 GlmMoeDsa Glm4MoeLite"),
    (hybrid.nemotron_h, "NemotronH"),
    (hybrid.mamba, "Mamba FalconMamba"),
    (hybrid.mamba2, "Mamba2"),
    (hybrid.jamba, "Jamba"),
    (hybrid.qwen3_next, "Qwen3Next Qwen3_5Moe"),
    (hybrid.qwen3_5, "Qwen3_5"),
    (hybrid.granite_hybrid, "GraniteMoeHybrid"),
)
_ENDINGS = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel")


def _stem(architecture: str) -> str:
    """An architecture without what kind of head it has."""
    return next((architecture.removesuffix(ending) for ending in _ENDINGS if architecture.endswith(ending)), architecture)


_BY_STEM: Mapping[str, Reader] = {_stem(name): reader for reader, names in _READERS for name in names.split()}
ARCHITECTURES: tuple[str, ...] = tuple(
    sorted(name if name.endswith(_ENDINGS) else f"{name}ForCausalLM" for _, names in _READERS for name in names.split())
)
"""Names of the architectures that can be read."""


def from_config(source: "str | Path | Mapping[str, Any]", name: str = "") -> Model:
    """Return the model that a local Hugging Face config.json describes; norms and biases are counted by architecture.

    Parameters
    ----------
    source : str, Path or mapping
        The file, the folder that holds it, or its parsed content.
    name : str
        Name of the model; by default that of the folder, or of the architecture.

    Returns
    -------
    Model
        Its `sources` name the file. Of a model that also sees pictures, the part for language.

    Raises
    ------
    UnknownName
        The architecture is not known; the message lists the closest ones.
    InvalidInput
        A key is missing, contradicts another or is out of range; the message names key and file.

    Examples
    --------
    >>> tiny = {"architectures": ["LlamaForCausalLM"], "num_hidden_layers": 16, "hidden_size": 2048, "intermediate_size": 8192,
    ...         "num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256, "tie_word_embeddings": True}
    >>> from_config(tiny, "llama-3.2-1b").parameters
    1235814400.0
    """
    table, where = read_table(source)
    whole = Config(table, where)
    architecture = _architecture(whole)
    reader = _BY_STEM.get(_stem(architecture))
    if reader is None:
        raise unknown("architecture", architecture, ARCHITECTURES)
    fields = {key: value for key, value in reader(whole.language_part()).items() if value is not None}
    origin = Source(printed="", document=where, title=f"{where}, {architecture}", kind="given")
    called = name or _folder(source) or architecture
    return Model(name=called, architecture=architecture, sources=dict.fromkeys(fields, origin), **fields)


def _architecture(config: Config) -> str:
    """The first architecture of the list."""
    listed = config.listed("architectures")
    if not listed:
        raise InvalidInput(f"{config.where}: key 'architectures' is missing or empty; wanted e.g. ['LlamaForCausalLM']")
    if not isinstance(listed[0], str):
        raise InvalidInput(f"{config.where}: architectures = {listed!r} is not a list of names")
    return listed[0]


def _folder(source: Any) -> str:
    """The name of the folder that a config.json lies in."""
    if isinstance(source, Mapping):
        return ""
    path = Path(source)
    return path.name if path.is_dir() else path.resolve().parent.name if path.name == "config.json" else path.stem
