"""Who is in which team, who is away, who stands in for whom, who has left."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from config.portal.errors import Invalid
from config.portal.permission import permits
from stewardship.journal.acting import acting, moment
from stewardship.people.errors import NotYours, Overlaps
from stewardship.people.models import Absence, Delegation, Membership, Team, User
from stewardship.people.rights import PersonRight


def _may_manage(actor: User, row: Any) -> None:
    if not permits(actor, PersonRight.MANAGE, row):
        raise NotYours(f"You may not manage {row}.", remedy="Ask somebody who manages people of that region.")


def _check(starts: datetime, ends: datetime | None) -> None:
    if ends is not None and ends <= starts:
        raise Invalid("It would end before it starts.", field="ends", remedy="Choose a later end.")


def join(team: Team, user: User, *, actor: User, starts: datetime | None = None, ends: datetime | None = None) -> Membership:
    """Put a person into a team; raises Overlaps when they are in it for a part of that time."""
    _may_manage(actor, team)
    with acting(actor, f"{user} joins {team}"), transaction.atomic():
        begins = starts or moment()
        _check(begins, ends)
        if any(_meets(row.starts, row.ends, begins, ends) for row in Membership.objects.filter(team=team, user=user)):
            raise Overlaps(f"{user} is in {team} for a part of that time.", field="starts", remedy="End that membership first.")
        membership = Membership(team=team, user=user, starts=begins, ends=ends)
        try:
            with transaction.atomic():
                membership.save()
        except IntegrityError as error:
            raise Overlaps(f"{user} is in {team} already.", field="user", remedy="Nothing to do.") from error
    return membership


def leave(membership: Membership, *, actor: User) -> None:
    """The membership ends now; what came with it ends too."""
    _may_manage(actor, membership.team)
    with transaction.atomic(), acting(actor, f"{membership.user} leaves {membership.team}"):
        membership.refresh_from_db(from_queryset=Membership.objects.select_for_update())
        now = moment()
        if membership.ends is None or membership.ends > now:
            membership.ends = now
            if membership.starts >= now:
                membership.delete()  # it never began
            else:
                membership.save(update_fields=["ends"])


def _meets(starts: datetime, ends: datetime | None, begins: datetime, until: datetime | None) -> bool:
    return (ends is None or begins < ends) and (until is None or starts < until)


def be_absent(user: User, *, actor: User, starts: datetime, ends: datetime | None = None) -> Absence:
    """Not to be called in that time. One's own, or anybody's with `people:person:manage`."""
    if actor.pk != user.pk:
        _may_manage(actor, user)
    _check(starts, ends)
    with acting(actor, f"{user} is away"):
        absence = Absence(user=user, starts=starts, ends=ends)
        absence.save()
    return absence


def delegate(delegator: User, to: User, *, actor: User, starts: datetime, ends: datetime) -> Delegation:
    """`to` may do for that time what `delegator` may do. One's own, or anybody's with `people:person:manage`."""
    if actor.pk != delegator.pk:
        _may_manage(actor, delegator)
    _check(starts, ends)
    if delegator.pk == to.pk:
        raise Invalid("Nobody stands in for themselves.", field="delegate", remedy="Choose somebody else.")
    if not to.is_active or to.is_system:
        raise Invalid(f"{to} cannot sign in.", field="delegate", remedy="Choose an active person.")
    with acting(actor, f"{to} stands in for {delegator}"), transaction.atomic():
        delegation = Delegation(delegator=delegator, delegate=to, starts=starts, ends=ends)
        delegation.save()
    return delegation


def deactivate(user: User, *, actor: User, reason: str) -> None:
    """The account can do nothing any more, from now on; what it did keeps its name. Its tokens die with it."""
    _may_manage(actor, user)
    if user.is_system:
        raise Invalid("The system account is always there.", field="user", remedy="Choose a person.")
    with transaction.atomic():
        user.refresh_from_db(from_queryset=User.objects.select_for_update())
        if user.is_active:
            user.is_active = False
            with acting(actor, reason):
                user.save(update_fields=["is_active"])
