"""With every Policy, RouteRule, threshold Rule and Path gone the portal refuses with reasons, and never passes anything."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from governance.approvals.errors import NoRoute
from governance.approvals.submit import submit
from governance.changes.models import Status
from governance.gate.ask import ask
from governance.gate.deploy import record_deployment
from governance.gate.errors import NotAllowed
from monitoring.alerts.models import Alert
from monitoring.signals.models import Metric, Source
from stewardship.coverage.models import Gap
from stewardship.escalation.errors import NoPath
from stewardship.escalation.models import Run
from stewardship.escalation.start import start
from stewardship.inventory.models import Deployment, ModelVersion, RegisteredModel
from stewardship.people.models import User, system_user
from tests.cast import Cast
from tests.governance.change_case import fresh, full_draft, with_evidence
from tests.monitoring.conftest import body, window
from tests.permission_people import saved


def test_a_change_cannot_be_submitted(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    with_evidence(version)
    change = full_draft(cast, model, version)
    with pytest.raises(NoRoute) as refused:
        submit(change, actor=alice)
    assert refused.value.message
    assert refused.value.remedy
    assert fresh(change).status == Status.DRAFT


def test_the_gate_says_no_and_why(cast: Cast, version: ModelVersion, pipeline: User) -> None:
    with_evidence(version)
    answer = ask(model="tumour-risk", version="1.0.0", environment="production", region="de", actor=pipeline)
    assert answer.verdict in {"deny", "undecided"}
    assert answer.permit is None
    assert all(reason["text"] for reason in answer.reasons)
    assert answer.reasons
    with pytest.raises(NotAllowed):
        record_deployment(
            actor=pipeline, version=version, environment=cast.environments["production"], region=cast.regions["de"]
        )  # fmt: skip
    assert not Deployment.objects.exists()


def test_a_signal_is_kept_and_nobody_is_told_that_all_is_well(
    cast: Cast, model: RegisteredModel, pipeline: User, pipeline_token: str
) -> None:
    saved(Metric(slug="drift", name="Drift", unit="", direction="higher_is_worse", formula="distance"))
    saved(Source(slug="watch", name="Watch", kind="native", region=cast.regions["eu"], user=pipeline))
    client = Client(headers={"Authorization": f"Bearer {pipeline_token}"})
    reply = client.post("/api/v1/signals/", body(window(0, 0.9)), content_type="application/json")
    assert reply.status_code == 202
    assert json.loads(reply.content)["accepted"] == 1
    assert not Alert.objects.exists(), "without a threshold nothing can be judged"
    owner = Client()
    owner.force_login(cast.users["alice"], backend="allauth.account.auth_backends.AuthenticationBackend")
    page = owner.get(f"/models/{model.pk}/?tab=monitoring").content.decode()
    assert "threshold" in page.lower()


def test_an_escalation_without_a_path_is_refused_by_name(cast: Cast, model: RegisteredModel) -> None:
    with pytest.raises(NoPath) as refused:
        start(
            subject_kind="alert", subject_id=model.pk, label="Drift", level="act", model=model, region=cast.regions["de"],
            actor=system_user(),
        )  # fmt: skip
    assert "Germany" in refused.value.message
    assert refused.value.remedy
    assert not Run.objects.exists()
    assert not Gap.objects.exists()
