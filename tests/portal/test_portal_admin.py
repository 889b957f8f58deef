"""Configuration: who may is asked of access, every save has a reason, nothing is written beside the history."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.test import Client, RequestFactory

from config.portal import acting as shell_acting
from config.portal.admin import GovernedAdmin
from config.portal.errors import Unavailable
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight
from stewardship.roles.assign import assign
from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.example")]


class RegionConfiguration(GovernedAdmin):
    rights = {"view": RegionRight.VIEW, "change": RegionRight.CONFIGURE}
    list_display = ("name", "code")
    fields = ("code", "name", "parent", "language", "practice")


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(admin.site._registry, Region, RegionConfiguration(Region, admin.site))


def _form(region: Region, **changes: Any) -> dict[str, Any]:
    known = {"code": region.code, "name": region.name, "parent": region.parent_id or "", "language": region.language, "reason": "tidying"}
    return known | changes


def _change(region: Region) -> str:
    return f"/stewardship/region/{region.pk}/change/"


def test_an_admin_without_a_view_right_fails_at_start() -> None:
    with pytest.raises(TypeError, match=r"has no rights\['view'\]"):
        type("Careless", (GovernedAdmin,), {"rights": {"change": "x:y:z"}})


def test_is_staff_opens_nothing(client: Client, charlie: User) -> None:
    from stewardship.journal.acting import acting

    with acting(charlie, "for the test"):
        charlie.is_staff = charlie.is_superuser = True
        charlie.save()
    client.force_login(charlie)
    assert client.get("/configuration/").status_code == 302
    assert client.get("/stewardship/region/").status_code in {302, 403}


def test_the_list_shows_only_what_may_be_seen(client: Client, gita: User, cast: Cast) -> None:
    client.force_login(gita)
    page = client.get("/stewardship/region/").content.decode()
    assert "Japan" in page
    assert "Germany" not in page
    assert client.get(_change(cast.regions["de"])).status_code == 404
    assert 'name="reason"' not in client.get(_change(cast.regions["jp"])).content.decode()
    assert client.post(_change(cast.regions["jp"]), _form(cast.regions["jp"], name="Nippon")).status_code == 403


def test_a_save_is_recorded_with_actor_and_reason(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    response = client.post(_change(cast.regions["de"]), _form(cast.regions["de"], name="Deutschland", reason="as they call it"))
    assert response.status_code == 302
    last = Region.objects.get(code="de").history.first()
    assert (last.name, last.history_user_id, last.history_change_reason) == ("Deutschland", frank.pk, "as they call it")
    assert not LogEntry.objects.exists()


def test_without_a_reason_nothing_is_saved(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    response = client.post(_change(cast.regions["de"]), _form(cast.regions["de"], name="Deutschland", reason=""))
    assert response.status_code == 200
    assert Region.objects.get(code="de").name == "Germany"


def test_a_drop_down_tells_no_more_than_a_list(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    page = client.get(_change(cast.regions["de"])).content.decode()
    assert "France</option>" in page
    assert "Japan</option>" not in page


def test_what_ends_up_outside_one_s_reach_is_undone(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    elsewhere = client.post(_change(cast.regions["de"]), _form(cast.regions["de"], parent=str(cast.regions["apac"].pk)), follow=True)
    assert Region.objects.get(code="de").parent_id == cast.regions["eu"].pk
    assert elsewhere.status_code == 200
    response = client.post(
        "/stewardship/region/add/", {"code": "at", "name": "Austria", "parent": "", "language": "de", "reason": "new"}, follow=True
    )
    assert not Region.objects.filter(code="at").exists()
    assert response.status_code == 200


def test_a_refusal_of_the_domain_comes_back_as_a_message(client: Client, frank: User, cast: Cast) -> None:
    assign(actor=system_user(), role="regional-admin", user=frank, region=cast.regions["global"], rationale="Decides where the EU stands")
    client.force_login(frank)
    eu = cast.regions["eu"]
    response = client.post(_change(eu), _form(eu, parent=str(cast.regions["de"].pk)), follow=True)
    assert b"A region cannot be below itself. Choose a parent outside this region." in response.content
    assert Region.objects.get(code="eu").parent_id == cast.regions["emea"].pk


def test_nothing_is_deleted_and_history_is_ours(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    assert client.post(f"/stewardship/region/{cast.regions['de'].pk}/delete/", {"post": "yes"}).status_code == 403
    request = RequestFactory().get("/")
    request.user = frank
    assert "delete_selected" not in RegionConfiguration(Region, admin.site).get_actions(request)
    response = client.get(f"/stewardship/region/{cast.regions['de'].pk}/history/")
    assert response.status_code == 302
    assert "history" in response["Location"] or response["Location"] == "/configuration/"


def test_nothing_can_be_done_where_nothing_is_recorded(monkeypatch: pytest.MonkeyPatch, frank: User) -> None:
    monkeypatch.setattr(shell_acting, "_enter", None)
    with pytest.raises(Unavailable):
        shell_acting.act(frank, "unrecorded")
