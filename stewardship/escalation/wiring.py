"""What this slice puts into the registries; called once, in AppConfig.ready()."""

from __future__ import annotations

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.portal.registry import gauges, inbox, nav, readiness
from config.portal.tick import chore
from stewardship.access import rights
from stewardship.escalation import inbox as items
from stewardship.escalation import messages, tasks
from stewardship.escalation.models import Run, Status, Timer
from stewardship.escalation.rights import PathRight, RunRight
from stewardship.notices import causes


def wire() -> None:
    """Rights, causes of notices, the chore, the inbox."""
    rights.register(PathRight)
    rights.register(RunRight)
    causes.register(messages.CAUSE, still_wanted=still_calling, link=run_page)
    causes.register(messages.NEWS, still_wanted=causes.always, link=run_page)
    # Before the deliveries of the same tick, so that a call leaves the house in the second in which it is made.
    chore("escalation timers")(tasks.fire_due_timers)
    inbox.register(items.runs_for)
    nav.register("Monitoring", _("Escalations"), "run_list", RunRight.VIEW, order=40, icon="run")
    readiness.register("escalation timers", items.overdue_problem)
    gauges.register("concordat_escalations_running", "Escalations that nobody has answered.", lambda: float(_running()))
    gauges.register("concordat_timers_waiting", "Calls that are waiting for their time.", lambda: float(_waiting()))


def _running() -> int:
    return Run.objects.filter(status=Status.RUNNING).count()


def _waiting() -> int:
    count: int = Timer.objects.filter(state=Timer.State.PENDING).count()
    return count


def still_calling(run_id: UUID) -> bool:
    """A call that waits in the outbox is dropped once somebody has answered."""
    return Run.objects.filter(pk=run_id, status__in=[Status.RUNNING, Status.ENDED]).exists()


def run_page(run_id: UUID) -> str:
    """Where the call leads."""
    return reverse("run_detail", args=[run_id])
