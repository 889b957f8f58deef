"""Giving a role to somebody, and ending it. The one place where accountability and separation of duties are held."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from stewardship.access import require
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.journal.acting import acting, moment
from stewardship.people.models import Membership, Team, User
from stewardship.regions.models import Region
from stewardship.roles.errors import AlreadyAccountable, AlreadyEnded, BadAssignment, DutiesNotSeparated, OwnSecondLine
from stewardship.roles.meeting import meeting
from stewardship.roles.models import Role, RoleAssignment, Scope, SeparationRule
from stewardship.roles.rights import AssignmentRight


def assign(
    *,
    actor: User,
    role: Role | str,
    user: User | None = None,
    team: Team | None = None,
    region: Region | None = None,
    family: ModelFamily | None = None,
    model: RegisteredModel | None = None,
    valid_from: datetime | None = None,
    valid_until: datetime | None = None,
    rationale: str,
) -> RoleAssignment:
    """Give a role to a person or a team on exactly one scope, from–until.

    Raises BadAssignment, AlreadyAccountable, DutiesNotSeparated, OwnSecondLine; Forbidden without the right on the scope.
    """
    held = _role(role)
    scope = _one_scope(region, family, model)
    require(actor, AssignmentRight.ASSIGN_SECOND_LINE if held.second_line else AssignmentRight.ASSIGN, scope)
    _check_holder(held, user, team)
    if not rationale.strip():
        raise BadAssignment("Why this person?", field="rationale", remedy="Say it in a sentence.")
    with transaction.atomic(), acting(actor, rationale):
        # Two assignments of one role at once would each miss the other.
        held = Role.objects.select_for_update().get(pk=held.pk)
        starts = valid_from or moment()
        if valid_until is not None and valid_until <= starts:
            raise BadAssignment("It would end before it starts.", field="valid_until", remedy="Choose a later end.")
        if held.second_line:
            _check_independent(actor, scope, user, team, starts)
        if held.accountable:
            _check_alone(held, scope, starts, valid_until)
        _check_separated(held, scope, user, team, starts, valid_until)
        row = RoleAssignment(
            role=held,
            user=user,
            team=team,
            region=region,
            family=family,
            model=model,
            valid_from=starts,
            valid_until=valid_until,
            rationale=rationale,
            exclusive=held.accountable,
        )
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError as error:
            raise AlreadyAccountable(_somebody_else(held, scope), field="role", remedy="End that assignment first.") from error
    return row


def end(row: RoleAssignment, *, actor: User, reason: str = "", at: datetime | None = None) -> None:
    """End an assignment now, or at a later `at`. One that had not begun yet lasts no time at all."""
    require(actor, AssignmentRight.ASSIGN_SECOND_LINE if row.role.second_line else AssignmentRight.ASSIGN, row.scope)
    with transaction.atomic(), acting(actor, reason or "Ended"):
        row.refresh_from_db(from_queryset=RoleAssignment.objects.select_for_update())
        now = moment()
        if row.valid_until is not None and row.valid_until <= now:
            raise AlreadyEnded("This assignment has ended already.", field="valid_until", remedy="Nothing to do.")
        row.valid_until = max(at or now, now, row.valid_from) if row.valid_from <= now else row.valid_from
        row.save(update_fields=["valid_until"])


def _role(role: Role | str) -> Role:
    if isinstance(role, Role):
        return role
    found: Role | None = Role.objects.filter(slug=role).first()
    if found is None:
        raise BadAssignment(f"There is no role {role!r}.", field="role", remedy="Choose one from the list of roles.")
    return found


def _one_scope(region: Region | None, family: ModelFamily | None, model: RegisteredModel | None) -> Scope:
    scopes = [scope for scope in (region, family, model) if scope is not None]
    if len(scopes) != 1:
        raise BadAssignment("A role is given on one region, family or model.", field="scope", remedy="Choose exactly one.")
    return scopes[0]


def _check_holder(role: Role, user: User | None, team: Team | None) -> None:
    if (user is None) == (team is None):
        raise BadAssignment("A role is given to one person or one team.", field="user", remedy="Choose exactly one.")
    if role.accountable and team is not None:
        raise BadAssignment("A team cannot be accountable.", field="team", remedy="Choose a person.")
    if user is not None and (user.is_system or not user.is_active):
        raise BadAssignment(f"{user} cannot hold a role.", field="user", remedy="Choose an active person.")


def _people(user: User | None, team: Team | None, start: datetime, until: datetime | None) -> set[Any]:
    if user is not None:
        return {user.pk}
    rows = Membership.objects.filter(Q(ends__isnull=True) | Q(ends__gt=start), team=team)
    if until is not None:
        rows = rows.filter(starts__lt=until)
    return set(rows.values_list("user_id", flat=True))


def _check_independent(actor: User, scope: Scope, user: User | None, team: Team | None, at: datetime) -> None:
    if actor.is_system:
        return
    if actor.pk in _people(user, team, at, None):
        raise OwnSecondLine("Nobody appoints themselves to the second line.", field="user", remedy="Ask another appointer.")
    owns = RoleAssignment.objects.in_force(at).filter(meeting(scope), role__accountable=True, user=actor)
    if owns.exists():
        raise OwnSecondLine(
            "Whoever is accountable for a model does not appoint its second line.", field="role", remedy="Ask the second line."
        )


def _somebody_else(role: Role, scope: Scope) -> str:
    return f"Somebody is {role} of {scope} for a part of that time."


def _check_alone(role: Role, scope: Scope, start: datetime, until: datetime | None) -> None:
    other = RoleAssignment.objects.on(scope).filter(role=role).overlapping(start, until).select_related("user").first()
    # One that was ended before it began holds at no instant.
    if other is not None and other.valid_until != other.valid_from:
        raise AlreadyAccountable(
            f"{other.user} is {role} of {scope} for a part of that time.", field="user", remedy="End that assignment first."
        )


def _check_separated(role: Role, scope: Scope, user: User | None, team: Team | None, start: datetime, until: datetime | None) -> None:
    pairs = SeparationRule.objects.filter(Q(first=role) | Q(second=role)).values_list("first_id", "second_id")
    others = {second if first == role.pk else first for first, second in pairs}
    if not others:
        return
    people = _people(user, team, start, until)
    rows = (
        RoleAssignment.objects.overlapping(start, until)
        .filter(meeting(scope), role_id__in=others)
        .select_related("role", "user", "team")
        .distinct()
    )
    for row in rows:
        both = people & _people(row.user, row.team, start, until)
        if both:
            who = User.objects.get(pk=sorted(both, key=str)[0])
            raise DutiesNotSeparated(
                f"{who} is {row.role} there; {role} must be somebody else.", field="user", remedy="Choose another person."
            )
