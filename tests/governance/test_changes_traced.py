"""Where a change comes from is said by people too; what they may not see does not exist."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from config.portal.errors import Invalid
from governance.changes.models import ChangeRequest
from monitoring.alerts.models import Alert
from stewardship.actions.open import open_action
from stewardship.inventory.models import ModelVersion, RegisteredModel
from stewardship.people.models import User, system_user
from tests.cast import Cast, make_version
from tests.governance.change_case import full_draft
from tests.governance.test_changes_origin import an_alert


@pytest.fixture
def version(model: RegisteredModel) -> ModelVersion:
    return make_version(model, "1.1.0")


@pytest.fixture
def alert(cast: Cast, model: RegisteredModel) -> Alert:
    return an_alert(cast, model, "investigate")


def told(change: ChangeRequest) -> tuple[str, object, str]:
    return change.origin_kind, change.origin_id, change.origin_label


def test_an_alert_a_change_or_an_action_is_named_by_address_id_or_number(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alert: Alert, alice: User
) -> None:
    address = f"https://portal.example{alert.get_absolute_url()}?from=mail"
    first = full_draft(cast, model, version, origin_kind="alert", origin_reference=address)
    assert told(first) == ("alert", alert.pk, str(alert))
    for reference in (first.reference, str(first.number), str(first.pk)):
        assert full_draft(cast, model, version, origin_kind="change", origin_reference=reference).origin_id == first.pk
    action = open_action(
        actor=system_user(), title="Retrain", owner=alice, due_at=timezone.now() + timedelta(days=9), region=model.region, model=model
    )
    assert full_draft(cast, model, version, origin_kind="action", origin_reference=str(action.pk)).origin_id == action.pk


def test_what_is_not_in_the_portal_is_told_in_words(cast: Cast, model: RegisteredModel, version: ModelVersion) -> None:
    change = full_draft(cast, model, version, origin_kind="law", origin_reference="AI Act, article 15")
    assert told(change) == ("law", None, "AI Act, article 15")
    assert change.content()["origin"] == {"kind": "law", "id": None, "label": "AI Act, article 15"}


def test_what_may_not_be_seen_does_not_exist(
    cast: Cast, model: RegisteredModel, version: ModelVersion, foreign_model: RegisteredModel
) -> None:
    foreign = an_alert(cast, foreign_model, region="jp")
    with pytest.raises(Invalid) as hidden:
        full_draft(cast, model, version, origin_kind="alert", origin_reference=str(foreign.pk))
    with pytest.raises(Invalid) as absent:
        full_draft(cast, model, version, origin_kind="alert", origin_reference=str(model.pk))
    assert hidden.value.message == absent.value.message
    assert hidden.value.field == "origin_reference"
    assert ChangeRequest.objects.count() == 0


@pytest.mark.parametrize(
    ("kind", "reference", "field"),
    [("gossip", "x", "origin_kind"), ("law", " ", "origin_reference"), ("", "x", "origin_kind"), ("change", "CR-", "origin_reference")],
)
def test_half_an_origin_is_refused(
    cast: Cast, model: RegisteredModel, version: ModelVersion, kind: str, reference: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        full_draft(cast, model, version, origin_kind=kind, origin_reference=reference)
    assert refused.value.field == field


def test_an_edit_may_change_it_and_need_not_see_it(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alert: Alert, alice: User
) -> None:
    change = full_draft(cast, model, version, actor=system_user(), origin_kind="alert", origin_reference=str(alert.pk))
    other = an_alert(cast, model, "act")
    change.edit(actor=alice, rationale="Another reason")
    assert change.origin_id == alert.pk
    change.edit(actor=alice, origin_kind="alert", origin_reference=str(other.pk))
    assert change.origin_id == other.pk
    change.edit(actor=alice, origin_kind="", origin_reference="")
    assert told(change) == ("", None, "")


def test_the_pages_take_it_show_it_and_lead_there(
    cast: Cast, model: RegisteredModel, version: ModelVersion, alert: Alert, alice: User
) -> None:
    client = Client()
    client.force_login(alice)
    link = re.search(r'href="([^"]*origin_kind=alert[^"]*)"', client.get(alert.get_absolute_url()).content.decode())
    assert link is not None
    page = client.get(link[1].replace("&amp;", "&")).content.decode()
    assert str(alert.pk) in page
    form = {
        "kind": "deployment", "version": version.pk, "region": cast.regions["de"].pk, "watch_days": 7,
        "origin_kind": "alert", "origin_reference": str(alert.pk),
    }  # fmt: skip
    url = reverse("change_new", args=[model.pk])
    response = client.post(url, form | {"origin_reference": "nowhere"})
    assert response.status_code == 422
    assert "There is no such origin" in response.content.decode()
    assert client.post(url, form).status_code == 302
    change = ChangeRequest.objects.get()
    shown = client.get(change.get_absolute_url()).content.decode()
    assert f'<a href="{alert.get_absolute_url()}">' in shown
    assert str(change) in client.get(alert.get_absolute_url()).content.decode()
    edited = client.get(reverse("change_edit", args=[change.pk])).content.decode()
    assert str(alert.pk) in edited


def test_the_api_takes_it_too(cast: Cast, model: RegisteredModel, version: ModelVersion, alert: Alert, pipeline_token: str) -> None:
    client = Client(headers={"authorization": f"Bearer {pipeline_token}"})
    wanted = {"kind": "retraining", "model": model.slug, "version": version.label, "origin_kind": "alert"}
    made = client.post("/api/v1/changes/", wanted | {"origin_reference": str(alert.pk)}, content_type="application/json")
    assert made.status_code == 201, made.content
    assert made.json()["origin_label"] == str(alert)
    refused = client.post("/api/v1/changes/", wanted | {"origin_reference": str(model.pk)}, content_type="application/json")
    assert refused.status_code == 422 or refused.status_code == 400, refused.content
    assert "origin_reference" in refused.content.decode()
