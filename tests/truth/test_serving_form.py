"""Check values of the serving form with the constants of its first trial: an independent implementation gave these times."""

import math

import pytest

import nvscale as nv
from nvscale.truth.constants import Constant, Constants

SHARED = {"pass_bandwidth": 0.7}
HOPPER = {"attention_launch": 11e-6, "attention_bandwidth": 0.9, "attention_peak": 0.6, "exchange_share": 180 / 450}
BLACKWELL = {"attention_launch": 11e-6, "attention_bandwidth": 0.9, "attention_peak": 0.54, "exchange_share": 280 / 900}
LATENCY = {("Hopper", 2): 3.0e-6, ("Hopper", 4): 3.4e-6, ("Hopper", 8): 4.2e-6, ("Blackwell", 4): 5.5e-6}
MULTIPLIES = {
    "Hopper": {"bf16": (0.82, 0.87, 3.6e-6), "fp8": (0.61, 0.82, 5.9e-6), "fp8_block": (0.61, 0.84, 5.1e-6)},
    "Blackwell": {"bf16": (0.69, 0.87, 3.2e-6), "fp8_block": (0.61, 0.78, 6.8e-6), "nvfp4": (0.44, 0.58, 7.2e-6)},
}
EXPERTS = {"expert_bytes": 0.91, "expert_work": 4.8, "expert_work_plain": 4.8, "expert_layer": 60e-6, "expert_layer_narrow": 60e-6}


def trial(family: str, engine: str, ranks: int) -> dict[str, Constants]:
    """The constants of the trial; the latency of all-reduces is given for each size of a group."""
    latency = {"exchange_latency": LATENCY.get((family, ranks), 0.0), "exchange_doubling": 0.0}
    around = SHARED | (HOPPER if family == "Hopper" else BLACKWELL) | latency
    rows: dict[tuple[str, str, str], dict[str, Constant]] = {}
    for form, (compute, memory, launch) in MULTIPLIES[family].items():
        own = {"share_of_peak": compute, "share_of_bandwidth": memory, "launch": launch} | around
        class_ = f"kernels {form}"
        rows[class_, "", "any data centre"] = {name: _constant(class_, "", name, value) for name, value in own.items()}
    host = {"step": 0.69e-3, "sequence": 5e-6 if engine == "trtllm" else 25e-6, "interference": 0.95, "expert_half_width": 0.0} | EXPERTS
    works = {"prefill_alone": float(engine == "sglang"), "reserves": 1.0 if engine == "trtllm" else 0.5}
    rows["engine", engine, "any data centre"] = {name: _constant("engine", engine, name, value) for name, value in (host | works).items()}
    return {"serving": Constants("serving", rows, {})}


def _constant(class_: str, path: str, name: str, value: float) -> Constant:
    return Constant("serving", class_, path, "any data centre", name, value, math.nan, "1", math.nan, "trial", "", math.nan)


CASES = [
    ("llama-3.1-70b", "fp8", "dgx-h200", "Hopper", "trtllm", 8, 1, 1024, 1024, 32, 8.49),
    ("llama-3.1-70b", "nvfp4", "dgx-b200", "Blackwell", "vllm", 4, 1, 8192, 1024, 16, 11.22),
    ("llama-3.1-8b", "bf16", "dgx-h100", "Hopper", "trtllm", 1, 1, 1024, 512, 32, 9.78),
    ("deepseek-v3", "fp8_block", "dgx-h200", "Hopper", "sglang", 8, 1, 8192, 1024, 16, 21.0),
    ("minimax-m2.5", "fp8_block", "dgx-b200", "Blackwell", "vllm", 4, 1, 1024, 1024, 64, 15.7),
    ("qwen3-235b-a22b", "fp8_block", "dgx-h100", "Hopper", "trtllm", 4, 4, 1024, 512, 32, 26.9),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]} {case[2]}")
def test_check_values_of_the_form(case: tuple[str, str, str, str, str, int, int, int, int, int, float]) -> None:
    name, form, system, family, engine, tp, ep, isl, osl, users, milliseconds = case
    model = nv.model(name)
    plan = nv.Parallelism(tp=tp, ep=ep, etp=tp / ep if model.experts else 1.0)
    work = nv.Serving(model=model, isl=isl, osl=osl, concurrency=users, precision=form)
    found = nv.serving(work, nv.system(system).scale(tp), plan, engine=engine, calibration=trial(family, engine, tp))
    assert found["tpot"].value * 1e3 == pytest.approx(milliseconds, rel=0.02)
