"""Loads that tests serve: random models, lengths and layouts, and a dense one that is known."""

from hypothesis import strategies as st

import nvscale as nv

KNOWN = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=32, precision="fp8")
NODE = nv.system("dgx-h100")
TP8 = nv.Parallelism(tp=8)
MODELS = ("llama-3.1-8b", "llama-3.1-70b", "deepseek-v3", "qwen3-235b-a22b", "gpt-oss-120b")
ENGINES = ("vllm", "sglang", "trtllm", "generic", "ideal")
RACK = nv.system("gb200-nvl72")

users = st.integers(1, 400).map(float)
lengths = st.sampled_from([128.0, 1000.0, 4096.0, 16384.0])
tps = st.sampled_from([4.0, 8.0])


@st.composite
def works(draw: st.DrawFn, models: tuple[str, ...] = MODELS) -> nv.Serving:
    """A load on a model."""
    return nv.Serving(
        model=nv.model(draw(st.sampled_from(models))),
        isl=draw(lengths),
        osl=draw(lengths),
        concurrency=draw(users),
        precision="fp8",
        prefix_cached=draw(st.sampled_from([0.0, 0.5, 0.9])),
    )
