"""Periods of the calendar, in the person's zone."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone


def quarter_began(at: datetime) -> datetime:
    """The first instant of the quarter of the calendar year in which `at` lies."""
    local = timezone.localtime(at)
    first = datetime(local.year, (local.month - 1) // 3 * 3 + 1, 1)  # noqa: DTZ001 - the zone comes with the next line
    return timezone.make_aware(first, local.tzinfo)
