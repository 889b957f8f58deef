"""When something is due, in elapsed or in working time of a region."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from stewardship.regions.holidays import closed_days
from stewardship.regions.models import Region, WorkingCalendar
from stewardship.regions.rules import NoWorkingTime, add_working


def calendar_of(region: Region) -> WorkingCalendar | None:
    """The nearest calendar from this region up to the root."""
    path = {node.pk: place for place, node in enumerate(region.ancestors_and_self())}
    found = list(WorkingCalendar.objects.filter(region_id__in=path).select_related("region"))
    return max(found, key=lambda calendar: path[calendar.region_id], default=None)


def due(region: Region, start: datetime, minutes: int | Decimal, working: bool) -> datetime:
    """`minutes` after `start` (aware), in UTC.

    Working minutes need a calendar; where no region up to the root has one, or the nearest has no working time left (closed for
    years), every minute counts, which is the sooner of the two.
    """
    amount = timedelta(microseconds=int(Decimal(minutes) * 60_000_000))
    calendar = calendar_of(region) if working else None
    if calendar is None:
        return start.astimezone(UTC) + amount
    try:
        return add_working(
            start,
            amount,
            zone=calendar.tz,
            week=calendar.week,
            closed=closed_days(calendar.country, calendar.subdivision, calendar.closures),
        )
    except NoWorkingTime:
        return start.astimezone(UTC) + amount
