"""Pipelines attach evidence over HTTP and read back what was found."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from governance.evidence.models import Artifact
from stewardship.inventory.models import ModelVersion
from stewardship.people.models import User

DATA = Path(__file__).parent / "data"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture(autouse=True)
def _blobs(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "blobs"


@pytest.fixture
def ci(pipeline_token: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {pipeline_token}"})


def post(client: Client, version: Any, file: str = "1.2.0/metrics.json", kind: str = "metrics", **fields: Any) -> Any:
    data = fields.pop("data", None)
    upload = SimpleUploadedFile(Path(file).name, (DATA / file).read_bytes() if data is None else data)
    return client.post("/api/v1/evidence/", {"version": str(version), "kind": kind, "file": upload, **fields})


def test_evidence_is_attached_and_read_back(ci: Client, version: ModelVersion) -> None:
    data = (DATA / "1.2.0/metrics.json").read_bytes()
    made = post(ci, version.pk, digest=hashlib.sha256(data).hexdigest())
    assert made.status_code == 201, made.content
    body = made.json()
    assert body["readings"]["metrics"]["recall"]["n"] == 64
    assert (body["model"], body["version_label"], body["reader"], body["problem"]) == ("tumour-risk", "1.0.0", "metrics", "")
    assert body["media_type"] == "application/json"
    assert ci.get(f"/api/v1/evidence/{body['id']}/").json() == body
    assert post(ci, version.digest).status_code == 200, "the digest of the artifact names the version too"
    assert [row["id"] for row in ci.get("/api/v1/evidence/", {"version": str(version.pk), "kind": "metrics"}).json()["results"]] == [
        body["id"]
    ]


def test_hostile_files_are_kept_with_their_problem(ci: Client, version: ModelVersion) -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><testsuite>&b;</testsuite>'
    for file, kind, data in (
        ("x.xml", "junit", bomb),
        ("x.json", "metrics", b'{"metrics": {"a": NaN}}'),
        ("y.json", "metrics", b"[" * 50_000),
    ):
        made = post(ci, version.pk, file, kind, data=data)
        assert made.status_code == 201, made.content
        assert made.json()["problem"]


@pytest.mark.parametrize(
    ("fields", "status", "field"),
    [
        ({"digest": "0" * 64}, 400, "digest"),
        ({"kind": "Metrics!"}, 400, "kind"),
        ({"kind": "UPPER"}, 400, "kind"),
        ({"data": b""}, 400, "file"),
        ({"unknown": "x"}, 400, "unknown"),
        ({"media_type": "application/pdf"}, 400, "data"),
    ],
)
def test_refusals_name_their_field(ci: Client, version: ModelVersion, fields: dict[str, Any], status: int, field: str) -> None:
    answer = post(ci, version.pk, **fields)
    assert answer.status_code == status
    body = answer.json()
    assert field in (body.get("field"), *(error["field"] for error in body.get("errors", [])))
    assert not Artifact.objects.exists()


@pytest.mark.parametrize("version_text", ["nothing", "0" * 64, "6f1f7c5e-1111-4111-8111-111111111111"])
def test_a_version_that_is_not_there_is_not_found(ci: Client, version: ModelVersion, version_text: str) -> None:
    assert post(ci, version_text).status_code == 404


def test_who_sees_what(ci: Client, version: ModelVersion, bob: User, gita: User, charlie: User) -> None:
    made = post(ci, version.pk).json()
    for user, status in ((bob, 200), (gita, 404), (charlie, 403)):
        client = Client()
        client.force_login(user, backend=BACKEND)
        assert client.get(f"/api/v1/evidence/{made['id']}/").status_code == status, user.username
    client = Client()
    client.force_login(bob, backend=BACKEND)
    assert post(client, version.pk).status_code == 403
    assert Client().get("/api/v1/evidence/").status_code == 401
    client.force_login(gita, backend=BACKEND)
    assert client.get("/api/v1/evidence/").json()["results"] == []
    assert post(client, version.pk).status_code == 404
