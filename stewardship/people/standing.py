"""Who is in which team, who is away, who stands in for whom, who has left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from config.portal.errors import Invalid
from config.portal.permission import permits
from stewardship.journal.acting import acting, check_not_past, moment
from stewardship.people import passing
from stewardship.people.errors import NotYours, Overlaps
from stewardship.people.models import Absence, Dated, Delegation, Membership, Team, User
from stewardship.people.rights import PersonRight


def _may_manage(actor: User, row: Any) -> None:
    if not permits(actor, PersonRight.MANAGE, row):
        raise NotYours(_("You may not manage %(row)s.") % {"row": row}, remedy=_("Ask somebody who manages people of that region."))


def _check(starts: datetime, ends: datetime | None) -> None:
    check_not_past(starts, "starts")
    if ends is not None and ends <= starts:
        raise Invalid(_("It would end before it starts."), field="ends", remedy=_("Choose a later end."))


def _check_person(user: User, field: str) -> None:
    if not user.is_active or user.is_system:
        raise Invalid(_("%(user)s cannot sign in.") % {"user": user}, field=field, remedy=_("Choose an active person."))


def join(
    team: Team, user: User, *, actor: User, starts: datetime | None = None, ends: datetime | None = None, reason: str = ""
) -> Membership:
    """Put a person into a team, and so into the roles that the team holds.

    Raises Overlaps when they are in it for a part of that time, and what `passing.check` raises: nobody joins by their own
    hand, and whoever may not appoint somebody to a role may not do so through a team.
    """
    _may_manage(actor, team)
    _check_person(user, "user")
    with acting(actor, reason or f"{user} joins {team}"), transaction.atomic():
        begins = starts or moment()
        _check(begins, ends)
        if any(_meets(row.starts, row.ends, begins, ends) for row in Membership.objects.filter(team=team, user=user)):
            raise Overlaps(
                _("%(user)s is in %(team)s for a part of that time.") % {"user": user, "team": team},
                field="starts",
                remedy=_("End that membership first."),
            )
        passing.check(passing.Passing(actor, team, user, begins, ends))
        membership = Membership(team=team, user=user, starts=begins, ends=ends)
        try:
            with transaction.atomic():
                membership.save()
        except IntegrityError as error:
            raise Overlaps(
                _("%(user)s is in %(team)s already.") % {"user": user, "team": team}, field="user", remedy=_("Nothing to do.")
            ) from error
    return membership


def leave(membership: Membership, *, actor: User, at: datetime | None = None, reason: str = "") -> None:
    """The membership ends now, or at a later `at`; what came with it ends too."""
    _may_manage(actor, membership.team)
    _end(membership, actor, at, reason or f"{membership.user} leaves {membership.team}")


def _end(row: Dated, actor: User, at: datetime | None, reason: str) -> None:
    """It ends now, or at a later `at`, and never later than it would anyway: what lasts longer is recorded anew, and judged anew."""
    if at is not None:
        check_not_past(at, "ends")
    with transaction.atomic(), acting(actor, reason):
        row.refresh_from_db(from_queryset=type(row)._default_manager.select_for_update())
        until = max(at, moment()) if at is not None else moment()
        if row.ends is not None and row.ends <= until:
            if at is not None and row.ends < at:
                raise Invalid(_("It ends before that."), field="ends", remedy=_("Record another one for the time after it."))
        elif row.starts >= until:
            row.delete()  # it never began
        else:
            row.ends = until
            row.save(update_fields=["ends"])


def _meets(starts: datetime, ends: datetime | None, begins: datetime, until: datetime | None) -> bool:
    return (ends is None or begins < ends) and (until is None or starts < until)


def be_absent(user: User, *, actor: User, starts: datetime, ends: datetime | None = None, reason: str = "") -> Absence:
    """Not to be called in that time. One's own, or anybody's with `people:person:manage`."""
    if actor.pk != user.pk:
        _may_manage(actor, user)
    _check(starts, ends)
    with acting(actor, reason or f"{user} is away"):
        absence = Absence(user=user, starts=starts, ends=ends)
        absence.save()
    return absence


def come_back(absence: Absence, *, actor: User, at: datetime | None = None, reason: str = "") -> None:
    """The absence ends now, or at a later `at`. One's own, or anybody's with `people:person:manage`."""
    if actor.pk != absence.user_id:
        _may_manage(actor, absence.user)
    _end(absence, actor, at, reason or f"{absence.user} is back")


def delegate(delegator: User, to: User, *, actor: User, starts: datetime, ends: datetime, reason: str = "") -> Delegation:
    """`to` may do for that time what `delegator` may do. One's own, or anybody's with `people:person:manage`.

    Raises what `passing.check` raises: nobody makes themselves a stand-in, and duties stay apart while somebody is away.
    """
    if actor.pk != delegator.pk:
        _may_manage(actor, delegator)
    _check(starts, ends)
    if delegator.pk == to.pk:
        raise Invalid(_("Nobody stands in for themselves."), field="delegate", remedy=_("Choose somebody else."))
    _check_person(to, "delegate")
    with acting(actor, reason or f"{to} stands in for {delegator}"), transaction.atomic():
        passing.check(passing.Passing(actor, delegator, to, starts, ends))
        delegation = Delegation(delegator=delegator, delegate=to, starts=starts, ends=ends)
        delegation.save()
    return delegation


def take_back(delegation: Delegation, *, actor: User, at: datetime | None = None, reason: str = "") -> None:
    """The delegation ends now, or at a later `at`. One's own, or anybody's with `people:person:manage`."""
    if actor.pk != delegation.delegator_id:
        _may_manage(actor, delegation.delegator)
    _end(delegation, actor, at, reason or f"{delegation.delegate} stands in for {delegation.delegator} no more")


def deactivate(user: User, *, actor: User, reason: str) -> None:
    """From now on the account can do nothing, nor can who stands in for it; what it did keeps its name. Its tokens die with it."""
    _set_active(user, False, actor, reason)


def reactivate(user: User, *, actor: User, reason: str) -> None:
    """The account may do again what its roles say."""
    _set_active(user, True, actor, reason)


def _set_active(user: User, active: bool, actor: User, reason: str) -> None:
    _may_manage(actor, user)
    if user.is_system:
        raise Invalid(_("The system account is always there."), field="user", remedy=_("Choose a person."))
    with transaction.atomic():
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
        if user.is_active != active:
            user.is_active = active
            with acting(actor, reason):
                user.save(update_fields=["is_active"])


def change_address(user: User, email: str, *, actor: User, reason: str) -> None:
    """Another e-mail address, to which links for a new password go. Raises NotYours, Invalid for one that is taken.

    SECURITY: whoever reads that mail can become this person, so it takes every strong right that the person holds.
    """
    _may_manage(actor, user)
    if not passing.outreaches(actor, user):
        raise NotYours(
            _("%(name)s may sign, appoint or configure where you may not, so you may not change where their mail goes.") % {"name": user},
            field="email",
            remedy=_("Ask somebody who holds these rights too, or have the roles ended first."),
        )
    with transaction.atomic(), acting(actor, reason):
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
        user.email = User.objects.normalize_email(email)
        try:
            with transaction.atomic():
                user.save(update_fields=["email"])
        except IntegrityError as error:
            raise Invalid(_("Another account has this address."), field="email", remedy=_("Choose another address.")) from error
