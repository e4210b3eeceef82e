"""`models`: transformer models of the catalogue or of a configuration file, with what follows from their shape."""

from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale.cli.catalogue_commands import Catalog, Json, Name, catalogue_with
from nvscale.cli.output import print_json, print_table
from nvscale.errors import InvalidInput
from nvscale.model_configs import from_config
from nvscale.record import walk
from nvscale.report.tables import Cell, Table
from nvscale.transformers import CONVENTIONS, Model


def models(
    name: Name = None,
    config: Annotated[Path | None, typer.Option(help="A local Hugging Face config.json, or its folder, instead of an entry.")] = None,
    family: Annotated[str | None, typer.Option(help="Only this family.")] = None,
    organisation: Annotated[str | None, typer.Option(help="Only models of this organisation.")] = None,
    sequence: Annotated[int, typer.Option(help="Tokens of a sequence, for the work per token.", min=1)] = 8192,
    json: Json = False,
    catalogue: Catalog = None,
) -> None:
    """List the transformer models, or show one: shape with sources, parameters by part, work per token by convention."""
    if name is not None and config is not None:
        raise InvalidInput(f"models: {name!r} and --config {config} name two models; give one of them")
    if config is not None:
        _show(from_config(config), sequence, json=json)
        return
    known = catalogue_with(catalogue)
    if name is not None:
        _show(known.model(name), sequence, json=json)
        return
    wanted = {key: value for key, value in (("family", family), ("organisation", organisation)) if value is not None}
    found = known.models(**wanted)
    if json:
        print_json([_record(model, sequence) for model in found])
        return
    columns = [
        "model",
        "organisation",
        "layers",
        "hidden",
        "heads",
        "kv heads",
        "experts",
        "parameters",
        "active",
        "cache per token, 16 bit",
    ]
    print_table(Table("models", f"{len(found)} models", columns, [_row(model) for model in found]))


def _row(model: Model) -> list[Any]:
    counts = [f"{value:g}" for value in (model.layers, model.hidden, model.heads, model.kv_heads)]
    experts = f"{model.experts_per_token:g} of {model.experts:g}" if model.experts else "-"
    sizes = [f"{model.parameters:,.0f}", f"{model.active_parameters:,.0f}", Cell(model.cache_per_token(2.0), "byte")]
    return [model.name, model.organisation, *counts, experts, *sizes]


def _show(model: Model, sequence: int, *, json: bool) -> None:
    """Print one model."""
    if json:
        print_json(_record(model, sequence))
        return
    shape = [
        [leaf.path, leaf.unit.show(leaf.value), str(leaf.source)]
        for leaf in walk(model)
        if leaf.path in model.sources and leaf.value - leaf.value == 0
    ]
    print_table(Table("figures", model.title or model.name, ["figure", "value", "source"], shape, model.notes))
    parts = [[part, f"{value:,.0f}"] for part, value in model.parameters_by_part().items() if value]
    parts += [["all", f"{model.parameters:,.0f}"], ["in use by a token", f"{model.active_parameters:,.0f}"]]
    print_table(Table("parameters", "Parameters by part", ["part", "parameters"], parts))
    work = [[name, Cell(model.flop_per_token(float(sequence), name), "flop"), text] for name, text in CONVENTIONS.items()]
    notes = (f"cache of one token, 16 bit: {Cell(model.cache_per_token(2.0), 'byte')}",)
    print_table(
        Table("work", f"Work per token at {sequence} tokens, by convention", ["convention", "work", "what is counted"], work, notes)
    )


def _record(model: Model, sequence: int) -> dict[str, Any]:
    """A model as plain data, in SI."""
    words = {key: getattr(model, key) for key in ("name", "title", "family", "organisation", "architecture", "notes")}
    figures = {
        leaf.path: {"value": leaf.value, "unit": leaf.unit.text, "source": str(leaf.source)}
        for leaf in walk(model)
        if leaf.path in model.sources and leaf.value - leaf.value == 0
    }
    return {
        **words,
        "figures": figures,
        "parameters": model.parameters,
        "active_parameters": model.active_parameters,
        "parameters_by_part": model.parameters_by_part(),
        "cache_per_token": {"value": model.cache_per_token(2.0), "unit": "byte", "element_size": 2.0},
        "flop_per_token": {"sequence": sequence, **{name: model.flop_per_token(float(sequence), name) for name in CONVENTIONS}},
    }
