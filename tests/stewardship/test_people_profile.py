"""One's own page: settings, and tokens that are shown once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from stewardship.inventory.models import RegisteredModel
from stewardship.people import standing
from stewardship.people.models import Absence, Delegation, User
from stewardship.people.tokens import AccessToken
from stewardship.roles.holders import holders

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


def when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M")


def test_one_says_that_one_is_away_and_who_stands_in(client: Client, ivan: User, kate: User, model: RegisteredModel) -> None:
    client.force_login(ivan)
    now = datetime.now(UTC)
    time = {"starts": when(now), "ends": when(now + timedelta(days=3))}
    assert client.get("/me/absences/new/").status_code == client.get("/me/delegations/new/").status_code == 200
    assert client.post("/me/absences/new/", time).status_code == 302
    assert client.post("/me/delegations/new/", {"delegate": "KATE@bank.example", **time}).status_code == 302
    assert [(holder.user, holder.acting_for) for holder in holders("responder", model=model)] == [(kate, ivan)]
    page = client.get("/me/").content.decode()
    assert "Kate Klein stands in for you" in page
    client.force_login(kate)
    assert "You stand in for Ivan Ilic" in client.get("/me/").content.decode()
    client.force_login(ivan)
    client.post(f"/me/absences/{Absence.objects.get().pk}/end/")
    client.post(f"/me/delegations/{Delegation.objects.get().pk}/end/")
    assert [holder.user for holder in holders("responder", model=model)] == [ivan]


@pytest.mark.parametrize(
    ("page", "change", "said"),
    [
        ("absences", {"starts": "2020-01-01T08:00"}, "This time has passed already"),
        ("absences", {"ends": "2000-01-01T08:00"}, "It would end before it starts"),
        ("delegations", {"delegate": "nobody"}, "There is nobody of that name"),
        ("delegations", {"delegate": "gita"}, "There is nobody of that name"),
        ("delegations", {"delegate": "bob"}, "Nobody stands in for themselves"),
        ("delegations", {"delegate": "alice"}, "validator must be somebody else"),
        ("delegations", {"ends": ""}, "This field is required"),
    ],
)
def test_what_cannot_be_is_said_on_the_form(client: Client, bob: User, page: str, change: dict[str, str], said: str) -> None:
    client.force_login(bob)
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    given = {"delegate": "charlie", "starts": when(tomorrow), "ends": when(tomorrow + timedelta(days=1))}
    answer = client.post(f"/me/{page}/new/", given | change)
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Absence.objects.exists()
    assert not Delegation.objects.exists()


@pytest.mark.parametrize("page", ["absences", "delegations", "tokens"])
def test_each_form_leads_back_to_the_profile(client: Client, ivan: User, page: str) -> None:
    client.force_login(ivan)
    assert '<a href="/me/">My profile</a>' in client.get(f"/me/{page}/new/").content.decode()


def test_each_beginning_and_end_is_said(client: Client, ivan: User, kate: User) -> None:
    client.force_login(ivan)
    soon = datetime.now(UTC) + timedelta(days=1)
    given = {"delegate": kate.username, "starts": when(soon), "ends": when(soon + timedelta(days=1))}
    assert "Nobody calls you in that time." in client.post("/me/absences/new/", given, follow=True).content.decode()
    assert "They may act in your place in that time." in client.post("/me/delegations/new/", given, follow=True).content.decode()
    for there in (f"/me/absences/{Absence.objects.get().pk}/end/", f"/me/delegations/{Delegation.objects.get().pk}/end/"):
        assert "It ends now." in client.post(there, follow=True).content.decode()
    assert not Absence.objects.exists()
    assert not Delegation.objects.exists()


def test_what_is_somebody_elses_is_not_ended(client: Client, alice: User, ivan: User, kate: User) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    absence = standing.be_absent(ivan, actor=ivan, starts=soon)
    delegation = standing.delegate(ivan, kate, actor=ivan, starts=soon, ends=soon + timedelta(days=1))
    client.force_login(alice)
    assert client.post(f"/me/absences/{absence.pk}/end/").status_code == 404
    assert client.post(f"/me/delegations/{delegation.pk}/end/").status_code == 404
    assert Absence.objects.exists()
    assert Delegation.objects.exists()
