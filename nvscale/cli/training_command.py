"""`train`: the step of a training run, or its best layout, and the whole run where tokens are given."""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale.cli.catalogue_commands import Catalog, Explain, Json, catalogue_with
from nvscale.cli.output import print_json, print_pairs, print_table, print_text
from nvscale.errors import InvalidInput
from nvscale.estimate import show
from nvscale.estimators.runs import TrainingRun, training_run
from nvscale.estimators.training import training
from nvscale.estimators.training_results import TrainingStep
from nvscale.model_configs import from_config
from nvscale.parallelism import Parallelism
from nvscale.planning import best_plan
from nvscale.report.tables import Table
from nvscale.workloads.training import Training

USUAL_TOKENS = 4_194_304
"""Tokens of a step when nobody says how many."""
SMALLEST = 0.0005
"""Share of a step below which a part is only told with --explain."""


def train(
    model: Annotated[str, typer.Argument(help="A model of the catalogue, or the path of a config.json.")],
    on: Annotated[str, typer.Option("--on", help="System of the catalogue, e.g. dgx-h100.")],
    gpus: Annotated[int | None, typer.Option(min=1, help="GPUs of the run; those of one system without.")] = None,
    sequence: Annotated[int, typer.Option(min=1, help="Tokens of a sequence.")] = 8192,
    global_batch: Annotated[int | None, typer.Option(min=1, help="Sequences of a step; without, about 4 million tokens.")] = None,
    precision: Annotated[str, typer.Option(help="Number format of the matrix multiplies: bf16, fp8, fp4.")] = "bf16",
    tp: Annotated[int | None, typer.Option(min=1, help="Tensor parallel ranks.")] = None,
    pp: Annotated[int | None, typer.Option(min=1, help="Pipeline stages.")] = None,
    vpp: Annotated[int | None, typer.Option(min=1, help="Chunks of a pipeline rank (interleaving).")] = None,
    cp: Annotated[int | None, typer.Option(min=1, help="Context parallel ranks.")] = None,
    ep: Annotated[int | None, typer.Option(min=1, help="Expert parallel ranks.")] = None,
    dp: Annotated[int | None, typer.Option(min=1, help="Replicas; they follow from the others, and are checked if given.")] = None,
    micro_batch: Annotated[int | None, typer.Option(min=1, help="Sequences of a micro-batch.")] = None,
    zero: Annotated[int | None, typer.Option(min=0, max=3, help="ZeRO stage, 1 without; 3 is fully sharded.")] = None,
    recompute: Annotated[str | None, typer.Option(help="none, selective or full.")] = None,
    schedule: Annotated[str | None, typer.Option(help="1f1b, gpipe, interleaved or zero-bubble.")] = None,
    stack: Annotated[str, typer.Option(help="Software: vendor-fused, compiled, eager, unfused, unfused-eager, ideal.")] = "vendor-fused",
    search: Annotated[bool, typer.Option("--search", help="Look for the best layout; what is given of it stays.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many layouts --search shows.")] = 5,
    tokens: Annotated[str | None, typer.Option(help='Tokens of the whole run, e.g. "15.6e12" or "15.6 Ttoken".')] = None,
    goodput: Annotated[float | None, typer.Option(help="Useful over elapsed time, e.g. 0.9.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Constants of your own, as `nvscale calibrate` writes them (.toml).")] = None,
    json: Json = False,
    explain: Explain = False,
    catalogue: Catalog = None,
) -> None:
    """Estimate a training step, its memory and MFU; with --search the best layout; with --tokens the whole run."""
    if goodput is not None and tokens is None:
        raise InvalidInput("--goodput: say with --tokens how long the run is")
    known = catalogue_with(catalogue)
    system = known.system(on)
    system = system if gpus is None else system.scale(gpus)
    layout: dict[str, Any] = {"tp": tp, "pp": pp, "vpp": vpp, "cp": cp, "ep": ep, "micro_batch": micro_batch, "zero": zero}
    layout |= {"recompute": recompute, "schedule": schedule}
    given = {name: value for name, value in layout.items() if value is not None}
    plan = Parallelism(**given)
    if not search:
        plan.check(system.chips)
        _check_replicas(dp, plan.replicas(system.chips), plan)
    shared = _halved(system.chips, USUAL_TOKENS / sequence) if search else plan.replicas(system.chips) * plan.micro_batch
    batch = global_batch or shared * max(1.0, round(USUAL_TOKENS / sequence / shared))
    found = from_config(model) if model.endswith(".json") else known.model(model)
    job = Training(model=found, sequence=sequence, global_batch=batch, precision=precision)
    others: dict[str, Any] = {"stack": stack, "calibration": calibration}
    best = None
    if search:
        fixed = given if dp is None else given | {"dp": dp}
        best = best_plan(job, system, top=top, progress=not json and sys.stderr.isatty(), **others, **fixed)
        plan = best[0].plan
    run = None if tokens is None else training_run(job, system, plan, tokens=_number(tokens), goodput=goodput, **others)
    step = training(job, system, plan, **others) if run is None else run["step"]
    if json:
        print_json(step.to_dict() | ({} if best is None else {"search": best.to_dict()}) | ({} if run is None else {"run": run.to_dict()}))
        return
    if best is not None:
        print_text(f"{best}\n")
    _print(step, run, explain=explain)


def _check_replicas(wanted: int | None, there: float, plan: Parallelism) -> None:
    if wanted is not None and wanted != there:
        raise InvalidInput(f"--dp {wanted}: tp {plan.tp:g} x pp {plan.pp:g} x cp {plan.cp:g} leave {there:g} replicas of these GPUs")


def _halved(chips: float, most: float) -> float:
    """Replicas that a search can have at most: the chips, halved until they are few enough."""
    while chips > most and chips % 2.0 == 0.0:
        chips /= 2.0
    return chips


def _number(text: str) -> Any:
    """A number, or a text with a unit, as it stands."""
    try:
        return float(text)
    except ValueError:
        if not text[:1].isdigit():
            raise InvalidInput(f"--tokens: {text!r} is no number of tokens; write e.g. 15.6e12 or '15.6 Ttoken'") from None
        return text


def _print(step: Any, run: TrainingRun | None, *, explain: bool) -> None:
    print_pairs(step.name, _summary(step))
    parts = [[name, show(step.terms[name].value, "s"), f"{share:.1%}"] for name, share in step.shares().items() if share >= SMALLEST]
    print_table(Table("step", "where the step goes", ["part", "time", "share"], parts))
    if run is not None:
        print_text(str(run))
    if explain:
        print_text((step if run is None else run).explain())
        print_text(step["memory"].explain())
    else:
        for text in (step if run is None else run).all_assumptions():
            print_text(f"assumed: {text}")


def _summary(step: TrainingStep) -> dict[str, str]:
    interval = "" if step.low is None else f" (90 %: {show(step.low, 's')} to {show(step.high, 's')})"
    return {
        "time per step": show(step.value, "s") + interval,
        "MFU (6 N + causal attention)": f"{step.mfu:.1%}",
        "tokens per second": f"{step['tokens per second'].value:,.0f}",
        "tokens per second per chip": f"{step['tokens per second per chip'].value:,.0f}",
        "largest part": str(step.by),
        "memory of the fullest chip": step.memory_text(),
    }
