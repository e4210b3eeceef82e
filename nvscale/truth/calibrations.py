"""Calibrations: efficiency constants of one's own in a file, which any estimate can use in place of the shipped ones."""

import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nvscale.errors import InvalidInput, did_you_mean
from nvscale.truth.constants import Constant, Constants, shipped_constants
from nvscale.units import parse_unit

NEEDED = ("kind", "class", "chip", "constant", "value", "unit")
OPTIONAL = ("path", "standard_error", "rows", "data_set", "scheme", "held_out_mape")


def read_calibration(path: "str | Path") -> dict[str, Constants]:
    """Return the shipped constants with those of a calibration file in their place, by kind of work.

    Parameters
    ----------
    path : str or Path
        A TOML file with tables [[constant]] (kind, class, path, chip, constant, value, unit ...).

    Raises
    ------
    InvalidInput
        The file cannot be read, or an entry lacks something; the message names it.
    """
    file = Path(path)
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidInput(f"{file}: cannot be read: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"{file}: is no TOML file: {problem}") from None
    entries = tables.get("constant")
    if not isinstance(entries, list) or not entries:
        raise InvalidInput(f"{file}: holds no [[constant]]; `nvscale calibrate` writes such files")
    by_kind: dict[str, list[Constant]] = {}
    for number, entry in enumerate(entries, start=1):
        one = _constant(entry, f"{file}: constant {number}")
        by_kind.setdefault(one.kind, []).append(one)
    return {kind: _shipped(kind, file).with_rows(rows) for kind, rows in by_kind.items()}


def _shipped(kind: str, file: Path) -> Constants:
    try:
        return shipped_constants(kind)
    except FileNotFoundError:
        raise InvalidInput(f"{file}: there are no constants of kind {kind!r}") from None


def _constant(entry: Any, where: str) -> Constant:
    if not isinstance(entry, dict):
        raise InvalidInput(f"{where}: is no table")
    for name in entry:
        if name not in (*NEEDED, *OPTIONAL):
            raise InvalidInput(f"{where}: there is no field {name!r}{did_you_mean(name, (*NEEDED, *OPTIONAL))}")
    missing = [name for name in NEEDED if name not in entry]
    if missing:
        raise InvalidInput(f"{where}: {', '.join(missing)} must be given")
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0.0:
        raise InvalidInput(f"{where}: value {value!r} must be a number from 0 on")
    parse_unit(str(entry["unit"]))
    return Constant(
        kind=str(entry["kind"]),
        class_=str(entry["class"]),
        path=str(entry.get("path", "")),
        chip=str(entry["chip"]),
        name=str(entry["constant"]),
        value=float(value),
        standard_error=float(entry.get("standard_error", math.nan)),
        unit=str(entry["unit"]),
        rows=float(entry.get("rows", math.nan)),
        data_set=str(entry.get("data_set", "calibration of the user")),
        scheme=str(entry.get("scheme", "")),
        held_out_mape=float(entry.get("held_out_mape", math.nan)),
    )


def write_calibration(path: "str | Path", constants: Iterable[Constant], comments: Iterable[str] = ()) -> None:
    """Write constants as a calibration file."""
    lines = [f"# {comment}" for comment in comments]
    for one in constants:
        lines += ["", "[[constant]]"]
        for name, value in zip(("kind", "class", "path", "chip", "constant"), one[:5], strict=True):
            lines.append(f"{name} = {_text(str(value))}")
        lines.append(f"value = {one.value!r}")
        for name in OPTIONAL[1:]:
            found = getattr(one, name)
            if isinstance(found, str):
                lines.append(f"{name} = {_text(found)}")
            elif math.isfinite(found):
                lines.append(f"{name} = {float(found)!r}")
        lines.append(f"unit = {_text(one.unit)}")
    Path(path).write_text("\n".join(lines).lstrip("\n") + "\n", encoding="utf-8")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def as_calibration(calibration: "Mapping[str, Constants] | str | Path | None") -> Mapping[str, Constants] | None:
    """Return constants by kind of work, read from a file where a file is named."""
    return read_calibration(calibration) if isinstance(calibration, str | Path) else calibration
