"""A route moves on: a stage begins, a route ends, a change is agreed. Called by submit, decide and the chores, inside their act."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils.translation import gettext as _

from config.portal.errors import IllegalTransition
from governance.approvals import rules
from governance.approvals.models import ROUTE_TRANSITIONS, STAGE_TRANSITIONS, Requirement, Route, Stage
from governance.approvals.who import Seat, seats
from governance.changes.models import ChangeRequest, Status
from governance.changes.provision import provision
from stewardship.escalation.follow import settled
from stewardship.journal.acting import moment
from stewardship.notices.send import send
from stewardship.people.models import User
from stewardship.regions.clock import due

CAUSE = "approval"  # of notices: the cause is a requirement
NEWS = "change"  # of notices: the cause is a change
SUBJECT = "approval"  # of escalations: the subject is a requirement


def begin_stage(route: Route, order: int, *, actor: User) -> None:
    """Ask the people of a stage; deadlines start now."""
    stage = route.stages.get(order=order)
    at = moment()
    _move_stage(stage, Stage.Status.ACTIVE, started_at=at)
    for requirement in stage.requirements.all():
        requirement.due_at = due(route.change.region, at, requirement.within_minutes, working=True) if requirement.within_minutes else None
        requirement.save(update_fields=["due_at"])
    found = seats(stage, route.change, at)
    if not rules.can_be_met([(seat.open, frozenset(seat.panel.able)) for seat in found]):
        _overdue_at_once([seat for seat in found if len(seat.panel.able) < seat.open] or found)
    for seat in found:
        ask(seat, route)


def ask(seat: Seat, route: Route) -> None:
    """Tell the people of one requirement that they are asked."""
    change = route.change
    send(
        cause_kind=CAUSE,
        cause_id=seat.requirement.pk,
        step="asked",
        recipients=seat.panel.able.values(),
        subject=_("%(change)s waits for your decision") % {"change": change},
        body=_("%(owner)s asks you, as %(role)s, to decide on: %(title)s.\n\n%(rationale)s")
        % {"owner": change.owner, "role": seat.requirement.role, "title": change.title, "rationale": change.rationale},
        link=change.get_absolute_url(),
    )


def _overdue_at_once(found: list[Seat]) -> None:
    """Nobody can decide: the deadline is now, so that the escalation starts with the next tick. Nothing fails open."""
    for seat in found:
        seat.requirement.due_at = moment()
        seat.requirement.save(update_fields=["due_at"])


def meet(requirement: Requirement) -> None:
    """A requirement has what it wanted; whoever was called for it is called off."""
    requirement.met_at = moment()
    requirement.save(update_fields=["met_at"])


def finish_stage(stage: Stage, *, actor: User) -> None:
    """All of a stage agreed: the next one begins, or the change is approved."""
    _move_stage(stage, Stage.Status.AGREED, ended_at=moment())
    for requirement in stage.requirements.filter(met_at__isnull=True):
        meet(requirement)
    call_off(stage.requirements.all(), actor=actor, reason=_("Decided"))
    route = stage.route
    if route.stages.filter(order=stage.order + 1).exists():
        begin_stage(route, stage.order + 1, actor=actor)
    else:
        complete(route, actor=actor, reason=_("All approvals are given"))


def complete(route: Route, *, actor: User, reason: str) -> None:
    """The change is approved, and what follows from that is done in the same transaction."""
    _move_route(route, Route.Status.AGREED)
    at = moment()
    days = route.frozen["valid_days"]
    change = route.change
    provision(change, actor=actor)  # first, so that whoever looks at the approved change sees what it brought about
    change.move(Status.APPROVED, actor=actor, reason=reason, decided_at=at, expires_at=at + timedelta(days=days) if days else None)
    tell(change, "approved", _("%(change)s is approved") % {"change": change}, reason)


def end(change: ChangeRequest, to: Status, route_status: Route.Status, *, actor: User, reason: str) -> None:
    """Return, reject or expire a change in review, with its route."""
    end_route(change, route_status, actor=actor)
    at = moment()
    change.move(to, actor=actor, reason=reason, decided_at=None if to == Status.RETURNED else at)
    tell(change, f"{to}-{change.revision}", f"{change}: {Status(to).label}", reason)


def on_moved(change: ChangeRequest, actor: User) -> None:
    """A change that is not in review, however it left it, asks nobody."""
    if change.status != Status.SUBMITTED:
        end_route(change, Route.Status.ENDED, actor=actor)


def end_route(change: ChangeRequest, to: Route.Status, *, actor: User) -> None:
    """Nobody is asked any more on the running route of a change; without one nothing happens."""
    route = Route.objects.running().filter(change=change).first()
    if route is None:
        return
    _move_route(route, to)
    for stage in route.stages.filter(status__in=[Stage.Status.WAITING, Stage.Status.ACTIVE]):
        _move_stage(stage, Stage.Status.ENDED, ended_at=moment())
    call_off(Requirement.objects.filter(stage__route=route), actor=actor, reason=str(to.label))


def call_off(requirements: Iterable[Requirement], *, actor: User, reason: str) -> None:
    """Stop the escalations that were running because nobody had decided."""
    for requirement in requirements:
        if requirement.escalated_at is not None:
            settled(SUBJECT, requirement.pk, actor=actor, reason=reason)


def tell(change: ChangeRequest, step: str, subject: str, body: str) -> None:
    """News for those who asked."""
    people = {person.pk: person for person in (change.owner, change.submitted_by, change.drafted_by) if person is not None}
    send(
        cause_kind=NEWS,
        cause_id=change.pk,
        step=step,
        recipients=people.values(),
        subject=subject,
        body=body,
        link=change.get_absolute_url(),
    )


def _move_route(route: Route, to: Route.Status) -> None:
    if to not in ROUTE_TRANSITIONS.get(Route.Status(route.status), frozenset()):
        raise IllegalTransition(str(route.get_status_display()), str(to.label))
    route.status = to
    route.save(update_fields=["status"])


def _move_stage(stage: Stage, to: Stage.Status, **fields: object) -> None:
    if to not in STAGE_TRANSITIONS.get(Stage.Status(stage.status), frozenset()):
        raise IllegalTransition(str(stage.get_status_display()), str(to.label))
    stage.status = to
    for name, value in fields.items():
        setattr(stage, name, value)
    stage.save(update_fields=["status", *fields])
