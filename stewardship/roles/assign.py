"""Giving a role to somebody, and ending it. The one place where accountability and separation of duties are held."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from stewardship.access import require
from stewardship.inventory.models import ModelFamily, RegisteredModel
from stewardship.journal.acting import acting, check_not_past, moment
from stewardship.people.models import Team, User
from stewardship.regions.models import Region
from stewardship.roles.apart import check_independent, check_separated, people_of
from stewardship.roles.errors import AlreadyAccountable, AlreadyEnded, BadAssignment
from stewardship.roles.models import Role, RoleAssignment, Scope
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

    Raises BadAssignment, AlreadyAccountable, DutiesNotSeparated, OwnSecondLine, BackdatingRefused; Forbidden without the right
    on the scope.
    """
    held = _role(role)
    scope = _one_scope(region, family, model)
    require(actor, AssignmentRight.ASSIGN_SECOND_LINE if held.second_line else AssignmentRight.ASSIGN, scope)
    _check_holder(held, user, team)
    if not rationale.strip():
        raise BadAssignment(_("Why this person?"), field="rationale", remedy=_("Say it in a sentence."))
    with transaction.atomic(), acting(actor, rationale):
        # Two assignments of one role at once would each miss the other.
        held = Role.objects.select_for_update().get(pk=held.pk)
        starts = valid_from or moment()
        check_not_past(starts, "valid_from")
        if valid_until is not None and valid_until <= starts:
            raise BadAssignment(_("It would end before it starts."), field="valid_until", remedy=_("Choose a later end."))
        people = people_of(held, user, team, starts, valid_until)
        if held.second_line:
            check_independent(actor, scope, people, starts)
        if held.accountable:
            _check_alone(held, scope, starts, valid_until)
        check_separated(held, scope, people, starts, valid_until)
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
            raise AlreadyAccountable(_somebody_else(held, scope), field="role", remedy=_("End that assignment first.")) from error
    return row


def end(row: RoleAssignment, *, actor: User, reason: str = "", at: datetime | None = None) -> None:
    """End an assignment now, or at a later `at`. One that had not begun yet lasts no time at all."""
    require(actor, AssignmentRight.ASSIGN_SECOND_LINE if row.role.second_line else AssignmentRight.ASSIGN, row.scope)
    with transaction.atomic(), acting(actor, reason or "Ended"):
        row.refresh_from_db(from_queryset=RoleAssignment.objects.select_for_update())
        now = moment()
        if row.valid_until is not None and row.valid_until <= now:
            raise AlreadyEnded(_("This assignment has ended already."), field="valid_until", remedy=_("Nothing to do."))
        row.valid_until = max(at or now, now, row.valid_from) if row.valid_from <= now else row.valid_from
        row.save(update_fields=["valid_until"])


def _role(role: Role | str) -> Role:
    if isinstance(role, Role):
        return role
    found: Role | None = Role.objects.filter(slug=role).first()
    if found is None:
        raise BadAssignment(_("There is no role %(role)r.") % {"role": role}, field="role", remedy=_("Choose one from the list of roles."))
    return found


def _one_scope(region: Region | None, family: ModelFamily | None, model: RegisteredModel | None) -> Scope:
    scopes = [scope for scope in (region, family, model) if scope is not None]
    if len(scopes) != 1:
        raise BadAssignment(_("A role is given on one region, family or model."), field="scope", remedy=_("Choose exactly one."))
    return scopes[0]


def _check_holder(role: Role, user: User | None, team: Team | None) -> None:
    if (user is None) == (team is None):
        raise BadAssignment(_("A role is given to one person or one team."), field="user", remedy=_("Choose exactly one."))
    if role.accountable and team is not None:
        raise BadAssignment(_("A team cannot be accountable."), field="team", remedy=_("Choose a person."))
    if user is not None and (user.is_system or not user.is_active):
        raise BadAssignment(_("%(user)s cannot hold a role.") % {"user": user}, field="user", remedy=_("Choose an active person."))


def _somebody_else(role: Role, scope: Scope) -> str:
    return _("Somebody is %(role)s of %(scope)s for a part of that time.") % {"role": role, "scope": scope}


def _check_alone(role: Role, scope: Scope, start: datetime, until: datetime | None) -> None:
    other = RoleAssignment.objects.on(scope).filter(role=role).overlapping(start, until).select_related("user").first()
    # One that was ended before it began holds at no instant.
    if other is not None and other.valid_until != other.valid_from:
        raise AlreadyAccountable(
            _("%(user)s is %(role)s of %(scope)s for a part of that time.") % {"user": other.user, "role": role, "scope": scope},
            field="user",
            remedy=_("End that assignment first."),
        )
