"""Carry waiting notices out of the house: claim, ask whether still wanted, send, record."""

from __future__ import annotations

import logging
import math
import smtplib
import time
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import NamedTuple
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from stewardship.notices.causes import find
from stewardship.notices.models import Delivery, Notice

logger = logging.getLogger(__name__)

# Longer than a slow mail server can take (EMAIL_TIMEOUT bounds each of its answers).
LEASE = timedelta(seconds=60)
# Pauses after the first, second, … failure; after the last the delivery is dead and says why.
PAUSES = tuple(timedelta(seconds=seconds) for seconds in (15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600))
_ABOUT_THE_MESSAGE = (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused, smtplib.SMTPDataError)


class Claim(NamedTuple):
    """The right to try one delivery once; `attempt` fences off a process that comes back late."""

    delivery: UUID
    attempt: int


class Refused(Exception):
    """Trying again would not help."""


def deliver(at: datetime | None = None, *, limit: int = 100, seconds: float = math.inf) -> int:
    """Try every delivery that is due, at most `limit` and for `seconds`; returns how many were tried. Safe in any number of processes.

    A server that cannot be reached ends the pass: the next message would wait as long for nothing.

    At least once: a process killed between the server's acceptance and our note of it sends the same message, with
    the same Message-ID, again when its lease has run out.
    """
    tried, reachable, ends = 0, True, time.monotonic() + seconds
    while reachable and tried < limit and time.monotonic() < ends and (claim := _claim(at or timezone.now())) is not None:
        reachable = _attempt(claim, at)
        tried += 1
    return tried


def _claim(at: datetime) -> Claim | None:
    for row in Delivery.objects.due(at).order_by("due_at", "id").values("id", "attempts")[:20]:
        # Guarded: of two processes that read the same row, one changes it.
        mine = (
            Delivery.objects.due(at)
            .filter(pk=row["id"], attempts=row["attempts"])
            .update(status=Delivery.Status.SENDING, lease_until=at + LEASE, attempts=row["attempts"] + 1)
        )
        if mine:
            return Claim(row["id"], row["attempts"] + 1)
    return None


def _attempt(claim: Claim, at: datetime | None) -> bool:
    """Try one delivery and note what became of it; False when nothing can be sent at all just now."""
    reachable = True
    notice = Notice.objects.select_related("recipient").get(delivery=claim.delivery)
    changes: dict[str, object]
    try:
        if not notice.recipient.is_active or not find(notice.cause_kind).still_wanted(notice.cause_id):
            changes = {"status": Delivery.Status.DROPPED}
        else:
            send_email(notice)
            changes = {"status": Delivery.Status.SENT, "sent_at": at or timezone.now(), "error": ""}
    except Refused as error:
        changes = {"status": Delivery.Status.DEAD, "error": str(error)[:1000]}
    except Exception as error:  # whatever a mail server or a provider of another slice does, the others must still go out
        logger.warning("Notice %s was not delivered (attempt %d): %s", notice.pk, claim.attempt, error)
        changes = _after_failure(claim.attempt, error, at or timezone.now())
        # smtplib's own errors are OSErrors too; these three are about one message.
        reachable = not isinstance(error, OSError) or isinstance(error, _ABOUT_THE_MESSAGE)
    Delivery.objects.filter(pk=claim.delivery, attempts=claim.attempt, status=Delivery.Status.SENDING).update(lease_until=None, **changes)
    return reachable


def _after_failure(attempt: int, error: Exception, at: datetime) -> dict[str, object]:
    said = f"{type(error).__name__}: {error}"[:1000]
    if attempt > len(PAUSES):
        return {"status": Delivery.Status.DEAD, "error": said}
    return {"status": Delivery.Status.WAITING, "due_at": at + PAUSES[attempt - 1], "error": said}


def message_id(notice: Notice) -> str:
    """The same for every attempt, so that a mail server or reader can drop a repetition."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    return f"<{notice.pk}@{domain}>"


def send_email(notice: Notice) -> None:
    """Hand one notice to the mail server. Raises Refused when it never can be delivered, else what the server raised."""
    if not notice.recipient.email:
        raise Refused("The person has no e-mail address.")
    with translation.override(notice.recipient.language or None):
        footer = _("Open: %(url)s") % {"url": f"{settings.BASE_URL}{notice.link}"} if notice.link else ""
    message = EmailMessage(
        subject=notice.subject,
        body="\n\n".join(part for part in (notice.body, footer) if part),
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[notice.recipient.email],
        headers={"Message-ID": message_id(notice), "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _text in error.recipients.values()]
        if codes and min(codes) >= 500:
            raise Refused(f"The mail server refuses {notice.recipient.email}: {codes[0]}.") from error
        raise
