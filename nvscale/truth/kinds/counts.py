"""Groups of rows whose numbers all count something: one row below 1 must not spoil the others."""

import math
from collections.abc import Callable

from nvscale.errors import InvalidInput, MissingFigure, UnknownName
from nvscale.truth.kinds.base import Answer, Group


def for_countable_rows(group: Group, estimate: Callable[[Group], Answer]) -> Answer:
    """Return the answer for the rows whose numbers are all 1 or above, and why there is none for the others."""
    import numpy as np

    sizes = np.stack(list(group.numbers.values()))
    good = (sizes >= 1.0).all(axis=0)
    low = "" if good.all() else f"{', '.join(name for name, values in group.numbers.items() if (values < 1.0).any())} must be 1 or above"
    if not good.any():
        return Answer(reason=low)
    try:
        answer = estimate(Group(group.words, {name: values[good] for name, values in group.numbers.items()}))
    except (UnknownName, MissingFigure, InvalidInput) as problem:
        return Answer(reason=str(problem))
    parts = {}
    for part in ("value", "low", "high"):
        parts[part] = np.full(sizes.shape[1], math.nan)
        given = getattr(answer, part)
        if given is not None:
            parts[part][good] = given
    return Answer(**parts, reason=answer.reason or low)
