"""A page cannot exist without a right, and a refusal of the domain is shown where it belongs."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client

from config.portal.pages import SIGNED_IN, FormPage, ListPage, Page
from stewardship.people.models import User
from stewardship.regions.models import Region
from tests.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.example")]


def test_a_page_without_a_right_fails_at_start() -> None:
    with pytest.raises(TypeError, match="has no `right`"):
        type("Careless", (Page,), {"title": "Open to all"})
    with pytest.raises(TypeError, match="has no `right`"):
        type("CarelessList", (ListPage,), {})


def test_a_base_may_wait_and_a_child_inherits_the_right() -> None:
    base = type("Base", (FormPage,), {"abstract": True})
    child = type("Child", (base,), {"right": SIGNED_IN})
    assert type("Grandchild", (child,), {}).right == SIGNED_IN
    with pytest.raises(TypeError):
        type("Careless", (base,), {})


def test_a_stranger_is_asked_to_sign_in_and_returns(client: Client, cast: Cast) -> None:
    response = client.get("/example/?language=en")
    assert response.status_code == 302
    assert response["Location"] == "/accounts/login/?next=/example/%3Flanguage%3Den"


def test_without_the_right_the_list_is_refused_and_says_so(client: Client, charlie: User) -> None:
    client.force_login(charlie)
    response = client.get("/example/")
    assert response.status_code == 403
    assert b"regions:region:view" in response.content


def test_what_a_person_may_not_see_is_404(client: Client, cast: Cast, gita: User) -> None:
    client.force_login(gita)
    assert client.get(f"/example/{cast.regions['jp'].pk}/").status_code == 200
    elsewhere = client.get(f"/example/{cast.regions['de'].pk}/")
    nowhere = client.get(f"/example/{uuid.uuid4()}/")
    assert elsewhere.status_code == nowhere.status_code == 404
    assert b"Germany" not in elsewhere.content


def test_the_head_shows_crumbs_chips_actions_and_tabs(client: Client, cast: Cast, frank: User) -> None:
    client.force_login(frank)
    page = client.get(f"/example/{cast.regions['de'].pk}/?tab=two").content.decode()
    assert "<title>Germany · Concordat</title>" in page
    assert 'href="/example/">Regions</a>' in page
    assert '<span class="chip neutral">de</span>' in page
    assert 'class="button primary"' in page
    assert '<a href="?tab=two" aria-current="page">Two <span class="count">3</span></a>' in page
    first = client.get(f"/example/{cast.regions['de'].pk}/?tab=nonsense").content.decode()
    assert '<a href="?tab=one" aria-current="page">' in first


def test_a_form_does_its_verb_and_says_so(client: Client, cast: Cast, frank: User) -> None:
    client.force_login(frank)
    address = f"/example/{cast.regions['de'].pk}/rename/"
    assert 'value="Germany"' in client.get(address).content.decode()
    response = client.post(address, {"name": "Deutschland"}, follow=True)
    assert "It has a new name." in response.content.decode()
    assert Region.objects.get(code="de").name == "Deutschland"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("taken", 'id="id_name_error'),
        ("never", "It cannot be renamed. Ask at the root."),
        ("", "This field is required."),
    ],
)
def test_a_refusal_keeps_what_was_typed(client: Client, cast: Cast, frank: User, name: str, shown: str) -> None:
    client.force_login(frank)
    response = client.post(f"/example/{cast.regions['de'].pk}/rename/", {"name": name, "reason": "typed with care"})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="typed with care"' in page
    assert "<title>Error: " in page
    assert shown in page or "Another region has this name. Choose another name." in page
    assert Region.objects.get(code="de").name == "Germany"
