"""Where a person holds a right: their grants and the region tree, read once per person object, judged by date each time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, Value
from django.utils import timezone

from config.portal.permission import SIGNED_IN, Reach
from stewardship.access import rights, scopes
from stewardship.regions import tree
from stewardship.regions.models import Region

_CACHE = "_access_held"
_rebuilds = 0


def rebuilt() -> None:
    """Grants were written: what was read before, in this process, is stale."""
    global _rebuilds
    _rebuilds += 1


@dataclass(frozen=True)
class _Held:
    """All of a person's grants and the tree, as of one reading. Dates are judged later, so nothing here expires by itself."""

    stamp: tuple[int, int]
    grants: dict[str, list[tuple[str, UUID, datetime, datetime | None]]]
    parents: dict[UUID, UUID | None]


def _read(user: Any, stamp: tuple[int, int]) -> _Held:
    first, *others = (
        model.objects.filter(user=user)
        .annotate(kind=Value(kind))
        .values_list("kind", "permission__codename", "content_object_id", "valid_from", "valid_until")
        for kind, model in scopes.registered().items()
    )
    grants: defaultdict[str, list[tuple[str, UUID, datetime, datetime | None]]] = defaultdict(list)
    for kind, right, scope, valid_from, valid_until in first.union(*others, all=True):
        grants[right].append((kind, scope, valid_from, valid_until))
    return _Held(stamp, dict(grants), Region.objects.parents() if grants else {})


def _held(user: Any) -> _Held:
    # On the person object, which lives as long as its request; the stamp makes it fresh after a write in this process.
    stamp = (_rebuilds, tree.changes())
    held: _Held | None = user.__dict__.get(_CACHE)
    if held is None or held.stamp != stamp:
        held = _read(user, stamp)
        user.__dict__[_CACHE] = held
    return held


def predicate(user: Any, right: str, at: datetime | None = None) -> Reach:
    """Where `user` holds `right` at `at` (now, when not given); two queries the first time, none after. Raises UnknownRight."""
    if right == SIGNED_IN:
        return Reach()  # gives no scope, only one's own rows
    rights.check(right)
    if user.is_system:
        return Reach(everywhere=True)
    held = _held(user)
    moment = at or timezone.now()
    found: dict[str, set[UUID]] = {kind: set() for kind in ("region", "family", "model")}
    for kind, scope, valid_from, valid_until in held.grants.get(right, ()):
        if valid_from <= moment and (valid_until is None or moment < valid_until):
            found[kind].add(scope)
    if any(held.parents.get(region, region) is None for region in found["region"]):
        return Reach(everywhere=True)
    return Reach(regions=tree.below(held.parents, found["region"]), families=frozenset(found["family"]), models=frozenset(found["model"]))


def tree_of(user: Any) -> dict[UUID, UUID | None]:
    """Every region's parent as read together with the person's grants, without another query; empty for who has no grants."""
    return _held(user).parents if not user.is_system else Region.objects.parents()


def needs_second_factor(user: Any) -> bool:
    """Whether this person may configure, appoint, or sign: then a password alone is not enough."""
    return any(predicate(user, right) for right in rights.all_rights() if rights.is_strong(right))


def outreaches(actor: Any, user: Any) -> bool:
    """Whether `actor` holds now, on the same scopes, every strong right that `user` was granted for now or later."""
    now = timezone.now()
    for grant in scopes.registered().values():
        granted: defaultdict[str, set[UUID]] = defaultdict(set)
        # The scope is declared by each concrete grant, so the abstract one does not know the column.
        fields: Any = ("permission__codename", "content_object_id")
        lasting = grant.objects.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=now), user=user)
        for right, scope in lasting.values_list(*fields):
            granted[right].add(scope)
        places: Any = scopes.noun(grant)._default_manager
        for right, wanted in granted.items():
            if rights.is_strong(right) and places.allowed(actor, right, now).filter(pk__in=wanted).count() < len(wanted):
                return False
    return True
