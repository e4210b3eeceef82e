"""`claims` and `trend`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale.cli.catalogue_commands import Json
from nvscale.cli.output import print_json, print_table, print_text
from nvscale.evidence.claims import Claim
from nvscale.evidence.claims import claims as find_claims
from nvscale.evidence.hardware import PRICES, QUANTITIES
from nvscale.evidence.hardware import trend as fit
from nvscale.report.tables import Table

Ids = Annotated[list[str] | None, typer.Argument(help="Claims, by number (T9); all without.")]
File = Annotated[Path | None, typer.Option("--file", help="A TOML file with claims of your own.")]


def claims(ids: Ids = None, file: File = None, json: Json = False) -> None:
    """Claims of the talk: what is said, what the figures say, and the verdict."""
    found = find_claims(*(ids or ()), file=file)
    if json:
        print_json([claim.to_dict() for claim in found])
    elif ids:
        print_text("\n\n".join(str(claim) for claim in found))
    else:
        print_table(claims_table(found))


def claims_table(found: tuple[Claim, ...]) -> Table:
    """Return a row per claim."""
    rows: list[list[Any]] = [[claim.id, claim.title, claim.verdict, claim.headline.interval(), claim.headline.level] for claim in found]
    return Table(
        "claims",
        "Claims",
        ["claim", "what is said", "verdict", "value", "of what"],
        rows,
        ["nvscale claims ID shows one with all it rests on"],
    )


def trend(
    quantity: Annotated[str, typer.Argument(help=f"One of {', '.join(QUANTITIES)}.")] = "fp32",
    per: Annotated[str, typer.Option(help="chip, watt or dollar.")] = "chip",
    points: Annotated[str, typer.Option(help="all, or records: those that beat every earlier one.")] = "all",
    shape: Annotated[str, typer.Option(help="exponential or saturating.")] = "exponential",
    price_basis: Annotated[str, typer.Option(help=f"One of {', '.join(PRICES)}.")] = "first purchase",
    until: Annotated[float, typer.Option(help="Year up to which the trend is carried on.")] = 2035.0,
    json: Json = False,
) -> None:
    """Growth of machine learning hardware from its history, with forecasts and what 2x and 3x a year would need."""
    found = fit(quantity, per=per, points=points, shape=shape, price_basis=price_basis)
    needed = [found.needed(rate, until) for rate in (2.0, 3.0)]
    if json:
        asked = [{"per_year": one.per_year, "until": one.until, "value": one.needed, "gap": one.gap} for one in needed]
        print_json(found.to_dict(until) | {"needed": asked})
        return
    print_text(str(found))
    rows: list[list[Any]] = [
        [f"{one.year:.0f}", *(f"{value:.4g}" for value in (one.value, one.low, one.high, one.least, one.most))]
        for one in found.forecast(until)
    ]
    heads = ["year", f"trend ({found.unit})", "low", "high", "one point, low", "one point, high"]
    print_table(Table("forecast", f"Forecast, {found.confidence:.0%} intervals of the trend and of one more point", heads, rows))
    print_text("\n".join(str(one) for one in needed))
