"""Rollback criteria are written, agreed to, and watched from the deployment on; a breach drafts the way back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.portal.errors import Invalid
from governance.approvals.submit import submit
from governance.changes import criteria
from governance.changes.errors import Incomplete
from governance.changes.models import ChangeRequest, Kind, RollbackPlan, Status
from governance.gate.deploy import record_deployment
from monitoring.alerts.models import Alert
from monitoring.alerts.receive import receive
from monitoring.signals.models import Metric, Source
from monitoring.thresholds.models import Rule
from stewardship.inventory.deploy import record
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import PLAN, decides, fresh, full_draft, policy, route, with_evidence
from tests.monitoring.conftest import body, saved

RECALL = {"metric": "recall", "comparison": "below", "bound": Decimal("0.85")}
CRITERIA = [RECALL, {"metric": "drift", "comparison": "above", "bound": Decimal("0.3")}]


@pytest.fixture(autouse=True)
def catalogue(cast: Cast) -> None:
    saved(Metric(slug="recall", name="Recall", direction="lower_is_worse"))
    saved(Metric(slug="drift", name="Drift"))  # the method decides
    saved(Metric(slug="latency", name="Latency", direction="outside_range"))


@pytest.fixture
def old(cast: Cast, model: RegisteredModel) -> ModelVersion:
    """1.0.0, live in production in Germany."""
    made = make_version(model, "1.0.0")
    record(actor=system_user(), version=made, environment=cast.environments["production"], region=cast.regions["de"])
    return made


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    made = make_version(model, "1.1.0")
    with_evidence(made)
    return made


@pytest.fixture
def deployed(cast: Cast, model: RegisteredModel, old: ModelVersion, version: ModelVersion, pipeline: User) -> ChangeRequest:
    policy(cast)
    route(cast)
    plan = {**PLAN, "target_version": old, "criteria": CRITERIA}
    change = full_draft(cast, model, version, rollback=plan, watch_days=14)
    submit(change, actor=cast.users["alice"])
    decides(change, cast.users["bob"])
    decides(change, cast.users["kate"])
    assert not Rule.objects.exists()  # approved is not yet running
    record_deployment(actor=pipeline, version=version, environment=cast.environments["production"], region=cast.regions["de"])
    return fresh(change)


@pytest.fixture
def send(cast: Cast, pipeline: User) -> Callable[..., None]:
    source = saved(Source(slug="watch", name="Watch", kind="native", region=cast.regions["eu"], user=pipeline))

    def post(value: float, label: str | None = "1.1.0", hour: int = 0) -> None:
        at = timezone.now() - timedelta(hours=10 - hour)
        fact: dict[str, Any] = {
            "id": f"{label}-{hour}", "model": "tumour-risk", "metric": "recall", "region": "de", "environment": "production",
            "value": value, "n": 60, "start": at.isoformat(), "end": (at + timedelta(hours=1)).isoformat(),
        }  # fmt: skip
        receive(source=source, body=body(fact | ({"version": label} if label else {})), content_type="application/json", actor=pipeline)

    return post


def test_each_criterion_becomes_a_rule_for_the_watch_period(cast: Cast, deployed: ChangeRequest, version: ModelVersion) -> None:
    assert deployed.status == Status.IMPLEMENTED
    assert deployed.implemented_at is not None
    recall, drift = Rule.objects.order_by("slug")
    assert (recall.metric.slug, recall.direction, recall.levels) == ("recall", "lower_is_worse", {"act": Decimal("0.85")})
    assert (drift.metric.slug, drift.direction) == ("drift", "higher_is_worse")
    for rule in (recall, drift):
        assert rule.version == version
        assert (rule.environment, rule.region) == (cast.environments["production"], cast.regions["de"])
        assert rule.valid_from == deployed.implemented_at
        assert rule.valid_until == deployed.implemented_at + timedelta(days=14)
        assert "Go back to 1.0.0: Deploy the version before" in rule.next_actions["act"]
        row = rule.history.get()
        assert row.history_user_id == system_user().pk
        assert deployed.reference in row.history_change_reason


def test_a_breach_calls_for_action_and_drafts_the_way_back(deployed: ChangeRequest, old: ModelVersion, send: Callable[..., None]) -> None:
    send(0.9)
    assert not Alert.objects.exists()
    send(0.8, hour=1)
    alert = Alert.objects.get()
    assert alert.level == "act"
    assert "Go back to 1.0.0" in alert.next_action
    back = ChangeRequest.objects.get(kind=Kind.ROLLBACK)
    assert (back.version, back.origin_id) == (old, alert.pk)


def test_only_the_version_that_was_agreed_on_is_watched(deployed: ChangeRequest, send: Callable[..., None]) -> None:
    send(0.1, "1.0.0")
    assert not Alert.objects.exists()
    send(0.1, None)  # not said of which version: it may be this one
    assert Alert.objects.count() == 1


def test_after_the_watch_period_nothing_is_judged(deployed: ChangeRequest, send: Callable[..., None]) -> None:
    from stewardship.journal.acting import acting

    with acting(system_user(), "Two weeks later"):
        for rule in Rule.objects.all():
            rule.valid_from, rule.valid_until = timezone.now() - timedelta(days=15), timezone.now() - timedelta(days=1)
            rule.save()
    send(0.1)
    assert not Alert.objects.exists()


def test_without_a_watch_period_criteria_are_refused(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    policy(cast)
    route(cast)
    change = full_draft(cast, model, version, rollback={**PLAN, "criteria": CRITERIA}, watch_days=0)
    with pytest.raises(Incomplete) as refused:
        submit(change, actor=alice)
    assert refused.value.field == "watch_days"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("recall", "list"),
        ([{"metric": "recall"}], "metric, comparison and bound"),
        ([{**RECALL, "comparison": "beside"}], "compares"),
        ([{**RECALL, "metric": "reccall"}], "no metric “reccall”"),
        ([{**RECALL, "comparison": "above"}], "never be breached"),
        ([{**RECALL, "metric": "latency"}], "never be breached"),
        ([{**RECALL, "bound": "0.85"}], "no number"),
        ([{**RECALL, "bound": True}], "no number"),
        ([{**RECALL, "bound": Decimal("NaN")}], "no number"),
        ([{**RECALL, "bound": Decimal("1e40")}], "no number"),
        ([RECALL] * 21, "at most 20"),
    ],
)
def test_what_could_not_be_watched_is_refused(cast: Cast, model: RegisteredModel, version: ModelVersion, given: Any, said: str) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        full_draft(cast, model, version, rollback={**PLAN, "criteria": given})
    assert refused.value.field == "rollback_criteria"
    assert ChangeRequest.objects.count() == 0


def test_people_write_a_criterion_a_line() -> None:
    assert criteria.read("recall below 0.85\n\n drift > 0.3 ") == CRITERIA
    assert criteria.written(CRITERIA) == ["recall below 0.85", "drift above 0.3"]
    for line in ("recall", "recall under 0.85", "recall below good", "recall below 1e9"):
        with pytest.raises(Invalid, match=line):
            criteria.read(line)


def test_the_form_takes_them_and_the_page_shows_them(cast: Cast, model: RegisteredModel, version: ModelVersion, alice: User) -> None:
    client = Client()
    client.force_login(alice)
    form = {
        "kind": "deployment", "version": version.pk, "region": cast.regions["de"].pk, "watch_days": 7,
        "rollback_criteria": "recall below 0.85\ndrift above 0.3",
    }  # fmt: skip
    url = reverse("change_new", args=[model.pk])
    assert "Metrics: drift, latency, recall" in client.get(url).content.decode()
    response = client.post(url, form | {"rollback_criteria": "recal below 0.85"})
    assert response.status_code == 422
    assert "There is no metric" in response.content.decode()
    assert client.post(url, form).status_code == 302
    change = ChangeRequest.objects.get()
    assert change.rollback.criteria == CRITERIA
    assert "recall below 0.85" in client.get(change.get_absolute_url()).content.decode()
    assert "recall below 0.85\ndrift above 0.3" in client.get(reverse("change_edit", args=[change.pk])).content.decode()


def test_the_api_takes_them_and_the_version_to_go_back_to(
    cast: Cast, model: RegisteredModel, old: ModelVersion, version: ModelVersion, pipeline_token: str
) -> None:
    client = Client(headers={"authorization": f"Bearer {pipeline_token}"})
    wanted = {"kind": "deployment", "model": model.slug, "version": version.label}

    def post(plan: dict[str, Any]) -> Any:
        return client.post("/api/v1/changes/", wanted | {"rollback": plan}, content_type="application/json")

    made = post({"version": "1.0.0", "criteria": [{"metric": "recall", "comparison": "below", "bound": 0.85}]})
    assert made.status_code == 201, made.content
    plan = RollbackPlan.objects.get()
    assert plan.target_version == old
    assert plan.criteria == [RECALL]
    for refused in (
        post({"version": "9"}),
        post({"criteria": [{"metric": "recall", "comparison": "below", "bound": "much"}]}),
        post({"criteria": [{"metric": "nothing", "comparison": "below", "bound": 1}]}),
    ):
        assert 400 <= refused.status_code < 500, refused.content
    assert ChangeRequest.objects.count() == 1
