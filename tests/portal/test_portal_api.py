"""The API's promises: rights, problem documents, strict bodies, one effect per Idempotency-Key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from config.portal import idempotency
from config.portal.api import GovernedViewSet
from config.portal.errors import Conflict
from config.portal.models import IdempotentReply
from stewardship.people.models import User
from stewardship.people.tokens import AccessToken
from stewardship.regions.models import Region
from tests.cast import Cast
from tests.portal.example import CALLS

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.portal.example")]
ADDRESS = "/api/v1/example-regions/"


@pytest.fixture(autouse=True)
def _no_calls_yet() -> None:
    CALLS.clear()


def _token(user: User, *scopes: str) -> dict[str, str]:
    _row, plain = AccessToken.issue(user=user, name="test", scopes=scopes or ("read", "write"), days=1, actor=user)
    return {"Authorization": f"Bearer {plain}"}


def _post(client: Client, body: Any, headers: dict[str, str], key: str = "") -> Any:
    more = {"Idempotency-Key": key} if key else {}
    return client.post(ADDRESS, body, content_type="application/json", headers={**headers, **more})


def test_a_viewset_without_rights_fails_at_start() -> None:
    with pytest.raises(TypeError, match="has no `right`"):
        type("Careless", (GovernedViewSet,), {"model": Region})


def test_nobody_without_credentials(client: Client, cast: Cast) -> None:
    response = client.get(ADDRESS)
    assert response.status_code == 401
    assert response["Content-Type"] == "application/problem+json"
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response.json()["status"] == 401


def test_a_right_held_nowhere_is_403(client: Client, charlie: User, alice: User) -> None:
    assert client.get(ADDRESS, headers=_token(charlie)).status_code == 403
    assert _post(client, {"code": "x", "name": "X"}, _token(alice)).status_code == 403  # may view, not configure
    assert CALLS == []


def test_a_token_that_reads_cannot_write(client: Client, frank: User) -> None:
    headers = _token(frank, "read")
    assert client.get(ADDRESS, headers=headers).status_code == 200
    assert _post(client, {"code": "x", "name": "X"}, headers).status_code == 403


def test_rows_come_through_allowed_and_in_pages(client: Client, erin: User, gita: User, cast: Cast) -> None:
    headers, found, address = _token(erin), [], f"{ADDRESS}?page_size=3"
    while address:
        page = client.get(address, headers=headers).json()
        found += [row["code"] for row in page["results"]]
        address = page["next"]
    assert found == sorted(cast.regions)
    mine = [row["code"] for row in client.get(ADDRESS, headers=_token(gita)).json()["results"]]
    assert mine == ["jp"]
    elsewhere = client.get(f"{ADDRESS}{cast.regions['de'].pk}/", headers=_token(gita))
    assert elsewhere.status_code == 404
    assert "Germany" not in elsewhere.content.decode()


def test_a_cursor_that_cannot_be_read_is_the_clients_error(client: Client, erin: User) -> None:
    response = client.get(f"{ADDRESS}?cursor=A", headers=_token(erin))
    assert response.status_code == 400
    assert response.json()["field"] == "cursor"


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ('{"code": "x", "name": "X", "colour": "red"}', 400, "colour"),
        ('{"code": "x"}', 400, "name"),
        ('{"code": "not a slug", "name": "X"}', 400, "code"),
        ('{"code": "x", "name": "taken"}', 409, None),
        ('{"code": ', 400, None),
        ('{"code": "x", "name": NaN}', 400, None),
        ("[1]", 400, ""),
        ("[" * 100_000, 400, None),
    ],
)
def test_a_body_that_cannot_be_taken(client: Client, frank: User, body: str, status: int, field: str | None) -> None:
    response = _post(client, body, _token(frank))
    problem = response.json()
    assert (response.status_code, problem["status"]) == (status, status)
    assert response["Content-Type"] == "application/problem+json"
    assert problem["detail"]
    if field is not None:
        assert field in [error["field"] for error in problem["errors"]]


def test_a_conflict_names_field_and_remedy(client: Client, frank: User) -> None:
    problem = _post(client, {"code": "x", "name": "taken"}, _token(frank)).json()
    assert problem == {
        "type": "urn:concordat:problem:conflict",
        "title": "Conflict",
        "status": 409,
        "detail": "There is one already.",
        "field": "code",
        "remedy": "Choose another code.",
    }


def test_too_large_is_413(client: Client, frank: User, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    assert _post(client, {"code": "x", "name": "x" * 2000}, _token(frank), key="k").status_code == 413
    assert client.post("/api/v1/example-raw/", b"12345678901", content_type="text/plain").status_code == 413
    assert client.post("/api/v1/example-raw/", b"1234567890", content_type="text/plain").content == b"10"


def test_what_is_not_there_is_a_problem_and_no_login_page(client: Client) -> None:
    for address in ("/api/v1/typo/", "/api/", "/journal/typo"):
        response = client.get(address)
        assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")


# --- Idempotency-Key ----------------------------------------------------------------------------


def test_a_repeat_gets_the_first_answer_and_nothing_happens_again(client: Client, frank: User) -> None:
    headers, body = _token(frank), {"code": "x", "name": "X"}
    first, second = _post(client, body, headers, "one"), _post(client, body, headers, "one")
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second["Idempotency-Replayed"] == "true"
    assert CALLS == ["x"]


def test_a_refusal_is_repeated_too(client: Client, frank: User) -> None:
    headers, body = _token(frank), {"code": "x", "name": "taken"}
    first, second = _post(client, body, headers, "one"), _post(client, body, headers, "one")
    assert first.status_code == second.status_code == 409
    assert first.json() == second.json()
    assert second["Content-Type"] == "application/problem+json"
    assert CALLS == ["x"]


def test_the_key_of_another_request_is_422(client: Client, frank: User) -> None:
    headers = _token(frank)
    _post(client, {"code": "x", "name": "X"}, headers, "one")
    assert _post(client, {"code": "y", "name": "Y"}, headers, "one").status_code == 422
    assert CALLS == ["x"]


def test_keys_belong_to_persons(client: Client, frank: User, dana: User, cast: Cast) -> None:
    _post(client, {"code": "x", "name": "X"}, _token(frank), "one")
    assert not IdempotentReply.objects.filter(user=dana).exists()


def test_while_the_first_one_runs_the_second_is_409(client: Client, frank: User) -> None:
    body = b'{"code": "x", "name": "X"}'
    claim = idempotency.begin(frank, "one", idempotency.digest("POST", ADDRESS, body))
    assert _post(client, body.decode(), _token(frank), "one").status_code == 409
    assert isinstance(claim, IdempotentReply)
    claim.created_at = timezone.now() - idempotency.ABANDONED - timedelta(seconds=1)
    claim.save()
    assert _post(client, body.decode(), _token(frank), "one").status_code == 201  # its process is dead


def test_our_own_failure_may_be_tried_again(client: Client, frank: User) -> None:
    client.raise_request_exception = False
    headers = _token(frank)
    broken = _post(client, {"code": "x", "name": "boom"}, headers, "one")
    assert broken.status_code == 500
    assert broken.json()["status"] == 500
    assert not IdempotentReply.objects.exists()
    assert _post(client, {"code": "x", "name": "boom"}, headers, "one").status_code == 500
    assert CALLS == ["x", "x"]


def test_keys_are_printable_and_short(client: Client, frank: User) -> None:
    assert _post(client, {"code": "x", "name": "X"}, _token(frank), "k" * 201).status_code == 400


def test_old_answers_are_forgotten(frank: User) -> None:
    old = timezone.now() - idempotency.KEPT - timedelta(seconds=1)
    IdempotentReply.objects.create(user=frank, key="old", request_digest="", created_at=old)
    IdempotentReply.objects.create(user=frank, key="new", request_digest="", created_at=timezone.now())
    assert idempotency.forget_old() == 1
    assert [row.key for row in IdempotentReply.objects.all()] == ["new"]


def test_a_claim_that_vanished_is_a_conflict(frank: User) -> None:
    with pytest.raises(Conflict, match="has just failed"):
        idempotency._known(frank, "never claimed", "")
