"""Permits: JSON Web Signatures (RFC 7515, EdDSA) that anybody can check with the public key alone, without calling back."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.utils.translation import gettext as _

from governance.changes.models import ChangeRequest
from governance.gate import keys
from governance.gate.errors import PermitRefused
from governance.gate.models import Permit
from stewardship.inventory.models import Environment, ModelVersion
from stewardship.journal.canonical import dump
from stewardship.regions.models import Region

TYPE = "concordat-permit+jws"
LIFE = timedelta(hours=12)


def issue(
    *,
    change: ChangeRequest,
    version: ModelVersion,
    environment: Environment,
    region: Region,
    policies: list[dict[str, Any]],
    at: datetime,
    until: datetime | None,
) -> Permit:
    """Sign a permit for this version there, from now for 12 hours, or to `until` where that is sooner. Call inside acting()."""
    expires = end_of(change, at, until)
    identity = uuid4()
    claims = {
        "jti": str(identity),
        "iss": settings.JOURNAL_ORIGIN,
        "iat": int(at.timestamp()),
        "exp": int(expires.timestamp()),
        "model": change.model.slug,
        "version": version.label,
        "digest": version.digest,
        "environment": environment.slug,
        "region": region.code,
        "change": change.reference,
        "content": change.content_digest,
        "policies": [f"{each['policy']}/{each['version']}" for each in policies],
    }
    permit = Permit(
        pk=identity,
        change=change,
        version=version,
        environment=environment,
        region=region,
        token=_compact(claims),
        expires_at=expires,
    )
    permit.save()
    return permit


def end_of(change: ChangeRequest, at: datetime, until: datetime | None) -> datetime:
    """When a permit issued now would end, in whole seconds as its claims count them."""
    return datetime.fromtimestamp(int(min(filter(None, (at + LIFE, until, change.expires_at))).timestamp()), UTC)


def _compact(claims: dict[str, Any]) -> str:
    header = {"alg": "EdDSA", "typ": TYPE, "kid": keys.key_id(keys.public_key())}
    message = b".".join((_encode(dump(header)), _encode(dump(claims))))
    return (message + b"." + _encode(keys.sign(message))).decode()


def verify(permit: str, public_key: Ed25519PublicKey, *, at: datetime | None = None) -> dict[str, Any]:
    """The claims of a genuine permit; needs no database and no network.

    Raises PermitRefused when it is not one, was altered, is signed by another key, or (with `at`) has expired.
    """
    parts = permit.split(".")
    if len(parts) != 3 or len(permit) > 8192:
        raise PermitRefused(_("This is not a permit."), field="permit", remedy=_("Send the text exactly as the gate gave it."))
    try:
        header = msgspec.json.decode(_decode(parts[0]))
        signature = _decode(parts[2])
        # SECURITY: the algorithm is ours, never the one a forged header asks for.
        if not isinstance(header, dict) or header.get("alg") != "EdDSA" or header.get("typ") != TYPE:
            raise PermitRefused(_("This is signed, but it is not a permit."), field="permit")
        public_key.verify(signature, f"{parts[0]}.{parts[1]}".encode())
        claims = msgspec.json.decode(_decode(parts[1]))
    except (InvalidSignature, binascii.Error, msgspec.DecodeError, UnicodeError) as error:
        raise PermitRefused(
            _("The signature of this permit does not hold."), field="permit", remedy=_("Ask the gate again; do not use this one.")
        ) from error
    if not isinstance(claims, dict) or not isinstance(claims.get("exp"), int):
        raise PermitRefused(_("This permit says nothing about its end."), field="permit")
    if at is not None and at.timestamp() >= claims["exp"]:
        raise PermitRefused(_("This permit has expired."), field="permit", remedy=_("Ask the gate again."))
    return claims


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
