"""Findings: one number each, with its interval and whether it reaches what a claim says; and the verdict on all of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nvscale.units import readable

SUPPORTED, PARTLY, UNSUPPORTED, UNTESTABLE = "supported", "supported at level", "not supported", "not testable"
VERDICTS = (SUPPORTED, PARTLY, UNSUPPORTED, UNTESTABLE)


@dataclass(frozen=True, slots=True)
class Finding:
    """One number that a claim is held against.

    Parameters
    ----------
    level : str
        What was looked at: chip, rack, site, one step of a ladder ...
    value : float
        What was found.
    unit : str
        Its unit.
    low, high : float or None
        Its interval, where the method gives one.
    at_least, at_most : float or None
        What the claim needs; without either the finding is for information and decides nothing.
    method : str
        How it was found, and what a reader must know.
    """

    level: str
    value: float
    unit: str = "1"
    low: float | None = None
    high: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    method: str = ""

    @property
    def holds(self) -> bool | None:
        """Whether the number reaches what the claim needs; None where it decides nothing."""
        if self.at_least is None and self.at_most is None:
            return None
        return self._reaches(self.value)

    @property
    def is_firm(self) -> bool:
        """Whether the whole interval lies on the same side as the number."""
        ends = [end for end in (self.low, self.high) if end is not None]
        return self.holds is None or all(self._reaches(end) == self.holds for end in ends)

    def _reaches(self, value: float) -> bool:
        over = self.at_least is None or value >= self.at_least
        return over and (self.at_most is None or value <= self.at_most)

    def interval(self) -> str:
        """Return the number with its interval, for people."""
        text = readable(self.value, self.unit)
        return (
            text
            if self.low is None or self.high is None
            else f"{text} ({readable(self.low, self.unit)} to {readable(self.high, self.unit)})"
        )

    def needs(self) -> str:
        """Return what the claim needs, for people."""
        least = "" if self.at_least is None else f"at least {self.at_least:g}"
        most = "" if self.at_most is None else f"at most {self.at_most:g}"
        return " and ".join(part for part in (least, most) if part)

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as plain data."""
        plain: dict[str, Any] = {name: getattr(self, name) for name in self.__slots__}
        finite = {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in plain.items()}
        return finite | {"holds": self.holds, "is_firm": self.is_firm}

    def __str__(self) -> str:
        word = {True: "holds", False: "does not hold", None: "for information"}[self.holds]
        weak = "" if self.is_firm else ", though its interval reaches over"
        needed = f", needs {self.needs()}" if self.needs() else ""
        return f"{self.level}: {self.interval()}{needed}: {word}{weak}"


def verdict(findings: Sequence[Finding]) -> str:
    """Return the verdict that findings lead to: all, some or none of those that decide hold; without any, not testable.

    >>> verdict([Finding("chip", 1.9, at_least=2.0), Finding("rack", 2.3, at_least=2.0)])
    'supported at level rack only'
    >>> verdict([Finding("chip", 1.9)])
    'not testable'
    """
    deciding = [finding for finding in findings if finding.holds is not None]
    holding = [finding.level for finding in deciding if finding.holds]
    if not deciding:
        return UNTESTABLE
    if len(holding) == len(deciding):
        return SUPPORTED
    return f"{PARTLY} {'; '.join(holding)} only" if holding else UNSUPPORTED
