"""`plan run`, `plan site` and `power`: calendar time, energy, carbon and money of a run; what a site holds and costs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale import catalogue
from nvscale.cli.catalogue_commands import DiscountRate, EnergyPrice, Explain, Json, Life
from nvscale.cli.output import new_file, print_json, print_pairs, print_table, print_text
from nvscale.errors import MissingFigure
from nvscale.estimate import Estimate, show
from nvscale.estimators.run_costs import run_costs
from nvscale.estimators.runs import TrainingRun, training_run
from nvscale.estimators.site_choices import market_comparison, retirement_age
from nvscale.estimators.sites import Site, site
from nvscale.estimators.system_power import LOADS, power
from nvscale.model_configs import from_config
from nvscale.parallelism import Parallelism
from nvscale.planning import best_plan
from nvscale.report.tables import Table
from nvscale.views import prices as default_prices
from nvscale.workloads.training import Training

AMOUNTS = (("energy", "energy, MWh", 3.6e9), ("carbon", "carbon, t CO2", 1e6), ("cost", "cost to the owner, USD", 1.0))
KEYS = {"energy": "energy_mwh", "carbon": "carbon_t", "cost": "cost_usd"}
plan = typer.Typer(
    name="plan", help="Plan a training run or a site: time, energy, carbon, money.", no_args_is_help=True, rich_markup_mode=None
)

On = Annotated[str, typer.Option("--on", help="System of the catalogue, e.g. dgx-h100.")]
Pue = Annotated[float | None, typer.Option(help="Power usage effectiveness.")]
Rank = Annotated[int | None, typer.Option(min=1)]
Rent = Annotated[str | None, typer.Option(help='Market rent of a chip, e.g. "2.5 USD/h"; the newest published one without.')]
Grid = Annotated[str | None, typer.Option(help='Emissions of electricity: "400 g/kWh" or an entry such as grid-france-2021.')]


@plan.command("run")
def plan_run(
    model: Annotated[str, typer.Argument(help="A model of the catalogue, or the path of a config.json.")],
    tokens: Annotated[str, typer.Option(help='Tokens of the run, e.g. "15.6e12" or "15.6 Ttoken".')],
    on: On,
    gpus: Annotated[int, typer.Option(min=1, help="GPUs of the run.")],
    sequence: Annotated[int, typer.Option(min=1, help="Tokens of a sequence.")] = 8192,
    global_batch: Annotated[int | None, typer.Option(min=1, help="Sequences of a step; without, about 4 million tokens.")] = None,
    precision: Annotated[str, typer.Option(help="Number format of the matrix multiplies.")] = "bf16",
    tp: Rank = None,
    pp: Rank = None,
    vpp: Rank = None,
    cp: Rank = None,
    ep: Rank = None,
    micro_batch: Rank = None,
    zero: Annotated[int, typer.Option(min=0, max=3, help="ZeRO stage.")] = 1,
    recompute: Annotated[str, typer.Option(help="none, selective or full.")] = "none",
    goodput: Annotated[float | None, typer.Option(help="Useful over elapsed time, e.g. 0.9.")] = None,
    failures: Annotated[str | None, typer.Option(help="Compute the goodput from failures of a fleet, e.g. llama-3.1-405b.")] = None,
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
    pue: Pue = None,
    grid: Grid = None,
    rent: Rent = None,
    draw: Annotated[str, typer.Option(help="Power of the chips: load or nameplate.")] = "load",
    json: Json = False,
    explain: Explain = False,
) -> None:
    """Days, energy, carbon and cost of a training run; the best layout is searched unless one is given."""
    system = catalogue.system(on).scale(gpus)
    found = from_config(model) if model.endswith(".json") else catalogue.model(model)
    batch = global_batch or max(float(gpus), gpus * max(1.0, round(4_194_304 / sequence / gpus)))
    job = Training(model=found, sequence=sequence, global_batch=batch, precision=precision)
    ranks = {
        name: size for name, size in (("tp", tp), ("pp", pp), ("vpp", vpp), ("cp", cp), ("ep", ep), ("micro_batch", micro_batch)) if size
    }
    given: dict[str, Any] = ranks
    layout = Parallelism(**given, zero=zero, recompute=recompute) if ranks else best_plan(job, system, top=1)[0].plan
    paid = default_prices(**_given(energy_price=energy_price, discount_rate=discount_rate, life=life))
    made = training_run(
        job, system, layout, tokens=_number(tokens), goodput=goodput, failures=failures, prices=paid, pue=pue, draw=draw, grid=grid
    )
    costs = _costs(made, rent, paid)
    if json:
        print_json(_run_data(made, layout, costs))
        return
    print_pairs(made.name, _run_rows(made, layout))
    if costs:
        rows = [[name, show(one.value, "USD"), _interval(one), "; ".join(one.assumptions)] for name, one in costs.items()]
        print_table(Table("costs", "cost by method", ["method", "cost", "90 %", "what it counts"], rows))
    _end(made, explain=explain)


def _costs(run: TrainingRun, rent: str | None, paid: Any) -> dict[str, Estimate]:
    """Costs by method, where prices and a rent are known."""
    try:
        return run_costs(run, rent=rent, prices=paid)
    except MissingFigure:
        return {}


def _run_rows(run: TrainingRun, layout: Parallelism) -> dict[str, str]:
    step = run["step"]
    return {
        "days": f"{run['days'].value:,.1f}{_plain_interval(run['days'], 1.0)}",
        "million chip hours": f"{run['chip hours'].value / 1e6:,.3g}",
        **{label: _amount(run, name, unit) for name, label, unit in AMOUNTS},
        "goodput": f"{run['goodput'].value:.3g}",
        "MFU of a step, of the run": f"{100.0 * step['mfu'].value:.1f} %, {100.0 * run['mfu'].value:.1f} %",
        "time per step": show(step.value, "s"),
        "layout": ", ".join(f"{name} {getattr(layout, name):g}" for name in ("tp", "pp", "vpp", "cp", "ep", "micro_batch", "zero")),
        "fits the memory": "yes" if step["fits"].value else "no",
    }


def _amount(run: TrainingRun, name: str, unit: float) -> str:
    """An amount with its interval, or why it is not known."""
    if name in run.missing:
        return f"not known: {run.missing[name]}"
    return f"{run[name].value / unit:,.0f}{_plain_interval(run[name], unit)}"


def _plain_interval(estimate: Estimate, unit: float) -> str:
    return "" if estimate.low is None else f" (90 %: {estimate.low / unit:,.4g} to {estimate.high / unit:,.4g})"


def _interval(estimate: Estimate) -> str:
    return "" if estimate.low is None else f"{show(estimate.low, estimate.unit)} to {show(estimate.high, estimate.unit)}"


def _run_data(run: TrainingRun, layout: Parallelism, costs: dict[str, Estimate]) -> dict[str, Any]:
    top = {
        "days": run["days"].value,
        **{KEYS[name]: None if name in run.missing else run[name].value / unit for name, _, unit in AMOUNTS},
        "goodput": run["goodput"].value,
        "mfu": run["mfu"].value,
        "layout": {name: getattr(layout, name) for name in ("tp", "pp", "vpp", "cp", "ep", "micro_batch", "zero")},
    }
    ends = {
        f"{KEYS.get(name, name)}_interval": [run[name].low / unit, run[name].high / unit]
        for name, unit in (("days", 1.0), *((name, unit) for name, _, unit in AMOUNTS))
        if name not in run.missing and run[name].low is not None
    }
    return top | ends | {"costs": {name: one.to_dict() for name, one in costs.items()}} | {"run": run.to_dict()}


@plan.command("site")
def plan_site(
    on: On,
    power: Annotated[str | None, typer.Option("--power", help='Facility power, e.g. "100 MW".')] = None,
    budget: Annotated[str | None, typer.Option(help='Capital, e.g. "1 BUSD".')] = None,
    chips: Annotated[int | None, typer.Option(min=1, help="Chips that can be had.")] = None,
    network_chips: Annotated[int | None, typer.Option(min=1, help="Chips that one scale-out network joins.")] = None,
    pue: Pue = None,
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
    facility_capex: Annotated[str | None, typer.Option(help='Facility per IT power, e.g. "12 USD/W".')] = None,
    network_share: Annotated[float | None, typer.Option(help="Share of the scale-out network in all capital.")] = None,
    load: Annotated[str, typer.Option(help=f"Average load: {', '.join(LOADS)}, or the power of a chip.")] = "nameplate",
    precision: Annotated[str, typer.Option(help="Number format of training.")] = "bf16",
    mfu: Annotated[float | None, typer.Option(help="Utilisation of training steps.")] = None,
    oversubscription: Annotated[float, typer.Option(min=1.0, help="Nameplate power connected over that of the feed.")] = 1.0,
    method: Annotated[str, typer.Option(help="How capital is spread over years: annuity or straight line.")] = "annuity",
    rent: Rent = None,
    grid: Grid = None,
    json: Json = False,
    explain: Explain = False,
) -> None:
    """Chips, peak, training capability, capital and yearly cost of a site, and what limits it."""
    given = _given(energy_price=energy_price, discount_rate=discount_rate, life=life, facility_capex=facility_capex)
    given |= _given(network_share=network_share, mfu=mfu, grid=grid, network_chips=network_chips)
    found = site(
        on, power=power, budget=budget, chips=chips, pue=pue, load=load, precision=precision, oversubscription=oversubscription,
        method=method, **given,
    )  # fmt: skip
    market = _market(found, rent)
    if json:
        print_json(found.to_dict() | {"market": {name: one.to_dict() for name, one in market.items()}})
        return
    print_pairs(f"{found.name}: {found.by} binds", _site_rows(found))
    _print_costs(found)
    for name, one in market.items():
        print_text(f"{name}: {show(one.value, one.unit)}")
    _end(found, explain=explain)


def _site_rows(found: Site) -> dict[str, str]:
    month = found["training flop per month"]
    rows = {
        "chips": f"{found.value:,.0f}",
        "systems": f"{found.terms['systems'].value:,.0f}",
        "facility power": show(found["power"].value, "W"),
        "energy a year": f"{found['energy a year'].value / 3.6e12:,.0f} GWh",
        "carbon a year": f"{found['carbon a year'].value / 1e6:,.0f} t CO2",
        "training a month": f"{month.value:.3g} flop ({100.0 * month['mfu'].value:.3g} % MFU, goodput {month['goodput'].value:.3g})",
    }
    return rows | {f"peak {name}": show(peak.value, "flop/s") for name, peak in found.peaks().items()}


def _print_costs(found: Site) -> None:
    try:
        capex, yearly, shares = found["capex"], found["yearly cost"], found.shares()
    except MissingFigure as problem:
        print_text(f"cost: {problem}")
        return
    bought = {name: show(part.value, "USD") for name, part in capex.terms.items()}
    rows = [[name, bought.get(name, "-"), show(part.value, "USD"), f"{100.0 * shares[name]:.1f} %"] for name, part in yearly.terms.items()]
    rows.append(["in all", show(capex.value, "USD"), show(yearly.value, "USD"), "100 %"])
    print_table(Table("cost", f"cost ({found.system.price_basis})", ["part", "capital", "a year", "share of a year"], rows))
    print_text(f"{found['usd per chip hour'].value:.3g} USD per chip-hour")


def _market(found: Site, rent: str | None) -> dict[str, Estimate]:
    """Cost over market rent, and retirement age, where a rent is known."""
    try:
        return {"cost over market rent": market_comparison(found, rent), "retirement age": retirement_age(found, rent=rent)}
    except MissingFigure:
        return {}


def power_command(
    system: Annotated[str, typer.Argument(help="A system or a chip of the catalogue.")],
    load: Annotated[str | None, typer.Option(help=f"One load: {', '.join(LOADS)}, or the power of a chip; all without.")] = None,
    precision: Annotated[str, typer.Option(help="Number format of the operations.")] = "bf16",
    pue: Pue = None,
    oversubscription: Annotated[float, typer.Option(min=1.0, help="Nameplate power connected over that of the feed.")] = 1.0,
    plot: Annotated[Path | None, typer.Option(help="Draw operations per joule over intensity to this file (.svg, .png, .pdf).")] = None,
    json: Json = False,
    explain: Explain = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there already.")] = False,
) -> None:
    """Power of a chip or a system: nameplate, under load, and what the feed must carry."""
    found = {
        name: power(system, load=name, precision=precision, pue=pue, oversubscription=oversubscription)
        for name in (LOADS if load is None else (load,))
    }
    if plot is not None:
        from nvscale.plots import draw_energy_rooflines  # matplotlib, of the plot extra

        draw_energy_rooflines([catalogue.system(system).chip]).savefig(new_file(plot, (".svg", ".png", ".pdf"), overwrite=force))
    if json:
        print_json({name: one.to_dict() for name, one in found.items()})
        return
    chips = catalogue.system(system).chips
    rows = [
        [name, show(one["IT power"].terms["chips"].value / chips, "W") if "chips" in one["IT power"].terms else "-",
         show(one["IT power"].value, "W"), show(one.value, "W"), _interval(one)]
        for name, one in found.items()
    ]  # fmt: skip
    first = next(iter(found.values()))
    print_table(Table("power", f"power of {system}", ["load", "a chip", "IT power", "facility power", "90 %"], rows))
    print_text(f"provisioned: {show(first['provisioned'].value, 'W')} at PUE {first['PUE'].value:g}, oversubscription {oversubscription:g}")
    for one in found.values() if explain else ():
        print_text(one.explain())
    if not explain:
        for text in dict.fromkeys(text for one in found.values() for text in one.all_assumptions()):
            print_text(f"assumed: {text}")


def _end(found: Any, *, explain: bool) -> None:
    if explain:
        print_text(found.explain())
        return
    for text in found.all_assumptions():
        print_text(f"assumed: {text}")


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text
