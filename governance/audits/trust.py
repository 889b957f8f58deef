"""What a verifier must be told by another way than the report: the journal's keys and the seal's fingerprint."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from stewardship.documents import seal
from stewardship.journal.models import Key


def document() -> dict[str, Any]:
    """The content of trust.json for this installation."""
    return {
        "origin": settings.JOURNAL_ORIGIN,
        "keys": list(Key.objects.order_by("from_size", "key_id").values_list("vkey", flat=True)),
        "seal_certificates": [seal.fingerprint()],
    }
