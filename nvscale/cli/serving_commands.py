"""`serve`, `size` and `frontier`: a load on a system, the system for a load, and speed against throughput."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale import catalogue
from nvscale.cli.catalogue_commands import DiscountRate, EnergyPrice, Explain, Json, Life
from nvscale.cli.output import new_file, print_json, print_pairs, print_table, print_text
from nvscale.errors import InvalidInput
from nvscale.estimate import show
from nvscale.estimators.serving import Served, serving
from nvscale.frontiers import Frontier, X, column, frontier
from nvscale.model_configs import from_config
from nvscale.parallelism import Parallelism
from nvscale.report.tables import Cell, Table
from nvscale.serving_search import best_serving_plans, most_users
from nvscale.settings import Prices
from nvscale.sizing import size_deployment
from nvscale.transformers import Model
from nvscale.units import Unit
from nvscale.views import prices as default_prices
from nvscale.workloads.serving import Serving

ModelName = Annotated[str, typer.Argument(help="A model of the catalogue, or the path of a config.json.")]
Isl = Annotated[int, typer.Option(min=1, help="Tokens of the input of a request.")]
Osl = Annotated[int, typer.Option(min=1, help="Tokens of its output.")]
Format = Annotated[str, typer.Option(help="Format of the weights: bf16, fp8, fp8_block, nvfp4, int4_weight_only.")]
Engine = Annotated[str, typer.Option(help="vllm, sglang, trtllm, generic or ideal.")]
Rent = Annotated[str | None, typer.Option(help='Rent of a GPU instead of owning it, e.g. "2.65 USD/h".')]
Cached = Annotated[float, typer.Option(help="Share of the input that is cached already.")]
Rank = Annotated[int | None, typer.Option(min=1)]
Speed = Annotated[float | None, typer.Option(help="Least tokens per second that a user sees.")]
SloTpot = Annotated[str | None, typer.Option(help='Longest time per output token, e.g. "20 ms".')]
SloTtft = Annotated[str | None, typer.Option(help='Longest time to the first token, e.g. "2 s".')]
MOST_ROWS = 16


def serve(
    model: ModelName,
    on: Annotated[str, typer.Option("--on", help="Chip or system of the catalogue, e.g. dgx-h100.")],
    isl: Isl = 1024,
    osl: Osl = 1024,
    concurrency: Annotated[float | None, typer.Option(help="Users who each wait for their answer, on the whole system.")] = None,
    rate: Annotated[float | None, typer.Option(help="Requests that arrive per second, instead of --concurrency.")] = None,
    gpus: Annotated[int | None, typer.Option(min=1, help="GPUs; those of one system without.")] = None,
    tp: Rank = None,
    pp: Rank = None,
    ep: Rank = None,
    engine: Engine = "generic",
    precision: Format = "bf16",
    prefix_cached: Cached = 0.0,
    search: Annotated[
        bool, typer.Option("--search", help="Look for the layout with the most tokens per second within the limits.")
    ] = False,
    top: Annotated[int, typer.Option(min=1, help="How many layouts --search shows.")] = 5,
    slo_tpot: SloTpot = None,
    slo_ttft: SloTtft = None,
    tokens_per_second_per_user: Speed = None,
    rent: Rent = None,
    energy_price: EnergyPrice = None,
    calibration: Annotated[Path | None, typer.Option(help="Constants of your own, as `nvscale calibrate` writes them (.toml).")] = None,
    json: Json = False,
    explain: Explain = False,
) -> None:
    """Estimate how a load is served: time to first token, time per token, throughput, energy, dollars; with --search in which layout."""
    if concurrency is None and rate is None:
        concurrency = 1.0
    system = catalogue.system(on)
    system = system if gpus is None or gpus == system.chips else system.alone(gpus) if gpus < system.chips else system.scale(gpus)
    work = Serving(
        model=_model(model), isl=isl, osl=osl, concurrency=concurrency, rate=rate, precision=precision, prefix_cached=prefix_cached
    )
    terms = _prices(rent=rent, energy_price=energy_price)
    limits = _limits(slo_tpot, slo_ttft, tokens_per_second_per_user)
    software: dict[str, Any] = {"engine": engine, "calibration": calibration}
    plans, plan = None, None
    if search:
        plans = best_serving_plans(work, system, top=top, prices=terms, tp=tp, pp=pp, ep=ep, **limits, **software)
        plan = plans[0]
    elif tp or pp or ep:
        plan = Parallelism(tp=tp or 1, pp=pp or 1, ep=ep or 1)
    found = serving(work, system, plan, prices=terms, **software)
    held = _held(found, limits)
    most = None if not held else most_users(work, system, found.plan, **limits, **software)
    if json:
        extra: dict[str, Any] = {} if plans is None else {"search": plans.to_dict()}
        extra |= {} if not held else {"slo": held, "most_users_of_an_instance": most}
        print_json(found.to_dict() | {"layout": _plan(found)} | extra)
        return
    if plans is not None:
        print_text(str(plans))
    print_pairs(str(found).partition("\n")[0], _summary(found) | _words(held, most))
    _print_parts(found)
    if explain:
        for name in ("ttft", "tpot", "usd per million tokens", "joules per token"):
            print_text(found[name].explain())
    for text in _assumed(found):
        print_text(f"assumed: {text}")


def size(
    model: ModelName,
    on: Annotated[list[str], typer.Option("--on", help="System to choose from; may be repeated.")],
    users: Annotated[int, typer.Option(min=1, help="Users who are served at the same time.")],
    isl: Isl = 1024,
    osl: Osl = 1024,
    tokens_per_second_per_user: Speed = None,
    slo_tpot: SloTpot = None,
    slo_ttft: SloTtft = None,
    percentile: Annotated[float | None, typer.Option(help="Share of the requests within the limits, e.g. 0.95; the mean without.")] = None,
    spare: Annotated[int, typer.Option(min=0, help="Instances that may fail while the limits hold.")] = 0,
    by: Annotated[str, typer.Option(help="Ranked by cost, energy or gpus.")] = "cost",
    tp: Rank = None,
    pp: Rank = None,
    ep: Rank = None,
    engine: Annotated[list[str] | None, typer.Option(help="Engine to choose from; may be repeated.")] = None,
    precision: Annotated[list[str] | None, typer.Option(help="Format of the weights to choose from; may be repeated.")] = None,
    prefix_cached: Cached = 0.0,
    rent: Rent = None,
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
    json: Json = False,
) -> None:
    """Say how many GPUs of which system, in which layout, serve so many users within their limits, and why the others lose."""
    formats = precision or ["bf16"]
    work = Serving(model=_model(model), isl=isl, osl=osl, concurrency=users, precision=formats[0], prefix_cached=prefix_cached)
    limits = _limits(slo_tpot, slo_ttft, tokens_per_second_per_user)
    found = size_deployment(
        work,
        users=users,
        tokens_per_second_per_user=1.0 / limits["tpot"] if "tpot" in limits else None,
        ttft=limits.get("ttft"),
        candidates=on,
        spare=spare,
        engine=engine or ["generic"],
        precisions=formats,
        by=by,
        percentile=percentile,
        prices=_prices(rent=rent, energy_price=energy_price, discount_rate=discount_rate, life=life),
        tp=tp,
        pp=pp,
        ep=ep,
    )
    if json:
        print_json(found.to_dict())
    else:
        print_text(str(found))


def frontier_command(
    model: ModelName,
    on: Annotated[list[str], typer.Option("--on", help="System; may be repeated.")],
    isl: Isl = 1024,
    osl: Osl = 1024,
    precision: Annotated[list[str] | None, typer.Option(help="Format of the weights; may be repeated.")] = None,
    per: Annotated[str, typer.Option(help="Throughput counted per gpu, megawatt or usd.")] = "gpu",
    tp: Rank = None,
    pp: Rank = None,
    ep: Rank = None,
    engine: Engine = "generic",
    rent: Rent = None,
    energy_price: EnergyPrice = None,
    plot: Annotated[Path | None, typer.Option(help="Write a figure (.svg, .png or .pdf).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
    json: Json = False,
) -> None:
    """Show speed that a user sees against throughput per GPU, megawatt or dollar: the envelope over layouts and loads."""
    column(per)
    file = None if plot is None else new_file(plot, (".svg", ".png", ".pdf"), overwrite=force)
    formats = precision or ["bf16"]
    work = Serving(model=_model(model), isl=isl, osl=osl, concurrency=1.0, precision=formats[0])
    found = frontier(work, on, formats, engine=engine, prices=_prices(rent=rent, energy_price=energy_price), tp=tp, pp=pp, ep=ep)
    if file is not None:
        found.plot(per).savefig(file)
    if json:
        print_json(found.to_dict(per))
        return
    print_table(_table(found, per))
    if file is not None:
        print_text(f"wrote {file}")


def _table(found: Frontier, per: str) -> Table:
    """A few points of the envelope."""
    rows = found.envelope(per)
    step = max(1, -(-len(rows) // MOST_ROWS))
    kept = [*rows[:-1:step], rows[-1]]
    name = column(per)
    columns = [
        "system",
        "format",
        "layout",
        "users an instance",
        "tokens/s a user",
        f"tokens/s per {per}",
        "USD a million tokens",
        "J a token",
    ]
    if per == "usd":
        columns[5] = "tokens per USD"
    cells = [
        [
            *(row["system"], row["precision"], row["layout"], f"{row['concurrency']:g}"),
            *(Cell(row[figure], "1") for figure in (X, name, "usd_per_million_tokens", "joules_per_token")),
        ]
        for row in kept
    ]
    notes = [f"{where}: {why}" for where, why in found.reasons.items()]
    title = f"{found.work.model.name or 'model'}, {found.work.isl:g} in, {found.work.osl:g} out: no layout or load beats these in both"
    return Table("frontier", title, columns, cells, notes=notes)


def _model(name: str) -> Model:
    return from_config(name) if name.endswith(".json") else catalogue.model(name)


def _prices(**given: Any) -> Prices:
    return default_prices(**{name: value for name, value in given.items() if value is not None})


def _limits(tpot: str | None, ttft: str | None, speed: float | None) -> dict[str, float]:
    """Limits in seconds; a least speed is a longest time per token."""
    if tpot is not None and speed is not None:
        raise InvalidInput("--slo-tpot and --tokens-per-second-per-user say the same thing; give one of them")
    found = {} if ttft is None else {"ttft": float(Unit("s", ">0").si(ttft, "--slo-ttft"))}
    if tpot is not None:
        found["tpot"] = float(Unit("s", ">0").si(tpot, "--slo-tpot"))
    if speed is not None:
        found["tpot"] = 1.0 / float(Unit("token/s", ">0").si(speed, "--tokens-per-second-per-user"))
    return found


def _held(found: Served, limits: dict[str, float]) -> dict[str, bool]:
    """Which limits hold."""
    return {name: bool(found[name].value <= limit) for name, limit in limits.items()}


def _words(held: dict[str, bool], most: float | None) -> dict[str, str]:
    words = {f"{name.upper()} within its limit": "yes" if holds else "no" for name, holds in held.items()}
    return words if most is None else words | {"most users of an instance within the limits": f"{most:,.0f}"}


def _plan(found: Served) -> dict[str, Any]:
    sizes = {name: getattr(found.plan, name) for name in ("tp", "pp", "ep")}
    return sizes | {"instances": found.instances, "gpus": found.system.chips, "system": found.system.name}


def _summary(found: Served) -> dict[str, str]:
    def spread(name: str) -> str:
        one = found[name]
        return show(one.value, "s") + ("" if one.low is None else f" (90 %: {show(one.low, 's')} to {show(one.high, 's')})")

    sizes = ", ".join(
        f"{name} {size:g}" for name, size in _plan(found).items() if name in ("tp", "pp", "ep") and (size > 1 or name == "tp")
    )
    money = {name: found[f"usd per million {name} tokens"].value for name in ("input", "cached", "output")}
    heat = {name: found[f"joules per {name} token"].value for name in ("input", "cached", "output")}
    return {
        "layout": f"{found.instances:g} x {sizes} on {found.system.chips:g} GPUs",
        "TTFT": spread("ttft"),
        "TPOT": spread("tpot"),
        "tokens per second per user": f"{found['tokens per second per user'].value:,.1f}",
        "tokens per second": f"{found['tokens per second'].value:,.0f}",
        "tokens per second per GPU": f"{found['tokens per second per chip'].value:,.0f}",
        "requests that run": f"{found['users'].value:,.1f}",
        "requests that the cache holds": f"{found['slots'].value:,.0f} an instance",
        "power from the grid": show(found["power"].value, "W"),
        "USD per million output tokens, all in": f"{found['usd per million tokens'].value:,.4g}",
        "USD per million input, cached, output tokens": ", ".join(f"{value:,.3g}" for value in money.values()),
        "J per input, cached, output token": ", ".join(f"{value:,.3g}" for value in heat.values()),
    }


def _print_parts(found: Served) -> None:
    step = found["tpot"]
    parts = [(name, part.value) for name, part in step["step"].terms.items()]
    parts.append(("prefills of others", step["prefills of others"].value))
    scale = step.value / sum(value for _, value in parts) if found.work.gained != 1.0 else 1.0
    rows = [[name, show(value, "s"), f"{100.0 * scale * value / step.value:.1f} %"] for name, value in parts if value]
    print_table(Table("tpot", "where the time of a token goes", ["part", "time", "share"], rows))


def _assumed(found: Served) -> list[str]:
    return list(dict.fromkeys([*found.all_assumptions(), *found["joules per token"].all_assumptions()]))
