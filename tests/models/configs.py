"""Configuration files in short, written from the shapes, and the number of parameters that is published for each."""

from typing import Any, NamedTuple

SAFETENSORS = "Hugging Face, model page, safetensors total"
KERAS = "KerasHub, presets, params"


class Published(NamedTuple):
    """One configuration with its published number of parameters and where that stands."""

    config: dict[str, Any]
    parameters: int
    document: str
    beyond: str = ""


def usual(architecture: str, layers: int, hidden: int, heads: int, kv_heads: int, ffn: int, vocabulary: int, **keys: Any) -> dict[str, Any]:
    """The keys that most architectures share."""
    return {
        "architectures": [architecture],
        "num_hidden_layers": layers,
        "hidden_size": hidden,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "intermediate_size": ffn,
        "vocab_size": vocabulary,
        "max_position_embeddings": 4096,
        **keys,
    }


def gpt(architecture: str, layers: int, hidden: int, heads: int, vocabulary: int, positions: int, **keys: Any) -> dict[str, Any]:
    """The keys of GPT-2 and its descendants."""
    shape = {"n_layer": layers, "n_embd": hidden, "n_head": heads, "vocab_size": vocabulary, "n_positions": positions}
    return {"architectures": [architecture], **shape, **keys}


class Named(NamedTuple):
    """One configuration with the billions of parameters in its name or on its card, as printed."""

    config: dict[str, Any]
    billions: str


LATENT = {"kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128}
JAMBA = {"num_experts": 16, "num_experts_per_tok": 2, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": 256}
DELTA = {"linear_num_key_heads": 16, "linear_key_head_dim": 128, "linear_num_value_heads": 32, "linear_value_head_dim": 128}
GRANITE = {"mamba_n_heads": 128, "mamba_d_head": 64, "mamba_n_groups": 1, "mamba_d_state": 128, "mamba_d_conv": 4}
MOE = {"num_experts_per_tok": 8, "n_shared_experts": 1}
PATTERN = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
MIXERS = {"mamba_num_heads": 64, "mamba_head_dim": 64, "n_groups": 8, "ssm_state_size": 128, "conv_kernel": 4}

PUBLISHED: dict[str, Published] = {
    "Llama-3.1-405B": Published(usual("LlamaForCausalLM", 126, 16384, 128, 8, 53248, 128256), 405853388800, SAFETENSORS),
    "Llama-3.2-1B": Published(usual("LlamaForCausalLM", 16, 2048, 32, 8, 8192, 128256, tie_word_embeddings=True), 1235814400, SAFETENSORS),
    "SmolLM3-3B": Published(usual("SmolLM3ForCausalLM", 36, 2048, 16, 4, 11008, 128256, tie_word_embeddings=True), 3075098624, SAFETENSORS),
    "internlm2_5-20b": Published(usual("InternLM2ForCausalLM", 48, 6144, 48, 8, 16384, 92544), 19861149696, SAFETENSORS),
    "Baichuan-7B": Published(usual("BaichuanForCausalLM", 32, 4096, 32, 32, 11008, 64000), 7000559616, "llama.cpp, number of parameters"),
    "Magistral-Small": Published(usual("MistralForCausalLM", 40, 5120, 32, 8, 32768, 131072, head_dim=128), 23572403200, KERAS),
    "Ministral-8B": Published(usual("MinistralForCausalLM", 36, 4096, 32, 8, 12288, 131072, head_dim=128), 8019808256, SAFETENSORS),
    "Olmo-3-7B": Published(
        usual("Olmo3ForCausalLM", 32, 4096, 32, 32, 11008, 100278, sliding_window=4096), 7298011136, "number of parameters in a log"
    ),
    "Mistral-7B-v0.1": Published(usual("MistralForCausalLM", 32, 4096, 32, 8, 14336, 32000, sliding_window=4096), 7241732096, SAFETENSORS),
    "Mistral-Nemo": Published(usual("MistralForCausalLM", 40, 5120, 32, 8, 14336, 131072, head_dim=128), 12247782400, SAFETENSORS),
    "Qwen2.5-72B": Published(usual("Qwen2ForCausalLM", 80, 8192, 64, 8, 29568, 152064), 72706203648, SAFETENSORS),
    "Qwen3-14B": Published(usual("Qwen3ForCausalLM", 40, 5120, 40, 8, 17408, 151936, head_dim=128), 14768307200, KERAS),
    "Seed-OSS-36B": Published(
        usual("SeedOssForCausalLM", 64, 5120, 80, 8, 27648, 155136, head_dim=128, attention_bias=True), 36151104512, SAFETENSORS
    ),
    "Phi-4": Published(usual("Phi3ForCausalLM", 40, 5120, 40, 10, 17920, 100352), 14659507200, SAFETENSORS),
    "gemma-7b": Published(usual("GemmaForCausalLM", 28, 3072, 16, 16, 24576, 256000, head_dim=256), 8537680896, KERAS),
    "gemma-2-27b": Published(
        usual("Gemma2ForCausalLM", 46, 4608, 32, 16, 36864, 256000, head_dim=128, sliding_window=4096), 27227128320, KERAS
    ),
    "gemma-3-27b-text": Published(
        {
            "architectures": ["Gemma3ForConditionalGeneration"],
            "text_config": {
                "num_hidden_layers": 62,
                "hidden_size": 5376,
                "num_attention_heads": 32,
                "num_key_value_heads": 16,
                "head_dim": 128,
                "intermediate_size": 21504,
                "sliding_window": 1024,
            },
        },
        27009346304,
        KERAS,
        "64 rows of the vocabulary more than the preset has",
    ),
    "glm-4-9b": Published(
        usual("GlmForCausalLM", 40, 4096, 32, 2, 13696, 151552, head_dim=128, attention_bias=True), 9399951360, SAFETENSORS
    ),
    "command-r7b": Published(usual("Cohere2ForCausalLM", 32, 4096, 32, 8, 14336, 256000, sliding_window=4096), 8028033024, SAFETENSORS),
    "OLMo-7B": Published(usual("OlmoForCausalLM", 32, 4096, 32, 32, 11008, 50304), 6888095744, SAFETENSORS),
    "OLMo-2-13B": Published(usual("Olmo2ForCausalLM", 40, 5120, 40, 40, 13824, 100352), 13716198400, SAFETENSORS),
    "stablelm-2-1.6b": Published(usual("StableLmForCausalLM", 24, 2048, 32, 32, 5632, 100352, use_qkv_bias=True), 1644515328, SAFETENSORS),
    "gpt2-xl": Published(gpt("GPT2LMHeadModel", 48, 1600, 25, 50257, 1024), 1557611200, KERAS),
    "starcoder": Published(gpt("GPTBigCodeForCausalLM", 40, 6144, 48, 49152, 8192), 15517456384, SAFETENSORS),
    "gpt-j-6b": Published(gpt("GPTJForCausalLM", 28, 4096, 16, 50400, 2048), 6050882784, "number of parameters printed on loading"),
    "gpt-neox-20b": Published(usual("GPTNeoXForCausalLM", 44, 6144, 64, 64, 24576, 50432), 20554567680, SAFETENSORS),
    "pythia-12b": Published(usual("GPTNeoXForCausalLM", 36, 5120, 40, 40, 20480, 50688), 11846072320, SAFETENSORS),
    "opt-125m": Published(
        {
            "architectures": ["OPTForCausalLM"],
            "num_hidden_layers": 12,
            "hidden_size": 768,
            "num_attention_heads": 12,
            "ffn_dim": 3072,
            "vocab_size": 50272,
            "max_position_embeddings": 2048,
        },
        125237760 + 2 * 768,
        KERAS,
        "two positions that are never used",
    ),
    "bloom": Published(gpt("BloomForCausalLM", 70, 14336, 112, 250880, 2048, n_embed=14336), 176247271424, SAFETENSORS),
    "falcon-7b": Published(
        usual("FalconForCausalLM", 32, 4544, 71, 71, 18176, 65024),
        7217189760 - 65024 * 4544,
        SAFETENSORS,
        "the file holds the embedding twice",
    ),
    "falcon-180b": Published(
        usual("FalconForCausalLM", 80, 14848, 232, 8, 59392, 65024, num_kv_heads=8, new_decoder_architecture=True),
        179522565120 - 65024 * 14848,
        SAFETENSORS,
        "the file holds the embedding twice",
    ),
    "falcon-rw-1b": Published(
        usual("FalconForCausalLM", 24, 2048, 32, 32, 8192, 50304, multi_query=False, parallel_attn=False, bias=True, alibi=True),
        1311625216,
        KERAS,
    ),
    "mpt-7b": Published(
        {
            "architectures": ["MPTForCausalLM"],
            "d_model": 4096,
            "n_heads": 32,
            "n_layers": 32,
            "vocab_size": 50368,
            "max_seq_len": 2048,
        },
        6658859008,
        "LLM Foundry, benchmarks, parameters of the 7b model",
    ),
    "phi-2": Published(usual("PhiForCausalLM", 32, 2560, 32, 32, 10240, 51200), 2779683840, SAFETENSORS),
    "starcoder2-7b": Published(usual("Starcoder2ForCausalLM", 32, 4608, 36, 4, 18432, 49152), 7173923840, SAFETENSORS),
    "Mixtral-8x22B": Published(
        usual("MixtralForCausalLM", 56, 6144, 48, 8, 16384, 32000, num_local_experts=8, num_experts_per_tok=2), 140620634112, SAFETENSORS
    ),
    "granite-3.0-1b-a400m": Published(
        usual("GraniteMoeForCausalLM", 24, 1024, 16, 8, 512, 49155, num_local_experts=32, num_experts_per_tok=8), 1334628352, SAFETENSORS
    ),
    "OLMoE-1B-7B": Published(
        usual("OlmoeForCausalLM", 16, 2048, 16, 16, 1024, 50304, num_experts=64, num_experts_per_tok=8), 6919161856, SAFETENSORS
    ),
    "gpt-oss-120b": Published(
        usual("GptOssForCausalLM", 36, 2880, 64, 8, 2880, 201088, head_dim=64, num_local_experts=128, num_experts_per_tok=4,
              sliding_window=128),
        116829156672,
        SAFETENSORS,
    ),
    "Qwen1.5-MoE-A2.7B": Published(
        usual("Qwen2MoeForCausalLM", 24, 2048, 16, 16, 5632, 151936, num_experts=60, num_experts_per_tok=4, moe_intermediate_size=1408,
              shared_expert_intermediate_size=5632),
        14315784192,
        KERAS,
    ),
    "Qwen3-235B-A22B": Published(
        usual("Qwen3MoeForCausalLM", 94, 4096, 64, 4, 12288, 151936, head_dim=128, num_experts=128, num_experts_per_tok=8,
              moe_intermediate_size=1536),
        235093634560,
        KERAS,
    ),
    "deepseek-moe-16b": Published(
        usual("DeepseekForCausalLM", 28, 2048, 16, 16, 10944, 102400, n_routed_experts=64, num_experts_per_tok=6, n_shared_experts=2,
              moe_intermediate_size=1408, first_k_dense_replace=1),
        16375728128,
        SAFETENSORS,
    ),
    "DeepSeek-V2": Published(
        usual("DeepseekV2ForCausalLM", 60, 5120, 128, 128, 12288, 102400, n_routed_experts=160, num_experts_per_tok=6, n_shared_experts=2,
              moe_intermediate_size=1536, first_k_dense_replace=1, q_lora_rank=1536, **LATENT),
        235741434880,
        SAFETENSORS,
    ),
    "DeepSeek-V3": Published(
        usual("DeepseekV3ForCausalLM", 61, 7168, 128, 128, 18432, 129280, n_routed_experts=256, moe_intermediate_size=2048,
              first_k_dense_replace=3, q_lora_rank=1536, topk_method="noaux_tc", num_nextn_predict_layers=1, **MOE, **LATENT),
        671026419200,
        "count of the main model over the tensors of the files",
    ),
    "GLM-4.5-Air": Published(
        usual("Glm4MoeForCausalLM", 46, 4096, 96, 8, 10944, 151552, head_dim=128, n_routed_experts=128, moe_intermediate_size=1408,
              first_k_dense_replace=1, attention_bias=True, num_nextn_predict_layers=1, **MOE),
        110468824832 - 3616573568,
        SAFETENSORS,
        "the file holds a module of multi-token prediction with embedding and head of its own",
    ),
    "Nemotron-3-Nano": Published(
        usual("NemotronHForCausalLM", 52, 2688, 32, 2, 1856, 131072, head_dim=128, hybrid_override_pattern=PATTERN, n_routed_experts=128,
              num_experts_per_tok=6, moe_intermediate_size=1856, moe_shared_expert_intermediate_size=3712, **MIXERS),
        31577940288,
        "llama.cpp, model_n_params",
    ),
    "mamba-2.8b": Published(
        {"architectures": ["MambaForCausalLM"], "num_hidden_layers": 64, "hidden_size": 2560, "state_size": 16, "vocab_size": 50280},
        2768345600,
        SAFETENSORS,
    ),
    "Jamba-v0.1": Published(usual("JambaForCausalLM", 32, 4096, 32, 8, 14336, 65536, **JAMBA), 51570323328, SAFETENSORS),
    "Qwen3-Next-80B-A3B": Published(
        usual("Qwen3NextForCausalLM", 48, 2048, 16, 2, 5120, 151936, head_dim=256, num_experts=512, num_experts_per_tok=10,
              moe_intermediate_size=512, shared_expert_intermediate_size=512, linear_conv_kernel_dim=4, **DELTA),
        79674391296,
        SAFETENSORS,
        "the file holds a module of multi-token prediction",
    ),
    "granite-4.0-h-small": Published(
        usual("GraniteMoeHybridForCausalLM", 40, 4096, 32, 8, 768, 100352, shared_intermediate_size=1536, num_local_experts=72,
              num_experts_per_tok=10, layer_types=["mamba"] * 36 + ["attention"] * 4, **GRANITE),
        32207337984,
        SAFETENSORS,
    ),
}  # fmt: skip

NAMED: dict[str, Named] = {
    "GLM-4-9B-0414": Named(usual("Glm4ForCausalLM", 40, 4096, 32, 2, 13696, 151552, head_dim=128, attention_bias=True), "9"),
    "EXAONE-4.0-32B": Named(usual("Exaone4ForCausalLM", 64, 5120, 40, 8, 27392, 102400, head_dim=128), "32.0"),
    "granite-3.0-8b": Named(usual("GraniteForCausalLM", 40, 4096, 32, 8, 12800, 49155), "8"),
    "command-r": Named(usual("CohereForCausalLM", 40, 8192, 64, 64, 22528, 256000), "35"),
    "command-r-plus": Named(usual("CohereForCausalLM", 64, 12288, 96, 8, 33792, 256000, use_qk_norm=True), "104"),
    "Phi-3.5-MoE": Named(
        usual(
            "PhiMoEForCausalLM",
            32,
            4096,
            32,
            8,
            6400,
            32064,
            num_local_experts=16,
            num_experts_per_tok=2,
            attention_bias=True,
            lm_head_bias=True,
        ),
        "42",
    ),
    "dbrx": Named(
        {
            "architectures": ["DbrxForCausalLM"],
            "d_model": 6144,
            "n_heads": 48,
            "n_layers": 40,
            "vocab_size": 100352,
            "max_seq_len": 32768,
            "attn_config": {"kv_n_heads": 8},
            "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4},
        },
        "132",
    ),
    "falcon-mamba-7b": Named(
        {
            "architectures": ["FalconMambaForCausalLM"],
            "num_hidden_layers": 64,
            "hidden_size": 4096,
            "intermediate_size": 8192,
            "state_size": 16,
            "time_step_rank": 256,
            "vocab_size": 65024,
            "tie_word_embeddings": False,
        },
        "7",
    ),
    "Codestral-Mamba-7B": Named(
        {
            "architectures": ["Mamba2ForCausalLM"],
            "num_hidden_layers": 64,
            "hidden_size": 4096,
            "num_heads": 128,
            "head_dim": 64,
            "n_groups": 8,
            "state_size": 128,
            "conv_kernel": 4,
            "vocab_size": 32768,
            "tie_word_embeddings": False,
        },
        "7.3",
    ),
    "opt-6.7b": Named(usual("OPTForCausalLM", 32, 4096, 32, 32, 0, 50272, ffn_dim=16384), "6.7"),
    "gemma-2b": Named(usual("GemmaForCausalLM", 18, 2048, 8, 1, 16384, 256000, head_dim=256), "2.5"),
}
