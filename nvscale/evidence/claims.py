"""`claims`: statements as objects, each with its source, its computation, and the verdict that the figures lead to."""

import functools
import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from nvscale.catalogue import default
from nvscale.errors import InvalidInput, UnknownName, did_you_mean, unknown
from nvscale.evidence.checks import check, checks, run
from nvscale.evidence.findings import UNTESTABLE, VERDICTS, Finding, verdict
from nvscale.evidence.tables import histories, history

__all__ = ["VERDICTS", "Claim", "claims"]

_WORDS = ("title", "statement", "source", "at", "date", "kind", "decides", "check", "stands", "reason")
_NEEDED = ("title", "statement", "source", "check")


@dataclass(frozen=True)
class Claim:
    """A statement that can be computed.

    Parameters
    ----------
    id, title, statement : str
        Its number, its subject, and what is said, in our words.
    source, at, date, kind : str
        Document (by its name in the catalogue of sources, or as text), place in it, date, and how we know it: restated,
        vendor, measured, estimate.
    decides : str
        What would have to be found for it to hold.
    check : str
        Name of the computation.
    figures : mapping of str to any
        What the computation is given: the numbers that the claim states.
    data : tuple of str
        What the computation rests on.
    stands : str
        Level of the finding that stands for the claim; the first that decides where it is not given.
    reason : str
        Why it cannot be tested, where it cannot.

    Examples
    --------
    >>> claim = claims("T9")[0]
    >>> claim.verdict, claim.value < 5.0
    ('not supported', True)
    """

    id: str
    title: str
    statement: str
    source: str
    check: str
    at: str = ""
    date: str = ""
    kind: str = ""
    decides: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[str, ...] = ()
    stands: str = ""
    reason: str = ""

    @functools.cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What was computed, one number per level; computed when first asked for."""
        try:
            return tuple(run(self.check, self.figures))
        except TypeError as problem:
            raise InvalidInput(f"claim {self.id}: {self.check} does not take these figures: {problem}") from None

    @property
    def verdict(self) -> str:
        """supported, supported at level ... only, not supported, or not testable."""
        return verdict(self.findings)

    @property
    def headline(self) -> Finding:
        """The finding that stands for the claim: the one that it names, or else the first that decides."""
        if self.stands:
            named = {finding.level: finding for finding in self.findings}
            if self.stands not in named:
                raise unknown(f"finding of claim {self.id}", self.stands, named)
            return named[self.stands]
        return next((finding for finding in self.findings if finding.holds is not None), self.findings[0])

    @property
    def value(self) -> float:
        """Value of the headline finding."""
        return self.headline.value

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Interval of the headline finding; None where its method gives none."""
        return self.headline.low, self.headline.high

    @property
    def computation(self) -> str:
        """Where the computation stands, and what it is given."""
        function = check(self.check)
        given = ", ".join(f"{name}={value!r}" for name, value in self.figures.items())
        return f"{function.__module__}.{function.__name__}({given})"

    def rows(self) -> dict[str, tuple[dict[str, str], ...]]:
        """Return the tables of evidence that the claim rests on, by name."""
        return {name: history(name).rows for name in self.data if name in histories()}

    def to_dict(self) -> dict[str, Any]:
        """Return the claim with all it rests on as plain data."""
        low, high = self.interval
        return {
            "id": self.id,
            "title": self.title,
            "statement": self.statement,
            "source": {"document": self.source, "title": _document(self.source), "at": self.at, "date": self.date, "kind": self.kind},
            "decides": self.decides,
            "verdict": self.verdict,
            "reason": self.reason,
            "level": self.headline.level,
            "value": self.value if math.isfinite(self.value) else None,
            "low": low,
            "high": high,
            "unit": self.headline.unit,
            "computation": self.computation,
            "findings": [finding.to_dict() for finding in self.findings],
            "data": list(self.data),
        }

    def __str__(self) -> str:
        lines = [
            f"{self.id}  {self.title}: {self.verdict}",
            f"  {self.statement}",
            f"  said: {_document(self.source)}, {self.at}, {self.date}",
        ]
        lines += [f"  decided by: {self.decides}"] if self.decides else []
        lines += [f"  reason: {self.reason}"] if self.reason else []
        for finding in self.findings:
            lines += [f"  - {finding}", f"      {finding.method}"] if finding.method else [f"  - {finding}"]
        return "\n".join([*lines, f"  data: {', '.join(self.data)}", f"  computed by {self.computation}"])


def _document(source: str) -> str:
    """Title of a document of the catalogue; text of one's own as it is."""
    try:
        entry = default().entry("sources", source).table
    except (UnknownName, KeyError):
        return source
    return f"{entry.get('publisher', '')}: {entry.get('title', source)}".strip(": ")


def claims(*ids: str, file: "str | Path | None" = None) -> tuple[Claim, ...]:
    """Return claims: those of the talk, or those of a file of one's own besides.

    Parameters
    ----------
    ids : str
        Which; all without.
    file : str or Path, optional
        A TOML file with claims of one's own: `[ID]` with title, statement, source and check, and `[ID.figures]`.

    Returns
    -------
    tuple of Claim
        `verdict`, `value`, `interval`, `findings`, `computation`, `to_dict()`; nothing is computed until it is asked for.

    Raises
    ------
    UnknownName
        An id or a check that is not there.
    InvalidInput
        A file that is no TOML, or an entry that lacks something.

    Examples
    --------
    >>> [claim.id for claim in claims()][:3]
    ['T1', 'T2', 'T3']
    """
    known = {claim.id: claim for claim in _shipped()}
    if file is not None:
        known |= {claim.id: claim for claim in _of_file(Path(file), known)}
    by_lower = {name.lower(): name for name in known}
    for name in ids:
        if name.lower() not in by_lower:
            raise unknown("claim", name, known)
    return tuple(known[by_lower[name.lower()]] for name in ids) if ids else tuple(known.values())


@functools.cache
def _shipped() -> tuple[Claim, ...]:
    text = resources.files("nvscale.evidence").joinpath("data", "claims.toml").read_text(encoding="utf-8")
    return tuple(_claim(name, entry, "claims.toml") for name, entry in tomllib.loads(text).items())


def _of_file(path: Path, known: Mapping[str, Claim]) -> list[Claim]:
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise InvalidInput(f"{path}: {problem.strerror or problem}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise InvalidInput(f"{path}: no TOML file: {problem}") from None
    taken = [name for name in entries if name in known]
    if taken:
        raise InvalidInput(f"{path}: {taken[0]} is a claim of nvscale; choose another name")
    return [_claim(name, entry, str(path)) for name, entry in entries.items()]


def _claim(name: str, entry: Any, where: str) -> Claim:
    if not isinstance(entry, dict):
        raise InvalidInput(f"{where}: {name} is no table; write [{name}]")
    missing = [word for word in _NEEDED if word not in entry]
    if missing:
        raise InvalidInput(f"{where} [{name}]: {', '.join(missing)} missing")
    strange = [word for word in entry if word not in (*_WORDS, "figures", "data")]
    if strange:
        raise InvalidInput(f"{where} [{name}]: no field {strange[0]!r}{did_you_mean(strange[0], (*_WORDS, 'figures', 'data'))}")
    no_text = [word for word in _WORDS if not isinstance(entry.get(word, ""), str)]
    if no_text:
        raise InvalidInput(f"{where} [{name}]: {no_text[0]} = {entry[no_text[0]]!r} is no text")
    if entry["check"] not in checks():
        raise unknown("check of a claim", entry["check"], checks())
    figures, data = entry.get("figures", {}), entry.get("data", [])
    if not isinstance(figures, dict) or not isinstance(data, list):
        raise InvalidInput(f"{where} [{name}]: figures must be a table and data a list")
    words = {word: entry[word] for word in _WORDS if word in entry}
    made = {key: tuple(value) if isinstance(value, list) else value for key, value in figures.items()}
    return Claim(id=name, figures=made, data=tuple(str(one) for one in data), **words)


def unsettled(found: tuple[Claim, ...]) -> list[Claim]:
    """Return the claims that cannot be tested."""
    return [claim for claim in found if claim.verdict == UNTESTABLE]
