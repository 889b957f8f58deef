"""Write notices: inside the caller's transaction, so that what happened and the word of it commit together."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone, translation

from stewardship.journal.acting import moment
from stewardship.notices.causes import find
from stewardship.notices.models import Channel, Delivery, Notice
from stewardship.people.models import User

# A text, a lazy translation, or a function that words it for one reader (times in their zone).
Wording = str | Any | Callable[[User], str]


def _worded(text: Wording, reader: User) -> str:
    return str(text(reader) if callable(text) else text)


def send(
    *,
    cause_kind: str,
    cause_id: UUID,
    step: str,
    recipients: Iterable[User],
    subject: Wording,
    body: Wording = "",
    link: str = "",
    channels: Iterable[str] = (Channel.PORTAL, Channel.EMAIL),
) -> list[Notice]:
    """Tell each recipient once per channel; a repeated call with the same cause and step changes nothing.

    `subject` and `body` may be lazy translations or functions of the reader; they are worded in the reader's language
    and time zone. `link` is a path; without one the registered cause gives it. Returns the notices that are new.
    Raises UnknownCause. Must run inside `acting()`.
    """
    path = link or find(cause_kind).link(cause_id)
    new: list[Notice] = []
    for reader in dict.fromkeys(recipients):
        if reader.is_system or not reader.is_active:
            continue
        with translation.override(reader.language or None), timezone.override(reader.time_zone or None):
            subject_text = " ".join(_worded(subject, reader).split())[:200]  # one line: it becomes a mail header
            body_text = _worded(body, reader)
        for channel in dict.fromkeys(channels):
            with transaction.atomic():
                notice, created = Notice.objects.get_or_create(
                    cause_kind=cause_kind,
                    cause_id=cause_id,
                    step=step,
                    recipient=reader,
                    channel=Channel(channel),
                    defaults={"subject": subject_text, "body": body_text, "link": path},
                )
                if created:
                    _start_delivery(notice)
                    new.append(notice)
    return new


def _start_delivery(notice: Notice) -> None:
    at = moment()
    if notice.channel == Channel.PORTAL:  # being in the list is being delivered
        Delivery.objects.create(notice=notice, status=Delivery.Status.SENT, due_at=at, sent_at=at)
    else:
        Delivery.objects.create(notice=notice, due_at=at)
