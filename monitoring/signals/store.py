"""Writing placed facts: series first, then windows and verdicts. Called inside the transaction of a batch."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from django.utils.translation import gettext as _

from monitoring.signals.bulk import insert
from monitoring.signals.models import Batch, Series, Verdict, Window
from monitoring.signals.neutral import Kind, Neutral
from monitoring.signals.place import Place, Unplaced

if TYPE_CHECKING:
    from monitoring.signals.models import Source

Placed = tuple[Neutral, Place]
Line = tuple[Place, str, str]


def line(fact: Neutral, place: Place) -> Line:
    """What tells the series of one body apart; cheaper than their keys, of which a large body would need thousands."""
    return place, fact.method, fact.subject


def series_key(fact: Neutral, place: Place) -> str:
    """Identity of the series, in which "no version" is a value like any other."""
    metric = place.metric.pk if place.metric else ""
    parts = [place.model.pk, place.version and place.version.pk, place.environment and place.environment.pk, place.region.pk]
    words = [str(part or "") for part in parts] + [str(metric), fact.method, fact.subject]
    return hashlib.sha256("\x00".join(words).encode()).hexdigest()


def find_series(placed: Sequence[Placed], now: datetime) -> dict[Line, Series]:
    """The series of these measurements, made where they are new; two queries whatever their number."""
    lines: dict[Line, Placed] = {}
    for fact, place in placed:
        if fact.kind is Kind.MEASUREMENT:
            lines.setdefault(line(fact, place), (fact, place))
    keys = {each: series_key(fact, place) for each, (fact, place) in lines.items()}
    wanted = set(keys.values())
    found = {series.key: series for series in Series.objects.filter(key__in=wanted)}
    missing = {keys[each]: _new(keys[each], fact, place, now) for each, (fact, place) in lines.items() if keys[each] not in found}
    if missing:
        # Another source may make the same series at this moment; its row serves as well as ours.
        Series.objects.bulk_create(missing.values(), ignore_conflicts=True)
        found = {series.key: series for series in Series.objects.filter(key__in=wanted)}
    return {each: found[key] for each, key in keys.items()}


def _new(key: str, fact: Neutral, place: Place, now: datetime) -> Series:
    return Series(
        key=key,
        model=place.model,
        version=place.version,
        environment=place.environment,
        region=place.region,
        metric=place.metric,
        method=fact.method,
        subject=fact.subject,
        direction=place.direction,
        unit=fact.unit or (place.metric.unit if place.metric else ""),
        created_at=now,
    )


def contradiction(fact: Neutral, place: Place, series: dict[Line, Series]) -> Unplaced | None:
    """A fact that says the opposite of its series about which way is bad cannot be judged by anybody."""
    if fact.kind is not Kind.MEASUREMENT:
        return None
    known = series[line(fact, place)]
    if known.direction == place.direction:
        return None
    return Unplaced(
        "direction", _("This series is “%(known)s”, the fact says “%(said)s”.") % {"known": known.direction, "said": place.direction}
    )


def write(
    source: Source, batch: Batch, placed: Sequence[Placed], series: dict[Line, Series], now: datetime
) -> tuple[set[UUID], list[UUID]]:
    """Insert the facts; returns the ids of the touched series and of the new verdicts, in order of event time."""
    measured = [(fact, series[line(fact, place)].pk) for fact, place in placed if fact.kind is Kind.MEASUREMENT]
    verdicts = [_verdict(source, batch, fact, place, now) for fact, place in placed if fact.kind is Kind.VERDICT]
    # A measurement always has a value; the type allows verdicts.
    rows = ((uuid4(), pk, fact.external_id, fact.start, fact.end, fact.value or 0, fact.n, fact.context) for fact, pk in measured)
    columns = ("id", "series_id", "external_id", "start", "end", "value", "n", "context")
    insert(Window, columns, rows, every={"source_id": source.pk, "batch_id": batch.pk, "received_at": now})
    Verdict.objects.bulk_create(verdicts, batch_size=200)
    return {pk for _fact, pk in measured}, [verdict.pk for verdict in sorted(verdicts, key=lambda each: (each.end, each.start))]


def _verdict(source: Source, batch: Batch, fact: Neutral, place: Place, now: datetime) -> Verdict:
    return Verdict(
        source=source,
        batch=batch,
        external_id=fact.external_id,
        key=fact.key,
        model=place.model,
        version=place.version,
        environment=place.environment,
        region=place.region,
        name=fact.metric,
        subject=fact.subject,
        firing=fact.firing,
        level=fact.level,
        title=fact.title,
        start=fact.start,
        end=fact.end,
        context=fact.context,
        received_at=now,
    )
