"""The way in over HTTP: tokens, receipts, problems that name field and remedy; and reading series back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from monitoring.alerts.models import Alert
from monitoring.signals.models import Batch, Metric, Source
from monitoring.thresholds.models import Rule
from stewardship.escalation.models import Path
from stewardship.inventory.models import RegisteredModel
from stewardship.people.models import User
from stewardship.people.tokens import AccessToken
from tests.monitoring.conftest import body, payload, saved, window

pytestmark = pytest.mark.django_db
URL = "/api/v1/signals/"


@pytest.fixture
def post(client: Client, pipeline_token: str, source: Source, metric: Metric, model: RegisteredModel) -> Any:
    def send(data: Any, url: str = URL, token: str = pipeline_token, content_type: str = "application/json", **headers: Any) -> Any:
        authorization = {"Authorization": f"Bearer {token}"} if token else {}
        return client.post(url, data=data, content_type=content_type, headers=authorization | headers)

    return send


def test_a_batch_is_answered_with_a_receipt_and_judged_at_once(post: Any, rule: Rule, path: Path) -> None:
    reply = post(body(window(0, 0.46), window(1, 0.46, model="nobody")))
    assert reply.status_code == 202
    said = reply.json()
    assert (said["received"], said["accepted"], said["quarantined"], said["duplicates"]) == (2, 1, 1, 0)
    assert said["problems"][0] | {"message": ""} == {"index": 1, "field": "model", "message": ""}
    assert str(Batch.objects.get().pk) == said["batch"]
    assert Alert.objects.get().level == "act"
    again = post(body(window(0, 0.46), window(1, 0.46, model="nobody"))).json()
    assert (again["batch"], again["duplicates"]) == (None, 2)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[" * 5000, "body"),
        (body(window(0, "high")), "signals[0].value"),
        (body(window(0, 0.1, extra=1)), "signals[0].extra"),
        (body(window(0, 0.1, end="2999-01-01T00:00:00Z")), "signals[0].end"),
        (json.dumps({"source": 3, "signals": []}).encode(), "source"),
        (json.dumps({"source": "nobody", "signals": []}).encode(), "source"),
        (b'{"signals": [{"id": "a\\ud800"}]}', "body"),
    ],
)
def test_a_wrong_body_is_a_problem_with_field_and_remedy(post: Any, text: bytes, field: str) -> None:
    reply = post(text)
    assert (reply.status_code, reply["Content-Type"]) == (400, "application/problem+json")
    said = reply.json()
    assert said["field"] == field
    assert said["remedy"]
    assert not Batch.objects.exists()


def test_a_batch_with_a_key_gets_its_first_receipt_again(post: Any, alertmanager: Source, path: Path) -> None:
    key = {"Idempotency-Key": "batch-1"}
    first, again = post(body(window(0, 0.1)), **key), post(body(window(0, 0.1)), **key)
    assert (again.status_code, again.json()) == (202, first.json()), "not told that all of it are duplicates"
    assert again["Idempotency-Replayed"] == "true"
    assert post(body(window(1, 0.1)), **key).status_code == 422
    refused, told_again = post(b"{", **{"Idempotency-Key": "2"}), post(b"{", **{"Idempotency-Key": "2"})
    assert (refused.status_code, refused.json(), refused["Content-Type"]) == (400, told_again.json(), told_again["Content-Type"])
    url, key = "/api/v1/inbound/am/", {"Idempotency-Key": "am-1"}
    assert post(payload("firing-grouped"), url=url, **key).json() == post(payload("firing-grouped"), url=url, **key).json()
    assert Batch.objects.count() == 2


def test_a_huge_body_is_413(post: Any, settings: Any) -> None:
    settings.MAX_BODY_BYTES = 100
    reply = post(body(window(0, 0.1)))
    assert (reply.status_code, reply["Content-Type"]) == (413, "application/problem+json")


def test_only_a_live_token_with_the_right_sends(post: Any, client: Client, pipeline: User, charlie: User) -> None:
    good = body(window(0, 0.1))
    assert post(good, token="").status_code == 401
    assert post(good, token="cnc_nonsense")["WWW-Authenticate"].startswith("Bearer")
    _token, reading = AccessToken.issue(user=pipeline, name="reads", scopes=["read"], days=1, actor=pipeline)
    assert post(good, token=reading).status_code == 403
    _token, powerless = AccessToken.issue(user=charlie, name="x", scopes=["write"], days=1, actor=charlie)
    assert post(good, token=powerless).status_code == 400  # no source sends under that account
    saved(Source(slug="charlie", name="x", kind="native", region=Source.objects.get().region, user=charlie))
    assert post(good, token=powerless).status_code == 403
    assert client.get(URL).status_code == 405
    assert not Batch.objects.exists()


def test_two_sources_of_one_account_must_be_named(post: Any, source: Source, pipeline: User) -> None:
    saved(Source(slug="second", name="Second", kind="native", region=source.region, user=pipeline))
    reply = post(body(window(0, 0.1)))
    assert (reply.status_code, reply.json()["field"]) == (400, "source")
    assert "second, watch" in reply.json()["remedy"]
    assert post(json.dumps({"source": "second", "signals": [window(0, 0.1)]})).status_code == 202
    assert post(body(window(1, 0.1)), url=f"{URL}?source=watch").status_code == 202
    assert set(Batch.objects.values_list("source__slug", flat=True)) == {"second", "watch"}


def test_cloud_events_come_in_structured(post: Any) -> None:
    data = {key: value for key, value in window(0, 0.1).items() if key != "id"}
    event = {"specversion": "1.0", "id": "1", "source": "/w", "type": "concordat.signal.v1", "data": data}
    assert post(json.dumps(event), content_type="application/cloudevents+json").json()["accepted"] == 1


def test_an_alertmanager_posts_to_its_own_address(post: Any, alertmanager: Source, path: Path) -> None:
    reply = post(payload("firing-grouped"), url="/api/v1/inbound/am/")
    assert (reply.status_code, reply.json()["received"]) == (202, 3)
    assert post(payload("repeat-grouped"), url="/api/v1/inbound/am/").json()["duplicates"] == 3
    wrong = post(b'{"version": "3"}', url="/api/v1/inbound/am/")
    assert (wrong.status_code, wrong.json()["field"]) == (400, "version")


def test_somebody_elses_source_and_none_look_the_same(post: Any, alertmanager: Source, alice: User) -> None:
    _token, foreign = AccessToken.issue(user=alice, name="x", scopes=["write"], days=1, actor=alice)
    theirs, none = (post(payload("firing-one"), url=f"/api/v1/inbound/{key}/", token=foreign) for key in ("am", "ax"))
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.json()["detail"].replace("am", "ax") == none.json()["detail"].replace("am", "ax")


def test_series_and_windows_are_read_back_by_who_may(post: Any, client: Client, alice: User, gita: User) -> None:
    post(body(window(0, 0.1), window(1, 0.25)))
    client.force_login(alice)
    found = client.get("/api/v1/series/?metric=drift").json()["results"]
    assert [(one["model"], one["method"], one["direction"]) for one in found] == [("tumour-risk", "wasserstein", "higher_is_worse")]
    url = f"/api/v1/series/{found[0]['id']}/windows/"
    assert [one["value"] for one in client.get(url).json()["results"]] == ["0.25", "0.1"]
    assert len(client.get(f"{url}?from=2026-11-01T01:30:00Z&to=2026-11-03T00:00:00Z").json()["results"]) == 1
    for moment in ("yesterday", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00%2B12:00"):
        wrong = client.get(f"{url}?from={moment}")
        assert (wrong.status_code, wrong.json()["field"]) == (400, "from"), moment
    client.force_login(gita)
    assert client.get("/api/v1/series/").json()["results"] == []
    assert client.get(url).status_code == 404


def test_alerts_are_listed_and_moved_over_the_api(post: Any, client: Client, rule: Rule, path: Path, ivan: User, bob: User) -> None:
    post(body(window(0, 0.46)))
    alert = Alert.objects.get()
    client.force_login(bob)
    url = f"/api/v1/alerts/{alert.pk}/"
    assert client.get("/api/v1/alerts/?level=act&model=tumour-risk").json()["results"][0]["title"] == alert.title
    assert client.get("/api/v1/alerts/?level=panic").status_code == 400
    assert client.post(f"{url}acknowledge/", {}, content_type="application/json").status_code == 403
    client.force_login(ivan)
    assert client.post(f"{url}acknowledge/", {"x": 1}, content_type="application/json").status_code == 400
    assert client.post(f"{url}acknowledge/", {}, content_type="application/json").json()["status"] == "acknowledged"
    assert client.post(f"{url}acknowledge/", {}, content_type="application/json").status_code == 409
    assert client.post(f"{url}investigate/", {"reason": "The scanner"}, content_type="application/json").json()["status"] == "investigating"
    assert client.post(f"{url}resolve/", {"outcome": "source", "reason": "x"}, content_type="application/json").status_code == 400
    done = client.post(f"{url}resolve/", {"outcome": "fixed", "reason": "Replaced"}, content_type="application/json").json()
    assert (done["status"], done["resolution"], done["acknowledged_by"]) == ("resolved", "fixed", "ivan")
