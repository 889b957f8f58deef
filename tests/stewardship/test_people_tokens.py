"""Access tokens: shown once, kept as a digest, dead when they should be."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from stewardship.inventory.models import RegisteredModel
from stewardship.people import standing
from stewardship.people.errors import BadToken, NotYours
from stewardship.people.models import system_user
from stewardship.people.tokens import PREFIX, AccessToken, AccessTokenUse, find, is_well_formed, new_plain
from stewardship.roles.assign import assign
from tests.cast import Cast


def test_a_token_is_recognised_by_its_form() -> None:
    plain = new_plain()
    assert plain.startswith(PREFIX)
    assert is_well_formed(plain)
    assert len({new_plain() for _number in range(50)}) == 50


@given(place=st.integers(4, 41), letter=st.characters(min_codepoint=33, max_codepoint=1000))
def test_a_changed_letter_is_found_without_a_database(place: int, letter: str) -> None:
    plain = new_plain()
    changed = plain[:place] + letter + plain[place + 1 :]
    assert is_well_formed(changed) is (changed == plain)


@pytest.mark.parametrize("text", ["", "cnc_", "ghp_" + "a" * 38, "cnc_" + "a" * 200, "cnc_ü"])
def test_other_texts_are_no_tokens(text: str) -> None:
    assert not is_well_formed(text)
    assert find(text, datetime.now(UTC)) is None


def _issue(cast: Cast, **change: Any) -> tuple[AccessToken, str]:
    given: dict[str, Any] = {"user": "alice", "name": "CI", "scopes": ["read"], "days": 10, "actor": "alice", **change}
    given["user"] = given["user"] if not isinstance(given["user"], str) else cast.users[given["user"]]
    given["actor"] = cast.users[given["actor"]]
    return AccessToken.issue(**given)


def test_only_the_digest_is_kept(cast: Cast) -> None:
    token, plain = _issue(cast)
    assert plain not in str(AccessToken.objects.values().get(pk=token.pk))
    found = find(plain, datetime.now(UTC))
    assert found == token
    assert found.user == cast.users["alice"]
    assert str(token) == "CI (Alice Adler)" == str(token.use)


@pytest.mark.parametrize(
    ("change", "error", "field"),
    [
        ({"scopes": []}, BadToken, "scopes"),
        ({"scopes": ["sign"]}, BadToken, "scopes"),
        ({"days": 0}, BadToken, "days"),
        ({"days": 367}, BadToken, "days"),
        ({"actor": "bob"}, NotYours, ""),
        ({"user": "gita", "actor": "frank"}, NotYours, ""),
    ],
)
def test_what_cannot_be_issued(cast: Cast, change: dict[str, Any], error: type[Exception], field: str) -> None:
    with pytest.raises(error) as refusal:
        _issue(cast, **change)
    assert getattr(refusal.value, "field", "") == field
    assert not AccessToken.objects.exists()


def test_a_manager_issues_for_people_of_their_region_but_not_for_leavers(cast: Cast) -> None:
    _issue(cast, actor="frank")
    standing.deactivate(cast.users["alice"], actor=system_user(), reason="Left")
    with pytest.raises(BadToken):
        _issue(cast, actor="frank")


def test_nobody_issues_for_who_may_sign_where_they_may_not(cast: Cast) -> None:
    frank, bob = cast.users["frank"], cast.users["bob"]
    for elsewhere in (None, "fr"):  # Bob may sign in all of the EU
        if elsewhere:
            assign(actor=system_user(), role="validator", user=frank, region=cast.regions[elsewhere], rationale="A part of it")
        with pytest.raises(NotYours, match="Bob Berger may sign") as refusal:
            _issue(cast, user="bob", actor="frank")
        assert refusal.value.remedy
    assert not AccessToken.objects.exists()
    assign(actor=system_user(), role="validator", user=frank, region=cast.regions["emea"], rationale="All of it")
    _token, plain = _issue(cast, user="bob", actor="frank")
    found = find(plain, datetime.now(UTC))
    assert found is not None
    assert found.user == bob


def test_nor_for_who_will_sign(cast: Cast) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    assign(
        actor=system_user(), role="validator", user=cast.users["charlie"], region=cast.regions["eu"], valid_from=soon, rationale="Tomorrow"
    )
    with pytest.raises(NotYours):
        _issue(cast, user="charlie", actor="frank")


def test_no_door_leads_to_a_token_of_somebody_else(cast: Cast, settings: Settings) -> None:
    settings.MFA_ENROLMENT_GRACE_DAYS = 3650
    frank, bob = cast.users["frank"], cast.users["bob"]
    client = Client()
    client.force_login(frank, backend="allauth.account.auth_backends.AuthenticationBackend")
    given = {"name": "CI", "scopes": "read", "days": "10", "user": str(bob.pk), "reason": "For him"}
    assert client.post(reverse("token_new"), given).status_code == 200
    assert client.post(reverse("admin:stewardship_accesstoken_add"), given).status_code == 403
    assert client.post("/api/v1/tokens/", given, content_type="application/json").status_code == 404
    assert [token.user for token in AccessToken.objects.all()] == [frank]


def test_it_ends_with_its_date_its_person_or_by_revocation(cast: Cast) -> None:
    token, plain = _issue(cast)
    now = datetime.now(UTC)
    assert find(plain, token.expires_at - timedelta(microseconds=1)) is not None
    assert find(plain, token.expires_at) is None
    with pytest.raises(NotYours):
        token.revoke(actor=cast.users["bob"])
    token.revoke(actor=cast.users["frank"])
    revoked_at = token.revoked_at
    token.revoke(actor=cast.users["alice"], reason="Again")
    assert token.revoked_at == revoked_at
    assert find(plain, now) is None
    _other, plain = _issue(cast)
    standing.deactivate(cast.users["alice"], actor=system_user(), reason="Left")
    assert find(plain, now) is None


def _get(plain: str, word: str = "Bearer") -> Any:
    return Client(headers={"Authorization": f"{word} {plain}"}).get("/api/v1/models/")


def test_over_http(cast: Cast, model: RegisteredModel, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    token, plain = _issue(cast)
    answer = _get(plain)
    assert answer.status_code == 200
    assert [row["slug"] for row in answer.json()["results"]] == ["tumour-risk"]
    used = AccessTokenUse.objects.get(token=token).last_used_at
    assert used is not None
    _get(plain)
    assert AccessTokenUse.objects.get(token=token).last_used_at == used, "noted at most once a minute"
    assert _get(plain, "bearer").status_code == 200
    assert _get(plain, "Basic").status_code == 401
    refused = _get(new_plain())
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")
    write = Client(headers={"Authorization": f"Bearer {plain}"}).post("/api/v1/models/", {}, content_type="application/json")
    assert write.status_code == 403
    assert token.history.count() == 1, "using a token is no change of it"
    with django_assert_max_num_queries(6):
        _get(plain)
