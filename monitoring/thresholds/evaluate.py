"""Folding what a batch brought over every rule that judges it. Called inside the transaction of the batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
from django.db.models import QuerySet

from monitoring.signals.bulk import update
from monitoring.signals.models import Batch, Series, Window, replaced
from monitoring.thresholds.models import Track
from monitoring.thresholds.resolve import Effective, Resolver
from monitoring.thresholds.rules import Level, Point, State, Transition, due_by, fold

# A late window makes us fold its series again from here; older ones no longer influence any streak.
REFOLD = 5000


@dataclass(frozen=True)
class Outcome:
    """What one batch did to one series under one rule."""

    track: Track
    series: Series
    effective: Effective
    transitions: tuple[Transition, ...]
    state: State
    broke_silence: bool


def evaluate(series_ids: Iterable[UUID], batch: Batch, at: datetime) -> list[Outcome]:
    """Judge these series anew after `batch`; bounds are those in force at `at`. Saves where each series stands."""
    every = {one.pk: one for one in Series.objects.filter(pk__in=list(series_ids)).select_related("model", "region", "metric", "version")}
    resolver = Resolver(every.values(), at)
    judged = [(series, effective) for series in every.values() for effective in resolver.of(series)]
    if not judged:
        return []
    tracks = _tracks(judged)
    fresh: dict[UUID, list[Seen]] = defaultdict(list)
    for window in _seen(Window.objects.filter(batch=batch, series__in=every.keys())):
        fresh[window.series_id].append(window)
    outcomes = [_judge(tracks[series.pk, effective.rule.pk], series, effective, fresh[series.pk]) for series, effective in judged]
    update(Track, ("level", "reading", "state", "effective", "last_end", "due_by", "stale_since"), (each.track for each in outcomes))
    return outcomes


class Seen(NamedTuple):
    """What the fold needs of a window; making whole rows of thousands would cost more than judging them."""

    id: UUID
    series_id: UUID
    start: datetime
    end: datetime
    value: Decimal
    n: int | None
    received_at: datetime


def _seen(windows: QuerySet[Window]) -> Iterable[Seen]:
    return map(Seen._make, windows.values_list(*Seen._fields))


def _tracks(judged: Sequence[tuple[Series, Effective]]) -> dict[tuple[UUID, UUID], Track]:
    """One row per series and rule, locked in one order so that two batches about the same series wait and do not deadlock."""
    wanted = {(series.pk, effective.rule.pk) for series, effective in judged}
    rows = Track.objects.filter(series__in={series for series, _rule in wanted})
    known = set(rows.values_list("series_id", "rule_id"))
    Track.objects.bulk_create([Track(series_id=series, rule_id=rule) for series, rule in sorted(wanted - known)], ignore_conflicts=True)
    locked = rows.select_for_update().order_by("pk")
    return {(track.series_id, track.rule_id): track for track in locked}


def _judge(track: Track, series: Series, effective: Effective, fresh: list[Seen]) -> Outcome:
    before = remembered(track)
    late = before.last is not None and any(window.end <= before.last.end for window in fresh)
    if late:
        after, _replayed = fold(_points(_history(series)), effective.judgement)
        transitions = _net(before.level, after)
    else:
        after, transitions = fold(_points(fresh), effective.judgement, before)
    # Only a newer window is news; what arrives late says nothing about whether the source speaks again.
    newer = after.last is not None and (before.last is None or after.last.end > before.last.end)
    broke_silence = newer and track.stale_since is not None
    _remember(track, after, effective)
    if newer:
        track.stale_since = None
    return Outcome(track, series, effective, transitions, after, broke_silence)


def _net(before: Level, after: State) -> tuple[Transition, ...]:
    # What was said in the past stays said; only where the series stands now can differ.
    if after.last is None or after.level is before:
        return ()
    return (Transition(before, after.level, after.last),)


def _history(series: Series) -> list[Seen]:
    return list(_seen(Window.objects.filter(series=series).newest_first()[:REFOLD]))


def _points(windows: Iterable[Seen]) -> list[Point]:
    """One point per span of time: of corrected values the one received last."""
    newest: dict[tuple[datetime, datetime], Seen] = {}
    for window in sorted(windows, key=lambda each: (each.received_at, each.id)):
        newest[window.start, window.end] = window
    return [Point(window.start, window.end, window.value, window.n) for window in newest.values()]


def _remember(track: Track, state: State, effective: Effective) -> None:
    track.level, track.reading = state.level.value, state.reading.value
    track.state = msgspec.to_builtins(state, builtin_types=(datetime, Decimal), str_keys=True)
    track.effective = effective.document()
    track.last_end = state.last.end if state.last else None
    track.due_by = _due(track, effective)


def _due(track: Track, effective: Effective) -> datetime | None:
    """When the next window must have come by the rule as it is; None where none is expected."""
    every = effective.expected_every
    return due_by(track.last_end, every, effective.rule.grace) if every and track.last_end else None


def remembered(track: Track) -> State:
    """The fold's memory of this track."""
    return msgspec.convert(track.state, State) if track.state else State()


def silent(at: datetime, limit: int = 200) -> list[Track]:
    """Expected series that have been silent for too long, locked, oldest first. The caller says so and marks them.

    Of a version that has been replaced where it ran, nothing is expected any more; nor by a rule that has ended, that
    selects other series by now, or that gives more time than when it last judged (then the new time is kept).
    """
    overdue = Track.objects.overdue(at).judging(at).exclude(replaced(at, "series__"))
    locked = overdue.order_by("due_by", "pk").select_for_update(skip_locked=True, of=("self",))
    named = ("series__model", "series__region", "series__metric", "series__version", "series__environment", "rule")
    found = list(locked.select_related(*named)[:limit])
    if not found:
        return []
    resolver = Resolver((track.series for track in found), at)
    return [track for track in found if _is_due(track, resolver, at)]


def _is_due(track: Track, resolver: Resolver, at: datetime) -> bool:
    """Whether the rule as it is now still waits in vain; a later time, or none, is kept for the next look."""
    judging = next((each for each in resolver.of(track.series) if each.rule.pk == track.rule_id), None)
    if judging is None:
        return False
    due = _due(track, judging)
    if due is not None and due < at:
        return True
    track.due_by = due
    track.save(update_fields=["due_by"])
    return False
