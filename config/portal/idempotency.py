"""A POST that is sent twice happens once: the Idempotency-Key header, kept per person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from config.portal.errors import Conflict, Invalid, Unprocessable
from config.portal.models import IdempotentReply

LONGEST_KEY = 200
KEPT = timedelta(days=7)
ABANDONED = timedelta(minutes=5)  # above every request's time-out: whoever claimed it earlier is dead


@dataclass(frozen=True)
class Reply:
    """A stored answer."""

    status: int
    media_type: str
    body: bytes


def digest(method: str, path: str, body: bytes) -> str:
    """What makes two requests the same request."""
    return hashlib.sha256(b"\0".join([method.encode(), path.encode(), body])).hexdigest()


def begin(user: Any, key: str, request_digest: str) -> Reply | IdempotentReply:
    """The stored answer to this key, or a claim that `finish()` or `abandon()` must close.

    Raises Unprocessable when the key belongs to another request, Conflict while the first one is still running.
    """
    if not key.isprintable() or len(key) > LONGEST_KEY:
        raise Invalid(_("An Idempotency-Key has at most 200 printable characters."), field="Idempotency-Key")
    now = timezone.now()
    try:
        with transaction.atomic():
            return IdempotentReply.objects.create(user=user, key=key, request_digest=request_digest, created_at=now)
    except IntegrityError:
        return _known(user, key, request_digest)


def _known(user: Any, key: str, request_digest: str) -> Reply | IdempotentReply:
    now = timezone.now()
    with transaction.atomic():
        row = IdempotentReply.objects.select_for_update().filter(user=user, key=key).first()
        if row is None:
            raise Conflict(_("The first request with this Idempotency-Key has just failed."), remedy=_("Send it again."))
        if row.request_digest != request_digest:
            raise Unprocessable(
                _("This Idempotency-Key belongs to another request."), field="Idempotency-Key", remedy=_("Use a new key for a new request.")
            )
        if row.status is not None:
            return Reply(row.status, row.media_type, bytes(row.body))
        if row.created_at > now - ABANDONED:
            raise Conflict(_("The first request with this Idempotency-Key is still running."), remedy=_("Wait, then send it again."))
        row.created_at = now
        row.save(update_fields=["created_at"])
        return row


def finish(claim: IdempotentReply, reply: Reply) -> None:
    """Keep the answer, unless it was the server's own failure: that one may be tried again."""
    if reply.status >= 500:
        abandon(claim)
        return
    claim.status, claim.media_type, claim.body = reply.status, reply.media_type, reply.body
    claim.save(update_fields=["status", "media_type", "body"])


def abandon(claim: IdempotentReply) -> None:
    """Nothing happened; the key may be used again."""
    claim.delete()


def once(request: HttpRequest, user: Any, body: bytes, answer: Callable[[], HttpResponse]) -> HttpResponse:
    """For plain views: the answer, or with an Idempotency-Key the one that its first request got. `answer` says its refusals itself."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        return answer()
    known = begin(user, key, digest("POST", request.get_full_path(), body))
    if isinstance(known, Reply):
        return replayed(known)
    try:
        given = answer()
    except BaseException:
        abandon(known)
        raise
    finish(known, Reply(given.status_code, given.headers["Content-Type"], given.content))
    return given


def replayed(reply: Reply) -> HttpResponse:
    """The kept answer, marked as such."""
    response = HttpResponse(reply.body, status=reply.status, content_type=reply.media_type)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def forget_old() -> int:
    """Drop what is older than a week; gives how many."""
    deleted, _by_model = IdempotentReply.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted
