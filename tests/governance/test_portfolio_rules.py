"""The pure rules of inbox and portfolio."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from config.portal.periods import quarter_began
from governance.portfolio.rules import Bucket, bucket, grouped, in_order, rolled_up

NOW = datetime(2026, 11, 22, 15, tzinfo=UTC)
TONIGHT = datetime(2026, 11, 22, 23, 59, tzinfo=UTC)


@dataclass(frozen=True)
class Thing:
    due: datetime | None = None
    waiting_on: str = ""
    bucket_hint: str = ""


@pytest.mark.parametrize(
    ("thing", "expected"),
    [
        (Thing(due=NOW - timedelta(seconds=1)), Bucket.OVERDUE),
        (Thing(due=NOW), Bucket.TODAY),
        (Thing(due=TONIGHT), Bucket.TODAY),
        (Thing(due=TONIGHT + timedelta(minutes=1)), Bucket.LATER),
        (Thing(), Bucket.LATER),
        (Thing(bucket_hint="today"), Bucket.TODAY),
        (Thing(due=NOW - timedelta(days=1), bucket_hint="today"), Bucket.OVERDUE),
        (Thing(bucket_hint="waiting"), Bucket.WAITING),
        (Thing(due=NOW - timedelta(days=9), waiting_on="the validator"), Bucket.WAITING),
    ],
)
def test_how_urgent_something_is(thing: Thing, expected: Bucket) -> None:
    assert bucket(thing, at=NOW, day_ends=TONIGHT) is expected


def test_groups_keep_the_order_and_lose_nothing() -> None:
    things = [Thing(due=NOW - timedelta(hours=2)), Thing(), Thing(due=NOW - timedelta(hours=1)), Thing(waiting_on="Bob")]
    found = grouped(things, at=NOW, day_ends=TONIGHT)
    assert list(found) == list(Bucket)
    assert found[Bucket.OVERDUE] == [things[0], things[2]]
    assert sum(map(len, found.values())) == len(things)


PARENTS: dict[str, str | None] = {"global": None, "eu": "global", "de": "eu", "fr": "eu", "jp": "global"}


def test_figures_add_up_the_tree() -> None:
    counts = {("de", "1"): 2, ("fr", "1"): 1, ("eu", "2"): 4, ("jp", "1"): 8, ("mars", "1"): 16}
    total = rolled_up(counts, PARENTS)
    assert total["global", "1"] == 11
    assert total["eu", "1"] == 3
    assert total["eu", "2"] == 4
    assert total["global", "2"] == 4
    assert total["mars", "1"] == 16
    assert ("jp", "2") not in total


def test_a_circle_in_the_tree_ends() -> None:
    assert rolled_up({("a", ""): 1}, {"a": "b", "b": "a"}) == {("a", ""): 1, ("b", ""): 1}


def test_a_tree_is_read_from_the_top_with_siblings_by_name() -> None:
    names = {code: code.upper() for code in PARENTS}
    assert in_order(PARENTS, names, PARENTS) == [("global", 0), ("eu", 1), ("de", 2), ("fr", 2), ("jp", 1)]
    assert in_order(PARENTS, names, ["de", "jp", "global"]) == [("global", 0), ("de", 1), ("jp", 1)]


@pytest.mark.parametrize(("month", "first"), [(1, 1), (3, 1), (4, 4), (9, 7), (12, 10)])
def test_a_quarter_begins_in_the_readers_zone(month: int, first: int) -> None:
    with timezone.override("Asia/Tokyo"):
        began = quarter_began(datetime(2026, month, 15, tzinfo=UTC))
        assert (began.month, began.day, began.hour) == (first, 1, 0)
        assert began.utcoffset() == timedelta(hours=9)
