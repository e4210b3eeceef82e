"""Speed of training steps over layouts, as ratios within one run: alone, in a grid, and in the search for the best.

The grid has one array dimension per axis; the search is that of 175 billion parameters on 4,096 chips.

Run: python benchmarks/layouts.py
"""

import time
from collections.abc import Callable

import numpy as np

import nvscale as nv
from nvscale.estimators.memory_of_training import memory_per_chip
from nvscale.estimators.training import efficiency_of, machine_of, stack_of, training
from nvscale.estimators.training_steps import step
from nvscale.layouts import divisors

REPEATS = 9
CHIPS = 4096.0
AXES = {
    "zero": [0.0, 1.0, 2.0, 3.0],
    "sequence_parallel": [0.0, 1.0],
    "vpp": divisors(12),
    "tp": divisors(8),
    "cp": divisors(32),
    "micro_batch": divisors(4096),
}
"""Of the grid: eight stages of twelve layers."""
SPACE = {
    "schedule": ["1f1b", "zero-bubble"],
    "zero": [0, 1, 2, 3],
    "offload": [0.0, 0.5, 1.0],
    "tp_overlap": [0.0, 0.5],
    "dp_overlap": [0.0, 0.5],
    "pp_overlap": [0.0, 1.0],
    "cross_domain": True,
}
"""Of the search, beyond what is searched anyway: the options that other programs count as layouts."""


def seconds(function: Callable[[], object], number: int = 1) -> float:
    """CPU seconds of one call, the best of several rounds."""
    rounds = []
    for _ in range(REPEATS):
        start = time.process_time()
        for _ in range(number):
            function()
        rounds.append((time.process_time() - start) / number)
    return min(rounds)


def main() -> None:
    """Print a row per measurement: what, time of one, how many a second, ratio to its yardstick."""
    model = nv.Model(name="gpt-3 175b", layers=96, hidden=12288, heads=96, ffn=49152, ffn_matrices=2, vocabulary=51200)
    job = nv.Training(model=model, sequence=2048, global_batch=4096)
    system = nv.system("dgx-h100").scale(CHIPS)
    software, sustained = stack_of("vendor-fused", system.chip), efficiency_of(system.chip, job.precision)
    at = machine_of(system, job.precision, sustained, software)
    one = nv.Parallelism(tp=8, pp=8, vpp=4)
    last = len(AXES) - 1
    grid = nv.Parallelism(pp=8, **{name: np.reshape(values, (-1,) + (1,) * (last - d)) for d, (name, values) in enumerate(AXES.items())})
    points = int(np.prod([len(values) for values in AXES.values()]))
    numbers = np.linspace(1.0, 2.0, points)

    multiply = seconds(lambda: numbers * numbers, 200) / points
    alone = seconds(lambda: step(job, one, CHIPS, at, software), 200)
    tree = seconds(lambda: training(job, system, one), 100)
    with np.errstate(all="ignore"):
        many = seconds(lambda: step(job, grid, CHIPS, at, software), 20) / points
        memory = seconds(lambda: memory_per_chip(job, grid, CHIPS), 20) / points
    start = time.perf_counter()
    found = nv.best_plan(job, "dgx-h100", chips=CHIPS, **SPACE)
    wall = time.perf_counter() - start
    layouts = found.fitting + found.rejected.get("memory", 0)
    rows = [
        ("a step, alone", alone, alone / multiply, "a multiplication of an array"),
        ("a step with its tree", tree, tree / alone, "a step, alone"),
        (f"a step in a grid of {points:,}", many, many / multiply, "a multiplication of an array"),
        ("memory of a layout in the grid", memory, memory / multiply, "a multiplication of an array"),
        (f"a layout in a search of {layouts:,}", wall / layouts, alone * layouts / wall, "faster than steps alone"),
    ]
    for what, duration, ratio, yardstick in rows:
        print(f"{what:36} {duration * 1e6:10.4f} us  {1.0 / duration / 1e6:8.3f} million/s  {ratio:10.1f} x {yardstick}")  # noqa: T201
    print(f"the whole search: {wall:.2f} s")  # noqa: T201


if __name__ == "__main__":
    main()
