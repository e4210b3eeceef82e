"""Laws from data files: every constant with its source; the documents they come from."""

import functools
import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Any, cast

from nvscale.errors import CatalogueError, did_you_mean
from nvscale.laws.forms import law_form
from nvscale.laws.law import Covariance, Law
from nvscale.provenance import Kind, Source

FILES = ("chinchilla.toml", "allocations.toml", "beyond.toml")
LAW_KEYS = ("form", "title", "document", "at", "date", "kind", "from", "constants", "validity", "covariance", "points", "note")
CONSTANT_KEYS = ("value", "logarithm", "factor", "standard_error", "low", "high", "at", "kind", "from", "document", "note")
NEEDED = ("form", "title", "document", "at", "date", "kind", "constants")


@functools.cache
def shipped_laws() -> dict[str, Law]:
    """Return the laws that come with nvscale, by name."""
    documents = shipped_documents()
    found: dict[str, Law] = {}
    for file in FILES:
        tables = tomllib.loads(_text(file))
        found |= {name: read_law(name, entry, documents, f"{file}: {name}") for name, entry in tables.items()}
    return found


@functools.cache
def shipped_documents() -> dict[str, dict[str, Any]]:
    """Return the documents that laws come from, by identifier."""
    return tomllib.loads(_text("sources.toml"))


def _text(file: str) -> str:
    return resources.files("nvscale.laws").joinpath("data", file).read_text(encoding="utf-8")


def read_law(name: str, entry: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]], where: str) -> Law:
    """Return one law of a data file.

    Parameters
    ----------
    name : str
        Name of the law.
    entry : mapping
        Its table.
    documents : mapping
        Known documents by identifier.
    where : str
        File and law, for error messages.
    """
    _check_keys(entry, LAW_KEYS, NEEDED, where)
    form = law_form(entry["form"])
    constants, sources = {}, {}
    for key, given in entry["constants"].items():
        _check_keys(given, CONSTANT_KEYS, ("value",), f"{where}.{key}")
        constants[key] = _value(given, given["value"])
        sources[key] = _source(given, entry, documents, f"{where}.{key}")
    if form.constants and set(constants) != set(form.constants):
        wrong = sorted(set(constants) ^ set(form.constants))
        raise CatalogueError(f"{where}: the form {form.name} has the constants {', '.join(form.constants)}; not so: {', '.join(wrong)}")
    return Law(
        name=name,
        title=entry["title"],
        form=form,
        constants=constants,
        sources=sources,
        date=entry["date"],
        validity={key: (float(low), float(high)) for key, (low, high) in entry.get("validity", {}).items()},
        covariance=_covariance(entry.get("covariance"), constants, where),
        points=entry.get("points", ""),
        note=entry.get("note", ""),
    )


def _value(given: Mapping[str, Any], number: float) -> float:
    """A constant in the unit of the equation: out of its logarithm, or times the factor of its unit."""
    return math.exp(number) if given.get("logarithm") else float(number) * float(given.get("factor", 1.0))


def _source(given: Mapping[str, Any], entry: Mapping[str, Any], documents: Mapping[str, Mapping[str, Any]], where: str) -> Source:
    said = {**{key: entry[key] for key in ("document", "at", "date", "kind", "from") if key in entry}, **given}
    for document in (said["document"], said.get("from", said["document"])):
        if document not in documents:
            raise CatalogueError(f"{where}: no document {document!r}{did_you_mean(document, documents)}")
    about = documents[said["document"]]
    read = said.get("from") or about.get("via", "")
    read = documents[read]["title"] if read in documents else read
    via = f"read in: {read}" if said["kind"] == "restated" and read else ""
    error = f"standard error {given['standard_error']:g}" if "standard_error" in given else ""
    printed = f"{given['value']:g}" if abs(given["value"]) >= 1e6 else str(given["value"]).removesuffix(".0")
    printed = f"exp({printed})" if given.get("logarithm") else printed
    return Source(
        printed=printed,
        document=said["document"],
        title=f"{about['publisher']}, {about['title']}",
        place=said["at"],
        date=said["date"],
        kind=cast("Kind", said["kind"]),
        low=_value(given, given["low"]) if "low" in given else None,
        high=_value(given, given["high"]) if "high" in given else None,
        note="; ".join(part for part in (given.get("note", ""), via) if part),
        flags=(error,) if error else (),
    )


def _covariance(given: Any, constants: Mapping[str, float], where: str) -> Covariance | None:
    if given is None:
        return None
    of = tuple(given["of"])
    rows = tuple(tuple(float(cell) for cell in row) for row in given["rows"])
    if len(rows) != len(of) or any(len(row) != len(of) for row in rows):
        raise CatalogueError(f"{where}: the covariance of {len(of)} coordinates needs as many rows and columns")
    unknown = [name for name in of if name.removeprefix("ln ") not in constants]
    if unknown:
        raise CatalogueError(f"{where}: the covariance names {unknown[0]!r}{did_you_mean(unknown[0], constants)}")
    return Covariance(of, rows, given.get("how", ""))


def _check_keys(entry: Mapping[str, Any], known: tuple[str, ...], needed: tuple[str, ...], where: str) -> None:
    for key in entry:
        if key not in known:
            raise CatalogueError(f"{where}: unknown key {key!r}{did_you_mean(key, known)}")
    missing = [key for key in needed if key not in entry]
    if missing:
        raise CatalogueError(f"{where}: {', '.join(missing)} must be given")
