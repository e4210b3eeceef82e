"""Fit the constants of power under load and of serving steps to the bundled rows, and write them with their errors.

    python benchmarks/fit_energy.py [--dry]

Folds hold out whole models (all rows of a model on a chip), kernels by their sizes without batch and length;
chips are left out by scaling the other chip's constants. The loss is robust (soft L1 of the logarithm).
"""

import csv
import re
import sys
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import least_squares

from nvscale import catalogue
from nvscale.estimators.attention_kernels import served_rate
from nvscale.estimators.kernels import kernel
from nvscale.estimators.power import _rate
from nvscale.formulas.power_caps import power_under_load
from nvscale.truth.constants import COLUMNS, INTERVAL_COLUMNS
from nvscale.truth.kinds import Group, energy
from nvscale.truth.kinds.served_models import served_model
from nvscale.truth.tables import bundled

CHIPS = {"h100_sxm": "h100-sxm", "b200_sxm": "b200"}
SHARPNESS, FOLDS, NOISE = 6.0, 5, 0.07
POWER = ("static", "energy_per_byte", "energy_per_operation", "power_limit", "waiting")
UNITS = dict(zip(POWER, ("W", "J/byte", "J/flop", "W", "W"), strict=True))
STEP = ("layer", "weights", "cache", "operations", "prompt", "sequence")
STEP_UNITS = dict(zip(STEP, ("s", "1", "1", "1", "1", "s"), strict=True))
WORDS, NUMBERS = ("kind", "gpu", "precision", "model"), ("n_gpus", "max_num_seqs", "mean_batch", "mean_output_tokens", "output_tok_per_s")


class Rows:
    """Rows of one class on one chip: shares of rated power at full rates, and parts of a step."""

    def __init__(self, load: str, chip: str) -> None:
        self.load, self.chip = load, catalogue.chip(chip)
        self.watts: list[float] = []
        self.x: list[tuple[float, float, float]] = []
        self.parts: list[list[float]] = []
        self.seconds: list[float] = []
        self.joules: list[float] = []
        self.batch: list[float] = []
        self.needs: list[tuple[float, float, float]] = []
        self.groups: list[str] = []


def collect() -> dict[tuple[str, str], Rows]:
    table = bundled("energy")
    found: dict[tuple[str, str], Rows] = {}
    cells = {name: table.column(name) for name in WORDS}
    figures = {name: table.figures(name) for name in (*NUMBERS, "watts")}
    for place in range(len(table.rows)):
        words = {name: cells[name][place] for name in WORDS}
        chip_name = CHIPS[words["gpu"]]
        chip = catalogue.chip(chip_name)
        group = Group(words, {name: figures[name][place : place + 1] for name in NUMBERS})
        watts = float(figures["watts"][place])
        if words["kind"].startswith("kernel_"):
            rows = found.setdefault(("kernels", chip_name), Rows("kernels", chip_name))
            work = energy.kernel_work(words["kind"], words["model"])
            time, rate = kernel(work, chip).value, _rate(work, chip).value
            rows.x.append((work.traffic / time / chip.memory_bandwidth, work.flop / time / rate, 0.0))
            rows.watts.append(watts)
            rows.groups.append(words["kind"] + re.sub(r"(batch_size|isl|step|num_tokens)=\d+, ", "", words["model"]))
            continue
        load = "serving experts" if served_model(words["model"]).has_experts else "serving dense"
        rows = found.setdefault((load, chip_name), Rows(load, chip_name))
        given = energy.settings(group)
        _, needs = energy.step(group)
        seconds = float((given["batch"] / given["output_tok_per_s"])[0])
        rate = served_rate(chip, energy._format(words["precision"])).value
        full = (float((needs.weights + needs.cache)[0]) / chip.memory_bandwidth, float(needs.flop[0]) / rate, float(needs.unbalanced[0]))
        rows.x.append((full[0] / seconds, full[1] / seconds, full[2]))
        rows.needs.append(full)
        rows.watts.append(watts / float(given["n_gpus"][0]))
        _, parts = energy.parts_of_step(group, chip)
        rows.parts.append([float(np.ravel(parts[name])[0]) for name in STEP])
        rows.seconds.append(seconds)
        rows.groups.append(words["model"])
    return found


def power(shares: Any, x: Any) -> Any:
    """Power as a share of the rated one."""
    constant = shares[0] - (shares[4] * x[:, 2] if len(shares) > 4 else 0.0)
    return power_under_load(x[:, 1], x[:, 0], shares[2], shares[1], constant, shares[3], SHARPNESS)


def step(values: Any, parts: Any) -> Any:
    return parts @ values


def fit(form: Callable[[Any, Any], Any], x: Any, y: Any, start: Any, low: Any, high: Any) -> tuple[Any, Any]:
    best = least_squares(
        lambda p: np.log(np.maximum(form(p, x), 1e-9) / y) / NOISE, start, bounds=(low, high), x_scale=start, loss="soft_l1", f_scale=1.5
    )
    raw = best.fun
    weights = 1.0 / np.sqrt(1.0 + (raw / 1.5) ** 2)
    scatter = max(1.0, float(np.median(np.abs(raw))) / 0.6745)
    slopes = best.jac * np.sqrt(weights)[:, None] / scatter
    return best.x, np.sqrt(np.diag(np.linalg.pinv(slopes.T @ slopes)))


def folds(groups: list[str]) -> Any:
    names = sorted(set(groups))
    order = {name: place % FOLDS for place, name in enumerate(np.random.default_rng(1).permutation(names).tolist())}
    return np.array([order[name] for name in groups])


def held_out(form: Any, x: Any, y: Any, which: Any, *box: Any) -> Any:
    made = np.empty(len(y))
    for fold in range(FOLDS):
        made[which == fold] = form(fit(form, x[which != fold], y[which != fold], *box)[0], x[which == fold])
    return made


def mape(made: Any, measured: Any) -> float:
    return float(np.mean(np.abs(made / measured - 1.0)) * 100.0)


def band(made: Any, measured: Any) -> tuple[float, float]:
    low, high = np.quantile(measured / made, [0.05, 0.95])
    return float(low), float(high)


def main() -> None:
    constants: list[list[Any]] = []
    intervals: list[list[Any]] = []
    found = collect()
    fitted: dict[tuple[str, str], Any] = {}
    foreign: dict[str, list[Any]] = {}
    steps: dict[tuple[str, str], Any] = {}
    tokens: dict[tuple[str, str], tuple[Any, Any]] = {}
    for (load, name), rows in sorted(found.items()):
        chip, x, groups = rows.chip, np.array(rows.x), folds(rows.groups)
        share = np.array(rows.watts) / chip.power
        count = 5 if load == "serving experts" else 4
        box = ([0.3, 0.5, 2.0, 0.9, 0.3][:count], [0.02, 0.0, 0.0, 0.3, 0.0][:count], [0.95, 4.0, 20.0, 1.1, 1.0][:count])
        values, errors = fit(power, x, share, *box)
        made = held_out(power, x, share, groups, *box)
        fitted[load, name] = values
        error = mape(made, share)
        print(f"{load:16} {name:9} {len(share):4} rows {len(set(rows.groups)):3} groups: in sample {mape(power(values, x), share):5.1f}  folds {error:5.1f}  rated power {mape(1.0, share):5.1f}  best constant {mape(np.median(share), share):5.1f}  {np.round(values, 3)}")
        scale = (chip.power, chip.power / chip.memory_bandwidth, chip.power / chip.rate("bf16"), chip.power, chip.power)
        data_set = "ML.ENERGY Benchmark v3 (Apache-2.0)" if load != "kernels" else "aiconfigurator-core 0.12.0 (Apache-2.0)"
        scheme = f"{FOLDS} folds of whole models" if load != "kernels" else f"{FOLDS} folds of layouts"
        for constant, value, sigma in zip(POWER, values * scale[:count], errors * scale[:count], strict=False):
            constants.append(["energy", load, "", name, constant, f"{value:.6g}", f"{sigma:.3g}", UNITS[constant], len(share), data_set, scheme, f"{error:.2f}"])
        constants.append(["energy", load, "", name, "sharpness", SHARPNESS, "", "1", len(share), data_set, f"{scheme}; chosen, not fitted", f"{error:.2f}"])
        low, high = band(made, share)
        intervals.append(["energy", "own", name, load, "all", len(share), f"{low:.4f}", f"{high:.4f}"])
        if load == "kernels":
            foreign[load] = [1.0 / 1.2 * low, 1.2 * high]
            continue
        parts, seconds, batch = np.array(rows.parts), np.array(rows.seconds), np.array([p[5] for p in rows.parts])
        box = ([2e-4, 1.0, 1.0, 1.0, 1.0, 3e-5], [0.0] * 6, [np.inf] * 6)
        long, sigma = fit(step, parts, seconds, *box)
        steps[load, name] = long
        held = held_out(step, parts, seconds, groups, *box)
        error = mape(held, seconds)
        print(f"  step: in sample {mape(step(long, parts), seconds):5.1f}  folds {error:5.1f}  {long}")
        kind = load.replace("serving", "step")
        for constant, value, one in zip(STEP, long, sigma, strict=True):
            constants.append(["energy", kind, "", name, constant, f"{value:.6g}", f"{one:.3g}", STEP_UNITS[constant], len(share), data_set, scheme, f"{error:.2f}"])
        low, high = band(held, seconds)
        intervals.append(["energy", "own", name, kind, "all", len(share), f"{low:.4f}", f"{high:.4f}"])
        # energy per token without throughput, both fits without the fold
        needs, joules, truth = np.array(rows.needs), np.empty(len(share)), share * seconds / batch
        powerbox = ([0.3, 0.5, 2.0, 0.9, 0.3][:count], [0.02, 0.0, 0.0, 0.3, 0.0][:count], [0.95, 4.0, 20.0, 1.1, 1.0][:count])
        for fold in range(FOLDS):
            inside, out = groups != fold, groups == fold
            p, _ = fit(power, x[inside], share[inside], *powerbox)
            joules[out] = power(p, np.column_stack([needs[out, 0] / held[out], needs[out, 1] / held[out], needs[out, 2]])) * held[out] / batch[out]
        print(f"  energy per token: folds {mape(joules, truth):5.1f}")
        low, high = band(joules, truth)
        kind = load.replace("serving", "energy per token")
        intervals.append(["energy", "own", name, kind, "all", len(share), f"{low:.4f}", f"{high:.4f}"])
        tokens[load, name] = (needs, truth)
    for load in ("serving dense", "serving experts"):
        ratios: list[Any] = []
        for name, other in (("h100-sxm", "b200"), ("b200", "h100-sxm")):
            rows = found[load, name]
            share, x = np.array(rows.watts) / rows.chip.power, np.array(rows.x)
            made = power(fitted[load, other], x)
            ratios.extend((share / made).tolist())
            print(f"{load} on {name} by constants of {other}: {mape(made, share):.1f}")
        foreign[load] = np.quantile(ratios, [0.05, 0.95]).tolist()
        kind = load.replace("serving", "step")
        for what in (kind, load.replace("serving", "energy per token")):
            ratios = []
            for name, other in (("h100-sxm", "b200"), ("b200", "h100-sxm")):
                rows = found[load, name]
                parts, seconds = np.array(rows.parts), np.array(rows.seconds)
                long = step(steps[load, other], parts)
                made, truth = long, seconds
                if not what.startswith("step"):
                    needs, truth = tokens[load, name]
                    drawn = power(fitted[load, other], np.column_stack([needs[:, 0] / long, needs[:, 1] / long, needs[:, 2]]))
                    made = drawn * long / np.array([p[5] for p in rows.parts])
                print(f"{what} on {name} by constants of {other}: {mape(made, truth):.1f}")
                ratios.extend((truth / made).tolist())
            foreign[what] = np.quantile(ratios, [0.05, 0.95]).tolist()
    for load, (low, high) in foreign.items():
        for part in ("data centre", "other"):
            intervals.append(["energy", "chip not fitted", part, load, "all", "", f"{low:.4f}", f"{high:.4f}"])
    if "--dry" not in sys.argv:
        folder = Path(str(resources.files("nvscale.truth"))) / "data"
        for name, columns, rows in (("constants", COLUMNS, constants), ("intervals", INTERVAL_COLUMNS, intervals)):
            with (folder / f"{name}-energy.csv").open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(rows)


if __name__ == "__main__":
    main()
