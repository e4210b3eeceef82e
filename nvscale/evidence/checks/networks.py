"""Networks: reduction in switches, larger scale-up domains, a rack as one chip, a cluster as one machine."""

import math
from typing import Any

from nvscale.catalogue import default, model, network, system
from nvscale.composition import System
from nvscale.efficiencies import IDEAL
from nvscale.estimators.serving import serving
from nvscale.estimators.training import training
from nvscale.evidence.findings import Finding
from nvscale.evidence.frontiers import envelope, in_domains_of
from nvscale.evidence.software import scalability, strong_scaling
from nvscale.formulas import collectives, parallel_speedup
from nvscale.parallelism import Parallelism
from nvscale.silicon import Rates
from nvscale.workloads import Training
from nvscale.workloads.serving import Serving

MODEL, RACK, FORMAT = "deepseek-v3", "gb200-nvl72", "nvfp4"
SMALL, DOMAIN = 8.0, 64.0


def _served(work: Serving, machine: System, plan: Parallelism, **options: Any) -> Any:
    return serving(work, machine, plan, **options)


def _work(users: float, precision: str = FORMAT) -> Serving:
    return Serving(model=model(MODEL), isl=1024.0, osl=1024.0, concurrency=users, precision=precision)


def _step(machine: System) -> Any:
    """A training step that leans on the scale-up network: tensor parallel over 8."""
    job = Training(model=model("llama-3.1-405b"), sequence=8192.0, global_batch=256.0, precision="bf16")
    return training(job, machine, Parallelism(tp=8.0, pp=8.0))


def network_gains(at_least: float = 1.1) -> list[Finding]:
    """Findings on what the network brings: reduction in the switch, faster links, a domain of 72 and not of 8."""
    link = network("nvlink-4")
    found = []
    for text, size in (("16 kB", 2.0**14), ("128 MB", 2.0**27)):
        ring = collectives.ring_all_reduce_time(size, SMALL, link.bandwidth, link.latency)
        inside = collectives.in_network_all_reduce_time(size, SMALL, link.bandwidth, link.latency)
        how = "ring over reduction in the switch, 8 chips, NVLink 4, alpha-beta formulas without software"
        found.append(Finding(f"all-reduce of {text} in the switch", ring / inside, at_least=at_least, method=how))
    rack = system(RACK)
    eights = in_domains_of(rack, SMALL)
    wide, narrow = (envelope(model(MODEL), machine, FORMAT) for machine in (rack, eights))
    how = f"{MODEL} at {FORMAT}, tokens/s per chip at 50 tokens/s per user, domains of 72 over domains of 8, the same chips"
    found.append(Finding("throughput of a larger domain", wide.at(50.0) / narrow.at(50.0), at_least=at_least, method=how))
    fast = rack.scale(64)
    halved = fast.replace(networks=(fast.scaleup.replace(bandwidth=fast.scaleup.bandwidth / 2.0), *fast.networks[1:]))
    training_gain = _step(halved).value / _step(fast).value
    how = "step of Llama 3.1 405B on 64 chips, tp 8, NVLink 5 over the same at half its bandwidth"
    found.append(Finding("training with twice the scale-up bandwidth", training_gain, at_least=at_least, method=how))
    return found


def speed_and_volume(users_per_second: tuple[float, ...] = (20.0, 50.0, 80.0), at_least: float = 1.0) -> list[Finding]:
    """Findings on whether a large domain is both faster for a user and fuller for the machine, at the same chips."""
    rack = system(RACK)
    wide, narrow = (envelope(model(MODEL), machine, FORMAT) for machine in (rack, in_domains_of(rack, SMALL)))
    how = f"{MODEL} at {FORMAT}, frontier of domains of 72 over that of domains of 8; plans inside a domain"
    found = [
        Finding(f"throughput at {speed:g} tokens/s per user", wide.at(speed) / narrow.at(speed), at_least=_above(at_least), method=how)
        for speed in users_per_second
    ]
    for rate in (300.0, 1000.0, 3000.0):
        ratio = wide.speed(rate) / narrow.speed(rate)
        found.append(Finding(f"speed per user at {rate:g} tokens/s per chip", ratio, at_least=_above(at_least), method=how))
    fastest = wide.per_user[-1] / narrow.per_user[-1]
    found.append(Finding("fastest user of all", fastest, method="ends of both frontiers; needs no room for others"))
    return found


def _above(limit: float) -> float:
    return math.nextafter(limit, math.inf)


def acts_as_one(at_least: float = 0.5) -> list[Finding]:
    """Findings on 64 chips of a rack against one chip with 64 times every figure, and against the same chips in eights."""
    rack = system(RACK)
    one = _as_one_chip(rack, DOMAIN)
    found = []
    for words, users in (("few users", 64.0), ("many users", 16384.0)):
        many = _served(_work(users), rack.scale(DOMAIN), Parallelism(ep=DOMAIN), engine="ideal", efficiency=IDEAL)
        ideal = _served(_work(users), one, Parallelism(), engine="ideal", efficiency=IDEAL)
        share = many["tokens per second"].value / ideal["tokens per second"].value
        how = (
            f"{MODEL} at {FORMAT}, bare rooflines: tokens/s of {DOMAIN:g} chips over one chip of {DOMAIN:g} times the figures; "
            "a little above 1 is coarseness of the formulas"
        )
        found.append(Finding(f"share of one large chip, {words}", share, at_least=at_least, method=how))
    wide, narrow = (
        _served(_work(1024.0), rack.scale(DOMAIN), Parallelism(ep=ranks))["tokens per second per user"].value for ranks in (DOMAIN, SMALL)
    )
    how = f"{MODEL}, 1,024 users on {DOMAIN:g} chips, experts over {DOMAIN:g} and over 8, fitted constants"
    found.append(Finding("speed per user of 64 as one over eights", wide / narrow, at_least=1.0, method=how))
    return found


def _as_one_chip(rack: System, times: float) -> System:
    chip = rack.chip
    rates = Rates(**{name: times * getattr(chip.peak, name) for name in Rates.__dataclass_fields__})
    reported = None if chip.memory_reported is None else times * chip.memory_reported
    large = chip.replace(
        peak=rates, memory=times * chip.memory, memory_reported=reported, memory_bandwidth=times * chip.memory_bandwidth,
        power=times * chip.power, price=times * chip.price,
    )  # fmt: skip
    return System(name=f"{times:g} {chip.name} as one", chip=large, chips=1.0)


def one_cluster(chips: float = 98304.0, at_least: float = 0.5) -> list[Finding]:
    """Findings on a cluster of a hundred thousand chips: step by step, by strong scaling, and with failures."""
    small = 1024.0
    steps = []
    for count in (small, chips):
        job = Training(model=model("llama-3.1-405b"), sequence=8192.0, global_batch=count / 4.0, precision="bf16")
        steps.append(training(job, system("dgx-h100").scale(count), Parallelism(tp=8.0, pp=16.0)))
    how = f"MFU of Llama 3.1 405B on {chips:,.0f} H100 over that on {small:,.0f}, tp 8, pp 16, batch growing with the chips"
    found = [Finding("batch grows with the chips", steps[1].mfu / steps[0].mfu, at_least=at_least, method=how)]
    sizes, speeds = strong_scaling()
    contention, coherency = scalability(sizes, speeds)
    multiple = chips / sizes[0]
    efficiency = parallel_speedup.usl_capacity(multiple, contention, coherency) / multiple
    how = f"scalability law fitted to MLPerf GPT-3 at {sizes[0]} to {sizes[-1]} H100 (contention {contention:.4f}), carried on"
    found.append(Finding("batch stays as it is", efficiency, at_least=at_least, method=how))
    goodput, source = default().number("assumptions", "training-run", "goodput", "1")
    how = "useful over elapsed time of published large runs, failures and restarts taken out"
    found.append(Finding("failures and restarts", goodput, "1", source.low, source.high, at_least, None, how))
    return found
