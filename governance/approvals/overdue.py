"""Deadlines: whoever is late is called for along the escalation path; nothing is ever approved because time ran out."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from governance.approvals.advance import SUBJECT, end
from governance.approvals.models import Requirement, Route
from governance.changes.models import ChangeRequest, Status
from stewardship.coverage.gaps import open_gap
from stewardship.coverage.models import Kind
from stewardship.escalation.errors import NoPath
from stewardship.escalation.start import start
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user


def escalate_overdue(at: datetime | None = None) -> int:
    """Start the escalation of every requirement whose deadline is over; gives how many. Safe to run twice at once."""
    when = at or timezone.now()
    late = list(Requirement.objects.overdue(when).order_by("due_at").values_list("pk", flat=True)[:100])
    return sum(_escalate(pk, when) for pk in late)


def _escalate(pk: object, at: datetime) -> bool:
    system = system_user()
    with transaction.atomic(), acting(system, _("The deadline is over")):
        # SECURITY: claimed under the row lock, so that two ticks cannot both call people.
        requirement = (
            Requirement.objects.overdue(at)
            .select_for_update(of=("self",))
            .select_related("role", "stage__route__change__model", "stage__route__change__region")
            .filter(pk=pk)
            .first()
        )
        if requirement is None:
            return False
        requirement.escalated_at = at
        requirement.save(update_fields=["escalated_at"])
        change = requirement.stage.route.change
        label = _("%(role)s has not decided on %(change)s") % {"role": requirement.role, "change": change}
        try:
            start(
                subject_kind=SUBJECT, subject_id=requirement.pk, label=label[:200], model=change.model, region=change.region, actor=system
            )
        except NoPath as error:
            open_gap(
                kind=Kind.NO_PATH,
                subject_kind=SUBJECT,
                subject_id=requirement.pk,
                label=f"{label}. {error}"[:200],
                region=change.region,
                model=change.model,
                role=requirement.role,
                actor=system,
            )
    return True


def lapse(at: datetime | None = None) -> int:
    """End reviews nobody finished in time, and approvals nobody carried out in time; gives how many."""
    when = at or timezone.now()
    system = system_user()
    over = Route.objects.running().filter(lapses_at__lte=when).order_by("lapses_at")
    reviews = list(over.values_list("change_id", flat=True)[:100])
    unused = ChangeRequest.objects.filter(status=Status.APPROVED, expires_at__lte=when).order_by("expires_at")
    approvals = list(unused.values_list("pk", flat=True)[:100])
    return sum(_lapse(pk, when, system) for pk in [*reviews, *approvals])


def _lapse(pk: object, at: datetime, system: User) -> bool:
    with transaction.atomic(), acting(system, _("Nobody acted in time")):
        change = ChangeRequest.objects.select_for_update().get(pk=pk)
        if change.status == Status.SUBMITTED and Route.objects.running().filter(change=change, lapses_at__lte=at).exists():
            end(change, Status.EXPIRED, Route.Status.ENDED, actor=system, reason=_("The review was not finished in time"))
            return True
        if change.status == Status.APPROVED and change.expires_at is not None and change.expires_at <= at:
            change.move(Status.EXPIRED, actor=system, reason=_("The approval was not carried out in time"))
            return True
    return False
