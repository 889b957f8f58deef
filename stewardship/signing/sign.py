"""Turn a token into a signature, once, in the caller's transaction."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _

from stewardship.journal.acting import acting
from stewardship.people.models import User
from stewardship.signing.errors import ProgramsCannotSign, TokenRefused
from stewardship.signing.mint import hashed
from stewardship.signing.models import Meaning, Signature, SigningToken


def sign(*, actor: User, token: str, session_key: str, subject_kind: str, subject_id: UUID, digest: str, meaning: str) -> Signature:
    """Consume the token and write the signature; everything the token is bound to must match.

    Whether the actor may do what they sign is the caller's question. Raises ProgramsCannotSign, TokenRefused.
    """
    if not session_key:
        raise ProgramsCannotSign(
            _("A signature needs a person in a session of the portal; an access token can never sign."),
            remedy=_("Log in to the portal and sign there."),
        )
    with transaction.atomic():
        found = SigningToken.objects.select_for_update().filter(token_hash=hashed(token)).first()
        if found is None:
            raise _refused(_("This signing token is not known."))
        now = timezone.now()
        _fits(found, actor, session_key, subject_kind, subject_id, digest, meaning)
        if found.consumed_at is not None:
            raise _refused(_("This signing token was used before; each signs once."))
        if found.expires_at <= now:
            raise _refused(_("This signing token has expired: more than 5 minutes have passed."))
        if not actor.is_active:
            raise _refused(_("This account is not active, so it cannot sign."))
        # Guarded, because SQLite has no row locks and a second process may have read the same row.
        if not SigningToken.objects.filter(pk=found.pk, consumed_at__isnull=True).update(consumed_at=now):
            raise _refused(_("This signing token was used before; each signs once."))
        with acting(actor):
            signature = Signature(
                signer=actor,
                printed_name=actor.full_name or actor.username,
                meaning=Meaning(meaning),
                digest=digest,
                method=found.method,
                authenticated_at=found.authenticated_at,
                subject_kind=subject_kind,
                subject_id=subject_id,
                token=found,
            )
            signature.save()
    return signature


def _fits(token: SigningToken, actor: User, session_key: str, kind: str, subject_id: UUID, digest: str, meaning: str) -> None:
    if token.user_id != actor.pk:
        raise _refused(_("This signing token belongs to another person."))
    if not constant_time_compare(token.session_hash, hashed(session_key)):
        raise _refused(_("This signing token belongs to another session."))
    if (token.subject_kind, token.subject_id) != (kind, subject_id):
        raise _refused(_("This signing token was made for something else."))
    if token.digest != digest:
        raise _refused(_("The content has changed since you confirmed who you are."), field="digest")
    if token.meaning != meaning:
        raise _refused(_("This signing token was made for another decision."))


def _refused(message: str, field: str = "token") -> TokenRefused:
    return TokenRefused(message, field=field, remedy=_("Read what is shown now and confirm with your password or code again."))
