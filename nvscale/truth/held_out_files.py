"""Files of constants that were fitted without a fold or a chip."""

import csv
import gzip
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from nvscale.truth.folds import COLUMNS


def write_held_out(path: Path, lines: Iterable[Sequence[object]]) -> None:
    """Write constants with what took no part in their fit; the same constants make the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(lines)
    path.write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))
