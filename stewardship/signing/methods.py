"""Which ways of proving who they are a person has."""

from __future__ import annotations

from allauth.mfa.models import Authenticator

from stewardship.people.models import User
from stewardship.signing.models import Method


def available(user: User) -> list[Method]:
    """The methods this person can sign with, the stronger first; empty for somebody who has none of them."""
    found: list[Method] = []
    if Authenticator.objects.filter(user=user, type=Authenticator.Type.TOTP).exists():
        found.append(Method.TOTP)
    if user.has_usable_password():
        found.append(Method.PASSWORD)
    return found
