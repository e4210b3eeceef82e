"""`laws` and `fit`: scaling laws that come with nvscale, and constants fitted to runs of one's own."""

import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from nvscale import laws as scaling
from nvscale.cli.catalogue_commands import Explain, Json
from nvscale.cli.output import print_json, print_pairs, print_table, print_text
from nvscale.errors import InvalidInput, NvscaleWarning
from nvscale.laws.comparison import Comparison
from nvscale.laws.optima import OptimalAllocation
from nvscale.report.tables import MISSING, Cell, Table
from nvscale.units import readable

FORMS = "chinchilla, chinchilla-tied, overtraining, granular-experts, parameters or tokens."
HELD = "Share of the runs, those of most compute, that are predicted and not fitted."
Compute = Annotated[str | None, typer.Option(help='How this much compute is best spent, e.g. "5.76e23 flop" or 5.76e23.')]


def laws(
    name: Annotated[str | None, typer.Argument(help="One law, or one family such as chinchilla; all without.")] = None,
    compute: Compute = None,
    json: Json = False,
    explain: Explain = False,
) -> None:
    """List the scaling laws, show one with the source of every constant, or compare what they make of a compute."""
    known = scaling.names()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NvscaleWarning)  # the tables say it themselves
        if name is not None and "/" in name:
            _one(scaling.load(name), compute, json=json, explain=explain)
        elif compute is not None:
            _compared(name, _flop(compute), json=json, explain=explain)
        else:
            _listed(scaling.names(name) if name else known, json=json)


def _flop(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _listed(names: list[str], *, json: bool) -> None:
    found = [scaling.load(name) for name in names]
    if json:
        print_json([law.to_dict() for law in found])
        return
    rows = [[law.name, law.date, _gives(law), law.title, "unverified" if law.unverified else "read"] for law in found]
    families = ", ".join(dict.fromkeys(name.partition("/")[0] for name in names))
    notes = [f"families: {families}", "unverified: a constant was never read in a source; its use warns"]
    print_table(Table("laws", f"{len(rows)} scaling laws", ["law", "date", "gives", "what it is", "constants"], rows, notes))


def _gives(law: Any) -> str:
    parts = [law.form.quantity] if law.form.quantity else []
    parts += ["allocation"] if law.form.optimum else []
    return " and ".join(parts) or "figures"


def _one(law: Any, compute: str | None, *, json: bool, explain: bool) -> None:
    best = None if compute is None else law.optimum(_flop(compute))
    if json:
        print_json(law.to_dict() | ({} if best is None else {"optimum": best.to_dict()}))
        return
    rows = [[key, readable(value, "1", 8), str(law.sources[key])] for key, value in law.constants.items()]
    notes = [text for text in (law.note, *_ranges(law)) if text]
    if law.unverified:
        notes.append(f"never read in a source: {', '.join(law.unverified)}")
    print_table(Table(law.name, f"{law.name}: {law.title}", ["constant", "value", "source"], rows, notes))
    if best is not None:
        print_text(str(best))
        if explain:
            print_text(_explained(best))


def _explained(best: OptimalAllocation) -> str:
    """The tree of the best size, down to the documents."""
    return f"{best.law}: {best.parameters.explain()}"


def _ranges(law: Any) -> list[str]:
    return [f"runs with {name.replace('_', ' ')} {low:.3g} to {high:.3g}" for name, (low, high) in law.validity.items()]


def _compared(family: str | None, compute: Any, *, json: bool, explain: bool) -> None:
    chosen = None if family is None else [name for name in scaling.names(family) if scaling.load(name).form.optimum]
    if chosen is not None and not chosen:
        raise InvalidInput(f"--compute: no law of the family {family!r} says how compute is best spent")
    found = scaling.compare("optimum", chosen, compute=compute)
    if json:
        print_json(found.to_dict())
        return
    rows = [_row(name, answer, found) for name, answer in found.answers.items()]
    columns = ["law", "parameters", "low", "high", "tokens", "per parameter", "loss", "interval", "range"]
    title = f"Best use of {readable(found.given['compute'], 'flop')}, 90 % intervals where a law has them"
    print_table(Table("optimum", title, columns, rows))
    for answer in found.answers.values() if explain else ():
        print_text(_explained(answer))


def _row(name: str, best: OptimalAllocation, found: Comparison) -> list[Any]:
    size, loss = best.parameters, best.loss
    ends = [MISSING if end is None else _amount(end) for end in (size.low, size.high)]
    said = "extrapolated" if found.beyond.get(name) else "inside"
    interval = best.interval.partition(";")[0] or MISSING
    shown = MISSING if loss is None else f"{loss.value:.4f}"
    return [name, _amount(size.value), *ends, _amount(best.tokens.value), Cell(best.tokens_per_parameter.value), shown, interval, said]


def _amount(value: float) -> str:
    return f"{value / 1e9:,.4g}e9" if value < 1e12 else f"{value / 1e12:,.4g}e12"


def fit(
    data: Annotated[str, typer.Option(help="Runs (.csv) with columns parameters, tokens (or compute) and loss; or chinchilla-figure-4.")],
    form: Annotated[str, typer.Option(help=FORMS)] = "chinchilla",
    approach: Annotated[int, typer.Option(help="3 fits the form; 1 and 2 fit the best size as a power of compute.")] = 3,
    method: Annotated[str, typer.Option(help="'huber' on log loss, or 'least squares' on the loss.")] = "huber",
    starts: Annotated[int, typer.Option(help="Random starts.")] = 40,
    resamples: Annotated[int, typer.Option(help="Resamples for the standard errors; 0 for asymptotic ones.")] = 1000,
    seed: Annotated[int, typer.Option(help="Of starts and resamples.")] = 42,
    hold_out: Annotated[float | None, typer.Option(help=HELD)] = None,
    loss: Annotated[str, typer.Option(help="Column of the loss, if it is not called loss.")] = "",
    train_set: Annotated[str, typer.Option(help="Only rows with this in the column train_set.")] = "",
    compute: Compute = None,
    json: Json = False,
) -> None:
    """Fit a scaling law to runs, with standard errors, conditioning and a test on runs held out."""
    source = data if data in scaling.data_sets() else Path(data)
    drawn = resamples if method == "huber" else 0
    options: dict[str, Any] = {
        "approach": approach,
        "method": method,
        "starts": starts,
        "resamples": drawn,
        "seed": seed,
        "hold_out": hold_out,
    }
    found = scaling.fit_law(source, form, **options, loss=loss, train_set=train_set)
    if approach != 3:
        _allocated(found, compute, json=json)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NvscaleWarning)
        best = None if compute is None else found.law.optimum(_flop(compute))
    if json:
        print_json(found.to_dict() | ({} if best is None else {"optimum": best.to_dict()}))
        return
    rows = [[name, Cell(value), Cell(found.standard_errors[name])] for name, value in found.constants.items()]
    notes = str(found).splitlines()
    notes = [notes[0], *notes[1 + len(found.constants) :]]
    title = f"{found.form} fitted to {Path(found.data).name}"
    print_table(Table("fit", title, ["constant", "value", "standard error"], rows, [note.strip() for note in notes]))
    if best is not None:
        print_text(str(best))


def _allocated(found: Any, compute: str | None, *, json: bool) -> None:
    plain = {
        "approach": found.approach,
        "coefficient": found.coefficient,
        "exponent": found.exponent,
        "token_exponent": found.token_exponent,
        "standard_error": found.standard_error,
        "optima": len(found.compute),
    }
    if compute is not None:
        given = float(compute)
        plain |= {"parameters": float(found.optimal_parameters(given)), "tokens": float(found.optimal_tokens(given))}
    if json:
        print_json(plain)
        return
    print_pairs(str(found), plain)
