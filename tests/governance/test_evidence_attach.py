"""Evidence is attached, checked, replaced, and becomes facts."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from governance.evidence import dossier
from governance.evidence.attach import attach
from governance.evidence.errors import DigestMismatch, EvidenceRefused
from governance.evidence.facts import facts
from governance.evidence.models import Artifact
from monitoring.signals.models import Metric
from stewardship.access.errors import Forbidden, NotVisible
from stewardship.documents import owners
from stewardship.inventory.models import ModelVersion
from stewardship.journal.acting import acting
from stewardship.people.models import User, system_user
from tests.cast import make_version

DATA = Path(__file__).parent / "data"


@pytest.fixture(autouse=True)
def _blobs(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "blobs"


def send(version: ModelVersion, actor: User, file: str = "1.2.0/metrics.json", kind: str = "metrics", **fields: Any) -> Artifact:
    data = fields.pop("data", None)
    media = "application/xml" if file.endswith("xml") else "application/json"
    given = {"data": (DATA / file).read_bytes() if data is None else data, "name": file, "media_type": media, **fields}
    return attach(version=version, kind=kind, actor=actor, **given)


def test_metrics_are_kept_and_read(version: ModelVersion, pipeline: User) -> None:
    artifact = send(version, pipeline)
    assert (artifact.reader, artifact.problem, artifact.name, artifact.was_reduced) == ("metrics", "", "metrics.json", False)
    assert artifact.blob.read() == (DATA / "1.2.0/metrics.json").read_bytes()
    assert artifact.readings["metrics"]["recall"]["n"] == 64
    assert str(artifact) == "metrics · metrics.json"


def test_test_results_are_kept_without_hosts_and_paths(version: ModelVersion, pipeline: User) -> None:
    data = (DATA / "1.2.0/junit.xml").read_bytes()
    artifact = send(version, pipeline, "1.2.0/junit.xml", "junit", expected_digest=hashlib.sha256(data).hexdigest())
    assert artifact.received_digest == hashlib.sha256(data).hexdigest()
    assert artifact.was_reduced
    assert b"hostname" not in artifact.blob.read()


def test_the_same_file_again_is_the_same_evidence(version: ModelVersion, pipeline: User) -> None:
    assert send(version, pipeline) == send(version, pipeline)
    assert Artifact.objects.count() == 1


def test_a_digest_that_does_not_fit_is_refused(version: ModelVersion, pipeline: User) -> None:
    with pytest.raises(DigestMismatch) as refused:
        send(version, pipeline, expected_digest="0" * 64)
    assert refused.value.field == "digest"
    assert not Artifact.objects.exists()
    digest = hashlib.sha256((DATA / "1.2.0/metrics.json").read_bytes()).hexdigest()
    assert send(version, pipeline, expected_digest=f"sha256:{digest.upper()}").received_digest == digest


@pytest.mark.parametrize(("fields", "field"), [({"kind": "Bad Kind"}, "kind"), ({"kind": "../x"}, "kind"), ({"data": b""}, "file")])
def test_what_is_no_evidence_is_refused(version: ModelVersion, pipeline: User, fields: dict[str, Any], field: str) -> None:
    with pytest.raises(EvidenceRefused) as refused:
        send(version, pipeline, **fields)
    assert refused.value.field == field


def test_only_those_who_may_attach_do(version: ModelVersion, bob: User, charlie: User, gita: User) -> None:
    with pytest.raises(Forbidden):
        send(version, bob)
    for stranger in (charlie, gita):
        with pytest.raises(NotVisible):
            send(version, stranger)


def test_a_file_that_cannot_be_read_is_kept_and_hides_nothing(version: ModelVersion, pipeline: User) -> None:
    send(version, pipeline)
    send(version, pipeline, "1.0.0/junit.xml", "junit", name="unit.xml")
    broken = send(version, pipeline, data=b"{}", name="robustness.json")
    assert "no list or object 'metrics'" in broken.problem
    assert list(Artifact.objects.unread()) == [broken]
    found = facts(version)
    assert found["metrics"] == {}
    assert found["kinds"] == ["junit"]
    assert found["problems"] == ["robustness.json: The file has no list or object 'metrics'."]
    assert found["tests"]["total"] == 8
    send(version, pipeline, "1.0.0/junit.xml", "junit", name="unit.xml", data=b"<html/>")
    assert "tests" not in facts(version), "the good file of that name was replaced by a broken one"


def test_facts_add_up_tests_and_take_the_latest_of_each_name(version: ModelVersion, pipeline: User) -> None:
    assert facts(None) == facts(version) == {"metrics": {}, "kinds": [], "problems": []}
    send(version, pipeline, "1.0.0/metrics.json")
    send(version, pipeline, "1.2.0/metrics.json", name="1.0.0/metrics.json")
    send(version, pipeline, "1.0.0/junit.xml", "junit", name="unit.xml")
    send(version, pipeline, "1.2.0/junit.xml", "junit", name="model.xml")
    send(version, pipeline, data=b"# card", kind="model_card", name="card.md", media_type="text/markdown")
    found = facts(version)
    assert str(found["metrics"]["recall"]["value"]) == "0.96875"
    assert (found["tests"]["total"], found["tests"]["passed"], found["tests"]["failed"]) == (16, 14, 1)
    assert found["tests"]["failed_names"] == ["test_model.test_brier_score_at_most_0_065"]
    assert found["kinds"] == ["junit", "metrics", "model_card"]


def test_the_worst_subgroup_is_the_one_that_the_catalogue_calls_bad(version: ModelVersion, pipeline: User) -> None:
    with acting(system_user(), "The catalogue"):
        Metric(slug="forecast.mape", name="Error", direction="higher_is_worse").save()
        Metric(slug="2nd", name="No name for a rule", direction="higher_is_worse").save()
    groups = [{"subgroup": "young", "forecast_mape": 0.1, "gap": 1}, {"subgroup": "old", "forecast_mape": 0.3, "gap": 2}]
    data = json.dumps({"metrics": {"forecast_mape": 0.2, "gap": 1}, "subgroups": {"groups": groups}}).encode()
    send(version, pipeline, data=data)
    found = facts(version)["metrics"]
    assert found["forecast_mape"]["worst"]["subgroup"] == "old"
    assert "worst" not in found["gap"], "nobody says which way it is bad"
    assert (found["gap"]["lowest"]["subgroup"], found["gap"]["highest"]["subgroup"]) == ("young", "old")


def test_facts_of_a_past_instant(version: ModelVersion, pipeline: User) -> None:
    first = send(version, pipeline, "1.0.0/metrics.json")
    second = send(version, pipeline, "1.2.0/metrics.json", name="1.0.0/metrics.json")
    assert facts(version, first.attached_at)["metrics"]["brier"]["value"] != facts(version, second.attached_at)["metrics"]["brier"]["value"]
    assert facts(version, first.attached_at - timedelta(seconds=1))["kinds"] == []


def test_a_file_is_read_by_whoever_sees_the_model(version: ModelVersion, pipeline: User, bob: User, gita: User) -> None:
    artifact = send(version, pipeline)
    assert owners.may_read(bob, artifact.blob)
    assert not owners.may_read(gita, artifact.blob)


def test_what_a_dossier_shows_of_evidence(version: ModelVersion, pipeline: User) -> None:
    now = timezone.now() + timedelta(minutes=1)
    model = version.model
    assert dossier.metrics(model, version, now) is None
    assert dossier.tests(model, version, now) is None
    assert dossier.artifacts(model, None, now) == []
    artifact = send(version, pipeline)
    rows = {row["name"]: row for row in dossier.metrics(model, version, now) or []}
    assert rows["recall"]["worst"] == "0.8 (mean radius < 13.37, n 5)"
    assert "worst" not in rows["brier"]
    assert dossier.artifacts(model, version, now) == [f"metrics: metrics.json (sha256 {artifact.blob.sha256[:8]})"]


def test_evidence_belongs_to_one_version(version: ModelVersion, pipeline: User) -> None:
    other = make_version(version.model, "1.1.0")
    send(version, pipeline)
    assert facts(other)["metrics"] == {}
    assert send(other, pipeline).blob == Artifact.objects.get(version=version).blob
