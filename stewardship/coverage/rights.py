"""The rights of this slice."""

from enum import StrEnum


class GapRight(StrEnum):
    """Seeing where nobody answers, and saying that a gap is closed."""

    VIEW = "coverage:gap:view"
    CLOSE = "coverage:gap:close"
