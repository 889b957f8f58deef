"""The inbox: everything that waits for a person, asked of every slice, by urgency; computed each time, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.portal.chips import Chip
from config.portal.registry import InboxItem, inbox
from config.portal.templatetags.portal import deadline
from governance.approvals import waiting as approvals
from governance.changes.models import TARGETED, ChangeRequest, Status
from governance.portfolio.rules import Bucket, grouped
from monitoring.alerts import panels as alerts
from stewardship.actions.models import Action
from stewardship.coverage.models import Gap
from stewardship.coverage.rights import GapRight
from stewardship.escalation.inbox import called_to
from stewardship.people.models import User

LABELS: dict[Bucket, str | Promise] = {
    Bucket.OVERDUE: _("Overdue"),
    Bucket.TODAY: _("Today"),
    Bucket.LATER: _("Later"),
    Bucket.WAITING: _("Waiting on others"),
}
ICONS = {"escalation": "run"}  # every other kind has an icon of its own name


@dataclass(frozen=True)
class Line:
    """One thing that waits, ready to be drawn."""

    item: InboxItem

    @property
    def icon(self) -> str:
        return ICONS.get(self.item.kind, self.item.kind)

    @property
    def chip(self) -> Chip | None:
        """The deadline in words; without its icon, which a hundred times over would be half of the page."""
        return replace(deadline(self.item.due, self.item.since), icon="none") if self.item.due else None


@dataclass(frozen=True)
class Group:
    """Things of one urgency."""

    name: Bucket
    label: str | Promise
    lines: list[Line]


class Inbox:
    """What waits for one person at one instant."""

    def __init__(self, user: User, at: datetime) -> None:
        local = timezone.localtime(at)
        day_ends = timezone.make_aware(datetime.combine(local.date(), time.max), local.tzinfo)
        self.found = grouped(inbox.items(user, at), at=at, day_ends=day_ends)

    @property
    def groups(self) -> Iterator[Group]:
        """What is not empty, the most urgent first."""
        for name, items in self.found.items():
            if items:
                yield Group(name, LABELS[name], [Line(item) for item in items])

    def count(self, *names: Bucket) -> int:
        """How many there are; without names, everything that waits for this person themselves."""
        return sum(len(self.found[name]) for name in names or (Bucket.OVERDUE, Bucket.TODAY, Bucket.LATER))

    @property
    def awaited(self) -> InboxItem | None:
        """Of what others owe, the one that is due first."""
        return next(iter(self.found[Bucket.WAITING]), None)

    @cached_property
    def look(self) -> str:
        """Changes whenever anything shown does, so that a poll need not draw the same again."""
        parts = [f"{name}|{item.url}|{item.title}|{item.meta}|{item.due}" for name, items in self.found.items() for item in items]
        return sha256("\n".join(parts).encode()).hexdigest()[:16]


def rows(user: User) -> list[QuerySet[Any]]:
    """For the sidebar of every page: what waits for this person, as rows to be counted (the lists themselves are exact)."""
    at = timezone.now()
    mine = ChangeRequest.objects.of_person(user).filter(Q(status=Status.RETURNED) | Q(status=Status.APPROVED, kind__in=TARGETED))
    return [
        approvals.waiting_rows(user, at),
        mine,
        ChangeRequest.objects.drafted_for(user),
        alerts.taken_on(user, at),
        called_to(user),
        Action.objects.waiting_for(user),
        Gap.objects.allowed(user, GapRight.CLOSE).open(),
    ]
