"""The frame: what each person is offered, what every answer carries, what a refusal looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest
from django.test import Client, RequestFactory

from config.portal import errors, problems, registry
from config.portal.registry import Hit
from config.site import PortalSite
from stewardship.people.models import User, system_user
from stewardship.regions.models import Region
from stewardship.regions.rights import RegionRight
from stewardship.roles.models import RoleAssignment
from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.example")]


def _regions(user: User, text: str, limit: int) -> list[Hit]:
    rows = Region.objects.allowed(user, RegionRight.VIEW).filter(name__icontains=text)[:limit]
    return [Hit(row.name, "Region", f"/example/{row.pk}/", "family") for row in rows]


@pytest.fixture(autouse=True)
def _registered() -> Iterator[None]:
    registry.nav.register("Models", "Example regions", "example_list", RegionRight.VIEW, count=lambda user: 7, icon="family")
    registry.nav.register("Configuration", "Example configuration", "example_list_nowhere", RegionRight.VIEW)
    registry.search.register("example", "Example regions", _regions)
    registry.commands.register("Draw a region", "example_list", RegionRight.CONFIGURE)
    yield
    registry.nav.discard("example_list")
    registry.nav.discard("example_list_nowhere")
    registry.search.discard("example")
    registry.commands.discard("example_list")


def test_the_site_is_ours() -> None:
    assert admin.site.__class__ is PortalSite  # type() would name the lazy wrapper
    assert admin.site.final_catch_all_view is False


def test_the_sidebar_offers_only_what_may_be_opened(client: Client, frank: User, charlie: User) -> None:
    client.force_login(frank)
    page = client.get("/example/").content.decode()
    assert "Example regions" in page
    assert ">7</span>" in page
    assert 'href="/example/" aria-current="page"' in page
    assert "Example configuration" not in page  # there is no such page on this installation
    client.force_login(charlie)
    assert "Example regions" not in client.get("/me/").content.decode()


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(LookupError, match="no group of the sidebar"):
        registry.nav.register("Misc", "Things", "example_list", RegionRight.VIEW)


def test_the_palette_finds_only_what_may_be_seen_and_forgets_at_once(client: Client, gita: User, cast: Cast) -> None:
    client.force_login(gita)
    assert b"Japan" in client.get("/palette/?q=jap").content
    assert b"Germany" not in client.get("/palette/?q=germ").content
    assignment = RoleAssignment.objects.get(user=gita)
    assignment.end(actor=system_user())
    response = client.get("/palette/?q=jap", headers={"X-Palette": "1"})
    assert b"/example/" not in response.content
    assert response["Cache-Control"] == "no-store"


def test_the_palette_offers_commands_by_right(client: Client, frank: User, alice: User) -> None:
    client.force_login(frank)
    assert b"Draw a region" in client.get("/palette/?q=draw").content
    client.force_login(alice)
    page = client.get("/palette/?q=draw")
    assert b"Draw a region" not in page.content
    assert b"Nothing that you may see matches" in page.content
    assert client.get("/palette/?q=%00%3Cscript%3E").status_code == 200


def test_every_answer_carries_the_policy(client: Client, frank: User) -> None:
    client.force_login(frank)
    for address in ("/example/", "/accounts/login/", "/api/v1/typo/", "/nothing/", "/healthz", "/configuration/"):
        policy = client.get(address)["Content-Security-Policy"]
        assert "default-src 'self'; script-src 'self'; style-src 'self'" in policy
        assert "unsafe" not in policy


def test_pages_have_no_inline_style_or_script(client: Client, frank: User) -> None:
    client.force_login(frank)
    for address in ("/example/", "/me/", "/configuration/", "/palette/?q=e", "/accounts/2fa/"):
        page = client.get(address).content.decode()
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
        assert all(" src=" in tag for tag in page.split("<script")[1:])


def test_a_theme_is_remembered_and_never_leads_away(client: Client, frank: User) -> None:
    client.force_login(frank)
    response = client.post("/theme/", {"theme": "dark", "density": "compact", "next": "/example/?q=a"})
    assert response["Location"] == "/example/?q=a"
    page = client.get("/example/").content.decode()
    assert 'data-theme="dark" data-density="compact"' in page
    assert client.post("/theme/", {"theme": "dark", "next": "https://example.org/"})["Location"] == "/"
    assert client.get("/theme/").status_code == 405
    client.post("/theme/", {"theme": '"><script>'})
    assert client.cookies["theme"].value == "dark"


def test_the_profile_decides_where_the_browser_does_not(client: Client, frank: User) -> None:
    from stewardship.journal.acting import acting

    with acting(frank, "my eyes"):
        frank.theme, frank.language, frank.time_zone = "light", "de", "Asia/Tokyo"
        frank.save()
    client.force_login(frank)
    page = client.get("/example/").content.decode()
    assert 'data-theme="light"' in page
    assert '<html lang="de"' in page


def test_example_data_says_so_everywhere(client: Client, settings: Any) -> None:
    assert b"nothing here is real" not in client.get("/accounts/login/").content
    settings.JOURNAL_ORIGIN = "demo.invalid"
    assert b"nothing here is real" in client.get("/accounts/login/").content


def test_an_old_form_is_answered_with_a_page(frank: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(frank)
    response = client.post("/theme/", {"theme": "dark"})
    assert response.status_code == 403
    assert b"out of date" in response.content
    assert b"/example/" in response.content  # the shell is there, so one can go on


def _request(path: str) -> HttpRequest:
    from django.contrib.auth.models import AnonymousUser

    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    return request


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.Invalid("no"), 400),
        (errors.Forbidden("no"), 403),
        (errors.Missing("no"), 404),
        (errors.Conflict("no"), 409),
        (errors.IllegalTransition("draft", "approved"), 409),
        (errors.TooLarge("no"), 413),
        (errors.Unprocessable("no"), 422),
        (errors.Unavailable("no"), 503),
        (Http404("no"), 404),
        (PermissionDenied("no"), 403),
        (SuspiciousOperation("no"), 400),
        (RecursionError(), 400),
    ],
)
def test_every_refusal_has_one_status_in_both_forms(error: Exception, status: int) -> None:
    page, document = problems.response_to(_request("/x/"), error), problems.response_to(_request("/api/v1/x/"), error)
    assert page is not None
    assert document is not None
    assert page.status_code == document.status_code == status
    assert document["Content-Type"] == "application/problem+json"
    assert page["Content-Type"].startswith("text/html")


def test_what_nobody_foresaw_is_not_swallowed() -> None:
    assert problems.response_to(_request("/x/"), RuntimeError()) is None
    assert problems.response_to(_request("/api/v1/x/"), RuntimeError()) is None
    assert problems.server_error(_request("/x/")).status_code == 500
    assert problems.server_error(_request("/api/v1/x/"))["Content-Type"] == "application/problem+json"
    assert problems.bad_request(_request("/x/"), SuspiciousOperation("no")).status_code == 400
    assert problems.forbidden(_request("/x/"), PermissionDenied("not you")).content.count(b"not you") == 1
