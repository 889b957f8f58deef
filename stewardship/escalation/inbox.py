"""What of the escalations waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.portal.registry import InboxItem
from stewardship.escalation.messages import CAUSE
from stewardship.escalation.models import Run, Status, Timer
from stewardship.notices.models import Channel, Notice

LATE = timedelta(minutes=2)


def runs_for(user: Any, at: datetime) -> Iterable[InboxItem]:
    """Escalations under way in which this person was called."""
    pending = Timer.objects.filter(run=OuterRef("pk"), state=Timer.State.PENDING).order_by("due_at")
    found = called_to(user).annotate(next_call=Subquery(pending.values("due_at")[:1])).select_related("region", "model")
    for run in found:
        yield InboxItem(
            title=run.label,
            url=reverse("run_detail", args=[run.pk]),
            kind="escalation",
            meta=_("You are called · %(region)s") % {"region": run.region.name},
            due=run.next_call,
        )


def called_to(user: Any) -> QuerySet[Run]:
    """Escalations that nobody has answered and to which this person was called."""
    called = Notice.objects.filter(recipient=user, cause_kind=CAUSE, channel=Channel.PORTAL).values("cause_id")
    return Run.objects.filter(pk__in=called, status__in=[Status.RUNNING, Status.ENDED])


def overdue_problem() -> str | None:
    """For /readyz: a call that should have been made minutes ago means that the tick is down or stuck."""
    late = Timer.objects.due(timezone.now() - LATE).count()
    return f"{late} escalation timers are more than 2 minutes late" if late else None
