"""Pure arithmetic of working time, and how values combine down a region tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HORIZON = timedelta(days=3660)  # a calendar without working time would otherwise be searched for ever

Week = Mapping[str, Sequence[Sequence[str]]]


class NoWorkingTime(ValueError):
    """The calendar has no (or not enough) working time within ten years."""


class BadWeek(ValueError):
    """The weekly hours cannot be read; the message names the day."""


def _minutes(text: str) -> int:
    hours, colon, minutes = text.partition(":")
    if not (colon and hours.isdigit() and minutes.isdigit()):
        raise ValueError(text)
    total = int(hours) * 60 + int(minutes)
    if not (0 <= total <= 24 * 60 and int(minutes) < 60):
        raise ValueError(text)
    return total


def parse_week(week: Week) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Minutes of the local day at which work starts and ends, Monday first; raises BadWeek naming the day."""
    unknown = set(week) - set(WEEKDAYS)
    if unknown:
        raise BadWeek(_("%(day)r is not a day; days are %(days)s.") % {"day": sorted(unknown)[0], "days": ", ".join(WEEKDAYS)})
    days = []
    for day in WEEKDAYS:
        spans = []
        end_before = 0
        for span in week.get(day, ()):
            try:
                opens, closes = (_minutes(str(part)) for part in span)
            except ValueError as error:
                raise BadWeek(_('%(day)s: %(span)r is not ["09:00", "17:00"].') % {"day": day, "span": span}) from error
            if not end_before <= opens < closes:
                text = _("%(day)s: %(span)r ends before it starts, or overlaps the span before it.")
                raise BadWeek(text % {"day": day, "span": span})
            spans.append((opens, closes))
            end_before = closes
        days.append(tuple(spans))
    return tuple(days)


def _instant(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    if minutes == 24 * 60:
        day, minutes = day + timedelta(days=1), 0
    return datetime.combine(day, time(minutes // 60, minutes % 60), tzinfo=zone).astimezone(UTC)


def add_working(start: datetime, amount: timedelta, *, zone: ZoneInfo, week: Week, closed: Callable[[date], bool]) -> datetime:
    """The UTC instant at which `amount` of working time has passed since `start` (aware).

    Spans are turned into instants before they are measured, so a day on which clocks change counts what really passed.
    """
    days = parse_week(week)
    left = amount
    moment = start.astimezone(UTC)
    if left <= timedelta(0):
        return moment
    day = start.astimezone(zone).date()
    last = day + HORIZON
    while day <= last:
        if not closed(day):
            for opens, closes in days[day.weekday()]:
                begins = max(_instant(day, opens, zone), moment)
                length = _instant(day, closes, zone) - begins
                if length <= timedelta(0):
                    continue
                if left <= length:
                    return begins + left
                left -= length
        day += timedelta(days=1)
    raise NoWorkingTime("This calendar has not enough working time in the next ten years.")


@dataclass(frozen=True)
class Limits:
    """How one parameter combines from the root to a leaf, and the range nobody may leave."""

    combine: str  # "min" | "max" | "fixed" | "free"
    low: Decimal | None = None
    high: Decimal | None = None


@dataclass(frozen=True)
class Chosen:
    """The value in force, the node that set it, and whether a nearer node's wish was cut back."""

    value: Any
    node: UUID
    clamped: bool


def _number(value: Any) -> bool:
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def within(value: Any, limits: Limits) -> Any:
    """The value, pulled into the range; what is not a number has no range."""
    if not _number(value):
        return value
    if limits.low is not None and value < limits.low:
        return limits.low
    if limits.high is not None and value > limits.high:
        return limits.high
    return value


def combine(chain: Iterable[tuple[UUID, Any]], limits: Limits) -> Chosen | None:
    """Fold the values set from the root (first) to the leaf (last); None when no node sets one.

    `min` and `max` let a nearer node only tighten; `fixed` heeds the first node only; `free` takes the nearest.
    """
    chosen: Chosen | None = None
    for node, wish in chain:
        value = within(wish, limits)
        cut = value != wish
        if (
            chosen is None
            or limits.combine == "free"
            or (limits.combine in ("min", "max") and _tighter(value, chosen.value, limits.combine))
        ):
            chosen = Chosen(value, node, cut)
        elif value != chosen.value:
            chosen = Chosen(chosen.value, chosen.node, True)
    return chosen


def _tighter(value: Any, than: Any, direction: str) -> bool:
    if not (_number(value) and _number(than)):
        return False
    return bool(value < than) if direction == "min" else bool(value > than)
