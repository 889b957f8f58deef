"""The rights of this slice."""

from __future__ import annotations

from enum import StrEnum


class BlobRight(StrEnum):
    """Files are reached through what they belong to (`owners`); this right reaches every one of them."""

    VIEW = "documents:blob:view"


class JobRight(StrEnum):
    """Everybody sees the jobs they asked for; this right shows those of others."""

    VIEW = "documents:job:view"
