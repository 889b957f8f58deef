"""One's own page: settings, and tokens that are shown once."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from stewardship.people.models import User
from stewardship.people.tokens import AccessToken

pytestmark = pytest.mark.django_db


def test_settings_are_saved_with_history(client: Client, alice: User) -> None:
    client.force_login(alice)
    client.post("/me/", {"full_name": "Alice A.", "time_zone": "Asia/Tokyo", "language": "de", "theme": "dark"})
    alice.refresh_from_db()
    assert (alice.full_name, alice.time_zone, alice.language, alice.theme) == ("Alice A.", "Asia/Tokyo", "de", "dark")
    assert alice.history.first().history_user_id == alice.pk


@pytest.mark.parametrize("change", [{"time_zone": "Mars/Olympus"}, {"language": "tlh"}, {"theme": "loud"}])
def test_what_does_not_exist_is_refused(client: Client, alice: User, change: dict[str, str]) -> None:
    client.force_login(alice)
    given = {"full_name": "Alice A.", "time_zone": "UTC", "language": "en", "theme": "auto"} | change
    assert client.post("/me/", given).status_code == 422
    alice.refresh_from_db()
    assert alice.full_name == "Alice Adler"


def test_a_token_is_shown_once_and_works(client: Client, alice: User) -> None:
    client.force_login(alice)
    response = client.post("/me/tokens/new/", {"name": "CI", "scopes": "read", "days": "30"})
    plain = re.search(r"cnc_\w+", response.content.decode())
    assert plain is not None
    assert response["Cache-Control"] == "no-store"
    assert plain.group(0).encode() not in client.get("/me/").content
    token = AccessToken.objects.get(user=alice)
    client.logout()
    headers = {"Authorization": f"Bearer {plain.group(0)}"}
    assert client.get("/api/v1/models/", headers=headers).status_code == 200
    client.force_login(alice)
    client.post(f"/me/tokens/{token.pk}/revoke/")
    client.logout()
    assert client.get("/api/v1/models/", headers=headers).status_code == 401


def test_a_token_of_somebody_else_is_not_there(client: Client, alice: User, bob: User) -> None:
    token, _plain = AccessToken.issue(user=bob, name="his", scopes=["read"], days=1, actor=bob)
    client.force_login(alice)
    assert client.post(f"/me/tokens/{token.pk}/revoke/").status_code == 404
    token.refresh_from_db()
    assert token.revoked_at is None
    assert client.get(f"/me/tokens/{token.pk}/revoke/").status_code == 405


def test_a_life_above_a_year_is_refused(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.post("/me/tokens/new/", {"name": "CI", "scopes": "read", "days": "4000"}).status_code == 422
    assert not AccessToken.objects.exists()
