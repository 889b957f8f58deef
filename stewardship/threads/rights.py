"""The rights of this slice."""

from enum import StrEnum


class ThreadRight(StrEnum):
    """Reading a discussion, and taking part in it (which includes marking it as settled)."""

    VIEW = "threads:thread:view"
    COMMENT = "threads:thread:comment"
