"""An escalation that somebody answered on its own page: its alert is taken on by the same person."""

from __future__ import annotations

from contextlib import suppress

from django.db.models import Exists, OuterRef

from config.portal.errors import IllegalTransition
from monitoring.alerts.models import SUBJECT, Alert
from stewardship.escalation.models import Run
from stewardship.escalation.models import Status as RunStatus
from stewardship.people.models import system_user


def sweep() -> int:
    """Take on every open alert whose escalation at its level is acknowledged; returns how many. Run by the tick, safe to run twice."""
    waiting = Alert.objects.unacknowledged().filter(pk=OuterRef("subject_id"), level=OuterRef("level"))
    answered = Run.objects.filter(Exists(waiting), subject_kind=SUBJECT, status=RunStatus.ACKNOWLEDGED).select_related("answered_by")
    taken = 0
    for run in answered[:200]:
        with suppress(IllegalTransition):  # somebody acknowledged the alert itself meanwhile
            alert = Alert.objects.get(pk=run.subject_id)
            taken += alert.taken_on(run.answered_by, level=run.level, at=run.answered_at, actor=system_user())
    return taken
