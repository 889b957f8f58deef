"""Whether this session has shown a second factor, and what happens when it has to."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.http import HttpRequest

METHOD = "mfa"


def shown(request: HttpRequest) -> bool:
    """In this very session: being enrolled is not enough."""
    return any(record.get("method") == METHOD for record in get_authentication_records(request, request.user))


def enrolled(sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **kwargs: Any) -> None:
    """Setting up an authenticator asks for a code from it, so this session has shown it."""
    if authenticator.type == Authenticator.Type.TOTP:
        record_authentication(request, user, METHOD, id=authenticator.pk, type=authenticator.type)


def has_one(user: Any) -> bool:
    """Whether the person has set one up."""
    return bool(is_mfa_enabled(user))


def grace_ends(user: Any) -> datetime | None:
    """Until when a person may work without; None when no grace is known."""
    joined: datetime | None = getattr(user, "joined_at", None)
    return None if joined is None else joined + timedelta(days=settings.MFA_ENROLMENT_GRACE_DAYS)
