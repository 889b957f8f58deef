"""The gate and changes over HTTP: every question that can be understood gets 200, everything else a problem document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from governance.approvals.submit import submit
from governance.changes.models import ChangeRequest, Status
from governance.gate import keys, permits
from governance.gate.models import Verdict
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.people.models import User
from stewardship.people.tokens import AccessToken
from tests.cast import Cast, make_version
from tests.governance.change_case import decides, fresh, full_draft, policy, route, with_evidence


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


def post(url: str, token: str, body: Any, **headers: str) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().post(url, text, content_type="application/json", headers={"Authorization": f"Bearer {token}", **headers})


def question(version: ModelVersion, **fields: Any) -> dict[str, Any]:
    return {"model": version.model.slug, "version": version.label, "environment": "production", "region": "de"} | fields


def test_yes_and_no_are_both_answers(cast: Cast, model: RegisteredModel, version: ModelVersion, pipeline_token: str) -> None:
    policy(cast)
    route(cast, stages=[{"name": "Review", "requirements": [{"role": "validator"}]}])
    said = post("/api/v1/gate/", pipeline_token, question(version))
    assert said.status_code == 200
    answer = said.json()
    assert set(answer) == {"id", "verdict", "reasons", "alternatives", "permit"}
    assert answer["verdict"] == "deny"
    assert set(answer["reasons"][0]) == {"rule", "text", "remedy", "who"}
    change = full_draft(cast, model, version)
    submit(change, actor=cast.users["alice"])
    decides(change, cast.users["bob"])
    answer = post("/api/v1/gate/", pipeline_token, question(version)).json()
    assert answer["verdict"] == "allow"
    (jwk,) = Client().get("/api/v1/gate/key/").json()["keys"]
    assert jwk["kid"] == keys.key_id(keys.public_key())
    assert permits.verify(answer["permit"], keys.public_key())["jti"]
    recorded = post("/api/v1/deployments/", pipeline_token, question(version, permit=answer["permit"]))
    assert recorded.status_code == 201, recorded.content
    again = post("/api/v1/deployments/", pipeline_token, question(version))
    assert again.json()["id"] == recorded.json()["id"], "told twice, it is one deployment"
    assert fresh(change).status == Status.IMPLEMENTED
    listed = Client().get("/api/v1/gate/verdicts/", headers={"Authorization": f"Bearer {pipeline_token}"}).json()
    assert [each["verdict"] for each in listed["results"]] == ["allow", "deny"]


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        (b"{", 400, None),
        (b"\xff", 400, None),
        (b"[]", 400, None),
        ({"model": 3, "version": "1.1.0", "environment": "production", "region": "de"}, 400, "model"),
        ({"model": "tumour-risk", "version": "1.1.0", "environment": "production"}, 400, "region"),
        ({"model": "tumour-risk", "version": "1.1.0", "environment": "production", "region": "de", "extra": 1}, 400, "extra"),
        ({"model": "tumour-risk", "environment": "production", "region": "de"}, 400, "version"),
        ({"model": "tumour-risk", "version": "1", "digest": "0", "environment": "production", "region": "de"}, 400, "version"),
        ({"model": "tumour-risk", "version": "1.1.0", "environment": "moon", "region": "de"}, 400, "environment"),
        ({"model": "tumour-risk", "version": "1.1.0", "environment": "production", "region": "moon"}, 400, "region"),
        ({"model": "tumour-risk", "version": "1.1.0\x00", "environment": "production", "region": "de"}, 400, "version"),
        ({"model": "tumour-risk", "version": "9", "environment": "production", "region": "de"}, 404, "version"),
        ({"model": "nothing", "digest": "0" * 64, "environment": "production", "region": "de"}, 404, "digest"),
        (b"x" * 5000, 413, None),
    ],
)
def test_what_cannot_be_understood_names_the_field(
    version: ModelVersion, pipeline_token: str, body: Any, status: int, field: str | None
) -> None:
    said = post("/api/v1/gate/", pipeline_token, body)
    assert said.status_code == status, said.content
    assert said.headers["Content-Type"].startswith("application/problem+json")
    if field:
        assert said.json().get("field") == field, said.json()
    assert Verdict.objects.count() == 0


def test_a_question_with_a_key_is_answered_once(cast: Cast, version: ModelVersion, pipeline_token: str) -> None:
    key = {"Idempotency-Key": "build-4711"}
    first, again = (post("/api/v1/gate/", pipeline_token, question(version), **key) for _time in range(2))
    assert (first.status_code, again.status_code, first.content) == (200, 200, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert Verdict.objects.count() == 1
    assert post("/api/v1/gate/", pipeline_token, question(version, environment="staging"), **key).status_code == 422
    refused, told_again = (post("/api/v1/gate/", pipeline_token, b"{", **{"Idempotency-Key": "wrong"}) for _time in range(2))
    assert (refused.status_code, told_again.status_code, refused.content) == (400, 400, told_again.content)
    assert told_again.headers["Idempotency-Replayed"] == "true"
    assert post("/api/v1/gate/", pipeline_token, question(version), **{"Idempotency-Key": "x" * 201}).status_code == 400
    assert Verdict.objects.count() == 1
    post("/api/v1/gate/", pipeline_token, question(version))
    assert Verdict.objects.count() == 2, "without a key each question has an answer of its own"


def test_who_may_not_ask_gets_nothing(version: ModelVersion, pipeline: User, gita: User) -> None:
    assert Client().post("/api/v1/gate/", b"{}", content_type="application/json").status_code == 401
    assert post("/api/v1/gate/", "cnc_wrong", question(version)).status_code == 401
    assert Client().get("/api/v1/gate/").status_code == 405
    _token, reader = AccessToken.issue(user=pipeline, name="reads", scopes=["read"], days=1, actor=pipeline)
    assert post("/api/v1/gate/", reader, question(version)).status_code == 403
    _token, foreign = AccessToken.issue(user=gita, name="japan", scopes=["read", "write"], days=1, actor=gita)
    assert post("/api/v1/gate/", foreign, question(version)).status_code == 404


def test_a_signed_in_person_may_ask_with_the_forms_token_only(version: ModelVersion, alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    assert client.post("/api/v1/gate/", json.dumps(question(version)), content_type="application/json").status_code == 403
    client = Client()
    client.force_login(alice)
    assert client.post("/api/v1/gate/", json.dumps(question(version)), content_type="application/json").status_code == 200


def test_a_program_drafts_but_can_never_decide(cast: Cast, version: ModelVersion, pipeline_token: str, bob: User) -> None:
    body = {"kind": "deployment", "model": "tumour-risk", "version": "1.1.0", "environment": "production", "rationale": "CI made it"}
    said = post("/api/v1/changes/", pipeline_token, body)
    assert said.status_code == 201, said.content
    change = ChangeRequest.objects.get()
    assert said.json()["reference"] == change.reference
    assert post("/api/v1/changes/", pipeline_token, body | {"colour": "red"}).status_code == 400
    assert post("/api/v1/changes/", pipeline_token, body | {"version": "9"}).status_code == 400
    assert post(f"/api/v1/changes/{change.pk}/submit/", pipeline_token, {}).status_code == 403
    _token, plain = AccessToken.issue(user=bob, name="bob's script", scopes=["read", "write"], days=1, actor=bob)
    said = post(f"/api/v1/changes/{change.pk}/decide/", plain, {"outcome": "approve"})
    assert said.status_code == 403
    assert "can never sign" in said.json()["detail"]
    assert change.get_absolute_url() in said.json()["remedy"]


def test_an_owner_submits_and_withdraws_over_the_api(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    _token, plain = AccessToken.issue(user=alice, name="alice", scopes=["read", "write"], days=1, actor=alice)
    change = full_draft(cast, model, version)
    said = post(f"/api/v1/changes/{change.pk}/submit/", plain, {})
    assert said.status_code == 409
    assert "No approval route" in said.json()["detail"]
    policy(cast)
    route(cast)
    assert post(f"/api/v1/changes/{change.pk}/submit/", plain, {}).json()["status"] == "submitted"
    assert post(f"/api/v1/changes/{change.pk}/withdraw/", plain, {"reason": "Not now"}).json()["status"] == "withdrawn"
    assert post(f"/api/v1/changes/{change.pk}/withdraw/", plain, {"reason": "Again"}).status_code == 409


def test_nothing_is_deployed_past_the_gate(cast: Cast, version: ModelVersion, pipeline_token: str) -> None:
    answer = post("/api/v1/deployments/", pipeline_token, question(version))
    assert answer.status_code == 409, answer.content
    assert answer.json()["field"] == "version"
    assert answer.json()["remedy"]
    assert not Deployment.objects.exists()
