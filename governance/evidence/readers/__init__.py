"""What can be read in a file, one module per format, all of the same shape: `read(data) -> Reading`, raises Unreadable.

A reader gets bytes from outside: it is pure, bounded in size, and keeps only what rules can use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


class Unreadable(ValueError):
    """Why the file cannot be read, in words for the person who sent it."""


@dataclass(frozen=True)
class Reading:
    """What was found, and the bytes to keep where they are fewer than what was sent."""

    readings: dict[str, Any]
    kept: bytes | None = field(default=None, repr=False)


Reader = Callable[[bytes], Reading]
_readers: dict[str, Reader] = {}


def register(kind: str, reader: Reader) -> None:
    """Evidence of this kind is read by this reader from now on."""
    _readers[kind] = reader


def find(kind: str) -> Reader | None:
    """The reader of a kind; kinds without one are kept as they are."""
    return _readers.get(kind)


def kinds() -> list[str]:
    """Kinds that are read."""
    return sorted(_readers)
