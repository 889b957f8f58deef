"""What coverage does when an escalation reaches nobody. Registered with escalation.vacancies."""

from __future__ import annotations

from django.utils.translation import gettext as _

from stewardship.coverage.gaps import open_gap
from stewardship.coverage.models import SUBJECT, Kind
from stewardship.coverage.sweep import vacancy
from stewardship.escalation.frozen import Step
from stewardship.escalation.models import Run
from stewardship.escalation.models import Step as Definition
from stewardship.escalation.waiting import region_at
from stewardship.people.models import system_user
from stewardship.roles.models import Role


def on_vacant(run: Run, step: Step) -> None:
    """A step reached nobody: its role is vacant where the step asked for it."""
    role = Role.objects.filter(slug=step.role).first()
    if role is not None:
        vacancy(role, region_at(run, step.scope), run.model if step.scope == Definition.Scope.MODEL else None)


def on_unanswered(run: Run) -> None:
    """A whole path passed and nobody answered. A gap's own path that ends so leaves that gap open; it opens no second one."""
    if run.subject_kind != SUBJECT:
        open_gap(
            kind=Kind.UNANSWERED,
            subject_kind=run.subject_kind,
            subject_id=run.subject_id,
            label=_("Nobody answered: %(label)s") % {"label": run.label},
            region=run.region,
            model=run.model,
            actor=system_user(),
        )
