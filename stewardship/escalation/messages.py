"""What the people who are called read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from stewardship.escalation.frozen import Step
from stewardship.escalation.models.path import Step as Definition
from stewardship.escalation.rules import Wait
from stewardship.notices.models import Channel
from stewardship.notices.send import send
from stewardship.people.models import User

if TYPE_CHECKING:
    from stewardship.escalation.models.run import Run
    from stewardship.roles.holders import Holder

CAUSE = "escalation"
NEWS = "escalation_news"


def clock_time(at: datetime) -> str:
    """A deadline in the reader's zone, the zone named."""
    local = timezone.localtime(at)
    return f"{date_format(local, 'DATETIME_FORMAT')} {local.tzname()}"


def tell(run: Run, step: Step, loop: int, found: list[Holder], wait: Wait, due: datetime) -> None:
    """Write the notices of one call. Idempotent by round, step and repetition."""
    standing_in = {each.user.pk: each.acting_for for each in found}

    def subject(reader: User) -> str:
        return _("You are called: %(label)s") % {"label": run.label}

    def body(reader: User) -> str:
        absent = standing_in.get(reader.pk)
        as_role = _("You are called as %(role)s, step %(step)d of %(steps)d.") % {
            "role": step.role_name,
            "step": step.index + 1,
            "steps": run.steps.end,
        }
        instead = _("You stand in for %(name)s.") % {"name": absent.full_name} if absent else ""
        expected = _("Expected: %(expected)s.") % {"expected": str(Definition.Expects(step.expects).label)}
        return "\n\n".join(
            part for part in (run.label, " ".join(filter(None, (as_role, instead, expected))), _then(run, wait, due)) if part
        )

    send(
        cause_kind=CAUSE,
        cause_id=run.pk,
        step=f"{run.generation}.{step.index}.{loop}",
        recipients=[each.user for each in found],
        subject=subject,
        body=body,
        channels=(Channel.PORTAL, Channel.EMAIL) if step.channel == Definition.StepChannel.EMAIL else (Channel.PORTAL,),
    )


def _then(run: Run, wait: Wait, due: datetime) -> str:
    if wait.step >= run.steps.end:
        return _("If nobody answers by %(time)s, the path ends and that is recorded as a gap.") % {"time": clock_time(due)}
    following = run.steps.step(wait.step)
    return _("If nobody answers by %(time)s, %(role)s is called.") % {"time": clock_time(due), "role": following.role_name}


def tell_answered(run: Run, actor: User, called: list[User]) -> None:
    """Tell those who were called that somebody has taken it on, so that nobody works for nothing."""
    send(
        cause_kind=NEWS,
        cause_id=run.pk,
        step=f"{run.generation}.answered",
        recipients=[each for each in called if each.pk != actor.pk],
        subject=lambda reader: _("%(name)s has taken it on: %(label)s") % {"name": actor.full_name, "label": run.label},
        channels=(Channel.PORTAL,),
    )
