"""One figure of a data file -> a number in SI and its source.

A figure is stored as printed: `{value = 3.35, unit = "TB/s", source = "...", at = "...", date = "...",
kind = "vendor"}`. Sparse rates, sums of both directions and figures per die are brought to dense,
one way and per package here, and nowhere else.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from nvscale.errors import CatalogueError, InvalidInput, did_you_mean
from nvscale.provenance import Source
from nvscale.units import Unit, convert, split_text

KEYS = ("value", "unit", "source", "at", "date", "kind", "low", "high", "note")
FLAGS = ("sparsity", "sparsity_factor", "direction", "per", "basis")
KINDS = ("vendor", "restated", "measured", "derived", "estimate", "given")
DATE = "date"


def read_figure(entry: Any, unit: Unit, where: str, titles: Mapping[str, str], dies: float | None = None) -> tuple[float, Source]:
    """Return a figure in SI, dense, one way and per package, with its source.

    Parameters
    ----------
    entry : mapping or text
        The figure as in the file; plain text such as "3.35 TB/s" is allowed in users' files.
    unit : Unit
        What the field is measured in.
    where : str
        File, entry and field, for error messages.
    titles : mapping of str to str
        Titles of the known documents by identifier.
    dies : float, optional
        Dies in the package, for figures printed per die.
    """
    if isinstance(entry, str):
        entry = _from_text(entry, where)
    if not isinstance(entry, Mapping):
        raise CatalogueError(
            f'{where}: {entry!r} is no figure; write {{value = ..., unit = "...", source = "..."}} or text like \'1 {unit.text}\''
        )
    for key in entry:
        if key not in KEYS and key not in FLAGS:
            raise CatalogueError(f"{where}: unknown key {key!r}{did_you_mean(key, [*KEYS, *FLAGS])}")
    for key in ("value", "unit"):
        if key not in entry:
            raise CatalogueError(f"{where}: {key} is missing")
    scale = _scale(entry, where, dies)
    values = {key: _number(entry[key], entry["unit"], unit, where, scale) for key in ("value", "low", "high") if key in entry}
    low, high = values.get("low"), values.get("high")
    if (low is not None and low > values["value"]) or (high is not None and high < values["value"]):
        raise CatalogueError(
            f"{where}: value {entry['value']!r} lies outside its range low = {entry.get('low')!r}, high = {entry.get('high')!r}"
        )
    return values["value"], _source(entry, titles, low, high)


def _from_text(text: str, where: str) -> dict[str, Any]:
    try:
        number, unit = split_text(text)
    except InvalidInput as problem:
        raise CatalogueError(f"{where}: {problem}") from None
    return {"value": float(number), "unit": unit or "1", "source": "given in the file", "kind": "given"}


def _scale(entry: Mapping[str, Any], where: str, dies: float | None) -> float:
    """What the printed value is divided by to become dense, one way and per package."""
    scale = 1.0
    if _choice(entry, "sparsity", ("dense", "sparse"), where) == "sparse":
        if "sparsity_factor" not in entry:
            raise CatalogueError(f"{where}: a sparse rate needs sparsity_factor (how many times the dense rate it is)")
        factor = entry["sparsity_factor"]
        if not isinstance(factor, int | float) or not factor > 0:
            raise CatalogueError(f"{where}: sparsity_factor {factor!r} is out of range; wanted a number above zero")
        scale *= factor
    if _choice(entry, "direction", ("one way", "both ways"), where) == "both ways":
        scale *= 2.0
    if _choice(entry, "per", ("package", "die"), where) == "die":
        if dies is None:
            raise CatalogueError(f"{where}: per = 'die' needs the figure dies (how many a package holds)")
        scale /= dies
    _choice(entry, "kind", KINDS, where)
    return scale


def _choice(entry: Mapping[str, Any], key: str, allowed: tuple[str, ...], where: str) -> Any:
    value = entry.get(key, allowed[0])
    if value not in allowed:
        raise CatalogueError(f"{where}: {key} = {value!r}; allowed are {', '.join(map(repr, allowed))}")
    return value


def _number(value: Any, given: str, unit: Unit, where: str, scale: float) -> float:
    if given == DATE and unit.range == "year":
        return calendar_year(value, where)
    if given == DATE or unit.range == "year":
        raise CatalogueError(f"{where}: unit {given!r} does not fit; wanted {DATE if unit.range == 'year' else unit.text!r}")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise CatalogueError(f"{where}: value {value!r} is not a number")
    try:
        return float(unit.si(convert(value, given, unit.text) / scale, where))
    except InvalidInput as problem:
        raise CatalogueError(f"{where}: {problem}" if not str(problem).startswith(where) else str(problem)) from None


def calendar_year(value: Any, where: str = "date") -> float:
    """Return a date as a decimal calendar year, in the middle of the interval that it names.

    >>> calendar_year("2022"), round(calendar_year("2022-10"), 3), round(calendar_year("2016-04-06"), 3), calendar_year(2022.8)
    (2022.5, 2022.792, 2016.264, 2022.8)
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and 1900.0 < value < 2200.0:
        return value + 0.5 if isinstance(value, int) else value
    parts = str(value).split("-")
    try:
        if len(parts) > 3 or not 1900 <= int(parts[0]) < 2200:
            raise ValueError
        year, month, day = int(parts[0]), int(parts[1]) if len(parts) > 1 else 1, int(parts[2]) if len(parts) > 2 else 1
        date = datetime.date(year, month, day)
    except ValueError:
        raise CatalogueError(f'{where}: {value!r} is not a date; write "2022", "2022-10", "2022-10-31" or a decimal year') from None
    if len(parts) == 1:
        return year + 0.5
    return year + (month - 0.5) / 12.0 if len(parts) == 2 else year + (date.timetuple().tm_yday - 0.5) / 365.25


def _as_printed(value: Any) -> str:
    """The digits of a value; long whole numbers with an exponent."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def _source(entry: Mapping[str, Any], titles: Mapping[str, str], low: float | None, high: float | None) -> Source:
    flags = [str(entry[key]) for key in ("sparsity", "direction") if key in entry]
    flags += [f"per {entry['per']}"] if "per" in entry else []
    flags += [f"basis: {entry['basis']}"] if "basis" in entry else []
    unit = "" if entry["unit"] in (DATE, "1") else f" {entry['unit']}"
    document = str(entry.get("source", "given in the file"))
    return Source(
        printed=f"{_as_printed(entry['value'])}{unit}",
        document=document,
        title=titles.get(document, document),
        place=str(entry.get("at", "")),
        date=str(entry.get("date", "")),
        kind=entry.get("kind", "given"),
        low=low,
        high=high,
        note=str(entry.get("note", "")),
        flags=tuple(flags),
    )
