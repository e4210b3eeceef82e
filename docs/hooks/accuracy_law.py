"""The page of the law of the bare roofline: the measured rows that are faster, one by one."""

import html
from collections import Counter

import markup

from nvscale.truth.roofline_law import LIMIT, LawException, checked_kinds, exceptions

TITLE = "Law of the roofline"
COLUMNS = ("kind", "row", "measured / bare roofline", "reason")
LEFT_OUT = ("gpu", "seconds", "source", "licence", "notes")


def law_page() -> str:
    """Return the page: the law, how many rows break it, and every one of them with its reason."""
    found = exceptions()
    open_ones = sum(not one.explained for one in found)
    counted = Counter((one.kind, one.reason) for one in found)
    summary = [[kind, html.escape(reason), str(count)] for (kind, reason), count in counted.items()]
    return "\n\n".join([
        f"# {TITLE}",
        f"A measured time is at least {LIMIT:g} of the bare roofline: no kernel moves its bytes or does its operations faster than "
        "the sheet allows, up to a tenth for clocks above the sheet's. The law is checked on every bundled row of "
        f"{', '.join(checked_kinds())} whose weights or caches exceed the last-level cache by the sheet. {len(found)} rows break it; "
        f"{open_ones} of them without a known reason. `nvscale.truth.roofline_law.exceptions()` returns them.",
        "## By reason",
        markup.table(("kind", "reason", "rows"), summary),
        "A cache of 128 MB is one of 128 x 2^20 bytes. The shapes of these benchmarks are powers of two, so many are exactly as large, and "
        "run from the cache although they are 4.9 % above the figure on the sheet.",
        "The FP4 rows of B200 that have no reason take half of the time of GB200, and less than half of B300, for the same shapes in the "
        "same software; the two chips differ by a tenth.",
        "## Row by row",
        markup.table(COLUMNS, [_row(one) for one in found]),
    ])  # fmt: skip


def _row(one: LawException) -> list[str]:
    cells = [f"{one.row['gpu']}", *(f"{name} {value}" for name, value in one.row.items() if value and name not in LEFT_OUT)]
    return [one.kind, html.escape(", ".join(cells)), f"{one.ratio:.2f}", html.escape(one.reason)]
