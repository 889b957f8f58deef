"""Make the calls that are due. One transaction a call: event, notices and the next timer commit together or not at all."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F

from stewardship.escalation import subjects, vacancies
from stewardship.escalation.frozen import Step
from stewardship.escalation.messages import tell
from stewardship.escalation.models import EventKind, Run, Status, Timer
from stewardship.escalation.rules import after
from stewardship.escalation.waiting import due_at, holders_of
from stewardship.journal.acting import acting, moment
from stewardship.people.models import system_user

logger = logging.getLogger(__name__)

RETRY = timedelta(seconds=15)


def fire_due(at: datetime | None = None, *, limit: int = 500) -> int:
    """Make every call that is due at `at` (now, when not given), the longest overdue first; returns how many timers were done.

    Safe in any number of processes and after a kill on any line. `at` may lie in the past in example data only.
    """
    fired = 0
    with acting(system_user(), "escalation step due", at=at):
        now = at or moment()
        for _turn in range(limit):  # bounded: a vacant step is followed at once, so firing makes more to fire
            timer = Timer.objects.due(now).order_by("due_at", "id").first()
            if timer is None:
                break
            try:
                fired += fire(timer.pk, timer.run_id)
            except Exception:  # one run that cannot go on must not keep the others from being called
                logger.exception("Timer %s of escalation %s failed and is tried again.", timer.pk, timer.run_id)
                Timer.objects.filter(pk=timer.pk, state=Timer.State.PENDING).update(due_at=now + RETRY, failures=F("failures") + 1)
    return fired


def fire(timer_id: UUID, run_id: UUID) -> bool:
    """Do what one timer waited for; False when somebody else did or cancelled it. Must run inside acting()."""
    with transaction.atomic():
        run = Run.objects.select_for_update(of=("self",)).get(pk=run_id)
        # Guarded: SQLite has no row locks, and a second tick may have read the timer before the first one's commit.
        if not Timer.objects.filter(pk=timer_id, state=Timer.State.PENDING).update(state=Timer.State.FIRED, fired_at=moment()):
            return False
        timer = Timer.objects.get(pk=timer_id)
        if run.status != Status.RUNNING or timer.generation != run.generation:  # a fence: answering cancels timers anyway
            return False
        if not subjects.find(run.subject_kind).wanted(run.subject_id):
            run.settle(actor=system_user(), reason="The subject no longer needs anybody.")
        elif timer.step >= run.steps.end:
            run.end()
            vacancies.unanswered(run)
        else:
            _call(run, run.steps.step(timer.step), timer.loop)
    return True


def _call(run: Run, step: Step, loop: int) -> None:
    now = moment()
    found = holders_of(run, step, now)
    wait = after(run.steps, step.index, loop, reached=bool(found))
    due = due_at(run, wait, now, scope=step.scope)
    run.note(
        EventKind.CALLED if found else EventKind.VACANT,
        step=step.index,
        loop=loop,
        role=step.role_name,
        channel=step.channel,
        reached=[{"user": str(each.user.pk), "acting_for": str(each.acting_for.pk) if each.acting_for else None} for each in found],
        next_due_at=due,
    )
    Timer.objects.create(run=run, generation=run.generation, step=wait.step, loop=wait.loop, due_at=due)
    if found:
        tell(run, step, loop, found, wait, due)
    else:
        vacancies.vacant(run, step)
