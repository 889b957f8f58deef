"""From a source's own verdicts to what happens to alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from django.utils.translation import gettext as _

from monitoring.alerts import episode, sentences
from monitoring.alerts.models import Alert, Kind
from monitoring.signals.models import Verdict
from stewardship.journal.acting import acting

if TYPE_CHECKING:
    from stewardship.people.models import User


def cause_of(verdict: Verdict) -> str:
    """What is wrong at the source, whenever it began there: the key without the start."""
    return f"external:{verdict.source_id}:{verdict.key.rpartition('@')[0] or verdict.key}"


def follow(ids: Sequence[UUID], *, actor: User) -> list[Alert]:
    """Each new verdict in order of event time: fires, fires anew, or has ended."""
    found = Verdict.objects.filter(pk__in=list(ids)).select_related("source", "model", "region", "version", "environment")
    touched = [_one(verdict, actor=actor) for verdict in sorted(found, key=lambda each: (each.end, each.start, each.external_id))]
    return [alert for alert in touched if alert is not None]


def _one(verdict: Verdict, *, actor: User) -> Alert | None:
    alert = episode.current(cause_of(verdict))
    if not verdict.firing:
        # The end of an older episode, arriving late, must not close the one that runs now.
        if alert is not None and alert.external_key == verdict.key:
            alert.end(actor=actor, reason=_("%(source)s says that it has ended.") % {"source": verdict.source})
        return alert
    if alert is not None:
        _anew(alert, verdict, actor=actor)
        return alert
    over = Verdict.objects.filter(source=verdict.source_id, key=verdict.key, firing=False).exists()
    alert = episode.begin(_trouble(verdict), actor=actor, call=not over)
    if over:
        # It ended before we heard that it began: recorded, but nobody is called about the past.
        alert.end(actor=actor, reason=_("%(source)s had said before that it has ended.") % {"source": verdict.source})
    return alert


def _anew(alert: Alert, verdict: Verdict, *, actor: User) -> None:
    """The source began a new episode while ours was still open (its end was never told): ours goes on under the new key."""
    if verdict.start <= alert.began_at:
        return
    episode.rise(alert, _trouble(verdict), actor=actor)
    if alert.external_key != verdict.key:
        with acting(actor, _("Fires anew since %(start)s.") % {"start": verdict.start.isoformat()}):
            alert.external_key = verdict.key
            alert.save(update_fields=["external_key"])


def _trouble(verdict: Verdict) -> episode.Trouble:
    said = verdict.context or {}
    return episode.Trouble(
        kind=Kind.EXTERNAL,
        cause=cause_of(verdict),
        level=verdict.level,
        title=sentences.reported(verdict.title or verdict.name, verdict.model.name, verdict.region.name, str(verdict.source)),
        began_at=verdict.start,
        model=verdict.model,
        region=verdict.region,
        version=verdict.version,
        environment=verdict.environment,
        source=verdict.source,
        external_key=verdict.key,
        next_action=_("Follow the runbook: %(url)s") % {"url": said["runbook"]} if said.get("runbook") else "",
        context={"name": verdict.name, "subject": verdict.subject, **said},
    )
