"""The inventory over HTTP: one verb a POST, each refusal naming its field."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from stewardship.inventory import deploy
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from tests.cast import Cast, make_family, make_version

DIGEST = "a" * 64


class Api:
    """A client that speaks JSON as one person."""

    def __init__(self, user: Any = None, token: str = "") -> None:
        self.client = Client(headers={"Authorization": f"Bearer {token}"} if token else {})
        if user is not None:
            self.client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")

    def get(self, path: str, **query: Any) -> Any:
        return self.client.get(f"/api/v1/{path}", query)

    def post(self, path: str, body: Any) -> Any:
        return self.client.post(f"/api/v1/{path}", body, content_type="application/json")


@pytest.fixture
def ci(pipeline_token: str) -> Api:
    return Api(token=pipeline_token)


def test_lists_hold_exactly_what_the_person_may_see(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel) -> None:
    for username, expected in (("alice", {"tumour-risk"}), ("gita", {"credit-line"}), ("erin", {"tumour-risk", "credit-line"})):
        found = Api(cast.users[username]).get("models/").json()
        assert {row["slug"] for row in found["results"]} == expected, username
    assert Api(cast.users["charlie"]).get("models/").status_code == 403
    assert Api().get("models/").status_code == 401
    assert Api(cast.users["alice"]).get(f"models/{foreign_model.pk}/").status_code == 404
    assert Api(cast.users["alice"]).get("models/not-an-id/").status_code == 404
    assert Api(cast.users["alice"]).get(f"models/{model.pk}/").json()["region"] == "de"


FILTERS = [
    ("region=eu", {"tumour-risk"}),
    ("region=jp", {"credit-line"}),
    ("region=nowhere", set()),
    ("tier=1", {"tumour-risk"}),
    ("stage=concept", {"tumour-risk", "credit-line"}),
    ("stage=retired", set()),
    ("family=tumour-risk", {"tumour-risk"}),
    ("slug=credit-line", {"credit-line"}),
]


@pytest.mark.parametrize(("query", "expected"), FILTERS)
def test_filters(cast: Cast, model: RegisteredModel, foreign_model: RegisteredModel, query: str, expected: set[str]) -> None:
    model.set_tier(1, actor=cast.users["dana"], reason="Assessed")
    found = Api(cast.users["erin"]).client.get(f"/api/v1/models/?{query}").json()
    assert {row["slug"] for row in found["results"]} == expected


def test_a_filter_that_cannot_be_is_refused(cast: Cast) -> None:
    assert Api(cast.users["erin"]).get("models/", tier="9").status_code == 400


def test_registering_a_model(cast: Cast) -> None:
    make_family(cast)
    body = {"slug": "triage", "name": "Triage", "family": "tumour-risk", "region": "de", "purpose": "Sorts"}
    api = Api(cast.users["alice"])
    made = api.post("models/", body)
    assert made.status_code == 201, made.content
    assert made.json()["stage"] == "concept"
    assert RegisteredModel.objects.get(slug="triage").history.get().history_user_id == cast.users["alice"].pk
    again = api.post("models/", body)
    assert again.status_code == 409
    assert again.json()["field"] == "slug"


REFUSED_MODELS: list[tuple[dict[str, Any], str]] = [
    ({"region": "atlantis"}, "region"),
    ({"region": "jp"}, "region"),
    ({"family": "unknown"}, "family"),
    ({"purpose": ""}, "purpose"),
    ({"colour": "red"}, "colour"),
    ({"slug": "not a slug"}, "slug"),
    ({"ruling": "maybe"}, "ruling"),
    ({"ruling": "non_model"}, "ruling_rationale"),
]


@pytest.mark.parametrize(("change", "field"), REFUSED_MODELS)
def test_a_refusal_names_the_field(cast: Cast, change: dict[str, Any], field: str) -> None:
    make_family(cast)
    body = {"slug": "triage", "name": "Triage", "family": "tumour-risk", "region": "de", "purpose": "Sorts", **change}
    answer = Api(cast.users["alice"]).post("models/", body)
    assert answer.status_code == 400, answer.content
    assert field in answer.content.decode()
    assert not RegisteredModel.objects.exists()


def test_registering_versions(model: RegisteredModel, ci: Api) -> None:
    body = {
        "model": "tumour-risk",
        "label": "1.0.0",
        "digest": f"sha256:{DIGEST}",
        "libraries": {"numpy": "2.1"},
        "datasets": [{"rows": 12}],
    }
    first = ci.post("versions/", body)
    assert first.status_code == 201, first.content
    assert first.json()["digest"] == DIGEST
    child = ci.post("versions/", {"model": "tumour-risk", "label": "1.1.0", "digest": "b" * 64, "parent": "1.0.0"})
    assert child.json()["parent"] == "1.0.0"
    assert {row["label"] for row in ci.get("versions/", model="tumour-risk").json()["results"]} == {"1.0.0", "1.1.0"}


REFUSED_VERSIONS: list[tuple[dict[str, Any], int, str]] = [
    ({"label": "1.0.0"}, 409, "label"),
    ({"digest": "from fixture"}, 409, "digest"),
    ({"digest": "ABC"}, 400, "digest"),
    ({"digest": "A" * 64}, 400, "digest"),
    ({"model": "credit-line"}, 400, "model"),
    ({"parent": "0.0.1"}, 400, "parent"),
    ({"stage": "approved"}, 400, "stage"),
    ({"libraries": [1]}, 400, "libraries"),
]


@pytest.mark.parametrize(("change", "status", "field"), REFUSED_VERSIONS)
def test_a_refused_version_names_the_field(
    version: ModelVersion, foreign_model: RegisteredModel, ci: Api, change: dict[str, Any], status: int, field: str
) -> None:
    body = {"model": "tumour-risk", "label": "2.0.0", "digest": DIGEST, **change}
    if body["digest"] == "from fixture":
        body["digest"] = version.digest
    answer = ci.post("versions/", body)
    assert answer.status_code == status, answer.content
    assert field in answer.content.decode()
    assert ModelVersion.objects.count() == 1


def test_what_runs_where_and_its_end(cast: Cast, version: ModelVersion, ci: Api) -> None:
    place = {"environment": cast.environments["production"], "region": cast.regions["de"]}
    make_version(version.model, "1.1.0")
    for label in ("1.0.0", "1.1.0"):
        deploy.record(actor=cast.users["alice"], version=version.model.versions.get(label=label), **place)
    live = ci.get("deployments/", live="true", region="eu").json()["results"]
    assert [row["version"] for row in live] == ["1.1.0"]
    assert ci.post(f"deployments/{live[0]['id']}/end/", {}).json()["ended_at"]
    assert ci.post(f"deployments/{live[0]['id']}/end/", {}).status_code == 409
    assert Deployment.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"version": "9"}, "version"),
        ({"share": "0"}, "share"),
        ({"share": "1.5"}, "share"),
        ({"environment": "moon"}, "environment"),
        ({"share": []}, "share"),
    ],
)
def test_a_refused_deployment_names_the_field(version: ModelVersion, ci: Api, change: dict[str, Any], field: str) -> None:
    body = {"model": "tumour-risk", "version": "1.0.0", "environment": "production", "region": "de", **change}
    answer = ci.post("deployments/", body)
    assert answer.status_code == 400, answer.content
    assert field in answer.content.decode()
    assert not Deployment.objects.exists()


def test_who_may_only_look_may_not_write(cast: Cast, version: ModelVersion) -> None:
    body = {"model": "tumour-risk", "label": "2.0.0", "digest": DIGEST}
    assert Api(cast.users["bob"]).post("versions/", body).status_code == 403
    assert Api(cast.users["gita"]).post("versions/", body).status_code == 400, "for Gita there is no such model"


@pytest.mark.parametrize("body", ["{", '"text"', "[]", "null", '{"slug": {"a": 1}}', '{"slug": 1e999}'])
def test_malformed_bodies_are_the_clients_error(cast: Cast, body: str) -> None:
    answer = Api(cast.users["alice"]).client.post("/api/v1/models/", body, content_type="application/json")
    assert answer.status_code == 400
