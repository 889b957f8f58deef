"""Receiving one body: parsed, placed, stored once, and answerable. Nothing of a wrong body is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from config.portal.errors import Forbidden
from config.portal.permission import holds
from monitoring.signals import adapters, store
from monitoring.signals.errors import BodyRefused, ItemError, UnknownSource
from monitoring.signals.models import Batch, Quarantined, Series, Source, Verdict, Window
from monitoring.signals.neutral import Kind, Neutral
from monitoring.signals.place import Map, Place, Unplaced
from monitoring.signals.rights import SignalRight
from stewardship.journal.acting import acting, moment

if TYPE_CHECKING:
    from stewardship.people.models import User

# Clocks differ a little; a window that ends later than this has not been measured.
FUTURE = timedelta(minutes=5)


@dataclass(frozen=True)
class Receipt:
    """What became of one body. `batch` is None when all of it was known already."""

    batch: Batch | None
    received: int
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    shortfall: int = 0
    series: frozenset[UUID] = frozenset()
    verdicts: tuple[UUID, ...] = ()
    problems: tuple[ItemError, ...] = field(default=())


def ingest(*, source: Source, body: bytes, content_type: str, actor: User) -> Receipt:
    """Store every new fact of a body, once, whoever sends it how often.

    Raises BodyRefused (nothing stored, errors per fact), UnknownSource for one that is switched off, and Forbidden
    for somebody who may send about no model at all.
    """
    if not source.active:
        raise UnknownSource(_("This source is switched off."), field="source", remedy=_("Ask whoever configures sources to switch it on."))
    if not holds(actor, SignalRight.SEND):
        raise Forbidden(_("You may not send signals."), remedy=_("Ask for a role that may send signals about your models."))
    facts = adapters.parse(source.kind, body, content_type, source.mapping or {})
    _refuse_the_future(source.kind, facts, moment())
    # What quarantine says of a fact stays, so it is not in the sender's language.
    with translation.override("en"), transaction.atomic(), acting(actor, f"Signals from {source}"):
        # One body of a source at a time: the same body posted twice at once must find what the first one wrote.
        locked = Source.objects.select_for_update(of=("self",)).get(pk=source.pk)
        return _store(locked, facts, body, content_type, actor)


def _refuse_the_future(kind: str, facts: Sequence[Neutral], now: datetime) -> None:
    late = [
        ItemError(fact.position, "start" if fact.kind is Kind.VERDICT else "end", _("This lies in the future."))
        for fact in facts
        if fact.end > now + FUTURE or fact.start > now + FUTURE
    ]
    if late:
        raise BodyRefused(late, within="signals" if kind == "native" else "alerts")


def _store(source: Source, facts: Sequence[Neutral], body: bytes, content_type: str, actor: User) -> Receipt:
    digest, now = hashlib.sha256(body).hexdigest(), moment()
    if Batch.objects.filter(source=source, sha256=digest).exists():
        return Receipt(None, received=len(facts), duplicates=len(facts))
    new = _new(source, facts)
    shortfall = sum(fact.n or 0 for fact in new if fact.kind is Kind.SHORTFALL)
    told = [fact for fact in new if fact.kind is not Kind.SHORTFALL]
    duplicates = len(facts) - len(new)
    if not told and not shortfall:
        return Receipt(None, received=len(facts), duplicates=duplicates)
    placed, lost, series = _sort(source, told, actor, now)
    batch = Batch(
        source=source,
        sha256=digest,
        size=len(body),
        content_type=content_type[:100],
        received=len(facts),
        accepted=len(placed),
        duplicates=duplicates,
        quarantined=len(lost),
        shortfall=shortfall,
    )
    batch.save()
    touched, verdicts = store.write(source, batch, placed, series, now)
    for fact, unplaced in lost:
        _quarantine(source, batch, fact, unplaced, now)
    return Receipt(
        batch=batch,
        received=len(facts),
        accepted=len(placed),
        duplicates=duplicates,
        quarantined=len(lost),
        shortfall=shortfall,
        series=frozenset(touched),
        verdicts=tuple(verdicts),
        problems=tuple(ItemError(fact.position, unplaced.field, unplaced.problem) for fact, unplaced in lost),
    )


def _new(source: Source, facts: Sequence[Neutral]) -> list[Neutral]:
    """The facts this source never told before; of two with one identity in the same body, the first."""
    wanted = {fact.external_id for fact in facts}
    known: set[str] = set()
    kinds = {fact.kind for fact in facts}
    tables: list[Any] = [Quarantined]
    tables += [Window] if Kind.MEASUREMENT in kinds else []
    tables += [Verdict] if Kind.VERDICT in kinds else []
    for table in tables:
        known.update(table.objects.filter(source=source, external_id__in=wanted).values_list("external_id", flat=True))
    new: list[Neutral] = []
    for fact in facts:
        if fact.external_id not in known:
            known.add(fact.external_id)
            new.append(fact)
    return new


def _sort(
    source: Source, facts: Sequence[Neutral], actor: User, now: datetime
) -> tuple[list[store.Placed], list[tuple[Neutral, Unplaced]], dict[store.Line, Series]]:
    mapped = Map(facts, source.mapping or {}, actor, SignalRight.SEND)
    placed: list[store.Placed] = []
    lost: list[tuple[Neutral, Unplaced]] = []
    for fact in facts:
        place = mapped.place(fact)
        if isinstance(place, Place):
            placed.append((fact, place))
        else:
            lost.append((fact, place))
    series = store.find_series(placed, now)
    kept: list[store.Placed] = []
    for fact, place in placed:
        against = store.contradiction(fact, place, series)
        if against is None:
            kept.append((fact, place))
        else:
            lost.append((fact, against))
    return kept, lost, series


def _quarantine(source: Source, batch: Batch, fact: Neutral, unplaced: Unplaced, now: datetime) -> None:
    Quarantined(
        source=source,
        batch=batch,
        external_id=fact.external_id,
        fact=msgspec.to_builtins(fact, builtin_types=(datetime, Decimal)),
        field=unplaced.field,
        problem=unplaced.problem,
        received_at=now,
    ).save()
