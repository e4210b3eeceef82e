"""Economics: how long a machine earns its keep, what brought a list price down, whether a small model pays; and values of one's own."""

import math
import warnings
from collections.abc import Sequence

from nvscale import laws
from nvscale.catalogue import model, system
from nvscale.errors import InvalidInput
from nvscale.estimators.fleets import cost_rate, facility_power
from nvscale.estimators.generation import prefill
from nvscale.estimators.serving import serving
from nvscale.evidence.findings import Finding
from nvscale.evidence.tables import decimal_year, figure, history, years_between
from nvscale.evidence.token_prices import at_fixed_capability, list_price, price_fall, service_years
from nvscale.parallelism import Parallelism
from nvscale.views import curves, default_pue, prices
from nvscale.workloads.serving import Prefill, Serving

TRAINER = "dgx-h100"
YEAR = 365.25 * 86400.0


def reuse_pays(at_least: float | None = None) -> list[Finding]:
    """Findings on whether a machine bought for training still earns its running cost when newer ones set the price.

    `at_least` is in years; the useful life of the default prices without it.
    """
    terms, machine = prices(), system(TRAINER).replace(pue=default_pue()[0])
    life = terms.life / YEAR if at_least is None else at_least
    whole = cost_rate(machine, "fp8", terms).value
    running = facility_power(machine, "fp8", terms).value * terms.energy_price
    measured = curves(level="datacenter").growth("performance per dollar").fitted.per_year
    found = []
    for words, decline in (("by the measured fall of cost per operation", measured), ("2x a year", 2.0), ("3x a year", 3.0)):
        years = service_years(whole / running, decline)
        how = f"ln(cost / energy cost) / ln({decline:.3g}) of {TRAINER}: cost {whole / running:.3g} times energy"
        found.append(Finding(f"market falls {words}", years, "year", at_least=life, method=how))
    price = list_price("llama-3-70b", "Groq")[1]
    work = Serving(model=model("llama-3.1-70b"), isl=1024.0, osl=1024.0, concurrency=256.0, precision="fp8")
    cost = serving(work, machine)["usd per million tokens"].value
    how = f"list price of April 2024, {price:.2f} USD per million tokens, over estimated cost of {cost:.2f} at 256 users and full use"
    found.append(Finding("serves below the market's price", price / cost, at_least=1.0, method=how))
    found.append(_ratio_of_phases())
    return found


def _ratio_of_phases() -> Finding:
    """Prefill servers per decode server that keep each other busy."""
    name, batch, out = "llama-3.1-70b", 32.0, 1024.0
    first = prefill(Prefill(model=model(name), tokens=8192.0, precision="fp8"), TRAINER, Parallelism(tp=8.0)).value
    work = Serving(model=model(name), isl=8192.0, osl=out, concurrency=batch, precision="fp8")
    step = serving(work, TRAINER)["tpot"]["step"].value
    how = f"batch x prefill / (step x output), {name} at fp8 on {TRAINER}, 8,192 in, 1,024 out, batch 32"
    return Finding("prefill servers per decode server", batch * first / (step * out), method=how)


def price_fell(total: float = 240.0, months: float = 18.0, within: float = 0.01) -> list[Finding]:
    """Findings on a quoted fall of the price of tokens: as quoted, at fixed capability, and from hardware and number format alone."""
    fall = price_fall(years=months / 12.0)
    quoted = fall.per_year
    shares = ", ".join(f"{name} {share:.0%}" for name, share in fall.shares.items())
    between = " to ".join((fall.models[0], fall.models[-1]))
    how = f"list prices, {between}: {shares}; {quoted:.1f}x a year on {months:g} months, {price_fall().per_year:.1f}x by the dates"
    found = [Finding("list price from the dearest variant to a smaller model", fall.total, at_least=total * (1 - within), method=how)]
    for capability in ("gpt-4", "gpt-3.5", "gpt-3"):
        fixed = at_fixed_capability(capability)
        how = (
            f"{fixed.models[0]} ({fixed.dates[0]}) to {fixed.models[-1]} ({fixed.dates[-1]}): x{fixed.total:.4g} in {fixed.years:.2f} years"
        )
        found.append(
            Finding(f"list price a year at the capability of {capability}", fixed.per_year, at_least=quoted * (1 - within), method=how)
        )
    old, new = (_cost(*place) for place in (("dgx-a100", "bf16"), ("dgx-h100", "fp8")))
    how = "estimated cost of llama-2-70b at 32 users a chip, dgx-a100 at bf16 over dgx-h100 at fp8: the machines of that time"
    found.append(Finding("cost by hardware and number format", old / new, at_least=total * (1 - within), method=how))
    return found


def _cost(machine: str, number_format: str) -> float:
    placed = system(machine)
    work = Serving(model=model("llama-2-70b"), isl=1024.0, osl=256.0, concurrency=32.0 * placed.chips, precision=number_format)
    return float(serving(work, placed)["usd per million tokens"].value)


def small_models() -> list[Finding]:
    """For information: what a smaller model trained longer saves over its life; how good it is in a niche no table here says."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        best = laws.load("chinchilla/hoffmann-2022").lifetime_optimum(2e12, parameters=13e9, extrapolate="allow")
    how = "quality of a compute-optimal model of 13e9 parameters, 2e12 tokens served: size of the cheapest model over that size"
    return [
        Finding("size of the cheapest model of the same loss", best.parameters / 13e9, method=how),
        Finding("compute saved over its life", best.saving, method=f"the same; trained on {best.data_ratio:.2f} times the tokens"),
    ]


def values(
    table: str, column: str, date: str = "date", at_least: float | None = None, at_most: float | None = None,
    where: dict[str, str] | None = None, measure: str = "growth a year",
) -> list[Finding]:  # fmt: skip
    """Return one figure of a column of a table of evidence: "growth a year", "last over first" or "last".

    For claims of one's own; rows may be chosen by cells.
    """
    found = history(table)
    rows: Sequence[dict[str, str]] = [row for row in found.where(**(where or {})) if row.get(column)]
    if not rows or (len(rows) < 2 and measure != "last"):
        raise InvalidInput(f"{table}: {len(rows)} rows have {column} where {where}; wanted two or more")
    rows = sorted(rows, key=lambda row: decimal_year(row[date]))
    first, last = rows[0], rows[-1]
    ratio, words = figure(last, column) / figure(first, column), f"{column} of {table}, {first[date]} to {last[date]}"
    answers = {
        "last": lambda: figure(last, column),
        "last over first": lambda: ratio,
        "growth a year": lambda: math.exp(math.log(ratio) / years_between(first[date], last[date])),
    }
    if measure not in answers:
        raise InvalidInput(f"values: measure = {measure!r}; wanted {', '.join(answers)}")
    return [Finding(words, answers[measure](), at_least=at_least, at_most=at_most, method=f"{measure}; {found.origin}")]
