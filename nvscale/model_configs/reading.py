"""One configuration file of a model: each key read with a check, and errors that name key and file."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput, nearest

_ABSENT: Any = object()
_NESTED = ("text_config", "language_config", "llm_config", "thinker_config")


class Config:
    """Keys of a configuration, read one by one; what is missing or contradicts itself is an InvalidInput.

    Parameters
    ----------
    table : mapping
        The parsed file.
    where : str
        What errors name: the path of the file.
    """

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.where = where

    def has(self, key: str) -> bool:
        """Whether the key is there and not null."""
        return self.table.get(key) is not None

    def _find(self, keys: tuple[str, ...], default: Any) -> tuple[str, Any]:
        for key in keys:
            if self.has(key):
                return key, self.table[key]
        if default is not _ABSENT:
            return keys[0], default
        other = f" (or {', '.join(keys[1:])})" if keys[1:] else ""
        close = nearest(keys[0], self.table)
        hint = f"; there is {', '.join(map(repr, close))}" if close else ""
        raise InvalidInput(f"{self.where}: key {keys[0]!r}{other} is missing{hint}")

    def count(self, *keys: str, default: Any = _ABSENT, least: float = 0.0) -> float:
        """Return a whole number under the first of the keys that is there."""
        key, value = self._find(keys, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value != int(value):
            raise InvalidInput(f"{self.where}: {key} = {value!r} is not a whole number")
        if value < least:
            raise InvalidInput(f"{self.where}: {key} = {value!r} is out of range; wanted at least {least:g}")
        return float(value)

    def size(self, *keys: str, default: Any = _ABSENT) -> float:
        """Return a whole number of at least 1."""
        return self.count(*keys, default=default, least=1.0)

    def share(self, key: str, default: float) -> float:
        """Return a number between 0 and 1."""
        value = self._find((key,), default)[1]
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 1.0:
            raise InvalidInput(f"{self.where}: {key} = {value!r} is out of range; wanted a number from 0 to 1")
        return float(value)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self._find((key,), default)[1]
        if not isinstance(value, bool):
            raise InvalidInput(f"{self.where}: {key} = {value!r} is not true or false")
        return value

    def text(self, key: str, default: str = "") -> str:
        """Return text."""
        value = self._find((key,), default)[1]
        if not isinstance(value, str):
            raise InvalidInput(f"{self.where}: {key} = {value!r} is not text")
        return value

    def listed(self, key: str, length: float | None = None) -> list[Any]:
        """Return a list, empty where the key is not there; with a length where one is told."""
        value = self._find((key,), [])[1]
        if not isinstance(value, list):
            raise InvalidInput(f"{self.where}: {key} = {value!r} is not a list")
        if value and length is not None and len(value) != length:
            raise InvalidInput(f"{self.where}: {key} has {len(value)} items; wanted {length:g}, one a layer")
        return value

    def inner(self, key: str) -> "Config":
        """Return a nested table."""
        value = self._find((key,), _ABSENT)[1]
        if not isinstance(value, Mapping):
            raise InvalidInput(f"{self.where}: {key} = {value!r} is not a table")
        return Config(value, f"{self.where}: {key}")

    def language_part(self) -> "Config":
        """Return the part that describes the language model: this one, or the table nested in it."""
        for key in _NESTED:
            if isinstance(self.table.get(key), Mapping):
                inner = self.inner(key)
                above = {name: self.table[name] for name in ("tie_word_embeddings",) if self.has(name) and not inner.has(name)}
                return Config({**above, **inner.table}, inner.where)
        return self


def read_table(source: "str | Path | Mapping[str, Any]") -> tuple[Mapping[str, Any], str]:
    """Return the keys of a configuration, and what to call it in errors."""
    if isinstance(source, Mapping):
        return source, "configuration"
    path = Path(source)
    if path.is_dir():
        path = path / "config.json"
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except OSError:
        raise InvalidInput(f"{path}: there is no such file; name a local config.json") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"{path}: not a JSON file: {problem}") from None
    if not isinstance(table, dict):
        raise InvalidInput(f"{path}: the file holds a {type(table).__name__}; wanted a table of keys")
    return table, str(path)
