"""`train`: the step of a training run, or its best layout, and the whole run where tokens are given."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale import catalogue
from nvscale.cli.catalogue_commands import Explain, Json
from nvscale.cli.output import print_json, print_pairs, print_table, print_text
from nvscale.errors import InvalidInput
from nvscale.estimate import show
from nvscale.estimators.runs import TrainingRun, training_run
from nvscale.estimators.training import TrainingStep, training
from nvscale.model_configs import from_config
from nvscale.parallelism import Parallelism
from nvscale.planning import best_plan
from nvscale.report.tables import Table
from nvscale.workloads.training import Training

Rank = Annotated[int | None, typer.Option(min=1)]
MEMORY_ROWS = ("weights", "gradients", "optimizer states", "activations")


def train(
    model: Annotated[str, typer.Argument(help="A model of the catalogue, or the path of a config.json.")],
    on: Annotated[str, typer.Option("--on", help="System of the catalogue, e.g. dgx-h100.")],
    gpus: Annotated[int | None, typer.Option(min=1, help="GPUs of the run; those of one system without.")] = None,
    sequence: Annotated[int, typer.Option(min=1, help="Tokens of a sequence.")] = 8192,
    global_batch: Annotated[int | None, typer.Option(min=1, help="Sequences of a step; without, about 4 million tokens.")] = None,
    precision: Annotated[str, typer.Option(help="Number format of the matrix multiplies: bf16, fp8, fp4.")] = "bf16",
    tp: Annotated[int, typer.Option(min=1, help="Tensor parallel ranks.")] = 1,
    pp: Annotated[int, typer.Option(min=1, help="Pipeline stages.")] = 1,
    vpp: Annotated[int, typer.Option(min=1, help="Chunks of a pipeline rank (interleaving).")] = 1,
    cp: Annotated[int, typer.Option(min=1, help="Context parallel ranks.")] = 1,
    ep: Annotated[int, typer.Option(min=1, help="Expert parallel ranks.")] = 1,
    dp: Annotated[int | None, typer.Option(min=1, help="Replicas; follows from the others, and is checked if given.")] = None,
    micro_batch: Annotated[int, typer.Option(min=1, help="Sequences of a micro-batch.")] = 1,
    zero: Annotated[int, typer.Option(min=0, max=3, help="ZeRO stage; 3 is fully sharded.")] = 1,
    recompute: Annotated[str, typer.Option(help="none, selective or full.")] = "none",
    schedule: Annotated[str, typer.Option(help="1f1b, gpipe or zero-bubble.")] = "1f1b",
    stack: Annotated[str, typer.Option(help="Software: vendor-fused, compiled, eager, unfused, unfused-eager, ideal.")] = "vendor-fused",
    search: Annotated[bool, typer.Option("--search", help="Look for the best layout instead.")] = False,
    top: Annotated[int, typer.Option(min=1, help="How many layouts --search shows.")] = 5,
    tokens: Annotated[str | None, typer.Option(help='Tokens of the whole run, e.g. "15.6e12" or "15.6 Ttoken".')] = None,
    goodput: Annotated[float | None, typer.Option(help="Useful over elapsed time, e.g. 0.9.")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Constants of your own, as `nvscale calibrate` writes them (.toml).")] = None,
    json: Json = False,
    explain: Explain = False,
) -> None:
    """Estimate a training step, its memory and MFU; with --search the best layout; with --tokens the whole run."""
    if goodput is not None and tokens is None:
        raise InvalidInput("--goodput: say with --tokens how long the run is")
    system = catalogue.system(on)
    system = system if gpus is None else system.scale(gpus)
    found = from_config(model) if model.endswith(".json") else catalogue.model(model)
    job = Training(model=found, sequence=sequence, global_batch=global_batch or _usual_batch(sequence, system.chips), precision=precision)
    others: dict[str, Any] = {"stack": stack, "calibration": calibration}
    plan = Parallelism(tp=tp, pp=pp, vpp=vpp, cp=cp, ep=ep, micro_batch=micro_batch, zero=zero, recompute=recompute, schedule=schedule)
    best = None
    if search:
        best = best_plan(job, system, top=top, stack=stack, progress=not json)
        plan = best[0].plan
    elif dp is not None and dp != plan.replicas(system.chips):
        raise InvalidInput(
            f"--dp {dp}: {system.chips:g} GPUs over tp {tp} x pp {pp} x cp {cp} leave {plan.replicas(system.chips):g} replicas"
        )
    run = None if tokens is None else training_run(job, system, plan, tokens=_number(tokens), goodput=goodput, **others)
    step = training(job, system, plan, **others) if run is None else run["step"]
    if json:
        print_json(step.to_dict() | ({} if best is None else {"search": best.to_dict()}) | ({} if run is None else {"run": run.to_dict()}))
        return
    if best is not None:
        print_text(str(best))
    _print(step, run, explain=explain)


def _usual_batch(sequence: int, chips: float) -> float:
    """Sequences that make about 4 million tokens, and at least one for every chip."""
    return max(chips, chips * max(1.0, round(4_194_304 / sequence / chips)))


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _print(step: Any, run: TrainingRun | None, *, explain: bool) -> None:
    print_pairs(str(step).partition(":")[0], _summary(step))
    parts = [[name, show(part.value, "s"), f"{100.0 * part.value / step.value:.1f} %"] for name, part in step.terms.items() if part.value]
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
    needed = step["fits"]
    interval = "" if step.low is None else f" (90 %: {show(step.low, 's')} to {show(step.high, 's')})"
    return {
        "time per step": show(step.value, "s") + interval,
        "MFU (6N + causal attention)": f"{100.0 * step.mfu:.1f} %",
        "tokens per second": f"{step['tokens per second'].value:,.0f}",
        "tokens per second per chip": f"{step['tokens per second per chip'].value:,.0f}",
        "largest part": str(step.by),
        "memory of the fullest chip": show(step["memory"].value, "byte"),
        "with fragmentation, of available": f"{show(needed['needed'].value, 'byte')} of {show(needed['available'].value, 'byte')}",
        "fits": "yes" if needed.value else "no",
    }
