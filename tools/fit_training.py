"""Fit the constants of training steps to the bundled rows, and write them with their errors.

    python tools/fit_training.py [--rows FILE.csv] [--write]

A constant moves away from its physical start value only as far as the rows pull it: the prior is one unit on the
logit scale of its range. Every source of rows weighs the same. Folds leave out one source, one family of chips,
or (experts) one model at a time.
"""

import argparse
import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from scipy.optimize import least_squares

from nvscale.efficiencies.training import TrainingStack
from nvscale.estimators.training_shards import Machine, half_rate, links
from nvscale.estimators.training_steps import step
from nvscale.parallelism import Parallelism
from nvscale.record import units_of
from nvscale.transformers import Model
from nvscale.truth.constants import COLUMNS, INTERVAL_COLUMNS, family_of
from nvscale.truth.kinds import training_rows as rows_of
from nvscale.truth.kinds.base import Group
from nvscale.truth.kinds.training import NUMBERS, WORDS, stack_name
from nvscale.truth.tables import bundled as measured
from nvscale.truth.tables import read_table
from nvscale.workloads.training import Training

DATA = Path(__file__).parent.parent / "nvscale" / "truth" / "data"
START = {  # constant: (physical start value, lower, upper bound)
    "sustained Ampere": (0.90, 0.70, 1.05), "sustained Hopper": (0.85, 0.60, 1.05), "sustained Blackwell": (0.95, 0.60, 1.10),
    "site community": (0.90, 0.75, 1.00), "half_length Ampere": (320.0, 50.0, 600.0), "half_length newer": (90.0, 10.0, 300.0),
    "wave_exposure": (0.30, 0.001, 1.5), "element_wise fused": (1.0, 0.3, 3.0), "element_wise eager": (1.5, 0.5, 4.0),
    "cast_size": (1.0, 0.1, 5.0), "attention eager": (0.40, 0.2, 0.8), "attention compiled": (0.60, 0.3, 0.9),
    "attention vendor-fused": (0.65, 0.3, 1.0), "attention newer": (0.65, 0.3, 1.0), "attention unfused": (0.60, 0.2, 1.0),
    "softmax_passes": (0.8, 0.2, 2.0), "tp_overlap": (0.7, 0.0, 0.98), "dp_overlap": (0.8, 0.0, 0.98), "fsdp_overlap": (0.5, 0.0, 0.98),
    "scaleout_share": (0.8, 0.4, 1.0), "launch fused": (6e-6, 1e-6, 20e-6), "launch eager": (15e-6, 3e-6, 50e-6),
    "micro_batch_launch": (1e-3, 1e-5, 2e-2), "hop": (20e-6, 1e-6, 60e-6), "straggler_growth": (0.010, 0.0005, 0.04),
    "handicap": (0.15, 0.01, 1.0), "maturing": (1.0, 0.3, 3.0),
}  # fmt: skip
EXPERTS = {
    "expert_half_tokens": (100.0, 1.0, 400.0), "permutation": (1.0, 0.2, 4.0), "ep_overlap": (0.7, 0.01, 0.97),
    "ep_overlap_outside": (0.7, 0.01, 0.97), "expert_kernels": (100.0, 10.0, 300.0), "expert_handicap": (0.7, 0.02, 1.5),
    "expert_maturing": (1.5, 0.3, 3.0), "window_skipping": (0.3, 0.02, 0.98), "scan_share": (0.04, 0.005, 1.0),
}  # fmt: skip
STIFF = {"dense": 0.6, "experts": 2.0}
YEAR = rows_of.YEAR
PER_FAMILY = {  # 16 bit and 8 bit ceilings, bus share at 128 MiB: fits of the bundled matrix multiplies and collectives, see the notes
    "Ampere": (0.93, math.nan, 0.67), "Hopper": (0.83, 0.709, 0.671), "Blackwell": (0.736, 0.7215, 0.60), "Blackwell Ultra": (0.807, 0.793, 0.60),
}  # fmt: skip
OWN = {"gb200": (0.738, 0.723, 0.567), "b200": (0.734, 0.72, 0.632), "b300": (0.807, 0.792, 0.632), "gb300": (0.812, 0.795, 0.567)}
ELSEWHERE = (0.75, 0.70, 0.62)
FP4_OVER_FP8 = 1.6
FP8_HALF_LENGTH = {"Hopper": 180.0}
NARROW_HALF_LENGTH = 600.0


def ceilings(chip):
    return OWN.get(chip.name) or PER_FAMILY.get(family_of(chip).name) or ELSEWHERE


def collect(table):
    """Every row as plain numbers: fields of model, job, layout and machine, and words that choose constants."""
    numbers = {name: table.figures(name) for name in ("n_gpus", *NUMBERS, "seconds_per_iteration")}
    words = {name: table.column(name) for name in WORDS}
    found = []
    for place in range(len(table.rows)):
        seconds = numbers["seconds_per_iteration"][place]
        if not seconds > 0.0 or words["task"][place] not in ("", "pretrain"):
            continue
        if all(math.isnan(numbers[name][place]) for name in ("tp", "pp", "dp")):
            continue
        group = Group(
            {name: column[place] for name, column in words.items()}, {name: values[place : place + 1] for name, values in numbers.items()}
        )
        said = rows_of.framework(group.words["source"], group.words["note"])
        try:
            chip = rows_of.chip_of(group.words["gpu"])
            family = family_of(chip).name
            if family not in PER_FAMILY:
                continue
            system = rows_of.system_of(chip.name, group.words["source"], group.words["note"]).scale(numbers["n_gpus"][place])
            job = rows_of.job_of(group, rows_of.model_of(group))
            plan = rows_of.plan_of(group, job, said)
        except (LookupError, ValueError) as problem:
            print("left out:", group.words["model"], str(problem)[:90])
            continue
        one = SimpleNamespace(
            seconds=seconds, source=source_of(group.words["source"]), model_name=group.words["model"], family=family, chip=chip.name
        )
        one.precision, one.recompute, one.stack = job.precision, plan.recompute, stack_name(said, group)
        one.chips = numbers["n_gpus"][place]
        one.records = {}
        for label, record in (("model", job.model), ("job", job), ("plan", plan)):
            one.records[label] = {
                name: number(getattr(record, name)) for name in units_of(type(record)) if getattr(record, name) is not None
            }
        share_16, share_8, bus = ceilings(chip)
        domain, inside, outside = links(system)
        rate = {
            "bf16": lambda: chip.rate("bf16") * share_16,
            "fp8": lambda: chip.rate("fp8") * share_8,
            "fp4": lambda: chip.rate("fp8") * share_8 * FP4_OVER_FP8,
        }
        one.rate, one.rate_16 = rate[job.precision](), half_rate(chip) * share_16
        one.bandwidth, one.units = 0.85 * system.chip.memory_bandwidth, chip.compute_units
        one.domain, one.inside, one.outside = number(domain), inside * bus, outside
        one.age, one.expert_age = max(said.year - rows_of.first_shipped(chip.name), 0.0), max(said.year - rows_of.EXPERTS_FROM, 0.0)
        found.append(one)
    return found


def number(value):
    return float(value) if np.ndim(value) == 0 else float(value[0])


def source_of(text):
    for pattern, name in (
        ("korthikanti", "Korthikanti 2022"),
        ("cases_april2021", "Megatron-LM 2021"),
        ("2021-01", "Megatron-LM 2021"),
        ("megatron-bridge", "Megatron-Bridge"),
        ("megatron-lm", "Megatron-Core 2024"),
        ("mlcommons", "MLPerf"),
        ("bigscience", "BLOOM"),
    ):
        if pattern in text.lower():
            return name
    return text.split()[0]


class Rows:
    """Rows stacked by what cannot be an array: format, recompute, and which parts a model has."""

    def __init__(self, rows):
        self.rows = rows
        self.seconds = np.array([one.seconds for one in rows])
        self.words = {
            name: np.array([getattr(one, name) for one in rows])
            for name in ("source", "model_name", "family", "chip", "stack", "precision")
        }
        keys = [
            (
                one.precision if one.precision == "bf16" else "fp8",
                one.recompute,
                one.stack.startswith("unfused"),
                *(bool(one.records["model"].get(f)) for f in ("experts", "latent_rank", "shared_ffn", "state_layers", "windowed_layers")),
            )
            for one in rows
        ]
        self.groups = [np.array([i for i, key in enumerate(keys) if key == wanted]) for wanted in dict.fromkeys(keys)]
        self.built = [self._build(keys[places[0]], [rows[i] for i in places]) for places in self.groups]

    def _build(self, key, rows):
        def stacked(label, record, **others):
            names = rows[0].records[label]
            values = {}
            for name in names:
                column = np.array([one.records[label].get(name, 0.0) for one in rows])
                values[name] = float(column[0]) if (column == column[0]).all() and name not in ("layers",) else column
            for name in ("context", "published_parameters", "published_active_parameters", "released"):
                values.pop(name, None)
            return record(**{**values, **others})

        model = stacked("model", Model)
        job = stacked("job", Training, model=model, precision=key[0])
        plan = stacked("plan", Parallelism, recompute=key[1])
        arrays = SimpleNamespace(
            **{
                name: np.array([getattr(one, name) for one in rows])
                for name in (
                    "chips",
                    "rate",
                    "rate_16",
                    "bandwidth",
                    "units",
                    "domain",
                    "inside",
                    "outside",
                    "age",
                    "expert_age",
                    "family",
                    "stack",
                    "precision",
                )
            }
        )
        return job, plan, arrays, key

    def subset(self, keep):
        return Rows([one for one, kept in zip(self.rows, keep, strict=True) if kept])

    def predict(self, x):
        out = np.empty(len(self.rows))
        for places, (job, plan, a, key) in zip(self.groups, self.built, strict=True):
            sustained = np.select(
                [a.family == "Ampere", a.family == "Hopper"], [x["sustained Ampere"], x["sustained Hopper"]], x["sustained Blackwell"]
            )
            community = ~np.isin(a.stack, ("vendor-fused", "unfused"))
            eager = np.isin(a.stack, ("eager", "eager-broadcast", "unfused-eager"))
            unfused = key[2]
            ampere = a.family == "Ampere"
            half_16 = np.where(ampere, x["half_length Ampere"], x["half_length newer"])
            half = np.where(a.precision == "bf16", half_16, np.where(a.family == "Hopper", FP8_HALF_LENGTH["Hopper"], NARROW_HALF_LENGTH))
            flash = np.select(
                [np.isin(a.stack, ("eager", "eager-broadcast")), a.stack == "compiled"],
                [x["attention eager"] * np.where(ampere, 1.0, x["attention newer"]), x["attention compiled"]],
                x["attention vendor-fused"],
            )
            rate = sustained * np.where(community, x["site community"], 1.0)
            modern = not unfused
            at = Machine(
                rate=a.rate * rate, rate_16=a.rate_16 * rate, bandwidth=a.bandwidth, tile_area=x["wave_exposure"] * 32768.0 * a.units, half_length=half,
                half_length_16=half_16, domain=a.domain, inside=a.inside, outside=a.outside * x["scaleout_share"], hop=x["hop"],
            )  # fmt: skip
            stack = TrainingStack(
                element_wise=np.where(eager, x["element_wise eager"], x["element_wise fused"]), cast_size=x["cast_size"],
                attention_share=x["attention unfused"] if unfused else flash, unfused=1.0 if unfused else 0.0, softmax_size=14.0 * x["softmax_passes"],
                launch=np.where(eager, x["launch eager"], x["launch fused"]), attention_kernels=28.0 if unfused else 18.0, ffn_kernels=18.0 if unfused else 12.0,
                micro_batch_launch=x["micro_batch_launch"] if unfused else 0.0, tp_overlap=np.where(a.stack == "vendor-fused", x["tp_overlap"], 0.0),
                dp_overlap=x["dp_overlap"] if modern else 0.0, fsdp_overlap=x["fsdp_overlap"], pp_overlap=0.9 if modern else 0.0, head_on_last_stage=0.0 if modern else 1.0,
                straggler_growth=x["straggler_growth"], handicap=x["handicap"], maturing=x["maturing"] * YEAR, age=a.age * YEAR,
                expert_half_tokens=x["expert_half_tokens"], permutation=x["permutation"], ep_overlap=x["ep_overlap"], ep_overlap_outside=x["ep_overlap_outside"],
                expert_kernels=x["expert_kernels"], window_skipping=x["window_skipping"], scan_share=x["scan_share"], expert_handicap=x["expert_handicap"], expert_maturing=x["expert_maturing"] * YEAR, expert_age=a.expert_age * YEAR,
                broadcast=np.where(a.stack == "eager-broadcast", 2.6e-3, 0.0),
            )  # fmt: skip
            out[places] = step(job, plan, a.chips, at, stack).value
        return out


def fit(rows, table, base, prior, robust=0.1):
    """Return the constants of `table` that fit the rows, the others as in `base`, and their covariance on the logit scale."""
    names = list(table)
    low, high = np.array([table[name][1] for name in names]), np.array([table[name][2] for name in names])
    start = np.array([table[name][0] for name in names])
    logit = np.log((start - low) / (high - start))
    counts = {source: (rows.words["source"] == source).sum() for source in set(rows.words["source"])}
    weights = np.array([1.0 / math.sqrt(counts[source]) for source in rows.words["source"]])
    weights *= math.sqrt(len(weights) / (weights**2).sum())

    def values(z):
        return dict(base) | dict(zip(names, low + (high - low) / (1.0 + np.exp(-z)), strict=True))

    def residuals(z):
        e = np.log(rows.predict(values(z)) / rows.seconds)
        soft = np.sign(e) * np.sqrt(2.0 * robust**2 * (np.sqrt(1.0 + (e / robust) ** 2) - 1.0))
        return np.concatenate([soft * weights, prior * (z - logit)])

    done = least_squares(residuals, logit, max_nfev=40)
    slope = (high - low) * np.exp(-done.x) / (1.0 + np.exp(-done.x)) ** 2
    noise = (done.fun[: len(weights)] ** 2).mean()
    covariance = np.linalg.inv(done.jac.T @ done.jac) * max(noise, 1e-6)
    return values(done.x), dict(zip(names, slope * np.sqrt(np.diag(covariance)), strict=True))


def starts():
    return {name: row[0] for name, row in (START | EXPERTS).items()}


def report(label, error, by):
    size = np.abs(error)
    groups = {name: size[by == name].mean() for name in sorted(set(by))}
    print(
        f"{label}: MAPE {100 * size.mean():.1f} median {100 * np.median(size):.1f} p90 {100 * np.quantile(size, 0.9):.1f}, mean of groups {100 * np.mean(list(groups.values())):.1f}"
    )
    print(
        "   ",
        "  ".join(
            f"{name} {100 * value:.1f} ({100 * error[by == name].mean():+.0f}, {(by == name).sum()})" for name, value in groups.items()
        ),
    )


def folds(rows, table, base, prior, word):
    error = np.empty(len(rows.rows))
    for name in sorted(set(rows.words[word])):
        out = rows.words[word] == name
        found, _ = fit(rows.subset(~out), table, base, prior)
        part = rows.subset(out)
        error[out] = part.predict(found) / part.seconds - 1.0
    return error


GEMM_NOTE = (
    "bundled matrix multiplies of 512 rows and more, best kernel of a shape; 8 bits: public tables of reached rates (ml-engineering)"
)
BUS_NOTE = "bundled all-gathers (Ampere: all-reduces) of 128 MiB on 8 chips of the domain"
RUNS = "published training steps (data/measured-training.csv.gz)"
FIXED = "not fitted: a physical count or a start value"


def write(x, errors, dense, experts, held):
    """Write constants-training.csv and intervals-training.csv."""
    out = []

    def put(class_, path, chip, name, value, unit, error=math.nan, data=FIXED, scheme="", rows=math.nan):
        cell = lambda number: "" if number != number else f"{number:.6g}"
        mape = held_mape if error == error else math.nan
        out.append(("training", class_, path, chip, name, cell(value), cell(error), unit, cell(rows), data, scheme, cell(mape)))

    held_mape = 100.0 * np.abs(held["source"]).mean()
    count, scheme = float(len(dense.rows)), "prior at physical start values; leave one source out"
    fitted = {"data": RUNS, "scheme": scheme, "rows": count}
    everywhere = "any data centre"
    for name, unit in (("wave_exposure", "1"), ("scaleout_share", "1"), ("hop", "s")):
        put("", "", everywhere, name, x[name], unit, errors[name], **fitted)
    put("", "", everywhere, "share_of_bandwidth", 0.85, "1")
    places = {f"family:{name}": (name, values) for name, values in PER_FAMILY.items()}
    places |= {name: ("Blackwell Ultra" if name.endswith("300") else "Blackwell", values) for name, values in OWN.items()}
    places |= dict.fromkeys(("a100-sxm-40gb", "a100-sxm-80gb"), ("Ampere", PER_FAMILY["Ampere"])) | {
        "h100-sxm": ("Hopper", PER_FAMILY["Hopper"])
    }
    places[everywhere] = ("", ELSEWHERE)
    for place, (family, (share_16, share_8, bus)) in places.items():
        generation = family if family in ("Ampere", "Hopper") else "Blackwell"
        half = "half_length Ampere" if family == "Ampere" else "half_length newer"
        for class_, share, length in (
            ("step bf16", share_16, x[half]),
            ("step fp8", share_8, FP8_HALF_LENGTH.get(family, NARROW_HALF_LENGTH)),
            ("step fp4", share_8, NARROW_HALF_LENGTH),
        ):
            if share != share:
                continue
            if class_ == "step fp4":
                chips = {"gb200": 0.5, "b200": 0.5, "gb300": 1.0 / 3.0, "b300": 4.5 / 14.0, "family:Blackwell Ultra": 1.0 / 3.0}
                share = FP4_OVER_FP8 * share * chips.get(place, 0.5)
            put(class_, "", place, "share_of_peak", share, "1", 0.03, GEMM_NOTE, "half-length form")
            put(class_, "", place, "share_of_peak_16", share_16, "1", 0.03, GEMM_NOTE, "half-length form")
            put(class_, "", place, "sustained", x[f"sustained {generation}"], "1", errors[f"sustained {generation}"], **fitted)
            put(
                class_,
                "",
                place,
                "half_length",
                length,
                "1",
                errors[half] if class_ == "step bf16" else math.nan,
                **(fitted if class_ == "step bf16" else {"data": GEMM_NOTE}),
            )
            put(class_, "", place, "half_length_16", x[half], "1", errors[half], **fitted)
            put(class_, "", place, "scaleup_share", bus, "1", 0.03, BUS_NOTE, "one point")
    for name in ("vendor-fused", "compiled", "eager", "eager-broadcast", "unfused", "unfused-eager"):
        unfused, eager = name.startswith("unfused"), name.startswith("eager") or name.endswith("eager")
        community = name not in ("vendor-fused", "unfused")
        kind = "eager" if name.startswith("eager") else ("unfused" if unfused else name)
        for place in ("family:Ampere", everywhere) if kind == "eager" else (everywhere,):

            def fit_of(field, constant, unit="1", scale=1.0):
                put("stack", name, place, field, x[constant] * scale, unit, errors[constant] * scale, **fitted)

            if community:
                fit_of("site_share", "site community")
            newer = x["attention newer"] if kind == "eager" and place == everywhere else 1.0
            fit_of("attention_share", f"attention {kind}", scale=newer)
            fit_of("element_wise", "element_wise eager" if eager else "element_wise fused")
            fit_of("cast_size", "cast_size", "byte")
            fit_of("launch", "launch eager" if eager else "launch fused", "s")
            fit_of("fsdp_overlap", "fsdp_overlap")
            fit_of("straggler_growth", "straggler_growth")
            fit_of("handicap", "handicap")
            fit_of("maturing", "maturing", "s", YEAR)
            for constant in EXPERTS:
                unit, scale = ("s", YEAR) if constant == "expert_maturing" else ("1", 1.0)
                put(
                    "stack",
                    name,
                    place,
                    constant,
                    x[constant] * scale,
                    unit,
                    errors[constant] * scale,
                    RUNS,
                    "prior at physical start values; leave one model out",
                    float(len(experts.rows)),
                )
            if unfused:
                fit_of("softmax_size", "softmax_passes", "byte", 14.0)
                fit_of("micro_batch_launch", "micro_batch_launch", "s")
                for field, value in (("unfused", 1.0), ("attention_kernels", 28.0), ("ffn_kernels", 18.0), ("head_on_last_stage", 1.0)):
                    put("stack", name, place, field, value, "1")
            else:
                fit_of("dp_overlap", "dp_overlap")
            put("stack", name, place, "pp_overlap", 0.0 if unfused else 0.9, "1")
            if unfused:
                put("stack", name, place, "dp_overlap", 0.0, "1")
            if name == "vendor-fused":
                fit_of("tp_overlap", "tp_overlap")
            else:
                put("stack", name, place, "tp_overlap", 0.0, "1")
            if name == "eager-broadcast":
                put("stack", name, place, "broadcast", 2.6e-3, "s", data=RUNS)
    with (DATA / "constants-training.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *out])
    intervals = []
    for regime, error in (("all", held["source"]), ("experts", held["model"])):
        low, high = np.quantile(1.0 / (1.0 + error), [0.05, 0.95])
        for which in ("own", "framework blank", "chip not fitted"):
            wider = 1.1 if which == "chip not fitted" else 1.0
            for class_ in ("step bf16", "step fp8", "step fp4"):
                intervals.append(
                    ("training", which, "data centre", class_, regime, len(error), f"{low / wider:.4g}", f"{high * wider:.4g}")
                )
    with (DATA / "intervals-training.csv").open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([INTERVAL_COLUMNS, *intervals])


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--rows")
    asked.add_argument("--write", action="store_true")
    asked.add_argument("--folds", action="store_true")
    given = asked.parse_args()
    table = read_table(Path(given.rows)) if given.rows else measured("training")
    everything = Rows(collect(table))
    is_expert = np.array([bool(one.records["model"].get("experts")) for one in everything.rows])
    dense, experts = everything.subset(~is_expert), everything.subset(is_expert)
    report("start, dense", dense.predict(starts()) / dense.seconds - 1.0, dense.words["source"])
    found, errors = fit(dense, START, starts(), STIFF["dense"])
    report("fitted, dense", dense.predict(found) / dense.seconds - 1.0, dense.words["source"])
    print({name: float(f"{found[name]:.3g}") for name in START})
    print("by family")
    report(
        "fitted",
        dense.predict(found) / dense.seconds - 1.0,
        np.array([f"{a} {b}" for a, b in zip(dense.words["chip"], dense.words["precision"], strict=True)]),
    )
    experts_found, experts_errors = fit(experts, EXPERTS, found, STIFF["experts"])
    report("fitted, experts", experts.predict(experts_found) / experts.seconds - 1.0, experts.words["model_name"])
    print({name: float(f"{experts_found[name]:.3g}") for name in EXPERTS})
    held = {}
    if given.folds or given.write:
        held["source"] = folds(dense, START, starts(), STIFF["dense"], "source")
        report("source left out", held["source"], dense.words["source"])
        held["family"] = folds(dense, START, starts(), STIFF["dense"], "family")
        report("family of chips left out", held["family"], dense.words["family"])
        held["chip"] = folds(dense, START, starts(), STIFF["dense"], "chip")
        report("chip left out", held["chip"], dense.words["chip"])
        held["model"] = folds(experts, EXPERTS, found, STIFF["experts"], "model_name")
        report("experts, model left out", held["model"], experts.words["model_name"])
    if given.write:
        write(found | {name: experts_found[name] for name in EXPERTS}, errors | experts_errors, dense, experts, held)


if __name__ == "__main__":
    main()
