"""Mark notices as read. Reading state belongs to the reader and is not governed."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from stewardship.notices.models import Channel, Delivery, Notice
from stewardship.people.models import User


def unread_count(user: User) -> int:
    """How many notices this person has not read."""
    return unread(user)[0].count()


def unread(user: User) -> list[QuerySet[Notice]]:
    """For the sidebar: the notices this person has not read."""
    return [Notice.objects.of(user).unread()]


def mark_read(user: User, notices: Iterable[UUID] | None = None) -> int:
    """Mark these of the person's own notices (all, when not given) as read; returns how many changed."""
    found = Delivery.objects.filter(notice__recipient=user, notice__channel=Channel.PORTAL, read_at__isnull=True)
    if notices is not None:
        found = found.filter(notice__in=list(notices))
    changed: int = found.update(read_at=timezone.now())
    return changed
