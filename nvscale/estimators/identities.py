"""`Identity`: a value that caches look up by identity, where hashing all its figures would take longer than the work."""

from typing import Any


class Identity:
    """A value as a key: equal to itself alone.

    Parameters
    ----------
    value : any
        What is looked up.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Identity) and self.value is other.value
