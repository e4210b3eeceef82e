"""Typed errors: each names the field, what was given, what is allowed, and what to write instead.

```
NvscaleError
├── InvalidInput (ValueError)        a value that cannot be used
│   ├── WrongUnit                    a figure in a unit of another dimension
│   ├── NoFeasiblePlan               no layout of a run can be, or none fits the memory
│   ├── BeyondRange                  a law was asked outside the range of its runs, and told to refuse
│   └── CatalogueError               a data file that breaks the rules: file, entry, field
├── UnknownName (LookupError)        no chip, network, system, source, field ... of that name
├── MissingFigure (LookupError)      the figure exists as a field, but nobody published it
│   └── MissingPrecision             the chip has no rate for this number format
└── MissingDependency (ImportError)  an optional library is not installed
NvscaleWarning (UserWarning)
├── ExtrapolationWarning             a law was asked outside the range of its runs
└── UnverifiedWarning                a constant was never read in a source
```
"""

import difflib
from collections.abc import Iterable


class NvscaleError(Exception):
    """Root of all errors raised on purpose by nvscale."""


class InvalidInput(NvscaleError, ValueError):
    """A value was given that cannot be used; the message names field, value and range."""


class WrongUnit(InvalidInput):
    """A figure came in a unit of another dimension, or in text that is not a unit."""


class NoFeasiblePlan(InvalidInput):
    """No layout of a run can be, or none fits the memory; the message says what is missing."""


class BeyondRange(InvalidInput):
    """A law was asked outside the range of the runs that it was fitted to, with extrapolation refused."""


class CatalogueError(InvalidInput):
    """A data file breaks the rules; the message names file, entry and field."""


class UnknownName(NvscaleError, LookupError):
    """Nothing of that name exists; the message lists the nearest names."""


class MissingFigure(NvscaleError, LookupError):
    """The figure is a field of the thing, but no value of it is known."""


class MissingPrecision(MissingFigure):
    """The chip has no rate that serves this number format; the message lists those it has."""


class MissingDependency(NvscaleError, ImportError):
    """An optional library is needed; the message says what to install."""


class NvscaleWarning(UserWarning):
    """Root of all warnings of nvscale."""


class ExtrapolationWarning(NvscaleWarning):
    """A law was asked outside the range of the runs that it was fitted to."""


class UnverifiedWarning(NvscaleWarning):
    """A constant was used that was never read in a source."""


LONGEST = 60
"""Characters of a thing that an error shows."""


def nearest(name: str, known: Iterable[str], most: int = 3) -> list[str]:
    """Return the known names closest to `name`, best first.

    >>> nearest("memory_bandwith", ["memory", "memory_bandwidth", "power"])
    ['memory_bandwidth']
    """
    table = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), table, n=most, cutoff=0.6)
    starts = [key for key in table if key.startswith(name.lower()) or name.lower() in key]
    return [table[key] for key in dict.fromkeys([*close, *starts])][:most]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return '; did you mean ...?' with the nearest names, or a list of some that exist.

    >>> did_you_mean("h10", ["h100-sxm", "h200-sxm"])
    "; did you mean 'h100-sxm'?"
    """
    names = list(known)
    close = nearest(name, names)
    if close:
        return "; did you mean " + " or ".join(repr(c) for c in close) + "?"
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f"; there are: {shown}" if names else ""


def unknown(kind: str, name: object, known: Iterable[str]) -> UnknownName:
    """Build the error for a name that does not exist.

    >>> raise unknown("chip", "h10", ["h100-sxm"])
    Traceback (most recent call last):
    nvscale.errors.UnknownName: no chip 'h10'; did you mean 'h100-sxm'?
    """
    shown = repr(getattr(name, "name", name))[:LONGEST]
    return UnknownName(f"no {kind} {shown}{did_you_mean(str(name), known)}")
