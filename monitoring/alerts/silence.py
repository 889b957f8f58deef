"""Expected data that did not come. Nothing is judged healthy meanwhile, and nothing that was wrong is called over."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from monitoring.alerts import episode, sentences
from monitoring.alerts.judged import silence_of
from monitoring.alerts.models import Kind
from monitoring.thresholds.evaluate import silent
from monitoring.thresholds.models import Track
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User, system_user


def sweep() -> int:
    """Open an alert for every expected series that is overdue; returns how many. Run by the tick, safe to run twice."""
    actor = system_user()
    with transaction.atomic(), acting(actor, _("Looking for series that went silent")):
        tracks = silent(moment())
        for track in tracks:
            _say(track, actor)
    return len(tracks)


def _say(track: Track, actor: User) -> None:
    at = moment()
    series, rule = track.series, track.rule
    cause = silence_of(series.pk, rule.pk)
    # Freeze: the level stays what it was, but nobody may read it as known.
    track.stale_since = at
    track.save(update_fields=["stale_since"])
    if episode.current(cause) is not None:
        return
    trouble = episode.Trouble(
        kind=Kind.SILENCE,
        cause=cause,
        level=rule.stale_level,
        title=sentences.silence(series.label, series.model.name, series.region.name),
        began_at=track.due_by or at,
        model=series.model,
        region=series.region,
        version=series.version,
        environment=series.environment,
        series=series,
        rule=rule,
        next_action=_("Find out why the source stopped sending; until then this is not known, whatever it was before."),
        context={
            "last_window_end": track.last_end.isoformat() if track.last_end else "",
            "due_by": track.due_by.isoformat() if track.due_by else "",
            "frozen_level": track.level,
        },
    )
    episode.begin(trouble, actor=actor)
