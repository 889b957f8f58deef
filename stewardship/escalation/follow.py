"""What happens to the run when its subject moves: for the verbs of the slices that start escalations."""

from __future__ import annotations

from contextlib import suppress
from uuid import UUID

from config.portal.errors import IllegalTransition
from stewardship.escalation.models import Run, Status
from stewardship.people.models import User


def acknowledged(subject_kind: str, subject_id: UUID, *, actor: User, reason: str = "") -> None:
    """Somebody has taken the subject on: stop calling. Does nothing when nobody is being called."""
    run = Run.objects.about(subject_kind, subject_id).first()
    if run is not None and run.status in (Status.RUNNING, Status.ENDED):
        with suppress(IllegalTransition):  # somebody was faster
            run.answer(actor=actor, reason=reason)


def settled(subject_kind: str, subject_id: UUID, *, actor: User, reason: str) -> None:
    """The subject is settled: stop calling, whoever had answered. Does nothing when no run is live."""
    for run in Run.objects.about(subject_kind, subject_id).live():
        with suppress(IllegalTransition):
            run.settle(actor=actor, reason=reason)
