"""Which decisions wait for a person now; computed from roles each time, never stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from config.portal.registry import InboxItem
from governance.approvals import many
from governance.approvals.models import Requirement
from governance.approvals.rights import DecisionRight
from governance.changes.models import ChangeRequest, Status
from stewardship.people.models import Delegation, Membership, User
from stewardship.roles.models import RoleAssignment

MOST = 200


def asked_of(user: User, at: datetime) -> list[tuple[ChangeRequest, Requirement]]:
    """The changes in review on which this person is asked to decide now, the nearest deadline first.

    Requirements are narrowed to roles that the person (or their team, or somebody they stand in for) holds anywhere, before
    it is asked who holds them there; the number of queries does not grow with the number of changes.
    """
    visible = ChangeRequest.objects.in_review().allowed(user, DecisionRight.MAKE)
    asked = (
        _addressed(user, at)
        .filter(stage__route__change__in=visible)
        .select_related("role", "stage__route__change__model__region", "stage__route__change__version", "stage__route__change__region")
        .order_by("due_at", "pk")[:MOST]
    )
    return many.mine(user, asked, at)


def _addressed(user: User, at: datetime) -> QuerySet[Requirement]:
    """What is asked now of roles that this person holds anywhere, themselves, by their team, or standing in."""
    held = RoleAssignment.objects.in_force(at).filter(role=OuterRef("role"))
    delegators = Delegation.objects.in_force(at).filter(delegate=user).values("delegator")
    people = Q(user=user) | Q(user__in=delegators)
    teams = Membership.objects.in_force(at).filter(people).values("team")
    return Requirement.objects.asked().filter(Exists(held.filter(people | Q(team__in=teams))))


def count(user: User) -> int:
    """How many decisions wait for this person, in one statement: it stands in the sidebar of every page."""
    return waiting_rows(user, timezone.now()).count()


def rows(user: User) -> list[QuerySet[ChangeRequest]]:
    """For the sidebar: the changes that ask this person to decide."""
    return [waiting_rows(user, timezone.now())]


def waiting_rows(user: User, at: datetime) -> QuerySet[ChangeRequest]:
    """The changes that ask this person to decide, as rows to be counted.

    It does not ask whether a nearer assignment replaces theirs, so it may hold one too many; `asked_of` is exact.
    """
    asking = _addressed(user, at).exclude(stage__decisions__person=user).values("stage__route__change")
    reviewed = ChangeRequest.objects.in_review().allowed(user, DecisionRight.MAKE)
    return reviewed.filter(pk__in=asking).exclude(Q(submitted_by=user) | Q(drafted_by=user) | Q(owner=user))


def nearest(asked: Iterable[Requirement]) -> Requirement | None:
    """Of what is asked, the one that is due first; None when nothing has a deadline."""
    return min((each for each in asked if each.due_at), key=attrgetter("due_at"), default=None)


def inbox(user: User, at: datetime) -> Iterable[InboxItem]:
    """Decisions awaited from me, changes drafted for me or returned to me, and mine that wait for others."""
    for change, requirement in asked_of(user, at):
        yield InboxItem(
            title=str(change),
            url=change.get_absolute_url(),
            kind="change",
            meta=_("Your decision as %(role)s, %(region)s") % {"role": requirement.role, "region": change.region},
            due=requirement.due_at,
            since=requirement.stage.started_at,
        )
    for change in ChangeRequest.objects.drafted_for(user).order_by("-number")[:50]:
        yield InboxItem(
            title=str(change),
            url=change.get_absolute_url(),
            kind="change",
            meta=_("Drafted for you: check and submit it. %(origin)s") % {"origin": change.origin_label},
        )
    mine = list(
        ChangeRequest.objects.of_person(user)
        .filter(status__in=[Status.RETURNED, Status.SUBMITTED, Status.APPROVED])
        .select_related("region")
        .order_by("-number")[:50]
    )
    asked: dict[object, list[Requirement]] = defaultdict(list)
    for each in Requirement.objects.asked().filter(stage__route__change__in=mine).select_related("role", "stage__route"):
        asked[each.stage.route.change_id].append(each)
    for change in mine:
        if change.status == Status.RETURNED:
            yield InboxItem(title=str(change), url=change.get_absolute_url(), kind="change", meta=_("Returned to you"))
        elif change.status == Status.APPROVED and change.is_targeted:
            yield InboxItem(
                title=str(change), url=change.get_absolute_url(), kind="change", meta=_("Approved, not yet deployed"), due=change.expires_at
            )
        elif change.status == Status.SUBMITTED:
            waiting = asked[change.pk]
            first = nearest(waiting)
            yield InboxItem(
                title=str(change),
                url=change.get_absolute_url(),
                kind="change",
                meta=_("In review"),
                due=first.due_at if first else None,
                since=first.stage.started_at if first else None,
                bucket_hint="waiting",
                waiting_on=", ".join(dict.fromkeys(str(each.role) for each in waiting)),
            )
