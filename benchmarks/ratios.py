"""Speed as ratios within one run: imports against numpy, formulas against bare Python, roll-ups, array code, training steps.

Run: python benchmarks/ratios.py
"""

import subprocess
import sys
import timeit
from collections.abc import Callable

import numpy as np

import nvscale as nv
from nvscale import quantities
from nvscale.formulas import roofline

REPEATS = 5


def best(function: Callable[[], object], number: int) -> float:
    """Seconds of one call, the best of several rounds."""
    return min(timeit.repeat(function, number=number, repeat=REPEATS)) / number


def import_seconds(statement: str) -> float:
    """CPU seconds of a fresh interpreter that runs a statement, the best of several."""
    program = f"import resource\n{statement}\nprint(sum(resource.getrusage(resource.RUSAGE_SELF)[:2]))"
    return min(
        float(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout) for _ in range(REPEATS)
    )


def bare_attainable(intensity: float, peak: float, bandwidth: float) -> float:
    """The roofline without nvscale."""
    return min(peak, intensity * bandwidth)


def main() -> None:
    """Print a row per measurement: what, seconds, ratio to its yardstick."""
    nothing, numpy, ours = import_seconds("pass"), import_seconds("import numpy"), import_seconds("import nvscale")
    catalogue = import_seconds("import nvscale; nvscale.chip('H100').ridge_point('bf16')")
    bare = best(lambda: bare_attainable(100.0, 989.4e12, 3.35e12), 100_000)
    scalar = best(lambda: roofline.attainable(100.0, 989.4e12, 3.35e12), 100_000)
    mirrored = best(lambda: quantities.roofline.attainable("100 flop/byte", "989.4 TFLOP/s", "3.35 TB/s"), 2_000)
    points = np.linspace(1.0, 1e4, 1_000_000)
    array = best(lambda: roofline.attainable(points, 989.4e12, 3.35e12), 5)
    plain = best(lambda: np.minimum(989.4e12, points * 3.35e12), 5)
    node = nv.system("dgx-h100")
    roll_up = best(lambda: node.power, 20_000)
    curve = best(nv.curves, 3)
    job = nv.Training(model=nv.model("llama-3.1-405b"), sequence=8192, global_batch=2048)
    cluster, layout = nv.system("dgx-h100").scale(16_384), nv.Parallelism(tp=8, pp=16, vpp=8)
    one_step = best(lambda: nv.training(job, cluster, layout), 2_000)
    with_tree = best(lambda: nv.training(job, cluster, layout).terms, 2_000)
    rows = [
        ("import nvscale, over bare Python", ours - nothing, (ours - nothing) / (numpy - nothing), "import numpy"),
        ("import nvscale and look up a chip", catalogue - nothing, (catalogue - nothing) / (numpy - nothing), "import numpy"),
        ("a formula of floats", scalar, scalar / bare, "the same in bare Python"),
        ("a formula of texts with units", mirrored, mirrored / scalar, "the same with floats"),
        ("a formula of a million points", array, array / plain, "the same in bare NumPy"),
        ("power of a system", roll_up, roll_up / scalar, "a formula of floats"),
        ("curves of nine systems", curve, curve / roll_up, "power of a system"),
        ("a training step", one_step, one_step / scalar, "a formula of floats"),
        ("a training step with its tree", with_tree, with_tree / one_step, "without"),
    ]
    for what, seconds, ratio, yardstick in rows:
        print(f"{what:36} {seconds * 1e6:12.2f} us  {ratio:8.2f} x {yardstick}")  # noqa: T201


if __name__ == "__main__":
    main()
