"""Speed of serving estimates, as ratios within one run: alone, over grids with one array dimension per axis, and in searches.

A full estimate is the closed loop of an instance: time per token, time to first token, throughput, room for caches.

Run: python benchmarks/serving.py
"""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

import nvscale as nv
from nvscale.estimators.generation import loop, prepared
from nvscale.estimators.serving import memory_of

REPEATS = 9
AXES = {"tp": [1.0, 2.0, 4.0, 8.0], "users": np.arange(1.0, 65.0), "isl": 256.0 * np.arange(1, 17), "osl": 128.0 * np.arange(1, 17)}
"""Of the grids: about as many points as NumPy is fastest with."""


def seconds(function: Callable[[], object], number: int = 1) -> float:
    """CPU seconds of one call on one core, the best of several rounds."""
    rounds = []
    for _ in range(REPEATS):
        start = time.process_time()
        for _ in range(number):
            function()
        rounds.append((time.process_time() - start) / number)
    return min(rounds)


def grid(model: str, system: str, **plan: float) -> tuple[Callable[[], Any], int]:
    """A full estimate of every point of the axes, and how many points there are."""
    last = len(AXES) - 1
    at = {name: np.asarray(values).reshape((-1,) + (1,) * (last - d)) for d, (name, values) in enumerate(AXES.items())}
    work = nv.Serving(model=nv.model(model), isl=at["isl"], osl=at["osl"], concurrency=1.0, precision="fp8")
    placed = nv.system(system)
    instance = prepared(work, placed, nv.Parallelism(tp=at["tp"], **plan), "vllm", None, None)[2]
    memory = memory_of(placed.chip)
    return lambda: loop(work, instance, memory, at["users"]), int(np.prod([len(values) for values in AXES.values()]))


def main() -> None:
    """Print a row per measurement: what, time of one, how many a second, ratio to its yardstick."""
    work = nv.Serving(model=nv.model("llama-3.1-70b"), isl=1024, osl=1024, concurrency=32, precision="fp8")
    node, plan = nv.system("dgx-h100"), nv.Parallelism(tp=8)
    scalar = seconds(lambda: nv.serving(work, node, plan, engine="vllm")["ttft"].value, 50)
    dense, points = grid("llama-3.1-70b", "dgx-h100")
    experts, _ = grid("deepseek-v3", "gb200-nvl72", ep=8.0)
    rows = [("a serving estimate with its tree", scalar, 1)]
    rows.append(("dense, a point of a grid", seconds(dense), points))
    rows.append(("mixture of experts, a point of a grid", seconds(experts), points))
    found = nv.frontier(work, ["dgx-h100", "dgx-b200"])
    rows.append(("a point of a frontier, power and dollars", seconds(lambda: nv.frontier(work, ["dgx-h100", "dgx-b200"])), len(found)))
    for what, spent, count in rows:
        each = spent / count
        print(f"{what:42} {each * 1e6:10.4f} us {1.0 / each:14,.0f} a second on one core {scalar / each:10.1f} x one alone")  # noqa: T201


if __name__ == "__main__":
    main()
