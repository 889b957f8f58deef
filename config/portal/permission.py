"""Where every floor asks for permission; `stewardship.access` installs the answer.

The portal knows no domain, so it holds the question only. Until an answer is installed, the answer is no.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from django.db import models
from django.db.models import Q

if TYPE_CHECKING:
    _Base = models.QuerySet[Any]
else:
    _Base = models.QuerySet


@dataclass(frozen=True)
class Reach:
    """Where a person holds one right at one instant, as id sets; `everywhere` means from the root of the tree."""

    everywhere: bool = False
    regions: frozenset[UUID] = frozenset()
    families: frozenset[UUID] = frozenset()
    models: frozenset[UUID] = frozenset()

    def __bool__(self) -> bool:
        return self.everywhere or bool(self.regions or self.families or self.models)


@dataclass(frozen=True)
class Paths:
    """How rows of one model lead to the scopes that grants hang on; each entry is an ORM lookup ending in an id.

    `unscoped` rows (roles, frameworks, metrics) belong to no region: seeing them needs the right anywhere,
    changing them needs it at the root.
    """

    region: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    model: tuple[str, ...] = ()
    person: tuple[str, ...] = ()  # rows that a person always reaches because they are their own
    unscoped: bool = False
    extra: Q | None = field(default=None, compare=False)

    def q(self, reach: Reach, user: Any, right: str) -> Q:
        """The filter for one reach. An empty reach matches nothing."""
        own = Q(pk__in=[])
        for lookup in self.person:
            own |= Q(**{lookup: user.pk})
        if reach.everywhere:
            return Q()
        if self.unscoped:
            return Q() if (reach and right.endswith(":view")) else own
        found = own
        for lookups, ids in ((self.region, reach.regions), (self.family, reach.families), (self.model, reach.models)):
            if ids:
                for lookup in lookups:
                    found |= Q(**{f"{lookup}__in": list(ids)})
        return found


Predicate = Callable[[Any, str, datetime | None], Reach]


def _nobody(user: Any, right: str, at: datetime | None) -> Reach:
    return Reach()


_predicate: Predicate = _nobody


def install(predicate: Predicate) -> None:
    """Called once, by stewardship.access when the apps are ready."""
    global _predicate
    _predicate = predicate


def reach(user: Any, right: str, at: datetime | None = None) -> Reach:
    """Where this person holds this right at this instant (now, when not given)."""
    if user is None or not getattr(user, "is_active", False) or not getattr(user, "is_authenticated", False):
        return Reach()
    return _predicate(user, str(right), at)


class Restricted(_Base):
    """A queryset that knows how to show a person only what they may see."""

    def allowed(self, user: Any, right: str, at: datetime | None = None) -> Self:
        """Only the rows on which this person holds this right. The one way rows are found for a person."""
        paths: Paths | None = getattr(self.model, "access_paths", None)
        if paths is None:
            raise LookupError(f"{self.model.__name__} has no access_paths, so nobody can be allowed to see it.")
        if user is None or not getattr(user, "is_active", False) or not getattr(user, "is_authenticated", False):
            return self.none()
        return self.filter(paths.q(reach(user, right, at), user, str(right)))


def permits(user: Any, right: str, obj: Any, at: datetime | None = None) -> bool:
    """Whether this person holds this right on this row; on None: at the root; on a class: anywhere at all."""
    if obj is None:
        return reach(user, right, at).everywhere
    if isinstance(obj, type):
        return bool(reach(user, right, at))
    if obj._state.adding:
        raise LookupError("An unsaved row has no place yet; ask about the region, family or model it will belong to.")
    return bool(type(obj)._default_manager.allowed(user, right, at).filter(pk=obj.pk).exists())


SIGNED_IN = "portal:session:view"
"""The right that everybody holds who is signed in; only for pages that show nothing but one's own."""


def holds(user: Any, right: str) -> bool:
    """Whether this person holds the right anywhere at all: may a page, a command or a link be offered?"""
    if right == SIGNED_IN:
        return bool(user is not None and getattr(user, "is_active", False) and getattr(user, "is_authenticated", False))
    return bool(reach(user, right))
