"""`optimum`: the best model for a budget on a system."""

from typing import Annotated

import typer

from nvscale.budgets import Point
from nvscale.budgets import optimum as find
from nvscale.cli.catalogue_commands import DiscountRate, EnergyPrice, Explain, Json, Life
from nvscale.cli.output import print_json, print_table, print_text
from nvscale.estimate import show
from nvscale.report.tables import Table
from nvscale.views import prices


def optimum(
    budget: Annotated[str, typer.Option(help='Dollars, energy or chip time: "1 MUSD", "500 MWh", "100000 h".')],
    on: Annotated[str, typer.Option("--on", help="System of the catalogue, e.g. dgx-h100.")],
    law: Annotated[str, typer.Option(help="Scaling law, see `nvscale laws`.")] = "chinchilla/besiroglu-2024",
    lifetime_tokens: Annotated[float, typer.Option(min=0.0, help="Tokens that the model will serve, e.g. 1e13.")] = 0.0,
    precision: Annotated[str, typer.Option(help="Number format of training.")] = "bf16",
    serving_precision: Annotated[str, typer.Option(help="Number format of serving.")] = "fp8",
    days: Annotated[float, typer.Option(min=0.01, help="Days that training should take.")] = 60.0,
    engine: Annotated[str, typer.Option(help="Serving engine: vllm, sglang, trtllm, generic.")] = "generic",
    energy_price: EnergyPrice = None,
    discount_rate: DiscountRate = None,
    life: Life = None,
    extrapolate: Annotated[str, typer.Option(help="Outside the range of the law's runs: allow (and say so), or refuse.")] = "allow",
    json: Json = False,
    explain: Explain = False,
) -> None:
    """Find the dense model of least loss for a budget: size, tokens, and what training and serving take of it."""
    changes = {"energy_price": energy_price, "discount_rate": discount_rate, "life": life}
    terms = prices(**{name: value for name, value in changes.items() if value is not None})
    found = find(
        budget, on, law, lifetime_tokens=lifetime_tokens, precision=precision, serving_precision=serving_precision, days=days,
        engine=engine, prices=terms, extrapolate=extrapolate,
    )  # fmt: skip
    if json:
        print_json(found.to_dict())
        return
    print_text(str(found))
    if explain:
        rows = [_row(point, found.unit) for point in found.points]
        columns = ["billion parameters", "training a million tokens", "serving a million tokens", "MFU"]
        print_table(Table("points", "models that were tried", columns, rows))


def _row(point: Point, unit: str) -> list[str]:
    costs = [show(1e6 * cost, unit) for cost in (point.training, point.serving)]
    return [f"{point.parameters / 1e9:,.2f}", *costs, f"{100.0 * point.mfu:.0f} %"]
