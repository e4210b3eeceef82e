"""The same search, one layout after the other, in plain Python: what the vectorised one is held against."""

import itertools
import math
from collections.abc import Iterator
from typing import NamedTuple

import nvscale as nv
from nvscale.composition import Network, System
from nvscale.efficiencies.training import TrainingEfficiency, TrainingStack
from nvscale.estimators.memory_of_training import memory_per_chip
from nvscale.estimators.training_shards import machine_of
from nvscale.estimators.training_steps import step

STACK = TrainingStack(
    launch=3e-6, micro_batch_launch=1e-3, tp_overlap=0.3, dp_overlap=0.5, fsdp_overlap=0.6, pp_overlap=0.5, straggler_growth=0.01,
    attention_share=0.6, broadcast=1e-5, head_on_last_stage=1.0,
)  # fmt: skip

SUSTAINED = TrainingEfficiency(
    share_of_peak=0.8, share_of_bandwidth=0.9, half_length=100.0, scaleup_share=0.8, scaleout_share=0.7, hop=5e-6
)
SOFTWARE = {"stack": STACK, "efficiency": SUSTAINED}


class Found(NamedTuple):
    """A layout that can be and fits."""

    seconds: float
    memory: float
    plan: nv.Parallelism


def small_model(layers: int = 4, heads: int = 4, kv_heads: int = 2, experts: int = 0, hidden: int = 512) -> nv.Model:
    mixture = {"experts": experts, "experts_per_token": min(2, experts), "expert_ffn": 512} if experts else {}
    return nv.Model(name="small", layers=layers, hidden=hidden, heads=heads, kv_heads=kv_heads, ffn=1536, vocabulary=4000, **mixture)


def small_system(chips: int = 8, domain: int = 4, memory: float = 8e10, inside: float = 4e11, outside: float = 5e10) -> System:
    chip = nv.Chip(name="slate", memory=memory, memory_bandwidth=3e12, peak=nv.Rates(fp8=2e15, bf16=1e15))
    networks = (Network(name="inner", span=domain, bandwidth=inside), Network(name="outer", bandwidth=outside))
    return System(name="made", chip=chip, chips=chips, networks=networks)


def whole_divisors(n: float) -> list[int]:
    return [i for i in range(1, int(n) + 1) if n % i == 0]


def can_be(job: nv.Training, chips: int, domain: float, plan: nv.Parallelism) -> bool:
    """The rules, one layout at a time."""
    m, p = job.model, plan
    replicas = chips / (p.tp * p.pp * p.cp)
    batches = job.global_batch / (replicas * p.micro_batch)
    sharded = p.tp > 1 or p.sequence_parallel
    return all(
        (
            replicas % 1 == 0 and batches % 1 == 0,
            m.heads % p.tp == 0 and m.ffn % p.tp == 0 and p.tp <= domain,
            m.kv_heads % p.tp == 0 or p.tp % m.kv_heads == 0,
            p.pp <= m.layers,
            p.cp == 1 or job.sequence % (2 * p.cp) == 0,
            not p.sequence_parallel or (job.sequence / p.cp) % p.tp == 0,
            p.vpp == 1 or (p.pp > 1 and math.ceil(m.layers / p.pp) % p.vpp == 0 and batches >= p.pp),
            p.ep == 1 or (m.experts % p.ep == 0 and (chips / p.pp) % p.ep == 0),
            p.zero != 2 or p.pp == 1,
            sharded and (p.zero == 0 or replicas * p.cp > 1 or m.experts > 0),  # each layout once
        )
    )


def plain_search(job: nv.Training, system: System, limit: float, stack: TrainingStack = STACK) -> Iterator[Found]:
    """Yield every layout that can be and fits."""
    model, chips = job.model, int(system.chips)
    at = machine_of(system, job.precision, SUSTAINED, stack)
    counts = whole_divisors(chips)
    experts = whole_divisors(model.experts) if model.experts else [1]
    sizes = [counts, counts, [c for c in counts if c == 1 or 2 * c <= job.sequence], range(1, int(model.layers) + 1), experts]
    for tp, pp, cp, vpp, ep in itertools.product(*sizes):
        for size, zero, split, kind in itertools.product(
            range(1, int(job.global_batch) + 1), range(4), (1, 0), ("none", "selective", "full")
        ):
            plan = nv.Parallelism(tp=tp, pp=pp, cp=cp, vpp=vpp, ep=ep, micro_batch=size, zero=zero, sequence_parallel=split, recompute=kind)
            if can_be(job, chips, system.networks[0].span, plan):
                memory = float(memory_per_chip(job, plan, float(chips)))
                if memory <= limit:
                    yield Found(float(step(job, plan, float(chips), at, stack).value), memory, plan)


def front_of(found: list[Found]) -> list[tuple[float, float]]:
    """Seconds and bytes of the layouts that no other one beats in both."""
    front: list[tuple[float, float]] = []
    for one in sorted(found, key=lambda one: (one.memory, one.seconds)):
        if not front or one.seconds < front[-1][0]:
            front.append((one.seconds, one.memory))
    return front[::-1]
