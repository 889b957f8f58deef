"""Configuration: who may is asked of access, every save has a reason, nothing is written beside the history."""

from __future__ import annotations

import json
from html import unescape
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models import BaseConstraint, UniqueConstraint
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from config.portal import acting as shell_acting
from config.portal.admin import GovernedAdmin
from config.portal.errors import Unavailable
from stewardship.escalation.models import Path, Step
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region, WorkingCalendar
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


def test_a_reference_leads_only_where_the_person_may_go(client: Client, bob: User, gita: User, cast: Cast) -> None:
    client.force_login(gita)
    page = client.get(_change(cast.regions["jp"])).content.decode()
    assert "APAC" in page
    assert _change(cast.regions["apac"]) not in page, "its page would be a 404"
    client.force_login(bob)
    assert f'<a href="{_change(cast.regions["eu"])}">EU</a>' in client.get(_change(cast.regions["de"])).content.decode()


def test_a_document_is_read_as_it_is_written(client: Client, gita: User, cast: Cast) -> None:
    week = {"mon": [["09:00", "17:00"]]}
    with acting(system_user(), "A calendar"):
        calendar = WorkingCalendar(region=cast.regions["jp"], zone="Asia/Tokyo", week=week)
        calendar.save()
    client.force_login(gita)
    page = unescape(client.get(f"/stewardship/workingcalendar/{calendar.pk}/change/").content.decode())
    shown = page[page.index("<pre") : page.index("</pre>")]
    assert json.loads(shown.partition(">")[2]) == week
    assert "{'mon'" not in page


def test_rows_inside_a_screen_are_read_together(client: Client, frank: User, cast: Cast) -> None:
    path = Path(slug="calls", name="Calls", region=cast.regions["eu"], subject_kind="approval")
    with acting(system_user(), "A path"):
        path.save()
    client.force_login(frank)
    client.get(f"/stewardship/path/{path.pk}/change/")  # what is read once for all requests

    def price() -> int:
        with CaptureQueriesContext(connection) as asked:
            page = client.get(f"/stewardship/path/{path.pk}/change/").content.decode()
        assert page.count("selected>risk officer</option>") == path.steps.count()
        return len(asked)

    prices = []
    for order in range(1, 6):
        with acting(system_user(), "One more"):
            Step(path=path, order=order, role=cast.roles["risk"], after_seconds=60, expects="Look").save()
        prices.append(price())
    assert len(set(prices)) == 1, prices


def test_what_ends_up_outside_one_s_reach_is_undone(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    elsewhere = client.post(_change(cast.regions["de"]), _form(cast.regions["de"], parent=str(cast.regions["apac"].pk)))
    assert Region.objects.get(code="de").parent_id == cast.regions["eu"].pk
    assert elsewhere.status_code == 200  # no choice of theirs
    response = client.post("/stewardship/region/add/", {"code": "at", "name": "Austria", "parent": "", "language": "de", "reason": "new"})
    assert not Region.objects.filter(code="at").exists()
    assert response.status_code == 200
    assert "There is one region at the root already. Choose the region above." in response.content.decode()
    assert 'value="Austria"' in response.content.decode(), "what was typed is not lost"


def test_a_refusal_of_the_domain_comes_back_in_the_form(client: Client, frank: User, cast: Cast) -> None:
    assign(actor=system_user(), role="regional-admin", user=frank, region=cast.regions["global"], rationale="Decides where the EU stands")
    client.force_login(frank)
    eu = cast.regions["eu"]
    response = client.post(_change(eu), _form(eu, parent=str(cast.regions["de"].pk), name="Union", reason="Regrouped"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "A region cannot be below itself. Choose a parent outside this region." in page
    assert response.context["adminform"].form.errors.keys() == {"parent"}, "the field that was refused says so"
    assert 'value="Union"' in page
    assert 'value="Regrouped"' in page
    assert Region.objects.get(code="eu").parent_id == cast.regions["emea"].pk


def test_what_may_not_be_done_is_said_in_the_form_too(client: Client, frank: User, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GovernedAdmin, "_may_now", lambda self, request, verb, obj: request.POST.get("name") != "Saved" or not _saved())
    client.force_login(frank)
    response = client.post(_change(cast.regions["de"]), _form(cast.regions["de"], name="Saved"))
    assert response.status_code == 403
    assert "You may not configure this there. Choose a place where you hold the right." in response.content.decode()
    assert Region.objects.get(code="de").name == "Germany"


def _saved() -> bool:
    return Region.objects.filter(name="Saved").exists()


def _seen(client: Client, address: str) -> str:
    return str(client.get(address).context["adminform"].form["seen"].value())


def test_the_later_of_two_forms_is_told_what_the_earlier_one_changed(client: Client, frank: User, cast: Cast) -> None:
    client.force_login(frank)
    de = cast.regions["de"]
    first = second = _seen(client, _change(de))
    assert client.post(_change(de), _form(de, language="de", seen=first)).status_code == 302
    refused = client.post(_change(de), _form(de, name="Deutschland", seen=second))
    assert refused.status_code == 422
    assert "Frank Fischer has saved this meanwhile and changed: language." in refused.content.decode()
    assert 'value="Deutschland"' in refused.content.decode()
    assert (Region.objects.get(code="de").name, Region.objects.get(code="de").language) == ("Germany", "de")
    again = refused.context["adminform"].form["seen"].value()
    assert client.post(_change(de), _form(de, name="Deutschland", language="de", seen=again)).status_code == 302
    assert Region.objects.get(code="de").name == "Deutschland"


@pytest.mark.parametrize("seen", ["x", "0", "1.2.3", "-1", "99999999999999999999999"])
def test_a_form_that_names_no_state_is_a_stale_one(client: Client, frank: User, cast: Cast, seen: str) -> None:
    client.force_login(frank)
    assert client.post(_change(cast.regions["de"]), _form(cast.regions["de"], name="X", seen=seen)).status_code == 422


def test_rows_that_are_edited_with_another_belong_to_its_state(client: Client, frank: User, cast: Cast) -> None:
    path = Path(slug="calls", name="Calls", region=cast.regions["eu"], subject_kind="gap")
    with acting(frank, "for the test"):
        path.save()
    client.force_login(frank)
    address = f"/stewardship/path/{path.pk}/change/"
    stale = _seen(client, address)
    with acting(frank, "a step more"):
        Step(path=path, order=1, role=cast.roles["responder"], scope="region", after_seconds=0).save()
    form = client.get(address).context["adminform"].form
    given = {name: form[name].value() for name in form.fields} | {"name": "Other", "reason": "tidying", "seen": stale}
    rows = {
        f"steps-{name}": value for name, value in (("TOTAL_FORMS", 0), ("INITIAL_FORMS", 0), ("MIN_NUM_FORMS", 0), ("MAX_NUM_FORMS", 9))
    }
    given = {name: value for name, value in given.items() if value is not None}
    refused = client.post(address, given | rows)
    assert refused.status_code == 422
    assert "Frank Fischer has saved this meanwhile and changed: steps." in refused.content.decode()
    assert Path.objects.get().name == "Calls"


def test_a_broken_rule_of_the_database_is_said_in_words() -> None:
    """Django would say the constraint's name. Of every form there is, for what only the database checks."""
    silent = []
    for configured in admin.site._registry.values():
        if not isinstance(configured, GovernedAdmin) or not {"change", "add"} & set(configured.rights):
            continue
        for noun in (configured.model, *(inline.model for inline in configured.inlines)):
            silent += [
                rule.name
                for rule in noun._meta.constraints
                # Where plain fields are unique together, Django says which.
                if not (isinstance(rule, UniqueConstraint) and rule.fields and rule.condition is None)
                and rule.violation_error_message == BaseConstraint.default_violation_error_message
            ]
    assert silent == []


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
