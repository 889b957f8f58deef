"""A region's place in the tree is decided above it: its own admin neither moves it, nor renames its code, nor hides it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from stewardship.people.models import User, system_user
from stewardship.regions.errors import NotYours
from stewardship.regions.models import Region
from stewardship.regions.place import check_place
from stewardship.roles.assign import assign
from tests.cast import Cast


@pytest.fixture
def rada(cast: Cast, settings: Settings) -> User:
    """Regional admin of Germany, who sees everything."""
    settings.MFA_ENROLMENT_GRACE_DAYS = 3650
    user = cast.users["charlie"]
    for role, region in (("regional-admin", "de"), ("responder", "global")):
        assign(actor=system_user(), role=role, user=user, region=cast.regions[region], rationale="The cast")
    return user


def send(client: Client, region: Region, **changes: Any) -> int:
    form = {"code": region.code, "name": region.name, "parent": region.parent_id or "", "language": region.language, "reason": "Tidying"}
    return client.post(f"/stewardship/region/{region.pk}/change/", form | changes).status_code


MOVES: list[dict[str, Any]] = [{"parent": "global"}, {"parent": "fr"}, {"practice": "on"}, {"code": "germany"}]


@pytest.mark.parametrize("move", MOVES, ids=str)
def test_a_region_does_not_leave_its_place_by_itself(client: Client, cast: Cast, rada: User, move: dict[str, Any]) -> None:
    client.force_login(rada)
    de = cast.regions["de"]
    given = {**move, **({"parent": str(cast.regions[move["parent"]].pk)} if "parent" in move else {})}
    send(client, de, name="Deutschland", **given)
    now = Region.objects.get(pk=de.pk)
    assert (now.parent, now.practice, now.code, now.name) == (cast.regions["eu"], False, "de", "Deutschland")
    for field, value in move.items():
        setattr(now, field, cast.regions[value] if field == "parent" else True if value == "on" else value)
    with pytest.raises(NotYours) as refusal:
        check_place(now, actor=rada)
    assert refusal.value.field in move
    assert refusal.value.remedy


def test_who_configures_both_parents_moves_it(client: Client, cast: Cast, frank: User, rada: User) -> None:
    de, fr = cast.regions["de"], cast.regions["fr"]
    client.force_login(frank)
    assert send(client, de, parent=str(fr.pk), practice="on", code="germany") == 302
    moved = Region.objects.get(pk=de.pk)
    assert (moved.parent, moved.practice, moved.code) == (fr, True, "germany")


def test_nobody_moves_it_to_where_they_configure_nothing(client: Client, cast: Cast, frank: User, rada: User) -> None:
    assign(actor=system_user(), role="responder", user=frank, region=cast.regions["global"], rationale="Sees everything")
    client.force_login(frank)
    send(client, cast.regions["de"], parent=str(cast.regions["apac"].pk))
    send(client, cast.regions["eu"], parent=str(cast.regions["global"].pk))
    assert Region.objects.get(code="de").parent == cast.regions["eu"]
    assert Region.objects.get(code="eu").parent == cast.regions["emea"]


def test_a_new_region_for_practice_is_made_below_ones_own(client: Client, cast: Cast, rada: User) -> None:
    client.force_login(rada)
    form = {"code": "de-try", "name": "Try-outs", "parent": cast.regions["de"].pk, "language": "de", "practice": "on", "reason": "To learn"}
    assert client.post("/stewardship/region/add/", form).status_code == 302
    assert Region.objects.get(code="de-try").practice
    client.post("/stewardship/region/add/", {**form, "code": "eu-try", "parent": cast.regions["eu"].pk})
    assert not Region.objects.filter(code="eu-try").exists()


def test_the_root_is_whoever_configures_everything(client: Client, cast: Cast, frank: User, rada: User) -> None:
    root = cast.regions["global"]
    assign(actor=system_user(), role="regional-admin", user=frank, region=root, rationale="All of it")
    client.force_login(frank)
    assert send(client, root, code="world") == 302
    assert Region.objects.get(pk=root.pk).code == "world"
