"""Who may read a file: whoever may see something that it belongs to. Higher slices say what that is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stewardship.documents.models import Blob
from stewardship.documents.rights import BlobRight

Owner = Callable[[Any, Blob], bool]
_owners: dict[str, Owner] = {}


def register(kind: str, may_read: Owner) -> None:
    """`may_read(user, blob)` answers whether this person sees an object of this kind that holds the blob."""
    _owners[kind] = may_read


def may_read(user: Any, blob: Blob) -> bool:
    """Whether this person may read these bytes."""
    if Blob.objects.allowed(user, BlobRight.VIEW).filter(pk=blob.pk).exists():
        return True
    return any(owner(user, blob) for owner in _owners.values())
