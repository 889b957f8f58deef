"""Grants can be looked at: who holds which right on what, and which assignment it comes from. Nobody writes one there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from stewardship.access.models import RegionGrant
from stewardship.inventory.models import FamilyGrant, ModelGrant, RegisteredModel
from stewardship.journal.acting import acting
from stewardship.people import standing
from stewardship.people.models import Team, User, system_user
from stewardship.roles.assign import assign
from stewardship.roles.models import RoleAssignment
from tests.cast import Cast

VIEW = "inventory:model:view"


@pytest.fixture(autouse=True)
def _trusted(settings: Settings) -> None:
    settings.MFA_ENROLMENT_GRACE_DAYS = 3650


def address(grant: type[Any], what: str, *args: Any) -> str:
    return reverse(f"admin:stewardship_{grant._meta.model_name}_{what}", args=args)


def page(person: User, there: str) -> str:
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    answer = client.get(there)
    assert answer.status_code == 200, answer.content[:300]
    return answer.content.decode()


def lines(html: str) -> list[str]:
    """The rows of the list, as words."""
    body = html[html.index("<tbody>") : html.index("</tbody>")]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in body.split("</tr>") if "<td" in row]


def test_a_grant_names_person_right_place_and_where_it_comes_from(cast: Cast) -> None:
    html = page(cast.users["frank"], address(RegionGrant, "changelist") + f"?right={VIEW}")
    assert "A grant is derived from a role assignment" in html
    (line,) = [line for line in lines(html) if line.startswith("Alice Adler")]
    assert VIEW in line
    assert "Germany" in line
    assert line.endswith("model owner")
    behind = RoleAssignment.objects.get(user=cast.users["alice"])
    there = reverse("admin:stewardship_roleassignment_change", args=[behind.pk])
    assert f'<a href="{there}">model owner</a>' in html
    assert "Alice Adler" in page(cast.users["frank"], there)


def test_the_list_is_narrowed_to_one_right_that_is_there_to_be_seen(cast: Cast) -> None:
    all_of_them = page(cast.users["frank"], address(RegionGrant, "changelist"))
    assert f"?right={VIEW.replace(':', '%3A')}" in all_of_them
    narrowed = lines(page(cast.users["frank"], address(RegionGrant, "changelist") + "?right=people:person:manage"))
    assert [line.partition(" people:")[0] for line in narrowed] == ["Frank Fischer"]
    assert "Gita Goto" not in page(cast.users["frank"], address(RegionGrant, "changelist") + f"?right={VIEW}"), "Japan is out of sight"
    assert "Gita Goto" in page(cast.users["dana"], address(RegionGrant, "changelist") + f"?right={VIEW}")


def test_families_and_models_have_theirs_and_a_team_is_named(cast: Cast, model: RegisteredModel) -> None:
    team = Team(slug="on-call", name="On call", region=cast.regions["de"])
    with acting(system_user(), "A team"):
        team.save()
    assign(actor=system_user(), role="responder", team=team, model=model, rationale="On call")
    standing.join(team, cast.users["charlie"], actor=system_user())
    assign(actor=system_user(), role="responder", user=cast.users["ivan"], family=model.family, rationale="Knows it")
    of_model = lines(page(cast.users["alice"], address(ModelGrant, "changelist") + f"?right={VIEW}"))
    assert [line.startswith("Charlie Chan") and line.endswith("operational responder, given to On call") for line in of_model] == [True]
    (of_family,) = lines(page(cast.users["alice"], address(FamilyGrant, "changelist") + f"?right={VIEW}"))
    assert of_family.startswith("Ivan Ilic")
    assert of_family.endswith("operational responder")


def test_a_stand_in_holds_for_as_long_as_they_stand_in(cast: Cast) -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    standing.delegate(cast.users["ivan"], cast.users["charlie"], actor=cast.users["ivan"], starts=datetime.now(UTC), ends=ends)
    found = lines(page(cast.users["frank"], address(RegionGrant, "changelist") + f"?right={VIEW}"))
    assert [line.endswith("operational responder, given to Ivan Ilic") for line in found if line.startswith("Charlie Chan")] == [True]


def test_it_is_only_looked_at_and_its_history_is_the_assignments(cast: Cast) -> None:
    grant = RegionGrant.objects.get(user=cast.users["alice"], permission__codename=VIEW)
    frank = Client()
    frank.force_login(cast.users["frank"], backend="allauth.account.auth_backends.AuthenticationBackend")
    one = frank.get(address(RegionGrant, "change", grant.pk)).content.decode()
    assert "To give or take a right, make or end the assignment" in one
    assert '<input type="submit"' not in one
    for there in (address(RegionGrant, "add"), address(RegionGrant, "change", grant.pk), address(RegionGrant, "delete", grant.pk)):
        assert frank.post(there, {"post": "yes", "reason": "Mine"}).status_code == 403
    assert RegionGrant.objects.filter(pk=grant.pk).exists()
    led = frank.get(address(RegionGrant, "history", grant.pk))
    assert led["Location"] == reverse("history", args=["stewardship.roleassignment", grant.source])
    assert frank.get(led["Location"]).status_code == 200
    foreign = RegionGrant.objects.get(user=cast.users["gita"], permission__codename=VIEW)
    for there in (address(RegionGrant, "history", foreign.pk), address(RegionGrant, "history", "x"), address(RegionGrant, "change", "x")):
        assert frank.get(there).status_code == 404


def test_one_that_somebody_wrote_past_the_portal_says_so(cast: Cast) -> None:
    known = RegionGrant.objects.get(user=cast.users["alice"], permission__codename=VIEW)
    RegionGrant.objects.create(
        user=cast.users["charlie"],
        permission=known.permission,
        content_object=known.content_object,
        valid_from=known.valid_from,
        source=uuid4(),
    )
    found = lines(page(cast.users["frank"], address(RegionGrant, "changelist") + f"?right={VIEW}"))
    assert [line.endswith("no assignment: somebody wrote it past the portal") for line in found if line.startswith("Charlie Chan")] == [
        True
    ]
