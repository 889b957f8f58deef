"""The question every floor asks: until an answer is installed it is no, and odd questions are refused."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from config.portal import permission
from config.portal.permission import SIGNED_IN, Paths, Reach, holds, permits, reach
from stewardship.people.models import User
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SOMEBODY = SimpleNamespace(pk=7, is_active=True, is_authenticated=True)


def test_without_an_answer_the_answer_is_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_predicate", permission._nobody)
    assert not reach(SOMEBODY, "a:b:view")
    assert not holds(SOMEBODY, "a:b:view")


@pytest.mark.parametrize("user", [None, AnonymousUser(), SimpleNamespace(pk=1, is_active=False, is_authenticated=True)])
def test_nobody_and_the_inactive_hold_nothing(user: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(permission, "_predicate", lambda *asked: Reach(everywhere=True))
    assert not reach(user, "a:b:view")
    assert not holds(user, SIGNED_IN)
    assert Region.objects.allowed(user, RegionRight.VIEW).count() == 0


def test_an_answer_is_installed_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    before = permission._predicate
    try:
        permission.install(lambda *asked: Reach(everywhere=True))
        assert reach(SOMEBODY, "a:b:view").everywhere
    finally:
        permission.install(before)
    assert holds(SOMEBODY, SIGNED_IN)


def test_rows_that_belong_to_no_region() -> None:
    paths = Paths(person=("user_id",), unscoped=True)
    own = Q(pk__in=[]) | Q(user_id=7)
    somewhere, everywhere = Reach(families=frozenset({"f"})), Reach(everywhere=True)  # type: ignore[arg-type]
    assert paths.q(somewhere, SOMEBODY, "a:b:view") == Q()
    assert paths.q(somewhere, SOMEBODY, "a:b:configure") == own
    assert paths.q(Reach(), SOMEBODY, "a:b:view") == own
    assert paths.q(everywhere, SOMEBODY, "a:b:configure") == Q()


def test_rows_reached_by_each_scope() -> None:
    paths = Paths(region=("region_id",), family=("family_id",), model=("model_id",))
    found = paths.q(Reach(regions=frozenset({"r"}), models=frozenset({"m"})), SOMEBODY, "a:b:view")  # type: ignore[arg-type]
    assert found == Q(pk__in=[]) | Q(region_id__in=["r"]) | Q(model_id__in=["m"])
    assert not Reach()


def test_a_model_without_paths_is_seen_by_nobody() -> None:
    class Bare:
        __name__ = "Bare"

    rows: Any = permission.Restricted(Region)
    rows.model = Bare
    with pytest.raises(LookupError, match="has no access_paths"):
        rows.allowed(SOMEBODY, "a:b:view")


def test_permits_asks_about_a_row_a_class_or_the_root(cast: Cast, frank: User, erin: User) -> None:
    assert permits(frank, RegionRight.CONFIGURE, cast.regions["de"])
    assert not permits(frank, RegionRight.CONFIGURE, cast.regions["jp"])
    assert permits(frank, RegionRight.CONFIGURE, Region)
    assert not permits(frank, RegionRight.CONFIGURE, None)
    assert permits(erin, RegionRight.VIEW, None)
    with pytest.raises(LookupError, match="unsaved row"):
        permits(frank, RegionRight.CONFIGURE, Region(code="at"))
