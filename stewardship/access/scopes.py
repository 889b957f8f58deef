"""What grants can hang on. Slices to the right register their scopes, so access need not know their nouns."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from stewardship.access.models import Grant, RegionGrant

_grants: dict[str, type[Grant]] = {"region": RegionGrant}


def register(kind: str, grant: type[Grant]) -> None:
    """Make a scope known: `kind` is "family" or "model", the names that Reach has."""
    if kind not in ("family", "model"):
        raise ValueError(f"{kind!r} is no scope that a reach has.")
    _grants[kind] = grant


def registered() -> dict[str, type[Grant]]:
    """The permission model of each kind of scope."""
    return dict(_grants)


def noun(grant: type[Grant]) -> type[Model]:
    """What grants of this kind hang on."""
    declared: Any = grant
    found: type[Model] = declared.content_object.field.related_model
    return found
