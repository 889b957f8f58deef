"""Working time: spans, holidays, clock changes; compared with a slow count of minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from stewardship.journal.acting import acting
from stewardship.people.models import system_user
from stewardship.regions import clock
from stewardship.regions.models import WorkingCalendar
from stewardship.regions.rules import BadWeek, NoWorkingTime, add_working, parse_week
from tests.cast import Cast

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = {day: [["09:00", "12:00"], ["13:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


def never(day: date) -> bool:
    return False


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


CASES = [
    # start, hours, expected (Berlin)
    ("2026-03-02T09:00", 2, "2026-03-02T11:00"),
    ("2026-03-02T11:00", 2, "2026-03-02T14:00"),  # over lunch
    ("2026-03-02T07:00", 1, "2026-03-02T10:00"),  # before work
    ("2026-03-02T18:00", 1, "2026-03-03T10:00"),  # after work
    ("2026-03-06T16:00", 2, "2026-03-09T10:00"),  # over the week-end
    ("2026-03-27T16:00", 2, "2026-03-30T10:00"),  # clocks go forward on that week-end
    ("2026-10-23T16:00", 2, "2026-10-26T10:00"),  # and back on this one
    ("2026-03-02T09:00", 7, "2026-03-02T17:00"),  # exactly the day's end, not the next morning
    ("2026-03-02T12:30", 0, "2026-03-02T12:30"),
]


@pytest.mark.parametrize(("start", "hours", "expected"), CASES)
def test_known_cases(start: str, hours: int, expected: str) -> None:
    found = add_working(berlin(start), timedelta(hours=hours), zone=BERLIN, week=OFFICE, closed=never)
    assert found == berlin(expected)
    assert found.tzinfo == UTC


def test_a_night_shift_counts_the_hour_that_is_lost_and_the_one_that_is_won() -> None:
    nights = {"sun": [["00:00", "06:00"]]}
    spring = add_working(berlin("2026-03-29T00:00"), timedelta(hours=5), zone=BERLIN, week=nights, closed=never)
    assert spring == berlin("2026-03-29T06:00")
    autumn = add_working(berlin("2026-10-25T00:00"), timedelta(hours=7), zone=BERLIN, week=nights, closed=never)
    assert autumn == berlin("2026-10-25T06:00")


def test_a_day_may_last_until_midnight() -> None:
    late = {"mon": [["22:00", "24:00"]]}
    assert add_working(berlin("2026-03-02T12:00"), timedelta(hours=2), zone=BERLIN, week=late, closed=never) == berlin("2026-03-03T00:00")


def test_a_calendar_without_work_is_said_not_searched_for_ever() -> None:
    with pytest.raises(NoWorkingTime):
        add_working(berlin("2026-03-02T12:00"), timedelta(hours=2), zone=BERLIN, week={}, closed=never)


def _slowly(start: datetime, minutes: int, closed: frozenset[date]) -> datetime:
    """Counts minute by minute."""
    spans = parse_week(OFFICE)
    moment, left = start, minutes
    while left:
        local = moment.astimezone(BERLIN)
        place = local.hour * 60 + local.minute
        if local.date() not in closed and any(opens <= place < closes for opens, closes in spans[local.weekday()]):
            left -= 1
        moment += timedelta(minutes=1)
    return moment


@given(
    start=st.datetimes(datetime(2026, 3, 20), datetime(2026, 4, 10)).map(
        lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
    ),
    minutes=st.integers(1, 1200),
    closed=st.frozensets(st.dates(date(2026, 3, 20), date(2026, 4, 15)), max_size=4),
)
def test_agrees_with_counting_minutes(start: datetime, minutes: int, closed: frozenset[date]) -> None:
    fast = add_working(start, timedelta(minutes=minutes), zone=BERLIN, week=OFFICE, closed=closed.__contains__)
    assert fast == _slowly(start, minutes, closed)


@pytest.mark.parametrize(
    "week",
    [
        {"day": []},
        {"mon": [["9", "17:00"]]},
        {"mon": [["17:00", "09:00"]]},
        {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]},
        {"mon": [["09:00", "25:00"]]},
        {"mon": [["09:00", "10:70"]]},
        {"mon": [["09:00"]]},
    ],
)
def test_bad_weeks_name_the_day(week: dict[str, list[list[str]]]) -> None:
    with pytest.raises(BadWeek, match=r"day|mon"):
        parse_week(week)


@pytest.fixture
def calendar(cast: Cast) -> WorkingCalendar:
    row = WorkingCalendar(
        region=cast.regions["de"], zone="Europe/Berlin", week=OFFICE, country="DE", subdivision="BE", closures=["2026-05-04"]
    )
    row.full_clean()
    with acting(system_user()):
        row.save()
    return row


def test_the_nearest_calendar_decides_with_its_holidays(cast: Cast, calendar: WorkingCalendar) -> None:
    before_may_day = berlin("2026-04-30T16:00")
    # Friday is a public holiday, Monday one of our own closed days.
    assert clock.due(cast.regions["de"], before_may_day, 120, True) == berlin("2026-05-05T10:00")
    assert clock.due(cast.regions["de"], before_may_day, 120, False) == berlin("2026-04-30T18:00")
    assert clock.due(cast.regions["de"], before_may_day, Decimal("0.5"), False) - before_may_day == timedelta(seconds=30)


def test_regions_below_use_the_calendar_above_and_without_any_every_minute_counts(cast: Cast, calendar: WorkingCalendar) -> None:
    with acting(system_user()):
        WorkingCalendar(region=cast.regions["global"], zone="UTC", week=OFFICE).save()
    friday = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
    assert clock.due(cast.regions["jp"], friday, 120, True) == datetime(2026, 3, 9, 10, 0, tzinfo=UTC)
    found = clock.calendar_of(cast.regions["de"])
    assert found == calendar
    with acting(system_user()):
        WorkingCalendar.objects.get(region=cast.regions["global"]).delete()
    assert clock.due(cast.regions["jp"], friday, 120, True) == friday + timedelta(hours=2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("zone", "Europe/Atlantis"),
        ("week", {"mon": [["x", "y"]]}),
        ("week", "mon"),
        ("week", {"mon": [], "tue": []}),
        ("country", "XX"),
        ("subdivision", "ZZ"),
        ("closures", ["never"]),
        ("closures", "2026-12-24"),
    ],
)
def test_what_cannot_be_computed_with_is_refused_where_it_is_typed(cast: Cast, field: str, value: object) -> None:
    row = WorkingCalendar(region=cast.regions["fr"], zone="Europe/Paris", week=OFFICE, country="FR")
    setattr(row, field, value)
    with pytest.raises(ValidationError) as refusal:
        row.full_clean()
    assert ("country" if field == "subdivision" else field) in refusal.value.message_dict


def test_a_subdivision_needs_its_country(cast: Cast) -> None:
    with pytest.raises(ValidationError):
        WorkingCalendar(region=cast.regions["fr"], zone="Europe/Paris", week=OFFICE, subdivision="BE").full_clean()


@pytest.mark.parametrize("week", [{}, {"mon": []}])
def test_a_calendar_without_working_time_counts_every_minute(cast: Cast, week: dict[str, object]) -> None:
    with acting(system_user()):
        WorkingCalendar(region=cast.regions["de"], zone="UTC", week=week).save()  # as one stored before it was refused
    friday = datetime(2026, 3, 6, 16, 0, tzinfo=UTC)
    assert clock.due(cast.regions["de"], friday, 120, True) == friday + timedelta(hours=2)
