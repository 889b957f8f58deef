"""Writes the grants that role assignments amount to, and compares the two."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from stewardship.access import reach, rights, scopes
from stewardship.access.models import Grant
from stewardship.people.models import User


@dataclass(frozen=True)
class Spec:
    """One grant that should exist."""

    user: UUID
    right: str
    kind: str
    scope: UUID
    valid_from: datetime
    valid_until: datetime | None
    source: UUID


@dataclass(frozen=True)
class Difference:
    """A grant that is missing, or one that is there without an assignment behind it."""

    missing: bool
    spec: Spec


Source = Callable[[frozenset[UUID] | None], Iterable[Spec]]
_sources: list[Source] = []


def register_source(source: Source) -> None:
    """Who knows what should be granted to these people (None: to everybody). stewardship.roles registers itself."""
    if source not in _sources:
        _sources.append(source)


def _wanted(users: frozenset[UUID] | None) -> set[Spec]:
    return {spec for source in _sources for spec in source(users) if rights.is_defined(spec.right)}


def _existing(users: frozenset[UUID] | None) -> dict[Spec, list[Any]]:
    found: defaultdict[Spec, list[Any]] = defaultdict(list)
    for kind, model in scopes.registered().items():
        rows = model.objects.all() if users is None else model.objects.filter(user_id__in=users)
        # The scope is declared by each concrete grant, so the abstract one does not know the column.
        fields: Any = ("user_id", "permission__codename", "content_object_id", "valid_from", "valid_until", "source", "pk")
        for user, right, scope, valid_from, valid_until, source, pk in rows.values_list(*fields):
            found[Spec(user, right, kind, scope, valid_from, valid_until, source)].append(pk)
    return found


def _rebuild(users: frozenset[UUID] | None) -> None:
    with transaction.atomic():
        # Two rebuilds of one person at once would each add what the other adds; the person's row makes them queue.
        people = User.objects.select_for_update().order_by("pk")
        list((people if users is None else people.filter(pk__in=users)).values_list("pk", flat=True))
        wanted, existing = _wanted(users), _existing(users)
        superfluous: defaultdict[str, list[Any]] = defaultdict(list)
        for spec, keys in existing.items():
            superfluous[spec.kind].extend(keys[1:] if spec in wanted else keys)
        missing: defaultdict[str, list[Spec]] = defaultdict(list)
        for spec in wanted - existing.keys():
            missing[spec.kind].append(spec)
        for kind, model in scopes.registered().items():
            if superfluous[kind]:
                model.objects.filter(pk__in=superfluous[kind]).delete()
            if missing[kind]:
                _insert(model, missing[kind])
    reach.rebuilt()


def _insert(model: type[Grant], specs: list[Spec]) -> None:
    permissions = permission_ids(model)
    make: Any = model
    model.objects.bulk_create(
        [
            make(
                user_id=spec.user,
                permission_id=permissions[spec.right],
                content_object_id=spec.scope,
                valid_from=spec.valid_from,
                valid_until=spec.valid_until,
                source=spec.source,
            )
            for spec in specs
        ],
        batch_size=500,
    )


def permission_ids(model: type[Grant]) -> dict[str, int]:
    """The Permission row of each right on the scope of this grant model."""
    content_type = ContentType.objects.get_for_model(scopes.noun(model))
    return dict(Permission.objects.filter(content_type=content_type).values_list("codename", "pk"))


def rebuild_for(users: Iterable[User | UUID]) -> None:
    """Make the grants of these people what their roles say."""
    ids = frozenset(user.pk if isinstance(user, User) else user for user in users)
    if ids:
        _rebuild(ids)


def rebuild_all() -> None:
    """Make everybody's grants what their roles say."""
    _rebuild(None)


def check() -> list[Difference]:
    """What `rebuild_all` would change; empty when grants and roles agree."""
    wanted, existing = _wanted(None), Counter({spec: len(keys) for spec, keys in _existing(None).items()})
    missing = [Difference(True, spec) for spec in wanted if spec not in existing]
    extra = [Difference(False, spec) for spec, number in existing.items() for _copy in range(number - (1 if spec in wanted else 0))]
    return sorted(missing + extra, key=lambda difference: (str(difference.spec.user), difference.spec.right, difference.missing))


def ensure_permissions() -> None:
    """One Permission row for each right on each scope; rows of rights that are gone go, with their grants."""
    ContentType.objects.clear_cache()  # a flush has given the content types new ids
    defined = rights.all_rights()
    for model in scopes.registered().values():
        content_type = ContentType.objects.get_for_model(scopes.noun(model))
        known = permission_ids(model)
        Permission.objects.bulk_create(
            Permission(content_type=content_type, codename=right, name=right) for right in defined if right not in known
        )
        Permission.objects.filter(pk__in=[pk for right, pk in known.items() if ":" in right and right not in defined]).delete()
