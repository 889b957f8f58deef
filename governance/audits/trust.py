"""What a verifier must be told by another way than the report: the journal's keys and the seal's fingerprint."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from stewardship.documents import seal
from stewardship.journal.keys import verifiers


def document() -> dict[str, Any]:
    """The content of trust.json for this installation: the keys of its key folder, never those that the database names."""
    return {
        "origin": settings.JOURNAL_ORIGIN,
        "keys": [str(key) for key in verifiers()],
        "seal_certificates": [seal.fingerprint()],
    }
