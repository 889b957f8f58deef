"""The rights of this slice."""

from enum import StrEnum


class NoticeRight(StrEnum):
    """A person always reads their own notices; the right is for those who supervise delivery."""

    VIEW = "notices:notice:view"
