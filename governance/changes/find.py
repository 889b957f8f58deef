"""How the palette finds changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Q

from config.portal.registry import Hit
from governance.changes.models import ChangeRequest
from governance.changes.rights import ChangeRight


def find(user: Any, text: str, limit: int) -> Iterable[Hit]:
    """By number (CR-12 or 12), title or model; only what the person may see."""
    wanted = Q(title__icontains=text) | Q(model__name__icontains=text)
    number = text.upper().removeprefix("CR-")
    if number.isdecimal() and len(number) < 10:
        wanted |= Q(number=int(number))
    rows = ChangeRequest.objects.allowed(user, ChangeRight.VIEW).filter(wanted).select_related("model").order_by("-number")[:limit]
    return [Hit(str(row), f"{row.get_status_display()} · {row.model}", row.get_absolute_url(), "change") for row in rows]
