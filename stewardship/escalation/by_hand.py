"""Call the next step now, because a person says so."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from config.portal.errors import IllegalTransition
from stewardship.access import require
from stewardship.escalation.errors import ReasonMissing
from stewardship.escalation.fire import fire
from stewardship.escalation.models import TRANSITIONS, EventKind, Run, Status
from stewardship.escalation.rights import RunRight
from stewardship.journal.acting import acting, moment
from stewardship.people.models import User


def escalate(run: Run, *, actor: User, reason: str) -> Run:
    """Call the next step at once, in a new round; after the last step, the last one again.

    Also for a run that was acknowledged (the answer was not enough) or that ended. Raises Forbidden, ReasonMissing,
    IllegalTransition.
    """
    require(actor, RunRight.ESCALATE, run)
    if not reason.strip():
        raise ReasonMissing(_("Say why the next person is needed now."), field="reason", remedy=_("Enter a reason."))
    with transaction.atomic(), acting(actor, reason):
        run.refresh_from_db(from_queryset=Run.objects.select_for_update(of=("self",)))
        if Status.RUNNING not in TRANSITIONS[Status(run.status)]:
            raise IllegalTransition(str(Status(run.status).label), str(Status.RUNNING.label), remedy=_("Open a new occasion instead."))
        last = run.events.filter(kind__in=[EventKind.CALLED, EventKind.VACANT]).order_by("-generation", "-step", "-loop").first()
        following = 0 if last is None or last.step is None else last.step + 1
        timer = run.call_on(min(following, run.steps.end - 1), moment())
        fire(timer.pk, run.pk)
        run.refresh_from_db()
    return run
