"""The commands, each a few lines over the library."""

from typing import Annotated, Any

import typer

import nvscale
from nvscale.cli import (
    calibrate_command,
    catalogue_commands,
    curve_commands,
    evidence_commands,
    law_commands,
    measure_command,
    model_commands,
    optimum_command,
    plan_command,
    serving_commands,
    training_command,
    truth_commands,
)

application = typer.Typer(
    name="nvscale",
    help="Performance, energy and cost of accelerated computing, from one chip to a gigawatt site.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"nvscale {nvscale.__version__}")
        raise typer.Exit


@application.callback()
def _options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Performance, energy and cost of accelerated computing, from one chip to a gigawatt site."""


_COMMANDS: tuple[tuple[str, Any], ...] = (
    ("report", curve_commands.report),
    ("curves", curve_commands.curves),
    ("roofline", curve_commands.roofline),
    ("system", catalogue_commands.system),
    ("chips", catalogue_commands.chips),
    ("systems", catalogue_commands.systems),
    ("networks", catalogue_commands.networks),
    ("models", model_commands.models),
    ("prices", catalogue_commands.prices),
    ("energy", catalogue_commands.energy),
    ("trends", catalogue_commands.trends),
    ("fleets", catalogue_commands.fleets),
    ("emissions", catalogue_commands.emissions),
    ("sources", catalogue_commands.sources),
    ("trend", evidence_commands.trend),
    ("claims", evidence_commands.claims),
    ("train", training_command.train),
    ("serve", serving_commands.serve),
    ("size", serving_commands.size),
    ("frontier", serving_commands.frontier_command),
    ("power", plan_command.power_command),
    ("laws", law_commands.laws),
    ("fit", law_commands.fit),
    ("optimum", optimum_command.optimum),
    ("validate", truth_commands.validate),
    ("calibrate", calibrate_command.calibrate),
    ("measure", measure_command.measure),
    ("schema", catalogue_commands.schema),
)
for _name, _command in _COMMANDS:
    application.command(_name)(_command)
application.add_typer(plan_command.plan)
