"""Values down the tree: who may set what, what holds where, and what was known when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from config.portal.errors import Invalid
from stewardship.journal.acting import acting
from stewardship.people.models import system_user
from stewardship.regions.errors import NotYours, OutOfBounds, TreeRefused, UnknownParameter
from stewardship.regions.models import Bound, LegalEntity, Region, Setting
from stewardship.regions.rules import Limits, combine, within
from stewardship.regions.settings import resolve, resolve_all, set_value
from tests.cast import Cast

NODES = [UUID(int=number) for number in range(4)]


def _chain(*values: Any) -> list[tuple[UUID, Any]]:
    return list(zip(NODES, values, strict=False))


COMBINED = [
    # combine, low, high, values root → leaf, value, node, clamped
    ("free", None, None, (5,), 5, 0, False),
    ("free", None, None, (5, 7), 7, 1, False),
    ("free", None, 6, (5, 7), 6, 1, True),
    ("min", None, None, (5, 3), 3, 1, False),
    ("min", None, None, (5, 7), 5, 0, True),
    ("min", None, None, (5, 7, 3), 3, 2, False),
    ("min", None, None, (5, 5), 5, 0, False),
    ("max", None, None, (5, 7), 7, 1, False),
    ("max", None, None, (5, 3), 5, 0, True),
    ("max", 6, None, (5,), 6, 0, True),
    ("fixed", None, None, (5, 7), 5, 0, True),
    ("fixed", None, None, (5, 5), 5, 0, False),
    ("min", None, None, ("strict", "lax"), "strict", 0, True),  # words have no order
    ("free", 1, 2, ("strict", True), True, 1, False),
]


@pytest.mark.parametrize(("how", "low", "high", "values", "value", "node", "clamped"), COMBINED)
def test_values_combine(how: str, low: int | None, high: int | None, values: tuple[Any, ...], value: Any, node: int, clamped: bool) -> None:
    limits = Limits(how, None if low is None else Decimal(low), None if high is None else Decimal(high))
    found = combine(_chain(*values), limits)
    assert found is not None
    assert (found.value, found.node, found.clamped) == (value, NODES[node], clamped)


def test_nothing_set_is_nothing() -> None:
    assert combine([], Limits("free")) is None


@given(values=st.lists(st.integers(-50, 50), min_size=1, max_size=4), how=st.sampled_from(["min", "max"]))
def test_nobody_below_can_loosen(values: list[int], how: str) -> None:
    found = combine(_chain(*values), Limits(how))
    assert found is not None
    assert found.value == (min(values) if how == "min" else max(values))


@given(value=st.integers(-50, 50), low=st.integers(-20, 0), high=st.integers(0, 20))
def test_within_is_the_nearest_allowed_value(value: int, low: int, high: int) -> None:
    assert within(value, Limits("free", Decimal(low), Decimal(high))) == min(max(value, low), high)


PARAMETER = "review.days"


@pytest.fixture
def bound(cast: Cast) -> Bound:
    row = Bound(parameter=PARAMETER, combine="min", low=Decimal(1), high=Decimal(90), description="Days between reviews")
    with acting(system_user()):
        row.save()
    return row


def test_a_region_may_tighten_and_its_neighbours_do_not_notice(cast: Cast, bound: Bound) -> None:
    now = datetime.now(UTC)
    set_value(cast.regions["global"], PARAMETER, 60, actor=system_user(), valid_from=now)
    set_value(cast.regions["eu"], PARAMETER, 30, actor=cast.users["frank"], valid_from=now)
    german, japanese = resolve(cast.regions["de"], PARAMETER, now), resolve(cast.regions["jp"], PARAMETER, now)
    assert german is not None
    assert (german.value, german.region, german.clamped) == (30, cast.regions["eu"], False)
    assert japanese is not None
    assert (japanese.value, japanese.region) == (60, cast.regions["global"])
    assert resolve_all(cast.regions["de"], now)[PARAMETER] == german
    assert resolve_all(cast.regions["de"], now - timedelta(days=1)) == {}
    assert resolve(cast.regions["de"], PARAMETER, now - timedelta(days=1)) is None


def test_a_wish_outside_the_bounds_is_refused(cast: Cast, bound: Bound) -> None:
    set_value(cast.regions["global"], PARAMETER, 60, actor=system_user())
    with pytest.raises(OutOfBounds, match="Global set 60"):
        set_value(cast.regions["eu"], PARAMETER, 70, actor=cast.users["frank"])
    with pytest.raises(OutOfBounds, match="1 to 90"):
        set_value(cast.regions["global"], PARAMETER, 91, actor=system_user())
    with pytest.raises(UnknownParameter):
        set_value(cast.regions["eu"], "no.such", 1, actor=cast.users["frank"])
    with pytest.raises(UnknownParameter):
        resolve(cast.regions["eu"], "no.such", datetime.now(UTC))
    with pytest.raises(NotYours):
        set_value(cast.regions["eu"], PARAMETER, 5, actor=cast.users["alice"])
    with pytest.raises(NotYours):
        set_value(cast.regions["jp"], PARAMETER, 5, actor=cast.users["frank"])
    assert Setting.objects.count() == 1


def test_a_later_change_above_cuts_back_what_was_set_below(cast: Cast, bound: Bound) -> None:
    set_value(cast.regions["eu"], PARAMETER, 30, actor=cast.users["frank"])
    set_value(cast.regions["global"], PARAMETER, 20, actor=system_user())
    found = resolve(cast.regions["de"], PARAMETER, datetime.now(UTC))
    assert found is not None
    assert (found.value, found.region, found.clamped) == (20, cast.regions["global"], True)


def test_a_free_parameter_needs_no_agreement_with_the_one_above(cast: Cast) -> None:
    with acting(system_user()):
        Bound(parameter="language", combine="free").save()
    set_value(cast.regions["global"], "language", "en", actor=system_user())
    set_value(cast.regions["eu"], "language", "de", actor=cast.users["frank"])
    found = resolve(cast.regions["fr"], "language", datetime.now(UTC))
    assert found is not None
    assert found.value == "de"


def test_two_times(cast: Cast, bound: Bound) -> None:
    """What holds on a day, and what was known of that day earlier."""
    day = datetime(2026, 1, 15, tzinfo=UTC)
    january = datetime(2026, 1, 1, tzinfo=UTC)
    first = set_value(cast.regions["eu"], PARAMETER, 30, actor=system_user(), valid_from=january)
    second = set_value(cast.regions["eu"], PARAMETER, 10, actor=system_user(), valid_from=january, valid_until=day)
    before, on_the_day = resolve(cast.regions["eu"], PARAMETER, day - timedelta(days=1)), resolve(cast.regions["eu"], PARAMETER, day)
    assert before is not None
    assert before.value == 10
    assert on_the_day is not None
    assert on_the_day.value == 30, "the correction ends just before that day"
    known_first = resolve(cast.regions["eu"], PARAMETER, day - timedelta(days=1), known=first.recorded)
    assert second.recorded > first.recorded
    assert known_first is not None
    assert known_first.value == 30
    set_value(cast.regions["eu"], PARAMETER, None, actor=system_user(), valid_from=january)
    assert resolve(cast.regions["eu"], PARAMETER, day) is None, "None says: as the region above"
    with pytest.raises(Invalid):
        set_value(cast.regions["eu"], PARAMETER, 5, actor=system_user(), valid_from=day, valid_until=day)


class TestTree:
    def test_path_and_below(self, cast: Cast) -> None:
        assert [region.code for region in cast.regions["de"].ancestors_and_self()] == ["global", "emea", "eu", "de"]
        below = Region.objects.ids_below([cast.regions["eu"].pk])
        assert below == {cast.regions[code].pk for code in ("eu", "de", "fr")}
        assert Region.objects.root() == cast.regions["global"]

    def test_what_lies_below_a_region_for_practising_is_for_practice_too(self, cast: Cast) -> None:
        assert Region.objects.for_practice() == frozenset()
        with acting(system_user()):
            cast.regions["eu"].practice = True
            cast.regions["eu"].save()
        assert Region.objects.for_practice() == {cast.regions[code].pk for code in ("eu", "de", "fr")}
        with acting(system_user()):
            Region(code="lab", name="Lab", parent=Region.objects.get(code="fr")).save()
        assert Region.objects.get(code="lab").practice
        assert not Region.objects.get(code="emea").practice
        assert Region.objects.get(code="de").history.count() == 2, "each of them says so, and since when"

    def test_one_root_only(self, cast: Cast) -> None:
        with pytest.raises(IntegrityError), transaction.atomic(), acting(system_user()):
            Region(code="second", name="Second").save()

    def test_no_loops(self, cast: Cast) -> None:
        emea = Region.objects.get(code="emea")
        emea.parent = cast.regions["de"]
        with pytest.raises(TreeRefused), acting(system_user()):
            emea.save()

    def test_names(self, cast: Cast, bound: Bound) -> None:
        entity = LegalEntity(name="Bank AG", region=cast.regions["de"])
        with acting(system_user()):
            entity.save()
        setting = set_value(cast.regions["eu"], PARAMETER, 5, actor=system_user())
        assert (str(entity), str(bound), str(setting)) == ("Bank AG", PARAMETER, f"{PARAMETER} @ EU")
