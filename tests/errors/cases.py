"""What a case of the tables of bad input is."""

from collections.abc import Callable
from typing import Any, NamedTuple

import nvscale as nv


class Case(NamedTuple):
    """Bad input, the error it must give, and what the message must name: the field, what was given, what is allowed."""

    id: str
    call: Callable[[], Any]
    error: type[nv.NvscaleError]
    says: tuple[str, ...]
