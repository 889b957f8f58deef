"""What of the gaps waits for a person."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse

from config.portal.registry import InboxItem
from stewardship.coverage.models import Gap
from stewardship.coverage.rights import GapRight

MOST = 20  # the rest is on the gaps page; an inbox of two hundred gaps is read by nobody


def gaps_for(user: Any, at: datetime) -> Iterable[InboxItem]:
    """Open gaps where this person is the one who can close them, the oldest first."""
    for gap in Gap.objects.allowed(user, GapRight.CLOSE).open().select_related("region").order_by("opened_at")[:MOST]:
        yield InboxItem(title=gap.label, url=reverse("gap_detail", args=[gap.pk]), kind="gap", meta=f"{gap.kind_label} · {gap.region.name}")
