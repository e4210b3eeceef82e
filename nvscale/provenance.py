"""Where a figure comes from: the value as printed, the document, the place in it, the date, the kind."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["vendor", "restated", "measured", "derived", "estimate", "given"]


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of one figure.

    Parameters
    ----------
    printed : str
        Value and unit as printed in the document.
    document : str
        Identifier of the document in the catalogue's list of sources.
    title : str
        Title of the document, with publisher.
    place : str
        Table, page, row or column in it.
    date : str
        Date of the statement.
    kind : str
        vendor (the vendor's own document), restated (a vendor's figure in somebody else's document),
        measured, derived, estimate, or given (by the caller).
    low, high : float or None
        Range where sources disagree or the figure is uncertain, in SI.
    note : str
        Conflict, caveat or arithmetic.
    flags : tuple of str
        What the printed value counts, e.g. "sparse", "both ways", "per die", "basis: list".
    """

    printed: str
    document: str
    title: str = ""
    place: str = ""
    date: str = ""
    kind: Kind = "vendor"
    low: float | None = None
    high: float | None = None
    note: str = ""
    flags: tuple[str, ...] = ()

    def __str__(self) -> str:
        if not self.printed:
            return self.title + (f" -- {self.note}" if self.note else "")
        head = f"{self.printed}" + (f" ({', '.join(self.flags)})" if self.flags else "")
        where = ", ".join(part for part in (self.title or self.document, self.place) if part)
        tail = "; ".join(part for part in (self.date, self.kind) if part)
        return f"{head} <- {where} [{tail}]" + (f" -- {self.note}" if self.note else "")

    @property
    def basis(self) -> str:
        """The price basis, e.g. 'list' or 'build cost'; empty for other figures."""
        return next((flag.removeprefix("basis: ") for flag in self.flags if flag.startswith("basis: ")), "")


GIVEN = Source(printed="", document="caller", title="given by the caller", kind="given")
DEFAULT = Source(printed="", document="nvscale", title="default of nvscale, as nothing was given", kind="estimate")
