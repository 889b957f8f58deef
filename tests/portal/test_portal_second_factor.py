"""A second factor, shown in this session, for whoever may sign or configure; a grace to set it up."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, hotp_value, yield_hotp_counters_from_time
from django.test import Client

from stewardship.people.models import User
from tests.cast import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.example")]


def _code(secret: str) -> str:
    counters = list(yield_hotp_counters_from_time())
    return f"{hotp_value(secret, counters[len(counters) // 2]):06d}"


def _sign_in(client: Client, user: User) -> Any:
    return client.post("/accounts/login/", {"login": user.username, "password": PASSWORD})


def _show_password_again(client: Client) -> None:
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})


@pytest.fixture
def no_grace(settings: Any) -> None:
    settings.MFA_ENROLMENT_GRACE_DAYS = 0


def test_during_the_grace_a_bar_says_until_when(client: Client, frank: User) -> None:
    _sign_in(client, frank)
    page = client.get("/example/")
    assert page.status_code == 200
    assert b"Your rights ask for a second factor" in page.content


def test_after_the_grace_only_the_way_to_set_it_up_is_open(client: Client, frank: User, no_grace: None) -> None:
    _sign_in(client, frank)
    assert client.get("/example/?q=a")["Location"] == "/accounts/2fa/totp/activate/?next=%2Fexample%2F%3Fq%3Da"
    api = client.get("/api/v1/example-regions/")
    assert (api.status_code, api["Content-Type"]) == (403, "application/problem+json")
    _show_password_again(client)
    assert client.get("/accounts/2fa/totp/activate/").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_whoever_only_looks_needs_none(client: Client, charlie: User, no_grace: None) -> None:
    _sign_in(client, charlie)
    assert client.get("/me/").status_code == 200


def test_setting_it_up_shows_it_in_this_session(client: Client, frank: User, no_grace: None, monkeypatch: pytest.MonkeyPatch) -> None:
    _sign_in(client, frank)
    _show_password_again(client)
    page = client.get("/accounts/2fa/totp/activate/").content.decode()
    secret = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page) or re.search(r'value="([A-Z2-7]{32})"', page)
    assert secret is not None
    picture = client.get("/accounts/2fa/totp/picture.svg")
    assert picture["Content-Type"] == "image/svg+xml"
    assert picture.content.startswith(b"<?xml") or b"<svg" in picture.content
    # The test's own transaction never commits; outside it, what waits for the commit runs within the request.
    monkeypatch.setattr("django.db.transaction.on_commit", lambda fn, **kwargs: fn())
    client.post("/accounts/2fa/totp/activate/", {"code": _code(secret.group(1))})
    assert Authenticator.objects.filter(user=frank, type="totp").exists()
    assert client.get("/example/").status_code == 200
    assert client.get("/accounts/2fa/totp/picture.svg").status_code == 404


def test_being_enrolled_is_not_enough(client: Client, frank: User, no_grace: None) -> None:
    secret = generate_totp_secret()
    TOTP.activate(frank, secret)
    client.force_login(frank)  # a session that never showed the factor
    response = client.get("/example/")
    assert response["Location"].startswith("/accounts/2fa/reauthenticate/?next=")
    client.post("/accounts/2fa/reauthenticate/", {"code": _code(secret)})
    assert client.get("/example/").status_code == 200


def test_signing_in_asks_for_the_code(client: Client, frank: User, no_grace: None) -> None:
    secret = generate_totp_secret()
    TOTP.activate(frank, secret)
    response = _sign_in(client, frank)
    assert response["Location"].startswith("/accounts/2fa/authenticate/")
    assert client.get("/example/")["Location"].startswith("/accounts/login/")  # half a sign-in is none
    client.post("/accounts/2fa/authenticate/", {"code": _code(secret)})
    assert client.get("/example/").status_code == 200


def test_the_admin_s_own_login_is_no_way_around(client: Client, frank: User) -> None:
    assert client.get("/login/")["Location"].startswith("/accounts/login/")
    assert client.post("/login/", {"username": "frank", "password": PASSWORD})["Location"].startswith("/accounts/login/")


def test_nobody_signs_up(client: Client, db: None) -> None:
    response = client.post(
        "/accounts/signup/", {"username": "eve", "email": "eve@example.org", "password1": PASSWORD, "password2": PASSWORD}
    )
    assert b"Accounts are given" in response.content
    assert not User.objects.filter(username="eve").exists()
