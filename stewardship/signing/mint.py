"""Mint one-use signing tokens: each from a check of a credential at this moment, for one exact content."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from stewardship.journal.acting import moment
from stewardship.people.models import User
from stewardship.signing.credentials import check
from stewardship.signing.errors import CredentialRefused, ProgramsCannotSign, TokenRefused
from stewardship.signing.models import Meaning, Method, SigningToken

LIFE = timedelta(minutes=5)


@dataclass(frozen=True)
class Authentication:
    """A completed check. Good for a series of tokens, one per item, in the same session, for five minutes."""

    user: User
    session_hash: str
    method: Method
    at: datetime


def hashed(secret: str) -> str:
    """How a token or session key is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def authenticate(*, user: User, session_key: str, method: str, credential: str) -> Authentication:
    """Check the credential. Raises CredentialRefused, NoMethod, ProgramsCannotSign."""
    if not session_key:
        raise ProgramsCannotSign(
            _("A signature needs a person in a session of the portal; an access token can never sign."),
            remedy=_("Log in to the portal and sign there."),
        )
    at = check(user, method, credential)
    return Authentication(user=user, session_hash=hashed(session_key), method=Method(method), at=at)


def token_for(proof: Authentication, *, subject_kind: str, subject_id: UUID, digest: str, meaning: str) -> str:
    """One token for one item of a series. Raises CredentialRefused when the check is older than five minutes."""
    now = timezone.now()
    if now - proof.at > LIFE:
        raise CredentialRefused(_("You proved who you are more than 5 minutes ago."), field="credential", remedy=_("Enter it again."))
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise TokenRefused(
            _("What is to be signed has no valid digest."), field="digest", remedy=_("Reload the page and sign what it shows.")
        )
    plain = secrets.token_urlsafe(32)
    SigningToken.objects.create(
        token_hash=hashed(plain),
        user=proof.user,
        session_hash=proof.session_hash,
        subject_kind=subject_kind,
        subject_id=subject_id,
        digest=digest,
        meaning=Meaning(meaning),
        method=proof.method,
        # In example data the proof is part of the told story; the token's own life always runs by the real clock.
        authenticated_at=min(proof.at, moment()),
        minted_at=now,
        expires_at=now + LIFE,
    )
    return plain


def mint(
    *, user: User, session_key: str, subject_kind: str, subject_id: UUID, digest: str, meaning: str, method: str, credential: str
) -> str:
    """Check the credential and return a token that signs exactly this, once, within five minutes.

    Raises CredentialRefused, NoMethod, ProgramsCannotSign, TokenRefused.
    """
    proof = authenticate(user=user, session_key=session_key, method=method, credential=credential)
    return token_for(proof, subject_kind=subject_kind, subject_id=subject_id, digest=digest, meaning=meaning)
