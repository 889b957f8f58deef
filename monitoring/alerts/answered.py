"""An escalation that somebody answered on its own page: its alert is taken on by the same person."""

from __future__ import annotations

from contextlib import suppress

from config.portal.errors import IllegalTransition
from monitoring.alerts.models import SUBJECT, Alert
from stewardship.escalation.models import Run
from stewardship.escalation.models import Status as RunStatus
from stewardship.people.models import system_user


def sweep() -> int:
    """Take on every open alert whose live escalation is acknowledged; returns how many. Run by the tick, safe to run twice."""
    waiting = Alert.objects.unacknowledged().values("pk")
    answered = Run.objects.filter(subject_kind=SUBJECT, status=RunStatus.ACKNOWLEDGED, subject_id__in=waiting).select_related("answered_by")
    taken = 0
    for run in answered[:200]:
        with suppress(IllegalTransition):  # somebody acknowledged the alert itself meanwhile
            Alert.objects.get(pk=run.subject_id).taken_on(run.answered_by, at=run.answered_at, actor=system_user())
            taken += 1
    return taken
