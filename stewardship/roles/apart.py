"""Who must be kept apart: appointers from those they appoint, owners from their second line, one duty from the other."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from stewardship.people.models import Delegation, Membership, Team, User
from stewardship.roles.errors import DutiesNotSeparated, OwnSecondLine
from stewardship.roles.meeting import meeting
from stewardship.roles.models import Role, RoleAssignment, Scope, SeparationRule


def _during(rows: Any, start: datetime, until: datetime | None) -> Any:
    rows = rows.filter(Q(ends__isnull=True) | Q(ends__gt=start))
    return rows if until is None else rows.filter(starts__lt=until)


def people_of(role: Role, user: User | None, team: Team | None, start: datetime, until: datetime | None) -> set[UUID]:
    """Everybody who holds the role through this person or team at some instant: the members, and who stands in for them."""
    if user is not None:
        people = {user.pk}
    else:
        people = set(_during(Membership.objects.filter(team=team), start, until).values_list("user_id", flat=True))
    if not role.delegable:
        return people
    return people | set(_during(Delegation.objects.filter(delegator_id__in=people), start, until).values_list("delegate_id", flat=True))


def check_independent(actor: User, scope: Scope, people: set[UUID], at: datetime) -> None:
    """Raises OwnSecondLine when `actor` is one of these people, or answers for a model of that scope."""
    if actor.is_system:
        return
    if actor.pk in people:
        raise OwnSecondLine(_("Nobody appoints themselves to the second line."), field="user", remedy=_("Ask another appointer."))
    owns = RoleAssignment.objects.in_force(at).filter(meeting(scope), role__accountable=True, user=actor)
    if owns.exists():
        raise OwnSecondLine(
            _("Whoever is accountable for a model does not appoint its second line."), field="role", remedy=_("Ask the second line.")
        )


def check_separated(role: Role, scope: Scope, people: set[UUID], start: datetime, until: datetime | None) -> None:
    """Raises DutiesNotSeparated when one of these people holds a role there that must be somebody else."""
    pairs = SeparationRule.objects.filter(Q(first=role) | Q(second=role)).values_list("first_id", "second_id")
    others = {second if first == role.pk else first for first, second in pairs}
    if not others:
        return
    rows = (
        RoleAssignment.objects.overlapping(start, until)
        .filter(meeting(scope), role_id__in=others)
        .select_related("role", "user", "team")
        .distinct()
    )
    for row in rows:
        both = people & people_of(row.role, row.user, row.team, start, until)
        if both:
            who = User.objects.get(pk=sorted(both, key=str)[0])
            raise DutiesNotSeparated(
                _("%(who)s is %(held)s there; %(role)s must be somebody else.") % {"who": who, "held": row.role, "role": role},
                field="user",
                remedy=_("Choose another person."),
            )
