"""The data files as they are written, read with tomllib alone."""

import functools
import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import Any, NamedTuple

FOLDER = resources.files("nvscale.catalogue").joinpath("data")


class Written(NamedTuple):
    """One figure as it stands in a file."""

    kind: str
    entry: str
    field: str
    figure: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.kind} [{self.entry}] {self.field}"


@functools.cache
def files() -> dict[str, dict[str, Any]]:
    """Return the parsed files by name."""
    found = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir() if path.name.endswith(".toml")}
    return {name: tomllib.loads(text) for name, text in sorted(found.items())}


def kind_of(file: str) -> str:
    """What a file holds: the word before the first hyphen of its name."""
    return file.removesuffix(".toml").partition("-")[0]


def entries(kind: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Return name and table of every entry of a kind, one twice if two files have it."""
    return [(name, table) for file, tables in files().items() if kind_of(file) == kind for name, table in tables.items()]


KINDS = ("chips", "networks", "systems", "models", "prices", "energy", "trends", "assumptions", "fleets", "emissions")


@functools.cache
def figures() -> tuple[Written, ...]:
    """Return every figure of every file; pointers to another entry (`entry = ...`) are not figures."""
    return tuple(found for kind in KINDS for name, table in entries(kind) for found in _below(kind, name, "", table.get("figures", {})))


def _below(kind: str, entry: str, path: str, table: Mapping[str, Any]) -> Iterator[Written]:
    for name, value in table.items():
        if kind == "models":
            yield Written(kind, entry, name, _with_shared(entry, value))
            continue
        here = f"{path}{name}"
        if "value" in value:
            yield Written(kind, entry, here, value)
        elif "entry" not in value:
            yield from _below(kind, entry, f"{here}.", value)


def _with_shared(entry: str, value: Any) -> Mapping[str, Any]:
    """A figure of a model with what the entry says for all of them."""
    table = dict(entries("models"))[entry]
    shared = {key: table[key] for key in ("source", "at", "date", "kind")}
    return {"unit": "1", **shared, **(value if isinstance(value, dict) else {"value": value})}
